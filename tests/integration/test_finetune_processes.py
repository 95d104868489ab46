"""``finetune`` in two processes: what one would do, what is said once, runs that others go on with."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from genomecli.commands import finetune_identity
from genomecli.commands.finetune import run_finetune
from genomecli.commands.finetune_identity import check_alike
from genomecli.config import load_config
from genomecli.errors import RunError
from genomecli.files import verify_manifest
from genomecli.runtime import rng
from genomecli.training.checkpoint import load_checkpoint
from genomecli.training.metrics import read_metrics
from tests.faults.injected import undrawn_here
from tests.integration.test_finetune import make_body
from tests.integration.test_processes import finish, launch, logged, until_logged
from tests.unit.training.task_toys import plant, sequences

SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "finetune.split={by: stratified, valid: 0.2, test: 0.2}",
    "finetune.metrics.bootstrap=0",
    "finetune.optimiser.lr=5e-3",
    "finetune.targets={motif: {class_weights: balanced}, value: {}}",
    # Of one batch and of two halves: micro-batches are others, so what is drawn in them would be, too.
    "finetune.dropout=0",
    "finetune.head.dropout=0",
    "finetune.baselines.run=[]",
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A body and a table of two targets, each with labels that are not known."""
    folder = tmp_path_factory.mktemp("inputs")
    random, lines = rng("processes"), ["sequence\tmotif\tvalue"]
    for number, text in enumerate(sequences(120, 20, 70, "processes")):
        motif = number % 3 == 0
        text = plant(text, "GATTACAGATTACA", int(random.integers(0, len(text) - 14))) if motif else text
        label = "" if number % 7 == 0 else "yes" if motif else "no"
        value = "" if number % 11 == 0 else f"{20 + 5 * text.count('G') / len(text):.4f}"
        lines.append(f"{text}\t{label}\t{value}")
    (folder / "table.tsv").write_text("\n".join(lines) + "\n")
    body = make_body(folder / "body")
    return [*SMALL, f"finetune.model={body}", f"finetune.data.path={json.dumps([str(folder / 'table.tsv')])}"]


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    undrawn_here(monkeypatch)


def start(
    overrides: Sequence[str], out: Path, processes: int, *options: str, module: str = "tests.faults.undrawn"
) -> list[subprocess.Popen[str]]:
    """Processes of one run, which draw no figures."""
    words = ["finetune", "-o", str(out), *options]
    return launch([*words, *(word for one in overrides for word in ("--set", one))], processes, module)


def alone(overrides: Sequence[str], out: Path, *, resume: bool = False) -> dict[str, Any]:
    """The same run in this process."""
    return run_finetune(load_config(None, overrides, needs=["finetune"]), out, resume=resume)


def same(one: Path, other: Path, tolerance: float = 1e-5) -> None:
    """Files, metrics, weights and predictions of two runs agree."""
    left, right = (_files(run) for run in (one, other))
    assert left == right
    for name in left:
        if name.endswith("metrics.jsonl"):
            _close(read_metrics(one / name), read_metrics(other / name), tolerance)
        if name.endswith("last.json"):
            checkpoints = [load_checkpoint((run / name).parent.parent, prefer="last") for run in (one, other)]
            assert checkpoints[0].progress.step == checkpoints[1].progress.step
            assert checkpoints[0].progress.best_step == checkpoints[1].progress.best_step
            weights = [{key: value.tolist() for key, value in c.model.items()} for c in checkpoints]
            _close(*weights, tolerance)
    _close(*(pq.read_table(run / "predictions.parquet").to_pydict() for run in (one, other)), tolerance)


def _files(run: Path) -> list[str]:
    verify_manifest(run)
    return sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())


def _close(one: Any, other: Any, tolerance: float) -> None:
    """Plain values are alike, their floating numbers nearly so."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            _close(one[key], other[key], tolerance)
    elif isinstance(one, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            _close(left, right, tolerance)
    else:
        exact = not isinstance(one, float)
        assert (
            one == other if exact else one == pytest.approx(other, abs=tolerance, rel=tolerance, nan_ok=True)
        )


@pytest.mark.parametrize(
    "chosen",
    [
        [
            *("finetune.weighting=uncertainty", "finetune.tokens_per_batch=150", "finetune.epochs=16"),
            *(
                "finetune.optimiser.lr=2e-2",
                "finetune.patience=2",
                "finetune.baselines.run=[composition]",
            ),
        ],
        [
            *("finetune.tune=frozen", "finetune.epochs=3", "finetune.baselines.run=[majority]"),
            "finetune.split={by: random, folds: 2, valid: 0.2}",
        ],
        pytest.param(["finetune.tune=last", "finetune.epochs=3", "finetune.seeds=2"], marks=pytest.mark.slow),
        pytest.param(
            ["finetune.tune=embeddings", "finetune.epochs=3", "finetune.baselines.run=[cnn, random]"],
            marks=pytest.mark.slow,
        ),
        pytest.param(["finetune.tune=lora", "finetune.epochs=3"], marks=pytest.mark.slow),
    ],
    ids=["early_stopping", "frozen_folds", "last_seeds", "embeddings", "lora"],
)
def test_two_processes_tune_as_one_does(inputs: list[str], tmp_path: Path, chosen: list[str]) -> None:
    if "finetune.tune=lora" in chosen:
        pytest.importorskip("peft")
    out, whole = tmp_path / "run", tmp_path / "whole"
    codes, said = finish(start([*inputs, *chosen], out, 2))
    assert codes == [0, 0], said
    assert f"open {out / 'index.html'}" in said[0]
    assert said[1] == ""
    summary = alone([*inputs, *chosen], whole)
    same(whole, out)
    assert json.loads((out / "run.json").read_text())["processes"] == 2
    training = next(iter(summary["training"].values()))["pretrained"]
    assert (training["steps"] < training["planned_steps"]) == ("finetune.patience=2" in chosen)


LONG = ["finetune.seeds=[3, 4]", "finetune.epochs=30", "finetune.patience=0", "finetune.validate_every=10"]


@pytest.fixture(scope="module")
def whole(inputs: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        undrawn_here(patch)
        alone([*inputs, *LONG], out)
    return out


@pytest.mark.parametrize(("first", "then"), [(2, 1), pytest.param(1, 2, marks=pytest.mark.slow)])
def test_a_stopped_run_goes_on_with_another_number_of_processes(
    inputs: list[str], whole: Path, tmp_path: Path, first: int, then: int
) -> None:
    """A signal to the last process stops all of them, in the training of the second seed."""
    out, chosen = tmp_path / "run", [*inputs, *LONG]
    started = start(chosen, out, first)
    until_logged(out / "seed-4", 3)
    started[-1].send_signal(signal.SIGTERM)
    codes, said = finish(started)
    assert codes == [75] * first, said
    assert said[0].endswith(": by TERM; --resume goes on from there\n")
    assert not any(said[1:])
    assert 0 < load_checkpoint(out / "seed-4", prefer="last").progress.step < 60
    lines = logged(out / "seed-3")
    if then == 1:
        alone(chosen, out, resume=True)
    else:
        codes, said = finish(start(chosen, out, then, "--resume"))
        assert codes == [0] * then, said
        assert f"{first} processes are now {then}" in said[0]
    assert logged(out / "seed-3") == lines
    same(whole, out)


def test_a_stop_while_the_first_process_works_alone_ends_all(inputs: list[str], tmp_path: Path) -> None:
    out, whole = tmp_path / "run", tmp_path / "whole"
    chosen = [*inputs, "finetune.epochs=2", "finetune.baselines.run=[composition]"]
    codes, said = finish(start(chosen, out, 2, module="tests.faults.stopped_first"))
    assert codes == [75, 75], said
    assert said[0].splitlines()[-1] == "genomecli: stopped by TERM; --resume goes on from there"
    assert said[1] == ""
    alone(chosen, out, resume=True)
    alone(chosen, whole)
    same(whole, out)


def test_what_is_refused_is_said_once(inputs: list[str], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").touch()
    refused = {
        2: (inputs, "exists and is no run of genomecli"),
        3: ([*inputs, "finetune.data.path=absent.tsv"], "absent.tsv; no such file"),
    }
    for code, (chosen, why) in refused.items():
        codes, said = finish(start(chosen, tmp_path / ("run" if code == 2 else "other"), 2))
        assert codes == [code, code], said
        assert why in said[0]
        assert said[1] == ""
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_asked_is_answered_once(inputs: list[str], tmp_path: Path) -> None:
    """Nothing is written by that, nor where a batch is too small for all."""
    codes, said = finish(start(inputs, tmp_path / "run", 2, "--dry-run"))
    assert codes == [0, 0], said
    assert "tokens/s" in said[0]
    assert said[1] == ""
    codes, said = finish(start([*inputs, "finetune.batch_size=1"], tmp_path / "run", 2))
    assert codes == [2, 2]
    assert "2 processes share 1 sequence a step" in said[0]
    assert said[1] == ""
    assert not (tmp_path / "run").exists()


def test_a_process_that_has_read_something_else_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    check_alike({"inputs": {"data": "one"}})
    monkeypatch.setattr(finetune_identity, "from_main", lambda number: number + 1)
    with pytest.raises(RunError, match="has read other data, weights or settings than the first one"):
        check_alike({"inputs": {"data": "two"}})
