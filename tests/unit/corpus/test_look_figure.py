"""Panels of the look at a corpus say what they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from genomecli.corpus.look_figure import _lengths, _tokens
from genomecli.corpus.manifest import Group, Molecule
from genomecli.corpus.scan import GroupCounts

COLOURS = {"a": "C0", "b": "C1"}


def groups(*molecules: tuple[str, Molecule]) -> list[tuple[Group, GroupCounts]]:
    """Groups of ten records each, of (species, molecule)."""
    counts = GroupCounts(np.arange(30), np.arange(1, 22))
    return [(Group(name, kind, 10 * i, 10, 3000, (0,)), counts) for i, (name, kind) in enumerate(molecules)]


@pytest.mark.parametrize(
    ("molecules", "title", "label"),
    [
        ([("a", "protein")], "Lengths of proteins", "residues"),
        ([("a", "cds"), ("a", "protein")], "Lengths of genes", "codons"),
        ([("a", "cds"), ("b", "protein")], "Lengths of genes and proteins", "codons   (dashed: residues, of"),
    ],
)
def test_lengths_are_named_by_what_is_drawn(
    molecules: list[tuple[str, Molecule]], title: str, label: str
) -> None:
    axis: Any = Figure().add_subplot()
    shown = groups(*molecules)
    _lengths(axis, shown, {"length": np.full(10 * len(shown), 300)}, COLOURS)
    assert axis.get_title(loc="left") + axis.get_title() == title
    assert axis.get_xlabel().startswith(label)
    assert ("dashed" in axis.get_xlabel()) == (len({name for name, _ in molecules}) > 1)


def test_ranks_of_tokens_are_whole_numbers() -> None:
    for width in (3.0, 4.0, 5.0, 6.0):
        axis: Any = Figure(figsize=(width, 3)).add_subplot()
        _tokens(axis, groups(("a", "protein")), COLOURS)
        ticks = axis.get_xticks()
        assert len(ticks) > 2
        assert (ticks == np.round(ticks)).all()
