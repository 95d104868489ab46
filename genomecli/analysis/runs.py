"""Opens the runs that are to be compared, and the corpora that they are read with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.analysis.comparison import ProbePoint
from genomecli.analysis.networks import Network, open_network, open_proteins
from genomecli.analysis.places import Place
from genomecli.analysis.settings import RunEntry
from genomecli.analysis.texts import codon_step, dna_molecule
from genomecli.analysis.vectors import untrained
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError
from genomecli.files import read_json
from genomecli.runtime import log
from genomecli.training.metrics import read_metrics

if TYPE_CHECKING:
    import torch

    from genomecli.training.checkpoint import LoadedModel


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A run that is ready to be measured.

    Args:
        name: in tables and figures.
        path: the run folder or checkpoint that was named.
        codons: the network whose codons are looked at.
        amino: the network whose amino acids are; the same one as a rule, None where it has none.
        corpus: held-out texts.
        frame: reading frame that it was trained at.
        relation: how its two languages met in training; empty if not known.
        tokens: seen in training; -1 where others trained it.
        seed: of the run; -1 likewise.
        reading: which texts it was trained on; the defaults where its settings do not say.
    """

    name: str
    path: Path
    codons: Network
    amino: Network | None
    corpus: CorpusReader
    frame: int
    relation: str
    tokens: int
    seed: int
    reading: ReadingSettings

    @property
    def loaded(self) -> LoadedModel:
        """The model whose codons are looked at."""
        return self.codons.loaded

    @property
    def apart(self) -> bool:
        """Codons and amino acids are of two networks."""
        return self.amino is not None and self.amino is not self.codons

    def network(self, molecule: str) -> Network:
        """The network that reads a kind of text. It must have its words."""
        found = self.amino if molecule == "protein" else self.codons
        assert found is not None, "a run without amino acids reads no proteins"
        return found

    def before_training(self, seed: int) -> OpenRun:
        """The same with the fresh weights of its own seed, or of ``seed`` where a foreign model has none.

        Training may have begun with others (``init_from``, ``shared_start``).
        """
        seed = self.seed if self.seed >= 0 else seed

        def fresh(network: Network) -> Network:
            return replace(network, loaded=untrained(network.loaded, seed))

        codons = fresh(self.codons)
        amino = fresh(self.amino) if self.apart and self.amino is not None else codons
        return replace(self, codons=codons, amino=None if self.amino is None else amino)

    def place(self, species: str, **more: Any) -> Place:
        """A place of this run."""
        return Place(self.name, species, tokens=self.tokens, seed=self.seed, **more)


def open_run(
    entry: RunEntry,
    name: str,
    corpus: str | None,
    device: torch.device | str,
    *,
    proteins_of: str | None = None,
    checkpoint: Path | None = None,
) -> OpenRun:
    """Load a run's model and its corpus.

    Args:
        entry: what the settings say of the run.
        name: unique name.
        corpus: the section's corpus, if any.
        device: where the model goes.
        proteins_of: the section's network of amino acids, if any.
        checkpoint: this one of the run's checkpoints instead of the entry's.

    Raises:
        InputError: if there is no model, or no corpus to read it with.
    """
    from genomecli.training.checkpoint import find_checkpoint

    prefer = entry.checkpoint if entry.checkpoint in ("best", "last") else "best"
    folder = find_checkpoint(checkpoint or _checkpoint(entry), prefer=prefer)
    texts = open_corpus(entry.corpus or corpus, folder.resolve(), entry.path)
    codons = replace(open_network(folder, texts, device), name=Path(entry.path).resolve().name)
    config = read_json(folder / "config.json")
    progress, identity = codons.loaded.info["progress"], codons.loaded.info["identity"]
    other = entry.proteins_of or proteins_of
    amino = codons if codons.has("protein") else None
    relation = "DNA alone" if amino is None else find_setting(config, "relation", str) or ""
    if other is not None:
        amino, relation = open_proteins(other, texts, device), "apart"
    frame = entry.frame if entry.frame is not None else find_setting(config, "frame", int)
    return OpenRun(
        name,
        Path(entry.path),
        codons,
        amino,
        texts,
        frame or 0,
        relation,
        -1 if codons.foreign else int(progress["tokens"]),
        -1 if codons.foreign else int(identity["seed"]),
        _reading(config, entry.frame),
    )


def _reading(config: Any, frame: int | None) -> ReadingSettings:
    """The reading settings of a run's config; ``frame`` says that its genes were read in that one."""
    found = ReadingSettings.model_validate(find_setting(config, "reading", dict) or {})
    return found if frame is None else found.model_copy(update={"frame": frame})


def _checkpoint(entry: RunEntry) -> Path:
    root = Path(entry.path)
    return root if entry.checkpoint in ("best", "last") else root / "checkpoints" / entry.checkpoint


def open_corpus(given: str | None, checkpoint: Path, run: str) -> CorpusReader:
    """The corpus that was named, otherwise the one that the run's ``run.json`` or settings name.

    Raises:
        InputError: if none is named, or it is gone.
    """
    path = given or _own_corpus(checkpoint)
    if path is None:
        raise InputError("does not say which corpus it was trained on", where=run, fix="give --corpus")
    if given is None and not Path(path).exists():
        raise InputError(f"its corpus {path} is gone", where=run, fix="give --corpus")
    return CorpusReader.open(path, verify="sha256")


def _own_corpus(checkpoint: Path) -> str | None:
    """What the run's own files say: ``run.json`` holds paths, the settings often a name only."""
    for place in (checkpoint.parents[1] / "run.json", checkpoint / "config.json"):
        found = find_setting(read_json(place), "corpus", str) if place.is_file() else None
        if found is not None:
            return str(found)
    return None


def find_setting(config: Any, key: str, kind: type[Any]) -> Any:
    """The first value of ``key`` that is a ``kind``, anywhere in nested settings; None if there is none."""
    if not isinstance(config, Mapping):
        return None
    if isinstance(config.get(key), kind):
        return config[key]
    found = (find_setting(value, key, kind) for value in config.values())
    return next((value for value in found if value is not None), None)


def shared_species(run: OpenRun, wanted: tuple[str, ...]) -> list[str]:
    """Species that the run and its corpus both know, in the languages of the run; others go to the log.

    Raises:
        InputError: if none is left.
    """
    kept = []
    for name in wanted or run.loaded.lexicon.species:
        try:
            run.loaded.lexicon.language_id(name, "dna")
            if run.amino is not None:
                run.amino.loaded.lexicon.language_id(name, "protein")
                run.amino.loaded.lexicon.block(name, "protein")
            codon_step(run.loaded.lexicon, name)
            dna_molecule(run.corpus, name, proteins=run.amino is not None)
        except InputError as error:
            log.warning("%s: %s is left out: %s", run.name, name, error)
        else:
            kept.append(name)
    if not kept and not run.codons.has("dna"):
        raise InputError(
            "has no words for codons",
            where=run.path,
            fix="name it as --proteins-of, beside a run that has them",
        )
    if not kept:
        raise InputError(
            "no species has both DNA and protein in run and corpus",
            where=run.path,
            fix="name a corpus that holds both, or other species",
        )
    return kept


def expand_runs(entries: Sequence[RunEntry]) -> list[tuple[RunEntry, str, str]]:
    """(entry, unique name, group) of every run; a folder of replicates becomes one entry a seed.

    Raises:
        InputError: if two runs have one name.
    """
    found: list[tuple[RunEntry, str, str]] = []
    for entry in entries:
        root = Path(entry.path)
        name = entry.name or root.resolve().name
        seeds = sorted(p for p in root.glob("seed-*") if (p / "checkpoints").is_dir())
        if not seeds:
            found.append((entry, name, name))
        found += [
            (entry.model_copy(update={"path": str(seed)}), f"{name}.{seed.name}", name) for seed in seeds
        ]
    names = [name for _, name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two runs are named {', '.join(twice)}", fix="give each a name in mrr-compare.runs")
    return found


def earlier_checkpoints(run: OpenRun, most: int) -> list[Path]:
    """Other kept checkpoints of a run, ``most`` at most, spread evenly, in order; of a bare one none."""
    used = Path(run.loaded.info["path"]).resolve()
    kept = sorted(p for p in (run.path / "checkpoints").glob("step-*") if p.resolve() != used)
    if len(kept) <= most:
        return kept
    places = np.unique(np.linspace(0, len(kept) - 1, most).round().astype(int))
    return [kept[place] for place in places]


def frame_controls(runs: Sequence[OpenRun]) -> set[str]:
    """Names of runs trained on frame +1 or +2 beside a like run (relation, depth, width) of frame 0."""

    def kind(run: OpenRun) -> tuple[str, int, int]:
        return run.relation, int(run.loaded.settings.layers), int(run.loaded.settings.width)

    in_frame = {kind(run) for run in runs if run.frame == 0}
    return {run.name for run in runs if run.frame != 0 and kind(run) in in_frame}


_PROBE = re.compile(r"^[^/]+/(?P<species>.+)/layer(?P<layer>[0-9]+)/(?P<endpoint>[a-z_]+)$")


def read_probes(run: Path) -> tuple[ProbePoint, ...]:
    """What a run folder's ``metrics.jsonl`` notes of MRR along training; nothing for a bare checkpoint."""
    points = []
    for line in read_metrics(run / "metrics.jsonl"):
        for key, value in line.items() if line.get("kind") == "probe" else ():
            found = _PROBE.match(key)
            if found and isinstance(value, int | float):
                place = found["species"], int(found["layer"]), found["endpoint"]
                points.append(ProbePoint(int(line["step"]), *place, float(value)))
    return tuple(points)
