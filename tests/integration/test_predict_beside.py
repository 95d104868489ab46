"""``predict.measure`` where labels stand beside the sequences: figures are those that finetune found."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.cli import main
from genomecli.runtime import rng
from tests.integration.test_predict import tune
from tests.unit.training.task_toys import plant, sequences

COMMON = ["--set", "device=cpu", "--set", "threads=1"]
N = 40
MOTIF = "GTATGTACTAACGATTACATTTAG"
L = len(MOTIF)


def fasta(path: Path, records: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f">{name}\n{text}\n" for name, text in records))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path) as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


class Made:
    """Sequences with a motif, and every form of saying where it is."""

    def __init__(self, folder: Path) -> None:
        random = rng("beside")
        places = random.integers(15, 24, N).tolist()
        texts = [plant(t, MOTIF, at) for t, at in zip(sequences(N, 62, 70, "beside"), places, strict=True)]
        self.folder = folder
        self.records = [(f"r{i}", text) for i, text in enumerate(texts)]
        rows = list(zip(self.records, places, strict=True))
        labels = [(n, "b" * at + "m" * L + "b" * (len(t) - at - L)) for (n, t), at in rows]
        masks = [(n, "".join("01"[i] for i in random.integers(0, 2, len(t)))) for (n, t), _ in rows]
        spliced = [(n, t[:at] + t[at + L :]) for (n, t), at in rows]
        self.labels = fasta(folder / "labels.fa", labels[: N - 3])  # three have none
        self.mask = fasta(folder / "mask.fa", masks)
        self.spliced = fasta(folder / "spliced.fa", spliced)
        self.bed = folder / "parts.bed"
        lines = [f"{n}\t{at}\t{at + L}\tmotif\t0\t+\n" for (n, _), at in rows if at > 16]
        self.bed.write_text("".join(lines))
        self.all = fasta(folder / "all.fa", self.records)
        self.yes, self.no = (fasta(folder / f"{k}.fa", self.records[k::2]) for k in (0, 1))

    def some(self, names: set[str], name: str = "test.fa") -> Path:
        """A FASTA of the named records."""
        return fasta(self.folder / name, [record for record in self.records if record[0] in names])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("beside"))


def forms(made: Made) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Data of the training, and settings of predict, that say where labels stand."""
    classes = {"motif": "m"}
    intervals = {"path": str(made.bed), "classes": classes, "background": "b"}
    return {
        "labels": (
            {"path": str(made.all), "labels": str(made.labels), "mask": str(made.mask), "invalid": "drop"},
            {"labels": made.labels, "mask": made.mask},
        ),
        "intervals": ({"path": str(made.all), "intervals": intervals}, {"intervals": made.bed}),
        "spliced": (
            {"path": str(made.all), "spliced": str(made.spliced), "invalid": "drop"},
            {"spliced": made.spliced},
        ),
        "classes": ({"classes": {"yes": str(made.yes), "no": str(made.no)}}, {}),
    }


@pytest.fixture(scope="module")
def runs(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("runs"), {}
    for name, (data, _) in forms(made).items():
        kind = "auto" if name == "classes" else "token"
        targets = f"finetune.targets={{t: {{kind: {kind}}}}}"
        found[name] = tune(folder / name, f"finetune.data={json.dumps(data)}", targets)
    return found


def predict(*arguments: object) -> int:
    return main(["predict", *map(str, arguments), *COMMON])


def measured(path: Path, **wanted: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Figures by metric and class: value and number."""
    chosen = [row for row in rows_of(path) if all(row[key] == value for key, value in wanted.items())]
    return {
        (row["metric"], row["of"]): (f"{float(row['value']):.4f}" if row["value"] else "", row["n"])
        for row in chosen
    }


@pytest.mark.parametrize("name", ["labels", "intervals", "spliced", "classes"])
def test_figures_are_those_of_finetune(made: Made, runs: dict[str, Path], tmp_path: Path, name: str) -> None:
    """Of the test rows alone, which finetune had read among all others."""
    run, more = runs[name], forms(made)[name][1]
    test = {row["id"] for row in rows_of(run / "split.tsv") if row["part"] == "test"}
    assert 10 < len(test) < 20
    options = [f"predict.{key}={value}" for key, value in more.items()]
    inputs: list[object] = [made.some(test)]
    if name == "classes":
        sides = [{r for r, _ in made.records[k::2]} & test for k in (0, 1)]
        files = [made.some(side, f"{k}-test.fa") for k, side in zip("yn", sides, strict=True)]
        options.append(f"predict.class_inputs={{yes: {files[0]}, no: {files[1]}}}")
        inputs = []
    given = [
        x for o in ("predict.measure=true", "predict.metrics.bootstrap=0", *options) for x in ("--set", o)
    ]
    out = tmp_path / "out.tsv"
    assert predict("-m", run, *inputs, "-o", out, *given) == 0
    mine = measured(tmp_path / "out.tsv.metrics.tsv", target="t", rows="all")
    theirs = measured(run / "metrics.tsv", target="t", part="test", model="network")
    assert {key: theirs[key] for key in mine} == mine
    assert ("accuracy", "") in mine
    assert predict("-m", run, *inputs, "-o", out, *given, "--resume") == 0  # finished already
    labels = {row["t.label"] for row in rows_of(out)}
    masked = {""} if name == "labels" else set()
    expected = {"classes": {"yes", "no"}, "spliced": {"exon", "intron"}}.get(name, {"b", "m"})
    assert labels == expected | masked


def test_records_that_labels_do_not_name(
    made: Made, runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are predicted all the same; where no record is named, it is said."""
    measure = ["--set", "predict.measure=true", "--set", "predict.metrics.bootstrap=0"]
    out, labels = tmp_path / "out.tsv", ["--set", f"predict.labels={made.labels}"]
    assert predict("-m", runs["labels"], made.all, "-o", out, *measure, *labels) == 0
    rows = rows_of(out)
    assert len(rows) == sum(len(text) for _, text in made.records)
    assert {row["id"] for row in rows if not row["t.label"]} == {f"r{i}" for i in range(N - 3, N)}
    other = fasta(tmp_path / "other.fa", [(f"x{name}", text) for name, text in made.records])
    for name, key, path in (
        ("labels", "labels", made.labels),
        ("intervals", "intervals", made.bed),
        ("spliced", "spliced", made.spliced),
    ):
        more = ["--set", f"predict.{key}={path}", "--force"]
        capsys.readouterr()
        assert predict("-m", runs[name], other, "-q", "-o", tmp_path / "no.tsv", *measure, *more) == 3
        shown = capsys.readouterr().err
        assert Path(path).name in shown
        assert shown.count("\n") == 1
    assert not (tmp_path / "no.tsv").exists()


@pytest.mark.parametrize(
    ("name", "settings", "code", "message"),
    [
        ("labels", ["measure=true"], 2, "stood beside the sequences in training; name the file of theirs "
         "with predict.labels"),
        ("intervals", ["measure=true"], 2, "with predict.intervals"),
        ("spliced", ["measure=true"], 2, "with predict.spliced"),
        ("labels", ["measure=true", "intervals=BED"], 2, "not tuned on an annotation"),
        ("labels", ["labels=LABELS"], 2, "need measure: true"),
        ("labels", ["measure=true", "labels=LABELS", "spliced=LABELS"], 2, "give one of labels"),
        ("classes", ["measure=true"], 3, "has no label 'class' in its headers; write class= into them"),
        ("classes", ["measure=true", "labels=LABELS"], 2, "the model predicts whole sequences"),
        ("classes", ["measure=true", "class_inputs={yes: ALL}"], 2, "are both given"),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_clear_line(
    made: Made,
    runs: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    name: str,
    settings: list[str],
    code: int,
    message: str,
) -> None:
    given = []
    for one in settings:
        for word, path in (("BED", made.bed), ("LABELS", made.labels), ("ALL", made.all)):
            one = one.replace(word, str(path))
        given += ["--set", f"predict.{one}"]
    capsys.readouterr()
    assert predict("-m", runs[name], made.all, "-q", *given) == code
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_headers_may_name_the_class(made: Made, runs: dict[str, Path], tmp_path: Path) -> None:
    """Of a model tuned on files as classes, too."""
    records = [(f"{name} class={('yes', 'no')[i % 2]}", text) for i, (name, text) in enumerate(made.records)]
    path = fasta(tmp_path / "headers.fa", records)
    more = ["--set", "predict.measure=true", "--set", "predict.metrics.bootstrap=0"]
    assert predict("-m", runs["classes"], path, "-o", tmp_path / "out.tsv", *more) == 0
    rows = rows_of(tmp_path / "out.tsv")
    assert [row["t.label"] for row in rows] == ["yes", "no"] * (N // 2)
    right = np.mean([row["t.label"] == row["t.predicted"] for row in rows])
    accuracy = measured(tmp_path / "out.tsv.metrics.tsv", rows="all")["accuracy", ""][0]
    assert accuracy == f"{right:.4f}"
