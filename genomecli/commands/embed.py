"""``genomecli embed``: sequences and a model in, a table of vectors out; in a pipe, too.

A table in a file has companions: ``TABLE.manifest.json`` marks it as finished and says what it was made from,
``TABLE.run.json`` holds what may differ between equal runs, ``TABLE.dropped.tsv`` lists the records without
rows. While it is made, its rows are kept in ``.TABLE.partial``, from which ``--resume`` goes on.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from genomecli.accounts import balance
from genomecli.commands.embed_job import Feed, Job, finish_table, identity, is_finished, open_job, request_of
from genomecli.commands.foreign_models import with_native
from genomecli.commands.spared import refuse_folder, spare_inputs
from genomecli.errors import CheckpointedError, InputError, InterruptedRunError, UsageError
from genomecli.exchange.embeddings import RecordRows, TokenRows, block_words, vocabulary_table, words_of
from genomecli.exchange.spool import Spool
from genomecli.exchange.table_format import HeldRows, TableBlock, TableHeader, format_of
from genomecli.exchange.table_writers import TsvWriter
from genomecli.exchange.tables import check_kind
from genomecli.files import (
    lock_name,
    locked,
    make_parent,
    named_file,
    partial_name,
    refuse_existing,
    sweep_partial,
)
from genomecli.inference.items import Dropped, Item
from genomecli.inference.rest import Rest
from genomecli.inference.sources import CorpusSource, choose_species
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.signals import StopFlag

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.settings import EmbedSettings, TableFormat

COMMIT_SECONDS = 20.0
"""Work that is lost at most when the machine goes down."""


def run_embed(
    config: Config,
    out: Path | None,
    *,
    inputs: Sequence[str] = (),
    force: bool = False,
    resume: bool = False,
    stream: TextIO | None = None,
) -> dict[str, Any]:
    """Write an embedding table.

    Args:
        config: settings; section ``embed``.
        out: the file; None or ``-`` for TSV on standard output.
        inputs: FASTA files that replace the settings' inputs; ``-`` is standard input.
        force: replace a finished table.
        resume: go on with an unfinished table; a finished one of the same inputs is left as it is.
        stream: what takes the place of standard output.

    Returns:
        Counts: ``records`` in, ``rows`` out, ``dropped``, ``tokens``, ``windowed``, ``truncated``.

    Raises:
        UsageError: no model, no input, an output that exists, or a species that the model does not know.
        InputError: bad sequences, or none that could be read.
        InterruptedRunError, CheckpointedError: stopped by a signal, with the rows so far kept.
    """
    out = named_file(out)
    config = with_native(config, "embed")
    settings = _checked(config.embed, inputs, out, resume=resume)
    if out is not None and _done_before(config, settings, out, force=force, resume=resume):
        return {}
    job = open_job(config, settings)
    if out is None:
        counts = _to_stream(job, stream or _standard_output())
    else:
        make_parent(out)
        with locked(lock_name(out)):
            counts = _to_file(job, out, _kind(settings, out), resume=resume)
    log.info(
        "%d records in, %d rows out, %d dropped, %d tokens",
        *(counts[name] for name in ("records", "rows", "dropped", "tokens")),
    )
    return counts


def _checked(
    settings: EmbedSettings, inputs: Sequence[str], out: Path | None, *, resume: bool
) -> EmbedSettings:
    unread = settings.level == "vocabulary" and settings.vectors == "static"
    if inputs or unread:
        chosen = [] if unread else list(inputs)
        settings = type(settings).model_validate({**settings.model_dump(), "inputs": chosen, "corpus": None})
    if settings.model is None:
        raise UsageError("no model is given", fix="name a run or checkpoint with --model")
    needed = settings.level != "vocabulary" or settings.vectors in ("contextual", "both")
    if needed and not settings.inputs and settings.corpus is None:
        raise UsageError("no input", fix="name FASTA files, - for standard input, or set embed.corpus")
    if out is None and (resume or settings.format not in ("auto", "tsv")):
        what = "standard output cannot be resumed" if resume else f"{settings.format} needs a file"
        raise UsageError(what, fix="give --out FILE")
    if resume and "-" in settings.inputs:
        raise UsageError("standard input cannot be read again", fix="name a file, or leave --resume out")
    return settings


def _kind(settings: EmbedSettings, out: Path) -> TableFormat:
    return format_of(out) if settings.format == "auto" else settings.format


def _done_before(config: Config, settings: EmbedSettings, out: Path, *, force: bool, resume: bool) -> bool:
    """Whether the table is finished already. Raises UsageError if another stands there."""
    check_kind(_kind(settings, out))
    spare_inputs(out, [settings.model, settings.corpus, *settings.inputs])
    refuse_folder(out)
    if resume and out.exists():
        if is_finished(config, settings, out):
            sweep_partial(out, request_of(identity(config, settings), settings))
            log.info("%s is finished already", out)
            return True
        if not force and not partial_name(out).is_dir():
            raise UsageError(
                "exists, and was made from other inputs, settings or another model",
                where=out,
                fix="give --force to replace it, or another --out",
            )
        return False
    refuse_existing(out, force=force)
    return False


def _standard_output() -> TextIO:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return sys.stdout


def _rows(job: Job) -> RecordRows | TokenRows:
    settings = job.settings
    group = ("group",) if isinstance(job.source, CorpusSource) else ()
    if settings.level == "token":
        return TokenRows(job.engine, job.layers, group)
    shown = (*group, "description") if settings.description else group
    return RecordRows(job.engine, job.layers, tuple(settings.pooling), shown)


def _to_stream(job: Job, stream: TextIO) -> dict[str, Any]:
    feed = Feed(job.source)
    rows = 0
    writer: TsvWriter | None = None
    if job.settings.level == "vocabulary":
        header, block = _vocabulary(job, feed)
        writer = TsvWriter(stream, header)
        writer.write(block)
        rows = len(block)
    else:
        maker = _rows(job)
        header = maker.header(job.settings.dtype, job.meta)
        for made in maker.rows(feed.items()):
            # Not before the first rows: input that cannot be read leaves the pipe empty.
            writer = writer or TsvWriter(stream, header)
            writer.write(made.block)
            rows += len(made.block)
            if made.last:
                _tell(feed.settled(made.item.record))
    _tell(feed.settled())
    counts = _counts(job.engine.counts, feed, rows, feed.dropped)
    if writer is None:
        TsvWriter(stream, header)
    stream.flush()
    return counts


def _tell(dropped: Iterable[Dropped]) -> None:
    for entry in dropped:
        log.warning("dropped %r: %s", entry.id, entry.reason)


def _vocabulary(job: Job, feed: Feed) -> tuple[TableHeader, TableBlock]:
    settings, lexicon = job.settings, job.engine.lexicon
    static = settings.vectors in ("static", "both", "auto")
    if job.source is None:
        words = [block_words(lexicon, settings.species and choose_species(lexicon, settings.species))]
    elif isinstance(job.source, CorpusSource):
        names = dict.fromkeys(name for name, _ in job.source.groups())
        words = [words_of(lexicon, name, feed.items(name)) for name in names]
    else:
        words = [words_of(lexicon, choose_species(lexicon, settings.species), feed.items())]
    return vocabulary_table(job.engine, words, job.layers, static=static, dtype=settings.dtype, meta=job.meta)


def _to_file(job: Job, out: Path, kind: TableFormat, *, resume: bool) -> dict[str, Any]:
    began = time.monotonic()
    if job.settings.level == "vocabulary":
        feed = Feed(job.source)
        header, block = _vocabulary(job, feed)
        dropped = list(feed.settled())
        _tell(dropped[: Feed.SHOWN])
        counts = _counts(job.engine.counts, feed, len(block), len(dropped))
        listed = [(entry.id, entry.reason) for entry in dropped]
        finish_table(job, out, kind, (header, HeldRows(block)), listed, counts, began)
        return counts
    maker = _rows(job)
    header = maker.header(job.settings.dtype, job.meta)
    spool = Spool(partial_name(out), header, request_of(job.meta, job.settings), resume=resume)
    if spool.records:
        log.info("going on after %d records", spool.records)
    feed = Feed(job.source, spool.records, job.engine.counts_of)
    try:
        _fill(spool, maker, feed, Rest(job.engine))
        counts = _counts(spool.counts, feed, spool.rows, spool.dropped)
        finish_table(job, out, kind, (header, spool), spool.dropped_records(), counts, began)
    except BaseException:
        spool.close()
        if not spool.rows or not spool.records:
            spool.remove()
        raise
    spool.remove()
    return counts


def _fill(spool: Spool, maker: RecordRows | TokenRows, feed: Feed, rest: Rest) -> None:
    """Put all rows into the spool. Raises after a signal, when what was done is safe."""
    committed = -math.inf  # the first result is safe at once
    with StopFlag() as stop, progress("embedding", done=spool.records) as bar:
        for made in maker.rows(feed.items()):
            spool.append(made.block)
            if not made.last:
                continue
            spool.counts.update(feed.counted(made.item.record))
            bar.advance(1, rows=spool.rows)
            ends = rest.reached(stop.requested)
            if ends or time.monotonic() - committed > COMMIT_SECONDS:
                _commit(spool, feed, made.item)
                committed = time.monotonic()
            if ends:
                _stop(str(stop.requested), spool.records)
        _commit(spool, feed, None)


def _commit(spool: Spool, feed: Feed, item: Item | None) -> None:
    for entry in feed.settled(None if item is None else item.record):
        if spool.dropped < Feed.SHOWN:
            _tell([entry])
        spool.drop(entry.id, entry.reason)
    spool.commit(feed.records if item is None else item.record + 1)


def _stop(signal: str, records: int) -> None:
    kind = InterruptedRunError if signal == "INT" else CheckpointedError
    raise kind(f"stopped by {signal} after {records} records", fix="run again with --resume to go on")


def _counts(done: Mapping[str, int], feed: Feed, rows: int, dropped: int) -> dict[str, Any]:
    """What was counted, by the engine in ``done``. Raises InputError if no record could be read."""
    if feed.records and dropped == feed.records:
        reason = feed.last_reason
        raise InputError(f"none of {feed.records} records could be read; the last: {reason}")
    went = {"read": done.get("items", 0), "dropped": dropped}
    balance("records", feed.records, went)
    counted = {name: done.get(name, 0) for name in ("tokens", "windowed", "truncated")}
    return {"records": feed.records, "rows": rows, "dropped": dropped, **counted}
