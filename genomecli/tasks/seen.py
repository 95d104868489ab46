"""Rows that a network has seen: keys of what it was tuned on, kept in a file of its run.

Keys are those of :func:`genomecli.tasks.duplicates.sequence_keys`, 16 bytes a row; the sequences are
not kept. Later runs tell by them which of their rows the network has met before, by whatever name. Rows of
pairs are equal where both sequences are.

Shapes: n rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.files import atomic_path, write_tensors
from genomecli.sequences.alphabets import Codes
from genomecli.tasks.duplicates import KEY_BYTES, row_key

FILE = "seen.safetensors"
"""Name of the file in a run's folder. It holds the fields of :class:`Seen`: ``train`` and ``valid`` as sorted
uint8[n, 16], ``rows`` int64[2], ``whole`` uint8[1]."""

Met = Literal["train", "valid", ""]
"""How a network met a row: it learned from it, its weights were chosen by it, or not at all."""


@dataclass(frozen=True)
class Seen:
    """What a network has seen, in all its tunings.

    Args:
        train: keys of the rows that it learned from.
        valid: keys of further rows, by which its weights were chosen.
        rows: training and validation rows of the last tuning; equal ones count each.
        whole: whether all of its tunings are in; not so after one that kept no keys.
    """

    train: frozenset[bytes] = frozenset()
    valid: frozenset[bytes] = frozenset()
    rows: tuple[int, int] = (0, 0)
    whole: bool = True

    def tells(self, key: bytes) -> Met:
        """How the network met a row."""
        return "train" if key in self.train else "valid" if key in self.valid else ""

    def tells_record(self, record: Sequence[tuple[str, Codes]], windows: Iterable[int] = ()) -> Met:
        """How the network met a record, or any of the windows that such records were cut into.

        Args:
            record: alphabet and symbols, uint8[N], of its sequence, or of the two of a pair.
            windows: lengths of the windows of the network's tunings, in symbols; they lie end to end.
        """
        keys = [row_key(record)]
        if len(record) == 1:
            ((alphabet, codes),) = record
            keys += [
                row_key([(alphabet, codes[start : start + window])])
                for window in windows
                for start in range(0, len(codes), window)
            ]
        met = {self.tells(key) for key in keys}
        return "train" if "train" in met else "valid" if "valid" in met else ""

    def then(self, train: Sequence[bytes], valid: Sequence[bytes]) -> Seen:
        """The same after one more tuning, on rows of these keys."""
        learned = self.train | set(train)
        chosen = (self.valid | set(valid)) - learned
        return Seen(learned, chosen, (len(train), len(valid)), self.whole)


def joined(several: Iterable[Seen]) -> Seen:
    """What any of several networks has seen; the rows are those of the first."""
    found = list(several)
    train = frozenset().union(*(one.train for one in found))
    valid = frozenset().union(*(one.valid for one in found)) - train
    return Seen(train, valid, found[0].rows, all(one.whole for one in found))


def save_seen(folder: Path, seen: Seen) -> None:
    """Write the file of a run; equal keys give equal bytes."""
    tensors: dict[str, NDArray[Any]] = {
        "train": _table(seen.train),
        "valid": _table(seen.valid),
        "rows": np.array(seen.rows, dtype=np.int64),
        "whole": np.array([seen.whole], dtype=np.uint8),
    }
    with atomic_path(folder / FILE, force=True) as temporary:
        write_tensors(temporary, tensors)


def read_seen(folder: Path) -> Seen | None:
    """What the network of a run has seen; None where the run kept no keys.

    Raises:
        InputError: for a file that cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / FILE
    if not path.is_file():
        return None
    try:
        tensors = load_file(path)
        train, valid = (frozenset(row.tobytes() for row in tensors[name]) for name in ("train", "valid"))
        learned, chosen = tensors["rows"].tolist()
        return Seen(train, valid, (learned, chosen), bool(tensors["whole"][0]))
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"is not the keys of a run's rows: {error}", where=path) from None


def _table(keys: frozenset[bytes]) -> NDArray[np.uint8]:
    """uint8[n, 16], sorted."""
    return np.frombuffer(b"".join(sorted(keys)), dtype=np.uint8).reshape(-1, KEY_BYTES)


@dataclass(frozen=True)
class SeenBefore:
    """Rows of one side that the network has met before.

    Args:
        side: ``test`` or ``valid``.
        rows: of it.
        train: how many of them it learned from.
        valid: how many more its weights were chosen by.
        example: place of such a row; empty where there is none.
    """

    side: str
    rows: int
    train: int
    valid: int
    example: str = ""

    def sentence(self) -> str:
        """A warning; empty where nothing is to be said."""
        if not self.train + self.valid:
            return ""
        parts = [f"{self.train} equal one that it learned from"] if self.train else []
        more = " more" if self.train else ""
        parts += [f"{self.valid}{more} equal one by which its weights were chosen"] if self.valid else []
        side = {"valid": "validation"}.get(self.side, self.side)
        return (
            f"The network was tuned before: of {self.rows} {side} rows, {' and '.join(parts)}, such as "
            f"{self.example}: its figures on such rows are too good, and those of baselines are not."
        )


def seen_before(seen: Seen, side: str, keys: Sequence[bytes], places: Sequence[str]) -> SeenBefore:
    """How many rows of a side a network has met.

    Args:
        seen: of the network.
        side: ``test`` or ``valid``.
        keys: of the n rows.
        places: of the same rows.
    """
    met = [seen.tells(key) for key in keys]
    example = next((place for place, how in zip(places, met, strict=True) if how), "")
    return SeenBefore(side, len(keys), met.count("train"), met.count("valid"), example)


def over_splits(found: Sequence[SeenBefore]) -> list[SeenBefore]:
    """The counts of all folds as one for each side, with the first example."""
    summed = []
    for side in dict.fromkeys(one.side for one in found):
        some = [one for one in found if one.side == side]
        example = next((one.example for one in some if one.example), "")
        rows, train, valid = np.sum([(one.rows, one.train, one.valid) for one in some], axis=0).tolist()
        summed.append(SeenBefore(side, rows, train, valid, example))
    return summed
