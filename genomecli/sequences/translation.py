"""Read a coding sequence as a protein, and compare it with the protein that the annotation gives.

Rules (those of INSDC's feature table): a first codon that may start a protein reads M where the 5' end is
whole; ``transl_except`` overrules the code; a last stop is left out; a codon that is both sense and stop
(codes 27, 28, 31) is a stop at the end of a gene whose 3' end is whole; an incomplete last codon marked TERM
is a stop that the messenger's poly(A) completes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genomecli.sequences.alphabets import DNA, METHIONINE, PROTEIN, STOP, UNKNOWN_RESIDUE, Codes
from genomecli.sequences.codes import GeneticCode

Status = Literal["ok", "ambiguous", "differs", "no translation", "pseudogene", "not extracted"]
"""``ambiguous``: it differs only where one of the two has an ambiguous residue."""

_AMBIGUOUS = np.array([PROTEIN.symbols.index(letter) for letter in "XBZJ"], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Reading:
    """A coding sequence, read.

    Args:
        residues: uint8[m], protein codes, without the last stop; internal stops are ``*``.
        codons: whole codons, the stop included.
        trailing: bases after the last whole codon, 0 to 2.
        internal_stops: stops before the last codon.
        has_start: the first codon may start a protein and the 5' end is whole.
        has_stop: the last whole codon is a stop.
        stop_completed: the stop is an incomplete codon that poly(A) completes.
        excepted: codons read by exception, as (index, letter).
    """

    residues: Codes
    codons: int
    trailing: int
    internal_stops: int
    has_start: bool
    has_stop: bool
    stop_completed: bool
    excepted: tuple[tuple[int, str], ...]

    @property
    def clean(self) -> bool:
        """Whole codons (or a completed stop) and no internal stop."""
        return self.internal_stops == 0 and (self.trailing == 0 or self.stop_completed)


def read_coding(
    symbols: Codes,
    code: GeneticCode,
    *,
    exceptions: Iterable[tuple[int, str]] = (),
    partial5: bool = False,
    partial3: bool = False,
) -> Reading:
    """Translate a coding sequence whose first base is the first base of a codon.

    Args:
        symbols: uint8[n], DNA codes without ``INVALID``.
        code: the genetic code.
        exceptions: (codon index from 0, letter); an index of the incomplete last codon is allowed with ``*``.
        partial5: the first codon is not the gene's first.
        partial3: the last codon is not the gene's last.
    """
    residues = code.translate(symbols)
    codons, trailing = divmod(len(symbols), 3)
    if len(symbols) >= 3:
        first, last = _codon(symbols[:3]), _codon(symbols[3 * codons - 3 : 3 * codons])
        has_start = not partial5 and first in code.starts
        if has_start:
            residues[0] = METHIONINE
        if last in code.dual and not partial3 and trailing == 0:
            residues[-1] = STOP
    else:
        has_start = False
    completed, applied = _apply(residues, exceptions, trailing)
    has_stop = bool(codons) and bool(residues[-1] == STOP)
    body = residues[:-1] if has_stop else residues
    return Reading(
        body, codons, trailing, int((body == STOP).sum()), has_start, has_stop, completed, tuple(applied)
    )


def _apply(
    residues: Codes, exceptions: Iterable[tuple[int, str]], trailing: int
) -> tuple[bool, list[tuple[int, str]]]:
    completed, applied = False, []
    for index, letter in exceptions:
        if 0 <= index < len(residues):
            residues[index] = PROTEIN.symbols.index(letter)
            applied.append((index, letter))
        elif index == len(residues) and trailing and letter == "*":
            completed = True
            applied.append((index, letter))
    return completed, applied


def _codon(triplet: Codes) -> int:
    a, b, c = (int(base) for base in triplet)
    return 16 * a + 4 * b + c if max(a, b, c) < DNA.canonical else -1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our reading beside the annotation's protein.

    Args:
        status: the verdict.
        first: first differing residue from 1, None where equal.
        expected: what the annotation has from there on, at most ten letters; ``got``: what we have.
    """

    status: Literal["ok", "ambiguous", "differs"]
    first: int | None = None
    expected: str = ""
    got: str = ""


def compare(reading: Codes, given: Codes, *, next_residue: int | None = None) -> Comparison:
    """Compare two proteins (uint8 codes, no last stop).

    Args:
        reading: uint8[n], ours.
        given: uint8[m], the annotation's.
        next_residue: what the incomplete last codon says by its bases alone; the annotation may write it.
    """
    if np.array_equal(reading, given):
        return Comparison("ok")
    if next_residue is not None and len(given) == len(reading) + 1 and given[-1] == next_residue:
        return compare(reading, given[:-1])
    shared = min(len(reading), len(given))
    unequal = np.flatnonzero(reading[:shared] != given[:shared])
    at = int(unequal[0]) if len(unequal) else shared
    open_to_doubt = np.isin(reading[unequal], _AMBIGUOUS) | np.isin(given[unequal], _AMBIGUOUS)
    unclear = len(reading) == len(given) and bool(open_to_doubt.all())
    return Comparison(
        "ambiguous" if unclear else "differs",
        at + 1,
        PROTEIN.decode(np.minimum(given[at : at + 10], STOP)),
        PROTEIN.decode(reading[at : at + 10]),
    )


def incomplete_residue(symbols: Codes, code: GeneticCode) -> int | None:
    """The residue that two trailing bases determine whatever the third is, None if they do not.

    Args:
        symbols: uint8[n], DNA codes in frame 0; two trail where n is 2 more than a multiple of 3.
        code: the genetic code.

    Returns:
        The code of a residue in the alphabet of proteins, no stop and no ambiguity letter.
    """
    if len(symbols) % 3 != 2:
        return None
    padded = np.append(symbols[-2:], np.uint8(DNA.symbols.index("N")))
    residue = int(code.translate(padded)[0])
    return None if residue in (UNKNOWN_RESIDUE, STOP) or residue in _AMBIGUOUS else residue


@dataclass(frozen=True, slots=True)
class TranslationCheck:
    """One row of the table of translations: one coding feature.

    Args:
        contig, label, gene, locus_tag, protein_id: which feature.
        start, end, strand: 0-based half-open over all parts; strand 0 where they differ.
        table: the genetic code it was read with.
        stated: the annotation itself stated the code.
        status: the verdict.
        reason: why it was not extracted, or the annotation's own exception.
        codons, trailing, internal_stops, has_start, has_stop, stop_completed: see :class:`Reading`.
        expected_length, length: residues of the annotation's protein (-1 if it gives none) and of ours.
        first, expected, got: the first difference, residue from 1.
        excepted: codons read by exception.
        equal_by_code: equal also when exceptions are not applied; None where there is nothing to compare.
    """

    contig: str
    label: str
    gene: str
    locus_tag: str
    protein_id: str
    start: int
    end: int
    strand: int
    table: int
    stated: bool
    status: Status
    reason: str = ""
    codons: int = 0
    trailing: int = 0
    internal_stops: int = 0
    has_start: bool = False
    has_stop: bool = False
    stop_completed: bool = False
    expected_length: int = -1
    length: int = 0
    first: int | None = None
    expected: str = ""
    got: str = ""
    excepted: int = 0
    equal_by_code: bool | None = None

    @property
    def clean(self) -> bool:
        """A clean reading frame: whole codons (or a completed stop) and no internal stop."""
        return self.codons > 0 and self.internal_stops == 0 and (self.trailing == 0 or self.stop_completed)
