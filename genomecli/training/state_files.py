"""The optimiser's state on disk: one safetensors file, or one a process where blocks are shared.

Each process of a shared run writes the rows that it holds, ``optimizer-00002-of-00004.safetensors``; the file
of the first also holds what all have alike. Read together they are the whole state, so a run goes on with
another number of processes, or with blocks that are not shared.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genomecli.errors import FOREIGN, InputError, RunError
from genomecli.files import atomic_path, write_tensors
from genomecli.training.distributed import from_main, highest, is_main, rank, world_size

WHOLE = "optimizer.safetensors"
_PART = re.compile(r"optimizer-(\d{5})-of-(\d{5})\.safetensors")


def is_state_file(name: str) -> bool:
    """Whether a file of a checkpoint holds state of the optimiser."""
    return name == WHOLE or _PART.fullmatch(name) is not None


def part_name(number: int, count: int) -> str:
    """Name of the file of process ``number``, from 0, of ``count``."""
    return f"optimizer-{number + 1:05d}-of-{count:05d}.safetensors"


def put_aside(folder: Path, tensors: Mapping[str, Tensor]) -> Path:
    """Write this process's rows beside the checkpoints; every process calls it.

    Args:
        folder: where checkpoints are, which all processes see.
        tensors: by ``parameter/key``.

    Returns:
        The folder that then holds all files of the state.

    Raises:
        RunError: in every process, if one could not write.
    """
    aside = folder / ".state"
    if is_main():
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
    from_main(0)
    trouble = ""
    try:
        with atomic_path(aside / part_name(rank(), world_size())) as path:
            write_tensors(path, tensors)
    except OSError as error:
        trouble = str(error)
    if highest([float(bool(trouble))])[0]:
        what = trouble or "another process could not write its share of the optimiser's state"
        raise RunError(what, where=aside, fix="make room, then --resume")
    return aside


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file; safetensors itself refuses a header whose sizes are not those of the file.

    Raises:
        InputError: if it is no sound safetensors file.
    """
    from safetensors.torch import load_file

    with _sound(path):
        return load_file(path)


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError, *FOREIGN) as error:
        raise InputError(f"holds no sound tensors ({error})", where=path) from error


def read_state(folder: Path, names: Sequence[str]) -> Mapping[str, Tensor]:
    """The whole state by ``parameter/key``; of several files, a tensor at a time, when it is asked for.

    Args:
        folder: the checkpoint's.
        names: its files.

    Raises:
        InputError: if the file of a process is missing, or is no sound safetensors file.
    """
    parts = sorted(name for name in names if _PART.fullmatch(name))
    if not parts:
        return read_tensors(folder / WHOLE)
    count = int(parts[0][-17:-12])
    missing = sorted({part_name(number, count) for number in range(count)} - {*parts})
    if missing or len(parts) != count:
        what = f"has {len(parts)} of the {count} files of the optimiser's state"
        raise InputError(what, where=folder, fix=f"copy it whole; absent: {', '.join(missing[:3])}")
    return _Joined([folder / name for name in parts])


class _Joined(Mapping[str, Tensor]):
    """Tensors whose rows lie in several files, in their order."""

    def __init__(self, paths: Sequence[Path]) -> None:
        from safetensors import safe_open

        self._files: dict[str, list[Any]] = {}
        for path in paths:
            with _sound(path):
                file: Any = safe_open(path, "pt")
            for key in file.keys():  # noqa: SIM118 - the file is no mapping
                self._files.setdefault(key, []).append(file)

    def __getitem__(self, key: str) -> Tensor:
        pieces = [file.get_tensor(key) for file in self._files[key]]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
