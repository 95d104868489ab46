"""A corpus in memory, with the interface of the reader of a corpus folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genomecli.corpus.interface import Bytes, Ints
from genomecli.corpus.manifest import MOLECULES, Group, Molecule
from genomecli.corpus.records_table import COLUMNS, Columns, RecordTable
from genomecli.corpus.shards import Column
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import genetic_code

_DEFAULTS: dict[str, Any] = {
    "family": -1,
    "gene": "",
    "table": 1,
    "split": "train",
    "has_start": False,
    "has_stop": False,
}


@dataclass
class ToyCorpus:
    """Records are added one by one, species by species; groups need not be in order."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    sequences: list[Bytes] = field(default_factory=list)
    softs: list[Bytes] = field(default_factory=list)

    def add(self, species: str, molecule: Molecule, text: str | Bytes, **columns: Any) -> int:
        alphabet = PROTEIN if molecule == "protein" else DNA
        soft = np.zeros(len(text), dtype=np.uint8)
        if isinstance(text, str):
            soft = np.array([letter.islower() for letter in text], dtype=np.uint8)
            text = alphabet.encode(text)
        row = len(self.rows)
        known = {**_DEFAULTS, "row": row, "species": species, "molecule": molecule, "length": len(text)}
        self.rows.append({**known, "id": f"r{row}", **columns})
        self.sequences.append(text)
        self.softs.append(soft)
        return row

    def _table(self) -> RecordTable:
        names = [name for name in COLUMNS if self.rows and name in self.rows[0]]
        held = {name: np.array([row[name] for row in self.rows]) for name in names}
        return RecordTable(Columns(held=held), np.arange(len(self.rows)))

    @property
    def groups(self) -> tuple[Group, ...]:
        keys = dict.fromkeys((row["species"], row["molecule"]) for row in self.rows)
        order = sorted(keys, key=lambda key: MOLECULES.index(key[1]))
        names = dict.fromkeys(row["species"] for row in self.rows)
        return tuple(Group(s, m, 0, 0, 0, ()) for name in names for s, m in order if s == name)

    def records(
        self, species: str | None = None, molecule: Molecule | None = None, split: str | None = None
    ) -> RecordTable:
        table = self._table()
        keep = np.ones(len(table), dtype=bool)
        for name, wanted in (("species", species), ("molecule", molecule), ("split", split)):
            if wanted is not None:
                keep &= table.column(name) == wanted
        return table[keep]

    def gather(
        self, rows: Ints, starts: Ints, lengths: Ints, column: Column = "symbols"
    ) -> tuple[Bytes, Ints]:
        held = self.sequences if column == "symbols" else self.softs
        for row, start, length in zip(rows, starts, lengths, strict=True):
            assert 0 <= start <= start + length <= len(held[row]), "outside of the record"
        pieces = [held[r][s : s + n] for r, s, n in zip(rows, starts, lengths, strict=True)]
        return np.concatenate([np.zeros(0, np.uint8), *pieces]), np.concatenate([[0], np.cumsum(lengths)])


def gene(generator: np.random.Generator, codons: int) -> tuple[Bytes, Bytes]:
    """A gene without stop codons, ATG first, and its protein, M first."""
    code = genetic_code(1)
    chosen = generator.choice(code.sense, codons)
    chosen[0] = 14
    symbols = np.stack([chosen // 16, chosen // 4 % 4, chosen % 4], axis=1).astype(np.uint8).ravel()
    return symbols, code.translate(symbols)


def toy_corpus(
    seed: int = 0, genes: int = 60, species: tuple[str, ...] = ("a", "b"), longest: int = 120
) -> ToyCorpus:
    """Species with a genome of two contigs, genes and their proteins; every tenth gene is held out."""
    generator, corpus = np.random.default_rng(seed), ToyCorpus()
    for name in species:
        for length in (5000, 700):
            corpus.add(name, "genome", generator.integers(0, 4, length).astype(np.uint8))
        corpus.add(name, "genome", generator.integers(0, 4, 900).astype(np.uint8), split="valid")
        made = [gene(generator, int(n)) for n in generator.integers(20, longest, genes)]
        for molecule, side in (("cds", 0), ("protein", 1)):
            for number, texts in enumerate(made):
                corpus.add(
                    name,
                    molecule,  # type: ignore[arg-type]
                    texts[side],
                    gene=f"g{number}",
                    family=number // 2,
                    has_start=True,
                    split="valid" if number % 10 == 9 else "train",
                )
    return corpus
