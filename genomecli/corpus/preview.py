"""The first records of a corpus as tokens, as a model will read them."""

from __future__ import annotations

from dataclasses import dataclass

from genomecli.corpus.store import CorpusReader

WIDTH = 24
"""Tokens shown of a record."""


@dataclass(frozen=True)
class Preview:
    """One record: what it is, and its first tokens by text and id."""

    species: str
    molecule: str
    id: str
    split: str
    length: int
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    more: int

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {**vars(self), "tokens": list(self.tokens), "ids": list(self.ids)}


def preview(corpus: CorpusReader, count: int, *, width: int = WIDTH) -> list[Preview]:
    """The first ``count`` records of every group, ``width`` tokens of each, frame 0.

    Raises:
        InputError: if the corpus is damaged.
    """
    shown: list[Preview] = []
    for group in corpus.groups:
        tokenizer = corpus.lexicon.tokenizer(group.species, group.molecule)
        table = corpus.records(group.species, group.molecule)[:count]
        for row, name, split, length in zip(
            table.row.tolist(), table.id, table.split, table.length.tolist(), strict=True
        ):
            symbols = corpus.symbols(row, 0, min(tokenizer.symbols(width), length))
            ids = tokenizer.encode(symbols)
            texts = tuple(corpus.lexicon.vocabulary.text(int(number)) for number in ids)
            more = tokenizer.count(length) - len(ids)
            shown.append(
                Preview(group.species, group.molecule, name, split, length, texts, tuple(ids.tolist()), more)
            )
    return shown
