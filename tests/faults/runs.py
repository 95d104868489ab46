"""Small runs of the commands that a fault is tried on, each in a process of its own, and what they leave."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from genomecli.errors import GenomecliError
from genomecli.files import MANIFEST, UNCHECKED, read_json, sha256_file, verify_manifest

LEFT_OUT = (*UNCHECKED, "speed.png")
PRELOADED = [f"genomecli.commands.{name}" for name in ("tokenize", "pretrain", "finetune", "embed")]
PATIENCE = 120.0
"""Seconds after which a process that does not end is a fault of its own."""

_COMMON = {"device": "cpu", "precision": "fp32", "threads": "1"}
_NETWORK = "{preset: null, layers: 1, width: 16, heads: 1, context: 64, dropout: 0.1}"


@dataclass(frozen=True)
class Run:
    """A command whose output is the same each time.

    Args:
        name: of the command.
        arguments: without its output.
        ending: of the output's name; none for a folder.
    """

    name: str
    arguments: tuple[str, ...]
    ending: str = ""

    def argv(self, out: Path, *more: str) -> list[str]:
        """The whole command line."""
        return [self.name, *self.arguments, "-o", str(out), "-q", *more]

    def out(self, folder: Path) -> Path:
        """Where its output stands in ``folder``."""
        return folder / f"out{self.ending}"


@dataclass
class Child:
    """A command that was started."""

    process: ForkServerProcess
    said: Path
    began: float = field(default_factory=time.monotonic)

    def kill(self, number: int) -> None:
        """Send a signal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            assert self.process.pid is not None
            os.kill(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """Its exit code (minus the signal that killed it), and what it said on standard error."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"did not end within {PATIENCE:g} s: {self.said.read_text()}")
        return self.process.exitcode, self.said.read_text() if self.said.exists() else ""


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["genomecli.cli", "torch", "tests.faults.preload", *PRELOADED])
    return context


def _run(argv: Sequence[str], said: str, limit: int | None, before: Callable[[], None] | None) -> None:
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if before is not None:
        before()
    from genomecli.cli import main

    code = main(argv)
    sys.stderr.flush()
    os._exit(code)


def start(
    argv: Sequence[str], *, limit: int | None = None, before: Callable[[], None] | None = None
) -> Child:
    """Start a command in a process that has imported everything already.

    Args:
        argv: its command line.
        limit: bytes that a file may have, as of a disk that is full.
        before: called in the new process first.
    """
    out = Path(argv[argv.index("-o") + 1])
    said = out.parent.parent / f"said-{out.parent.name}.txt"
    process = _context().Process(target=_run, args=(list(argv), str(said), limit, before))
    process.start()
    return Child(process, said)


def files_of(out: Path) -> dict[str, str]:
    """The sha256 of each file of an output, save those that hold times."""
    if out.is_file():
        return {out.name: sha256_file(out)}
    names = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in LEFT_OUT)
    return {path.relative_to(out).as_posix(): sha256_file(path) for path in names}


def unsound(out: Path, whole: Mapping[str, str]) -> str:
    """What of an interrupted output could be taken for whole and is not; empty if nothing."""
    if not out.exists():
        return ""
    if out.is_file():
        return "" if files_of(out) == whole else f"{out.name} stands there and is not whole"
    for manifest in [*out.rglob(MANIFEST)]:
        if any(part.startswith(".") for part in manifest.relative_to(out).parts):
            continue  # built beside its place
        try:
            verify_manifest(manifest.parent)
        except GenomecliError as error:
            return str(error)
    for pointer in out.rglob("checkpoints/*.json"):
        if not (pointer.parent / read_json(pointer)["checkpoint"]).is_dir():
            return f"{pointer} names what is not there"
    if (out / MANIFEST).exists() and files_of(out) != whole:
        return "has a manifest and is not what an undisturbed run leaves"
    return ""


def records(found: Mapping[str, str], whole: Mapping[str, str], total: int) -> int:
    """Records that are lost: none where all files are equal, else all may be."""
    return 0 if found == whole else total


def _set(values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in ("--set", f"{name}={value}"))


def make_runs(folder: Path, *, short: bool = False) -> tuple[Run, ...]:
    """The four commands with inputs below ``folder``; ``short`` trains little."""
    from tests.unit.training.disk_corpus import write_disk_corpus

    folder.mkdir(parents=True, exist_ok=True)
    corpus = write_disk_corpus(folder / "corpus", genes=40)
    genes = [f"gene{i}" for i in range(60)]
    texts = {name: _text(i, 60 + 7 * (i % 40)) for i, name in enumerate(genes)}
    fasta, table, model = folder / "genes.fa", folder / "table.tsv", folder / "model" / "run"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    rows = (f"{name}\t{text}\t{'ab'[i % 2]}\n" for i, (name, text) in enumerate([*texts.items()][:60]))
    table.write_text("id\tsequence\tlabel\n" + "".join(rows))
    source = {"kind": "cds", "path": str(fasta)}
    species = json.dumps([{"name": f"s{i}", "code": 11, "sources": [source]} for i in range(3)])
    training = _COMMON | {
        "pretrain.corpus": str(corpus),
        "pretrain.model": _NETWORK,
        "pretrain.reading": "{context: 64, tokens_per_batch: 256, tokens_per_step: 512, pool: 4}",
        "pretrain.log_every": "5",
        "pretrain.validate_every": "10",
        "pretrain.save_every": "5",
    }
    tuning = _COMMON | {
        "finetune.model": str(model),
        "finetune.data.path": f"[{table}]",
        "finetune.epochs": "1" if short else "4",
        "finetune.targets": "{label: {}}",
        "finetune.metrics.bootstrap": "20",
        "finetune.split.by": "stratified",
        "finetune.baselines.run": "[composition]",
    }
    code, said = start(Run("pretrain", _set(training | {"pretrain.steps": "2"})).argv(model)).end()
    assert code == 0, said
    reading = _set({"tokenize.species": species, "tokenize.figures": "false"})
    embedding = ("-m", str(model), str(fasta), *_set(_COMMON | {"embed.level": "token"}))
    return (
        Run("tokenize", ("-j", "1", *reading)),
        Run("pretrain", _set(training | {"pretrain.steps": "12" if short else "40"})),
        Run("finetune", _set(tuning)),
        Run("embed", embedding, ".parquet"),
    )


def _text(number: int, length: int) -> str:
    """A coding sequence that differs with its number."""
    state, letters = number * 2654435761 % 2**32 + 1, []
    for _ in range(length // 3):
        state = state * 1664525 % 2**32 + 1013904223
        letters.append(("GCT", "AAA", "TTC", "GAT", "CGT", "CTG", "ACC", "GGT")[state >> 20 & 7])
    return "ATG" + "".join(letters) + "TAA"
