"""Makes ``golden.json``: the first losses of tiny runs, and the ids of a few records, on a simulated corpus.

Run it when a change is meant to alter them, and look at the difference before it is kept:

    python -m tests.golden.make_golden
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from genomecli.commands.pretrain import open_corpus
from genomecli.commands.simulate import run_simulate
from genomecli.commands.tokenize import run_tokenize
from genomecli.config import load_config
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.store import CorpusReader
from genomecli.training.job import CorpusOnDisk, Job
from genomecli.training.learner import Hooks
from genomecli.training.loop import Trainer
from genomecli.training.machine import Machine
from genomecli.training.objective_learner import ObjectiveLearner
from genomecli.training.optimiser import build_optimiser
from genomecli.training.plan import Plan
from genomecli.training.schedule import Schedule
from genomecli.training.settings import PretrainSettings

GOLDEN = Path(__file__).with_name("golden.json")
STEPS = 5
SPECIES = """
simulate:
  species: [{name: golden, genes: 24, gene_length: 60}]
tokenize:
  species:
    - {name: golden, sources: [{kind: annotated, path: sim/golden.genome.fa, annotation: sim/golden.gff3}]}
  figures: false
"""

# All that the losses depend on is said here, so that a new default does not change them.
_READING = {"context": 64, "tokens_per_batch": 512, "tokens_per_step": 1024, "pool": 4}
RUNS: dict[str, dict[str, Any]] = {
    "modern, single texts": {
        "model": {"preset": "tiny", "context": 64, "local_window": 16, "initializer_range": 0.02},
        "reading": {**_READING, "molecules": ["genome", "cds", "protein"]},
        "objectives": {
            "mlm": {"rate": 0.25},
            "cls": {"targets": ["molecule", "coding"], "weight": 0.1},
        },
    },
    "classic, paired texts": {
        "model": {"preset": "classic-tiny", "context": 64, "initializer_range": 0.02},
        "reading": {**_READING, "relation": "paired", "pairs": {"share": 0.7}},
        "objectives": {"mlm": {"rate": 0.25}, "tlm": {"rate": 0.4}},
    },
}
TOKENIZERS: dict[str, Lexicon] = {
    "codon": build_lexicon(["golden"]),
    "6-mer": build_lexicon(["golden"], dna="kmer", k=6, stride=1),
    "base": build_lexicon(["golden"], dna="base"),
}


def make_corpus(folder: Path) -> CorpusOnDisk:
    """The simulated species as a corpus below ``folder``."""
    (folder / "golden.yaml").write_text(SPECIES)
    config = load_config(folder / "golden.yaml")
    run_simulate(config, folder / "sim")
    run_tokenize(config, folder / "corpus")
    return open_corpus(str(folder / "corpus"))


def first_losses(corpus: CorpusOnDisk, changes: dict[str, Any]) -> list[float]:
    """The losses of the first steps of a run of seed 0, in float32 on one thread."""
    settings = PretrainSettings.model_validate({"corpus": "corpus", "steps": STEPS, **changes})
    job = Job(settings, 0, corpus, Machine(torch.device("cpu"), "fp32", 1))
    model, losses = job.new_model(), []
    hooks = Hooks(log=lambda step, figures, tokens, seconds: losses.append(figures["loss"]))
    plan = Plan(STEPS, 2e-3, Schedule("linear", STEPS, warmup=2), log_every=1)
    optimiser = build_optimiser(model, job.optimiser, job.machine.device)
    Trainer(model, ObjectiveLearner(job.mixture, job.seed), job.sampler, optimiser, plan, hooks).run()
    return losses


def first_ids(reader: CorpusReader, records: int = 2, symbols: int = 48) -> dict[str, list[list[int]]]:
    """Ids of the first symbols of the first genes (in frames 0 and 1) and proteins, by tokenizer."""
    found: dict[str, list[list[int]]] = {}
    for molecule, frames in (("cds", (0, 1)), ("protein", (0,))):
        for row in reader.records("golden", molecule).row[:records].tolist():
            text, _ = reader.gather([row], [0], [symbols])
            for name, lexicon in TOKENIZERS.items():
                tokenizer = lexicon.tokenizer("golden", molecule)
                if molecule == "protein" and name != "codon":
                    continue
                for frame in frames:
                    key = f"{molecule}, {name if molecule == 'cds' else 'amino acid'}, frame {frame}"
                    found.setdefault(key, []).append(tokenizer.encode(text, frame).tolist())
    return found


def make() -> dict[str, Any]:
    """Everything that ``golden.json`` holds."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        corpus = make_corpus(Path(folder))
        assert isinstance(corpus.reader, CorpusReader)
        losses = {name: first_losses(corpus, changes) for name, changes in RUNS.items()}
        return {"losses": losses, "ids": first_ids(corpus.reader)}


def write(values: dict[str, Any], path: Path = GOLDEN) -> None:
    """Write ``values``, a line a list."""
    lines = []
    for part, table in values.items():
        rows = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in table.items()]
        lines.append(f" {json.dumps(part)}: {{\n" + ",\n".join(rows) + "\n }")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write(make())
