"""Crops: every place that the texts of one source may be cut from, and the cutting.

A record longer than the context is cut into as many parts as it takes to cover it once, and a text starts at
random within its part, so that each epoch reads all of a record evenly. Genome windows are the same thing:
crops of a contig that start at any base, on either strand. A crop never leaves its record.

n records, U parts of them (units), m texts. Starts are 0-based on the forward strand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import lcm

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.interface import Corpus, Ints
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.reading_settings import Frame, ReadingSettings
from genomecli.corpus.relations import Source
from genomecli.corpus.terminals import CODON, Side, readable_sides
from genomecli.errors import ConfigError

NO_LABEL = -100
"""Frame of a text that has none; not predicted by a classifier."""


@dataclass(frozen=True)
class Texts:
    """Where m texts are cut from, column by column.

    Args:
        source: int64[m], index of the source.
        rows: int64[m], corpus row.
        starts: int64[m], first symbol.
        tokens: int64[m], tokens without special ones.
        reverse: bool[m], read from the other strand.
        frames: int64[m], 0, 1 or 2; ``NO_LABEL`` for protein.
        partners: int64[m], row of the second text of a pair; -1 without.
        partner_starts: int64[m].
        partner_tokens: int64[m]; 0 without a partner.
    """

    source: Ints
    rows: Ints
    starts: Ints
    tokens: Ints
    reverse: NDArray[np.bool_]
    frames: Ints
    partners: Ints
    partner_starts: Ints
    partner_tokens: Ints

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> Ints:
        """int64[m]: tokens with [CLS], [SEP], and the second [SEP] of a pair."""
        return self.tokens + 2 + self.partner_tokens + (self.partners >= 0)

    def take(self, chosen: NDArray[np.int64]) -> Texts:
        """Some of the texts, int64[k]."""
        return Texts(*(getattr(self, field.name)[chosen] for field in fields(self)))


def join_texts(parts: list[Texts]) -> Texts:
    """Texts one after the other."""
    return Texts(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Texts)))


@dataclass(frozen=True)
class Crops:
    """Every place that texts of a source may be cut from.

    Args:
        index: number of the source.
        source: species, molecule and records.
        side: the records that are read first.
        partner: those that are read second, for pairs.
        tokens: int64[n], tokens of each text's first part.
        partner_tokens: int64[n]; zeros without a partner.
        parts: int64[n], texts that it takes to read a record once.
        frame: which frames are read.
        both_strands: whether texts are read from either strand.
        aligned: a pair's texts start at the same codon and residue.
        left_out: records too short, or pairs that disagree in length.
    """

    index: int
    source: Source
    side: Side
    partner: Side | None
    tokens: Ints
    partner_tokens: Ints
    parts: Ints
    frame: Frame
    both_strands: bool
    aligned: bool
    left_out: int

    @property
    def units(self) -> int:
        """Texts in one epoch."""
        return int(self.parts.sum())

    @cached_property
    def owner(self) -> Ints:
        """int64[U]: the record that each unit is a part of."""
        return np.repeat(np.arange(len(self.parts)), self.parts)

    @cached_property
    def part(self) -> Ints:
        """int64[U]: which part of its record a unit is."""
        first = np.cumsum(self.parts) - self.parts
        return np.arange(self.units) - np.repeat(first, self.parts)

    @cached_property
    def lengths(self) -> Ints:
        """int64[U]: tokens of each unit's text, special ones included."""
        pair = 0 if self.partner is None else 1
        return (self.tokens + self.partner_tokens + 2 + pair)[self.owner]

    @property
    def tokens_per_epoch(self) -> int:
        """Tokens of one epoch, special ones included."""
        return int(self.lengths.sum())

    def cut(self, units: Ints, generator: np.random.Generator) -> Texts:
        """A text of each unit, int64[m]."""
        record, count = self.owner[units], len(units)
        place = (self.part[units] + generator.random(count)) / self.parts[record]
        reverse = generator.random(count) < (0.5 if self.both_strands else 0.0)
        offsets, frames = self._offsets(record, place, generator)
        starts = self.side.first[record] + offsets
        span = self.side.symbols(self.tokens)[record]
        mirrored = self.side.first[record] + self.side.usable[record] - offsets - span
        return Texts(
            source=np.full(count, self.index, dtype=np.int64),
            rows=self.side.rows[record],
            starts=np.where(reverse, mirrored, starts),
            tokens=self.tokens[record],
            reverse=reverse,
            frames=frames,
            **self._partner_columns(record, offsets, generator),
        )

    def _offsets(
        self, record: Ints, place: NDArray[np.float64], generator: np.random.Generator
    ) -> tuple[Ints, Ints]:
        """Symbols before each text on the strand that is read, and the frame that it is read in."""
        if self.source.molecule == "protein":
            return self._stepwise(record, place, 0, 1), np.full(len(record), NO_LABEL, dtype=np.int64)
        step = lcm(CODON, self.side.tokenizer.stride)
        if self.frame != "all":
            frames = np.full(len(record), self.frame, dtype=np.int64)
            return self._stepwise(record, place, self.frame, step) + self.frame, frames
        if self.source.molecule == "genome":
            offsets = self._stepwise(record, place, 0, 1)
            return offsets, offsets % CODON
        frames = generator.integers(0, CODON, len(record))
        return self._stepwise(record, place, CODON - 1, step) + frames, frames

    def _stepwise(self, record: Ints, place: NDArray[np.float64], reserve: int, step: int) -> Ints:
        spare = self.side.usable - reserve - self.side.symbols(self.tokens)
        choices = (spare // step + 1)[record]
        chosen: Ints = np.minimum((place * choices).astype(np.int64), choices - 1)
        return chosen * step

    def _partner_columns(
        self, record: Ints, offsets: Ints, generator: np.random.Generator
    ) -> dict[str, Ints]:
        none = np.full(len(record), -1, dtype=np.int64)
        if self.partner is None:
            return {"partners": none, "partner_starts": none + 1, "partner_tokens": none + 1}
        if self.aligned:
            shift = offsets // CODON
        else:
            choices = (self.partner.usable - self.partner_tokens + 1)[record]
            shift = (generator.random(len(record)) * choices).astype(np.int64)
        return {
            "partners": self.partner.rows[record],
            "partner_starts": self.partner.first[record] + shift,
            "partner_tokens": self.partner_tokens[record],
        }


def make_crops(
    index: int, source: Source, corpus: Corpus, lexicon: Lexicon, settings: ReadingSettings
) -> Crops:
    """The crops of a source.

    Raises:
        ConfigError: if pairs are not to be read as codons.
    """
    genome, aligned = source.molecule == "genome", settings.pairs.crop == "aligned"
    frame: Frame = settings.genome_frame if genome else settings.frame
    sides = readable_sides(source, corpus, lexicon, strip=settings.strip)
    side, partner = sides[0], sides[1] if len(sides) > 1 else None
    if partner is not None and (side.tokenizer.k, side.tokenizer.stride) != (CODON, CODON):
        raise ConfigError(["pairs read genes as codons; set tokens.dna to codon"])
    reserve = 0 if source.molecule == "protein" else CODON - 1 if frame == "all" else frame
    counts = side.count(reserve)
    tokens, partner_tokens = _cropped(counts, partner, settings.context, aligned)
    keep = tokens >= settings.min_tokens
    if partner is not None:
        keep &= partner_tokens >= settings.min_tokens
        keep &= (side.usable // CODON == partner.usable) | (not aligned)
    return Crops(
        index=index,
        source=source.take(keep),
        side=side.take(keep),
        partner=None if partner is None else partner.take(keep),
        tokens=tokens[keep],
        partner_tokens=partner_tokens[keep],
        parts=-(-counts[keep] // np.maximum(tokens[keep], 1)),
        frame=frame,
        both_strands=genome and settings.strand == "both",
        aligned=aligned,
        left_out=int((~keep).sum()),
    )


def _cropped(counts: Ints, partner: Side | None, context: int, aligned: bool) -> tuple[Ints, Ints]:
    """Tokens of the first and of the second text, int64[n] each."""
    if partner is None:
        return np.minimum(counts, context - 2), np.zeros_like(counts)
    room = (context - 3) // 2
    first, second = np.minimum(counts, room), np.minimum(partner.count(), room)
    if aligned:
        first = second = np.minimum(first, second)
    return first, second
