"""Both errors of judging identity by k-mers: relatives that are missed, strangers that are joined."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.tasks import similar
from genomecli.tasks.chance import most_by_chance
from genomecli.tasks.clusters import cluster
from genomecli.tasks.examples import Floats, join_sequences
from genomecli.tasks.flanks import without_flanks
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.similar import IDENTITY, KmerSets
from tests.unit.tasks.made import examples, random_dna, reverse_complement

SETTINGS = SplitSettings(by="cluster", method="kmer")
RESIDUES = np.array(
    [8.3, 1.4, 5.5, 6.7, 3.9, 7.1, 2.3, 5.9, 5.8, 9.6, 2.4, 4.1, 4.7, 3.9, 5.5, 6.6, 5.4, 6.9, 1.1, 2.9]
)
"""Percent of each residue, in the order of the alphabet, in Swiss-Prot."""

SHARES = {
    "protein": RESIDUES / RESIDUES.sum(),
    "at-rich": np.array([0.4, 0.1, 0.1, 0.4]),
    "dna": np.full(4, 0.25),
}


def changed(rng: np.random.Generator, codes: np.ndarray, identity: float, letters: int) -> np.ndarray:
    """As many places as the identity says hold another letter; one letter in a hundred is lost besides."""
    found = codes.copy()
    at = rng.permutation(len(codes))[: round((1 - identity) * len(codes))]
    found[at] = (found[at] + rng.integers(1, letters, len(at))) % letters
    return np.delete(found, rng.integers(0, len(codes), len(codes) // 100))


def joined(shares: Floats, length: int, identity: float, families: int = 40) -> tuple[float, float]:
    """Share of families of two that are joined, and of pairs of strangers."""
    rng = np.random.default_rng(length)
    sequences = []
    for _ in range(families):
        codes = rng.choice(len(shares), length, p=shares).astype(np.uint8)
        sequences += [codes, changed(rng, codes, identity, len(shares)).astype(np.uint8)]
    alphabet = "protein" if len(shares) == 20 else "dna"
    left, right = KmerSets(join_sequences(alphabet, sequences)).pairs(IDENTITY[alphabet])
    kin = left // 2 == right // 2
    return kin.sum() / families, (~kin).sum() / (2 * families * (families - 1))


@pytest.mark.parametrize(
    ("kind", "length", "found", "missed"),
    [
        ("protein", 60, 0.8, 0.4),
        ("protein", 300, 0.6, 0.4),
        ("protein", 1500, 0.6, 0.4),
        ("dna", 60, 0.95, 0.7),
        ("dna", 110, 0.9, 0.7),
        ("dna", 1500, 0.9, 0.7),
        ("at-rich", 110, 0.95, 0.7),
        ("at-rich", 1500, 0.9, 0.7),
    ],
)
def test_identity_is_identity(kind: str, length: int, found: float, missed: float) -> None:
    families = 40 if length < 1000 else 12
    near, strangers = joined(SHARES[kind], length, found, families)
    assert near > 0.9
    assert strangers == 0
    far, strangers = joined(SHARES[kind], length, missed, families)
    assert far < 0.1
    assert strangers == 0


def test_what_chance_reaches_is_seldom_passed_and_not_far_off() -> None:
    for expected, q in ((0.001, 0.25), (0.3, 0.34), (2.0, 0.06), (40.0, 0.25)):
        most = int(most_by_chance(np.array([expected]), np.array([q]), 1e-4)[0])
        rng = np.random.default_rng(7)
        clumps = rng.poisson(expected * (1 - q), 400_000)
        shared = clumps + np.where(clumps > 0, rng.negative_binomial(np.maximum(clumps, 1), 1 - q), 0)
        assert shared.mean() == pytest.approx(expected, rel=0.2)
        assert (shared > most).mean() <= 1e-4
        assert (shared > most * 0.8 - 2).mean() > 1e-4


@pytest.mark.parametrize(("length", "letters"), [(60, 15), (110, 18), (200, 25), (500, 60)])
def test_a_stretch_in_common_joins_no_strangers(length: int, letters: int) -> None:
    """A motif at any place and strand in the rows of one class, too few to be taken for a flank."""
    rng = np.random.default_rng(9)
    motif = random_dna(rng, letters)
    texts = [random_dna(rng, length) for _ in range(120)]
    for row in range(40):
        at = int(rng.integers(0, length - letters + 1))
        held = motif if rng.random() < 0.5 else reverse_complement(motif)
        texts[row] = texts[row][:at] + held + texts[row][at + letters :]
    assert len(KmerSets(examples(texts).sequences).pairs(0.8)[0]) == 0


def test_of_very_many_pairs_shared_k_mers_alone_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(12)
    motif = random_dna(rng, 20)
    texts = [random_dna(rng, 20) + motif + random_dna(rng, 20) for _ in range(4)]
    sets = KmerSets(examples(texts).sequences)
    assert len(sets.pairs(0.8)[0]) == 0
    monkeypatch.setattr(similar, "MANY_PAIRS", 5)
    assert len(sets.pairs(0.8)[0]) == 6


def test_half_of_the_shorter_sequence_in_common_joins() -> None:
    rng = np.random.default_rng(10)
    held = random_dna(rng, 41)
    texts = [random_dna(rng, 19 + 7 * row) + held + random_dna(rng, 22 - 7 * row) for row in range(4)]
    assert set(cluster(examples(texts), SETTINGS)[0].tolist()) == {0}


@pytest.mark.parametrize(("letters", "found"), [(80, False), (110, True)])
def test_long_genes_with_an_exon_in_common(letters: int, found: bool) -> None:
    rng = np.random.default_rng(11)
    exon = random_dna(rng, letters)
    changed_exon = "".join("ACGT"[("ACGT".index(c) + (at % 20 == 9)) % 4] for at, c in enumerate(exon))
    texts = [random_dna(rng, 60) + exon + random_dna(rng, 390)]
    texts.append(random_dna(rng, 320) + changed_exon + random_dna(rng, 200))
    assert len(KmerSets(examples(texts).sequences).pairs(0.7)[0]) == found


@pytest.mark.parametrize(
    ("length", "overlap", "found"),
    [(60, 30, True), (60, 29, False), (81, 31, True), (81, 28, False), (200, 40, True), (200, 29, False)],
)
def test_windows_that_overlap_on_a_genome(length: int, overlap: int, found: bool) -> None:
    """On either strand, whichever of the two comes first."""
    rng = np.random.default_rng(length)
    for turned in (False, True):
        genome = random_dna(rng, 2 * length - overlap)
        texts = [genome[:length], genome[length - overlap :]]
        texts = [texts[0], reverse_complement(texts[1])] if turned else texts[::-1]
        assert (len(set(cluster(examples(texts), SETTINGS)[0].tolist())) == 1) == found


FRONT, BACK = "TGCATTTTTTTCACATC", "GGTTACGGCTGTT"


def families_of(rng: np.random.Generator, number: int, size: int, length: int = 80) -> list[str]:
    """Members that differ from the first of their family at 4 places."""
    texts = []
    for _ in range(number):
        first = random_dna(rng, length)
        for _ in range(size):
            letters = list(first)
            for at in rng.permutation(length)[:4].tolist():
                letters[at] = "ACGT"[("ACGT".index(letters[at]) + int(rng.integers(1, 4))) % 4]
            texts.append("".join(letters))
    return texts


def test_constant_flanks_join_nothing() -> None:
    rng = np.random.default_rng(5)
    texts = [FRONT + text + BACK for text in families_of(rng, 200, 19)]
    found, _ = cluster(examples(texts), SETTINGS)
    assert found.tolist() == [row // 19 for row in range(len(texts))]


@pytest.mark.parametrize("flanks", [("", ""), (FRONT, BACK)])
def test_one_family_stays_one_cluster(flanks: tuple[str, str]) -> None:
    rng = np.random.default_rng(6)
    texts = [flanks[0] + text + flanks[1] for text in families_of(rng, 1, 30)]
    column = examples(texts).sequences
    assert without_flanks(column, 12) is column
    assert set(cluster(examples(texts), SETTINGS)[0].tolist()) == {0}


def test_few_rows_keep_their_flanks() -> None:
    rng = np.random.default_rng(8)
    few = examples([FRONT + random_dna(rng, 80) + BACK for _ in range(19)]).sequences
    more = examples([FRONT + random_dna(rng, 80) + BACK for _ in range(20)]).sequences
    assert without_flanks(few, 12) is few
    hidden = without_flanks(more, 12)
    assert hidden.text(3)[: len(FRONT)] == "N" * len(FRONT)
    assert hidden.text(3)[-len(BACK) :] == "N" * len(BACK)
    assert hidden.text(3)[20:90] == more.text(3)[20:90]
