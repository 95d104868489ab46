"""What ``predict`` writes: its final format, figures where there are labels, the marks of a finished file.

``OUT.manifest.json`` marks OUT as finished and says what it was made from, ``OUT.run.json`` holds what may
differ between equal runs, ``OUT.dropped.tsv`` lists the records without a prediction, ``OUT.metrics.tsv`` the
figures of ``predict.measure``. While OUT is made, its text is kept in ``.OUT.partial``, from which
``--resume`` goes on.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genomecli.commands.predict_job import Job, identity
from genomecli.commands.predict_writer import Format
from genomecli.errors import InputError
from genomecli.exchange.prediction_table import RecordTable, read_judged, read_met
from genomecli.exchange.score_table import to_parquet
from genomecli.exchange.table_format import beside
from genomecli.exchange.table_writers import tsv_line
from genomecli.exchange.text_spool import TextSpool
from genomecli.files import FORMAT_VERSION, atomic_path, check_file, read_json, sha256_file, write_json
from genomecli.runtime import log, rng, run_info
from genomecli.tasks.examples import Labels
from genomecli.tasks.figure import METRICS, Figure
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.schema import Target

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.predict_settings import PredictSettings

MANIFEST_ENDING, RUN_ENDING = ".manifest.json", ".run.json"
DROPPED_ENDING, METRICS_ENDING = ".dropped.tsv", ".metrics.tsv"
_FIGURES = ("target", "rows", "metric", "of", "value", "low", "high", "n", "note")
ALL, UNSEEN = "all", "unseen"
"""Which rows a figure is of: all that have a label, or those that no model met in its tuning."""


@dataclass(frozen=True)
class Judged:
    """What was measured.

    Args:
        figures: by target, each with the rows that it is of.
        met: how many rows the models met, and how; None where that is not known.
    """

    figures: Mapping[str, Sequence[tuple[str, Figure]]]
    met: Mapping[str, int] | None


def stamp(path: str) -> list[Any]:
    """What tells that a file has changed, without reading it: path, bytes, time."""
    file = Path(path.partition("::")[0])
    if path == "-" or not file.exists():
        return [path]
    status = file.stat()
    return [str(file.resolve()), path, status.st_size, status.st_mtime_ns]


def request_of(meta: Mapping[str, Any], settings: PredictSettings) -> dict[str, Any]:
    """What must be the same for unfinished text to be taken up; inputs by size and time."""
    return {**meta, "inputs": [stamp(path) for path in (*settings.label_paths, *settings.paths)]}


def is_finished(config: Config, settings: PredictSettings, form: Format, out: Path) -> bool:
    """Whether ``out`` was finished from these very inputs, models and settings, and is whole."""
    path = beside(out, MANIFEST_ENDING)
    if not path.is_file():
        return False
    manifest = read_json(path)
    files = [Path(name.partition("::")[0]) for name in (*settings.label_paths, *settings.paths)]
    if not all(file.is_file() for file in files):
        return False
    request = {**identity(config, settings, form), "inputs": [sha256_file(file) for file in files]}
    if manifest.get("request") != json.loads(json.dumps(request)):
        return False
    for name, expected in manifest["files"].items():
        check_file(out.parent, name, expected)
    return True


def finish(
    job: Job, out: Path, spool: TextSpool, files: Sequence[Mapping[str, object]], began: float
) -> None:
    """Write OUT from the spool's text, and what belongs beside it; the manifest last.

    Args:
        job: the run.
        out: the output.
        spool: closed.
        files: what was read.
        began: monotonic time of the start.
    """
    for ending in (MANIFEST_ENDING, DROPPED_ENDING, METRICS_ENDING):
        beside(out, ending).unlink(missing_ok=True)
    with atomic_path(out, force=True) as temporary:
        if job.form == "parquet":
            assert isinstance(job.writer, RecordTable)
            to_parquet(spool.body, temporary, job.writer.columns)
        else:
            shutil.copyfile(spool.body, temporary)
    names = [out.name]
    if spool.left_out.stat().st_size:
        names.append(_write_dropped(out, spool))
    measured = judge(job, spool.body) if job.settings.measure else None
    if measured is not None:
        names.append(_write_figures(beside(out, METRICS_ENDING), measured.figures))
    seconds = round(time.monotonic() - began, 3)
    info = run_info("predict", seconds=seconds, counts=dict(spool.counts), config=job.config, inputs=files)
    write_json(beside(out, RUN_ENDING), info)
    table = {
        name: {"bytes": (out.parent / name).stat().st_size, "sha256": sha256_file(out.parent / name)}
        for name in names
    }
    manifest = {
        "kind": "predictions",
        "format_version": FORMAT_VERSION,
        "files": table,
        "request": {**job.meta, "inputs": [row["sha256"] for row in files]},
        "counts": dict(spool.counts),
        "format": job.form,
        "targets": [target.to_dict() for target in job.targets],
        **({} if measured is None else {"met_before": measured.met}),
    }
    write_json(beside(out, MANIFEST_ENDING), manifest)
    log.info("wrote %s", out)


def _write_dropped(out: Path, spool: TextSpool) -> str:
    path = beside(out, DROPPED_ENDING)
    with atomic_path(path, force=True) as temporary, open(temporary, "wb") as stream:
        stream.write(b"id\treason\n")
        with open(spool.left_out, "rb") as held:
            shutil.copyfileobj(held, stream)
    log.warning("%s says which records were dropped, and why", path)
    return path.name


def judge(job: Job, table: Path) -> Judged:
    """Figures of a table with labels, of all rows and of those that the models never met; the first are said.

    Targets without any label are named in a warning.

    Raises:
        InputError: if no record has a label of any target.
    """
    from genomecli.tasks.metrics import measure

    with open(table, encoding="utf-8", errors="surrogateescape", newline="") as lines:
        judged = read_judged(lines, job.targets)
    targets = _labelled(job.targets, judged)
    met = None if job.seen is None else _met(table)
    counted = _say_met(job, met)
    found = {}
    for target in targets:
        predictions, labels = judged[target.name]
        random = rng("predict", job.seed, target.name)
        figures = measure(predictions, labels, job.settings.metrics, random)
        found[target.name] = [(ALL, figure) for figure in figures]
        if met is not None:
            new = np.flatnonzero(met == "")
            whole = len(new) == len(met)
            rest = figures if whole else _of_some(job, target, predictions.take(new), labels.take(new))
            found[target.name] += [(UNSEEN, figure) for figure in rest]
        for which, figure in found[target.name]:
            if figure.name == target.primary and not figure.of:
                named = target.name if which == ALL else f"{target.name}, rows that it had not met"
                log.info("%s: %s", named, _said(figure, "symbols" if target.per_symbol else "rows"))
    return Judged(found, counted)


def _labelled(targets: Sequence[Target], judged: Mapping[str, tuple[Predictions, Labels]]) -> list[Target]:
    """The targets that have labels; the others are named. Raises InputError if none has any."""
    found = [target for target in targets if judged[target.name][1].known.any()]
    lacking = ", ".join(repr(target.name) for target in targets if target not in found)
    if not found:
        named = f"target {lacking} has" if len(targets) == 1 else f"targets {lacking} have"
        fix = "give labels, name other targets with predict.targets=..., or set predict.measure to false"
        raise InputError(f"{named} no label in the inputs", fix=fix)
    if lacking:
        log.warning("no label in the inputs, so not measured: %s", lacking)
    return found


def _of_some(job: Job, target: Target, predictions: Predictions, labels: Labels) -> list[Figure]:
    """Figures of the rows that no model met; none, with a word, where there is no such row."""
    from genomecli.tasks.metrics import measure

    if not labels.known.any():
        log.warning(
            "%s: no row with a label is new to the model, so no figure tells how good it is", target.name
        )
        return []
    return measure(predictions, labels, job.settings.metrics, rng("predict", job.seed, target.name, UNSEEN))


def _met(table: Path) -> NDArray[np.str_]:
    """str[n]: how the models met each record."""
    with open(table, encoding="utf-8", errors="surrogateescape", newline="") as lines:
        return np.array(read_met(lines), dtype=np.str_)


def _say_met(job: Job, met: NDArray[np.str_] | None) -> dict[str, int] | None:
    """Say how many rows the models met in their tuning; the counts."""
    if met is None or job.seen is None:
        log.warning("whether the model was trained on some of these rows is not known: its run kept no keys")
        return None
    counts = {
        name: int((met == key).sum()) for name, key in (("train", "train"), ("valid", "valid"), (UNSEEN, ""))
    }
    if not job.seen.whole:
        log.warning("an earlier tuning of the model kept no keys of its rows: it may have met more of these")
    if counts[UNSEEN] == len(met):
        log.info("the model met none of these %d rows in its tuning", len(met))
    else:
        log.warning(
            "of %d rows the model was trained on %d, and %d chose its weights: figures of all rows are too "
            "good, and those of the other %d are given as well",
            *(len(met), counts["train"], counts["valid"], counts[UNSEEN]),
        )
    return {"rows": len(met), **counts}


def _said(figure: Figure, unit: str) -> str:
    if figure.value != figure.value:
        return f"{METRICS[figure.name]} is not defined: {figure.note}"
    interval = "" if figure.low != figure.low else f" ({figure.low:.3f} to {figure.high:.3f})"
    return f"{METRICS[figure.name]} {figure.value:.3f}{interval}, {figure.n} {unit}"


def _write_figures(path: Path, found: Mapping[str, Sequence[tuple[str, Figure]]]) -> str:
    lines = [tsv_line(_FIGURES)]
    for name, figures in found.items():
        for which, one in figures:
            numbers = ["" if value != value else f"{value:.6g}" for value in (one.value, one.low, one.high)]
            lines.append(tsv_line([name, which, one.name, one.of, *numbers, one.n, one.note]))
    with atomic_path(path, force=True) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.name
