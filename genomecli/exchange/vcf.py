"""VCF, record by record, as lines that are kept: one INFO field is added, all else stays byte for byte.

Text is read plain, gzip or bgzip, by content; binary BCF through ``pysam``, an extra. Places in a file are
from 1, as VCF counts; in :class:`VcfRecord` from 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genomecli.errors import InputError
from genomecli.extras import need
from genomecli.sequences.openers import InputStream

BCF_MAGIC = b"BCF\x02"

_BASES = re.compile(r"^[ACGTURYSWKMBDHVNacgturyswkmbdhvn]+$")
_PLACE = re.compile(r"[0-9]{1,18}")
_INFO = 7
"""Column of INFO."""


@dataclass(frozen=True, slots=True)
class VcfRecord:
    """A record.

    Args:
        number: of the record in the file, from 1.
        line: its bytes, line end included.
        chrom: name of the sequence.
        start: 0-based place of the first base of REF.
        id: identifiers, ``.`` for none.
        ref: the reference's bases.
        alts: alternatives as written; none where ALT is ``.``.
    """

    number: int
    line: bytes
    chrom: str
    start: int
    id: str
    ref: str
    alts: tuple[str, ...]

    def __str__(self) -> str:
        return f"record {self.number} ({self.chrom}:{self.start + 1} {self.ref}>{','.join(self.alts) or '.'})"

    def annotated(self, name: str, values: Sequence[float | None]) -> bytes:
        """The line with ``name=value,...`` at the end of its INFO, one value an alternative.

        Raises:
            InputError: if INFO holds the name already.
        """
        if not values:
            return self.line
        body = self.line.rstrip(b"\r\n")
        end = self.line[len(body) :]
        columns = body.split(b"\t")
        info = columns[_INFO]
        key = name.encode()
        if any(entry.split(b"=", 1)[0] == key for entry in info.split(b";")):
            raise InputError(f"holds {name} already", where=self, fix="set score.info to another name")
        added = key + b"=" + b",".join(number(value).encode() for value in values)
        columns[_INFO] = added if info in (b".", b"") else info.rstrip(b";") + b";" + added
        return b"\t".join(columns) + end


def number(value: float | None) -> str:
    """A value as text, ``.`` for none: six significant digits."""
    return "." if value is None or math.isnan(value) else f"{value:.6g}"


def unscored(alt: str) -> str | None:
    """Why an alternative is no sequence that could be scored; None if it is one."""
    if alt.startswith("<"):
        return "symbolic allele"
    if alt == "*":
        return "allele missing due to a deletion upstream"
    if any(sign in alt for sign in "[]") or alt.startswith(".") or alt.endswith("."):
        return "breakend"
    return None if _BASES.match(alt) else "allele is no sequence"


@dataclass
class VcfFile:
    """A VCF text, its header first.

    Args:
        stream: of the text, not read yet.

    Attributes:
        header: bytes of all header lines.
        samples: number of sample columns.
    """

    stream: InputStream
    header: bytes = b""
    samples: int = 0
    _lines: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        """Read the header. Raises InputError if there is none."""
        self._lines = iter(self.stream.buffered())
        kept = []
        for line in self._lines:
            kept.append(line)
            if line.startswith(b"#CHROM"):
                columns = line.rstrip(b"\r\n").split(b"\t")
                if len(columns) < 8:
                    break
                self.header, self.samples = b"".join(kept), max(0, len(columns) - 9)
                return
            if not line.startswith(b"##"):
                break
        raise InputError(
            "is no VCF: it has no line #CHROM with eight columns or more after its ## lines",
            where=self.stream.location,
            fix="give a VCF with its header",
        )

    def with_info(self, name: str, description: str) -> bytes:
        """The header with a line that declares ``name``, one number an alternative, before #CHROM.

        Raises:
            InputError: if the header declares the name already.
        """
        if re.search(rb"^##INFO=<ID=" + re.escape(name.encode()) + rb"[,>]", self.header, re.MULTILINE):
            what = f"declares {name} already"
            raise InputError(what, where=self.stream.location, fix="set score.info to another name")
        before, _, last = self.header.rpartition(b"#CHROM")
        end = b"\r\n" if last.endswith(b"\r\n") else b"\n"
        line = f'##INFO=<ID={name},Number=A,Type=Float,Description="{description}">'
        return before + line.encode() + end + b"#CHROM" + last

    def records(self) -> Iterator[VcfRecord]:
        """Records, in order; blank lines are left out.

        Raises:
            InputError: for a line that is no record, naming it.
        """
        count = 0
        for line in self._lines:
            if line.strip():
                count += 1
                yield self._record(count, line)

    def _record(self, count: int, line: bytes) -> VcfRecord:
        columns = line.rstrip(b"\r\n").split(b"\t")
        where = f"{self.stream.location}, record {count}"
        if len(columns) < 8:
            what = f"has {len(columns)} columns parted by tabs, and VCF has eight or more"
            raise InputError(what, where=where)
        chrom, place, name, ref, alt = (c.decode("utf-8", "surrogateescape") for c in columns[:5])
        if _PLACE.fullmatch(place) is None:
            raise InputError(f"its place {place!r} is no number", where=where)
        if not _BASES.match(ref):
            raise InputError(f"its REF {ref!r} is no sequence", where=where)
        alts = () if alt in (".", "") else tuple(alt.split(","))
        return VcfRecord(count, line, chrom, int(place) - 1, name, ref, alts)


def need_pysam(where: object) -> Any:
    """The module ``pysam``. Raises UsageError saying how to get it, where it is absent."""
    return need("pysam", "BCF", where=where, instead=", or use .vcf or .vcf.gz")


def is_bcf(stream: InputStream) -> bool:
    """Whether unpacked bytes are BCF."""
    return stream.peek(4)[:4] == BCF_MAGIC


def bcf_to_text(stream: InputStream, text: Path) -> None:
    """Write an open BCF input as VCF text; its unpacked bytes stand beside it for a while.

    Raises:
        UsageError: without pysam.
        InputError: if it cannot be read.
    """
    pysam = need_pysam(stream.location)
    unpacked = text.with_suffix(".bcf")
    with open(unpacked, "wb") as held:
        while data := stream.read():
            held.write(data)
    try:
        with pysam.VariantFile(str(unpacked)) as source, open(text, "w", encoding="utf-8", newline="") as out:
            out.write(str(source.header))
            out.writelines(str(record) for record in source)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read as BCF ({error})", where=stream.location) from error
    finally:
        unpacked.unlink()


def text_to_bcf(text: Path, path: Path) -> None:
    """Write VCF text as BCF.

    Raises:
        UsageError: without pysam.
        InputError: if pysam does not take the text, such as a sequence that the header does not name.
    """
    pysam = need_pysam(path)
    try:
        with (
            pysam.VariantFile(str(text)) as source,
            pysam.VariantFile(str(path), "wb", header=source.header) as out,
        ):
            for record in source:
                out.write(record)
    except (OSError, ValueError) as error:
        raise InputError(
            "cannot be written as BCF, which wants every sequence, filter and field declared in the header",
            fix="complete the VCF's header, or write .vcf.gz",
        ) from error


def bgzip(text: Path, path: Path) -> None:
    """Write a file's bytes in blocked gzip, without time or name, so that equal texts are equal bytes."""
    from Bio import bgzf

    writer: Any = bgzf.BgzfWriter
    with open(text, "rb") as source, writer(str(path), "wb") as out:
        while data := source.read(1 << 20):
            out.write(data)
