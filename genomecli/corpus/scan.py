"""One pass over the symbols of a store: composition of every record, and counts of every group.

N symbols in a chunk, S segments of records in it, n rows. Memory does not grow with the corpus's symbols.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.manifest import Group
from genomecli.corpus.shards import ShardedColumns
from genomecli.corpus.tokenizers import Ids, Tokenizer
from genomecli.corpus.word_counts import BLOCK, LEAST, count_units, unit_of, word_counts
from genomecli.sequences.alphabets import DNA, PROTEIN, Alphabet, Codes
from genomecli.sequences.codes import genetic_code

Ints = NDArray[np.int64]
CHUNK = 3 << 20
"""Symbols at a time: a multiple of three, so that pieces of a record keep its frame."""

LONG = 10_000
"""Mean length of segments, in symbols, from which a loop over them costs nothing beside their symbols."""

_C, _G = DNA.symbols.index("C"), DNA.symbols.index("G")


@dataclass
class GroupCounts:
    """What one group is made of.

    Attributes:
        symbols: int64[alphabet], occurrences of each symbol.
        tokens: int64[words + 1], occurrences of each word of its block in frame 0; the last is unknown.
        codons: by genetic code, int64[64], codons in frame 0 (cds only).
        first, last: by genetic code, int64[64], first codons, and last codons of records with a stop.
        open_frames: by genetic code, int64[4]: records without internal stop in frame 0, +1, +2; records.
    """

    symbols: Ints
    tokens: Ints
    codons: dict[int, Ints] = field(default_factory=dict)
    first: dict[int, Ints] = field(default_factory=dict)
    last: dict[int, Ints] = field(default_factory=dict)
    open_frames: dict[int, Ints] = field(default_factory=dict)


@dataclass
class Scan:
    """What the pass found: float32[n] ``gc`` and ``gc3``, and counts by group, in order."""

    gc: NDArray[np.float32]
    gc3: NDArray[np.float32]
    groups: list[GroupCounts]


@dataclass(frozen=True)
class _Chunk:
    """Consecutive segments of records: rows int64[S], offsets int64[S + 1] into ``symbols``.

    ``begin`` is where the first segment starts in its record; all others start with their record. ``after``
    is how many symbols of the last record are read beyond the chunk, for words that cross its end.
    """

    rows: Ints
    offsets: Ints
    symbols: Codes
    begin: int
    after: Codes


def scan_store(
    store: ShardedColumns,
    groups: list[Group] | tuple[Group, ...],
    columns: dict[str, NDArray[Any]],
    lexicon: Lexicon,
    *,
    stop_trimmed: bool,
) -> Scan:
    """Read every symbol once.

    Args:
        store: the shards.
        groups: as in the manifest.
        columns: ``length``, ``table`` and ``has_stop`` of all rows, [n] each, in row order.
        lexicon: whose words are counted.
        stop_trimmed: whether stop codons were cut off, so that a record's last codon is none.
    """
    total = len(columns["length"])
    place = np.concatenate([[0], np.cumsum(columns["length"])]).astype(np.int64)
    bases, gc = np.zeros((2, total), dtype=np.int64), np.zeros((2, total), dtype=np.int64)
    counts = []
    for group in groups:
        tokenizer = lexicon.tokenizer(group.species, group.molecule)
        alphabet = PROTEIN if group.molecule == "protein" else DNA
        found = GroupCounts(np.zeros(len(alphabet), np.int64), np.zeros(tokenizer.words + 1, np.int64))
        beyond = max(tokenizer.k - tokenizer.stride, 0)
        step = CHUNK // 3 // tokenizer.stride * tokenizer.stride * 3
        for chunk in _chunks(store, group, place, step, beyond):
            if group.molecule == "genome" and len(chunk.symbols) >= LONG * len(chunk.rows):
                _count_contigs(chunk, tokenizer, found, bases[0], gc[0])
            else:
                _count_tokens(chunk, tokenizer, found.tokens)
                found.symbols += _count_symbols(chunk.symbols, alphabet)
                if group.molecule != "protein":
                    _count_gc(chunk, bases, gc, third=group.molecule == "cds")
            if group.molecule == "cds":
                _count_codons(chunk, columns, found, stop_trimmed)
        counts.append(found)
    share = (gc / np.maximum(bases, 1)).astype(np.float32)
    return Scan(share[0], share[1], counts)


def _chunks(store: ShardedColumns, group: Group, place: Ints, step: int, beyond: int) -> Iterator[_Chunk]:
    row, last = group.first_row, group.first_row + group.records
    while row < last:
        length = int(place[row + 1] - place[row])
        if length > step:
            yield from _pieces(store, row, int(place[row]), length, step, beyond)
            row += 1
            continue
        end = max(int(np.searchsorted(place, place[row] + step, side="right")) - 1, row + 1)
        end = min(end, last)
        symbols = store.read(int(place[row]), int(place[end]))
        yield _Chunk(np.arange(row, end), place[row : end + 1] - place[row], symbols, 0, symbols[:0])
        row = end


def _pieces(
    store: ShardedColumns, row: int, start: int, length: int, step: int, beyond: int
) -> Iterator[_Chunk]:
    for begin in range(0, length, step):
        end = min(begin + step, length)
        symbols = store.read(start + begin, start + end)
        after = store.read(start + end, start + min(end + beyond, length))
        yield _Chunk(np.array([row]), np.array([0, end - begin]), symbols, begin, after)


def _count_symbols(symbols: Codes, alphabet: Alphabet) -> Ints:
    """int64[alphabet]: occurrences of each. Four comparisons read bytes; a histogram would widen them."""
    counts = np.zeros(len(alphabet), dtype=np.int64)
    if alphabet is DNA:
        for symbol in range(DNA.canonical):
            counts[symbol] = np.count_nonzero(symbols == symbol)
        symbols = symbols[symbols >= DNA.canonical] if counts.sum() < len(symbols) else symbols[:0]
    return counts + np.bincount(symbols, minlength=len(alphabet))


def _count_contigs(chunk: _Chunk, tokenizer: Tokenizer, found: GroupCounts, bases: Ints, gc: Ints) -> None:
    """Tokens and symbols; what GC needs is the counts of symbols, contig by contig."""
    unit = unit_of(tokenizer)
    if unit is None:
        _count_tokens(chunk, tokenizer, found.tokens)
    for row, (begin, end) in zip(chunk.rows.tolist(), pairwise(chunk.offsets.tolist()), strict=True):
        text = chunk.symbols[begin:end]
        symbols = _count_symbols(text, DNA) if unit is None else _count_text(text, tokenizer, unit, found)
        bases[row] += symbols[: DNA.canonical].sum()
        gc[row] += symbols[_C] + symbols[_G]
        found.symbols += symbols


def _count_text(text: Codes, tokenizer: Tokenizer, unit: int, found: GroupCounts) -> Ints:
    """int64[alphabet]: occurrences of each symbol; tokens are counted on the way.

    A block with ambiguous letters and what fills no unit are counted token by token.
    """
    letters = np.zeros(len(DNA), dtype=np.int64)
    long = len(text) >= LEAST * 4**unit
    units = np.zeros(4**unit if long else 0, dtype=np.int64)
    for begin in range(0, len(text), BLOCK):
        block = text[begin : begin + BLOCK]
        plain = len(block) // unit * unit if long and block.max() < DNA.canonical else 0
        if plain:
            units += count_units(block[:plain], unit)
        rest = block[plain:]
        _add_tokens(tokenizer.encode(rest), tokenizer, found.tokens)
        letters += _count_symbols(rest, DNA)
    if long:
        words = word_counts(units, unit, tokenizer.k)
        found.tokens[:-1] += words
        letters[: DNA.canonical] += word_counts(words, tokenizer.k, 1)
    return letters


def _count_tokens(chunk: _Chunk, tokenizer: Tokenizer, counts: Ints) -> None:
    if tokenizer.k == 1:  # no token crosses a border, so records need not be told apart
        ids = tokenizer.encode(chunk.symbols)
    else:
        texts = [chunk.symbols[a:b] for a, b in pairwise(chunk.offsets.tolist())]
        if len(chunk.after):
            texts[-1] = np.concatenate([texts[-1], chunk.after])
        ids = np.concatenate([tokenizer.encode(text) for text in texts])
    _add_tokens(ids, tokenizer, counts)


def _add_tokens(ids: Ids, tokenizer: Tokenizer, counts: Ints) -> None:
    first, end = tokenizer.start, tokenizer.start + tokenizer.words
    found = np.bincount(ids, minlength=max(end, tokenizer.unk + 1))
    counts[:-1] += found[first:end]
    counts[-1] += found[tokenizer.unk]


def _count_gc(chunk: _Chunk, bases: Ints, gc: Ints, *, third: bool) -> None:
    known = chunk.symbols < DNA.canonical
    strong = (chunk.symbols == _C) | (chunk.symbols == _G)
    for total, hits in ((bases, known), (gc, strong)):
        total[0][chunk.rows] += _true_of_each(hits, chunk.offsets)
        if third:
            at_third = hits & (_positions(chunk) % 3 == 2)
            total[1][chunk.rows] += _true_of_each(at_third, chunk.offsets)


def _true_of_each(hits: NDArray[np.bool_], offsets: Ints) -> Ints:
    """int64[S]: how many of each segment's symbols are True. Long ones are counted one by one, as bytes."""
    if len(hits) < LONG * (len(offsets) - 1):
        sums: Ints = np.add.reduceat(hits, offsets[:-1], dtype=np.int64)
        return sums
    return np.array([np.count_nonzero(hits[a:b]) for a, b in pairwise(offsets.tolist())], dtype=np.int64)


def _positions(chunk: _Chunk) -> Ints:
    """int64[N]: position of each symbol in its record."""
    within = np.arange(len(chunk.symbols)) - np.repeat(chunk.offsets[:-1], np.diff(chunk.offsets))
    return within + chunk.begin


def _count_codons(
    chunk: _Chunk, columns: dict[str, NDArray[Any]], found: GroupCounts, stop_trimmed: bool
) -> None:
    lengths = np.diff(chunk.offsets)
    codon = _codons(chunk)
    frame = (_positions(chunk) % 3).astype(np.int8)
    tables = columns["table"][chunk.rows]
    has_stop = columns["has_stop"][chunk.rows] & (not stop_trimmed)
    last = chunk.offsets[:-1] + (lengths // 3 - 1) * 3
    for table in np.unique(tables).tolist():
        mine = tables == table
        chosen = np.repeat(mine, lengths)
        code = genetic_code(table)
        stops = np.array([letter == "*" for letter in code.amino] + [False])
        _add(found.codons, table, codon[chosen & (frame == 0)])
        _add(found.first, table, codon[chunk.offsets[:-1][mine & (lengths >= 3)]])
        _add(found.last, table, codon[last[mine & has_stop & (lengths >= 3)]])
        hits = stops[codon]
        hits[last[has_stop & (lengths >= 3)]] = False
        open_ = [
            int((np.add.reduceat(hits & (frame == f), chunk.offsets[:-1], dtype=np.int64)[mine] == 0).sum())
            for f in range(3)
        ]
        frames = found.open_frames.setdefault(table, np.zeros(4, dtype=np.int64))
        frames += np.array([*open_, int(mine.sum())])


def _codons(chunk: _Chunk) -> NDArray[np.int16]:
    """int16[N]: the codon that starts at each symbol; 64 where it is ambiguous or crosses a record's end."""
    symbols = chunk.symbols.astype(np.int16)
    codon = np.full(len(symbols), 64, dtype=np.int16)
    if len(symbols) < 3:
        return codon
    a, b, c = symbols[:-2], symbols[1:-1], symbols[2:]
    codon[:-2] = np.where(np.maximum(np.maximum(a, b), c) < DNA.canonical, 16 * a + 4 * b + c, 64)
    for shift in (1, 2):
        edges = chunk.offsets[1:] - shift
        codon[edges[edges >= chunk.offsets[:-1]]] = 64
    return codon


def _add(table: dict[int, Ints], code: int, codons: NDArray[np.int16]) -> None:
    table.setdefault(code, np.zeros(64, dtype=np.int64))
    table[code] += np.bincount(codons, minlength=65)[:64]
