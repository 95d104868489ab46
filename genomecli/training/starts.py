"""Networks that tuning begins from: a trained one, fresh ones, and those of the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import LoadedModel

CNN_RATE = 2e-3
"""Least peak learning rate of the baseline ``cnn``."""

Tokens = Literal["base", "codon", "kmer3", "kmer6"]
_STEM = "encoder.stem.tokens.weight"


@dataclass(frozen=True)
class Start:
    """Where tuning begins.

    Args:
        settings: of the network.
        lexicon: what its ids mean.
        tensors: weights that are given, by name; all others are those of the seed.
        tune: which weights are trained; see ``tuning``.
    """

    settings: ModelSettings
    lexicon: Lexicon
    tensors: Mapping[str, Tensor]
    tune: str = "full"

    def dropping(self, rate: float | None) -> Start:
        """The same with another rate of dropout in the body; None leaves it."""
        if rate is None:
            return self
        return replace(self, settings=self.settings.model_copy(update={"dropout": rate}))


def trained_start(loaded: LoadedModel, tune: str) -> Start:
    """A trained network without its heads."""
    state = loaded.model.state_dict()
    body = {name: value.detach().cpu() for name, value in state.items() if not name.startswith("heads.")}
    start = Start(loaded.settings, loaded.lexicon, body, tune)
    return embeddings_start(start) if tune == "embeddings" else start


def embeddings_start(start: Start) -> Start:
    """A small convolutional network whose first layer is the embedding of ``start``, trained on with it."""
    small = convolutional(start.settings.width, start.settings.context)
    return Start(small, start.lexicon, {_STEM: start.tensors[_STEM]}, "embeddings")


def random_start(start: Start) -> Start:
    """The same network with weights of the seed, all of them trained."""
    return replace(start, tensors={}, tune="full")


def scratch_rate(width: int) -> float:
    """Least peak learning rate of a network that starts from random weights, by its width.

    Rates that suit trained weights are too low for random ones; a baseline that has not learned would flatter
    what it is held against. 1e-3 up to width 256, from there falling as 1 / width, as the best rate of hidden
    weights does with Adam (Yang et al. 2022, arXiv:2203.03466).
    """
    return 1e-3 * min(1.0, 256 / width)


def convolutional(width: int, context: int) -> ModelSettings:
    """Settings of the preset ``cnn`` at another width and context."""
    return ModelSettings.model_validate({"preset": "cnn", "width": width, "context": context})


def fresh_lexicon(species: str, alphabet: str, tokens: Tokens) -> Lexicon:
    """The lexicon of a network that starts from nothing: one alphabet, k-mers one symbol apart."""
    names = {"base": ("base", 1), "codon": ("codon", 3), "kmer3": ("kmer", 3), "kmer6": ("kmer", 6)}
    kind, k = names[tokens]
    return build_lexicon([species], dna=kind, k=k, stride=1, molecules=(alphabet,))


def convolutional_start(species: str, alphabet: str, symbols: int) -> Start:
    """The baseline ``cnn``: single bases or residues, a context of ``symbols`` of them.

    Args:
        species: what the sequences are called in its lexicon.
        alphabet: ``dna`` or ``protein``.
        symbols: what the network that it is compared with reads at once.
    """
    width = ModelSettings.model_validate({"preset": "cnn"}).width
    return Start(convolutional(width, symbols + 2), fresh_lexicon(species, alphabet, "base"), {})
