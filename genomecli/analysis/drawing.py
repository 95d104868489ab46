"""Figures of a comparison: which rows go into which figure, and what to say below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis import captions
from genomecli.analysis.comparison import Comparison
from genomecli.analysis.deviance import Deviance
from genomecli.analysis.drawing_data import ENDPOINTS, Drawing, founding_drawings, shuffled_tops
from genomecli.analysis.figures.bars import CodeBar, codes_figure
from genomecli.analysis.figures.heatmap import codon_heat_map
from genomecli.analysis.figures.layers import LayerCurve, LayerPanel, layers_figure
from genomecli.analysis.figures.matrix import matrix_figure
from genomecli.analysis.figures.space import space_figure
from genomecli.analysis.headline import Headline
from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.lookup import at_place, select
from genomecli.analysis.places import STATIC_LAYER, Place
from genomecli.analysis.plane import plane_map
from genomecli.analysis.tidy import Measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawings(result: Comparison) -> list[Drawing]:
    """All figures of a comparison, in the order of the page."""
    found: list[Drawing] = []
    for head in result.reported:
        stem = f"{head.place.run}.{head.place.species}"
        found += _layers(result, head, stem)
    found += founding_drawings(result)
    for head in result.reported:
        stem = f"{head.place.run}.{head.place.species}"
        if not result.pairs[head.place].alone:
            found += [_heat_map(result, head, stem), _space(result, head, stem)]
    for deviance in result.deviances:
        found.append(_codes(deviance))
    found += list(_matrices(result))
    return found


def frame_name(frame: int) -> str:
    """``frame 0``, ``frame +1``, ``frame +2``."""
    return "frame 0" if frame == 0 else f"frame +{frame}"


def _layers(result: Comparison, head: Headline, stem: str) -> list[Drawing]:
    about = select(result.rows, run=head.place.run, species_a=head.place.species)
    twins = [row for twin in _twin_runs(result, head) for row in select(result.rows, **twin)]
    panels = [
        panel for title, endpoint in ENDPOINTS if (panel := _panel(about, twins, head.place, title, endpoint))
    ]
    if not panels:
        return []
    title = f"{head.place.species} ({head.place.run}): how well codons find their meaning, layer by layer"
    caption = captions.LAYERS
    return [Drawing(f"layers.{stem}", title, caption, lambda: layers_figure(panels, title=title))]


def _twin_runs(result: Comparison, head: Headline) -> list[dict[str, object]]:
    """Columns that name the runs trained on another frame, each in its own."""
    about = {"species_a": head.place.species, "species_b": head.place.species, "vectors": "contextual"}
    return [
        {**about, "run": row.run, "frame": frame, "tokens_seen": row.tokens_seen}
        for frame, row in sorted(head.twins.items())
    ]


def _panel(
    rows: list[Measure], twins: list[Measure], place: Place, title: str, endpoint: dict[str, object]
) -> LayerPanel | None:
    seen = at_place(place)["tokens_seen"]
    own = select(rows, vectors="contextual", frame=place.frame, tokens_seen=seen, **endpoint)
    static = select(rows, vectors="static", **endpoint)
    if not own and not static:
        return None
    curves = [_curve(f"trained on and shown {frame_name(place.frame)}", own, control=False)] if own else []
    for frame in (0, 1, 2):
        apart = select(twins, frame=frame, **endpoint)
        if apart:
            curves.append(_curve(f"trained on {frame_name(frame)}", apart, control=True))
    for frame in (0, 1, 2):
        other = select(rows, vectors="contextual", frame=frame, tokens_seen=seen, **endpoint)
        if frame != place.frame and other:
            curves.append(_curve(f"shown {frame_name(frame)}", other, control=True))
    fresh = select(rows, vectors="untrained", frame=place.frame, **endpoint)
    curves += [_curve(f"untrained, shown {frame_name(place.frame)}", fresh, control=True)] if fresh else []
    curves += [_curve("rows of the embedding", static, control=False)] if static else []
    reference = own or static
    top = shuffled_tops(rows, place, endpoint) or [row.null95 for row in reference if row.null95 is not None]
    chance = next((row.chance for row in reference if row.chance is not None), 0.0)
    return LayerPanel(title, tuple(curves), chance, max(top, default=chance), place.layer)


def _curve(label: str, rows: list[Measure], *, control: bool) -> LayerCurve:
    ordered = sorted(rows, key=_layer_of)
    bounded = all(row.low is not None and row.high is not None for row in ordered)
    return LayerCurve(
        label,
        tuple(_layer_of(row) for row in ordered),
        tuple(row.value or 0.0 for row in ordered),
        tuple(row.low or 0.0 for row in ordered) if bounded else (),
        tuple(row.high or 0.0 for row in ordered) if bounded else (),
        control,
    )


def _layer_of(row: Measure) -> int:
    return STATIC_LAYER if row.layer is None else row.layer


def _heat_map(result: Comparison, head: Headline, stem: str) -> Drawing:
    pair = result.pairs[head.place]
    title = f"{head.place.species} ({head.place.run}): how near each codon lies to each amino acid"
    caption = captions.HEAT_MAP
    marked = frozenset(
        index
        for deviance in result.deviances
        if deviance.place == head.place
        for reading in deviance.readings()
        if reading.sure
        for index in [int(np.flatnonzero(np.array(pair.gold.texts) == reading.codon)[0])]
        if reading.codon in pair.gold.texts
    )

    def draw() -> Figure:
        found = leave_one_amino_acid_out(pair.codons, pair.amino, pair.gold, result.settings.axes)
        codons = frozenset(int(pair.gold.codons[i]) for i in marked)
        return codon_heat_map(found.similarity, pair.gold, title=title, scale="cosine", marked=codons)

    return Drawing(f"heat_map.{stem}", title, caption, draw, narrow=True)


def _space(result: Comparison, head: Headline, stem: str) -> Drawing:
    title = f"{head.place.species} ({head.place.run}): codons and amino acids on one plane"
    caption = captions.SPACE
    places = [head.place, *_beside(result, head)[:1]]

    def draw() -> Figure:
        panels = []
        for place in places:
            pair = result.pairs[place]
            panels.append(
                (
                    _trained_or_shown(head.place, place),
                    plane_map(pair, result.settings.axes, result.settings.map_method),
                    pair.gold,
                )
            )
        return space_figure(panels, title=title)

    return Drawing(f"map.{stem}", title, caption, draw)


def _beside(result: Comparison, head: Headline) -> list[Place]:
    """What the map is shown beside: networks trained on other frames, else this one shown other frames."""
    own = head.place
    alike = [p for p in sorted(result.pairs) if (p.species, p.layer) == (own.species, own.layer)]
    twins = [
        p
        for p in alike
        for frame, row in sorted(head.twins.items())
        if (p.run, p.frame, p.vectors) == (row.run, frame, own.vectors)
        and at_place(p)["tokens_seen"] == row.tokens_seen
    ]
    shown = [p for p in alike if (p.run, p.vectors, p.tokens) == (own.run, own.vectors, own.tokens)]
    return twins or [p for p in shown if p.frame != own.frame]


def _trained_or_shown(own: Place, place: Place) -> str:
    trained = place.run != own.run or place.frame == own.frame
    return f"{'trained on' if trained else 'shown'} {frame_name(place.frame)}"


def _codes(deviance: Deviance) -> Drawing:
    place, ranking = deviance.place, deviance.ranking
    evidence = "DNA alone" if ranking.basis == "dna" else "DNA and protein"
    title = f"{place.species} ({place.run}): which genetic code explains the vectors ({evidence})"
    caption = captions.CODES
    given = deviance.given.table
    bars = [
        CodeBar(
            f"{ranked.codes.numbers(given)}: {ranked.codes.names[0]}",
            ranked.score,
            given in ranked.codes.tables,
            ranked.kept,
        )
        for ranked in ranking.classes
    ]

    def draw() -> Figure:
        return codes_figure(bars, title=title, verdict=code_verdict(deviance))

    return Drawing(f"codes.{place.run}.{place.species}.{ranking.basis}", title, caption, draw)


def code_verdict(deviance: Deviance) -> str:
    """What the ranking of genetic codes says, in one line."""
    margin = deviance.ranking.margin
    lead = f"lead over the next other reading {margin.value:.1f} ({margin.low:.1f} to {margin.high:.1f})"
    return f"{deviance.verdict()}; {lead}" if deviance.ranking.decided else deviance.verdict()


def _matrices(result: Comparison) -> Iterator[Drawing]:
    rows = [row for row in result.rows if row.species_a != row.species_b and row.statistic == "mrr"]
    for run, vectors, similarity in sorted({(row.run, row.vectors, row.similarity) for row in rows}):
        about = select(rows, run=run, vectors=vectors, similarity=similarity)
        names = sorted({row.species_a for row in about} | {row.species_b for row in about})
        if similarity not in ("centred", "procrustes"):
            continue
        title = f"{run}: words of one species looked up among those of another ({similarity})"
        caption = captions.MATRIX
        tables = [
            (heading, _table(about, names, direction))
            for heading, direction in (
                ("codon → same codon", "codon_to_same_codon"),
                ("codon → codon of the same amino acid", "codon_to_codon_of_same_amino"),
                ("amino acid → same amino acid", "amino_to_amino"),
            )
        ]

        def draw(
            tables: list[tuple[str, np.ndarray]] = tables, names: list[str] = names, title: str = title
        ) -> Figure:
            return matrix_figure(
                tables, names, title=title, rows="words of", columns="looked up among those of"
            )

        yield Drawing(f"species.{run}.{vectors}.{similarity}", title, caption, draw)


def _table(rows: list[Measure], names: list[str], direction: str) -> np.ndarray:
    table = np.full((len(names), len(names)), np.nan)
    for row in select(rows, direction=direction):
        table[names.index(row.species_a), names.index(row.species_b)] = row.value
    return table
