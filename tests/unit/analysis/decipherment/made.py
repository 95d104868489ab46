"""Proteins with a grammar, and genes that spell other proteins of the same grammar in a planted code."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.sequences.codes import genetic_code


def grammar(seed: int) -> Floats:
    """float64[20, 20]: which residue follows which two places on, each row a distribution."""
    found: Floats = np.random.default_rng(seed).dirichlet(np.full(20, 0.6), size=20) * 0.8 + 0.2 / 20
    return found


def proteins(rules: Floats, records: int, length: int, seed: int) -> Text:
    """Records in which every residue is drawn from the one two places before it."""
    rng = np.random.default_rng(seed)
    table = np.cumsum(rules, axis=1)
    found = np.empty((records, length), dtype=np.int64)
    found[:, :2] = rng.integers(0, 20, (records, 2))
    for place in range(2, length):
        draw = rng.random((records, 1))
        found[:, place] = (draw > table[found[:, place - 2]]).sum(axis=1).clip(max=19)
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
