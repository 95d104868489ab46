"""Processes that train together: which one this is, and what they tell each other.

torchrun (or srun, with the same variables set) starts one process a device and tells each of them RANK,
WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT. Without these there is one process, and nothing here does
anything. Every process runs the same code on its share of each step's micro-batches; gradients are sums over
all of them, since losses are divided by the weights of the whole step. Only the first process writes.

When a process dies, the others find their connection to it closed at their next message and end with an
error. On GPUs (NCCL) they may wait instead: torchrun ends them then, and srun does with --wait.

Whatever one process finds out by itself (a signal, a loss that is no number, the state of a folder) has to be
agreed on, or the others wait for it for ever: each function here is called by all of them at the same place.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch import distributed as dist

from genomecli.errors import GenomecliError, InterruptedRunError, RunError, SaidElsewhereError, UsageError
from genomecli.runtime import log
from genomecli.signals import StopFlag

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
PATIENCE = timedelta(hours=2)
"""How long a process waits for another, which may be writing or measuring something of its own."""

REASONS = (None, "time", "HUP", "USR1", "TERM", "INT")
"""Why a run stops before its end; of several processes' reasons the last one here counts."""

BUCKET = 1 << 25
"""Gradients are summed in pieces of at most about this many numbers (128 MiB)."""


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Whether this process writes files and logs."""
    return rank() == 0


def processes_here() -> int:
    """Number of the processes on this machine, as torchrun says."""
    return max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))) if started_together() else 1


def started_together() -> bool:
    """Whether the environment says that several processes were started for one run."""
    return all(name in os.environ for name in VARIABLES) and int(os.environ["WORLD_SIZE"]) > 1


def starts_first() -> bool:
    """Whether this process is the first of those that the environment says were started, joined or not."""
    return not started_together() or int(os.environ["RANK"]) == 0


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Be one of the processes that were started together, while inside; quiet in all but the first.

    Args:
        device: where this process computes: a CPU, or CUDA, whose number is LOCAL_RANK.

    Raises:
        UsageError: if the device cannot be trained on by several processes, or is not there.
        RunError: if another process is lost.
    """
    if not started_together():
        yield
        return
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"device {device.type!r} takes one process", fix="start genomecli without torchrun")
    if device.type == "cuda":
        _take_device(int(os.environ["LOCAL_RANK"]))
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        if not is_main():
            _be_quiet()
        yield
    except RuntimeError as error:  # of messages that torch sends by itself, for shared blocks
        if _is_of_messages(error):
            raise _lost_another() from error
        raise
    finally:
        dist.destroy_process_group()


def _take_device(number: int) -> None:
    count = torch.cuda.device_count()
    if number >= count:
        what = f"process {number} of this machine has no GPU: there are {count}"
        raise UsageError(what, fix=f"start at most {count} processes a machine")
    torch.cuda.set_device(number)


def _be_quiet() -> None:
    """Leave the console to errors, and log files to the first process."""
    for handler in list(log.handlers):
        handler.setLevel(logging.ERROR)
        if isinstance(handler, logging.FileHandler):
            log.removeHandler(handler)
            handler.close()


def add_up(values: Sequence[float]) -> list[float]:
    """Each value summed over all processes, in float64."""
    return _together(values, dist.ReduceOp.SUM)


def highest(values: Sequence[float]) -> list[float]:
    """Each value's maximum over all processes; whole numbers up to 2^53 stay exact."""
    return _together(values, dist.ReduceOp.MAX)


def _together(values: Sequence[float], how: object) -> list[float]:
    if world_size() == 1:
        return list(values)
    shared = torch.tensor(values, dtype=torch.float64)
    with _others_there():
        dist.all_reduce(shared, how)
    found: list[float] = shared.tolist()
    return found


def from_main(number: int) -> int:
    """What the first process gave."""
    if world_size() == 1:
        return number
    shared = torch.tensor([number])
    with _others_there():
        dist.broadcast(shared, 0)
    return int(shared)


def common_reason(reason: str | None) -> str | None:
    """Why all stop, if any process has a reason to: one of :data:`REASONS`."""
    return REASONS[int(highest([REASONS.index(reason)])[0])]


def grant_together(flag: StopFlag, fix: str) -> None:
    """End the run here, in all processes, if a signal has asked any of them for it.

    Args:
        flag: of this process.
        fix: how to go on, for the message.

    Raises:
        CheckpointedError, InterruptedRunError: see :meth:`StopFlag.grant`.
        SaidElsewhereError: in other processes than the first.
    """
    if world_size() > 1:
        flag.requested = common_reason(flag.requested)
        if flag.requested is None:
            return
    with agreed():
        flag.grant(fix)


@contextmanager
def agreed() -> Iterator[None]:
    """What each process does by itself, or the first one for all: it ends well everywhere, or the run ends.

    All wait for the slowest. Nothing inside may send messages, since a process that fails would not answer.

    Raises:
        SaidElsewhereError: in all processes but the first in which it failed; that one raises its error.
    """
    if world_size() == 1:
        yield
        return
    failure: BaseException | None = None
    try:
        yield
    except BaseException as error:
        failure = error
    mine = 0 if failure is None else _exit_code(failure)
    codes = highest([float(mine if number == rank() else 0) for number in range(world_size())])
    failed = next((number for number, code in enumerate(codes) if code), None)
    if failed is None:
        return
    if failure is not None and failed == rank():
        raise failure
    raise SaidElsewhereError(int(codes[failed])) from failure


def _exit_code(error: BaseException) -> int:
    """What a process ends with after ``error``, which may be a signal on its way to be one of ours."""
    usual = InterruptedRunError if isinstance(error, KeyboardInterrupt) else GenomecliError
    return int(getattr(error, "exit_code", usual.exit_code))


@contextmanager
def _others_there() -> Iterator[None]:
    """Say in one line that a message failed, since a process that has died closes its connections.

    Raises:
        RunError: in place of the backend's error, whose text is kept as its cause.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise _lost_another() from error


def _lost_another() -> RunError:
    """The error of a process that no longer reaches the others."""
    return RunError(
        f"process {rank()} of {world_size()} lost another one, which has ended or cannot be reached",
        fix="see what that one said, or who killed it; --resume goes on from the last checkpoint",
    )


def _is_of_messages(error: RuntimeError) -> bool:
    """Whether an error is of the backend that carries messages. Gloo's are told by their text alone."""
    return isinstance(error, dist.DistError) or "/gloo/" in str(error)


def sum_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace each gradient by its sum over all processes; one that no process has stays None.

    Sums are the same, bit for bit, in every process, so their weights stay the same too.
    """
    if world_size() == 1:
        return
    had = highest([float(parameter.grad is not None) for parameter in parameters])
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for parameter, anywhere in zip(parameters, had, strict=True)
        if anywhere
    ]
    chosen = [parameter for parameter, anywhere in zip(parameters, had, strict=True) if anywhere]
    for first, stop in _buckets([gradient.numel() for gradient in gradients]):
        _sum_flat(gradients[first:stop])
    for parameter, gradient in zip(chosen, gradients, strict=True):
        parameter.grad = gradient


def _buckets(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of tensors that fill a bucket together; a larger one stands alone."""
    first = held = 0
    for index, size in enumerate(sizes):
        if held and held + size > BUCKET:
            yield first, index
            first, held = index, 0
        held += size
    if first < len(sizes):
        yield first, len(sizes)


def sum_in_place(values: Tensor) -> None:
    """Replace a tensor by its sum over all processes; where all but one hold 0, by what that one holds."""
    if world_size() > 1:
        with _others_there():
            dist.all_reduce(values)


def _sum_flat(gradients: Sequence[Tensor]) -> None:
    """Sum tensors in place, all of them in one message."""
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    sum_in_place(flat)
    pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, total in zip(gradients, pieces, strict=True):
        gradient.copy_(total.view_as(gradient))
