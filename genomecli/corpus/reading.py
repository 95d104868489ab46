"""Reading one unit: records out of a source, through the policies, into a part folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.corpus.contigs import ContigStream
from genomecli.corpus.manifest import Molecule
from genomecli.corpus.parts import MoleculeWriter, PartWriter, digest_of
from genomecli.corpus.policies import Cleaned, DroppedError, clean_cds, clean_protein, keep_lengths
from genomecli.corpus.units import Unit
from genomecli.errors import InputError
from genomecli.files import read_json, write_json
from genomecli.sequences.alphabets import Codes
from genomecli.sequences.blocks import Block
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.fasta import join_pieces
from genomecli.sequences.records import Record
from genomecli.sequences.sources import SourceSpec, open_source

if TYPE_CHECKING:
    from genomecli.sequences.coding import ContigRecords
    from genomecli.sequences.headers import Header
    from genomecli.sequences.source_blocks import SourceBlock

REPORT = "report.json"
_SIDES = {"train": "train", "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid"} | {
    "test": "test",
    "training": "train",
}


def read_unit(unit: Unit, folder: Path) -> Path:
    """Read a unit into ``folder / unit.name``, which appears whole or not at all; a finished one is replaced.

    Raises:
        InputError: for input that cannot be read, or that a policy refuses.
    """
    target = folder / unit.name
    partial = folder / f".{unit.name}.{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with PartWriter(partial) as part:
            report = _Intake(unit, part).run()
        report["tallies"] = {name: tally.to_dict() for name, tally in part.tallies().items()}
        write_json(partial / REPORT, report)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def finished_part(unit: Unit, folder: Path) -> dict[str, Any] | None:
    """The report of a unit's part, None if there is none or it was made of other files or settings."""
    path = folder / unit.name / REPORT
    if not path.exists():
        return None
    report: dict[str, Any] = read_json(path)
    return report if report.get("key") == unit.key() else None


@dataclass
class _Said:
    """What a source says of a record, whatever its format."""

    id: str
    description: str = ""
    gene: str = ""
    table: int = 0
    contig: str = ""
    strand: int = 0
    start: int = -1
    end: int = -1
    partial5: bool = False
    partial3: bool = False
    side: str = ""

    def row(self) -> dict[str, Any]:
        """As columns of a part's row; the place only where the record is whole."""
        return {
            "description": self.description,
            "gene": self.gene,
            "table": self.table,
            "contig": self.contig,
            "strand": self.strand,
            "cds_start": self.start,
            "cds_end": self.end,
            "partial5": self.partial5,
            "partial3": self.partial3,
            "side": self.side,
        }


def _said_of_record(record: Record, table: int) -> _Said:
    meta: Mapping[str, Any] = record.meta
    return _Said(
        id=record.id,
        description=str(meta.get("description") or meta.get("product") or ""),
        gene=str(meta.get("gene_key") or ""),
        table=int(meta.get("table") or table),
        contig=str(meta.get("contig") or ""),
        strand=int(meta.get("strand") or 0),
        start=_number(meta.get("start")),
        end=_number(meta.get("end")),
        partial5=bool(meta.get("partial5")),
        partial3=bool(meta.get("partial3")),
    )


def _number(value: Any) -> int:
    return -1 if value is None else int(value)


class _Intake:
    """Takes one unit's records through the policies into a part."""

    def __init__(self, unit: Unit, part: PartWriter) -> None:
        self.unit = unit
        self.part = part
        self.policies = unit.policies
        self.ordinal = 0
        self._pieces: list[Block] = []
        self._contig: _ContigRows
        self._side = (
            re.compile(rf"(?:^|[\s\[|;]){re.escape(unit.column)}[=:]\s*([A-Za-z]+)") if unit.column else None
        )
        self.file = ", ".join(unit.source.path[:2])

    def run(self) -> dict[str, Any]:
        """Read everything; the report, without the tallies."""
        spec = SourceSpec.from_settings(self.unit.source, self.unit.code)
        with open_source(spec) as reader:
            if self.unit.source.kind == "annotated":
                for contig in reader.annotated():
                    self._annotated(contig)
            else:
                for block in reader.blocks():
                    self._block(block)
        report = reader.report
        return {
            "key": self.unit.key(),
            "files": report.files,
            "counts": dict(sorted(report.counts.items())),
            "notes": list(report.notes),
        }

    # --- FASTA

    def _block(self, found: SourceBlock) -> None:
        kind, block = self.unit.source.kind, found.block
        for i, header in enumerate(found.headers):
            symbols, soft = block.record_symbols(i), block.record_soft(i)
            said = self._said_of_header(header, int(found.tables[i]))
            if kind == "genome":
                if block.piece_start == 0:
                    self._contig = _ContigRows(self, said)
                self._contig.feed(symbols, soft)
                if block.last:
                    self._contig.finish()
            elif block.whole:
                self._gene(kind, said, symbols, soft, header.exceptions, skip=header.codon_start - 1)
            else:
                self._long_gene(kind, said, found.block, header)

    def _long_gene(self, kind: str, said: _Said, block: Block, header: Header) -> None:
        """A gene or protein of more than a chunk: its pieces are joined."""
        self._pieces.append(block)
        if block.last:
            whole = next(join_pieces(self._pieces))
            self._pieces = []
            symbols, soft = whole.record_symbols(0), whole.record_soft(0)
            self._gene(kind, said, symbols, soft, header.exceptions, skip=header.codon_start - 1)

    def _said_of_header(self, header: Header, table: int) -> _Said:
        return _Said(
            id=header.id,
            description=header.description,
            gene=header.key,
            table=table,
            contig=header.contig,
            strand=header.strand or 0,
            start=_number(header.start),
            end=_number(header.end),
            partial5=header.partial5 or header.codon_start > 1,
            partial3=header.partial3,
            side=self._side_of(header.description, header.id),
        )

    def _side_of(self, description: str, record_id: str) -> str:
        if self._side is None:
            return ""
        found = self._side.search(description)
        side = _SIDES.get(found.group(1).lower()) if found else None
        if side is None:
            what = f"{found.group(1)!r} is no split" if found else f"no {self.unit.column}= in its header"
            raise InputError(
                what,
                where=f"{self.file}, record {record_id!r}",
                fix="write train, valid or test, or set tokenize.split.by",
            )
        return side

    # --- annotated

    def _annotated(self, contig: ContigRecords) -> None:
        if "genome" in self.unit.molecules:
            record = contig.genome
            rows = _ContigRows(self, _said_of_record(record, self.unit.code))
            rows.feed(record.symbols, _soft(record))
            rows.finish()
        for kind, records in (("cds", contig.cds), ("protein", contig.proteins)):
            if kind not in self.unit.molecules:
                continue
            for record in records:
                said = _said_of_record(record, self.unit.code)
                self._gene(kind, said, record.symbols, _soft(record), record.meta.get("exceptions"))
        for check in contig.checks:
            self.part.line("checks", *astuple(check))

    # --- genes

    def _gene(
        self,
        kind: str,
        said: _Said,
        symbols: Codes,
        soft: Codes | None,
        exceptions: Any,
        *,
        skip: int = 0,
    ) -> None:
        molecule: Molecule = "cds" if kind == "cds" else "protein"
        writer = self.part.molecule(molecule)
        writer.begin_record()
        length = len(symbols)
        writer.tally.read.add(1, length)
        symbols, soft = symbols[skip:], None if soft is None else soft[skip:]
        where = f"{self.file}, record {said.id!r}"
        try:
            if molecule == "cds":
                cleaned = clean_cds(
                    symbols,
                    soft,
                    genetic_code(said.table),
                    self.policies,
                    where=where,
                    partial3=said.partial3,
                    recoded=_recoded(exceptions, len(symbols)),
                )
            else:
                cleaned = clean_protein(symbols, soft, self.policies, where=where)
            shortest, longest = self._limits(molecule)
            kept = keep_lengths(cleaned.pieces, shortest, longest)
        except DroppedError as reason:
            self.drop(molecule, said.id, str(reason), length)
        else:
            if skip:
                cleaned.cut["bases before the first whole codon"] = length - len(symbols)
            self._write_gene(writer, said, cleaned, kept, soft)
        self.ordinal += 1

    def _limits(self, molecule: Molecule) -> tuple[int, int | None]:
        shortest, longest = self.policies.min_length, self.policies.max_length
        if molecule == "cds":
            return shortest.cds, longest.cds
        return shortest.protein, longest.protein

    def _write_gene(
        self,
        writer: MoleculeWriter,
        said: _Said,
        cleaned: Cleaned,
        kept: list[tuple[int, int]],
        soft: Codes | None,
    ) -> None:
        size = sum(b - a for a, b in kept)
        left_out = sum(b - a for a, b in cleaned.pieces) - size
        cut = cleaned.cut | ({"too short piece": left_out} if left_out else {})
        _tally(writer, cut, cleaned.changed, size, len(kept))
        writer.tally.seen.update(cleaned.seen)
        whole = len(kept) == 1 and kept[0][0] == 0 and "ambiguity letters" not in cleaned.cut
        mask = soft if self.policies.lower_case == "keep" else None
        end = kept[-1][1] if whole else -1
        for a, b in kept:
            symbols = cleaned.symbols[a:b]
            writer.write(symbols, None if mask is None else mask[a:b])
            row = said.row()
            if not whole:
                row |= {"partial5": said.partial5 or a > 0, "partial3": said.partial3 or (a, b) != kept[-1]}
            writer.end_row(
                id=said.id if whole else f"{said.id}:{a + 1}-{b}",
                ordinal=self.ordinal,
                frame_ok="internal stop kept" not in cleaned.seen,
                has_start=cleaned.has_start and a == 0,
                has_stop=cleaned.has_stop and (whole or b == end or (a, b) == cleaned.pieces[-1]),
                translation=self._translation(writer.molecule, symbols, said.table) if whole else "",
                whole=whole,
                **row,
            )

    @staticmethod
    def _translation(molecule: Molecule, symbols: Codes, table: int) -> str:
        if molecule != "cds":
            return ""
        return digest_of(genetic_code(table).translate(symbols, cds=True))

    def drop(self, molecule: Molecule, record_id: str, reason: str, symbols: int) -> None:
        self.part.molecule(molecule).tally.note("dropped", reason, symbols)
        self.part.line("dropped", molecule, record_id, reason, symbols)


def _soft(record: Record) -> Codes | None:
    soft = record.columns.get("soft")
    return None if soft is None else soft.view("u1")


def _recoded(exceptions: Any, length: int) -> frozenset[int]:
    """Indices of codons that are not read by the code, out of (index, letter) pairs.

    A FASTA header gives places on the genome instead; there every codon may be one of them.
    """
    if not exceptions:
        return frozenset()
    if all(isinstance(exception, tuple) for exception in exceptions):
        return frozenset(int(index) for index, _ in exceptions)
    return frozenset(range(max(length // 3 - 1, 0)))


def _tally(
    writer: MoleculeWriter, cut: dict[str, int], changed: dict[str, int], size: int, rows: int
) -> None:
    for what, counts in (("cut", cut), ("changed", changed)):
        for reason, count in counts.items():
            if count:
                writer.tally.note(what, reason, count)
    writer.tally.kept.add(1, size)
    writer.tally.pieces += rows


class _ContigRows:
    """One contig of a genome: the sink of its stream, and its rows."""

    def __init__(self, intake: _Intake, said: _Said) -> None:
        self._intake = intake
        self._said = said
        self._writer = intake.part.molecule("genome")
        self._writer.begin_record()
        self._rows: list[tuple[int, int]] = []
        self._dropped: str | None = None
        self._length = 0
        where = f"{intake.file}, record {said.id!r}"
        self._stream = ContigStream(self, intake.policies, where)

    def write(self, symbols: Codes, soft: Codes | None) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`."""
        self._writer.write(symbols, soft)

    def close_row(self, start: int, stop: int) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`. Places on the contig tell pieces apart."""
        row = self._said.row() | {"contig": self._said.id, "cds_start": start, "cds_end": stop, "strand": 1}
        self._writer.end_row(id=self._said.id, ordinal=self._intake.ordinal, **row)
        self._rows.append((start, stop))

    def cancel_row(self) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`."""
        self._writer.cancel_row()

    def feed(self, symbols: Codes, soft: Codes | None) -> None:
        """Take the next piece of the contig."""
        self._length += len(symbols)
        if self._dropped is None:
            try:
                self._stream.feed(symbols, soft)
            except DroppedError as reason:
                self._give_up(str(reason))

    def _give_up(self, reason: str) -> None:
        self._dropped = reason
        self._writer.cancel_record()

    def finish(self) -> None:
        """The contig is over: count it."""
        if self._dropped is None:
            try:
                counts = self._stream.finish()
            except DroppedError as reason:
                self._give_up(str(reason))
            else:
                if self._rows != [(0, self._length)]:
                    self._writer.name_rows([f"{self._said.id}:{a + 1}-{b}" for a, b in self._rows])
                _tally(self._writer, counts.cut, counts.changed, counts.kept, counts.rows)
        self._writer.tally.read.add(1, self._length)
        if self._dropped is not None:
            self._intake.drop("genome", self._said.id, self._dropped, self._length)
        self._intake.ordinal += 1
