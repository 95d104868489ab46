"""What a run of ``embed`` is made of: model, source, identity; and what marks its table as finished."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.commands.spared import input_file
from genomecli.exchange.table_format import RowSource, TableHeader, beside
from genomecli.exchange.table_writers import IDS_ENDING, tsv_line
from genomecli.exchange.tables import save_table
from genomecli.files import (
    FORMAT_VERSION,
    atomic_path,
    check_file,
    read_json,
    read_manifest,
    sha256_file,
    write_json,
)
from genomecli.inference.engine import Engine
from genomecli.inference.items import Dropped, Entry, Item
from genomecli.inference.sources import CorpusSource, FastaSource, Frames, ReadingOptions, choose_species
from genomecli.inference.training_history import TrainingHistory
from genomecli.runtime import log, pick_device, pick_precision, run_info, set_threads

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.settings import EmbedSettings, TableFormat

MANIFEST_ENDING, RUN_ENDING, DROPPED_ENDING = ".manifest.json", ".run.json", ".dropped.tsv"
_PLACES = ("model", "checkpoint", "inputs", "corpus", "format", "tokens_per_batch")
"""Settings that do not change a table's rows, or are known better by checksums."""


@dataclass(frozen=True)
class Job:
    """A run, ready to go.

    Args:
        settings: section ``embed``.
        engine: with the model.
        layers: resolved.
        source: of the sequences; None where none are read.
        meta: model and settings, without places: kept in the table.
        config: resolved settings, for ``run.json``.
    """

    settings: EmbedSettings
    engine: Engine
    layers: tuple[int, ...]
    source: FastaSource | CorpusSource | None
    meta: Mapping[str, Any]
    config: Mapping[str, Any]


def open_job(config: Config, settings: EmbedSettings) -> Job:
    """Open model and source.

    Raises:
        ConfigError: for rows of tokens, where these are of several lengths.
        InputError: if the model or the corpus cannot be opened, or a layer or window does not fit.
        UsageError: if the device is not there, or the species is not known.
    """
    from genomecli.training.checkpoint import load_model

    set_threads(config.threads)
    device = pick_device(config.device)
    assert settings.model is not None
    loaded = load_model(settings.model, device, prefer=settings.checkpoint)
    meta = identity(config, settings)
    engine = Engine(
        loaded,
        device,
        meta["precision"],
        settings.tokens_per_batch,
        long_input=settings.long_input,
        window=settings.window,
        stride=settings.stride,
    )
    layers = engine.layers(settings.layers)
    for tokenizer in engine.lexicon.tokenizers if settings.level == "token" else ():
        tokenizer.check_uniform("embed.level token")
    frames = Frames(**meta["frames"])
    if settings.frame == "auto" and any(meta["frames"].values()):
        log.info("the run's own reading frames: genes +%d, other DNA +%d", frames.cds, frames.genome)
    log.info("model at step %d on %s, %s", loaded.step, device, meta["precision"])
    resolved = {**config.common.model_dump(mode="json"), "embed": settings.model_dump(mode="json")}
    history = TrainingHistory.of(read_json(Path(loaded.info["path"]) / "config.json"))
    source = _source(settings, engine, frames, history)
    if source is None:
        _warn_untrained(engine, history)
    return Job(settings, engine, layers, source, meta, resolved)


def _warn_untrained(engine: Engine, history: TrainingHistory) -> None:
    """Say which vectors of the whole vocabulary are as random as at the start of training."""
    alphabets = dict.fromkeys(block.molecule for block in engine.lexicon.vocabulary.blocks)
    for alphabet in alphabets:
        if not history.reads(alphabet):
            trained = " and ".join(history.molecules)
            log.warning(
                "the model was trained on %s alone: vectors of %s tokens are random", trained, alphabet
            )


def _source(
    settings: EmbedSettings, engine: Engine, frames: Frames, history: TrainingHistory
) -> FastaSource | CorpusSource | None:
    vocabulary = settings.level == "vocabulary"
    leave_out = settings.terminals == "leave_out" or (vocabulary and settings.terminals == "auto")
    options = ReadingOptions(
        settings.species,
        settings.molecule,
        frames,
        settings.strand,
        leave_out,
        settings.table,
        history,
        settings.model,
    )
    if settings.corpus is not None:
        from genomecli.corpus.store import CorpusReader

        split = None if settings.split == "all" else settings.split
        corpus = CorpusReader.open(settings.corpus, verify="sha256")
        return CorpusSource(corpus, engine.lexicon, options, split, genes_first=vocabulary)
    if settings.inputs:
        choose_species(engine.lexicon, settings.species)
        return FastaSource([Path(path) for path in settings.inputs], engine.lexicon, options)
    return None


def request_of(meta: Mapping[str, Any], settings: EmbedSettings) -> dict[str, Any]:
    """What must be the same for unfinished rows to be taken up; inputs by size and time."""
    return {**meta, "inputs": [_stamp(path) for path in _input_files(settings)]}


def identity(config: Config, settings: EmbedSettings) -> dict[str, Any]:
    """What decides the rows besides the inputs: model, settings, frames, precision, kind of device."""
    from genomecli.training.checkpoint import find_checkpoint

    assert settings.model is not None
    folder = find_checkpoint(settings.model, prefer=settings.checkpoint)
    device = pick_device(config.device)
    if settings.frame == "auto":
        frames = Frames.of_run(read_json(folder / "config.json"))
    else:
        frames = Frames(settings.frame, settings.frame)
    return {
        "model": read_manifest(folder)["files"]["model.safetensors"]["sha256"],
        "settings": settings.model_dump(mode="json", exclude=set(_PLACES)),
        "frames": asdict(frames),
        "precision": pick_precision(config.precision, device),
        "device": device.type,
    }


def _input_files(settings: EmbedSettings) -> list[Path]:
    if settings.corpus is not None:
        return [Path(settings.corpus) / "manifest.json"]
    return [Path(path) for path in settings.inputs]


def _stamp(path: Path) -> list[Any]:
    if str(path) == "-":
        return ["-"]
    status = input_file(path).stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def is_finished(config: Config, settings: EmbedSettings, out: Path) -> bool:
    """Whether ``out`` is a finished table of these very inputs, model and settings, and whole."""
    path = beside(out, MANIFEST_ENDING)
    if not path.is_file():
        return False
    manifest = read_json(path)
    request = {
        **identity(config, settings),
        "inputs": [sha256_file(input_file(p)) for p in _input_files(settings)],
    }
    if manifest.get("request") != request:
        return False
    for name, expected in manifest["files"].items():
        check_file(out.parent, name, expected)
    return True


def finish_table(
    job: Job,
    out: Path,
    kind: TableFormat,
    table: tuple[TableHeader, RowSource],
    dropped: Iterable[tuple[str, str]],
    counts: Mapping[str, Any],
    began: float,
) -> None:
    """Write the table and its companions; the manifest last.

    Args:
        job: the run.
        out: the table.
        kind: its format.
        table: header and rows.
        dropped: id and reason of the records without rows.
        counts: of records, rows, ...
        began: monotonic time of the start.
    """
    beside(out, MANIFEST_ENDING).unlink(missing_ok=True)
    save_table(out, *table, kind=kind, force=True)
    names = [out.name, *([beside(out, IDS_ENDING).name] if kind == "npy" else [])]
    listed = beside(out, DROPPED_ENDING)
    listed.unlink(missing_ok=True)
    if counts["dropped"]:
        _write_dropped(listed, dropped)
        names.append(listed.name)
        log.warning("%d records were dropped: %s says why", counts["dropped"], listed)
    seconds = round(time.monotonic() - began, 3)
    info = run_info("embed", seconds=seconds, counts=dict(counts), config=job.config, inputs=_read_files(job))
    write_json(beside(out, RUN_ENDING), info)
    files = {
        name: {"bytes": (out.parent / name).stat().st_size, "sha256": sha256_file(out.parent / name)}
        for name in names
    }
    manifest = {
        "kind": "embedding",
        "format_version": FORMAT_VERSION,
        "files": files,
        "request": {**job.meta, "inputs": _digests(job)},
        "counts": dict(counts),
        "table": {**table[0].as_dict(), "meta": {}, "format": kind},
    }
    write_json(beside(out, MANIFEST_ENDING), manifest)
    log.info("wrote %s", out)


def _write_dropped(path: Path, dropped: Iterable[tuple[str, str]]) -> None:
    with (
        atomic_path(path, force=True) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as stream,
    ):
        stream.write("id\treason\n")
        stream.writelines(tsv_line(row) + "\n" for row in dropped)


def _read_files(job: Job) -> list[dict[str, object]]:
    if isinstance(job.source, FastaSource):
        return job.source.files
    return [{"path": str(path)} for path in _input_files(job.settings)]


def _digests(job: Job) -> list[str]:
    if isinstance(job.source, FastaSource):
        return [str(row["sha256"]) for row in job.source.files]
    return [sha256_file(path) for path in _input_files(job.settings)]


@dataclass
class Feed:
    """Items of a source on their way to the engine; remembers the records that are dropped.

    Args:
        source: None for nothing.
        skip: records at the start that were dealt with before.
        count: what an item adds to the counts; nothing by default.

    Attributes:
        records: records read, skipped ones included.
        dropped: how many were dropped, skipped ones not included.
        last_reason: why the last of them was dropped.
    """

    SHOWN = 20

    source: FastaSource | CorpusSource | None
    skip: int = 0
    count: Callable[[Item], Mapping[str, int]] = lambda _: {}
    records: int = 0
    dropped: int = 0
    last_reason: str = ""
    _waiting: deque[Dropped] = field(default_factory=deque)
    _counted: deque[tuple[int, Mapping[str, int]]] = field(default_factory=deque)

    def items(self, species: str | None = None) -> Iterator[Item]:
        """Items, in order; of one species of a corpus, or all."""
        before = self.records
        for entry in self._entries(species):
            self.records = before + entry.record + 1
            if self.records <= self.skip:
                continue
            if isinstance(entry, Item):
                self._counted.append((entry.record, self.count(entry)))
                yield entry
            else:
                self.dropped += 1
                self.last_reason = entry.reason
                self._waiting.append(entry)

    def _entries(self, species: str | None) -> Iterator[Entry]:
        if isinstance(self.source, CorpusSource):
            return self.source.entries(species)
        return iter(()) if self.source is None else self.source.entries()

    def settled(self, record: int | None = None) -> Iterator[Dropped]:
        """Dropped records up to number ``record`` (all, if None) that were not given out before."""
        while self._waiting and (record is None or self._waiting[0].record <= record):
            yield self._waiting.popleft()

    def counted(self, record: int) -> Counter[str]:
        """Counts of the items up to number ``record`` that were not given out before."""
        found: Counter[str] = Counter()
        while self._counted and self._counted[0][0] <= record:
            found.update(self._counted.popleft()[1])
        return found
