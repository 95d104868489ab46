"""Genes of an annotated contig that no policy touches, but for a stop codon that is trimmed: many at once.

What it writes is what :class:`~genomecli.corpus.gene_rows.GeneRows` writes one by one, several times faster.
n records of a contig.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.digests import DIGITS
from genomecli.corpus.gene_rows import GeneRows
from genomecli.corpus.manifest import Molecule
from genomecli.corpus.parts import PartWriter
from genomecli.corpus.said import Said
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import DNA, METHIONINE, PROTEIN, STOP, Codes
from genomecli.sequences.codes import genetic_code

Mask = NDArray[np.bool_]


def add_genes(
    part: PartWriter,
    genes: GeneRows,
    policies: PolicySettings,
    molecule: Molecule,
    said: Sequence[Said],
    symbols: Sequence[Codes],
    soft: Sequence[Codes | None],
) -> None:
    """Write records in their order: runs of plain ones at once, the others through ``genes``.

    Args:
        part: where rows go.
        genes: writes there, one at a time.
        policies: what becomes of sequences that are not plain.
        molecule: ``cds`` or ``protein``.
        said: what is known of each.
        symbols: uint8[L] each.
        soft: uint8[L] each, or None.
    """
    if not said:
        return
    simple = _simple(molecule, said, symbols, soft)
    chosen = np.flatnonzero(simple).tolist()
    plain = np.zeros(len(said), dtype=np.bool_)
    if chosen:
        texts = _Texts(molecule, [said[i] for i in chosen], [symbols[i] for i in chosen])
        plain[chosen] = texts.plain(policies)
    place = np.cumsum(simple) - 1
    edges = np.flatnonzero(np.diff(plain, prepend=~plain[:1])).tolist()
    for begin, end in pairwise([*edges, len(said)]):
        if plain[begin]:
            texts.write(part, slice(place[begin], place[end - 1] + 1))
            continue
        for i in range(begin, end):
            genes.add(molecule, said[i], symbols[i], soft[i])


def _simple(
    molecule: Molecule, said: Sequence[Said], symbols: Sequence[Codes], soft: Sequence[Codes | None]
) -> Mask:
    """bool[n]: records of which nothing is said that would have to be looked at."""
    simple = np.array([mask is None for mask in soft], dtype=np.bool_)
    simple &= [len(text) > 0 and not one.pseudo for one, text in zip(said, symbols, strict=True)]
    if molecule == "cds":
        table = max((one.table for one in said), default=0)
        simple &= [
            len(text) % 3 == 0
            and one.table == table
            and not (one.partial5 or one.partial3 or one.exceptions or one.skip)
            for one, text in zip(said, symbols, strict=True)
        ]
    return simple


class _Texts:
    """Simple records joined; none is empty, and coding sequences are whole codons of one code."""

    def __init__(self, molecule: Molecule, said: Sequence[Said], symbols: Sequence[Codes]) -> None:
        self._molecule, self._said = molecule, said
        self._symbols = np.concatenate(symbols)
        self._lengths = np.fromiter(map(len, symbols), dtype=np.int64, count=len(symbols))
        self._ends = np.cumsum(self._lengths)
        self._starts = self._ends - self._lengths
        self._residues: Codes = np.zeros(0, dtype=np.uint8)

    def plain(self, policies: PolicySettings) -> Mask:
        """bool[n]: records that go into the corpus as they are."""
        is_cds = self._molecule == "cds"
        alphabet, shortest, longest = (
            (DNA, policies.min_length.cds, policies.max_length.cds)
            if is_cds
            else (PROTEIN, policies.min_length.protein, policies.max_length.protein)
        )
        kept = self._lengths - 3 * is_cds
        plain: Mask = kept >= max(shortest, 1)
        if longest is not None:
            plain &= kept <= longest
        plain &= self._counts(np.flatnonzero(self._symbols >= alphabet.canonical)) == 0
        return plain & self._whole(policies) if is_cds else plain

    def _counts(self, places: NDArray[np.intp]) -> NDArray[np.int64]:
        """int64[n]: how many of some sorted places lie in each record."""
        found = np.searchsorted(places, self._ends) - np.searchsorted(places, self._starts)
        return found.astype(np.int64)

    def _whole(self, policies: PolicySettings) -> Mask:
        """bool[n]: coding sequences from a start codon to a stop codon, which the policies trim."""
        code = genetic_code(self._said[0].table)
        if code.dual or policies.stop_codon != "trim":
            return np.zeros(len(self._said), dtype=np.bool_)
        self._residues = code.translate(self._symbols)
        stops = np.flatnonzero(self._residues == STOP)
        whole: Mask = self._counts(3 * stops) == 1
        last = self._residues[self._ends // 3 - 1] == STOP
        a, b, c = (self._symbols[self._starts + i].astype(np.int64) for i in range(3))
        whole &= last & np.isin(16 * a + 4 * b + c, list(code.starts))
        self._residues[self._starts[whole] // 3] = METHIONINE
        return whole

    def write(self, part: PartWriter, rows: slice) -> None:
        """Write some neighbours that are plain."""
        writer, said = part.molecule(self._molecule), self._said[rows]
        starts, ends, count = self._starts[rows], self._ends[rows], len(said)
        symbols = self._symbols[starts[0] : ends[-1]]
        columns: dict[str, Sequence[Any]] = {"id": [one.id for one in said]}
        table = [one.row() for one in said]
        columns |= {name: [row[name] for row in table] for name in table[0]}
        writer.tally.read.add(count, len(symbols))
        if self._molecule == "cds":
            writer.tally.note("cut", "stop codon", 3 * count, count)
            stops = (ends - starts[0])[:, None] - np.arange(1, 4)
            symbols = np.delete(symbols, stops.ravel())
            ends = ends - 3
            columns |= {"has_start": [True] * count, "has_stop": [True] * count}
            columns["translation"] = self._translations(starts // 3, ends // 3)
        else:
            columns["has_start"] = (self._symbols[starts] == METHIONINE).tolist()
        writer.tally.kept.add(count, len(symbols))
        writer.tally.pieces += count
        writer.write_rows(symbols, ends - starts, columns)

    def _translations(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[str]:
        """Digests of the proteins."""
        memory = memoryview(self._residues)  # type: ignore[arg-type]
        bounds = zip(starts.tolist(), ends.tolist(), strict=True)
        return [hashlib.blake2b(memory[a:b], digest_size=DIGITS // 2).hexdigest() for a, b in bounds]
