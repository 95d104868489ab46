"""Small corpora made by the command itself, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from genomecli.commands.tokenize import run_tokenize
from genomecli.config import CommonSettings, Config
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.store import CorpusReader
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import genetic_code


def config_of(section: dict[str, Any], seed: int = 0) -> Config:
    """A config with a section ``tokenize``; no figure unless asked for."""
    settings = TokenizeSettings.model_validate({"figures": False, "workers": 1, **section})
    return Config(CommonSettings(seed=seed), {"tokenize": settings})


def one_species(kind: str, path: Path | str, code: int = 1, **more: Any) -> dict[str, Any]:
    """A section with one species and one source."""
    return {"species": [{"name": "a", "code": code, "sources": [{"kind": kind, "path": str(path)}]}], **more}


def make_corpus(folder: Path, section: dict[str, Any], seed: int = 0, name: str = "corpus") -> CorpusReader:
    """Tokenize into ``folder / name`` and open it."""
    run_tokenize(config_of(section, seed), folder / name, force=True)
    return CorpusReader.open(folder / name, verify="sha256")


def random_gene(rng: np.random.Generator, codons: int, table: int = 1) -> str:
    """ATG, sense codons, a stop."""
    code = genetic_code(table)
    body = rng.choice([i for i in code.sense if i not in code.dual], codons - 1)
    stop = next(i for i in code.stops if i not in code.dual) if set(code.stops) - code.dual else code.stops[0]
    return "ATG" + "".join(_codon(i) for i in body) + _codon(stop)


def _codon(index: int) -> str:
    return "".join("ACGT"[index // size % 4] for size in (16, 4, 1))


def protein_of(gene: str, table: int = 1) -> str:
    """The protein of a whole gene."""
    return PROTEIN.decode(genetic_code(table).translate(DNA.encode(gene), cds=True))


def write_fasta(path: Path, records: dict[str, str] | list[tuple[str, str]], width: int = 60) -> Path:
    """Header and sequence of each record; headers may repeat in a list."""
    pairs = records.items() if isinstance(records, dict) else records
    with open(path, "w", newline="") as out:
        for header, text in pairs:
            out.write(f">{header}\n")
            out.writelines(text[i : i + width] + "\n" for i in range(0, len(text), width))
    return path
