"""``finetune`` from a labelled table to a judged run: trials, baselines, resumed, opened again."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from genomecli.analysis import task_report
from genomecli.cli import main
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import CheckpointedError, ConfigError, InputError, UsageError
from genomecli.files import verify_manifest
from genomecli.inference.predictor import Predictor, Unlabelled
from genomecli.inference.tuned import load_tuned
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA
from genomecli.training import finetuning
from genomecli.training.checkpoint import Checkpoint, Identity, load_model, save_checkpoint
from genomecli.training.finetuning import Finetuning
from genomecli.training.plan import Progress
from tests.unit.training.task_toys import plant, sequences

SMALL = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "finetune.epochs=2",
    "finetune.split.by=stratified",
    "finetune.split.valid=0.2",
    "finetune.split.test=0.3",
    "finetune.metrics.bootstrap=20",
    "finetune.optimiser.lr=5e-3",
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 sequences with or without a motif, and a value that follows their G."""
    path = tmp_path_factory.mktemp("data") / "table.tsv"
    random = rng("table")
    lines = ["id\tsequence\thas motif\tvalue"]
    for number, text in enumerate(sequences(160, 20, 70)):
        motif = number % 2
        text = plant(text, "GATTACAGATTACA", int(random.integers(0, len(text) - 14))) if motif else text
        value = "" if number % 11 == 0 else f"{20 + 5 * text.count('G') / len(text):.4f}"
        lines.append(f"g{number}\t{text}\t{'yes' if motif else 'no'}\t{value}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_body(tmp_path_factory.mktemp("body") / "run")


def make_body(path: Path) -> Path:
    """A run folder with a small network of codons and residues, as pretrain leaves it."""
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 2, "width": 32, "heads": 2, "context": 16, "local_window": 0}
    )
    lexicon = build_lexicon(["ecoli"], dna="codon")
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=4)
    identity = Identity(settings.model_dump(mode="json"), "corpus", 0, 1, 1, "fp32", "cpu")
    save_checkpoint(path, Checkpoint(Progress(1), identity, lexicon, model=model.state_dict()), best=True)
    return path


def tune(table: Path, out: Path, *overrides: str, **options: Any) -> dict[str, Any]:
    paths = [f"finetune.data.path={json.dumps([str(table)])}"]
    targets = ["finetune.targets={y: {columns: has motif}}"]
    config = load_config(None, [*SMALL, *paths, *targets, *overrides], needs=["finetune"])
    return run_finetune(config, out, **options)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time of a small run."""
    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)


@pytest.fixture(scope="module")
def tuned(table: Path, body: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two targets on a pretrained body, every baseline."""
    out = tmp_path_factory.mktemp("tuned") / "run"
    tune(table, out, f"finetune.model={body}", "finetune.targets.v={kind: regression, columns: value}")
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path) as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_a_run_holds_what_it_says(tuned: Path) -> None:
    assert verify_manifest(tuned) > 15
    summary = json.loads((tuned / "summary.json").read_text())
    assert set(summary["targets"]) == {"y", "v"}
    assert "The pretrained network" in summary["targets"]["y"]["verdict"]
    models = {row["model"] for row in rows_of(tuned / "metrics.tsv")}
    assert models == {"pretrained", "majority", "composition", "cnn", "random"}
    split = rows_of(tuned / "split.tsv")
    assert len(split) == 160
    assert {row["part"] for row in split} == {"train", "valid", "test"}
    assert not list((tuned / "baselines").glob("*/checkpoints"))
    assert (tuned / "baselines" / "cnn" / "metrics.jsonl").is_file()
    page = (tuned / "index.html").read_text()
    first = page.index("the best baseline")
    assert first < page.index("<table")
    shown = dict(re.findall(r'<td class="text">([^<]*)</td><td class="wrap">([^<]*)</td>', page))
    assert re.fullmatch(r"table\.tsv: 160 rows of \w+", shown["data"])
    assert re.fullmatch(r"run, step 1, weights with sha256 [0-9a-f]{12}\.\.\.", shown["model"])
    assert (shown["read as species"], shown["seed"]) == ("ecoli", "0")
    assert shown["target y"].startswith("binary, positive class yes (the last by name; targets.y.positive")
    assert shown["target v"] == "regression, judged by Pearson r"
    assert shown["epochs"].startswith("2.0 of at most 2,")
    assert "run.json" in shown["date, command line, full paths"]
    assert "1 steps of pretraining" in shown["pretrained"]
    config = (tuned / "config.json").read_text()
    assert "/tmp" not in config
    assert str(tuned.parent) not in config


def test_predictions_of_the_opened_model_are_those_that_were_judged(tuned: Path, table: Path) -> None:
    """Bit for bit, one at a time and in any order, from the table's text alone."""
    sources = {row["id"]: row["sequence"] for row in rows_of(table)}
    written = [row for row in rows_of(tuned / "predictions.tsv") if row["model"] == "pretrained"]
    predictor = Predictor(load_tuned(tuned))
    given = [Unlabelled(row["id"], DNA.encode(sources[row["id"]])) for row in reversed(written)]
    for row, outcome in zip(reversed(written), predictor.predict(given), strict=True):
        assert row["id"] == outcome.given.id
        assert [float(row["y.p.no"]), float(row["y.p.yes"])] == outcome.scores["y"].tolist()
        assert float(row["v.predicted"]) == outcome.scores["v"][0]
    parquet = pq.read_table(tuned / "predictions.parquet").to_pylist()
    assert [row["id"] for row in parquet if row["model"] == "pretrained"] == [row["id"] for row in written]


def test_the_figures_are_those_of_the_written_predictions(tuned: Path) -> None:
    written = [
        row
        for row in rows_of(tuned / "predictions.tsv")
        if (row["model"], row["part"]) == ("pretrained", "test")
    ]
    right = np.mean([row["y.predicted"] == row["y.label"] for row in written])
    figures = {
        (row["target"], row["metric"]): float(row["value"])
        for row in rows_of(tuned / "metrics.tsv")
        if (row["model"], row["part"], row["of"]) == ("pretrained", "test", "") and row["value"]
    }
    assert figures["y", "accuracy"] == pytest.approx(right, abs=1e-5)
    known = [row for row in written if row["v.label"]]
    measured, predicted = (np.array([float(row[key]) for row in known]) for key in ("v.label", "v.predicted"))
    assert figures["v", "rmse"] == pytest.approx(math.sqrt(((measured - predicted) ** 2).mean()), rel=1e-5)
    assert len(known) < len(written)


def test_other_commands_open_a_tuned_run(tuned: Path) -> None:
    loaded = load_model(tuned)
    assert loaded.info["heads"] == ["task-v", "task-y"]
    assert load_tuned(tuned).spec.reading.molecule == "cds"


@pytest.mark.usefixtures("no_figures")
def test_equal_runs_are_equal_bytes_and_a_resumed_one_too(
    table: Path, body: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [f"finetune.model={body}", "finetune.baselines.run=[majority, cnn]", "finetune.tune=last"]
    tune(table, tmp_path / "whole", *given)
    plan = Finetuning._plan
    calls: list[int] = []

    def short(self: Finetuning) -> Any:
        calls.append(1)
        return replace(plan(self), deadline=-1.0) if len(calls) in (1, 3) else plan(self)

    monkeypatch.setattr(Finetuning, "_plan", short)
    for resume in (False, True):  # stopped in the network, then in the baseline
        with pytest.raises(CheckpointedError):
            tune(table, tmp_path / "part", *given, resume=resume)
    assert not (tmp_path / "part" / "manifest.json").exists()
    tune(table, tmp_path / "part", *given, resume=True)
    files = [
        json.loads((tmp_path / name / "manifest.json").read_text())["files"] for name in ("whole", "part")
    ]
    assert files[0] == files[1]
    before = (tmp_path / "part" / "summary.json").stat().st_mtime_ns
    tune(table, tmp_path / "part", *given, resume=True)
    assert (tmp_path / "part" / "summary.json").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="is a finished run"):
        tune(table, tmp_path / "part", *given)


@pytest.mark.usefixtures("no_figures")
def test_only_a_training_that_had_begun_is_said_to_begin_anew(
    table: Path,
    body: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = [f"finetune.model={body}", "finetune.baselines.run=[]", "finetune.epochs=1"]
    given += ["finetune.tune=last", "finetune.split.folds=2"]
    plan = Finetuning._plan
    with monkeypatch.context() as short:
        short.setattr(Finetuning, "_plan", lambda self: replace(plan(self), deadline=-1.0))
        with pytest.raises(CheckpointedError):
            tune(table, tmp_path / "run", *given)
    shutil.rmtree(tmp_path / "run" / "fold-1" / "checkpoints")
    (tmp_path / "run" / "fold-1" / "metrics.jsonl").touch()
    caplog.clear()
    tune(table, tmp_path / "run", *given, resume=True)
    said = [message for message in caplog.messages if "begins anew" in message]
    assert said == ["fold 1: pretrained: it has no checkpoint yet, so it begins anew"]


@pytest.mark.usefixtures("no_figures")
def test_one_seed_has_no_mean_and_no_spread_over_seeds(table: Path, body: Path, tmp_path: Path) -> None:
    few = [f"finetune.model={body}", "finetune.baselines.run=[majority]", "finetune.epochs=1"]
    out = tmp_path / "one"
    summary = tune(table, out, *few, "finetune.seeds=[3]")
    assert load_tuned(out / "seed-3").spec.targets[0].name == "y"
    assert summary["trials"] == "single"
    assert not any("mean" in said for said in summary["targets"]["y"]["further"])
    assert {(row["trial"], row["spread"]) for row in rows_of(out / "metrics.tsv")} == {("", "")}
    page = (out / "index.html").read_text()
    assert "Student" not in page
    assert "95 % bootstrap intervals over 48 test rows" in page
    assert "another seed gives other figures" in page


@pytest.mark.usefixtures("no_figures")
def test_seeds_share_a_split_and_folds_test_each_row_once(table: Path, body: Path, tmp_path: Path) -> None:
    few = [f"finetune.model={body}", "finetune.baselines.run=[majority]", "finetune.epochs=1"]
    summary = tune(table, tmp_path / "seeds", *few, "finetune.seeds=2")
    assert summary["trials"] == "seeds"
    for seed in (0, 1):
        assert load_tuned(tmp_path / "seeds" / f"seed-{seed}").spec.targets[0].name == "y"
        assert verify_manifest(tmp_path / "seeds" / f"seed-{seed}") > 5
    rows = rows_of(tmp_path / "seeds" / "metrics.tsv")
    accuracy = [
        row
        for row in rows
        if (row["model"], row["metric"], row["part"]) == ("pretrained", "accuracy", "test")
    ]
    assert [row["trial"] for row in accuracy] == ["seed 0", "seed 1", ""]
    assert float(accuracy[2]["value"]) == pytest.approx(
        np.mean([float(row["value"]) for row in accuracy[:2]])
    )
    with pytest.raises(InputError, match="holds several runs"):
        load_tuned(tmp_path / "seeds")
    tune(table, tmp_path / "folds", *few, "finetune.split.folds=3")
    tested = [
        row["id"]
        for row in rows_of(tmp_path / "folds" / "predictions.tsv")
        if (row["model"], row["part"]) == ("pretrained", "test")
    ]
    assert sorted(tested) == sorted(f"g{i}" for i in range(160))
    with pytest.raises(InputError, match="holds several runs.*fold-1"):
        load_tuned(tmp_path / "folds")


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("mode", ["frozen", "embeddings", "lora"])
def test_other_ways_of_tuning(table: Path, body: Path, tmp_path: Path, mode: str) -> None:
    if mode == "lora":
        pytest.importorskip("peft")
    few = ["finetune.baselines.run=[]", "finetune.epochs=1", f"finetune.tune={mode}"]
    summary = tune(table, tmp_path / "run", f"finetune.model={body}", *few)
    training = summary["training"]["run"]["pretrained"]
    assert training["trained"] < training["parameters"]
    tuned = load_tuned(tmp_path / "run")
    assert tuned.spec.tune == mode
    if mode == "frozen":
        own = load_model(body).model.state_dict()
        assert all(bool((tuned.model.state_dict()[name] == own[name]).all()) for name in own)


@pytest.mark.parametrize("check", [True, False])
def test_a_class_that_a_fold_lacks_ends_the_run_before_any_training(
    table: Path, body: Path, tmp_path: Path, check: bool
) -> None:
    lines = table.read_text().splitlines()
    lines[9] = lines[9].replace("\tyes\t", "\tperhaps\t").replace("\tno\t", "\tperhaps\t")
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    more = (f"finetune.model={body}", "finetune.split.folds=3")
    with pytest.raises(InputError, match=r"fold \d of 3: target 'y' does not know the class 'perhaps'"):
        tune(tmp_path / "t.tsv", tmp_path / "run", *more, check=check)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("finetune.tune=last finetune.last_layers=3", "is 3, and the network has 2 blocks; lower it"),
        (
            "finetune.tune=lora finetune.lora.modules=[taps]",
            "no linear layer 'taps'; .* leave .* for qkv, out",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_folder_is_made(
    table: Path, body: Path, tmp_path: Path, setting: str, said: str
) -> None:
    if "lora" in setting:
        pytest.importorskip("peft")
    for check in (True, False):
        with pytest.raises(ConfigError, match=said):
            tune(table, tmp_path / "run", f"finetune.model={body}", *setting.split(), check=check)
    assert not (tmp_path / "run").exists()


def test_without_a_named_target_that_of_the_headers_is_taken(
    body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = sequences(40, 20, 40)
    records = [f">g{n} TARGET={'ab'[n % 2]}\n{text}\n" for n, text in enumerate(texts)]
    (tmp_path / "t.fa").write_text("".join(records))
    (tmp_path / "plain.fa").write_text("".join(records).replace("TARGET", "location"))
    asked = ["finetune", "-m", str(body), "--check", "-o", str(tmp_path / "run"), "--data"]
    assert main([*asked, str(tmp_path / "t.fa")]) == 0
    said = capsys.readouterr().out
    assert "Target TARGET: binary" in said
    assert f"{(tmp_path / 't.fa').stat().st_size} bytes\n" in said
    assert main([*asked, str(tmp_path / "plain.fa")]) == 2
    assert "no target is named; name one with --target" in capsys.readouterr().err
    assert main([*asked, str(tmp_path / "plain.fa"), "--target", "location"]) == 0


def test_files_as_classes_without_a_named_target(
    body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = sequences(40, 20, 40)
    files = {}
    for place, name in enumerate("ab"):
        files[name] = str(tmp_path / f"{name}.fa")
        records = [f">g{n}\n{text}\n" for n, text in enumerate(texts) if n % 2 == place]
        Path(files[name]).write_text("".join(records))
    asked = ["finetune", "-m", str(body), "--check", "--set", f"finetune.data.classes={json.dumps(files)}"]
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert "finetune.targets: is required; name one with --target" in said
    assert "any name where data.classes says the classes" in said
    assert main([*asked, "--target", "kind"]) == 0
    assert "Target kind: binary" in capsys.readouterr().out


def test_check_and_dry_run_write_nothing(
    table: Path, body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(table, tmp_path / "run", f"finetune.model={body}", check=True)
    said = capsys.readouterr().out
    assert "160 rows of DNA" in said
    assert "Target y: binary" in said
    tune(table, tmp_path / "run", f"finetune.model={body}", "finetune.head.pooling=centre", check=True)
    assert "so a place in them may be another one" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"longer than the 14 tokens.*raise finetune.context"):
        tune(table, tmp_path / "run", f"finetune.model={body}", "finetune.head.pooling=places", check=True)
    tune(table, tmp_path / "run", f"finetune.model={body}", dry_run=True)
    assert not (tmp_path / "run").exists()


def test_it_is_said_before_training_that_a_side_lacks_a_class(
    table: Path, body: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows without the motif first, and test rows are the last ones."""
    head, *rows = table.read_text().splitlines()
    rows.sort(key=lambda row: row.split("\t")[2])
    sides = ["train"] * 100 + ["valid"] * 30 + ["test"] * 30
    lines = [f"{head}\tside", *(f"{row}\t{side}" for row, side in zip(rows, sides, strict=True))]
    (tmp_path / "sorted.tsv").write_text("\n".join(lines) + "\n")
    split = ["finetune.split.by=column", "finetune.data.split=side"]
    tune(tmp_path / "sorted.tsv", tmp_path / "run", f"finetune.model={body}", *split, dry_run=True)
    said = "a side of this split has none of no (80 rows, none in valid and test); another split.by may part"
    assert said in caplog.text


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ([], ConfigError, r"finetune: give model \(--model RUN\), or network"),
        (["model=BODY", "context=99"], ConfigError, "context: is 99, and the network reads 16"),
        (["model=BODY", "long_input=error"], InputError, "longer than the 14 tokens.*long_input"),
        (["model=BODY", "species=yeast"], ConfigError, "does not know 'yeast'; it knows ecoli"),
        (["model=BODY", "data.molecule=protein"], InputError, "protein"),
        (["model=BODY", "seeds=[1, 1]"], ConfigError, "names one twice"),
        (["network={}", "tune=frozen"], ConfigError, "tune frozen needs a model"),
    ],
)  # fmt: skip
def test_mistakes_are_named_before_anything_is_written(
    table: Path, body: Path, tmp_path: Path, overrides: list[str], error: type[Exception], message: str
) -> None:
    given = [f"finetune.{text.replace('BODY', str(body))}" for text in overrides]
    with pytest.raises(error, match=message):
        tune(table, tmp_path / "run", *given)
    assert not (tmp_path / "run").exists()
