"""The two texts of a decipherment, read from a corpus: genes as codons of one reading, proteins as residues.

No genetic code is used to read them. The first codon of every gene is left out, and the last one where the
corpus kept it: their place gives them away. What stands last is counted by itself, for it tells the stops.

Legend: n bases, R records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.decipherment.genes import CODON, Genes, codon_indices
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.texts import same_code, species_code
from genomecli.corpus.relations import family_components, halve, relate
from genomecli.errors import InputError, UsageError
from genomecli.runtime import rng
from genomecli.sequences.alphabets import PROTEIN
from genomecli.sequences.codes import GeneticCode, genetic_code

if TYPE_CHECKING:
    from genomecli.analysis.decipherment.calling import Calling
    from genomecli.analysis.settings import DecipherSettings
    from genomecli.corpus.records_table import RecordTable
    from genomecli.corpus.store import CorpusReader

_RESIDUE_OF = np.array(
    [AMINO_LETTERS.find(letter) for letter in PROTEIN.symbols] + [-1] * (256 - len(PROTEIN.symbols)),
    dtype=np.int64,
)


@dataclass(frozen=True, eq=False)
class Sources:
    """Two texts that nobody paired.

    Args:
        codons: species that the genes are of.
        proteins: species that the proteins are of.
        relation: how the genes and the proteins relate.
        genes: the genes.
        residues: int64 amino acids in the order of AMINO_LETTERS, -1 for other letters.
        code: what the corpus says is the genetic code of the genes; it is used for nothing but the check.
        notes: what the reader of the result must know.
        translated_with: NCBI code that the proteins were made with on purpose; None for given proteins.
        code_free: the corpus was made without asking a code what a gene is.
        calling: where the genes were found, if the corpus does not say.
    """

    codons: str
    proteins: str
    relation: str
    genes: Genes
    residues: Text
    code: GeneticCode
    notes: tuple[str, ...]
    translated_with: int | None = None
    code_free: bool = True
    calling: Calling | None = None

    @property
    def same_genome(self) -> bool:
        """The proteins are given for the species that the genes are of."""
        return self.codons == self.proteins and self.translated_with is None


def read_sources(corpus: CorpusReader, settings: DecipherSettings, seed: int) -> Sources:
    """Both texts, as the settings ask.

    Raises:
        InputError: if a species or molecule is not in the corpus, or nothing is left.
        UsageError: if genes are to be translated and the proteins of another species are asked for.
    """
    codons = settings.codons or only(corpus, "cds")
    corpus.group(codons, "cds")  # refuses what the corpus does not hold
    code = species_code(corpus, codons)
    genes, notes = _of_one_code(corpus, codons, code)
    notes += _policy_notes(corpus, code)
    if settings.translate_with is not None:
        return _wrongly_translated(corpus, genes, code, settings, seed, notes)
    proteins = settings.proteins or (codons if _holds(corpus, codons, "protein") else only(corpus, "protein"))
    corpus.group(proteins, "protein")
    own = codons == proteins
    if own and settings.proteins is None:
        notes += _others(corpus, codons)
    relation = settings.relation if settings.relation != "auto" else ("disjoint" if own else "none")
    tables = {(codons, "cds"): genes, (proteins, "protein"): corpus.records(proteins, "protein")}
    sides = {source.molecule: source.records for source in relate(tables, relation, seed)}  # type: ignore[arg-type]
    if relation == "comparable" and not own:
        relation = "none"
    taken = _inside(corpus, _limited(sides["cds"], settings.genes, seed))
    residues = _residues(corpus, sides["protein"])
    free = _drops_none_for_stops(corpus)
    found = Sources(codons, proteins, relation, taken, residues, code, tuple(notes), code_free=free)
    return _checked(found, corpus)


def _others(corpus: CorpusReader, codons: str) -> list[str]:
    """That proteins of other species are at hand, which can tell the cell's own code."""
    names = sorted({group.species for group in corpus.groups if group.molecule == "protein"} - {codons})
    if not names:
        return []
    return [
        f"the proteins are {codons}'s own; those of {', '.join(names)} are in the corpus as well: "
        f"mrr-compare.decipher.proteins={names[0]} asks for the cell's own code"
    ]


def gene_texts(corpus: CorpusReader, species: str, frame: int = 0) -> tuple[Text, GeneticCode]:
    """All genes of a species as codons, terminal ones left out, and its code; no gene of another code.

    Args:
        corpus: with its genes.
        species: its name.
        frame: bases left out at the start of each gene.

    Raises:
        InputError: if the corpus holds no genes of it.
    """
    corpus.group(species, "cds")
    code = species_code(corpus, species)
    genes, _ = _of_one_code(corpus, species, code)
    return _inside(corpus, genes).codons(frame), code


def _wrongly_translated(
    corpus: CorpusReader,
    genes: RecordTable,
    code: GeneticCode,
    settings: DecipherSettings,
    seed: int,
    notes: list[str],
) -> Sources:
    """The control: instead of proteins, genes of other families (or the same) in a code of one's choice."""
    species, table = str(genes.species[0]), settings.translate_with or code.table
    relation = "disjoint" if settings.relation == "auto" else settings.relation
    if settings.proteins not in (None, species):
        raise UsageError(
            "translate_with makes the proteins from the genes themselves",
            where="mrr-compare.decipher.proteins",
            fix="leave proteins out",
        )
    read, translated = genes, genes
    if relation == "disjoint":
        number = family_components({(species, "cds"): genes})[species, "cds"]
        side = halve(np.bincount(number).astype(np.int64), seed)[number]
        read, translated = genes[side], genes[~side]
    residues = _translated(corpus, translated, table)
    said = f"control: the proteins are {len(translated):,} genes of {species}, translated with code {table}"
    taken = _inside(corpus, _limited(read, settings.genes, seed))
    free = _drops_none_for_stops(corpus)
    found = Sources(species, species, relation, taken, residues, code, (*notes, said), table, free)
    return _checked(found, corpus)


def _checked(sources: Sources, corpus: CorpusReader) -> Sources:
    if not len(sources.genes.bases) or not len(sources.residues.tokens):
        raise InputError("no gene or no protein is left", where=corpus.path, fix="see mrr-compare.decipher")
    return sources


def _holds(corpus: CorpusReader, species: str, molecule: str) -> bool:
    return any((group.species, group.molecule) == (species, molecule) for group in corpus.groups)


def proteins_of(corpus: CorpusReader, settings: DecipherSettings, codons: str) -> tuple[str, Text]:
    """All proteins of the species that the settings name, of that of the codons, or of the only one.

    Raises:
        InputError: if there are none, or a choice.
    """
    own = codons if _holds(corpus, codons, "protein") else None
    species = settings.proteins or own or only(corpus, "protein")
    corpus.group(species, "protein")
    return species, _residues(corpus, corpus.records(species, "protein"))


def only(corpus: CorpusReader, molecule: str) -> str:
    """The one species with such records. Raises InputError if there is none, or a choice."""
    found = [group.species for group in corpus.groups if group.molecule == molecule]
    if len(found) == 1:
        return found[0]
    key = "proteins" if molecule == "protein" else "codons"
    if not found:
        bare = molecule == "cds" and any(group.molecule == "genome" for group in corpus.groups)
        genome = "; or set mrr-compare.decipher.molecule: genome, to read a genome without annotation"
        raise InputError(
            f"the corpus holds no records of {molecule}",
            where=corpus.path,
            fix=f"tokenize genes and proteins, and see why records were left out{genome if bare else ''}",
        )
    what = f"records of {molecule} of {', '.join(found)}"
    raise InputError(f"the corpus holds {what}", where=corpus.path, fix=f"set mrr-compare.decipher.{key}")


def _of_one_code(corpus: CorpusReader, species: str, code: GeneticCode) -> tuple[RecordTable, list[str]]:
    """The genes of the nucleus or chromosome; those of organelles, which another code is given for, apart."""
    table = corpus.records(species, "cds")
    fits, notes = same_code(table, code, "cds", species)
    return table[fits], notes


def _limited(table: RecordTable, genes: int | None, seed: int) -> RecordTable:
    if genes is None or genes >= len(table):
        return table
    return table[np.sort(rng(seed, "decipher", "genes").permutation(len(table))[:genes])]


def _policy(corpus: CorpusReader, name: str) -> object:
    policies: Mapping[str, object] = corpus.manifest.get("settings", {}).get("policies", {})
    return policies.get(name)  # of a corpus that tokenize did not make, none is known


def _keeps_last(corpus: CorpusReader) -> bool:
    return _policy(corpus, "stop_codon") == "keep"


def _drops_none_for_stops(corpus: CorpusReader) -> bool:
    return _policy(corpus, "internal_stop") != "skip"


def _policy_notes(corpus: CorpusReader, code: GeneticCode) -> list[str]:
    """Where a code took part in making the corpus: what it took away cannot be found here."""
    notes = []
    if not _keeps_last(corpus):
        notes.append(
            f"the corpus was made without the stops of code {code.table} that end genes, so stops are not "
            "looked for; make it with tokenize.policies.stop_codon: keep"
        )
    if not _drops_none_for_stops(corpus):
        notes.append(
            f"the corpus was made without genes that hold a stop of code {code.table} inside, so one "
            "that is an amino acid cannot be found; make it with tokenize.policies.internal_stop: keep"
        )
    return notes


def _inside(corpus: CorpusReader, table: RecordTable) -> Genes:
    """Whole codons of each gene but the first, and but the last where the corpus kept it."""
    keeps = _keeps_last(corpus)
    whole = table.length.astype(np.int64) // CODON
    inside = np.maximum(whole - 1 - int(keeps), 0) * CODON
    enough = inside > 0
    rows, inside = table.row[enough], inside[enough]
    bases, _ = corpus.gather(rows, np.full(len(rows), CODON, dtype=np.int64), inside)
    last = np.full(len(rows), -1, dtype=np.int64)
    if keeps:
        complete = ~table.column("partial3").astype(np.bool_)[enough]
        ends, _ = corpus.gather(
            rows[complete], inside[complete] + CODON, np.full(int(complete.sum()), CODON, dtype=np.int64)
        )
        last[complete] = codon_indices(ends, np.arange(0, len(ends), CODON))
    return Genes(bases, inside, last, keeps)


def _residues(corpus: CorpusReader, table: RecordTable) -> Text:
    """Residues but a first methionine, which every protein has."""
    start = table.column("has_start").astype(np.int64)
    lengths = np.maximum(table.length.astype(np.int64) - start, 0)
    symbols, _ = corpus.gather(table.row, start, lengths)
    return Text(_RESIDUE_OF[symbols], lengths)


def _translated(corpus: CorpusReader, genes: RecordTable, table: int) -> Text:
    """Genes translated with a code of one's choice; stops are no residue."""
    text = _inside(corpus, genes).codons()
    letters = np.array([AMINO_LETTERS.find(letter) for letter in genetic_code(table).amino], dtype=np.int64)
    return Text(np.where(text.tokens >= 0, letters[text.tokens], -1), text.lengths)
