"""Windows of a planted genome: genes on both strands that nobody points at."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.coding import Windows, codon_shares, find_windows
from genomecli.analysis.decipherment.coverage import coverage
from genomecli.analysis.decipherment.gene_model import TURNED, fitted, from_codons, with_ends
from genomecli.analysis.decipherment.genome import Genome, genome_of
from genomecli.corpus.records_table import Columns, RecordTable
from genomecli.sequences.codes import CODONS
from tests.unit.analysis.decipherment.made import grammar, proteins, spelled

TAA = CODONS.index("TAA")
GENES = 60


def planted() -> tuple[Genome, np.ndarray, np.ndarray, np.ndarray]:
    """A genome, and start, bases and strand of its genes of 150 codons and an UAA."""
    rng = np.random.default_rng(1)
    codons = spelled(proteins(grammar(1), GENES, 150, 2), 1, 3).tokens.reshape(GENES, 150)
    pieces, starts, forward, at = [], [], [], 0
    for number, gene in enumerate(codons):
        between = rng.integers(0, 4, int(rng.integers(100, 300)))
        whole = np.append(gene, TAA)
        bases = np.stack([whole // 16, whole // 4 % 4, whole % 4], axis=1).ravel()
        turn = number % 2 == 1
        pieces += [between, 3 - bases[::-1] if turn else bases]
        starts.append(at + len(between))
        forward.append(not turn)
        at += len(between) + len(bases)
    genome = genome_of([("c", 50, np.concatenate(pieces).astype(np.uint8))])
    return genome, np.array(starts), np.full(GENES, 453), np.array(forward)


def _annotation(starts: np.ndarray, lengths: np.ndarray, forward: np.ndarray) -> RecordTable:
    columns = {
        "contig": np.array(["c"] * len(starts), dtype=object),
        "strand": np.where(forward, 1, -1).astype(np.int8),
        "cds_start": 50 + starts,
        "cds_end": 50 + starts + lengths,
        "length": lengths,
    }
    return RecordTable(Columns(held=columns), np.arange(len(starts)))


def test_windows_are_the_genes_and_their_ends_the_stop() -> None:
    genome, starts, lengths, forward = planted()
    rows = np.arange(genome.rows)
    inside = np.bincount(spelled(proteins(grammar(1), 100, 150, 5), 1, 3).tokens, minlength=64) + 0.5
    tokens = genome.tokens(rows)
    model, _ = fitted(tokens, from_codons(inside / inside.sum(), np.full(64, 1 / 64)), 2)
    model, _ = fitted(tokens, with_ends(model), 6)
    windows = find_windows(genome, rows, model)
    beside = coverage(windows, _annotation(starts, lengths, forward))
    assert beside is not None
    assert beside.annotated == GENES * 151
    assert beside.sensitivity > 0.93
    assert beside.precision > 0.95
    genes = windows.genes()
    assert genes.last.argmax() == TAA
    assert genes.last[TAA] > 0.8 * GENES
    assert (genes.codons().tokens == TAA).sum() < 5
    shares = codon_shares(genes, (0, "+"))
    assert shares[TAA] < 0.001
    assert np.abs(codon_shares(genes, (0, "-"))[TURNED] - shares).max() < 1e-12


def test_windows_are_read_from_their_own_ends() -> None:
    genome, starts, lengths, forward = planted()
    known = Windows(genome, np.arange(genome.rows), starts, lengths, forward, np.full(GENES, -1))
    text = known.genes().codons()
    assert (text.lengths == 151).all()
    last = text.tokens.reshape(GENES, 151)[:, -1]
    assert (last == TAA).all()
    beside = coverage(known, _annotation(starts, lengths, forward))
    assert beside is not None
    assert (beside.sensitivity, beside.precision, beside.left_out) == (1.0, 1.0, 0)
    shifted = Windows(genome, np.arange(genome.rows), starts + 1, lengths, forward, np.full(GENES, -1))
    beside = coverage(shifted, _annotation(starts, lengths, forward))
    assert beside is not None
    assert beside.both == 0
    assert known.read == int(genome.lengths.sum())


def test_a_genome_that_nothing_is_known_of_holds_no_window() -> None:
    genome = genome_of([("c", 0, np.full(5000, 4, dtype=np.uint8))])
    inside = np.full(64, 1 / 64)
    windows = find_windows(genome, np.arange(genome.rows), from_codons(inside, inside))
    assert not len(windows.starts)
    assert not len(windows.genes().codons().tokens)
    assert codon_shares(windows.genes(), (1, "-")).sum() == 1
