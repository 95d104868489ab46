"""``score --scan``: the surprise of every base or residue along sequences, as bedGraph or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.commands.score_job import Job, Readings, readings
from genomecli.commands.score_work import NOTE, REASON, Done
from genomecli.errors import InputError
from genomecli.exchange.score_table import SURPRISES, Kind, header_line, row_line
from genomecli.inference.decoding import Doubles
from genomecli.inference.sources import fasta_records, tell_molecule
from genomecli.inference.surprise import Surprise, segment_count
from genomecli.inference.workload import Work
from genomecli.runtime import log
from genomecli.sequences.alphabets import DNA, PROTEIN, STOP, Alphabet
from genomecli.sequences.codes import GeneticCode, genetic_code
from genomecli.sequences.openers import open_input
from genomecli.sequences.records import Record
from genomecli.sequences.variants import HeldSequence

MISSING = f"{REASON}ambiguous letter, or in no token"
FOREIGN = f"{REASON}in a record with foreign letters"
STOPPED = f"{REASON}in a terminal stop codon"
STAR = f"{NOTE}proteins end with *, which is not read"
LEFT_OUT = f"{NOTE}terminal stop codons not scored"
REFUSED = f"{NOTE}records with foreign letters"
EMPTY = f"{NOTE}records without letters"
UNTRAINED = ": the model was trained without them"
"""Follows where nobody asked to leave them out."""

CODON = 3

UNSCORED: tuple[tuple[str, Kind], ...] = (("sequence", "str"), ("symbols", "int"), ("reason", "str"))
"""Columns of the table of records without a score."""

SHOWN = 20
"""Records with foreign letters that are named in messages; all are counted, and listed beside a file."""

NOTHING: Work[Surprise] = Work([], lambda _: Surprise(0, *[np.zeros(0)] * 3))
"""Of a record of which no symbol is read."""


class ScanInput:
    """Sequences that are scanned, stretch by stretch.

    Args:
        job: the run.
        shape: ``bedgraph``, or ``table``: a row a symbol, with both strands.

    Attributes:
        columns, header, files: see :class:`~genomecli.commands.score_work.ScoreInput`.
    """

    noun = "symbols"
    lines = "records"
    unscored = UNSCORED

    def __init__(self, job: Job, shape: Literal["bedgraph", "table"]) -> None:
        self._job = job
        self._shape = shape
        self._readings: dict[str, Readings] = {}
        self._named = 0
        self.columns = SURPRISES
        self.files: list[dict[str, object]] = []
        unit = job.settings.unit
        comment = f"# surprise of each symbol, -log p given all others, in {unit}\n".encode()
        self.header = header_line(SURPRISES) if shape == "table" else comment

    def works(self, skip: int) -> Iterator[Work[Done]]:
        """Stretches of the records of all files, in order.

        Raises:
            InputError: for a file that is no FASTA, or that the model cannot read, and where all records have
                foreign letters: what comes of these is held back until one is read.
        """
        pieces = readable = 0
        refused: list[Work[Done]] = []
        known = [block.molecule for block in self._job.engine.lexicon.vocabulary.blocks]
        for path in self._job.settings.scan:
            with open_input(path) as stream:
                wanted = self._job.settings.molecule
                molecule = tell_molecule(stream, wanted, known, key="score.molecule")
                found = self._readings.get(molecule) or readings(self._job, molecule)
                self._readings[molecule] = found
                scan, alphabet = found.scan(self._job), found.tokenizer.alphabet
                for record in fasta_records(stream, alphabet):
                    left = max(0, skip - pieces)
                    if wrong := alphabet.foreign(record.symbols):
                        if not left:
                            self._warn(path, record.id, wrong)
                        refused += [_refused(record.id, len(record.symbols), wrong)][left:]
                        pieces += 1
                        continue
                    yield from refused
                    refused.clear()
                    readable += 1
                    sequence = _sequence(record)
                    star = sequence.length < len(record.symbols)
                    if not sequence.length:
                        log.warning("%s, record %r holds no letters", path, record.id)
                    read = self._without_stop(found, sequence)
                    for work in scan.segments(read, record.id, left) if read.length else [NOTHING][left:]:
                        yield self._work(work, record.id, sequence, read.length, alphabet, star=star)
                    pieces += max(1, segment_count(read))
                self.files.append(stream.finish())
        if pieces and not readable:
            raise InputError(f"none of {pieces} records could be read", fix="see the warnings above")
        yield from refused

    def _warn(self, path: object, name: str, wrong: str) -> None:
        """Say that a record is not scored; of many the first ones."""
        self._named += 1
        if self._named <= SHOWN:
            log.warning("%s, record %r has %s: it is not scored", path, name, wrong)
        elif self._named == SHOWN + 1:
            log.warning("more records have foreign letters")

    def _without_stop(self, found: Readings, sequence: HeldSequence) -> HeldSequence:
        """The sequence as it is read: without its stop codon, where that is left out, and what follows it."""
        wanted, trained = self._job.settings.stop_codon, self._job.history.stops
        codons = (found.tokenizer.k, found.tokenizer.stride) == (CODON, CODON)
        leave = wanted == "leave_out" or (wanted == "auto" and codons and trained is False)
        if not leave or found.molecule != "cds" or found.frames != (0,) or "+" not in found.strands:
            return sequence
        code = genetic_code(self._job.settings.table or 1)
        return HeldSequence(sequence.fetch(0, before_stop(sequence.fetch(0, sequence.length), code)))

    def _work(
        self,
        work: Work[Surprise],
        name: str,
        sequence: HeldSequence,
        read: int,
        alphabet: Alphabet,
        *,
        star: bool = False,
    ) -> Work[Done]:
        """The work with its lines and counts as answer.

        Args:
            work: of a stretch.
            name: of the record.
            sequence: as written.
            read: symbols that are read; those beyond have no value, and belong to the last stretch.
            alphabet: of the symbols.
            star: a stop at the end of the protein was taken off.
        """

        def finish(answers: Sequence[Doubles]) -> Done:
            found = work.finish(answers)
            stopped = found.start + len(found.values) == read < sequence.length
            if stopped:
                found = found.longer(sequence.length - read)
            known = int((~np.isnan(found.values)).sum())
            counts = Counter({"records": int(found.start == 0), "in": len(found.values), "scored": known})
            counts += Counter({STAR: int(star and found.start == 0), EMPTY: int(not sequence.length)})
            missing = len(found.values) - known - CODON * stopped
            asked = self._job.settings.stop_codon == "leave_out"
            counts += Counter({MISSING: missing, STOPPED: CODON * stopped})
            counts += Counter({LEFT_OUT + UNTRAINED * (not asked): int(stopped)})
            symbols = alphabet.decode(sequence.fetch(found.start, found.start + len(found.values)))
            return Done(self._text(name, found, symbols), b"", counts)

        return Work(work.queries, finish)

    def _text(self, name: str, found: Surprise, symbols: str) -> bytes:
        columns = [self._job.scale * values for values in (found.values, found.forward, found.reverse)]
        if self._shape == "table":
            rows = zip(symbols, *(column.tolist() for column in columns), strict=True)
            lines = (
                row_line([name, place, letter, *values])
                for place, (letter, *values) in enumerate(rows, start=found.start + 1)
            )
            return b"".join(lines)
        values = columns[0]
        text = "".join(
            f"{name}\t{found.start + i}\t{found.start + i + 1}\t{values[i]:.6g}\n"
            for i in np.flatnonzero(~np.isnan(values)).tolist()
        )
        return text.encode("utf-8", "surrogateescape")


def before_stop(symbols: NDArray[np.uint8], code: GeneticCode) -> int:
    """Bases before the stop codon that is the last whole codon of a gene; all of them if there is none, or
    nothing else.

    Args:
        symbols: uint8[n], codes of DNA.
        code: which codons end a gene.
    """
    start = len(symbols) - len(symbols) % CODON - CODON
    last = symbols[max(0, start) : start + CODON].astype(np.int64)
    if start <= 0 or last.max() >= DNA.canonical or int(last @ (16, 4, 1)) not in code.stops:
        return len(symbols)
    return start


def _refused(name: str, symbols: int, wrong: str) -> Work[Done]:
    """Of a record with foreign letters: no scores, but its symbols are counted."""
    counts = Counter({"records": 1, "in": symbols, FOREIGN: symbols, REFUSED: 1})
    return Work([], lambda _: Done(b"", row_line([name, symbols, f"has {wrong}"]), counts))


def _sequence(record: Record) -> HeldSequence:
    symbols = record.symbols
    ends = record.alphabet is PROTEIN and len(symbols) and symbols[-1] == STOP
    return HeldSequence(symbols[:-1] if ends else symbols)
