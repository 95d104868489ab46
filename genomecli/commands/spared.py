"""What a command reads: it is there, and no output takes its place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from genomecli.errors import InputError, UsageError


def input_file(path: Path | str) -> Path:
    """The file that an input names, also as ``FILE::MEMBER`` of a zip.

    Raises:
        InputError: if it is not there.
    """
    file = Path(path) if os.path.exists(path) else Path(str(path).partition("::")[0])
    if not file.exists():
        raise InputError("no such file", where=path)
    return file


def spare_inputs(out: Path, inputs: Iterable[Path | str | None]) -> None:
    """Make sure that no output takes the place of what it is made from, also with ``--force``.

    Args:
        out: the output.
        inputs: files and folders; None, ``-`` and what is not there are passed over.

    Raises:
        UsageError: if one of them is ``out`` itself, or lies below it.
    """
    if not out.exists():
        return
    place = out.resolve()
    for path in inputs:
        file = None if path is None else Path(str(path).partition("::")[0])
        if file is not None and file.exists() and place in (file.resolve(), *file.resolve().parents):
            raise UsageError("holds what the output is made from", where=out, fix="give another --out")


def refuse_folder(out: Path) -> None:
    """Raise UsageError if a folder stands where a file is to be written."""
    if out.is_dir():
        raise UsageError("is a folder", where=out, fix="give the name of a file")
