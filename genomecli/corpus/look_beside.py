"""``look.png`` drawn by a process of its own: it imports matplotlib while the corpus is read.

On a small corpus the import and the drawing take longer than the reading. The process gives the bytes to its
parent, so that nothing is written by one whose parent was killed. Where it fails, or there is a single core,
the figure is drawn here; its bytes are the same.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType

import numpy as np

from genomecli.corpus.look_figure import Columns, draw_look
from genomecli.corpus.manifest import Group
from genomecli.corpus.records_table import SPLITS
from genomecli.corpus.scan import GroupCounts, Scan

PATIENCE = 120.0
"""Seconds after which a drawing is done here: it takes one."""

GRACE = 5.0
"""Seconds in which the process may end by itself."""

_GROUPS = "groups"
"""Name of the groups, as JSON, among the arrays that the process is given."""

_PNG = b"\x89PNG"

_BY_NAME = sorted(SPLITS)
_BY_CODE = [field.name for field in fields(GroupCounts) if field.name not in ("symbols", "tokens")]
"""Counts of a group that are kept for each genetic code."""

_CHILD = "from genomecli.corpus.look_beside import wait_and_draw; wait_and_draw()"


class LookBeside:
    """Draws the look at a corpus, beside other work where that helps.

    Use as a context manager: begin it before the corpus is read, then :meth:`begin` the drawing and
    :meth:`finish` it. After an exception nothing of it goes on.

    Args:
        apart: start a process for it; otherwise all is done by :meth:`finish`.
    """

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self._process: subprocess.Popen[bytes] | None = None
        self._sender: ThreadPoolExecutor | None = None
        self._sent: Future[tuple[bytes, bytes]] | None = None
        self._path: Path | None = None
        self._given: tuple[Sequence[Group], Columns, Scan] | None = None

    def __enter__(self) -> LookBeside:
        if self._apart and sys.executable:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _CHILD],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError:  # no process is to be had: it is drawn here
                return self
            self._sender = ThreadPoolExecutor(1, thread_name_prefix="figure")
        return self

    def begin(self, path: Path, groups: Sequence[Group], columns: Columns, scan: Scan) -> None:
        """Start to draw; see :func:`~genomecli.corpus.look_figure.draw_look`.

        Args:
            path: of the PNG, in a folder that stands.
            groups: of the corpus, in order.
            columns: of its records: ``length`` and ``split``.
            scan: their composition.
        """
        self._path = path
        self._given = (groups, {name: columns[name] for name in ("length", "split")}, scan)
        if self._process is not None and self._sender is not None:
            self._sent = self._sender.submit(self._process.communicate, _packed(*self._given))

    def finish(self) -> None:
        """Wait until the figure stands, if one was begun. Raises what drawing it raises."""
        if self._path is None or self._given is None:
            return
        drawn = self._drawn()
        if drawn is None:
            draw_look(self._path, *self._given)
        else:
            self._path.write_bytes(drawn)

    def _drawn(self) -> bytes | None:
        """What the process has drawn; None if there is none, or it failed."""
        if self._sent is None or self._process is None:
            return None
        try:
            drawn, _ = self._sent.result(timeout=PATIENCE)
        except TimeoutError:  # it was stopped, or hangs
            return None
        whole = self._process.returncode == 0 and drawn.startswith(_PNG)
        return drawn if whole else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        # It ends by itself, as nothing more comes, and clears up after matplotlib; not for ever, though.
        if self._sent is None and self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        if self._sender is not None:
            self._sender.shutdown()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def wait_and_draw() -> None:
    """What the process does: get ready, wait for what is to be drawn, draw it. Ends when its parent does."""
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)  # the parent says when to end
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what else is printed is not part of the figure
        _warm_up()
        given = sys.stdin.buffer.read()
        if given:
            drawn = io.BytesIO()
            draw_look(drawn, *_unpacked(given))
            out.write(drawn.getvalue())


def _packed(groups: Sequence[Group], columns: Columns, scan: Scan) -> bytes:
    """What is to be drawn, as safetensors: arrays under names, and the groups as JSON."""
    from safetensors.numpy import save

    side = np.searchsorted(_BY_NAME, columns["split"]).astype(np.uint8)
    arrays = {"length": columns["length"], "split": side, "gc": scan.gc, "gc3": scan.gc3}
    told = []
    for number, (group, counts) in enumerate(zip(groups, scan.groups, strict=True)):
        arrays[f"{number} symbols"], arrays[f"{number} tokens"] = counts.symbols, counts.tokens
        for name in _BY_CODE:
            for table, found in getattr(counts, name).items():
                arrays[f"{number} {name} {table}"] = found
        told.append({**asdict(group), "tables": {name: [*getattr(counts, name)] for name in _BY_CODE}})
    arrays[_GROUPS] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _unpacked(given: bytes) -> tuple[list[Group], Columns, Scan]:
    """The inverse of :func:`_packed`."""
    from safetensors.numpy import load

    arrays = load(given)
    groups, counts = [], []
    for number, told in enumerate(json.loads(arrays[_GROUPS].tobytes())):
        by_code = {
            name: {table: arrays[f"{number} {name} {table}"] for table in tables}
            for name, tables in told.pop("tables").items()
        }
        groups.append(Group(**{**told, "shards": tuple(told["shards"])}))
        counts.append(GroupCounts(arrays[f"{number} symbols"], arrays[f"{number} tokens"], **by_code))
    columns = {"length": arrays["length"], "split": np.array(_BY_NAME)[arrays["split"]]}
    return groups, columns, Scan(arrays["gc"], arrays["gc3"], counts)


def _warm_up() -> None:
    """Import what drawing imports, and find the fonts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    FigureCanvasAgg(figure)
    figure.add_subplot().set_title("A", weight="bold")
    figure.savefig(io.BytesIO())
