"""The answer: one layer chosen without looking at its own score, its figures, and what the controls say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomecli.analysis.lookup import (
    BETWEEN_ENDPOINT,
    COSINE_ENDPOINT,
    LEFT_OUT_ENDPOINT,
    SYNONYM_ENDPOINT,
    UNTOLD_ENDPOINT,
    at_place,
    pick,
    select,
)
from genomecli.analysis.places import Place
from genomecli.analysis.tidy import Measure

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class ChosenLayer:
    """A layer, and how it was chosen, in words."""

    layer: int
    how: str


def choose_layer(
    rule: str | int, layers: Sequence[int], own: str, scores: Mapping[str, Mapping[int, float]]
) -> ChosenLayer:
    """Choose the headline's layer without using its own score on the same species.

    Args:
        rule: ``auto``, ``middle``, ``others`` or a layer (below 0 counted from the last).
        layers: those that were measured.
        own: the species that is reported.
        scores: primary endpoint by species and layer.
    """
    ordered = sorted(layers)
    if isinstance(rule, int):
        wanted = rule if rule >= 0 else max(ordered) + 1 + rule
        nearest = min(ordered, key=lambda layer: (abs(layer - wanted), layer))
        return ChosenLayer(nearest, f"layer {nearest}, fixed in the settings")
    others = [species for species in sorted(scores) if species != own]
    if rule in ("auto", "others") and others:
        means = {layer: sum(scores[s].get(layer, 0.0) for s in others) / len(others) for layer in ordered}
        best = max(ordered, key=lambda layer: (means[layer], -layer))
        return ChosenLayer(best, f"layer {best}, the best one on {_names(others)}, never on {own} itself")
    middle = (max(ordered) + 1) // 2
    nearest = min(ordered, key=lambda layer: (abs(layer - middle), layer))
    return ChosenLayer(nearest, f"layer {nearest}, the middle one, fixed before looking at results")


def _names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@dataclass(frozen=True)
class Headline:
    """The figures of one run and species.

    Args:
        place: run, species, own frame and the chosen layer.
        how: how the layer was chosen.
        code: number of the genetic code that counts as right.
        left_out: primary endpoint.
        synonyms: synonymous codons.
        between: synonymous codons between blocks only; None where the code has none.
        cosine: plain cosine.
        untold: primary endpoint over the codons that the network was not told; None where it was told none.
        frames: primary endpoint of the same network, shown genes in another frame.
        frame_synonyms: synonymous codons likewise.
        twins: primary endpoint of networks trained on another frame, in that frame.
        twin_synonyms: synonymous codons likewise.
        untrained: primary endpoint of the network before training.
        untrained_synonyms: synonymous codons of the network before training.
        shuffled_95: 95th percentile of the primary endpoint with amino acids dealt anew.
        spelling: synonymous codons by shared bases alone, their best weighting.
    """

    place: Place
    how: str
    code: int
    left_out: Measure | None
    synonyms: Measure | None
    between: Measure | None
    cosine: Measure | None
    untold: Measure | None
    frames: Mapping[int, Measure]
    frame_synonyms: Mapping[int, Measure]
    twins: Mapping[int, Measure]
    twin_synonyms: Mapping[int, Measure]
    untrained: Measure | None
    untrained_synonyms: Measure | None
    shuffled_95: float | None
    spelling: Measure | None

    @property
    def aligned(self) -> bool:
        """The primary endpoint stands clear of the shuffled code."""
        return is_clear(self.left_out)

    @property
    def knows_synonyms(self) -> bool:
        """Synonymous codons find each other better than dealt-anew boxes explain."""
        return is_clear(self.synonyms)

    def frame_bound(self, endpoint: str = "left_out") -> bool | None:
        """Whether the own frame stands clear of networks trained on other frames; None without any.

        Without such networks nothing is known: a word's vector goes with the word, so that the same network,
        shown shifted genes, often gives the same.
        """
        own = getattr(self, endpoint)
        others = self.twins if endpoint == "left_out" else self.twin_synonyms
        if own is None or not others or own.low is None:
            return None
        return all(other.value is not None and own.low > other.value for other in others.values())


def is_clear(measure: Measure | None) -> bool:
    """Above what 95 % of shuffled codes reach."""
    return measure is not None and measure.p is not None and measure.p <= SIGNIFICANT


def make_headline(
    rows: Sequence[Measure], place: Place, how: str, code: int, twins: Mapping[int, Place] | None = None
) -> Headline:
    """Collect the figures of a place and of its controls from the long table.

    Args:
        rows: the long table.
        place: what is reported.
        how: how its layer was chosen.
        code: number of the genetic code that counts as right.
        twins: the same place in networks trained on other frames, by frame.
    """
    trained = sorted((twins or {}).items())
    here = at_place(place)
    about = select(rows, run=place.run, species_a=place.species, species_b=place.species)
    others = {key: value for key, value in here.items() if key != "frame"}
    left_out = {row.frame: row for row in select(about, **others, **LEFT_OUT_ENDPOINT)}
    synonyms = {row.frame: row for row in select(about, **others, **SYNONYM_ENDPOINT)}
    fresh = {**here, "vectors": "untrained", "tokens_seen": 0}
    top = pick(about, **here, **{**LEFT_OUT_ENDPOINT, "statistic": "permutation_null95"})
    return Headline(
        place,
        how,
        code,
        left_out.get(place.frame),
        synonyms.get(place.frame),
        pick(about, **here, **BETWEEN_ENDPOINT),
        pick(about, **here, **COSINE_ENDPOINT),
        pick(about, **here, **UNTOLD_ENDPOINT),
        {frame: row for frame, row in left_out.items() if frame is not None and frame != place.frame},
        {frame: row for frame, row in synonyms.items() if frame is not None and frame != place.frame},
        {f: row for f, twin in trained if (row := pick(rows, **at_place(twin), **LEFT_OUT_ENDPOINT))},
        {f: row for f, twin in trained if (row := pick(rows, **at_place(twin), **SYNONYM_ENDPOINT))},
        pick(about, **fresh, **LEFT_OUT_ENDPOINT),
        pick(about, **fresh, **SYNONYM_ENDPOINT),
        None if top is None else top.value,
        pick(select(rows, vectors="spelling", species_a=place.species), scope="all", statistic="mrr_best"),
    )


def layer_scores(rows: Sequence[Measure], run: str, frame: int) -> dict[str, dict[int, float]]:
    """Primary endpoint by species and layer, for a run's contextual vectors in one frame."""
    found: dict[str, dict[int, float]] = {}
    for row in select(rows, run=run, vectors="contextual", frame=frame, **LEFT_OUT_ENDPOINT):
        if row.layer is not None and row.value is not None and row.species_a == row.species_b:
            found.setdefault(row.species_a, {})[row.layer] = row.value
    return found


def as_summary(headline: Headline) -> dict[str, object]:
    """The headline as plain values for ``summary.json``."""

    def figure(measure: Measure | None) -> dict[str, object] | None:
        if measure is None:
            return None
        names = ("value", "low", "high", "chance", "null95", "p", "n")
        found = {name: getattr(measure, name) for name in names}
        return {name: round(v, 6) if isinstance(v, float) else v for name, v in found.items()}

    def figures(by_frame: Mapping[int, Measure]) -> dict[str, object]:
        return {str(frame): figure(row) for frame, row in sorted(by_frame.items())}

    return {
        "run": headline.place.run,
        "species": headline.place.species,
        "frame": headline.place.frame,
        "vectors": headline.place.vectors,
        "layer": headline.place.layer,
        "layer_chosen": headline.how,
        "genetic_code": headline.code,
        "left_out_amino_acids": figure(headline.left_out),
        "left_out_shuffled_95": headline.shuffled_95 and round(headline.shuffled_95, 6),
        "left_out_untold_codons": figure(headline.untold),
        "synonymous_codons": figure(headline.synonyms),
        "synonymous_codons_between_blocks": figure(headline.between),
        "cosine": figure(headline.cosine),
        "shown_in_frame": figures(headline.frames),
        "shown_in_frame_synonyms": figures(headline.frame_synonyms),
        "trained_on_frame": figures(headline.twins),
        "trained_on_frame_synonyms": figures(headline.twin_synonyms),
        "untrained": figure(headline.untrained),
        "untrained_synonyms": figure(headline.untrained_synonyms),
        "aligned": headline.aligned,
        "synonyms_found": headline.knows_synonyms,
        "bound_to_frame": headline.frame_bound(),
        "synonyms_bound_to_frame": headline.frame_bound("synonyms"),
    }
