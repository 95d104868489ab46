"""Static embeddings to hold a network against: PPMI with SVD, and skip-gram with negative sampling.

Both need only the co-occurrence counts of :mod:`~genomecli.analysis.cooccurrence`. A vocabulary of codons
or k-mers is small (4,096 at most), so skip-gram is not sampled: the expectation of its objective over all
pairs is a sum over the count table (Levy and Goldberg 2014, eq. 5) and is maximised exactly, by L-BFGS. No
sampling noise, no learning rate, and the same result for the same seed.

Legend: V vocabulary, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from genomecli.analysis.arrays import Floats
from genomecli.errors import InputError
from genomecli.runtime import rng

_DENSE_SIDE = 400
# Pull towards zero, as a share of the objective: keeps pairs never seen from driving vectors to infinity.
_DECAY = 1e-6


def _checked(counts: ArrayLike) -> Floats:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise InputError(f"expected a square table of counts, got shape {table.shape}")
    if table.sum() <= 0:
        raise InputError("no two tokens occur together", fix="use longer records or a larger corpus")
    return table


def context_shares(counts: ArrayLike, smoothing: float = 0.75) -> Floats:
    """Share of each context word, raised to ``smoothing`` and scaled to sum to 1; float64[V].

    Args:
        counts: [V, V], words by context words.
        smoothing: the exponent; 0.75 in word2vec (Mikolov et al. 2013).
    """
    raised: Floats = np.asarray(counts, dtype=np.float64).sum(axis=0) ** smoothing
    shares: Floats = raised / raised.sum()
    return shares


def ppmi(counts: ArrayLike, *, shift: float = 1.0, smoothing: float = 0.75) -> Floats:
    """Shifted positive pointwise mutual information; float64[V, V].

    max(log(#(w, c) |D| / (#(w) #(c))) - log shift, 0), with context counts raised to ``smoothing``
    (Levy and Goldberg 2014; Levy, Goldberg and Dagan 2015, sec. 3). In nats.

    Args:
        counts: [V, V], words by context words.
        shift: k of the shift log k; 1 for none.
        smoothing: exponent of the context counts.

    Raises:
        InputError: the table is not square, or empty.
    """
    table = _checked(counts)
    total = table.sum()
    expected = (table.sum(axis=1) / total)[:, None] * context_shares(table, smoothing)[None, :]
    ratio = np.divide(table / total, expected, out=np.zeros_like(table), where=expected > 0)
    with np.errstate(divide="ignore"):
        logs = np.log(ratio) - np.log(shift)
    positive: Floats = np.maximum(logs, 0.0)
    return positive


def ppmi_svd(
    counts: ArrayLike,
    width: int,
    *,
    shift: float = 1.0,
    smoothing: float = 0.75,
    power: float = 0.5,
) -> Floats:
    """Truncated SVD of shifted PPMI; float64[V, D], zeros for tokens never seen.

    Args:
        counts: [V, V] co-occurrence.
        width: D; at most V.
        shift: k of the shift log k; 1 for none.
        smoothing: exponent of the context counts.
        power: exponent of the singular values, U S^power: 0.5 and 0 do better than 1 (Levy et al. 2015).

    Raises:
        InputError: as :func:`ppmi`.
    """
    matrix = ppmi(counts, shift=shift, smoothing=smoothing)
    kept = min(width, len(matrix))
    if len(matrix) <= _DENSE_SIDE or kept > len(matrix) // 2:
        u, values, _ = np.linalg.svd(matrix)
        u, values = u[:, :kept], values[:kept]
    else:
        u, values = _leading(matrix, kept)
    # A singular vector's sign is arbitrary; its largest entry is made positive, so results repeat.
    largest = np.abs(u).argmax(axis=0)
    signs = np.where(u[largest, np.arange(kept)] < 0, -1.0, 1.0)
    vectors: Floats = u * signs * values**power
    vectors[np.asarray(counts).sum(axis=1) == 0] = 0.0
    return vectors


def _leading(matrix: Floats, count: int) -> tuple[Floats, Floats]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds

    start = np.full(len(matrix), 1.0 / np.sqrt(len(matrix)))
    u, values, _ = svds(csr_matrix(matrix), k=count, v0=start)
    order = np.argsort(-values)
    return np.asarray(u[:, order]), np.asarray(values[order])


@dataclass(frozen=True, eq=False)
class SkipGram:
    """A fitted skip-gram model.

    Args:
        words: float64[V, D], the embedding.
        contexts: float64[V, D].
        loss: what was minimised: the mean negative objective a pair, nats, and the pull towards zero.
        iterations: of L-BFGS.
    """

    words: Floats
    contexts: Floats
    loss: float
    iterations: int


def word2vec(
    counts: ArrayLike,
    width: int,
    *,
    negatives: float = 5.0,
    smoothing: float = 0.75,
    seed: int = 0,
    iterations: int = 200,
) -> SkipGram:
    """Skip-gram with negative sampling (Mikolov et al. 2013), its expected objective maximised exactly.

    sum over w, c of #(w, c) log s(w.c) + k #(w) P(c) log s(-w.c), with P(c) proportional to
    #(c)^smoothing (Levy and Goldberg 2014, eq. 5), divided by the number of pairs. Half a millionth of the
    sum of all squared values is taken from it, so that pairs never seen drive nothing to infinity. Use
    ``dynamic`` weighting for the counts to match word2vec's random window.

    Args:
        counts: [V, V] co-occurrence.
        width: D.
        negatives: k, negative samples a pair.
        smoothing: exponent of the noise distribution.
        seed: of the start.
        iterations: at most, of L-BFGS.

    Returns:
        The model; tokens never seen have zero vectors.

    Raises:
        InputError: as :func:`ppmi`.
    """
    from scipy.optimize import minimize

    table = _checked(counts)
    size = len(table)
    positive = table / table.sum()
    negative = negatives * positive.sum(axis=1)[:, None] * context_shares(table, smoothing)[None, :]
    start = rng("word2vec", seed, size, width).uniform(-0.5, 0.5, (2, size, width)) / np.sqrt(width)

    def objective(flat: Floats) -> tuple[float, Floats]:
        words, contexts = flat.reshape(2, size, width)
        return _loss_and_gradient(words, contexts, positive, negative)

    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 10}
    )
    words, contexts = found.x.reshape(2, size, width)
    words[table.sum(axis=1) == 0] = 0.0
    contexts[table.sum(axis=0) == 0] = 0.0
    return SkipGram(words, contexts, float(found.fun), int(found.nit))


def _loss_and_gradient(
    words: Floats, contexts: Floats, positive: Floats, negative: Floats
) -> tuple[float, Floats]:
    """Negative objective and its gradient by (words, contexts), flat."""
    scores = words @ contexts.T
    both = positive + negative
    # -log s(x) = log(1 + e^x) - x and -log s(-x) = log(1 + e^x), from one exponential that cannot overflow.
    small = np.exp(-np.abs(scores))
    soft = np.maximum(scores, 0.0) + np.log1p(small)
    loss = float(np.vdot(both, soft) - np.vdot(positive, scores))
    sigmoid = np.where(scores > 0, 1.0, small) / (1.0 + small)
    slope = both * sigmoid - positive
    gradient = np.stack([slope @ contexts + _DECAY * words, slope.T @ words + _DECAY * contexts])
    penalty = 0.5 * _DECAY * (np.vdot(words, words) + np.vdot(contexts, contexts))
    return loss + float(penalty), gradient.ravel()
