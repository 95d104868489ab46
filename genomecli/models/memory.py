"""Memory: how torch says that a device's does not suffice, and how a CPU's is kept for the next step."""

from __future__ import annotations

import ctypes

import torch

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Numbers of options of mallopt(3)."""

_NEVER = (1 << 31) - 1


def ran_out(error: RuntimeError) -> bool:
    """Whether an error says that memory does not suffice; if so, what torch holds for later is given back.

    On a CPU torch raises a plain RuntimeError, which its text alone tells from others.
    """
    found = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    if found and torch.cuda.is_available():
        torch.cuda.empty_cache()
    return found


def keep_freed_memory() -> bool:
    """Have the process keep memory that it frees, for what it allocates next; whether that can be asked for.

    The GNU C library takes each large block from the system and gives it back, and the system fills each page
    of it with zeros at first touch: a tenth of a training step on a CPU, whose blocks are the same each time.
    Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))
