"""Figures of the study's networks, drawn from its tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from genomecli.analysis.figures.style import BAND, OKABE_ITO, house_style, light_grid, new_figure
from scripts.study.ladder import RUNGS, Row


def number(row: Row, name: str) -> float | None:
    """A cell as a number, None where it is empty."""
    return float(str(row[name])) if row[name] != "" else None


def save(figure: Any, path: Path) -> None:
    """PNG without what changes from run to run."""
    figure.savefig(path, dpi=130, metadata={"Software": None})


def draw_ladder(rows: Sequence[Row], path: Path) -> None:
    """The primary endpoint rung by rung: a dot a network, at the layer that is best on the other species."""
    species = sorted({str(row["species"]) for row in rows if row["layer_of_others"] != ""})
    rungs = [rung for rung in RUNGS if any(row["rung"] == rung for row in rows)]
    with house_style():
        figure, grid = new_figure(5.2 * len(species), 4.6, columns=len(species), sharey=True)
        for axes, name in zip(grid[0], species, strict=True):
            mine = [row for row in rows if row["species"] == name and row["rung"] in rungs]
            tops = [value for row in mine if (value := number(row, "shuffled_95")) is not None]
            axes.axhspan(0, max(tops), color=BAND, alpha=0.6, lw=0, label="95 % of shuffled codes, at most")
            for key, colour, marker, label in (
                ("untrained", "#555555", "_", "untrained, middle layer"),
                ("left_out_mrr", OKABE_ITO[1], "x", "middle layer"),
                ("left_out_mrr_there", OKABE_ITO[0], "o", "layer that is best on the other species"),
                ("untold_mrr_there", OKABE_ITO[2], "^", "the same, codons that were not told"),
            ):
                found = [(rungs.index(str(row["rung"])), number(row, key)) for row in mine]
                dots = [(place, value) for place, value in found if value is not None]
                if dots:
                    axes.plot(*zip(*dots, strict=True), marker, color=colour, ms=6, ls="", label=label)
            axes.set_xticks(range(len(rungs)), rungs, rotation=45, ha="right", fontsize=9)
            axes.set_xlim(-0.5, len(rungs) - 0.5)
            axes.set_ylim(0, 1.02)
            axes.set_title(name)
            light_grid(axes)
        grid[0][0].set_ylabel("MRR, amino acid left out")
        grid[0][0].legend(loc="upper left", fontsize=8)
    save(figure, path)


def draw_training(rows: Sequence[Row], path: Path, layer: int) -> None:
    """Both endpoints along training at one layer, a line a rung, means over seeds."""
    rows = [row for row in rows if row["layer"] == layer]
    species = sorted({str(row["species"]) for row in rows})

    def one(axes: Any, name: str, key: str) -> None:
        for place, rung in enumerate(RUNGS):
            mine = [row for row in rows if row["species"] == name and row["rung"] == rung]
            points = [(float(str(row["tokens"])) / 1e6, number(row, key)) for row in mine]
            style = ("-", "--", ":")[place // len(OKABE_ITO)]
            if points:
                axes.plot(
                    *zip(*points, strict=True), style, color=OKABE_ITO[place % len(OKABE_ITO)], label=rung
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


def draw_similarities(layers: Sequence[Row], path: Path, measures: Sequence[str]) -> None:
    """Every measure by rung, at its best layer of all: what a reader would see who chose it by the result."""
    species = sorted({str(row["species"]) for row in layers})
    rungs = [rung for rung in RUNGS if any(row["rung"] == rung for row in layers)]
    with house_style():
        figure, grid = new_figure(5.2 * len(species), 4.6, columns=len(species), sharey=True)
        for axes, name in zip(grid[0], species, strict=True):
            for place, measure in enumerate(measures):
                mine = [row for row in layers if row["species"] == name and row["measure"] == measure]
                dots = []
                for rung in rungs:
                    values = [
                        v for row in mine if row["rung"] == rung and (v := number(row, "mean")) is not None
                    ]
                    if values:
                        dots.append((rungs.index(rung) + 0.1 * (place - len(measures) / 2), max(values)))
                if dots:
                    axes.plot(*zip(*dots, strict=True), "o", color=OKABE_ITO[place], ms=5, label=measure)
            axes.set_xticks(range(len(rungs)), rungs, rotation=45, ha="right", fontsize=9)
            axes.set_ylim(0, 1.02)
            axes.set_title(name)
            light_grid(axes)
        grid[0][0].set_ylabel("MRR, best layer")
        grid[0][0].legend(fontsize=8)
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
            grid[0][column].set_title(name)
            grid[1][column].set_xlabel(along)
        grid[0][0].legend(fontsize=7, ncol=2)
    save(figure, path)


def mean_of(rows: Sequence[Row], key: str) -> float:
    """Mean of a column over rows that have it."""
    return fmean(value for row in rows if (value := number(row, key)) is not None)
