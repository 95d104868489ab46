"""What a run stands on: random numbers, device, precision, threads, logging, progress, ``run.json``.

Nothing here imports torch before it is asked for a device, so that help and ``info`` stay instant.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shlex
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.errors import UsageError
from genomecli.version import __version__

if TYPE_CHECKING:
    import torch

if "OMP_WAIT_POLICY" not in os.environ:
    # Threads of torch wait for each other in a loop, by default 300,000 rounds long. On cores that others use
    # too that eats what the others would need: of two threads beside a busy machine 580 tokens/s became 2,800
    # with 5,000 rounds (preset tiny, medians of 3), and nothing is lost on a quiet one (68,100 and 70,200
    # tokens/s). Read when torch is loaded, so it is set before.
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

# oneDNN and torch each keep compiled kernels for the last 1,024 shapes of matrices. Batches have ever new
# shapes, so in bf16 memory grows: by some 0.5 MB with each thousand short records that are predicted, and to
# 1,300 MB while a network of width 64 is tuned on 800 sequences. With 64 shapes it stays as it is after the
# first batches (440 MB there), at the same speed. Read as torch loads.
for _name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_name, "64")

log = logging.getLogger("genomecli")


def rng(*keys: int | str) -> np.random.Generator:
    """A random generator that is a pure function of ``keys``, equal in every process and on every machine.

    The keys are hashed (sha256) to the key of a Philox counter generator.
    """
    text = "\x1f".join(f"{type(key).__name__}:{key}" for key in keys)
    digest = hashlib.sha256(text.encode()).digest()
    # Given as an array, the same key takes half the time to set.
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest[:16], dtype="<u8")))


def seed_of(*keys: int | str) -> int:
    """A 63-bit seed that is a pure function of ``keys``, for libraries that want an integer."""
    return int(rng(*keys).integers(0, 2**63 - 1))


def thread_count(setting: int | str = "auto") -> int:
    """Threads to use: a number, or ``auto``: the least that SLURM, OMP_NUM_THREADS, the affinity mask
    and the cgroup allow."""
    if setting != "auto":
        return int(setting)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    asked = [os.environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS")]
    return max(1, min(allowed, _cgroup_cores(), *(int(text) for text in asked if text.isdigit())))


def _cgroup_cores() -> int:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return sys.maxsize


def set_threads(setting: int | str = "auto") -> int:
    """Give torch its threads; how many they are."""
    import torch

    count = thread_count(setting)
    torch.set_num_threads(count)
    return count


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One thread in numpy's linear algebra: thousands of small matrices are faster so, and far faster on a
    machine that others use too, where threads wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        UsageError: if it is not on this machine.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"device {name!r} is not known", fix="use auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {name!r} is not on this machine", fix="use --set device=cpu")
    return device


def cpu_flags() -> frozenset[str]:
    """The processor's feature flags, as Linux names them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1] for line in lines if line.startswith("flags")), "").split())


def pick_precision(name: str, device: torch.device) -> str:
    """``fp32``, ``bf16`` or ``fp16``; ``auto`` takes bf16 where the device multiplies in it, otherwise fp32.

    A CPU without AMX or AVX512-BF16 is slower in bf16 than in fp32, so ``auto`` takes fp32 there.
    """
    import torch

    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    if device.type == "cpu" and cpu_flags() & {"amx_bf16", "avx512_bf16"}:
        return "bf16"
    return "fp32"


_CONSOLE = "console"


def is_quiet() -> bool:
    """Whether standard error gets warnings only. Log files get everything all the same."""
    return any(h.get_name() == _CONSOLE and h.level > logging.INFO for h in log.handlers)


class _LogFile(logging.FileHandler):
    """A log; where it cannot be written, that is said once and in one line, and the run goes on."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._said:
            self._said = True
            log.warning("%s cannot be written (%s): it lacks lines", self.baseFilename, error.strerror)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def setup_logging(verbosity: int = 0, log_file: Path | None = None) -> None:
    """Send the log to standard error, and to ``log_file`` if one is given.

    Args:
        verbosity: -1 shows warnings only, 0 also what is done, 1 also details. Log files hold at least what
            is done.
        log_file: a file that lines are appended to, with their time.
    """
    level = {-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG)
    log.setLevel(min(level, logging.INFO))
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    stream = logging.StreamHandler(sys.stderr)
    stream.setLevel(level)
    stream.set_name(_CONSOLE)
    stream.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(stream)
    log.propagate = False
    if log_file is not None:
        add_log_file(log_file)


def add_log_file(path: Path) -> logging.Handler:
    """Also write the log to ``path``, one plain line an event with its time; the handler, for removal.

    The file begins with the command, the machine and the versions.
    """
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    log.addHandler(handler)
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    note(handler, f"command: {shlex.join(sys.argv)}")
    note(handler, f"host {socket.gethostname()}, process {os.getpid()}, {os.cpu_count()} cores; {libraries}")
    return handler


def note(handler: logging.Handler, line: str, level: int = logging.INFO) -> None:
    """Write a line to one log alone, whatever the level that the others show."""
    handler.handle(log.makeRecord(log.name, level, __file__, 0, "%s", (line,), None))


def note_in_files(line: str, level: int = logging.INFO) -> None:
    """Write a line to the log files alone, such as why a command ends; the console has it by other means."""
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            note(handler, line, level)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results may depend on."""
    found = {"genomecli": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "scipy", "scikit-learn", "biopython", "pyfaidx", "pyarrow", "safetensors"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def run_info(command: str, argv: Sequence[str] | None = None, **facts: object) -> dict[str, Any]:
    """What ``run.json`` says of a run: all that may differ between two runs with equal results.

    Args:
        command: the subcommand.
        argv: the command line; that of this process by default.
        facts: more, such as seconds or speeds.
    """
    return {
        "command": command,
        "argv": list(sys.argv if argv is None else argv),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(_process_start())),
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "folder": os.getcwd(),
        "versions": versions(),
        **facts,
    }


def _process_start() -> float:
    import psutil

    return float(psutil.Process().create_time())
