"""Files of a corpus or a checkpoint that are not what was written: each has to be named before it is used."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.faults.trials import Result


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _lose(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    """Another file of the same size."""
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped bit": _flip,
    "truncated file": _cut,
    "missing file": _lose,
    "foreign file": _replace,
}


def said_of(argv: list[str]) -> tuple[int, str]:
    """The exit code of a command in this process, and its standard error."""
    from genomecli.cli import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(argv)
    return code, said.getvalue()


def damaged(folder: Path, name: str, damage: str, argv: list[str], result: Result) -> None:
    """Damage one file, see that the command refuses it by name with exit code 3, and put it back."""
    path = folder / name
    kept = path.with_name(path.name + ".kept")
    shutil.copy2(path, kept)
    try:
        DAMAGES[damage](path)
        code, said = said_of(argv)
    finally:
        shutil.move(kept, path)
    fine = code == 3 and path.name in said and "Traceback" not in said
    result.note("" if fine else f"{damage} of {path.name}: exit code {code}, {said.strip()[-300:]}")
