"""From rows of GFF3 or GTF to coding features: which rows are one CDS, in which order, and what they say.

Rows are one CDS if they share an ID; or, in files that give each row its own ID or none, if they share a
transcript and do not overlap; in GTF, if they share ``transcript_id``. A GTF's stop codon, which stands apart
there, is joined to its CDS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from genomecli.sequences.annotation import CodingFeature, parse_translation_exceptions, whole_number
from genomecli.sequences.gff import GffRow

_KEPT = frozenset(
    (
        *("ID", "Parent", "Name", "gene", "gene_name", "gene_id", "transcript_id", "locus_tag", "protein_id"),
        *("product", "transl_table", "transl_except", "exception", "ribosomal_slippage", "Note", "tag"),
        *("pseudo", "pseudogene", "partial", "start_range", "end_range"),
        *("biotype", "gene_biotype", "transcript_biotype", "gene_type", "transcript_type"),
    )
)


@dataclass(slots=True)
class _Row:
    start: int
    end: int
    strand: int
    phase: int | None
    order: int  # from NCBI's part attribute in trans-splicing, else the place in the file


@dataclass(slots=True)
class _Group:
    """Rows that one parent and one ID share."""

    seqid: str
    parent: str
    id: str
    said: dict[str, str]
    rows: list[_Row] = field(default_factory=list)
    stops: list[_Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Owner:
    """A gene or transcript: its attributes, kept because a CDS refers to it."""

    type: str
    said: dict[str, str]


@dataclass
class GeneModels:
    """What a GFF3 or GTF file says of coding sequences.

    Attributes:
        circular: contigs that the file calls circular (``Is_circular=true``) or not.
    """

    circular: dict[str, bool] = field(default_factory=dict)
    _groups: dict[tuple[str, str, str], _Group] = field(default_factory=dict)
    _owners: dict[str, _Owner] = field(default_factory=dict)
    _count: int = 0

    @classmethod
    def from_rows(cls, rows: Iterable[GffRow]) -> GeneModels:
        """Collect all rows."""
        models = cls()
        for row in rows:
            models._add(row)
        return models

    def contigs(self) -> list[str]:
        """Contigs with coding features, in file order."""
        return list(dict.fromkeys(group.seqid for group in self._groups.values()))

    def features(self, contig: str, length: int, *, circular: bool = False) -> list[CodingFeature]:
        """The coding features of one contig, in file order.

        Args:
            contig: its name in the file.
            length: its bases.
            circular: it is a ring, so parts on both sides of its origin follow each other.
        """
        ring = length if circular else 0
        return [self._feature(group, ring) for group in self._by_contig.get(contig, [])]

    @cached_property
    def _by_contig(self) -> dict[str, list[_Group]]:
        found: dict[str, list[_Group]] = {}
        for group in self._joined():
            found.setdefault(group.seqid, []).append(group)
        return found

    def _add(self, row: GffRow) -> None:
        kind = row.type.lower()
        if kind in ("cds", "so:0000316", "stop_codon"):
            self._add_coding(row, stop=kind == "stop_codon")
        elif row.attributes.get("Is_circular"):
            self.circular[row.seqid] = row.attributes["Is_circular"].lower() == "true"
        elif kind not in ("exon", "start_codon") and "utr" not in kind:
            name = row.attributes.get("ID") or row.attributes.get(
                "gene_id" if kind == "gene" else "transcript_id", ""
            )
            if name:
                self._owners.setdefault(name, _Owner(row.type, _kept(row.attributes)))

    def _add_coding(self, row: GffRow, *, stop: bool) -> None:
        said = row.attributes
        self._count += 1
        part = said.get("part", "").partition("/")[0]
        order = whole_number(part)
        parents = (
            said.get("Parent") or said.get("transcript_id") or said.get("protein_id") or said.get("gene_id")
        )
        cds_id = "" if stop else said.get("ID", "")
        for parent in (parents or "").split(","):
            key = (row.seqid, parent, cds_id if parent or cds_id else f"row {self._count}")
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group(row.seqid, parent, cds_id, _kept(said))
            (group.stops if stop else group.rows).append(
                _Row(row.start, row.end, row.strand, row.phase, self._count if order is None else order)
            )

    def _joined(self) -> Iterable[_Group]:
        """Groups with the rows of a transcript joined where each had its own ID, and stop codons added."""
        by_parent: dict[tuple[str, str], list[_Group]] = {}
        for number, group in enumerate(self._groups.values()):
            alone = "" if group.parent else f"\0{number}"
            by_parent.setdefault((group.seqid, group.parent + alone), []).append(group)
        for groups in by_parent.values():
            coding = [group for group in groups if group.rows]
            stops = [row for group in groups for row in group.stops]
            if self._one_transcript(coding):
                for other in coding[1:]:
                    coding[0].rows.extend(other.rows)
                del coding[1:]
            for group in coding:
                if len(coding) == 1:
                    _add_stops(group, stops)
                yield group

    def _one_transcript(self, groups: list[_Group]) -> bool:
        if len(groups) < 2 or any(len(group.rows) > 1 for group in groups):
            return False
        owner = self._owners.get(groups[0].parent)
        if owner is not None and "gene" in owner.type.lower():
            return False
        rows = sorted((group.rows[0] for group in groups), key=lambda row: row.start)
        return len({row.strand for row in rows}) == 1 and all(a.end <= b.start for a, b in pairwise(rows))

    def _feature(self, group: _Group, ring: int) -> CodingFeature:
        said = self._inherited(group)
        rows = _transcription_order(group, said, ring)
        table = said.get("transl_table", "")
        partial5, partial3 = _partial(group.said, rows)
        exception = said.get("exception", "")
        return CodingFeature(
            parts=tuple((row.start, row.end, row.strand or 1) for row in rows),
            id=group.id or group.parent,
            gene=said.get("gene") or said.get("gene_name") or said.get("owner_name", ""),
            locus_tag=said.get("locus_tag") or said.get("gene_id") or said.get("owner_id", ""),
            protein_id=said.get("protein_id", ""),
            product=said.get("product", ""),
            codon_start=(rows[0].phase or 0) + 1,
            table=whole_number(table),
            exceptions=parse_translation_exceptions([said.get("transl_except", "")]),
            pseudo=said.get("pseudo") == "true",
            partial5=partial5,
            partial3=partial3,
            exception=exception,
            ribosomal_slippage="ribosomal slippage" in exception or "ribosomal_slippage" in said,
            problem="no strand" if any(row.strand == 0 for row in rows) else "",
            note=said.get("Note", ""),
        )

    def _inherited(self, group: _Group) -> dict[str, str]:
        """The group's own attributes over its transcript's and gene's; ``pseudo`` if any of them is one."""
        said = dict(group.said)
        pseudo = _is_pseudo("", said)
        seen: set[str] = set()
        names = [group.parent, said.get("gene_id", "")]
        while names:
            name = names.pop(0)
            owner = self._owners.get(name)
            if owner is None or name in seen:
                continue
            seen.add(name)
            pseudo = pseudo or _is_pseudo(owner.type, owner.said)
            for key in ("gene", "gene_name", "locus_tag", "product", "protein_id", "transl_table"):
                if key in owner.said:
                    said.setdefault(key, owner.said[key])
            if "gene" in owner.type.lower():
                said.setdefault("owner_name", owner.said.get("Name", ""))
                said.setdefault("owner_id", name.removeprefix("gene:").removeprefix("gene-"))
            names.extend(owner.said.get("Parent", "").split(","))
        return said | ({"pseudo": "true"} if pseudo else {})


def _kept(attributes: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in attributes.items() if key in _KEPT and value}


def _is_pseudo(kind: str, said: dict[str, str]) -> bool:
    biotypes = ("biotype", "gene_biotype", "transcript_biotype", "gene_type", "transcript_type")
    texts = [kind, *(said.get(name, "") for name in biotypes)]
    marked = said.get("pseudo", "").lower() == "true" or "pseudogene" in said
    return marked or any("pseudogen" in text.lower() for text in texts)


def _add_stops(group: _Group, stops: list[_Row]) -> None:
    for stop in stops:
        inside = any(row.start <= stop.start and stop.end <= row.end for row in group.rows)
        if not inside:
            group.rows.append(stop)


def _transcription_order(group: _Group, said: dict[str, str], ring: int) -> list[_Row]:
    rows = group.rows
    exception = said.get("exception", "").replace("_", "-").replace(" ", "-")
    if len({row.strand for row in rows}) > 1 or exception == "trans-splicing":
        return sorted(rows, key=lambda row: row.order)
    backwards = rows[0].strand == -1
    rows = sorted(rows, key=lambda row: row.start)
    if ring and len(rows) > 1 and rows[0].start == 0 and rows[-1].end == ring:
        # Given as two rows on either side of the origin: the run that ends at the origin comes first.
        widest = max(range(1, len(rows)), key=lambda i: rows[i].start - rows[i - 1].end)
        rows = rows[widest:] + rows[:widest]
    return rows[::-1] if backwards else rows


def _partial(said: dict[str, str], rows: list[_Row]) -> tuple[bool, bool]:
    """Open ends by NCBI's ranges, Prodigal's two digits, or Ensembl's GTF tags."""
    tags = said.get("tag", "")
    left, right = "start_range" in said, "end_range" in said
    digits = said.get("partial", "")
    if len(digits) == 2 and set(digits) <= {"0", "1"}:
        left, right = digits[0] == "1", digits[1] == "1"
    if rows[0].strand == -1:
        left, right = right, left
    return left or "cds_start_NF" in tags, right or "cds_end_NF" in tags
