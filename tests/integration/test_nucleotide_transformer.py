"""Commands with a folder of Nucleotide Transformer v1: whole sequences are read, places are refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.cli import main
from tests.integration.planted import motif_table
from tests.unit.exchange.foreign import make_nucleotide_transformer

transformers = pytest.importorskip("transformers")

GENES = {"a": "GATTACANGATTACAGATTACA", "b": "acgtacgtaaaac", "c": "GAT"}
FP32 = ["--set", "precision=fp32", "--set", "device=cpu", "--set", "threads=1", "-q"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_nucleotide_transformer(tmp_path_factory.mktemp("nt") / "nt-v1", k=6)


@pytest.fixture
def genes(tmp_path: Path, own_cache: None) -> Path:
    (tmp_path / "g.fa").write_text("".join(f">{name}\n{text}\n" for name, text in GENES.items()))
    return tmp_path / "g.fa"


def test_embed(folder: Path, genes: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.tsv"
    assert main(["embed", str(genes), "-m", str(folder), "-o", str(out), *FP32]) == 0
    with open(out) as handle:
        rows = list(csv.reader(handle, delimiter="\t"))[1:]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    for row, text in zip(rows, GENES.values(), strict=True):
        ids = tokenizer(text.upper())["input_ids"]
        with torch.no_grad():
            states = model(torch.tensor([ids])).last_hidden_state[0]
        counted = [i for i, word in enumerate(tokenizer.convert_ids_to_tokens(ids)) if i and word != "N"]
        found = np.array([float(value) for value in row[-16:]])
        np.testing.assert_allclose(found, states[counted].mean(0).numpy(), rtol=0, atol=1e-4)


def test_a_gene_without_its_terminal_codons(folder: Path, tmp_path: Path, own_cache: None) -> None:
    """Tokens that share a base with the start or stop codon do not count, whatever their lengths."""
    text = "ATGGCTGATTACAGATTACACAGTTAA"
    (tmp_path / "g.fa").write_text(f">a\n{text}\n")
    asked = ["-m", str(folder), "--set", "embed.molecule=cds", "--set", "embed.terminals=leave_out", *FP32]
    assert main(["embed", str(tmp_path / "g.fa"), "-o", str(tmp_path / "v.tsv"), *asked]) == 0
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(text)["input_ids"]
    assert [len(word) for word in tokenizer.convert_ids_to_tokens(ids)[1:]] == [6, 6, 6, 6, 1, 1, 1]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        states = model(torch.tensor([ids])).last_hidden_state[0]
    row = (tmp_path / "v.tsv").read_text().strip().split("\n")[1].split("\t")
    found = np.array([float(value) for value in row[-16:]])
    np.testing.assert_allclose(found, states[2:5].mean(0).numpy(), rtol=0, atol=1e-4)


def test_finetune_then_predict(folder: Path, tmp_path: Path, own_cache: None) -> None:
    motif_table(tmp_path / "table.tsv")
    values = {
        "seed": 1,
        "device": "cpu",
        "finetune": {
            "model": str(folder),
            "data": {"path": "table.tsv"},
            "targets": {"motif": {}},
            "epochs": 1,
            "split": {"by": "stratified", "valid": 0.2, "test": 0.3},
            "metrics": {"bootstrap": 20},
            "baselines": {"run": ["majority", "cnn"]},
        },
    }
    (tmp_path / "tune.yaml").write_text(json.dumps(values))
    assert main(["finetune", "-c", str(tmp_path / "tune.yaml"), "-o", str(tmp_path / "tuned"), "-q"]) == 0
    fasta, table = tmp_path / "x.fa", tmp_path / "x.tsv"
    fasta.write_text(">a\nGATTACAGATTACA\n>b\nACGTACGTAAAANN\n")
    assert main(["predict", str(fasta), "-m", str(tmp_path / "tuned"), "-o", str(table), "-q"]) == 0
    assert len(table.read_text().strip().split("\n")) == 3


def test_what_needs_places_is_refused_by_name(folder: Path, genes: Path, tmp_path: Path, capsys: Any) -> None:
    places = "needs tokens of one length, and the model's are of 6 letters and of one"
    asked = ["-m", str(folder), "-o", str(tmp_path / "out.tsv"), *FP32]
    assert main(["embed", str(genes), *asked, "--set", "embed.level=token"]) == 2
    assert f"embed.level token {places}" in capsys.readouterr().err
    assert main(["score", "--scan", str(genes), *asked]) == 2
    assert f"score {places}" in capsys.readouterr().err
    for kind in ("hugging-face", "onnx"):
        assert main(["export", str(folder), "-o", str(tmp_path / "back"), "--format", kind, "-q"]) == 2
        assert "model.closing_token must be True" in capsys.readouterr().err
    rows = "".join(f"{'ACGTAC' * 4}\t{'AB' * 12}\n" for _ in range(30))
    (tmp_path / "t.tsv").write_text(f"sequence\tlabel\n{rows}")
    values = {
        "device": "cpu",
        "finetune": {
            "model": str(folder),
            "data": {"path": "t.tsv"},
            "targets": {"label": {"kind": "token"}},
            "epochs": 1,
            "split": {"by": "random"},
            "baselines": {"run": ["majority"]},
        },
    }
    (tmp_path / "tune.yaml").write_text(json.dumps(values))
    assert main(["finetune", "-c", str(tmp_path / "tune.yaml"), "-o", str(tmp_path / "tuned"), "-q"]) == 2
    assert f"targets.label, labels of letters, {places}" in capsys.readouterr().err
    assert not (tmp_path / "out.tsv").exists()
