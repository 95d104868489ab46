"""Where a run computes: device, precision and threads, settled once and kept when the run is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from genomecli.errors import ConfigError
from genomecli.models.memory import keep_freed_memory
from genomecli.runtime import log, pick_device, pick_precision, set_threads, thread_count
from genomecli.training.distributed import processes_here, world_size


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
    """Device, number format (fp32, bf16 or fp16) and CPU threads of a run, and how many processes it has."""

    device: torch.device
    precision: str
    threads: int
    processes: int = 1


def settle(device: str, precision: str, threads: int | str, before: Before | None = None) -> Machine:
    """Choose where to compute, and give torch its threads; processes on one machine share its cores. On a CPU
    the process keeps what it frees from then on.

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
    chosen, processes = pick_device(device), world_size()
    if chosen.type == "cpu":
        keep_freed_memory()
    free = max(1, thread_count("auto") // processes_here())
    if before is None:
        count = set_threads(free if threads == "auto" else threads)
        return Machine(chosen, pick_precision(precision, chosen), count, processes)
    if precision not in ("auto", before.precision):
        raise ConfigError(
            [f"precision: was {before.precision} and is now {precision}; a resumed run keeps it"]
        )
    count = min(before.threads, free) if threads == "auto" else int(threads)
    set_threads(count)
    changes = []
    if chosen.type != before.device:
        changes.append(f"device {before.device} is now {chosen.type}")
    if chosen.type == "cpu" and count != before.threads:
        changes.append(f"{before.threads} threads are now {count}")
    if (known := getattr(before, "processes", processes)) != processes:
        changes.append(f"{known} processes are now {processes}")
    if changes:
        what = ", ".join(changes)
        log.warning("%s: the run goes on, but not bit for bit as it would have without the stop", what)
    return Machine(chosen, before.precision, count, processes)
