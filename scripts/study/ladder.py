"""Tables and figures of the study's networks, from whatever comparisons are finished.

Everything is read from the tables that ``mrr-compare`` writes, one folder a network; nothing is measured
here. The layer of a row is the middle one, named before any run; beside it stands the layer that is best,
on the same rung, for the other species, so that no species chooses its own.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

Row = Mapping[str, object]

RUNGS = (
    *("frame1", "frame2", "windows", "disjoint", "comparable", "anchored5", "anchored10"),
    *("deciphered", "shared", "mistranslated", "withheld", "translated", "paired"),
)
"""In the order of the figures: negative controls, then from the hardest relation to the easiest."""

CHOOSERS = ("ecoli", "spyogenes", "syn3a", "yeast")
"""Species that choose a layer for the others. A mixture that holds some of them is given none."""

MIXED = ("samples",)
"""Texts of several species."""

LEFT_OUT = ("procrustes", "leave_one_amino_acid_out", "codon_to_amino")
UNTOLD = ("procrustes", "untold_left_out", "codon_to_amino")
SYNONYMS = ("centred", "all", "codon_to_synonym")
BETWEEN = ("centred", "between_blocks", "codon_to_synonym")
SIMILARITIES = {
    "cosine": ("cosine", "all", "codon_to_amino"),
    "centred": ("centred", "all", "codon_to_amino"),
    "csls": ("csls", "all", "codon_to_amino"),
    "csls_centred": ("csls_centred", "all", "codon_to_amino"),
    "left_out": LEFT_OUT,
    "untold": UNTOLD,
    "synonyms": SYNONYMS,
    "between_blocks": BETWEEN,
}
"""Similarity, scope and direction of the rows that are kept."""


@dataclass(frozen=True)
class Network:
    """One network and what was measured of it.

    Args:
        species, rung, seed: which one.
        tokens: seen by the checkpoint that is reported, the best on validation.
        summary: its headline.
        rows: MRR rows, contextual, in its own frame.
        shuffled: what 95 % of shuffled codes stay below, likewise.
        static: MRR rows of static vectors that were trained on its texts, by method.
    """

    species: str
    rung: str
    seed: int
    tokens: int
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, str]]
    shuffled: Sequence[Mapping[str, str]]
    static: Sequence[Mapping[str, str]]

    def figure(self, measure: tuple[str, str, str], layer: int, tokens: int | None = None) -> float | None:
        """MRR of a layer as reported, or at another count of tokens."""
        return self._cell(self.rows, "value", measure, layer, tokens)

    def shuffled_95(self, measure: tuple[str, str, str], layer: int) -> float | None:
        """What 95 % of codes with amino acids dealt anew to the blocks stay below, at a layer as reported."""
        found = self._cell(self.shuffled, "value", measure, layer)
        # Where codons were not told, the null stands beside the figure.
        return self._cell(self.rows, "null95", measure, layer) if measure == UNTOLD else found

    def _cell(
        self,
        rows: Sequence[Mapping[str, str]],
        column: str,
        measure: tuple[str, str, str],
        layer: int,
        tokens: int | None = None,
    ) -> float | None:
        wanted = (*measure, str(layer), str(self.tokens if tokens is None else tokens))
        names = ("similarity", "scope", "direction", "layer", "tokens_seen")
        found = [row for row in rows if tuple(row[name] for name in names) == wanted]
        return float(found[0][column]) if found else None

    def static_figures(
        self, method: str, place: int, measures: Mapping[str, tuple[str, str, str]]
    ) -> Iterator[tuple[str, float]]:
        """MRR of static vectors, by name of the measure, from the ``place``-th smallest amount of text."""
        mine = [row for row in self.static if row["vectors"] == method]
        amounts = sorted({int(row["tokens_seen"]) for row in mine})
        for row in mine:
            if place < len(amounts) and int(row["tokens_seen"]) == amounts[place]:
                about = (row["similarity"], row["scope"], row["direction"])
                yield from ((name, float(row["value"])) for name, kind in measures.items() if kind == about)

    @property
    def layers(self) -> list[int]:
        """Layers that were measured."""
        return sorted({int(row["layer"]) for row in self.rows})


def networks(folder: Path) -> Iterator[Network]:
    """All networks of the ladder that were compared."""
    for path in sorted(folder.glob("*/compared-*/summary.json")):
        species, _, rung = path.parent.parent.name.partition("-")
        found = json.loads(path.read_text(encoding="utf-8"))
        head = found["headlines"][0]
        with (path.parent / "measures.tsv").open(encoding="utf-8", newline="") as stream:
            measures = list(csv.DictReader(stream, delimiter="\t"))
        rows, shuffled = (
            [row for row in measures if row["statistic"] == name] for name in ("mrr", "permutation_null95")
        )
        own = str(head["frame"])
        yield Network(
            species,
            rung,
            int(path.parent.name.rpartition("-")[2]),
            int(found["runs"][0]["tokens_seen"]),
            head,
            *(
                [row for row in some if row["vectors"] == "contextual" and row["frame"] == own]
                for some in (rows, shuffled)
            ),
            [row for row in rows if row["vectors"] in ("ppmi", "word2vec")],
        )


Groups = Mapping[tuple[str, str], Sequence[Network]]


def grouped(found: Sequence[Network]) -> Groups:
    """Networks by species and rung, in the order of the figures."""
    groups: dict[tuple[str, str], list[Network]] = defaultdict(list)
    for network in found:
        groups[network.species, network.rung].append(network)
    order = sorted(groups, key=lambda key: (key[0], RUNGS.index(key[1]) if key[1] in RUNGS else len(RUNGS)))
    return {key: sorted(groups[key], key=lambda network: network.seed) for key in order}


def chosen_layer(layers: Sequence[Row], species: str, rung: str) -> int | None:
    """The layer that is best on this rung over the networks of the other species of ``CHOOSERS``.

    Args:
        layers: of :func:`layer_rows`; means over seeds.

    Returns:
        None where there is no other species, or ``species`` is a mixture.
    """
    values: dict[int, list[float]] = defaultdict(list)
    for row in layers:
        chooses = row["species"] in CHOOSERS and row["species"] != species
        if chooses and (row["rung"], row["measure"]) == (rung, "left_out"):
            values[int(str(row["layer"]))] += [float(str(row["mean"]))] * int(str(row["seeds"]))
    if not values or species in MIXED:
        return None
    return max(values, key=lambda layer: (fmean(values[layer]), -layer))


def ladder_rows(groups: Groups, layers: Sequence[Row]) -> Iterator[Row]:
    """One row a network, with what it reaches at the layer that ``layers`` choose for it."""
    for (species, rung), mine in groups.items():
        layer = chosen_layer(layers, species, rung)
        for network in mine:
            head = network.summary
            own = head["left_out_amino_acids"]
            yield {
                "species": species,
                "rung": rung,
                "seed": network.seed,
                "layer": head["layer"],
                "left_out_mrr": _text(own["value"]),
                "low": _text(own["low"]),
                "high": _text(own["high"]),
                "shuffled_95": _text(head["left_out_shuffled_95"]),
                "untrained": _value(head["untrained"]),
                "untold_mrr": _value(head["left_out_untold_codons"]),
                "synonyms_mrr": _value(head["synonymous_codons"]),
                "between_blocks_mrr": _value(head["synonymous_codons_between_blocks"]),
                "cosine_mrr": _value(head["cosine"]),
                "layer_of_others": "" if layer is None else layer,
                "left_out_mrr_there": _text(None if layer is None else network.figure(LEFT_OUT, layer)),
                "untold_mrr_there": _text(None if layer is None else network.figure(UNTOLD, layer)),
                "shuffled_95_there": _text(None if layer is None else network.shuffled_95(LEFT_OUT, layer)),
                "untold_shuffled_95_there": _text(
                    None if layer is None else network.shuffled_95(UNTOLD, layer)
                ),
            }


def layer_rows(groups: Groups) -> Iterator[Row]:
    """One row a species, rung, layer and measure, as reported: mean over seeds and its spread."""
    for (species, rung), mine in groups.items():
        for layer in mine[0].layers:
            for name, measure in SIMILARITIES.items():
                values = [v for n in mine if (v := n.figure(measure, layer)) is not None]
                if values:
                    yield {
                        "species": species,
                        "rung": rung,
                        "layer": layer,
                        "measure": name,
                        "seeds": len(values),
                        "mean": _text(fmean(values)),
                        "sd": _text(stdev(values)) if len(values) > 1 else "",
                    }


def training_rows(groups: Groups) -> Iterator[Row]:
    """One row a species, rung, layer and kept checkpoint: the two endpoints along training."""
    for (species, rung), mine in groups.items():
        # Checkpoints of seeds lie a few tokens apart; they are matched by their order.
        steps = [sorted({int(row["tokens_seen"]) for row in n.rows}) for n in mine]
        for place in range(min(map(len, steps))):
            for layer in mine[0].layers:
                ends = {
                    name: [
                        v
                        for n, tokens in zip(mine, steps, strict=True)
                        if (v := n.figure(measure, layer, tokens[place])) is not None
                    ]
                    for name, measure in (("left_out", LEFT_OUT), ("synonyms", SYNONYMS))
                }
                yield {
                    "species": species,
                    "rung": rung,
                    "layer": layer,
                    "tokens": round(fmean(tokens[place] for tokens in steps)),
                    "seeds": len(mine),
                    **{name: _text(fmean(values)) if values else "" for name, values in ends.items()},
                }


def static_rows(groups: Groups) -> Iterator[Row]:
    """One row a species, rung, method and amount of text: what static vectors of the same texts know."""
    ends = {"left_out": LEFT_OUT, "synonyms": SYNONYMS}
    for (species, rung), mine in groups.items():
        for method in ("ppmi", "word2vec"):
            # All of the text is a few tokens more or less from seed to seed: amounts are matched by order.
            amounts = [
                sorted({int(r["tokens_seen"]) for r in n.static if r["vectors"] == method}) for n in mine
            ]
            amounts = [found for found in amounts if found]
            for place in range(min(map(len, amounts), default=0)):
                values: dict[str, list[float]] = defaultdict(list)
                for network in mine:
                    for name, value in network.static_figures(method, place, ends):
                        values[name].append(value)
                yield {
                    "species": species,
                    "rung": rung,
                    "vectors": method,
                    "tokens": round(fmean(found[place] for found in amounts)),
                    "seeds": len(values["left_out"]),
                    **{name: _text(fmean(values[name])) if values[name] else "" for name in ends},
                }


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _value(measure: Mapping[str, Any] | None) -> str:
    return "" if measure is None else _text(measure["value"])
