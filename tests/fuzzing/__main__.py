"""Run each fuzzer for some seconds and print a table: ``python -m tests.fuzzing SECONDS [--only NAME]``.

With ``--guided`` atheris makes the inputs, led by the code that they reach.

The exit code is 1 if anything but the user-facing errors came out; each such input is kept in the folder
that ``--keep`` names.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from genomecli.errors import GenomecliError
from tests.fuzzing.guided import fuzz_guided, load_parsers, missing
from tests.fuzzing.harness import Parser, Tally, limited_memory, try_input
from tests.fuzzing.mutations import mutate

COLUMNS = ("parser", "inputs", "refused", "accepted", "tracebacks", "slowest, ms", "memory grown, MiB")


def fuzz(parser: Parser, seconds: float, seed: int, most: int | None = None) -> Tally:
    """Mutations of a parser's seeds for some seconds, or until ``most`` inputs."""
    random_ = random.Random(f"{seed} {parser.name}")
    tally = Tally()
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    try:
        for valid in parser.seeds:
            with suppress(GenomecliError):  # of FASTQ, which is refused
                parser.read(valid, folder)  # so that what is imported late counts for no input
        end = time.monotonic() + seconds
        with limited_memory():
            while time.monotonic() < end and (most is None or tally.tried < most):
                try_input(parser, mutate(random_, parser.seeds), folder, tally)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


def _parsers() -> tuple[Parser, ...]:
    from tests.fuzzing.parsers import PARSERS

    return PARSERS


def _row(name: str, tally: Tally) -> str:
    counts = tally.counts
    cells = (tally.tried, counts["refused"], counts["accepted"], counts["fault"])
    return "\t".join([name, *map(str, cells), f"{tally.slowest * 1000:.0f}", f"{tally.growth / 1024:.0f}"])


def main() -> int:
    """Run the fuzzers; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("seconds", type=float, help="of each fuzzer")
    options.add_argument("--only", default="", help="parsers whose name holds this")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--keep", type=Path, help="folder for inputs that met a fault")
    options.add_argument("--guided", action="store_true", help="with atheris")
    given = options.parse_args()
    if given.guided and (why := missing()):
        print(f"skipped: {why}")
        return 0
    run = fuzz_guided if given.guided else fuzz
    print("\t".join(COLUMNS), flush=True)
    total, faults = Tally(), 0
    for parser in load_parsers() if given.guided else _parsers():
        if given.only.lower() not in parser.name.lower():
            continue
        tally = run(parser, given.seconds, given.seed)
        print(_row(parser.name, tally), flush=True)
        total.counts += tally.counts
        total.slowest, total.growth = max(total.slowest, tally.slowest), total.growth + tally.growth
        for place, (said, data) in tally.faults.items():
            faults += 1
            print(f"  fault: {place}: {said!r}; input {data[:200]!r}", file=sys.stderr)
            if given.keep is not None:
                given.keep.mkdir(parents=True, exist_ok=True)
                (given.keep / f"{parser.name} {hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
    print(_row("all", total))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
