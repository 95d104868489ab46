"""``metrics.jsonl``: one JSON object a line, appended cut back to the checkpoint at resume.

Lines hold nothing that depends on the clock, so equal runs write equal bytes; speeds go to ``speed.jsonl``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genomecli.errors import InputError
from genomecli.files import atomic_path

Values = Mapping[str, Any]


class MetricsFile:
    """An append-only file of metrics.

    Args:
        path: where it stands; made at the first line.

    Attributes:
        listener: is told each line that is written, after it is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener: Callable[[str, int, Values], None] | None = None

    def append(self, kind: str, step: int, values: Values) -> None:
        """Write one line. Numbers that JSON cannot hold (NaN, infinity) become null."""
        line = {"kind": kind, "step": step, **plain(values)}
        with open(self.path, "a", encoding="utf-8") as handle:
            handle.write(json.dumps(line, allow_nan=False, sort_keys=True) + "\n")
        if self.listener is not None:
            self.listener(kind, step, values)

    def cut_back(self, step: int) -> int:
        """Remove the lines after step ``step``, and a half-written last line; how many lines were removed."""
        if not self.path.exists():
            return 0
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and _step(line) <= step]
        if len(kept) < len(lines):
            with atomic_path(self.path, force=True) as temporary:
                temporary.write_text("".join(kept), encoding="utf-8")
        return len(lines) - len(kept)


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def plain(value: Any) -> Any:
    """``value`` with every number that JSON cannot hold as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All lines of a metrics file, in order; none if it does not exist.

    Raises:
        InputError: naming a line that is no JSON object.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise InputError("is no JSON object", where=f"{path}, line {number}")
        rows.append(row)
    return rows
