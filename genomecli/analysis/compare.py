"""The comparison: every run, species, frame and layer measured, then everything against everything.

What each step measures is told in its own module: ``within`` a species, ``controls``, ``yardsticks``,
``between`` species, runs and frames, ``deviance`` of genetic codes, ``gene_lookup``, ``resampling``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from itertools import combinations
from pathlib import Path

from genomecli.analysis.between import amino_rows, difference_rows, run_rows, species_rows
from genomecli.analysis.codon_surprise import run_lines
from genomecli.analysis.comparison import Comparison, RunCard
from genomecli.analysis.controls import frequency_rows, spelling_rows
from genomecli.analysis.deviance import Deviance, code_lines, rank_place, surprise_lines, wanted_codes
from genomecli.analysis.gather import Gathered, Gatherer
from genomecli.analysis.gene_lookup import retrieval_rows
from genomecli.analysis.headline import ChosenLayer, choose_layer, layer_scores, make_headline
from genomecli.analysis.kept import Kept
from genomecli.analysis.places import STATIC_LAYER, Place, VectorPair
from genomecli.analysis.removal import removal_rows
from genomecli.analysis.resampling import gene_rows
from genomecli.analysis.run_texts import run_texts
from genomecli.analysis.runs import OpenRun, read_probes, shared_species
from genomecli.analysis.seeds import seed_rows
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.tidy import Measure
from genomecli.analysis.untold import told_codons, untold_rows
from genomecli.analysis.within import Within
from genomecli.analysis.yardsticks import endpoint_rows, static_pairs
from genomecli.errors import GenomecliError
from genomecli.progress import Progress
from genomecli.runtime import log, rng
from genomecli.sequences.codes import GeneticCode


class Comparer:
    """Fills a :class:`Comparison`.

    Args:
        settings: what to measure.
        seed: of everything random.
        precision: of the forward passes.
        progress: is told of every vector pair that was measured.
        kept: takes each part that takes time, and gives it back where it was made before.
    """

    def __init__(
        self,
        settings: CompareSettings,
        seed: int,
        precision: str = "fp32",
        progress: Progress | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.precision = precision
        self.progress = progress or Progress()
        self.kept = kept or Kept()
        self.within = Within(settings, seed)
        self.gatherer = Gatherer(settings, seed, precision, self.kept)
        self.result = Comparison(settings, seed)
        self._gathered: dict[tuple[str, str], Gathered] = {}
        self._codes: dict[tuple[str, str], GeneticCode] = {}
        self._done: set[tuple[str, str, str, int]] = set()
        self._alike: list[tuple[str, tuple[object, ...]]] = []

    def add_run(self, run: OpenRun, group: str, *, control: bool = False) -> None:
        """Measure a run in all its views, its baselines included.

        Args:
            run: the run.
            group: name that replicates share.
            control: it was trained on another frame and is a control of another run.
        """
        species = shared_species(run, self.settings.species)
        for text in _networks(run):
            self.result.note(text)
        self.result.cards.append(_card(run, group, tuple(species), control=control))
        self.result.probes[run.name] = read_probes(run.path)
        for info in run.corpus.species:
            if info.name in species and info.note:
                self.result.species_notes[info.name] = info.note
        for name, gathered in self.gatherer.everything(run, control=control):
            log.info("%s: %s: measuring %d sets of vectors", run.name, name, len(gathered.pairs))
            self._measure(run, name, gathered, control)
            self._baselines(run, name)
            if self.settings.codon_surprise and not control:
                self._surprise(run, name)

    def _measure(self, run: OpenRun, species: str, gathered: Gathered, control: bool) -> None:
        for text in gathered.notes:
            self.result.note(text)
        for molecule, went in gathered.records.items():
            self.result.records.setdefault(run.name, {})[f"{species}.{molecule}"] = went
            listed = ", ".join(f"{count:,} {name}" for name, count in went.items())
            log.info("%s: %s.%s: of %d records %s", run.name, species, molecule, sum(went.values()), listed)
        self._gathered[run.name, species] = gathered
        self._codes[run.name, species] = gathered.codes[species]
        for place, pair in gathered.pairs.items():
            claimed = place.frame == run.frame and not control
            full = place.vectors in ("static", "contextual") and claimed
            self.result.rows += self.kept.part(("measures", place), self.within.measure, pair, full=full)
            if claimed:
                self.result.rows += self.kept.part(("untold", place), self._untold, run, pair)
                self._removed(pair)
            self.result.pairs[place] = pair
            self.progress.advance(1, at=f"{species} layer {place.layer} frame {place.frame}")
        own = self._own_pairs(run, species)
        key = ("counts", str(run.corpus.path), species, run.frame)
        if own and key not in self._done:
            self._done.add(key)
            self.result.rows += frequency_rows(own[0])
            spelling = (own[0].place, own[0].gold)
            self.result.rows += self.kept.part(("spelling", own[0].place), spelling_rows, *spelling)

    def _untold(self, run: OpenRun, pair: VectorPair) -> list[Measure]:
        place = pair.place
        told = told_codons(run, place.species, self._codes[run.name, place.species])
        return untold_rows(pair, told, self.settings, rng(self.seed, "untold", *astuple(place)))

    def _removed(self, pair: VectorPair) -> None:
        source = rng(self.seed, "removal", *astuple(pair.place))
        self.result.rows += self.kept.part(("removal", pair.place), removal_rows, pair, self.settings, source)

    def _surprise(self, run: OpenRun, species: str) -> None:
        dna, _ = self.gatherer.texts(run, species)
        arguments = (run, dna, self.settings, self.seed, self.precision)
        lines, notes = self.kept.part(("codon surprise", run.name, species), run_lines, *arguments)
        self.result.codon_lines += lines
        for text in notes:
            self.result.note(text)

    def _own_pairs(self, run: OpenRun, species: str) -> list[VectorPair]:
        """Trained contextual vectors of a run in its own frame, by layer."""
        return [
            pair
            for place, pair in sorted(self.result.pairs.items())
            if (place.run, place.species, place.vectors, place.frame, place.tokens)
            == (run.name, species, "contextual", run.frame, run.tokens)
        ]

    def _baselines(self, run: OpenRun, species: str) -> None:
        """Static vectors of the run's own texts; runs that read alike (their seeds aside) share them."""
        settings = self.settings.baselines
        if not (settings.ppmi or settings.word2vec):
            return
        if run.codons.foreign or run.amino is None:
            why = (
                "what others trained it on is not known" if run.codons.foreign else "they want two languages"
            )
            self.result.note(f"{run.name}: no static baselines, for {why}")
            return
        alike = (str(run.corpus.path), species, run.reading, run.loaded.lexicon.fingerprint, run.loaded.step)
        first = next((name for name, key in self._alike if key == alike), None)
        self.result.static[run.name, species] = first or run.name
        if first is not None:
            return
        self._alike.append((run.name, alike))
        pairs, notes = self.kept.part(("static", run.name, species), self._static, run, species)
        for text in notes:
            self.result.note(text)
        for pair in pairs:
            self._endpoints(pair)
            self._removed(pair)
            self.result.pairs[pair.place] = pair
            self.progress.advance(1, at=f"{species} {pair.place.vectors}")

    def _static(self, run: OpenRun, species: str) -> tuple[list[VectorPair], list[str]]:
        """Static vectors of every method and amount of text, and what the reader must know of them."""
        settings, name = self.settings.baselines, f"{run.name}: {species}"
        try:
            texts = run_texts(run, species, settings.max_tokens)
        except GenomecliError as error:
            return [], [f"{name}: no static baselines, for what the run was trained on is not there: {error}"]
        pairs, notes = list(static_pairs(run, species, texts, settings, self.seed)), []
        if texts.tokens < run.tokens:
            read = f"the first {texts.tokens:,} of the {run.tokens:,} tokens that the run was trained on"
            notes.append(f"{name}: static baselines were counted on {read}")
        if not pairs:
            notes.append(f"{name}: too little training text for static baselines")
        return pairs, notes

    def _endpoints(self, pair: VectorPair) -> None:
        self.result.rows += self.kept.part(("endpoints", pair.place), endpoint_rows, pair, self.within)

    def add_checkpoint(self, run: OpenRun) -> None:
        """Measure an earlier checkpoint of a run in its own frame: the two endpoints, layer by layer."""
        for species in shared_species(run, self.settings.species):
            for pair in self.gatherer.own_frame(run, species):
                self._endpoints(pair)
            self.progress.advance(1, at=f"{species} after {run.tokens} tokens")

    def finish(self, runs: Sequence[OpenRun]) -> Comparison:
        """Choose the headline's layers, then compare species, runs and frames, and rank genetic codes."""
        for run in runs:
            self._headlines(run)
        for run in runs:
            self._between_species(run)
        self._between_runs(runs)
        self._across_runs(runs)
        self.result.rows += seed_rows(self.result)
        return self.result

    def _headlines(self, run: OpenRun) -> None:
        scores = layer_scores(self.result.rows, run.name, run.frame)
        for species in self.result.card(run.name).species:
            place, how = self._chosen(run, species, scores)
            pair = self.result.pairs.get(place)
            if pair is None:
                self.result.note(f"{run.name}: {species}: no vectors to report")
                continue
            if not self.result.card(run.name).control:
                self._at_headline(run, pair)
            code = self._codes[run.name, species].table
            twins = self._twins(place)
            self.result.headlines.append(make_headline(self.result.rows, place, how, code, twins))

    def _twins(self, place: Place) -> dict[int, Place]:
        """The same place in a like network that was trained on another reading frame, by frame."""
        own = self.result.card(place.run)
        found: dict[int, Place] = {}
        for card in self.result.cards:
            alike = (card.relation, card.layers, card.width) == (own.relation, own.layers, own.width)
            twin = replace(place, run=card.name, frame=card.frame, tokens=card.tokens, seed=card.seed)
            if alike and card.frame != own.frame and twin in self.result.pairs:
                found.setdefault(card.frame, twin)
        return found

    def _chosen(self, run: OpenRun, species: str, scores: dict[str, dict[int, float]]) -> tuple[Place, str]:
        layers = [pair.place.layer for pair in self._own_pairs(run, species)]
        if not layers:
            return run.place(species, vectors="static", frame=run.frame), "rows of the embedding"
        chosen: ChosenLayer = choose_layer(self.settings.headline_layer, layers, species, scores)
        return run.place(species, frame=run.frame, layer=chosen.layer), chosen.how

    def _at_headline(self, run: OpenRun, pair: VectorPair) -> None:
        place, result = pair.place, self.result
        rows, deviances = self.kept.part(("headline", place), self._headline_parts, run, pair)
        result.rows += rows
        for deviance in deviances:
            result.deviances.append(deviance)
            result.code_lines += code_lines(deviance)
            result.surprise_lines += surprise_lines(pair, deviance, self.settings.axes)
        self.progress.advance(1, at=f"{place.species} genetic codes")

    def _headline_parts(self, run: OpenRun, pair: VectorPair) -> tuple[list[Measure], list[Deviance]]:
        """Intervals over genes, differences from the controls, retrieval; and the genetic codes, ranked."""
        place, settings = pair.place, self.settings
        source = rng(self.seed, "headline", place.run, place.species)
        rows = gene_rows(pair, settings.gene_bootstrap, settings.axes, source)
        given = self._codes[run.name, place.species]
        deviances = rank_place(pair, given, wanted_codes(settings.codes, given), source, settings.axes)
        for other in self._controls_of(place):
            label = "against the untrained network"
            if other.place.vectors == "contextual":
                label = f"against frame {other.place.frame}"
            rows += difference_rows(pair, other, settings, self.seed, label=label)
        texts = self._gathered[run.name, place.species].genes.get(place.species)
        if texts is not None and place.layer != STATIC_LAYER:
            rows += retrieval_rows(place, *texts, settings, self.seed, apart=pair.apart)
        return rows, deviances

    def _controls_of(self, place: Place) -> list[VectorPair]:
        """Other frames of the same layer, and the untrained network in the same frame."""
        found = []
        for other, pair in sorted(self.result.pairs.items()):
            same = (other.run, other.species, other.layer) == (place.run, place.species, place.layer)
            frames = other.vectors == "contextual" == place.vectors and other.frame != place.frame
            fresh = other.vectors == "untrained" and other.frame == place.frame
            if same and (frames or fresh):
                found.append(pair)
        return found

    def _between_species(self, run: OpenRun) -> None:
        card = self.result.card(run.name)
        if len(card.species) < 2 or card.control:
            return
        layers = [pair.place.layer for pair in self._own_pairs(run, card.species[0])]
        views: list[Place] = []
        if layers:
            rule = self.settings.headline_layer if isinstance(self.settings.headline_layer, int) else "middle"
            layer = choose_layer(rule, layers, "", {}).layer
            views.append(run.place("", frame=run.frame, layer=layer))
        # With a shared vocabulary all species have the same static rows: nothing to compare.
        if card.scope == "per_species":
            views.append(run.place("", vectors="static", frame=run.frame))
        for view in views:
            places = {species: replace(view, species=species) for species in card.species}
            pairs = {s: self.result.pairs[p] for s, p in places.items() if p in self.result.pairs}
            arguments = (pairs, self.settings, self.seed)
            self.result.rows += self.kept.part(("species", view), species_rows, *arguments, shared_space=True)
            self.result.rows += amino_rows(pairs, self.settings, self.seed)
            self.progress.advance(1, at="species against species")

    def _headline_pairs(self, run: OpenRun) -> dict[str, VectorPair]:
        own = [head.place for head in self.result.headlines if head.place.run == run.name]
        return {place.species: self.result.pairs[place] for place in own}

    def _between_runs(self, runs: Sequence[OpenRun]) -> None:
        wanted = self.settings.pairs
        for first, second in combinations(runs, 2):
            names = {first.name, second.name}
            if wanted != "all" and names not in [set(pair) for pair in wanted]:
                continue
            left, right = self._headline_pairs(first), self._headline_pairs(second)
            for species in sorted(set(left) & set(right)):
                place = right[species].place
                label = f"against run {second.name}, frame {place.frame}, layer {place.layer}"
                both = (left[species], right[species])
                key = ("runs", both[0].place, place)
                self.result.rows += self.kept.part(
                    key, run_rows, *both, self.settings, self.seed, label=label
                )
            self.progress.advance(1, at=f"{first.name} against {second.name}")

    def _across_runs(self, runs: Sequence[OpenRun]) -> None:
        """Species whose models are apart: through a rotation only."""
        pairs: dict[str, VectorPair] = {}
        for run in runs:
            for species, pair in self._headline_pairs(run).items():
                pairs.setdefault(species, pair)
        if len(pairs) > 1 and len({pair.place.run for pair in pairs.values()}) > 1:
            arguments = (pairs, self.settings, self.seed)
            self.result.rows += self.kept.part(("across",), species_rows, *arguments, shared_space=False)


def _card(run: OpenRun, group: str, species: tuple[str, ...], *, control: bool) -> RunCard:
    from genomecli.models.language_model import count_parameters

    settings = run.loaded.settings
    return RunCard(
        name=run.name,
        path=run.path,
        checkpoint=Path(run.loaded.info["path"]),
        corpus=run.corpus.path,
        species=species,
        frame=run.frame,
        relation=run.relation,
        step=run.loaded.step,
        tokens=run.tokens,
        seed=run.seed,
        layers=int(settings.layers),
        width=int(settings.width),
        parameters=count_parameters(run.loaded.model)["total"],
        scope=run.loaded.lexicon.scope,
        group=group,
        control=control,
        proteins=run.network("protein").name if run.apart else "",
    )


def _networks(run: OpenRun) -> list[str]:
    """What the reader must know of the networks of a run."""
    told = []
    if run.codons.absent:
        told.append(f"{run.name} has no word for {', '.join(run.codons.absent)}: they have no vector")
    if run.amino is None:
        told.append(
            f"{run.name} reads no proteins: synonymous codons and genetic codes are measured. "
            "With --proteins-of its codons meet the amino acids of another network"
        )
    if run.apart:
        other = run.network("protein")
        told.append(
            f"{run.name}: the amino acids are those of {other.name}. Two networks share no space, so cosine "
            "and CSLS between their vectors mean nothing and are left out; CKA, and a rotation (Procrustes) "
            "scored on amino acids that it was not fitted on, need none. A layer is compared with the one at "
            f"the same share of the depth ({run.loaded.settings.layers} and {other.loaded.settings.layers} "
            "blocks)"
        )
    return told
