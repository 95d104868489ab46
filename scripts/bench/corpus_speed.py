"""From files to a corpus: ``genomecli tokenize`` beside k-mer text with a tokenizer, and beside Biopython.

python -m scripts.bench.corpus_speed

The command runs as it is, with its start and with ``figures/look.png``, which none of the peers draws; a row
more says what it takes without the figure. Beside peers it has two threads, of which one process reads and
another draws the figure. What is meant a core is measured with one, in processor seconds, which other work on
the machine changes little.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scripts.bench.harness import Row, compared, genomecli, in_turns, last_number, markdown, run
from scripts.bench.made import write_genome, write_proteins

THREADS = 2
GOALS = {"genome": 300.0, "protein": 150.0}
"""MB a second and core."""


def processor_seconds() -> float:
    """Of all processes that this one has started and that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def tokenize_seconds(
    folder: Path,
    kind: str,
    path: Path,
    clock: Callable[[], float] = time.perf_counter,
    *,
    figures: bool = True,
    threads: int = 1,
) -> float:
    """Seconds of the whole command, its start included."""
    config = folder / f"{kind}.yaml"
    source = f"{{kind: {kind}, path: {path}}}"
    config.write_text(f"tokenize: {{species: [{{name: made, sources: [{source}]}}]}}\n", encoding="utf-8")
    begin = clock()
    out = str(folder / f"{kind}.corpus")
    drawn = f"tokenize.figures={str(figures).lower()}"
    options = ["-q", "-c", str(config), "-o", out, "--force", "--workers", "1", "--set", drawn]
    genomecli("tokenize", *options, threads=threads)
    return clock() - begin


def rates(folder: Path, quick: bool, repeats: int) -> list[Row]:
    """MB of letters a second, of DNA beside DNABERT's route, of proteins alone."""
    megabytes = {"genome": 20.0, "protein": 8.0} if quick else {"genome": 300.0, "protein": 80.0}
    rows = []
    genome = write_genome(folder / "genome.fa", megabytes["genome"])
    small = write_genome(folder / "small.fa", 0.5 if quick else 2.0)
    peer = [sys.executable, "-m", "scripts.bench.peers.kmer_text", str(small)]
    pairs = in_turns(
        lambda: megabytes["genome"] / tokenize_seconds(folder, "genome", genome, threads=THREADS),
        lambda: last_number(run(peer)),
        repeats,
    )
    rows.append(
        compared(
            pairs,
            benchmark="corpus",
            what="FASTA of DNA to corpus",
            unit="MB/s",
            peer="6-mers as text, then a tokenizer of Hugging Face",
            least=100,
            note=f"{megabytes['genome']:g} MB, the peer on {0.5 if quick else 2:g} MB",
        )
    )
    proteins = write_proteins(folder / "proteins.fa", megabytes["protein"])
    for kind, path in (("genome", genome), ("protein", proteins)):
        turns = in_turns(
            lambda kind=kind, path=path: (
                megabytes[kind] / tokenize_seconds(folder, kind, path, processor_seconds)
            ),
            lambda kind=kind, path=path: (
                megabytes[kind] / tokenize_seconds(folder, kind, path, processor_seconds, figures=False)
            ),
            repeats,
        )
        goal, letters = GOALS[kind], "DNA" if kind == "genome" else "protein"
        text = f"at least {goal:g} MB/s"
        for which, with_what in enumerate(("", ", without its figure")):
            rate = statistics.median(turn[which] for turn in turns)
            what = f"FASTA of {letters} to corpus, a processor second{with_what}"
            rows.append(Row("corpus", what, "MB/s", rate, repeats=repeats, goal=text, met=rate >= goal))
    return rows


def genbank(folder: Path, repeats: int) -> list[Row]:
    """Seconds from GenBank to corpus beside Biopython's parser alone; none without the data."""
    data = os.environ.get("GENOMECLI_DATA")
    path = Path(data or "") / "genomes" / "ecoli_k12.gbk.gz"
    if not data or not path.exists():
        print("corpus: no GENOMECLI_DATA, so GenBank is left out", file=sys.stderr)
        return []
    peer = [sys.executable, "-m", "scripts.bench.peers.biopython_genbank", str(path)]
    return [
        compared(
            in_turns(
                lambda figures=figures: tokenize_seconds(
                    folder, "annotated", path, figures=figures, threads=THREADS
                ),
                lambda: last_number(run(peer)),
                repeats,
            ),
            benchmark="corpus",
            what=f"GenBank of E. coli to corpus{'' if figures else ', without its figure'}",
            unit="s",
            peer="Biopython's parser alone",
            least=0.5,
            smaller=True,
        )
        for figures in (True, False)
    ]


def measure(*, quick: bool, repeats: int = 3) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        return rates(Path(name), quick, repeats) + genbank(Path(name), repeats)


if __name__ == "__main__":
    print(markdown(measure(quick="--quick" in sys.argv)))
