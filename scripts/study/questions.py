"""Tables of the study's further questions: what GC3 explains, what surprises, who is near, which codes hold.

Everything is read from what ``mrr-compare`` and :mod:`scripts.study.grammars` wrote; nothing is measured here
but how distances between species go with GC3 and the tree, which only all of them together can say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean

from scripts.study.ladder import LEFT_OUT, MIDDLE, Row, read_rows

PROPERTIES = ("gc3", "third_base", "frequency", "first_two_bases", "meaning")
BOTH = "without_gc3_and_frequency"
SYNONYM_SCOPES = {
    "synonyms": "all",
    "synonyms_without": BOTH,
    "between": "between_blocks",
    "between_without": f"between_blocks_{BOTH}",
}
RANKS = {"phylum": 1, "domain": 2, "life": 3}

Cells = Mapping[str, str]


def explained_rows(out: Path) -> Iterator[Row]:
    """One row a text and place: what properties explain, and the endpoints with and without GC3 and usage."""
    grammar = read_rows(out / "grammars" / "grammar.tsv")
    for species in dict.fromkeys(row["species"] for row in grammar):
        mine = [row for row in grammar if row["species"] == species]
        yield {**_about(species, "", "pair ratios", "", ""), **_figures(mine)}
    for path in sorted((out / "composition").glob("*/compared-*/measures.tsv")):
        species, _, rung = path.parent.parent.name.partition("-")
        seed = path.parent.name.rpartition("-")[2]
        rows = read_rows(path)
        largest = max((int(r["tokens_seen"]) for r in rows if r["vectors"] == "ppmi"), default=0)
        for vectors in ("ppmi", "word2vec"):
            mine = [r for r in rows if (r["vectors"], r["tokens_seen"]) == (vectors, str(largest))]
            if mine:
                yield {**_about(species, rung, vectors, "", seed), **_figures(mine)}
        own = [row for row in rows if row["vectors"] == "contextual"]
        for layer in sorted({row["layer"] for row in own}, key=int):
            mine = [row for row in own if row["layer"] == layer]
            yield {**_about(species, rung, "network", layer, seed), **_figures(mine)}


def _about(species: str, rung: str, vectors: str, layer: str, seed: str) -> Row:
    return {"species": species, "rung": rung, "vectors": vectors, "layer": layer, "seed": seed}


def _figures(rows: Sequence[Cells]) -> Row:
    """The cells of :func:`explained_rows`; empty where a measure is not among the rows."""
    found: dict[str, object] = {}
    for name in PROPERTIES:
        cells = _one(rows, name, "explained")
        found[name] = cells.get("value", "")
        found[f"{name}_null95"] = cells.get("null95", "")
    for name, scope in SYNONYM_SCOPES.items():
        cells = _one([r for r in rows if r.get("direction", "codon_to_synonym") == "codon_to_synonym"], scope)
        found |= {name: cells.get("value", ""), f"{name}_null95": cells.get("null95", "")}
        found |= {f"{name}_{end}": cells.get(end, "") for end in ("low", "high")}
    left = [row for row in rows if row.get("direction") == LEFT_OUT[2]]
    for name, scope in (("left_out", LEFT_OUT[1]), ("left_out_without", BOTH)):
        cells = _one(left, scope, similarity=LEFT_OUT[0])
        found |= {name: cells.get("value", ""), f"{name}_null95": cells.get("null95", "")}
        found |= {f"{name}_{end}": cells.get(end, "") for end in ("low", "high")}
    return found


def _one(rows: Sequence[Cells], scope: str, statistic: str = "mrr", similarity: str = "centred") -> Cells:
    wanted = (scope, statistic, similarity)
    for row in rows:
        if (row["scope"], row["statistic"], row.get("similarity", "centred")) == wanted:
            return row
    return {}


def surprise_rows(out: Path) -> Iterator[Row]:
    """One row a network and codon: how surprising, what the neighbourhood tells, and where it is common."""
    islands = {
        (row["species"], row["codon"]): row["in_lowest_gc3"]
        for row in read_rows(out / "grammars" / "islands.tsv")
    }
    for path in sorted((out / "composition").glob("*/compared-*/codon_surprise.tsv")):
        species, _, rung = path.parent.parent.name.partition("-")
        rows = read_rows(path)
        by = {(row["codon"], row["region"]): row for row in rows}
        for codon in dict.fromkeys(row["codon"] for row in rows):
            whole, inside = by[codon, "all"], by.get((codon, "inside"))
            cells = {
                name: whole[name]
                for name in (
                    "amino_acid",
                    "n",
                    "usage",
                    "bits",
                    "bits_low",
                    "bits_high",
                    "by_usage",
                    "by_mean",
                )
            }
            ends: dict[str, object] = {}
            for name in ("first", "last"):
                row = by.get((codon, name))
                ends |= _enrichment(name, row, inside)
                ends[f"{name}_bits"] = row["bits"] if row else ""
            yield {
                "species": species,
                "rung": rung,
                "seed": path.parent.name.rpartition("-")[2],
                "codon": codon,
                **cells,
                **{name: whole[name] for name in ("gain", "gain_low", "gain_high")},
                "in_lowest_gc3": islands.get((species, codon), ""),
                "inside_gain": inside["gain"] if inside else "",
                "inside_bits": inside["bits"] if inside else "",
                **ends,
            }


def _enrichment(name: str, row: Cells | None, inside: Cells | None) -> Row:
    """log2 of the codon's share there over its share inside, with 95 % by counting error."""
    keys = (name, f"{name}_low", f"{name}_high")
    if row is None or inside is None or row["codon"] == "all":
        return dict.fromkeys(keys, "")
    value = math.log2(float(row["usage"]) / float(inside["usage"]))
    half = 1.96 * math.sqrt(1 / int(row["n"]) + 1 / int(inside["n"])) / math.log(2)
    return dict(zip(keys, (f"{v:.3f}" for v in (value, value - half, value + half)), strict=True))


def species_rows(out: Path) -> Iterator[Row]:
    """One row a pair of species: likeness of grammars, codons looked up both ways, networks beside."""
    looked = read_rows(out / "grammars" / "lookups.tsv")
    pooled = [
        row
        for path in sorted((out / "pooled" / "apart").glob("compared-*/measures.tsv"))
        for row in read_rows(path)
    ]
    likeness = read_rows(out / "grammars" / "likeness.tsv")
    parts = {(row["a"], row["b"], row["part"]): row for row in likeness}
    for row in likeness:
        if row["part"] != "all":
            continue
        pair = (row["a"], row["b"])
        other = parts[*pair, "beyond amino acids"]
        yield {
            "a": row["a"],
            "b": row["b"],
            "shared_rank": row["shared_rank"],
            "gc3_apart": f"{abs(float(row['gc3_a']) - float(row['gc3_b'])):.3f}",
            **{name: row[name] for name in ("codons", "r", "low", "high", "p", "without_noise")},
            **{f"beyond_{name}": other[name] for name in ("r", "low", "high", "p", "without_noise")},
            "frame1_r": parts.get((*pair, "frame +1"), {}).get("r", ""),
            "shuffled_r": parts.get((*pair, "shuffled within genes"), {}).get("r", ""),
            **{
                f"lookup_{name}": _both_ways(looked, pair, what)
                for name, what in (("codon", "same codon"), ("amino_acid", "same amino acid"))
            },
            **{
                f"network_{name}": _network_both_ways(pooled, pair, direction)
                for name, direction in (
                    ("codon", "codon_to_same_codon"),
                    ("amino_acid", "codon_to_codon_of_same_amino"),
                )
            },
        }


def _both_ways(rows: Sequence[Cells], pair: tuple[str, str], what: str) -> str:
    """Mean MRR of the two directions, by rotation."""
    found = [
        float(row["mrr"])
        for row in rows
        if {row["a"], row["b"]} == set(pair)
        and row["looked_up"] == what
        and row["how"].startswith("rotation")
    ]
    return f"{fmean(found):.3f}" if found else ""


def _network_both_ways(rows: Sequence[Cells], pair: tuple[str, str], direction: str) -> str:
    """The same between the species of one network, its middle layer, by rotation: mean over seeds."""
    wanted = ("contextual", MIDDLE, direction, "procrustes", "mrr")
    names = ("vectors", "layer", "direction", "similarity", "statistic")
    found = [
        float(row["value"])
        for row in rows
        if {row["species_a"], row["species_b"]} == set(pair) and tuple(row[name] for name in names) == wanted
    ]
    return f"{fmean(found):.3f}" if found else ""


def trend_rows(pairs: Sequence[Row]) -> Iterator[Row]:
    """Does nearness go with GC3 and the tree? Spearman's correlation over pairs, names dealt in all ways.

    Args:
        pairs: of :func:`species_rows`.
    """
    measures = (
        "without_noise",
        "beyond_without_noise",
        "lookup_codon",
        "lookup_amino_acid",
        "network_amino_acid",
    )
    for measure in measures:
        kept = [row for row in pairs if row[measure] != ""]
        names = sorted({str(row[side]) for row in kept for side in ("a", "b")})
        if len(names) < 4:
            continue
        near = {_key(row): float(str(row[measure])) for row in kept}
        for what in ("gc3_apart", "shared_rank"):
            far = {
                _key(row): float(str(row[what])) if what == "gc3_apart" else RANKS[str(row[what])]
                for row in kept
            }
            value, p = _mantel(names, near, far)
            yield {
                "nearness": measure,
                "against": what,
                "species": len(names),
                "spearman": f"{value:.2f}",
                "p": f"{p:.3f}",
            }


def _key(row: Row) -> frozenset[str]:
    return frozenset((str(row["a"]), str(row["b"])))


def _mantel(
    names: Sequence[str], near: Mapping[frozenset[str], float], far: Mapping[frozenset[str], float]
) -> tuple[float, float]:
    """Spearman's correlation of two tables of pairs, and the share of all relabellings that are as low."""
    from genomecli.analysis.measured import spearman

    order = sorted(near, key=sorted)
    first = [near[pair] for pair in order]

    def value(dealt: Mapping[str, str]) -> float:
        import numpy as np

        second = [far[frozenset(dealt[name] for name in pair)] for pair in order]
        return spearman(np.array(first), np.array(second))

    seen = value({name: name for name in names})
    all_ways = [value(dict(zip(names, way, strict=True))) for way in permutations(names)]
    return seen, sum(one <= seen + 1e-9 for one in all_ways) / len(all_ways)


POOLED = {
    "left_out": "left-out amino acids",
    "synonyms": "synonymous codons",
    "between": "synonyms between blocks",
    "cosine": "plain cosine",
}
"""Columns of :func:`pooled_rows`, and what ``headline.tsv`` calls them."""


def pooled_rows(out: Path) -> Iterator[Row]:
    """One row a pooled network and species: its headline at the middle layer, and left-out amino acids at the
    embedding."""
    for path in sorted((out / "pooled").glob("*/compared-*/headline.tsv")):
        rows = read_rows(path)
        summary = json.loads(path.with_name("summary.json").read_text(encoding="utf-8"))
        tokens = str(summary["runs"][0]["tokens_seen"])
        measures = [r for r in read_rows(path.with_name("measures.tsv")) if r["tokens_seen"] == tokens]
        for species in dict.fromkeys(row["species"] for row in rows):
            row: dict[str, object] = {
                "network": path.parent.parent.name,
                "seed": path.parent.name.rpartition("-")[2],
                "species": species,
            }
            mine = {cells["measure"]: cells for cells in rows if cells["species"] == species}
            for name, measure in POOLED.items():
                cells = mine.get(measure, {})
                row[name] = cells.get("MRR", "")
                row[f"{name}_shuffled_95"] = cells.get("shuffled 95 %", "")
            row |= _embedding_row(measures, species)
            yield row


def _embedding_row(measures: Sequence[Cells], species: str) -> Row:
    """Left-out amino acids of one species at layer 0."""
    wanted = ("contextual", "0", "0", species, species, *LEFT_OUT)
    names = ("vectors", "layer", "frame", "species_a", "species_b", "similarity", "scope", "direction")
    found = {
        row["statistic"]: row["value"] for row in measures if tuple(row[name] for name in names) == wanted
    }
    return {
        "left_out_embedding": found.get("mrr", ""),
        "left_out_embedding_shuffled_95": found.get("permutation_null95", ""),
    }


def code_rows(out: Path) -> Iterator[Row]:
    """One row a network (or decipherment) and species: how far its code is told, and how UGA reads."""
    for kind in ("ladder", "pooled"):
        for path in sorted((out / kind).glob("*/compared-*/summary.json")):
            found = json.loads(path.read_text(encoding="utf-8"))
            surprises = read_rows(path.parent / "surprises.tsv")
            for code in found.get("genetic_codes", ()):
                uga = [
                    row
                    for row in surprises
                    if (row["species"], row["evidence"], row["codon"])
                    == (code["species"], code["evidence"], "TGA")
                ]
                yield {
                    "text": path.parent.parent.name
                    if kind == "ladder"
                    else f"pooled-{path.parent.parent.name}",
                    "seed": path.parent.name.rpartition("-")[2],
                    "species": code["species"],
                    "evidence": "DNA" if code["evidence"] == "dna" else "DNA and protein",
                    "given": code["given"],
                    "decided": int(code["decided"]),
                    "agrees": "" if code["agrees"] is None else int(code["agrees"]),
                    "place_of_given": code["place_of_given"],
                    "classes_possible": len(code["possible"]),
                    "given_possible": int(any(code["given"] in tables for tables in code["possible"])),
                    "p": code["p"],
                    "UGA_rank_of_W": uga[0]["rank"] if uga else "",
                    "UGA_nearest": uga[0]["nearest"] if uga else "",
                }
