"""How far a piece of work is, as a bar where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

from genomecli.runtime import is_quiet


class Progress:
    """Counts work done; drawn as a bar where standard error is a terminal, and silent elsewhere."""

    def __init__(self, bar: Any = None, task: Any = None) -> None:
        self._bar = bar
        self._task = task

    def advance(self, amount: float = 1, **fields: object) -> None:
        """Count ``amount`` more; ``fields`` are shown beside the bar."""
        if self._bar is None:
            return
        note = "  ".join(f"{name} {value}" for name, value in fields.items())
        self._bar.update(self._task, advance=amount, **({"note": note} if note else {}))


class _Terminal:
    """Standard error for a bar. One that was closed takes nothing more, and that ends no run."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def progress(description: str, total: float | None = None, *, done: int = 0) -> Iterator[Progress]:
    """A :class:`Progress` for a piece of work of ``total`` units, ``done`` of them before."""
    if not sys.stderr.isatty() or is_quiet():
        yield Progress()
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.TaskProgressColumn(),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[note]}"),
    )
    console = Console(file=cast("IO[str]", _Terminal()))
    with rich_progress.Progress(*columns, console=console, transient=True) as bar:
        yield Progress(bar, bar.add_task(description, total=total, completed=done, note=""))
