"""The founding figure, and MRR along training: curves over amounts of data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genomecli.analysis import captions
from genomecli.analysis.comparison import Comparison
from genomecli.analysis.figures.curves import DataCurve, DataPanel, data_figure
from genomecli.analysis.lookup import BETWEEN_ENDPOINT, LEFT_OUT_ENDPOINT, SYNONYM_ENDPOINT, select
from genomecli.analysis.places import Place
from genomecli.analysis.probe import LEFT_OUT, SYNONYMS
from genomecli.analysis.tidy import Measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDPOINTS = (
    ("codon → left-out amino acid", LEFT_OUT_ENDPOINT),
    ("codon → its synonyms", SYNONYM_ENDPOINT),
    ("codon → synonyms of another block", BETWEEN_ENDPOINT),
)


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn when it is wanted.

    Args:
        name: file name without ending.
        title: heading in plain words.
        caption: how to read it.
        draw: makes it.
        narrow: not as wide as the page.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]
    narrow: bool = False


def shuffled_tops(rows: list[Measure], place: Place, endpoint: dict[str, object]) -> list[float]:
    """95th percentiles of the primary endpoint with amino acids dealt anew, over layers."""
    if endpoint is not LEFT_OUT_ENDPOINT:
        return []
    about = {**endpoint, "statistic": "permutation_null95"}
    found = select(rows, vectors=("contextual", "static"), frame=place.frame, **about)
    return [row.value for row in found if row.value is not None]


def founding_drawings(result: Comparison) -> list[Drawing]:
    """The founding figure, and MRR along training where checkpoints or probes tell it."""
    panels: list[DataPanel] = []
    training: list[DataPanel] = []
    for head in result.reported:
        about = select(result.rows, run=head.place.run, species_a=head.place.species)
        about = [row for row in about if row.species_b == head.place.species]
        borrowed = result.static_rows(head.place)
        for (title, endpoint), probe in zip(ENDPOINTS[:2], (LEFT_OUT, SYNONYMS), strict=True):
            reference = select(about, vectors="contextual", frame=head.place.frame, **endpoint)
            if not reference:
                continue
            name = f"{head.place.species} ({head.place.run}): {title}"
            curves = _encoder_curves(about, head.place, endpoint)
            static = _static_curves(borrowed, endpoint)
            top = shuffled_tops(about, head.place, endpoint) or [r.null95 for r in reference if r.null95]
            levels = (reference[0].chance or 0.0, max(top, default=0.0))
            if static:
                panels.append(DataPanel(name, (*curves, *static), *levels))
            noted = _probe_curves(result, head.place, probe) or curves
            if noted and len(noted[0].x) > 1:
                training.append(DataPanel(name, tuple(noted), *levels))
    return _founding(panels) + _training(training, noted=any(result.probes.values()))


def _founding(panels: list[DataPanel]) -> list[Drawing]:
    title = "The encoder, layer by layer, against static embeddings of the same texts"
    draw = _data(panels, title, "tokens")
    return [Drawing("founding", title, captions.FOUNDING, draw)] if panels else []


def _training(panels: list[DataPanel], *, noted: bool) -> list[Drawing]:
    title = "Along training: when codons find their meaning"
    draw = _data(panels, title, "optimiser steps" if noted else "tokens seen in training", log=not noted)
    return [Drawing("training", title, captions.TRAINING, draw)] if panels else []


def _data(panels: list[DataPanel], title: str, xlabel: str, *, log: bool = True) -> Callable[[], Figure]:
    return lambda: data_figure(panels, title=title, xlabel=xlabel, logarithmic=log)


def _probe_curves(result: Comparison, place: Place, endpoint: str) -> list[DataCurve]:
    """What the run noted itself, layer by layer, over optimiser steps."""
    points = [
        p
        for p in result.probes.get(place.run, ())
        if p.species == place.species and p.endpoint == endpoint and p.step > 0
    ]
    depth = max(1, result.card(place.run).layers)
    curves = []
    for layer in sorted({p.layer for p in points}):
        x, y = zip(*sorted((float(p.step), p.value) for p in points if p.layer == layer), strict=True)
        curves.append(DataCurve(f"encoder, layer {layer}", x, y, layer / depth))
    return curves


def _encoder_curves(rows: list[Measure], place: Place, endpoint: dict[str, object]) -> list[DataCurve]:
    found = select(rows, vectors="contextual", frame=place.frame, **endpoint)
    layers = sorted({row.layer for row in found if row.layer is not None})
    curves = []
    for layer in layers:
        points = sorted(
            (row.tokens_seen or 0, row.value or 0.0)
            for row in found
            if row.layer == layer and row.tokens_seen
        )
        if points:
            x, y = zip(*points, strict=True)
            depth = layer / max(1, layers[-1])
            curves.append(DataCurve(f"encoder, layer {layer}", x, y, depth))
    return curves


def _static_curves(rows: list[Measure], endpoint: dict[str, object]) -> list[DataCurve]:
    curves = []
    for method, name in (("word2vec", "word2vec (skip-gram)"), ("ppmi", "PPMI-SVD")):
        found = select(rows, vectors=method, **endpoint)
        points = sorted((row.tokens_seen or 0, row.value or 0.0) for row in found)
        if points:
            x, y = zip(*points, strict=True)
            curves.append(DataCurve(name, x, y, None, "static"))
    return curves
