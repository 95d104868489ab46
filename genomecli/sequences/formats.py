"""Tell a format by its first bytes, never by a file's name."""

from __future__ import annotations

import re
from typing import Literal

Format = Literal["fasta", "fastq", "genbank", "embl", "gff", "unknown"]
"""``gff`` is GFF3 or GTF; ``genbank`` includes GenPept, which its reader refuses."""

_GFF_LINE = re.compile(rb"[^\t\n>]+\t[^\t\n]*\t[^\t\n]+\t\d+\t\d+\t[^\t\n]*\t[-+.?]\t[012.]\t")


def guess_format(head: bytes) -> Format:
    """The format of a text whose first bytes (some kB) are given."""
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(b">"):
        return "fasta"
    if body.startswith(b"@"):
        return "fastq"
    if body.startswith(b"LOCUS ") or re.match(rb"[^\n]*Genetic Sequence Data Bank", body):
        return "genbank"
    if body.startswith((b"ID   ", b"ID ")):
        return "embl"
    if body.startswith((b"##gff", b"##gtf", b"#gtf", b"#!g")) or _first_row(body):
        return "gff"
    return "unknown"


def _first_row(body: bytes) -> bool:
    lines = (line for line in body.splitlines() if line and not line.startswith(b"#"))
    return _GFF_LINE.match(next(lines, b"") + b"\t") is not None
