"""Letters of a table to codes of an alphabet: DNA or protein, told once for the whole column.

As in ``tokenize``: U is read as T and counted, lower case is read as upper case, IUPAC letters stay what they
are. A letter of another alphabet is a defect of its row. DNA for a protein model, or the reverse, is an error
that names the first row that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA, INVALID, Codes, get_alphabet
from genomecli.sequences.fasta import guess_alphabet
from genomecli.tasks.defects import Defects

SAMPLE = 1 << 20
"""Letters that are looked at to tell DNA from protein."""

_ENOUGH = 60
_FEW = 10
_DNA_LETTERS = frozenset("ACGTUN")
_PROTEIN_ONLY = frozenset("EFILPQ")
_BLANKS = str.maketrans("", "", " \t\r\n")
_NOT_TOLD = str.maketrans("", "", " \t\r\n-*")
_ALPHABET_OF = {"genome": "dna", "cds": "dna", "protein": "protein"}


def choose_alphabet(
    texts: Sequence[str],
    places: Sequence[str],
    *,
    molecule: str,
    model: str | None = None,
    otherwise: str | None = None,
) -> str:
    """What the sequences are: ``dna`` or ``protein``.

    Args:
        texts: letters of each row.
        places: of each row, for the error.
        molecule: the setting: ``auto``, ``genome``, ``cds`` or ``protein``.
        model: the alphabet that the model reads; None if it is not said.
        otherwise: what they are if neither letters nor settings nor the model tell.

    Raises:
        InputError: if the letters contradict the setting or the model, or do not tell.
    """
    seen = guess_letters(texts)
    said = _ALPHABET_OF.get(molecule)
    if said and seen not in ("unclear", said):
        what = f"looks like {seen}, and data.molecule is {molecule}"
        raise InputError(what, where=_first(texts, places, seen), fix="correct data.molecule or the data")
    found = said or (seen if seen != "unclear" else model or otherwise)
    if found is None:
        what = "does not show by its letters whether it is DNA or protein"
        raise InputError(what, where=places[0] if places else None, fix="set data.molecule")
    if model is not None and found != model:
        other = {"dna": "protein", "protein": "DNA"}[model]
        raise InputError(
            f"holds {'DNA' if found == 'dna' else 'protein'}, and the model reads {_shown(model)} only",
            where=_first(texts, places, found),
            fix=f"give a {_shown(model)} table, or a model of {other}",
        )
    return found


def _shown(alphabet: str) -> str:
    return "DNA" if alphabet == "dna" else alphabet


def guess_letters(texts: Sequence[str]) -> str:
    """``dna``, ``protein`` or ``unclear``, by the first letters of many rows.

    Where all letters together do not tell, the rows do: those of A, C, G, T, U and N alone against those with
    a letter that no base is written with, by their letters.
    """
    sample = [text.translate(_NOT_TOLD).upper() for text in _sampled(texts)]
    seen: str = guess_alphabet("".join(sample).encode("ascii", "replace"))
    if seen != "unclear":
        return seen
    dna = sum(len(text) for text in sample if frozenset(text) <= _DNA_LETTERS)
    protein = sum(len(text) for text in sample if looks_protein(text))
    if protein > dna or (protein and not dna):
        return "protein"
    return "dna" if dna >= _FEW and dna > protein else "unclear"


def _sampled(texts: Sequence[str]) -> Iterator[str]:
    """Up to :data:`SAMPLE` letters, spread over the rows."""
    step = max(1, len(texts) // 4096)
    left = SAMPLE
    for text in texts[::step]:
        if left <= 0:
            return
        yield text[:left]
        left -= len(text)


def _first(texts: Sequence[str], places: Sequence[str], seen: str) -> str | None:
    """The place of the first row that shows what the letters are."""
    shows: Callable[[str], bool] = looks_dna if seen == "dna" else looks_protein
    return next((place for text, place in zip(texts, places, strict=True) if shows(text)), places[0])


def looks_dna(text: str) -> bool:
    """Whether a single text is DNA rather than protein: all four bases, and nothing but them, U and N."""
    found = set(text.upper())
    return found >= set("ACG") and bool(found & {"T", "U"}) and found <= _DNA_LETTERS


def looks_protein(text: str) -> bool:
    """Whether a single text has letters that no base is written with."""
    return bool(_PROTEIN_ONLY & set(text.upper()))


@dataclass
class Encoder:
    """Turns texts into codes, row by row, and counts what is worth a word.

    Args:
        alphabet: ``dna`` or ``protein``.
        defects: rows that cannot be used are added here.
        column: its name, for messages.
    """

    alphabet: str
    defects: Defects
    column: str = "sequence"
    aliased: int = 0
    ambiguous: int = 0

    def encode(self, row: int, text: str) -> Codes:
        """Codes of one row, uint8[length]; empty for a row that is a defect."""
        plain = text.translate(_BLANKS)
        if not plain:
            self.defects.add(row, f"empty {self.column}", f"has an empty {self.column}", _FIX)
            return np.zeros(0, dtype=np.uint8)
        alphabet = get_alphabet(self.alphabet)
        codes = alphabet.encode(plain)
        worst = int(codes.max())
        if worst == INVALID:
            self._foreign(row, plain, codes)
            return np.zeros(0, dtype=np.uint8)
        if self.alphabet != "dna" and len(plain) >= _ENOUGH and looks_dna(plain):
            what = f"looks like DNA in a column of proteins ({self.column})"
            self.defects.add(row, "wrong alphabet", what, _FIX)
        self.ambiguous += worst >= alphabet.canonical
        self.aliased += alphabet is DNA and ("U" in plain or "u" in plain)
        return codes

    def _foreign(self, row: int, text: str, codes: Codes) -> None:
        hint = "; it looks like protein" if self.alphabet == "dna" and looks_protein(text) else ""
        what = f"its {self.column} has {get_alphabet(self.alphabet).foreign(codes, text)}{hint}"
        self.defects.add(row, "wrong alphabet", what, _FIX)

    def notes(self) -> list[str]:
        """Sentences on what was changed or is worth a word."""
        said = []
        if self.aliased:
            said.append(f"{self.column}: U is read as T in {self.aliased} rows.")
        if self.ambiguous:
            said.append(f"{self.column}: {self.ambiguous} rows have letters that stand for several.")
        return said


_FIX = "correct the row, or set data.invalid to drop"
