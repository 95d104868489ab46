"""How much memory ``genomecli predict`` needs in a pipe: it must not grow with the number of records.

Tunes a tiny network for a moment, then streams short records through ``predict``, as a user would, and reads
its rows as they come. At several points it says the peak of resident and of anonymous memory so far. Rows
must come in the order of the records, and a sequence that comes again must get the same prediction to the
last digit.

    python -m scripts.bench.predict_memory                  # 1,000,000 records
    python -m scripts.bench.predict_memory --short          # 20,000, about half a minute
    python -m scripts.bench.predict_memory --form table     # a TSV instead of FASTA
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scripts.bench.harness import held

POINTS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the records after which memory is said."""

SLACK = 32
"""MiB by which the peak may still rise after the first quarter of the records: what freed memory leaves in
pieces. A million records that each left 100 bytes behind would take more."""

DISTINCT = 997
"""Sequences that come again and again."""

CHUNK = 1000
"""Records written at a time."""

COMMAND = [sys.executable, "-m", "genomecli"]


def sequences(count: int, seed: int = 0) -> list[str]:
    """Random DNA of 20 to 80 bases."""
    rng = np.random.default_rng(seed)
    letters = np.frombuffer(b"ACGT", np.uint8)
    return [rng.choice(letters, n).tobytes().decode() for n in rng.integers(20, 81, count)]


def tune(folder: Path) -> Path:
    """A run of ``finetune`` with one layer of width 16; which of two classes a sequence is means nothing."""
    table = folder / "table.tsv"
    rows = [f"{i}\t{text}\t{i % 2}" for i, text in enumerate(sequences(200, 1))]
    table.write_text("\n".join(["id\tsequence\ty", *rows]) + "\n")
    settings = [
        "finetune.network={preset: null, layers: 1, width: 16, heads: 1, context: 128, local_window: 0}",
        f"finetune.data={{path: {table}}}",
        "finetune.targets={y: {}}",
        "finetune.epochs=1",
        "finetune.split.by=random",
        "finetune.baselines.run=[]",
        "finetune.metrics.bootstrap=0",
        "threads=1",
    ]
    run = folder / "run"
    options = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([*COMMAND, "finetune", "-q", "-o", str(run), *options], check=True)
    return run


def write_records(stream: BinaryIO, texts: Sequence[str], records: int, form: str) -> None:
    """Records ``r0``, ``r1``, ... of FASTA or of a table; ends early if nobody reads any more."""
    try:
        if form == "table":
            stream.write(b"id\tsequence\n")
        line = ">r{}\n{}\n" if form == "fasta" else "r{}\t{}\n"
        for first in range(0, records, CHUNK):
            some = range(first, min(records, first + CHUNK))
            stream.write("".join(line.format(i, texts[i % len(texts)]) for i in some).encode())
        stream.close()
    except BrokenPipeError:
        pass


def checked(lines: Iterator[bytes]) -> Iterator[int]:
    """How many rows were read, after each; ends the script at a row out of order or predicted otherwise."""
    known: dict[int, bytes] = {}
    next(lines)
    for number, line in enumerate(lines):
        name, _, row = line.partition(b"\t")
        if name != b"r%d" % number:
            raise SystemExit(f"row {number} is of record {name.decode()!r}")
        if known.setdefault(number % DISTINCT, row) != row:
            raise SystemExit(f"record {name.decode()!r} is predicted otherwise than its sequence was before")
        yield number + 1


def measure(run: Path, records: int, form: str) -> list[float]:
    """Peaks of resident memory at each of :data:`POINTS`, in MiB, which are said as they are met; of
    ``predict`` itself, which has no children."""
    texts = sequences(DISTINCT)
    command = [*COMMAND, "predict", "-q", "--model", str(run), "-", "--set", "threads=1"]
    points = {max(1, int(share * records)): share for share in POINTS}
    peaks: list[float] = []
    began = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        writer = threading.Thread(target=write_records, args=(process.stdin, texts, records, form))
        writer.start()
        count, peak, highest = 0, 0.0, 0.0
        for count in checked(iter(process.stdout)):
            if count in points or count % 1000 == 0:
                peak = max(peak, held(process.pid, "VmHWM") or 0.0)
                highest = max(highest, held(process.pid) or 0.0)
            if count in points:
                seconds = time.monotonic() - began
                said = f"{peak:8.1f} MiB resident  {highest:8.1f} MiB anonymous  {seconds:7.1f} s"
                print(f"{count:>10,} records  {said}", flush=True)
                peaks.append(peak)
        writer.join()
    if process.returncode or count != records:
        raise SystemExit(f"{count} of {records} records were predicted, exit code {process.returncode}")
    return peaks


def main() -> int:
    """Tune, stream, report; 1 if memory grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--short", action="store_true", help="20,000 records")
    parser.add_argument("--form", choices=("fasta", "table"), default="fasta")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="predict-memory-") as name:
        run = tune(Path(name))
        peaks = measure(run, 20_000 if given.short else given.records, given.form)
    grown = peaks[-1] - peaks[POINTS.index(0.25)]
    print(f"order kept; after the first quarter the peak rose by {grown:.1f} MiB (allowed: {SLACK})")
    return int(grown > SLACK)


if __name__ == "__main__":
    raise SystemExit(main())
