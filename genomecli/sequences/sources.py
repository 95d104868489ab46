"""The door to the room: files of one kind in, blocks of records or annotated contigs out, and a report.

A caller writes ::

    spec = SourceSpec((Path("genome.fa.gz"),), "genome", table=11)
    with open_source(spec) as reader:
        for block in reader.blocks():            # kinds genome, cds, protein
            block.block.record_symbols(0)        # uint8 view
            block.headers[0].key, block.tables   # what the header says; int32[n] genetic codes
    reader.report.as_dict()                      # sha256, counts by reason, notes

    with open_source(SourceSpec((Path("ecoli.gbk.gz"),), "annotated", table=11)) as reader:
        for found in reader.annotated():         # one contig at a time
            found.genome                         # Record; its symbols may be memory-mapped
            found.cds, found.proteins            # lists of Record, paired by meta["gene_key"]
            found.checks                         # list[TranslationCheck], one row a coding feature

``reader.records()`` gives plain records of a FASTA kind, for small inputs. Every file is hashed to its last
byte by the time an iterator is exhausted; ``report.files`` is complete then, and not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError, UsageError
from genomecli.sequences.alphabets import DNA, PROTEIN, Alphabet
from genomecli.sequences.coding import CdsExtractor, ContigRecords
from genomecli.sequences.contig_sources import ContigReader, check_kind
from genomecli.sequences.datasets import find_inputs
from genomecli.sequences.fasta import join_pieces, read_blocks
from genomecli.sequences.headers import Header
from genomecli.sequences.openers import InputStream, Location, open_input
from genomecli.sequences.records import Record
from genomecli.sequences.region_reader import RegionReader
from genomecli.sequences.report import SourceReport
from genomecli.sequences.settings import Kind, SourceSettings
from genomecli.sequences.source_blocks import HeaderPolicy, SourceBlock


@dataclass(frozen=True)
class SourceSpec:
    """What to read, and how.

    Args:
        paths: files; or one folder or zip of NCBI ``datasets``; ``Path("-")`` is standard input.
        kind: what they hold.
        table: genetic code where neither the files nor the rules state one.
        options: the policies, as the YAML gives them; the defaults where left out.
        annotation: GFF3 or GTF beside a FASTA of kind annotated.
    """

    paths: tuple[Path, ...]
    kind: Kind
    table: int = 1
    options: SourceSettings | None = None
    annotation: Path | None = None

    @classmethod
    def from_settings(cls, settings: SourceSettings, table: int) -> SourceSpec:
        """The spec of one YAML entry; ``table`` is the species' code."""
        paths = tuple(Path(path) for path in settings.path)
        annotation = None if settings.annotation is None else Path(settings.annotation)
        return cls(paths, settings.kind, settings.table or table, settings, annotation)


class SourceReader:
    """Reads one source, once. Use :func:`open_source`.

    Attributes:
        spec: what is read.
        report: what became of it.
    """

    def __init__(self, spec: SourceSpec, stdin: BinaryIO | None = None) -> None:
        self.spec = spec
        self.report = SourceReport()
        self._stdin = stdin
        self._options = spec.options or SourceSettings(kind=spec.kind, path=["-"])
        self._policy = HeaderPolicy(self._options, spec.table, self.report.counts)
        self._inputs = find_inputs(spec.paths, spec.kind, spec.annotation)
        self._open: InputStream | None = None

    def __enter__(self) -> SourceReader:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()

    @property
    def alphabet(self) -> Alphabet:
        """What the records of a FASTA kind are written in."""
        return PROTEIN if self.spec.kind == "protein" else DNA

    def blocks(self) -> Iterator[SourceBlock]:
        """Blocks of a FASTA kind, file after file.

        Raises:
            InputError: naming file and record.
            UsageError: if the source is of kind annotated.
        """
        if self.spec.kind == "annotated":
            raise UsageError("kind annotated has contigs, not blocks")
        if self._options.regions is not None:
            yield from self._region_blocks()
            return
        for inputs in self._inputs:
            with self._stream(inputs.sequences) as stream:
                check_kind(stream, self.spec.kind, self._options)
                for block in read_blocks(stream, self.alphabet, where=stream.location):
                    yield self._policy.apply(block, stream.location)

    def _region_blocks(self) -> Iterator[SourceBlock]:
        if len(self._inputs) != 1:
            raise InputError(
                f"holds {len(self._inputs)} FASTA files, and regions belong to one",
                where=self.spec.paths[0],
                fix="name the one file",
            )
        location = self._inputs[0].sequences
        for block, regions in RegionReader(self._stream, self._options, self.report).blocks(location):
            yield replace(self._policy.apply(block, location), regions=regions)

    def records(self) -> Iterator[Record]:
        """Whole records of a FASTA kind, with what the header says in ``meta``; letters of no meaning stay
        ``INVALID``. A chromosome is held in memory whole, and regions do not count: for big genomes take
        :meth:`blocks`.
        """
        for inputs in self._inputs:
            with self._stream(inputs.sequences) as stream:
                check_kind(stream, self.spec.kind, self._options)
                for block in join_pieces(read_blocks(stream, self.alphabet, where=stream.location)):
                    yield from _records(self._policy.apply(block, stream.location))

    def annotated(self) -> Iterator[ContigRecords]:
        """Contigs of kind annotated with their coding sequences, proteins and checks, file after file.

        Raises:
            InputError: naming file and record.
            UsageError: if the source is of a FASTA kind.
        """
        if self.spec.kind != "annotated":
            raise UsageError(f"kind {self.spec.kind} has blocks, not contigs")
        names = ", ".join(str(inputs.sequences) for inputs in self._inputs)
        extractor = CdsExtractor(self._options, self.spec.table, names)
        reader = ContigReader(self._stream, self._options, self.report)
        for inputs in self._inputs:
            for contig in reader.contigs(inputs):
                yield extractor.extract(contig)
        self.report.counts.update(extractor.counts)
        self.report.notes.extend(extractor.notes())

    # What follows is how.

    @contextmanager
    def _stream(self, location: Location) -> Iterator[InputStream]:
        with open_input(location, max_ratio=self._options.max_ratio, stdin=self._stdin) as stream:
            self._open = stream
            yield stream
            self.report.files.append(stream.finish())
        self._open = None


def open_source(spec: SourceSpec, *, stdin: BinaryIO | None = None) -> SourceReader:
    """Open a source; nothing is read yet, but absent files and empty packages are found now.

    Args:
        spec: what to read.
        stdin: what ``-`` reads; the process's standard input by default.

    Raises:
        InputError: a path is absent, or holds nothing of the kind.
    """
    return SourceReader(spec, stdin)


def header_meta(header: Header, table: int, *, circular: bool = False) -> dict[str, object]:
    """A header as a record's ``meta``: the same names as those of an annotated genome's records."""
    meta: dict[str, object] = {
        "description": header.description,
        "gene": header.gene or header.locus_tag,
        "locus_tag": header.locus_tag,
        "protein_id": header.protein_id or header.accession,
        "gene_key": header.key,
        "table": table,
        "codon_start": header.codon_start,
        "exceptions": header.exceptions,
        "partial5": header.partial5,
        "partial3": header.partial3,
        "pseudo": header.pseudo,
        "circular": circular,
    }
    place = {"contig": header.contig, "start": header.start, "end": header.end, "strand": header.strand}
    return meta | ({} if header.start is None else place)


def _records(found: SourceBlock) -> Iterator[Record]:
    block = found.block
    for i, header in enumerate(found.headers):
        soft = block.record_soft(i)
        columns: dict[str, NDArray[np.generic]] = {} if soft is None else {"soft": soft}
        meta = header_meta(header, int(found.tables[i]), circular=bool(found.circular[i]))
        yield Record(header.id, block.alphabet, block.record_symbols(i), columns, meta)
