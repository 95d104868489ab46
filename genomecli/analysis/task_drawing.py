"""Figures of a fine-tuning report: which results go into which figure, and what to say below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from genomecli.analysis.drawing_data import Drawing
from genomecli.analysis.figures.confusion import confusion_figure
from genomecli.analysis.figures.learning import LearningPanel, learning_figure
from genomecli.analysis.figures.models import ModelBar, models_figure
from genomecli.analysis.figures.rates import RateLine, RatePanel, rates_figure
from genomecli.analysis.figures.scatter import ScatterPanel, scatter_figure
from genomecli.analysis.figures.style import shorten
from genomecli.analysis.task_judging import LEAST_TRIALS
from genomecli.analysis.task_results import Curve, MetricRow, Scatter, TargetResults, TaskResults
from genomecli.analysis.task_story import (
    drawn_units,
    metric_label,
    part_name,
    resampled,
    units,
    unsigned_zero,
)
from genomecli.tasks.bootstrap import LEAST_UNITS
from genomecli.tasks.figure import too_few
from genomecli.tasks.schema import Target, loss_unit

SHOWN_METRICS = {
    "class": ("accuracy", "macro_f1", "mcc"),
    "multilabel": ("macro_f1", "micro_f1", "auroc"),
    "regression": ("pearson", "spearman", "r2"),
    "token": ("accuracy", "macro_f1", "mcc"),
}
"""Figures of merit that are drawn beside the one that decides, by form of the labels."""
_TWO_CLASSES = ("mcc", "auroc", "auprc")

CLASSES_DRAWN = 7
LEAST_ROWS = 5
"""Shares of fewer rows are noise, and would be the wildest points of a calibration curve."""
VALUES_DRAWN = 6
MATRIX_CLASSES = 40

_LINES = "Lines: {level} % intervals over {over}."
_NO_LINES = "Bars are means over {over}, which are too few for intervals."
_FEW_UNITS = f"There are no intervals: {{over}} are too few, fewer than {LEAST_UNITS}."
_MODELS = (
    "Blue: the network. Grey: what it is held against, on the same {units}. {lines} The first panel decides."
)
_CONFUSION = (
    "Each row is a label, each column what it was taken for; figures are counts of {units}. A perfect model "
    "has them on the diagonal only."
)
_RATES = (
    "Left: how many of the right {units} are found at each rate of false alarms; the dotted diagonal is "
    "chance. Right: how many of those found are right. In brackets: areas under the lines (AUROC, AUPRC)."
)
_CALIBRATION = (
    "{Units} are sorted by the probability that a model gives {of}. A model whose probabilities can be "
    "believed lies on the dotted line; one above it is too shy, one below it too sure. Large dots stand for "
    "many {units}; dots of fewer than {least} are left out."
)
_SCATTER = "Each dot is a row of the {part} part; on the dotted line a prediction is right."
_DENSITY = "Colour is the number of rows of the {part} part; on the dotted line a prediction is right."
_R = " In brackets: Pearson's correlation (r) of the rows drawn."
_LOG = " Axes are those of log(1 + value), as the settings of the target say."
_LEARNING = (
    "The weights that are used are those of the dashed line. A training loss that goes on falling while the "
    "validation loss rises is learning by heart."
)


def task_drawings(results: TaskResults) -> list[Drawing]:
    """All figures of a report, target by target; losses last."""
    found: list[Drawing] = []
    for target in results.targets:
        found += _of_target(results, target)
    return [*found, *_learning(results)]


def _of_target(results: TaskResults, target: TargetResults) -> list[Drawing]:
    drawn = [_models(results, target)]
    if target.confusion and target.target.outputs <= MATRIX_CLASSES:
        drawn.append(_confusion(results, target))
    if target.roc:
        drawn.append(_rates(results, target))
    if target.calibration:
        drawn.append(_calibration(results, target))
    if target.scatter:
        drawn.append(_scatter(results, target))
    return [drawing for drawing in drawn if drawing is not None]


def _title(results: TaskResults, target: TargetResults, text: str) -> str:
    return f"{target.target.name}: {text}" if len(results.targets) > 1 else text[0].upper() + text[1:]


def overall_rows(target: TargetResults, part: str) -> dict[tuple[str, str], MetricRow]:
    """(model, metric) to the figure over all classes: the mean where there are several trainings."""
    found: dict[tuple[str, str], MetricRow] = {}
    for row in target.rows:
        key = (row.model, row.figure.name)
        if row.figure.part == part and not row.figure.of and (not row.trial or key not in found):
            found[key] = row
    return found


def _models(results: TaskResults, target: TargetResults) -> Drawing | None:
    rows = overall_rows(target, target.judged)
    panels = []
    for metric in shown_metrics(target.target):
        bars = [
            ModelBar(card.name, *_numbers(rows[card.name, metric]), card.baseline)
            for card in results.models
            if (card.name, metric) in rows
        ]
        if bars:
            panels.append((metric_label(target.target, metric), bars))
    if not panels:
        return None
    title = _title(results, target, f"models on the {part_name(target.judged)} part")
    single = resampled(results, target, target.judged)
    over = {"seeds": "seeds", "folds": "folds"}.get(results.trials, single)
    lines = _NO_LINES if 0 < len(target.trials) < LEAST_TRIALS else _LINES
    if results.trials == "single" and too_few(drawn_units(target, target.judged)):
        lines = _FEW_UNITS
    said = lines.format(level=level_text(results), over=over)
    caption = _MODELS.format(lines=said, units=units(results, target.target))
    return Drawing(f"models.{target.target.name}", title, caption, lambda: models_figure(panels, title=title))


def shown_metrics(target: Target) -> tuple[str, ...]:
    """Three figures of merit that are drawn, the one that decides first."""
    two = target.form == "class" and target.outputs == 2
    others = _TWO_CLASSES if two else SHOWN_METRICS[target.form]
    return (target.primary, *(name for name in others if name != target.primary))[:3]


def level_text(results: TaskResults) -> str:
    """Coverage of the intervals in percent."""
    return f"{100 * results.level:g}"


def _numbers(row: MetricRow) -> tuple[float, float, float]:
    return row.figure.value, row.figure.low, row.figure.high


def chosen_models(results: TaskResults, target: TargetResults) -> list[str]:
    """The network, and the best baseline if there is one."""
    best = [] if target.difference is None else [target.difference.other]
    return [results.network.name, *best]


def _confusion(results: TaskResults, target: TargetResults) -> Drawing:
    names = [name for name in chosen_models(results, target) if name in target.confusion]
    panels = [(name, np.array(target.confusion[name], dtype=np.float64)) for name in names]
    title = _title(results, target, "what each class is taken for")
    classes, unit = target.target.classes, units(results, target.target)
    return Drawing(
        f"confusion.{target.target.name}",
        title,
        _CONFUSION.format(units=unit) + _which_trial(results),
        lambda: confusion_figure(panels, classes, title=title, unit=unit),
        narrow=len(panels) == 1 or len(classes) <= 3,
    )


def _rates(results: TaskResults, target: TargetResults) -> Drawing:
    panels = (
        RatePanel(
            "ROC", "false positive rate", "true positive rate", _lines(results, target, target.roc), True
        ),
        RatePanel(
            "Precision and recall", "recall", "precision", _lines(results, target, target.precision_recall)
        ),
    )
    several = len({curve.of for curve in target.roc}) > 1
    title = _title(
        results, target, "each class against the rest" if several else "ROC, and precision against recall"
    )
    said = _RATES.format(units=units(results, target.target))
    if not several:
        said += f" Both are of {target.roc[0].of}."
    if several:
        said += " Solid: the network; dashed: the best baseline."
        left = len({curve.of for curve in target.roc}) - CLASSES_DRAWN
        said += f" The {CLASSES_DRAWN} commonest classes are drawn." if left > 0 else ""
    return Drawing(
        f"rates.{target.target.name}",
        title,
        said + _which_trial(results),
        lambda: rates_figure(panels, title=title),
    )


def _lines(results: TaskResults, target: TargetResults, curves: Sequence[Curve]) -> tuple[RateLine, ...]:
    """Of one class all models, each in its colour; of several the network and the best baseline by class."""
    of = {curve.of for curve in curves}
    if len(of) == 1:
        order = {card.name: number for number, card in enumerate(results.models)}
        kept = sorted(
            (curve for curve in curves if curve.model in order), key=lambda curve: order[curve.model]
        )
        return tuple(
            RateLine(
                _labelled(curve.model, curve.area),
                curve.x,
                curve.y,
                order[curve.model],
                size=curve.size,
                pattern=order[curve.model],
            )
            for curve in kept
        )
    shown = commonest(target, of)
    models = chosen_models(results, target)
    found = []
    for curve in curves:
        if curve.of in shown and curve.model in models:
            first = curve.model == models[0]
            label = _against(curve, curves, models) if first else ""
            found.append(RateLine(label, curve.x, curve.y, shown.index(curve.of), not first, curve.size))
    return tuple(sorted(found, key=lambda line: line.dashed))


def _against(curve: Curve, curves: Sequence[Curve], models: Sequence[str]) -> str:
    """``sheet (0.91; composition 0.84)``."""
    others = [c.area for c in curves if c.of == curve.of and c.model in models[1:] and c.area is not None]
    name = shorten(curve.of, 24)  # longer ones leave no room for the panels
    if curve.area is None:
        return name
    return f"{name} ({curve.area:.3f}" + (f"; {models[1]} {others[0]:.3f})" if others else ")")


def commonest(target: TargetResults, of: set[str]) -> list[str]:
    """The classes with most rows of the part that is judged, in their own order."""
    counts = target.counts.get(target.judged, {})
    kept = sorted(of, key=lambda name: -counts.get(name, 0))[:CLASSES_DRAWN]
    return [name for name in target.target.classes if name in kept]


def _labelled(name: str, area: float | None) -> str:
    return name if area is None else f"{name} ({area:.3f})"


def _calibration(results: TaskResults, target: TargetResults) -> Drawing:
    curves = target.calibration
    if target.target.form == "multilabel":
        curves = tuple(curve for curve in curves if curve.model == results.network.name)
    lines = _lines(results, target, [_of_some_rows(curve) for curve in curves])
    of = "to a label" if target.target.form == "multilabel" else "to the class that it chooses"
    panel = RatePanel("", f"probability given {of}", "share that is right", lines, diagonal=True)
    title = _title(results, target, "can the probabilities be believed?")
    unit = units(results, target.target)
    caption = _CALIBRATION.format(of=of, least=LEAST_ROWS, units=unit, Units=unit.capitalize())
    caption += _which_trial(results)
    return Drawing(
        f"calibration.{target.target.name}",
        title,
        caption,
        lambda: rates_figure([panel], title=title),
        narrow=True,
    )


def _of_some_rows(curve: Curve) -> Curve:
    """The curve without bins of very few rows; as it is where all are such."""
    kept = [at for at, size in enumerate(curve.size) if size >= LEAST_ROWS] or range(len(curve.size))
    x, y, size = (tuple(values[at] for at in kept) for values in (curve.x, curve.y, curve.size))
    return replace(curve, x=x, y=y, size=size)  # type: ignore[arg-type]


def _scatter(results: TaskResults, target: TargetResults) -> Drawing:
    models = chosen_models(results, target)
    values = target.target.classes[:VALUES_DRAWN]
    found = [
        item
        for value in values
        for model in models
        for item in target.scatter
        if (item.of, item.model) == (value, model)
    ]
    panels = [_panel(item) for item in found]
    title = _title(results, target, "predicted against measured")
    dense = any(item.counts for item in found)
    left = len(target.target.classes) - VALUES_DRAWN
    more = _R if any(item.r is not None for item in found) else ""
    more += _LOG if any(item.log for item in found) else ""
    more += f" The first {VALUES_DRAWN} values are drawn." if left > 0 else ""
    return Drawing(
        f"scatter.{target.target.name}",
        title,
        (_DENSITY if dense else _SCATTER).format(part=part_name(target.judged))
        + more
        + _which_trial(results),
        lambda: scatter_figure(panels, title=title, columns=len(models)),
        narrow=len(models) == 1,
    )


def _panel(item: Scatter) -> ScatterPanel:
    title = item.model + ("" if item.r is None else f" (r {unsigned_zero(f'{item.r:.2f}')})")
    counts = np.array(item.counts, dtype=np.float64) if item.counts else None
    return ScatterPanel(title, item.of, item.measured, item.predicted, counts, item.edges, item.log)


def _learning(results: TaskResults) -> list[Drawing]:
    if not results.curves:
        return []
    names = list(dict.fromkeys(curve.model for curve in results.curves))
    panels = []
    for name in names:
        mine = [curve for curve in results.curves if curve.model == name]
        panels.append(
            LearningPanel(
                name,
                [curve.train for curve in mine],
                [curve.valid for curve in mine],
                [curve.best for curve in mine],
            )
        )
    title = "Losses along training"
    loss = f"loss ({loss_unit(target.target for target in results.targets)})"
    return [
        Drawing(
            "learning",
            title,
            _LEARNING,
            lambda: learning_figure(panels, title=title, ylabel=loss),
            narrow=len(panels) == 1,
        )
    ]


def _which_trial(results: TaskResults) -> str:
    folds = " All folds together." if results.judged == "test" else " Of the first fold."
    return {"folds": folds, "seeds": " Of the first seed."}.get(results.trials, "")
