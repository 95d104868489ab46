from __future__ import annotations

import numpy as np
import pytest

from genomecli.sequences.alphabets import DNA
from genomecli.tasks.exons import find_exons
from tests.unit.tasks.made import random_dna


def located(gene: str, spliced: str) -> list[tuple[int, int]] | None:
    return find_exons(DNA.encode(gene), DNA.encode(spliced))


def planted(
    rng: np.random.Generator, exons: list[int], introns: list[int]
) -> tuple[str, str, list[tuple[int, int]]]:
    """A gene of exons and introns (GT..AG) of given lengths, its spliced sequence, and the exons' places."""
    gene, spliced, places = "", "", []
    for i, length in enumerate(exons):
        exon = random_dna(rng, length)
        places.append((len(gene), len(gene) + length))
        gene, spliced = gene + exon, spliced + exon
        if i < len(introns):
            gene += "GT" + random_dna(rng, introns[i] - 4) + "AG"
    return gene, spliced, places


@pytest.mark.parametrize("seed", range(20))
def test_planted_exons_are_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 6))
    exons = rng.integers(25, 400, count).tolist()
    gene, spliced, places = planted(rng, exons, rng.integers(40, 900, count - 1).tolist())
    found = located(gene, spliced)
    assert found is not None
    assert "".join(gene[a:b] for a, b in found) == spliced
    same = sum(a == b for a, b in zip(found, places, strict=True))
    assert same >= len(places) - 1 if len(places) > 2 else same == len(places)


@pytest.mark.parametrize("first", [1, 2, 3, 11])
def test_a_first_exon_of_a_few_bases(first: int) -> None:
    gene, spliced, places = planted(np.random.default_rng(first), [first, 300], [250])
    assert located(gene, spliced) == places


def test_a_last_exon_of_a_few_bases() -> None:
    gene, spliced, places = planted(np.random.default_rng(4), [300, 5], [250])
    assert located(gene, spliced) == places


def test_of_borders_that_fit_alike_that_of_gt_and_ag_is_taken() -> None:
    left, right = "ACGTTACGATCCATGCATTACG", "CATTGACCTAGGATTACAGGTA"
    body = "AAATTTCCCAAATTTCCCAAATTTCCCAAA"
    # The intron could as well begin one base later, with TA, and end one later, with GG.
    gene = left + "G" + "GT" + body + "AG" + "G" + right
    spliced = left + "G" + "G" + right
    found = located(gene, spliced)
    assert found is not None
    (_, donor), (acceptor, _) = found
    assert (gene[donor : donor + 2], gene[acceptor - 2 : acceptor]) == ("GT", "AG")


def test_bases_beyond_the_exons_are_left_alone() -> None:
    rng = np.random.default_rng(2)
    gene, spliced, places = planted(rng, [100, 80], [120])
    before, after = random_dna(rng, 70), random_dna(rng, 50)
    assert located(before + gene + after, spliced) == [(a + 70, b + 70) for a, b in places]


def test_no_intron_is_one_exon() -> None:
    text = random_dna(np.random.default_rng(1), 200)
    assert located(text, text) == [(0, 200)]


def test_what_does_not_fit_is_not_forced() -> None:
    rng = np.random.default_rng(3)
    gene, spliced, _ = planted(rng, [150, 150], [100])
    changed = spliced[:70] + ("A" if spliced[70] != "A" else "C") + spliced[71:]
    assert located(gene, changed) is None
    assert located(gene, random_dna(rng, 100)) is None
    assert located(spliced, gene) is None
    assert located(gene, "") is None
    assert located("ACGTACGTACGTACG", "ACGT") == [(0, 4)] or located("ACGTACGTACGTACG", "ACGT") is None


def test_a_short_gap_is_no_intron() -> None:
    rng = np.random.default_rng(5)
    left, right = random_dna(rng, 60), random_dna(rng, 60)
    assert located(left + "GTACCAG" + right, left + right) is None


def test_sixty_genes_of_many_exons_are_quick() -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        gene, spliced, places = planted(rng, [120] * 8, [1500] * 7)
        found = located(gene, spliced)
        assert found is not None
        assert len(found) == len(places)
