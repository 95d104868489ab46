"""Annotated contigs from what holds them: GenBank, EMBL, GFF3 with FASTA inside, FASTA beside GFF3 or GTF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.annotation import AnnotatedContig
from genomecli.sequences.contigs import Contig, read_contigs
from genomecli.sequences.datasets import Inputs
from genomecli.sequences.fasta import guess_alphabet, read_blocks, refuse_other_format
from genomecli.sequences.formats import guess_format
from genomecli.sequences.gene_models import GeneModels
from genomecli.sequences.gff import GffReader
from genomecli.sequences.openers import InputStream, Location
from genomecli.sequences.report import SourceReport
from genomecli.sequences.settings import Kind, SourceSettings

_PEEK = 1 << 16


def check_kind(stream: InputStream, kind: Kind, options: SourceSettings) -> None:
    """Refuse another format, and a FASTA whose letters contradict its kind, judged on its first 64 kB.

    Raises:
        InputError: saying which kind to set.
    """
    head = stream.peek(_PEEK)
    refuse_other_format(head, stream.location, source=True)
    if not options.check_kind:
        return
    if guess_format(head) != "fasta":
        return  # its reader says what is wrong
    lines = head.split(b"\n")
    looks = guess_alphabet(b"".join(line.strip() for line in lines if not line.startswith(b">")))
    if looks not in ("unclear", "protein" if kind == "protein" else "dna"):
        raise InputError(
            f"kind is {kind}, but the letters look like {looks}",
            where=stream.location,
            fix="correct kind, or set check_kind to false",
        )


class ContigReader:
    """Reads annotated contigs.

    Args:
        open_stream: opens a file, hashes it, and adds it to the report when it is left.
        options: the policies.
        report: counts and notes are added here.
    """

    def __init__(
        self,
        open_stream: Callable[[Location], AbstractContextManager[InputStream]],
        options: SourceSettings,
        report: SourceReport,
    ) -> None:
        self._open = open_stream
        self._options = options
        self._report = report

    def contigs(self, inputs: Inputs) -> Iterator[AnnotatedContig]:
        """The contigs of one file, or of a FASTA with its annotation, in order.

        Raises:
            InputError: if a file is of another format or cannot be read.
        """
        for contig in self._contigs(inputs):
            if self._options.circular is not None:
                contig.circular = self._options.circular
            bucket = "genome read" if len(contig) else "genome skipped: contig without sequence"
            self._report.counts[bucket] += 1
            if contig.aliased:
                self._report.counts["genome letters changed: U read as T"] += contig.aliased
            yield contig

    def _contigs(self, inputs: Inputs) -> Iterator[AnnotatedContig]:
        if inputs.annotation is not None:
            yield from self._with_annotation(inputs.sequences, inputs.annotation)
            return
        with self._open(inputs.sequences) as stream:
            found = guess_format(stream.peek(_PEEK))
            if found in ("genbank", "embl"):
                yield from read_annotated(stream, found, self._report.notes)
            elif found == "gff":
                yield from self._gff_with_fasta(stream)
            else:
                raise InputError(
                    f"is {found}, which carries no annotation"
                    if found != "unknown"
                    else "is of no known format",
                    where=stream.location,
                    fix="give GenBank or EMBL, or name the GFF3 or GTF as annotation",
                )

    def _with_annotation(self, fasta: Location, annotation: Location) -> Iterator[AnnotatedContig]:
        with self._open(annotation) as stream:
            models = GeneModels.from_rows(GffReader(stream.buffered(), stream.location).rows())
        with self._open(fasta) as stream:
            check_kind(stream, "annotated", self._options)
            blocks = read_blocks(stream, DNA, where=stream.location)
            yield from self._annotate(read_contigs(blocks), models, annotation)

    def _gff_with_fasta(self, stream: InputStream) -> Iterator[AnnotatedContig]:
        reader = GffReader(stream.buffered(), stream.location)
        models = GeneModels.from_rows(reader.rows())
        if reader.fasta is None:
            raise InputError(
                "holds no sequences (no ##FASTA section)",
                where=stream.location,
                fix="give the FASTA as path and this file as annotation",
            )
        blocks = read_blocks(reader.fasta, DNA, where=f"{stream.location}, FASTA section")
        yield from self._annotate(read_contigs(blocks), models, stream.location)

    def _annotate(
        self, contigs: Iterator[Contig], models: GeneModels, where: Location
    ) -> Iterator[AnnotatedContig]:
        missing = dict.fromkeys(models.contigs())
        names: dict[str, None] = {}
        for contig in contigs:
            header = contig.header
            # GFF3 of NCBI names a contig by its accession alone, old FASTA by gi|1|ref|NC_1.1|
            name = header.accession if header.accession in missing else header.id
            missing.pop(name, None)
            ring = models.circular.get(name, bool(header.circular))
            ring = ring if self._options.circular is None else self._options.circular
            again = header.id in names
            names[header.id] = None
            if again:
                self._report.notes.append(
                    f"{where.name}: contig {header.id} comes again, without its features"
                )
            features = [] if again else models.features(name, len(contig.symbols), circular=ring)
            yield AnnotatedContig(
                header.id,
                contig.symbols,
                circular=ring,
                table=header.table,
                features=features,
                soft=contig.soft,
                description=header.description,
                aliased=contig.aliased,
            )
        self._report_missing(list(missing), models, names, where)

    def _report_missing(
        self, missing: list[str], models: GeneModels, names: dict[str, None], where: Location
    ) -> None:
        if missing and len(missing) == len(models.contigs()):
            raise InputError(
                f"its contigs ({', '.join(missing[:3])})"
                f" are none of the FASTA's ({', '.join(list(names)[:3])})",
                where=where,
                fix="give the FASTA and the annotation of the same assembly",
            )
        for name in missing:
            self._report.counts["cds skipped: contig not in the FASTA"] += len(models.features(name, 0))
        if missing:
            self._report.notes.append(
                f"{where.name}: {len(missing)} contigs are not in the FASTA, such as {missing[0]}"
            )
