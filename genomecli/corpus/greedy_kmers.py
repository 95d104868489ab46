"""k-mers with single letters where none fits, as Nucleotide Transformer v1 reads DNA.

From left to right, the next k letters are a token if none of them is ambiguous; else the next letter alone is
one. So a stretch between ambiguous letters gives as many k-mers as fit, then its last letters one by one, and
reading begins anew after each ambiguous letter, which is ``unk`` (Dalla-Torre et al. 2024,
doi:10.1038/s41592-024-02523-z).

Tokens are of two lengths, so places do not follow from counts. Whatever counts tokens from letters or letters
from tokens (corpora, scores, labels of bases) is refused; what reads whole sequences is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from genomecli.corpus.tokenizers import Ids, Places, Tokenizer, TokenizerKind, register_tokenizer
from genomecli.errors import ConfigError
from genomecli.sequences.alphabets import Codes

NAME = "greedy"


@dataclass(frozen=True)
class GreedyKmers(Tokenizer):
    """The words of the k-mers come first, then the single letters, both in the order of the alphabet.

    Args:
        stride: equal to ``k``.
    """

    @property
    def uniform(self) -> bool:
        """False: k-mers and single letters."""
        return False

    @property
    def words(self) -> int:
        """Size of its block."""
        return super().words + len(self.letters)

    def all_words(self) -> tuple[str, ...]:
        """All k-mers, then all letters."""
        return (*super().all_words(), *self.letters)

    def word(self, index: int) -> str:
        """The word of an index within the block; ``?`` outside of it."""
        kmers = super().words
        return self.letters[index - kmers] if kmers <= index < self.words else super().word(index)

    def encode(self, symbols: Codes, frame: int = 0) -> Ids:
        """Ids of the tokens of ``symbols`` (uint8[n]) read from offset ``frame``; none are left out."""
        digits = self.digits(symbols)[frame:].astype(np.int32)
        unread = digits >= len(self.letters)
        ends = np.flatnonzero(np.diff(unread, prepend=True, append=True))
        begins, ends = ends[::2], ends[1::2]  # of the stretches without an ambiguous letter
        ids = np.where(unread, np.int32(self.unk), digits + np.int32(self.start + super().words))
        kept = np.ones(len(digits), dtype=bool)
        power = len(self.letters) ** np.arange(self.k - 1, -1, -1, dtype=np.int32)
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            count = (end - begin) // self.k
            stop = begin + count * self.k
            ids[begin : stop : self.k] = digits[begin:stop].reshape(count, self.k) @ power + self.start
            kept[begin:stop] = np.arange(stop - begin) % self.k == 0
        return ids[kept].astype(np.int32, copy=False)

    def places(self, ids: Ids, frame: int = 0) -> Places:
        """Where each of these tokens of one text begins and ends, int64[t] each."""
        kmer = (ids >= self.start) & (ids < self.start + super().words)
        ends = frame + np.cumsum(np.where(kmer, self.k, 1))
        return ends - np.where(kmer, self.k, 1), ends

    @property
    def span(self) -> int:
        """Tokens do not overlap."""
        return 1

    def count(self, symbols: int, frame: int = 0) -> int:
        """Raises ConfigError: it depends on the letters."""
        self._refuse("counting tokens")

    def symbols(self, tokens: int) -> int:
        """Raises ConfigError: it depends on the tokens."""
        self._refuse("counting tokens")

    def encode_rows(self, symbols: Codes) -> Ids:
        """Raises ConfigError: rows would be of different lengths."""
        self._refuse("counting tokens")

    def check_uniform(self, what: str) -> None:
        """Raises ConfigError."""
        self._refuse(what)

    def _refuse(self, what: str) -> NoReturn:
        told = f"{what} needs tokens of one length, and the model's are of {self.k} letters and of one"
        raise ConfigError([f"{told}; it serves embed, finetune and predict of whole sequences"])


register_tokenizer(NAME, TokenizerKind(GreedyKmers))
