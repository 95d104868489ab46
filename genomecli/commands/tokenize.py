"""``genomecli tokenize``: check, read, merge, report."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from genomecli.config import Config
from genomecli.corpus.build import build, parts_folder, read_units, remove_parts
from genomecli.corpus.look_beside import LookBeside
from genomecli.corpus.manifest import KIND
from genomecli.corpus.preview import preview as preview_records
from genomecli.corpus.store import CorpusReader
from genomecli.corpus.units import Unit, check_files, make_units, share
from genomecli.errors import InputError, UsageError
from genomecli.files import (
    make_parent,
    read_json,
    read_manifest,
    refuse_existing,
    verify_manifest,
    write_json,
)
from genomecli.output_folder import OutputFolder
from genomecli.runtime import is_quiet, log, run_info, thread_count
from genomecli.signals import stopping

SHOWN_NOTES = 12
LARGE = 2 << 20
"""Bytes of sources from which the figure is drawn by a process of its own."""

GO_ON = "run again with --resume, which takes up the files that were read"


def run_tokenize(
    config: Config,
    out: Path,
    *,
    force: bool = False,
    resume: bool = False,
    shard: tuple[int, int] | None = None,
    merge: bool = False,
    workers: int | None = None,
    preview: int = 0,
) -> dict[str, Any] | None:
    """Make a corpus, or with ``shard`` one job's share of its parts.

    Args:
        config: with a section ``tokenize``.
        out: the corpus folder.
        force: replace a finished corpus.
        resume: take up the parts that an interrupted run has left; a finished corpus of the same files and
            settings is left as it is, unless it is to be replaced.
        shard: (job from 1, jobs): read only this job's share, and leave the rest to ``merge``.
        merge: join the parts of all jobs.
        workers: files read at once, instead of the setting.
        preview: show this many records of each group as tokens.

    Returns:
        The manifest of the corpus; None for a share.

    Raises:
        UsageError: impossible options, a missing file, an existing output.
        InputError: bad input.
        CheckpointedError: stopped by TERM or USR1, with what was read kept.
    """
    settings = config.tokenize
    if shard and merge:
        raise UsageError("--shard and --merge exclude each other", fix="run all --shard jobs, then --merge")
    units = make_units(settings)
    count = workers or (thread_count() if settings.workers == "auto" else int(settings.workers))
    parts = parts_folder(out)
    started = time.monotonic()
    if resume and not force and shard is None and (finished := _finished(config, units, out)):
        log.info("%s is finished already", out)
        if preview:
            show_preview(CorpusReader.open(out), preview)
        return finished
    if shard is not None:
        with stopping(GO_ON):
            _share(units, parts, shard, out, count, force=force, resume=resume)
        return None
    if not merge:
        check_files(units)
    look = LookBeside(apart=settings.figures and thread_count() > 1 and _takes_long(units))
    with stopping(GO_ON), OutputFolder(out, kind=KIND, force=force) as folder, look:
        if not merge:
            _read(units, parts, count, resume=resume)
        built = build(settings, config.seed, parts, folder.path, look)
        seconds = round(time.monotonic() - started, 3)
        run = run_info("tokenize", seconds=seconds, workers=count, inputs=built.paths)
        known = {"parts": built.keys, "config": config.resolved("tokenize")}
        write_json(folder.path / "run.json", run | known)
        folder.finish(built.manifest, sealed=built.sealed)
    remove_parts(parts)
    manifest = read_manifest(out, KIND)
    report(manifest, out, time.monotonic() - started)
    if preview:
        show_preview(CorpusReader.open(out), preview)
    return manifest


def _finished(config: Config, units: list[Unit], out: Path) -> dict[str, Any] | None:
    """The manifest of ``out``, if it was made of these very files and settings.

    Files are known by path, size and time, as those of parts are; the number of workers may differ. None if
    nothing stands there, or something that is no corpus.

    Raises:
        InputError: if it is damaged.
        UsageError: if it was made of other files or settings, or of standard input.
    """
    try:
        manifest = read_manifest(out, KIND)
    except InputError:
        return None
    if not _made_of(config, units, out, manifest):
        raise UsageError(
            "exists, and was made from other files or settings",
            where=out,
            fix="give --force to replace it, or another --out",
        )
    verify_manifest(out, deep=False)
    return manifest


def _made_of(config: Config, units: list[Unit], out: Path, manifest: dict[str, Any]) -> bool:
    """Whether a corpus is of these files and settings; not if its ``run.json`` does not say."""
    wanted = config.tokenize.model_dump(mode="json")
    try:
        run = read_json(out / "run.json")
        given = run["config"]["tokenize"] | {"workers": wanted["workers"]}
        same = run["parts"] == [unit.key() for unit in units] and manifest["seed"] == config.seed
    except (InputError, OSError, LookupError, TypeError):  # absent, damaged, or of a version before
        return False
    return same and given == wanted and not any(unit.streams for unit in units)


def _takes_long(units: list[Unit]) -> bool:
    """Whether reading lasts about as long as a process takes that gets ready meanwhile to draw the figure."""
    return sum(unit.size() for unit in units if not unit.streams) >= LARGE


def _share(
    units: list[Unit],
    parts: Path,
    shard: tuple[int, int],
    out: Path,
    workers: int,
    *,
    force: bool,
    resume: bool,
) -> None:
    refuse_existing(out, force=force)
    mine = share(units, *shard)
    check_files(mine)
    make_parent(out)
    read_units(mine, parts, workers=workers, resume=resume)
    log.info("job %d of %d: sources read: %d; run --merge when all jobs are done", *shard, len(mine))


def _read(units: list[Unit], parts: Path, workers: int, *, resume: bool) -> None:
    if not resume:
        shutil.rmtree(parts, ignore_errors=True)
    try:
        read_units(units, parts, workers=workers, resume=resume)
    except KeyboardInterrupt:
        if parts.exists():
            log.warning("what was read is kept: --resume takes it up")
        raise


def report(manifest: dict[str, Any], out: Path, seconds: float) -> None:
    """Show on standard error what became of everything."""
    if is_quiet():
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True)
    table = Table(title=Text(f"{out}"), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("group", "read", "kept", "rows", "symbols", "train / valid / test"):
        table.add_column(name, justify="left" if name == "group" else "right", no_wrap=True)
    for name, counts in manifest["counts"].items():
        table.add_row(*summary_row(name, counts, manifest["splits"].get(name)))
    console.print(table)
    for line in summary_lines(manifest):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    figure = out / "figures" / "look.png"
    look = f"; a look at the data: {figure}" if figure.exists() else ""
    console.print(f"{seconds:.1f} s{look}", highlight=False, markup=False)


def happened(counts: dict[str, Any]) -> list[str]:
    """What became of one group's records beside being kept, a short text each."""
    texts = []
    for what in ("dropped", "cut", "changed"):
        for reason, entry in counts[what].items():
            symbols = "" if what == "dropped" else f" ({entry['symbols']:,} symbols)"
            texts.append(f"{what} {entry['records']:,}: {reason}{symbols}")
    return texts + [f"{count:,} with {reason}" for reason, count in counts["seen"].items()]


def summary_row(name: str, counts: dict[str, Any], split: dict[str, list[int]] | None) -> list[str]:
    """One group's line of the summary."""
    sides = " / ".join(f"{split[side][0]:,}" for side in ("train", "valid", "test")) if split else "-"
    kept = counts["kept"]
    return [
        name,
        f"{counts['read']['records']:,}",
        f"{kept['records']:,}",
        f"{sum(split[side][0] for side in split):,}" if split else "0",
        f"{kept['symbols']:,}",
        sides,
    ]


def translation_line(species: str, status: dict[str, int]) -> str:
    """How many coding features read as their own annotation says, of those that say anything."""
    left = {name: count for name, count in status.items() if name != "ok" and count}
    silent, unread = left.pop("no translation", 0), ("pseudogene", "not extracted")
    checked = status.get("ok", 0) + sum(count for name, count in left.items() if name not in unread)
    texts = [f"{status.get('ok', 0):,} of {checked:,} given translations agree"] if checked else []
    texts += [f"{count:,} {name}" for name, count in left.items()]
    if silent:
        texts.append(f"{silent:,} coding features come without a translation to check")
    return f"{species}: {'; '.join(texts) or 'no coding features'}"


def summary_lines(manifest: dict[str, Any]) -> list[str]:
    """What the summary says below its table."""
    lines = [
        f"{name}: {'; '.join(texts)}"
        for name, counts in manifest["counts"].items()
        if (texts := happened(counts))
    ]
    lines += [translation_line(name, status) for name, status in manifest["translations"].items()]
    facts = manifest["facts"]
    pairs, families = facts["pairs"], facts["families"]
    if pairs["genes"]:
        lines.append(
            f"{pairs['genes']:,} genes have both texts; "
            f"{pairs['equal_translations']:,} proteins are the plain translation"
        )
    if families["genes"]:
        lines.append(
            f"{families['genes']:,} genes in {families['families']:,} families, "
            f"the largest of {families['largest']:,}"
        )
    dropped = manifest["settings"]["policies"]["duplicates"] == "drop"
    for name, text in (("repeated_ids", "repeated ids"), ("repeated_sequences", "repeated sequences")):
        if facts[name] and not (name == "repeated_sequences" and dropped):
            lines.append(f"{facts[name]:,} {text}")
    notes = [note for source in manifest["sources"] for note in source["notes"]]
    skipped = [
        f"{source['species']}: {count:,} {what}"
        for source in manifest["sources"]
        for what, count in source["counts"].items()
        if "skipped" in what or "changed" in what
    ]
    shown = [*skipped, *notes]
    more = (
        [f"... and {len(shown) - SHOWN_NOTES} more notes in manifest.json"]
        if len(shown) > SHOWN_NOTES
        else []
    )
    return [*lines, *shown[:SHOWN_NOTES], *more]


def show_preview(corpus: CorpusReader, count: int) -> None:
    """Show the first records of each group as tokens, on standard error."""
    from rich.console import Console

    console = Console(stderr=True)
    for record in preview_records(corpus, count):
        rest = f" ... {record.more:,} more" if record.more else ""
        head = f"{record.species} {record.molecule} {record.id} ({record.length:,}, {record.split})"
        console.print(
            f"{head}\n  {' '.join(record.tokens)}{rest}", highlight=False, markup=False, soft_wrap=True
        )
