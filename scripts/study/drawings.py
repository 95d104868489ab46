"""Figures of the study's networks, drawn from its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis.figures.style import BAND, OKABE_ITO, house_style, light_grid, new_figure
from scripts.study.ladder import RUNGS, Row

NAMES = {
    "ecoli": "E. coli",
    "yeast": "S. cerevisiae",
    "spyogenes": "S. pyogenes",
    "syn3a": "JCVI-Syn3A",
    "hvolcanii": "H. volcanii",
    "samples": "seven samples",
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
}
"""Rungs in words."""


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
        ("left_out_mrr_there", OKABE_ITO[0], "o", "layer that is best on the other species"),
        ("untold_mrr_there", OKABE_ITO[2], "^", "the same, codons that were not told"),
    )

    def one(axes: Any, name: str, rungs: Sequence[str]) -> None:
        mine = [row for row in rows if row["species"] == name and row["rung"] in rungs]
        tops = [value for row in mine if (value := number(row, "shuffled_95")) is not None]
        axes.axhspan(0, max(tops), color=BAND, alpha=0.6, lw=0, label="95 % of shuffled codes, at most")
        for key, colour, marker, label in kinds:
            found = [(rungs.index(str(row["rung"])), number(row, key)) for row in mine]
            dots = [(place, value) for place, value in found if value is not None]
            if dots:
                axes.plot(*zip(*dots, strict=True), marker, color=colour, ms=6, ls="", label=label)

    _rungs(rows, one, path, "MRR, amino acid left out")


def draw_training(rows: Sequence[Row], path: Path, layer: int) -> None:
    """Both endpoints along training at one layer, a line a rung, means over seeds."""
    rows = [row for row in rows if str(row["layer"]) == str(layer)]
    species = sorted({str(row["species"]) for row in rows})

    def one(axes: Any, name: str, key: str) -> None:
        for place, rung in enumerate(RUNGS):
            mine = [row for row in rows if row["species"] == name and row["rung"] == rung]
            points = [(float(str(row["tokens"])) / 1e6, number(row, key)) for row in mine]
            style = ("-", "--", ":")[place // len(OKABE_ITO)]
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    style,
                    color=OKABE_ITO[place % len(OKABE_ITO)],
                    label=LABELS[rung],
                )

    _grid(species, one, path, "tokens seen, millions")


def draw_founding(static: Sequence[Row], layers: Sequence[Row], path: Path, rung: str) -> None:
    """Static vectors by amount of text, beside the encoder's layers, on the texts of one rung."""
    static = [row for row in static if row["rung"] == rung]
    if not static:
        return
    species = sorted({str(row["species"]) for row in static})

    def one(axes: Any, name: str, key: str) -> None:
        for place, method in enumerate(("ppmi", "word2vec")):
            mine = [row for row in static if row["species"] == name and row["vectors"] == method]
            points = [(float(str(row["tokens"])), number(row, key)) for row in mine]
            if points:
                axes.plot(*zip(*points, strict=True), "o-", color=OKABE_ITO[place], label=method)
        ends = [row for row in layers if (row["species"], row["rung"], row["measure"]) == (name, rung, key)]
        for place, row in enumerate(ends):
            axes.axhline(
                number(row, "mean"),
                color=OKABE_ITO[2 + place],
                ls="--",
                label=f"encoder, layer {row['layer']}, all of the text",
            )
        axes.set_xscale("log")

    _grid(species, one, path, "tokens of text")


def draw_similarities(layers: Sequence[Row], path: Path, measures: Mapping[str, str]) -> None:
    """Every measure by rung, at its best layer of all: what a reader would see who chose it by the result."""

    def one(axes: Any, name: str, rungs: Sequence[str]) -> None:
        for place, (measure, label) in enumerate(measures.items()):
            best: dict[str, float] = {}
            for row in layers:
                value = number(row, "mean")
                if row["species"] == name and row["measure"] == measure and value is not None:
                    best[str(row["rung"])] = max(value, best.get(str(row["rung"]), 0.0))
            shift = 0.1 * (place - len(measures) / 2)
            dots = [(rungs.index(rung) + shift, value) for rung, value in best.items() if rung in rungs]
            if dots:
                axes.plot(*zip(*dots, strict=True), "o", color=OKABE_ITO[place], ms=5, label=label)

    _rungs(layers, one, path, "MRR, best layer")


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


def _grid(species: Sequence[str], one: Callable[[Any, str, str], None], path: Path, along: str) -> None:
    """Two rows of panels: amino acids left out above, synonyms below; a column a species."""
    with house_style():
        figure, grid = new_figure(
            4.6 * max(1, len(species)), 6.4, columns=len(species), rows=2, sharey=True, sharex=True
        )
        for column, name in enumerate(species):
            for line, (key, label) in enumerate(
                (("left_out", "MRR, amino acid left out"), ("synonyms", "MRR, synonymous codons"))
            ):
                axes = grid[line][column]
                one(axes, name, key)
                axes.set_ylim(0, 1.02)
                light_grid(axes)
                if column == 0:
                    axes.set_ylabel(label)
            grid[0][column].set_title(NAMES.get(name, name))
            grid[1][column].set_xlabel(along)
        named = dict(
            pair[::-1]
            for line in grid
            for axes in line
            for pair in zip(*axes.get_legend_handles_labels(), strict=True)
        )
        figure.legend(named.values(), named.keys(), loc="outside upper center", ncol=4, fontsize=8)
    save(figure, path)
