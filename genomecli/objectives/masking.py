"""Masking: which positions are hidden, what stands there instead, and which are to be predicted. Pure numpy.

After BERT (Devlin et al. 2018): a share of the tokens is chosen, and of these 80 % become [MASK], 10 % a
random token, 10 % stay as they are. Special tokens, [UNK] among them, are never chosen and never put in.

Overlapping k-mers need more, since a masked token can be read from its neighbours. Let s = ceil(k / stride),
the tokens that share a symbol. There, whole runs of ``run`` tokens are chosen (at least 2 s - 1), one fate is
drawn for each stretch of touching runs, and of a stretch only those tokens are predicted whose s - 1
neighbours on either side are chosen too: none of their symbols is in any token that still shows.
By default a run has 3 s - 2 tokens, s of them predicted.

B texts, L length, V vocabulary, n chosen positions. Positions may be told apart by span, int64[B, L].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.batch import IGNORE
from genomecli.corpus.vocabulary import MASK, Vocabulary

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MaskingPolicy:
    """How tokens are masked.

    Args:
        rate: share of the biological tokens that is chosen.
        mask_share: of the chosen, the share that becomes [MASK].
        random_share: of the chosen, the share that becomes a random token; the rest stays.
        replacements: random tokens come from the token's own block, or from all blocks (``joint``).
        exact: choose round(rate * n) positions of each text, at least one, instead of drawing each by itself.
        run: tokens of a run where tokens overlap; None for 3 s - 2.
    """

    rate: float = 0.15
    mask_share: float = 0.8
    random_share: float = 0.1
    replacements: Literal["own", "joint"] = "own"
    exact: bool = False
    run: int | None = None

    def run_length(self, span: int) -> int:
        """Tokens of a run for tokens of that span: 1 where they do not overlap."""
        if span == 1:
            return 1
        return max(2 * span - 1, 3 * span - 2 if self.run is None else self.run)


def mask_tokens(
    tokens: Ints,
    vocabulary: Vocabulary,
    policy: MaskingPolicy,
    generator: np.random.Generator,
    *,
    spans: Ints | int = 1,
    rows: Bools | None = None,
) -> tuple[Ints, Ints]:
    """Mask a batch.

    Args:
        tokens: int64[B, L].
        vocabulary: whose special ids come first.
        policy: how.
        generator: random numbers; their use depends on the shape of ``tokens``.
        spans: tokens that share a symbol, for all positions or for each, int64[B, L]; ids of one language
            follow one another.
        rows: bool[B], the texts that are masked; all by default.

    Returns:
        The corrupted tokens, int64[B, L], and the targets, int64[B, L]: the true id, or ``IGNORE``. Each
        masked text with a biological token has a target.
    """
    free = tokens >= len(vocabulary.specials)
    if rows is not None:
        free &= rows[:, None]
    corrupted, targets = tokens.copy(), np.full(tokens.shape, IGNORE, dtype=np.int64)
    old = tokens.ravel()
    for span in [spans] if isinstance(spans, int) else np.flatnonzero(np.bincount(spans[free])).tolist():
        mine = free if isinstance(spans, int) else free & (spans == span)
        if span == 1:
            chosen = predicted = np.flatnonzero(choose_single(mine, policy, generator))
            fates = generator.random(len(chosen), dtype=np.float32)
        else:
            chosen, predicted, fates = choose_runs(mine, span, policy, generator)
        corrupted.ravel()[chosen] = _replace(old[chosen], fates, vocabulary, policy, generator)
        targets.ravel()[predicted] = old[predicted]
    return corrupted, targets


def choose_single(free: Bools, policy: MaskingPolicy, generator: np.random.Generator) -> Bools:
    """bool[B, L]: positions chosen one by one among ``free``, bool[B, L]; of a text with any at least one."""
    if policy.exact:
        draws = np.where(free, generator.random(free.shape), 2.0)
        wanted = np.maximum(1, np.rint(policy.rate * free.sum(axis=1))).astype(np.int64)
        limit = np.take_along_axis(np.sort(draws, axis=1), wanted[:, None] - 1, axis=1)
        return free & (draws <= limit)
    drawn = _draws(free.shape, generator)
    chosen = (drawn < round(policy.rate * _DRAWS)) & free
    lacking = np.flatnonzero(~chosen.any(axis=1))
    if len(lacking):
        lacking = lacking[free[lacking].any(axis=1)]
        # The smallest draw is at a place as random as any.
        chosen[lacking, np.where(free[lacking], drawn[lacking].astype(np.int64), _DRAWS).argmin(axis=1)] = (
            True
        )
    return chosen


_DRAWS = 1 << 16

_FEW = 200
"""Of ``_DRAWS``: below it, whole numbers of draws come no nearer to a chance than a quarter of a percent."""


def _draws(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.uint16]:
    """uint16 of that shape, evenly from 0 to 65535: four from each word of the generator, for speed."""
    total = int(np.prod(shape))
    raw = generator.bit_generator.random_raw(-(-total // 4))
    return np.asarray(raw, dtype="<u8").view("<u2")[:total].reshape(shape)


def choose_runs(
    free: Bools, span: int, policy: MaskingPolicy, generator: np.random.Generator
) -> tuple[Ints, Ints, Floats]:
    """Choose runs of overlapping tokens among ``free`` (bool[B, L]).

    Args:
        free: positions that may be chosen.
        span: of the tokenizer: a token, and those after it that share a symbol with it.
        policy: share, length of runs and whether the share is exact.
        generator: source of randomness.

    Returns:
        Flat places to corrupt, int64[n]; those of them to predict, int64[p]; and the fate of each of the
        former, float32[n] in [0, 1), one value for a stretch of touching runs.
    """
    # What is not free shows nothing: special tokens, other languages, and tokens that are unknown themselves.
    covered = _cover(free, policy.run_length(span), policy, generator)
    predicted = _far_from(free & ~covered, span - 1) & free
    lacking = np.flatnonzero(~predicted.any(axis=1) & free.any(axis=1))
    if len(lacking):
        draws = np.where(free[lacking], generator.random((len(lacking), free.shape[1])), -1.0)
        centre = draws.argmax(axis=1)[:, None]
        covered[lacking] |= np.abs(np.arange(free.shape[1]) - centre) < span
        predicted = _far_from(free & ~covered, span - 1) & free
    first = covered.copy()
    first[:, 1:] &= ~covered[:, :-1]
    places = np.flatnonzero(covered)
    stretch = np.cumsum(first.ravel()[places]) - 1
    drawn = generator.random(int(stretch[-1]) + 1 if len(stretch) else 0, dtype=np.float32)
    mine = free.ravel()[places]
    return places[mine], np.flatnonzero(predicted & covered), drawn[stretch[mine]]


def _cover(free: Bools, run: int, policy: MaskingPolicy, generator: np.random.Generator) -> Bools:
    """bool[B, L]: positions within runs that begin at random, a share ``rate`` of them on average.

    Runs may begin before the first column, so that the first tokens are covered as often as the others.
    """
    if policy.exact:
        draws = np.where(free, generator.random(free.shape), 2.0)
        wanted = np.maximum(1, np.rint(policy.rate * free.sum(axis=1) / run)).astype(np.int64)
        limit = np.take_along_axis(np.sort(draws, axis=1), wanted[:, None] - 1, axis=1)
        starts = np.zeros((free.shape[0], free.shape[1] + run - 1), dtype=np.bool_)
        starts[:, : free.shape[1]] = free & (draws <= limit)
        return _dilate(starts, run)[:, : free.shape[1]]
    chance = 1 - (1 - policy.rate) ** (1 / run)
    shape = (free.shape[0], free.shape[1] + run - 1)
    if chance * _DRAWS < _FEW:
        return _dilate(generator.random(shape, dtype=np.float32) < chance, run)[:, run - 1 :]
    return _dilate(_draws(shape, generator) < round(chance * _DRAWS), run)[:, run - 1 :]


def _dilate(starts: Bools, run: int) -> Bools:
    """bool[B, W]: positions that a run of ``run`` tokens from any start covers.

    Rows are taken as one line, twice as fast: a run that does not end in its row goes on in the first
    ``run - 1`` columns of the next.
    """
    covered, reach = starts.ravel().copy(), 1
    while reach < run:  # what covers the last ``reach`` positions covers twice as many, moved by as many
        step = min(reach, run - reach)
        moved = covered[:-step].copy()
        covered[step:] |= moved
        reach += step
    return covered.reshape(starts.shape)


def _far_from(shown: Bools, reach: int) -> Bools:
    """bool[B, L]: positions that have none of ``shown`` (bool[B, L]) within ``reach`` of them."""
    length = shown.shape[1]
    line = np.zeros((shown.shape[0], length + 2 * reach), dtype=np.bool_)
    line[:, :length] = shown
    far: Bools = ~_dilate(line, 2 * reach + 1)[:, reach : reach + length]
    return far


def _replace(
    old: Ints,
    fates: Floats,
    vocabulary: Vocabulary,
    policy: MaskingPolicy,
    generator: np.random.Generator,
) -> Ints:
    """What stands at the chosen positions, int64[n]: [MASK], a random token, or the old one, by ``fates``."""
    masked = fates < policy.mask_share
    new = np.where(masked, np.int64(MASK), old)
    # Places and not a mask: writing by random bits takes 1.5 times as long for 10,000 positions, 4 times for
    # 100,000.
    random = np.flatnonzero((fates < policy.mask_share + policy.random_share) & ~masked)
    new[random] = random_tokens(old[random], vocabulary, policy.replacements, generator)
    return new


def random_tokens(
    old: Ints, vocabulary: Vocabulary, replacements: str, generator: np.random.Generator
) -> Ints:
    """Biological tokens at random, int64[n]: of the old token's block (``own``), or of any (``joint``).

    Args:
        old: int64[n], the tokens to be replaced, no special ones.
        vocabulary: of the tokens.
        replacements: ``own`` or ``joint``.
        generator: source of randomness.
    """
    if replacements == "joint":
        return generator.integers(len(vocabulary.specials), vocabulary.size, len(old))
    blocks = vocabulary.block_of[old]
    starts, sizes = vocabulary.bounds
    return starts[blocks] + (generator.random(len(old)) * sizes[blocks]).astype(np.int64)
