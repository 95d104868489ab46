"""Heat maps are read off their figure: each cell's value stands where its colour is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.image import imread

from genomecli.analysis.figures.confusion import confusion_figure
from genomecli.analysis.figures.curves import DataCurve, DataPanel, data_figure
from genomecli.analysis.figures.grids import heat_map_grids
from genomecli.analysis.figures.heatmap import codon_heat_map
from genomecli.analysis.figures.matrix import matrix_figure
from genomecli.analysis.figures.style import png_bytes, settle
from genomecli.analysis.gold import CodonGold
from genomecli.sequences.codes import genetic_code


def grids_of(figure):
    settle(figure)
    return heat_map_grids(figure), imread(io.BytesIO(png_bytes(figure, 100)))


def colour_at(picture, box, row, column, shape, inside=(0.12, 0.85)):
    """RGB in a corner of a cell, where no text stands."""
    left, top, width, height = box
    x = left + (column + inside[0]) * width / shape[1]
    y = top + (row + inside[1]) * height / shape[0]
    return picture[int(y * picture.shape[0]), int(x * picture.shape[1]), :3]


def test_codons_and_amino_acids_keep_their_values_in_the_drawn_order():
    gold = CodonGold.of(genetic_code(1))
    rng = np.random.default_rng(3)
    similarity = rng.uniform(-1, 1, (gold.n, len(gold.letters)))
    (grid,), picture = grids_of(codon_heat_map(similarity, gold, title="a: b", marked=frozenset({0})))
    title, rows, columns, values, box = grid
    assert title == "a: b: similarity"
    assert sorted(columns) == sorted(gold.letters)
    limit = np.abs(similarity).max()
    for row, name in enumerate(rows):
        codon, letter = name.split()
        i = list(gold.texts).index(codon)
        assert letter == gold.amino[i]
        for column, amino in enumerate(columns):
            value = similarity[i, list(gold.letters).index(amino)]
            assert values[row][column] == f"{value:.2f}"
            if amino != letter and (row + column) % 7 == 0:  # frames lie around the right answers
                wanted = colormaps["cividis"]((value + limit) / (2 * limit))[:3]
                found = colour_at(picture, box, row, column, (len(rows), len(columns)), (0.5, 0.5))
                assert found == pytest.approx(wanted, abs=0.02)


def test_several_tables_side_by_side_and_cells_without_a_value():
    table = np.array([[np.nan, 0.1], [0.9, np.nan]])
    figure = matrix_figure(
        [("one", table), ("two", table.T)], ["yeast", "human"], title="t", rows="r", columns="c"
    )
    grids, picture = grids_of(figure)
    meaning = "mean reciprocal rank (MRR)"
    assert [grid[0] for grid in grids] == [f"one: {meaning}", f"two: {meaning}"]
    assert grids[0][3] == [["–", "0.10"], ["0.90", "–"]]
    assert grids[1][3] == [["–", "0.90"], ["0.10", "–"]]
    for _, rows, columns, values, box in grids:
        assert rows == columns == ["yeast", "human"]
        for place in ((0, 1), (1, 0)):
            value = float(values[place[0]][place[1]])
            found = colour_at(picture, box, *place, (2, 2))
            assert found == pytest.approx(colormaps["cividis"](value)[:3], abs=0.02)


def test_a_confusion_matrix_is_a_heat_map_and_curves_are_none():
    counts = np.array([[8.0, 2.0], [1.0, 3.0]])
    figure = confusion_figure([("net", counts), ("cnn", counts)], ["a", "b"], title="t", unit="rows")
    grids, _ = grids_of(figure)
    assert [grid[0] for grid in grids] == [f"{name}: share of the label's rows" for name in ("net", "cnn")]
    assert grids[1][1:4] == (["a", "b"], ["a", "b"], [["0.80", "0.20"], ["0.25", "0.75"]])
    curve = DataCurve("c", (1.0, 2.0), (0.1, 0.2))
    assert grids_of(data_figure([DataPanel("p", (curve,), 0.1, 0.2)], title="t", xlabel="x"))[0] == []
