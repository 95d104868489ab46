"""Where the genes of a genome were found: in sentences, in short, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.analysis.decipherment.coding import Windows
from genomecli.analysis.decipherment.genes import CODON, reading_name
from genomecli.analysis.pages import PageTable, count_text
from genomecli.sequences.codes import CODONS

if TYPE_CHECKING:
    from genomecli.analysis.decipherment.calling import Calling

WINDOW_COLUMNS = ("contig", "start", "end", "strand", "codons", "ends_with")


def window_lines(windows: Windows) -> list[tuple[object, ...]]:
    """One line a coding window, as ``windows.tsv`` has them: 1-based places, both inclusive."""
    genome = windows.genome
    contig = genome.contig_of(windows.starts)
    first = windows.starts - genome.starts[contig] + genome.offsets[contig]
    columns = (contig, first, windows.lengths, windows.forward, windows.ends)
    lines: list[tuple[object, ...]] = []
    for number, start, length, forward, end in zip(*(c.tolist() for c in columns), strict=True):
        ends_with = CODONS[end] if end >= 0 else ""
        strand = "+" if forward else "-"
        lines.append((genome.names[number], start + 1, start + length, strand, length // CODON, ends_with))
    return lines


def bases_by_reading(windows: Windows) -> dict[str, int]:
    """Bases of the windows on each strand, by the place of their first base on the contig, modulo 3."""
    genome = windows.genome
    contig = genome.contig_of(windows.starts)
    phase = (windows.starts - genome.starts[contig] + genome.offsets[contig]) % CODON
    return {
        f"{strand}{frame}": int(windows.lengths[(windows.forward == forward) & (phase == frame)].sum())
        for strand, forward in (("+", True), ("-", False))
        for frame in range(CODON)
    }


def calling_summary(calling: Calling) -> dict[str, Any]:
    """As plain values."""
    windows, beside = calling.windows, calling.coverage
    return {
        "bases_read": windows.read,
        "windows": len(windows.starts),
        "coding_bases": int(windows.lengths.sum()),
        "by_reading": bases_by_reading(windows),
        "reading": reading_name(*calling.reading),
        "ends_found": int((windows.ends >= 0).sum()),
        "annotated_codons": None if beside is None else beside.annotated,
        "genes_not_compared": None if beside is None else beside.left_out,
        "sensitivity": None if beside is None else round(beside.sensitivity, 6),
        "precision": None if beside is None else round(beside.precision, 6),
    }


def calling_sentences(calling: Calling) -> list[str]:
    """What was called coding, and how that compares with an annotation."""
    windows, beside = calling.windows, calling.coverage
    coding, read = int(windows.lengths.sum()), windows.read
    whole = int(windows.genome.lengths.sum())
    part = "" if read == whole else f" (a sample of {whole:,})"
    said = [
        f"{len(windows.starts):,} coding windows were found in {read:,} bases{part} without annotation: "
        f"{100 * coding / max(read, 1):.1f} % of the bases."
    ]
    if beside is not None:
        said.append(
            f"Beside the annotation, which took no part: {100 * beside.sensitivity:.1f} % of the annotated "
            f"codons lie in a window of their reading, and {100 * beside.precision:.1f} % of the codons in "
            "windows are annotated so."
        )
    if not windows.ends_known:
        said.append("The ends of too few windows were found, so stops are not looked for.")
    if calling.reading != (0, "+"):
        name = reading_name(*calling.reading)
        said.append(f"Of the six readings of the windows, {name} has the most evidence and is read.")
    return said


def calling_table(calling: Calling) -> PageTable:
    """Bases that were called coding, by strand and frame of the contig."""
    shares = bases_by_reading(calling.windows)
    total = max(calling.windows.read, 1)
    rows = [[name, count_text(value), f"{100 * value / total:.1f} %"] for name, value in shares.items()]
    whole = int(np.sum(list(shares.values())))
    rows.append(["all", count_text(whole), f"{100 * whole / total:.1f} %"])
    return PageTable(
        "Bases called coding", ("strand and frame", "bases", "of what was read"), rows, main=frozenset({6})
    )
