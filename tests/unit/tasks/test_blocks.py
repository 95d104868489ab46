from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.tasks.blocks import blocks, crossed, own_places
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import split_examples
from genomecli.tasks.windows import cut_windows
from tests.unit.tasks.made import examples, random_dna

SETTINGS = SplitSettings(by="locus", block=1000, valid=0.15, test=0.25)


def genome(rng: np.random.Generator, length: int = 30_000) -> tuple[Ints, Examples, dict[str, RawLabels]]:
    """Windows of 100 bases of one contig with features of 20 to 900 bases; and their bounds, int64[f, 2]."""
    values, bounds, at = np.zeros(length, dtype=np.int64), [], 50
    while at < length - 1000:
        size = int(rng.integers(20, 900))
        values[at : at + size] = 1
        bounds.append((at, at + size))
        at += size + int(rng.integers(10, 300))
    whole = examples([random_dna(rng, length)])
    raw = RawLabels("token", (), ("background", "gene"), values, whole.sequences.offsets, declared=True)
    windows, labels, _ = cut_windows(whole, {"part": raw}, 100, 1)
    return np.array(bounds), windows, labels


def test_blocks_leave_features_whole_and_have_about_their_length() -> None:
    bounds, windows, raw = genome(np.random.default_rng(3))
    found = blocks(own_places(windows), 1000, crossed(windows, raw))
    sizes = np.bincount(found) * 100
    assert sizes.min() >= 500
    assert sizes.max() <= 1500
    borders = np.flatnonzero(np.diff(found)) * 100 + 100
    cut = [border for border in borders.tolist() if ((bounds[:, 0] < border) & (bounds[:, 1] > border)).any()]
    for border in cut:  # nowhere within half a block of its place was there another way
        begin = max(one for one in [0, *borders.tolist()] if one < border)
        others = range(begin + 500, begin + 1501, 100)
        assert all(((bounds[:, 0] < one) & (bounds[:, 1] > one)).any() for one in others)
    assert len(cut) < len(borders) / 2


def test_a_split_by_place_counts_the_features_that_it_cuts() -> None:
    bounds, windows, raw = genome(np.random.default_rng(4))
    (one,) = split_examples(windows, raw, SETTINGS, 0)
    small = SplitSettings(by="locus", block=200, valid=0.15, test=0.25)  # features are longer than its blocks
    (other,) = split_examples(windows, raw, small, 0)
    for split in (one, other):
        names = np.repeat(split.names(), 100)
        cut = sum(
            names[a] != names[b]
            for start, end in bounds.tolist()
            for a, b in pairwise([start, *range(-(-(start + 1) // 100) * 100, end, 100)])
        )
        assert (f"Cut by a border between sides: {cut} labelled features." in split.how) == (cut > 0)
    assert "blocks of about 1000 bases of 1 contig;" in one.how
    assert "Cut by" in other.how
    assert [len(rows) for rows in one.sides.values()] == pytest.approx([180, 45, 75], abs=15)


def test_windows_of_an_annotated_genome_are_split_by_place_unless_told_otherwise() -> None:
    _, windows, raw = genome(np.random.default_rng(5))
    (one,) = split_examples(windows, raw, SplitSettings(method="kmer", block=1000), 0, genome=True)
    assert "blocks of about" in one.how
    with pytest.raises(
        InputError, match="windows of one sequence stay together, and they are of 1 sequence; "
    ):
        split_examples(windows, raw, SplitSettings(method="kmer"), 0)


def test_a_block_that_is_too_long_is_named() -> None:
    _, windows, raw = genome(np.random.default_rng(6))
    said = "are 1 group, too few for 3 sides: joined by place, in blocks of 100000 bases; lower split.block$"
    with pytest.raises(InputError, match=said):
        split_examples(windows, raw, SplitSettings(by="locus", block=100_000), 0)


def test_windows_of_unknown_letters_join_nothing() -> None:
    rng = np.random.default_rng(7)
    text = random_dna(rng, 2000) + "N" * 2000 + random_dna(rng, 2000)
    windows, _, _ = cut_windows(examples([text]), {}, 100, 1)
    (one,) = split_examples(windows, {}, SETTINGS, 0)
    assert one.group_of.max() == 5
