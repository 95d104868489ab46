"""Genetic codes as immutable values, from the tables of NCBI as Biopython carries them.

A codon's index is ``16 a + 4 b + c`` with A 0, C 1, G 2, T 3: the index of its non-overlapping 3-mer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import UsageError
from genomecli.sequences.alphabets import DNA, PROTEIN, STOP, UNKNOWN_RESIDUE, Codes

CODONS = tuple(a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT")
"""The 64 codons in the order of their index."""

# The bases that each IUPAC letter stands for, in the order of DNA.symbols.
_RESOLUTIONS = ("A", "C", "G", "T", "ACGT", "AG", "CT", "CG", "AT", "GT", "AC", "CGT", "AGT", "ACT", "ACG")

_MAY_BE = np.array([[base in bases for base in "ACGT"] for bases in _RESOLUTIONS], dtype=np.int16)
"""int16[15, 4]: 1 where a letter of DNA may stand for a base."""

_EITHER = {"DN": "B", "EQ": "Z", "IL": "J"}
"""Two residues that have a letter together."""


def codon_index(text: str) -> int:
    """Index of a codon written with A, C, G, T or U. Raises ValueError for anything else."""
    try:
        return CODONS.index(text.upper().replace("U", "T"))
    except ValueError:
        raise ValueError(f"{text!r} is no codon") from None


@dataclass(frozen=True)
class GeneticCode:
    """One genetic code.

    Args:
        table: NCBI's number.
        name: NCBI's name.
        amino: 64 letters by codon index, ``*`` for a stop; a codon that is both holds its sense letter.
        starts: codons that may start a protein, read as M there.
        dual: codons that are sense inside a gene and stop at its end (tables 27, 28, 31).
    """

    table: int
    name: str
    amino: str
    starts: frozenset[int] = frozenset()
    dual: frozenset[int] = frozenset()

    @cached_property
    def residues(self) -> Codes:
        """uint8[64]: the protein code of each codon's letter."""
        return PROTEIN.encode(self.amino)

    @property
    def sense(self) -> tuple[int, ...]:
        """Codons that stand for an amino acid, in order."""
        return tuple(i for i, letter in enumerate(self.amino) if letter != "*")

    @property
    def stops(self) -> tuple[int, ...]:
        """Codons that can end a gene, those that are both sense and stop included."""
        return tuple(i for i, letter in enumerate(self.amino) if letter == "*" or i in self.dual)

    @property
    def class_key(self) -> str:
        """What tables that differ only in starts or dual stops share: the sense map."""
        return self.amino

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the meaning of any codon."""
        text = f"{self.table}|{self.amino}|{sorted(self.starts)}|{sorted(self.dual)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def synonyms(self, codon: int) -> tuple[int, ...]:
        """The other codons with the same letter."""
        letter = self.amino[codon]
        return tuple(i for i in range(64) if self.amino[i] == letter and i != codon)

    @cached_property
    def _translation(self) -> NDArray[np.uint8]:
        """uint8[15**3]: the residue of every triplet of DNA codes, ambiguity letters included."""
        letters = len(PROTEIN)
        met = np.zeros((4, 4, 4, letters), dtype=np.int16)
        np.put_along_axis(met.reshape(64, letters), self.residues[:, None].astype(np.intp), 1, axis=1)
        for axis in range(3):  # each base in its turn becomes all letters that may stand for it
            met = np.moveaxis(np.tensordot(_MAY_BE, met, (1, axis)), 0, axis)
        read = met.reshape(-1, letters) > 0
        table = np.where(read.sum(axis=1) == 1, read.argmax(axis=1), UNKNOWN_RESIDUE).astype(np.uint8)
        for pair, letter in _EITHER.items():
            either = np.isin(np.arange(letters), PROTEIN.encode(pair))
            table[(read == either).all(axis=1)] = PROTEIN.symbols.index(letter)
        return table

    def translate(self, symbols: Codes, *, cds: bool = False) -> Codes:
        """Translate DNA codes (uint8[n]) to protein codes (uint8[n // 3]); trailing bases are left out.

        A triplet with ambiguity letters is read where all its readings agree (or are D/N, E/Q, I/L),
        otherwise X.

        Args:
            symbols: DNA codes, frame 0.
            cds: a whole gene: its first codon reads M if it may start, and a last stop is left out.
        """
        n = len(symbols) // 3
        size = len(DNA)
        index = symbols[0 : 3 * n : 3].astype(np.intp)
        for place in (1, 2):
            index *= size
            index += symbols[place : 3 * n : 3]
        residues: Codes = self._translation.take(index)
        if not cds or n == 0:
            return residues
        first, last = self._plain_codon(symbols[:3]), self._plain_codon(symbols[3 * n - 3 : 3 * n])
        if first in self.starts:
            residues[0] = PROTEIN.symbols.index("M")
        return residues[:-1] if residues[-1] == STOP or last in self.dual else residues

    @staticmethod
    def _plain_codon(triplet: Codes) -> int:
        a, b, c = (int(base) for base in triplet)
        return 16 * a + 4 * b + c if max(a, b, c) < DNA.canonical else -1


@cache
def genetic_code(table: int) -> GeneticCode:
    """NCBI's genetic code of that number. Raises UsageError naming the known numbers."""
    from Bio.Data import CodonTable

    known = CodonTable.unambiguous_dna_by_id
    if table not in known:
        numbers = ", ".join(map(str, sorted(known)))
        raise UsageError(f"genetic code {table} is not known", fix=f"choose one of {numbers}")
    source = known[table]
    amino = "".join(source.forward_table.get(codon, "*") for codon in CODONS)
    dual = frozenset(CODONS.index(codon) for codon in source.stop_codons if codon in source.forward_table)
    starts = frozenset(CODONS.index(codon) for codon in source.start_codons)
    return GeneticCode(table, source.names[0], amino, starts, dual)


def all_codes() -> tuple[GeneticCode, ...]:
    """Every genetic code of NCBI that Biopython carries, by number."""
    from Bio.Data import CodonTable

    return tuple(genetic_code(table) for table in sorted(CodonTable.unambiguous_dna_by_id))
