"""Where the time of a training step and of ``tokenize`` goes, beside what the machine can do.

    python -m scripts.bench.where_time_goes
    python -m scripts.bench.where_time_goes --quick

The limits are measured first: products of matrices in operations a second; copies, SHA-256 and a byte table
in bytes a second. A step's times are each operator's own, as torch's profiler gives them; what is left is
Python, the making of batches and masks, and starting operators. Of ``tokenize`` it is processor time by
stage, of one process.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.bench.made import write_genes, write_genome, write_proteins
from scripts.bench.training_speed import CONTEXT, HEADS, LAYERS, THREADS, TOKENS, WIDTH, prepared

KINDS = {
    "products of matrices": ("aten::mm", "aten::addmm", "aten::bmm", "mkldnn", "aten::linear"),
    "attention": ("scaled_dot_product", "flash_attention", "aten::_softmax"),
    "norms": ("layer_norm",),
    "loss": ("log_softmax", "nll_loss", "cross_entropy", "logsumexp"),
    "optimiser and clipping": ("adam", "_foreach", "linalg_vector_norm", "aten::norm"),
    "look-ups and selections": ("embedding", "index", "gather", "scatter"),
    "casts and copies": ("copy_", "_to_copy", "aten::cat", "clone", "contiguous"),
    "element by element": (
        "gelu",
        "mul",
        "add",
        "sub",
        "div",
        "silu",
        "sigmoid",
        "where",
        "dropout",
        "fill_",
        "sum",
    ),
}
"""Operators by a part of their name; the first kind that fits."""

STAGES = {
    "genomecli.corpus.build": (
        "read_unit",
        "load_rows",
        "merge_rows",
        "write_shards",
        "_scan",
        "write_records",
    ),
    "genomecli.corpus.look_beside": ("draw_look",),
    "genomecli.corpus.merge": ("families", "gene_sketches"),
}
"""Functions of ``tokenize`` whose processor time is told; those of merge are parts of ``merge_rows``."""


def rate(work: Callable[[], object], amount: float, seconds: float = 0.5) -> float:
    """``amount`` a second: the best of several rounds."""
    best, begin = 0.0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        before = time.perf_counter()
        work()
        best = max(best, amount / (time.perf_counter() - before))
    return best


def limits(threads: int) -> dict[str, float]:
    """What this machine can do: operations a second in products, bytes a second in copies and hashes."""
    import torch

    torch.set_num_threads(threads)
    side = 1024
    a, b = torch.randn(TOKENS // 8, side), torch.randn(side, side)
    half_a, half_b = a.bfloat16(), b.bfloat16()
    operations = 2.0 * a.shape[0] * side * side
    source = torch.randn(1 << 25)
    target = torch.empty_like(source)
    data = bytes(1 << 25)
    table = bytes(range(256))
    return {
        "products in fp32, GFLOP/s": rate(lambda: a @ b, operations / 1e9),
        "products in bf16, GFLOP/s": rate(lambda: half_a @ half_b, operations / 1e9),
        "copies, GB/s read and written": rate(lambda: target.copy_(source), 2 * source.nbytes / 1e9),
        "a byte table, one core, GB/s": rate(lambda: data.translate(table), len(data) / 1e9),
        "SHA-256, one core, GB/s": rate(lambda: hashlib.sha256(data).digest(), len(data) / 1e9),
    }


def step_profile(folder: Path, precision: str, steps: int) -> tuple[float, dict[str, float], float]:
    """Seconds of a step, seconds of each kind of operator in it, and operations of a step."""
    from torch.profiler import ProfilerActivity, profile

    from genomecli.commands.pretrain import _job, open_corpus
    from genomecli.config import load_config
    from genomecli.models.cost import estimate_cost
    from genomecli.training.learner import Hooks
    from genomecli.training.loop import Trainer
    from genomecli.training.objective_learner import ObjectiveLearner
    from genomecli.training.optimiser import build_optimiser
    from genomecli.training.plan import Plan

    (folder / precision).mkdir()
    path = prepared(folder / precision, "cds", write_genes(folder / precision / "genes.fa", 1500))
    warm = 3
    overrides = [f"pretrain.steps={warm + steps}", f"precision={precision}", f"threads={THREADS}"]
    config = load_config(path, overrides, needs=["pretrain"])
    job = _job(config, 0, open_corpus(config.pretrain.corpus), None)
    model = job.new_model()
    optimiser = build_optimiser(model, job.optimiser, job.machine.device)
    plan = Plan(warm + steps, job.optimiser.lr, lambda _: 1.0, precision=precision, log_every=0)
    done: list[float] = []
    trace = profile(activities=[ProfilerActivity.CPU])

    def advance() -> None:
        done.append(time.perf_counter())
        if len(done) == warm:
            trace.start()
            done[-1] = time.perf_counter()
        if len(done) == warm + steps:
            trace.stop()

    Trainer(
        model, ObjectiveLearner(job.mixture, 0), job.sampler, optimiser, plan, Hooks(advance=advance)
    ).run()
    found = dict.fromkeys((*KINDS, "other operators"), 0.0)
    for event in trace.key_averages():
        if event.key.startswith(("aten::", "mkldnn", "autograd")) or "Backward" in event.key:
            found[kind_of(event.key)] += event.self_cpu_time_total / 1e6 / steps
    batch = job.sampler.step(0)[0]
    tokens = batch.tokens.numel()
    cost = estimate_cost(
        job.settings.model,
        job.lexicon.vocabulary.size,
        languages=len(job.lexicon.languages),
        length=batch.tokens.shape[1],
        batch_tokens=tokens,
        decoded=0.15,
    )
    products = 3 * (cost.linear_flops + cost.head_flops) * tokens
    return (done[-1] - done[warm - 1]) / steps, found, products


def kind_of(operator: str) -> str:
    """Which of :data:`KINDS` an operator belongs to."""
    for kind, parts in KINDS.items():
        if any(part in operator for part in parts):
            return kind
    return "other operators"


@contextmanager
def timed_stages() -> Iterator[dict[str, float]]:
    """Processor seconds of the stages of ``tokenize``, while inside."""
    import importlib

    spent: dict[str, float] = {}
    before: list[tuple[Any, str, Any]] = []
    for module_name, names in STAGES.items():
        module = importlib.import_module(module_name)
        for name in names:
            function = getattr(module, name)
            before.append((module, name, function))
            setattr(module, name, _timed(function, name, spent))
    try:
        yield spent
    finally:
        for module, name, function in before:
            setattr(module, name, function)


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(function)
    def measured(*arguments: Any, **options: Any) -> Any:
        begin = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - begin

    return measured


def tokenize_stages(config: Path, out: Path) -> dict[str, float]:
    """Processor seconds by stage, and of the whole process; it runs in a process of its own."""
    code = (
        "import json, sys, time\n"
        "from scripts.bench.where_time_goes import timed_stages\n"
        "from genomecli.commands.tokenize import run_tokenize\n"
        "from genomecli.config import load_config\n"
        "from pathlib import Path\n"
        f"config = load_config(Path({str(config)!r}), [], needs=['tokenize'])\n"
        "with timed_stages() as spent:\n"
        f"    run_tokenize(config, Path({str(out)!r}), workers=1)\n"
        "print(json.dumps({**spent, 'whole process': time.process_time()}))\n"
    )
    import json

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench.where_time_goes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small sizes")
    quick = parser.parse_args().quick
    print(f"The machine, {THREADS} threads\n\n| what | rate |\n|---|---|")
    can = limits(THREADS)
    for name, value in can.items():
        print(f"| {name} | {value:,.1f} |")
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        for precision in ("bf16", "fp32"):
            print_step(folder, precision, 2 if quick else 8, can)
        sizes = {"genome": 20.0, "protein": 4.0} if quick else {"genome": 300.0, "protein": 80.0}
        for kind, megabytes in sizes.items():
            print_tokenize(folder, kind, megabytes)


def print_step(folder: Path, precision: str, steps: int, can: dict[str, float]) -> None:
    """The table of a training step."""
    seconds, kinds, operations = step_profile(folder, precision, steps)
    shape = f"{LAYERS} layers, width {WIDTH}, {HEADS} heads, context {CONTEXT}, {TOKENS:,} tokens"
    print(f"\nA training step in {precision} ({shape}): {1e3 * seconds:.0f} ms\n")
    print("| what | ms | share |\n|---|---|---|")
    rest = seconds - sum(kinds.values())
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    for kind, spent in [*ordered, ("Python, batches, masks, starting operators", rest)]:
        print(f"| {kind} | {1e3 * spent:.1f} | {100 * spent / seconds:.1f} % |")
    achieved = operations / kinds["products of matrices"] / 1e9
    peak = can[f"products in {precision}, GFLOP/s"]
    whole = operations / seconds / 1e9
    print(
        f"\nProducts run at {achieved:,.0f} GFLOP/s, {100 * achieved / peak:.0f} % of large ones alone; ",
        end="",
    )
    print(f"the whole step at {whole:,.0f}, {100 * whole / peak:.0f} %.")


def print_tokenize(folder: Path, kind: str, megabytes: float) -> None:
    """The table of ``tokenize``."""
    make = write_genome if kind == "genome" else write_proteins
    path = make(folder / f"{kind}.fa", megabytes)
    config = folder / f"{kind}-only.yaml"
    source = f"{{kind: {kind}, path: {path}}}"
    config.write_text(f"tokenize: {{species: [{{name: made, sources: [{source}]}}]}}\n", encoding="utf-8")
    spent = tokenize_stages(config, folder / f"{kind}-only.corpus")
    whole = spent.pop("whole process")
    parts = STAGES["genomecli.corpus.merge"]
    told = sum(seconds for name, seconds in spent.items() if name not in parts)
    print(f"\ntokenize of {megabytes:g} MB of {kind}: {whole:.2f} processor seconds\n")
    print("| stage | seconds | share |\n|---|---|---|")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        of = " (part of merge_rows)" if name in parts else ""
        print(f"| {name}{of} | {seconds:.2f} | {100 * seconds / whole:.0f} % |")
    rest = whole - told
    print(f"| imports, checksums, tables, the rest | {rest:.2f} | {100 * rest / whole:.0f} % |")


if __name__ == "__main__":
    main()
