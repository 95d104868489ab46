"""Tables of a fine-tuning report: figures as text, one table an idea."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from genomecli.analysis.pages import PageTable, count_text
from genomecli.analysis.task_drawing import overall_rows
from genomecli.analysis.task_judging import LEAST_TRIALS
from genomecli.analysis.task_results import MetricRow, TargetResults, TaskResults
from genomecli.analysis.task_story import (
    drawn,
    drawn_units,
    listed,
    metric_label,
    metric_name,
    part_name,
    resampled,
    three,
    units,
    unsigned_zero,
)
from genomecli.tasks.bootstrap import LEAST_UNITS
from genomecli.tasks.figure import METRICS, Figure, too_few

COLUMNS = ("target", "model", "part", "trial", "metric", "of", "value", "low", "high", "spread", "n", "note")
"""Columns of ``metrics.tsv``."""

PARTS = ("train", "valid", "test")

_UNITS = frozenset({"rmse", "mae"})


def metric_lines(results: TaskResults) -> list[list[str]]:
    """Rows of ``metrics.tsv``: every figure; empty cells where there is no number."""
    return [
        [
            target.target.name,
            row.model,
            row.figure.part,
            row.trial,
            row.figure.name,
            row.figure.of,
            *(_number(value) for value in (row.figure.value, row.figure.low, row.figure.high, row.spread)),
            str(row.figure.n),
            row.figure.note,
        ]
        for target in results.targets
        for row in target.rows
    ]


def _number(value: float) -> str:
    return "" if value != value else f"{value:.6g}"


def cell(row: MetricRow | None) -> str:
    """``0.812``, and its interval on a second line; a dash without a figure."""
    return "–" if row is None else figure_cell(row.figure)


def figure_cell(figure: Figure) -> str:
    """A figure with its interval; three digits after the point, or three in all for errors in units."""
    if figure.value != figure.value:
        return "–"

    def text(value: float) -> str:
        # Zeros behind the point are digits that were measured; a point with nothing behind it says nothing.
        units = f"{value:#.3g}".removesuffix(".")
        return unsigned_zero(units if figure.name in _UNITS else f"{value:.3f}")

    if figure.low != figure.low:
        return text(figure.value)
    return f"{text(figure.value)}\n{text(figure.low)} to {text(figure.high)}"


def models_table(results: TaskResults, target: TargetResults, part: str) -> PageTable:
    """Figures of merit in rows, models in columns, intervals below the figures."""
    rows = overall_rows(target, part)
    names = [card.name for card in results.models]
    metrics = [name for name in METRICS if any((model, name) in rows for model in names)]
    first = target.target.primary
    metrics = [first, *(name for name in metrics if name != first)] if first in metrics else metrics
    body = [
        [metric_label(target.target, name), *(cell(rows.get((model, name))) for model in names)]
        for name in metrics
    ]
    student = "with Student's t intervals, cut at the ends of a figure's range; over rows where all are equal"
    if len(target.trials) < LEAST_TRIALS:
        student = f"and the value of each: fewer than {LEAST_TRIALS} give no interval"
        body = [
            [label, *map(partial(_with_each, target, part, name), names, cells)]
            for (label, *cells), name in zip(body, metrics, strict=True)
        ]
    single = f"{100 * results.level:g} % bootstrap intervals over {resampled(results, target, part)}"
    if too_few(drawn_units(target, part)):
        single = f"no intervals, over {resampled(results, target, part)}: fewer than {LEAST_UNITS} give none"
    over = {
        "single": single,
        "seeds": f"means over seeds {student}",
        "folds": f"means over folds {student}",
    }[results.trials]
    caption = f"{target.target.name}, {_judged_rows(results, target, part)}; {over}"
    main = frozenset({0} if metrics[:1] == [first] else ())
    return PageTable(caption, ("figure", *names), body, main=main, sortable=False)


def _judged_rows(results: TaskResults, target: TargetResults, part: str) -> str:
    """``133 test rows``; of folds ``400 test rows in 3 folds (133 or 134 each)``.

    Validation rows of folds may be the same ones again, so they are not summed.
    """
    what = f"{part_name(part)} {units(results, target.target)}"
    counts: dict[str, int] = {}
    for row in target.rows:
        if row.figure.part == part and not row.figure.of:
            counts[row.trial] = max(counts.get(row.trial, 0), row.figure.n)
    each = sorted({count for trial, count in counts.items() if trial})
    if results.trials != "folds" or not each:
        return f"{count_text(max(counts.values(), default=0))} {what}"
    joint = " or " if each[-1] - each[0] < 2 else " to "
    ends = joint.join(dict.fromkeys(count_text(count) for count in (each[0], each[-1])))
    folds = [count for trial, count in counts.items() if trial]
    if part != "test":
        return f"{ends} {what} in each of {len(folds)} folds"
    return f"{count_text(sum(folds))} {what} in {len(folds)} folds ({ends} each)"


def _with_each(target: TargetResults, part: str, name: str, model: str, text: str) -> str:
    """A mean, and on a second line the figures of the single trainings; as it is where there is one."""
    each = [
        figure_cell(replace(row.figure, low=float("nan")))
        for row in target.rows
        if row.trial
        and (row.model, row.figure.part, row.figure.name, row.figure.of) == (model, part, name, "")
    ]
    return f"{text}\n{', '.join(each)}" if each else text


def reasons(results: TaskResults, target: TargetResults, part: str) -> list[str]:
    """Why figures of one part over all classes are missing, or what was left out: one sentence a reason, for
    all models of which it is true."""
    found: dict[tuple[str, str], list[str]] = {}
    for (model, name), row in overall_rows(target, part).items():
        note = row.figure.note
        if note and not note.startswith("mean of "):
            found.setdefault((model, note), []).append(metric_name(name))
    shared: dict[tuple[str, str], list[str]] = {}
    for (model, note), names in found.items():
        shared.setdefault((", ".join(names), note), []).append(model)
    every = {card.name for card in results.models}
    return [
        f"{'all models' if len(models) > 1 and every <= set(models) else listed(models)}, {names}: {note}."
        for (names, note), models in shared.items()
    ]


def classes_table(results: TaskResults, target: TargetResults) -> PageTable:
    """Each class, label or value on the part that is judged: figures of the network and the best baseline."""
    network = results.network.name
    other = None if target.difference is None else target.difference.other
    found = _single_rows(target, network)
    theirs = {} if other is None else _single_rows(target, other)
    form = target.target.form
    metrics = (
        ["pearson", "spearman", "r2", "rmse", "mae"]
        if form == "regression"
        else ["f1", "precision", "recall", "auroc"]
    )
    metrics = [name for name in metrics if any(key[1] == name for key in found)]
    counts = target.counts
    parts = [part for part in ("train", target.judged) if part in counts]
    compared = metrics[0] if metrics else "f1"
    heads = [
        "value" if form == "regression" else "class",
        *(f"{part_name(p)} {units(results, target.target)}{_of_folds(results, p)}" for p in parts),
    ]
    heads += [METRICS[name] for name in metrics]
    heads += [f"{METRICS[compared]}, {other}"] if other else []
    body = []
    for of in target.target.classes:
        line = [of, *(count_text(counts[part].get(of, 0)) for part in parts)]
        line += [cell(found.get((of, name))) for name in metrics]
        line += [cell(theirs.get((of, compared)))] if other else []
        body.append(line)
    unit = "values" if form == "regression" else "labels" if form == "multilabel" else "classes"
    caption = f"{target.target.name}: single {unit}, {network} on the {part_name(target.judged)} part"
    shown = body if metrics else []
    return PageTable(caption, heads, shown)


def _of_folds(results: TaskResults, part: str) -> str:
    """Which folds a count of rows is of: test rows are in one fold each, others in several."""
    if results.trials != "folds":
        return ""
    return ", all folds" if part == "test" else ", first fold"


def _single_rows(target: TargetResults, model: str) -> dict[tuple[str, str], MetricRow]:
    found: dict[tuple[str, str], MetricRow] = {}
    for row in target.rows:
        key = (row.figure.of, row.figure.name)
        if (
            row.model == model
            and row.figure.part == target.judged
            and row.figure.of
            and (not row.trial or key not in found)
        ):
            found[key] = row
    return found


def trials_table(results: TaskResults, target: TargetResults) -> PageTable:
    """The figure that decides, training by training; no rows for a single one."""
    name = target.target.primary
    names = [card.name for card in results.models]
    found: Mapping[tuple[str, str], MetricRow] = {
        (row.trial, row.model): row
        for row in target.rows
        if row.trial and (row.figure.part, row.figure.name, row.figure.of) == (target.judged, name, "")
    }
    trials = list(dict.fromkeys(trial for trial, _ in found))
    body = [[trial, *(cell(found.get((trial, model))) for model in names)] for trial in trials]
    caption = (
        f"{target.target.name}: {METRICS[name]} on the {part_name(target.judged)} part, training by training"
    )
    return PageTable(caption, ("training", *names), body)


def difference_table(results: TaskResults, target: TargetResults) -> PageTable:
    """The network less each baseline on the same resamples."""
    found = [] if target.difference is None else [target.difference, *target.others]
    body = [
        [
            item.other,
            three(item.ours),
            three(item.theirs),
            three(item.value),
            f"{three(item.low)} to {three(item.high)}",
            item.note,
        ]
        for item in found
    ]
    name = METRICS[target.target.primary]
    interval = f"{100 * results.level:g} % interval"
    heads = ["baseline", results.network.name, "baseline's", "difference", interval, "note"]
    if not any(item.note for item in found):
        heads, body = heads[:-1], [line[:-1] for line in body]
    drawn_of = found[0].units if found else 0
    count = f"{count_text(drawn_of)} " if drawn_of else ""
    what = f"groups of {drawn(target.target)}" if results.split.groups else drawn(target.target)
    caption = (
        f"{target.target.name}: {name} of the network less that of each baseline, on the same resampled "
        f"{count}{what}"
    )
    return PageTable(caption, heads, body, text=frozenset({0, 5}), wrap=frozenset({5}))


def model_table(results: TaskResults) -> PageTable:
    """What each model is."""
    rows = [[card.name, card.about] for card in results.models]
    return PageTable("Models", ("model", "what it is"), rows, frozenset({0, 1}), frozenset({1}))


def split_table(results: TaskResults) -> PageTable:
    """Rows and groups of each part, and its copies in training."""
    split = results.split
    overlaps = {overlap.part: overlap for overlap in split.overlaps}
    heads = ["part", "rows"] + (["groups"] if split.groups else [])
    heads += ["equal in training", "similar in training", "less similar in training"] if overlaps else []
    body = []
    # JSON does not keep the order of keys.
    for part in sorted(split.rows, key=PARTS.index):
        line = [part_name(part), count_text(split.rows[part])]
        line += [count_text(split.groups.get(part))] if split.groups else []
        if overlaps:
            one = overlaps.get(part)
            found = (None, None, None) if one is None else (one.exact, one.near, one.loose)
            line += ["–" if count is None else count_text(count) for count in found]
        body.append(line)
    how = sorted({overlap.how for overlap in split.overlaps if overlap.how})
    caption = "Rows of the data" + (f". {' '.join(how)}" if how else "")
    return PageTable(caption, heads, body)


def dropped_table(results: TaskResults) -> PageTable:
    """What was left out on reading."""
    rows = [[reason, count_text(count), place] for reason, count, place in results.dropped]
    columns = ("reason", "rows", "first of them")
    return PageTable("Left out on reading", columns, rows, frozenset({0, 2}), frozenset({2}))


def settings_table(results: TaskResults) -> PageTable:
    """What a reader must know of the training."""
    rows: Iterable[Sequence[str]] = results.settings
    return PageTable(
        "Settings", ("setting", "value"), [list(row) for row in rows], frozenset({0, 1}), frozenset({1})
    )
