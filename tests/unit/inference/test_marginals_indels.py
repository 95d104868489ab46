"""Indels: both texts are whole wherever the change lies, and no strand or window is better off."""

from __future__ import annotations

from typing import Any

import pytest

from genomecli.inference.engine import Engine
from genomecli.inference.marginals import Plan, Score, Scorer
from genomecli.inference.workload import answers_of
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.variants import Change, HeldSequence
from tests.unit.inference.score_toys import KINDS, Plain, make_sequence, other_strand, toy, words

FULL = 62
"""Tokens that the toys read at once."""


def scorer(kind: str, **options: Any) -> Scorer:
    lexicon = toy(kind).lexicon
    frames = tuple(range(KINDS[kind][2]))
    values = {"method": "masked", "window": FULL, "strands": ("+", "-"), "frames": frames, **options}
    return Scorer(lexicon.tokenizer("one", "genome"), lexicon.language_id("one", "genome"), **values)


def solve(kind: str, plan: Plan) -> Score:
    return plan.score(answers_of(Engine(toy(kind), window=FULL), plan.queries))


def insertion(place: int, bases: str) -> Change:
    return Change(place, place, DNA.encode(bases))


def score(kind: str, text: str, change: Change, **options: Any) -> Score:
    return solve(kind, scorer(kind, **options).plan(HeldSequence(DNA.encode(text)), [change]))


def plain_whole(kind: str, before: str, after: str) -> float:
    """Pseudo-perplexity over all words of two short texts, one hidden at a time."""
    _, k, stride = KINDS[kind]
    plain, means, counts = Plain(toy(kind)), [], []
    for text in (before, after):
        local = words(text, k, stride)
        found = [plain.logs(local, [i])[i][word] for i, word in enumerate(local)]
        means.append(sum(found) / len(found))
        counts.append(len(found))
    return counts[0] * (means[1] - means[0])


@pytest.mark.parametrize("kind", ["base", "codon"])
@pytest.mark.parametrize("place", [0, 15, 24, 29, 30])
def test_the_new_text_is_whole_where_the_window_holds_it(kind: str, place: int) -> None:
    text, bases = make_sequence(30), "TAATAA"
    made = score(kind, text, insertion(place, bases), frames=(0,), reach=99, passes=99)
    after = text[:place] + bases + text[place:]
    assert made.forward == pytest.approx(plain_whole(kind, text, after), abs=1e-5)
    back = plain_whole(kind, other_strand(text), other_strand(after))
    assert made.reverse == pytest.approx(back, abs=1e-5)
    assert abs(made.forward or 0) > 0.01


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("length", [90, 400, 401, 402])
@pytest.mark.parametrize("end", ["first", "last"])
def test_an_insertion_at_an_end_is_seen_on_both_strands(kind: str, length: int, end: str) -> None:
    """Contigs shorter and longer than a window."""
    made = score(kind, make_sequence(length), insertion(length if end == "last" else 0, "TAATAA"))
    assert abs(made.forward or 0) > 0.01
    assert abs(made.reverse or 0) > 0.01


@pytest.mark.parametrize("place", [0, 1, 2, 5, 150, 299, 300, 301])
@pytest.mark.parametrize("bases", ["TAATAA", "CG"])
def test_every_frame_reads_an_indel_at_an_end(place: int, bases: str) -> None:
    sequence, size = HeldSequence(DNA.encode(make_sequence(301))), len(bases)
    ends = [insertion(place, bases), Change(min(place, 301 - size), min(place + size, 301), DNA.encode(""))]
    for change in ends:
        assert len(scorer("codon").plan(sequence, [change]).parts) == 6


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("place", [0, 3, 60, 200, 380, 397, 400])
def test_neither_text_is_longer_than_the_window_and_one_fills_it(kind: str, place: int) -> None:
    sequence = HeldSequence(DNA.encode(make_sequence(400)))
    deletion = Change(min(place, 391), min(place, 391) + 9, DNA.encode(""))
    for change in (insertion(place, "TAATAAC"), deletion):
        for window in (20, FULL):
            plan = scorer(kind, window=window).plan(sequence, [change])
            for part in plan.parts:
                sizes = {len(query.item.tokens) for query in part.queries}
                assert max(sizes) == window
                assert min(sizes) >= window - 9


def deletion(place: int, size: int) -> Change:
    return Change(place, place + size, DNA.encode(""))


def in_repeat(unit: str, times: int, before: int = 100, after: int = 150) -> str:
    """A repeat whose neighbours do not go on with it."""
    flanks = make_sequence(before + after, "GT")
    return flanks[:before] + unit * times + flanks[before:]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(("unit", "times"), [("A", 10), ("CA", 7), ("CAA", 4)])
@pytest.mark.parametrize("before", [0, 1, 100])
def test_one_haplotype_has_one_score(kind: str, unit: str, times: int, before: int) -> None:
    """A unit of a repeat more or less, written at its first, a middle and its last place; both strands."""
    text, size = in_repeat(unit, times, before), len(unit)
    mirror = other_strand(text)
    for change in (deletion, insertion):
        given: Any = size if change is deletion else unit
        last = before + size * (times - (change is deletion))
        ways = [change(place, given) for place in (before, before + size, last)]
        scores = [score(kind, text, way) for way in ways]
        assert scores[0].value is not None
        assert scores[0] == scores[1] == scores[2]
        back = [score(kind, mirror, way.mirrored(len(text), DNA)) for way in ways]
        assert back[0] == back[1] == back[2]
        assert (back[0].forward, back[0].reverse) == (scores[0].reverse, scores[0].forward)


@pytest.mark.parametrize("kind", ["base", "codon"])
def test_a_repeat_longer_than_the_window_has_one_score_too(kind: str) -> None:
    text = in_repeat("CA", 300)
    scores = [score(kind, text, deletion(place, 2)) for place in (100, 251, 698)]
    assert scores[0].value is not None
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("place", [0, 1, 100, 290, 298, 300])
def test_the_other_strands_record_of_an_indel_scores_alike(kind: str, place: int) -> None:
    text = make_sequence(300)
    for change in (insertion(place, "GATC"), insertion(place, "A"), deletion(min(place, 298), 2)):
        a = score(kind, text, change)
        b = score(kind, other_strand(text), change.mirrored(300, DNA))
        assert (a.value, a.forward, a.reverse) == (b.value, b.reverse, b.forward)
