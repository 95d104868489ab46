"""The long table of all figures: one row a measure, in a fixed order, as TSV and Parquet."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from genomecli.files import atomic_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure with all that is needed to read it alone. Absent values are None, never NaN.

    Args:
        run: the run or checkpoint.
        species_a: species of the queries.
        language_a: ``dna`` or ``protein``, of the queries.
        species_b: species of the candidates.
        language_b: of the candidates.
        vectors: ``static``, ``contextual``, ``ppmi``, ``word2vec``, ``untrained``, ...
        layer: layer of the network, 0 after the embedding.
        frame: reading frame, 0, 1 or 2.
        similarity: ``cosine``, ``centred``, ``csls``, ``procrustes``, ``cka``, ...
        direction: what was looked up among what: ``codon_to_amino``, ``amino_to_codon``, ``codon_to_synonym``
            within a species; ``codon_to_same_codon``, ``codon_to_codon_of_same_amino`` and ``amino_to_amino``
            (protein to protein) between species and runs; ``gene_to_protein``, ``protein_to_gene``.
        scope: which queries count: ``all``, ``between_blocks``, ``leave_one_amino_acid_out``, ...
        statistic: ``mrr``, ``p@1``, ``p@5``, ``map``, ``cka``; ``mrr_over_genes`` and ``mrr_over_seeds``,
            with intervals over groups of genes (of a genome: stretches with both strands) or seeds; ...
        value: the figure.
        low: lower end of its interval.
        high: upper end of its interval.
        chance: its expectation without signal.
        null95: 95th percentile without signal.
        p: p-value.
        n: queries.
        seed: seed of the run.
        tokens_seen: tokens that the model had seen.
        note: anything a reader must know.
    """

    run: str = ""
    species_a: str = ""
    language_a: str = ""
    species_b: str = ""
    language_b: str = ""
    vectors: str = ""
    layer: int | None = None
    frame: int | None = None
    similarity: str = ""
    direction: str = ""
    scope: str = ""
    statistic: str
    value: float | None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    null95: float | None = None
    p: float | None = None
    n: int | None = None
    seed: int | None = None
    tokens_seen: int | None = None
    note: str = ""


COLUMNS = tuple(field.name for field in fields(Measure))
"""Columns of the table, in order."""

_INTEGERS = frozenset({"layer", "frame", "n", "seed", "tokens_seen"})
_FIGURES = frozenset({"value", "low", "high", "chance", "null95", "p"})


def ordered(rows: Iterable[Measure]) -> list[Measure]:
    """The rows sorted by what they are about, then by their figures: the same rows, the same bytes."""
    return sorted(rows, key=lambda row: tuple(_sortable(value) for value in _plain(row)))


def write_tsv(path: Path, rows: Iterable[Measure], *, force: bool = False) -> None:
    """Write the table as TSV with a header; floats with 6 significant digits, absent values empty."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_text(value) for value in _plain(row)) for row in ordered(rows)]
    with atomic_path(path, force=force) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path, rows: Iterable[Measure], *, force: bool = False) -> None:
    """Write the table as Parquet: strings, int64 and float64 columns, absent values null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _arrow_type(name)) for name in COLUMNS])
    values = [_plain(row) for row in ordered(rows)]
    columns = list(zip(*values, strict=True)) if values else [()] * len(COLUMNS)
    arrays = [pa.array(column, type=kind.type) for column, kind in zip(columns, schema, strict=True)]
    with atomic_path(path, force=force) as temporary:
        pq.write_table(pa.table(arrays, schema=schema), temporary)


_VALUES = attrgetter(*COLUMNS)


def _plain(row: Measure) -> tuple[Any, ...]:
    """The values of a row in column order, NaN and infinities as None."""
    return tuple(None if isinstance(v, float) and not math.isfinite(v) else v for v in _VALUES(row))


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is None else (1, value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return format(value, ".6g")
    return str(value).replace("\t", " ").replace("\r", " ").replace("\n", " ")


def _arrow_type(name: str) -> Any:
    import pyarrow as pa

    if name in _INTEGERS:
        return pa.int64()
    return pa.float64() if name in _FIGURES else pa.string()
