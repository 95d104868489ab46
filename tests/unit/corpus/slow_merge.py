"""What the merge does with arrays, row by row in the plainest way, to test it against."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.genes import in_order
from genomecli.corpus.merge import Raw
from genomecli.corpus.shards import Span
from genomecli.corpus.splits import assign

Rows = dict[str, NDArray[Any]]
Ints = NDArray[np.int64]


def repeated(*columns: NDArray[Any]) -> list[bool]:
    """Whether an earlier row has the same."""
    seen: set[tuple[Any, ...]] = set()
    result = []
    for mark in zip(*(column.tolist() for column in columns), strict=True):
        result.append(mark in seen)
        seen.add(mark)
    return result


def gene_nodes(rows: Rows, keys: NDArray[Any]) -> list[int]:
    """Rows of one record, one pair or one key, joined by repeated renaming."""
    label = list(range(len(keys)))
    marks: dict[tuple[Any, ...], int] = {}
    for row in range(len(keys)):
        if rows["molecule"][row] == "genome":
            continue
        mine: list[tuple[Any, ...]] = [
            ("record", rows["unit"][row], rows["molecule"][row], rows["ordinal"][row])
        ]
        mine += [("pair", rows["species"][row], keys[row])] if keys[row] else []
        mine += [("gene", rows["species"][row], rows["gene"][row])] if rows["gene"][row] else []
        for mark in mine:
            old, new = label[row], label[marks.setdefault(mark, row)]
            label = [new if one == old else one for one in label]
    genes = rows["molecule"] != "genome"
    nodes = np.full(len(keys), -1, dtype=np.int64)
    nodes[genes] = in_order(np.array(label)[genes])
    return nodes.tolist()


def still_paired(rows: Rows) -> list[str]:
    """Keys that two rows of a species have."""
    marks = list(zip(rows["species"].tolist(), rows["gene_key"].tolist(), strict=True))
    return [key if marks.count((species, key)) == 2 else "" for species, key in marks]


def equal_proteins(rows: Rows, nodes: Ints) -> list[tuple[int, int]]:
    """Each gene row with the first gene that has its text, where that is another gene."""
    first: dict[str, int] = {}
    pairs = []
    for row in range(len(nodes)):
        if nodes[row] < 0:
            continue
        text = rows["translation" if rows["molecule"][row] == "cds" else "digest"][row]
        other = first.setdefault(text, int(nodes[row])) if text else int(nodes[row])
        if other != nodes[row]:
            pairs.append((other, int(nodes[row])))
    return pairs


def pair_facts(rows: Rows) -> dict[str, int]:
    """Genes with both texts, and those whose protein is the translation."""
    texts: dict[tuple[str, str], dict[str, str]] = {}
    for row in np.flatnonzero(rows["gene_key"] != "").tolist():
        molecule = rows["molecule"][row]
        text = rows["translation" if molecule == "cds" else "digest"][row]
        texts.setdefault((rows["species"][row], rows["gene_key"][row]), {})[molecule] = text
    return {
        "genes": len(texts),
        "equal_translations": sum(pair["cds"] == pair["protein"] for pair in texts.values()),
    }


def clip_to_last(numbers: Ints, rows: Rows, genome: NDArray[np.bool_]) -> list[int]:
    """Block numbers, of genes at most that of their contig's last block."""
    last: dict[tuple[str, str], int] = {}
    marks = list(zip(rows["species"].tolist(), rows["contig"].tolist(), strict=True))
    for row in np.flatnonzero(genome).tolist():
        last[marks[row]] = max(last.get(marks[row], 0), int(numbers[row]))
    return [
        int(number) if own else min(int(number), last.get(mark, int(number)))
        for number, mark, own in zip(numbers, marks, genome, strict=True)
    ]


def gene_sides(rows: Rows, nodes: Ints, near: Ints, shares: dict[str, Any]) -> list[int]:
    """Sides of gene rows: groups are named by their smallest digest, and owned by its first row."""
    genes = np.flatnonzero(nodes >= 0).tolist()
    names: dict[int, tuple[str, str]] = {}
    for row in genes:
        group, name = int(near[nodes[row]]), (rows["digest"][row], rows["species"][row])
        if group not in names or name[0] < names[group][0]:
            names[group] = name
    if not genes:
        return []
    labels = [names[group] for group in range(len(names))]
    sizes = np.bincount(near).astype(np.int64)
    sides = assign([label for label, _ in labels], sizes, [owner for _, owner in labels], **shares)
    return [int(sides[near[nodes[row]]]) for row in genes]


def hashes(seed: int, labels: Sequence[str]) -> list[int]:
    """Eight bytes of a hash of each label."""
    return [
        int.from_bytes(hashlib.blake2b(f"{seed}\x1f{label}".encode(), digest_size=8).digest(), "big")
        for label in labels
    ]


def join_genome(rows: Rows) -> list[tuple[int, int, str]]:
    """First and last of the rows that become one, and its id."""
    runs: list[list[int]] = []
    for row in range(len(rows["unit"])):
        before = runs[-1][-1] if runs else -1
        if (
            runs
            and rows["molecule"][row] == "genome" == rows["molecule"][before]
            and all(rows[name][row] == rows[name][before] for name in ("unit", "ordinal", "split"))
            and rows["cds_end"][before] == rows["cds_start"][row]
        ):
            runs[-1].append(row)
        else:
            runs.append([row])
    marks = [(rows["molecule"][run[0]], rows["unit"][run[0]], rows["ordinal"][run[0]]) for run in runs]
    found = []
    for run, mark in zip(runs, marks, strict=True):
        name = str(rows["id"][run[0]])
        if mark[0] == "genome" and marks.count(mark) > 1:
            name = f"{rows['contig'][run[0]]}:{rows['cds_start'][run[0]] + 1}-{rows['cds_end'][run[-1]]}"
        found.append((run[0], run[-1], name))
    return found


def spans(rows: Rows, raws: list[Raw], starts: Ints, low: int, high: int) -> list[Span]:
    """Where each row's share of a shard lies, touching ones joined."""
    found = []
    for row in range(len(rows["at"])):
        begin, end = max(low, int(starts[row])), min(high, int(starts[row + 1]))
        if begin < end:
            raw, shift = raws[int(rows["raw"][row])], int(rows["at"][row]) - int(starts[row])
            found.append(Span(raw.symbols, raw.soft, begin + shift, end + shift))
    return join_spans(found)


def join_spans(given: Iterable[Span]) -> list[Span]:
    """The same symbols in as few spans as possible."""
    joined: list[Span] = []
    for span in given:
        last = joined[-1] if joined else None
        if last and (last.symbols, last.soft, last.stop) == (span.symbols, span.soft, span.start):
            joined[-1] = Span(last.symbols, last.soft, last.start, span.stop)
        else:
            joined.append(span)
    return joined


def extent(rows: Rows, mark: tuple[str, str]) -> tuple[int, int, int]:
    """Records, symbols and rows of a species' molecule."""
    mine = [row for row in range(len(rows["unit"])) if (rows["species"][row], rows["molecule"][row]) == mark]
    records = {(int(rows["unit"][row]), int(rows["ordinal"][row])) for row in mine}
    return len(records), sum(int(rows["length"][row]) for row in mine), len(mine)
