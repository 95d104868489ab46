"""What libraries are told by environment variables, which they read when they are imported."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

BLAS_TICKS = "20"
"""Threads of OpenBLAS, which numpy brings, spin for two to this power ticks before they sleep."""

CPU = "/proc/cpuinfo"


def prepare(words: Sequence[str]) -> None:
    """Set what makes a command faster, where the user has set nothing else.

    Args:
        words: the command line.
    """
    # Threads of numpy's OpenBLAS wait for work at full speed: a tenth of a short command.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", BLAS_TICKS)
    # Sorting takes a sixth of making a corpus of proteins. Logarithms of AVX-512 end in other last bits, so
    # only this command, which takes none for its files, goes without.
    told = "NPY_ENABLE_CPU_FEATURES" in os.environ  # numpy takes one of the two
    if "tokenize" in words[:1] and not told and sorts_slowly():
        os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4")


def sorts_slowly() -> bool:
    """Whether numpy sorts with AVX-512 where its AVX2 is five times faster: on AMD's Zen 4.

    Its compressing stores are microcode: https://github.com/numpy/x86-simd-sort/issues/6. What is set for it
    is a name of numpy 2.4; earlier ones do not know it and sort as they do.
    """
    try:
        with open(CPU, encoding="utf-8", errors="replace") as lines:
            first = lines.read(8192).split("\n\n")[0]  # the first of many processors
    except OSError:
        return False
    family = re.search(r"^cpu family\s*: 25$", first, re.MULTILINE)
    return "AuthenticAMD" in first and family is not None and " avx512dq " in first
