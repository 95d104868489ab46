"""What is said of a disk that takes no more: it is full, a quota is used up, or a file may not grow."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from genomecli.errors import RunError

_SAID = {
    errno.ENOSPC: ("the disk is full", "free space"),
    errno.EDQUOT: ("the quota on this disk is used up", "free space"),
    errno.EFBIG: ("a file may not grow larger", "raise the limit (ulimit -f)"),
}
"""By the system's number: what has happened, and what to do."""

_NUMBER = re.compile(r"\b(?:errno|os error) (\d+)", re.IGNORECASE)
"""How pyarrow and safetensors tell the system's number in their texts."""


def full_disk(error: Exception, out: Path | None = None, *, resumes: bool = False) -> RunError | None:
    """The error to show for one that says that no more can be written; None for any other.

    Args:
        error: of the system, or of a library that hands the system's on as a text.
        out: what was being written, named where the error names no file.
        resumes: whether the command goes on with ``--resume``.
    """
    number = _number(error)
    if number is None:
        return None
    what, fix = _SAID[number]
    named = getattr(error, "filename", None)
    where = named if isinstance(named, str | os.PathLike) else out
    if out is None:
        fix += ", or write elsewhere"
    else:
        fix += " and go on with --resume, or give another --out" if resumes else ", or give another --out"
    return RunError(f"cannot be written: {what} ({os.strerror(number)})", where=where, fix=fix)


def _number(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno in _SAID:
        return error.errno
    text = str(error)
    numbers = [int(digits) for digits in _NUMBER.findall(text)]
    return next((n for n in _SAID if n in numbers or os.strerror(n) in text), None)
