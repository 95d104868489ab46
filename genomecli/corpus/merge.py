"""The merge: parts into a corpus. Whatever needs all records is decided here, also when there is one job.

Rows are first put in corpus order (species, molecule, source, place in the source); then genes are paired,
duplicates found, families and splits made, long contigs cut at the borders of splits, and shards written.
n rows at each stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.digests import with_twins
from genomecli.corpus.duplicates import originals, repeated_ids
from genomecli.corpus.families import SAMPLED_LEAST, SimilarPairs, families
from genomecli.corpus.genes import gene_nodes, in_order, pair_genes
from genomecli.corpus.holdout import hold_out
from genomecli.corpus.manifest import MOLECULES, Group
from genomecli.corpus.numbering import distinct, first_rows, numbered
from genomecli.corpus.parts import ROW_TYPES, PartRows
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.shards import Span, plan_shards, write_shard
from genomecli.corpus.sketches import Sketches, sketch
from genomecli.corpus.tally import Tally
from genomecli.corpus.units import Unit
from genomecli.errors import InputError
from genomecli.sequences.codes import genetic_code

Columns = dict[str, NDArray[Any]]
FAMILY_CHUNK = 4 << 20
"""Residues read at a time for the families."""


@dataclass(frozen=True)
class Repeat:
    """A row that was dropped as a duplicate, of the source ``unit``."""

    species: str
    molecule: str
    id: str
    unit: int
    reason: str
    symbols: int


@dataclass
class Merged:
    """The rows of a corpus, and what was found on the way.

    Attributes:
        columns: columns of the records table, save those that a scan of the store gives, [n] each.
        groups: as in the manifest.
        shards: names of the shard files.
        shard_symbols: symbols in each.
        facts: counts for the manifest: pairs, families, repeated ids, ...
        repeats: what was dropped because an earlier row equals it.
    """

    columns: Columns
    groups: list[Group] = field(default_factory=list)
    shards: list[str] = field(default_factory=list)
    shard_symbols: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)


@dataclass(frozen=True)
class Raw:
    """Where the symbols of a row are: raw files of its part."""

    symbols: Path
    soft: Path | None


def load_rows(units: list[Unit], folder: Path, species: list[str]) -> tuple[Columns, list[Raw]]:
    """All rows of all parts in corpus order, and the raw files that their column ``raw`` is an index of."""
    chunks: list[Columns] = []
    raws: list[Raw] = []
    for name in species:
        for molecule in MOLECULES:
            for unit in units:
                path = folder / unit.name
                if unit.species != name or not PartRows.present(path, molecule):
                    continue
                part = PartRows(path, molecule)
                filled = {"species": name, "molecule": molecule, "unit": unit.index, "raw": len(raws)}
                raws.append(Raw(part.symbols, part.soft))
                # As objects, so that all rows share one text.
                made = {
                    key: np.full(len(part), value, dtype=object if isinstance(value, str) else None)
                    for key, value in filled.items()
                }
                chunks.append(part.columns | made)
    names = [*ROW_TYPES, "species", "molecule", "unit", "raw"]
    if not sum(len(chunk["id"]) for chunk in chunks):
        raise InputError(
            "no record is left of all sources", fix="see why in the summary, and change the policies"
        )
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}, raws


def merge_rows(rows: Columns, raws: list[Raw], settings: TokenizeSettings, seed: int) -> Merged:
    """Pair, drop, group and hold out: everything but the writing.

    Args:
        rows: as :func:`load_rows` gives them.
        raws: likewise.
        settings: the whole section.
        seed: of the split.
    """
    facts: dict[str, Any] = {}
    facts["repeated_ids"] = repeated_ids(rows["species"], rows["molecule"], rows["id"])
    rows["digest"] = with_twins(rows, [raw.symbols for raw in raws])
    first = originals(rows["species"], rows["molecule"], rows["length"], rows["digest"])
    twice = first != np.arange(len(first))
    facts["repeated_sequences"] = int(twice.sum())
    facts["repeated_contigs"] = int(twice[rows["molecule"] == "genome"].sum())
    rows["gene_key"] = pair_genes(rows)
    nodes = gene_nodes(rows, rows["gene_key"])
    repeats: list[Repeat] = []
    if settings.policies.duplicates == "drop":
        repeats = [_repeat(rows, row, int(first[row])) for row in np.flatnonzero(twice).tolist()]
        rows = {name: column[~twice] for name, column in rows.items()}
        nodes = _renumber(nodes[~twice])
        rows["gene_key"] = _still_paired(rows)
    facts["pairs"] = _pair_facts(rows)
    sketches = gene_sketches(rows, nodes, raws, settings.families.k)
    equal = _equal_proteins(rows, nodes)
    shares = [settings.families.min_shared]
    if settings.split.by in ("record", "contig"):
        shares.append(settings.split.near_identical)
    similar = SimilarPairs(sketches, min(shares))
    family = families(similar, settings.families.min_shared, equal)
    rows["family"] = np.where(nodes < 0, -1, family[nodes] if len(family) else -1)
    facts["families"] = _family_facts(family)
    near = families(similar, shares[1], equal) if len(shares) > 1 else family
    rows, facts["split"] = hold_out(rows, nodes, family, near, settings.split, seed)
    return Merged(rows, facts=facts, repeats=repeats)


def _repeat(rows: Columns, row: int, first: int) -> Repeat:
    unit, length = int(rows["unit"][row]), int(rows["length"][row])
    species, molecule, name = (rows[column][row] for column in ("species", "molecule", "id"))
    return Repeat(species, molecule, name, unit, f"duplicate of {rows['id'][first]}", length)


def _equal_proteins(rows: Columns, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of genes with one protein, or one translation, letter by letter."""
    genes = np.flatnonzero(nodes >= 0)
    texts = np.where(rows["molecule"][genes] == "cds", rows["translation"][genes], rows["digest"][genes])
    genes, texts = genes[texts != ""], texts[texts != ""]
    left, right = nodes[genes][first_rows(numbered([texts]))], nodes[genes]
    return left[left != right], right[left != right]


def _renumber(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    result = np.full(len(nodes), -1, dtype=np.int64)
    genes = nodes >= 0
    result[genes] = in_order(nodes[genes])
    return result


def _still_paired(rows: Columns) -> NDArray[np.object_]:
    """Keys of pairs of which both are still there."""
    numbers = numbered((rows["species"], rows["gene_key"]))
    return np.where(np.bincount(numbers)[numbers] == 2, rows["gene_key"], "")


def _pair_facts(rows: Columns) -> dict[str, int]:
    """How many genes have both texts, and how many of the proteins are the plain translation."""
    paired = np.flatnonzero(rows["gene_key"] != "")
    order = np.argsort(numbered((rows["species"][paired], rows["gene_key"][paired])), kind="stable")
    paired = paired[order]
    is_cds = rows["molecule"][paired] == "cds"
    translations = rows["translation"][paired[is_cds]]
    proteins = rows["digest"][paired[~is_cds]]
    return {"genes": len(translations), "equal_translations": int((translations == proteins).sum())}


def _family_facts(family: NDArray[np.int64]) -> dict[str, int]:
    sizes = np.bincount(family) if len(family) else np.zeros(0, dtype=np.int64)
    return {
        "genes": len(family),
        "families": len(sizes),
        "single": int((sizes == 1).sum()),
        "largest": int(sizes.max(initial=0)),
    }


def gene_sketches(rows: Columns, nodes: NDArray[np.int64], raws: list[Raw], k: int) -> Sketches:
    """The k-mers of each gene: of its proteins, or of its translated cds where it has no protein."""
    genes = int(nodes.max(initial=-1)) + 1
    protein = rows["molecule"] == "protein"
    has_protein = np.zeros(genes, dtype=bool)
    has_protein[nodes[protein]] = True
    cds = np.flatnonzero(rows["molecule"] == "cds")
    chosen = np.sort(np.concatenate([np.flatnonzero(protein), cds[~has_protein[nodes[cds]]]]))

    sizes = np.where(protein, rows["length"], rows["length"] // 3)[chosen]
    ends = np.cumsum(sizes)

    def proteins() -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]]:
        begin = 0
        while begin < len(chosen):
            done = ends[begin - 1] if begin else 0
            stop = max(int(np.searchsorted(ends, done + FAMILY_CHUNK)), begin + 1)
            offsets = np.concatenate([[done], ends[begin:stop]]).astype(np.int64) - done
            yield nodes[chosen[begin:stop]], _residues(rows, raws, chosen[begin:stop]), offsets
            begin = stop

    return sketch(proteins, genes, k, total=int(sizes.sum()), least=SAMPLED_LEAST)


def _residues(rows: Columns, raws: list[Raw], chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Proteins of these rows, joined; coding sequences are translated. Neighbours are read together."""
    at, length = rows["at"][chosen], rows["length"][chosen]
    protein, code = rows["molecule"][chosen] == "protein", rows["table"][chosen]
    raw = rows["raw"][chosen]
    together = (raw[1:] == raw[:-1]) & (at[1:] == at[:-1] + length[:-1])
    together &= protein[1:] | ((code[1:] == code[:-1]) & (length[:-1] % 3 == 0))
    starts = np.flatnonzero(np.r_[True, ~together])
    texts = []
    for first, last in zip(starts.tolist(), (np.r_[starts[1:], len(chosen)] - 1).tolist(), strict=True):
        with open(raws[int(raw[first])].symbols, "rb") as handle:
            handle.seek(int(at[first]))
            text = np.frombuffer(handle.read(int(at[last] + length[last] - at[first])), dtype=np.uint8)
        texts.append(text if protein[first] else genetic_code(int(code[first])).translate(text))
    return np.concatenate(texts)


def write_shards(merged: Merged, raws: list[Raw], folder: Path, limit: int) -> None:
    """Write the shards of all groups, and fill in the rows' ``shard`` and ``start``."""
    rows = merged.columns
    rows["shard"] = np.zeros(len(rows["length"]), dtype=np.int32)
    rows["start"] = np.zeros(len(rows["length"]), dtype=np.int64)
    species, molecule = rows["species"], rows["molecule"]
    begins = np.flatnonzero((species[1:] != species[:-1]) | (molecule[1:] != molecule[:-1])) + 1
    for first, last in pairwise([0, *begins.tolist(), len(species)]):
        _write_group(merged, raws, folder, limit, slice(first, last))


def _write_group(merged: Merged, raws: list[Raw], folder: Path, limit: int, part: slice) -> None:
    rows = {name: column[part] for name, column in merged.columns.items()}
    lengths, used = rows["length"], np.unique(rows["raw"]).tolist()
    soft = any(raws[index].soft is not None for index in used)
    bounds = plan_shards(lengths, columns=2 if soft else 1, limit=limit)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    shard = np.searchsorted(bounds, starts[:-1], side="right") - 1
    before = len(merged.shards)
    merged.columns["shard"][part] = before + shard
    merged.columns["start"][part] = starts[:-1] - bounds[shard]
    species, molecule = str(rows["species"][0]), rows["molecule"][0]
    for index in range(len(bounds) - 1):
        low, high = int(bounds[index]), int(bounds[index + 1])
        name = f"{species}.{molecule}.{index:05d}.safetensors"
        inner = starts[(starts > low) & (starts < high)]
        offsets = np.concatenate([[low], inner, [high]]) - low
        write_shard(folder / name, _spans(rows, raws, starts, low, high), offsets, soft=soft)
        merged.shards.append(name)
        merged.shard_symbols.append(high - low)
    shards = tuple(range(before, len(merged.shards)))
    group = Group(species, molecule, int(part.start), len(lengths), int(bounds[-1]), shards, soft)
    merged.groups.append(group)


def _spans(rows: Columns, raws: list[Raw], starts: NDArray[np.int64], low: int, high: int) -> list[Span]:
    """Where symbols ``low`` to ``high`` of a group are in its raw files."""
    first = int(np.searchsorted(starts, low, side="right")) - 1
    last = int(np.searchsorted(starts, high, side="left"))
    raw, at, start = rows["raw"][first:last], rows["at"][first:last], starts[first:last]
    begins = at + np.maximum(low, start) - start
    ends = at + np.minimum(high, starts[first + 1 : last + 1]) - start
    new = np.flatnonzero((raw[1:] != raw[:-1]) | (begins[1:] != ends[:-1])) + 1
    return [
        Span(raws[int(raw[a])].symbols, raws[int(raw[a])].soft, int(begins[a]), int(ends[b - 1]))
        for a, b in pairwise([0, *new.tolist(), len(raw)])
    ]


def duplicate_tallies(before: Columns, after: Columns) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Records and symbols that dropping duplicates cost, by (species, molecule), and rows that are left.

    A record that was cut in pieces is dropped when all its pieces are; otherwise its lost pieces are cut.
    """
    lost: dict[tuple[str, str], tuple[int, int, int]] = {}
    begins = first_rows(numbered((before["species"], before["molecule"])))
    for row in np.unique(begins).tolist():
        mark = (str(before["species"][row]), str(before["molecule"][row]))
        counts = [_extent(rows, mark) for rows in (before, after)]
        lost[mark] = (counts[0][0] - counts[1][0], counts[0][1] - counts[1][1], counts[1][2])
    return lost


def _extent(rows: Columns, mark: tuple[str, str]) -> tuple[int, int, int]:
    mine = (rows["species"] == mark[0]) & (rows["molecule"] == mark[1])
    records = distinct(numbered((rows["unit"][mine], rows["ordinal"][mine])))
    return records, int(rows["length"][mine].sum()), int(mine.sum())


def note_duplicates(tally: Tally, records: int, symbols: int, pieces: int) -> None:
    """Count what was dropped as duplicate."""
    if symbols:
        tally.note("dropped", "duplicate", symbols, records)
    tally.kept.add(-records, -symbols)
    tally.pieces = pieces
