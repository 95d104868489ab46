"""The texts that a run was trained on, read again, so that static baselines learn from what the run saw.

A run's texts are a function of its settings and seed. So its very crops come again, in the order in which it
read them: windows of a genome on both strands and at the offsets of its reading, genes in its frame, its half
of the families, its code-switching. Nothing is masked. Of a pair, the codons and the residues are two texts.

Legend: T tokens, R texts, V words of both languages: the codons, then the amino acids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Integers
from genomecli.analysis.texts import codon_step
from genomecli.analysis.vectors import words_of
from genomecli.corpus.reading_settings import SWITCHED

if TYPE_CHECKING:
    from genomecli.analysis.runs import OpenRun
    from genomecli.corpus.batch import Batch
    from genomecli.corpus.reading_settings import ReadingSettings
    from genomecli.corpus.sampling import Sampler

NOT_A_WORD = -1

Words = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Stream:
    """Texts of one language end to end.

    Args:
        tokens: int16[T], words 0 to V - 1; -1 for what is no word of the species and only holds its place.
        offsets: int64[R + 1], where texts start.
        size: V.
    """

    tokens: Words
    offsets: Integers
    size: int

    def first(self, tokens: int) -> Stream:
        """The texts up to ``tokens`` tokens; the last one may be cut."""
        end = min(tokens, len(self.tokens))
        whole = self.offsets[self.offsets < end]
        return Stream(self.tokens[:end], np.append(whole, end), self.size)

    @property
    def counts(self) -> Integers:
        """int64[V]: occurrences of each word."""
        return np.bincount(self.tokens[self.tokens >= 0], minlength=self.size).astype(np.int64)


@dataclass(frozen=True, eq=False)
class RunTexts:
    """What a run read of one species.

    Args:
        dna: texts of its DNA.
        protein: texts of its proteins.
        tokens: tokens of the run, of all species and special ones included, among which these texts were.
        codons: number of words that are codons; the other words are amino acids.
        mixed: texts of one language hold words of the other (code-switching).
        kind: what the texts are, in words.
    """

    dna: Stream
    protein: Stream
    tokens: int
    codons: int
    mixed: bool
    kind: str

    def first(self, tokens: int) -> tuple[Stream, Stream]:
        """About what the run had read after ``tokens`` tokens, in the proportion of all that it read."""
        share = min(1.0, tokens / max(1, self.tokens))
        dna, protein = (
            stream.first(round(share * len(stream.tokens))) for stream in (self.dna, self.protein)
        )
        return dna, protein


def run_texts(run: OpenRun, species: str, most: int) -> RunTexts:
    """The texts that a run was trained on, of one species.

    Args:
        run: with its reading settings, seed and corpus.
        species: one that it knows in both languages.
        most: stop after this many tokens of the run, or after all that it has seen.

    Raises:
        InputError, ConfigError: if the corpus does not offer what the run was trained on.
    """
    from genomecli.corpus.sampling import Sampler

    lexicon = run.loaded.lexicon
    reading = _fitting(run)
    sampler = Sampler(run.corpus, lexicon, reading, run.seed)
    words = [words_of(lexicon, species, alphabet) for alphabet in ("dna", "protein")]
    table = np.full(lexicon.vocabulary.size, NOT_A_WORD, dtype=np.int16)
    table[np.concatenate(words)] = np.arange(sum(map(len, words)))
    languages = [lexicon.language_id(species, alphabet) for alphabet in ("dna", "protein")]
    steps = (codon_step(lexicon, species), 1)
    parts: tuple[list[Words], list[Words]] = ([], [])
    lengths: tuple[list[Integers], list[Integers]] = ([], [])
    seen = 0
    for batch in _batches(sampler, min(run.tokens, most)):
        seen += batch.real_tokens
        for side in (0, 1):
            tokens, sizes = _texts(batch, languages[side], table, steps[side])
            parts[side].append(tokens)
            lengths[side].append(sizes)
    dna, protein = (_joined(parts[side], lengths[side], sum(map(len, words))) for side in (0, 1))
    return RunTexts(dna, protein, seen, len(words[0]), reading.relation in SWITCHED, text_kind(reading))


def _batches(sampler: Sampler, most: int) -> Iterator[Batch]:
    """The batches of training in order, up to ``most`` tokens, one at least."""
    seen, step = 0, 0
    while True:
        for batch in sampler.step(step):
            if seen and seen + batch.real_tokens > most:
                return
            seen += batch.real_tokens
            yield batch
        step += 1


def _fitting(run: OpenRun) -> ReadingSettings:
    """The run's reading; of a corpus that has more species than the run knows, only those that it knows."""
    if run.reading.species is not None:
        return run.reading
    held = {info.name for info in run.corpus.species}
    known = tuple(name for name in run.loaded.lexicon.species if name in held)
    return run.reading if set(known) == held else run.reading.model_copy(update={"species": known})


def _texts(batch: Batch, language: int, table: Words, step: int) -> tuple[Words, Integers]:
    """Words of a batch's texts of one language, every ``step``-th token from the first, and their lengths.

    The other half of a pair only holds its place.
    """
    languages = batch.languages.numpy()
    rows = (languages == language).any(axis=1)
    words = np.where(languages[rows] == language, table[batch.tokens.numpy()[rows]], np.int16(NOT_A_WORD))
    words = words[:, 1::step]  # without [CLS]
    lengths = -(-(batch.lengths.numpy()[rows] - 1) // step)
    return words[np.arange(words.shape[1]) < lengths[:, None]], lengths


def _joined(parts: list[Words], lengths: list[Integers], size: int) -> Stream:
    tokens = np.concatenate([np.zeros(0, dtype=np.int16), *parts])
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), *lengths]).cumsum()
    return Stream(tokens, offsets.astype(np.int64), size)


def text_kind(reading: ReadingSettings) -> str:
    """What DNA a reading shows, in words."""
    kinds = []
    if "genome" in reading.molecules:
        strands = "both strands" if reading.strand == "both" else "one strand"
        offset = "all offsets" if reading.genome_frame == "all" else f"offset {reading.genome_frame}"
        kinds.append(f"windows of the genome ({strands}, {offset})")
    if "cds" in reading.molecules:
        frame = "all frames" if reading.frame == "all" else f"frame {reading.frame}"
        kinds.append(f"genes in {frame}")
    return " and ".join(kinds) or "no DNA"
