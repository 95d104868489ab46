"""Every parser of what a user hands in, as something that reads bytes; those of folders: ``folders``."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genomecli.commands.dictionary import read_dictionary
from genomecli.config import load_config
from genomecli.corpus.reading_settings import AnchorSettings
from genomecli.exchange.mutation_lists import MutationColumns, inferred_wild_types, read_mutations
from genomecli.exchange.vcf import VcfFile, unscored
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.fasta import join_pieces, read_blocks
from genomecli.sequences.headers import parse_header
from genomecli.sequences.mutations import disagreement
from genomecli.sequences.openers import open_input
from genomecli.sequences.reference import Reference
from genomecli.sequences.regions import parse_region
from genomecli.sequences.settings import Kind, SourceSettings
from genomecli.sequences.sources import SourceSpec, open_source
from genomecli.sequences.variants import leftmost, trimmed
from genomecli.tasks.reading import read_examples
from genomecli.tasks.settings import DataSettings, TargetSettings
from genomecli.tasks.targets import fit_targets
from tests.fuzzing import folders, seeds
from tests.fuzzing.harness import Parser


def file_of(data: bytes, folder: Path, name: str = "input") -> Path:
    """A file that holds ``data``."""
    path = folder / name
    path.write_bytes(data)
    return path


def fasta(data: bytes, folder: Path) -> None:
    """The block parser, in one chunk and in chunks of 64 bytes, and a reader that goes line by line."""
    for alphabet in (DNA, PROTEIN):
        whole, small = (
            [
                (
                    header,
                    alphabet.decode(block.record_symbols(i), block.record_soft(i)),
                    int(block.invalid[i]),
                )
                for block in join_pieces(read_blocks(io.BytesIO(data), alphabet, chunk=chunk))
                for i, header in enumerate(block.headers)
            ]
            for chunk in (1 << 20, 64)
        )
        if b"\r" in data.replace(b"\r\n", b""):
            continue  # whether lone returns end lines is told from the first chunk
        assert whole == small, "small chunks give other records"
        assert [(header, len(text)) for header, text, _ in whole] == _slow(data), "the slow reader disagrees"
        for number, (header, _, _) in enumerate(whole):
            parse_header(header, number)


def _slow(data: bytes) -> list[tuple[bytes, int]]:
    """(header, letters) of each record, the obvious way; blanks before the first are passed over."""
    found: list[tuple[bytes, int]] = []
    for line in data.removeprefix(b"\xef\xbb\xbf").lstrip().replace(b"\r\n", b"\n").split(b"\n"):
        if line.startswith(b">"):
            found.append((line[1:].rstrip(), 0))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + len(line.translate(None, b" \t\r")))
    return found


def source(kind: Kind, **more: Any) -> Callable[[bytes, Path], object]:
    """A source of ``tokenize``."""

    def read(data: bytes, folder: Path) -> None:
        path = file_of(data, folder)
        extra = {name: str(value(folder)) if callable(value) else value for name, value in more.items()}
        options = SourceSettings(kind=kind, path=[str(path)], **extra)
        with open_source(SourceSpec.from_settings(options, 11)) as opened:
            _consume(opened, kind)

    return read


def _consume(opened: Any, kind: Kind) -> None:
    if kind == "annotated":
        for found in opened.annotated():
            assert len(found.cds) >= len(found.proteins) or found.proteins
    else:
        for block in opened.blocks():
            assert len(block.headers) == len(block.tables)


def fastq(data: bytes, folder: Path) -> None:
    """FASTQ is refused; what begins otherwise is read as a source is."""
    source("cds")(data, folder)
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    assert not start.startswith(b"@"), "FASTQ was taken for FASTA"


def beside_annotation(data: bytes, folder: Path) -> None:
    """A GFF3, GTF or BED beside a FASTA, as annotation of a genome."""
    _beside_genome("annotated", "annotation", data, folder)


def bed_regions(data: bytes, folder: Path) -> None:
    """A BED of the regions that are read of a genome."""
    _beside_genome("genome", "regions", data, folder)


def _beside_genome(kind: str, setting: str, data: bytes, folder: Path) -> None:
    options: Any = {
        "kind": kind,
        "path": [str(file_of(seeds.FASTA[0], folder, "genome"))],
        setting: str(file_of(data, folder)),
    }
    with open_source(SourceSpec.from_settings(SourceSettings(**options), 11)) as opened:
        _consume(opened, kind)


def region_text(data: bytes, folder: Path) -> None:
    """A region on the command line."""
    parse_region(data.decode("utf-8", "replace")).check(5000, "genome")


_TOKEN = {"y": {"kind": "token"}}


def labelled(
    targets: Mapping[str, Mapping[str, Any]], beside: Mapping[str, Callable[[bytes, Path], Any]], **more: Any
) -> Callable[[bytes, Path], object]:
    """Labelled data; ``beside`` are settings that the fuzzed bytes or a sound file stand for."""

    def read(data: bytes, folder: Path) -> None:
        given = {name: make(data, folder) for name, make in beside.items()}
        chosen = {name: TargetSettings(**one) for name, one in targets.items()}
        found = read_examples(DataSettings(**given, **more), chosen)
        fit_targets(found, chosen, np.arange(len(found.examples)))

    return read


def _fuzzed(data: bytes, folder: Path) -> str:
    return str(file_of(data, folder))


def _sound(content: bytes) -> Callable[[bytes, Path], str]:
    return lambda _, folder: str(file_of(content, folder, "sound"))


def intervals(classes: Mapping[str, str]) -> Callable[[bytes, Path], object]:
    """Labels of bases from an annotation of two records."""
    return labelled(
        _TOKEN,
        {
            "path": _sound(f">c\n{seeds.GENOME}\n>c.1\n{seeds.GENOME}\n>d\nACGTACGTTT\n".encode()),
            "intervals": lambda data, folder: {"path": _fuzzed(data, folder), "classes": classes},
        },
    )


def vcf(data: bytes, folder: Path) -> None:
    """Records, their lines with a score, and each allele as a change of the reference."""
    with (
        open_input(file_of(data, folder)) as stream,
        Reference(file_of(seeds.FASTA[0], folder, "reference.fa"), cache=folder / "cache") as reference,
    ):
        opened = VcfFile(stream)
        opened.with_info("GCLI", "score")
        for record in opened.records():
            record.annotated("GCLI", [1.0] * len(record.alts))
            view = reference.record(record.chrom)
            for alt in record.alts:
                if unscored(alt) is not None or view is None or not 0 <= record.start < view.length:
                    continue
                if record.start + len(record.ref) <= view.length:
                    leftmost(view, trimmed(record.start, DNA.encode(record.ref), DNA.encode(alt)))


def mutations(data: bytes, folder: Path) -> None:
    """A list of mutations, with and without columns, and the wild type that they come from."""
    wanted: Sequence[MutationColumns] = (
        MutationColumns(),
        MutationColumns(mutated="mutated_sequence", measured="DMS_score"),
        MutationColumns(wild_type="protein", measured="score"),
    )
    errors = []
    for columns in wanted:
        try:
            with open_input(file_of(data, folder)) as stream:
                rows = read_mutations(stream, columns)
            for row in rows:
                disagreement(row.mutations, seeds.PROTEIN)
            if columns.mutated:
                inferred_wild_types(rows, "input")
        except Exception as error:
            errors.append(error)
    foreign = [error for error in errors if not hasattr(error, "exit_code")]
    if foreign or len(errors) == len(wanted):
        raise (foreign or errors)[0]


def yaml(data: bytes, folder: Path) -> None:
    """A whole config: YAML, then the settings of all commands."""
    load_config(file_of(data, folder, "x.yaml"), [])


def dictionary(data: bytes, folder: Path) -> None:
    """Answers of a decipherment, as anchors."""
    pairs = read_dictionary(file_of(data, folder, "codons.tsv"))
    AnchorSettings(pairs=pairs)


PARSERS: tuple[Parser, ...] = (
    Parser("FASTA, fast and slow", seeds.FASTA, fasta),
    Parser("FASTA source, cds", seeds.FASTA, source("cds")),
    Parser("FASTA source, protein", (*seeds.FASTA[2:], seeds.TARGET[0]), source("protein")),
    Parser("gzip and zip", tuple(p for s in seeds.FASTA[:2] for p in seeds.packed(s)), source("genome")),
    Parser("FASTQ, refused", seeds.FASTQ, fastq),
    Parser("GenBank", seeds.GENBANK, source("annotated")),
    Parser("EMBL", seeds.EMBL, source("annotated")),
    Parser("GFF3 and GTF", seeds.GFF, beside_annotation),
    Parser("GFF3 with FASTA", seeds.GFF[2:], source("annotated")),
    Parser("BED of regions", seeds.BED, bed_regions),
    Parser("region text", seeds.REGIONS, region_text),
    Parser("intervals, BED", seeds.BED_NAMED, intervals({"a": "first"})),
    Parser("intervals, annotation", (*seeds.GFF[:2], *seeds.GENBANK), intervals({"CDS": "coding"})),
    Parser("VCF", seeds.VCF, vcf),
    Parser("mutation lists", seeds.MUTATIONS, mutations),
    Parser("label tables", seeds.TABLES, labelled({"label": {}}, {"path": _fuzzed})),
    Parser("label Parquet", (seeds.parquet(seeds.TABLES[0]),), labelled({"label": {}}, {"path": _fuzzed})),
    Parser(
        "FASTA with TARGET=",
        seeds.TARGET,
        labelled({"t": {"columns": "TARGET"}}, {"path": _fuzzed}, molecule="protein"),
    ),
    Parser(
        "label strings",
        seeds.STRINGS,
        labelled(
            _TOKEN,
            {"path": _sound(f">a\n{seeds.PROTEIN}\n>b\n{seeds.PROTEIN}\n".encode()), "labels": _fuzzed},
            molecule="protein",
        ),
    ),
    Parser("deciphered codons", seeds.CODONS, dictionary),
    Parser("YAML and settings", seeds.YAML, yaml),
    *folders.PARSERS,
)
