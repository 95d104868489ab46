"""A frozen body is asked once, and training goes as if it were asked in each epoch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.errors import CheckpointedError
from genomecli.inference import predictor as predictor_module
from genomecli.inference.predictor import FrozenValidation, Predictor, validation_figures
from genomecli.inference.tuned import Tuned
from genomecli.runtime import rng
from genomecli.tasks.examples import MISSING, Examples, Labels
from genomecli.training import tuning_states
from genomecli.training.checkpoint import load_checkpoint
from genomecli.training.metrics import read_metrics
from genomecli.training.starts import Start
from genomecli.training.task_spec import HeadShape, TaskSpec
from genomecli.training.tuning_states import PooledRows, TokenRows, keep_states
from tests.unit.training.task_toys import (
    Stop,
    make_examples,
    make_job,
    make_spec,
    sequences,
    settings,
    small_start,
    target,
    tune,
)

N = 40


def _start(dna: str = "base", **changes: Any) -> Start:
    """A frozen body with attention, whose states depend on the whole text."""
    form = {"preset": None, "layers": 1, "width": 16, "heads": 2, "local_window": 0, "dropout": 0.1}
    return small_start(dna, "frozen", **{**form, **changes})


def _examples(high: int = 40, *, symbols: bool = False, pair: bool = False) -> Examples:
    texts = sequences(N, 10, high)
    labels: dict[str, Any] = {"y": rng("labels").integers(0, 2, N)}
    if symbols:
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        labels["s"] = Labels(np.array(["ACGT".index(letter) for text in texts for letter in text]), offsets)
    covariates = rng("covariates").normal(size=(N, 2)) if pair else None
    other = sequences(N, 10, high, "pair") if pair else None
    return make_examples(texts, labels, pair=other, covariates=covariates)


def _spec(start: Start, examples: Examples, **changes: Any) -> TaskSpec:
    targets = [target("binary")] + ([target("token", 4, "s")] if "s" in examples.labels else [])
    return make_spec(start, examples, targets, **changes)


def _kept(start: Start, examples: Examples, spec: TaskSpec | None = None, **changes: Any) -> Any:
    job = make_job(start, examples, spec or _spec(start, examples), settings(**changes))
    return keep_states(job.model(), job)


@pytest.mark.parametrize(
    ("dna", "pooling", "symbols", "pair"),
    [
        ("base", "mean", False, False),
        ("kmer", "cls", False, True),
        ("codon", "max", False, False),
        ("base", "attention", False, True),
        ("kmer", "mean", True, False),
    ],
)
def test_kept_states_change_nothing_but_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dna: str, pooling: Any, symbols: bool, pair: bool
) -> None:
    examples = _examples(symbols=symbols, pair=pair)
    start = _start(dna)
    spec = _spec(start, examples, head=HeadShape(pooling, hidden=8, dropout=0.2))
    texts: Counter[str] = Counter()
    real = tuning_states.last_states

    def counted(*given: Any) -> torch.Tensor:
        texts["kept"] += len(given[1])
        return real(*given)

    monkeypatch.setattr(tuning_states, "last_states", counted)
    monkeypatch.setattr(
        "genomecli.training.task_learner.last_states",
        lambda *given: (texts.update(asked=len(given[1])), real(*given))[1],
    )
    given: dict[str, Any] = {"epochs": 3, "log_every": 1, "batch_size": 12, "tokens_per_batch": 200}
    once, _ = tune(tmp_path / "once", start, examples, spec, **given)
    columns = 2 if pair else 1
    assert texts == {"kept": columns * N}
    monkeypatch.setattr(tuning_states, "KEPT_BYTES", 0)
    each, summary = tune(tmp_path / "each", start, examples, spec, **given)
    assert texts == {"kept": columns * N, "asked": columns * 12 * summary["steps"]}
    lines = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("once", "each")]
    assert len(lines[0]) == len(lines[1]) == summary["steps"]
    for one, other in zip(*lines, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    weights = each.model.state_dict()
    for name, value in once.model.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_a_resumed_probe_ends_with_the_same_bytes(tmp_path: Path, pooling: Any) -> None:
    examples = _examples()
    start = _start()
    spec = _spec(start, examples, head=HeadShape(pooling, dropout=0.1))
    tune(tmp_path / "whole", start, examples, spec, epochs=4)
    with pytest.raises(CheckpointedError):
        tune(tmp_path / "part", start, examples, spec, around={"flag": Stop(5)}, epochs=4)
    tune(tmp_path / "part", start, examples, spec, resume=True, epochs=4)
    whole, part = (load_checkpoint(tmp_path / name, prefer="last") for name in ("whole", "part"))
    assert whole.progress == part.progress
    assert all(torch.equal(value, part.model[name]) for name, value in whole.model.items())


def test_what_is_kept_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = _examples(), _examples(90)
    start, small = _start(), _start(context=32)
    kept = _kept(start, short)
    assert isinstance(kept.first, PooledRows)
    assert kept.first.values.shape == (N, 16)
    attention = _spec(start, short, head=HeadShape("attention"))
    kept = _kept(start, short, attention)
    assert isinstance(kept.first, TokenRows)
    assert len(kept.first.values) == int(short.sequences.lengths.sum()) + 2 * N
    assert _kept(start, short, epochs=1.0) is None  # each state is needed once only
    assert _kept(Start(start.settings, start.lexicon, {}, "last"), short) is None
    assert _kept(small, long) is None  # stretches are drawn
    truncated = _spec(small, long, long_input="truncate")
    assert _kept(small, long, truncated).first.values.shape == (N, 16)
    monkeypatch.setattr(tuning_states, "KEPT_BYTES", N * 16 * 4)
    assert _kept(start, short) is not None
    assert _kept(start, short, attention) is None
    monkeypatch.setattr(tuning_states, "KEPT_BYTES", N * 16 * 4 - 1)
    assert _kept(start, short) is None


def test_too_little_memory_is_met_with_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    start, examples = _start(), _examples()
    whole = _kept(start, examples)
    real = tuning_states.last_states

    def narrow(model: Any, tokens: torch.Tensor, *more: Any) -> torch.Tensor:
        if len(tokens) > 3:
            raise torch.OutOfMemoryError
        return real(model, tokens, *more)

    monkeypatch.setattr(tuning_states, "last_states", narrow)
    torch.testing.assert_close(_kept(start, examples).first.values, whole.first.values)


@pytest.mark.parametrize(("pooling", "symbols"), [("mean", False), ("attention", True)])
def test_processes_share_the_batches_and_have_all_states(
    monkeypatch: pytest.MonkeyPatch, pooling: Any, symbols: bool
) -> None:
    start, examples = _start(), _examples(symbols=symbols)
    spec = _spec(start, examples, head=HeadShape(pooling))
    changes = {"tokens_per_batch": 200}
    whole = _kept(start, examples, spec, **changes).first.values
    parts = []
    monkeypatch.setattr(tuning_states, "world_size", lambda: 3)
    monkeypatch.setattr(tuning_states, "sum_in_place", lambda values: parts.append(values.clone()))
    for number in range(3):
        monkeypatch.setattr(tuning_states, "rank", lambda number=number: number)
        _kept(start, examples, spec, **changes)
    assert all((part != 0).any() for part in parts)
    assert int(sum((part != 0).any(1).int() for part in parts).max()) == 1
    assert torch.equal(sum(parts), whole)


@pytest.mark.parametrize("count", [2, 30])
def test_processes_validate_a_share_each_and_say_the_same(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Also where there are fewer rows than processes, and where a share has no label of a target."""
    examples = _examples(90, symbols=True, pair=False).take(np.arange(count))
    examples.labels["y"].values[1::3] = MISSING
    start = _start(context=32)
    spec = _spec(start, examples)
    tuned = Tuned(make_job(start, examples, spec, settings()).model().eval(), start.lexicon, spec)
    expected = validation_figures(Predictor(tuned), examples)
    shares = [examples.take(np.arange(rank, count, 3)) for rank in range(3)]
    sums: list[list[float]] = []
    with monkeypatch.context() as patch:
        patch.setattr(predictor_module, "add_up", lambda values: sums.append(values) or values)
        for share in shares:
            FrozenValidation(share).figures(Predictor(tuned))
    total = [sum(values) for values in zip(*sums, strict=True)]
    monkeypatch.setattr(predictor_module, "add_up", lambda values: total)
    found = [validation_figures(Predictor(tuned), share) for share in shares]
    assert found[0] == found[1] == found[2]
    assert found[0]["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    assert found[0]["targets"].keys() == expected["targets"].keys()


@pytest.mark.parametrize(("pooling", "symbols"), [("mean", False), ("attention", False), ("max", True)])
def test_validation_asks_a_frozen_body_once_and_says_the_same(pooling: Any, symbols: bool) -> None:
    """Bit for bit, also of texts in several windows and of pairs, while the heads change."""
    examples = _examples(90, symbols=symbols, pair=not symbols)
    start = _start(context=32)
    spec = _spec(start, examples, head=HeadShape(pooling))
    model = make_job(start, examples, spec, settings()).model().eval()
    frozen, seen = FrozenValidation(examples), []
    model.encoder.register_forward_hook(lambda *_: seen.append(1))
    for number in range(3):
        with torch.no_grad():
            for parameter in model.heads.parameters():
                parameter.add_(torch.full_like(parameter, 0.1 * (number + 1)))
        tuned = Tuned(model, start.lexicon, spec)
        expected = validation_figures(Predictor(tuned), examples)
        before = len(seen)
        assert frozen.figures(Predictor(tuned)) == expected
        assert (len(seen) > before) == (number == 0)
