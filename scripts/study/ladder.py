"""Tables and figures of the study's networks, from whatever comparisons are finished.

Everything is read from the tables that ``mrr-compare`` writes, one folder a network; nothing is measured
here. The primary endpoint is taken at the layer that is best, on the same rung, for the other species, so
that no species chooses its own (columns ``..._there``); the middle layer stands beside it.
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

PARTS = ("hundredth", "tenth")
"""Rungs of the founding figure: ``disjoint`` with that share of the families to learn from."""

CHOOSERS = ("ecoli", "spyogenes", "syn3a", "yeast")
"""Species that choose a layer for the others. A mixture that holds some of them is given none."""

MIDDLE = "2"
"""The middle layer of the study's networks of three blocks, taken where no other species chooses one."""

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

ALONG = {"left_out": LEFT_OUT, "synonyms": SYNONYMS, "between_blocks": BETWEEN}
"""What ``mrr-compare`` measures of checkpoints before the last; the rest of the last alone."""

THERE = (
    *("left_out_mrr_there", "low_there", "high_there", "shuffled_95_there", "untrained_there"),
    *("untold_mrr_there", "untold_shuffled_95_there"),
)
"""Columns of the ladder at the layer that other species choose."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a TSV table; none where it is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """A TSV table of rows with the same columns; nothing where there are no rows."""
    if rows:
        lines = ["\t".join(rows[0]), *("\t".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Network:
    """One network and what was measured of it.

    Args:
        species, rung, seed: which one.
        tokens: seen by the checkpoint that is reported, the best on validation.
        text: tokens of an epoch of its texts, codons and residues; None if its run is not at hand.
        summary: its headline.
        rows: MRR rows, contextual, in its own frame.
        shuffled: what 95 % of shuffled codes stay below, likewise.
        fresh: MRR rows of the same network before training.
        static: MRR rows of static vectors that were trained on its texts, by method.
    """

    species: str
    rung: str
    seed: int
    tokens: int
    text: int | None
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, str]]
    shuffled: Sequence[Mapping[str, str]]
    fresh: Sequence[Mapping[str, str]]
    static: Sequence[Mapping[str, str]]

    def figure(
        self, measure: tuple[str, str, str], layer: int, tokens: int | None = None, column: str = "value"
    ) -> float | None:
        """MRR of a layer as reported, or at another count of tokens; or an end of its interval."""
        return self._cell(self.rows, column, measure, layer, self.tokens if tokens is None else tokens)

    def shuffled_95(self, measure: tuple[str, str, str], layer: int) -> float | None:
        """What 95 % of codes with amino acids dealt anew to the blocks stay below, at a layer as reported."""
        if measure == UNTOLD:  # its null stands beside the figure
            return self.figure(measure, layer, column="null95")
        return self._cell(self.shuffled, "value", measure, layer, self.tokens)

    def untrained(self, measure: tuple[str, str, str], layer: int) -> float | None:
        """MRR of a layer before training."""
        return self._cell(self.fresh, "value", measure, layer, 0)

    def _cell(
        self,
        rows: Sequence[Mapping[str, str]],
        column: str,
        measure: tuple[str, str, str],
        layer: int,
        tokens: int,
    ) -> float | None:
        wanted = (*measure, str(layer), str(tokens))
        names = ("similarity", "scope", "direction", "layer", "tokens_seen")
        found = [row for row in rows if tuple(row[name] for name in names) == wanted]
        return float(found[0][column]) if found and found[0][column] else None

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
        measures = read_rows(path.parent / "measures.tsv")
        own = [row for row in measures if row["frame"] == str(head["frame"])]
        yield Network(
            species=species,
            rung=rung,
            seed=int(path.parent.name.rpartition("-")[2]),
            tokens=int(found["runs"][0]["tokens_seen"]),
            text=_text_size(path.parent.with_name(path.parent.name.replace("compared", "seed"))),
            summary=head,
            rows=_of(own, "mrr", "contextual"),
            shuffled=_of(own, "permutation_null95", "contextual"),
            fresh=_of(own, "mrr", "untrained"),
            static=_of(measures, "mrr", "ppmi", "word2vec"),
        )


def _text_size(run: Path) -> int | None:
    path = run / "summary.json"
    if not path.is_file():
        return None
    groups = json.loads(path.read_text(encoding="utf-8"))["reading"]["groups"]
    return sum(int(group["tokens_per_epoch"]) for group in groups)


def _of(rows: Sequence[dict[str, str]], statistic: str, *vectors: str) -> list[dict[str, str]]:
    return [row for row in rows if row["statistic"] == statistic and row["vectors"] in vectors]


Groups = Mapping[tuple[str, str], Sequence[Network]]


def grouped(found: Sequence[Network]) -> Groups:
    """Networks by species and rung, in the order of the figures."""
    groups: dict[tuple[str, str], list[Network]] = defaultdict(list)
    for network in found:
        groups[network.species, network.rung].append(network)
    order = sorted(groups, key=lambda key: (key[0], RUNGS.index(key[1]) if key[1] in RUNGS else len(RUNGS)))
    return {key: sorted(groups[key], key=lambda network: network.seed) for key in order}


def chosen_layer(layers: Sequence[Row], species: str, rung: str, measure: str = "left_out") -> int | None:
    """The layer that is best on this rung over the networks of the other species of ``CHOOSERS``.

    Args:
        layers: of :func:`layer_rows`; means over seeds.
        species: the one that does not choose.
        rung: the one that it is chosen on.
        measure: by which.

    Returns:
        None where there is no other species, or ``species`` is a mixture.
    """
    sums: dict[int, float] = defaultdict(float)
    for row in layers:
        chooses = row["species"] in CHOOSERS and row["species"] != species
        if chooses and (row["rung"], row["measure"]) == (rung, measure):
            # Each species measured all layers with the same seeds, so sums compare as means do.
            sums[int(str(row["layer"]))] += float(str(row["mean"])) * int(str(row["seeds"]))
    if not sums or species in MIXED:
        return None
    return max(sums, key=lambda layer: (sums[layer], -layer))


def ladder_rows(groups: Groups, layers: Sequence[Row]) -> Iterator[Row]:
    """One row a network, with what it reaches at the layer that ``layers`` choose for it."""
    for (species, rung), mine in groups.items():
        layer = chosen_layer(layers, species, rung)
        for network in mine:
            head = network.summary
            own = head["left_out_amino_acids"]
            there = _at_layer(network, layer)
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
                **{name: _text(there.get(name)) for name in THERE},
            }


def _at_layer(network: Network, layer: int | None) -> dict[str, float | None]:
    """The columns of :data:`THERE`; none where no layer is chosen."""
    if layer is None:
        return {}
    return {
        "left_out_mrr_there": network.figure(LEFT_OUT, layer),
        "low_there": network.figure(LEFT_OUT, layer, column="low"),
        "high_there": network.figure(LEFT_OUT, layer, column="high"),
        "shuffled_95_there": network.shuffled_95(LEFT_OUT, layer),
        "untrained_there": network.untrained(LEFT_OUT, layer),
        "untold_mrr_there": network.figure(UNTOLD, layer),
        "untold_shuffled_95_there": network.shuffled_95(UNTOLD, layer),
    }


def layer_rows(groups: Groups) -> Iterator[Row]:
    """One row a species, rung, layer and measure, as reported: mean over seeds and its spread."""
    for (species, rung), mine in groups.items():
        sizes = [min(network.text, network.tokens) for network in mine if network.text is not None]
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
                        "mean": f"{fmean(values):.6f}",  # layers are chosen by it
                        "sd": _text(stdev(values)) if len(values) > 1 else "",
                        "text": round(fmean(sizes)) if sizes else "",
                    }


def training_rows(groups: Groups) -> Iterator[Row]:
    """One row a species, rung, layer and kept checkpoint: what is measured along training."""
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
                    for name, measure in ALONG.items()
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
