"""What ``finetune`` writes of its trials: tables of rows and predictions, figures, one page, a summary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.accounts import balance
from genomecli.analysis.task_judging import Trial as Judged
from genomecli.analysis.task_judging import judge_target
from genomecli.analysis.task_report import write_task_report
from genomecli.analysis.task_results import LearningCurve, ModelCard, Overlap, SplitReport, TaskResults
from genomecli.commands.finetune_data import FinetuneData, drop_counts
from genomecli.commands.finetune_names import network_name
from genomecli.commands.finetune_trial import Outcome, judged_parts
from genomecli.files import atomic_path
from genomecli.runtime import rng
from genomecli.tasks.check import shown_label, told
from genomecli.tasks.leakage import over_folds
from genomecli.training.job import weights_digest
from genomecli.training.metrics import plain, read_metrics
from genomecli.version import __version__

if TYPE_CHECKING:
    from genomecli.tasks.predictions import Predictions
    from genomecli.tasks.schema import Target
    from genomecli.tasks.targets import Fitted
    from genomecli.training.finetune_settings import FinetuneSettings


_SYMBOLS = {"dna": "bases", "protein": "residues"}
"""What labels of single symbols belong to, by alphabet."""


def write_report(
    folder: Path, data: FinetuneData, outcomes: Sequence[Outcome], paths: Sequence[Path], seed: int
) -> dict[str, Any]:
    """Judge all predictions and write everything below ``folder``; the summary.

    Args:
        folder: of the run.
        data: what was read.
        outcomes: of the trials.
        paths: their folders.
        seed: of the resamples.
    """
    write_split(folder / "split.tsv", data, outcomes)
    write_predictions(folder, outcomes)
    results = task_results(data, outcomes, paths, seed)
    summary = write_task_report(results, folder)
    training = {one.name or "run": one.training for one in outcomes}
    before = [] if data.ancestry is None else data.ancestry.to_dict()["tunings"]
    summary = {**summary, "training": training, "data": data.fingerprint, "earlier_tunings": before}
    cleaned: dict[str, Any] = plain(summary)
    return cleaned


def task_results(
    data: FinetuneData, outcomes: Sequence[Outcome], paths: Sequence[Path], seed: int
) -> TaskResults:
    """All that the page says."""
    settings, first = data.settings, outcomes[0]
    if settings.data.window is None:
        went = {"used": len(data.reading.examples), "dropped": len(data.reading.dropped)}
        balance("rows", data.reading.read, went)
    for outcome in outcomes:
        check_rows(len(data.reading.examples), outcome)
    names = list(first.predictions)
    folds = len(data.splits) > 1
    # One seed is a single training, also where settings name it: there is no mean and no spread.
    several = len(outcomes) > 1
    kind = "folds" if folds else "seeds" if several else "single"
    # A target's means may differ from fold to fold; its name and classes do not.
    targets = tuple(
        judge_target(
            target,
            [_judged(one, name, one.name if several else "", settings) for one in outcomes],
            settings.metrics,
            rng(seed, "judge", name),
            baselines=names[1:],
            folds=folds,
            judged="test" if settings.metrics.test else "valid",
        )
        for name, target in first.fitted.targets.items()
    )
    return TaskResults(
        title=f"Fine-tuning: {', '.join(first.fitted.targets)}",
        models=tuple(_card(name, first, data) for name in names),
        targets=targets,
        split=split_report(data),
        trials=kind,  # type: ignore[arg-type]
        read=data.reading.read,
        dropped=tuple((reason, count, place) for reason, (count, place) in drop_counts(data.reading).items()),
        curves=tuple(
            curve
            for one, path in zip(outcomes, paths, strict=True)
            for curve in _curves(one, path, settings.epochs)
        ),
        settings=(*_origin(data, outcomes, seed), *_shown_settings(data, first)),
        notes=(*data.reading.notes, *first.fitted.notes, *covariate_notes(first.fitted)),
        level=settings.metrics.level,
        earlier=data.earlier,
        symbols=_SYMBOLS.get(data.column.alphabet, "symbols"),
        tabular=_tabular(first.fitted),
    )


def check_rows(count: int, outcome: Outcome) -> None:
    """Make sure that each of the rows is on one side, and that those of the judged sides were all predicted.

    Args:
        count: rows.
        outcome: of a trial.

    Raises:
        RunError: if the counts do not add up.
    """
    sides = outcome.split.sides
    balance("rows", count, {name: len(rows) for name, rows in sides.items()}, where=outcome.name or None)
    for model, parts in outcome.predictions.items():
        for part, targets in parts.items():
            for name, found in targets.items():
                where = f"{model}, {part}, {name}"
                balance("rows", len(sides[part]), {"predicted": len(found)}, where=where)


def covariate_notes(fitted: Fitted) -> list[str]:
    """Which targets do not see the covariates, where there are any."""
    names = fitted.examples.covariate_names
    blind = [target.name for target in fitted.targets.values() if target.per_symbol]
    if fitted.examples.covariates is None or not blind:
        return []
    return [
        f"Covariates ({', '.join(names)}) are joined to the vector of a whole sequence. {', '.join(blind)}: "
        "labels of single symbols are predicted without them, by the networks and by the baselines alike."
    ]


def _card(name: str, outcome: Outcome, data: FinetuneData) -> ModelCard:
    if name != network_name(data):
        return ModelCard(name, outcome.about[name])
    title = {
        "network": "The network from random weights",
        "pretrained": "The pretrained network",
        "tuned": "The network that was tuned before",
    }[name]
    return ModelCard(name, outcome.about[name], baseline=False, title=title)


def _judged(outcome: Outcome, target: str, trial: str, settings: FinetuneSettings) -> Judged:
    sides, parts = outcome.split.sides, judged_parts(outcome.split, settings)
    labels = outcome.fitted.examples.labels[target]
    return Judged(
        predictions={
            model: {part: found[part][target] for part in parts}
            for model, found in outcome.predictions.items()
        },
        labels={part: labels.take(sides[part]) for part in parts},
        groups={part: outcome.split.group_of[sides[part]] for part in parts},
        name=trial,
        train=labels.take(sides["train"]),
    )


def split_report(data: FinetuneData) -> SplitReport:
    """How the rows were divided, and what that leaks; of folds all together."""
    split, leak = data.splits[0], over_folds(data.leaks)
    sides = {part: rows for part, rows in split.sides.items() if len(rows)}
    groups = {part: len(np.unique(split.group_of[rows])) for part, rows in sides.items()}
    overlaps = tuple(
        Overlap(one.side, one.rows, one.equal, one.similar, one.loose, leak.levels())
        for one in leak.overlaps
        if one.other == "train"
    )
    alone = all(groups[part] == len(rows) for part, rows in sides.items())
    rows = {part: len(found) for part, found in sides.items()}
    how = split.how if len(data.splits) == 1 else f"{split.how} Counts are those of this fold."
    return SplitReport(how, rows, {} if alone else groups, overlaps, (*leak.warnings(), *data.seen_warnings))


def _epochs(summary: Mapping[str, Any], step: int, planned: float) -> float:
    """Epochs after a step: the planned steps are the planned epochs, though their last batch may reach into
    the next one."""
    return planned * step / summary["planned_steps"] if summary["planned_steps"] else 0.0


def _curves(outcome: Outcome, path: Path, planned: float) -> Iterator[LearningCurve]:
    for number, (name, summary) in enumerate(outcome.training.items()):
        folder = path if number == 0 else path / "baselines" / name
        rows = read_metrics(folder / "metrics.jsonl")
        train, valid = (
            tuple(
                (_epochs(summary, row["step"], planned), row["loss"])
                for row in rows
                if row["kind"] == kind and row.get("loss") is not None
            )
            for kind in ("train", "validation")
        )
        best = summary["best"]["step"]
        kept = None if best is None else _epochs(summary, best, planned)
        yield LearningCurve(name, outcome.name, train, valid, kept)


def _origin(data: FinetuneData, outcomes: Sequence[Outcome], seed: int) -> Iterator[tuple[str, str]]:
    """What was trained on what: names and checksums. Places, date and command line differ between equal runs,
    so they are in ``run.json``, and the page says so."""
    loaded, spec = data.loaded, outcomes[0].spec
    assert spec is not None
    files = dict.fromkeys(Path(str(file["path"])).name for file in data.reading.files)
    yield "data", f"{', '.join(files)}: {len(data.reading.examples)} rows of {data.column.molecule}"
    if loaded is None:
        yield "model", "none: random weights"
    else:
        assert data.settings.model is not None
        digest = weights_digest(data.settings.model)
        known = "" if digest is None else f", weights with sha256 {digest[:12]}..."
        yield "model", f"{Path(data.settings.model).name}, step {loaded.step}{known}"
    yield "read as species", spec.reading.species
    trials = [one.name.removeprefix("seed ") for one in outcomes if one.name.startswith("seed ")]
    yield ("seeds", ", ".join(trials)) if len(trials) > 1 else ("seed", trials[0] if trials else str(seed))
    yield "made by", f"genomecli {__version__}"
    yield "date, command line, full paths", "in run.json; every setting in config.json"
    for name, target in outcomes[0].fitted.targets.items():
        yield f"target {name}", told(target)


def _shown_settings(data: FinetuneData, outcome: Outcome) -> Iterator[tuple[str, str]]:
    settings, spec = data.settings, outcome.spec
    assert spec is not None
    training = outcome.training[network_name(data)]
    yield "tuned", f"{settings.tune}, {training['trained']:,} of {training['parameters']:,} weights"
    hidden = f", hidden layer of {settings.head.hidden}" if settings.head.hidden else ""
    style = "" if settings.head.style == "plain" else ", layers of Hugging Face's class"
    yield "head", f"{settings.head.pooling} pooling{hidden}{style}, dropout {settings.head.dropout:g}"
    yield "read at once", f"{spec.window} tokens, longer sequences: {settings.long_input}"
    yield "optimiser", f"{settings.optimiser.name}, rate {settings.optimiser.lr:g}, {settings.schedule.kind}"
    yield "batch", f"{settings.batch_size} sequences"
    epochs = _epochs(training, training["steps"], settings.epochs)
    yield "epochs", f"{epochs:.1f} of at most {settings.epochs:g}, patience {settings.patience}"
    if spec.covariates is not None:
        yield "covariates", ", ".join(spec.covariates.names)
    if len(spec.targets) > 1:
        learned = training.get("target_weights", {})
        said = ", ".join(f"{name} {weight:.3g}" for name, weight in learned.items())
        which = f" in {outcome.name}" if outcome.name else ""
        yield "weighting of targets", settings.weighting + (f"; learned{which}: {said}" if said else "")


def write_split(path: Path, data: FinetuneData, outcomes: Sequence[Outcome]) -> None:
    """Write ``split.tsv``: each row's side and group, once a fold."""
    examples = data.reading.examples
    lines = ["id\tplace\tpart\tgroup\tfold"]
    for number, split in enumerate(data.splits, 1):
        fold = str(number) if len(data.splits) > 1 else ""
        for row, part in enumerate(split.names()):
            place = examples.places[row] if examples.places else ""
            lines.append("\t".join([_cell(examples.ids[row]), place, part, str(split.group_of[row]), fold]))
    with atomic_path(path, force=True) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_predictions(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Write ``predictions.parquet``, and ``predictions.tsv`` where every target has one row a sequence.

    A row is a sequence of the validation or test part under one model: its labels, what is predicted, and the
    probability of each class. Of token targets labels and predictions are lists, one item a symbol.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, list[Any]] = {}
    for outcome in outcomes:
        for model, parts in outcome.predictions.items():
            for part, by_target in parts.items():
                _add_rows(columns, outcome, model, part, by_target)
    table = pa.table(columns)
    with atomic_path(folder / "predictions.parquet", force=True) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    if _tabular(outcomes[0].fitted):
        lines = ["\t".join(columns)]
        lines += ["\t".join(_cell(value) for value in row) for row in zip(*columns.values(), strict=True)]
        with atomic_path(folder / "predictions.tsv", force=True) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tabular(fitted: Fitted) -> bool:
    """Whether predictions are a table: labels of symbols are lists, which a TSV does not hold."""
    return not any(target.per_symbol for target in fitted.targets.values())


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return "" if value is None else " ".join(str(value).split())


def _add_rows(
    columns: dict[str, list[Any]],
    outcome: Outcome,
    model: str,
    part: str,
    by_target: Mapping[str, Predictions],
) -> None:
    fitted: Fitted = outcome.fitted
    rows = outcome.split.sides[part]
    examples = fitted.examples
    fixed: dict[str, list[Any]] = {
        "id": [examples.ids[row] for row in rows],
        "place": [examples.places[row] if examples.places else "" for row in rows],
        "part": [part] * len(rows),
        "trial": [outcome.name] * len(rows),
        "model": [model] * len(rows),
    }
    for name, target in fitted.targets.items():
        labels = examples.labels[name]
        for key, values in _columns(target, by_target[name]):
            fixed[f"{name}.{key}"] = values
        if target.form == "token":
            fixed[f"{name}.label"] = [_symbols(target, labels.row(row)) for row in rows.tolist()]
        elif target.form == "regression":
            for place, value in enumerate(target.classes):
                key = f"{name}.{value}.label" if target.outputs > 1 else f"{name}.label"
                fixed[key] = [float(labels.values[row, place]) for row in rows]
        else:
            known = labels.known
            fixed[f"{name}.label"] = [
                shown_label(labels, target, row) if known[row] else None for row in rows.tolist()
            ]
    for key, values in fixed.items():
        columns.setdefault(key, []).extend(values)


def _columns(target: Target, predictions: Predictions) -> Iterator[tuple[str, list[Any]]]:
    """Name and values of each column of one target's predictions."""
    if target.form == "regression":
        for place, value in enumerate(target.classes):
            key = f"{value}.predicted" if target.outputs > 1 else "predicted"
            yield key, predictions.scores[:, place].tolist()
        return
    chosen = predictions.chosen
    if target.form == "token":
        yield (
            "predicted",
            [_symbols(target, _between(predictions, chosen, row)) for row in range(len(predictions))],
        )
        return
    if target.form == "multilabel":
        yield (
            "predicted",
            [
                target.separator.join(name for name, on in zip(target.classes, row, strict=True) if on == 1)
                or target.separator
                for row in chosen
            ],
        )
    else:
        yield "predicted", [target.classes[index] for index in chosen]
    for place, name in enumerate(target.classes):
        yield f"p.{name}", predictions.scores[:, place].tolist()


def _between(predictions: Predictions, values: Any, row: int) -> Any:
    assert predictions.offsets is not None
    return values[predictions.offsets[row] : predictions.offsets[row + 1]]


def _symbols(target: Target, values: Any) -> list[str | None]:
    """Names of classes, None where there is none."""
    return [None if value < 0 else target.classes[int(value)] for value in values]
