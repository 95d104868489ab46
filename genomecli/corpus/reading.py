"""Reading one unit: records out of a source, through the policies, into a part folder."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import fields
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.corpus.contig_rows import ContigRows
from genomecli.corpus.gene_rows import GeneRows
from genomecli.corpus.manifest import Molecule
from genomecli.corpus.parts import PartWriter
from genomecli.corpus.plain_genes import add_genes
from genomecli.corpus.plain_proteins import add_plain, plain_records
from genomecli.corpus.said import said_of_header, said_of_record
from genomecli.corpus.units import Unit
from genomecli.errors import InputError
from genomecli.files import read_json, write_json
from genomecli.sequences.alphabets import Codes
from genomecli.sequences.blocks import Block
from genomecli.sequences.fasta import join_pieces
from genomecli.sequences.records import Record
from genomecli.sequences.sources import SourceSpec, open_source
from genomecli.sequences.translation import TranslationCheck

if TYPE_CHECKING:
    from genomecli.sequences.coding import ContigRecords
    from genomecli.sequences.headers import Header
    from genomecli.sequences.source_blocks import SourceBlock

REPORT = "report.json"
CHECK_CELLS = attrgetter(*(field.name for field in fields(TranslationCheck)))
"""The values of a row of the table of translations."""

_SIDES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    "test": "test",
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


class _Intake:
    """Takes one unit's records into a part."""

    def __init__(self, unit: Unit, part: PartWriter) -> None:
        self._unit = unit
        self._part = part
        self._file = ", ".join(unit.source.path[:2])
        keep = unit.source.pseudogenes == "keep"
        translated = unit.source.kind == "cds" and unit.source.proteins == "translated"
        self._genes = GeneRows(part, unit.policies, self._file, pseudogenes=keep, translated=translated)
        self._side = (
            re.compile(rf"(?:^|[\s\[|;]){re.escape(unit.column)}[=:]\s*([A-Za-z]+)") if unit.column else None
        )
        self._pieces: list[Block] = []
        self._contig: ContigRows

    def run(self) -> dict[str, Any]:
        """Read everything; the report, without the tallies."""
        key = self._unit.key()
        spec = SourceSpec.from_settings(self._unit.source, self._unit.code)
        with open_source(spec) as reader:
            if self._unit.source.kind == "annotated":
                for contig in reader.annotated():
                    self._annotated(contig)
            else:
                for block in reader.blocks():
                    self._block(block)
        return {"key": key, **reader.report.as_dict()}

    def _block(self, found: SourceBlock) -> None:
        kind, block = self._unit.source.kind, found.block
        if kind == "protein" and block.whole:
            self._proteins(found)
            return
        for i, header in enumerate(found.headers):
            said = said_of_header(header, int(found.tables[i]), self._side_of(header))
            if kind == "genome":
                if block.piece_start == 0:
                    region = found.regions[i] if found.regions else None
                    self._contig = ContigRows(self._part, self._unit.policies, self._file, said, region)
                self._contig.feed(
                    block.record_symbols(i),
                    block.record_soft(i),
                    aliased=block.record_aliased(i),
                    plain=not (block.invalid[i] or block.ambiguous[i] or block.lower[i]),
                )
                if block.last:
                    self._contig.finish()
            elif (whole := self._whole(block)) is not None:
                molecule: Molecule = "cds" if kind == "cds" else "protein"
                self._genes.add(
                    molecule,
                    said,
                    whole.record_symbols(i),
                    whole.record_soft(i),
                    aliased=whole.record_aliased(i),
                )

    def _proteins(self, found: SourceBlock) -> None:
        """Whole proteins: runs of plain ones at once, the others one by one."""
        block, headers = found.block, found.headers
        plain = plain_records(block, headers, self._unit.policies)
        edges = np.flatnonzero(np.diff(plain, prepend=~plain[:1])).tolist()
        for begin, end in pairwise([*edges, len(block)]):
            if plain[begin]:
                rows = slice(begin, end)
                sides = [""] * (end - begin)
                if self._side is not None:
                    sides = [self._side_of(header) for header in headers[rows]]
                add_plain(self._part, block, rows, headers, found.tables[rows], sides)
                continue
            for i in range(begin, end):
                said = said_of_header(headers[i], int(found.tables[i]), self._side_of(headers[i]))
                symbols, soft = block.record_symbols(i), block.record_soft(i)
                self._genes.add("protein", said, symbols, soft, aliased=block.record_aliased(i))

    def _whole(self, block: Block) -> Block | None:
        """The block; or of a gene that is longer than a block, all of it once its last piece is here."""
        if block.whole:
            return block
        self._pieces.append(block)
        if not block.last:
            return None
        pieces, self._pieces = self._pieces, []
        return next(join_pieces(pieces))

    def _side_of(self, header: Header) -> str:
        if self._side is None:
            return ""
        found = self._side.search(header.description)
        side = _SIDES.get(found.group(1).lower()) if found else None
        if side is None:
            column = self._unit.column
            raise InputError(
                f"{found.group(1)!r} is no split" if found else f"no {column}= in its header",
                where=f"{self._file}, record {header.id!r}",
                fix="write train, valid or test, or set tokenize.split.by",
            )
        return side

    def _annotated(self, contig: ContigRecords) -> None:
        wanted, code = self._unit.molecules, self._unit.code
        if "genome" in wanted:
            said = said_of_record(contig.genome, code)
            rows = ContigRows(self._part, self._unit.policies, self._file, said)
            rows.feed(contig.genome.symbols, _soft(contig.genome))
            rows.finish()
        if "cds" in wanted:
            self._records("cds", contig.cds)
        if "protein" in wanted:
            self._records("protein", contig.proteins)
        for check in contig.checks:
            self._part.line("checks", *CHECK_CELLS(check))

    def _records(self, molecule: Molecule, records: list[Record]) -> None:
        said = [said_of_record(record, self._unit.code) for record in records]
        symbols, soft = [record.symbols for record in records], [_soft(record) for record in records]
        add_genes(self._part, self._genes, self._unit.policies, molecule, said, symbols, soft)


def _soft(record: Record) -> Codes | None:
    soft = record.columns.get("soft")
    return None if soft is None else soft.view("u1")
