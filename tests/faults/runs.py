"""Small runs of the commands that a fault is tried on, each in a process of its own, and what they leave."""

from __future__ import annotations

import contextlib
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
NAMES = ("tokenize", "pretrain", "finetune", "embed", "predict")
MORE_NAMES = ("score", "mrr-compare", "mrr-compare --decipher")
"""Those that the suite tries less of."""

PRELOADED = [f"genomecli.commands.{name}" for name in (*NAMES, "score", "mrr_compare", "decipher")]
PATIENCE = 120.0
"""Seconds after which a process that does not end is a fault of its own."""


@dataclass(frozen=True)
class Run:
    """A command whose output is the same each time.

    Args:
        name: of the command, with the option that makes it another one.
        arguments: without its output.
        ending: of the output's name; none for a folder.
        before: called in each process of it first.
        piped: arguments with which its standard output is more than a pipe holds; none if it has none.
        head: how its standard output begins then.
    """

    name: str
    arguments: tuple[str, ...]
    ending: str = ""
    before: tuple[Callable[[], None], ...] = ()
    piped: tuple[str, ...] = ()
    head: bytes = b"id\t"

    def argv(self, out: Path, *more: str) -> list[str]:
        """The whole command line."""
        return [*self.name.split(), *self.arguments, "-o", str(out), "-q", *more]

    def out(self, folder: Path) -> Path:
        """Where its output stands in ``folder``."""
        return folder / f"out{self.ending}"

    def start(
        self, out: Path, *more: str, limit: int | None = None, also: tuple[Callable[[], None], ...] = ()
    ) -> Child:
        """Start it in a process that has imported everything already.

        Args:
            out: its output.
            more: options.
            limit: bytes that a file may have, as of a disk that is full.
            also: called in the new process first, beside those of every run.
        """
        said = out.parent.parent / f"said-{out.parent.name}.txt"
        given = (self.argv(out, *more), str(said), limit, (*self.before, *also))
        process = _context().Process(target=_run, args=given)
        process.start()
        return Child(process, said)


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


def _run(argv: Sequence[str], said: str, limit: int | None, before: Sequence[Callable[[], None]]) -> None:
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    for prepare in before:
        prepare()
    from genomecli.cli import main

    code = main(argv)
    sys.stderr.flush()
    os._exit(code)


def files_of(out: Path) -> dict[str, str]:
    """The sha256 of each file of an output, save those that hold times; of a table with its companions."""
    if out.suffix:
        beside = sorted(out.parent.glob(f"{out.name}*"))
        return {path.name: sha256_file(path) for path in beside if not path.name.endswith(".run.json")}
    names = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in LEFT_OUT)
    return {path.relative_to(out).as_posix(): sha256_file(path) for path in names}


def unsound(out: Path, whole: Mapping[str, str]) -> str:
    """What of an interrupted output could be taken for whole and is not; empty if nothing."""
    if not out.exists():
        return ""
    if out.is_file():
        same = files_of(out)[out.name] == whole[out.name]
        return "" if same else f"{out.name} stands there and is not whole"
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
