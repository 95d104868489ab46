"""How torch says that the memory of a device does not suffice."""

from __future__ import annotations

import torch


def ran_out(error: RuntimeError) -> bool:
    """Whether an error says that memory does not suffice; if so, what torch holds for later is given back.

    On a CPU torch raises a plain RuntimeError, which its text alone tells from others.
    """
    found = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    if found and torch.cuda.is_available():
        torch.cuda.empty_cache()
    return found
