"""Opens runs and gathers the vectors of every view: species, frame, layer, trained and untrained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomecli.analysis.arrays import Integers
from genomecli.analysis.kept import Kept
from genomecli.analysis.networks import at_layers, matched_layers
from genomecli.analysis.places import STATIC_LAYER, GeneSums, Place, VectorPair, make_pair
from genomecli.analysis.runs import OpenRun, shared_species
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.texts import (
    LOCUS,
    READ,
    Chosen,
    Wanted,
    choose_records,
    codon_step,
    dna_molecule,
    items_of,
    locus_of,
    unread,
)
from genomecli.analysis.vectors import TextMeans, all_layers, static_rows, word_counts, words_of
from genomecli.inference.contextual import ContextualMeans, contextual_means
from genomecli.inference.engine import Engine
from genomecli.sequences.codes import GeneticCode

if TYPE_CHECKING:
    from genomecli.inference.items import Item


CHECKPOINT_SHARE = 0.25
"""Share of the tokens that are read of earlier checkpoints, which serve the figures along training alone."""

LEAST_TOKENS = 20_000
"""No share is smaller than this many tokens."""


@dataclass
class Gathered:
    """Vectors of one run.

    Args:
        pairs: by place.
        genes: mean states of genes in the run's own frame, and of proteins, by species.
        codes: genetic code of each species.
        notes: what the reader of the results must know.
        records: what became of the records of each molecule, a count each.
    """

    pairs: dict[Place, VectorPair] = field(default_factory=dict)
    genes: dict[str, tuple[TextMeans, TextMeans]] = field(default_factory=dict)
    codes: dict[str, GeneticCode] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    records: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Gatherer:
    """Runs models over the held-out texts of their species.

    Args:
        settings: which vectors, layers, frames and how many tokens.
        seed: of the choice of records and of untrained weights.
        precision: of the forward pass.
        kept: takes each pass over texts, and gives it back where it was made before.
    """

    settings: CompareSettings
    seed: int
    precision: str = "fp32"
    kept: Kept = field(default_factory=Kept)

    def everything(self, run: OpenRun, *, control: bool = False) -> Iterator[tuple[str, Gathered]]:
        """What is gathered of each species of a run; yields after each, so that progress can be shown.

        Args:
            run: the run.
            control: it is a control: its own frame alone, and only as trained.
        """
        for species in shared_species(run, self.settings.species):
            gathered = Gathered()
            dna, protein = self.texts(run, species)
            gathered.codes[species] = dna.code
            for chosen, frame in ((dna, run.frame), (protein, 0)):
                if chosen is not None:
                    gathered.notes += chosen.notes
                    gathered.records[chosen.molecule] = self._records(run, chosen, frame)
            if "static" in self.settings.vectors:
                self._static(run, dna, protein, gathered)
            if "contextual" in self.settings.vectors:
                self._contextual(run, (dna, protein), gathered, own_only=control, plain=control)
                if self.settings.untrained and not control:
                    fresh = run.before_training(self.seed)
                    self._contextual(fresh, (dna, protein), gathered, own_only=True, trained=False)
            yield species, gathered

    def _records(self, run: OpenRun, chosen: Chosen, frame: int) -> dict[str, int]:
        """What became of all records; of those that were chosen, how many hold nothing to read."""
        key = ("unread", run.name, chosen.species, chosen.molecule, frame)
        strip = self.settings.strip_terminal
        lexicon = run.network(chosen.molecule).loaded.lexicon
        empty = self.kept.part(key, unread, run.corpus, lexicon, chosen, frame=frame, strip=strip)
        went = {**chosen.records, READ: chosen.records[READ] - empty}
        return went | ({"without a token that counts": empty} if empty else {})

    def own_frame(self, run: OpenRun, species: str) -> list[VectorPair]:
        """Contextual vectors in the run's own frame alone, for checkpoints along training."""
        gathered = Gathered()
        texts = self.texts(run, species, share=CHECKPOINT_SHARE)
        self._contextual(run, texts, gathered, own_only=True, plain=True)
        return list(gathered.pairs.values())

    def texts(self, run: OpenRun, species: str, *, share: float = 1.0) -> tuple[Chosen, Chosen | None]:
        """Held-out genes (or genome) of a species, and proteins where the run reads any.

        Args:
            run: the run.
            species: its name.
            share: of the tokens that are read.
        """
        s = self.settings
        most = min(s.max_tokens, max(LEAST_TOKENS, round(share * s.max_tokens)))
        molecule = dna_molecule(run.corpus, species, s.molecule, proteins=run.amino is not None)
        readings = 2 if molecule == "genome" else 1  # both strands
        wanted = Wanted(s.splits, 3 * s.min_codons, 3 * most // readings, self.seed)
        dna = choose_records(run.corpus, species, molecule, wanted)
        if run.amino is None:
            return dna, None
        wanted = Wanted(s.splits, s.min_codons, most, self.seed)
        return dna, choose_records(run.corpus, species, "protein", wanted)

    def _static(self, run: OpenRun, dna: Chosen, protein: Chosen | None, gathered: Gathered) -> None:
        """Rows of the embedding, of words that occur: a row that was never trained means nothing."""
        species = dna.species
        amino, amino_counts = None, None
        if protein is not None:
            amino = static_rows(run.network("protein").loaded, species, "protein")
            amino_counts = word_counts(self._items(run, protein, 0), *_words(run, protein))
        pair = make_pair(
            run.place(species, vectors="static", frame=run.frame, layer=STATIC_LAYER),
            dna.code,
            static_rows(run.loaded, species, "dna"),
            amino,
            _known(run, dna, word_counts(self._items(run, dna, run.frame), *_words(run, dna))),
            amino_counts,
            min_count=self.settings.min_count,
            apart=run.apart,
        )
        if pair is not None:
            gathered.pairs[pair.place] = pair

    def _contextual(
        self,
        run: OpenRun,
        texts: tuple[Chosen, Chosen | None],
        gathered: Gathered,
        *,
        own_only: bool = False,
        plain: bool = False,
        trained: bool = True,
    ) -> None:
        """All layers of one run; with ``plain`` no gene buckets and no texts."""
        dna, protein = texts
        layers = all_layers(run.loaded, self.settings.layers)
        detailed = trained and not plain
        amino, protein_texts = self._amino(run, protein, layers, detailed, trained)
        frames = [run.frame] if own_only else sorted({*self.settings.frames, run.frame})
        for frame in frames:
            own = detailed and frame == run.frame
            codons, gene_texts = self._sums(run, dna, layers, frame, own, trained)
            if gene_texts is not None and protein_texts is not None:
                gathered.genes[dna.species] = (gene_texts, protein_texts)
            vectors = "contextual" if trained else "untrained"
            place = run.place(dna.species, vectors=vectors, frame=frame)
            place = place if trained else replace(place, tokens=0)
            for layer in layers:
                genes = None
                if own and self.settings.gene_bootstrap:
                    genes = _gene_sums(codons, amino, layer, dna.molecule)
                pair = self._pair(run, place.at(layer), dna, codons, amino, genes)
                if pair is None:
                    gathered.notes.append(f"{dna.species}, frame {frame}: too few words were seen to compare")
                    break
                gathered.pairs[pair.place] = pair

    def _amino(
        self, run: OpenRun, protein: Chosen | None, layers: tuple[int, ...], own: bool, trained: bool
    ) -> tuple[ContextualMeans | None, TextMeans | None]:
        """Amino acids at the codons' layers, or at those of another network that match them in depth."""
        if protein is None:
            return None, None
        if not run.apart:
            return self._sums(run, protein, layers, 0, own, trained)
        depths = (int(run.network(molecule).loaded.settings.layers) for molecule in ("cds", "protein"))
        matched = matched_layers(layers, *depths)
        found, texts = self._sums(run, protein, tuple(sorted(set(matched))), 0, own, trained)
        if texts is not None:
            rows = [texts.layers.index(layer) for layer in matched]
            texts = replace(texts, layers=layers, vectors=texts.vectors[rows])
        return at_layers(found, layers, matched), texts

    def _pair(
        self,
        run: OpenRun,
        place: Place,
        dna: Chosen,
        codons: ContextualMeans,
        amino: ContextualMeans | None,
        genes: GeneSums | None,
    ) -> VectorPair | None:
        return make_pair(
            place,
            dna.code,
            codons.at(place.layer),
            None if amino is None else amino.at(place.layer),
            _known(run, dna, codons.total),
            None if amino is None else amino.total,
            min_count=self.settings.min_count,
            genes=genes,
            apart=run.apart,
        )

    def _sums(
        self,
        run: OpenRun,
        chosen: Chosen,
        layers: tuple[int, ...],
        frame: int,
        own: bool,
        trained: bool,
    ) -> tuple[ContextualMeans, TextMeans | None]:
        state, step = "trained" if trained else "untrained", run.network(chosen.molecule).loaded.step
        key = ("states", run.name, state, step, chosen.species, chosen.molecule, frame, own)
        return self.kept.part(key, self._read, run, chosen, layers, frame, own)

    def _read(
        self,
        run: OpenRun,
        chosen: Chosen,
        layers: tuple[int, ...],
        frame: int,
        own: bool,
    ) -> tuple[ContextualMeans, TextMeans | None]:
        items = list(self._items(run, chosen, frame))
        words, step = _words(run, chosen)
        found = contextual_means(
            Engine(run.network(chosen.molecule).loaded, precision=self.precision),
            items,
            words,
            layers,
            groups=self.settings.gene_buckets if own and self.settings.gene_bootstrap else 1,
            key=locus_of,
            step=step,
            texts=own and self.settings.retrieval,
            check=self.kept.check,
        )
        return found, None if found.texts is None else TextMeans.of(found, items)

    def _items(self, run: OpenRun, chosen: Chosen, frame: int) -> Iterator[Item]:
        lexicon = run.network(chosen.molecule).loaded.lexicon
        strip = self.settings.strip_terminal
        return items_of(run.corpus, lexicon, chosen, frame=frame, strip=strip)


def _words(run: OpenRun, chosen: Chosen) -> tuple[Integers, int]:
    """Ids of the words of a text's language, and tokens from one word to the next."""
    lexicon = run.network(chosen.molecule).loaded.lexicon
    if chosen.molecule == "protein":
        return words_of(lexicon, chosen.species, "protein"), 1
    return words_of(lexicon, chosen.species, "dna"), codon_step(lexicon, chosen.species)


def _known(run: OpenRun, dna: Chosen, counts: Integers) -> Integers:
    """int64[64]: occurrences of codons, none of those that the network has no word for."""
    return counts * run.codons.present(dna.species, "dna")


def _gene_sums(codons: ContextualMeans, amino: ContextualMeans | None, layer: int, molecule: str) -> GeneSums:
    """The sums of one layer in single precision, without groups that hold no text."""
    unit = f"stretches of {LOCUS:,} bases of the genome" if molecule == "genome" else "genes"
    sums, counts = _held(codons, layer)
    none = np.zeros((0, 20, 0), dtype=np.float32), np.zeros((0, 20), dtype=np.int64)
    return GeneSums(sums, counts, *(none if amino is None else _held(amino, layer)), unit)


def _held(means: ContextualMeans, layer: int) -> tuple[NDArray[np.float32], Integers]:
    held = means.counts.any(axis=1)
    return means.sums[held, means.layers.index(layer)].astype(np.float32), means.counts[held]
