"""The split of a corpus that is being made: units out of its rows, sides for units, contigs cut at borders.

n rows; genes are numbered as in :func:`genomecli.corpus.genes.gene_nodes`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.numbering import numbered
from genomecli.corpus.settings import SplitSettings
from genomecli.corpus.splits import SIDES, TRAIN, assign, block_length, cut_at_blocks, join_pieces

Columns = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]


def hold_out(
    rows: Columns,
    nodes: Ints,
    family: Ints,
    near: Ints,
    settings: SplitSettings,
    seed: int,
) -> tuple[Columns, dict[str, Any]]:
    """Give each row its side; genome rows are cut where sides meet.

    Args:
        rows: columns of the rows, with ``digest``, ``contig``, ``cds_start``, ``cds_end``, ``at``, ``side``.
        nodes: int64[n], the gene of each row, -1 for genome.
        family: int64[genes].
        near: int64[genes], groups of near-identical genes.
        settings: how to split.
        seed: used where the settings have none.

    Returns:
        The rows, genome rows cut, with column ``split``; and facts for the manifest.
    """
    seed = seed if settings.seed is None else settings.seed
    shares = {"valid": settings.valid, "test": settings.test, "seed": seed}
    facts: dict[str, Any] = {"by": settings.by, **shares}
    if settings.by == "column":
        rows["split"] = np.where(rows["side"] == "", SIDES[TRAIN], rows["side"]).astype(object)
        facts["genes_on_two_sides"] = _torn(rows["split"], nodes)
        return rows, facts
    rows, nodes, blocks = _cut_genome(rows, nodes, settings.block)
    near = family if settings.by == "family" else near
    sides = np.zeros(len(nodes), dtype=np.int8)
    genes = nodes >= 0
    if settings.by == "contig":
        every = np.ones(len(nodes), dtype=bool)
        units = _places_of_genes(_places(rows, blocks, every), nodes, rows["digest"])
        sides = _sides(rows, units, every, rows["length"], shares)
        facts["near_identical_genes_moved"] = _reunite(sides, nodes, near)
    else:
        genome = ~genes
        sides[genome] = _sides(rows, _places(rows, blocks, genome), genome, rows["length"], shares)
        sides[genes] = _gene_sides(rows, nodes, near, shares)
    rows["split"] = np.array(SIDES, dtype=object)[sides]
    return _join_genome(rows), facts


def _torn(side: NDArray[Any], nodes: Ints) -> int:
    """How many genes have rows on more than one side."""
    pairs = {(n, s) for n, s in zip(nodes.tolist(), side.tolist(), strict=True) if n >= 0}
    return len(pairs) - len({n for n, _ in pairs})


def _cut_genome(rows: Columns, nodes: Ints, block: int) -> tuple[Columns, Ints, Ints]:
    """Rows with genome rows cut at blocks, their genes, and the number of each row's block on its contig."""
    pieces: list[tuple[Ints, Ints, Ints]] = []
    sizes: list[Ints] = []
    for species in dict.fromkeys(rows["species"].tolist()):
        mine = np.flatnonzero(rows["species"] == species)
        genome = mine[nodes[mine] < 0]
        extent = _extent(rows, mine, genome)
        size = block_length(extent, block)
        source, begins, ends = cut_at_blocks(rows["cds_start"][genome], rows["cds_end"][genome], size)
        genes = mine[nodes[mine] >= 0]
        pieces.append((genome[source], begins, ends))
        pieces.append((genes, rows["cds_start"][genes], rows["cds_end"][genes]))
        sizes.append(np.full(len(source) + len(genes), size, dtype=np.int64))
    index, begins, ends = (np.concatenate(column) for column in zip(*pieces, strict=True))
    cut = {name: column[index] for name, column in rows.items()}
    nodes = nodes[index]
    genome_rows = nodes < 0
    shift = np.where(genome_rows, begins - cut["cds_start"], 0)
    cut["at"] = cut["at"] + shift
    cut["length"] = np.where(genome_rows, ends - begins, cut["length"])
    cut["cds_start"], cut["cds_end"] = begins, ends
    size_of = np.concatenate(sizes)
    numbers = np.where(size_of > 0, _block_numbers(cut, genome_rows, size_of), 0)
    _clip_to_last(numbers, cut, genome_rows)
    return cut, nodes, numbers


def _places(rows: Columns, numbers: Ints, chosen: NDArray[np.bool_]) -> NDArray[np.object_]:
    """object[n]: the ``species, contig, block`` that chosen rows lie in; empty where that is not known."""
    places = np.full(len(numbers), "", dtype=object)
    known = np.flatnonzero(chosen & (rows["contig"] != ""))
    columns = (rows["species"][known].tolist(), rows["contig"][known].tolist(), numbers[known].tolist())
    places[known] = [
        f"{species}\x1f{contig}\x1f{number}" for species, contig, number in zip(*columns, strict=True)
    ]
    return places


def _places_of_genes(places: NDArray[Any], nodes: Ints, digests: NDArray[Any]) -> NDArray[np.object_]:
    """One place a gene, that of its first row that has one; a gene without place is a unit of its own."""
    first: dict[int, str] = {}
    for node, place in zip(nodes.tolist(), places.tolist(), strict=True):
        if node >= 0 and place:
            first.setdefault(node, place)
    for node, digest in zip(nodes.tolist(), digests.tolist(), strict=True):
        first.setdefault(node, f"gene {digest}")
    units = [first[node] if node >= 0 else place for node, place in zip(nodes.tolist(), places, strict=True)]
    return np.array(units, dtype=object)


def _extent(rows: Columns, mine: Ints, genome: Ints) -> int:
    """Bases of a species' genome; without one, as far as its genes' places reach."""
    if len(genome):
        return int(rows["length"][genome].sum())
    named = mine[rows["contig"][mine] != ""]
    if not len(named):
        return 0
    contigs = numbered([rows["contig"][named]])
    reach = np.zeros(int(contigs.max()) + 1, dtype=np.int64)
    np.maximum.at(reach, contigs, rows["cds_end"][named])
    return int(reach.sum())


def _block_numbers(rows: Columns, genome: NDArray[np.bool_], sizes: Ints) -> Ints:
    """The block of each row: a genome piece's by its middle, since short rests stay with their neighbour."""
    middle = (rows["cds_start"] + rows["cds_end"]) // 2
    at = np.where(genome, middle, np.maximum(rows["cds_start"], 0))
    return at // np.maximum(sizes, 1)


def _clip_to_last(numbers: Ints, rows: Columns, genome: NDArray[np.bool_]) -> None:
    """Give genes in the rest of a contig, behind its last whole block, the number of that block."""
    if not genome.any():
        return
    contigs = numbered((rows["species"], rows["contig"]))
    last = np.full(int(contigs.max()) + 1, -1, dtype=np.int64)
    np.maximum.at(last, contigs[genome], numbers[genome])
    genes = np.flatnonzero(~genome & (last[contigs] >= 0))
    numbers[genes] = np.minimum(numbers[genes], last[contigs[genes]])


def _sides(
    rows: Columns, units: NDArray[Any], chosen: NDArray[np.bool_], weights: Ints, shares: dict[str, Any]
) -> NDArray[np.int8]:
    """The side of each chosen row, by the units that rows belong to."""
    names, inverse = np.unique(units[chosen].astype(str), return_inverse=True)
    sizes = np.bincount(inverse, weights=weights[chosen], minlength=len(names)).astype(np.int64)
    owners = np.full(len(names), "", dtype=object)
    owners[inverse[::-1]] = rows["species"][chosen][::-1]
    return assign(names.tolist(), sizes, owners.tolist(), **shares)[inverse]


def _gene_sides(rows: Columns, nodes: Ints, near: Ints, shares: dict[str, Any]) -> NDArray[np.int8]:
    """The side of each gene row, by groups of genes; a group is named by its smallest digest.

    Groups are numbered without gaps, and each has a row.
    """
    genes = nodes >= 0
    group = near[nodes[genes]]
    if not len(group):
        return np.zeros(0, dtype=np.int8)
    digests = np.array(rows["digest"][genes].tolist(), dtype="S16").view(">u8").reshape(-1, 2)
    order = np.lexsort((digests[:, 1], digests[:, 0], group))  # as the texts of 16 letters themselves
    first = order[np.flatnonzero(np.diff(group[order], prepend=-1))]
    labels = rows["digest"][genes][first].tolist()
    owners = rows["species"][genes][first].tolist()
    sizes = np.bincount(near).astype(np.int64)
    return assign(labels, sizes, owners, **shares)[group]


def _reunite(sides: NDArray[np.int8], nodes: Ints, near: Ints) -> int:
    """Send genes to training whose copies, or other text, lie on another side; how many they are."""
    genes = np.flatnonzero(nodes >= 0)
    if not len(genes):
        return 0
    group = near[nodes[genes]]
    low, high = np.full(group.max() + 1, 9, dtype=np.int8), np.zeros(group.max() + 1, dtype=np.int8)
    np.minimum.at(low, group, sides[genes])
    np.maximum.at(high, group, sides[genes])
    torn = (low < high)[group]
    moved = genes[torn & (sides[genes] != TRAIN)]
    sides[moved] = TRAIN
    return len(set(nodes[moved].tolist()))


def _join_genome(rows: Columns) -> Columns:
    """Put touching pieces of one contig on one side together again; name those that stay cut."""
    genome = rows["molecule"] == "genome"
    if not genome.any():
        return rows | {"id": rows["id"].copy(), "recut": np.zeros(len(genome), dtype=bool)}
    records = numbered((rows["unit"], rows["ordinal"], rows["split"]))
    alone = int(records.max()) + 1 + np.arange(len(records))
    first, last = join_pieces(np.where(genome, records, alone), rows["cds_start"], rows["cds_end"])
    joined = {name: column[first] for name, column in rows.items()}
    joined["cds_end"] = rows["cds_end"][last]
    joined["length"] = np.where(genome[first], joined["cds_end"] - joined["cds_start"], joined["length"])
    _name_pieces(joined)
    return joined


def _name_pieces(rows: Columns) -> None:
    """``contig:first-last``, 1-based, for genome rows whose record has more than one; they are ``recut``."""
    genome = np.flatnonzero(rows["molecule"] == "genome")
    records = numbered((rows["unit"][genome], rows["ordinal"][genome]))
    rows["id"] = rows["id"].copy()
    rows["recut"] = np.zeros(len(rows["id"]), dtype=bool)
    cut = genome[np.bincount(records)[records] > 1]
    rows["recut"][cut] = True
    starts, stops = rows["cds_start"][cut].tolist(), rows["cds_end"][cut].tolist()
    rows["id"][cut] = [
        f"{contig}:{start + 1}-{stop}"
        for contig, start, stop in zip(rows["contig"][cut].tolist(), starts, stops, strict=True)
    ]
