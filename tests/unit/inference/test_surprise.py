"""Surprise along a sequence against plain loops; segments, windows and strands must not show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from genomecli.inference import surprise as surprise_module
from genomecli.inference.engine import Engine
from genomecli.inference.surprise import Scan, Surprise
from genomecli.inference.workload import Workload
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.variants import HeldSequence
from tests.unit.inference.score_toys import KINDS, Plain, make_sequence, other_strand, toy, words

SHORT = make_sequence(50, key="short")


def scan(kind: str, molecule: str = "genome", **options: Any) -> Scan:
    lexicon = toy(kind).lexicon
    tokenizer = lexicon.tokenizer("one", molecule)
    values = {"window": 62, "passes": 1000, **options}
    return Scan(tokenizer, lexicon.language_id("one", molecule), **values)


def solve(kind: str, one: Scan, text: str, alphabet: Any = DNA) -> Surprise:
    engine = Engine(toy(kind), window=one.window)
    found = list(Workload(engine, one.segments(HeldSequence(alphabet.encode(text)), "s")))
    assert [part.start for part in found] == list(range(0, len(text), surprise_module.SEGMENT))
    parts = [np.concatenate([getattr(f, name) for f in found]) for name in ("values", "forward", "reverse")]
    return Surprise(0, *parts)


def plain_surprise(kind: str, text: str) -> list[float]:
    """Of every base that words in frame 0 hold, all that share its unit hidden; NaN for the others."""
    _, k, stride = KINDS[kind]
    plain, local = Plain(toy(kind)), words(text, k, stride)
    found = []
    for place in range(len(text)):
        unit = place // stride
        hidden = [
            i
            for i in range(len(local))
            if i * stride < (unit + 1) * stride and unit * stride < i * stride + k
        ]
        holding = [i for i in hidden if i * stride <= place < i * stride + k]
        if not holding:
            found.append(math.nan)
            continue
        logs = plain.logs(local, hidden)
        shares = []
        for i in holding:
            at = place - i * stride
            others = [local[i][:at] + base + local[i][at + 1 :] for base in "ACGT"]
            shares.append(logs[i][local[i]] - math.log(sum(math.exp(logs[i][word]) for word in others)))
        found.append(-sum(shares) / len(shares))
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_surprise_is_that_of_a_plain_loop(kind: str) -> None:
    found = solve(kind, scan(kind, strands=("+", "-")), SHORT)
    forward = np.array(plain_surprise(kind, SHORT))
    reverse = np.array(plain_surprise(kind, other_strand(SHORT)))[::-1]
    np.testing.assert_allclose(found.forward, forward, atol=1e-5)
    np.testing.assert_allclose(found.reverse, reverse, atol=1e-5)
    both = np.nanmean(np.stack([forward, reverse]), axis=0)
    np.testing.assert_allclose(found.values, both, atol=1e-5)


def test_all_frames_are_averaged() -> None:
    found = solve("codon", scan("codon", frames=(0, 1, 2)), SHORT)
    frames = [[math.nan] * f + plain_surprise("codon", SHORT[f:]) for f in range(3)]
    np.testing.assert_allclose(found.values, np.nanmean(np.array(frames), axis=0), atol=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_long_sequences_are_cut_without_gaps(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprise_module, "SEGMENT", 150)
    text = make_sequence(500, key="long")
    frames = tuple(range(KINDS[kind][2]))
    one = scan(kind, window=20, frames=frames, strands=("+", "-"), passes=4)
    found = solve(kind, one, text)
    assert (found.values > 0).all()


def test_a_symbol_is_read_in_the_middle_half_of_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprise_module, "SEGMENT", 150)
    text = make_sequence(500, key="long")
    found = solve("base", scan("base", window=20), text)
    plain = Plain(toy("base"))
    for place in (0, 5, 14, 15, 149, 150, 163, 300, 420, 494, 499):
        segment = place // 150 * 150
        block = segment + (place - segment) // 10 * 10
        start = min(max(block - 5, 0), 480)
        logs = plain.logs(list(text[start : start + 20]), [place - start])
        assert found.values[place] == pytest.approx(-logs[place - start][text[place]], abs=1e-5)


def test_nothing_hidden_reads_once() -> None:
    one = scan("base", passes=0)
    work = next(iter(one.segments(HeldSequence(DNA.encode(SHORT)), "s")))
    assert len(work.queries) == 1
    found = solve("base", one, SHORT)
    logs = Plain(toy("base")).logs(list(SHORT), [])
    np.testing.assert_allclose(found.values, [-logs[i][base] for i, base in enumerate(SHORT)], atol=1e-5)


def test_a_share_is_hidden_at_a_time() -> None:
    one = scan("base", passes=4)
    work = next(iter(one.segments(HeldSequence(DNA.encode(SHORT)), "s")))
    hidden = sorted(int(place) for query in work.queries for place in query.places)
    assert hidden == list(range(50))
    assert all(len(np.unique(np.diff(query.places))) == 1 for query in work.queries)


def test_ambiguous_letters_have_no_value() -> None:
    text = SHORT[:20] + "N" + SHORT[21:]
    found = solve("base", scan("base"), text)
    assert np.flatnonzero(np.isnan(found.values)).tolist() == [20]
    codons = solve("codon", scan("codon"), text)
    assert np.flatnonzero(np.isnan(codons.values)).tolist() == [18, 19, 20, 48, 49]


def test_proteins() -> None:
    protein = make_sequence(40, "ACDEFGHIKLMNPQRSTVWY", key="protein")
    found = solve("codon", scan("codon", "protein"), protein, PROTEIN)
    plain = Plain(toy("codon"), "protein")
    expected = [-plain.logs(list(protein), [i])[i][letter] for i, letter in enumerate(protein)]
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert np.isnan(found.reverse).all()


def test_an_empty_sequence_is_no_work() -> None:
    assert list(scan("base").segments(HeldSequence(DNA.encode("")))) == []
    assert surprise_module.segment_count(HeldSequence(DNA.encode(""))) == 0


def test_pieces_at_the_start_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprise_module, "SEGMENT", 20)
    sequence = HeldSequence(DNA.encode(SHORT))
    assert surprise_module.segment_count(sequence) == 3
    whole = list(Workload(Engine(toy("base")), scan("base").segments(sequence)))
    rest = list(Workload(Engine(toy("base")), scan("base").segments(sequence, skip=2)))
    assert [part.start for part in rest] == [40]
    assert rest[0].values.tolist() == whole[2].values.tolist()
