"""Losses of the kinds against torch and scipy, with labels missing, and scores back in units."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch
from torch import nn
from torch.nn import functional

from genomecli.errors import ConfigError
from genomecli.tasks.kinds.protocol import Classes
from genomecli.tasks.kinds.registry import KINDS, check_kinds, register_kind, task_kind
from genomecli.tasks.schema import Target


def _target(kind: str, outputs: int, **more: object) -> Target:
    return Target("t", kind, ("t",), tuple(f"c{i}" for i in range(outputs)), **more)  # type: ignore[arg-type]


def _logits(*shape: int) -> torch.Tensor:
    return 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("kind", "shape"), [("binary", (9, 2)), ("multiclass", (9, 4)), ("token", (3, 7, 4))]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_classes_are_cross_entropy_without_the_missing(
    kind: str, shape: tuple[int, ...], weighted: bool
) -> None:
    outputs = shape[-1]
    factors = tuple(0.5 + i for i in range(outputs)) if weighted else ()
    made = task_kind(_target(kind, outputs, class_weights=factors))
    labels = torch.randint(0, outputs, shape[:-1], generator=torch.Generator().manual_seed(2))
    labels.view(-1)[::3] = -1
    total, count = made.loss(_logits(*shape), labels, made.weights(labels))
    expected = functional.cross_entropy(
        _logits(*shape).view(-1, outputs),
        labels.view(-1),
        weight=torch.tensor(factors) if weighted else None,
        ignore_index=-1,
    )
    torch.testing.assert_close(total / count, expected)


def test_multilabel_is_binary_cross_entropy_of_each_column() -> None:
    made = task_kind(_target("multilabel", 3))
    labels = torch.tensor([[0.0, 1, 1], [1, torch.nan, 0], [torch.nan] * 3])
    total, count = made.loss(_logits(3, 3), labels, made.weights(labels))
    known = ~labels.isnan()
    expected = functional.binary_cross_entropy_with_logits(_logits(3, 3)[known], labels[known])
    torch.testing.assert_close(total / count, expected)
    assert float(count) == 5.0


def test_class_weights_of_multilabel_are_the_pos_weight_of_torch() -> None:
    factors = torch.tensor([1.0, 8.0, 0.5])
    made = task_kind(_target("multilabel", 3, class_weights=tuple(factors.tolist())))
    labels = (_logits(20, 3).roll(1, 0) > 1).float()
    total, count = made.loss(_logits(20, 3), labels, made.weights(labels))
    torch.testing.assert_close(
        total / count, nn.BCEWithLogitsLoss(pos_weight=factors)(_logits(20, 3), labels)
    )
    # A column without positive rows is weighed by nothing.
    none = torch.zeros(20, 3)
    plain = task_kind(_target("multilabel", 3))
    torch.testing.assert_close(
        made.loss(_logits(20, 3), none, made.weights(none)),
        plain.loss(_logits(20, 3), none, plain.weights(none)),
    )


@pytest.mark.parametrize("log", [False, True])
def test_regression_is_standardised_inside_and_gives_units_outside(log: bool) -> None:
    values = np.array([[3.0, 100.0], [5.0, np.nan], [10.0, 400.0]])
    inner = np.log1p(values) if log else values
    means, scales = np.nanmean(inner, axis=0), np.nanstd(inner, axis=0)
    made = task_kind(_target("regression", 2, means=tuple(means), scales=tuple(scales), log=log))
    encoded = made.encode(values)
    np.testing.assert_allclose(np.nanmean(encoded, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(encoded, axis=0), 1)
    np.testing.assert_allclose(made.scores(encoded.astype(np.float32)), values, rtol=1e-5)
    labels = torch.from_numpy(encoded).float()
    total, count = made.loss(_logits(3, 2), labels, made.weights(labels))
    known = ~labels.isnan()
    torch.testing.assert_close(total / count, functional.mse_loss(_logits(3, 2)[known], labels[known]))
    assert float(count) == 5.0


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "regression", "token"])
def test_a_batch_without_any_label_has_no_loss_and_no_gradient(kind: str) -> None:
    made = task_kind(_target(kind, 2))
    wide = kind in ("multilabel", "regression")
    labels = torch.full((4, 2), torch.nan) if wide else torch.full((4,), -1)
    logits = _logits(4, 2).requires_grad_()
    total, count = made.loss(logits, labels, made.weights(labels))
    total.backward()
    assert float(total.detach()) == float(count) == 0.0
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) == 0.0


def test_probabilities_are_those_of_scipy_also_for_large_logits() -> None:
    logits = np.array([[800.0, -800.0, 0.0], [1.0, 2.0, 3.0]], dtype=np.float32)
    doubles = logits.astype(np.float64)
    softmax, logistic = task_kind(_target("multiclass", 3)), task_kind(_target("multilabel", 3))
    np.testing.assert_allclose(softmax.scores(logits), scipy.special.softmax(doubles, axis=1), rtol=1e-14)
    np.testing.assert_allclose(logistic.scores(logits), scipy.special.expit(doubles), rtol=1e-14)


def test_a_kind_from_outside_is_one_class_and_one_line() -> None:
    class Toy(Classes):
        pass

    register_kind("toy", Toy)
    try:
        assert isinstance(task_kind(_target("toy", 2)), Toy)
        with pytest.raises(ValueError, match="already registered"):
            register_kind("toy", Classes)
    finally:
        KINDS.pop("toy")
    with pytest.raises(ConfigError, match=r"targets.t.kind: unknown 'toy'; registered are binary"):
        task_kind(_target("toy", 2))


def test_a_kind_that_cannot_be_judged_is_refused_when_it_is_registered() -> None:
    for form, primary, said in (
        ("tree", "accuracy", "has the form 'tree'; there are class, multilabel, regression, token"),
        ("class", "pearson", "'pearson' cannot decide between models of form class; choose one of accuracy"),
        ("class", "f1", "'f1' cannot decide"),
        ("regression", "rmse", "'rmse' cannot decide"),
    ):
        toy = type("Toy", (Classes,), {"form": form, "primary": primary})
        with pytest.raises(ValueError, match=said):
            register_kind("toy", toy)
    assert "toy" not in KINDS
    with pytest.raises(ValueError, match="'auto' is already registered"):
        register_kind("auto", Classes)


def test_all_unknown_kinds_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check_kinds({"a": "auto", "b": "binry", "c": "token", "d": "tokens"})
    assert caught.value.problems == [
        f"finetune.targets.{name}.kind: unknown {kind!r}; registered are binary, multiclass, multilabel, "
        "regression, token, and auto"
        for name, kind in (("b", "binry"), ("d", "tokens"))
    ]
