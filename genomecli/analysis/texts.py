"""The held-out texts of one language that contextual vectors come from: genes in a frame, or proteins.

A text is never a pair: a model trained on codons and protein together is still read one language at a time.
Start and stop codons and the first methionine do not count, since their place alone gives them away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Integers
from genomecli.errors import InputError
from genomecli.inference.items import Item, Reading, Strand
from genomecli.sequences.codes import GeneticCode, genetic_code

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.corpus.records_table import RecordTable
    from genomecli.corpus.store import CorpusReader

Molecule = Literal["genome", "cds", "protein"]

GENOME_WINDOW = 1500
"""Bases of a piece of genome, a multiple of 3 and a length that most models take whole."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Records picked for one language of one species.

    Args:
        species: its name.
        molecule: ``cds``, ``genome`` or ``protein``.
        rows: int64[R] corpus rows, in a shuffled order that depends on seed and gene alone.
        genes: str[R], what pairs a gene with its protein.
        families: int64[R], gene family; -1 where there is none.
        code: genetic code of the species.
        notes: what the reader of the results must know about the choice.
    """

    species: str
    molecule: Molecule
    rows: Integers
    genes: NDArray[np.str_]
    families: Integers
    code: GeneticCode
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """How many held-out symbols are wanted.

    Args:
        splits: the splits they come from.
        least: fewer symbols than this are too few: training records are added.
        most: enough symbols.
        seed: of the order in which records are taken.
    """

    splits: Sequence[str]
    least: int
    most: int
    seed: int


def species_code(corpus: CorpusReader, species: str) -> GeneticCode:
    """The genetic code of a species: that of most of its genes, since a file's own statement wins over the
    settings; without genes, that of the settings. Raises InputError if it is not in the corpus."""
    for info in corpus.species:
        if info.name == species:
            genes = corpus.records(species=species, molecule="cds")
            tables, counts = np.unique(np.asarray(genes.table), return_counts=True)
            return genetic_code(int(tables[counts.argmax()] if len(tables) else info.code))
    known = ", ".join(info.name for info in corpus.species)
    raise InputError(f"species {species!r} is not in the corpus", fix=f"it holds {known}")


def dna_molecule(corpus: CorpusReader, species: str, wanted: str = "auto") -> Literal["genome", "cds"]:
    """Which DNA text to read: genes where there are any, unless ``wanted`` says otherwise.

    Raises:
        InputError: if the species has no such text, or no proteins to compare it with.
    """
    held = {group.molecule for group in corpus.groups if group.species == species}
    if "protein" not in held:
        raise InputError(
            f"the corpus holds no proteins of {species!r}",
            where=corpus.path,
            fix="add a protein source to the species and tokenize again",
        )
    order: tuple[Literal["cds", "genome"], ...] = ("cds", "genome")
    for molecule in order:
        if molecule in held and wanted in ("auto", molecule):
            return molecule
    kind = "DNA" if wanted == "auto" else wanted
    raise InputError(f"the corpus holds no {kind} of {species!r}", where=corpus.path, fix="tokenize again")


def choose_records(corpus: CorpusReader, species: str, molecule: Molecule, wanted: Wanted) -> Chosen:
    """Pick held-out records until there are enough symbols.

    Genes that the corpus reads with another genetic code than the species' (organelles) are left out.
    """
    code = species_code(corpus, species)
    table = corpus.records(species, molecule)
    fits, notes = _same_code(table, code, molecule, species)
    lengths = table.length.astype(np.int64)
    taken = fits & np.isin(table.split.astype(str), list(wanted.splits))
    held = int(lengths[taken].sum())
    if held < wanted.least and bool((fits & ~taken).any()):
        unit = "residues" if molecule == "protein" else "bases"
        notes.append(f"{species}: only {held:,} held-out {unit} of {molecule}; training records were added")
        taken = fits
    genes = table.gene.astype(str)
    candidates = np.flatnonzero(taken)
    drawn = np.array([_draw(wanted.seed, genes[i] or str(table.row[i])) for i in candidates], dtype="S64")
    order = np.argsort(drawn, kind="stable")
    count = int(np.searchsorted(np.cumsum(lengths[candidates[order]]), wanted.most)) + 1
    picked = candidates[order][:count]
    families = table.family[picked].astype(np.int64)
    return Chosen(species, molecule, table.row[picked], genes[picked], families, code, tuple(notes))


def _draw(seed: int, key: str) -> bytes:
    """A sort key by which a gene and its protein stand at the same place of a shuffled order."""
    return hashlib.sha256(f"{seed}|{key}".encode()).hexdigest().encode()


def _same_code(
    table: RecordTable, code: GeneticCode, molecule: Molecule, species: str
) -> tuple[NDArray[np.bool_], list[str]]:
    everything = np.ones(len(table), dtype=np.bool_)
    if molecule == "genome":
        return everything, []
    tables = table.table.astype(np.int64)
    fits = np.isin(tables, [0, -1, code.table])
    if fits.all() or not fits.any():
        return everything, []
    others = ", ".join(str(number) for number in sorted(set(tables[~fits].tolist())))
    count = int((~fits).sum())
    return fits, [f"{species}: {count} {molecule} records read with genetic code {others} were left out"]


def codon_step(lexicon: Lexicon, species: str) -> int:
    """Tokens from one codon of a reading frame to the next: 1 for stride 3, 3 for stride 1.

    Raises:
        InputError: if the tokens are no 3-mers.
    """
    tokenizer = lexicon.tokenizer(species, "dna")
    if tokenizer.k != 3 or tokenizer.stride not in (1, 3):
        raise InputError(
            f"DNA tokens of {species} are {tokenizer.k}-mers with stride {tokenizer.stride}: "
            "codons have no vectors",
            fix="compare runs whose tokens are codons, or 3-mers with stride 1 or 3",
        )
    return 3 // tokenizer.stride


def items_of(
    corpus: CorpusReader, lexicon: Lexicon, chosen: Chosen, *, frame: int = 0, strip: bool = True
) -> Iterator[Item]:
    """The chosen texts as items for the engine, with ``row``, ``gene`` and ``family`` in their meta.

    Genes and proteins come one text a record; a genome comes in windows, each read on both strands, as in
    training.

    Args:
        corpus: where the symbols are.
        lexicon: of the model.
        chosen: the records.
        frame: bases left out at the start of DNA.
        strip: terminal codons, and the first methionine, do not count.
    """
    genome = chosen.molecule == "genome"
    strands: tuple[Strand, ...] = ("+", "-") if genome else ("+",)
    readings = [
        Reading.of(
            lexicon,
            chosen.species,
            chosen.molecule,
            frame=frame if chosen.molecule != "protein" else 0,
            strand=strand,
            leave_out_terminals=strip,
            code=chosen.code,
        )
        for strand in strands
    ]
    labels = zip(chosen.rows.tolist(), chosen.genes.tolist(), chosen.families.tolist(), strict=True)
    for row, gene, family in labels:
        symbols = corpus.symbols(row)
        size = GENOME_WINDOW if genome else max(len(symbols), 1)
        meta = {"row": row, "gene": gene, "family": family}
        for start in range(0, len(symbols), size):
            for reading in readings:
                item = reading.item(str(row), symbols[start : start + size], meta)
                if isinstance(item, Item):
                    yield item
