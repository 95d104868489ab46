"""No command replaces what it reads, nor another command's output, whatever --force says."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.cli import main
from genomecli.files import file_table
from tests.faults.runs import Run

FORCED = ["--force", "-q", "--set", "device=cpu", "--set", "threads=1"]


@pytest.fixture(scope="module")
def given(small: tuple[Path, dict[str, Run]]) -> Path:
    """Corpus, model, tuned run, table and sequences."""
    return small[0] / "in"


CASES = {
    "pretrain, corpus": ["pretrain", "--corpus", "{}/corpus", "-o", "{}/corpus", "--set", "pretrain.steps=1"],
    "pretrain, init_from": [
        *("pretrain", "--corpus", "{}/corpus", "-o", "{}/model/run"),
        *("--set", "pretrain.steps=1", "--set", "pretrain.init_from={}/model/run"),
    ],
    "finetune, model": [
        *("finetune", "--model", "{}/model/run", "--data", "{}/table.tsv", "--target", "label"),
        *("-o", "{}/model/run"),
    ],
    "embed, input": ["embed", "-m", "{}/model/run", "{}/table.tsv", "-o", "{}/table.tsv"],
    "embed, corpus": [
        *("embed", "-m", "{}/model/run", "--set", "embed.corpus={}/corpus", "--set", "embed.format=tsv"),
        *("-o", "{}/corpus"),
    ],
    "predict, input": ["predict", "-m", "{}/tuned/run", "{}/table.tsv", "-o", "{}/table.tsv"],
    "score, input": [
        *("score", "-m", "{}/model/run", "--mutations", "{}/table.tsv", "--wildtype", "{}/genes.fa"),
        *("-o", "{}/table.tsv"),
    ],
    "mrr-compare, run": ["mrr-compare", "{}/model/run", "--corpus", "{}/corpus", "-o", "{}/model/run"],
    "mrr-compare, corpus": ["mrr-compare", "{}/model/run", "--corpus", "{}/corpus", "-o", "{}/corpus"],
    "decipher, corpus": ["mrr-compare", "--decipher", "--corpus", "{}/corpus", "-o", "{}/corpus"],
    "export, model": ["export", "{}/model/run", "-o", "{}/model/run"],
    "simulate, corpus": ["simulate", "-o", "{}/corpus"],
    "tokenize, run": ["tokenize", "{}/genes.fa", "-o", "{}/model/run"],
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_is_never_replaced(case: str, given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word.replace("{}", str(given)) for word in CASES[case]]
    extra = FORCED[:2] if words[0] in ("export", "simulate") or "--decipher" in words else FORCED
    before = file_table(given)
    assert main([*words, *extra]) == 2
    said = capsys.readouterr().err
    assert "holds what the output is made from" in said or ", not a" in said
    assert "give another --out" in said
    assert file_table(given) == before


@pytest.mark.parametrize("name", ["embed", "predict", "score"])
def test_an_input_that_is_not_there_is_bad_input(
    name: str, given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = given / ("tuned" if name == "predict" else "model") / "run"
    words = [name, "-m", str(model), *(["--scan"] if name == "score" else []), "no such.fa"]
    for more in ([], ["--resume"]):
        assert main([*words, "-o", str(tmp_path / "out.tsv"), *more]) == 3
        assert "genomecli: no such.fa; no such file" in capsys.readouterr().err
        assert not (tmp_path / "out.tsv").exists()


def test_a_run_without_a_name_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mrr-compare", ""]) == 2
    assert "a run without a name" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["embed", "predict", "score"])
def test_a_folder_where_a_file_is_to_stand_is_refused_before_the_work(
    name: str, given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = given / ("tuned" if name == "predict" else "model") / "run"
    words = [name, "-m", str(model), *(["--scan"] if name == "score" else []), str(given / "genes.fa")]
    (tmp_path / "out.tsv").mkdir()
    assert main([*words, "-o", str(tmp_path / "out.tsv"), "--force"]) == 2
    assert "is a folder; give the name of a file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]
