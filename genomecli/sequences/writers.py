"""Writing FASTA and GFF3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from genomecli.sequences.simulation import Gene

LINE = 70
"""Letters a line of FASTA."""


def write_fasta(handle: TextIO, records: Iterable[tuple[str, str]]) -> int:
    """Write ``(header, letters)`` records; how many there were."""
    count = 0
    for header, letters in records:
        handle.write(f">{header}\n")
        handle.writelines(letters[i : i + LINE] + "\n" for i in range(0, len(letters), LINE))
        count += 1
    return count


def write_gff3(handle: TextIO, contigs: dict[str, int], genes: Iterable[Gene], table: int) -> None:
    """Write genes as GFF3 (1-based, closed), one CDS line an exon, with phases.

    Args:
        handle: where to.
        contigs: length of each contig, in bases.
        genes: the genes, in order.
        table: genetic code, given as ``transl_table``.
    """
    handle.write("##gff-version 3\n")
    handle.writelines(f"##sequence-region {name} 1 {length}\n" for name, length in contigs.items())
    for gene in genes:
        strand = "+" if gene.strand > 0 else "-"
        place = f"{gene.start + 1}\t{gene.end}\t.\t{strand}"
        handle.write(f"{gene.contig}\tgenomecli\tgene\t{place}\t.\tID=gene-{gene.id};locus_tag={gene.id}\n")
        done = 0
        for start, end in gene.exons:
            phase = -done % 3
            names = f"ID=cds-{gene.id};Parent=gene-{gene.id};locus_tag={gene.id};protein_id={gene.id}.p"
            place = f"{start + 1}\t{end}\t.\t{strand}\t{phase}"
            handle.write(f"{gene.contig}\tgenomecli\tCDS\t{place}\t{names};transl_table={table}\n")
            done += end - start
