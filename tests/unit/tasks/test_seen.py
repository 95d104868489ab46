"""Keys of the rows that a network has seen: kept, joined, counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.tasks.duplicates import row_key, sequence_keys
from genomecli.tasks.examples import Examples, join_sequences
from genomecli.tasks.seen import FILE, Seen, joined, over_splits, read_seen, save_seen, seen_before


def keys(*texts: str) -> list[bytes]:
    column = join_sequences("dna", [DNA.encode(text) for text in texts])
    return sequence_keys(Examples(list(texts), column))


def test_a_row_alone_has_the_key_that_it_has_among_others() -> None:
    assert [row_key([("dna", DNA.encode(text))]) for text in ("ACGTT", "GGA")] == keys("ACGTT", "GGA")
    assert keys("AACGT") == keys("ACGTT")  # the other strand
    protein = [("protein", PROTEIN.encode("MK"))]
    assert row_key(protein) != row_key([*protein, *protein])


def test_what_was_kept_is_read_again_and_equal_keys_are_equal_bytes(tmp_path: Path) -> None:
    one, two, three = keys("ACGTA", "GGGTC", "TTTTA")
    seen = Seen().then([one, two, one], [two, three])
    assert (seen.tells(one), seen.tells(two), seen.tells(three)) == ("train", "train", "valid")
    save_seen(tmp_path, seen)
    assert read_seen(tmp_path) == seen
    before = (tmp_path / FILE).read_bytes()
    save_seen(tmp_path, Seen().then([one, one, two], [three, two]))
    assert (tmp_path / FILE).read_bytes() == before
    save_seen(tmp_path, Seen(whole=False))
    assert read_seen(tmp_path) == Seen(whole=False)


def test_a_pair_has_one_key_and_a_record_is_known_by_its_windows() -> None:
    texts, seconds = ["ACGTT", "GGA"], ["MKL", "MKV"]
    first = join_sequences("dna", [DNA.encode(text) for text in texts])
    second = join_sequences("protein", [PROTEIN.encode(text) for text in seconds])
    pairs = [
        [("dna", DNA.encode(a)), ("protein", PROTEIN.encode(b))] for a, b in zip(texts, seconds, strict=True)
    ]
    assert sequence_keys(Examples(texts, first, pair=second)) == [row_key(pair) for pair in pairs]
    seen = Seen().then([row_key(pairs[0])], keys("CCAAC"))
    assert [seen.tells_record(pair) for pair in pairs] == ["train", ""]
    long = [("dna", DNA.encode("TTTTTCCAACA"))]
    assert [seen.tells_record(long, windows) for windows in ((), (5,), (4,))] == ["", "valid", ""]


def test_what_was_never_kept_or_is_broken(tmp_path: Path) -> None:
    assert read_seen(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"no tensors at all")
    with pytest.raises(InputError, match="is not the keys"):
        read_seen(tmp_path)


def test_learning_from_a_row_once_outweighs_all_else() -> None:
    one, two, three = keys("ACGTA", "GGGTC", "TTTTA")
    first, second = Seen().then([one], [two]), Seen(whole=False).then([two], [three])
    both = joined([first, second])
    assert [both.tells(key) for key in (one, two, three)] == ["train", "train", "valid"]
    assert not both.whole
    assert first.then([three], [one]).valid == frozenset([two])


def test_counts_by_side_and_over_folds() -> None:
    one, two, three, four = keys("ACGTA", "GGGTC", "TTTTA", "CCCCA")
    seen = Seen().then([one], [two])
    found = seen_before(seen, "test", [three, two, one, one], ["l1", "l2", "l3", "l4"])
    assert (found.rows, found.train, found.valid, found.example) == (4, 2, 1, "l2")
    assert (
        "of 4 test rows, 2 equal one that it learned from and 1 more equal one by which" in found.sentence()
    )
    nothing = seen_before(seen, "test", [four], ["l5"])
    assert nothing.sentence() == ""
    (both,) = over_splits([nothing, found])
    assert (both.rows, both.train, both.valid, both.example) == (5, 2, 1, "l2")
