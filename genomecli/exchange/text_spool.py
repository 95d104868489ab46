"""A text that grows beside its place, so that an interrupted run can go on where it stopped.

A folder beside the output holds the text so far, and a second one of what was left out; ``state.json`` says
how many bytes of them are valid, how many pieces of work they stand for, and what was counted. It is written
after they are on the disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from genomecli.files import read_json, write_json

STATE = "state.json"
_FILES = ("body", "left_out")


class TextSpool:
    """Two files that only grow, until they are complete.

    Args:
        folder: where they are; made, or taken up if ``resume`` and it is of the same request.
        request: what the text is made from: model, settings, inputs; plain values.
        resume: take up what is there.

    Attributes:
        done: pieces of work that the text stands for, at the last commit.
        counts: what was counted until then.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any], *, resume: bool = False) -> None:
        self.folder = folder
        self.done = 0
        self.counts: Counter[str] = Counter()
        self._request = json.loads(json.dumps(dict(request)))
        sizes = self._take_up() if resume else None
        if sizes is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            sizes = dict.fromkeys(_FILES, 0)
        self.fresh = not any(sizes.values())
        self._files = {name: self._open(name, sizes[name]) for name in _FILES}

    def _take_up(self) -> dict[str, int] | None:
        """Sizes of the files' valid parts; None if there is nothing of this request."""
        if not (self.folder / STATE).is_file():
            return None
        state = read_json(self.folder / STATE)
        sizes: dict[str, int] = state["bytes"]
        files = ((self.folder / name, size) for name, size in sizes.items())
        if state["request"] != self._request or not all(
            path.is_file() and path.stat().st_size >= size for path, size in files
        ):
            return None
        self.done, self.counts = state["done"], Counter(state["counts"])
        return sizes

    def _open(self, name: str, size: int) -> BinaryIO:
        handle = open(self.folder / name, "ab")  # noqa: SIM115 - closed by close()
        handle.truncate(size)
        return handle

    @property
    def body(self) -> Path:
        """The text; complete after :meth:`close`."""
        return self.folder / _FILES[0]

    @property
    def left_out(self) -> Path:
        """What was left out of it; complete after :meth:`close`."""
        return self.folder / _FILES[1]

    def append(self, text: bytes, left_out: bytes = b"") -> None:
        """Add to the text, and to what was left out."""
        self._files[_FILES[0]].write(text)
        self._files[_FILES[1]].write(left_out)

    def commit(self, done: int, counts: Mapping[str, int]) -> None:
        """Make all that was added valid: it stands for ``done`` pieces of work."""
        for handle in self._files.values():
            handle.flush()
            os.fsync(handle.fileno())
        self.done, self.counts = done, Counter(counts)
        sizes = {name: handle.tell() for name, handle in self._files.items()}
        state = {"request": self._request, "done": done, "counts": dict(counts), "bytes": sizes}
        write_json(self.folder / STATE, state)

    def close(self) -> None:
        """Close the files, and leave them."""
        for handle in self._files.values():
            handle.close()

    def remove(self) -> None:
        """Close and delete the files."""
        self.close()
        shutil.rmtree(self.folder)
