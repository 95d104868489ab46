"""``mrr-compare`` that is stopped goes on to the bytes of one that was not; a finished one is left alone."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomecli.analysis import drawn, results
from genomecli.analysis.within import Within
from genomecli.cli import main
from genomecli.files import verify_manifest
from genomecli.inference.engine import Engine
from tests.unit.analysis.compare_toys import write_run, write_species_corpus

QUICK = [
    "device=cpu",
    "precision=fp32",
    "threads=1",
    "mrr-compare.permutations=19",
    "mrr-compare.draws=20",
    "mrr-compare.bootstrap=20",
    "mrr-compare.gene_bootstrap=3",
    "mrr-compare.gene_buckets=4",
    "mrr-compare.min_codons=100",
    "mrr-compare.min_count=1",
    "mrr-compare.max_tokens=2000",
    "mrr-compare.dpi=50",
    "mrr-compare.layers=[1]",
    "mrr-compare.frames=[0, 1]",
    "mrr-compare.codes=[1, 12]",
    "mrr-compare.similarities=[centred, procrustes]",
    "mrr-compare.baselines.word2vec=false",
    "mrr-compare.baselines.corpus_sizes=[1000]",
]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    corpus = write_species_corpus(folder / "corpus", {"alpha": 12}, genes=63)
    write_run(folder / "run", ["alpha"], corpus, code=12, steps=(5, 10), noise=0.1)
    return folder


def compare(toys: Path, out: Path, *arguments: str) -> int:
    sets = [part for text in QUICK for part in ("--set", text)]
    return main(["mrr-compare", str(toys / "run"), "-o", str(out), *sets, *arguments])


@pytest.fixture(scope="module")
def whole(toys: Path) -> Path:
    assert compare(toys, toys / "whole") == 0
    return toys / "whole"


def after(count: int, do: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, which calls ``do`` at its ``count``-th call."""
    calls = []

    def wrapped(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == count:
            do()
        return function(*arguments, **more)

    return wrapped


@pytest.mark.parametrize(
    ("name", "code", "owner", "method", "count"),
    [
        ("TERM", 75, Engine, "visit", 3),
        ("USR1", 75, Within, "measure", 4),
        ("INT", 130, drawn, "svg_bytes", 2),
    ],
)
def test_a_stopped_comparison_goes_on_to_the_same_bytes(
    name: str,
    code: int,
    owner: Any,
    method: str,
    count: int,
    toys: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, number = tmp_path / "out", getattr(signal, f"SIG{name}")
    with monkeypatch.context() as patched:
        stop = after(count, lambda: os.kill(os.getpid(), number), getattr(owner, method))
        patched.setattr(owner, method, stop)
        assert compare(toys, out) == code
    said = capsys.readouterr().err.splitlines()
    assert f"genomecli: stopped by {name}; run again with --resume, which takes up what was measured" in said
    assert sorted(os.listdir(tmp_path)) == [".out.parts"]
    kept = len(list((tmp_path / ".out.parts").glob("*.safetensors")))
    assert compare(toys, out, "--resume") == 0
    assert f"going on with {kept} parts" in capsys.readouterr().err
    assert (out / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()
    assert verify_manifest(out) > 8
    parts = json.loads((out / "run.json").read_text())["parts"]
    assert parts["taken_up"] == kept > 1
    assert parts["made"] == json.loads((whole / "run.json").read_text())["parts"]["made"] - kept
    assert os.listdir(tmp_path) == ["out"]


def test_a_finished_comparison_is_left_alone(
    toys: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    assert compare(toys, whole, "--resume", "--table") == 0
    shown = capsys.readouterr()
    assert "is finished already" in shown.err
    assert shown.out == (whole / "headline.tsv").read_text()
    assert shown.out.splitlines()[1].startswith("alpha\trun\t1\tleft-out amino acids\t")
    assert compare(toys, whole, "--resume", "--set", "mrr-compare.permutations=29") == 2
    assert "other settings or inputs (config.mrr-compare.permutations)" in capsys.readouterr().err
    assert compare(toys, whole) == 2
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_parts_of_other_settings_or_inputs_are_not_taken_up(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("the power went off")

    few = ["--set", "mrr-compare.figures=false", "--set", "mrr-compare.vectors=[static]"]
    few += ["--set", "mrr-compare.checkpoints=false", "--set", "mrr-compare.baselines.ppmi=false"]
    with monkeypatch.context() as patched:
        patched.setattr(results, "write_parquet", after(1, fail, results.write_parquet))
        assert compare(toys, tmp_path / "out", *few) == 1
    assert (tmp_path / ".out.parts").is_dir()
    assert compare(toys, tmp_path / "out", *few, "--resume", "--set", "seed=7") == 0
    said = capsys.readouterr().err
    assert "made from other settings or inputs (config.seed): the comparison begins anew" in said
    assert json.loads((tmp_path / "out" / "run.json").read_text())["parts"]["taken_up"] == 0
    assert compare(toys, tmp_path / "new", *few, "--resume") == 0
    assert "nothing to go on from" in capsys.readouterr().err
    assert not (tmp_path / ".new.parts").exists()


def test_it_says_what_it_is_doing_as_it_goes_and_nothing_if_asked(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--set", "mrr-compare.figures=false"]
    assert compare(toys, tmp_path / "loud", *quick) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [f"opening {toys / 'run'}", "measuring run"]
    assert "writing tables, figures and the page" in said
    assert compare(toys, tmp_path / "quiet", "-q", *quick) == 0
    assert capsys.readouterr().err == ""
