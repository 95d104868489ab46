"""Proteins that no policy touches, a block at a time: most of a proteome, and then of every file.

What it writes is what :class:`~genomecli.corpus.gene_rows.GeneRows` writes one by one, several times faster.
n records of a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.parts import ROW_DEFAULTS, PartWriter
from genomecli.corpus.said import said_of_header
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import METHIONINE, STOP
from genomecli.sequences.blocks import Block
from genomecli.sequences.many_headers import Headers


def plain_records(block: Block, headers: Headers, policies: PolicySettings) -> NDArray[np.bool_]:
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
    plain[[i for i, header in headers.told.items() if header.pseudo]] = False
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
    headers: Headers,
    tables: NDArray[np.int32],
    sides: Sequence[str],
) -> None:
    """Write neighbours of a block that :func:`plain_records` names.

    Args:
        part: where rows go.
        block: the block.
        rows: which of its records.
        headers: of all its records.
        tables: genetic codes of the chosen ones.
        sides: train, valid or test, or empty, of the chosen ones.
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
    count = len(lengths)
    writer.tally.read.add(count, read)
    writer.tally.kept.add(count, read - cut)
    writer.tally.pieces += count
    if cut:
        writer.tally.note("cut", "stop", cut, cut)
    columns: dict[str, Sequence[Any]] = {
        "table": tables.tolist(),
        "has_start": starts.tolist(),
        "has_stop": (stops > 0).tolist(),
        "side": sides,
    }
    writer.write_rows(symbols, lengths, _said(headers, range(rows.start, rows.stop)) | columns)


def _said(headers: Headers, rows: range) -> dict[str, Sequence[Any]]:
    """What the headers of some neighbours say, as columns; those that all leave at their default are not
    there."""
    ids = headers.ids[rows.start : rows.stop]
    columns: dict[str, list[Any]] = {
        "id": ids,
        "description": headers.descriptions[rows.start : rows.stop],
        "gene": ids,
    }
    told = headers.told_in(rows)
    if told:
        columns["gene"] = ids.copy()
    for place, header in told:
        said = said_of_header(header, 0, "").row()
        for name in ("gene", "contig", "strand", "cds_start", "cds_end", "partial5", "partial3"):
            if said[name] != ROW_DEFAULTS[name]:
                columns.setdefault(name, [ROW_DEFAULTS[name]] * len(rows))[place] = said[name]
    return dict(columns)
