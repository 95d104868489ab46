"""Kinds of targets from another package: named in YAML, trained, judged by their own figure, opened again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from genomecli.commands.finetune import run_finetune
from genomecli.config import load_config
from genomecli.errors import ConfigError
from genomecli.inference.predictor import Predictor, Unlabelled
from genomecli.inference.tuned import load_tuned
from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA
from genomecli.tasks.kinds.protocol import Classes
from genomecli.tasks.kinds.registry import KINDS, register_kind
from genomecli.tasks.kinds.regression import Regression
from genomecli.training import finetuning
from tests.unit.training.task_toys import plant, sequences

CONFIG = """
device: cpu
precision: fp32
threads: 1
finetune:
  data: {path: table.tsv}
  network: {preset: cnn, layers: 1, context: 64}
  tokens: kmer3
  targets:
    motif: {kind: toy-focal, positive: "yes"}
    value: {kind: toy-huber}
  epochs: 2
  split: {by: stratified, valid: 0.2, test: 0.3}
  metrics: {bootstrap: 20}
  baselines: {run: [majority, composition]}
"""


class Focal(Classes):
    """Two classes; rows that are right already count less (Lin et al. 2017, arXiv:1708.02002)."""

    primary = "auroc"
    two_classes = True
    called = 0

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        Focal.called += 1
        each = functional.cross_entropy(logits.float(), labels.clamp(min=0), reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each * weights).sum(), weights.sum()


class Huber(Regression):
    """Values, with errors of more than one standard deviation counted as they are and not squared."""

    primary = "spearman"

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        each = functional.huber_loss(logits.float(), torch.nan_to_num(labels).float(), reduction="none")
        return (each * weights).sum(), weights.sum()


@pytest.fixture
def toys() -> Iterator[None]:
    register_kind("toy-focal", Focal)
    register_kind("toy-huber", Huber)
    yield
    KINDS.pop("toy-focal")
    KINDS.pop("toy-huber")


@pytest.fixture
def config_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    random = rng("kinds")
    lines = ["sequence\tmotif\tvalue"]
    for number, text in enumerate(sequences(90, 20, 60)):
        if number % 2:
            text = plant(text, "GATTACAGATTACA", int(random.integers(0, len(text) - 14)))
        lines.append(f"{text}\t{('no', 'yes')[number % 2]}\t{5 * text.count('G') / len(text):.4f}")
    (tmp_path / "table.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "toy.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    for name in ("draw_curves", "draw_speed"):
        monkeypatch.setattr(finetuning, name, lambda *_: None)
    return tmp_path / "toy.yaml"


@pytest.mark.usefixtures("toys")
def test_toys_are_tuned_judged_by_their_own_figure_and_opened_again(config_path: Path) -> None:
    out = config_path.parent / "run"
    Focal.called = 0
    summary = run_finetune(load_config(config_path), out)
    assert Focal.called > 2
    for name, kind, figure in (("motif", "toy-focal", "auroc"), ("value", "toy-huber", "spearman")):
        found = summary["targets"][name]
        assert (found["kind"], found["difference"]["metric"]) == (kind, figure)
        assert found["difference"]["low"] < found["difference"]["high"]
        judged = found["primary"]["test"]
        assert {figure} == {one["name"] for one in judged.values()}
        assert judged["majority"]["value"] is None or judged["majority"]["value"] == 0.5
    page = (out / "index.html").read_text()
    assert "For targets of kind toy-focal AUROC decides." in page
    assert "For targets of kind toy-huber Spearman rho decides." in page
    tuned = load_tuned(out)
    assert [target.kind for target in tuned.spec.targets] == ["toy-focal", "toy-huber"]
    (one,) = Predictor(tuned).predict([Unlabelled("a", DNA.encode("ACGT" * 10))])
    assert one.scores["motif"].sum() == pytest.approx(1.0)
    assert np.isfinite(one.scores["value"]).all()


def test_a_kind_that_is_not_registered_is_named_with_those_that_are(config_path: Path) -> None:
    said = "finetune.targets.motif.kind: unknown 'toy-focal'; registered are binary, multiclass, multilabel"
    with pytest.raises(ConfigError, match=said):
        run_finetune(load_config(config_path), config_path.parent / "run")
    assert not (config_path.parent / "run").exists()
