"""``finetune`` on more than a label a sequence: labels of symbols, pairs, covariates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.inference.predictor import Predictor, Unlabelled
from genomecli.inference.tuned import load_tuned
from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA
from tests.faults.injected import undrawn_here
from tests.integration.test_finetune import SMALL, make_body, rows_of, tune
from tests.unit.training.task_toys import sequences


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    undrawn_here(monkeypatch)


@pytest.fixture
def body(tmp_path: Path) -> Path:
    return make_body(tmp_path / "body")


def test_labels_of_symbols_are_written_as_lists(tmp_path: Path) -> None:
    texts = sequences(60, 20, 40)
    (tmp_path / "x.fa").write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(texts)))
    marks = ["".join("GN"[letter not in "GC"] for letter in text) for text in texts]
    (tmp_path / "labels.fa").write_text("".join(f">r{i}\n{mark}\n" for i, mark in enumerate(marks)))
    given = ["finetune.network={preset: cnn, layers: 1, context: 64}", "finetune.tokens=kmer3"]
    given += [f"finetune.data.labels={tmp_path / 'labels.fa'}", "finetune.targets={s: {kind: token}}"]
    given += ["finetune.baselines.run=[majority]", "finetune.epochs=8"]
    summary = tune(tmp_path / "x.fa", tmp_path / "run", *given)
    assert summary["targets"]["s"]["beats_best_baseline"]
    rows = pq.read_table(tmp_path / "run" / "predictions.parquet").to_pylist()
    assert not (tmp_path / "run" / "predictions.tsv").exists()
    for row in rows:
        mark = marks[int(row["id"][1:])]
        assert row["s.label"] == list(mark)
        assert len(row["s.predicted"]) == len(mark)
    ours = [row for row in rows if row["model"] == "network"]
    right = [a == b for row in ours for a, b in zip(row["s.predicted"], row["s.label"], strict=True)]
    assert np.mean(right) > 0.9


def test_pairs_with_covariates_are_predicted_as_they_were_judged(body: Path, tmp_path: Path) -> None:
    random = rng("pairs")
    first, second = sequences(80, 20, 60), sequences(80, 20, 60, "second")
    values = random.normal(100, 20, 80)
    lines = [
        f"r{i}\t{a}\t{b}\t{'' if i % 9 == 0 else f'{x:.3f}'}\t{('low', 'high')[int(x > 100)]}"
        for i, (a, b, x) in enumerate(zip(first, second, values, strict=True))
    ]
    table = tmp_path / "pairs.tsv"
    table.write_text("\n".join(["id\tsequence\tother\tx\ty", *lines]) + "\n")
    given = [f"finetune.model={body}", "finetune.data.pair=other", "finetune.data.covariates=x"]
    tune(table, tmp_path / "run", *given, "finetune.targets={y: {}}", "finetune.epochs=1")
    predictor = Predictor(load_tuned(tmp_path / "run"))
    sources = {row["id"]: row for row in rows_of(table)}
    written = [row for row in rows_of(tmp_path / "run" / "predictions.tsv") if row["model"] == "pretrained"]
    given_rows = [
        Unlabelled(
            row["id"],
            DNA.encode(sources[row["id"]]["sequence"]),
            DNA.encode(sources[row["id"]]["other"]),
            np.array([float(sources[row["id"]]["x"] or "nan")]),
        )
        for row in written
    ]
    for row, outcome in zip(written, predictor.predict(given_rows), strict=True):
        assert [float(row["y.p.high"]), float(row["y.p.low"])] == outcome.scores["y"].tolist()


def test_a_covariate_that_one_fold_cannot_learn_from_does_not_end_the_run(tmp_path: Path) -> None:
    """Its one other value stands in one row: the fold that tests this row trains on a constant."""
    lines = ["sequence\ty\tdose"]
    for number, text in enumerate(sequences(30, 20, 40)):
        lines.append(f"{text}\t{('yes', 'no')[number % 2]}\t{5 if number == 7 else 1}")
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(lines) + "\n")
    given = ["finetune.network={preset: cnn, layers: 1, context: 64}", "finetune.tokens=kmer3"]
    given += ["finetune.targets={y: {}}", "finetune.data.covariates=[dose]", "finetune.epochs=1"]
    given += ["finetune.baselines.run=[majority, composition]", "finetune.split.folds=3"]
    config = load_config(None, [*SMALL, f"finetune.data.path={path}", "finetune.split.valid=0", *given])
    summary = run_finetune(config, tmp_path / "run")
    assert [note for note in summary["notes"] if "in the training rows of 1 of 3 folds" in note]


def test_it_is_said_that_labels_of_symbols_see_no_covariates(tmp_path: Path) -> None:
    random = rng("dose")
    lines = ["sequence\tstate\ty\tdose"]
    for text in sequences(60, 20, 40):
        state = "".join("g" if letter == "G" else "-" for letter in text)
        dose = float(random.normal())
        lines.append(f"{text}\t{state}\t{'yes' if dose > 0 else 'no'}\t{dose:.3f}")
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(lines) + "\n")
    given = ["finetune.network={preset: cnn, layers: 1, context: 64}", "finetune.tokens=kmer3"]
    given += ["finetune.targets={state: {kind: token}, y: {}}", "finetune.data.covariates=[dose]"]
    given += ["finetune.baselines.run=[composition]", "finetune.epochs=1"]
    config = load_config(None, [*SMALL, f"finetune.data.path={path}", *given])
    summary = run_finetune(config, tmp_path / "run")
    said = "state: labels of single symbols are predicted without them, by the networks and by the baselines"
    (note,) = [note for note in summary["notes"] if note.startswith("Covariates (dose)")]
    assert said in note
    assert said in (tmp_path / "run" / "index.html").read_text()
