"""What a comparison found, as plain values: all that tables, figures and the page are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from genomecli.analysis.deviance import Deviance
from genomecli.analysis.headline import Headline
from genomecli.analysis.lookup import select
from genomecli.analysis.places import Place, VectorPair
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.tidy import Measure


@dataclass(frozen=True)
class RunCard:
    """What a reader must know of a run.

    Args:
        name: in tables and figures.
        path: the run folder or checkpoint that was named.
        checkpoint: the checkpoint that was read.
        corpus: where its held-out texts were read from.
        species: species that were measured.
        frame: reading frame that it was trained at.
        relation: how its two languages met in training.
        step: optimiser steps.
        tokens: tokens seen in training.
        seed: of the run.
        layers: blocks of the network.
        width: of its states.
        parameters: number of weights.
        scope: whether species share their tokens.
        group: replicates of one run (other seeds) share it; the name itself otherwise.
        control: it was trained on another frame of the genes and is a control for a run of frame 0: measured
            in its own frame alone, and not reported by itself.
        proteins: name of the network that the amino acids are of, where it is another one.
    """

    name: str
    path: Path
    checkpoint: Path
    corpus: Path
    species: tuple[str, ...]
    frame: int
    relation: str
    step: int
    tokens: int
    seed: int
    layers: int
    width: int
    parameters: int
    scope: str
    group: str
    control: bool = False
    proteins: str = ""


@dataclass(frozen=True)
class ProbePoint:
    """One figure that a run noted while it was trained: step, species, layer, endpoint and MRR."""

    step: int
    species: str
    layer: int
    endpoint: str
    value: float


@dataclass
class Comparison:
    """Results of ``mrr-compare``.

    Args:
        settings: what was asked for.
        seed: of everything random.
        cards: the runs.
        rows: the long table.
        pairs: vectors by place.
        headlines: one a run and species.
        deviances: genetic codes ranked, one a headline and kind of evidence.
        code_lines: rows of ``codes.tsv``.
        surprise_lines: rows of ``surprises.tsv``.
        codon_lines: rows of ``codon_surprise.tsv``.
        probes: MRR along training as the runs noted it themselves, by run.
        static: by run and species, the run whose texts its static baselines were counted on: itself, or an
            earlier one that read texts of the same kind.
        species_notes: what the corpus remembers of its species.
        notes: what the reader must know.
        records: what became of the corpus' records, by run and ``species.molecule``.
    """

    settings: CompareSettings
    seed: int
    cards: list[RunCard] = field(default_factory=list)
    rows: list[Measure] = field(default_factory=list)
    pairs: dict[Place, VectorPair] = field(default_factory=dict)
    headlines: list[Headline] = field(default_factory=list)
    deviances: list[Deviance] = field(default_factory=list)
    code_lines: list[tuple[object, ...]] = field(default_factory=list)
    surprise_lines: list[tuple[object, ...]] = field(default_factory=list)
    codon_lines: list[tuple[object, ...]] = field(default_factory=list)
    probes: dict[str, tuple[ProbePoint, ...]] = field(default_factory=dict)
    static: dict[tuple[str, str], str] = field(default_factory=dict)
    species_notes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    records: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)

    def card(self, run: str) -> RunCard:
        """The card of a run, by name."""
        return next(card for card in self.cards if card.name == run)

    @property
    def reported(self) -> list[Headline]:
        """Headlines of runs that are no mere controls."""
        return [head for head in self.headlines if not self.card(head.place.run).control]

    def static_rows(self, place: Place) -> list[Measure]:
        """Rows of the static baselines that stand beside a run's vectors of one species."""
        run = self.static.get((place.run, place.species), place.run)
        return select(self.rows, run=run, species_a=place.species, vectors=("ppmi", "word2vec"))

    def note(self, text: str) -> None:
        """Remember a note once."""
        if text not in self.notes:
            self.notes.append(text)
