"""What one GPU does: checks first, then training and embedding at several sizes; one table.

    python -m scripts.bench.gpu -o bench-gpu                      # 8M to 650M
    python -m scripts.bench.gpu --sizes 8M,150M --minutes 10
    python -m scripts.bench.gpu --device cpu --quick -o bench-quick    # to see that it runs: 2 to 3 minutes

It has run on CPUs only, never on a GPU, so how long it takes there is not known; ``--minutes`` limits it.

Checks, by states, loss and gradients: packed texts beside padded ones, compiled blocks beside eager ones,
bf16 beside fp32; and that a training step does not wait for the device. If one fails, nothing is timed and
the exit code is 1.

Then sizes, as dense networks at context 1024. Texts are proteins with the lengths of the yeast proteome, and
windows of a genome. Tokens are real ones, without padding. MFU is operations over what the card can do in
dense bf16 (``--peak``), without and with attention's products. Each size is trained by ``genomecli
pretrain``, plain and compiled, and embeds by ``genomecli embed``. Peers: flash-attn where it is installed,
and Hugging Face's Trainer at its defaults and tuned, at one size. The table is written after each
measurement; an error of one is a row of it, the next goes on, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from scripts.bench.gpu_checks import checks, refuse, waits
from scripts.bench.gpu_sizes import CONTEXT, SIZES, TINY, Size, config_of, job_of, overrides, parameters
from scripts.bench.harness import Measure, Row, compared, genomecli, last_number, markdown, rounds, run, write
from scripts.bench.made import keys_seen, texts_of, write_genome, write_proteins_of, yeast_lengths

if TYPE_CHECKING:
    from genomecli.models.settings import ModelSettings

RESIDUES = 488
"""Mean length of a protein of yeast."""


GOALS = {"133M": 328e3, "150M": 290e3, "650M": 94e3}
EMBEDDING_GOAL = 300e3
KINDS = {"genome": "genome windows", "protein": "proteins"}

CONFIG = """
tokenize:
  species: [{{name: made, sources: [{{kind: {kind}, path: {path}}}]}}]
pretrain:
  corpus: {folder}/{kind}.corpus
  model: {{preset: small, context: {context}}}
  reading: {{molecules: [{kind}], context: {context}}}
  log_every: 2
  validate_every: 0
  save_every: 0
  steps: 24
"""


class Table:
    """Rows that are written as soon as they are known.

    Args:
        out: folder of the table.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.begin = time.perf_counter()
        self.rows: list[Row] = []
        self.failed: list[str] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Write the table with these rows more."""
        self.rows += rows
        write(self.rows, time.perf_counter() - self.begin, self.out)

    def attempt(self, what: str, measure: Callable[[], Sequence[Row]]) -> None:
        """Add what is measured; an error becomes a row, so that the next measurement goes on."""
        try:
            found = measure()
        except (Exception, SystemExit) as error:  # of any kind: what was measured so far must not be lost
            print(f"gpu: {what} failed: {error}", file=sys.stderr)
            self.failed.append(what)
            note = f"failed, {reason(error)}"
            found = [Row("gpu", what, "", 0.0, goal="no error", met=False, note=note)]
        self.add(found)

    def minutes(self) -> float:
        """Since the beginning."""
        return (time.perf_counter() - self.begin) / 60


def reason(error: BaseException) -> str:
    """An error in one line; of a command that failed, its last words."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    said = lines[-1] if isinstance(error, SystemExit) else lines[0]
    return f"{type(error).__name__}: {said}"[:300].replace("|", "/")


def rate_of(out: Path) -> float:
    """Real tokens a second of a run, the median after the first third of its log lines."""
    lines = [json.loads(line) for line in (out / "speed.jsonl").read_text().splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines[len(lines) // 3 :])


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[float]]:
    """GB that torch holds at most within, as the list's one entry; 0 on a CPU."""
    found: list[float] = []
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    yield found
    found.append(torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0)


@dataclass(frozen=True)
class Trained:
    """One training that was timed.

    Args:
        size: name of the size.
        kind: ``protein`` or ``genome``.
        compiled: whether its blocks were.
        rate: real tokens a second.
        parameters: weights of the network.
        flops: training operations a token, without and with attention's own products.
        memory: most GB that torch held.
    """

    size: str
    kind: str
    compiled: bool
    rate: float
    parameters: int
    flops: tuple[float, float]
    memory: float

    def row(self, peak: float) -> Row:
        """In the table; ``peak`` is what the card can do, in TFLOP/s."""
        goal = GOALS.get(self.size) if self.kind == "protein" else None
        plain, whole = (utilisation(self.rate, each, peak) for each in self.flops)
        return Row(
            "gpu",
            f"training {self.size} on {KINDS[self.kind]}{', compiled' if self.compiled else ''}",
            "tokens/s",
            self.rate,
            goal="" if goal is None else f"at least {goal:,.0f}",
            met=None if goal is None else self.rate >= goal,
            note=f"{self.parameters / 1e6:.1f} million weights; MFU {plain:.1f} %, with attention "
            f"{whole:.1f} % of {peak:g} TFLOP/s; {self.memory:.1f} GB",
        )


def utilisation(rate: float, flops: float, peak: float) -> float:
    """MFU in percent, of ``rate`` tokens a second at ``flops`` operations each, and ``peak`` TFLOP/s."""
    return 100 * rate * flops / (peak * 1e12)


def training_flops(
    settings: ModelSettings, vocabulary: int, keys: float, decoded: float
) -> tuple[float, float]:
    """Training operations a token, without and with attention's own products.

    Args:
        settings: of the network.
        vocabulary: number of tokens.
        keys: tokens of the text that a token stands in, on average, see :func:`made.keys_seen`.
        decoded: share of tokens whose scores are computed.
    """
    from genomecli.models.cost import BACKWARD, estimate_cost

    cost = estimate_cost(settings, vocabulary, length=round(keys), decoded=decoded)
    plain = cost.linear_flops + cost.head_flops
    return (1 + BACKWARD) * plain, (1 + BACKWARD) * (plain + cost.attention_flops)


def fastest(found: Sequence[Trained], size: str, kind: str) -> Trained:
    """The fastest training of a size on a kind of text. Raises LookupError if there is none."""
    fitting = [one for one in found if (one.size, one.kind) == (size, kind)]
    if not fitting:
        raise LookupError(f"no training of {size} on {KINDS[kind]} was measured")
    return max(fitting, key=lambda one: one.rate)


@dataclass(frozen=True)
class Bench:
    """What all measurements share.

    Args:
        options: of the command line.
        folder: for files on the way.
        residues: int64[N], lengths of the proteins that are trained on.
        table: of the rows.
        found: trainings so far.
    """

    options: argparse.Namespace
    folder: Path
    residues: np.ndarray
    table: Table
    found: list[Trained]

    @property
    def device(self) -> torch.device:
        """Where all is measured."""
        return torch.device(self.options.device)

    @property
    def threads(self) -> int:
        """Of a command that is measured."""
        return os.cpu_count() or 1

    def config(self, kind: str) -> Path:
        """Settings of the trainings on a kind of text."""
        return self.folder / f"{kind}.yaml"

    def in_time(self) -> bool:
        """Whether something new may be begun."""
        return self.table.minutes() < float(self.options.minutes)


def prepare(options: argparse.Namespace, folder: Path, table: Table) -> Bench:
    """Write files and corpora; ``few`` are the proteins that both sides of the comparison read, and embed."""
    residues = yeast_lengths(300 if options.quick else 40_000)
    few = yeast_lengths(100 if options.quick else 10_000, seed=1)
    paths = {
        "protein": write_proteins_of(folder / "protein.fa", residues),
        "genome": write_genome(folder / "genome.fa", 0.3 if options.quick else 50),
        "few": write_proteins_of(folder / "few.fa", few, seed=1),
    }
    for name, path in paths.items():
        kind = "protein" if name == "few" else name
        text = CONFIG.format(kind=kind, path=path, folder=folder, context=CONTEXT)
        config = folder / f"{name}.yaml"
        config.write_text(text.replace(f"{kind}.corpus", f"{name}.corpus"), encoding="utf-8")
        genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/{name}.corpus")
    return Bench(options, folder, residues, table, [])


def train(bench: Bench, name: str, size: Size, kind: str, *, compiled: bool) -> list[Row]:
    """The row of one training, in this process."""
    from genomecli.commands.pretrain import run_pretrain

    options, out = bench.options, bench.folder / f"run-{kind}"
    config = config_of(bench.config(kind), size, options.device, compiled=compiled, steps=options.steps)
    # Code compiled for another size would count against the limit of recompilations.
    torch.compiler.reset()
    with peak_memory(bench.device) as memory:
        run_pretrain(config, out, force=True)
    job = job_of(config)
    masks = job.settings.objectives.mlm
    vocabulary = job.lexicon.vocabulary.size
    keys = keys_seen(texts_of(bench.residues, CONTEXT)) if kind == "protein" else float(CONTEXT)
    flops = training_flops(job.settings.model, vocabulary, keys, masks.rate if masks else 0.0)
    weights = parameters(size, vocabulary)
    bench.found.append(Trained(name, kind, compiled, rate_of(out), weights, flops, memory[0]))
    return [bench.found[-1].row(options.peak)]


def embed(bench: Bench, name: str) -> list[Row]:
    """Residues a second of ``embed`` by the network of that size; the command's start is subtracted."""
    fastest(bench.found, name, "protein")  # otherwise another size's run lies there
    one = bench.folder / "one.fa"
    one.write_text(">a\nMKV\n", encoding="ascii")
    fasta = bench.folder / "few.fa"
    start, whole = (_embedding_seconds(bench, path) for path in (one, fasta))
    residues = sum(len(line.strip()) for line in fasta.open() if not line.startswith(">"))
    rate, spent = residues / max(whole - start, 1e-3), whole - start
    goal = EMBEDDING_GOAL if name == "650M" else None
    return [
        Row(
            "gpu",
            f"embedding with {name}",
            "residues/s",
            rate,
            goal="" if goal is None else f"at least {goal:,.0f}",
            met=None if goal is None else rate >= goal,
            note=f"{spent:.1f} s beyond a start of {start:.1f} s"
            + (", too little to tell" if spent < start / 2 else ""),
        )
    ]


def _embedding_seconds(bench: Bench, fasta: Path) -> float:
    begin = time.perf_counter()
    given = ["--set", f"device={bench.options.device}", "--set", "embed.molecule=protein", "--force"]
    model, out = str(bench.folder / "run-protein"), str(bench.folder / "vectors.npy")
    arguments = ("embed", "-q", str(fasta), "--model", model, *given, "-o", out)
    genomecli(*arguments, threads=bench.threads)
    return time.perf_counter() - begin


def beside_flash(bench: Bench, size: Size) -> list[Row]:
    """Attention of a batch of proteins, forward and backward, beside flash-attn where it is installed."""
    from scripts.bench.peers import flash

    tokens = texts_of(bench.residues, CONTEXT)
    tokens = tokens[: max(1, int(np.searchsorted(tokens.cumsum(), size.batch, side="right")))]
    batch = flash.packed_batch(tokens, size.heads, size.width // size.heads, bench.device)
    ours, theirs = flash.our_attention(batch), flash.flash_attention(batch)
    times = 3 if bench.options.quick else 50
    what = f"attention of {len(tokens)} proteins, {size.heads} x {size.width // size.heads}"
    if theirs is None:
        rate = flash.attention_rate(ours, batch, times)
        return [Row("gpu", what, "tokens/s", rate, note="flash-attn is not installed")]
    sides: list[Measure] = [
        lambda: flash.attention_rate(ours, batch, times),
        lambda: flash.attention_rate(theirs, batch, times),
    ]
    pairs = rounds(sides, bench.options.repeats)[0]
    row = compared(pairs, benchmark="gpu", what=what, unit="tokens/s", peer="flash-attn")
    return [replace(row, note=f"largest difference {flash.difference(ours, theirs, batch):.2g}")]


def beside_trainer(bench: Bench, name: str, size: Size) -> list[Row]:
    """BERT of that depth and width on both sides, each its own command, in turns."""
    if bench.device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()  # for the commands, which hold the card's memory themselves
    compiled = fastest(bench.found, name, "protein").compiled
    theirs = [_trainer(bench, size, tuned=tuned) for tuned in (False, True)]
    found = rounds([lambda: _our_bert(bench, size, compiled), *theirs], bench.options.repeats)
    note = f"BERT, {size.layers} layers, width {size.width}{', ours compiled' if compiled else ''}"
    return [
        compared(pairs, benchmark="gpu", what="training on proteins", unit="tokens/s", peer=peer, note=note)
        for peer, pairs in zip(("Trainer, at its defaults", "Trainer, tuned"), found, strict=True)
    ]


def _our_bert(bench: Bench, size: Size, compiled: bool) -> float:
    """Real tokens a second of ``pretrain``, of the network that Trainer trains."""
    out = bench.folder / "run-bert"
    bert = replace(size, intermediate=4 * size.width, step=size.batch)
    given = overrides(bert, bench.options.device, compiled=compiled, steps=bench.options.steps)
    given += ["pretrain.model.architecture=classic", "pretrain.objectives.mlm.rate=0.15"]
    words = [word for one in given for word in ("--set", one)]
    arguments = ("pretrain", "-q", "-c", str(bench.config("few")), "-o", str(out), "--force", *words)
    genomecli(*arguments, threads=bench.threads)
    return rate_of(out)


def _trainer(bench: Bench, size: Size, *, tuned: bool) -> Measure:
    """Real tokens a second of Trainer; tuned, its batch has about as many tokens as ours."""
    command = [sys.executable, "-m", "scripts.bench.peers.trainer", str(bench.folder / "few.fa")]
    shape = {"molecule": "protein", "layers": size.layers, "width": size.width, "heads": size.heads}
    given = {**shape, "context": CONTEXT, "minutes": 0.1 if bench.options.quick else 0.5, "warm": 2}
    command += [word for name, value in given.items() for word in (f"--{name}", str(value))]
    batch = round(size.batch / texts_of(bench.residues, CONTEXT).mean())
    command += ["--tuned", "--batch", str(batch)] if tuned else []
    return lambda: last_number(run(command, threads=bench.threads))


def all_checks(bench: Bench, sizes: dict[str, Size]) -> None:
    """Every check, in the table.

    Raises:
        SystemExit: with what failed.
    """
    rows = checks(bench.device)
    name, size = next(iter(sizes.items()))
    ways = (False, True) if bench.device.type == "cuda" else (False,)
    config, device = bench.config("protein"), bench.options.device
    rows += [waits(name, size, config, device, compiled=compiled) for compiled in ways]
    bench.table.add(rows)
    refuse(rows)


def measure_size(bench: Bench, name: str, size: Size) -> None:
    """All rows of one size."""
    for kind, texts in KINDS.items():
        for compiled in (False, True) if bench.device.type == "cuda" else (False,):
            what = f"training {name} on {texts}{', compiled' if compiled else ''}"
            bench.table.attempt(what, lambda k=kind, c=compiled: train(bench, name, size, k, compiled=c))
    bench.table.attempt(f"embedding with {name}", lambda: embed(bench, name))
    if name == bench.options.beside:
        bench.table.attempt("attention beside flash-attn", lambda: beside_flash(bench, size))
        bench.table.attempt("training beside Trainer", lambda: beside_trainer(bench, name, size))


def measure(options: argparse.Namespace) -> Table:
    """The table of all that the time allows; what is left out is said.

    Raises:
        SystemExit: if a check fails.
    """
    table = Table(options.out)
    sizes = TINY if options.quick else {name: SIZES[name] for name in options.sizes.split(",")}
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as temporary:
        bench = prepare(options, Path(temporary), table)
        all_checks(bench, sizes)
        for name, size in sizes.items():
            if bench.in_time():
                measure_size(bench, name, size)
            else:
                table.add([Row("gpu", f"{name} was left out", "", 0.0, note="no time was left")])
    return table


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--beside", default="133M", help="size at which peers are measured too")
    parser.add_argument("--steps", type=int, default=24, help="of each training")
    parser.add_argument("--repeats", type=int, default=3, help="turns with each peer")
    parser.add_argument("--minutes", type=float, default=25, help="no new size is begun after that")
    parser.add_argument("--peak", type=float, default=989, help="dense bf16 TFLOP/s of the card")
    parser.add_argument("--quick", action="store_true", help="one tiny size")
    parser.add_argument("-o", "--out", type=Path, default=Path("bench-gpu"))
    options = parser.parse_args()
    unknown = sorted(set(options.sizes.split(",")) - set(SIZES))
    if unknown:
        parser.error(f"no sizes are called {', '.join(unknown)}; choose from {', '.join(SIZES)}")
    if options.quick:
        options.beside, options.steps, options.repeats = "tiny", 9, 1
    return options


def main() -> None:
    """Measure, print the table, write it as JSON and Markdown."""
    options = parse()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no CUDA device here; --device cpu --quick shows that the script runs")
    table = measure(options)
    print(markdown(table.rows))
    if table.failed:
        raise SystemExit(f"gpu: failed: {', '.join(table.failed)}")


if __name__ == "__main__":
    main()
