"""``genomecli predict``: sequences and a tuned model in, what it predicts of them out; in a pipe, too."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from genomecli.accounts import balance
from genomecli.commands.predict_job import STRAND, Job, identity, open_job
from genomecli.commands.predict_output import finish, is_finished, judge, request_of
from genomecli.commands.predict_writer import Format, format_of
from genomecli.commands.spared import refuse_folder, spare_inputs
from genomecli.errors import InputError, UsageError
from genomecli.exchange.table_writers import tsv_line
from genomecli.exchange.text_spool import TextSpool
from genomecli.files import (
    lock_name,
    locked,
    make_parent,
    named_file,
    partial_name,
    refuse_existing,
    sweep_partial,
)
from genomecli.inference.items import Dropped
from genomecli.inference.predict_source import RECORD, PredictSource, unknown_of
from genomecli.inference.predictor import Outcome, Unlabelled
from genomecli.inference.rest import Rest
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.signals import StopFlag
from genomecli.tasks.alike import nameless

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.predict_settings import PredictSettings

COMMIT_SECONDS = 20.0
"""Work that is lost at most when the machine goes down."""

SHOWN = 20
"""Dropped records that are named on standard error where a file names them all."""


def run_predict(
    config: Config,
    out: Path | None,
    *,
    inputs: Sequence[str] = (),
    force: bool = False,
    resume: bool = False,
    stream: BinaryIO | None = None,
) -> dict[str, Any]:
    """Write what a tuned model predicts.

    Args:
        config: settings; section ``predict``.
        out: the file, whose ending says its format; None or ``-`` for TSV on standard output.
        inputs: files that replace the settings' inputs; ``-`` is standard input.
        force: replace a finished file.
        resume: go on with an unfinished file; a finished one of the same inputs is left as it is.
        stream: what takes the place of standard output.

    Returns:
        Counts: ``records`` in, ``predicted``, ``dropped``.

    Raises:
        UsageError: no model or input, an output that exists, or settings that the model does not allow.
        InputError: bad input, or none that could be read.
        InterruptedRunError, CheckpointedError: stopped by a signal, with what was done so far kept.
    """
    out = named_file(out)
    settings = _checked(config.predict, inputs, out, resume=resume)
    form = format_of(settings, out)
    if out is not None and _done_before(config, settings, form, out, force=force, resume=resume):
        return {}
    job = open_job(config, settings, form)
    if out is None:
        counts = _to_stream(job, stream or sys.stdout.buffer)
    else:
        make_parent(out)
        with locked(lock_name(out)):
            counts = _to_file(job, out, resume=resume)
    log.info("%d records in, %d predicted, %d dropped", *(counts[key] for key in _COUNTS))
    return {key: counts[key] for key in _COUNTS}


_COUNTS = ("records", "predicted", "dropped")


def _checked(
    settings: PredictSettings, inputs: Sequence[str], out: Path | None, *, resume: bool
) -> PredictSettings:
    if inputs:
        settings = type(settings).model_validate({**settings.model_dump(), "inputs": list(inputs)})
    if settings.model is None:
        raise UsageError("no model is given", fix="name a run of finetune with --model")
    if settings.inputs and settings.class_inputs:
        raise UsageError("inputs and predict.class_inputs are both given", fix="leave one out")
    if not settings.paths:
        raise UsageError("no input", fix="name FASTA files or tables, or - for standard input")
    if out is None and resume:
        raise UsageError("standard output cannot be resumed", fix="give --out FILE")
    if resume and "-" in (*settings.paths, *settings.label_paths):
        raise UsageError("standard input cannot be read again", fix="name a file, or leave --resume out")
    return settings


def _done_before(
    config: Config, settings: PredictSettings, form: Format, out: Path, *, force: bool, resume: bool
) -> bool:
    """Whether the file is finished already. Raises UsageError if another stands there."""
    spare_inputs(out, [settings.model, *settings.paths, *settings.label_paths])
    refuse_folder(out)
    if resume and out.exists():
        if is_finished(config, settings, form, out):
            sweep_partial(out, request_of(identity(config, settings, form), settings))
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


@dataclass(frozen=True)
class Done:
    """What became of one record: its lines, or why it has none."""

    record: int
    text: bytes
    dropped: Dropped | None = None


@dataclass
class Feed:
    """Records on their way through the models, given out in input order, those that are dropped too.

    Args:
        job: the run.
        source: of the records.

    Attributes:
        short: records that are shorter than the places that the head of the model knows.
        first_short: the id of the first of them.
    """

    job: Job
    source: PredictSource
    short: int = 0
    first_short: str = ""
    _waiting: deque[Dropped] = field(default_factory=deque)

    def done(self) -> Iterator[Done]:
        """What became of each record, in order.

        Raises:
            InputError, RunError: as the source and the models; for a record that gives no tokens where that
                is an error.
        """
        last = self.job.strands[-1]
        texts: list[bytes] = []
        for outcome in self.job.ensemble.predict(self._sequences()):
            number: Any = outcome.given.meta[RECORD]
            yield from self._unread(number)
            final = outcome.given.meta[STRAND] == last
            if outcome.reason:
                # A record that cannot be read on one strand cannot be on the other: both are as long.
                self._refuse(outcome.given, outcome.reason)
                if final:
                    self.source.unknown -= unknown_of(outcome.given.covariates)  # nothing stands for them
                    yield Done(number, b"", Dropped(outcome.given.id, outcome.reason, number))
                continue
            texts.append(self.job.text(outcome))
            if final:
                self._note_short(outcome)
                yield Done(number, b"".join(texts))
                texts = []
        yield from self._unread(None)

    def _sequences(self) -> Iterator[Unlabelled]:
        for entry in self.source.entries():
            if isinstance(entry, Dropped):
                self._waiting.append(entry)
            else:
                yield from self.job.read(entry)

    def _unread(self, before: int | None) -> Iterator[Done]:
        """Dropped records in front of record ``before``; all, if None."""
        while self._waiting and (before is None or self._waiting[0].record < before):
            entry = self._waiting.popleft()
            yield Done(entry.record, b"", entry)

    def _note_short(self, outcome: Outcome) -> None:
        if outcome.short:
            self.first_short = self.first_short if self.short else outcome.given.id
            self.short += 1

    def say(self) -> None:
        """Say at the end what of the records was not as the model knows it."""
        for sentence in nameless(self.source.nameless):
            log.warning("%s", sentence)
        if self.source.unknown:
            one = self.source.unknown == 1
            cells = "1 cell of covariates is" if one else f"{self.source.unknown} cells of covariates are"
            log.warning("%s not known and count%s as the mean of the training rows", cells, "s" * one)
        if self.short:
            places = self.job.spec.head.places
            have = "1 record has" if self.short == 1 else f"{self.short} records have"
            log.warning(
                "%s fewer tokens than the %d places that the model weighs, the first %r: they are read from "
                "the first place on, so cut them like those that it was tuned on",
                *(have, places, self.first_short),
            )

    def _refuse(self, given: Unlabelled, reason: str) -> None:
        if self.job.settings.invalid == "error":
            fix = "correct it, or set predict.invalid to drop"
            raise InputError(reason, where=f"record {given.id!r}", fix=fix)


def _count(counts: Counter[str], done: Done, shown: int | None) -> bytes:
    """Count a record; the line about a dropped one, which is named until ``shown`` of them were."""
    counts["records"] += 1
    counts["predicted" if done.dropped is None else "dropped"] += 1
    if done.dropped is None:
        return b""
    if shown is None or counts["dropped"] <= shown:
        log.warning("dropped %r: %s", done.dropped.id, done.dropped.reason)
    line = tsv_line([done.dropped.id, done.dropped.reason]) + "\n"
    return line.encode("utf-8", "surrogateescape")


def _to_stream(job: Job, stream: BinaryIO) -> Counter[str]:
    counts: Counter[str] = Counter()
    source = job.source()
    with (
        TemporaryDirectory(prefix="genomecli-") as folder,
        open(Path(folder) / "table.tsv", "wb") as kept,
    ):
        copies = [stream, kept] if job.settings.measure else [stream]
        head = job.writer.header  # written with the first record: input that is refused leaves nothing behind
        feed = Feed(job, source)
        for done in feed.done():
            _count(counts, done, None)
            for copy in copies:
                copy.write(head + done.text)
            head = b""
        for copy in copies:
            copy.write(head)
        stream.flush()
        kept.flush()
        _check_counts(feed, counts)
        if job.settings.measure:
            judge(job, Path(kept.name))
    return counts


def _to_file(job: Job, out: Path, *, resume: bool) -> Counter[str]:
    began = time.monotonic()
    spool = TextSpool(partial_name(out), request_of(job.meta, job.settings), resume=resume)
    if spool.done:
        log.info("going on after %d records", spool.done)
    if spool.fresh:
        spool.append(job.writer.header)
    source = job.source(spool.done)
    feed = Feed(job, source)
    try:
        _fill(feed, spool)
        spool.close()
        _check_counts(feed, spool.counts)
        beside = source.beside.files if source.beside is not None else []
        finish(job, out, spool, [*beside, *source.files], began)
    except BaseException:
        spool.close()
        if not spool.counts["predicted"]:
            spool.remove()
        raise
    spool.remove()
    return spool.counts


def _fill(feed: Feed, spool: TextSpool) -> None:
    """Put all lines into the spool. Raises after a signal, when what was done is safe."""
    committed, counts = -math.inf, Counter(spool.counts)  # the first is safe at once
    rest = Rest(*feed.job.engines, each=feed.job.texts)
    with StopFlag() as stop, progress("predicting", done=spool.done) as bar:
        for done in feed.done():
            spool.append(done.text, _count(counts, done, SHOWN))
            bar.advance(1)
            # A dropped record comes just before one that is computed already.
            ends = done.dropped is None and rest.reached(stop.requested)
            if ends or time.monotonic() - committed > COMMIT_SECONDS:
                spool.commit(done.record + 1, counts)
                committed = time.monotonic()
            if ends:
                stop.grant(f"{done.record + 1} records are done; run again with --resume to go on")
        spool.commit(feed.source.records, counts)


def _check_counts(feed: Feed, counts: Counter[str]) -> None:
    """Refuse an input of which nothing could be read; say what was not as the model knows it."""
    went = {key: counts[key] for key in ("predicted", "dropped")}
    balance("records", feed.source.records, went)
    if not counts["predicted"]:
        raise InputError(f"none of {counts['records']} records could be read", fix="see the warnings above")
    feed.say()
