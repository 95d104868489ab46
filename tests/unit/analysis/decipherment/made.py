"""Proteins with a grammar, and genes that spell other proteins of the same grammar in a planted code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.sequences.codes import CODONS, genetic_code

CONFIG = """
tokenize:
  species:
    - {name: planted, code: 12, sources: [{kind: cds, path: genes.fa}, {kind: protein, path: proteins.fa}]}
  policies: {stop_codon: keep, internal_stop: keep}
  figures: false
"""


def write_sources(folder: Path, records: int) -> Path:
    """Genes in code 12 (CUG is serine) that end in UAA, proteins of other genes, and a config; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = grammar(1)
    genes = spelled(proteins(rules, records, 200, 2), 12, 3).tokens.reshape(records, 200)
    residues = proteins(rules, records, 200, 4).tokens.reshape(records, 200)
    letters = np.array(list(AMINO_LETTERS))
    write_fasta(folder / "genes.fa", ["ATG" + "".join(CODONS[c] for c in gene) + "TAA" for gene in genes])
    write_fasta(folder / "proteins.fa", ["M" + "".join(letters[protein]) for protein in residues])
    config = folder / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


def write_fasta(path: Path, sequences: list[str]) -> None:
    lines = [f">{path.stem}{i}\n{text}\n" for i, text in enumerate(sequences)]
    path.write_text("".join(lines), encoding="utf-8")


def grammar(seed: int) -> Floats:
    """float64[20, 20]: which residue follows which two places on, each row a distribution."""
    found: Floats = np.random.default_rng(seed).dirichlet(np.full(20, 0.6), size=20) * 0.8 + 0.2 / 20
    return found


def proteins(rules: Floats, records: int, length: int, seed: int, tilt: Floats | None = None) -> Text:
    """Records in which every residue is drawn from the one two places before it.

    Args:
        rules: float64[20, 20], see :func:`grammar`.
        records: how many.
        length: residues of each.
        seed: of the draws.
        tilt: float64[records, 20], how many times as likely each residue is in each record.
    """
    rng = np.random.default_rng(seed)
    table = np.cumsum(rules, axis=1)
    found = np.empty((records, length), dtype=np.int64)
    found[:, :2] = rng.integers(0, 20, (records, 2))
    for place in range(2, length):
        draw, before = rng.random((records, 1)), found[:, place - 2]
        sums = table[before] if tilt is None else np.cumsum(rules[before] * tilt, axis=1)
        found[:, place] = (draw * sums[:, -1:] > sums).sum(axis=1).clip(max=19)
    return Text(found.ravel(), np.full(records, length, dtype=np.int64))


def spelled(text: Text, table: int, seed: int) -> Text:
    """The same residues as codons of a genetic code, each drawn among its synonyms with a bias."""
    rng = np.random.default_rng(seed)
    letters = genetic_code(table).amino
    codons = np.empty(len(text.tokens), dtype=np.int64)
    for residue, letter in enumerate(AMINO_LETTERS):
        options: Integers = np.array([codon for codon in range(64) if letters[codon] == letter])
        here = np.flatnonzero(text.tokens == residue)
        codons[here] = rng.choice(options, size=len(here), p=rng.dirichlet(np.full(len(options), 8.0)))
    return Text(codons, text.lengths)
