"""Where items come from: FASTA streams and corpora, read as languages of a model.

A FASTA input is read once, from its first byte to its last, also from a pipe; whether it holds DNA or protein
is told from its first letters where nothing else says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from genomecli.corpus.lexicon import MOLECULE_ALPHABETS, Lexicon
from genomecli.errors import InputError, UsageError
from genomecli.inference.items import Entry, Molecule, Reading, Strand, read_entries
from genomecli.inference.training_history import TrainingHistory
from genomecli.sequences.alphabets import Alphabet, get_alphabet
from genomecli.sequences.codes import GeneticCode, genetic_code
from genomecli.sequences.fasta import guess_alphabet, join_pieces, read_blocks
from genomecli.sequences.headers import split_header
from genomecli.sequences.openers import InputStream, open_input
from genomecli.sequences.records import Record

if TYPE_CHECKING:
    from genomecli.corpus.records_table import RecordTable
    from genomecli.corpus.store import CorpusReader

HEAD = 1 << 16
"""Bytes of a FASTA input that are looked at to tell DNA from protein."""

_DNA_LETTERS = frozenset(b"ACGTUN")
_PROTEIN_LETTERS = frozenset(b"EFILPQ")
_ENOUGH = 10
"""Letters, all of A, C, G, T, U, N, from which on a short sequence is DNA and no protein."""


class Source(Protocol):
    """Something that gives items."""

    def entries(self) -> Iterator[Entry]:
        """Items and dropped records, in order, numbered from 0."""
        ...


@dataclass(frozen=True)
class Frames:
    """Bases left out at the start of coding sequences, and of other DNA."""

    cds: int = 0
    genome: int = 0

    @classmethod
    def of_run(cls, config: Mapping[str, Any]) -> Frames:
        """The frames that a run was trained at; 0 where it drew one for each text, or says nothing.

        Args:
            config: the checkpoint's resolved settings.
        """
        reading = config.get("pretrain", {}).get("reading", {})
        cds, genome = (_offset(reading.get(name, 0)) for name in ("frame", "genome_frame"))
        # A run that saw genes alone knows DNA in their frame only.
        return cls(cds, genome if "genome" in reading.get("molecules", ["genome"]) else cds)


def _offset(frame: object) -> int:
    return frame if isinstance(frame, int) else 0


@dataclass(frozen=True)
class ReadingOptions:
    """How sequences are read, whatever their language.

    Args:
        species: of the model, that they are read as; None for the only one.
        molecule: what they are; ``auto`` to tell by their letters.
        frames: bases left out at the start of DNA.
        strand: of DNA.
        leave_out_terminals: terminal codons and the first methionine do not count.
        table: genetic code; None for a corpus' own, otherwise 1.
        history: what the model was trained on; None not to ask.
        model: where the model is, for messages.
    """

    species: str | None = None
    molecule: Literal["auto", "genome", "cds", "protein"] = "auto"
    frames: Frames = Frames()
    strand: Strand = "+"
    leave_out_terminals: bool = False
    table: int | None = None
    history: TrainingHistory | None = None
    model: object = None

    @property
    def code(self) -> GeneticCode | None:
        """The genetic code of :attr:`table`. Raises UsageError for an unknown one."""
        return None if self.table is None else genetic_code(self.table)

    def reading(self, lexicon: Lexicon, species: str, molecule: Molecule) -> Reading:
        """How ``molecule`` of ``species`` is read.

        Raises:
            InputError: if the model has no tokens for it, or never read such texts.
        """
        if self.history is not None:
            self.history.check_alphabet(molecule, self.model)
        dna = molecule != "protein"
        return Reading.of(
            lexicon,
            species,
            molecule,
            frame=0 if not dna else self.frames.cds if molecule == "cds" else self.frames.genome,
            strand=self.strand if dna else "+",
            leave_out_terminals=self.leave_out_terminals,
            code=self.code,
        )


def choose_species(lexicon: Lexicon, wanted: str | None) -> str:
    """The species that sequences are read as.

    Raises:
        UsageError: if the model does not know it, or none is named and it knows several.
    """
    known = ", ".join(lexicon.species)
    if wanted is None and len(lexicon.species) > 1:
        what = f"the model knows {len(lexicon.species)} species"
        raise UsageError(what, fix=f"set embed.species to one of {known}")
    if wanted is not None and wanted not in lexicon.species:
        raise UsageError(f"the model does not know species {wanted!r}", fix=f"it knows {known}")
    return wanted or lexicon.species[0]


@dataclass
class FastaSource:
    """FASTA files or streams, one after the other.

    Args:
        paths: files, plain, gz or bgz; ``-`` is standard input.
        lexicon: of the model.
        options: how they are read.

    Attributes:
        files: of each file read to its end: path, bytes, sha256, compression.
    """

    paths: Sequence[Path]
    lexicon: Lexicon
    options: ReadingOptions
    files: list[dict[str, object]] = field(default_factory=list)

    def entries(self) -> Iterator[Entry]:
        """Items and dropped records of all files, numbered from 0.

        Raises:
            InputError: for a file that is no FASTA, or holds another molecule than asked for.
        """
        number = 0
        for path in self.paths:
            for entry in self.file_entries(path, first=number):
                yield entry
                number = entry.record + 1

    def file_entries(self, path: Path, *, first: int = 0) -> Iterator[Entry]:
        """Items and dropped records of one file, numbered from ``first``."""
        with open_input(path) as stream:
            reading = self._reading(stream)
            alphabet = get_alphabet(reading.tokenizer.alphabet_name)
            yield from read_entries(fasta_records(stream, alphabet), reading, first=first)
            self.files.append(stream.finish())

    def _reading(self, stream: InputStream) -> Reading:
        species = choose_species(self.lexicon, self.options.species)
        molecule = tell_molecule(stream, self.options.molecule, self._alphabets(species))
        return self.options.reading(self.lexicon, species, molecule)

    def _alphabets(self, species: str) -> list[str]:
        blocks = self.lexicon.vocabulary.blocks
        return [block.molecule for block in blocks if block.species in (None, species)]


def fasta_records(stream: InputStream, alphabet: Alphabet) -> Iterator[Record]:
    """Whole records of an open FASTA stream; letters of other alphabets have code ``INVALID``."""
    for block in join_pieces(read_blocks(stream, alphabet, where=stream.location)):
        for i, header in enumerate(block.headers):
            record_id, description = split_header(header, block.first + i)
            yield Record(record_id, alphabet, block.record_symbols(i), {}, {"description": description})


def tell_molecule(
    stream: InputStream, wanted: str, known: Sequence[str], *, key: str = "embed.molecule"
) -> Molecule:
    """What a FASTA stream holds.

    Args:
        stream: not read yet.
        wanted: a molecule, or ``auto``.
        known: alphabets that the model reads.
        key: the setting that says what it holds, for messages.

    Raises:
        InputError: if the letters contradict ``wanted``, or do not tell DNA from protein.
    """
    letters, where = _letters(stream.peek(HEAD)), stream.location
    return molecule_of(letters, wanted, known, where=where, key=key)


def molecule_of(letters: bytes, wanted: str, known: Sequence[str], *, where: object, key: str) -> Molecule:
    """What sequences hold, by their first letters (upper case); otherwise as :func:`tell_molecule`.

    Args:
        letters: of the sequences, as many as are at hand.
        wanted, known, key: as there.
        where: the sequences come from, for messages.

    Raises:
        InputError: as there.
    """
    seen = guess_alphabet(letters)
    if seen == "unclear" and frozenset(letters) & _PROTEIN_LETTERS:
        seen = "protein"
    if wanted != "auto":
        if seen not in ("unclear", MOLECULE_ALPHABETS[wanted]):
            raise InputError(f"looks like {seen}, not like {wanted}", where=where, fix=f"set {key}")
        return cast(Molecule, wanted)
    if seen == "unclear" and len(letters) >= _ENOUGH and frozenset(letters) <= _DNA_LETTERS:
        seen = "dna"
    if seen == "unclear" and len(set(known)) > 1 and letters:
        what = "has too few letters to tell DNA from protein"
        raise InputError(what, where=where, fix=f"set {key}")
    alphabet = known[0] if seen == "unclear" else seen
    if alphabet not in known:
        what = f"looks like {alphabet}, and the model reads {' and '.join(known)} only"
        raise InputError(what, where=where)
    return "protein" if alphabet == "protein" else "genome"


def _letters(head: bytes) -> bytes:
    """Sequence letters of the start of a FASTA file, upper case; none if it is no FASTA."""
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b">"):
        return b""
    lines = head.replace(b"\r", b"\n").split(b"\n")
    body = b"".join(line for line in lines if not line.startswith(b">"))
    return body.translate(None, b" \t*-").upper()


@dataclass(frozen=True)
class CorpusSource:
    """Records of a corpus, species by species.

    Args:
        corpus: to be read.
        lexicon: of the model.
        options: how it is read; ``molecule: auto`` reads all that the corpus holds.
        split: ``train``, ``valid``, ``test``, or None for all.
        genes_first: leave out the genome of a species that has coding sequences.
    """

    corpus: CorpusReader
    lexicon: Lexicon
    options: ReadingOptions
    split: str | None = None
    genes_first: bool = False

    def groups(self) -> list[tuple[str, Molecule]]:
        """Species and molecule of the groups that are read.

        Raises:
            InputError: if there are none.
        """
        found: list[tuple[str, Molecule]] = [
            (group.species, group.molecule)
            for group in self.corpus.groups
            if self.options.species in (None, group.species)
            and self.options.molecule in ("auto", group.molecule)
            and group.species in self.lexicon.species
        ]
        if not found:
            held = ", ".join(f"{group.species} {group.molecule}" for group in self.corpus.groups)
            raise InputError(
                "the corpus holds nothing of what is asked for",
                where=self.corpus.path,
                fix=f"it holds {held}, and the model knows {', '.join(self.lexicon.species)}",
            )
        if self.genes_first and self.options.molecule == "auto":
            coding = {species for species, molecule in found if molecule == "cds"}
            found = [group for group in found if group[1] != "genome" or group[0] not in coding]
        return found

    def entries(self, species: str | None = None) -> Iterator[Entry]:
        """Items and dropped records of one species or all, in the corpus' order, numbered from 0."""
        number = 0
        for name, molecule in self.groups():
            if species not in (None, name):
                continue
            for entry in self.group_entries(name, molecule, first=number):
                yield entry
                number = entry.record + 1

    def group_entries(self, species: str, molecule: Molecule, *, first: int = 0) -> Iterator[Entry]:
        """Items and dropped records of one group, numbered from ``first``."""
        reading = self.options.reading(self.lexicon, species, molecule)
        table = self.corpus.records(species, molecule, self.split)
        group = f"{species}/{molecule}"
        yield from read_entries(self._records(table, reading, group), reading, first=first)

    def _records(self, table: RecordTable, reading: Reading, group: str) -> Iterator[Record]:
        alphabet = reading.tokenizer.alphabet
        names = ("id", "description", "gene", "table")
        columns = [table.column(name).tolist() for name in names]
        for row, *values in zip(table.row.tolist(), *columns, strict=True):
            meta = {**dict(zip(names, values, strict=True)), "row": row, "group": group}
            yield Record(values[0], alphabet, self.corpus.symbols(row), {}, meta)
