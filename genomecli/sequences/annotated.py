"""GenBank and EMBL, one or many records a file, through Biopython, into the neutral model.

Biopython's positions are 0-based and half-open already, and its parts are in the order of transcription.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.annotation import (
    AnnotatedContig,
    CodingFeature,
    Part,
    parse_translation_exceptions,
    whole_number,
)
from genomecli.sequences.openers import InputStream, Location


def read_annotated(
    stream: InputStream, file_format: Literal["genbank", "embl"], notes: list[str] | None = None
) -> Iterator[AnnotatedContig]:
    """The records of a GenBank or EMBL stream, one at a time, in file order.

    Args:
        stream: unpacked bytes.
        file_format: which of the two.
        notes: what Biopython warned of is added here.

    Raises:
        InputError: not that format, cut short, or records of proteins.
    """
    from genomecli.sequences.feature_table import EmblCoding, GenBankCoding

    # What SeqIO.parse calls; SeqIO itself imports the parsers of all formats first.
    scanner: Any = GenBankCoding() if file_format == "genbank" else EmblCoding()
    records = scanner.parse_records(stream.text())
    where = stream.location
    count = 0
    while (record := _next_record(records, where, count, notes)) is not None:
        count += 1
        if record.annotations.get("molecule_type") == "protein":
            raise InputError(
                "holds protein records", where=f"{where}, record {record.id}", fix="give FASTA, kind: protein"
            )
        yield _contig(record, count)
    if not count:
        raise InputError(f"holds no {file_format} record", where=where)


def _next_record(records: Any, where: Location, count: int, notes: list[str] | None) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            record = next(records, None)
        except InputError:
            raise
        except Exception as error:  # Biopython raises whatever its parser stumbles over
            raise InputError(
                f"cannot be parsed ({_one_line(f'{type(error).__name__}: {error}')})",
                where=f"{where}, record {count + 1}",
                fix="fetch it again; each record ends with //",
            ) from error
    messages = [_one_line(str(item.message)) for item in caught]
    if any(message.startswith("Premature end") for message in messages):
        raise InputError("is cut short", where=f"{where}, record {count + 1}", fix="fetch it again")
    if notes is not None:
        notes.extend(f"{where.name}: {message}" for message in messages)
    return record


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def _contig(record: Any, ordinal: int) -> AnnotatedContig:
    from Bio.Seq import UndefinedSequenceError

    from genomecli.sequences.feature_table import PlainFeature

    try:
        letters = bytes(record.seq)
    except UndefinedSequenceError:
        letters = b""
    name = record.id if record.id not in ("", "<unknown id>") else record.name
    contig_id = name if name and not name.startswith("<") else f"contig_{ordinal}"
    return AnnotatedContig(
        id=contig_id,
        symbols=DNA.encode(letters),
        circular=record.annotations.get("topology") == "circular",
        features=[
            _feature(feature.qualifiers, feature.parts, feature.partial)
            if isinstance(feature, PlainFeature)
            else _biopython_feature(feature)
            for feature in record.features
        ],
        description=record.description if record.description != "<unknown description>" else "",
        aliased=sum(map(letters.count, DNA.alias_letters)),
    )


def _biopython_feature(feature: Any) -> CodingFeature:
    parts, problem = _parts(feature.location)
    partial = (False, False) if problem else _partial(feature.location)
    return _feature(feature.qualifiers, parts, partial, problem)


def _feature(
    said: Mapping[str, Sequence[str]], parts: tuple[Part, ...], partial: tuple[bool, bool], problem: str = ""
) -> CodingFeature:
    def first(name: str) -> str:
        return str(said[name][0]) if said.get(name) else ""

    start = first("codon_start")
    table = first("transl_table")
    translation = "".join(first("translation").split()).upper()
    return CodingFeature(
        parts=parts,
        gene=first("gene"),
        locus_tag=first("locus_tag") or first("systematic_id"),
        protein_id=first("protein_id"),
        product=first("product"),
        codon_start=int(start) if start in ("1", "2", "3") else 1,
        table=whole_number(table),
        exceptions=parse_translation_exceptions(said.get("transl_except", ())),
        translation=translation or None,
        pseudo="pseudo" in said or "pseudogene" in said,
        partial5=partial[0],
        partial3=partial[1],
        exception=first("exception") or ("trans-splicing" if "trans_splicing" in said else ""),
        ribosomal_slippage="ribosomal_slippage" in said,
        problem=problem,
        note=first("note"),
    )


def _parts(location: Any) -> tuple[tuple[Part, ...], str]:
    """Parts in the order of transcription, and why they cannot be used (empty if they can)."""
    if location is None:
        return (), "unreadable location"
    if getattr(location, "operator", "join") != "join":
        return (), f"{location.operator}() location"
    if any(part.ref is not None for part in location.parts):
        return (), "on another sequence"
    try:
        return tuple((int(part.start), int(part.end), part.strand or 1) for part in location.parts), ""
    except TypeError:
        return (), "unknown position"


def _partial(location: Any) -> tuple[bool, bool]:
    """Whether the 5' and the 3' end are marked as beyond what is there (``<`` and ``>``)."""
    from Bio.SeqFeature import AfterPosition, BeforePosition

    open_ends = (BeforePosition, AfterPosition)
    first, last = location.parts[0], location.parts[-1]
    five = first.end if first.strand == -1 else first.start
    three = last.start if last.strand == -1 else last.end
    return isinstance(five, open_ends), isinstance(three, open_ends)
