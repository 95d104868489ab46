"""Tracks of symbol labels: against slow loops, and read back by the readers of the formats."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.exchange.tracks import (
    BedGraphTrack,
    BedTrack,
    GffTrack,
    Placed,
    bounds,
    choose,
    class_runs,
    place,
)
from genomecli.runtime import rng
from genomecli.sequences.bed import read_bed
from genomecli.sequences.gff import GffReader
from genomecli.tasks.schema import Target

TARGET = Target("what it is", "token", (), ("background", "exon", "CDS; odd"))


def random_scores(length: int, key: str = "tracks") -> np.ndarray:
    """Probabilities in which neighbours are often alike, some symbols without any."""
    random = rng(key)
    levels = random.dirichlet(np.ones(3), size=4)
    scores = levels[np.repeat(random.integers(0, 4, length), random.integers(1, 6, length))[:length]]
    scores[random.random(length) < 0.1] = np.nan
    return scores


def plain_labels(scores: np.ndarray) -> list[int]:
    return [-1 if any(v != v for v in row) else max(range(3), key=lambda c: (row[c], -c)) for row in scores]


def plain_runs(scores: np.ndarray, base: int = 0) -> list[tuple[int, int, int, float]]:
    """Start, end, class, mean probability: one symbol after the other."""
    found: list[list[Any]] = []
    for at, which in enumerate(plain_labels(scores)):
        if found and found[-1][2] == which:
            found[-1][1] += 1
            found[-1][3].append(scores[at, which])
        else:
            found.append([base + at, base + at + 1, which, [scores[at, which]]])
    return [(a, b, which, float(np.mean(values))) for a, b, which, values in found]


@pytest.mark.parametrize("length", [0, 1, 2, 57, 400])
def test_runs_are_those_of_a_plain_loop(length: int) -> None:
    scores = random_scores(length, f"runs {length}")
    found = [tuple(run) for run in class_runs(scores)]
    wanted = plain_runs(scores)
    assert [one[:3] for one in found] == [one[:3] for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one[3] == pytest.approx(other[3], nan_ok=True) or one[2] == -1
    assert choose(scores).tolist() == plain_labels(scores)
    assert bounds(choose(scores)).tolist() == [0, *(one[1] for one in found)]


def test_bed_is_read_back() -> None:
    scores = random_scores(300)
    track = BedTrack(TARGET, ("exon", "CDS; odd"), {"CDS; odd": "-"})
    text = track.text(Placed("chr 1".replace(" ", ""), 1000, "+", scores))
    rows = list(read_bed(io.BufferedReader(io.BytesIO(text)), "track"))  # type: ignore[arg-type]
    wanted = [run for run in plain_runs(scores, 1000) if run[2] > 0]
    assert [(*row.parts[0], row.name) for row in rows] == [(a, b, TARGET.classes[c]) for a, b, c, _ in wanted]
    assert [row.strand for row in rows] == [1 if c == 1 else -1 for _, _, c, _ in wanted]
    shown = [int(line.split("\t")[4]) for line in text.decode().splitlines()]
    assert shown == [round(1000 * probability) for *_, probability in wanted]


def test_gff_is_read_back_and_counts_from_one() -> None:
    scores = random_scores(300, "gff")
    name = "contig;1 >a%"
    track = GffTrack(TARGET, ("exon", "CDS; odd"), {"exon": "."})
    text = track.header + track.text(Placed(name, 0, "-", scores))
    assert text.startswith(b"##gff-version 3\n##sequence-region contig%3B1%20%3Ea%25 1 300\n")
    rows = list(GffReader(io.BufferedReader(io.BytesIO(text)), "track").rows())  # type: ignore[arg-type]
    wanted = [run for run in plain_runs(scores) if run[2] > 0]
    assert [(row.start, row.end) for row in rows] == [run[:2] for run in wanted]
    assert {row.seqid for row in rows} == {name}
    assert {row.attributes["target"] for row in rows} == {"what it is"}
    assert [row.strand for row in rows] == [0 if run[2] == 1 else -1 for run in wanted]
    first = next(line for line in text.decode().splitlines() if not line.startswith("#")).split("\t")
    assert int(first[3]) == wanted[0][0] + 1
    assert int(first[4]) == wanted[0][1]
    assert float(first[5]) == pytest.approx(wanted[0][3], rel=1e-5)
    again = track.text(Placed(name, 0, "+", scores), first=False)
    assert b"sequence-region" not in again


def test_bedgraph_has_each_symbol_once() -> None:
    scores = random_scores(300, "graph")
    track = BedGraphTrack(TARGET, "exon")
    assert track.header == b'track type=bedGraph name="what it is exon"\n'
    found = np.full(300, np.nan)
    before = None
    for line in track.text(Placed("c", 50, "+", scores)).decode().splitlines():
        contig, start, end, value = line.split("\t")
        assert contig == "c"
        assert np.isnan(found[int(start) - 50 : int(end) - 50]).all()
        assert before != (start, value), "neighbours of one value stand on one line"
        found[int(start) - 50 : int(end) - 50] = float(value)
        before = (end, value)
    np.testing.assert_allclose(found, scores[:, 1], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "contig", "start", "strand"),
    [
        ("chr1:101-110", "chr1", 100, "+"),  # samtools
        ("chr1:100-110", "chr1", 100, "+"),  # bedtools
        ("chr1:0-10(+)", "chr1", 0, "+"),
        ("gene::chr:1:1,001-1,010(-)", "chr:1", 1000, "-"),
    ],
)
def test_a_region_says_where_a_record_lies(name: str, contig: str, start: int, strand: str) -> None:
    scores = np.arange(30.0).reshape(10, 3)
    placed = place(name, scores, "+", "region")
    assert (placed.contig, placed.start, placed.strand) == (contig, start, strand)
    assert placed.scores.tolist() == (scores[::-1] if strand == "-" else scores).tolist()
    kept = place(name, scores, "-", "record")
    assert (kept.contig, kept.start, kept.strand) == (name, 0, "-")
    assert kept.scores is scores
    assert place(name, scores, "-", "region").strand == {"+": "-", "-": "+"}[strand]


@pytest.mark.parametrize("name", ["chr1", "chr1:5-10", "chr1:0-9", "c:10-1"])
def test_what_is_no_region_of_its_length_is_named(name: str) -> None:
    with pytest.raises(InputError, match=r"record .*set predict.coordinates to record"):
        place(name, np.zeros((10, 3)), "+", "region")


@pytest.mark.parametrize("name", ["a b", "a\tb", "#a", ""])
def test_names_that_bed_cannot_hold(name: str) -> None:
    for track in (BedTrack(TARGET, ("exon",)), BedGraphTrack(TARGET, "exon")):
        with pytest.raises(InputError, match="cannot hold"):
            track.text(Placed(name, 0, "+", random_scores(5)))
