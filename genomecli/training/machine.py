"""Where a run computes: device, precision and threads, settled once and kept when the run is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from genomecli.errors import ConfigError
from genomecli.runtime import log, pick_device, pick_precision, set_threads, thread_count


class Before(Protocol):
    """What unfinished work says of where it was begun."""

    @property
    def device(self) -> str:
        """Type of the device."""

    @property
    def precision(self) -> str:
        """Number format: fp32, bf16 or fp16."""

    @property
    def threads(self) -> int:
        """CPU threads."""


@dataclass(frozen=True)
class Machine:
    """Device, number format (fp32, bf16 or fp16) and CPU threads of a run."""

    device: torch.device
    precision: str
    threads: int


def settle(device: str, precision: str, threads: int | str, before: Before | None = None) -> Machine:
    """Choose where to compute, and give torch its threads.

    A resumed run keeps the precision and the thread count that it began with, unless told otherwise or the
    machine has fewer cores; what then differs is said.

    Args:
        device: setting, or ``auto``.
        precision: setting, or ``auto``.
        threads: setting, or ``auto``.
        before: what the run began with, if it is resumed.

    Raises:
        UsageError: if the device is not on this machine.
        ConfigError: if a resumed run is to go on in another precision.
    """
    chosen = pick_device(device)
    if before is None:
        return Machine(chosen, pick_precision(precision, chosen), set_threads(threads))
    if precision not in ("auto", before.precision):
        raise ConfigError(
            [f"precision: was {before.precision} and is now {precision}; a resumed run keeps it"]
        )
    count = min(before.threads, thread_count("auto")) if threads == "auto" else int(threads)
    set_threads(count)
    changes = []
    if chosen.type != before.device:
        changes.append(f"device {before.device} is now {chosen.type}")
    if chosen.type == "cpu" and count != before.threads:
        changes.append(f"{before.threads} threads are now {count}")
    if changes:
        what = ", ".join(changes)
        log.warning("%s: the run goes on, but not bit for bit as it would have without the stop", what)
    return Machine(chosen, before.precision, count)
