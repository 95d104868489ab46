"""``genomecli doctor``: what will run on this machine, and how fast."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from genomecli.extras import EXTRAS
from genomecli.runtime import cpu_flags, pick_device, pick_precision, set_threads, thread_count, versions


def run_doctor() -> dict[str, Any]:
    """Versions, devices, precisions, threads, memory, disk, optional libraries and measured speeds.

    Speeds are medians of five matrix products, in GFLOP/s, on the ``auto`` device.
    """
    import psutil
    import torch

    threads = set_threads("auto")
    device = pick_device("auto")
    memory = psutil.virtual_memory()
    report: dict[str, Any] = {
        "versions": versions(),
        "device": str(device),
        "devices": [
            "cpu",
            *(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())),
        ],
        "precision": pick_precision("auto", device),
        "cpu_bf16": sorted(cpu_flags() & {"amx_bf16", "avx512_bf16"}),
        "threads": threads,
        "threads_allowed": thread_count("auto"),
        "memory_gib": round(memory.total / 2**30, 1),
        "memory_free_gib": round(memory.available / 2**30, 1),
        "disk_free_gib": round(shutil.disk_usage(Path.cwd()).free / 2**30, 1),
        "gflops": {name: matrix_speed(device, name) for name in ("fp32", "bf16")},
        "optional": {name: _installed(name) for name in EXTRAS},
    }
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        report |= {"gpu_memory_gib": round(total / 2**30, 1), "gpu_memory_free_gib": round(free / 2**30, 1)}
        report["gflops"]["fp16"] = matrix_speed(device, "fp16")
    report["packed_attention"] = device.type == "cuda" and _has_varlen()
    return report


def matrix_speed(device: Any, precision: str) -> float:
    """Speed of square matrix products on ``device``, in GFLOP/s (2 size^3 operations a product).

    Matrices are smaller on a CPU, where bf16 without its own instructions takes seconds a product.
    """
    import torch

    size = 512 if device.type == "cpu" else 1024
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    matrix = torch.randn(size, size, device=device).to(kinds[precision])
    seconds = [_timed(lambda: matrix @ matrix, device) for _ in range(6)][1:]
    return round(2 * size**3 / statistics.median(seconds) / 1e9, 1)


def _timed(work: Callable[[], object], device: Any) -> float:
    import torch

    begin = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _has_varlen() -> bool:
    from importlib.util import find_spec

    return find_spec("torch.nn.attention.varlen") is not None


def describe(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The report as rows of a table: what, and its value in words."""
    rows = [(name, version) for name, version in report["versions"].items()]
    rows.append(("device (auto)", f"{report['device']}, {report['precision']}"))
    rows += [("device", name) for name in report["devices"]]
    rows.append(("CPU threads", f"{report['threads']} of {report['threads_allowed']} allowed"))
    rows.append(("CPU bf16 units", ", ".join(report["cpu_bf16"]) or "none: fp32 is faster here"))
    rows.append(("memory", f"{report['memory_free_gib']} of {report['memory_gib']} GiB free"))
    if "gpu_memory_gib" in report:
        rows.append(("GPU memory", f"{report['gpu_memory_free_gib']} of {report['gpu_memory_gib']} GiB free"))
    rows.append(("disk here", f"{report['disk_free_gib']} GiB free"))
    rows.append(
        ("packed attention", "yes" if report["packed_attention"] else "no: batches are padded by length")
    )
    rows += [(f"matrix products, {name}", f"{speed} GFLOP/s") for name, speed in report["gflops"].items()]
    for name, extra in EXTRAS.items():
        version = report["optional"][name]
        absent = f"absent; for {extra.purpose}: {extra.install}"
        rows.append((f"optional: {name}", version or absent))
    return rows
