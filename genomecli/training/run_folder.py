"""The folder of a run: taken, found again, finished.

It stands in its place from the first step, since checkpoints are of use before the end; what marks it as
finished is ``manifest.json``, written last. One process at a time holds its lock; of processes that train
together it is the first, and it alone writes.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from genomecli.errors import ConfigError, GenomecliError, UsageError
from genomecli.files import (
    MANIFEST,
    UNCHECKED,
    lock_name,
    locked,
    make_parent,
    read_json,
    read_manifest,
    refuse_existing,
    write_json,
    write_manifest,
)
from genomecli.runtime import add_log_file, log, note
from genomecli.training.checkpoint import FOLDER, pointed
from genomecli.training.distributed import agreed, from_main, is_main
from genomecli.training.loggers import LOGGERS

KIND = "run"
SET_KIND = "runs"
CONFIG = "config.json"
INFO = "run.json"
NOT_COMPARED = (*UNCHECKED, "speed.png", *LOGGERS)
"""Files and folders of a run that hold times."""

_BEGINNING = re.compile(r"log\.txt|run\.json|\.(run|config)\.json\.[0-9]+\.partial\.json")
"""Files that a run has before its settings mark its folder as one."""

State = Literal["new", "resumed", "finished"]
_STATES: tuple[State, ...] = ("new", "resumed", "finished")
_ASKED = ("seed", "device", "precision", "threads")


class RunFolder:
    """A run's folder; use as a context manager.

    Args:
        path: where it is or is to be.
        resume: take up an unfinished run; a finished one is left as it is.
        force: remove a run that stands there.

    Attributes:
        state: ``new``, ``resumed`` (it holds a checkpoint, or replicates) or ``finished``.

    Raises:
        UsageError: if something stands there that may not be touched, or another process writes it.
        SaidElsewhereError: in other processes than the first, if that one could not take it.
    """

    def __init__(self, path: Path, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        self.resume = resume
        self.force = force
        self.state: State = "new"
        self._stack = ExitStack()
        self._handler: logging.Handler | None = None

    def __enter__(self) -> RunFolder:
        with agreed():
            if is_main():
                self._open()
        self.state = _STATES[from_main(_STATES.index(self.state))]
        return self

    def _open(self) -> None:
        """Take the folder, and let the log go there."""
        try:
            make_parent(self.path)
            self._stack.enter_context(locked(self._lock))
            self.state = self._take()
        except BaseException:
            self._stack.close()
            raise
        if self.state != "finished":
            self.path.mkdir(exist_ok=True)
            handler = self._handler = add_log_file(self.path / "log.txt")
            self._stack.callback(handler.close)
            self._stack.callback(log.removeHandler, handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handler is not None:
            with suppress(OSError):  # of a full disk
                note(self._handler, _end(error), logging.ERROR if error else logging.INFO)
        self._stack.close()

    def look(self) -> State:
        """What will become of the folder, found before the work that leads to it; nothing is changed.

        Raises:
            UsageError: as on entering, or if the folder around it takes no files.
            SaidElsewhereError: as on entering.
        """
        found: State = "new"
        with agreed():
            if is_main():
                with locked(self._lock) if self.path.parent.is_dir() else nullcontext():
                    found = self._found()
        return _STATES[from_main(_STATES.index(found))]

    @property
    def _lock(self) -> Path:
        return lock_name(self.path)

    def _take(self) -> State:
        found = self._found()
        if found != "new":
            return found
        empty = self._is_empty()
        if self.resume:
            why = "there is nothing to resume" if empty else "holds no checkpoint yet"
            log.warning("%s: %s; the run starts anew", self.path, why)
        if not empty:
            shutil.rmtree(self.path)
        return "new"

    def _is_empty(self) -> bool:
        """Whether nothing stands there, or no more than a run whose disk was full at its very start."""
        return not self.path.exists() or (
            self.path.is_dir() and all(_BEGINNING.fullmatch(path.name) for path in self.path.iterdir())
        )

    def _found(self) -> State:
        if self.path.is_symlink():
            refuse_existing(self.path, force=False)
        if self._is_empty():
            return "new"
        finished = self._check_kind()
        if self.resume and finished:
            return "finished"
        if self.resume:
            trials = [*self.path.glob("seed-*"), *self.path.glob("fold-*")]
            return "resumed" if pointed(self.path, "last") is not None or trials else "new"
        if not self.force:
            what = "is a finished run" if finished else "is an unfinished run"
            fix = "give --force to replace it" + ("" if finished else ", or --resume to go on with it")
            raise UsageError(what, where=self.path, fix=fix)
        return "new"

    def _check_kind(self) -> bool:
        """Whether a finished run stands there. Raises UsageError if it is no run at all."""
        if (self.path / MANIFEST).is_file():
            kind = read_manifest(self.path)["kind"]
            if kind not in (KIND, SET_KIND):
                raise UsageError(f"is a {kind}, not a run", where=self.path, fix="give another --out")
            return True
        marks = [self.path / CONFIG, self.path / INFO]
        if not all(path.is_file() for path in marks) or "command" not in read_json(marks[1]):
            raise UsageError("exists and is no run of genomecli", where=self.path, fix="give another --out")
        return False

    def begin(self, config: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        """Write the resolved settings, and what is known of this process; both mark the folder as a run."""
        if not is_main():
            return
        if self._handler is not None:
            said = ", ".join(f"{key} {config[key]}" for key in _ASKED if key in config)
            note(self._handler, f"settings in {CONFIG}: {said}")
        write_json(self.path / INFO, info)
        write_json(self.path / CONFIG, config)

    def check_config(self, config: Mapping[str, Any], free: frozenset[str], *, fix: str) -> None:
        """Make sure that a resumed run goes on with the settings that it began with.

        Args:
            config: settings now.
            free: starts of dotted keys that may change between the parts of a run.
            fix: what to do about a setting that differs.

        Raises:
            ConfigError: naming each key that differs, with both values.
        """
        problems = [f"{said}; {fix}" for said in self.differences(config, free)]
        if problems:
            raise ConfigError(problems, where=self.path)

    def differences(self, config: Mapping[str, Any], free: frozenset[str]) -> list[str]:
        """Each setting that is not what the run was made with, with both values."""
        before, now = _flat(read_json(self.path / CONFIG)), _flat(config)
        absent = "absent"
        return [
            f"{key}: was {before.get(key, absent)!r} and is now {now.get(key, absent)!r}"
            for key in sorted({*before, *now})
            if before.get(key, absent) != now.get(key, absent) and not key.startswith(tuple(free))
        ]

    def finish(self, extra: Mapping[str, Any], kind: str = KIND) -> None:
        """Mark the run as finished."""
        if is_main():
            write_manifest(self.path, kind, extra, exclude=NOT_COMPARED)

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are."""
        return self.path / FOLDER


def _end(error: BaseException | None) -> str:
    """Why a run ends, as its log says last."""
    if error is None:
        return "ended with 0: finished"
    code = f" with {error.exit_code}" if isinstance(error, GenomecliError) else ""
    return f"ended{code}: {error or type(error).__name__}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
