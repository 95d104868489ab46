"""The networks of a run that is compared: one for codons, and the same or another one for amino acids.

A network that others trained knows no species: its words read those of the corpus. Two networks share no
space, and need not be equally deep: a layer is compared with the one at the same share of the other's depth.

Legend: C layers, V words, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.arrays import Booleans
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.training.origin import as_species, read_origin

if TYPE_CHECKING:
    import torch

    from genomecli.inference.contextual import ContextualMeans
    from genomecli.training.checkpoint import LoadedModel

NO_SPECIES = ("any",)
"""The species of words that are of no species, unless their folder names some."""


@dataclass(frozen=True, eq=False)
class Network:
    """A network that is ready to read a corpus.

    Args:
        name: of its folder.
        loaded: the model; the lexicon of a foreign one names the corpus' species.
        foreign: the alphabet that others trained it on; empty for one of ours.
        absent: words that it does not have.
    """

    name: str
    loaded: LoadedModel
    foreign: str = ""
    absent: tuple[str, ...] = ()

    def has(self, molecule: str) -> bool:
        """Whether it has words for ``dna`` or ``protein``."""
        return any(block.molecule == molecule for block in self.loaded.lexicon.vocabulary.blocks)

    def present(self, species: str, molecule: str) -> Booleans:
        """bool[V]: which words of a language it has."""
        words = self.loaded.lexicon.block(species, molecule).tokens
        return ~np.isin(np.array(words), self.absent)


def open_network(
    path: Path | str, corpus: CorpusReader, device: torch.device | str, *, prefer: str = "best"
) -> Network:
    """Open a run or checkpoint. Raises InputError if it is none."""
    from genomecli.training.checkpoint import load_model

    loaded = load_model(path, device, prefer=prefer)
    origin = read_origin(loaded.info["path"])
    if origin.foreign and loaded.lexicon.species == NO_SPECIES:
        species = tuple(info.name for info in corpus.species)
        loaded = replace(loaded, lexicon=as_species(loaded.lexicon, species))
    return Network(Path(path).resolve().name, loaded, origin.foreign, origin.absent)


def open_proteins(path: str, corpus: CorpusReader, device: torch.device | str) -> Network:
    """Open the network whose amino acids are wanted. Raises InputError if it has none."""
    network = open_network(path, corpus, device)
    if not network.has("protein"):
        what = "has no words for amino acids, which proteins_of wants of it"
        raise InputError(what, where=path, fix="name a network that was trained on proteins")
    return network


def matched_layers(layers: Sequence[int], depth: int, other: int) -> tuple[int, ...]:
    """The layer of another network at the same share of its depth, for each of ``layers``.

    Args:
        layers: of a network with ``depth`` blocks; 0 is the embedding.
        depth: at least 1.
        other: blocks of the other network.
    """
    return tuple(int(layer * other / depth + 0.5) for layer in layers)


def at_layers(means: ContextualMeans, layers: Sequence[int], own: Sequence[int]) -> ContextualMeans:
    """Means under the numbers of another network's layers.

    Args:
        means: of this network.
        layers: the numbers that they get.
        own: this network's layer for each of them; it may stand for several.
    """
    rows = [means.layers.index(layer) for layer in own]
    texts = None if means.texts is None else means.texts[rows]
    return replace(means, layers=tuple(layers), sums=means.sums[:, rows], texts=texts)
