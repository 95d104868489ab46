"""Proteins that no policy touches, a block at a time: most of a proteome, and then of every file.

What it writes is what :class:`~genomecli.corpus.gene_rows.GeneRows` writes one by one, several times faster.
n records of a block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.parts import PartWriter
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import PROTEIN, STOP
from genomecli.sequences.blocks import Block
from genomecli.sequences.headers import Header

METHIONINE = PROTEIN.symbols.index("M")


def plain_records(block: Block, headers: Sequence[Header], policies: PolicySettings) -> NDArray[np.bool_]:
    """Which records go into the corpus as they are, but for a stop at the end that is trimmed: bool[n]."""
    lengths = block.lengths
    stops = _stops(block)
    kept = lengths - stops
    plain: NDArray[np.bool_] = (block.ambiguous == stops) & (block.invalid == 0) & (block.lower == 0)
    plain &= kept >= max(policies.min_length.protein, 1)
    if policies.max_length.protein is not None:
        plain &= kept <= policies.max_length.protein
    if policies.stop_codon != "trim":
        plain &= stops == 0
    if block.aliased is not None:
        plain &= block.aliased == 0
    plain &= [not header.pseudo for header in headers]
    return plain


def _stops(block: Block) -> NDArray[np.int64]:
    """int64[n]: 1 where a record's last symbol is a stop."""
    stops = np.zeros(len(block), dtype=np.int64)
    there = np.flatnonzero(block.lengths)
    stops[there] = block.symbols[block.offsets[1:][there] - 1] == STOP
    return stops


def add_plain(
    part: PartWriter,
    block: Block,
    rows: slice,
    headers: Sequence[Header],
    tables: NDArray[np.int32],
    sides: Sequence[str],
) -> None:
    """Write neighbours of a block that :func:`plain_records` names.

    Args:
        part: where rows go.
        block: the block.
        rows: which of its records.
        headers: of these records.
        tables: their genetic codes.
        sides: train, valid or test, or empty.
    """
    writer = part.molecule("protein")
    bounds = block.offsets[rows.start : rows.stop + 1]
    symbols = block.symbols[bounds[0] : bounds[-1]]
    stops = _stops(block)[rows]
    lengths = np.diff(bounds) - stops
    starts = block.symbols[bounds[:-1]] == METHIONINE
    read, cut = len(symbols), int(stops.sum())
    if cut:
        keep = np.ones(read, dtype=np.bool_)
        keep[(bounds[1:] - bounds[0] - 1)[stops > 0]] = False
        symbols = symbols[keep]
    writer.tally.read.add(len(headers), read)
    writer.tally.kept.add(len(headers), read - cut)
    writer.tally.pieces += len(headers)
    if cut:
        writer.tally.note("cut", "stop", cut, cut)
    said = dict(zip(Header._fields, zip(*headers, strict=True), strict=True))
    writer.write_rows(
        symbols,
        lengths,
        {
            "id": said["id"],
            "description": said["description"],
            "gene": said["key"],
            "table": tables.tolist(),
            "contig": said["contig"],
            "strand": [strand or 0 for strand in said["strand"]],
            "cds_start": [-1 if place is None else place for place in said["start"]],
            "cds_end": [-1 if place is None else place for place in said["end"]],
            "partial5": [
                five or codon > 1 for five, codon in zip(said["partial5"], said["codon_start"], strict=True)
            ],
            "partial3": said["partial3"],
            "has_start": starts.tolist(),
            "has_stop": (stops > 0).tolist(),
            "side": sides,
        },
    )
