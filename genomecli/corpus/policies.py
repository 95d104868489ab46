"""What becomes of a coding sequence or a protein that is not plain: pure functions of symbols and settings.

The long records of a genome pass through :mod:`genomecli.corpus.contigs` in pieces instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.settings import PolicySettings
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, INVALID, PROTEIN, STOP, UNKNOWN_RESIDUE, Alphabet, Codes
from genomecli.sequences.codes import GeneticCode

UNKNOWN_BASE = DNA.symbols.index("N")
FIRST_AMBIGUOUS_RESIDUE = PROTEIN.symbols.index("B")
"""B, J, Z and X are ambiguous; U and O, which stand before them, are residues."""

ALIASED = "U read as T"
"""The reason under which letters that DNA knows by another are counted as changed."""


class DroppedError(Exception):
    """A record is dropped by a policy; the text is the reason."""


@dataclass
class Cleaned:
    """A record as it goes into the corpus.

    Attributes:
        symbols: uint8[n], all of it, with symbols changed where a policy says so.
        pieces: what goes into the corpus, as (start, stop) in ``symbols``.
        has_start, has_stop: as in the records table.
        cut: symbols cut out, by reason.
        changed: symbols changed or hidden, by reason.
        seen: what is worth a word but left as it is.
    """

    symbols: Codes
    pieces: list[tuple[int, int]]
    has_start: bool = False
    has_stop: bool = False
    cut: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)


def ambiguous(symbols: Codes, alphabet: Alphabet) -> NDArray[np.bool_]:
    """bool[n]: letters that stand for more than one base or residue. Stops, U and O in proteins do not."""
    if alphabet is PROTEIN:
        letters: NDArray[np.bool_] = (symbols >= FIRST_AMBIGUOUS_RESIDUE) & (symbols != STOP)
        return letters
    return np.greater_equal(symbols, alphabet.canonical)


def readable(
    symbols: Codes,
    soft: Codes | None,
    alphabet: Alphabet,
    policies: PolicySettings,
    changed: dict[str, int],
    where: str,
) -> Codes:
    """Symbols with foreign and hard-masked letters read as N or X, a copy where anything changes.

    Raises:
        InputError: for foreign symbols under ``error``.
        DroppedError: for foreign symbols under ``skip``.
    """
    unknown = UNKNOWN_BASE if alphabet is DNA else UNKNOWN_RESIDUE
    if len(symbols) and symbols.max() == INVALID:
        if policies.foreign == "error":
            raise InputError(
                f"has {alphabet.foreign(symbols)}",
                where=where,
                fix="correct the file, or set tokenize.policies.foreign to mask or skip",
            )
        if policies.foreign == "skip":
            raise DroppedError("foreign symbols")
        foreign = symbols == INVALID
        changed["foreign symbol masked"] = int(foreign.sum())
        symbols = np.where(foreign, np.uint8(unknown), symbols)
    if soft is not None and policies.lower_case == "hard":
        changed["lower case masked"] = int(soft.sum())
        symbols = np.where(soft != 0, np.uint8(unknown), symbols)
    return symbols


def clean_cds(
    symbols: Codes,
    soft: Codes | None,
    code: GeneticCode,
    policies: PolicySettings,
    *,
    where: str,
    partial3: bool = False,
    recoded: frozenset[int] = frozenset(),
) -> Cleaned:
    """Apply the policies to a coding sequence in frame 0.

    Args:
        symbols: uint8[n].
        soft: uint8[n] or None.
        code: how it is read.
        policies: what to do.
        where: file and record, for errors.
        partial3: the gene goes on beyond its end, so a codon that is both sense and stop is sense there.
        recoded: indices of codons that the annotation reads in another way.

    Raises:
        DroppedError: if a policy drops it.
        InputError: if a policy says ``error``.
    """
    result = Cleaned(symbols, [])
    changed = result.changed
    result.symbols = symbols = readable(symbols, soft, DNA, policies, changed, where)
    codons = len(symbols) // 3
    end = _end_after_trailing(result, len(symbols), policies)
    residues = code.translate(symbols[: 3 * codons])
    stops = np.flatnonzero(residues == STOP)
    last = _codon(symbols, codons - 1)
    if codons and last in code.stops and not (partial3 and last in code.dual) and codons - 1 not in recoded:
        result.has_stop = True
        stops = stops[stops < codons - 1]
        if policies.stop_codon == "trim":
            result.cut["stop codon"] = 3
            if end > 3 * codons:  # bases that were kept are no use behind a trimmed stop
                result.cut["trailing bases"] = end - 3 * codons
            end = 3 * (codons - 1)
    internal = [int(i) for i in stops if int(i) not in recoded]
    _internal_stop(result, internal, policies, where, "codon")
    result.has_start = _codon(symbols, 0) in code.starts
    if codons and not result.has_start:
        result.seen.append("no start codon")
    if not result.has_stop:
        result.seen.append("no stop codon")
    result.pieces = _pieces(result, end, DNA, policies, where, unit=3)
    return result


def _codon(symbols: Codes, index: int) -> int:
    if index < 0 or 3 * index + 3 > len(symbols):
        return -1
    a, b, c = (int(base) for base in symbols[3 * index : 3 * index + 3])
    return 16 * a + 4 * b + c if max(a, b, c) < DNA.canonical else -1


def _end_after_trailing(result: Cleaned, length: int, policies: PolicySettings) -> int:
    trailing = length % 3
    if not trailing:
        return length
    if policies.trailing == "skip":
        raise DroppedError("length no multiple of 3")
    if policies.trailing == "keep":
        result.seen.append("trailing bases kept")
        return length
    result.cut["trailing bases"] = trailing
    return length - trailing


def clean_protein(symbols: Codes, soft: Codes | None, policies: PolicySettings, *, where: str) -> Cleaned:
    """Apply the policies to a protein. Raises as :func:`clean_cds`."""
    result = Cleaned(symbols, [])
    result.symbols = symbols = readable(symbols, soft, PROTEIN, policies, result.changed, where)
    end = len(symbols)
    while end and symbols[end - 1] == STOP and policies.stop_codon == "trim":
        end -= 1
    result.has_stop = bool(len(symbols)) and bool(symbols[-1] == STOP)
    if end < len(symbols):
        result.cut["stop"] = len(symbols) - end
    internal = np.flatnonzero(symbols[:end][: end if end < len(symbols) else max(end - 1, 0)] == STOP)
    _internal_stop(result, [int(i) for i in internal], policies, where, "residue")
    result.has_start = bool(end) and bool(symbols[0] == PROTEIN.symbols.index("M"))
    result.pieces = _pieces(result, end, PROTEIN, policies, where, unit=1)
    return result


def _internal_stop(
    result: Cleaned, stops: list[int], policies: PolicySettings, where: str, unit: str
) -> None:
    if not stops:
        return
    if policies.internal_stop == "skip":
        raise DroppedError("internal stop")
    if policies.internal_stop == "error":
        raise InputError(
            f"stops before its end, at {unit} {stops[0] + 1}",
            where=where,
            fix="check the genetic code, or set tokenize.policies.internal_stop to skip or keep",
        )
    result.seen.append("internal stop kept")


def _pieces(
    result: Cleaned, end: int, alphabet: Alphabet, policies: PolicySettings, where: str, unit: int
) -> list[tuple[int, int]]:
    """What is left of ``symbols[:end]`` under the policy for ambiguity; cut at multiples of ``unit``."""
    found = ambiguous(result.symbols[:end], alphabet)
    count = int(found.sum())
    if not count:
        return [(0, end)]
    if policies.ambiguity == "error":
        raise InputError(
            f"{count} ambiguity letter{'s' * (count > 1)}, the first at {int(np.argmax(found)) + 1}",
            where=where,
            fix="set tokenize.policies.ambiguity to mask, split or skip",
        )
    if policies.ambiguity == "skip":
        raise DroppedError("ambiguity letters")
    if policies.ambiguity == "mask":
        result.changed["ambiguity letters hidden"] = count
        return [(0, end)]
    units = np.zeros(-(-end // unit), dtype=bool)
    units[np.flatnonzero(found) // unit] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], units, [True]]).astype(np.int8)))
    pieces = [(int(a) * unit, min(int(b) * unit, end)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    result.cut["ambiguity letters"] = end - sum(b - a for a, b in pieces)
    return pieces


def keep_lengths(pieces: list[tuple[int, int]], shortest: int, longest: int | None) -> list[tuple[int, int]]:
    """The pieces of an allowed length. Raises DroppedError if there were pieces and none is left."""
    right = [(a, b) for a, b in pieces if b - a >= shortest and (longest is None or b - a <= longest)]
    if right:
        return right
    size = max((b - a for a, b in pieces), default=0)
    if size == 0:
        raise DroppedError("empty")
    raise DroppedError("too short" if size < shortest else "too long")
