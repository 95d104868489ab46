"""How fast batches are made: k-mers, frames, strands, padding and masking; real tokens a processor second.

    python -m scripts.bench.batches [--seconds 3]

Sequences are random, with the lengths of a bacterial proteome (log-normal, median 270 residues) and a genome
of 4.6 Mb; they are read from a shard, memory-mapped. One thread.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.sampling import Sampler
from genomecli.objectives.masking import MaskingPolicy
from genomecli.objectives.mlm import MaskedTokens
from genomecli.runtime import rng
from scripts.bench.harness import Row, markdown

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "unit" / "corpus"))

TOKENS = 16_384
GOAL = 30.0
"""Million tokens a second."""

CASES = {
    "codons, genome windows": {"molecules": ("genome",)},
    "codons, genes, frame 0": {"molecules": ("cds",)},
    "genes and proteins": {},
    "paired": {"relation": "paired"},
    "anchored": {"relation": "anchored"},
    "overlapping 6-mers, genome": {
        "molecules": ("genome",),
        "tokens": {"dna": "kmer", "k": 6, "stride": 1},
    },
}


def make_corpus(folder: Path):
    """A species of one contig, 4,300 genes and their proteins, behind the reader's interface."""
    from toy_corpus import ToyCorpus, gene

    class Flat(ToyCorpus):
        """Gathers as the store does: copies from one long array."""

        def gather(self, rows, starts, lengths, column="symbols"):
            return self.store.gather(self.base[rows] + starts, lengths, column), None

    corpus, generator = Flat(), np.random.default_rng(0)
    corpus.add("x", "genome", generator.integers(0, 4, 4_600_000).astype(np.uint8))
    sizes = np.clip(np.exp(generator.normal(np.log(270), 0.6, 4300)), 30, 2400).astype(int)
    pairs = [gene(generator, int(size)) for size in sizes]
    for molecule, side in (("cds", 0), ("protein", 1)):
        for number, texts in enumerate(pairs):
            corpus.add("x", molecule, texts[side], gene=f"g{number}", family=number, has_start=True)
    corpus.base = np.cumsum([0, *map(len, corpus.sequences)])[:-1]
    corpus.store = _store(folder, corpus.sequences)
    return corpus


def _store(folder: Path, sequences: list):
    from genomecli.corpus.shards import ShardedColumns, Span, write_shard

    raw, shard = folder / "raw", folder / "shard.safetensors"
    raw.write_bytes(np.concatenate(sequences).tobytes())
    total = raw.stat().st_size
    write_shard(shard, [Span(raw, None, 0, total)], np.array([0, total]), soft=False)
    return ShardedColumns([shard], [total])


def rates_of(sampler: Sampler, objective: MaskedTokens | None, seconds: float) -> tuple[list[float], float]:
    """Tokens a second of each step after the first pool, and the share of real tokens."""
    rates, step, end = [], 0, time.perf_counter() + seconds
    sampler.step(0)
    while time.perf_counter() < end or len(rates) < 5:
        begin = time.process_time()
        batches = sampler.step(step)
        if objective is not None:
            batches = [objective.corrupt(b, rng(0, step, i)) for i, b in enumerate(batches)]
        rates.append(sum(b.real_tokens for b in batches) / (time.process_time() - begin))
        step += 1
    return rates, sampler.real_share()


def row(corpus, name: str, values: dict, seconds: float) -> Row:
    """One case."""
    settings = ReadingSettings(context=512, tokens_per_batch=TOKENS, tokens_per_step=8 * TOKENS, **values)
    tokens = settings.tokens
    options = {} if tokens is None else {"dna": tokens.dna, "k": tokens.k, "stride": tokens.stride}
    lexicon = build_lexicon(("x",), **options)
    sampler = Sampler(corpus, lexicon, settings, 0)
    plain, share = rates_of(sampler, None, seconds)
    objective = MaskedTokens(lexicon=lexicon, policy=MaskingPolicy())
    masked, _ = rates_of(sampler, objective, seconds)
    low, high = np.quantile(masked, [0.1, 0.9]) / 1e6
    note = f"{100 * share:.1f} % real; {statistics.median(plain) / 1e6:.0f} before masks; most steps "
    rate = statistics.median(masked) / 1e6
    return Row(
        "batches",
        f"batches with masks, a processor second: {name}",
        "M tokens/s",
        rate,
        repeats=len(masked),
        goal=f"at least {GOAL:g} M tokens/s",
        met=rate >= GOAL,
        note=f"{note}{low:.0f} to {high:.0f}",
    )


def measure(*, quick: bool, seconds: float = 1.5) -> list[Row]:
    """A row a case."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as folder:
            corpus = make_corpus(Path(folder))
            return [row(corpus, name, values, 0.2 if quick else seconds) for name, values in CASES.items()]
    finally:
        torch.set_num_threads(before)


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    print(markdown(measure(quick=False, seconds=parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
