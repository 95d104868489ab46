"""Coding windows beside an annotation, codon by codon. It judges the result and takes no part in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Booleans, Integers
from genomecli.analysis.decipherment.coding import Windows
from genomecli.analysis.decipherment.genes import CODON
from genomecli.analysis.decipherment.genome import STEPS, Genome
from genomecli.corpus.records_table import RecordTable


@dataclass(frozen=True)
class Coverage:
    """How far windows and annotated genes agree, in codons of the same reading.

    Args:
        called: codons in windows.
        annotated: codons of annotated genes in what was read.
        both: codons that are in both, in one reading.
        left_out: annotated genes that are no single stretch of the genome, and were not compared.
    """

    called: int
    annotated: int
    both: int
    left_out: int

    @property
    def sensitivity(self) -> float:
        """Share of the annotated codons that were called."""
        return self.both / max(self.annotated, 1)

    @property
    def precision(self) -> float:
        """Share of the called codons that are annotated."""
        return self.both / max(self.called, 1)


def coverage(windows: Windows, genes: RecordTable) -> Coverage | None:
    """Compare with annotated genes; None where the corpus knows no gene's place on these contigs."""
    genome = windows.genome
    starts, lengths, forward, left_out = _placed(genome, genes)
    if not len(starts):
        return None
    called = _marked(genome, windows.starts, windows.lengths, windows.forward)
    annotated = _marked(genome, starts, lengths, forward)
    read = np.zeros(genome.rows, dtype=np.bool_)
    read[windows.rows] = True
    annotated &= np.repeat(read, CODON * STEPS)[: len(genome.bases)]
    return Coverage(int(called.sum()), int(annotated.sum()), int((called & annotated).sum()), left_out)


def _placed(genome: Genome, genes: RecordTable) -> tuple[Integers, Integers, NDArray[np.bool_], int]:
    """Place in ``genome.bases``, bases and strand of the genes that are one stretch of a contig."""
    contigs, strands = genes.column("contig").astype(str), genes.column("strand").astype(np.int64)
    first, last = (genes.column(name).astype(np.int64) for name in ("cds_start", "cds_end"))
    starts, lengths, forward = [], [], []
    known = (first >= 0) & (strands != 0)
    whole = known & (np.abs(last - first - genes.length) <= CODON) & ((last - first) % CODON == 0)
    for number, name in enumerate(genome.names):
        offset = genome.offsets[number]
        inside = (contigs == name) & (first >= offset) & (last <= offset + genome.lengths[number])
        for i in np.flatnonzero(whole & inside).tolist():
            starts.append(int(genome.starts[number] + first[i] - offset))
            lengths.append(int(last[i] - first[i]))
            forward.append(bool(strands[i] > 0))
    found = np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)
    return *found, np.array(forward, dtype=np.bool_), int(len(genes) - len(starts))


def _marked(genome: Genome, starts: Integers, lengths: Integers, forward: NDArray[np.bool_]) -> Booleans:
    """bool[2, n]: the leftmost base of each codon, by strand; overlapping genes count once."""
    found = np.zeros((2, len(genome.bases)), dtype=np.bool_)
    for start, length, strand in zip(starts.tolist(), lengths.tolist(), forward.tolist(), strict=True):
        found[int(strand), start : start + length : CODON] = True
    return found
