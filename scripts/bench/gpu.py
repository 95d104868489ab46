"""What one GPU does: checks first, then training and embedding at several sizes; one table.

    python -m scripts.bench.gpu -o bench-gpu                      # 8M to 650M, about 25 minutes on an H200
    python -m scripts.bench.gpu --sizes 8M,150M --minutes 10
    python -m scripts.bench.gpu --device cpu --quick -o bench-quick    # to see that it runs

Checks: packed texts give the states of padded ones, compiled blocks those of eager ones, bf16 is near fp32.
Texts are proteins with the lengths of a proteome and windows of a genome, at context 1024. Tokens are real
ones, without padding. MFU is operations over what the card can do in dense bf16 (``--peak``), without and
with attention's products. Each size is trained by ``genomecli pretrain``, plain and compiled, and embeds by
``genomecli embed``; the peer is Hugging Face's Trainer, tuned, at one size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from scripts.bench.harness import Row, compared, genomecli, last_number, markdown, run, write
from scripts.bench.made import write_genome, write_proteins

SIZES = {
    "8M": {"layers": 6, "width": 320, "heads": 5},
    "35M": {"layers": 12, "width": 480, "heads": 8, "batch": 131_072},
    "133M": {"layers": 18, "width": 768, "heads": 12},
    "150M": {"layers": 30, "width": 640, "heads": 10},
    "650M": {"layers": 33, "width": 1280, "heads": 20, "batch": 32_768},
}
"""Shapes of ESM-2, with heads of 64 (60 at 35M), and 133M as in the speed runs of SpeedrunningPLMs."""

GOALS = {"133M": 328e3, "150M": 290e3, "650M": 94e3}
EMBEDDING_GOAL = 300e3
CONTEXT = 1024
TINY = {"tiny": {"layers": 2, "width": 64, "heads": 1, "batch": 4096}}

CONFIG = """
tokenize:
  species: [{{name: made, sources: [{{kind: {kind}, path: {path}}}]}}]
pretrain:
  corpus: {folder}/{kind}.corpus
  model: {{preset: small, context: {context}}}
  reading: {{molecules: [{kind}], context: {context}, tokens_per_batch: 65536, tokens_per_step: 262144}}
  log_every: 2
  validate_every: 0
  save_every: 0
  steps: 24
"""


def checks(device: torch.device) -> list[Row]:
    """Largest differences between the fast paths and the plain one, of a small network's states."""
    from genomecli.corpus.batch import Batch
    from genomecli.corpus.packing import PackSizes, pack, real_places
    from genomecli.models.compiling import compile_blocks
    from genomecli.models.encode import encode
    from genomecli.models.language_model import LanguageModel
    from genomecli.models.settings import ModelSettings
    from genomecli.models.timing import autocast

    torch.manual_seed(0)
    settings = ModelSettings.model_validate({"preset": "small", "layers": 4, "context": 256})
    model = LanguageModel(settings, 32).to(device).eval()
    lengths = torch.tensor([256, 200, 131, 64, 7])
    tokens = torch.randint(5, 32, (5, 256))
    places = torch.arange(256).expand(5, 256)
    zeros = torch.zeros_like(tokens)
    batch = Batch(tokens, lengths, places, zeros, torch.arange(5))
    real = real_places(batch).to(device)

    @torch.no_grad()
    def states(network: LanguageModel, packed: bool, precision: str) -> torch.Tensor:
        texts = pack(batch, PackSizes(1024, 256)) if packed else batch
        with autocast(device, precision):
            last = encode(network, texts.to(device)).last.float()
        return last[: len(real)] if packed else last.flatten(0, 1)[real]

    plain = states(model, False, "fp32")
    half = states(model, False, "bf16")
    rows = [
        _check("bf16 beside fp32, padded", (half - plain).abs().max(), 0.15),
        _check("packed beside padded, fp32", (states(model, True, "fp32") - plain).abs().max(), 1e-3),
        _check("packed beside padded, bf16", (states(model, True, "bf16") - half).abs().max(), 0.1),
    ]
    if device.type == "cuda":
        compile_blocks(model)
        rows.append(
            _check(
                "compiled beside eager, packed bf16", (states(model, True, "bf16") - half).abs().max(), 0.1
            )
        )
    return rows


def _check(what: str, found: torch.Tensor, most: float) -> Row:
    value = float(found)
    return Row(
        "gpu", f"check: {what}", "largest difference", value, goal=f"at most {most:g}", met=value <= most
    )


@contextmanager
def peak_memory(device: torch.device) -> Iterator[list[float]]:
    """GB that torch holds at most within, as the list's one entry; 0 on a CPU."""
    found: list[float] = []
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    yield found
    found.append(torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0)


def train(config: Path, out: Path, size: dict[str, int], device: str, *, compiled: bool, steps: int) -> float:
    """Real tokens a second of ``pretrain`` in this process, after the first third of its steps."""
    from genomecli.commands.pretrain import run_pretrain
    from genomecli.config import load_config

    shape = {key: value for key, value in size.items() if key != "batch"}
    given = [f"pretrain.model.{key}={value}" for key, value in shape.items()]
    given += [f"device={device}", f"pretrain.compile={str(compiled).lower()}", f"pretrain.steps={steps}"]
    if "batch" in size:
        given.append(f"pretrain.reading.tokens_per_batch={size['batch']}")
        given.append(f"pretrain.reading.tokens_per_step={max(size['batch'], 8192)}")
    run_pretrain(load_config(config, given, needs=["pretrain"]), out, force=True)
    lines = [json.loads(line) for line in (out / "speed.jsonl").read_text().splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines[len(lines) // 3 :])


def flops(size: dict[str, int], length: float) -> tuple[float, float]:
    """Training operations a token, without and with attention's own products."""
    from genomecli.models.cost import BACKWARD, estimate_cost
    from genomecli.models.settings import ModelSettings

    shape = {key: value for key, value in size.items() if key != "batch"}
    settings = ModelSettings.model_validate({"preset": "small", "context": CONTEXT, **shape})
    cost = estimate_cost(settings, 32, length=round(length), decoded=0.3)
    plain = cost.linear_flops + cost.head_flops
    return (1 + BACKWARD) * plain, (1 + BACKWARD) * (plain + cost.attention_flops)


def training(
    name: str, size: dict[str, int], config: Path, folder: Path, options: argparse.Namespace
) -> list[Row]:
    """Rows of one size: plain and compiled."""
    device, rows = torch.device(options.device), []
    kind = config.stem
    length = 330.0 if kind == "protein" else float(CONTEXT)
    without, with_attention = flops(size, length)
    for compiled in (False,) if device.type == "cpu" else (False, True):
        with peak_memory(device) as memory:
            rate = train(config, folder / "run", size, options.device, compiled=compiled, steps=options.steps)
        mfu = [100 * rate * each / (options.peak * 1e12) for each in (without, with_attention)]
        goal = GOALS.get(name) if kind == "protein" else None
        rows.append(
            Row(
                "gpu",
                f"training {name} on {'proteins' if kind == 'protein' else 'genome windows'}"
                f"{', compiled' if compiled else ''}",
                "tokens/s",
                rate,
                goal="" if goal is None else f"at least {goal:,.0f}",
                met=None if goal is None else rate >= goal,
                note=f"MFU {mfu[0]:.1f} %, with attention {mfu[1]:.1f} %; {memory[0]:.1f} GB",
            )
        )
    return rows


def embedding(name: str, fasta: Path, folder: Path, options: argparse.Namespace) -> Row:
    """Residues a second of ``embed`` by the network that was trained last; its start is subtracted."""
    one = folder / "one.fa"
    one.write_text(">a\nMKV\n", encoding="ascii")
    times = []
    for path in (one, fasta):
        begin = time.perf_counter()
        given = ["--set", f"device={options.device}", "--set", "embed.molecule=protein", "--force"]
        out = str(folder / "vectors.npy")
        genomecli("embed", "-q", str(path), "--model", str(folder / "run"), *given, "-o", out)
        times.append(time.perf_counter() - begin)
    residues = sum(len(line.strip()) for line in fasta.open() if not line.startswith(">"))
    rate = residues / max(times[1] - times[0], 1e-3)
    goal = EMBEDDING_GOAL if name == "650M" else None
    met = None if goal is None else rate >= goal
    text = "" if goal is None else f"at least {goal:,.0f}"
    return Row("gpu", f"embedding with {name}", "residues/s", rate, goal=text, met=met)


def beside_trainer(ours: float, fasta: Path, size: dict[str, int], minutes: float) -> Row:
    """The same number of layers and width in BERT by Trainer, tuned."""
    command = [sys.executable, "-m", "scripts.bench.peers.trainer", str(fasta), "--molecule", "protein"]
    command += ["--layers", str(size["layers"]), "--width", str(size["width"]), "--heads", str(size["heads"])]
    command += ["--context", str(CONTEXT), "--minutes", str(minutes), "--tuned", "--batch", "128"]
    theirs = last_number(run(command, threads=8))
    row = compared(
        [(ours, theirs)], benchmark="gpu", what="training on proteins", unit="tokens/s", peer="Trainer, tuned"
    )
    return replace(row, note=f"{size['layers']} layers, width {size['width']}, one measurement")


def measure(options: argparse.Namespace) -> list[Row]:
    """All rows that the time allows; what is left out is said."""
    begin = time.perf_counter()
    sizes = TINY if options.quick else {name: SIZES[name] for name in options.sizes.split(",")}
    rows = checks(torch.device(options.device))
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as temporary:
        folder = Path(temporary)
        fasta = write_proteins(folder / "p.fa", 0.2 if options.quick else 20)
        genome = write_genome(folder / "g.fa", 0.5 if options.quick else 50)
        configs = {}
        for kind, path in (("protein", fasta), ("genome", genome)):
            configs[kind] = folder / f"{kind}.yaml"
            text = CONFIG.format(kind=kind, path=path, folder=folder, context=CONTEXT)
            configs[kind].write_text(text, encoding="utf-8")
            genomecli("tokenize", "-q", "-c", str(configs[kind]), "-o", f"{folder}/{kind}.corpus")
        some = write_proteins(folder / "some.fa", 0.05 if options.quick else 5, seed=1)
        for name, size in sizes.items():
            if time.perf_counter() - begin > 60 * options.minutes:
                print(f"gpu: no time was left for {name}", file=sys.stderr)
                continue
            rows += training(name, size, configs["genome"], folder, options)
            rows += training(name, size, configs["protein"], folder, options)
            rows.append(embedding(name, some, folder, options))
            if name == options.beside:
                rows.append(beside_trainer(max(r.ours for r in rows[-4:-1]), fasta, size, 0.5))
            write(rows, time.perf_counter() - begin, options.out)
    return rows


def main() -> None:
    """Measure, print the table, write it as JSON and Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--beside", default="133M", help="size at which Trainer is measured too")
    parser.add_argument("--steps", type=int, default=24, help="of each training")
    parser.add_argument("--minutes", type=float, default=25, help="no new size is begun after that")
    parser.add_argument("--peak", type=float, default=989, help="dense bf16 TFLOP/s of the card")
    parser.add_argument("--quick", action="store_true", help="one tiny size")
    parser.add_argument("-o", "--out", type=Path, default=Path("bench-gpu"))
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no CUDA device here; --device cpu --quick shows that the script runs")
    print(markdown(measure(options)))


if __name__ == "__main__":
    main()
