"""Writes the report of fine-tuning: a table of figures, PNGs, one page. Equal results give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genomecli.analysis.deviance import write_lines
from genomecli.analysis.drawn import drawn, page_figure
from genomecli.analysis.pages import PageFigure, render
from genomecli.analysis.task_drawing import level_text, task_drawings
from genomecli.analysis.task_judging import primary_rows
from genomecli.analysis.task_results import TargetResults, TaskResults
from genomecli.analysis.task_story import metric_name, part_name, standard_limits, verdicts
from genomecli.analysis.task_tables import (
    COLUMNS,
    classes_table,
    difference_table,
    dropped_table,
    metric_lines,
    model_table,
    models_table,
    reasons,
    settings_table,
    split_table,
    trials_table,
)
from genomecli.files import read_json, write_json
from genomecli.tasks.plain_values import as_plain

REPORT = "report.json"
"""The results as they are, from which the page can be made again."""

_EXPLAINED = frozenset({"binary", "multiclass", "multilabel", "regression", "token"})
"""Kinds whose deciding figure the page's template explains."""


def write_task_report(results: TaskResults, folder: Path, *, dpi: int = 130) -> dict[str, Any]:
    """Write ``metrics.tsv``, ``report.json``, ``figures/*.png`` and ``index.html`` below ``folder``.

    Args:
        results: what was found.
        folder: of the run; ``figures`` may exist.
        dpi: of the PNGs.

    Returns:
        the summary: verdicts and primary figures as plain values.
    """
    write_lines(folder / "metrics.tsv", COLUMNS, metric_lines(results))
    write_json(folder / REPORT, results.to_dict())
    figures = _write_figures(results, folder / "figures", dpi)
    (folder / "index.html").write_text(task_page(results, figures), encoding="utf-8")
    return task_summary(results)


def read_task_results(folder: Path) -> TaskResults:
    """The results of a finished run. Raises InputError where there are none."""
    return TaskResults.from_dict(read_json(folder / REPORT))


def _write_figures(results: TaskResults, folder: Path, dpi: int) -> list[PageFigure]:
    folder.mkdir(exist_ok=True)
    made = []
    for drawing in task_drawings(results):
        png, svg, grids = drawn(drawing, dpi)
        (folder / f"{drawing.name}.png").write_bytes(png)
        made.append(page_figure(drawing, svg, grids))
    return made


def task_page(results: TaskResults, figures: Sequence[PageFigure]) -> str:
    """The page as HTML.

    Args:
        results: what was found.
        figures: as drawn, named ``KIND.TARGET``.
    """
    sections = [(f"target-{target.target.name}", target.target.name) for target in results.targets]
    if len(sections) == 1:
        sections = [(sections[0][0], "Results")]
    fixed = (
        ("training", "Training"),
        ("data", "Data and split"),
        ("method", "Method"),
        ("limits", "Limits"),
        ("files", "Files"),
    )
    return render(
        "finetune.html.j2",
        {
            "title": results.title,
            "kind": "fine-tuned model",
            "subtitle": _subtitle(results),
            "sections": [*sections, *fixed],
            "verdicts": verdicts(results),
            "notes": [*results.split.warnings, *results.notes],
            "targets": [_target_values(results, target, figures) for target in results.targets],
            "models": model_table(results),
            "split": results.split.how,
            "split_table": split_table(results),
            "dropped": dropped_table(results),
            "settings": settings_table(results),
            "learning": [figure for figure in figures if figure.name == "learning"],
            "limits": standard_limits(results),
            "trials": results.trials,
            "earlier": results.earlier,
            "judged": part_name(results.judged),
            "level": level_text(results),
            "kinds": {target.target.kind for target in results.targets if not target.target.judged_by},
            "calibrated": any(target.target.form != "regression" for target in results.targets),
            "symbols": any(target.target.per_symbol for target in results.targets),
            "own_figures": own_figures(results),
            "tabular": results.tabular,
            "symbol_unit": results.symbols,
        },
    )


def own_figures(results: TaskResults) -> list[str]:
    """What decides for targets that name it, and for kinds that other packages registered; the page itself
    speaks of the others."""
    targets = [target.target for target in results.targets]
    found = {
        target.kind: metric_name(target.primary)
        for target in targets
        if target.kind not in _EXPLAINED and not target.judged_by
    }
    said = [f"For targets of kind {kind} {name} decides." for kind, name in found.items()]
    return said + [
        f"For {target.name} {metric_name(target.primary)} decides, as the settings say."
        for target in targets
        if target.judged_by
    ]


def _subtitle(results: TaskResults) -> str:
    kinds = ", ".join(f"{target.target.name} ({target.target.kind})" for target in results.targets)
    counts = {row.trial for target in results.targets for row in target.rows if row.trial}
    what = {"seeds": f" · {len(counts)} seeds on one split", "folds": f" · {len(counts)} folds"}
    return f"{kinds}{what.get(results.trials, '')}"


def _target_values(
    results: TaskResults, target: TargetResults, figures: Sequence[PageFigure]
) -> dict[str, Any]:
    parts = [part for part in ("test", "valid") if any(row.figure.part == part for row in target.rows)]
    name = target.target.name
    return {
        "name": name,
        "heading": name if len(results.targets) > 1 else "Results",
        "tables": [models_table(results, target, part) for part in parts],
        "differences": difference_table(results, target),
        "classes": classes_table(results, target),
        "trials": trials_table(results, target),
        "reasons": [reasons(results, target, part) for part in parts],
        "figures": [figure for figure in figures if figure.name.split(".", 1)[1:] == [name]],
    }


def task_summary(results: TaskResults) -> dict[str, Any]:
    """Verdicts, differences and the figures that decide, as plain values."""
    found: dict[str, Any] = as_plain(
        {
            "title": results.title,
            "network": results.network.name,
            "judged": results.judged,
            "trials": results.trials,
            "targets": {
                target.target.name: {
                    "kind": target.target.kind,
                    "verdict": verdict.first,
                    "beats_best_baseline": verdict.good,
                    "further": verdict.further,
                    "difference": target.difference,
                    "primary": {
                        part: {model: row.figure for model, row in primary_rows(target, part).items()}
                        for part in ("test", "valid")
                        if part == "valid" or results.judged == part
                    },
                }
                for target, verdict in zip(results.targets, verdicts(results), strict=True)
            },
            "split": results.split,
            "rows_read": results.read,
            "dropped": {reason: count for reason, count, _ in results.dropped},
            "notes": results.notes,
        }
    )
    return found
