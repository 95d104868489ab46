"""Relations between the languages of a species: which records each group may draw from.

Pure functions of the records' columns. From hardest to easiest: ``disjoint`` (DNA of half of the gene
families, protein of the other half), ``comparable`` (the same genes on both sides, never in one text),
``anchored`` (comparable, with code-switching, see :mod:`genomecli.corpus.anchors`; ``deciphered`` is the same
over ``disjoint``, with a dictionary that was deciphered from the corpus itself), ``back_translated``
(``disjoint``, and each gene in one text with what such a dictionary makes of its codons) and ``paired`` (a
gene's codons and its protein in one text). ``none`` takes every record and claims nothing.

Relations are settled over all splits before a split is taken, so that a family that is DNA in training is
never protein in validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.interface import Ints
from genomecli.corpus.manifest import Molecule
from genomecli.corpus.reading_settings import APART, Relation
from genomecli.corpus.records_table import RecordTable
from genomecli.errors import InputError
from genomecli.runtime import rng

Bools = NDArray[np.bool_]
GroupKey = tuple[str, Molecule]
Tables = Mapping[GroupKey, RecordTable]


@dataclass(frozen=True)
class Source:
    """What one kind of text of a species is drawn from.

    Args:
        species: name.
        molecule: what it reads; of a pair, its first text.
        records: the records, those of the first texts of pairs.
        partners: the proteins of pairs, row by row; None where no record is read second.
        translated: each text stands beside its own translation by a dictionary that was told.
    """

    species: str
    molecule: Molecule
    records: RecordTable
    partners: RecordTable | None = None
    translated: bool = False

    @property
    def name(self) -> str:
        """``species.molecule``, ``species.pair`` for pairs."""
        return f"{self.species}.{'pair' if self.pairs else self.molecule}"

    @property
    def pairs(self) -> bool:
        """Whether its texts are of two languages."""
        return self.translated or self.partners is not None

    def take(self, chosen: Bools) -> Source:
        """The source with some of its records, bool[n]."""
        partners = None if self.partners is None else self.partners[chosen]
        return replace(self, records=self.records[chosen], partners=partners)

    def split(self, name: str) -> Source:
        """Its records of one split; of a pair, the coding sequence decides."""
        return self.take(self.records.column("split") == name)


def relate(tables: Tables, relation: Relation, seed: int, *, single: bool = False) -> tuple[Source, ...]:
    """The sources of every species under a relation.

    A species that lacks either genes or proteins has nothing to relate, and gives all that it has; but
    ``disjoint`` holds over all species together, so there it gives its half.

    Args:
        tables: records by species and molecule.
        relation: how DNA and protein relate.
        seed: of the halves of ``disjoint``.
        single: with ``paired``, also the same genes as texts of one language.

    Raises:
        InputError: if a species has both languages but no gene that occurs in both, for relations that
            need one.
    """
    if relation == "none":
        return tuple(Source(species, molecule, table) for (species, molecule), table in tables.items())
    if relation in APART:
        apart = _disjoint(tables, seed)
        genes = [source for source in apart if source.molecule == "cds" and len(source.records)]
        told = genes if relation == "back_translated" else []
        return (*apart, *(replace(source, translated=True) for source in told))
    sources: list[Source] = []
    for species in dict.fromkeys(name for name, _ in tables):
        sources += _same_genes(tables, species, relation, single)
    return tuple(sources)


def _same_genes(tables: Tables, species: str, relation: Relation, single: bool) -> list[Source]:
    mine = {molecule: table for (name, molecule), table in tables.items() if name == species}
    sources = [Source(species, molecule, table) for molecule, table in mine.items()]
    if not {"cds", "protein"} <= set(mine):
        return sources
    cds, protein = match_genes(mine["cds"], mine["protein"])
    if not len(cds):
        raise InputError(
            f"no gene of {species!r} has both a coding sequence and a protein, as {relation} needs",
            fix="tokenize an annotated genome, give both files the same ids, or set relation to none",
        )
    matched: list[Source] = []
    if relation == "paired":
        matched.append(Source(species, "cds", cds, protein))
    if relation != "paired" or single:
        matched += [Source(species, "cds", cds), Source(species, "protein", protein)]
    return [source for source in sources if source.molecule == "genome"] + matched


def match_genes(cds: RecordTable, protein: RecordTable) -> tuple[RecordTable, RecordTable]:
    """The records of genes that are on both sides, row by row: the first of each gene, in the cds' order."""
    left, right = (_first_of_each(table) for table in (cds, protein))
    common = [gene for gene in left if gene in right]
    return (
        cds[np.array([left[gene] for gene in common], dtype=np.int64)],
        protein[np.array([right[gene] for gene in common], dtype=np.int64)],
    )


def _first_of_each(table: RecordTable) -> dict[str, int]:
    first: dict[str, int] = {}
    for place, gene in enumerate(table.column("gene").tolist()):
        if gene:
            first.setdefault(gene, place)
    return first


def _disjoint(tables: Tables, seed: int) -> tuple[Source, ...]:
    families = family_components(tables)
    sizes = np.zeros(max((int(f.max()) + 1 for f in families.values() if len(f)), default=0), dtype=np.int64)
    for numbers in families.values():
        np.add.at(sizes, numbers, 1)
    assert int(sizes.sum()) == sum(map(len, tables.values()))
    dna_side = halve(sizes, seed)
    sources = []
    for (species, molecule), table in tables.items():
        side = dna_side[families[species, molecule]]
        sources.append(Source(species, molecule, table[side if molecule != "protein" else ~side]))
    _assert_disjoint(sources)
    return tuple(sources)


def halve(sizes: Ints, seed: int) -> Bools:
    """Half of the families, by their size, in a random order: bool[f], True for the DNA side.

    Args:
        sizes: int64[f], records of each family.
        seed: of the order.
    """
    order = rng(seed, "disjoint").permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    # The family across the middle goes to the side that most of it lies on; so neither side is empty.
    chosen[order] = 2 * before + sizes[order] < sizes.sum()
    return chosen


def family_components(tables: Tables) -> dict[GroupKey, Ints]:
    """A number for each record, int64[n] a group: equal for records that must stay on one side.

    Records of one family stay together over all species, and so do those of one gene of a species, should
    its gene and its protein be of different families. A record with neither stays by itself.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    labels: dict[tuple[str, ...], int] = {}
    ends: list[tuple[int, int]] = []
    for (species, molecule), table in tables.items():
        columns = (table.column(name).tolist() for name in ("family", "gene"))
        for place, (family, gene) in enumerate(zip(*columns, strict=True)):
            by_family = ("family", str(family)) if family >= 0 else None
            by_gene = ("gene", species, gene) if gene else None
            one = by_family or by_gene or ("record", species, molecule, str(place))
            numbers = [labels.setdefault(key, len(labels)) for key in (one, by_gene or one)]
            ends.append((numbers[0], numbers[1]))
    edges = np.array(ends, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(labels),) * 2)
    component = connected_components(graph, directed=False)[1].astype(np.int64)
    bounds = np.cumsum([0, *map(len, tables.values())])
    return {key: component[edges[bounds[i] : bounds[i + 1], 0]] for i, key in enumerate(tables)}


def _assert_disjoint(sources: list[Source]) -> None:
    """No family, and no gene of a species, on both sides."""
    for column in ("family", "gene"):
        seen: dict[bool, set[object]] = {True: set(), False: set()}
        for source in sources:
            values = source.records.column(column).tolist()
            known = {value for value in values if value not in (-1, "")}
            if column == "gene":
                known = {(source.species, value) for value in known}
            seen[source.molecule == "protein"] |= known
        assert not seen[True] & seen[False], f"a {column} is on both sides"
