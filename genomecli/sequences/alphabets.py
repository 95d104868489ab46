"""Alphabets as immutable values: which letters a molecule is written in, and their one-byte codes.

Codes are what the store keeps, one byte a symbol. The canonical letters come first, so a code below
``canonical`` is an unambiguous base or residue, and arithmetic on codes gives k-mers directly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

INVALID = 255
"""The code of a byte that no alphabet writes."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Alphabet:
    """Letters with one-byte codes.

    Args:
        name: ``dna``, ``protein``, or a registered name.
        symbols: the letters in the order of their codes, upper case.
        canonical: how many of them, from the start, are unambiguous.
        aliases: pairs of a letter and the one that it is read as, such as ``("U", "T")`` in DNA.
        pairs: complementary letters, ``"AT CG ..."``; empty where there is no complement.
    """

    name: str
    symbols: str
    canonical: int
    aliases: tuple[tuple[str, str], ...] = ()
    pairs: str = ""

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def encode_table(self) -> bytes:
        """256 bytes: the code of each byte, in either case; ``INVALID`` for others."""
        table = bytearray([INVALID]) * 256
        letters = [(letter, letter) for letter in self.symbols] + list(self.aliases)
        for letter, meaning in letters:
            code = self.symbols.index(meaning)
            table[ord(letter)] = code
            table[ord(letter.lower())] = code
        return bytes(table)

    @cached_property
    def alias_table(self) -> bytes:
        """256 bytes: 1 for letters that are read as another, in either case."""
        table = bytearray(256)
        for letter, _ in self.aliases:
            table[ord(letter)] = table[ord(letter.lower())] = 1
        return bytes(table)

    @cached_property
    def alias_letters(self) -> tuple[bytes, ...]:
        """The letters that are read as another, in either case."""
        return tuple(bytes([byte]) for byte, aliased in enumerate(self.alias_table) if aliased)

    @cached_property
    def _decode_table(self) -> bytes:
        return self.symbols.encode().ljust(256, b"?")

    @cached_property
    def complement(self) -> Codes | None:
        """uint8[len(self)]: the complement of each code, or None."""
        if not self.pairs:
            return None
        table = np.arange(len(self), dtype=np.uint8)
        for pair in self.pairs.split():
            left, right = (self.symbols.index(letter) for letter in pair)
            table[left], table[right] = right, left
        table.setflags(write=False)
        return table

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the meaning of any code."""
        text = f"{self.name}|{self.symbols}|{self.canonical}|{self.aliases}|{self.pairs}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def encode(self, text: bytes | str) -> Codes:
        """Codes of ``text``, uint8[n], read-only; letters of other alphabets become ``INVALID``."""
        raw = text.encode("latin-1", "replace") if isinstance(text, str) else text
        return np.frombuffer(raw.translate(self.encode_table), dtype=np.uint8)

    def decode(self, codes: Codes, soft: Codes | None = None) -> str:
        """The letters of ``codes`` (uint8[n]); lower case where ``soft`` (uint8[n]) is set."""
        raw = np.frombuffer(codes.tobytes().translate(self._decode_table), dtype=np.uint8)
        if soft is not None:
            raw = raw | np.left_shift(soft, 5, dtype=np.uint8)
        return raw.tobytes().decode("ascii")

    def foreign(self, codes: Codes, text: str = "") -> str:
        """What is wrong with ``codes`` (uint8[n]) that hold ``INVALID``, in words; empty if none does.

        Args:
            codes: of letters of which some may be foreign.
            text: the letters, if they are at hand.
        """
        wrong = np.flatnonzero(codes == INVALID)
        if not len(wrong):
            return ""
        return self.foreign_letters(len(wrong), int(wrong[0]), text[wrong[0]] if text else "")

    def foreign_letters(self, count: int, first: int, letter: str = "") -> str:
        """In words: ``count`` letters, 1 or more, are not of it, the first at ``first``, from 0."""
        letters = "a letter that is" if count == 1 else f"{count} letters that are"
        begin = "first " if count > 1 else ""
        shown = f"{letter!r} " if letter else ""
        return f"{letters} not {self.title}, {begin}{shown}at {first + 1}"

    @property
    def title(self) -> str:
        """Its name as it is written in a sentence."""
        return self.name.upper() if self.name == "dna" else self.name

    def reverse_complement(self, codes: Codes) -> Codes:
        """The other strand, read 5' to 3'; uint8[n] of uint8[n], none of them ``INVALID``.

        Raises:
            ValueError: for an alphabet without complements.
        """
        if self.complement is None:
            raise ValueError(f"{self.name} has no complement")
        return self.complement[codes[::-1]]


DNA = Alphabet("dna", "ACGT" + "NRYSWKMBDHV", canonical=4, aliases=(("U", "T"),), pairs="AT CG RY KM BV DH")
"""Four bases, then the IUPAC ambiguity letters; U is read as T."""

PROTEIN = Alphabet("protein", "ACDEFGHIKLMNPQRSTVWY" + "UOBJZX" + "*", canonical=20)
"""Twenty residues; then selenocysteine, pyrrolysine, the ambiguity letters, and the stop."""

STOP = PROTEIN.symbols.index("*")
METHIONINE = PROTEIN.symbols.index("M")
UNKNOWN_RESIDUE = PROTEIN.symbols.index("X")

_REGISTRY = {alphabet.name: alphabet for alphabet in (DNA, PROTEIN)}


def register_alphabet(alphabet: Alphabet) -> None:
    """Make ``alphabet`` known by its name. Raises ValueError if another has that name."""
    known = _REGISTRY.setdefault(alphabet.name, alphabet)
    if known != alphabet:
        raise ValueError(f"alphabet {alphabet.name!r} is already registered with other symbols")


def get_alphabet(name: str) -> Alphabet:
    """The registered alphabet of that name. Raises KeyError."""
    return _REGISTRY[name]
