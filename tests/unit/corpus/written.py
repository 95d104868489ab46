"""Corpora on disk, written column by column and not by the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.manifest import CorpusInfo, Group, Molecule, SpeciesInfo
from genomecli.corpus.records_table import COLUMNS, RECORDS_FILE, write_records
from genomecli.corpus.store import LEXICON_FILE
from genomecli.files import write_json, write_manifest

Bytes = NDArray[np.uint8]
Table = dict[str, list[Any]]


def write_corpus(
    folder: Path,
    species: Mapping[SpeciesInfo, tuple[Sequence[Bytes], Sequence[Bytes]]],
    splits: Sequence[str],
) -> Path:
    """Write a corpus of genes and their proteins.

    Args:
        folder: made anew.
        species: symbols of the genes and of the proteins of each species, in the same order.
        splits: of the genes, one after the other, over and over.
    """
    folder.mkdir(parents=True)
    table: Table = {name: [] for name in COLUMNS}
    groups: list[Group] = []
    for info, sides in species.items():
        for molecule, texts in zip(("cds", "protein"), sides, strict=True):
            group = _add_group(table, len(groups), info, molecule, texts, splits)  # type: ignore[arg-type]
            offsets = np.array([*table["start"][group.first_row :], group.symbols], dtype=np.int64)
            save_file({"symbols": np.concatenate(texts), "offsets": offsets}, folder / _shard(group))
            groups.append(group)
    dtypes = {"string": object, "bool": np.bool_}
    columns = {n: np.array(v, dtype=dtypes.get(COLUMNS[n][0], COLUMNS[n][0])) for n, v in table.items()}
    write_records(folder / RECORDS_FILE, columns)
    write_json(folder / LEXICON_FILE, build_lexicon([info.name for info in species]).to_dict())
    made = CorpusInfo(tuple(species), tuple(groups), tuple(_shard(group) for group in groups))
    sizes = [group.symbols for group in groups]
    write_manifest(folder, "corpus", {**made.to_dict(), "shard_symbols": sizes})
    return folder


def _shard(group: Group) -> str:
    return f"{group.name}.00000.safetensors"


def _add_group(
    table: Table,
    shard: int,
    info: SpeciesInfo,
    molecule: Molecule,
    texts: Sequence[Bytes],
    splits: Sequence[str],
) -> Group:
    first, start = len(table["row"]), 0
    for number, text in enumerate(texts):
        row = {
            "row": first + number,
            "species": info.name,
            "molecule": molecule,
            "id": f"{info.name}_{molecule}_{number}",
            "length": len(text),
            "shard": shard,
            "start": start,
            "split": splits[number % len(splits)],
            "family": number,
            "gene": f"g{number}",
            "table": info.code,
            "frame_ok": True,
        }
        for column, (dtype, _) in COLUMNS.items():
            table[column].append(row.get(column, "" if dtype == "string" else 0))
        start += len(text)
    return Group(info.name, molecule, first, len(texts), start, (shard,))
