"""``score`` on a list of mutations of a wild type: each row a piece of work, simple baselines beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from genomecli.commands.score_job import Job, Readings, readings
from genomecli.commands.score_work import Done, counted
from genomecli.corpus.lexicon import MOLECULE_ALPHABETS
from genomecli.errors import InputError, UsageError
from genomecli.exchange.mutation_lists import (
    MutationColumns,
    MutationRow,
    inferred_wild_types,
    read_mutations,
)
from genomecli.exchange.score_table import MUTATIONS, Cell, Kind, header_line, row_line
from genomecli.inference.decoding import Doubles
from genomecli.inference.items import Molecule
from genomecli.inference.marginals import Plan, Score
from genomecli.inference.sources import fasta_records, tell_molecule
from genomecli.inference.workload import Work
from genomecli.sequences.alphabets import PROTEIN, STOP, Alphabet, Codes, get_alphabet
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.fasta import guess_alphabet
from genomecli.sequences.mutations import Substitution, disagreement
from genomecli.sequences.openers import open_input
from genomecli.sequences.variants import Change, HeldSequence

BASELINES: tuple[tuple[str, Kind], ...] = (("measured", "float"), ("blosum62", "float"), ("unigram", "float"))
"""Columns beside the scores where values are measured."""

_PROTEIN_LETTERS = frozenset("EFILPQ")


class MutationInput:
    """A list of mutations and their wild types.

    Args:
        job: the run.

    Attributes:
        columns, header, files: see :class:`~genomecli.commands.score_work.ScoreInput`.

    Raises:
        UsageError: no wild type, or mutations that the model cannot read.
        InputError: for a list or a wild type that cannot be read.
    """

    noun = lines = "mutants"
    unscored: tuple[tuple[str, Kind], ...] = ()

    def __init__(self, job: Job) -> None:
        settings = job.settings
        assert settings.mutations is not None
        self._job = job
        self._only = ""  # the id of the wild type, where all mutations are of one
        if settings.wildtype is None:
            raise UsageError("no wild type is given", fix="name its FASTA with --wildtype, or infer")
        infer = settings.wildtype == "infer"
        wanted = MutationColumns(
            settings.column,
            settings.wildtype_column,
            settings.sequence_column if infer else None,
            settings.measured,
        )
        with open_input(settings.mutations) as stream:
            self._where = stream.location
            self._rows = read_mutations(stream, wanted)
            self.files = [stream.finish()]
        molecule, symbols = self._inferred() if infer else self._read(Path(settings.wildtype))
        self._readings = readings(job, molecule)
        self._residues = _names_residues(job, self._readings)
        self._symbols = symbols
        self._letters = {name: self._written(codes) for name, codes in symbols.items()}
        self._scorer = self._readings.scorer(job)
        self._blind = self._readings.scorer(job, hidden=True)
        self.columns = MUTATIONS + (BASELINES if settings.measured is not None else ())
        self.header = header_line(self.columns)

    def _read(self, path: Path) -> tuple[Molecule, dict[str, Codes]]:
        """The wild types in a FASTA file; a ``*`` at the end is left out."""
        known = [block.molecule for block in self._job.engine.lexicon.vocabulary.blocks]
        with open_input(path) as stream:
            wanted = self._job.settings.molecule
            molecule = tell_molecule(stream, wanted, known, key="score.molecule")
            alphabet = get_alphabet(MOLECULE_ALPHABETS[molecule])
            found: dict[str, Codes] = {}
            for record in fasta_records(stream, alphabet):
                where = f"{stream.location}, record {record.id!r}"
                if record.id in found:
                    raise InputError("this id comes twice", where=where)
                found[record.id] = _without_stop(_valid(record.symbols, alphabet, where), alphabet)
            self.files.append(stream.finish())
        if self._job.settings.wildtype_column is None:
            if len(found) > 1:
                raise InputError(
                    f"holds {len(found)} records",
                    where=path,
                    fix="give one, or name the column that says which with score.wildtype_column",
                )
            self._only, codes = next(iter(found.items()))
            found = {"": codes}
        return molecule, found

    def _inferred(self) -> tuple[Molecule, dict[str, Codes]]:
        texts = inferred_wild_types(self._rows, self._where)
        wanted = self._job.settings.molecule
        letters = "".join(texts.values())
        protein = guess_alphabet(letters.encode()) == "protein" or bool(_PROTEIN_LETTERS & set(letters))
        told: Molecule = "protein" if protein else "genome"
        molecule = told if wanted == "auto" else wanted
        alphabet = get_alphabet(MOLECULE_ALPHABETS[molecule])
        return molecule, {
            name: _without_stop(_valid(alphabet.encode(text), alphabet, self._where), alphabet)
            for name, text in texts.items()
        }

    def _written(self, symbols: Codes) -> str:
        """The letters that mutations name."""
        if not self._residues or self._readings.molecule == "protein":
            return self._readings.tokenizer.alphabet.decode(symbols)
        code = self._readings.code or genetic_code(1)
        return PROTEIN.decode(code.translate(symbols[self._readings.frames[0] :]))

    def works(self, skip: int) -> Iterator[Work[Done]]:
        """Rows as work. Raises InputError for one that does not fit its wild type, where that is an error."""
        for row in self._rows[skip:]:
            yield self._work(row)

    def _work(self, row: MutationRow) -> Work[Done]:
        reason = self._mismatch(row)
        if reason is not None:
            plan = blind = Plan("", reason=reason)
        else:
            plan = self._plan(row)
            blind = self._plan(row, blind=True) if self._job.settings.measured is not None else Plan("")
        asked = len(plan.queries)

        def finish(answers: Sequence[Doubles]) -> Done:
            neutral = reason is None and not _changing(row.mutations)
            score = Score(0.0, 0.0) if neutral else plan.score(answers[:asked])
            prior = Score(0.0) if neutral else blind.score(answers[asked:])
            return Done(self._line(row, score, prior), b"", Counter({"records": 1}) + counted([score]))

        return Work([*plan.queries, *blind.queries], finish)

    def _mismatch(self, row: MutationRow) -> str | None:
        letters = self._letters.get(row.wild_type)
        if letters is None:
            what = f"names wild type {row.wild_type!r}, which is not there"
        else:
            found = disagreement(row.mutations, self._first_codon(letters, row))
            if found is None:
                return None
            what = found
        if self._job.settings.mismatch == "skip":
            return "wild type mismatch"
        gene = letters is not None and self._is_gene(row)
        fix = (
            "the wild type is a gene: set score.molecule=cds"
            if gene
            else "correct it, or set score.mismatch=skip"
        )
        raise InputError(what, where=f"{self._where}, {row}", fix=fix)

    def _is_gene(self, row: MutationRow) -> bool:
        """Whether mutations that do not fit the bases of a wild type fit the protein that it codes for."""
        if self._residues or self._readings.molecule == "protein":
            return False
        symbols = self._symbols[row.wild_type]
        protein = PROTEIN.decode(genetic_code(1).translate(symbols[: len(symbols) // 3 * 3]))
        begins = [m.place == 0 and m.old == "M" for m in row.mutations[:1]]
        return disagreement(row.mutations, "M" + protein[1:] if any(begins) else protein) is None

    def _first_codon(self, letters: str, row: MutationRow) -> str:
        """The wild type's letters; a gene with another start codon may be said to begin with M."""
        begins = row.mutations[0] if row.mutations else None
        residues = self._residues and self._readings.molecule != "protein"
        if residues and begins is not None and begins.place == 0 and begins.old == "M":
            code = self._readings.code or genetic_code(1)
            first = self._symbols[row.wild_type][:3]
            if int(first[0]) * 16 + int(first[1]) * 4 + int(first[2]) in code.starts:
                return "M" + letters[1:]
        return letters

    def _plan(self, row: MutationRow, *, blind: bool = False) -> Plan:
        scorer = self._blind if blind else self._scorer
        symbols, mutations = self._symbols[row.wild_type], _changing(row.mutations)
        name = f"row {row.number}"
        if self._residues and self._readings.molecule != "protein":
            return scorer.residues(symbols, mutations, name)
        alphabet = self._readings.tokenizer.alphabet
        changes = [Change(m.place, m.place + 1, alphabet.encode(m.new)) for m in mutations]
        return scorer.plan(HeldSequence(symbols), changes, name)

    def _line(self, row: MutationRow, score: Score, prior: Score) -> bytes:
        places, old, new = (
            ":".join(str(value) for value in values)
            for values in (
                [m.place + 1 for m in row.mutations],
                [m.old for m in row.mutations],
                [m.new for m in row.mutations],
            )
        )
        cells: list[Cell] = [row.number, row.wild_type or self._only, places, row.text, old, new]
        cells += [*self._job.scaled(score), score.method, score.tokens, score.reason]
        if self._job.settings.measured is not None:
            known = row.measured is not None and row.measured == row.measured
            cells += [repr(row.measured) if known else None]  # all its digits
            cells += [_blosum(row.mutations) if self._residues else None, self._job.scaled(prior)[0]]
        return row_line(cells)


def _changing(mutations: Sequence[Substitution]) -> tuple[Substitution, ...]:
    return tuple(mutation for mutation in mutations if mutation.old != mutation.new)


def _names_residues(job: Job, found: Readings) -> bool:
    """Whether the mutations name amino acids. Raises UsageError if the model cannot read them so."""
    if found.molecule == "protein":
        if job.settings.level == "base":
            raise UsageError("a protein has no bases", where="score.level base", fix="use auto")
        return True
    wanted: Literal["auto", "base", "residue"] = job.settings.level
    if wanted == "residue" or (wanted == "auto" and found.molecule == "cds"):
        if found.code is None:
            raise UsageError(
                "amino acids of a cds need a model of codons, read in one frame with synonyms summed",
                where="score.level residue",
                fix="set score.molecule to cds, or score.level to base",
            )
        return True
    return False


def _valid(symbols: Codes, alphabet: Alphabet, where: object) -> Codes:
    if wrong := alphabet.foreign(symbols):
        raise InputError(f"has {wrong}", where=where)
    return symbols


def _without_stop(symbols: Codes, alphabet: Alphabet) -> Codes:
    ends = alphabet is PROTEIN and len(symbols) and symbols[-1] == STOP
    return symbols[:-1] if ends else symbols


def _blosum(mutations: Sequence[Substitution]) -> float:
    """BLOSUM62 of the exchanges (Henikoff and Henikoff 1992), summed; NaN for a letter that it lacks."""
    from Bio.Align import substitution_matrices

    load: Any = substitution_matrices.load
    matrix = load("BLOSUM62")
    try:
        return float(np.sum([matrix[m.old, m.new] for m in mutations]))
    except (IndexError, KeyError):
        return float("nan")
