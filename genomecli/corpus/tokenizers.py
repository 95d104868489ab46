"""Tokenizers: how the symbols of a molecule become ids of the vocabulary.

All are k-mers over an alphabet: ``base`` and ``amino_acid`` are k 1, ``codon`` is k 3 with stride 3, and
``kmer`` takes any k and stride. The reading frame is an argument of :meth:`Tokenizer.encode`, not of the
tokenizer: the same words read from another offset are the same words.

A new one is a subclass in a file of its own and one line in :data:`TOKENIZERS`; one that reads groups of
symbols as one letter (a reduced alphabet) overrides :attr:`Tokenizer.letters` and :meth:`Tokenizer.digits`.
Batches are read by :meth:`Tokenizer.encode` or by :meth:`Tokenizer.encode_rows`, whichever is faster, so the
two must agree on every row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.vocabulary import UNK
from genomecli.errors import ConfigError
from genomecli.sequences.alphabets import Alphabet, Codes, get_alphabet

Ids = NDArray[np.int32]
Places = tuple[NDArray[np.int64], NDArray[np.int64]]
"""First symbol of each token, and one past its last."""

BLOCK = 1 << 17
"""Tokens made at a time: intermediate arrays of this many elements stay in the second-level cache."""


@dataclass(frozen=True)
class Tokenizer:
    """k-mers of an alphabet, ids counted from ``start``.

    Args:
        alphabet_name: name of a registered alphabet.
        k: symbols a token, 1 to 8.
        stride: symbols from one token's start to the next; less than k overlaps.
        start: id of the first word of the block.
        unk: id of a k-mer with an ambiguous symbol.
    """

    alphabet_name: str
    k: int
    stride: int
    start: int
    unk: int = UNK

    @property
    def alphabet(self) -> Alphabet:
        """The alphabet it reads."""
        return get_alphabet(self.alphabet_name)

    @property
    def letters(self) -> str:
        """What its words are written in, in the order of their digits."""
        return self.alphabet.symbols[: self.alphabet.canonical]

    def digits(self, symbols: Codes) -> Codes:
        """The digit of each symbol: uint8 of the same shape, ``len(letters)`` or more where ambiguous."""
        return symbols

    @property
    def uniform(self) -> bool:
        """Whether all tokens are k symbols long, ``stride`` from each other."""
        return True

    def check_uniform(self, what: str) -> None:
        """Raise ConfigError where tokens are of several lengths, naming ``what`` needs them of one."""

    @property
    def words(self) -> int:
        """Size of its block."""
        return int(len(self.letters) ** self.k)

    def all_words(self) -> tuple[str, ...]:
        """Its words in the order of their index, the first letter varying slowest."""
        return tuple("".join(letters) for letters in product(self.letters, repeat=self.k))

    @property
    def span(self) -> int:
        """Tokens that share a symbol with a token, itself and those after it: 1 without overlap."""
        return -(-self.k // self.stride)

    def count(self, symbols: int, frame: int = 0) -> int:
        """Number of tokens in ``symbols`` symbols read from offset ``frame``."""
        return max(0, (symbols - frame - self.k) // self.stride + 1)

    def symbols(self, tokens: int) -> int:
        """Number of symbols that ``tokens`` tokens span."""
        return 0 if tokens <= 0 else (tokens - 1) * self.stride + self.k

    def encode(self, symbols: Codes, frame: int = 0) -> Ids:
        """Ids of the tokens of ``symbols`` (uint8[n]) read from offset ``frame``: int32[count(n, frame)].

        Symbols at the end that fill no token are left out. A token with an ambiguous symbol is ``unk``.
        """
        total = self.count(len(symbols), frame)
        ids = np.empty(total, dtype=np.int32)
        for begin in range(0, total, BLOCK):
            end = min(begin + BLOCK, total)
            first = frame + begin * self.stride
            piece = symbols[first : first + self.symbols(end - begin)]
            self._encode_block(piece, ids[begin:end])
        return ids

    def places(self, ids: Ids, frame: int = 0) -> Places:
        """Where each of these tokens of one text, read from ``frame``, begins and ends, int64[t] each."""
        begins = frame + self.stride * np.arange(len(ids))
        return begins, begins + self.k

    def encode_rows(self, symbols: Codes) -> Ids:
        """Ids of every row of ``symbols`` (uint8[R, W], W at least k), as :meth:`encode` has them:
        int32[R, count(W)]."""
        rows, width = symbols.shape
        ids = np.empty((rows, self.count(width)), dtype=np.int32)
        height = max(1, BLOCK // max(1, ids.shape[1]))
        for begin in range(0, rows, height):
            self._encode_block(symbols[begin : begin + height], ids[begin : begin + height])
        return ids

    def _encode_block(self, symbols: Codes, out: Ids) -> None:
        base = len(self.letters)
        symbols = self.digits(symbols)
        last = (out.shape[-1] - 1) * self.stride + 1
        letters = [symbols[..., offset : offset + last : self.stride] for offset in range(self.k)]
        out[...] = letters[0]
        for letter in letters[1:]:
            out *= base
            out += letter
        out += self.start
        if symbols.size and symbols.max() >= base:
            worst = letters[0]
            for letter in letters[1:]:
                worst = np.maximum(worst, letter)
            out[worst >= base] = self.unk

    def decode(self, ids: Ids) -> list[str]:
        """The words of ``ids``; ``?`` for ids outside the block."""
        return [self.word(int(number) - self.start) for number in ids]

    def word(self, index: int) -> str:
        """The word of an index within the block; ``?`` outside of it."""
        if not 0 <= index < self.words:
            return "?"
        letters = []
        for _ in range(self.k):
            index, digit = divmod(index, len(self.letters))
            letters.append(self.letters[digit])
        return "".join(reversed(letters))


class TokenizerKind(NamedTuple):
    """A name's meaning.

    Args:
        make: the class.
        k: symbols a token; None where the user chooses.
        stride: symbols from token to token; None where the user chooses.
    """

    make: type[Tokenizer]
    k: int | None = None
    stride: int | None = None


TOKENIZERS: dict[str, TokenizerKind] = {
    "codon": TokenizerKind(Tokenizer, 3, 3),
    "kmer": TokenizerKind(Tokenizer),
    "base": TokenizerKind(Tokenizer, 1, 1),
    "amino_acid": TokenizerKind(Tokenizer, 1, 1),
}
"""Names of tokenizers. A new one is one line here, or one call from outside."""


def register_tokenizer(name: str, kind: TokenizerKind) -> None:
    """Make ``tokens.dna: NAME`` mean ``kind``. Raises ValueError if the name has another meaning."""
    if TOKENIZERS.setdefault(name, kind) != kind:
        raise ValueError(f"tokenizer {name!r} is already registered; choose another name")


def build_tokenizer(name: str, alphabet: str, start: int, k: int = 1, stride: int = 1) -> Tokenizer:
    """The tokenizer of that name; ``k`` and ``stride`` count where the name leaves them open.

    Raises:
        ConfigError: if the name is not registered.
    """
    if name not in TOKENIZERS:
        raise ConfigError([f"unknown tokens {name!r}; registered are {', '.join(TOKENIZERS)}"])
    kind = TOKENIZERS[name]
    return kind.make(alphabet, kind.k or k, kind.stride or stride, start)


def tokenizer_to_dict(tokenizer: Tokenizer, name: str) -> dict[str, Any]:
    """Plain values for JSON, with the registered name."""
    return {"kind": name, **asdict(tokenizer)}


def tokenizer_from_dict(values: dict[str, Any]) -> Tokenizer:
    """The inverse of :func:`tokenizer_to_dict`. Raises ConfigError if its kind is not registered."""
    name = values["kind"]
    if name not in TOKENIZERS:
        raise ConfigError([f"tokens {name!r} are not registered here; known are {', '.join(TOKENIZERS)}"])
    return TOKENIZERS[name].make(**{key: value for key, value in values.items() if key != "kind"})
