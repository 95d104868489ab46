"""Small labelled data for tests: files written, settings made, sequences drawn."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genomecli.sequences.alphabets import DNA, get_alphabet
from genomecli.tasks.examples import Examples, join_sequences
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.reading import Reading, read_examples
from genomecli.tasks.settings import DataSettings, TargetSettings


def write(path: Path, text: str) -> str:
    """A file with that text, gzip where its name ends so."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def targets(**settings: Mapping[str, Any]) -> dict[str, TargetSettings]:
    return {name: TargetSettings(**one) for name, one in settings.items()}


def read(data: Mapping[str, Any], alphabet: str | None = None, **settings: Mapping[str, Any]) -> Reading:
    return read_examples(DataSettings(**data), targets(**settings), alphabet=alphabet)


def random_dna(rng: np.random.Generator, length: int) -> str:
    return DNA.decode(rng.integers(0, 4, length).astype(np.uint8))


def random_protein(rng: np.random.Generator, length: int) -> str:
    return get_alphabet("protein").decode(rng.integers(0, 20, length).astype(np.uint8))


def reverse_complement(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def examples(texts: Sequence[str], alphabet: str = "dna", **more: Any) -> Examples:
    """Examples of some sequences, named by their row."""
    column = join_sequences(alphabet, [get_alphabet(alphabet).encode(text) for text in texts])
    places = [f"made.tsv, line {row + 2}" for row in range(len(texts))]
    return Examples([f"r{row}" for row in range(len(texts))], column, places=places, **more)


def classes(names: Sequence[str]) -> RawLabels:
    """Raw labels of one class column."""
    known = tuple(dict.fromkeys(names))
    values = np.array([known.index(name) for name in names], dtype=np.int64)
    return RawLabels("class", ("label",), known, values)
