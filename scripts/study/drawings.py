"""Figures of the study's networks, drawn from its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis.figures.style import BAND, GREY, OKABE_ITO, house_style, light_grid, new_figure
from scripts.study.ladder import MIDDLE, PARTS, RUNGS, Row, chosen_layer

NAMES = {
    "ecoli": "E. coli",
    "yeast": "S. cerevisiae",
    "spyogenes": "S. pyogenes",
    "syn3a": "JCVI-Syn3A",
    "hvolcanii": "H. volcanii",
    "samples": "seven samples",
    "bsubtilis": "B. subtilis",
    "mgenitalium": "M. genitalium",
}
LABELS = {
    "frame1": "frame +1",
    "frame2": "frame +2",
    "windows": "genome windows",
    "disjoint": "disjoint families",
    "comparable": "same genes, apart",
    "anchored5": "5 codons told",
    "anchored10": "10 codons told",
    "deciphered": "deciphered, switched",
    "shared": "the same, shared start",
    "mistranslated": "back-translated wrongly",
    "withheld": "5 amino acids withheld",
    "translated": "back-translated",
    "paired": "paired",
    "hundredth": "disjoint, a hundredth",
    "tenth": "disjoint, a tenth",
}
"""Rungs in words."""

METHODS = {"ppmi": "PPMI", "word2vec": "word2vec"}

LINES = {
    "frame1": (GREY, "-"),
    "frame2": (GREY, "--"),
    "windows": (GREY, ":"),
    "disjoint": (OKABE_ITO[0], "-"),
    "comparable": (OKABE_ITO[0], "--"),
    "anchored5": (OKABE_ITO[5], "-"),
    "anchored10": (OKABE_ITO[5], "--"),
    "mistranslated": (OKABE_ITO[6], ":"),
    "withheld": (OKABE_ITO[4], "-"),
    "translated": (OKABE_ITO[1], "-"),
    "paired": (OKABE_ITO[2], "-"),
}
"""Colour and style of the rungs that have a line."""

CHANCE = {"left_out": 0.168, "synonyms": 0.188}
"""MRR of random ranks: among 20 amino acids, and to synonyms among 61 codons."""


def number(row: Row, name: str) -> float | None:
    """A cell as a number, None where it is empty."""
    return float(str(row[name])) if row[name] != "" else None


def save(figure: Any, path: Path) -> None:
    """PNG without what changes from run to run."""
    figure.savefig(path, dpi=130, metadata={"Software": None})


def draw_ladder(rows: Sequence[Row], path: Path) -> None:
    """The primary endpoint rung by rung: a dot a network, at the layer that is best on the other species."""
    kinds = (
        ("untrained", "#555555", "_", "untrained, middle layer"),
        ("left_out_mrr", OKABE_ITO[1], "x", "middle layer"),
        ("untold_mrr_there", OKABE_ITO[2], "^", "as the dots, codons that were not told"),
    )
    nulls = ("shuffled_95", "shuffled_95_there", "untold_shuffled_95_there")

    def one(axes: Any, name: str, rungs: Sequence[str]) -> None:
        mine = [row for row in rows if row["species"] == name and row["rung"] in rungs]
        tops = [value for row in mine for null in nulls if (value := number(row, null)) is not None]
        axes.axhspan(0, max(tops, default=0), color=BAND, alpha=0.6, lw=0, label="95 % of shuffled codes")
        places = [rungs.index(str(row["rung"])) + 0.07 * (float(str(row["seed"])) - 3) for row in mine]
        for key, colour, marker, label in kinds:
            _points(axes, places, [number(row, key) for row in mine], marker, color=colour, label=label)
        for place, row in zip(places, mine, strict=True):
            low, high = number(row, "low_there"), number(row, "high_there")
            if low is not None and high is not None:
                axes.plot([place, place], [low, high], color=OKABE_ITO[0], lw=0.8, alpha=0.6)
        there = [number(row, "left_out_mrr_there") for row in mine]
        label = "layer that is best on the other species (95 % over amino acids)"
        _points(axes, places, there, "o", color=OKABE_ITO[0], label=label)

    _rungs(rows, one, path, "MRR, amino acid left out")


def _points(axes: Any, x: Sequence[float], y: Sequence[float | None], marker: str, **style: Any) -> None:
    """Points whose value is known; nothing where there are none."""
    known = [(place, value) for place, value in zip(x, y, strict=True) if value is not None]
    if known:
        axes.plot(*zip(*known, strict=True), marker, ms=5, ls="", **style)


def draw_training(rows: Sequence[Row], path: Path, layer: int) -> None:
    """Both endpoints along training at one layer, a line a rung, means over seeds."""
    rows = [row for row in rows if str(row["layer"]) == str(layer)]

    def one(axes: Any, name: str, key: str) -> None:
        for rung, (colour, style) in LINES.items():
            mine = [row for row in rows if row["species"] == name and row["rung"] == rung]
            points = [(float(str(row["tokens"])) / 1e6, number(row, key)) for row in mine]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=colour, label=LABELS[rung])

    _grid(rows, one, path, f"tokens seen, millions (layer {layer})")


def draw_founding(static: Sequence[Row], layers: Sequence[Row], path: Path) -> None:
    """Encoder and static vectors by amount of text: genes and proteins of other families (``disjoint``).

    The same static vectors of genes read out of frame and of genome windows stand behind, in grey.
    """

    def one(axes: Any, name: str, key: str) -> None:
        for rung, style in (("frame1", "-"), ("frame2", "--"), ("windows", ":"), ("disjoint", "o-")):
            for place, method in enumerate(("ppmi", "word2vec")):
                wanted = (name, rung, method)
                mine = [row for row in static if (row["species"], row["rung"], row["vectors"]) == wanted]
                points = [(float(str(row["tokens"])), number(row, key)) for row in mine]
                if not points:
                    continue
                own = rung == "disjoint"
                label = METHODS[method] if own else f"PPMI and word2vec, {LABELS[rung]}"
                colour = OKABE_ITO[place] if own else GREY
                axes.plot(*zip(*points, strict=True), style, color=colour, ms=4, lw=1.2, label=label)
        for layer in sorted({str(row["layer"]) for row in layers}):
            points = sorted(
                (float(str(row["text"])), number(row, "mean"))
                for row in layers
                if (row["species"], row["measure"], str(row["layer"])) == (name, key, layer)
                and row["rung"] in (*PARTS, "disjoint")
                and row.get("text", "") != ""
            )
            if points:
                colour = OKABE_ITO[2 + int(layer)]
                axes.plot(
                    *zip(*points, strict=True), "s--", color=colour, ms=5, label=f"encoder, layer {layer}"
                )
        axes.set_xscale("log")

    _grid(static, one, path, "tokens of text")


def draw_similarities(layers: Sequence[Row], path: Path, measures: Mapping[str, str]) -> None:
    """Every measure by rung, means over seeds, at the layer that is best by it on the other species."""

    def one(axes: Any, name: str, rungs: Sequence[str]) -> None:
        axes.axhline(CHANCE["left_out"], color=GREY, lw=0.8, ls=":", label="chance")
        for place, (measure, label) in enumerate(measures.items()):
            found = []
            for rung in rungs:
                layer = chosen_layer(layers, name, rung, measure)
                wanted = (name, rung, measure, str(MIDDLE if layer is None else layer))
                names = ("species", "rung", "measure", "layer")
                values = [row for row in layers if tuple(str(row[n]) for n in names) == wanted]
                found.append(number(values[0], "mean") if values else None)
            shift = 0.1 * (place - len(measures) / 2)
            places = [number + shift for number in range(len(rungs))]
            _points(axes, places, found, "o", color=OKABE_ITO[place], label=label)

    _rungs(layers, one, path, "MRR, layer of the others")


def _rungs(
    rows: Sequence[Row], one: Callable[[Any, str, Sequence[str]], None], path: Path, label: str
) -> None:
    """A panel a species, two beside each other, rungs along it."""
    species = sorted({str(row["species"]) for row in rows})
    rungs = [rung for rung in RUNGS if any(row["rung"] == rung for row in rows)]
    columns = min(2, len(species))
    lines = -(-len(species) // columns)
    with house_style():
        figure, grid = new_figure(
            5.4 * columns, 2.2 + 2.8 * lines, columns=columns, rows=lines, sharey=True, sharex=True
        )
        panels = [axes for line in grid for axes in line]
        for axes, name in zip(panels, species, strict=False):
            one(axes, name, rungs)
            axes.set_xticks(
                range(len(rungs)), [LABELS[rung] for rung in rungs], rotation=55, ha="right", fontsize=8
            )
            axes.set_xlim(-0.5, len(rungs) - 0.5)
            axes.set_ylim(0, 1.02)
            axes.set_title(NAMES.get(name, name))
            light_grid(axes)
        for axes in panels[len(species) :]:
            axes.set_axis_off()
        for line in grid:
            line[0].set_ylabel(label)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncol=3, fontsize=8)
    save(figure, path)


def _grid(rows: Sequence[Row], one: Callable[[Any, str, str], None], path: Path, along: str) -> None:
    """A row of panels a species: amino acids left out, and synonyms."""
    species = sorted({str(row["species"]) for row in rows})
    if not species:
        return
    ends = (("left_out", "MRR, amino acid left out"), ("synonyms", "MRR, synonymous codons"))
    with house_style():
        size = (9.6, 1.6 + 2.3 * len(species))
        figure, grid = new_figure(*size, columns=2, rows=len(species), sharey=True, sharex=True)
        for line, name in zip(grid, species, strict=True):
            for axes, (key, label) in zip(line, ends, strict=True):
                axes.axhline(CHANCE[key], color=GREY, lw=0.8, ls=":", label="chance")
                one(axes, name, key)
                axes.set_ylim(0, 1.02)
                axes.set_ylabel(label)
                light_grid(axes)
                axes.set_title(NAMES.get(name, name))
        for axes in grid[-1]:
            axes.set_xlabel(along)
        named = dict(
            pair[::-1]
            for line in grid
            for axes in line
            for pair in zip(*axes.get_legend_handles_labels(), strict=True)
        )
        figure.legend(named.values(), named.keys(), loc="outside upper center", ncol=3, fontsize=8)
    save(figure, path)
