"""Take the coding sequences of an annotated contig out, read them, check them, and pair them with proteins.

Every feature ends in one counted bucket: ``cds kept`` or ``cds skipped: REASON``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from genomecli.errors import InputError, UsageError
from genomecli.sequences.alphabets import DNA, INVALID, PROTEIN, UNKNOWN_RESIDUE, Codes
from genomecli.sequences.annotation import AnnotatedContig, CodingFeature, Part
from genomecli.sequences.codes import GeneticCode, genetic_code
from genomecli.sequences.records import Record
from genomecli.sequences.settings import CodingPolicy
from genomecli.sequences.splicing import resolve_parts, splice, spliced_position
from genomecli.sequences.translation import (
    Comparison,
    Reading,
    Status,
    TranslationCheck,
    compare,
    incomplete_residue,
    read_coding,
)


@dataclass(slots=True)
class ContigRecords:
    """What one annotated contig gives.

    Args:
        genome: the whole contig; its symbols may be memory-mapped.
        cds: coding sequences from the first whole codon on, frame 0; 0 to 2 trailing bases stay.
        proteins: in the same order; ``meta["gene_key"]`` pairs the two. A lone stop codon has none.
        checks: one row a coding feature, extracted or not.
    """

    genome: Record
    cds: list[Record] = field(default_factory=list)
    proteins: list[Record] = field(default_factory=list)
    checks: list[TranslationCheck] = field(default_factory=list)


@dataclass(slots=True)
class _Gene:
    """One extracted feature."""

    feature: CodingFeature
    parts: list[Part]
    symbols: Codes
    soft: Codes | None
    reading: Reading
    given: Codes | None
    verdict: Comparison | None
    check: TranslationCheck


class CdsExtractor:
    """Extracts contig after contig; counts and names run over all of them.

    Args:
        policy: what to keep.
        table: genetic code where the annotation states none.
        where: the file, for messages.

    Attributes:
        counts: features by bucket, and changes by kind.
        stated_tables: features whose stated genetic code is not ``table``, by stated code.
    """

    def __init__(self, policy: CodingPolicy, table: int, where: object = "input") -> None:
        self.counts: Counter[str] = Counter()
        self.stated_tables: Counter[int] = Counter()
        self._policy = policy
        self._table = table
        self._where = where
        self._keys: Counter[str] = Counter()

    def extract(self, contig: AnnotatedContig) -> ContigRecords:
        """Everything of one contig. Raises InputError for a disagreement where the policy says so."""
        found = ContigRecords(_genome(contig))
        genes = []
        for feature in contig.features:
            gene = self._gene(contig, feature, found.checks)
            if gene is not None:
                genes.append(gene)
        for gene in self._chosen(genes):
            self._emit(contig, gene, found)
        return found

    def notes(self) -> list[str]:
        """Contradictions between stated genetic codes and the default, in words."""
        default = genetic_code(self._table)
        rows = []
        for table, count in sorted(self.stated_tables.items()):
            same = genetic_code(table).class_key == default.class_key
            rest = (
                "which reads the same codons" if same else "which is read otherwise; the file's own is used"
            )
            rows.append(
                f"{self._where}: {count} coding features state genetic code {table},"
                f" the settings {self._table}, {rest}"
            )
        return rows

    def _skip(self, check: TranslationCheck, reason: str, checks: list[TranslationCheck]) -> None:
        self.counts[f"cds skipped: {reason}"] += 1
        checks.append(check)

    def _gene(
        self, contig: AnnotatedContig, feature: CodingFeature, checks: list[TranslationCheck]
    ) -> _Gene | None:
        code, stated, unknown = self._code(contig, feature)
        parts, problem = resolve_parts(feature.parts, len(contig), circular=contig.circular)
        problem = unknown or feature.problem or problem or _whole_codon_missing(feature, parts)
        if problem and not len(contig):
            problem = "contig without sequence"
        if problem:
            row = _check(contig, feature, code, stated, "not extracted", reason=problem)
            self._skip(row, problem, checks)
            return None
        gene = _read(contig, feature, parts, code, stated)
        if feature.pseudo and self._policy.pseudogenes == "skip":
            self._skip(gene.check, "pseudogene", checks)
            return None
        if gene.check.status == "differs" and self._policy.disagreements != "keep":
            self._refuse(contig, gene)
            self._skip(gene.check, "translation differs", checks)
            return None
        checks.append(gene.check)
        return gene

    def _refuse(self, contig: AnnotatedContig, gene: _Gene) -> None:
        if self._policy.disagreements == "error":
            row = gene.check
            raise InputError(
                f"reads {row.got!r} at residue {row.first} where its /translation has {row.expected!r}",
                where=f"{self._where}, {contig.id}, {row.label}",
                fix="check the genetic code, or set disagreements to keep or skip",
            )

    def _code(self, contig: AnnotatedContig, feature: CodingFeature) -> tuple[GeneticCode, bool, str]:
        """The code, whether the annotation states it, and a problem (empty if none)."""
        own = feature.table or contig.table
        if own is None:
            return genetic_code(self._table), False, ""
        try:
            code = genetic_code(own)
        except UsageError:
            return genetic_code(self._table), False, f"states genetic code {own}, which is not known"
        if own != self._table:
            self.stated_tables[own] += 1
        return code, True, ""

    def _chosen(self, genes: list[_Gene]) -> list[_Gene]:
        """All genes, or the longest protein of each locus; the first of equals."""
        if self._policy.isoforms == "all":
            return genes
        best: dict[str, _Gene] = {}
        for gene in genes:
            locus = gene.feature.locus_tag or gene.feature.gene or f"\0{id(gene)}"
            if locus not in best or len(gene.reading.residues) > len(best[locus].reading.residues):
                best[locus] = gene
        kept = {id(gene) for gene in best.values()}
        self.counts["cds skipped: shorter isoform"] += len(genes) - len(kept)
        return [gene for gene in genes if id(gene) in kept]

    def _emit(self, contig: AnnotatedContig, gene: _Gene, found: ContigRecords) -> None:
        key = self._key(contig, gene)
        meta = _meta(contig, gene, key)
        columns: dict[str, Any] = {} if gene.soft is None else {"soft": gene.soft}
        found.cds.append(Record(key, DNA, gene.symbols, columns, meta))
        self.counts["cds kept"] += 1
        if gene.feature.codon_start > 1:
            self.counts["cds changed: bases before the first whole codon cut"] += 1
        residues, origin = self._protein(gene)
        if not len(residues):
            self.counts["protein skipped: no residue"] += 1
            return
        self.counts["protein kept"] += 1
        if origin == "translated" and gene.given is None:
            self.counts["protein made by translation"] += 1
        shared = {name: meta[name] for name in _SHARED}
        found.proteins.append(Record(key, PROTEIN, residues, {}, {**shared, "origin": origin}))

    def _protein(self, gene: _Gene) -> tuple[Codes, str]:
        if gene.given is None or self._policy.proteins == "translated":
            return gene.reading.residues, "translated"
        if gene.given.max(initial=0) == INVALID:
            self.counts["protein changed: letters of no meaning read X"] += 1
            return np.where(gene.given == INVALID, UNKNOWN_RESIDUE, gene.given).astype(np.uint8), "given"
        return gene.given, "given"

    def _key(self, contig: AnnotatedContig, gene: _Gene) -> str:
        feature, check = gene.feature, gene.check
        place = f"{contig.id}:{check.start + 1}-{check.end}"
        key = feature.protein_id or feature.locus_tag or feature.id or feature.gene or place
        self._keys[key] += 1
        return key if self._keys[key] == 1 else f"{key}#{self._keys[key]}"


_SHARED = (
    "description", "contig", "strand", "start", "end", "table", "gene", "locus_tag", "protein_id", "gene_key",
    "partial5", "partial3",
)  # fmt: skip


def _genome(contig: AnnotatedContig) -> Record:
    meta: dict[str, object] = {"description": contig.description, "circular": contig.circular}
    if contig.table is not None:
        meta["table"] = contig.table
    columns: dict[str, Any] = {} if contig.soft is None else {"soft": contig.soft}
    return Record(contig.id, DNA, contig.symbols, columns, meta)


def _whole_codon_missing(feature: CodingFeature, parts: list[Part]) -> str:
    bases = sum(end - start for start, end, _ in parts) - (feature.codon_start - 1)
    return "" if bases >= 3 else "shorter than a codon"


def _read(
    contig: AnnotatedContig, feature: CodingFeature, parts: list[Part], code: GeneticCode, stated: bool
) -> _Gene:
    skip = feature.codon_start - 1
    symbols = splice(contig.symbols, parts)[skip:]
    soft = None if contig.soft is None else _splice_soft(contig.soft, parts)[skip:]
    read = partial(
        read_coding, symbols, code, partial5=feature.partial5 or skip > 0, partial3=feature.partial3
    )
    reading = read(exceptions=_codon_exceptions(feature, parts))
    given = None if feature.translation is None else PROTEIN.encode(feature.translation.rstrip("*"))
    verdict, equal_by_code = None, None
    if given is not None:
        following = incomplete_residue(symbols, code)
        verdict = compare(reading.residues, given, next_residue=following)
        by_code = verdict
        if reading.excepted:
            by_code = compare(read().residues, given, next_residue=following)
        equal_by_code = by_code.status == "ok"
    status: Status = "pseudogene" if feature.pseudo else verdict.status if verdict else "no translation"
    check = _check(
        contig, feature, code, stated, status,
        reason=feature.exception, reading=reading, given=given, verdict=verdict, equal_by_code=equal_by_code,
    )  # fmt: skip
    return _Gene(feature, parts, symbols, soft, reading, given, verdict, check)


def _splice_soft(soft: Codes, parts: list[Part]) -> Codes:
    return np.concatenate([soft[start:end][::strand] for start, end, strand in parts])


def _codon_exceptions(feature: CodingFeature, parts: list[Part]) -> list[tuple[int, str]]:
    """(codon index, letter) of each exception that lies in the feature, by its first base there."""
    found = []
    for exception in feature.exceptions:
        bases = [base for start, end in exception.spans for base in (start, end - 1)]
        places = [p for base in bases if (p := spliced_position(parts, base)) is not None]
        if places:
            found.append(((min(places) - feature.codon_start + 1) // 3, exception.amino))
    return found


def _check(
    contig: AnnotatedContig,
    feature: CodingFeature,
    code: GeneticCode,
    stated: bool,
    status: Status,
    *,
    reason: str = "",
    reading: Reading | None = None,
    given: Codes | None = None,
    verdict: Comparison | None = None,
    equal_by_code: bool | None = None,
) -> TranslationCheck:
    strands = {strand for _, _, strand in feature.parts}
    said: dict[str, Any] = {}
    if reading is not None:
        names = ("codons", "trailing", "internal_stops", "has_start", "has_stop", "stop_completed")
        said = {name: getattr(reading, name) for name in names}
        said |= {"length": len(reading.residues), "excepted": len(reading.excepted)}
    if verdict is not None:
        said |= {"first": verdict.first, "expected": verdict.expected, "got": verdict.got}
    return TranslationCheck(
        contig=contig.id,
        label=feature.label,
        gene=feature.gene,
        locus_tag=feature.locus_tag,
        protein_id=feature.protein_id,
        start=min((start for start, _, _ in feature.parts), default=0),
        end=max((end for _, end, _ in feature.parts), default=0),
        strand=strands.pop() if len(strands) == 1 else 0,
        table=code.table,
        stated=stated,
        status=status,
        reason=reason,
        expected_length=-1 if given is None else len(given),
        equal_by_code=equal_by_code,
        **said,
    )


def _meta(contig: AnnotatedContig, gene: _Gene, key: str) -> dict[str, object]:
    feature, reading, check = gene.feature, gene.reading, gene.check
    return {
        "description": feature.product,
        "contig": contig.id,
        "strand": check.strand,
        "start": check.start,
        "end": check.end,
        "parts": tuple(gene.parts),
        "table": check.table,
        "gene": feature.gene or feature.locus_tag,
        "locus_tag": feature.locus_tag,
        "protein_id": feature.protein_id,
        "gene_key": key,
        "codon_start": feature.codon_start,
        "partial5": feature.partial5 or feature.codon_start > 1,
        "partial3": feature.partial3,
        "has_start": reading.has_start,
        "has_stop": reading.has_stop,
        "stop_completed": reading.stop_completed,
        "trailing": reading.trailing,
        "internal_stops": reading.internal_stops,
        "exceptions": reading.excepted,
        "pseudo": feature.pseudo,
        "check": check.status,
    }
