"""Reading sequences as items: frames, strands, terminals, and reasons to drop."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.inference.items import Dropped, Item, Reading, read_entries
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.records import Record


def words(lexicon: Lexicon, item: Item | str, species: str = "one", molecule: str = "dna") -> list[str]:
    assert isinstance(item, Item)
    return lexicon.tokenizer(species, molecule).decode(item.tokens)


def test_frames_and_strands(lexicon: Lexicon) -> None:
    symbols = DNA.encode("ATGAAACCCTT")
    forward = Reading.of(lexicon, "two", "genome")
    assert words(lexicon, forward.item("x", symbols)) == ["ATG", "AAA", "CCC"]
    shifted = Reading.of(lexicon, "two", "genome", frame=2).item("x", symbols)
    assert words(lexicon, shifted) == ["GAA", "ACC", "CTT"]
    assert isinstance(shifted, Item)
    assert (shifted.offset, shifted.step, shifted.language) == (2, 3, 2)
    back = Reading.of(lexicon, "two", "genome", strand="-", frame=1).item("x", symbols)
    assert words(lexicon, back) == ["AGG", "GTT", "TCA"]


@pytest.mark.parametrize(
    ("sequence", "frame", "table", "skip"),
    [
        ("ATGAAACCCTAA", 0, 1, (1, 1)),
        ("GTGAAACCCTAA", 0, 1, (0, 1)),
        ("GTGAAACCCTAA", 0, 11, (1, 1)),
        ("ATGAAACCCTGA", 0, 4, (1, 0)),
        ("ATGAAACCCTAA", 1, 1, (1, 1)),
        ("ATGAAACCCTAA", 2, 1, (1, 1)),
        ("CCCAAACCC", 0, 1, (0, 0)),
        ("ATGAAACCCTAAGG", 0, 1, (1, 1)),
    ],
)
def test_terminal_codons_do_not_count(
    lexicon: Lexicon, sequence: str, frame: int, table: int, skip: tuple[int, int]
) -> None:
    reading = Reading.of(lexicon, "one", "cds", frame=frame, leave_out_terminals=True)
    item = reading.item("x", DNA.encode(sequence), table=table)
    assert isinstance(item, Item)
    assert item.skip == skip
    assert item.counted().sum() == len(item.tokens) - sum(skip)
    fixed = Reading.of(lexicon, "one", "cds", frame=frame, leave_out_terminals=True, code=genetic_code(table))
    assert fixed.item("x", DNA.encode(sequence)).skip == skip  # type: ignore[union-attr]


def test_terminals_of_overlapping_words() -> None:
    lexicon = build_lexicon(["one"], dna="kmer", k=4, stride=1)
    reading = Reading.of(lexicon, "one", "cds", leave_out_terminals=True)
    item = reading.item("x", DNA.encode("ATGAAACCCTAA"))
    assert isinstance(item, Item)
    counted = [word for word, flag in zip(words(lexicon, item), item.counted(), strict=True) if flag]
    assert counted == ["AAAC", "AACC", "ACCC"]


def test_proteins_lose_their_stop_and_their_first_methionine_does_not_count(lexicon: Lexicon) -> None:
    reading = Reading.of(lexicon, "one", "protein", leave_out_terminals=True)
    item = reading.item("x", PROTEIN.encode("MKXL*"))
    assert words(lexicon, item, molecule="protein") == ["M", "K", "?", "L"]
    assert isinstance(item, Item)
    assert item.counted().tolist() == [False, True, False, True]
    plain = Reading.of(lexicon, "one", "protein").item("x", PROTEIN.encode("MKXL*"))
    assert isinstance(plain, Item)
    assert plain.counted().tolist() == [True, True, False, True]


def test_every_record_becomes_an_item_or_a_reason(lexicon: Lexicon) -> None:
    texts = ["ATGAAA", "", "AC", "NNN", "AC-", "ATGTAA", "CCC"]
    records = [Record(f"r{i}", DNA, DNA.encode(text)) for i, text in enumerate(texts)]
    reading = Reading.of(lexicon, "one", "cds", leave_out_terminals=True)
    entries = list(read_entries(records, reading, first=10))
    assert [entry.record for entry in entries] == list(range(10, 17))
    reasons = {entry.id: entry.reason for entry in entries if isinstance(entry, Dropped)}
    assert reasons == {
        "r1": "holds no letters",
        "r2": "has 2 letters, too few for a token of 3",
        "r3": "has no token without an ambiguous letter",
        "r4": "has a letter that is not DNA, at 3",
        "r5": "has no token besides its terminal codons without an ambiguous letter",
    }


def test_counted_parts_agree_with_the_whole() -> None:
    item = Item("x", np.array([5, 6, 1, 7, 8, 9], dtype=np.int32), 0, skip=(1, 1))
    assert item.counted().tolist() == [False, True, False, True, True, False]
    assert item.counted(2, 5).tolist() == item.counted()[2:5].tolist()
