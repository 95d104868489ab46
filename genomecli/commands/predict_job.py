"""What a run of ``predict`` is made of: models, input columns, and how a record becomes lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.commands.predict_writer import (
    Format,
    Writer,
    check_labels,
    check_settings,
    chosen_targets,
    make_writer,
)
from genomecli.exchange.prediction_table import Predicted, SymbolTable
from genomecli.exchange.tracks import Strand, Track, place
from genomecli.files import read_json, read_manifest, sha256_file
from genomecli.inference.ancestry import ancestry_of
from genomecli.inference.engine import Engine
from genomecli.inference.ensemble import Ensemble, check_alike, chosen_checkpoints, warn_unfinished
from genomecli.inference.predict_source import LABELS, PredictSource
from genomecli.inference.predictor import Outcome, Predictor, Unlabelled
from genomecli.inference.tuned import load_tuned
from genomecli.runtime import log, pick_device, pick_precision, set_threads
from genomecli.sequences.alphabets import DNA, get_alphabet
from genomecli.tasks.schema import Target
from genomecli.tasks.seen import FILE, Met, Seen, joined
from genomecli.tasks.settings import DataSettings
from genomecli.training.task_spec import TaskSpec

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.predict_settings import PredictSettings

STRAND = "strand"
_BESIDE = ("labels", "mask", "intervals", "spliced")
_PLACES = (
    *("model", "checkpoint", "member", "ensemble", "inputs", "tokens_per_batch"),
    *(*_BESIDE, "class_inputs"),
)
"""Settings that do not change a prediction, or are known better by checksums."""

_AS_TRAINED = ("columns", "delimiter", "sequence", "pair", "id", "missing")
"""Settings of the inputs that are those of the training where they are left out."""


@dataclass(frozen=True)
class Job:
    """A run, ready to go.

    Args:
        settings: section ``predict``.
        ensemble: of the models.
        engines: that run them, one each.
        spec: of the first of them; all mean the same.
        targets: that are written.
        data: how inputs are read.
        writer: of the output's lines.
        form: of the output.
        meta: models and settings, without places.
        config: resolved settings, for ``run.json``.
        seed: of the bootstrap.
        seen: rows of the members' tunings, for ``measure``; None where a member's run kept no keys, or
            nothing is measured.
        windows: lengths of the windows that those tunings cut their sequences into, in symbols.
    """

    settings: PredictSettings
    ensemble: Ensemble
    engines: tuple[Engine, ...]
    spec: TaskSpec
    targets: tuple[Target, ...]
    data: DataSettings
    writer: Writer
    form: Format
    meta: Mapping[str, Any]
    config: Mapping[str, Any]
    seed: int
    seen: Seen | None = None
    windows: tuple[int, ...] = ()

    @property
    def strands(self) -> tuple[Strand, ...]:
        """Strands that are read of each record, in order."""
        return ("+", "-") if self.settings.strand == "both" else (self.settings.strand,)

    @property
    def texts(self) -> int:
        """Texts that are read of each record."""
        return len(self.strands) * (1 if self.spec.pair is None else 2)

    def source(self, skip: int = 0) -> PredictSource:
        """The records of the inputs, the first ``skip`` passed over."""
        return PredictSource(self.data, self.spec, self.targets if self.settings.measure else (), skip)

    def read(self, sequence: Unlabelled) -> Iterator[Unlabelled]:
        """What the models read of one record: each strand."""
        for strand in self.strands:
            symbols = DNA.reverse_complement(sequence.symbols) if strand == "-" else sequence.symbols
            meta = {**sequence.meta, STRAND: strand}
            yield Unlabelled(sequence.id, symbols, sequence.pair, sequence.covariates, meta)

    def text(self, outcome: Outcome) -> bytes:
        """The lines of what is predicted of one strand, labels of symbols in the record's own order."""
        given = outcome.given
        strand: Any = given.meta[STRAND]
        turned = strand == "-"
        scores = {
            target.name: outcome.scores[target.name][:: -1 if target.per_symbol and turned else 1]
            for target in self.targets
        }
        if isinstance(self.writer, Track):
            shown: Strand = "." if self.spec.reading.alphabet == "protein" else strand
            values = scores[self.writer.target.name]
            placed = place(given.id, values, shown, self.settings.coordinates)
            return self.writer.text(placed, first=strand == self.strands[0])
        letters = ""
        if isinstance(self.writer, SymbolTable):
            symbols = DNA.reverse_complement(given.symbols) if turned else given.symbols
            letters = get_alphabet(self.spec.reading.alphabet).decode(symbols)
        labels: Any = given.meta.get(LABELS, {})
        return self.writer.text(Predicted(given.id, scores, strand, letters, labels, self.met(given)))

    def met(self, given: Unlabelled) -> Met:
        """How any of the models met a sequence in its tuning, on whichever strand."""
        if self.seen is None:
            return ""
        turned = given.meta[STRAND] == "-"
        symbols = DNA.reverse_complement(given.symbols) if turned else given.symbols
        row = [(self.spec.reading.alphabet, symbols)]
        if self.spec.pair is not None and given.pair is not None:
            row.append((self.spec.pair.alphabet, given.pair))
        return self.seen.tells_record(row, self.windows)


def open_job(config: Config, settings: PredictSettings, form: Format) -> Job:
    """Open the models, and settle what is written.

    Raises:
        InputError: if a model cannot be opened or predicts nothing, or members differ.
        UsageError: if the device is not there, or settings do not suit the model.
    """
    set_threads(config.threads)
    device = pick_device(config.device)
    checkpoints = _checkpoints(settings)
    members = {name: load_tuned(path, device) for name, path in checkpoints.items()}
    check_alike(members, settings.model)
    warn_unfinished(checkpoints)
    spec = next(iter(members.values())).spec
    check_settings(settings, spec, form)
    targets = chosen_targets(settings, spec, form)
    trained = _trained(next(iter(checkpoints.values())))
    if settings.measure:
        check_labels(settings, targets, trained)
    meta = identity(config, settings, form)
    seen, cut = _seen(checkpoints) if settings.measure else (None, ())
    form_of_windows: dict[str, Any] = {
        "long_input": settings.long_input, "window": settings.window, "stride": settings.stride
    }  # fmt: skip
    predictors = [
        Predictor(tuned, device, meta["precision"], settings.tokens_per_batch, **form_of_windows)
        for tuned in members.values()
    ]
    names = [name for name in members if name]
    what = f"mean of {', '.join(names)}" if len(members) > 1 else "".join(names) or "one model"
    log.info("%s, on %s, %s", what, device, meta["precision"])
    return Job(
        settings,
        Ensemble(predictors),
        tuple(predictor.engine for predictor in predictors),
        spec,
        targets,
        data_settings(settings, spec, trained),
        make_writer(settings, targets, form, trained, seen=seen is not None),
        form,
        meta,
        {**config.common.model_dump(mode="json"), "predict": settings.model_dump(mode="json")},
        config.seed,
        seen,
        cut,
    )


def _seen(checkpoints: Mapping[str, Path]) -> tuple[Seen | None, tuple[int, ...]]:
    """What any of the models has seen, None where that of one is not known at all; and windows of theirs."""
    found = [ancestry_of(path) for path in checkpoints.values()]
    known = [one.seen for one in found if one.seen is not None]
    return joined(known) if len(known) == len(found) else None, found[0].windows


def _checkpoints(settings: PredictSettings) -> dict[str, Path]:
    assert settings.model is not None
    path = Path(settings.model)
    return chosen_checkpoints(path, settings.member, settings.ensemble, settings.checkpoint)


def _trained(checkpoint: Path) -> Mapping[str, Any]:
    """How the data of the training were read; empty where the checkpoint does not say."""
    found: Mapping[str, Any] = read_json(checkpoint / "config.json").get("finetune", {}).get("data", {})
    return found


def data_settings(settings: PredictSettings, spec: TaskSpec, trained: Mapping[str, Any]) -> DataSettings:
    """How the inputs are read: as in training, but for what the settings say.

    Args:
        settings: section ``predict``.
        spec: of the model.
        trained: ``finetune.data`` of the run.
    """
    values = {key: trained[key] for key in _AS_TRAINED if trained.get(key) is not None}
    values |= {
        key: value
        for key in (*_AS_TRAINED, "labels", "mask", "spliced")
        if (value := getattr(settings, key)) is not None
    }
    if settings.intervals is not None:
        values["intervals"] = {**trained["intervals"], "path": settings.intervals}
    if spec.pair is None:
        values.pop("pair", None)
    return DataSettings.model_validate(
        {
            **values,
            "path": settings.inputs,
            "classes": settings.class_inputs,
            "format": settings.input_format,
            "covariates": [] if spec.covariates is None else spec.covariates.names,
            "invalid": settings.invalid,
        }
    )


def identity(config: Config, settings: PredictSettings, form: Format) -> dict[str, Any]:
    """What decides the output besides the inputs: models, settings, format, precision, kind of device, seed.

    With ``precision: auto`` a model is read in the precision in which it was tuned and judged, if that was on
    the same kind of device.
    """
    checkpoints = _checkpoints(settings)
    device = pick_device(config.device)
    tuned = read_json(next(iter(checkpoints.values())) / "state.json")["identity"]
    as_tuned = config.precision == "auto" and tuned["device"] == device.type
    hashes = [read_manifest(path)["files"]["model.safetensors"]["sha256"] for path in checkpoints.values()]
    labels = {"labels": {key: getattr(settings, key) is not None for key in _BESIDE}}
    classes = {"classes": {name: len(paths) for name, paths in settings.class_inputs.items()}}
    kept = [path.parent.parent / FILE for path in checkpoints.values()]
    seen = [sha256_file(path) if path.is_file() else None for path in kept]
    return {
        **(labels if settings.label_paths else {}),
        **(classes if settings.class_inputs else {}),
        **({"seen": seen} if settings.measure else {}),
        "models": hashes,
        "settings": settings.model_dump(mode="json", exclude=set(_PLACES)),
        "format": form,
        "precision": tuned["precision"] if as_tuned else pick_precision(config.precision, device),
        "device": device.type,
        "seed": config.seed if settings.measure else None,
    }
