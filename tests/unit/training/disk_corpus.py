"""A small corpus on disk, written column by column, with a grammar that a network can learn in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.manifest import CorpusInfo, Group, SpeciesInfo
from genomecli.corpus.records_table import COLUMNS, RECORDS_FILE, write_records
from genomecli.corpus.store import LEXICON_FILE
from genomecli.files import write_json, write_manifest
from genomecli.sequences.codes import genetic_code

Bytes = NDArray[np.uint8]


def chain_of_codons(generator: np.random.Generator, codons: int) -> Bytes:
    """A gene in which the next codon is, mostly, the one before it plus 5 or 7 among the 61 sense codons."""
    sense = np.array(genetic_code(1).sense)
    steps = generator.choice([5, 7, int(generator.integers(61))], codons)
    chosen = sense[np.cumsum(steps) % len(sense)]
    return np.stack([chosen // 16, chosen // 4 % 4, chosen % 4], axis=1).astype(np.uint8).ravel()


def write_disk_corpus(
    folder: Path, species: tuple[str, ...] = ("yeast",), genes: int = 60, seed: int = 0
) -> Path:
    """Write genes and their proteins of each species; every sixth gene is for validation."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    groups, shards = [], []
    for name in species:
        dna = [chain_of_codons(generator, int(n)) for n in generator.integers(30, 60, genes)]
        protein = [genetic_code(1).translate(gene) for gene in dna]
        for molecule, texts in (("cds", dna), ("protein", protein)):
            shard, first = len(shards), len(table["row"])
            shards.append(f"{name}.{molecule}.00000.safetensors")
            offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
            save_file({"symbols": np.concatenate(texts), "offsets": offsets}, folder / shards[-1])
            groups.append(Group(name, molecule, first, genes, int(offsets[-1]), (shard,)))  # type: ignore[arg-type]
            for number, text in enumerate(texts):
                row = {
                    "row": first + number,
                    "species": name,
                    "molecule": molecule,
                    "id": f"{name}_{molecule}_{number}",
                    "length": len(text),
                    "shard": shard,
                    "start": offsets[number],
                    "split": "valid" if number % 6 == 5 else "train",
                    "family": number,
                    "gene": f"g{number}",
                    "table": 1,
                    "frame_ok": True,
                }
                for column, (kind, _) in COLUMNS.items():
                    blank: Any = "" if kind == "string" else 0
                    table[column].append(row.get(column, blank))
    dtypes = {"string": object, "bool": np.bool_}
    write_records(
        folder / RECORDS_FILE,
        {n: np.array(values, dtype=dtypes.get(COLUMNS[n][0], COLUMNS[n][0])) for n, values in table.items()},
    )
    write_json(folder / LEXICON_FILE, build_lexicon(species).to_dict())
    info = CorpusInfo(tuple(SpeciesInfo(name, 1) for name in species), tuple(groups), tuple(shards))
    sizes = [group.symbols for group in groups]
    write_manifest(folder, "corpus", {**info.to_dict(), "shard_symbols": sizes})
    return folder
