"""Where the time of a training step and of ``tokenize`` goes, beside what the machine can do.

    python -m scripts.bench.where_time_goes
    python -m scripts.bench.where_time_goes --quick

The limits are measured before, between and after the steps, and the best counts: products of matrices in
operations a second; copies, SHA-256 and a byte table in bytes a second. A step's times are each operator's
own, as torch's profiler gives them with the shapes of what it was given; from these, operations of products
(attention's too, with those made again in the backward pass) and bytes are counted. Bytes are those that an
operator reads and writes once each, as if nothing stayed in a cache. What is left is Python, the making of
batches and masks, and starting operators. Of ``tokenize`` it is processor time by stage, of one process.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scripts.bench.harness import machine, machine_line
from scripts.bench.made import write_genes, write_genome, write_proteins
from scripts.bench.training_speed import CONTEXT, HEADS, LAYERS, THREADS, TOKENS, WIDTH, prepared

PRODUCTS, FUSED, OTHERS = "products of matrices", "attention in one kernel", "other operators"
COPIES, ELEMENTS, NORMS = "copies, casts and fills", "element by element, and sums", "norms"
FRAMES = "autograd and what calls operators"

KINDS = {
    PRODUCTS: "mm addmm bmm baddbmm addbmm mv addmv dot linear matmul einsum",
    FUSED: "scaled_dot_product_attention _fused_sdp_choice _scaled_dot_product_flash_attention_for_cpu",
    "softmax": "softmax _softmax _safe_softmax",
    "dropout and random numbers": "dropout native_dropout bernoulli rand rand_like uniform normal random "
    "randint",
    NORMS: "layer_norm native_layer_norm rms_norm _fused_rms_norm",
    "loss": "log_softmax _log_softmax cross_entropy_loss nll_loss nll_loss_nd logsumexp",
    "optimiser and clipping": "_fused_adamw _fused_adam _foreach_norm _foreach_mul _foreach_add _foreach_div "
    "_foreach_addcmul _foreach_addcdiv _foreach_lerp _foreach_sqrt linalg_vector_norm norm",
    "look-ups and selections": "embedding embedding_dense index index_add index_copy index_put "
    "_index_put_impl index_select gather scatter scatter_add nonzero masked_select repeat_interleave",
    COPIES: "copy to _to_copy type_as cat stack clone contiguous fill zero zeros new_zeros zeros_like ones "
    "ones_like new_ones full full_like new_full constant_pad_nd pad",
    ELEMENTS: "gelu silu sigmoid tanh relu mul add sub rsub div exp log neg pow square sqrt rsqrt reciprocal "
    "where masked_fill abs clamp maximum minimum sin cos lerp addcmul addcdiv eq ne lt le gt ge isfinite "
    "isnan bitwise_not bitwise_and bitwise_or logical_not logical_and logical_or sum mean max min amax amin "
    "all any argmax cumsum",
    "views, new tensors, single values": "as_strided transpose t permute view view_as _unsafe_view reshape "
    "_reshape_alias expand expand_as squeeze unsqueeze unbind unflatten flatten narrow slice select split "
    "chunk movedim detach alias lift_fresh resolve_conj resolve_neg empty empty_like empty_strided new_empty "
    "new_empty_strided resize result_type arange scalar_tensor item _local_scalar_dense is_nonzero",
}
"""Operators by their whole names, see :func:`bare`."""

KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}

FRAME = re.compile(r"(autograd|torch::autograd)::.*|Optimizer\..*|\w+Backward\d*|_InCache|detach")
"""Not operators: what autograd, the optimiser and our own function run between them."""

WRAPPERS = (
    "to _to_copy type_as clone contiguous stack zero zeros new_zeros zeros_like ones ones_like new_ones full "
    "full_like new_full pad layer_norm rms_norm mean"
)
"""They move nothing themselves: the operator that they call is counted."""

TOLD = (COPIES, ELEMENTS, NORMS)
"""Kinds whose bytes are set against the bandwidth. Scores of attention are made to stay in the cache."""

SIZES = {"c10::BFloat16": 2, "c10::Half": 2, "double": 8, "long int": 8, "int": 4, "float": 4, "bool": 1}
"""Bytes of a number by what the profiler calls it. It does not say of lists of tensors."""

COPIED = "copies, GB/s read and written"
TABLE = "a byte table, one core, GB/s"
SHA = "SHA-256, one core, GB/s"

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
    source = np.ones(1 << 25, np.float32)
    target = np.empty_like(source)
    many, room = torch.from_numpy(source), torch.from_numpy(target)
    data, table = bytes(1 << 25), bytes(range(256))
    both = 2 * source.nbytes / 1e9
    return {
        **{f"products in {name}, GFLOP/s": _peak(name) for name in ("fp32", "bf16")},
        COPIED: rate(lambda: room.copy_(many), both),
        f"{COPIED}, one core": rate(lambda: np.copyto(target, source), both),
        TABLE: rate(lambda: data.translate(table), len(data) / 1e9),
        SHA: rate(lambda: hashlib.sha256(data).digest(), len(data) / 1e9),
    }


def _peak(precision: str) -> float:
    """GFLOP/s of products: the best of large squares and of the step's own shapes."""
    import torch

    best = 0.0
    for rows, inner, columns in ((2048, 2048, 2048), (TOKENS, WIDTH, 4 * WIDTH), (TOKENS, 4 * WIDTH, WIDTH)):
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        a, b = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
        best = max(best, rate(functools.partial(torch.matmul, a, b), 2e-9 * rows * inner * columns))
    return best


def better(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """The higher of both rates: what other work on the machine takes away is no limit."""
    return {name: max(value, other[name]) for name, value in one.items()}


@dataclass
class Step:
    """What a profile tells of a training step.

    Args:
        seconds: of the step, under the profiler.
        alone: of the warm steps before it, without the profiler.
        kinds: seconds of each kind of operator.
        operations: of products, by kind.
        moved: bytes read and written, by kind.
        unsorted: seconds of operators that fit no kind.
    """

    seconds: float = 0.0
    alone: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    unsorted: Counter[str] = field(default_factory=Counter)


def bare(operator: str) -> str:
    """Name of an operator, the same for its backward pass and in place: ``gelu`` of aten::gelu_backward."""
    return re.sub(r"(_backward|_backward_data|_forward|_)$", "", operator.removeprefix("aten::"))


def kind_of(operator: str) -> str:
    """Which of :data:`KINDS` an operator belongs to."""
    if FRAME.fullmatch(operator):
        return FRAMES
    return KIND_OF.get(bare(operator), OTHERS)


def sort_events(events: Iterable[Any], steps: int, unknown: int) -> Step:
    """Times, operations and bytes of one step by kind, from the profiler's events of ``steps`` steps.

    Args:
        events: with shapes.
        steps: that were profiled.
        unknown: bytes of a number in lists of tensors, whose dtype the profiler does not say.
    """
    found = Step()
    for event in events:
        kind, seconds = kind_of(event.name), event.self_cpu_time_total / 1e6 / steps
        found.kinds[kind] += seconds
        found.operations[kind] += operations(event) / steps
        if kind == OTHERS:
            found.unsorted[event.name] += seconds
        if kind in TOLD:
            found.moved[kind] += moved(event, unknown) / steps
    return found


def operations(event: Any) -> float:
    """Of a product, two for each multiplication; 0 of others, and of one inside another, counted there.

    Attention's one kernel makes two products forward, and five backward, as it makes the scores again.
    """
    name, shapes = bare(event.name), [shape for shape in event.input_shapes if shape]
    backward = "_backward" in event.name
    if kind_of(event.name) == FUSED and name.endswith("for_cpu"):
        query, key = shapes[backward : backward + 2]
        return (10.0 if backward else 4.0) * math.prod(query) * key[-2]
    if name not in ("mm", "addmm", "bmm", "baddbmm") or _inside_product(event):
        return 0.0
    left, right = event.input_shapes[name in ("addmm", "baddbmm") :][:2]
    return 2.0 * math.prod(left) * right[-1]


def _inside_product(event: Any) -> bool:
    parent = event.cpu_parent
    while parent is not None:
        if bare(parent.name) in ("mm", "addmm", "bmm", "baddbmm"):
            return True
        parent = parent.cpu_parent
    return False


def moved(event: Any, unknown: int) -> float:
    """Bytes that an operator reads and writes: its tensors, and a result like the largest of them.

    What is repeated by a stride of 0 counts once. 0 of those that only call others, and of all where this
    torch does not give strides.
    """
    name = bare(event.name)
    if name in WRAPPERS.split() or not hasattr(event, "structured_input_strides"):
        return 0.0
    given = [
        math.prod(n for n, stride in zip(shape, strides, strict=True) if stride) * SIZES.get(dtype, unknown)
        for dtype, shapes, stridess in zip(
            event.input_dtypes, event.structured_input_shapes, event.structured_input_strides, strict=True
        )
        for shape, strides in _tensors(dtype, shapes, stridess)
    ]
    if name in ("copy", "fill") or not given:  # their result is among what they are given
        return float(sum(given))
    if name == "cat":
        return 2.0 * sum(given)
    return float(sum(given) + (0 if name == "sum" else max(given)))


def _tensors(dtype: str, shapes: list[Any], strides: list[Any]) -> Iterator[tuple[list[int], list[int]]]:
    if dtype == "TensorList":
        yield from zip(shapes, strides, strict=True)
    elif shapes:
        yield shapes, strides


def step_profile(folder: Path, precision: str, steps: int) -> Step:
    """Profile the steps of a run after three that are not."""
    from torch.profiler import ProfilerActivity, profile

    warm, done = 3, [time.perf_counter()]
    trace = profile(activities=[ProfilerActivity.CPU], record_shapes=True)

    def advance() -> None:
        done.append(time.perf_counter())
        if len(done) == 1 + warm:
            trace.start()
            begun.append(time.perf_counter())
        if len(done) == 1 + warm + steps:
            trace.stop()

    begun: list[float] = []
    _trainer(folder, precision, warm + steps, advance).run()
    found = sort_events(trace.events(), steps, 2 if precision == "bf16" else 4)
    found.seconds = (done[-1] - begun[0]) / steps
    found.alone = (done[warm] - done[1]) / (warm - 1)
    return found


def _trainer(folder: Path, precision: str, steps: int, advance: Callable[[], None]) -> Any:
    """What ``pretrain`` runs on made-up genes."""
    from genomecli.commands.pretrain import _job, open_corpus
    from genomecli.config import load_config
    from genomecli.training.learner import Hooks
    from genomecli.training.loop import Trainer
    from genomecli.training.objective_learner import ObjectiveLearner
    from genomecli.training.optimiser import build_optimiser
    from genomecli.training.plan import Plan

    (folder / precision).mkdir()
    path = prepared(folder / precision, "cds", write_genes(folder / precision / "genes.fa", 1500))
    overrides = [f"pretrain.steps={steps}", f"precision={precision}", f"threads={THREADS}"]
    config = load_config(path, overrides, needs=["pretrain"])
    job = _job(config, 0, open_corpus(config.pretrain.corpus), None)
    model = job.new_model()
    optimiser = build_optimiser(model, job.optimiser, job.machine.device)
    plan = Plan(steps, job.optimiser.lr, lambda _: 1.0, precision=precision, log_every=0)
    learner = ObjectiveLearner(job.mixture, 0)
    return Trainer(model, learner, job.sampler, optimiser, plan, Hooks(advance=advance))


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
    print(machine_line(machine()))
    can, steps = limits(THREADS), {}
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        for precision in ("bf16", "fp32"):
            steps[precision] = step_profile(folder, precision, 2 if quick else 8)
            can = better(can, limits(THREADS))
        print(f"\nWhat it can do, {THREADS} threads, best of three\n\n| what | rate |\n|---|---|")
        for what, value in can.items():
            print(f"| {what} | {value:,.1f} |")
        for precision, step in steps.items():
            print(step_text(step, precision, can))
        sizes = {"genome": 20.0, "protein": 4.0} if quick else {"genome": 300.0, "protein": 80.0}
        for kind, megabytes in sizes.items():
            print_tokenize(folder, kind, megabytes, can)


def least_times(step: Step, peak: float, copies: float) -> dict[str, float]:
    """Seconds that each kind takes at least: its operations over ``peak``, its bytes over ``copies``."""
    least = {kind: amount / peak for kind, amount in step.operations.items() if amount}
    return least | {kind: amount / copies for kind, amount in step.moved.items() if amount}


def step_text(step: Step, precision: str, can: dict[str, float]) -> str:
    """The table of a training step, and what it says of the limits."""
    peak, copies = 1e9 * can[f"products in {precision}, GFLOP/s"], 1e9 * can[COPIED]
    least = least_times(step, peak, copies)
    shape = f"{LAYERS} layers, width {WIDTH}, {HEADS} heads, context {CONTEXT}, {TOKENS:,} tokens"
    lines = [
        f"\nA training step in {precision} ({shape}): {1e3 * step.seconds:.0f} ms,"
        f" {1e3 * step.alone:.0f} ms without the profiler\n",
        "| what | ms | share | operations or bytes | ms at least |",
        "|---|---|---|---|---|",
    ]
    rest = step.seconds - step.kinds.total()
    for kind, spent in [*step.kinds.most_common(), ("Python, batches, masks, starting operators", rest)]:
        amount = f"{step.operations[kind] / 1e9:.1f} GFLOP" if step.operations[kind] else ""
        amount = amount or (f"{step.moved[kind] / 1e9:.2f} GB" if step.moved[kind] else "")
        bound = f"{1e3 * least[kind]:.1f}" if kind in least else ""
        share = 100 * spent / step.seconds
        lines.append(f"| {kind} | {1e3 * spent:.1f} | {share:.1f} % | {amount} | {bound} |")
    return "\n".join([*lines, "", *limit_lines(step, least, peak, copies)])


def limit_lines(step: Step, least: dict[str, float], peak: float, copies: float) -> list[str]:
    """What the limit is, how near the step is to it, what is left, and what was not sorted."""
    total, products = step.operations.total(), step.kinds[PRODUCTS]
    bytes_, passes = step.moved.total(), sum(step.kinds[kind] for kind in TOLD)
    by_operations, by_bytes = total / peak, bytes_ / copies
    bound = "operations over the peak" if by_operations > by_bytes else "bytes over the bandwidth"
    left = Counter({kind: spent - least.get(kind, 0.0) for kind, spent in step.kinds.items()})
    most = ", ".join(f"{kind} {1e3 * spent:.0f} ms" for kind, spent in left.most_common(3))
    passed = (
        f"{bytes_ / 1e9:.1f} GB read and written if nothing stays in a cache, at"
        f" {_share(bytes_ / passes, copies)} of the bandwidth of copies (over 100 %: some stayed)"
        if bytes_
        else "not counted, as this torch's profiler does not give sizes"
    )
    named = ", ".join(f"{name} {1e3 * spent:.2f} ms" for name, spent in step.unsorted.most_common(5))
    return [
        f"Operations: {total / 1e9:,.0f} GFLOP a step, {_share(total / step.seconds, peak)} of the peak over"
        f" the whole step; products alone run at {_share(step.operations[PRODUCTS] / products, peak)} of it.",
        f"Bytes of {'; '.join(TOLD)}: {passed}.",
        f"Limit: {bound} ({1e3 * by_operations:.0f} ms of operations, {1e3 * by_bytes:.0f} ms of bytes;"
        f" together {_share(by_operations + by_bytes, step.seconds)} of the step). Left above them: {most}.",
        f"Operators that fit no kind: {named or 'none'}.",
    ]


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"


def print_tokenize(folder: Path, kind: str, megabytes: float, can: dict[str, float]) -> None:
    """The tables of ``tokenize``: where its time goes, and what it takes at least."""
    make = write_genome if kind == "genome" else write_proteins
    path = make(folder / f"{kind}.fa", megabytes)
    config, out = folder / f"{kind}-only.yaml", folder / f"{kind}-only.corpus"
    source = f"{{kind: {kind}, path: {path}}}"
    config.write_text(f"tokenize: {{species: [{{name: made, sources: [{source}]}}]}}\n", encoding="utf-8")
    spent = tokenize_stages(config, out)
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
    written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(tokenize_bounds(path.stat().st_size, written, whole, can))


def tokenize_bounds(read: int, written: int, taken: float, can: dict[str, float]) -> str:
    """What ``tokenize`` takes at least, beside what it took: its bytes at the rates of one core.

    Args:
        read: bytes of the source, about one a letter: each goes through a table, and into a digest.
        written: bytes of the corpus.
        taken: processor seconds.
        can: the limits.
    """
    bounds = {
        "reading the source and writing the corpus, at the rate of copies": (
            read + written,
            can[f"{COPIED}, one core"],
        ),
        "each letter through a byte table": (read, can[TABLE]),
        "SHA-256 of source, letters and corpus": (2 * read + written, can[SHA]),
    }
    least = {what: amount / 1e9 / speed for what, (amount, speed) in bounds.items()}
    lines = ["\n| at least | MB | seconds | share |", "|---|---|---|---|"]
    for what, (amount, _) in bounds.items():
        lines.append(f"| {what} | {amount / 1e6:.1f} | {least[what]:.3f} | {_share(least[what], taken)} |")
    total, longest = sum(least.values()), max(least, key=lambda what: least[what])
    return "\n".join(
        [
            *lines,
            f"\nThese three take {total:.2f} s at least, {_share(total, taken)} of the {taken:.2f} taken; "
            f"the longest: {longest}. Left above them: {taken - total:.2f} s.",
        ]
    )


if __name__ == "__main__":
    main()
