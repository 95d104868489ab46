"""Folders that are whole or absent: built beside their place, which they take when they are finished."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from genomecli.errors import InputError, UsageError
from genomecli.files import (
    MANIFEST,
    UNCHECKED,
    lock_name,
    locked,
    make_parent,
    partial_name,
    read_json,
    refuse_existing,
    sync_folder,
    write_manifest,
)


class OutputFolder:
    """A folder that is built beside its place and takes it when it is finished.

    Use as a context manager; write below :attr:`path`, then call :meth:`finish`. Without it, or after an
    exception, the folder never appears in its place; what was built is removed unless ``keep``.

    Args:
        path: where the finished folder is to stand.
        kind: its kind, for the manifest.
        force: replace a finished output that stands there.
        keep: leave the unfinished folder for a later run to take up.
    """

    def __init__(self, path: Path | str, *, kind: str, force: bool = False, keep: bool = False) -> None:
        self.target = Path(path)
        self.kind = kind
        self.force = force
        self.keep = keep
        self.path = partial_name(self.target)
        self._old = self.target.with_name(f".{self.target.name}.old")
        self._lock: Any = None

    def __enter__(self) -> OutputFolder:
        self._recover()
        refuse_existing(self.target, force=self.force)
        if self.target.exists() and not self.target.is_dir():
            raise UsageError("is no folder", where=self.target, fix="give another --out")
        if self.target.is_dir() and any(self.target.iterdir()) and not (self.target / MANIFEST).exists():
            raise UsageError(
                "is a folder that genomecli did not finish",
                where=self.target,
                fix="remove it or give another --out",
            )
        self._refuse_other_kind()
        make_parent(self.target)
        self._lock = locked(lock_name(self.target))
        self._lock.__enter__()
        if self.path.is_symlink():
            self.path.unlink()
        if self.path.exists() and not self.keep:
            shutil.rmtree(self.path)
        self.path.mkdir(exist_ok=True)
        return self

    def _recover(self) -> None:
        """Clear up where a run was killed while its folder took the place of another one.

        The one that was to be replaced is put back if nothing stands in its place yet.
        """
        if not os.path.lexists(self._old):
            return
        with locked(lock_name(self.target)):
            if os.path.lexists(self.target):
                _remove(self._old)
            else:
                os.rename(self._old, self.target)

    def _refuse_other_kind(self) -> None:
        """Raise UsageError if what stands there was made by another command: ``--force`` replaces its own."""
        try:
            kind = read_json(self.target / MANIFEST)["kind"]
        except (InputError, OSError, LookupError, TypeError):  # nothing there, or damaged
            return
        if kind != self.kind:
            raise UsageError(f"is a {kind}, not a {self.kind}", where=self.target, fix="give another --out")

    def finish(
        self,
        extra: Mapping[str, Any],
        *,
        exclude: Sequence[str] = UNCHECKED,
        sealed: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Write the manifest, as :func:`write_manifest`, and put the folder in its place."""
        write_manifest(self.path, self.kind, extra, exclude=exclude, sealed=sealed)
        if self.target.exists():
            os.rename(self.target, self._old)
            os.rename(self.path, self.target)
            shutil.rmtree(self._old)
        else:
            os.rename(self.path, self.target)
        sync_folder(self.target.parent)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path.exists() and not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.__exit__(kind, error, trace)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
