"""FASTA records as rows of text: ids, headers, and letters in the case in which they are written.

The same reader serves sequences, label strings and masks: only later is it said what the letters mean.
"""

from __future__ import annotations

from collections.abc import Iterator

from genomecli.errors import InputError
from genomecli.sequences.alphabets import Alphabet
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.blocks import Block
from genomecli.sequences.fasta import join_pieces, read_blocks
from genomecli.sequences.formats import guess_format
from genomecli.sequences.headers import decode_header, split_header
from genomecli.sequences.openers import InputStream, Location, open_input
from genomecli.tasks.rows import FastaRows, short_name

_SIGNS = "".join(chr(code) for code in range(33, 127) if not chr(code).islower())
TEXT = Alphabet("text", _SIGNS, canonical=len(_SIGNS))
"""Every printable sign: what label strings may be written in."""


def fasta_rows(stream: InputStream, class_name: str = "") -> Iterator[FastaRows]:
    """The records of an open FASTA stream, block by block; of GenBank and EMBL the sequences alone.

    Raises:
        InputError: no FASTA.
    """
    found = guess_format(stream.peek(1 << 16))
    if found in ("genbank", "embl"):
        yield from _annotated(stream, class_name)
        return
    where = short_name(stream.location)
    for block in join_pieces(read_blocks(stream, TEXT, where=stream.location)):
        names = [split_header(raw, block.first + i)[0] for i, raw in enumerate(block.headers)]
        yield FastaRows(
            names,
            [decode_header(raw) for raw in block.headers],
            [letters(block, i) for i in range(len(block))],
            [f"{where}, record {name!r}" for name in names],
            class_name,
        )


def letters(block: Block, i: int) -> str:
    """The letters of record ``i`` as they are written; signs that are not printable become ``?``."""
    return block.alphabet.decode(block.record_symbols(i), block.record_soft(i))


def _annotated(stream: InputStream, class_name: str) -> Iterator[FastaRows]:
    from genomecli.sequences.alphabets import DNA

    where = short_name(stream.location)
    kind = "genbank" if guess_format(stream.peek(1 << 16)) == "genbank" else "embl"
    for contig in read_annotated(stream, kind):  # type: ignore[arg-type]
        if not len(contig):
            raise InputError("holds no sequence", where=f"{where}, record {contig.id!r}")
        text = DNA.decode(contig.symbols)
        header = f"{contig.id} {contig.description}"
        yield FastaRows([contig.id], [header], [text], [f"{where}, record {contig.id!r}"], class_name)


def read_strings(location: Location, files: list[dict[str, object]]) -> dict[str, tuple[str, str]]:
    """Letters and header of every record by id, in order.

    Args:
        location: a FASTA file.
        files: what was read is added here.

    Raises:
        InputError: no FASTA, or an id that comes twice.
    """
    found: dict[str, tuple[str, str]] = {}
    with open_input(location) as stream:
        for rows in fasta_rows(stream):
            for name, text, header in zip(rows.ids, rows.sequences, rows.headers, strict=True):
                if name in found:
                    raise InputError("comes twice", where=f"{location}, record {name!r}", fix="keep one")
                found[name] = (text, header)
        files.append(stream.finish())
    return found
