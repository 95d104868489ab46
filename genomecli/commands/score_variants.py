"""``score`` on a VCF: each record a piece of work, its alleles scored together, its line kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from genomecli.commands.score_job import Job, readings
from genomecli.commands.score_work import Done, counted
from genomecli.errors import InputError
from genomecli.exchange.score_table import VARIANTS, Cell, Kind, header_line, row_line
from genomecli.exchange.vcf import VcfFile, VcfRecord, bcf_to_text, is_bcf, unscored
from genomecli.files import sha256_file
from genomecli.inference.decoding import Doubles
from genomecli.inference.marginals import Plan, Score
from genomecli.inference.workload import Work
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.openers import open_input
from genomecli.sequences.reference import Reference
from genomecli.sequences.variants import SequenceView, trimmed

_PLACE = ("record", "sequence", "position", "alt")
LEFT_OUT: tuple[tuple[str, Kind], ...] = (*(c for c in VARIANTS if c[0] in _PLACE), ("reason", "str"))
"""Columns of the table of alleles without a score that stands beside an annotated VCF."""


class VariantInput:
    """Variants of a VCF, and the reference that they refer to; a context manager.

    Args:
        job: the run.
        shape: ``table``: a row an allele; ``vcf``: the VCF's own lines with one more INFO field.

    Attributes:
        columns: of the table.
        header: what the output begins with.
        files: of the inputs, once they are read: path, bytes, sha256.
    """

    noun = lines = "alleles"
    unscored = LEFT_OUT

    def __init__(self, job: Job, shape: Literal["table", "vcf"]) -> None:
        settings = job.settings
        assert settings.vcf
        assert settings.reference
        self._job = job
        self._shape = shape
        self._stack = ExitStack()
        self.columns = VARIANTS
        self.files: list[dict[str, object]] = []
        molecule: Literal["genome", "cds"] = "cds" if settings.molecule == "cds" else "genome"
        self._scorer = readings(job, molecule).scorer(job)
        try:
            self._reference = self._stack.enter_context(Reference(Path(settings.reference)))
            self._vcf = self._open(Path(settings.vcf))
            self.header = header_line(VARIANTS) if shape == "table" else self._declared()
        except BaseException:
            self._stack.close()
            raise

    def _open(self, path: Path) -> VcfFile:
        stream = self._stream = self._stack.enter_context(open_input(path))
        if is_bcf(stream):
            folder = self._stack.enter_context(TemporaryDirectory(prefix="genomecli-"))
            text = Path(folder) / "variants.vcf"
            bcf_to_text(stream, text)
            stream = self._stack.enter_context(open_input(text))
        return VcfFile(stream)

    def _declared(self) -> bytes:
        settings = self._job.settings
        ways = {"masked": "masked", "wildtype": "wild-type", "pseudo_perplexity": "pseudo-perplexity"}
        text = (
            f"Log-likelihood ratio of the allele to REF by a language model, in {settings.unit}; negative: "
            f"less expected ({ways[settings.method]} marginals; indels by pseudo-perplexity)"
        )
        return self._vcf.with_info(settings.info, text)

    def __enter__(self) -> VariantInput:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def works(self, skip: int) -> Iterator[Work[Done]]:
        """Records as work, those at the start left out that were done before.

        Raises:
            InputError: for a record that does not fit the reference, where that is an error.
        """
        for record in self._vcf.records():
            if record.number > skip:
                yield self._work(record)
        reference = self._reference.path
        size, digest = reference.stat().st_size, sha256_file(reference)
        self.files = [
            self._stream.finish(),
            {"path": str(reference), "bytes": size, "sha256": digest},
        ]

    def _work(self, record: VcfRecord) -> Work[Done]:
        name = f"{record.chrom}:{record.start + 1}"
        reasons = [unscored(alt) for alt in record.alts]
        # Where no allele is a sequence nothing is read, and the place may be a telomere: 0, or past the end.
        found = self._checked(record) if None in reasons or not reasons else "nothing to read"
        plans = []
        for alt, reason in zip(record.alts, reasons, strict=True):
            if reason is not None or isinstance(found, str):
                plans.append(Plan("", reason=reason or str(found)))
                continue
            change = trimmed(record.start, DNA.encode(record.ref), DNA.encode(alt))
            same = change.start == change.stop and not len(change.new)
            plans.append(
                Plan("", reason="allele is REF") if same else self._scorer.plan(found, (change,), name)
            )
        sizes = [len(plan.queries) for plan in plans]
        queries = [query for plan in plans for query in plan.queries]

        def finish(answers: Sequence[Doubles]) -> Done:
            scores, at = [], 0
            for plan, size in zip(plans, sizes, strict=True):
                scores.append(plan.score(answers[at : at + size]))
                at += size
            return self._done(record, scores)

        return Work(queries, finish)

    def _checked(self, record: VcfRecord) -> SequenceView | str:
        """The sequence that a record lies on, or why it does not fit it. Raises InputError if that is one."""
        view = self._reference.record(record.chrom)
        where = f"{self._vcf.stream.location}, {record}"
        stop = record.start + len(record.ref)
        if view is None:
            what, fix = f"the reference has no sequence {record.chrom!r}", self._near(record.chrom)
        elif record.start < 0:
            what, fix = "place 0 is the telomere, before the first base", "give symbolic alleles there"
        elif stop > view.length:
            what, fix = f"{record.chrom} ends at {view.length}", "give the reference of this VCF"
        else:
            old, here = DNA.encode(record.ref), view.fetch(record.start, stop)
            differ = (old != here) & (old < DNA.canonical) & (here < DNA.canonical)
            if not differ.any():
                return view
            what, fix = f"REF is {record.ref}, the reference has {DNA.decode(here)}", "give its reference"
        if self._job.settings.mismatch == "skip":
            return "reference mismatch"
        raise InputError(what, where=where, fix=f"{fix}, or set score.mismatch=skip")

    def _near(self, chrom: str) -> str:
        other = chrom.removeprefix("chr") if chrom.startswith("chr") else f"chr{chrom}"
        names = list(self._reference.lengths)
        if other in names:
            return f"rename it to {other!r}, which it has"
        return f"give that of this VCF (it has {', '.join(names[:5])})"

    def _done(self, record: VcfRecord, scores: Sequence[Score]) -> Done:
        counts = Counter({"records": 1}) + counted(scores)
        rows, missing = [], []
        place: list[Cell] = [record.number, record.chrom, record.start + 1]
        for alt, score in zip(record.alts, scores, strict=True):
            cells = [*place, record.id, record.ref, alt, *self._job.scaled(score)]
            rows.append(row_line([*cells, score.method, score.tokens, score.reason]))
            if score.value is None:
                missing.append(row_line([*place, alt, score.reason]))
        if self._shape == "table":
            return Done(b"".join(rows), b"", counts)
        values = [self._job.scaled(score)[0] for score in scores]
        return Done(record.annotated(self._job.settings.info, values), b"".join(missing), counts)
