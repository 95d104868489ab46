"""A planted signal is found for every kind of target, by the predictor that users get."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.inference.predictor import Predictor
from genomecli.inference.tuned import load_tuned
from genomecli.runtime import rng
from genomecli.tasks.examples import Examples, Labels
from genomecli.training.task_spec import HeadShape
from tests.unit.training.task_toys import (
    halves,
    make_examples,
    make_spec,
    plant,
    sequences,
    small_start,
    target,
    tune,
)

MOTIF = "GATTACA"
N = 256


def _found(folder: Path, examples: Examples, *targets: Any, dna: str = "base", **changes: Any) -> Any:
    """Predictions of the second half by a network tuned on the first, and that half."""
    start = small_start(dna)
    spec_changes = {key: changes.pop(key) for key in ("head", "weighting") if key in changes}
    train, test = halves(examples)
    spec = make_spec(start, train, targets, **{"head": HeadShape("max"), **spec_changes})
    tuned, _ = tune(folder / "run", start, train, spec, **changes)
    return Predictor(tuned).examples(test), test


def _with_motif(rows: Sequence[Any], key: str = "planted") -> list[str]:
    random = rng(key)
    return [
        plant(text, MOTIF, int(random.integers(0, len(text) - len(MOTIF)))) if row else text
        for text, row in zip(sequences(len(rows), key=key), rows, strict=True)
    ]


def _accuracy(found: Any, test: Examples, name: str = "y") -> float:
    known = test.labels[name].values != -1
    return float((found[name].chosen == test.labels[name].values)[known].mean())


@pytest.mark.parametrize("name", ["y", "type", "a.b", "uncertainty"])
def test_binary(tmp_path: Path, name: str) -> None:
    """Whatever the target's name is: heads are modules, and modules have words of their own."""
    labels = rng("binary").integers(0, 2, N)
    examples = make_examples(_with_motif(labels), {name: labels})
    found, test = _found(tmp_path, examples, target("binary", 2, name), epochs=12 if name == "y" else 1)
    np.testing.assert_allclose(found[name].scores.sum(axis=1), 1)
    assert name != "y" or _accuracy(found, test) > 0.9


@pytest.mark.parametrize("pooling", ["mean", "attention", "cls"])
def test_poolings(tmp_path: Path, pooling: Any) -> None:
    """[CLS] sees four bases here, so the motif stands at the start."""
    labels = rng("pooling").integers(0, 2, N)
    texts = [plant(text, MOTIF, 0) if row else text for text, row in zip(sequences(N), labels, strict=True)]
    examples = make_examples(texts, {"y": labels})
    found, test = _found(tmp_path, examples, target("binary"), head=HeadShape(pooling))
    assert _accuracy(found, test) > 0.8


def test_places_tell_where_a_motif_stands(tmp_path: Path) -> None:
    """Both classes have the motif and its neighbours, one early and one late: any mean of states is equal."""
    labels = rng("places").integers(0, 2, N)
    texts = [
        plant(text, "AAA" + MOTIF + "AAA", 4 if row else 20)
        for text, row in zip(sequences(N, 36, 36), labels, strict=True)
    ]
    examples = make_examples(texts, {"y": labels})
    found, test = _found(tmp_path, examples, target("binary"), head=HeadShape("places", places=36))
    assert _accuracy(found, test) > 0.9
    longer = make_examples([texts[0] + "A"], {"y": labels[:1]})
    tuned = load_tuned(tmp_path / "run")
    with pytest.raises(InputError, match="37 tokens, and the model knows the places of 36"):
        Predictor(tuned).examples(longer)
    cut = Predictor(tuned, long_input="truncate").examples(longer)["y"].scores
    np.testing.assert_array_equal(cut, Predictor(tuned).examples(examples.take(np.arange(1)))["y"].scores)


def test_multiclass(tmp_path: Path) -> None:
    motifs, labels = ("GATTACA", "CCCGGG", "ATATATAT"), rng("multiclass").integers(0, 3, N)
    texts = [plant(text, motifs[row], 5) for text, row in zip(sequences(N), labels, strict=True)]
    found, test = _found(tmp_path, make_examples(texts, {"y": labels}), target("multiclass", 3))
    assert _accuracy(found, test) > 0.9


def test_multilabel_with_missing_cells(tmp_path: Path) -> None:
    labels = rng("multilabel").integers(0, 2, (N, 2)).astype(np.float64)
    texts = [
        plant(plant(text, "GATTACA", 2) if one else text, "CCCGGG", 12) if other else
        (plant(text, "GATTACA", 2) if one else text)
        for text, (one, other) in zip(sequences(N), labels, strict=True)
    ]  # fmt: skip
    hidden = labels.copy()
    hidden[::5, 0] = np.nan
    found, _ = _found(tmp_path, make_examples(texts, {"y": hidden}), target("multilabel"))
    assert (found["y"].chosen == labels[N // 2 :]).mean() > 0.9


@pytest.mark.parametrize("log", [False, True])
def test_regression_of_two_values_in_their_units(tmp_path: Path, log: bool) -> None:
    texts = sequences(N)
    share = np.array([[text.count("G") / len(text), text.count("A") / len(text)] for text in texts])
    values = 1000 * share + 50
    inner = np.log1p(values) if log else values
    target_of = target(
        "regression", means=tuple(inner.mean(axis=0)), scales=tuple(inner.std(axis=0)), log=log
    )
    values[3] = np.nan
    examples = make_examples(texts, {"y": values})
    found, test = _found(tmp_path, examples, target_of, head=HeadShape("mean"))
    for column in range(2):
        measured, predicted = test.labels["y"].values[:, column], found["y"].scores[:, column]
        assert np.corrcoef(measured, predicted)[0, 1] > 0.95
        assert abs(predicted.mean() - measured.mean()) < 0.1 * measured.std() + 5


@pytest.mark.parametrize("dna", ["base", "codon", "kmer"])
def test_each_base_of_a_motif(tmp_path: Path, dna: str) -> None:
    """Class 1 is a base of the motif; codon and overlapping k-mer tokens are mapped back to bases."""
    random = rng("token")
    texts, labels = [], []
    for text in sequences(128):
        place = int(random.integers(0, (len(text) - 9) // 3)) * 3
        texts.append(plant(text, "GATTACCAT", place))
        labels.append(((np.arange(len(text)) >= place) & (np.arange(len(text)) < place + 9)).astype(np.int64))
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in labels])])
    examples = make_examples(texts, {"y": Labels(np.concatenate(labels), offsets)})
    found, test = _found(tmp_path, examples, target("token"), dna=dna, epochs=30)
    chosen, truth = found["y"].chosen, test.labels["y"].values
    assert (chosen[truth == 1] == 1).mean() > 0.9
    assert (chosen[chosen >= 0] == truth[chosen >= 0]).mean() > 0.95
    lengths = test.sequences.lengths
    tail = lengths % 3 if dna == "codon" else np.zeros_like(lengths)
    uncovered = [int(np.isnan(found["y"].row(row)).all(axis=1).sum()) for row in range(len(test))]
    assert uncovered == tail.tolist()


def test_pairs(tmp_path: Path) -> None:
    """Whether both sequences hold the motif, or neither: neither alone tells."""
    random = rng("pairs")
    first, second = random.integers(0, 2, 2 * N), random.integers(0, 2, 2 * N)
    same = (first == second).astype(np.int64)
    examples = make_examples(_with_motif(first), {"y": same}, pair=_with_motif(second, "second"))
    found, test = _found(tmp_path, examples, target("binary"), batch_size=32)
    assert _accuracy(found, test) > 0.9


def test_covariates_are_standardised_and_joined(tmp_path: Path) -> None:
    """Four classes by the motif and by a covariate: one alone is right in half; some are not known."""
    random = rng("covariates")
    motif, high = random.integers(0, 2, 2 * N), random.integers(0, 2, 2 * N)
    covariates = np.stack([1e4 + 500.0 * high, random.normal(size=2 * N)], axis=1)
    covariates[::50, 1] = np.nan
    examples = make_examples(_with_motif(motif), {"y": 2 * motif + high}, covariates=covariates)
    found, test = _found(tmp_path, examples, target("multiclass", 4))
    assert _accuracy(found, test) > 0.85


@pytest.mark.parametrize("weighting", ["sum", "uncertainty"])
def test_several_targets_of_one_body_with_missing_labels(tmp_path: Path, weighting: str) -> None:
    """Two motifs, one for a class and one for a value; three in ten labels of each are not known."""
    random = rng("several")
    one, other = random.integers(0, 2, N), random.integers(0, 2, N)
    texts = [
        plant(text, "CCCGGGCC", 0) if row else text for text, row in zip(_with_motif(one), other, strict=True)
    ]
    has = np.array([int(MOTIF in text) for text in texts])
    value = 50 + 10.0 * other[:, None] + random.normal(size=(N, 1))
    labels = {"has": np.where(random.random(N) < 0.3, -1, has), "value": value.copy()}
    labels["value"][random.random(N) < 0.3] = np.nan
    of_value = target("regression", 1, "value", means=(55.0,), scales=(5.0,))
    examples = make_examples(texts, labels)
    found, test = _found(tmp_path, examples, target("binary", 2, "has"), of_value, weighting=weighting)
    assert _accuracy(found, test, "has") > 0.88
    assert np.corrcoef(value[N // 2 :, 0], found["value"].scores[:, 0])[0, 1] > 0.85
