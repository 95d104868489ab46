"""The walk against all paths counted one by one; the other strand against Biopython."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from Bio.Seq import Seq

from genomecli.analysis.decipherment.gene_model import (
    INSIDE,
    STATES,
    TURNED,
    GeneModel,
    beginning,
    emissions,
    fitted,
    learned,
    walk,
    with_ends,
)
from genomecli.analysis.decipherment.genome import GAP
from genomecli.sequences.codes import CODONS


def _tokens(steps: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, 64, (3, steps, rows)).astype(np.uint8)


def _model(tokens: np.ndarray) -> GeneModel:
    model = beginning(tokens, np.random.default_rng(6))
    steps = np.random.default_rng(7).dirichlet(np.ones(INSIDE), size=INSIDE)
    return GeneModel(model.inside, model.between, steps)


def test_the_walk_counts_every_path() -> None:
    tokens = _tokens(4, 2)
    model = _model(tokens)
    found, log = walk(tokens, model), emissions(tokens, model).astype(np.float64)
    whole, value = np.zeros((4, 2, INSIDE)), 0.0
    moved = np.zeros((INSIDE, INSIDE))
    for row in range(2):
        paths = list(product(range(INSIDE), repeat=4))
        weights = np.array([_probability(path, log[:, row], model) for path in paths])
        value += np.log(weights.sum())
        for path, share in zip(paths, weights / weights.sum(), strict=True):
            for step, state in enumerate(path):
                whole[step, row, state] += share
            for one, other in pairwise(path):
                moved[one, other] += share
    assert np.allclose(found.states, whole, atol=1e-5)
    assert np.isclose(found.value, value, rtol=1e-5)
    assert np.allclose(found.steps, moved, atol=1e-4)


def _probability(path: tuple[int, ...], log: np.ndarray, model: GeneModel) -> float:
    found = 1 / INSIDE
    for step, state in enumerate(path):
        found *= np.exp(log[step, state])
        if step:
            found *= model.steps[path[step - 1], state]
    return float(found)


def test_a_turned_codon_is_the_reverse_complement() -> None:
    assert [CODONS[i] for i in TURNED] == [str(Seq(codon).reverse_complement()) for codon in CODONS]


def test_no_gene_crosses_a_gap_and_an_end_keeps_its_reading() -> None:
    tokens = _tokens(40, 3)
    tokens[:, 20] = GAP
    model = with_ends(_model(tokens))
    found = walk(tokens, model)
    assert np.allclose(found.states[20, :, 0], 1)
    assert model.states == STATES
    assert np.allclose(model.steps.sum(axis=1), 1)
    again = learned(tokens, found)
    # Behind an end on the forward strand nothing of its own reading goes on; before it, nothing else was.
    assert np.array_equal(again.steps > 0, model.steps > 0) or (again.steps[model.steps == 0] < 1e-2).all()
    assert (again.steps[:, 7][[0, 2, 3, 4, 5, 6]] == 0).all()
    assert (np.delete(again.steps[10], 4) == 0).all()


def test_learning_never_loses_likelihood() -> None:
    rng = np.random.default_rng(8)
    tokens = rng.choice(64, size=(3, 60, 4), p=rng.dirichlet(np.ones(64))).astype(np.uint8)
    model, values = _model(tokens), []
    for _ in range(6):
        model, value = fitted(tokens, model, 1)
        values.append(value)
    # Pseudo-counts cost a little.
    assert (np.diff(values) > -0.5).all()
    assert values[-1] > values[0]
