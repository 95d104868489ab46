"""The commands that faults are tried on, with inputs so small that each takes a second or less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.faults.injected import undrawn
from tests.faults.runs import Run

RECORDS = 60
COPIES = 40
"""How often a reader that leaves is offered the records."""

_COMMON = {"device": "cpu", "precision": "fp32", "threads": "1"}
_NETWORK = "{preset: null, layers: 1, width: 16, heads: 1, context: 64, dropout: 0.1}"


def make_runs(folder: Path, *, short: bool = False) -> tuple[Run, ...]:
    """The five commands with inputs below ``folder``; ``short`` trains little and draws nothing."""
    from tests.unit.training.disk_corpus import write_disk_corpus

    folder.mkdir(parents=True, exist_ok=True)
    corpus = write_disk_corpus(folder / "corpus", genes=40)
    genes = [f"gene{i}" for i in range(RECORDS)]
    texts = {name: coding(i, 60 + 7 * (i % 40)) for i, name in enumerate(genes)}
    fasta, table, model = folder / "genes.fa", folder / "table.tsv", folder / "model" / "run"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in texts.items()))
    rows = (f"{name}\t{text}\t{'ab'[i % 2]}\n" for i, (name, text) in enumerate(texts.items()))
    table.write_text("id\tsequence\tlabel\n" + "".join(rows))
    source = {"kind": "cds", "path": str(fasta)}
    species = json.dumps([{"name": f"s{i}", "code": 11, "sources": [source]} for i in range(3)])
    training = _COMMON | {
        "pretrain.corpus": str(corpus),
        "pretrain.model": _NETWORK,
        "pretrain.reading": "{context: 64, tokens_per_batch: 256, tokens_per_step: 512, pool: 4}",
        "pretrain.log_every": "5",
        "pretrain.validate_every": "10",
        "pretrain.save_every": "5",
    }
    tuning = _COMMON | {
        "finetune.model": str(model),
        "finetune.data.path": f"[{table}]",
        "finetune.epochs": "1" if short else "4",
        "finetune.targets": "{label: {}}",
        "finetune.metrics.bootstrap": "20",
        "finetune.split.by": "stratified",
        "finetune.baselines.run": "[composition]",
    }
    before = (undrawn,) if short else ()
    pretrain = Run("pretrain", _set(training | {"pretrain.steps": "12" if short else "40"}), before=before)
    finetune = Run("finetune", _set(tuning), before=before)
    _make(Run("pretrain", _set(training | {"pretrain.steps": "2"}), before=before), model)
    tuned = folder / "tuned" / "run"
    _make(Run("finetune", _set(tuning | {"finetune.epochs": "1"}), before=(undrawn,)), tuned)
    reading = _set({"tokenize.species": species, "tokenize.figures": "false"})
    embedding = ("-m", str(model), *_set(_COMMON | {"embed.level": "token"}))
    prediction = ("-m", str(tuned), *_set(_COMMON))
    return (
        Run("tokenize", ("-j", "1", *reading)),
        pretrain,
        finetune,
        Run("embed", (*embedding, str(fasta)), ".parquet", piped=(*embedding, str(fasta))),
        Run("predict", (*prediction, str(fasta)), ".tsv", piped=(*prediction, *[str(fasta)] * COPIES)),
    )


def _make(run: Run, out: Path) -> None:
    """Run a command to its end."""
    out.parent.mkdir()
    code, said = run.start(out).end()
    assert code == 0, said


def _set(values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in values.items() for word in ("--set", f"{name}={value}"))


def coding(number: int, length: int) -> str:
    """A coding sequence that differs with its number."""
    state, letters = number * 2654435761 % 2**32 + 1, []
    for _ in range(length // 3):
        state = state * 1664525 % 2**32 + 1013904223
        letters.append(("GCT", "AAA", "TTC", "GAT", "CGT", "CTG", "ACC", "GGT")[state >> 20 & 7])
    return "ATG" + "".join(letters) + "TAA"
