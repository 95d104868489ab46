"""``genomecli mrr-compare``: what models learned, as tables with controls, figures and one page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from genomecli.commands.spared import spare_inputs
from genomecli.config import Config
from genomecli.errors import UsageError
from genomecli.files import parts_name, read_json, refuse_existing, sweep, write_json
from genomecli.output_folder import OutputFolder
from genomecli.progress import progress
from genomecli.runtime import log, one_blas_thread, run_info
from genomecli.signals import StopFlag

if TYPE_CHECKING:
    from genomecli.analysis.comparison import Comparison
    from genomecli.analysis.kept import Kept
    from genomecli.analysis.pages import PageTable
    from genomecli.analysis.settings import CompareSettings
    from genomecli.commands.mrr_compare_job import Machine, Member

GO_ON = "run again with --resume, which takes up what was measured"


def run_mrr_compare(
    config: Config,
    out: Path,
    *,
    runs: Sequence[str] = (),
    corpus: str | None = None,
    proteins_of: str | None = None,
    force: bool = False,
    resume: bool = False,
    table: bool = False,
) -> dict[str, Any]:
    """Measure, compare, and write the output folder.

    Args:
        config: settings; section ``mrr-compare``.
        out: the folder to make.
        runs: run folders or checkpoints, instead of those of the settings.
        corpus: corpus, instead of that of the settings.
        proteins_of: network of the amino acids, instead of that of the settings.
        force: replace a finished output.
        resume: take up the parts that an interrupted comparison left; a finished one of the same settings and
            inputs is left as it is.
        table: also print the main rows as TSV on standard output.

    Returns:
        What ``summary.json`` holds.

    Raises:
        UsageError: if no run is named, or an output stands there.
        InputError: if a run or corpus cannot be read, or nothing can be compared.
        InterruptedRunError, CheckpointedError: stopped by a signal, with the finished parts kept.
    """
    settings = _with_runs(config.mrr_compare, runs, corpus, proteins_of)
    read = [(run.path, run.corpus, run.proteins_of) for run in settings.runs]
    spare_inputs(out, [settings.corpus, settings.proteins_of, *(path for paths in read for path in paths)])
    if not resume:
        refuse_existing(out, force=force)
    with StopFlag() as stop, one_blas_thread():
        from genomecli.analysis.kept import is_made_of
        from genomecli.commands.mrr_compare_job import is_finished, open_members, request_of, settle_machine

        log.info("opening %s", ", ".join(run.path for run in settings.runs))
        members = open_members(settings, config)
        request = request_of(config, settings, members)
        if resume and is_finished(out, request, force=force):
            sweep(out, parts_name(out), lambda: is_made_of(parts_name(out), request))
            return _as_it_is(out, table=table)
        machine = settle_machine(config, out, resume=resume)
        with OutputFolder(out, kind="comparison", force=force) as folder:
            kept = _parts(out, request, machine, stop, resume=resume)
            try:
                result = compare_members(members, settings, config.seed, machine.precision, kept)
                summary = _write(folder, result, config, request, asdict(machine), kept)
            except BaseException:
                kept.close()
                raise
            kept.remove()
    _show(result, out, table=table)
    return summary


def _parts(out: Path, request: dict[str, Any], machine: Machine, stop: StopFlag, *, resume: bool) -> Kept:
    from genomecli.analysis.kept import Kept

    return Kept.opened(parts_name(out), request, asdict(machine), lambda: stop.grant(GO_ON), resume=resume)


def _write(
    folder: OutputFolder,
    result: Comparison,
    config: Config,
    request: dict[str, Any],
    machine: dict[str, Any],
    kept: Kept,
) -> dict[str, Any]:
    """Write everything, the manifest last; the summary."""
    from genomecli.analysis.results import write_comparison
    from genomecli.commands.mrr_compare_job import portable

    log.info("writing tables, figures and the page")
    summary = write_comparison(result, folder.path, kept)
    found = {"made": kept.made, "taken_up": kept.found}
    write_json(folder.path / "run.json", run_info("mrr-compare", **machine, parts=found))
    folder.finish({**request, "config": {**portable(config.resolved()), **request["config"]}})
    return summary


def _as_it_is(out: Path, *, table: bool) -> dict[str, Any]:
    """Say that the output is finished; its main rows, if they are asked for."""
    from genomecli.analysis.results import HEADLINE_TABLE

    log.info("%s is finished already", out)
    if table:
        sys.stdout.write((out / HEADLINE_TABLE).read_text(encoding="utf-8"))
    summary: dict[str, Any] = read_json(out / "summary.json")
    return summary


def _with_runs(
    settings: CompareSettings, runs: Sequence[str], corpus: str | None, proteins_of: str | None
) -> CompareSettings:
    from genomecli.analysis.settings import RunEntry
    from genomecli.commands.foreign_models import native

    if "" in runs:
        raise UsageError("a run without a name is given", fix="name a run folder or a checkpoint")

    def own(path: str | None) -> str | None:
        return None if path is None else native(path)

    named = [RunEntry(path=path) for path in runs] or settings.runs
    found = tuple(
        run.model_copy(update={"path": native(run.path), "proteins_of": own(run.proteins_of)})
        for run in named
    )
    changes: dict[str, Any] = {"runs": found, "proteins_of": own(proteins_of or settings.proteins_of)}
    if corpus is not None:
        changes["corpus"] = corpus
    chosen = settings.model_copy(update=changes)
    if not chosen.runs:
        raise UsageError("no run is named", fix="name one: genomecli mrr-compare RUN, or mrr-compare.runs")
    return chosen


def compare_members(
    members: Sequence[Member], settings: CompareSettings, seed: int, precision: str, kept: Kept
) -> Comparison:
    """Measure every run, then compare them."""
    from genomecli.analysis.compare import Comparer
    from genomecli.analysis.runs import open_run

    with progress("measuring", _pieces(settings, members)) as bar:
        comparer = Comparer(settings, seed, precision, bar, kept)
        for member in members:
            run = member.run
            log.info("measuring %s", run.name)
            comparer.add_run(run, member.group, control=member.control)
            for folder in member.earlier:
                device = next(run.loaded.model.parameters()).device
                other, given = settings.proteins_of, (member.entry, run.name, settings.corpus, device)
                comparer.add_checkpoint(open_run(*given, proteins_of=other, checkpoint=folder))
        log.info("holding it against controls and baselines")
        return comparer.finish([member.run for member in members])


def _pieces(settings: CompareSettings, members: Sequence[Member]) -> int:
    """About how many sets of vectors will be measured, for the progress bar."""
    total = 0
    for run in (member.run for member in members):
        layers = run.loaded.settings.layers + 1
        views = len({*settings.frames, run.frame}) + int(settings.untrained)
        total += len(run.loaded.lexicon.species) * (layers * views + 2)
    return total


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
