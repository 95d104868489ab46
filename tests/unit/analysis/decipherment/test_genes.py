"""The six readings of genes against Biopython."""

from __future__ import annotations

import numpy as np
from Bio.Seq import Seq

from genomecli.analysis.decipherment.genes import Genes
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.codes import CODONS

GENES = ("ATGAAACCCGGGTTT", "CCATNGGATACA", "TTTGGG")


def _genes() -> Genes:
    bases = np.concatenate([DNA.encode(gene) for gene in GENES])
    lengths = np.array([len(gene) for gene in GENES], dtype=np.int64)
    return Genes(bases, lengths, np.full(len(GENES), -1), knows_last=False)


def test_six_readings_are_those_of_biopython() -> None:
    for strand in "+-":
        for frame in range(3):
            found = _genes().codons(frame, strand)
            expected, lengths = [], []
            for gene in GENES:
                text = gene if strand == "+" else str(Seq(gene).reverse_complement())
                codons = [text[i : i + 3] for i in range(frame, len(text) - 2, 3)]
                lengths.append(len(codons))
                expected += [CODONS.index(codon) if "N" not in codon else -1 for codon in codons]
            assert found.tokens.tolist() == expected
            assert found.lengths.tolist() == lengths
