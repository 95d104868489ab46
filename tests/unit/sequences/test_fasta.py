"""The block parser against a slow reader, and every oddity a FASTA file can have."""

from __future__ import annotations

import io
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, INVALID, PROTEIN, Alphabet
from genomecli.sequences.blocks import Block
from genomecli.sequences.fasta import guess_alphabet, join_pieces, read_blocks, read_fasta
from tests.unit.sequences.made_files import slow_fasta, write_gzip


def parse(text: bytes, chunk: int = 1 << 20, alphabet: Alphabet = DNA) -> list[Block]:
    return list(read_blocks(io.BytesIO(text), alphabet, chunk=chunk))


def as_text(blocks: list[Block]) -> list[tuple[bytes, str]]:
    found = []
    for block in join_pieces(blocks):
        for i, header in enumerate(block.headers):
            found.append((header, block.alphabet.decode(block.record_symbols(i), block.record_soft(i))))
    return found


letters = st.text("ACGTNacgtnRY", max_size=40)
record = st.tuples(st.text("ab >|=\t", max_size=12), st.lists(letters, max_size=4))
ends = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(record, min_size=1, max_size=6), ends, st.integers(1, 90), st.booleans())
def test_blocks_equal_the_slow_reader_at_any_chunk_size(
    records: list[tuple[str, list[str]]], end: str, chunk: int, last_end: bool
) -> None:
    text = end.join(f">{header}{end}" + end.join(lines) for header, lines in records)
    raw = (text + (end if last_end else "")).encode()
    blocks = parse(raw, chunk)
    assert as_text(blocks) == slow_fasta(raw)
    for block in blocks:
        assert block.whole or len(block) == 1
        assert block.offsets[0] == 0
        assert block.offsets[-1] == len(block.symbols)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ACGTNRacgt-1*", max_size=30), min_size=1, max_size=6), st.integers(4, 60))
def test_counts_equal_the_slow_counts(sequences: list[str], chunk: int) -> None:
    raw = "".join(f">r{i}\n{s}\n" for i, s in enumerate(sequences)).encode()
    for block in join_pieces(parse(raw, chunk)):
        for i in range(len(block)):
            text = sequences[block.first + i]
            bad = [at for at, letter in enumerate(text) if letter in "-1*"]
            assert block.invalid[i] == len(bad)
            assert block.first_invalid[i] == (bad[0] if bad else -1)
            assert block.ambiguous[i] == sum(letter in "NR" for letter in text)
            assert block.lower[i] == sum(letter in "acgt" for letter in text)


def test_a_long_record_comes_in_pieces_that_follow_each_other() -> None:
    sequence = "ACGTN" * 4000
    raw = f">short\nAC\n>long one\n{sequence}\n>next\nGG\n".encode()
    blocks = parse(raw, 1000)
    pieces = [block for block in blocks if not block.whole]
    assert len(pieces) > 10
    assert [piece.piece_start for piece in pieces] == np.cumsum([0, *map(len, (p.symbols for p in pieces))])[
        :-1
    ].tolist()
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {piece.headers[0] for piece in pieces} == {b"long one"}
    assert as_text(blocks)[1] == (b"long one", sequence)
    assert [block.first for block in blocks if block.whole] == [0, 2]


def test_lines_of_300_kb() -> None:
    sequence = "ACGT" * 75_000
    assert as_text(parse(f">a\n{sequence}\n>b\n{sequence}\n".encode())) == [
        (b"a", sequence),
        (b"b", sequence),
    ]


def test_line_ends_blank_lines_blanks_and_marks() -> None:
    expected = [(b"a x", "ACGTAC"), (b"b", ""), (b"c", "GG")]
    assert as_text(parse(b"\n\n>a x\nACGT\n\nAC\n>b\n>c\nGG")) == expected
    assert as_text(parse(b">a x\r\nACGT\r\n\r\nAC\r\n>b\r\n>c\r\nGG\r\n")) == expected
    assert as_text(parse(b">a x\rACGT\rAC\r>b\r>c\rGG\r")) == expected  # old Mac
    assert as_text(parse(b"\xef\xbb\xbf>a x\nAC GT\n\tAC \n>b\n>c\nGG\n")) == expected


def test_a_mark_counts_at_a_line_start_only() -> None:
    first, second = parse(b">a >b >c\nAC>GT\n>d\nAC\n")
    assert first.headers + second.headers == [b"a >b >c", b"d"]
    assert (first.invalid.tolist(), first.first_invalid.tolist()) == ([1], [2])
    assert (second.invalid.tolist(), second.first_invalid.tolist()) == ([0], [-1])


def test_u_is_t_and_lower_case_is_kept_as_a_column() -> None:
    block = parse(b">a\nACGU\n>b\nacNu\n>c\n")[0]
    assert DNA.decode(block.symbols) == "ACGTACNT"
    assert block.soft is not None
    assert block.soft.tolist() == [0, 0, 0, 0, 1, 1, 0, 1]
    assert block.record_soft(0) is None
    assert parse(b">a\nACGU\n")[0].soft is None


def test_stops_and_rare_residues_in_proteins() -> None:
    block = parse(b">a\nMKU*\n>b\nMOXBZJ\n>c\n", alphabet=PROTEIN)[0]
    assert block.invalid.tolist() == [0, 0]
    assert block.ambiguous.tolist() == [2, 5]


def test_text_before_the_first_header_is_named_by_line() -> None:
    with pytest.raises(InputError, match=r"line 3.*text before the first '>'.*'ACGT'"):
        parse(b"\n\nACGT\n>a\nAC\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"@read1\nACGT\n+\nIIII\n", "FASTQ"),
        (b"LOCUS       X  10 bp DNA\n", "GenBank.*tokenize it first and give the corpus .*embed.corpus="),
        (b"\xef\xbb\xbfID   X; SV 1;\n", "EMBL.*tokenize it first"),
        (b"##gff-version 3\n", "GFF"),
        (b"chr1\tx\tCDS\t1\t9\t.\t+\t0\tID=a\n", "GFF"),
        (b"\n  \n", "no FASTA record"),
        (b"id\tlength\n", "text before"),
    ],
)
def test_other_formats_are_refused_by_name(text: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text)


def test_a_header_without_end_is_no_fasta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomecli.sequences.fasta.MAX_HEADER", 5000)
    with pytest.raises(InputError, match="header line without an end"):
        parse(b">" + b"a" * 20_000, 1000)


def test_records_have_id_description_and_soft_column(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "x.fa.gz", b">sp|P0A6F5|CH60 60 kDa\nMKu\n> no id\nMM\n")
    first, second = read_fasta(path, PROTEIN)
    assert (first.id, first.meta["description"], first.text) == ("sp|P0A6F5|CH60", "60 kDa", "MKu")
    assert (second.id, second.meta["description"]) == ("record_2", "no id")


def test_invalid_letters_are_named_or_read_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_bytes(b">a\nACGT\n>b\nAC--GT\n")
    with pytest.raises(InputError, match=r"x.fa, record 'b'.*2 letters.*first at 3"):
        list(read_fasta(path, DNA))
    assert [r.text for r in read_fasta(path, DNA, invalid="unknown")] == ["ACGT", "ACNNGT"]
    assert list(read_fasta(path, DNA, invalid="keep"))[1].symbols.tolist() == [0, 1, INVALID, INVALID, 2, 3]


def test_guesses() -> None:
    assert guess_alphabet(b"ACGTTGCAAN" * 10) == "dna"
    assert guess_alphabet(b"MKLVWEEFRQ" * 10) == "protein"
    assert guess_alphabet(b"ACGT") == "unclear"
    assert guess_alphabet(b"RYSWKMACGT" * 10) == "unclear"


class _Endless:
    """One record of ``size`` bytes, made as it is read."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._line = (b"ACGT" * 15 + b"\n") * 20_000

    def read(self, size: int, /) -> bytes:
        data = self._line[: min(size, self._left)]
        self._left -= len(data)
        return (b">chr\n" + data) if self._left and not hasattr(self, "_begun") and self._begin() else data

    def _begin(self) -> bool:
        self._begun = True
        return True


def test_memory_does_not_grow_with_the_record() -> None:
    for _ in read_blocks(_Endless(8 << 20), DNA):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(len(block.symbols) for block in read_blocks(_Endless(256 << 20), DNA))
    assert total > 250 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB
