"""Corpora of made-up species on disk, and runs whose vectors hold a genetic code that was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.manifest import SpeciesInfo
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.simulation import simulate_species
from genomecli.sequences.simulation_settings import SimulateSettings, SpeciesSettings
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.plan import Progress
from tests.unit.corpus.written import write_corpus

WIDTH = 32


def write_species_corpus(
    folder: Path, species: Mapping[str, int], *, genes: int = 90, seed: int = 0, note: str = ""
) -> Path:
    """Genes and proteins of simulated species (name to genetic code); every third gene is held out."""
    texts = {}
    for name, code in species.items():
        wanted = SpeciesSettings(name=name, code=code, genes=genes, gene_length=120)
        made = simulate_species(SimulateSettings(species=[wanted]), wanted, seed).genes
        sides = [gene.cds[:-3] for gene in made], [gene.protein for gene in made]
        texts[SpeciesInfo(name, code, None, note)] = sides
    return write_corpus(folder, texts, ["train", "train", "valid"])


def plant(
    lexicon: Lexicon, code: int, rng: np.random.Generator, *, noise: float = 0.25, width: int = WIDTH
) -> NDArray[np.float32]:
    """Embedding rows in which codons are a rotated copy of their amino acids: cosine misses it."""
    rows = rng.normal(size=(lexicon.vocabulary.size, width))
    rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
    letters = genetic_code(code).amino
    for species in lexicon.species:
        dna, protein = lexicon.block(species, "dna"), lexicon.block(species, "protein")
        amino = rng.normal(size=(20, 10)) @ rng.normal(size=(10, width))
        rows[protein.start : protein.stop] = amino
        for codon, letter in enumerate(letters):
            if letter != "*":
                centre = amino[AMINO_LETTERS.index(letter)] @ rotation.T
                rows[dna.start + codon] = centre + noise * rng.normal(size=width) * np.sqrt(10)
    return rows.astype(np.float32)


def write_run(
    folder: Path,
    species: Sequence[str],
    corpus: Path,
    *,
    code: int | None = 1,
    seed: int = 1,
    steps: Sequence[int] = (10,),
    relation: str = "comparable",
    scope: str = "shared",
    frame: int = 0,
    noise: float = 0.25,
) -> Path:
    """A run folder whose embedding holds a code (none for ``code=None``), with one checkpoint a step."""
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 2, "width": WIDTH, "heads": 2, "context": 128}
    )
    lexicon = build_lexicon(species, scope=scope)  # type: ignore[arg-type]
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=seed)
    rng = np.random.default_rng(seed)
    identity = Identity(settings.model_dump(mode="json"), "corpus", seed, max(steps), 1, "fp32", "cpu")
    reading = {"relation": relation, "frame": frame, "context": 128, "pool": 2}
    reading |= {"tokens_per_batch": 1024, "tokens_per_step": 1024}
    config = {"pretrain": {"corpus": str(corpus), "reading": reading}}
    rows = None if code is None else torch.from_numpy(plant(lexicon, code, rng, noise=noise))
    for step in steps:
        state = {name: value.clone() for name, value in model.state_dict().items()}
        if rows is not None:
            share = step / max(steps)
            state["encoder.stem.tokens.weight"] = (
                share * rows + (1 - share) * state["encoder.stem.tokens.weight"]
            )
        progress = Progress(step=step, tokens=1000 * step)
        save_checkpoint(folder, Checkpoint(progress, identity, lexicon, config, state), best=True, grid=1)
    return folder
