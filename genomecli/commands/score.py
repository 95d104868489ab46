"""``genomecli score``: variants or whole sequences in, how little a pretrained model expects them out."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from genomecli.commands.foreign_models import with_native
from genomecli.commands.score_job import Job, identity, open_job
from genomecli.commands.score_mutations import MutationInput
from genomecli.commands.score_output import (
    Format,
    compare,
    finish,
    format_of,
    input_files,
    is_finished,
    kind_of,
    request_of,
)
from genomecli.commands.score_scan import ScanInput
from genomecli.commands.score_variants import VariantInput
from genomecli.commands.score_work import ScoreInput, account, notes
from genomecli.commands.spared import refuse_folder, spare_inputs
from genomecli.errors import CheckpointedError, InterruptedRunError, UsageError
from genomecli.exchange.text_spool import TextSpool
from genomecli.exchange.vcf import need_pysam
from genomecli.files import lock_name, locked, named_file, partial_name, refuse_existing, sweep_partial
from genomecli.inference.rest import Rest
from genomecli.inference.workload import Workload
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.signals import StopFlag

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.score_settings import ScoreSettings

COMMIT_SECONDS = 20.0
"""Work that is lost at most when the machine goes down."""


def run_score(
    config: Config,
    out: Path | None,
    *,
    force: bool = False,
    resume: bool = False,
    stream: BinaryIO | None = None,
) -> dict[str, Any]:
    """Score variants, mutations or whole sequences.

    Args:
        config: settings; section ``score``.
        out: the file, whose ending says its format; None or ``-``: TSV (a scan: bedGraph) on standard output.
        force: replace a finished file.
        resume: go on with an unfinished file; a finished one of the same inputs is left as it is.
        stream: what takes the place of standard output.

    Returns:
        Counts: ``records``, ``in``, ``scored``, and a reason each of what has no score.

    Raises:
        UsageError: no model or input, an output that exists, or settings that the model does not allow.
        InputError: bad input, or a variant that does not fit its reference or wild type.
        InterruptedRunError, CheckpointedError: stopped by a signal, with what was done so far kept.
    """
    out = named_file(out)
    config = with_native(config, "score")
    settings = _checked(config.score, out, resume=resume)
    kind = kind_of(settings)
    form: Format = format_of(out, kind) if out is not None else "bedgraph" if kind == "scan" else "tsv"
    if form == "bcf":
        need_pysam(out)
    if out is not None and _done_before(config, settings, form, out, force=force, resume=resume):
        return {}
    job = open_job(config, settings)
    if out is None:
        noun, counts = _to_stream(job, kind, stream or sys.stdout.buffer)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        with locked(lock_name(out)):
            noun, counts = _to_file(job, out, kind, form, resume=resume)
    records = counts.get("records", 0)
    log.info("%d record%s: %s", records, "" if records == 1 else "s", account(noun, counts))
    for said in notes(counts):
        log.info("%s", said)
    return dict(counts)


def _checked(settings: ScoreSettings, out: Path | None, *, resume: bool) -> ScoreSettings:
    if settings.model is None:
        raise UsageError("no model is given", fix="name a run or checkpoint with --model")
    if kind_of(settings) == "vcf" and settings.reference is None:
        raise UsageError("no reference is given", fix="name the FASTA of the VCF with --reference")
    if settings.reference == "-":
        raise UsageError("a reference is read from anywhere, not from a stream", fix="name its file")
    if settings.measured is not None and not settings.mutations:
        raise UsageError("measured values belong to a table of mutations", fix="leave score.measured out")
    if out is None and resume:
        raise UsageError("standard output cannot be resumed", fix="give --out FILE")
    if resume and any(str(path) == "-" for path in input_files(settings)):
        raise UsageError("standard input cannot be read again", fix="name a file, or leave --resume out")
    return settings


def _done_before(
    config: Config, settings: ScoreSettings, form: Format, out: Path, *, force: bool, resume: bool
) -> bool:
    """Whether the file is finished already. Raises UsageError if another stands there."""
    spare_inputs(out, [settings.model, *input_files(settings)])
    refuse_folder(out)
    if resume and out.exists():
        if is_finished(config, settings, out):
            sweep_partial(out, request_of(identity(config, settings), settings, form))
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


def _source(job: Job, kind: str, form: Format) -> AbstractContextManager[ScoreInput]:
    if kind == "vcf":
        return VariantInput(job, "vcf" if form in ("vcf", "vcf.gz", "bcf") else "table")
    if kind == "mutations":
        return nullcontext(MutationInput(job))
    return nullcontext(ScanInput(job, "bedgraph" if form.startswith("bedgraph") else "table"))


def _to_stream(job: Job, kind: str, stream: BinaryIO) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()
    with (
        _source(job, kind, "bedgraph" if kind == "scan" else "tsv") as source,
        TemporaryDirectory(prefix="genomecli-") as folder,
        open(Path(folder) / "table.tsv", "wb") as kept,
    ):
        copies = [stream, kept] if job.settings.measured is not None else [stream]
        head = source.header  # written with the first result: input that is refused leaves nothing behind
        for made in Workload(job.engine, source.works(0)):
            counts += made.counts
            for copy in copies:
                copy.write(head + made.text)
            head = b""
        for copy in copies:
            copy.write(head)
        stream.flush()
        kept.flush()
        compare(job, Path(kept.name))
    return source.noun, counts


def _to_file(job: Job, out: Path, kind: str, form: Format, *, resume: bool) -> tuple[str, Counter[str]]:
    began = time.monotonic()
    with _source(job, kind, form) as source:
        spool = TextSpool(partial_name(out), request_of(job.meta, job.settings, form), resume=resume)
        if spool.done:
            log.info("going on after %d pieces of work", spool.done)
        if spool.fresh:
            spool.append(source.header)
        try:
            _fill(job, spool, source)
            spool.close()
            finish(job, source, out, form, spool, began)
        except BaseException:
            spool.close()
            if not spool.done:
                spool.remove()
            raise
        spool.remove()
    return source.noun, spool.counts


def _fill(job: Job, spool: TextSpool, source: ScoreInput) -> None:
    """Put all lines into the spool. Raises after a signal, when what was done is safe."""
    committed, pieces, counts = -math.inf, spool.done, Counter(spool.counts)
    work = Workload(job.engine, source.works(pieces))
    rest = Rest(work)
    with StopFlag() as stop, progress("scoring", done=pieces) as bar:
        for made in work:
            spool.append(made.text, made.left_out)
            pieces += 1
            counts += made.counts
            bar.advance(1, scored=counts["scored"])
            ends = rest.reached(stop.requested)
            if ends or time.monotonic() - committed > COMMIT_SECONDS:
                spool.commit(pieces, counts)
                committed = time.monotonic()
            if ends:
                kind = InterruptedRunError if stop.requested == "INT" else CheckpointedError
                said = f"stopped by {stop.requested}, {counts['scored']} {source.noun} scored"
                raise kind(said, fix="run again with --resume to go on")
        spool.commit(pieces, counts)
