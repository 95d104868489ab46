"""Texts: from places in a corpus to a batch of tokens, [CLS] tokens [SEP], without a loop over texts.

A pair reads [CLS] codons [SEP] residues [SEP]. The [SEP] between the two closes the first text and stands at
position 0 of the second, so codon i and residue i share position i + 1, as each would have it in a text of
its own.

B texts, R of them in one tokenizer, L padded length, T tokens of the longest, W symbols of the longest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genomecli.corpus.anchors import Switcher
from genomecli.corpus.batch import Batch
from genomecli.corpus.crops import NO_LABEL, Texts
from genomecli.corpus.interface import Bytes, Corpus, Ints
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.manifest import MOLECULES
from genomecli.corpus.relations import Source
from genomecli.corpus.shards import Column
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import CLS, PAD, SEP

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Parts:
    """Pieces of records that one tokenizer reads.

    Args:
        tokenizer: of all pieces.
        rows: int64[R], in the corpus.
        starts: int64[R], first symbol on the forward strand.
        tokens: int64[R].
        reverse: bool[R], read from the other strand.
    """

    tokenizer: Tokenizer
    rows: Ints
    starts: Ints
    tokens: Ints
    reverse: Bools

    def symbols(self, corpus: Corpus, column: Column = "symbols") -> Bytes:
        """uint8[R, W] as read, reversed and complemented where need be; zeros after the end of a piece."""
        spans = (self.tokens - 1) * self.tokenizer.stride + self.tokenizer.k
        flat, _ = corpus.gather(self.rows, self.starts, spans, column)
        complement = self.tokenizer.alphabet.complement if column == "symbols" else None
        return lay_out(flat, spans, self.reverse, complement)

    def encode(self, corpus: Corpus) -> NDArray[np.int32]:
        """int32[R, T]: ids; anything after the end of a piece."""
        return self.tokenizer.encode_rows(self.symbols(corpus))

    @property
    def in_line(self) -> bool:
        """Whether the ids of all pieces can be read off their symbols end to end: no token shares a symbol
        with another, and none is read backwards."""
        tokenizer = self.tokenizer
        return tokenizer.uniform and tokenizer.k == tokenizer.stride and not self.reverse.any()

    def encode_line(self, corpus: Corpus) -> NDArray[np.int32]:
        """int32[sum of tokens]: ids, one piece after the other; rows are laid out only where they must be.

        Where they need not be, :meth:`Tokenizer.encode` reads all pieces as one; else
        :meth:`Tokenizer.encode_rows` reads them, and both must give the same ids.
        """
        if not self.in_line:
            return self.encode(corpus)[np.arange(int(self.tokens.max())) < self.tokens[:, None]]
        flat, _ = corpus.gather(self.rows, self.starts, self.tokens * self.tokenizer.k)
        return self.tokenizer.encode(flat)

    def softness(self, corpus: Corpus) -> Floats:
        """float32[R, T]: the share of each token's symbols that are soft-masked."""
        soft = self.symbols(corpus, "soft")
        k, stride = self.tokenizer.k, self.tokenizer.stride
        last = (self.tokenizer.count(soft.shape[1]) - 1) * stride + 1
        total = sum(soft[:, offset : offset + last : stride].astype(np.float32) for offset in range(k))
        return np.asarray(total / np.float32(k), dtype=np.float32)


def lay_out(flat: Bytes, spans: Ints, reverse: Bools, complement: Bytes | None = None) -> Bytes:
    """Pieces end to end as rows; reversed ones run backwards.

    Args:
        flat: uint8[sum of spans].
        spans: int64[R], symbols of each piece.
        reverse: bool[R].
        complement: what each symbol becomes in a reversed row; None leaves it.

    Returns:
        uint8[R, W], anything after the end of a piece.
    """
    width = int(spans.max())
    if int(spans.min()) == width:
        laid = flat.reshape(len(spans), width)
    else:
        inside = np.arange(width) < spans[:, None]
        # Reversed rows are written against the right edge, so that turning them puts them at the left.
        inside[reverse] = inside[reverse, ::-1]
        laid = np.zeros(inside.shape, dtype=np.uint8)
        laid[inside] = flat
    if reverse.any():
        turned = laid[reverse, ::-1]
        if complement is not None:
            # bytes.translate is twice as fast as indexing a table.
            table = complement.tobytes().ljust(256, b"\0")
            turned = np.frombuffer(turned.tobytes().translate(table), dtype=np.uint8).reshape(turned.shape)
        laid[reverse] = turned
    return laid


class TextMaker:
    """Makes batches of texts.

    Args:
        corpus: where symbols come from.
        lexicon: how they become tokens.
        sources: what the texts' ``source`` column counts.
        soft_weight: weight of the loss at soft-masked symbols.
        translation: int64[S, V], the residue of each codon, for sources that are translated; see
            :func:`genomecli.corpus.anchors.translation_table`.
    """

    def __init__(
        self,
        corpus: Corpus,
        lexicon: Lexicon,
        sources: Sequence[Source],
        *,
        soft_weight: float = 1.0,
        translation: Ints | None = None,
    ) -> None:
        self.corpus = corpus
        self.soft_weight = soft_weight
        self._translation = translation
        self._translated = np.array([source.translated for source in sources], dtype=np.bool_)
        self._tokenizers = list(lexicon.tokenizers)
        molecules = [source.molecule for source in sources]
        self._species = _column(lexicon.species.index(source.species) for source in sources)
        self._molecule = _column(MOLECULES.index(molecule) for molecule in molecules)
        self._language = _column(lexicon.language_id(s.species, s.molecule) for s in sources)
        self._partner_language = _column(lexicon.language_id(s.species, "protein") for s in sources)
        self._most_language = len(lexicon.languages)
        self._reader = _column(self._number(lexicon, s.species, s.molecule) for s in sources)
        self._partner_reader = _column(
            -1 if s.partners is None else self._number(lexicon, s.species, "protein") for s in sources
        )

    def _number(self, lexicon: Lexicon, species: str, molecule: str) -> int:
        return self._tokenizers.index(lexicon.tokenizer(species, molecule))

    def make(
        self,
        texts: Texts,
        *,
        step: int = -1,
        switcher: Switcher | None = None,
        generator: np.random.Generator | None = None,
    ) -> Batch:
        """The batch of ``texts``.

        Args:
            texts: at least one.
            step: optimiser step, kept in the batch.
            switcher: code-switching; it draws from ``generator``.
            generator: random numbers for the switcher.

        Returns:
            A batch with extras ``species``, ``molecule`` (0 genome, 1 cds, 2 protein), ``frame``, ``coding``
            (1 for a gene in frame 0, 0 for other frames and genome windows; ``NO_LABEL`` where there is
            none), ``strand`` (1 if read in reverse), ``start`` (first symbol) and ``partner`` (row of the
            protein of a pair, or -1), int64[B] each.
        """
        tokens, weights = self._tokens(texts)
        species = self._species[texts.source]
        if switcher is not None:
            assert generator is not None, "a switcher needs random numbers"
            switcher.switch(tokens, species, generator)
        positions, languages, segments = self._places(texts, tokens.shape[1])
        molecule = self._molecule[texts.source]
        extras = {
            "species": species,
            "molecule": molecule,
            "frame": texts.frames,
            "coding": _coding(molecule, texts.frames),
            "strand": texts.reverse.astype(np.int64),
            "start": texts.starts,
            "partner": texts.partners,
        }
        return Batch(
            tokens=torch.from_numpy(tokens),
            lengths=torch.from_numpy(texts.lengths),
            positions=positions,
            languages=languages,
            records=torch.from_numpy(texts.rows),
            segments=segments,
            weights=None if weights is None else torch.from_numpy(weights),
            extras={name: torch.from_numpy(value) for name, value in extras.items()},
            step=step,
            full=int(texts.lengths.min()) == tokens.shape[1],
        )

    def _tokens(self, texts: Texts) -> tuple[Ints, Floats | None]:
        lengths = texts.lengths
        width = int(lengths.max())
        tokens = np.empty((len(texts), width), dtype=np.int64)
        weights = np.ones(tokens.shape, dtype=np.float32) if self.soft_weight < 1 else None
        reader = self._reader[texts.source]
        for number in np.unique(reader).tolist():
            self._write_first(texts, np.flatnonzero(reader == number), number, tokens, weights)
        everyone = np.arange(len(texts))
        paired = np.flatnonzero(texts.partners >= 0)
        if len(paired):
            written = self._translated[texts.source[paired]]
            if written.any():
                self._translate(texts, paired[written], tokens)
            if not written.all():
                self._write_second(texts, paired[~written], tokens, weights)
            tokens[paired, texts.tokens[paired] + 1] = SEP
        tokens[:, 0] = CLS
        tokens[everyone, lengths - 1] = SEP
        if int(lengths.min()) < width:
            tokens[np.arange(width) >= lengths[:, None]] = PAD
        return tokens, weights

    def _write_first(
        self, texts: Texts, chosen: Ints, number: int, tokens: Ints, weights: Floats | None
    ) -> None:
        part = Parts(
            self._tokenizers[number],
            texts.rows[chosen],
            texts.starts[chosen],
            texts.tokens[chosen],
            texts.reverse[chosen],
        )
        where: slice | Ints = slice(None) if len(chosen) == len(texts) else chosen
        longest = int(part.tokens.max())
        if part.in_line and int(part.tokens.min()) < longest:
            _write_where(
                tokens, chosen, _runs(1, part.tokens, tokens.shape[1]), part.encode_line(self.corpus)
            )
        else:
            tokens[where, 1 : 1 + longest] = part.encode(self.corpus)
        if weights is not None:
            weights[where, 1 : 1 + longest] -= (1 - self.soft_weight) * part.softness(self.corpus)

    def _write_second(self, texts: Texts, paired: Ints, tokens: Ints, weights: Floats | None) -> None:
        """The proteins of pairs, after the first [SEP]. Their own tokenizers differ by species only."""
        reader = self._partner_reader[texts.source]
        for number in np.unique(reader[paired]).tolist():
            chosen = paired[reader[paired] == number]
            count = texts.partner_tokens[chosen]
            part = Parts(
                self._tokenizers[number],
                texts.partners[chosen],
                texts.partner_starts[chosen],
                count,
                np.zeros(len(chosen), dtype=np.bool_),
            )
            place = _runs((texts.tokens[chosen] + 2)[:, None], count, tokens.shape[1])
            _write_where(tokens, chosen, place, part.encode_line(self.corpus))
            if weights is not None:
                inside = np.arange(int(count.max())) < count[:, None]
                values = 1 - (1 - self.soft_weight) * part.softness(self.corpus)[inside]
                _write_where(weights, chosen, place, values)

    def _translate(self, texts: Texts, paired: Ints, tokens: Ints) -> None:
        """The second texts that are made of the first: each codon's residue, as it was told."""
        assert self._translation is not None, "translated sources need a translation"
        count = texts.tokens[paired]
        columns = np.arange(int(count.max()))
        inside = columns < count[:, None]
        rows = np.broadcast_to(paired[:, None], inside.shape)[inside]
        first = np.broadcast_to(columns + 1, inside.shape)[inside]
        species = self._species[texts.source[rows]]
        tokens[rows, first + texts.tokens[rows] + 1] = self._translation[species, tokens[rows, first]]

    def _places(self, texts: Texts, width: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Positions, languages and segments, int64[B, L]; views of one row or column where they suffice."""
        language = self._language[texts.source]
        shape = (len(texts), width)
        if not (texts.partners >= 0).any():
            row = torch.arange(width)
            return row.expand(shape), torch.from_numpy(language)[:, None].expand(shape), None
        kind = _narrow(max(width, self._most_language))
        columns = np.arange(width, dtype=kind)
        # A text without a second one has its middle beyond its end.
        middle = np.where(texts.partners >= 0, texts.tokens + 1, width)
        beyond = columns - middle.astype(kind)[:, None]
        second = beyond > 0
        positions = np.minimum(_unsigned(columns), _unsigned(beyond))
        languages = second * (self._partner_language[texts.source] - language).astype(kind)[:, None]
        languages += language.astype(kind)[:, None]
        return _wide(positions), _wide(languages), _wide(second)


def _runs(begin: Ints | int, lengths: Ints, width: int) -> Bools:
    """bool[R, width]: True from ``begin`` (int64[R, 1] or an int) on, in ``lengths`` (int64[R]) columns."""
    kind = _narrow(width)
    columns = np.arange(width, dtype=kind) - np.asarray(begin, dtype=kind)
    inside: Bools = _unsigned(columns) < _unsigned(lengths.astype(kind))[:, None]
    return inside


def _narrow(largest: int) -> np.dtype[Any]:
    """A signed kind for numbers from minus ``largest`` to it: what is narrow is quick to go through."""
    return np.dtype(np.int16 if largest < 1 << 15 else np.int64)


def _wide(values: NDArray[Any]) -> Tensor:
    """The same numbers as an int64 tensor."""
    return torch.from_numpy(values.astype(np.int64))


def _unsigned(values: NDArray[Any]) -> NDArray[Any]:
    """The same bits without a sign: what is below 0 becomes huge, so that a minimum passes over it, and one
    comparison with an upper bound asks for both bounds."""
    return values.view(np.dtype(f"u{values.itemsize}"))


def _write_where(table: NDArray[np.generic], rows: Ints, place: Bools, values: NDArray[np.generic]) -> None:
    """Write ``values``, row by row, where ``place`` (bool[R, W]) is True in these rows of ``table``."""
    if len(rows) == len(table):
        table[place] = values
        return
    part = table[rows]
    part[place] = values
    table[rows] = part


def _column(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _coding(molecule: Ints, frames: Ints) -> Ints:
    gene = (molecule == MOLECULES.index("cds")) & (frames == 0)
    return np.where(molecule == MOLECULES.index("protein"), NO_LABEL, gene.astype(np.int64))
