"""``genomecli mrr-compare``: what models learned, as tables with controls, figures and one page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from genomecli.config import Config
from genomecli.errors import UsageError
from genomecli.files import OutputFolder, write_json
from genomecli.runtime import (
    log,
    one_blas_thread,
    pick_device,
    pick_precision,
    progress,
    run_info,
    set_threads,
)

if TYPE_CHECKING:
    from genomecli.analysis.comparison import Comparison
    from genomecli.analysis.pages import PageTable
    from genomecli.analysis.runs import OpenRun
    from genomecli.analysis.settings import CompareSettings


def run_mrr_compare(
    config: Config,
    out: Path,
    *,
    runs: Sequence[str] = (),
    corpus: str | None = None,
    force: bool = False,
    table: bool = False,
) -> dict[str, Any]:
    """Measure, compare, and write the output folder.

    Args:
        config: settings; section ``mrr-compare``.
        out: the folder to make.
        runs: run folders or checkpoints, instead of those of the settings.
        corpus: corpus, instead of that of the settings.
        force: replace a finished output.
        table: also print the main rows as TSV on standard output.

    Returns:
        What ``summary.json`` holds.

    Raises:
        UsageError: if no run is named.
        InputError: if a run or corpus cannot be read, or nothing can be compared.
    """
    from genomecli.analysis.results import write_comparison

    settings = _with_runs(config.mrr_compare, runs, corpus)
    device = pick_device(config.device)
    used: dict[str, Any] = {
        "device": str(device),
        "precision": pick_precision(config.precision, device),
        "threads": set_threads(config.threads),
    }
    with one_blas_thread(), OutputFolder(out, kind="comparison", force=force) as folder:
        result = compare_runs(settings, config)
        summary = write_comparison(result, folder.path)
        write_json(folder.path / "run.json", run_info("mrr-compare", **used))
        resolved = {**config.resolved(), "mrr-compare": settings.model_dump(mode="json")}
        folder.finish({"config": _portable(resolved), "inputs": _inputs(result)})
    _show(result, out, table=table)
    return summary


def _with_runs(settings: CompareSettings, runs: Sequence[str], corpus: str | None) -> CompareSettings:
    from genomecli.analysis.settings import RunEntry

    changes: dict[str, Any] = {}
    if runs:
        changes["runs"] = tuple(RunEntry(path=path) for path in runs)
    if corpus is not None:
        changes["corpus"] = corpus
    chosen = settings.model_copy(update=changes)
    if not chosen.runs:
        raise UsageError("no run is named", fix="name one: genomecli mrr-compare RUN, or mrr-compare.runs")
    return chosen


def compare_runs(settings: CompareSettings, config: Config) -> Comparison:
    """Open every run and measure it."""
    from genomecli.analysis.compare import Comparer
    from genomecli.analysis.runs import earlier_checkpoints, expand_runs, frame_controls, open_run

    device = pick_device(config.device)
    precision = pick_precision(config.precision, device)
    entries = expand_runs(settings.runs)
    opened = [open_run(entry, name, settings.corpus, device) for entry, name, _ in entries]
    controls = frame_controls(opened)
    with progress("measuring", _pieces(settings, opened)) as bar:
        comparer = Comparer(settings, config.seed, precision, bar)
        for run, (entry, name, group) in zip(opened, entries, strict=True):
            comparer.add_run(run, group, control=run.name in controls)
            if settings.checkpoints and run.name not in controls:
                for folder in earlier_checkpoints(run, settings.max_checkpoints):
                    early = open_run(entry, name, settings.corpus, device, checkpoint=folder)
                    comparer.add_checkpoint(early)
        return comparer.finish(opened)


def _pieces(settings: CompareSettings, runs: Sequence[OpenRun]) -> int:
    """About how many sets of vectors will be measured, for the progress bar."""
    total = 0
    for run in runs:
        layers = run.loaded.settings.layers + 1
        views = len({*settings.frames, run.frame}) + int(settings.untrained)
        total += len(run.loaded.lexicon.species) * (layers * views + 2)
    return total


def _portable(values: Any) -> Any:
    """Settings without the folders of this machine: of a path only its name is kept."""
    if isinstance(values, dict):
        return {key: _portable(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_portable(value) for value in values]
    if isinstance(values, str) and "/" in values:
        return Path(values).name
    return values


def _inputs(result: Comparison) -> list[dict[str, Any]]:
    """Name and checksum of what was read: each run's weights and each corpus."""
    from genomecli.files import MANIFEST, sha256_file

    return [
        {
            "run": card.name,
            "path": card.path.name,
            "checkpoint": card.checkpoint.name,
            "model_sha256": sha256_file(card.checkpoint / "model.safetensors"),
            "corpus": card.corpus.name,
            "corpus_manifest_sha256": sha256_file(card.corpus / MANIFEST),
        }
        for card in result.cards
    ]


def _show(result: Comparison, out: Path, *, table: bool) -> None:
    from genomecli.analysis.report import answers
    from genomecli.analysis.report_tables import main_table

    shown = main_table(result)
    if table:
        write_table(shown, sys.stdout)
    elif sys.stderr.isatty():
        _rich_table(shown)
    else:
        for line in plain_table(shown):
            log.info("%s", line)
    for item in answers(result):
        for sentence in (*item["sentences"], *item["further"]):
            log.info("%s: %s", item["title"], sentence)
    log.info("figures: %s", out / "figures")
    log.info("page: %s", out / "index.html")


def write_table(shown: PageTable, stream: IO[str]) -> None:
    """A table as TSV."""
    for cells in (shown.columns, *shown.rows):
        stream.write("\t".join(cells) + "\n")


def plain_table(shown: PageTable) -> list[str]:
    """A table as lines of text, columns aligned."""
    rows = [list(shown.columns), *(list(row) for row in shown.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(shown.columns))]
    return [
        "  ".join(
            cell.ljust(width) if i in shown.text else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _rich_table(shown: PageTable) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=None, box=None, pad_edge=False)
    for number, name in enumerate(shown.columns):
        drawn.add_column(name, justify="left" if number in shown.text else "right")
    for number, cells in enumerate(shown.rows):
        style = "bold" if number in shown.main else ""
        drawn.add_row(*(Text(cell) for cell in cells), style=style)
    Console(stderr=True).print(drawn)
