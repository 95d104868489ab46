"""What a network brings with it when it is tuned: what it was trained on, and rows that it has seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomecli.analysis import task_report
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import InputError
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
    "finetune.split.by=column",
    "finetune.metrics.bootstrap=0",
    "finetune.baselines.run=[majority]",
    "finetune.targets={y: {kind: binary}}",
]
Row = tuple[str, str]
"""Sequence and side."""


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time of a small run."""
    monkeypatch.setattr(task_report, "_write_figures", lambda *_: [])
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """A run on genomes, whose vocabulary holds residues as well."""
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 1, "width": 32, "heads": 2, "context": 48, "local_window": 0}
    )
    lexicon = build_lexicon(["bug"])
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=4)
    identity = Identity(settings.model_dump(mode="json"), "corpus", 0, 7, 1, "fp32", "cpu")
    config = {"pretrain": {"reading": {"molecules": ["genome"], "context": 48}}}
    checkpoint = Checkpoint(Progress(7), identity, lexicon, config, model.state_dict())
    save_checkpoint(tmp_path / "body", checkpoint, best=True)
    return tmp_path / "body"


def table(path: Path, rows: list[Row]) -> Path:
    lines = [f"{text}\t{'ab'[n % 2]}\t{side}" for n, (text, side) in enumerate(rows)]
    path.write_text("\n".join(["sequence\ty\tsplit", *lines]) + "\n")
    return path


def tune(out: Path, model: Path, data: Path, *overrides: str, **options: Any) -> dict[str, Any]:
    given = [f"finetune.model={model}", f"finetune.data.path={json.dumps([str(data)])}"]
    return run_finetune(load_config(None, [*SMALL, *given, *overrides], needs=["finetune"]), out, **options)


def sides(texts: list[str], train: int, valid: int) -> list[Row]:
    """The first rows for training, then for validation, the rest for the test."""
    names = ["train"] * train + ["valid"] * valid + ["test"] * (len(texts) - train - valid)
    return list(zip(texts, names, strict=True))


def test_a_body_of_dna_takes_no_proteins_before_and_after_tuning(body: Path, tmp_path: Path) -> None:
    """Its lexicon holds both alphabets, but the rows of residues still have random weights."""
    dna = table(tmp_path / "dna.tsv", sides(sequences(24, 20, 40, key="again"), 12, 6))
    letters = str.maketrans("ACGT", "MKLE")
    texts = [text.translate(letters) for text in sequences(24, 20, 40, key="again")]
    protein = table(tmp_path / "protein.tsv", sides(texts, 12, 6))
    said = "was trained on genome alone, not on protein"
    with pytest.raises(InputError, match=said):
        tune(tmp_path / "run", body, protein)
    assert not (tmp_path / "run").exists()
    tune(tmp_path / "cds", body, dna, "finetune.data.molecule=cds")
    with pytest.raises(InputError, match=said):
        tune(tmp_path / "run", tmp_path / "cds", protein)


def other_strand(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_rows_that_an_earlier_tuning_saw_are_counted_and_named(
    body: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A third tuning: 5 test rows trained the first (2 of them on the other strand), 3 chose the second."""
    a, b, c = (sequences(24, 20, 40, key=key) for key in "abc")
    first = table(tmp_path / "a.tsv", sides(a, 16, 4))
    second = table(tmp_path / "b.tsv", sides(b, 12, 6))
    seen = [*a[:3], other_strand(a[3]), other_strand(a[4]), *b[12:15]]
    third = table(tmp_path / "c.tsv", [*sides(c, 20, 4), *((text, "test") for text in [*seen, a[20]])])

    one = tune(tmp_path / "one", body, first)
    assert not one["earlier_tunings"]
    assert not one["split"]["warnings"]
    tune(tmp_path / "two", tmp_path / "one", second, "finetune.targets={z: {columns: y}}")
    tune(tmp_path / "three", tmp_path / "two", third, check=True)
    printed = capsys.readouterr().out
    said = "of 9 test rows, 5 equal one that it learned from and 3 more equal one by which its weights"
    assert said in printed
    assert f"such as {third.name}" in printed.replace(f"{tmp_path}/", "")
    found = tune(tmp_path / "three", tmp_path / "two", third)
    assert [said in warning for warning in found["split"]["warnings"]] == [True]
    assert said in (tmp_path / "three" / "index.html").read_text()
    assert said in caplog.text

    # Where the page speaks of the network, it says what it brings along.
    told = "y (a.tsv, 16 training rows) and then on z (b.tsv, 12 training rows)"
    assert [one["rows"] for one in found["earlier_tunings"]] == [16, 12]
    page = (tmp_path / "three" / "index.html").read_text()
    assert page.index(told) < page.index("<table")
    assert told in page[page.index('id="limits"') :]
    assert "All models are trained and judged" not in page
    assert "pretrained network" not in page
    assert "All models are trained and judged" in (tmp_path / "one" / "index.html").read_text()


def test_folds_of_their_own_rows_have_seen_nothing_and_older_runs_do_not_know(
    body: Path, tmp_path: Path
) -> None:
    """A member of folds has learned from the other folds' rows, and not from its own test rows."""
    texts = sequences(30, 20, 40, key="folds")
    data = table(tmp_path / "a.tsv", sides(texts, 20, 5))
    tune(tmp_path / "folds", body, data, "finetune.split={by: random, folds: 3, valid: 0.2}")
    split = [line.split("\t") for line in (tmp_path / "folds" / "split.tsv").read_text().splitlines()[1:]]
    own = [texts[int(row[0].rsplit("_")[-1]) - 1] for row in split if (row[2], row[4]) == ("test", "2")]
    assert len(own) == 10
    again = table(
        tmp_path / "b.tsv", [*sides(sequences(20, key="other"), 15, 5), *((t, "test") for t in own)]
    )
    member = tmp_path / "folds" / "fold-2"
    assert not tune(tmp_path / "again", member, again)["split"]["warnings"]
    whole = tune(tmp_path / "other", tmp_path / "folds" / "fold-1", again)["split"]["warnings"]
    assert len(whole) == 1
    assert "of 10 test rows" in whole[0]

    (member / "seen.safetensors").unlink()
    unknown = tune(tmp_path / "unknown", member, again)
    assert "kept no keys" in unknown["split"]["warnings"][0]
    assert unknown["earlier_tunings"][0]["rows"] is None
    after = tune(tmp_path / "after", tmp_path / "unknown", again)["split"]["warnings"]
    assert any("kept no keys" in said for said in after)  # what is not known once is not known later


def test_windows_of_another_length_are_not_taken_for_new_rows(body: Path, tmp_path: Path) -> None:
    """Their keys differ although their letters overlap, so the count says nothing of them."""
    data = table(tmp_path / "a.tsv", sides(sequences(24, 30, 40, key="cut"), 12, 6))
    # Peptides of five residues are equal by chance.
    bases = "finetune.split.translate=false"
    short = ["finetune.data.window=15", "finetune.data.min_length=10", bases]
    tune(tmp_path / "short", body, data, *short)
    same = tune(tmp_path / "same", tmp_path / "short", data, *short)["split"]["warnings"]
    assert len(same) == 1
    assert "equal one by which its weights were chosen" in same[0]
    other = tune(tmp_path / "other", tmp_path / "short", data, bases)["split"]["warnings"]
    assert ["cut otherwise" in said for said in other] == [True]
