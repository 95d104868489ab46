"""Simple models on the same validation tokens as the network: what it must beat to be worth its training.

A unigram, an interpolated 5-gram that reads from the left, and a model of two neighbours on either side are
fitted on the training texts and scored at the positions that validation masks. They see their neighbours
unmasked, so they are if anything favoured.

Shapes: B texts, L padded length, T tokens of all texts end to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.batch import IGNORE, Batch
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.ngram import ContextModel, fit_masked_context, fit_ngram
from genomecli.errors import InputError
from genomecli.runtime import log

Ints = NDArray[np.int64]

TRAINING_TOKENS = 4_000_000
"""Most training tokens of a source that the simple models are fitted on."""


@dataclass(frozen=True)
class Yardstick:
    """Simple models of one language.

    Args:
        perplexities: by name of the model; absent where it cannot be had.
        fitted_on: training tokens.
        scored_on: masked validation tokens.
    """

    perplexities: Mapping[str, float] = field(default_factory=dict)
    fitted_on: int = 0
    scored_on: int = 0


Yardsticks = Mapping[str, Yardstick]
"""By language, ``ecoli/dna``."""


@dataclass(frozen=True)
class Stream:
    """All texts of one language end to end.

    Args:
        tokens: int64[T], index within the language's block; -1 for anything else, which is only a neighbour.
        offsets: int64[texts + 1].
        chosen: int64[n], positions that validation masks.
    """

    tokens: Ints
    offsets: Ints
    chosen: Ints


def collect_stream(
    batches: Sequence[Batch], masked: Sequence[Batch] | None, lexicon: Lexicon, language: int
) -> Stream:
    """One language's texts of some batches.

    Args:
        batches: unmasked.
        masked: the same batches with targets, or None.
        lexicon: of the batches.
        language: its id.
    """
    species, molecule = lexicon.languages[language].rsplit("/", 1)
    block = lexicon.block(species, molecule)
    tokens: list[Ints] = [np.zeros(0, np.int64)]
    lengths: list[Ints] = [np.zeros(0, np.int64)]
    chosen: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    for place, batch in enumerate(batches):
        mine = (batch.languages == language) & batch.mask_BL
        rows = mine.any(dim=1)
        if not rows.any():
            continue
        kept = batch.mask_BL[rows]
        ids = batch.tokens[rows][kept].numpy()
        inside = mine[rows][kept].numpy() & (ids >= block.start) & (ids < block.stop)
        tokens.append(np.where(inside, ids - block.start, -1))
        lengths.append(batch.lengths[rows].numpy())
        targets = None if masked is None else masked[place].targets
        if targets is not None:
            chosen.append((targets[rows][kept] != IGNORE).numpy() & inside)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    return Stream(np.concatenate(tokens), offsets, np.flatnonzero(np.concatenate(chosen)))


def measure_yardsticks(
    training: Iterable[Batch], validation: Sequence[Batch], masked: Sequence[Batch], lexicon: Lexicon
) -> dict[str, Yardstick]:
    """Fit the simple models and score them, language by language; those without masked tokens are left out.

    Args:
        training: unmasked texts that do not overlap: a place seen twice would make long contexts look good.
        validation: unmasked texts.
        masked: the same texts with targets.
        lexicon: of all of them.
    """
    fitted = list(training)
    found = {}
    for language, name in enumerate(lexicon.languages):
        if not lexicon.written[language]:
            continue
        scored = collect_stream(validation, masked, lexicon, language)
        known = collect_stream(fitted, None, lexicon, language)
        if len(scored.chosen) and (known.tokens >= 0).any():
            size = len(lexicon.block(*name.rsplit("/", 1)).tokens)
            perplexities = {
                key: model.perplexity(scored.tokens, scored.offsets, scored.chosen)
                for key, model in _models(known, size, name).items()
            }
            perplexities = {key: value for key, value in perplexities.items() if np.isfinite(value)}
            found[name] = Yardstick(perplexities, int((known.tokens >= 0).sum()), len(scored.chosen))
    return found


def _models(known: Stream, size: int, language: str) -> dict[str, ContextModel]:
    models = {"unigram": fit_ngram(known.tokens, known.offsets, size, 1)}
    try:
        models["5-gram"] = fit_ngram(known.tokens, known.offsets, size, 5)
        models["neighbours"] = fit_masked_context(known.tokens, known.offsets, size, 2)
    except InputError as error:
        log.warning("%s: no 5-gram beside the network: %s", language, error)
    return models


def compare(languages: Mapping[str, Mapping[str, float | None]], yardsticks: Yardsticks) -> dict[str, Any]:
    """The network's figures by language, each with the simple models' perplexities under ``yardsticks``."""
    return {
        name: {**figures, "yardsticks": dict(yardsticks[name].perplexities) if name in yardsticks else {}}
        for name, figures in languages.items()
    }


def beaten_by(
    languages: Mapping[str, Mapping[str, float | None]], yardsticks: Yardsticks
) -> dict[str, list[str]]:
    """Simple models whose perplexity is no higher than the network's, by language; others are left out.

    A network whose perplexity is no number (None, as it is written) is beaten by all.
    """
    found = {}
    for name, figures in languages.items():
        peers = yardsticks[name].perplexities if name in yardsticks else {}
        own = figures["perplexity"]
        better = [peer for peer, value in peers.items() if own is None or not value > own]
        if better:
            found[name] = better
    return found
