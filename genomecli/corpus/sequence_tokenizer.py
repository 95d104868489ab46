"""A tokenizer of letters, for one language of a lexicon: what users of Python have in their hands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.errors import InputError

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.corpus.manifest import Molecule
    from genomecli.corpus.tokenizers import Ids, Tokenizer


@dataclass(frozen=True)
class SequenceTokenizer:
    """Letters to ids of a vocabulary, for one language. Made by :func:`genomecli.open_tokenizer`.

    Args:
        lexicon: what the ids mean.
        species: of the language.
        molecule: of the language.
    """

    lexicon: Lexicon
    species: str
    molecule: Molecule

    @property
    def inner(self) -> Tokenizer:
        """The tokenizer of symbols below."""
        return self.lexicon.tokenizer(self.species, self.molecule)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of this language, in the order of their ids, which begin at ``inner.start``."""
        return self.inner.all_words()

    def encode(self, letters: str, *, frame: int = 0) -> Ids:
        """Ids int32[t] of ``letters`` read from offset ``frame``, without [CLS] and [SEP].

        Letters at the end that fill no token are left out; a token with an ambiguous letter is [UNK].

        Raises:
            InputError: for a letter that the alphabet does not have.
        """
        symbols = self.inner.alphabet.encode(letters)
        if wrong := self.inner.alphabet.foreign(symbols, letters):
            raise InputError(f"the text has {wrong}")
        return self.inner.encode(symbols, frame)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words of ``ids``; special tokens by their names, ``?`` for words of another language."""
        specials = self.lexicon.vocabulary.specials
        return [
            specials[i] if 0 <= i < len(specials) else self.inner.word(i - self.inner.start)
            for i in map(int, ids)
        ]
