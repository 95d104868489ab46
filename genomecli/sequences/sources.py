"""The door to the room: files of one kind in, blocks of records or annotated contigs out, and a report.

A caller writes ::

    with open_source(SourceSpec((Path("genome.fa.gz"),), "genome", table=11)) as reader:
        for block in reader.blocks():          # kinds genome, cds, protein
            tables = block.tables              # int32[n], genetic code of each record
            for i, header in enumerate(block.parsed()): ...
    reader.report.as_dict()                    # sha256, counts by reason, notes

    with open_source(SourceSpec((Path("ecoli.gbk.gz"),), "annotated", table=11)) as reader:
        for part in reader.annotated():        # one contig at a time
            part.genome                        # Record, symbols may be memory-mapped
            part.cds, part.proteins            # list[Record], paired by meta["gene_key"]
            part.checks                        # list[TranslationCheck], one row a coding feature
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from genomecli.sequences.settings import Kind, SourceSettings


@dataclass(frozen=True)
class SourceSpec:
    """What to read, and how.

    Args:
        paths: files, or one folder or zip of NCBI ``datasets``; ``Path("-")`` is standard input.
        kind: what they hold.
        table: genetic code where the files state none.
        options: the policies, as the YAML gives them.
    """

    paths: tuple[Path, ...]
    kind: Kind
    table: int = 1
    options: SourceSettings | None = None

    @classmethod
    def from_settings(cls, settings: SourceSettings, table: int) -> SourceSpec:
        """The spec of one YAML entry; ``table`` is the species' code."""
        paths = tuple(Path(path) for path in settings.path)
        return cls(paths, settings.kind, settings.table or table, settings)


@dataclass
class SourceReport:
    """What became of a source's records: complete once the reader is exhausted.

    Args:
        files: one row a file: path, bytes, sha256 of the bytes on disk, compression.
        counts: records by what became of them, such as ``cds kept`` or ``pseudogene``.
        notes: things a user should know, such as a contradiction of genetic codes.
    """

    files: list[dict[str, object]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


class Reader(Protocol):
    """What ``open_source`` gives; also a context manager."""

    report: SourceReport

    def blocks(self) -> Iterator[object]:
        """Blocks of a FASTA kind."""

    def annotated(self) -> Iterator[object]:
        """Contigs of kind annotated, with their records and checks."""
