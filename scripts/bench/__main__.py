"""All benchmarks in turn, one table.

python -m scripts.bench                 # everything, into bench/; under 20 minutes on two quiet cores
python -m scripts.bench start ranks     # some
python -m scripts.bench --quick         # small sizes, to see that they run
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from scripts.bench.harness import markdown, write

BENCHMARKS = {
    "start": "start_speed",
    "corpus": "corpus_speed",
    "ranks": "ranks_speed",
    "embedding": "embedding_speed",
    "training": "training_speed",
    "quality": "quality",
    "batches": "batches",
}


def main() -> None:
    """Run what is named, print the table, write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help="which; all if left out")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("-o", "--out", type=Path, default=Path("bench"), help="folder (default bench)")
    options = parser.parse_args()
    begin, rows = time.perf_counter(), []
    for name in options.names or BENCHMARKS:
        started = time.perf_counter()
        found = importlib.import_module(f"scripts.bench.{BENCHMARKS[name]}").measure(quick=options.quick)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        rows += found
        write(rows, time.perf_counter() - begin, options.out)
    print(markdown(rows))


if __name__ == "__main__":
    main()
