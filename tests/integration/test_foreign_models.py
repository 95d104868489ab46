"""Commands that take a folder of Hugging Face's where they want a run."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from genomecli.analysis.results import HEADLINE_TABLE
from genomecli.cli import main
from tests.integration.planted import motif_table
from tests.unit.exchange.foreign import RESIDUES, make_foreign, make_nucleotide_transformer, make_words

transformers = pytest.importorskip("transformers")

PROTEINS = {"a": "MKVLAYRDEWW", "b": "MKVLAX", "c": "GGHHIIKKLLMMNNPPQQ"}


@pytest.fixture
def proteins(tmp_path: Path, own_cache: None) -> Path:
    (tmp_path / "p.faa").write_text("".join(f">{name}\n{text}\n" for name, text in PROTEINS.items()))
    return tmp_path / "p.faa"


@pytest.mark.parametrize("family", ["esm", "bert"])
def test_embed(family: str, proteins: Path, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", family, RESIDUES)
    out = tmp_path / "v.tsv"
    options = ["--set", "precision=fp32", "--set", "device=cpu", "--set", "threads=1", "-q"]
    assert main(["embed", str(proteins), "-m", str(folder), "-o", str(out), *options]) == 0
    with open(out) as handle:
        rows = list(csv.reader(handle, delimiter="\t"))[1:]
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    named = json.loads((folder / "special_tokens_map.json").read_text())
    model = transformers.AutoModel.from_pretrained(folder).eval()
    for row, text in zip(rows, PROTEINS.values(), strict=True):
        ids = [vocabulary[named["cls_token"]], *(vocabulary[letter] for letter in text)]
        with torch.no_grad():
            states = model(torch.tensor([[*ids, vocabulary[named["sep_token"]]]])).last_hidden_state[0]
        counted = [1 + i for i, letter in enumerate(text) if letter != "X"]
        found = np.array([float(value) for value in row[-16:]])
        np.testing.assert_allclose(found, states[counted].mean(0).numpy(), rtol=0, atol=1e-4)


def test_a_pickle_is_refused_and_the_printed_command_converts_it(
    own_cache: None, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "x.fa").write_text(">a\nATGGCTGATTACAGATTACAC\n")
    folder = make_nucleotide_transformer(tmp_path / "model", k=3)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "kept")
    assert main(["embed", str(tmp_path / "x.fa"), "-m", str(folder), "-o", str(tmp_path / "v.tsv")]) == 3
    command = capsys.readouterr().err.split("python -c ")[1].strip()
    words = [sys.executable, "-c", *shlex.split(command)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "kept").rename(folder / "model.safetensors")
    made = [tmp_path / f"{name}.tsv" for name in ("from_safe", "from_first")]
    for table, model in zip(made, (f"{folder}-safe", str(folder)), strict=True):
        assert main(["embed", str(tmp_path / "x.fa"), "-m", model, "-o", str(table), "-q"]) == 0
    assert made[0].read_text() == made[1].read_text()


def test_score_and_what_it_refuses(proteins: Path, tmp_path: Path, capsys: Any) -> None:
    folder = make_foreign(tmp_path / "model", "esm", RESIDUES)
    (tmp_path / "m.csv").write_text("mutant\nK2A\nV3L\n")
    (tmp_path / "wild.faa").write_text(">a\nMKVLAYRDEWW\n")
    asked = ["--mutations", str(tmp_path / "m.csv"), "-w", str(tmp_path / "wild.faa"), "-q"]
    assert main(["score", "-m", str(folder), *asked]) == 0
    lines = capsys.readouterr().out.strip().split("\n")
    assert len(lines) == 3
    bare = make_foreign(tmp_path / "bare", "esm", RESIDUES, headless=True)
    assert main(["score", "-m", str(bare), *asked]) == 3
    assert "was not trained to fill in hidden tokens" in capsys.readouterr().err


def test_finetune_then_predict_and_export(tmp_path: Path, own_cache: None) -> None:
    folder = make_foreign(tmp_path / "model", "bert", make_words(3))
    (folder / "genomecli.json").write_text('{"stride": 1}')
    motif_table(tmp_path / "table.tsv")
    texts = {
        "seed": 1,
        "device": "cpu",
        "finetune": {
            "model": "model",
            "data": {"path": "table.tsv"},
            "targets": {"motif": {}},
            "epochs": 1,
            "head": {"pooling": "cls", "style": "hugging-face"},
            "split": {"by": "stratified", "valid": 0.2, "test": 0.3},
            "metrics": {"bootstrap": 20},
            "baselines": {"run": ["majority"]},
        },
    }
    (tmp_path / "tune.yaml").write_text(json.dumps(texts))
    assert main(["finetune", "-c", str(tmp_path / "tune.yaml"), "-o", str(tmp_path / "tuned"), "-q"]) == 0
    fasta, table = tmp_path / "x.fa", tmp_path / "x.tsv"
    fasta.write_text(">a\nGATTACAGATTACA\n>b\nACGTACGTAAAA\n")
    assert main(["predict", str(fasta), "-m", str(tmp_path / "tuned"), "-o", str(table), "-q"]) == 0
    assert len(table.read_text().strip().split("\n")) == 3
    assert main(["export", str(tmp_path / "tuned"), "-o", str(tmp_path / "back"), "-q"]) == 0
    back = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "back")
    assert type(back).__name__ == "BertForSequenceClassification"


def test_pretrain_goes_on_from_it_and_mrr_compare_ranks_it(tmp_path: Path, own_cache: None) -> None:
    simulated, corpus, run, back = (tmp_path / name for name in ("sim", "corpus", "run", "back"))
    species = "simulate.species=[{name: toy, genes: 24, gene_length: 40}]"
    assert main(["simulate", "-o", str(simulated), "--set", species, "-q"]) == 0
    files = {"path": str(simulated / "toy.genome.fa"), "annotation": str(simulated / "toy.gff3")}
    tokenize = {"species": [{"name": "toy", "sources": [{"kind": "annotated", **files}]}], "figures": False}
    small = {"preset": None, "architecture": "classic", "layers": 1, "width": 16, "heads": 2, "context": 64}
    short = {"context": 32, "tokens_per_batch": 256, "tokens_per_step": 256, "validation_tokens": 100}
    reading = {"molecules": ["cds", "protein"], **short}
    values = {"corpus": str(corpus), "steps": 2, "model": small, "reading": reading}
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps({"device": "cpu", "tokenize": tokenize, "pretrain": values}))
    assert main(["tokenize", "-c", str(path), "-o", str(corpus), "-q"]) == 0
    assert main(["pretrain", "-c", str(path), "-o", str(run), "-q"]) == 0
    assert main(["export", str(run), "-o", str(back), "--set", "export.molecule=dna", "-q"]) == 0
    quick = {"permutations": 39, "draws": 40, "bootstrap": 50, "gene_bootstrap": 4, "gene_buckets": 5}
    quick |= {"min_codons": 100, "min_count": 1, "max_tokens": 3000, "figures": False}
    quick["baselines"] = {"corpus_sizes": [1000], "iterations": 5}
    again = {"pretrain": {**values, "init_from": str(back)}, "mrr-compare": {"runs": [], **quick}}
    path.write_text(json.dumps({"device": "cpu", **again}))
    assert main(["pretrain", "-c", str(path), "-o", str(tmp_path / "again"), "-q"]) == 0
    found = []
    for name in (run, back):
        out = tmp_path / f"comparison-{name.name}"
        asked = ["--corpus", str(corpus), "-c", str(path), "-o", str(out), "-q"]
        assert main(["mrr-compare", str(name), *asked]) == 0
        with open(out / HEADLINE_TABLE) as handle:
            found.append([(row["measure"], row["MRR"]) for row in csv.DictReader(handle, delimiter="\t")])
    assert found[0] == found[1]
    assert len(found[0]) > 2


def test_export_of_a_foreign_model_is_one_of_ours(tmp_path: Path, own_cache: None) -> None:
    """A RoBERTa leaves as a BERT with the same numbers; an ESM-2 cannot, and ONNX holds it."""
    folder = make_foreign(tmp_path / "model", "roberta", RESIDUES)
    assert main(["export", str(folder), "-o", str(tmp_path / "out"), "-q"]) == 0
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    back = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "out").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    with torch.no_grad():
        found = back(**tokenizer("MKVLAW", return_tensors="pt")).logits[0]
        ids = [vocabulary["<s>"], *(vocabulary[letter] for letter in "MKVLAW"), vocabulary["</s>"]]
        want = theirs(torch.tensor([ids])).logits[0]
    kept = [vocabulary[word] for word in "ACDEFGHIKLMNPQRSTVWY"]
    torch.testing.assert_close(found[:, 5:], want[:, kept], rtol=0, atol=1e-4)


def test_what_bert_cannot_hold_of_esm_is_named(tmp_path: Path, own_cache: None, capsys: Any) -> None:
    folder = make_foreign(tmp_path / "model", "esm", RESIDUES)
    assert main(["export", str(folder), "-o", str(tmp_path / "out"), "-q"]) == 2
    said = capsys.readouterr().err
    for name in ("stem_norm", "mask_scaling", "feedforward"):
        assert f"model.{name} must be" in said


def test_info_says_that_a_folder_is_a_model_of_others(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "esm"}', encoding="utf-8")
    assert main(["info", str(tmp_path)]) == 3
    assert "is a model of others, not of genomecli; give it to embed" in capsys.readouterr().err
    (tmp_path / "config.json").write_text('["model_type"', encoding="utf-8")
    assert main(["info", str(tmp_path)]) == 3
    assert "has no manifest.json" in capsys.readouterr().err
