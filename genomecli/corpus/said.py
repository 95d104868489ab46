"""What a source says of a record, in one form whatever the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomecli.sequences.records import Record

if TYPE_CHECKING:
    from genomecli.sequences.headers import Header


@dataclass(slots=True)
class Said:
    """What a source says of a record.

    Args:
        id: the record's id.
        description: the rest of its header, or its product.
        gene: what pairs a cds with its protein, if the source knows it.
        table: genetic code.
        contig: the sequence that it lies on, empty if not known.
        strand: +1 or -1 there, 0 if not known.
        start, end: the place there, 0-based half-open, -1 if not known.
        partial5, partial3: an end of the gene is missing.
        side: train, valid or test, if the header is asked for it.
        exceptions: codons that are not read by the code, as the source gives them.
        skip: bases before the first whole codon.
        pseudo: marked as a pseudogene.
    """

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
    exceptions: Any = ()
    skip: int = 0
    pseudo: bool = False

    def row(self) -> dict[str, Any]:
        """As columns of a part's row."""
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

    def recoded(self, codons: int) -> frozenset[int]:
        """Indices of codons that are not read by the code.

        An annotation gives them; a FASTA header gives places on the genome, so there every codon may be one.
        """
        if not self.exceptions:
            return frozenset()
        if all(isinstance(exception, tuple) for exception in self.exceptions):
            return frozenset(int(index) for index, _ in self.exceptions)
        return frozenset(range(max(codons - 1, 0)))


def said_of_record(record: Record, table: int) -> Said:
    """Of a record of an annotated genome; ``table`` where it states none."""
    meta: Mapping[str, Any] = record.meta
    return Said(
        id=record.id,
        description=str(meta.get("description") or ""),
        gene=str(meta.get("gene_key") or ""),
        table=int(meta.get("table") or table),
        contig=str(meta.get("contig") or ""),
        strand=int(meta.get("strand") or 0),
        start=_number(meta.get("start")),
        end=_number(meta.get("end")),
        partial5=bool(meta.get("partial5")),
        partial3=bool(meta.get("partial3")),
        exceptions=meta.get("exceptions") or (),
    )


def said_of_header(header: Header, table: int, side: str) -> Said:
    """Of a FASTA header, with the genetic code and the split that were made out for it."""
    return Said(
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
        side=side,
        exceptions=header.exceptions,
        skip=header.codon_start - 1,
        pseudo=header.pseudo,
    )


def _number(value: Any) -> int:
    return -1 if value is None else int(value)
