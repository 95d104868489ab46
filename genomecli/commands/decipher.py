"""``genomecli mrr-compare --decipher``: the genetic code from genes and proteins that nobody paired."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.commands.mrr_compare import plain_table, write_table
from genomecli.commands.spared import spare_inputs
from genomecli.config import Config
from genomecli.errors import UsageError
from genomecli.files import MANIFEST, refuse_existing, sha256_file, write_json
from genomecli.output_folder import OutputFolder
from genomecli.progress import progress
from genomecli.runtime import log, one_blas_thread, run_info
from genomecli.signals import StopFlag

if TYPE_CHECKING:
    from genomecli.analysis.decipherment.decipher import Deciphered
    from genomecli.analysis.decipherment.sources import Sources
    from genomecli.analysis.settings import CompareSettings, DecipherSettings
    from genomecli.corpus.store import CorpusReader

AGAIN = "run it again: it takes a minute"


def run_decipher(
    config: Config,
    out: Path,
    *,
    runs: Sequence[str] = (),
    corpus: str | None = None,
    force: bool = False,
    resume: bool = False,
    table: bool = False,
) -> dict[str, Any]:
    """Decipher, and write the output folder.

    Args:
        config: settings; of section ``mrr-compare`` its ``decipher``, ``corpus``, ``codes`` and figures.
        out: the folder to make.
        runs: must be empty: no model takes part.
        corpus: corpus, instead of that of the settings.
        force: replace a finished output.
        resume: leave a finished output as it is.
        table: also print the codons as TSV on standard output.

    Returns:
        What ``summary.json`` holds.

    Raises:
        UsageError: if a run is named, no corpus is, or an output stands there.
        InputError: if the corpus does not hold what is asked for.
        CheckpointedError, InterruptedRunError: stopped by a signal; nothing is kept.
    """
    if runs:
        raise UsageError("--decipher reads a corpus, and no run", where=runs[0], fix="leave the run out")
    settings = config.mrr_compare
    place = corpus or settings.corpus
    if place is None:
        raise UsageError("no corpus is named", fix="name it: --corpus CORPUS, or mrr-compare.corpus")
    if resume and (out / MANIFEST).is_file():
        return _as_it_is(out, settings, config.seed, place)
    spare_inputs(out, [place])
    refuse_existing(out, force=force)
    from genomecli.analysis.decipherment.report import write_decipherment
    from genomecli.corpus.store import CorpusReader

    with StopFlag() as stop, one_blas_thread(), OutputFolder(out, kind="decipherment", force=force) as folder:
        reader = CorpusReader.open(place)
        found = _found(reader, settings, config.seed, stop)
        short = write_decipherment(found, settings, folder.path)
        write_json(folder.path / "run.json", run_info("mrr-compare"))
        folder.finish(_request(settings, config.seed, reader))
    _show(found, short, out, table=table)
    return short


def _found(reader: CorpusReader, settings: CompareSettings, seed: int, stop: StopFlag) -> Deciphered:
    from genomecli.analysis.decipherment.decipher import codes_to_rank, decipher

    wanted = settings.decipher
    sources, wanted = _texts(reader, wanted, seed, stop)
    log.info(
        "deciphering %s %s of %s against %s proteins of %s (%s)",
        *(f"{len(sources.genes.lengths):,}", "genes" if sources.calling is None else "coding windows"),
        *(sources.codons, f"{len(sources.residues.lengths):,}", sources.proteins, sources.relation),
    )
    with progress("deciphering", wanted.bootstrap + 1 + 6 * int(wanted.controls)) as bar:

        def tick() -> None:
            stop.grant(AGAIN)
            bar.advance()

        return decipher(sources, wanted, codes_to_rank(settings.codes), seed, tick)


def _texts(
    reader: CorpusReader, wanted: DecipherSettings, seed: int, stop: StopFlag
) -> tuple[Sources, DecipherSettings]:
    """Both texts, and the settings with the reading that was found, where it had to be."""
    if wanted.molecule == "cds":
        from genomecli.analysis.decipherment.sources import read_sources

        return read_sources(reader, wanted, seed), wanted
    from genomecli.analysis.decipherment.calling import PIECES, read_genome

    with progress("finding coding windows", PIECES * (1 + int(wanted.controls))) as bar:

        def tick() -> None:
            stop.grant(AGAIN)
            bar.advance()

        sources = read_genome(reader, wanted, seed, tick)
    assert sources.calling is not None
    frame, strand = sources.calling.reading
    return sources, wanted.model_copy(update={"frame": frame, "strand": strand})


def _request(settings: CompareSettings, seed: int, reader: CorpusReader) -> dict[str, Any]:
    """What the result is a function of."""
    from genomecli.commands.mrr_compare_job import portable

    asked = settings.model_dump(mode="json", include={"decipher", "codes", "figures", "dpi"})
    inputs = [{"corpus": reader.path.name, "corpus_manifest_sha256": sha256_file(reader.path / MANIFEST)}]
    return {"config": portable({"seed": seed, "mrr-compare": asked}), "inputs": inputs}


def _as_it_is(out: Path, settings: CompareSettings, seed: int, place: str) -> dict[str, Any]:
    """The finished output of the same request. Raises UsageError if it was made from anything else."""
    from genomecli.corpus.store import CorpusReader
    from genomecli.files import read_json, read_manifest, verify_manifest

    manifest = read_manifest(out)
    wanted = _request(settings, seed, CorpusReader.open(place))
    if manifest["kind"] != "decipherment" or any(manifest.get(key) != value for key, value in wanted.items()):
        raise UsageError(
            "exists, and was made from other settings or inputs",
            where=out,
            fix="give --force, or another --out",
        )
    verify_manifest(out)
    log.info("%s is finished already", out)
    summary: dict[str, Any] = read_json(out / "summary.json")
    return summary


def _show(found: Deciphered, short: dict[str, Any], out: Path, *, table: bool) -> None:
    from genomecli.analysis.decipherment.tables import codon_table

    shown = codon_table(found)
    if table:
        write_table(shown, sys.stdout)
    else:
        for line in plain_table(shown):
            log.info("%s", line)
    for text in (*short["notes"], *short["sentences"]):
        log.info("%s", text)
    log.info("page: %s", out / "index.html")
