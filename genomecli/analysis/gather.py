"""Opens runs and gathers the vectors of every view: species, frame, layer, trained and untrained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.analysis.places import STATIC_LAYER, GeneSums, Place, VectorPair, make_pair
from genomecli.analysis.settings import CompareSettings, RunEntry
from genomecli.analysis.texts import Chosen, Wanted, choose_records, codon_step, dna_molecule, items_of
from genomecli.analysis.vectors import (
    TextMeans,
    WordSums,
    all_layers,
    static_rows,
    sum_words,
    untrained,
    words_of,
)
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.files import read_json
from genomecli.inference.engine import Engine
from genomecli.runtime import log
from genomecli.sequences.codes import GeneticCode

if TYPE_CHECKING:
    import torch

    from genomecli.training.checkpoint import LoadedModel


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A run that is ready to be measured.

    Args:
        name: in tables and figures.
        path: the run folder or checkpoint that was named.
        loaded: the model.
        corpus: held-out texts.
        frame: reading frame that it was trained at.
        relation: how its two languages met in training; empty if not known.
        tokens: seen in training.
        seed: of the run.
    """

    name: str
    path: Path
    loaded: LoadedModel
    corpus: CorpusReader
    frame: int
    relation: str
    tokens: int
    seed: int

    def place(self, species: str, **more: Any) -> Place:
        """A place of this run."""
        return Place(self.name, species, tokens=self.tokens, seed=self.seed, **more)


def open_run(
    entry: RunEntry,
    name: str,
    corpus: str | None,
    device: torch.device | str,
    *,
    checkpoint: Path | None = None,
) -> OpenRun:
    """Load a run's model and its corpus.

    Args:
        entry: what the settings say of the run.
        name: unique name.
        corpus: the section's corpus, if any.
        device: where the model goes.
        checkpoint: this one of the run's checkpoints instead of the entry's.

    Raises:
        InputError: if there is no model, or no corpus to read it with.
    """
    from genomecli.training.checkpoint import load_model

    folder = checkpoint or _checkpoint(entry)
    prefer = entry.checkpoint if entry.checkpoint in ("best", "last") else "best"
    loaded = load_model(folder, device, prefer=prefer)
    config = read_json(Path(loaded.info["path"]) / "config.json")
    progress, identity = loaded.info["progress"], loaded.info["identity"]
    frame = entry.frame if entry.frame is not None else find_setting(config, "frame", int)
    return OpenRun(
        name,
        Path(entry.path),
        loaded,
        open_corpus(entry.corpus or corpus, config, entry.path),
        frame or 0,
        find_setting(config, "relation", str) or "",
        int(progress["tokens"]),
        int(identity["seed"]),
    )


def _checkpoint(entry: RunEntry) -> Path:
    root = Path(entry.path)
    return root if entry.checkpoint in ("best", "last") else root / "checkpoints" / entry.checkpoint


def open_corpus(given: str | None, config: Mapping[str, Any], run: str) -> CorpusReader:
    """The corpus that was named, otherwise the run's own.

    Raises:
        InputError: if none is named, or it is gone.
    """
    path = given or find_setting(config, "corpus", str)
    if path is None:
        raise InputError("does not say which corpus it was trained on", where=run, fix="give --corpus")
    if not Path(path).exists() and given is None:
        raise InputError(f"its corpus {path} is gone", where=run, fix="give --corpus")
    return CorpusReader.open(path)


def find_setting(config: Any, key: str, kind: type[Any]) -> Any:
    """The first value of ``key`` that is a ``kind``, anywhere in nested settings; None if there is none."""
    if not isinstance(config, Mapping):
        return None
    if isinstance(config.get(key), kind):
        return config[key]
    found = (find_setting(value, key, kind) for value in config.values())
    return next((value for value in found if value is not None), None)


def shared_species(run: OpenRun, wanted: tuple[str, ...]) -> list[str]:
    """Species that the run and its corpus both know, in both languages; others are named in the log.

    Raises:
        InputError: if none is left.
    """
    kept = []
    for name in wanted or run.loaded.lexicon.species:
        try:
            run.loaded.lexicon.language_id(name, "protein")
            codon_step(run.loaded.lexicon, name)
            dna_molecule(run.corpus, name)
        except InputError as error:
            log.warning("%s: %s is left out: %s", run.name, name, error)
        else:
            kept.append(name)
    if not kept:
        raise InputError(
            "no species has both DNA and protein in run and corpus",
            where=run.path,
            fix="name a corpus that holds both, or other species",
        )
    return kept


@dataclass
class Gathered:
    """Vectors of one run.

    Args:
        pairs: by place.
        genes: mean states of genes in the run's own frame, and of proteins, by species.
        codes: genetic code of each species.
        notes: what the reader of the results must know.
    """

    pairs: dict[Place, VectorPair] = field(default_factory=dict)
    genes: dict[str, tuple[TextMeans, TextMeans]] = field(default_factory=dict)
    codes: dict[str, GeneticCode] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Gatherer:
    """Runs models over the held-out texts of their species.

    Args:
        settings: which vectors, layers, frames and how many tokens.
        seed: of the choice of records and of untrained weights.
        precision: of the forward pass.
    """

    settings: CompareSettings
    seed: int
    precision: str = "fp32"

    def everything(self, run: OpenRun) -> Iterator[tuple[str, Gathered]]:
        """What is gathered of each species of a run; yields after each, so that progress can be shown."""
        for species in shared_species(run, self.settings.species):
            gathered = Gathered()
            dna, protein = self.texts(run, species)
            gathered.codes[species] = dna.code
            gathered.notes += [*dna.notes, *protein.notes]
            if "static" in self.settings.vectors:
                self._static(run, dna, gathered)
            if "contextual" in self.settings.vectors:
                self._contextual(run, run.loaded, (dna, protein), gathered)
                if self.settings.untrained:
                    fresh = untrained(run.loaded, self.seed)
                    self._contextual(run, fresh, (dna, protein), gathered, own_only=True)
            yield species, gathered

    def own_frame(self, run: OpenRun, species: str) -> list[VectorPair]:
        """Contextual vectors in the run's own frame alone, for checkpoints along training."""
        gathered = Gathered()
        self._contextual(run, run.loaded, self.texts(run, species), gathered, own_only=True, plain=True)
        return list(gathered.pairs.values())

    def texts(self, run: OpenRun, species: str) -> tuple[Chosen, Chosen]:
        """Held-out genes (or genome) and proteins of a species."""
        s = self.settings
        molecule = dna_molecule(run.corpus, species, s.molecule)
        wanted = Wanted(s.splits, 3 * s.min_codons, 3 * s.max_tokens, self.seed)
        dna = choose_records(run.corpus, species, molecule, wanted)
        wanted = Wanted(s.splits, s.min_codons, s.max_tokens, self.seed)
        return dna, choose_records(run.corpus, species, "protein", wanted)

    def _static(self, run: OpenRun, dna: Chosen, gathered: Gathered) -> None:
        species, ones = dna.species, np.ones(64, dtype=np.int64)
        pair = make_pair(
            run.place(species, vectors="static", frame=run.frame, layer=STATIC_LAYER),
            dna.code,
            static_rows(run.loaded, species, "dna"),
            static_rows(run.loaded, species, "protein"),
            ones,
            ones[:20],
        )
        if pair is not None:
            gathered.pairs[pair.place] = pair

    def _contextual(
        self,
        run: OpenRun,
        loaded: LoadedModel,
        texts: tuple[Chosen, Chosen],
        gathered: Gathered,
        *,
        own_only: bool = False,
        plain: bool = False,
    ) -> None:
        """All layers of one model; with ``plain`` no gene buckets and no texts."""
        dna, protein = texts
        layers = all_layers(loaded, self.settings.layers)
        trained = loaded is run.loaded
        detailed = trained and not plain
        amino, protein_texts = self._sums(run, loaded, protein, layers, 0, detailed)
        frames = [run.frame] if own_only else sorted({*self.settings.frames, run.frame})
        for frame in frames:
            own = detailed and frame == run.frame
            codons, gene_texts = self._sums(run, loaded, dna, layers, frame, own)
            if own and self.settings.retrieval:
                gathered.genes[dna.species] = (gene_texts, protein_texts)
            vectors = "contextual" if trained else "untrained"
            place = run.place(dna.species, vectors=vectors, frame=frame)
            place = place if trained else replace(place, tokens=0)
            for layer in layers:
                genes = _gene_sums(codons, amino, layer) if own and self.settings.gene_bootstrap else None
                pair = self._pair(place.at(layer), dna.code, codons, amino, genes)
                if pair is None:
                    gathered.notes.append(f"{dna.species}, frame {frame}: too few words were seen to compare")
                    break
                gathered.pairs[pair.place] = pair

    def _pair(
        self, place: Place, code: GeneticCode, codons: WordSums, amino: WordSums, genes: GeneSums | None
    ) -> VectorPair | None:
        return make_pair(
            place,
            code,
            codons.means(place.layer),
            amino.means(place.layer),
            codons.total,
            amino.total,
            min_count=self.settings.min_count,
            genes=genes,
        )

    def _sums(
        self,
        run: OpenRun,
        loaded: LoadedModel,
        chosen: Chosen,
        layers: tuple[int, ...],
        frame: int,
        own: bool,
    ) -> tuple[WordSums, TextMeans]:
        alphabet = "protein" if chosen.molecule == "protein" else "dna"
        lexicon = loaded.lexicon
        strip = self.settings.strip_terminal
        items = list(items_of(run.corpus, lexicon, chosen, frame=frame, strip=strip))
        return sum_words(
            Engine(loaded, precision=self.precision),
            items,
            words_of(lexicon, chosen.species, alphabet),
            layers,
            buckets=self.settings.gene_buckets if own and self.settings.gene_bootstrap else 1,
            step=codon_step(lexicon, chosen.species) if alphabet == "dna" else 1,
            keep_texts=own and self.settings.retrieval,
        )


def _gene_sums(codons: WordSums, amino: WordSums, layer: int) -> GeneSums:
    return GeneSums(
        codons.sums[:, codons.layers.index(layer)],
        codons.counts,
        amino.sums[:, amino.layers.index(layer)],
        amino.counts,
    )
