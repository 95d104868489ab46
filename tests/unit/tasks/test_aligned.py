"""What of two sequences lies on each other: against loops over letters and against Biopython's aligner."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Align import PairwiseAligner

from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks import aligned
from genomecli.tasks.aligned import Laid, lay, share_of_strangers
from genomecli.tasks.examples import join_sequences
from genomecli.tasks.similar import KmerSets
from tests.unit.tasks.made import examples, random_dna, random_protein, reverse_complement
from tests.unit.tasks.slow_aligned import slow_laid


def copy_of(rng: np.random.Generator, text: str, rate: float, indels: int = 0) -> str:
    """A copy with letters changed, and some lost or doubled; on either strand."""
    letters = [str(rng.choice(list("ACGT"))) if rng.random() < rate else one for one in text]
    for at in rng.integers(0, len(text), indels).tolist():
        letters[at] = "" if rng.random() < 0.5 else letters[at] * 2
    found = "".join(letters)
    return found if rng.random() < 0.5 else reverse_complement(found)


def laid_pairs(texts: list[str], identity: float, k: int = 9) -> Laid:
    """Neighbours in the list, two by two."""
    rows = np.arange(0, len(texts), 2)
    return lay(examples(texts).sequences, rows, rows + 1, k, identity)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_loops_over_letters_find(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = []
    for number in range(40):
        text = random_dna(rng, int(rng.integers(9, 120)))
        if number % 4 == 0:  # letters that are not known, a repeat, a palindrome
            text = text[:20] + "NN" + text[22:40] + "ACACACACACGTGTGTGTGT" + text[40:]
        other = copy_of(rng, text, 0.05 * (number % 5), number % 3)[number % 7 :]
        texts += [text, other if len(other) else "A"]
    found = laid_pairs(texts, 0.8)
    for at in range(len(texts) // 2):
        short, long = sorted(texts[2 * at : 2 * at + 2], key=lambda text: sum(map(text.count, "ACGT")))
        slow = slow_laid(short, long, 9, 0.8)
        mine = tuple(int(one[at]) for one in (found.aligned, found.equal, found.stretch, found.overlap))
        assert mine == slow, (short, long)
        assert found.shorter[at] == sum(map(short.count, "ACGT"))


def best_alignment(first: str, second: str) -> tuple[int, int]:
    """Letters aligned and equal in the best local alignment on either strand, gaps allowed."""
    aligner = PairwiseAligner(mode="local", match_score=1, mismatch_score=-1.1, gap_score=-3)
    some = [
        max(aligner.align(first, text), key=lambda one: one.score)
        for text in (second, reverse_complement(second))
    ]
    best = max(some, key=lambda one: one.score)
    counts = best.counts()
    return counts.identities + counts.mismatches, counts.identities


def test_copies_and_strangers_are_told_apart_as_by_an_aligner() -> None:
    rng = np.random.default_rng(3)
    texts, motif = [], random_dna(rng, 18)
    for number in range(48):
        length = (60, 110, 200)[number % 3]
        text = random_dna(rng, length)
        if number % 4 == 3:
            other = random_dna(rng, length)
            texts += [text[:10] + motif + text[28:], other[:30] + motif + other[48:]]
        else:
            texts += [text, copy_of(rng, text, 0.08, number % 4)]
    left, right = KmerSets(examples(texts).sequences).pairs(0.8)
    mine = set(zip(left.tolist(), right.tolist(), strict=True))
    for at in range(0, len(texts), 2):
        both, equal = best_alignment(texts[at], texts[at + 1])
        alike = both >= min(map(len, texts[at : at + 2])) / 2 and equal >= 0.8 * both
        assert ((at, at + 1) in mine) == alike == (at % 8 != 6)
    assert all(right == left + 1 for left, right in mine)


def test_copies_with_insertions_and_deletions_lie_on_each_other_in_several_pieces() -> None:
    rng = np.random.default_rng(4)
    text = random_dna(rng, 400)
    cut = text[:90] + text[97:200] + "ACGTA" + text[200:310] + text[312:]
    found = laid_pairs([text, cut, text, reverse_complement(cut)], 0.8, 12)
    assert found.shorter.tolist() == [396, 396]
    assert (found.equal >= 385).all()
    assert (found.aligned <= 396).all()
    assert (found.stretch >= 110).all()
    assert (found.stretch < 130).all()


def test_pieces_of_proteins_are_on_one_strand() -> None:
    rng = np.random.default_rng(5)
    text = random_protein(rng, 80)
    column = join_sequences(
        "protein", [get_alphabet("protein").encode(one) for one in (text, text[20:], text[::-1])]
    )
    found = lay(column, np.array([0, 2]), np.array([1, 1]), 4, 0.5)
    assert found.aligned.tolist()[0] == found.equal.tolist()[0] == found.overlap.tolist()[0] == 60
    assert found.equal.tolist()[1] < 20


def test_many_pairs_in_parts_are_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    texts = [
        one
        for _ in range(30)
        for text in [random_dna(rng, 150)]
        for one in (text, copy_of(rng, text, 0.1, 2))
    ]
    whole = laid_pairs(texts, 0.8)
    monkeypatch.setattr(aligned, "LETTERS", 400)
    monkeypatch.setattr(aligned, "CELLS", 1000)
    parts = laid_pairs(texts, 0.8)
    for name in ("shorter", "aligned", "equal", "stretch", "overlap"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()


def test_chance_leaves_the_longest_stretch_out() -> None:
    laid = Laid(*(np.array([one, one]) for one in (60, 40, 30, 20, 0)))
    assert share_of_strangers(laid, np.array([0.25, 0.5])) == pytest.approx([0.01386, 0.58810], rel=1e-3)


def test_sequences_too_short_for_a_k_mer() -> None:
    found = laid_pairs(["ACG", "ACG"], 0.8)
    assert (found.aligned.tolist(), found.equal.tolist(), found.stretch.tolist()) == ([0], [0], [0])
