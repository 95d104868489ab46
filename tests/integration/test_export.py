"""``export`` as a user runs it: folders that transformers opens, their cards, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.cli import main
from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.corpus.lexicon import build_lexicon
from genomecli.exchange.model_card import CardFacts, model_card
from genomecli.files import verify_manifest
from genomecli.inference.predictor import Predictor, Unlabelled
from genomecli.inference.tuned import load_tuned
from genomecli.sequences.alphabets import DNA
from genomecli.training import finetuning
from genomecli.training.checkpoint import load_model
from tests.integration.planted import motif_table, planted_gene

transformers = pytest.importorskip("transformers")


def test_a_run_opens_without_our_code_and_says_the_same(codons: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "folder"
    assert main(["export", str(codons), "-o", str(out), "--set", "export.molecule=dna", "-q"]) == 0
    model = transformers.AutoModelForMaskedLM.from_pretrained(out).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    ours = load_model(codons)
    gene = planted_gene(20)
    masked = f"{gene[:30]}[MASK]{gene[33:]}".lower().replace("[mask]", "[MASK]")
    batch = tokenizer([masked, gene[:12]], return_tensors="pt", padding=True)
    with torch.no_grad():
        logits = model(**batch).logits
        lengths = batch["attention_mask"].sum(1)
        want = ours.model.logits(ours.model(batch["input_ids"], lengths).last)
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(logits[real], want[real], rtol=0, atol=1e-4)
    assert tokenizer.decode(logits[0, 11].argmax()) == gene[30:33]
    assert verify_manifest(out) == 7
    assert main(["info", str(out)]) == 0
    assert "ModernBertForMaskedLM" in capsys.readouterr().out
    assert main(["export", str(codons), "-o", str(out), "--set", "export.molecule=dna"]) == 2


def test_the_same_run_gives_the_same_bytes(codons: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        arguments = ["--set", "export.molecule=dna", "--set", "export.licence=CC BY 4.0", "-q"]
        assert main(["export", str(codons), "-o", str(tmp_path / name), *arguments]) == 0
    one, two = ((tmp_path / name / "manifest.json").read_bytes() for name in ("one", "two"))
    assert one == two
    card = (tmp_path / "one" / "README.md").read_text()
    assert 'license: "CC BY 4.0"' in card
    assert "## Licence\n\nCC BY 4.0" in card
    assert "Data: not stated" in card


def test_what_is_missing_or_ambiguous_is_said(codons: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["export", str(codons), "-o", str(tmp_path / "x")]) == 2
    assert "dna, protein; set export.molecule" in capsys.readouterr().err
    assert main(["export", "-o", str(tmp_path / "x")]) == 2
    assert main(["export", str(tmp_path / "none"), "-o", str(tmp_path / "x")]) == 3
    assert not (tmp_path / "x").exists()


def test_a_tuned_run_predicts_the_same_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)
    lines = motif_table(tmp_path / "table.tsv")
    texts = {
        "seed": 1,
        "device": "cpu",
        "precision": "fp32",
        "finetune": {
            "data": {"path": "table.tsv"},
            "targets": {"motif": {}},
            "network": {"preset": "tiny", "layers": 2, "width": 32, "heads": 2, "context": 64},
            "tokens": "base",
            "head": {"pooling": "cls", "style": "hugging-face"},
            "epochs": 2,
            "split": {"by": "stratified", "valid": 0.2, "test": 0.3},
            "metrics": {"bootstrap": 20},
            "baselines": {"run": ["majority"]},
        },
    }
    (tmp_path / "tune.yaml").write_text(json.dumps(texts))
    run_finetune(load_config(tmp_path / "tune.yaml"), tmp_path / "tuned")
    out = tmp_path / "folder"
    assert main(["export", str(tmp_path / "tuned"), "-o", str(out), "-q"]) == 0
    network = transformers.AutoModelForSequenceClassification.from_pretrained(out).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    sequences = [line.split("\t")[1] for line in lines[1:20]]
    with torch.no_grad():
        batch = tokenizer(sequences, return_tensors="pt", padding=True)
        theirs = network(**batch).logits.softmax(-1).numpy()
    predictor = Predictor(load_tuned(tmp_path / "tuned"))
    found = predictor.predict([Unlabelled(str(n), DNA.encode(text)) for n, text in enumerate(sequences)])
    np.testing.assert_allclose(theirs, [one.scores["motif"] for one in found], rtol=0, atol=1e-4)
    assert np.ptp(theirs[:, 1]) > 1e-3
    assert network.config.id2label == {0: "no", 1: "yes"}
    card = (out / "README.md").read_text()
    assert "AutoModelForSequenceClassification" in card
    assert "| majority |" in card
    assert "Labels from `table.tsv`.\n" in card
    assert str(tmp_path) not in card


def test_the_card_of_overlapping_words_shows_how_to_split_them() -> None:
    lexicon = build_lexicon(["bug"], dna="kmer", k=3, stride=1)
    settings = {"architecture": "modern", "layers": 1, "width": 8, "heads": 1, "context": 16}
    facts = CardFacts(
        "ModernBertForMaskedLM", settings, lexicon.languages, "dna", lexicon.tokenizers[0], {}, {}, 3, frame=1
    )
    card = model_card(facts)
    assert 'tokenizer("ATG TGG GGC GCC CCT CTT TTA"' in card
    assert "split texts first" in card
    assert "leave out the first 1 letters" in card
    assert "## Licence\n\nnot stated" in card
    assert "position_ids" not in card
    paired = replace(facts, config={"pretrain": {"reading": {"relation": "paired"}}}, left_out=["cls-frame"])
    assert "pass `position_ids` for pairs" in model_card(paired)
    assert "not in here: cls-frame" in model_card(paired)


def test_the_card_of_a_graph_claims_no_class_that_cannot_hold_its_network() -> None:
    lexicon = build_lexicon(["bug"])
    settings = {"architecture": "modern", "layers": 1, "width": 8, "heads": 1, "context": 16}
    facts = CardFacts("", settings, lexicon.languages, "dna", lexicon.tokenizers[0], {}, {}, 3)
    assert "Network `modern`: layers 1" in model_card(facts)
    assert "BERT" not in model_card(facts)
    assert "\nModernBERT: layers 1" in model_card(replace(facts, class_name="ModernBertForMaskedLM"))


def test_the_card_names_the_files_of_the_labels_without_their_folders() -> None:
    lexicon = build_lexicon(["bug"])
    settings = {"architecture": "modern", "layers": 1, "width": 8, "heads": 1, "context": 16}
    data = {"path": ["/home/me/a.tsv", "-"], "classes": {"yes": ["/x/yes.fa"], "no": ["/x/no.fa"]}}
    config = {"finetune": {"data": data}}
    facts = CardFacts("", settings, lexicon.languages, "dna", lexicon.tokenizers[0], {}, config, 3)
    assert "Labels from `a.tsv`, standard input, `yes.fa` (yes), `no.fa` (no).\n" in model_card(facts)
