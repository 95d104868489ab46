"""Parsers of genomecli's own folders and tables, as somebody might hand them in: with manifests that fit.

A checksum finds what was damaged; whoever alters a file on purpose alters its manifest too. So one file of a
sound folder is replaced by the fuzzed bytes, and the manifest is made to say so.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from genomecli.corpus.records_table import COLUMNS
from genomecli.corpus.store import CorpusReader
from genomecli.exchange.table_format import HeldRows, TableBlock, TableHeader
from genomecli.exchange.tables import read_table, save_table
from genomecli.files import MANIFEST, verify_manifest
from genomecli.training.checkpoint import load_checkpoint, load_model
from tests.fuzzing.harness import Parser
from tests.unit.training.disk_corpus import write_disk_corpus

SHARD = "yeast.cds.00000.safetensors"


@cache
def _made(kind: str) -> Path:
    """A sound corpus or run, made once for the process."""
    root = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    if kind == "corpus":
        return write_disk_corpus(root / "corpus", genes=3)
    from tests.unit.training.test_checkpoint import _checkpoint, save_checkpoint

    return save_checkpoint(root, _checkpoint())


def altered(kind: str, name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """Reads a folder whose file ``name`` holds the fuzzed bytes, under a manifest that agrees."""

    def run(data: bytes, folder: Path) -> None:
        place = folder / kind
        if not place.exists():
            shutil.copytree(_made(kind), place)
        sound = (_made(kind) / name).read_bytes()
        (place / name).write_bytes(data)
        if name != MANIFEST:
            manifest = json.loads((_made(kind) / MANIFEST).read_bytes())
            manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            (place / MANIFEST).write_text(json.dumps(manifest))
        try:
            read(place)
        finally:
            (place / name).write_bytes(sound)

    return run


def read_corpus(folder: Path) -> None:
    """Everything that a training run takes from a corpus."""
    corpus = CorpusReader.open(folder, verify="sha256")
    _ = corpus.lexicon.languages
    records = corpus.records(split="train")
    for name in COLUMNS:
        records.column(name)
    for row in range(len(corpus)):
        corpus.symbols(row)


def read_checkpoint(folder: Path) -> None:
    """The optimiser's state and the model."""
    load_checkpoint(folder)
    load_model(folder)


def _table(ending: str) -> Parser:
    """The reader of an embedding table of one format."""

    def read(data: bytes, folder: Path) -> None:
        path = folder / f"t{ending}"
        path.write_bytes(data)
        if ending == ".npy":
            Path(f"{path}.ids.tsv").write_text("id\nr0\nr1\n")
        read_table(path)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        rows = HeldRows(
            TableBlock(["r0", "r1"], [["x", "y"]], np.arange(6, dtype=np.float32).reshape(2, 1, 3))
        )
        save_table(path, TableHeader(("mean",), 3, labels=(("gene", "str"),)), rows)
        return Parser(f"embedding table, {ending[1:]}", (path.read_bytes(),), read)


def _parser(title: str, kind: str, name: str, read: Callable[[Path], object]) -> Parser:
    return Parser(title, ((_made(kind) / name).read_bytes(),), altered(kind, name, read))


def _verify(folder: Path) -> None:
    verify_manifest(folder)
    read_corpus(folder)


PARSERS: tuple[Parser, ...] = (
    _parser("corpus manifest", "corpus", MANIFEST, _verify),
    _parser("corpus shard", "corpus", SHARD, read_corpus),
    _parser("corpus records", "corpus", "records.parquet", read_corpus),
    _parser("corpus vocabulary", "corpus", "tokenizer.json", read_corpus),
    _parser("checkpoint manifest", "checkpoint", MANIFEST, read_checkpoint),
    _parser("checkpoint tensors", "checkpoint", "model.safetensors", read_checkpoint),
    _parser("checkpoint optimiser", "checkpoint", "optimizer.safetensors", read_checkpoint),
    _parser("checkpoint state", "checkpoint", "state.json", read_checkpoint),
    _parser("checkpoint vocabulary", "checkpoint", "lexicon.json", read_checkpoint),
    *(_table(ending) for ending in (".parquet", ".tsv", ".npy", ".safetensors")),
)
