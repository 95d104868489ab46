"""Making a corpus: units read into parts, in parallel; parts merged into shards, tables and a manifest."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.digests import with_contigs
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.look import write_tables, write_tsv
from genomecli.corpus.look_beside import LookBeside
from genomecli.corpus.manifest import CorpusInfo, SpeciesInfo
from genomecli.corpus.merge import (
    Merged,
    duplicate_tallies,
    load_rows,
    merge_rows,
    note_duplicates,
    write_shards,
)
from genomecli.corpus.reading import finished_part, read_unit
from genomecli.corpus.records_table import COLUMNS, RECORDS_FILE, SPLITS, write_records
from genomecli.corpus.scan import Scan, scan_store
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.shards import ShardedColumns
from genomecli.corpus.store import LEXICON_FILE
from genomecli.corpus.tally import Tally
from genomecli.corpus.units import Unit, make_units
from genomecli.errors import UsageError
from genomecli.files import canonical_json, parts_name, seal
from genomecli.progress import progress
from genomecli.runtime import log
from genomecli.sequences.alphabets import get_alphabet
from genomecli.sequences.codes import genetic_code
from genomecli.sequences.translation import TranslationCheck

MIB = 1 << 20
CHECK_FIELDS = tuple(field.name for field in fields(TranslationCheck))


def parts_folder(out: Path) -> Path:
    """Where the parts of a corpus wait for the merge: a hidden folder beside it."""
    return parts_name(out)


def read_units(units: list[Unit], folder: Path, *, workers: int, resume: bool) -> None:
    """Read units into parts, the largest first. After an error no folder without parts is left.

    Args:
        units: what to read.
        folder: of the parts.
        workers: processes; standard input is always read by this one.
        resume: take up finished parts whose files and settings are the same.

    Raises:
        InputError: the first that a unit meets, after those under way are done. A signal does not wait for
            these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _read_all(units, folder, workers=workers, resume=resume)
    except BaseException:
        with suppress(OSError):  # it holds parts, for --resume or of other jobs
            folder.rmdir()
        raise


def _read_all(units: list[Unit], folder: Path, *, workers: int, resume: bool) -> None:
    todo = [unit for unit in units if unit.streams or not (resume and finished_part(unit, folder))]
    if len(todo) < len(units):
        log.info("%d of %d sources were read before", len(units) - len(todo), len(units))
    sizes = {unit.index: unit.size() for unit in todo}
    with progress("reading", float(sum(sizes.values()) or 1)) as bar:
        here = [unit for unit in todo if unit.streams or workers == 1 or len(todo) == 1]
        for unit in here:
            log.info("reading %s", unit.label)
            read_unit(unit, folder)
            bar.advance(sizes[unit.index])
        apart = sorted((u for u in todo if u not in here), key=lambda u: (-sizes[u.index], u.index))
        if apart:
            _read_apart(apart, folder, min(workers, len(apart)), sizes, bar)


def _read_apart(units: list[Unit], folder: Path, workers: int, sizes: dict[int, int], bar: Any) -> None:
    others = set(active_children())
    with _held_back():  # a process is born with what is held back, and never hears of it
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))  # starts one that keeps count
    with pool:
        try:
            with _held_back():
                running: dict[Future[Path], Unit] = {pool.submit(read_unit, u, folder): u for u in units}
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda f: running[f].index):
                    unit = running.pop(future)
                    future.result()
                    log.info("read %s", unit.label)
                    bar.advance(sizes[unit.index])
        except Exception:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        except BaseException:  # a signal: finished parts stand whole, the others would take too long
            _end([child for child in active_children() if child not in others], folder)
            raise


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold back Ctrl-C and its like, which reach all processes of a terminal, until the block has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(children: list[BaseProcess], folder: Path) -> None:
    """End processes that read units, and remove what they have left unfinished."""
    for child in children:
        child.kill()
    for child in children:
        child.join()
        for partial in folder.glob(f".unit-*.{child.pid}"):
            shutil.rmtree(partial, ignore_errors=True)


@dataclass
class Built:
    """A corpus that was made: what its manifest says, and the places that it came from.

    Attributes:
        manifest: all but the files' checksums.
        paths: full paths of the inputs, which belong into ``run.json`` only.
        keys: of the parts, in order: what tells whether files and settings are the same.
        sealed: by the names of shards, what :func:`genomecli.files.seal` says of them.
    """

    manifest: dict[str, Any]
    paths: list[str]
    keys: list[str]
    sealed: dict[str, dict[str, Any]]


def build(settings: TokenizeSettings, seed: int, parts: Path, folder: Path, look: LookBeside) -> Built:
    """Merge the parts of all units into ``folder``; everything but the manifest is written.

    Args:
        settings: of the corpus.
        seed: of its splits.
        parts: folder of the units that were read.
        folder: of the corpus, empty.
        look: draws the figure, if the settings want one.

    Raises:
        UsageError: if a part is missing, or was made of other files or settings.
    """
    units = make_units(settings)
    reports = _reports(units, parts)
    names = [species.name for species in settings.species]
    tallies = _tallies(units, reports)
    log.info("merging %d source%s", len(units), "s" * (len(units) > 1))
    rows, raws = load_rows(units, parts, names)
    merged = merge_rows(dict(rows), raws, settings, seed)
    for (species, molecule), lost in duplicate_tallies(rows, merged.columns).items():
        note_duplicates(tallies[f"{species}.{molecule}"], *lost)
    for name, tally in tallies.items():
        tally.check(name)
    copies = merged.facts["repeated_contigs"] if settings.policies.duplicates != "drop" else 0
    if copies:
        log.warning(
            "copies of earlier contigs: %d. A split may put them on another side than these; "
            "tokenize.policies.duplicates=drop leaves them out",
            copies,
        )
    log.info("writing %d records", len(merged.columns["id"]))
    write_shards(merged, raws, folder, settings.shard_mib * MIB)
    # Checksums are taken by a thread of their own, while the rest is counted, drawn and written.
    aside = ThreadPoolExecutor(1, thread_name_prefix="checksums")
    try:
        digests = aside.submit(with_contigs, merged.columns, _store(merged, folder))
        sealed = {name: aside.submit(seal, folder / name) for name in merged.shards}
        lexicon = make_lexicon(settings)
        scan = _scan(settings, merged, folder, lexicon)
        if settings.figures:
            (folder / "figures").mkdir()
            look.begin(folder / "figures" / "look.png", merged.groups, merged.columns, scan)
        merged.columns["digest"] = digests.result()
        columns = _records(merged, scan)
        write_records(folder / RECORDS_FILE, columns)
        (folder / LEXICON_FILE).write_bytes(canonical_json(lexicon.to_dict()))
        (folder / "vocabulary.json").write_bytes(canonical_json(lexicon.vocabulary.to_dict()))
        _write_tables(folder, units, parts, merged, columns, scan, lexicon, tallies)
        manifest = _manifest(settings, seed, units, reports, merged, columns, lexicon, tallies)
        manifest["translations"] = _translation_counts(units, parts)
        paths = [str(row["path"]) for report in reports for row in report["files"]]
        look.finish()
        keys = [str(report["key"]) for report in reports]
        return Built(manifest, paths, keys, {name: entry.result() for name, entry in sealed.items()})
    finally:
        aside.shutdown(cancel_futures=True)


def make_lexicon(settings: TokenizeSettings) -> Lexicon:
    """The default vocabulary and tokenizers of a corpus."""
    tokens = settings.tokens
    names = [species.name for species in settings.species]
    return build_lexicon(names, dna=tokens.dna, k=tokens.k, stride=tokens.stride, scope=tokens.scope)


def _reports(units: list[Unit], parts: Path) -> list[dict[str, Any]]:
    found = [finished_part(unit, parts) for unit in units]
    missing = [unit.label for unit, report in zip(units, found, strict=True) if report is None]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(units)} sources are not read yet, or have changed since: "
            + "; ".join(missing[:3]),
            where=parts,
            fix="run the --shard jobs with this YAML, then --merge",
        )
    return [report for report in found if report is not None]


def _tallies(units: list[Unit], reports: list[dict[str, Any]]) -> dict[str, Tally]:
    """What became of records, by ``species.molecule``, in order."""
    tallies: dict[str, Tally] = {}
    for unit, report in zip(units, reports, strict=True):
        for molecule, values in report["tallies"].items():
            tallies.setdefault(f"{unit.species}.{molecule}", Tally()).merge(Tally.from_dict(values))
    return tallies


def _store(merged: Merged, folder: Path) -> ShardedColumns:
    return ShardedColumns([folder / name for name in merged.shards], merged.shard_symbols)


def _scan(settings: TokenizeSettings, merged: Merged, folder: Path, lexicon: Lexicon) -> Scan:
    store = _store(merged, folder)
    trimmed = settings.policies.stop_codon == "trim"
    return scan_store(store, merged.groups, merged.columns, lexicon, stop_trimmed=trimmed)


def _records(merged: Merged, scan: Scan) -> dict[str, NDArray[Any]]:
    """The columns of the records table."""
    rows = merged.columns
    made: dict[str, NDArray[Any]] = {
        "row": np.arange(len(rows["id"]), dtype=np.int64),
        "gene": rows["gene_key"],
        "source": rows["unit"],
        "gc": scan.gc,
        "gc3": scan.gc3,
    }
    return {name: made[name] if name in made else rows[name] for name in COLUMNS}


def _write_tables(
    folder: Path,
    units: list[Unit],
    parts: Path,
    merged: Merged,
    columns: dict[str, NDArray[Any]],
    scan: Scan,
    lexicon: Lexicon,
    tallies: dict[str, Tally],
) -> None:
    tables = folder / "tables"
    tables.mkdir()
    write_tables(tables, merged.groups, columns, scan, lexicon)
    _join_tsv(tables / "dropped.tsv", ("molecule", "id", "reason", "symbols"), units, parts, "dropped")
    with open(tables / "dropped.tsv", "a", encoding="utf-8", newline="\n") as out:
        for one in merged.repeats:
            cells = (one.species, one.unit, one.molecule, one.id, one.reason, one.symbols)
            out.write("\t".join(map(str, cells)) + "\n")
    _join_tsv(tables / "translations.tsv", CHECK_FIELDS, units, parts, "checks")
    rows: list[tuple[object, ...]] = []
    for name, tally in tallies.items():
        species, _, molecule = name.rpartition(".")
        rows.append((species, molecule, "read", "", tally.read.records, tally.read.symbols))
        for what in ("dropped", "cut", "changed"):
            for reason, count in sorted(getattr(tally, what).items()):
                rows.append((species, molecule, what, reason, count.records, count.symbols))
        rows += [(species, molecule, "seen", reason, n, 0) for reason, n in sorted(tally.seen.items())]
        rows.append((species, molecule, "kept", "", tally.kept.records, tally.kept.symbols))
    write_tsv(tables / "counts.tsv", ("species", "molecule", "what", "reason", "records", "symbols"), rows)


def _join_tsv(path: Path, header: tuple[str, ...], units: list[Unit], parts: Path, name: str) -> None:
    """One table of all parts' tables, with the species and the source in front."""
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(("species", "source", *header)) + "\n")
        for unit in units:
            piece = parts / unit.name / f"{name}.tsv"
            if piece.exists():
                with open(piece, encoding="utf-8", newline="\n") as lines:
                    out.writelines(f"{unit.species}\t{unit.index}\t{line}" for line in lines)


def _translation_counts(units: list[Unit], parts: Path) -> dict[str, dict[str, int]]:
    """Annotated coding features by how their translation compares, for each species."""
    status = CHECK_FIELDS.index("status")
    found: dict[str, Counter[str]] = {}
    for unit in units:
        piece = parts / unit.name / "checks.tsv"
        if piece.exists():
            with open(piece, encoding="utf-8", newline="\n") as lines:
                counts = found.setdefault(unit.species, Counter())
                counts.update(line.split("\t")[status] for line in lines)
    return {species: dict(sorted(counts.items())) for species, counts in found.items()}


def _manifest(
    settings: TokenizeSettings,
    seed: int,
    units: list[Unit],
    reports: list[dict[str, Any]],
    merged: Merged,
    columns: dict[str, NDArray[Any]],
    lexicon: Lexicon,
    tallies: dict[str, Tally],
) -> dict[str, Any]:
    species = tuple(SpeciesInfo(s.name, s.code, s.taxid, s.note) for s in settings.species)
    info = CorpusInfo(species, tuple(merged.groups), tuple(merged.shards))
    chosen = settings.model_dump(mode="json", exclude={"species", "workers", "figures"})
    tables = sorted({int(table) for table in np.unique(columns["table"]) if table > 0})
    return {
        **info.to_dict(),
        "shard_symbols": merged.shard_symbols,
        "seed": seed,
        "settings": chosen,
        "sources": [_source(unit, report) for unit, report in zip(units, reports, strict=True)],
        "counts": {name: tally.to_dict() for name, tally in tallies.items()},
        "splits": _split_counts(merged, columns),
        "facts": merged.facts,
        "fingerprints": {
            "lexicon": lexicon.fingerprint,
            "vocabulary": lexicon.vocabulary.fingerprint,
            "alphabets": {name: get_alphabet(name).fingerprint for name in ("dna", "protein")},
            "codes": {str(table): genetic_code(table).fingerprint for table in tables},
        },
    }


def _source(unit: Unit, report: dict[str, Any]) -> dict[str, Any]:
    """A source without its place on this machine."""
    files = [{**row, "path": Path(str(row["path"])).name} for row in report["files"]]
    said = unit.source.model_dump(mode="json", exclude={"path", "annotation"}, exclude_defaults=True)
    if isinstance(said.get("regions"), str):
        said["regions"] = Path(said["regions"]).name
    names = ("counts", "notes")
    return {"species": unit.species, "settings": said, "files": files} | {
        name: report[name] for name in names
    }


def _split_counts(merged: Merged, columns: dict[str, NDArray[Any]]) -> dict[str, dict[str, list[int]]]:
    """Records and symbols of each split, by group."""
    result: dict[str, dict[str, list[int]]] = {}
    for group in merged.groups:
        part = slice(group.first_row, group.first_row + group.records)
        split, length = columns["split"][part], columns["length"][part]
        result[group.name] = {
            side: [int((split == side).sum()), int(length[split == side].sum())] for side in SPLITS
        }
    return result


def remove_parts(folder: Path) -> None:
    """Remove the parts of a finished corpus."""
    shutil.rmtree(folder, ignore_errors=True)
