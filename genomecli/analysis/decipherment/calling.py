"""The texts of a decipherment where nobody says which parts of a genome are genes.

Coding windows are found first (:mod:`genomecli.analysis.decipherment.coding`), by codon usage alone. Which of
their six readings is the one that is translated, the evidence of a code says: the reading whose codons follow
each other most as the amino acids do. The ends of genes are learned in that reading, and the windows found
again. What it gives on a genome without genes (the same trinucleotides, redrawn) is a control.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis.decipherment.coding import (
    Windows,
    chosen_rows,
    codon_shares,
    find_windows,
    learn,
    learn_ends,
)
from genomecli.analysis.decipherment.counted import background_of, evidence_of
from genomecli.analysis.decipherment.coverage import Coverage, coverage
from genomecli.analysis.decipherment.genes import READINGS, Genes
from genomecli.analysis.decipherment.genome import Genome, genome_in
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.decipherment.sources import Sources, only, proteins_of
from genomecli.analysis.texts import species_code
from genomecli.errors import InputError
from genomecli.runtime import rng

if TYPE_CHECKING:
    from genomecli.analysis.settings import DecipherSettings
    from genomecli.corpus.store import CorpusReader

PIECES = 24
"""Pieces of work that finding the windows of one genome takes."""


@dataclass(frozen=True, eq=False)
class Calling:
    """Where the genes of a decipherment were found.

    Args:
        windows: the coding windows.
        reading: which of their six readings holds the code: offset and strand; (0, "+") where learning ended
            in the right one.
        coverage: the windows beside an annotation; None where the corpus holds none.
        redrawn: evidence of the best reading of windows found in a genome that holds no genes; None where
            controls are not asked for, or no window was found there.
    """

    windows: Windows
    reading: tuple[int, str]
    coverage: Coverage | None
    redrawn: float | None


def read_genome(
    corpus: CorpusReader, settings: DecipherSettings, seed: int, tick: Callable[[], None] = lambda: None
) -> Sources:
    """Both texts, of a genome without annotation and of proteins.

    Args:
        corpus: holds both.
        settings: what is asked for.
        seed: of everything that is drawn.
        tick: called before each piece of work; raises what ends it.

    Raises:
        InputError: if the corpus does not hold what is asked for, or no coding window is found.
    """
    species = settings.codons or only(corpus, "genome")
    genome = genome_in(corpus, species)
    proteins, residues = proteins_of(corpus, settings, species)
    found = _found(genome, residues, settings, seed, "genome", tick)
    if found is None:
        raise InputError(
            f"no coding windows were found in {int(genome.lengths.sum()):,} bases of {species}",
            where=corpus.path,
            fix="give more of the genome, or genes (mrr-compare.decipher.molecule: cds)",
        )
    windows, genes, (reading, _) = found
    notes: list[str] = []
    redrawn = None
    if settings.controls:
        control = genome.redrawn(rng(seed, "decipher", "redrawn"))
        beside = _found(control, residues, settings, seed, "redrawn", tick)
        redrawn = None if beside is None else beside[2][1]
        if beside is None:
            notes.append("No coding windows were found in a genome redrawn by its trinucleotides.")
    annotated = corpus.records(species, "cds")
    beside_genes = coverage(windows, annotated) if len(annotated) else None
    calling = Calling(windows, reading, beside_genes, redrawn)
    code = species_code(corpus, species)
    return Sources(species, proteins, "none", genes, residues, code, tuple(notes), None, True, calling)


def _found(
    genome: Genome,
    residues: Text,
    settings: DecipherSettings,
    seed: int,
    name: str,
    tick: Callable[[], None],
) -> tuple[Windows, Genes, tuple[tuple[int, str], float]] | None:
    """Windows, the same as genes, their reading and its evidence; None where there are too few."""
    generator = rng(seed, "decipher", "windows", name)
    rows = chosen_rows(genome, settings.bases, generator)
    model = learn(genome, rows, generator, tick)
    begun = find_windows(genome, rows, model).genes()
    first = _reading(begun, residues, settings, seed, name, tick)
    if first is None:
        return None
    tick()
    model = learn_ends(genome, rows, model, codon_shares(begun, first[0]))
    windows = find_windows(genome, rows, model)
    genes = windows.genes()
    best = _reading(genes, residues, settings, seed, name, tick)
    return None if best is None else (windows, genes, best)


def _reading(
    genes: Genes, residues: Text, settings: DecipherSettings, seed: int, name: str, tick: Callable[[], None]
) -> tuple[tuple[int, str], float] | None:
    """The reading with the most evidence, and how much; None where no window is long enough to be read."""
    values: list[tuple[float, tuple[int, str]]] = []
    for number, reading in enumerate(READINGS):
        tick()
        text = genes.codons(*reading)
        if not (text.lengths > 2 * (background_of(settings, residues) or settings.farthest)).any():
            return None
        values.append((evidence_of(text, residues, settings, seed, f"{name} {number}"), reading))
    value, reading = max(values, key=lambda pair: pair[0])
    return reading, value
