"""Small files made for tests: GenBank, bgzip; and a slow, obvious FASTA reader."""

from __future__ import annotations

import gzip
from pathlib import Path

from Bio import bgzf


def genbank(
    sequence: str, features: str, *, circular: bool = False, name: str = "TEST01", molecule: str = "bp    DNA"
) -> str:
    """A GenBank record.

    ``features``: lines of locations, each followed by ``/key=value`` lines; ``+`` goes on with a value.
    """
    topology = "circular" if circular else "linear  "
    lines = [
        f"LOCUS       {name:<16} {len(sequence):>11} {molecule}     {topology} BCT 01-JAN-2020",
        f"DEFINITION  Made for a test.\nACCESSION   {name}\nVERSION     {name}.1",
        "FEATURES             Location/Qualifiers",
        f"     source          1..{len(sequence)}",
    ]
    for line in features.strip().splitlines():
        text = line.strip()
        more = text.startswith(("/", "+"))
        lines.append(" " * 21 + text.lstrip("+") if more else f"     CDS             {text}")
    lines.append("ORIGIN")
    for start in range(0, len(sequence), 60):
        row = sequence[start : start + 60].lower()
        lines.append(f"{start + 1:>9} " + " ".join(row[i : i + 10] for i in range(0, len(row), 10)))
    return "\n".join([*lines, "//", ""])


def write_bgzip(path: Path, data: bytes) -> Path:
    """Write ``data`` in bgzip's blocks."""
    with bgzf.BgzfWriter(str(path), "wb") as handle:
        handle.write(data)
    return path


def write_gzip(path: Path, *members: bytes) -> Path:
    """Write one gzip member for each part."""
    path.write_bytes(b"".join(gzip.compress(member) for member in members))
    return path


def slow_fasta(text: bytes) -> list[tuple[bytes, str]]:
    """(header, letters) of each record, line by line, the obvious way."""
    records: list[tuple[bytes, list[str]]] = []
    for line in text.replace(b"\r\n", b"\n").split(b"\n"):
        if line.startswith(b">"):
            records.append((line[1:].rstrip(), []))
        elif records:
            records[-1][1].append("".join(line.decode("latin-1").split()))
    return [(header, "".join(parts)) for header, parts in records]
