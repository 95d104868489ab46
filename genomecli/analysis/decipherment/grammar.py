"""Codons and amino acids as vectors of one space: what stands around them, compressed.

Row by row, the log pair ratios of a token with the amino acids around it, at every distance that was counted:
for amino acids as counted in proteins, for codons as counted in genes, their partners read by the assignment
that was found. The axes are the principal ones of the amino acids (singular value decomposition), so that a
codon lies near its amino acid if it keeps the same company. No pair of gene and protein takes part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genomecli.analysis.arrays import Floats, Integers
from genomecli.analysis.decipherment.evidence import Evidence
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.files import atomic_path, write_tensors
from genomecli.sequences.codes import CODONS

DIMENSION = 16
"""Axes that are kept; twenty amino acids have no more than that worth keeping."""


@dataclass(frozen=True, eq=False)
class Grammar:
    """Vectors of one space.

    Args:
        codons: float64[64, D]; zeros for a codon that was not seen.
        amino_acids: float64[20, D], in the order of AMINO_LETTERS.
    """

    codons: Floats
    amino_acids: Floats


def grammar(evidence: Evidence, labels: Integers, pseudo: float, dimension: int = DIMENSION) -> Grammar:
    """The vectors, of an assignment int64[64]. Each axis points to where its largest amino acid is."""
    codons, amino = evidence.profiles(labels, pseudo)
    _, _, axes = np.linalg.svd(amino, full_matrices=False)
    axes = axes[:dimension]
    places = amino @ axes.T
    top = np.abs(places).argmax(axis=0)
    axes = axes * np.sign(places[top, np.arange(len(axes))])[:, None]
    return Grammar(codons @ axes.T, amino @ axes.T)


def write_grammar(found: Grammar, path: Path) -> None:
    """``codons`` float32[64, D] and ``amino_acids`` float32[20, D]; the names of the rows are metadata."""
    tensors = {
        "codons": found.codons.astype(np.float32),
        "amino_acids": np.ascontiguousarray(found.amino_acids.astype(np.float32)),
    }
    names = {"codons": json.dumps(list(CODONS)), "amino_acids": json.dumps(list(AMINO_LETTERS))}
    with atomic_path(path) as temporary:
        write_tensors(temporary, tensors, names)
