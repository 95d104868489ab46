"""Which targets ``predict`` writes, in which format, and what in the settings contradicts the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genomecli.errors import UsageError
from genomecli.exchange.prediction_table import RecordTable, RunTable, SymbolTable
from genomecli.exchange.tracks import BedGraphTrack, BedTrack, GffTrack, Strand, Track
from genomecli.tasks.schema import Target
from genomecli.training.task_spec import TaskSpec

if TYPE_CHECKING:
    from genomecli.inference.predict_settings import PredictSettings

Format = Literal["tsv", "parquet", "bed", "bedgraph", "gff3"]
Writer = RecordTable | Track

TRACKS: tuple[Format, ...] = ("bed", "bedgraph", "gff3")
BACKGROUND = "background"
_ENDINGS: dict[str, Format] = {
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".bed": "bed",
    ".bedgraph": "bedgraph",
    ".bdg": "bedgraph",
    ".gff3": "gff3",
    ".gff": "gff3",
}


def format_of(settings: PredictSettings, out: Path | None) -> Format:
    """The format that the settings or the file's ending mean. Raises UsageError for an unknown ending."""
    if settings.format != "auto":
        if out is None and settings.format == "parquet":
            raise UsageError("parquet needs a file", fix="give --out FILE")
        return settings.format
    if out is None:
        return "tsv"
    try:
        return _ENDINGS[out.suffix.lower()]
    except KeyError:
        known = ", ".join(_ENDINGS)
        raise UsageError("has an ending of no known format", where=out, fix=f"use one of {known}") from None


def chosen_targets(settings: PredictSettings, spec: TaskSpec, form: Format) -> tuple[Target, ...]:
    """The targets that are written: all that are named, or all that the output can hold.

    Raises:
        UsageError: for a name that the model does not predict, or if they do not suit the output or each
            other.
    """
    found = tuple(spec.target(name) for name in settings.targets) or spec.targets
    if form in TRACKS:
        symbols = tuple(target for target in found if target.per_symbol)
        if len(symbols) != 1:
            names = ", ".join(target.name for target in symbols)
            what = (
                f"one track holds one target, and there are {names}"
                if names
                else (f"{form} is for labels of bases or residues, and the model predicts whole sequences")
            )
            fix = "name one with predict.targets" if names else "write .tsv or .parquet"
            raise UsageError(what, fix=fix)
        return symbols
    if len({target.per_symbol for target in found}) > 1:
        whole = ", ".join(target.name for target in found if not target.per_symbol)
        symbol = ", ".join(target.name for target in found if target.per_symbol)
        raise UsageError(
            f"one table holds targets of sequences ({whole}) or of symbols ({symbol})",
            fix="name those that are wanted with predict.targets",
        )
    return found


def check_settings(settings: PredictSettings, spec: TaskSpec, form: Format) -> None:
    """Refuse settings that the model or the output does not allow.

    Raises:
        UsageError: see there.
    """
    if settings.strand != "+" and spec.reading.alphabet != "dna":
        raise UsageError(f"predict.strand {settings.strand}: proteins have one strand", fix="leave it out")
    if settings.strand != "+" and spec.pair is not None:
        raise UsageError(f"predict.strand {settings.strand}: not for pairs", fix="leave it out")
    if settings.strand == "both" and form == "bedgraph":
        what = "a bedGraph has one value a base, and predict.strand is both"
        raise UsageError(what, fix="write one file a strand, or BED or GFF3")
    if settings.coordinates == "region" and form not in TRACKS:
        raise UsageError("predict.coordinates region is for BED, bedGraph and GFF3", fix="leave it out")
    if settings.measure and form in TRACKS:
        raise UsageError("predict.measure needs a table", fix="write .tsv or .parquet")


def check_labels(settings: PredictSettings, targets: Sequence[Target], trained: Mapping[str, Any]) -> None:
    """Refuse to measure where it is not said where labels of symbols stand, or what features mean.

    Args:
        settings: section ``predict``, with ``measure``.
        targets: that are written.
        trained: ``finetune.data`` of the run.

    Raises:
        UsageError: see there.
    """
    given = any(one is not None for one in (settings.labels, settings.intervals, settings.spliced))
    if settings.label_paths and not any(target.per_symbol for target in targets):
        what = "predict.labels, mask, intervals and spliced are for labels of bases or residues"
        raise UsageError(what, fix="leave them out: the model predicts whole sequences")
    if settings.class_inputs and any(target.per_symbol for target in targets):
        what = "predict.class_inputs are for classes of whole sequences"
        raise UsageError(what, fix="name the labels of bases or residues with predict.labels")
    if settings.intervals is not None and not trained.get("intervals"):
        what = "predict.intervals: the model was not tuned on an annotation, so features have no classes"
        raise UsageError(what, fix="give label strings with predict.labels")
    beside = [target.name for target in targets if target.per_symbol and not target.columns]
    if beside and not given:
        key = next((key for key in ("labels", "intervals", "spliced") if trained.get(key)), "labels")
        what = f"predict.measure: the labels of target {beside[0]!r} stood beside the sequences in training"
        raise UsageError(what, fix=f"name the file of theirs with predict.{key}")


def make_writer(
    settings: PredictSettings,
    targets: tuple[Target, ...],
    form: Format,
    trained: Mapping[str, Any],
    *,
    seen: bool = False,
) -> Writer:
    """What turns predictions into lines.

    Args:
        settings: section ``predict``.
        targets: those of :func:`chosen_targets`.
        form: of the output.
        trained: ``finetune.data`` of the run.
        seen: whether tables say how the model met each record.

    Raises:
        UsageError: for a class that the target does not have, or none for a bedGraph.
    """
    if form in TRACKS:
        return _track(settings, targets[0], form, trained)
    strand = settings.strand == "both"
    if not targets[0].per_symbol:
        return RecordTable(targets, strand=strand, labels=settings.measure, seen=seen)
    if settings.rows == "run":
        if settings.measure:
            raise UsageError("predict.measure needs a row a symbol", fix="set predict.rows to symbol")
        return RunTable(targets, strand=strand)
    return SymbolTable(targets, strand=strand, labels=settings.measure, seen=seen)


def _track(settings: PredictSettings, target: Target, form: Format, trained: Mapping[str, Any]) -> Track:
    background = _background(settings, target, trained)
    unknown = [name for name in settings.classes if name not in target.classes]
    if unknown:
        known = ", ".join(target.classes)
        raise UsageError(f"predict.classes: {target.name} has no class {unknown[0]!r}", fix=f"it has {known}")
    classes = settings.classes or tuple(name for name in target.classes if name != background)
    turned = _turned(target, trained)
    if form == "bed":
        return BedTrack(target, classes, turned)
    if form == "gff3":
        return GffTrack(target, classes, turned, regions=settings.coordinates == "record")
    if len(classes) != 1:
        raise UsageError(
            f"a bedGraph holds the probability of one class, and {target.name} has {', '.join(classes)}",
            fix="name one with --set predict.classes=CLASS",
        )
    return BedGraphTrack(target, classes[0])


def _background(settings: PredictSettings, target: Target, trained: Mapping[str, Any]) -> str | None:
    """The class that is left out, if the target has one."""
    if settings.background is not None:
        if settings.background not in target.classes:
            what = f"predict.background: {target.name} has no class {settings.background!r}"
            raise UsageError(what, fix=f"it has {', '.join(target.classes)}")
        return settings.background
    of_run = (trained.get("intervals") or {}).get("background")
    return next((name for name in (of_run, BACKGROUND) if name in target.classes), None)


def _turned(target: Target, trained: Mapping[str, Any]) -> dict[str, Strand]:
    """How a class's strand follows from the strand that was read.

    Classes of intervals that were labelled whatever their strand have none of their own. Those of one strand
    (``TYPE:+`` or ``TYPE:-``) have it. Others were labelled along the sequence as it was read.
    """
    found: dict[str, Strand] = {}
    intervals = trained.get("intervals") or {}
    if target.columns or not intervals:
        return found
    for name in target.classes:
        keys = [key for key, value in intervals.get("classes", {}).items() if value == name]
        signs = {key[-1] if key.endswith((":+", ":-")) else "." for key in keys}
        found[name] = "+" if signs == {"+"} else "-" if signs == {"-"} else "."
    return found
