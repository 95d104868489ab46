"""What ``score`` writes: its final format, figures, summary, and the marks of a finished file.

``OUT.manifest.json`` marks OUT as finished and says what it was made from, ``OUT.run.json`` holds what may
differ between equal runs, ``OUT.unscored.tsv`` lists what has no score and no line in OUT: alleles of an
annotated VCF, records of a scan. ``OUT.png`` and ``OUT.summary.json`` compare with measured values or show a
scan. While OUT is made, its text is kept in ``.OUT.partial``, from which ``--resume`` goes on.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genomecli.commands.score_job import Job, identity, stamp
from genomecli.commands.score_work import ScoreInput
from genomecli.commands.spared import input_file
from genomecli.errors import UsageError
from genomecli.exchange.score_table import header_line, to_parquet
from genomecli.exchange.table_format import beside
from genomecli.exchange.text_spool import TextSpool
from genomecli.exchange.vcf import bgzip, text_to_bcf
from genomecli.files import FORMAT_VERSION, atomic_path, check_file, read_json, sha256_file, write_json
from genomecli.runtime import log, rng, run_info

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.inference.score_settings import ScoreSettings

Format = Literal["tsv", "parquet", "vcf", "vcf.gz", "bcf", "bedgraph", "bedgraph.gz"]

MANIFEST_ENDING, RUN_ENDING = ".manifest.json", ".run.json"
UNSCORED_ENDING, FIGURE_ENDING, SUMMARY_ENDING = ".unscored.tsv", ".png", ".summary.json"

_ENDINGS: dict[str, Format] = {
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".vcf": "vcf",
    ".vcf.gz": "vcf.gz",
    ".vcf.bgz": "vcf.gz",
    ".bcf": "bcf",
    ".bedgraph": "bedgraph",
    ".bdg": "bedgraph",
    ".bedgraph.gz": "bedgraph.gz",
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "vcf": ("tsv", "parquet", "vcf", "vcf.gz", "bcf"),
    "mutations": ("tsv", "parquet"),
    "scan": ("bedgraph", "bedgraph.gz", "tsv", "parquet"),
}
_PANELS = 6
"""Sequences of a scan that are drawn at most."""


def kind_of(settings: ScoreSettings) -> str:
    """What is scored: ``vcf``, ``mutations`` or ``scan``. Raises UsageError if nothing is."""
    for name in ("vcf", "mutations", "scan"):
        if getattr(settings, name):
            return name
    raise UsageError("nothing to score", fix="give --vcf, --mutations or --scan")


def format_of(out: Path, kind: str) -> Format:
    """The format that a file's ending means. Raises UsageError if there is none for what is scored."""
    name = out.name.lower()
    found = next(
        (f for end, f in sorted(_ENDINGS.items(), key=lambda e: -len(e[0])) if name.endswith(end)), None
    )
    if found is None or found not in _ALLOWED[kind]:
        known = ", ".join(end for end, f in _ENDINGS.items() if f in _ALLOWED[kind])
        raise UsageError(f"has an ending of no format for {kind}", where=out, fix=f"use one of {known}")
    return found


def input_files(settings: ScoreSettings) -> list[Path]:
    """Files that the scores are made from, besides the model."""
    single = [settings.vcf, settings.reference, settings.mutations]
    wildtype = [] if settings.wildtype in (None, "infer") or not settings.mutations else [settings.wildtype]
    chosen = [name for name in [*single, *wildtype, *settings.scan] if name is not None]
    return [Path(name) for name in chosen]


def request_of(meta: Mapping[str, Any], settings: ScoreSettings, kind: Format) -> dict[str, Any]:
    """What must be the same for unfinished text to be taken up; inputs by size and time."""
    return {**meta, "format": kind, "inputs": [stamp(path) for path in input_files(settings)]}


def is_finished(config: Config, settings: ScoreSettings, out: Path) -> bool:
    """Whether ``out`` was finished from these very inputs, model and settings, and is whole."""
    path = beside(out, MANIFEST_ENDING)
    if not path.is_file():
        return False
    manifest = read_json(path)
    request = {
        **identity(config, settings),
        "inputs": [sha256_file(input_file(p)) for p in input_files(settings)],
    }
    if manifest.get("request") != json.loads(json.dumps(request)):
        return False
    for name, expected in manifest["files"].items():
        check_file(out.parent, name, expected)
    return True


def finish(
    job: Job, source: ScoreInput, out: Path, kind: Format, spool: TextSpool, began: float
) -> dict[str, Any]:
    """Write OUT from the spool's text, and what belongs beside it; the manifest last.

    Returns:
        The summary of the comparison with measured values; empty without.
    """
    for ending in (MANIFEST_ENDING, UNSCORED_ENDING, FIGURE_ENDING, SUMMARY_ENDING):
        beside(out, ending).unlink(missing_ok=True)
    with atomic_path(out, force=True) as temporary:
        _WRITERS[kind](spool.body, temporary, source)
    names = [out.name]
    if spool.left_out.stat().st_size:
        names.append(_write_unscored(out, spool, source))
    summary = compare(job, spool.body)
    if summary:
        write_json(beside(out, SUMMARY_ENDING), summary)
        names.append(beside(out, SUMMARY_ENDING).name)
    drawn = job.settings.figures and (summary or job.settings.scan)
    if drawn and _draw(job, spool.body, beside(out, FIGURE_ENDING), summary, kind):
        names.append(beside(out, FIGURE_ENDING).name)
    _mark(job, source, out, names, spool.counts, kind, began)
    return summary


def _write_unscored(out: Path, spool: TextSpool, source: ScoreInput) -> str:
    path = beside(out, UNSCORED_ENDING)
    with atomic_path(path, force=True) as temporary, open(temporary, "wb") as stream:
        stream.write(header_line(source.unscored))
        with open(spool.left_out, "rb") as held:
            shutil.copyfileobj(held, stream)
    log.warning("%s says which %s have no score, and why", path, source.lines)
    return path.name


def _mark(
    job: Job,
    source: ScoreInput,
    out: Path,
    names: list[str],
    counts: Mapping[str, int],
    kind: Format,
    began: float,
) -> None:
    seconds = round(time.monotonic() - began, 3)
    info = run_info("score", seconds=seconds, counts=dict(counts), config=job.config, inputs=source.files)
    write_json(beside(out, RUN_ENDING), info)
    files = {
        name: {"bytes": (out.parent / name).stat().st_size, "sha256": sha256_file(out.parent / name)}
        for name in names
    }
    manifest = {
        "kind": "scores",
        "format_version": FORMAT_VERSION,
        "files": files,
        "request": {**job.meta, "inputs": [row["sha256"] for row in source.files]},
        "counts": dict(counts),
        "format": kind,
        "unit": job.settings.unit,
    }
    write_json(beside(out, MANIFEST_ENDING), manifest)
    log.info("wrote %s", out)


def compare(job: Job, table: Path) -> dict[str, Any]:
    """The scores beside the measured values, from the table of both; empty if none are asked for."""
    from genomecli.analysis.measured import agreement, numbers, read_scores, sentences

    if job.settings.measured is None:
        return {}
    columns = read_scores(table)
    measured = numbers(columns["measured"])
    scores = {name: numbers(columns[name]) for name in ("score", "blosum62", "unigram")}
    places = [f"{a}:{b}" for a, b in zip(columns["sequence"], columns["position"], strict=True)]
    random = rng("score", job.seed, "bootstrap")
    found = agreement(measured, scores, places, random, draws=job.settings.draws)
    said = sentences(found)
    for line in said:
        log.info(line)
    return {"measured": job.settings.measured, "said": said, **found.as_dict()}


def _draw(job: Job, table: Path, path: Path, summary: Mapping[str, Any], kind: Format) -> bool:
    """Draw what belongs to the output; whether there was anything to draw."""
    from genomecli.analysis.figures.style import png_bytes

    figure = _agreement(table, summary) if summary else _tracks(table, job.settings.unit, kind)
    if figure is None:
        return False
    with atomic_path(path, force=True) as temporary:
        temporary.write_bytes(png_bytes(figure, 120))
    return True


def _agreement(table: Path, summary: Mapping[str, Any]) -> Any:
    from genomecli.analysis.figures.agreement import agreement_figure
    from genomecli.analysis.measured import numbers, read_scores

    columns = read_scores(table)
    spearman = summary["spearman"]
    if not spearman:
        return None
    titles = {
        name: f"Spearman {found['value']:.2f}" if found["value"] is not None else name
        for name, found in spearman.items()
    }
    scores = {name: numbers(columns[name]) for name in spearman}
    return agreement_figure(numbers(columns["measured"]), scores, titles)


def _tracks(table: Path, unit: str, kind: Format) -> Any:
    """The first sequences of a scan, read back; one at a time is held."""
    from genomecli.analysis.figures.surprise import SurpriseTrack, make_track, surprise_figure
    from genomecli.exchange.score_table import read_surprises

    tracks: list[SurpriseTrack] = []
    more = 0
    for name, places, values in read_surprises(table, bedgraph=kind.startswith("bedgraph")):
        if len(tracks) < _PANELS:
            tracks.append(make_track(name, places, values))
        else:
            more += 1
    return surprise_figure(tracks, unit=unit, left_out=more) if tracks else None


def _copy(body: Path, path: Path, source: ScoreInput) -> None:
    shutil.copyfile(body, path)


def _parquet(body: Path, path: Path, source: ScoreInput) -> None:
    to_parquet(body, path, source.columns)


def _bgzip(body: Path, path: Path, source: ScoreInput) -> None:
    bgzip(body, path)


def _bcf(body: Path, path: Path, source: ScoreInput) -> None:
    text_to_bcf(body, path)


_WRITERS = {
    "tsv": _copy,
    "vcf": _copy,
    "bedgraph": _copy,
    "parquet": _parquet,
    "vcf.gz": _bgzip,
    "bedgraph.gz": _bgzip,
    "bcf": _bcf,
}
