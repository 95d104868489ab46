"""Small labelled data with a planted signal, and a tuning run on them without commands around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.files import write_json
from genomecli.inference.predictor import Predictor, validation_figures
from genomecli.inference.task_reading import column_reading, token_column
from genomecli.inference.tuned import Tuned, load_tuned
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng
from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks.covariates import fit_covariates
from genomecli.tasks.examples import Examples, LabelArray, Labels, join_sequences
from genomecli.tasks.schema import Target
from genomecli.training.finetune_settings import FinetuneSettings
from genomecli.training.finetuning import Around, Finetuning, write_spec
from genomecli.training.machine import Machine
from genomecli.training.starts import Start
from genomecli.training.task_spec import HeadShape, TaskSpec
from genomecli.training.task_texts import task_texts
from genomecli.training.tuning_job import TuningJob

MACHINE = Machine(torch.device("cpu"), "fp32", 1)


def sequences(count: int, low: int = 20, high: int = 40, key: str = "toys") -> list[str]:
    """Random DNA."""
    random = rng("task toys", key)
    return [
        "".join("ACGT"[i] for i in random.integers(0, 4, n)) for n in random.integers(low, high + 1, count)
    ]


def plant(text: str, motif: str, place: int) -> str:
    """``text`` with ``motif`` at ``place``."""
    return text[:place] + motif + text[place + len(motif) :]


def make_examples(
    texts: Sequence[str],
    labels: Mapping[str, LabelArray | Labels],
    *,
    alphabet: str = "dna",
    pair: Sequence[str] | None = None,
    covariates: np.ndarray | None = None,
) -> Examples:
    """Examples of plain texts; labels of symbols are given as :class:`Labels`."""

    def column(values: Sequence[str]) -> Any:
        return join_sequences(alphabet, [get_alphabet(alphabet).encode(text) for text in values])

    return Examples(
        ids=[f"r{i}" for i in range(len(texts))],
        sequences=column(texts),
        labels={k: v if isinstance(v, Labels) else Labels(v) for k, v in labels.items()},
        pair=None if pair is None else column(pair),
        covariates=covariates,
        covariate_names=() if covariates is None else tuple(f"x{i}" for i in range(covariates.shape[1])),
    )


def halves(examples: Examples) -> tuple[Examples, Examples]:
    """The first and the second half of the rows."""
    rows = np.arange(len(examples))
    return examples.take(rows[: len(rows) // 2]), examples.take(rows[len(rows) // 2 :])


def target(kind: str, outputs: int = 2, name: str = "y", **more: Any) -> Target:
    """A target with classes c0, c1, ..."""
    return Target(name, kind, (name,), tuple(f"c{i}" for i in range(outputs)), **more)  # type: ignore[arg-type]


def small_start(dna: str = "base", tune: str = "full", **changes: Any) -> Start:
    """One convolutional layer of width 32, or what ``changes`` say."""
    values = {"preset": "cnn", "layers": 1, "width": 32, "context": 64, **changes}
    lexicon: Lexicon = build_lexicon(["toy"], dna=dna, k=3, stride=1, molecules=("dna",))
    return Start(ModelSettings.model_validate(values), lexicon, {}, tune)


def settings(**changes: Any) -> FinetuneSettings:
    """Settings of short runs."""
    values = {
        "data": {"path": "toy.tsv"},
        "targets": {"y": {}},
        "batch_size": 16,
        "epochs": 12,
        "optimiser": {"lr": 1e-2},
        "schedule": {"kind": "linear", "warmup": 0.1},
        **changes,
    }
    return FinetuneSettings.model_validate(values)


def make_spec(start: Start, examples: Examples, targets: Sequence[Target], **changes: Any) -> TaskSpec:
    """How ``start`` reads the examples."""
    reading = column_reading(start.lexicon, "toy", examples.sequences.alphabet)
    everyone = np.arange(len(examples))
    values = {
        "head": HeadShape("mean"),
        "pair": None if examples.pair is None else reading,
        "covariates": fit_covariates(examples, everyone),
        "context": start.settings.context,
        **changes,
    }
    return TaskSpec(tuple(targets), reading=reading, **values)


def make_job(
    start: Start, examples: Examples, spec: TaskSpec, chosen: FinetuneSettings, seed: int = 0
) -> TuningJob:
    """The job of tuning ``start`` on all examples."""
    everyone = np.arange(len(examples))
    columns = [
        None
        if column is None or reading is None
        else token_column(start.lexicon, reading, column, everyone, examples.ids)
        for column, reading in ((examples.sequences, spec.reading), (examples.pair, spec.pair))
    ]
    assert columns[0] is not None
    rows = task_texts(spec, examples, columns[0], columns[1])
    return TuningJob(chosen, seed, start, spec, rows, MACHINE, "toy")


def tune(
    path: Path,
    start: Start,
    examples: Examples,
    spec: TaskSpec,
    *,
    valid: Examples | None = None,
    resume: bool = False,
    around: Mapping[str, Any] | None = None,
    **changes: Any,
) -> tuple[Tuned, dict[str, Any]]:
    """Tune, and open what was tuned."""
    job = make_job(start, examples, spec, settings(**changes))
    if not resume:
        path.mkdir()
        write_json(path / "config.json", {})
        write_spec(path, job)

    def validate(model: Any, step: int) -> dict[str, Any]:
        assert valid is not None
        return validation_figures(Predictor(Tuned(model, start.lexicon, spec)), valid)

    given = {"validate": validate if valid is not None else None, **(around or {})}
    summary = Finetuning(job, path, Around(**given)).run(resume=resume)
    return load_tuned(path), summary


class Stop:
    """Asks to stop after some steps, as a signal would."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    @property
    def requested(self) -> str | None:
        self.left -= 1
        return "TERM" if self.left < 0 else None

    def grant(self, fix: str) -> None:
        """Nothing is asked before the first step."""
