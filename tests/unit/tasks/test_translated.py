"""Coding sequences as similarity sees them: by their proteins."""

from __future__ import annotations

import numpy as np
from Bio.Seq import Seq

from genomecli.sequences.alphabets import DNA
from genomecli.tasks.clusters import cluster
from genomecli.tasks.examples import Examples, join_sequences
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.leakage import find_copies, leakage
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import Split, split_examples
from genomecli.tasks.translated import as_proteins, translated

AMINO = "ACDEFGHIKLMNPQRSTVWY"


def _spellings() -> dict[str, list[str]]:
    words = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    found: dict[str, list[str]] = {letter: [] for letter in AMINO}
    for word in words:
        letter = str(Seq(word).translate())
        if letter in found:
            found[letter].append(word)
    return found


def _families(count: int, members: int) -> tuple[Examples, np.ndarray]:
    """Families of one protein, each member spelled with codons of its own."""
    rng = np.random.default_rng(0)
    spellings = _spellings()
    genes, family = [], []
    for number in range(count):
        protein = rng.choice(list(AMINO), 150)
        for _ in range(members):
            text = "ATG" + "".join(rng.choice(spellings[letter]) for letter in protein) + "TAA"
            genes.append(DNA.encode(text))
            family.append(number)
    column = join_sequences(DNA.name, genes)
    ids = tuple(f"g{i}" for i in range(len(genes)))
    return Examples(ids=ids, sequences=column, labels={}), np.array(family)


def test_proteins_are_those_of_biopython() -> None:
    examples, _ = _families(3, 2)
    proteins = translated(examples.sequences, 1)
    for row in range(6):
        expected = str(Seq(examples.sequences.text(row)).translate(to_stop=True))
        assert proteins.text(row) == expected
    shifted = translated(examples.sequences, None, frame=3)
    assert shifted.text(0) == proteins.text(0)[1:]


def test_synonymous_genes_stay_on_one_side() -> None:
    examples, family = _families(30, 4)
    by_bases, _ = cluster(examples, SplitSettings(method="kmer"))
    assert by_bases.max() + 1 > 100  # bases do not show the families
    alike = as_proteins(examples, translated(examples.sequences, 1), None)
    raw: dict[str, RawLabels] = {}
    split = split_examples(examples, raw, SplitSettings(by="cluster", method="kmer"), 1, alike=alike)[0]
    assert split.group_of.max() + 1 == 30
    for rows in split.sides.values():
        for other in split.sides.values():
            assert rows is other or not set(family[rows]) & set(family[other])
    assert "proteins are compared" in split.how


def test_synonymous_genes_on_two_sides_are_counted() -> None:
    examples, _ = _families(10, 2)
    even, odd = np.arange(0, 20, 2), np.arange(1, 20, 2)
    split = Split(even, np.zeros(0, np.int64), odd, np.arange(20), "")
    alike = as_proteins(examples, translated(examples.sequences, 1), None)
    plain = leakage(find_copies(examples), examples, {}, split).overlaps[0]
    seen = leakage(find_copies(examples, alike), examples, {}, split)
    assert (plain.equal, plain.similar) == (0, 0)
    assert (seen.overlaps[0].equal, seen.overlaps[0].similar) == (0, 10)
    assert "50 % protein identity" in seen.warnings()[0]
    assert seen.repeated == 0
