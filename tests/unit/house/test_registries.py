"""A new tokenizer, mixer, objective and head, registered from outside, train without another change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genomecli.commands.pretrain import run_pretrain
from genomecli.commands.simulate import run_simulate
from genomecli.commands.tokenize import run_tokenize
from genomecli.config import load_config
from genomecli.corpus.batch import Batch, Selection
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.tokenizers import TOKENIZERS, Tokenizer, TokenizerKind, register_tokenizer
from genomecli.errors import ConfigError
from genomecli.models import registry as models
from genomecli.models.language_model import LanguageModel
from genomecli.models.layout import Layout
from genomecli.models.settings import ModelSettings
from genomecli.objectives import registry as objectives
from genomecli.objectives.protocol import ObjectiveLoss, sum_losses
from genomecli.training.checkpoint import load_model

CONFIG = """
simulate:
  species: [{name: toy, genes: 24, gene_length: 40}]
tokenize:
  species:
    - {name: toy, sources: [{kind: annotated, path: sim/toy.genome.fa, annotation: sim/toy.gff3}]}
  tokens: {dna: toy-purines}
  figures: false
pretrain:
  corpus: corpus
  steps: 2
  model: {preset: tiny, layers: 1, mixer: toy-average}
  reading: {context: 32, tokens_per_batch: 256, tokens_per_step: 256, validation_tokens: 100}
  objectives: {others: {toy-first: {weight: 0.5}}}
"""


class Purines(Tokenizer):
    """Codons of a two-letter alphabet: R (A, G) and Y (C, T)."""

    letters = "RY"

    def digits(self, symbols):
        return np.array([0, 1, 0, 1] + [2] * 252, dtype=np.uint8)[symbols]


class Average(nn.Module):
    """Each token gets a linear map of itself and of the mean of its text."""

    def __init__(self, settings: ModelSettings, layer: int = 0) -> None:
        super().__init__()
        self.out = nn.Linear(2 * settings.width, settings.width)

    def forward(self, x: Tensor, layout: Layout, pattern: Any = None, rotation: Any = None) -> Tensor:
        return self.out(torch.cat([x, x.mean(dim=-2, keepdim=True).expand_as(x)], dim=-1))


class FirstHead(nn.Linear):
    """Scores of two classes from the state of [CLS]."""


@dataclass(frozen=True)
class FirstIsPurine:
    """Predict from [CLS] whether the text's first token begins with R."""

    lexicon: Lexicon
    weight: float
    name: str = "toy-first"

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        return batch

    def heads(self, width: int, lexicon: Lexicon) -> Mapping[str, nn.Module]:
        return {self.name: models.make(models.HEADS, "head", "toy-head", width, 2)}

    def select(self, batch: Batch) -> Selection:
        labels = (batch.tokens[:, 1] < 9).long()
        places = torch.arange(len(labels)) * batch.tokens.shape[1]
        return Selection(places, labels, torch.ones(len(labels)), batch.languages[:, 0])

    def loss(self, model: LanguageModel, states_ND: Tensor, selected: Selection) -> ObjectiveLoss:
        scores, count = model.heads[self.name](states_ND), len(self.lexicon.languages)
        return sum_losses(scores, selected.targets, selected.weights, selected.languages, count)


def build_first(settings: Any, lexicon: Lexicon, others: Sequence[str]) -> list[FirstIsPurine]:
    return [FirstIsPurine(lexicon, settings["weight"])]


@pytest.fixture
def toys():
    register_tokenizer("toy-purines", TokenizerKind(Purines, 3, 3))
    models.register_mixer("toy-average", Average)
    models.register_head("toy-head", FirstHead)
    objectives.register_objective("toy-first", build_first)
    yield
    TOKENIZERS.pop("toy-purines")
    models.MIXERS.pop("toy-average")
    models.HEADS.pop("toy-head")
    objectives.OBJECTIVES.pop("toy-first")


def test_toys_train_two_steps_and_come_back_from_the_checkpoint(tmp_path: Path, toys: None) -> None:
    (tmp_path / "toy.yaml").write_text(CONFIG)
    config = load_config(tmp_path / "toy.yaml")
    run_simulate(config, tmp_path / "sim")
    run_tokenize(config, tmp_path / "corpus")
    summary = run_pretrain(config, tmp_path / "run")
    assert summary["steps"] == 2
    heads = {"toy-first": models.make(models.HEADS, "head", "toy-head", 64, 2)}
    loaded = load_model(tmp_path / "run", "cpu", heads=heads)
    assert isinstance(loaded.lexicon.tokenizer("toy", "cds"), Purines)
    assert loaded.lexicon.vocabulary.size == 5 + 8 + 20
    assert isinstance(loaded.model.encoder.blocks[0].mixer, Average)
    assert loaded.info["heads"] == []
    assert load_model(tmp_path / "run", "cpu").info["heads"] == ["toy-first"]


def test_names_that_are_not_registered_are_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(CONFIG)
    config = load_config(tmp_path / "toy.yaml")
    run_simulate(config, tmp_path / "sim")
    with pytest.raises(ConfigError, match="unknown tokens 'toy-purines'; registered are codon, kmer"):
        run_tokenize(config, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()
