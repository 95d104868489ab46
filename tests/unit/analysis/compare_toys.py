"""Corpora of made-up species on disk, and runs whose vectors hold a genetic code that was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.manifest import CorpusInfo, Group, SpeciesInfo
from genomecli.corpus.records_table import COLUMNS, RECORDS_FILE, write_records
from genomecli.corpus.store import LEXICON_FILE
from genomecli.files import write_json, write_manifest
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.simulation import simulate_species
from genomecli.sequences.simulation_settings import SimulateSettings, SpeciesSettings
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.loop import Progress

WIDTH = 32


def write_species_corpus(
    folder: Path, species: Mapping[str, int], *, genes: int = 90, seed: int = 0, note: str = ""
) -> Path:
    """Genes and proteins of simulated species (name to genetic code); every third gene is held out."""
    folder.mkdir(parents=True)
    table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    groups, shards = [], []
    for name, code in species.items():
        wanted = SpeciesSettings(name=name, code=code, genes=genes, gene_length=120)
        made = simulate_species(SimulateSettings(species=[wanted]), wanted, seed)
        for molecule in ("cds", "protein"):
            texts = [gene.cds[:-3] if molecule == "cds" else gene.protein for gene in made.genes]
            groups.append(_add_group(table, shards, folder, (name, molecule, code), texts))
    dtypes = {"string": object, "bool": np.bool_}
    columns = {n: np.array(v, dtype=dtypes.get(COLUMNS[n][0], COLUMNS[n][0])) for n, v in table.items()}
    write_records(folder / RECORDS_FILE, columns)
    write_json(folder / LEXICON_FILE, build_lexicon(list(species)).to_dict())
    infos = tuple(SpeciesInfo(name, code, None, note) for name, code in species.items())
    info = CorpusInfo(infos, tuple(groups), tuple(shards))
    sizes = [group.symbols for group in groups]
    write_manifest(folder, "corpus", {**info.to_dict(), "shard_symbols": sizes})
    return folder


def _add_group(
    table: dict[str, list[Any]],
    shards: list[str],
    folder: Path,
    kind: tuple[str, str, int],
    texts: Sequence[NDArray[np.uint8]],
) -> Group:
    name, molecule, code = kind
    shard, first = len(shards), len(table["row"])
    shards.append(f"{name}.{molecule}.00000.safetensors")
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    save_file({"symbols": np.concatenate(texts), "offsets": offsets}, folder / shards[-1])
    for number, text in enumerate(texts):
        row = {
            "row": first + number,
            "species": name,
            "molecule": molecule,
            "id": f"{name}_{molecule}_{number}",
            "length": len(text),
            "shard": shard,
            "start": offsets[number],
            "split": ("train", "train", "valid")[number % 3],
            "family": number,
            "gene": f"g{number}",
            "table": code,
            "frame_ok": True,
        }
        for column, (dtype, _) in COLUMNS.items():
            table[column].append(row.get(column, "" if dtype == "string" else 0))
    return Group(name, molecule, first, len(texts), int(offsets[-1]), (shard,))  # type: ignore[arg-type]


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
