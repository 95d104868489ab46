"""The held-out texts of one language that contextual vectors come from: genes in a frame, or proteins.

Where a corpus holds too few held-out symbols, records of every split are read, and a note says so.
A text is never a pair: a model trained on codons and protein together is still read one language at a time.
Start and stop codons and the first methionine do not count, since their place alone gives them away.
A genome is read in loci: stretches of a few windows, drawn from all held-out records, each on both strands.
Neighbouring windows and the two strands of one place tell much the same, so a locus is what is resampled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.accounts import balance
from genomecli.analysis.arrays import Integers
from genomecli.corpus.records_table import SPLITS
from genomecli.errors import InputError
from genomecli.inference.items import Item, Reading, Strand
from genomecli.sequences.codes import GeneticCode, genetic_code

if TYPE_CHECKING:
    from genomecli.corpus.lexicon import Lexicon
    from genomecli.corpus.records_table import RecordTable
    from genomecli.corpus.store import CorpusReader

Molecule = Literal["genome", "cds", "protein"]

READ = "read"

GENOME_WINDOW = 1500
"""Bases of a piece of genome, a multiple of 3 and a length that most models take whole."""

LOCUS = 3 * GENOME_WINDOW
"""Bases of a locus: more than a gene and its surroundings, few enough that a small limit holds several."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Records, or loci of a genome, picked for one language of one species.

    Args:
        species: its name.
        molecule: ``cds``, ``genome`` or ``protein``.
        rows: int64[R] corpus rows, in a shuffled order that depends on seed and gene (or place) alone.
        starts: int64[R], first symbol that is read: 0 but for a genome.
        stops: int64[R], one past the last symbol that is read.
        genes: str[R], what pairs a gene with its protein.
        families: int64[R], gene family; -1 where there is none.
        code: genetic code of the species.
        notes: what the reader of the results must know about the choice.
        widened: the one of these notes, without the species, that says that records were drawn from every
            split; empty where the wanted ones hold enough.
        records: what became of all records of that molecule, a count each.
    """

    species: str
    molecule: Molecule
    rows: Integers
    starts: Integers
    stops: Integers
    genes: NDArray[np.str_]
    families: Integers
    code: GeneticCode
    notes: tuple[str, ...] = ()
    widened: str = ""
    records: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """How many symbols are wanted, and of which records.

    Args:
        splits: the splits they come from.
        least: fewer symbols than this are too few: records are drawn from every split, the wanted ones and
            others alike.
        most: at most this many symbols, but one record at least.
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


def dna_molecule(
    corpus: CorpusReader, species: str, wanted: str = "auto", *, proteins: bool = True
) -> Literal["genome", "cds"]:
    """Which DNA text to read: genes where there are any, unless ``wanted`` says otherwise.

    Raises:
        InputError: if the species has no such text, or, with ``proteins``, none to compare it with.
    """
    held = {group.molecule for group in corpus.groups if group.species == species}
    if proteins and "protein" not in held:
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
    """Pick records, or loci of a genome, of the wanted splits, up to a number of symbols.

    Where these splits hold less than the least, records are drawn from every split, training and test
    included, and a note says so. Genes that the corpus reads with another genetic code than the species'
    (organelles) are left out.
    """
    code = species_code(corpus, species)
    table = corpus.records(species, molecule)
    fits, notes = same_code(table, code, molecule, species)
    lengths = table.length.astype(np.int64)
    unit = "residues" if molecule == "protein" else "bases"
    taken, widened = _of_splits(table, fits, wanted, f"{unit} of {molecule}")
    notes += [f"{species}: {widened}"] if widened else []
    genes = table.gene.astype(str)
    candidates = np.flatnonzero(taken)
    record, starts, stops = _pieces(candidates, lengths[candidates], molecule)
    places = zip(record.tolist(), starts.tolist(), strict=True)
    keys = (genes[i] or _place(int(table.row[i]), start) for i, start in places)
    drawn = np.array([_draw(wanted.seed, key) for key in keys], dtype="S64")
    order = np.argsort(drawn, kind="stable")
    picked, end = _within(order, stops - starts, wanted.most, cut=molecule == "genome")
    stops[picked[-1:]] = starts[picked[-1:]] + end
    read, there = int((stops - starts)[picked].sum()), int(lengths[taken].sum())
    if read < there:
        what = f"{read:,} of {there:,} {unit} of {molecule}"
        notes.append(f"{species}: {what} were read, as many as the limit of tokens allows")
    rows = record[picked]
    families = table.family[rows].astype(np.int64)
    return Chosen(
        *(species, molecule, table.row[rows], starts[picked], stops[picked]),
        *(genes[rows], families, code, tuple(notes)),
        *(widened, _became(fits, taken, rows)),
    )


def _of_splits(
    table: RecordTable, fits: NDArray[np.bool_], wanted: Wanted, unit: str
) -> tuple[NDArray[np.bool_], str]:
    """Records of the wanted splits, bool[n]; of every split where those hold too few; what to say of it.

    Args:
        table: n records.
        fits: bool[n], those that can be read.
        wanted: the splits, and how many symbols are too few.
        unit: of the symbols, in words.
    """
    splits = table.split.astype(str)
    taken = fits & np.isin(splits, list(wanted.splits))
    held = int(table.length[taken].sum(dtype=np.int64))
    if held >= wanted.least or not (fits & ~taken).any():
        return taken, ""
    every = [split for split in SPLITS if (splits[fits] == split).any()]
    few = f"only {held:,} {unit} in {' and '.join(wanted.splits)}"
    return fits, f"{few}; records were drawn from every split instead ({', '.join(every)})"


def _became(fits: NDArray[np.bool_], taken: NDArray[np.bool_], read: Integers) -> dict[str, int]:
    """What became of n records.

    Args:
        fits: bool[n], read with the genetic code of the species.
        taken: bool[n], those of them that are of the splits that records were drawn from.
        read: int64[R], records that are read, several times where they are in pieces.
    """
    reads = len(np.unique(read))
    went = {
        READ: reads,
        "beyond the limit of tokens": int(taken.sum()) - reads,
        "of other parts of the split": int((fits & ~taken).sum()),
        "of another genetic code": int((~fits).sum()),
    }
    balance("records", len(fits), went)
    return {name: count for name, count in went.items() if count or name == READ}


def _pieces(records: Integers, lengths: Integers, molecule: Molecule) -> tuple[Integers, Integers, Integers]:
    """Record, first symbol and end of every piece: whole records, or the loci of a genome; int64[P] each."""
    if molecule != "genome":
        return records, np.zeros_like(lengths), lengths.copy()
    counts = -(-lengths // LOCUS)
    owner = np.repeat(np.arange(len(records)), counts)
    starts = (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)) * LOCUS
    return records[owner], starts, np.minimum(starts + LOCUS, lengths[owner])


def _within(order: Integers, sizes: Integers, most: int, *, cut: bool) -> tuple[Integers, int]:
    """The first pieces of ``order`` within ``most`` symbols, one at least; and the size of the last of them.

    Args:
        order: int64[P], pieces in the order in which they are taken.
        sizes: int64[P], symbols of each piece.
        most: the limit.
        cut: a piece that does not fit is cut, to whole codons, so that the limit is reached.
    """
    if not len(order):
        return order, 0
    sums = np.cumsum(sizes[order])
    count = int(np.searchsorted(sums, most, side="right"))
    spare = (most - int(sums[count - 1] if count else 0)) // 3 * 3
    if cut and count < len(order) and (spare > 0 or not count):
        return order[: count + 1], min(int(sizes[order[count]]), max(spare, 3))
    picked = order[: max(count, 1)]
    return picked, int(sizes[picked[-1]])


def _place(row: int, start: int) -> str:
    """A name for a record without a gene, or for a locus of it."""
    return f"{row}:{start}" if start else str(row)


def _draw(seed: int, key: str) -> bytes:
    """A sort key by which a gene and its protein stand at the same place of a shuffled order."""
    return hashlib.sha256(f"{seed}|{key}".encode()).hexdigest().encode()


def same_code(
    table: RecordTable, code: GeneticCode, molecule: Molecule, species: str
) -> tuple[NDArray[np.bool_], list[str]]:
    """bool[R]: records that are read with this code, and what to say of the others."""
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
        ConfigError: if they are of several lengths.
    """
    tokenizer = lexicon.tokenizer(species, "dna")
    tokenizer.check_uniform("mrr-compare")
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
    """Items for the engine, with ``row``, ``gene``, ``family`` and ``locus`` in their meta.

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
    columns = (chosen.rows, chosen.starts, chosen.stops, chosen.genes, chosen.families)
    for row, first, end, gene, family in zip(*(column.tolist() for column in columns), strict=True):
        symbols = corpus.symbols(row, first, end)
        size = GENOME_WINDOW if genome else max(len(symbols), 1)
        meta = {"row": row, "gene": gene, "family": family, "locus": gene or _place(row, first)}
        for start in range(0, len(symbols), size):
            for reading in readings:
                item = reading.item(str(row), symbols[start : start + size], meta)
                if isinstance(item, Item):
                    yield item


def unread(corpus: CorpusReader, lexicon: Lexicon, chosen: Chosen, *, frame: int, strip: bool) -> int:
    """How many of the chosen records hold nothing to read: no token that counts."""
    read = {item.meta["row"] for item in items_of(corpus, lexicon, chosen, frame=frame, strip=strip)}
    return len(set(chosen.rows.tolist()) - read)


def locus_of(item: Item) -> str:
    """What an item is resampled with: its gene, or the stretch of genome that it lies in, on both strands."""
    return str(item.meta["locus"])
