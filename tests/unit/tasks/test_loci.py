from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import ConfigError, InputError
from genomecli.sequences.alphabets import DNA
from genomecli.tasks import places as places_module
from genomecli.tasks.clusters import join
from genomecli.tasks.examples import Ints
from genomecli.tasks.loci import loci, near
from genomecli.tasks.places import Places, SequenceFinder
from genomecli.tasks.settings import SplitSettings
from tests.unit.tasks.made import examples, random_dna, reverse_complement, write

RNG = np.random.default_rng(21)
GENOME = random_dna(RNG, 20_000)


def found_in(genome: str, texts: list[str], *, circular: bool = False) -> list[tuple[int, int, int]]:
    finder = SequenceFinder(examples(texts).sequences)
    finder.search(0, DNA.encode(genome), circular=circular)
    found = finder.places()
    return list(zip(found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True))


def slow(genome: str, texts: list[str]) -> list[tuple[int, int, int]]:
    found = set()
    for row, text in enumerate(texts):
        for strand in (text, reverse_complement(text)):
            at = genome.find(strand)
            while at >= 0:
                found.add((row, at, at + len(text)))
                at = genome.find(strand, at + 1)
    return sorted(found)


def test_every_place_on_both_strands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, "BLOCK", 1 << 10)
    repeat = random_dna(RNG, 300)
    genome = GENOME[:5000] + repeat + GENOME[5000:9000] + reverse_complement(repeat) + GENOME[9000:]
    starts = RNG.integers(0, len(genome) - 400, 80).tolist()
    texts = [genome[a : a + int(RNG.integers(14, 300))] for a in starts]
    texts = [reverse_complement(text) if i % 2 else text for i, text in enumerate(texts)]
    texts += [repeat[50:150], random_dna(RNG, 81), genome[:30], genome[-30:], "ACGTACGTACGTACGTAC"]
    found = found_in(genome, texts)
    assert found == slow(genome, texts)
    assert len([one for one in found if one[0] == 80]) == 2


def test_letters_that_stand_for_several_match_any_base() -> None:
    text = GENOME[1000:1100]
    odd = "N" + text[1:40] + "R" + text[41:]
    assert found_in(GENOME, [odd, reverse_complement(text)]) == [(0, 1000, 1100), (1, 1000, 1100)]


def test_a_ring_has_no_end() -> None:
    text = GENOME[-50:] + GENOME[:50]
    assert found_in(GENOME, [text]) == []
    assert found_in(GENOME, [text], circular=True) == [(0, 19_950, 20_050)]


def test_what_is_too_short_lies_nowhere() -> None:
    assert found_in(GENOME, [GENOME[:11], "N" * 80, ""]) == []


def pairs(
    row: list[int], contig: list[int], start: list[int], end: list[int], distance: int
) -> set[frozenset[int]]:
    columns: list[Ints] = [np.array(one, dtype=np.int64) for one in (row, contig, start, end, [0] * len(row))]
    left, right = near(Places(*columns), distance)
    return {frozenset(pair) for pair in zip(left.tolist(), right.tolist(), strict=True)}


def test_places_nearer_than_the_distance_are_one_locus() -> None:
    assert pairs([0, 1, 2], [0, 0, 0], [0, 150, 400], [100, 250, 500], 100) == {frozenset((0, 1))}
    assert pairs([0, 1], [0, 0], [0, 200], [100, 300], 100) == set()
    assert pairs([0, 1], [0, 0], [0, 199], [100, 299], 100) == {frozenset((0, 1))}
    assert pairs([0, 1], [0, 1], [0, 50], [100, 150], 100) == set()
    assert pairs([0, 1], [0, 0], [0, 99], [100, 199], 0) == {frozenset((0, 1))}
    assert pairs([0, 1], [0, 0], [0, 100], [100, 200], 0) == set()


def test_a_short_place_within_a_long_one_does_not_end_the_locus() -> None:
    found = pairs([0, 1, 2], [0, 0, 0], [0, 10, 900], [1000, 20, 950], 5)
    assert found == {frozenset((0, 1)), frozenset((1, 2))}


def test_loci_of_a_ring_go_on_across_its_origin() -> None:
    ring = GENOME[:2000]
    finder = SequenceFinder(examples([ring[:100], ring[1950:] + ring[:50], ring[1000:1100]]).sequences)
    finder.search(0, DNA.encode(ring), circular=True)
    places = finder.places()
    assert places.ring.tolist() == [2000, 2000, 2000]
    for distance, wanted in ((0, [0, 0, 1]), (850, [0, 0, 1]), (851, [0, 0, 0])):
        assert join(np.arange(3), near(places, distance)).tolist() == wanted


@pytest.mark.parametrize(("gap", "same"), [(99, True), (100, False)])
def test_the_gap_across_the_origin_counts_on_a_ring_alone(gap: int, same: bool) -> None:
    columns = [np.array(one, dtype=np.int64) for one in ([0, 1], [0, 0], [0, 1900 - gap], [100, 2000 - gap])]
    ring = near(Places(*columns, np.array([2000, 2000])), 100)
    line = near(Places(*columns, np.array([0, 0])), 100)
    assert join(np.arange(2), ring).tolist() == [0, 0 if same else 1]
    assert join(np.arange(2), line).tolist() == [0, 1]


def slow_loci(places: Places, distance: int) -> list[int]:
    """Loci numbered by first row, from the gaps of all pairs of places, lap by lap on a ring."""
    rows = places.row.tolist()
    spots = list(zip(*(one.tolist() for one in (places.contig, places.start, places.end)), strict=True))
    group = list(range(max(rows) + 1))
    for i, (contig, start, end) in enumerate(spots):
        for j, (other, first, last) in enumerate(spots):
            laps = [k * int(places.ring[i]) for k in (-2, -1, 0, 1, 2)] if contig == other else []
            gaps = [max(first + lap - end, start - last - lap) for lap in laps]
            if any(gap < distance or gap < 0 for gap in gaps):
                old, new = group[rows[i]], group[rows[j]]
                group = [new if one == old else one for one in group]
    numbers = {one: i for i, one in enumerate(dict.fromkeys(group))}
    return [numbers[one] for one in group]


@pytest.mark.parametrize("seed", range(150))
def test_loci_are_those_of_a_loop_over_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(50, 2000, 4)
    circular = rng.random(4) < 0.6
    n = int(rng.integers(1, 25))
    row = np.concatenate([np.arange(n), rng.integers(0, n, rng.integers(0, 4))])
    contig = rng.integers(0, 4, len(row))
    length = lengths[contig]
    start = (rng.random(len(row)) * length).astype(np.int64)
    longest = np.where(rng.random(len(row)) < 0.1, length, length // 12)
    end = start + 1 + (rng.random(len(row)) * longest).astype(np.int64)
    end = np.where(circular[contig], end, np.minimum(end, length))
    places = Places(row, contig, start, end, np.where(circular[contig], length, 0))
    for distance in (0, 1, int(rng.integers(2, 300)), 5000):
        assert join(np.arange(n), near(places, distance)).tolist() == slow_loci(places, distance)


@pytest.mark.parametrize(("name", "wanted"), [("circular", [0, 0, 1]), ("linear", [0, 1, 2])])
def test_windows_on_both_sides_of_the_origin_are_not_parted(
    tmp_path: Path, name: str, wanted: list[int]
) -> None:
    texts = [GENOME[:100], GENOME[-300:-200], GENOME[9000:9100]]
    genome = write(tmp_path / "g.fa", f">c1 [topology={name}]\n{GENOME}\n")
    assert loci(examples(texts), SplitSettings(by="locus", genome=genome, distance=500))[0].tolist() == wanted


def test_windows_of_a_genome_are_split_by_place(tmp_path: Path) -> None:
    genome = write(tmp_path / "g.fa.gz", f">c1\n{GENOME[:12_000]}\n>c2 x\n{GENOME[12_000:]}\n")
    starts = [100, 140, 1500, 2600, 5000, 11_950, 12_100]
    texts = [GENOME[a : a + 81] for a in starts]
    texts[1] = reverse_complement(texts[1])
    lost = GENOME[5010:5050] + random_dna(RNG, 10) + GENOME[5060:5091]
    texts += [lost, random_dna(RNG, 81)]
    texts[5] = GENOME[11_900:11_981]
    found, how = loci(examples(texts), SplitSettings(by="locus", genome=genome, distance=1000))
    assert found.tolist() == [0, 0, 1, 2, 3, 4, 5, 3, 6]
    assert how == (
        "By 7 loci: places nearer than 1000 bases are one; 7 of 9 sequences lie in the genome, "
        "the other 2 are joined to rows that they are similar to."
    )
    wide, _ = loci(examples(texts), SplitSettings(by="locus", genome=genome, distance=1400))
    assert wide.tolist() == [0, 0, 0, 0, 1, 2, 3, 1, 4]


def test_all_places_of_a_repeat_are_one_locus(tmp_path: Path) -> None:
    repeat = random_dna(RNG, 200)
    text = GENOME[:8000] + repeat + GENOME[8000:16_000] + repeat + GENOME[16_000:]
    genome = write(tmp_path / "g.fa", f">c1\n{text}\n")
    texts = [text[7950:8030], repeat[60:140], text[16_390:16_470], text[2000:2080]]
    found, _ = loci(examples(texts), SplitSettings(by="locus", genome=genome, distance=300))
    assert found.tolist() == [0, 0, 0, 1]


def test_windows_cut_by_the_reader_have_their_own_places() -> None:
    coordinates = [("c1", i * 100, i * 100 + 100, "+") for i in range(4)]
    coordinates += [("c2", 0, 100, "+"), ("c2", 5000, 5100, "+")]
    one = examples([GENOME[i * 100 : i * 100 + 100] for i in range(6)], coordinates=coordinates)
    assert loci(one, SplitSettings(by="locus", block=1000))[0].tolist() == [0, 0, 0, 0, 1, 2]
    assert loci(one, SplitSettings(by="locus", block=200))[0].tolist() == [0, 0, 1, 1, 2, 3]
    assert loci(one, SplitSettings(by="locus", block=50))[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_what_has_no_place(tmp_path: Path) -> None:
    genome = write(tmp_path / "g.fa", f">c1\n{GENOME}\n")
    with pytest.raises(InputError, match="not one sequence lies in the genome"):
        loci(examples([random_dna(RNG, 81)]), SplitSettings(by="locus", genome=genome))
    with pytest.raises(ConfigError, match="split.by is locus, which needs single DNA sequences"):
        loci(examples(["MKV"], "protein"), SplitSettings(by="locus", genome=genome))
    with pytest.raises(ConfigError, match="set split.genome, or data.window"):
        loci(examples(["ACGT"]), SplitSettings(by="locus"))
