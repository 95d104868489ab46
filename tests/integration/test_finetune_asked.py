"""What ``finetune`` says before it trains, of a run that stands there, and of a body that is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomecli.analysis import task_report
from genomecli.cli import main
from genomecli.commands import finetune_data
from genomecli.corpus.lexicon import build_lexicon
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.training import finetuning
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.plan import Progress
from tests.unit.training.task_toys import sequences

SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "finetune.epochs=1",
    "finetune.split.by=stratified",
    "finetune.metrics.bootstrap=0",
    "finetune.baselines.run=[majority]",
]


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time of a small run."""
    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)


def make_body(path: Path, **lexicon: Any) -> Path:
    """A run of pretrain on two species."""
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 1, "width": 32, "heads": 2, "context": 48, "local_window": 0}
    )
    words = build_lexicon(["bug", "fly"], dna="base", k=1, stride=1, **lexicon)
    model = build_model(settings, words.vocabulary.size, len(words.languages), seed=4)
    identity = Identity(settings.model_dump(mode="json"), "corpus", 0, 7, 1, "fp32", "cpu")
    save_checkpoint(path, Checkpoint(Progress(7), identity, words, {}, model.state_dict()), best=True)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = [f"{text}\t{'ab'[n % 2]}" for n, text in enumerate(sequences(40, 20, 40, key="asked"))]
    (tmp_path / "t.tsv").write_text("\n".join(["sequence\ty", *lines]) + "\n")
    return tmp_path / "t.tsv"


@pytest.fixture
def body(tmp_path: Path) -> Path:
    return make_body(tmp_path / "body")


def finetune(table: Path, out: Path, *options: object, sets: tuple[str, ...] = ()) -> int:
    settings = [word for one in (*SMALL, *sets) for word in ("--set", one)]
    return main(
        ["finetune", "--data", str(table), "--target", "y", "-o", str(out), *map(str, options), *settings]
    )


def test_a_finished_run_is_left_as_it_is_only_if_it_is_what_was_asked_for(
    table: Path, body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert finetune(table, out, "-m", body) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"wrote {out}; open {out / 'index.html'}"
    manifest = (out / "manifest.json").read_bytes()
    assert finetune(table, out, "-m", body, "--resume") == 0
    assert "there is nothing to resume" in capsys.readouterr().err
    moved = tmp_path / "moved.tsv"
    moved.write_text(table.read_text().replace("\ta\n", "\tb\n", 1))
    cases: list[tuple[Path, tuple[str, ...], str]] = [
        (table, ("finetune.epochs=2",), "model: finetune.epochs: was 1.0 and is now 2.0;"),
        (table, ("seed=3",), "seed: was 0 and is now 3"),
        (
            table,
            ("finetune.targets.y.kind=multiclass",),
            "targets.y.kind: was 'auto' and is now 'multiclass'",
        ),
        (table, ("finetune.metrics.test=false",), "metrics.test: was True and is now False"),
        (moved, (), "finetune.data.path: was ['t.tsv'] and is now ['moved.tsv']"),
    ]
    for data, sets, said in cases:
        assert finetune(data, out, "-m", body, "--resume", sets=sets) == 2
        shown = capsys.readouterr().err
        assert "was made from other inputs, settings or another model" in shown
        assert said in shown
        assert "give --force to replace it, or another --out" in shown
    table.write_text(moved.read_text())  # the same name, other labels
    assert finetune(table, out, "-m", body, "--resume") == 2
    assert "the labelled rows or their split | the files;" in capsys.readouterr().err
    assert (out / "manifest.json").read_bytes() == manifest


def test_what_stands_in_the_place_is_told_before_anything_is_read(
    table: Path,
    body: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("the data were read")

    monkeypatch.setattr(finetune_data, "read_examples", read)
    out = tmp_path / "run"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert finetune(table, out, "-m", body) == 2
    assert "exists and is no run of genomecli" in capsys.readouterr().err
    assert finetune(table, Path("/proc/x"), "-m", body) == 2
    assert "/proc; cannot write there" in capsys.readouterr().err
    # A run that pretrain began, and one of finetune with other settings.
    (out / "thesis.txt").unlink()
    (out / "checkpoints" / "step-0000001").mkdir(parents=True)
    (out / "checkpoints" / "last.json").write_text('{"checkpoint": "step-0000001"}')
    (out / "config.json").write_text(json.dumps({"seed": 5, "finetune": {}}))
    (out / "run.json").write_text('{"command": "pretrain"}')
    assert finetune(table, out, "-m", body, "--resume") == 2
    assert "is a run of pretrain; give another --out" in capsys.readouterr().err
    (out / "run.json").write_text('{"command": "finetune"}')
    assert finetune(table, out, "-m", body, "--resume") == 2
    said = capsys.readouterr().err
    assert "seed: was 5 and is now 0; a resumed run keeps its settings (--model and another --out" in said
    assert "init_from" not in said


def test_a_dry_run_counts_every_network(
    table: Path, body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = "finetune.baselines.run=[majority, cnn, random]"
    assert (
        finetune(table, tmp_path / "run", "-m", body, "--dry-run", sets=(networks, "finetune.seeds=2")) == 0
    )
    said = capsys.readouterr().err
    for name in ("pretrained", "cnn", "random"):
        assert f"\n{name}: 1 steps at most; " in said
    assert "training: 3 networks in each of 2 trials, " in said
    assert finetune(table, tmp_path / "run", "-m", body, "--dry-run") == 0
    assert "training: 1 network, " in capsys.readouterr().err


def test_the_data_are_checked_without_the_body_where_the_settings_say_what_they_are(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "dna.yaml").write_text("pretrain: {corpus: x}\n")
    yaml = tmp_path / "configs" / "task.yaml"
    yaml.write_text("finetune:\n  model: ../out/dna/body\n  data: {path: x.tsv, molecule: genome}\n")
    absent = tmp_path / "out" / "dna" / "body"
    out = tmp_path / "run"
    assert finetune(table, out, "-c", yaml, "--check") == 0
    shown = capsys.readouterr()
    assert f"{absent} is absent: its tokens, " in shown.out
    assert "40 rows of DNA" in shown.out
    assert "Target y: binary" in shown.out
    assert finetune(table, out, "-c", yaml) == 3
    said = capsys.readouterr().err
    made = f"make it with {tmp_path / 'configs' / 'dna.yaml'}, or give another with --model"
    assert f"finetune.model: {absent}; no such file or folder; {made}" in said
    assert finetune(table, out, "-c", yaml, "--check", sets=("finetune.data.molecule=auto",)) == 3
    assert "or set finetune.data.molecule" in capsys.readouterr().err
    assert not out.exists()


def test_a_species_is_asked_for_where_the_model_tells_them_apart_and_kept_from_a_tuning(
    table: Path, body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = make_body(tmp_path / "apart", scope="per_species")
    out = tmp_path / "run"
    assert finetune(table, out, "-m", body, "--check") == 0
    assert finetune(table, out, "-m", apart, "--check") == 2
    assert "tells 2 species apart" in capsys.readouterr().err
    assert finetune(table, out, "-m", apart, sets=("finetune.species=fly",)) == 0
    assert finetune(table, tmp_path / "again", "-m", out) == 0
    checkpoint = next((tmp_path / "again" / "checkpoints").glob("step-*"))
    assert json.loads((checkpoint / "tasks.json").read_text())["reading"]["species"] == "fly"


def test_a_class_that_does_not_exist_is_no_positive_class(
    table: Path, body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("finetune.targets.y.positive=YES",)
    assert finetune(table, tmp_path / "run", "-m", body, "--check", sets=asked) == 2
    assert "positive 'YES' is none of its two classes" in capsys.readouterr().err
