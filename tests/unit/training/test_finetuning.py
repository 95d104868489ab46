"""Tuning: batches, modes, rates, resume, early stopping."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.errors import CheckpointedError, ConfigError, UsageError
from genomecli.models.language_model import LanguageModel
from genomecli.runtime import rng
from genomecli.tasks.examples import MISSING, Examples, Labels
from genomecli.training import loop
from genomecli.training import lora as lora_module
from genomecli.training.checkpoint import load_checkpoint, load_model
from genomecli.training.loop import Trainer
from genomecli.training.metrics import read_metrics
from genomecli.training.optimiser import set_learning_rate
from genomecli.training.plan import Plan
from genomecli.training.starts import Start, embeddings_start, random_start
from genomecli.training.task_spec import TaskSpec
from genomecli.training.tuning_job import check_share
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


def _examples(count: int = 50, high: int = 40, *, symbols: bool = False, pair: bool = False) -> Examples:
    texts = sequences(count, 10, high)
    labels: dict[str, Any] = {"y": rng("labels").integers(0, 2, count)}
    if symbols:
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        # Each symbol's label is its own code, so that a shift by one would be seen.
        labels["s"] = Labels(np.array(["ACGT".index(letter) for text in texts for letter in text]), offsets)
    return make_examples(texts, labels, pair=sequences(count, 10, high, "pair") if pair else None)


def _job(examples: Examples, start: Start | None = None, **changes: Any) -> Any:
    start = start or small_start()
    targets = [target("binary")] + ([target("token", 4, "s")] if "s" in examples.labels else [])
    return make_job(start, examples, make_spec(start, examples, targets), settings(**changes))


def test_an_epoch_shows_every_row_once_also_across_its_end() -> None:
    data = _job(_examples(50), batch_size=16).data
    assert data.steps(2) == 7
    shown = [row for step in range(25) for row in data.rows_of(step).tolist()]
    assert len(shown) == 400
    assert set(Counter(shown).values()) == {8}
    assert sorted(shown[:50]) == list(range(50))
    assert shown[:50] != shown[50:100]


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    one, other = (_job(_examples(50, 100)).data for _ in range(2))
    for _ in range(3):
        other.step(1)
    for left, right in zip(one.step(5), other.step(5), strict=True):
        assert torch.equal(left.tokens, right.tokens)
        assert torch.equal(left.records, right.records)


def test_micro_batches_keep_to_the_budget_and_ranks_share_them() -> None:
    data = _job(_examples(64, pair=True), batch_size=64, tokens_per_batch=300).data
    batches = data.step(0)
    assert len(batches) > 3
    for batch in batches:
        pair = batch.extras["pair_tokens"].shape[1]
        assert len(batch.lengths) * (int(batch.lengths.max()) + pair) <= 2 * 300
    shared = [batch for rank in range(3) for batch in data.step(0, rank, 3)]
    assert sorted(row for b in shared for row in b.records.tolist()) == sorted(data.rows_of(0).tolist())
    assert {len(data.step(0, rank, 3)) for rank in range(3)} == {len(shared) // 3}


@pytest.mark.parametrize(
    ("rows", "size", "processes", "said"),
    [
        (50, 2, 4, "batch_size: 4 processes share 2 sequences a step; start at most 2 of them, or raise it"),
        (3, 16, 4, "batch_size: 4 processes share 3 sequences a step; start at most 3 of them$"),
        (50, 4, 4, ""),
    ],
)
def test_each_process_has_a_row_of_each_step(rows: int, size: int, processes: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said) if said else nullcontext():
        check_share(settings(batch_size=size), rows, processes)


def test_records_of_a_bad_loss_are_named_whichever_process_had_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step has other micro-batches among several processes than alone."""
    job = _job(_examples(30), batch_size=16)
    monkeypatch.setattr(loop, "world_size", lambda: 3)
    model = job.model()
    plan = Plan(steps=9, rate=1e-3, schedule=lambda step: 1.0)
    trainer = Trainer(model, job.learner, job.data, job.optimiser(model), plan)
    assert len(job.data.step(4)) == 1
    for number in range(3):
        rows = job.data.step(4, number, 3)[0].records.tolist()
        assert trainer._names(4, number) == f"records {', '.join(f'row {row}' for row in rows)}"


@pytest.mark.parametrize("dna", ["base", "codon", "kmer"])
def test_stretches_of_long_sequences_keep_their_labels(dna: str) -> None:
    start = small_start(dna, context=12)
    job = _job(_examples(40, 90, symbols=True), start)
    tokenizer = start.lexicon.tokenizers[0]
    starts = set()
    for step in range(6):
        for batch in job.data.step(step):
            assert batch.tokens.shape[1] <= 12
            labels = batch.extras["label:s"]
            for row, length in enumerate(batch.lengths.tolist()):
                words = tokenizer.decode(batch.tokens[row, 1 : length - 1].numpy())
                spelled = words[0] + "".join(word[-tokenizer.stride :] for word in words[1:])
                span = len(spelled)
                assert "".join("ACGT"[i] for i in labels[row, :span].tolist()) == spelled
                assert bool((labels[row, span:] == MISSING).all())
                starts.add(spelled)
    assert len(starts) > 60  # not always the first tokens


def _weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _body(start: Start) -> Start:
    """The same start with given weights."""
    model = _job(_examples(), Start(start.settings, start.lexicon, {})).model()
    body = {k: v + 0.01 for k, v in model.state_dict().items() if not k.startswith("heads.")}
    return Start(start.settings, start.lexicon, body, start.tune)


@pytest.mark.parametrize(
    ("mode", "changed"),
    [
        ("full", ("encoder.stem.", "encoder.blocks.0.", "encoder.blocks.1.", "encoder.final_norm.")),
        ("last", ("encoder.blocks.1.", "encoder.final_norm.")),
        ("frozen", ()),
    ],
)
def test_what_is_not_tuned_stays_bit_for_bit(tmp_path: Path, mode: str, changed: tuple[str, ...]) -> None:
    start = _body(small_start(layers=2, tune=mode, dropout=0.1))
    examples = _examples()
    spec = make_spec(start, examples, [target("binary")])
    tuned, summary = tune(tmp_path / "run", start, examples, spec, epochs=2, optimiser={"weight_decay": 0.1})
    for name, value in tuned.model.state_dict().items():
        if name.startswith("encoder.") and name.startswith(changed):
            assert not torch.equal(value, start.tensors[name]), name
        elif not name.startswith("heads."):
            assert torch.equal(value, start.tensors[name]), name
    assert (summary["trained"] < summary["parameters"]) or mode == "full"


def test_more_blocks_than_there_are_cannot_be_tuned() -> None:
    job = _job(_examples(), _body(small_start(tune="last")), last_layers=3)
    with pytest.raises(ConfigError, match=r"last_layers: is 3, and the network has 1 blocks"):
        job.model()


def test_embedding_rows_become_the_first_layer_of_a_small_network() -> None:
    start = _body(small_start("codon", mixer="attention", width=48, heads=2))
    small = embeddings_start(start)
    job = _job(_examples(), small)
    model = job.model()
    assert torch.equal(model.encoder.stem.tokens.weight, start.tensors["encoder.stem.tokens.weight"])
    assert small.settings.mixer == "convolution"
    assert model.encoder.stem.tokens.weight.requires_grad
    fresh = _job(_examples(), random_start(small)).model()
    assert not torch.equal(fresh.encoder.stem.tokens.weight, model.encoder.stem.tokens.weight)


def test_rates_fall_from_block_to_block() -> None:
    job = _job(_examples(), small_start(layers=3), layer_decay=0.5)
    model = job.model()
    optimiser = job.optimiser(model)
    set_learning_rate(optimiser, 0.8)
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    expected = {"heads.": 0.8, "encoder.final_norm.": 0.8, "encoder.stem.": 0.1}
    expected |= {f"encoder.blocks.{i}.": 0.8 * 0.5 ** (2 - i) for i in range(3)}
    seen = set()
    for name, parameter in model.named_parameters():
        start = next((key for key in expected if name.startswith(key)), None)
        if start is not None:
            seen.add(start)
            assert rates[id(parameter)] == pytest.approx(expected[start]), name
    assert seen == set(expected)
    assert len(rates) == sum(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("weighting", ["sum", "uncertainty"])
def test_a_resumed_run_ends_with_the_same_bytes(tmp_path: Path, weighting: Any) -> None:
    examples = _examples(60, 90, symbols=True)
    start = small_start(dropout=0.1)
    spec = make_spec(start, examples, [target("binary"), target("token", 4, "s")], weighting=weighting)
    given: dict[str, Any] = {"valid": examples.take(np.arange(20)), "epochs": 4, "layer_decay": 0.7}
    tune(tmp_path / "whole", start, examples, spec, **given)
    with pytest.raises(CheckpointedError):
        tune(tmp_path / "part", start, examples, spec, around={"flag": Stop(5)}, **given)
    assert load_checkpoint(tmp_path / "part", prefer="last").progress.step < 16
    tune(tmp_path / "part", start, examples, spec, resume=True, **given)
    whole, part = (load_checkpoint(tmp_path / name, prefer="last") for name in ("whole", "part"))
    assert whole.progress == part.progress
    for name, value in whole.model.items():
        assert torch.equal(value, part.model[name]), name
    assert read_metrics(tmp_path / "whole" / "metrics.jsonl") == read_metrics(
        tmp_path / "part" / "metrics.jsonl"
    )


class _Killed(Stop):
    """Asked for a reason, it dies as a killed process does: without a last checkpoint."""

    @property
    def requested(self) -> str | None:
        if super().requested:
            raise MemoryError
        return None


def test_a_killed_run_loses_a_twentieth_at_most(tmp_path: Path) -> None:
    examples = _examples(60)
    start = small_start()
    spec = make_spec(start, examples, [target("binary")])
    with pytest.raises(MemoryError):
        tune(tmp_path / "run", start, examples, spec, epochs=30, around={"flag": _Killed(50)})
    step = load_checkpoint(tmp_path / "run", prefer="last").progress.step
    assert 44 < step <= 50
    _, summary = tune(tmp_path / "run", start, examples, spec, epochs=30, resume=True)
    assert summary["steps"] == summary["planned_steps"]


def test_it_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    """Labels without a signal: the validation loss rises soon."""
    examples = _examples(40)
    start = small_start()
    spec = make_spec(start, examples, [target("binary")])
    valid = make_examples(sequences(30, key="other"), {"y": rng("other").integers(0, 2, 30)})
    tuned, summary = tune(tmp_path / "run", start, examples, spec, valid=valid, epochs=100, patience=3)
    assert summary["steps"] < summary["planned_steps"]
    assert summary["steps"] == summary["best"]["step"] + 3 * 3
    losses = {
        row["step"]: row["loss"]
        for row in read_metrics(tmp_path / "run" / "metrics.jsonl")
        if row["kind"] == "validation"
    }
    assert min(losses, key=losses.__getitem__) == summary["best"]["step"] == tuned.info["progress"]["step"]


def test_the_loss_is_the_mean_over_the_whole_step() -> None:
    """Micro-batches of different numbers of labels add up to what one batch of all gives."""
    examples = _examples(40, symbols=True)
    jobs = [_job(examples, batch_size=40, tokens_per_batch=n) for n in (200, 100_000)]
    losses = []
    for job in jobs:
        model = job.model().eval()
        batches = [job.learner.prepare(batch, 0, i) for i, batch in enumerate(job.data.step(0))]
        totals: Counter[str] = Counter()
        for batch in batches:
            totals.update(job.learner.count(batch))
        losses.append(sum(float(job.learner.loss(model, batch, totals).total.detach()) for batch in batches))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_target_of_noise_loses_weight_within_a_short_run(tmp_path: Path) -> None:
    texts = sequences(200)
    share = np.array([text.count("G") / len(text) for text in texts])
    values = {"v": (share - share.mean()) / share.std(), "n": rng("noise").normal(size=200)}
    targets = [target("regression", 1, name, means=(0.0,), scales=(1.0,)) for name in values]
    examples = make_examples(texts, {name: value[:, None] for name, value in values.items()})
    start = small_start()
    spec = make_spec(start, examples, targets, weighting="uncertainty")
    tuned, summary = tune(tmp_path / "run", start, examples, spec, epochs=4)
    weights = summary["target_weights"]
    assert summary["steps"] == 50
    assert weights["v"] > 1.5 * weights["n"]
    log_variances = tuned.model.heads["uncertainty"].log_variance
    assert list(weights.values()) == pytest.approx((0.5 * torch.exp(-log_variances)).tolist())
    job = make_job(start, examples, spec, settings(optimiser={"lr": 1e-3}))
    model = job.model()
    (group,) = [
        one
        for one in job.optimiser(model).param_groups
        if any(p is model.heads["uncertainty"].log_variance for p in one["params"])
    ]
    assert (group["weight_decay"], group["scale"]) == (0.0, pytest.approx(30))


def test_a_short_run_has_twenty_points_of_its_training_loss(tmp_path: Path) -> None:
    examples, start = _examples(160), small_start()
    spec = make_spec(start, examples, [target("binary")])
    for epochs, steps in ((4, [*range(2, 41, 2)]), (0.5, [*range(1, 6)])):
        path = tmp_path / str(epochs)
        _, summary = tune(path, start, examples, spec, epochs=epochs, log_every=15)
        assert summary["steps"] == steps[-1]
        rows = [row for row in read_metrics(path / "metrics.jsonl") if row["kind"] == "train"]
        assert [row["step"] for row in rows] == steps
    tune(tmp_path / "more", start, examples, spec, epochs=4, log_every=1)
    assert len(read_metrics(tmp_path / "more" / "metrics.jsonl")) == 40


def test_uncertainty_weights_follow_the_formula() -> None:
    examples = _examples(20)
    values = rng("v").normal(size=(20, 1))
    examples = make_examples(
        [examples.sequences.text(i) for i in range(20)], {"y": examples.labels["y"].values, "v": values}
    )
    start = small_start()
    targets = [target("binary"), target("regression", 1, "v", means=(0.0,), scales=(1.0,), weight=3.0)]
    job = make_job(
        start, examples, make_spec(start, examples, targets, weighting="uncertainty"), settings(batch_size=20)
    )
    model = job.model().eval()
    with torch.no_grad():
        model.heads["uncertainty"].log_variance.copy_(torch.tensor([0.3, -0.7]))
    (batch,) = job.data.step(0)
    loss = job.learner.loss(model, batch, job.learner.count(batch))
    y, v = (float(ratio[0] / ratio[1]) for ratio in (one.detach() for one in loss.ratios.values()))
    expected = np.exp(-0.3) * y + 0.15 + 3 * (0.5 * np.exp(0.7) * v - 0.35)
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)


def test_a_spec_comes_back_from_json_and_another_version_is_refused() -> None:
    examples = _examples(symbols=True, pair=False)
    spec = make_spec(
        small_start(), examples, [target("binary"), target("token", 4, "s")], weighting="uncertainty"
    )
    import json

    values = json.loads(json.dumps(spec.to_dict()))
    assert TaskSpec.from_dict(values) == spec
    with pytest.raises(Exception, match="format version 99"):
        TaskSpec.from_dict({**values, "format_version": 99})


def test_without_peft_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(
        UsageError, match=r"tune lora needs peft, which is not installed; pip install 'genomecli\[lora\]'"
    ):
        _job(_examples(), _body(small_start(tune="lora"))).model()


def test_lora_adapts_the_linear_layers_that_the_network_has() -> None:
    pytest.importorskip("peft")
    for mixer, more, names in (
        ("convolution", {}, {"taps", "out"}),
        ("attention", {"heads": 2}, {"qkv", "out"}),
    ):
        model = _job(_examples(), _body(small_start(mixer=mixer, tune="lora", **more))).model()
        trained = {name for name, p in model.encoder.named_parameters() if p.requires_grad}
        assert all(".lora_" in name for name in trained)
        assert {name.split(".lora_")[0].rpartition(".")[2] for name in trained} == names


def test_lora_trains_updates_alone_and_opens_as_a_plain_network(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    start = _body(small_start(layers=2, mixer="attention", heads=2, tune="lora"))
    examples = _examples()
    spec = make_spec(start, examples, [target("binary")], lora_alpha=16.0)
    tuned, summary = tune(tmp_path / "run", start, examples, spec, epochs=2, lora={"rank": 2})
    raw = load_checkpoint(tmp_path / "run").model
    qkv = "encoder.blocks.1.mixer.qkv"
    assert torch.equal(raw[f"{qkv}.base_layer.weight"], start.tensors[f"{qkv}.weight"])
    update = 8.0 * raw[f"{qkv}.lora_B.default.weight"] @ raw[f"{qkv}.lora_A.default.weight"]
    opened = load_model(tmp_path / "run").model.state_dict()
    torch.testing.assert_close(opened[f"{qkv}.weight"], start.tensors[f"{qkv}.weight"] + update)
    assert float(update.abs().max()) > 0
    assert set(opened) == set(start.tensors)
    heads = sum(p.numel() for p in tuned.model.heads.parameters())
    inner = start.settings.intermediate
    assert summary["trained"] == heads + 2 * 2 * ((32 + 96) + (32 + 32) + (inner + 32))
    with pytest.raises(ConfigError, match="no linear layer 'key'; it has"):
        _job(examples, start, lora={"modules": ["key"]}).model()
    assert lora_module.merged({"a": torch.ones(1)}, 1.0) == {"a": torch.ones(1)}


def test_muon_is_refused_where_no_block_is_tuned() -> None:
    given = {"model": "run", "optimiser": {"name": "muon"}}
    with pytest.raises(ValueError, match=r"optimiser.name muon and tune frozen do not go together"):
        settings(**given, tune="frozen")
    assert {settings(**given, tune=mode).tune for mode in ("last", "lora", "embeddings")}
