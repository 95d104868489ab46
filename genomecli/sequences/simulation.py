"""Made-up species with a known genetic code and a known grammar.

Proteins are drawn from a Markov process over amino acids in which a residue depends on the few before it;
each residue is written with one of its codons, chosen without regard to its neighbours. So synonymous codons
have the same neighbours, which is what a language model can find, and only in the right reading frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA, PROTEIN, Codes
from genomecli.sequences.codes import CODONS, GeneticCode, genetic_code
from genomecli.sequences.simulation_settings import SimulateSettings, SpeciesSettings

Floats = NDArray[np.float64]

AMINO_ACIDS = PROTEIN.symbols[:20]

# Percent of each amino acid in proteins at large, rounded, in the order ACDEFGHIKLMNPQRSTVWY.
_COMPOSITION = np.array(
    [8.3, 1.4, 5.5, 6.7, 3.9, 7.1, 2.3, 5.9, 5.8, 9.7, 2.4, 4.1, 4.7, 3.9, 5.5, 6.6, 5.3, 6.9, 1.1, 2.9]
)


@dataclass(frozen=True)
class Gene:
    """One gene of a made-up genome, 0-based and half-open on the forward strand of its contig.

    Args:
        id: gene name.
        contig: name of its contig.
        start: first base on the forward strand.
        end: one past the last.
        strand: +1 or -1.
        exons: forward-strand intervals of the coding sequence, in the order of transcription.
        cds: uint8[n], start to stop codon.
        protein: uint8[n / 3 - 1].
    """

    id: str
    contig: str
    start: int
    end: int
    strand: int
    exons: tuple[tuple[int, int], ...]
    cds: Codes
    protein: Codes


@dataclass
class Species:
    """A made-up species and the truth about it.

    Args:
        name: of the species.
        code: its genetic code.
        contigs: uint8[n], codes of the bases, by name.
        genes: in order.
        usage: float64[64], share of each codon among its synonyms.
    """

    name: str
    code: GeneticCode
    contigs: dict[str, Codes] = field(default_factory=dict)
    genes: list[Gene] = field(default_factory=list)
    usage: Floats = field(default_factory=lambda: np.zeros(64))


def amino_acid_grammar(settings: SimulateSettings, species: str, seed: int) -> Floats:
    """Natural log ratios between pair frequency and chance, float64[reach, 20, 20]: entry [d, a, b] for b
    after a at distance d + 1. All species share one grammar, from which each drifts a little."""
    shape = (settings.reach, 20, 20)
    common = rng(seed, "grammar").normal(size=shape)
    own = rng(seed, "grammar", species).normal(size=shape)
    mixed = np.sqrt(1 - settings.drift**2) * common + settings.drift * own
    fading = 0.7 ** np.arange(settings.reach)
    grammar: Floats = settings.dependence * mixed * fading[:, None, None]
    return grammar


def codon_usage(settings: SpeciesSettings, code: GeneticCode, seed: int) -> Floats:
    """Share of each codon among its synonyms, float64[64] (sums to 1 within an amino acid; stops likewise).

    Weights are those of independent third bases with the wanted GC, times log-normal noise.
    """
    third_gc = np.array([codon[2] in "GC" for codon in CODONS])
    noise = rng(seed, "usage", settings.name).normal(size=64) * settings.usage_noise
    weights = np.where(third_gc, settings.gc3, 1 - settings.gc3) * np.exp(noise)
    usage = np.zeros(64)
    for letter in set(code.amino):
        members = [i for i in range(64) if code.amino[i] == letter]
        usage[members] = weights[members] / weights[members].sum()
    return usage


def draw_proteins(grammar: Floats, lengths: NDArray[np.int64], generator: np.random.Generator) -> list[Codes]:
    """Proteins of the given lengths, uint8 codes 0 to 19, each starting with M.

    All grow together, one residue a step; a residue's probability is its composition times the exponential
    of the summed log ratios to the residues before it.

    Args:
        grammar: float64[reach, 20, 20] of :func:`amino_acid_grammar`.
        lengths: int64[p], residues of each.
        generator: source of randomness.
    """
    reach, count, longest = len(grammar), len(lengths), int(lengths.max())
    residues = np.full((count, longest), AMINO_ACIDS.index("M"), dtype=np.uint8)
    base = np.log(_COMPOSITION / _COMPOSITION.sum())
    draws = generator.random((longest, count))
    for at in range(1, longest):
        logits = np.tile(base, (count, 1))
        for distance in range(1, min(reach, at) + 1):
            logits += grammar[distance - 1][residues[:, at - distance]]
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        cumulated = np.cumsum(weights, axis=1)
        chosen = (cumulated < draws[at][:, None] * cumulated[:, -1:]).sum(axis=1)
        residues[:, at] = np.minimum(chosen, 19)
    return [residues[i, : lengths[i]].copy() for i in range(count)]


def write_gene(protein: Codes, usage: Floats, code: GeneticCode, generator: np.random.Generator) -> Codes:
    """The coding sequence of a protein with a start and a stop codon, uint8[3 n + 3].

    Args:
        protein: uint8[n], codes 0 to 19; its first codon is ATG whatever it is.
        usage: float64[64] of :func:`codon_usage`.
        code: the genetic code.
        generator: source of randomness.
    """
    cumulated = np.zeros((21, 64))
    letters = [*AMINO_ACIDS, "*"]
    for row, letter in enumerate(letters):
        shares = np.array([usage[i] if code.amino[i] == letter else 0.0 for i in range(64)])
        cumulated[row] = np.cumsum(shares / shares.sum())
    rows = np.append(protein, 20)
    draws = generator.random(len(rows))
    codons = (cumulated[rows] < draws[:, None]).sum(axis=1)
    codons[0] = CODONS.index("ATG")
    return np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=1).astype(np.uint8).ravel()


def random_bases(count: int, gc: float, generator: np.random.Generator) -> Codes:
    """Independent bases with the given share of G and C, uint8[count]."""
    return generator.choice(
        np.arange(4, dtype=np.uint8), size=count, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    )


def simulate_species(settings: SimulateSettings, wanted: SpeciesSettings, seed: int) -> Species:
    """Make one species; a pure function of the settings and the seed."""
    code = genetic_code(wanted.code)
    generator = rng(seed, "species", wanted.name)
    usage = codon_usage(wanted, code, seed)
    lengths = np.exp(generator.normal(np.log(wanted.gene_length), 0.5, wanted.genes)).astype(np.int64)
    proteins = draw_proteins(
        amino_acid_grammar(settings, wanted.name, seed),
        np.clip(lengths, 20, 8 * wanted.gene_length),
        generator,
    )
    species = Species(wanted.name, code, usage=usage)
    per_contig = np.array_split(np.arange(wanted.genes), min(wanted.contigs, wanted.genes))
    for number, indices in enumerate(per_contig, start=1):
        contig = f"{wanted.name}_chr{number}"
        pieces = _Pieces(contig, random_bases(1 + generator.poisson(wanted.intergenic), wanted.gc, generator))
        for index in indices:
            cds = write_gene(proteins[index], usage, code, generator)
            gene = f"{wanted.name}_{index + 1:05d}"
            species.genes.append(pieces.add_gene(gene, cds, proteins[index], wanted, generator))
            pieces.add(random_bases(1 + generator.poisson(wanted.intergenic), wanted.gc, generator))
        species.contigs[contig] = np.concatenate(pieces.parts)
    return species


class _Pieces:
    """A contig under construction."""

    def __init__(self, contig: str, first: Codes) -> None:
        self.contig = contig
        self.parts = [first]
        self.length = len(first)

    def add(self, bases: Codes) -> None:
        """Append uint8[n]."""
        self.parts.append(bases)
        self.length += len(bases)

    def add_gene(
        self, name: str, cds: Codes, protein: Codes, wanted: SpeciesSettings, generator: np.random.Generator
    ) -> Gene:
        """Append a gene on a random strand, with an intron as often as wanted; the gene in its place."""
        pieces, exons = [cds], [(0, len(cds))]
        if generator.random() < wanted.introns:
            cut = int(generator.integers(3, len(cds) - 3))
            middle = random_bases(60 + generator.poisson(40), wanted.gc, generator)
            intron = np.concatenate([DNA.encode(b"GT"), middle, DNA.encode(b"AG")])
            pieces = [cds[:cut], intron, cds[cut:]]
            exons = [(0, cut), (cut + len(intron), len(cds) + len(intron))]
        bases = np.concatenate(pieces)
        strand = 1 if generator.random() < 0.5 else -1
        start, total = self.length, len(bases)
        if strand < 0:
            bases = DNA.reverse_complement(bases)
            exons = [(total - b, total - a) for a, b in exons]
        self.add(bases)
        placed = tuple((start + a, start + b) for a, b in exons)
        return Gene(name, self.contig, start, start + total, strand, placed, cds, protein)
