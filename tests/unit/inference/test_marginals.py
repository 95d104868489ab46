"""Scores of variants against plain loops, and what must hold whatever the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genomecli.inference.engine import Engine
from genomecli.inference.marginals import Plan, Score, Scorer
from genomecli.inference.workload import answers_of
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import CODONS, genetic_code
from genomecli.sequences.mutations import parse_mutations
from genomecli.sequences.variants import Change, HeldSequence, trimmed
from tests.unit.inference.score_toys import (
    KINDS,
    Plain,
    make_sequence,
    mean,
    other_strand,
    plain_masked,
    toy,
    words,
)

WINDOW = 40
SEQUENCE = make_sequence(300)


def scorer(kind: str, molecule: str = "genome", **options: Any) -> Scorer:
    lexicon = toy(kind).lexicon
    tokenizer = lexicon.tokenizer("one", molecule)
    values = {"method": "masked", "window": WINDOW, **options}
    return Scorer(tokenizer, lexicon.language_id("one", molecule), **values)


def solve(kind: str, plans: Sequence[Plan]) -> list[Score]:
    answers = answers_of(Engine(toy(kind), window=WINDOW), [q for plan in plans for q in plan.queries])
    found, at = [], 0
    for plan in plans:
        found.append(plan.score(answers[at : at + len(plan.queries)]))
        at += len(plan.queries)
    return found


def snv(place: int, new: str) -> tuple[Change, ...]:
    return (Change(place, place + 1, DNA.encode(new)),)


def variants() -> list[tuple[int, str]]:
    """Places all over the sequence, its ends included, each with another base."""
    places = [2, 3, 7, 20, 61, 100, 101, 102, 150, 222, 280, 295, 296]
    return [
        (place, "ACGT"[("ACGT".index(SEQUENCE[place]) + 1 + i % 3) % 4]) for i, place in enumerate(places)
    ]


@pytest.mark.parametrize("kind", list(KINDS))
def test_masked_marginals_are_those_of_a_plain_loop(kind: str) -> None:
    plain, stride = Plain(toy(kind)), KINDS[kind][2]
    one = scorer(kind, strands=("+", "-"), frames=tuple(range(stride)))
    plans = [one.plan(HeldSequence(DNA.encode(SEQUENCE)), snv(*variant)) for variant in variants()]
    mirror = other_strand(SEQUENCE)
    for (place, new), score in zip(variants(), solve(kind, plans), strict=True):
        forward = [
            plain_masked(plain, kind, SEQUENCE[frame:], place - frame, new, size=WINDOW)
            for frame in range(stride)
        ]
        back = [
            plain_masked(
                plain, kind, mirror[frame:], len(mirror) - 1 - place - frame, other_strand(new), size=WINDOW
            )
            for frame in range(stride)
        ]
        assert score.forward == pytest.approx(mean(forward), abs=1e-5)
        assert score.reverse == pytest.approx(mean(back), abs=1e-5)
        assert score.value == pytest.approx((mean(forward) + mean(back)) / 2, abs=1e-5)
        assert (score.method, score.reason) == ("masked", "")


@pytest.mark.parametrize("kind", ["base", "codon"])
def test_wild_type_marginals_hide_nothing(kind: str) -> None:
    plain = Plain(toy(kind))
    one = scorer(kind, method="wildtype")
    plans = [one.plan(HeldSequence(DNA.encode(SEQUENCE)), snv(*variant)) for variant in variants()]
    for (place, new), score in zip(variants(), solve(kind, plans), strict=True):
        expected = plain_masked(plain, kind, SEQUENCE, place, new, size=WINDOW, hide=False)
        assert score.value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_both_strands_give_one_score(kind: str) -> None:
    """A variant of the other strand's record is the same variant."""
    stride = KINDS[kind][2]
    one = scorer(kind, strands=("+", "-"), frames=tuple(range(stride)))
    straight = [one.plan(HeldSequence(DNA.encode(SEQUENCE)), snv(*variant)) for variant in variants()]
    mirror = HeldSequence(DNA.encode(other_strand(SEQUENCE)))
    mirrored = [
        one.plan(mirror, snv(len(SEQUENCE) - 1 - place, other_strand(new))) for place, new in variants()
    ]
    for a, b in zip(solve(kind, straight), solve(kind, mirrored), strict=True):
        assert (a.value, a.forward, a.reverse) == (b.value, b.reverse, b.forward)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_change_and_its_undoing_are_opposite(kind: str) -> None:
    one = scorer(kind)
    place, new = 150, "A" if SEQUENCE[150] != "A" else "C"
    other = SEQUENCE[:place] + new + SEQUENCE[place + 1 :]
    there = one.plan(HeldSequence(DNA.encode(SEQUENCE)), snv(place, new))
    back = one.plan(HeldSequence(DNA.encode(other)), snv(place, SEQUENCE[place]))
    a, b = solve(kind, [there, back])
    assert a.value == pytest.approx(-(b.value or 0), abs=1e-12)


def test_neighbouring_bases_are_hidden_together() -> None:
    plain, text = Plain(toy("base")), list(SEQUENCE[130:170])
    change = Change(149, 151, DNA.encode("".join(COMPLEMENTS[c] for c in SEQUENCE[149:151])))
    (score,) = solve("base", [scorer("base").plan(HeldSequence(DNA.encode(SEQUENCE)), [change])])
    logs = plain.logs(text, [19, 20])
    expected = sum(logs[i][COMPLEMENTS[text[i]]] - logs[i][text[i]] for i in (19, 20))
    assert score.value == pytest.approx(expected, abs=1e-5)
    assert score.tokens == 2


COMPLEMENTS = dict(zip("ACGT", "TGCA", strict=True))


def test_missense_in_codons_is_summed_over_synonyms() -> None:
    code = genetic_code(1)
    one = scorer("codon", "cds", code=code)
    plain = Plain(toy("codon"))
    text = words(SEQUENCE[90 : 90 + 120], 3, 3)
    # Codon 50 of the sequence has 20 codons of a window of 40 before it.
    places = {}
    for place in (150, 151, 152):
        for new in "ACGT".replace(SEQUENCE[place], ""):
            codon = list(SEQUENCE[150:153])
            codon[place - 150] = new
            places[place, new] = "".join(codon)
    plans = [one.plan(HeldSequence(DNA.encode(SEQUENCE)), snv(*variant)) for variant in places]
    logs = plain.logs(text, [20])[20]
    seen = set()
    for after, score in zip(places.values(), solve("codon", plans), strict=True):
        old, new = (code.amino[CODONS.index(codon)] for codon in (text[20], after))
        seen.add(old == new)
        expected = logs[after] - logs[text[20]] if old == new else share(logs, new) - share(logs, old)
        assert score.value == pytest.approx(expected, abs=1e-5)
    assert len(seen) == 2, "the codon has silent and missense neighbours"


def share(logs: dict[str, float], letter: str) -> float:
    amino = genetic_code(1).amino
    return math.log(sum(math.exp(logs[codon]) for codon, a in zip(CODONS, amino, strict=True) if a == letter))


def test_amino_acids_of_a_gene_by_its_codons() -> None:
    one = scorer("codon", "cds", code=genetic_code(1))
    protein = PROTEIN.decode(genetic_code(1).translate(DNA.encode(SEQUENCE)))
    swaps = [(50, "W"), (52, "*")]
    text = ":".join(f"{protein[place]}{place + 1}{new}" for place, new in swaps)
    plan = one.residues(DNA.encode(SEQUENCE), parse_mutations(text))
    (score,) = solve("codon", [plan])
    start = 31
    logs = Plain(toy("codon")).logs(words(SEQUENCE, 3, 3)[start : start + 40], [50 - start, 52 - start])
    expected = sum(share(logs[p - start], new) - share(logs[p - start], protein[p]) for p, new in swaps)
    assert score.value == pytest.approx(expected, abs=1e-5)


def test_mutations_far_apart_are_scored_each_in_its_own_window() -> None:
    one = scorer("base")
    sequence = HeldSequence(DNA.encode(SEQUENCE))
    changes = [*snv(10, COMPLEMENTS[SEQUENCE[10]]), *snv(250, COMPLEMENTS[SEQUENCE[250]])]
    both, first, second = solve("base", [one.plan(sequence, c) for c in (changes, changes[:1], changes[1:])])
    assert both.value == pytest.approx((first.value or 0) + (second.value or 0), abs=1e-9)


@pytest.mark.parametrize("kind", ["base", "codon", "3-mer"])
@pytest.mark.parametrize(("old", "new"), [("{}", "{}GA"), ("{}", "{}"), ("{}", "T{}")])
def test_pseudo_perplexity_is_that_of_a_plain_loop(kind: str, old: str, new: str) -> None:
    """An insertion, a substitution, and a deletion when old and new change places."""
    ref, alt = old.format(SEQUENCE[150:153]), new.format(SEQUENCE[150:153])
    alt = COMPLEMENTS[alt[0]] + alt[1:] if ref == alt else alt
    one = scorer(kind, method="pseudo_perplexity", reach=3, passes=1000)
    change = trimmed(150, DNA.encode(ref), DNA.encode(alt))
    longer = SEQUENCE[:150] + alt + SEQUENCE[153:]
    back = trimmed(150, DNA.encode(alt), DNA.encode(ref))
    plans = [
        one.plan(HeldSequence(DNA.encode(SEQUENCE)), [change]),
        one.plan(HeldSequence(DNA.encode(longer)), [back]),
    ]
    there, undone = solve(kind, plans)
    for before, after, made, score in [
        (SEQUENCE, longer, change, there),
        (longer, SEQUENCE, back, undone),
    ]:
        assert score.value == pytest.approx(plain_pseudo(kind, before, after, made, 3), abs=1e-5)
        assert score.method == "pseudo_perplexity"


def plain_pseudo(kind: str, before: str, after: str, change: Change, reach: int) -> float:
    """Of a change so far inside that a window of ``WINDOW`` words around it is nowhere cut off."""
    _, k, stride = KINDS[kind]
    plain, longer = Plain(toy(kind)), max(change.growth, 0)
    begin, end = written_anywhere(before, after, change)
    low, high = begin // stride, -(-(end + longer) // stride)
    start = (low + max(low + 1, high) - WINDOW) // 2 * stride
    size = WINDOW * stride + k - 1 - longer
    means, counts = [], []
    for text, growth in ((before, 0), (after, change.growth)):
        local = words(text[start : start + size + growth], k, stride)
        low, high = begin - start - reach * stride, end - start + growth + reach * stride
        found = []
        for unit in range(WINDOW + k):
            holding = [
                i
                for i in range(len(local))
                if i * stride < (unit + 1) * stride and unit * stride < i * stride + k
            ]
            if unit * stride + stride <= low or unit * stride >= high or not holding:
                continue
            logs = plain.logs(local, holding)
            found.append(sum(logs[i][local[i]] for i in holding) / len(holding))
        means.append(sum(found) / len(found))
        counts.append(len(found))
    return counts[0] * (means[1] - means[0])


def written_anywhere(before: str, after: str, change: Change) -> tuple[int, int]:
    """From the first place where an indel could be written to the end of the last, by trying each."""
    if not change.growth:
        return change.start, change.stop
    size, brings = change.stop - change.start, len(change.new)
    places = [
        i
        for i in range(len(before) - size + 1)
        if before[:i] + after[i : i + brings] + before[i + size :] == after
    ]
    return min(places), max(places) + size


def test_hiding_units_in_turns_asks_about_each_once() -> None:
    sequence = HeldSequence(DNA.encode(SEQUENCE))
    for kind in ("codon", "3-mer"):
        one = scorer(kind, method="pseudo_perplexity", reach=6, passes=3)
        plan = one.plan(sequence, snv(150, COMPLEMENTS[SEQUENCE[150]]))
        alone = replace(one, passes=1000).plan(sequence, snv(150, COMPLEMENTS[SEQUENCE[150]]))
        asked = [sorted(p for q in chosen.queries for p in q.places) for chosen in (plan, alone)]
        assert asked[0] == asked[1]
        span = one.tokenizer.span
        assert len(plan.queries) == 2 * 3 * span
        assert len(alone.queries) == 2 * 13


def test_indels_take_pseudo_perplexity_whatever_the_method() -> None:
    sequence = HeldSequence(DNA.encode(SEQUENCE))
    one = scorer("base", reach=4)
    plan = one.plan(sequence, [Change(100, 100, DNA.encode("GATTACA"))])
    assert plan.method == "pseudo_perplexity"
    (score,) = solve("base", [plan])
    assert score.value is not None
    too_long = [Change(100, 100, DNA.encode("A" * 51)), Change(100, 121, DNA.encode("A"))]
    assert [one.plan(sequence, [c]).reason for c in too_long] == ["longer than 20"] * 2


def test_what_has_no_score_says_why() -> None:
    text = SEQUENCE[:100] + "NNN" + SEQUENCE[103:]
    sequence = HeldSequence(DNA.encode(text))
    one = scorer("codon")
    reasons = [
        one.plan(sequence, snv(101, "A")).reason,
        one.plan(sequence, snv(150, "N")).reason,
        one.plan(HeldSequence(DNA.encode("ACGTA")), snv(4, "C")).reason,
        one.plan(HeldSequence(DNA.encode("AC")), snv(1, "T")).reason,
    ]
    assert reasons == ["ambiguous letter", "ambiguous letter", "no token covers it", "no token covers it"]
    assert solve("codon", [one.plan(sequence, snv(101, "A"))])[0] == Score(reason="ambiguous letter")


def test_proteins_are_read_on_one_strand() -> None:
    protein = make_sequence(120, "ACDEFGHIKLMNPQRSTVWY", key="protein")
    one = scorer("codon", "protein")
    new = "W" if protein[60] != "W" else "A"
    (score,) = solve(
        "codon", [one.plan(HeldSequence(PROTEIN.encode(protein)), [Change(60, 61, PROTEIN.encode(new))])]
    )
    logs = Plain(toy("codon"), "protein").logs(list(protein[40:80]), [20])[20]
    assert score.value == pytest.approx(logs[new] - logs[protein[60]], abs=1e-5)
    assert score.reverse is None
    ends = one.plan(HeldSequence(PROTEIN.encode(protein)), [Change(60, 61, PROTEIN.encode("*"))])
    assert ends.reason == "* is a stop, and no residue"


def test_where_nothing_is_seen_only_the_letters_count() -> None:
    one = scorer("base", hidden=True)
    sequence = HeldSequence(DNA.encode(SEQUENCE))
    swapped = [i for i in range(100, 200) if SEQUENCE[i] == "A"]
    scores = solve("base", [one.plan(sequence, snv(place, "G")) for place in swapped])
    assert np.ptp([score.value for score in scores]) < 1e-9
