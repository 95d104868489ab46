"""One trial of ``finetune``: a network tuned on one split with one seed, its baselines, their predictions.

Several processes train each network together. Baselines that are no networks, and all predictions, are the
first one's; the others wait for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.commands.finetune_data import FinetuneData, window_of
from genomecli.commands.finetune_names import about_network, network_name
from genomecli.files import write_json
from genomecli.inference.predictor import FrozenValidation, Predictor, validation_figures
from genomecli.inference.task_reading import column_reading, token_column
from genomecli.inference.tuned import Tuned, load_tuned
from genomecli.runtime import log
from genomecli.signals import stopping
from genomecli.tasks.baselines import BaselineTask, fit_baseline
from genomecli.tasks.covariates import fit_covariates
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.predictions import Predictions
from genomecli.tasks.seen import Seen, save_seen
from genomecli.tasks.settings import HeadSettings
from genomecli.tasks.splits import Split
from genomecli.tasks.targets import Fitted
from genomecli.training.checkpoint import pointed
from genomecli.training.distributed import agreed, from_main, grant_together, is_main, rank, world_size
from genomecli.training.finetuning import Around, Finetuning, write_spec
from genomecli.training.starts import CNN_RATE, Start, convolutional_start, random_start, scratch_rate
from genomecli.training.task_spec import ColumnReading, HeadShape, TaskSpec
from genomecli.training.task_texts import task_texts
from genomecli.training.tuning_job import TuningJob

if TYPE_CHECKING:
    from genomecli.models.language_model import LanguageModel
    from genomecli.signals import StopFlag
    from genomecli.training.finetune_settings import FinetuneSettings
    from genomecli.training.machine import Machine

PARTS = ("valid", "test")
BASELINES = "baselines"
"""Folder of a trial in which baseline networks are trained."""

_GO_ON = "--resume goes on from there"

Readings = tuple[ColumnReading, ColumnReading | None]
"""How sequences are read, and the second ones of pairs."""

Found = Mapping[str, Mapping[str, Predictions]]
"""Part to target to predictions."""


@dataclass(frozen=True)
class Setting:
    """What all trials of a command share.

    Args:
        data: the labelled data and the network to tune.
        machine: where.
        flag: says when a signal asks to stop.
        deadline: value of ``time.monotonic()`` at which to stop.
        resume: go on where an earlier process stopped.
    """

    data: FinetuneData
    machine: Machine
    flag: StopFlag
    deadline: float
    resume: bool


@dataclass
class Outcome:
    """What a trial found.

    Args:
        name: ``seed 2`` or ``fold 3``; empty for a single training.
        split: its rows.
        fitted: targets and labelled examples.
        predictions: model to part to target to predictions; the tuned network first. These and the
            summaries are the first process's alone.
        about: model to what it is, a sentence without a full stop.
        training: model to a summary of its training.
        spec: of the tuned network.
    """

    name: str
    split: Split
    fitted: Fitted
    predictions: dict[str, Found] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    training: dict[str, dict[str, Any]] = field(default_factory=dict)
    spec: TaskSpec | None = None


class Trial:
    """A network on one split with one seed. Build it, then call :meth:`run`.

    Args:
        setting: shared with the other trials.
        split: which rows are for what.
        seed: of everything random but the split.
        path: its folder, made.
        name: ``seed 2`` or ``fold 3``; empty for a single training.
    """

    def __init__(self, setting: Setting, split: Split, seed: int, path: Path, name: str = "") -> None:
        self.setting = setting
        self.settings = setting.data.settings
        self.split = split
        self.seed = seed
        self.path = path
        self.name = name
        self.fitted = setting.data.fitted(split)
        self.examples = self.fitted.examples

    def job(self, start: Start, reading: Readings, context: int, settings: FinetuneSettings) -> TuningJob:
        """The tuning of one network on the training rows."""
        spec = self.spec(start, reading, context, settings)
        column, pair = reading
        known = np.any([labels.known for labels in self.examples.labels.values()], axis=0)
        rows = self.split.train[known[self.split.train]]
        ids = self.examples.ids
        texts = token_column(start.lexicon, column, self.examples.sequences, rows, ids)
        second = None
        if pair is not None and self.examples.pair is not None:
            second = token_column(start.lexicon, pair, self.examples.pair, rows, ids)
        made = task_texts(spec, self.examples.take(rows), texts, second)
        data = self.setting.data.fingerprint
        return TuningJob(settings, self.seed, start, spec, made, self.setting.machine, data)

    def spec(self, start: Start, reading: Readings, context: int, settings: FinetuneSettings) -> TaskSpec:
        """What a network predicts here, and how it reads."""
        head = settings.head
        return TaskSpec(
            targets=tuple(self.fitted.targets.values()),
            head=HeadShape(
                head.pooling,
                head.hidden,
                head.dropout,
                self._places(start, reading, context, head),
                "plain" if head.style == "plain" else start.settings.architecture,
            ),
            reading=reading[0],
            pair=reading[1],
            covariates=fit_covariates(self.examples, self.split.train),
            context=context,
            long_input=settings.long_input,
            weighting=settings.weighting if len(self.fitted.targets) > 1 else "sum",
            tune=start.tune,
            lora_alpha=settings.lora.alpha if start.tune == "lora" else None,
        )

    def _places(self, start: Start, reading: Readings, context: int, head: HeadSettings) -> int:
        """Tokens of the longest sequence, where the pooling has weights for each of them."""
        if head.pooling != "places":
            return 0
        both = zip(reading, (self.examples.sequences, self.examples.pair), strict=True)
        longest = max(
            start.lexicon.tokenizer(column.species, column.molecule).count(
                int(found.lengths.max()), column.frame
            )
            for column, found in both
            if column is not None and found is not None
        )
        return min(longest, context - 2)

    def network_job(self) -> TuningJob:
        """The job of the network in question."""
        data, settings = self.setting.data, self.settings
        return self.job(data.start, (data.column, data.pair), window_of(settings, data.start), settings)

    def run(self) -> Outcome:
        """Train and predict everything.

        Raises:
            RunError, CheckpointedError, InterruptedRunError: see :meth:`Trainer.run`.
        """
        data = self.setting.data
        found = Outcome(self.name, self.split, self.fitted)
        name = network_name(data)
        with agreed():
            job = self.network_job()
            if is_main():
                save_seen(self.path, self.seen())
        found.spec = job.spec
        self._network(found, name, job, self.path)
        found.about[name] = about_network(data)
        for baseline in self.settings.baselines.run:
            if baseline in ("majority", "composition"):
                grant_together(self.setting.flag, _GO_ON)
                with agreed():
                    if is_main():
                        self._simple(found, baseline)
            elif baseline == "cnn":
                self._cnn(found)
            elif data.loaded is not None:
                self._random(found)
        return found

    def seen(self) -> Seen:
        """What the network has seen in the end: the labelled rows of this tuning and of those before."""
        data = self.setting.data
        known = np.any([labels.known for labels in self.examples.labels.values()], axis=0)
        train, valid = (
            [data.keys[row] for row in rows[known[rows]].tolist()]
            for rows in (self.split.train, self.split.valid)
        )
        before = Seen() if data.ancestry is None else data.ancestry.seen or Seen(whole=data.ancestry.known)
        return before.then(train, valid)

    def jobs(self) -> Iterator[tuple[str, TuningJob]]:
        """Name and job of every network that :meth:`run` trains, the one in question first."""
        data, job = self.setting.data, self.network_job()
        yield network_name(data), job
        for baseline in self.settings.baselines.run:
            made = None
            if baseline == "cnn":
                made = self.cnn_job(job.spec)
            elif baseline == "random" and data.loaded is not None:
                made = self.random_job(job.spec)
            if made is not None:
                yield baseline, made

    def random_job(self, spec: TaskSpec) -> TuningJob:
        """The job of the same network from random weights; ``spec`` is that of the network in question."""
        data = self.setting.data
        start = random_start(data.start)
        settings = self._from_scratch(scratch_rate(start.settings.width))
        return self.job(start, (data.column, data.pair), spec.context, settings)

    def _random(self, found: Outcome) -> None:
        assert found.spec is not None
        job = self.random_job(found.spec)
        self._network(found, "random", job, self.path / BASELINES / "random")
        found.about["random"] = (
            f"the same network from random weights, all of them trained, rate {job.settings.optimiser.lr:g}"
        )

    def _from_scratch(self, rate: float, **head: Any) -> FinetuneSettings:
        """Settings of a baseline network: all layers at one rate, at least ``rate``."""
        optimiser = self.settings.optimiser
        changes = {
            "optimiser": optimiser.model_copy(update={"lr": max(rate, optimiser.lr)}),
            "head": self.settings.head.model_copy(update=head),
            "layer_decay": 1.0,
        }
        return self.settings.model_copy(update=changes)

    def cnn_job(self, spec: TaskSpec) -> TuningJob | None:
        """The job of the small convolutional network; None for pairs of two alphabets, as it reads one.

        Args:
            spec: of the network in question, whose window it reads.
        """
        data = self.setting.data
        if data.pair is not None and data.pair.alphabet != data.column.alphabet:
            return None
        tokenizer = data.start.lexicon.tokenizer(spec.reading.species, spec.reading.molecule)
        species = spec.reading.species
        symbols = (spec.window - 1) * tokenizer.stride + tokenizer.k
        start = convolutional_start(species, data.column.alphabet, symbols).dropping(self.settings.dropout)
        column = column_reading(
            start.lexicon, species, data.column.alphabet, data.column.molecule, frame=data.column.frame
        )
        # A motif counts wherever it stands, so networks like this one take the maximum over positions, unless
        # the data are cut alike.
        given = self.settings.head.pooling
        pooling = given if given in ("centre", "places") else "max"
        settings = self._from_scratch(CNN_RATE, pooling=pooling, style="plain")
        reading = (column, None if data.pair is None else column)
        return self.job(start, reading, start.settings.context, settings)

    def _cnn(self, found: Outcome) -> None:
        assert found.spec is not None
        job = self.cnn_job(found.spec)
        if job is None:
            log.warning("the baseline cnn reads one alphabet, and the pairs are of two: it is left out")
            return
        self._network(found, "cnn", job, self.path / BASELINES / "cnn")
        shape = job.start.settings
        size = f"{shape.layers} layers, width {shape.width}, rate {job.settings.optimiser.lr:g}"
        found.about["cnn"] = f"a convolutional network ({size}) on single symbols, from random weights"

    def _network(self, found: Outcome, name: str, job: TuningJob, path: Path) -> None:
        """Train one network, or go on with it, and predict with its best checkpoint."""
        grant_together(self.setting.flag, _GO_ON)
        with agreed():
            resume = is_main() and self._begin(name, job, path)
        resume = bool(from_main(resume))
        valid = self.examples.take(self.split.valid)
        around = Around(self.setting.flag, self.setting.deadline, self._validate(job, valid))
        run = Finetuning(job, path, around)
        summary = run.run(resume=resume)
        with agreed():
            if is_main():
                found.training[name] = summary
                write_json(path / "training.json", summary)
                run.draw()
                tuned = load_tuned(path, self.setting.machine.device)
                found.predictions[name] = self._predict(self._predictor(tuned))

    def _begin(self, name: str, job: TuningJob, path: Path) -> bool:
        """Make the folder of one network, and say what is trained; whether a checkpoint there goes on."""
        resume = self.setting.resume and pointed(path, "last") is not None
        path.mkdir(parents=True, exist_ok=True)
        # Folders of folds and seeds hold settings before their training begins, so these tell nothing.
        began = (path / "metrics.jsonl").exists()
        if not (path / "config.json").exists():
            write_json(path / "config.json", {"network": name, "seed": self.seed})
        write_spec(path, job)
        where = f"{self.name}: " if self.name else ""
        log.info("%s%s: %d rows, %d steps", where, name, len(job.data.rows), job.steps)
        if began and self.setting.resume and not resume:
            log.warning("%s%s: it has no checkpoint yet, so it begins anew", where, name)
        return resume

    def _predictor(self, tuned: Tuned) -> Predictor:
        machine = self.setting.machine
        return Predictor(tuned, machine.device, machine.precision, self.settings.tokens_per_batch)

    def _validate(self, job: TuningJob, valid: Examples) -> Any:
        if not any(labels.known.any() for labels in valid.labels.values()):
            log.warning("no validation row has a label: the last weights are kept, and nothing ends early")
            return None

        if world_size() > 1:
            valid = valid.take(np.arange(rank(), len(valid), world_size()))
        frozen = FrozenValidation(valid) if job.spec.tune == "frozen" else None

        def validate(model: LanguageModel, step: int) -> dict[str, Any]:
            predictor = self._predictor(Tuned(model, job.start.lexicon, job.spec))
            return validation_figures(predictor, valid) if frozen is None else frozen.figures(predictor)

        return validate

    def _predict(self, predictor: Predictor) -> Found:
        return {part: predictor.examples(self.examples.take(rows)) for part, rows in self._parts().items()}

    def _parts(self) -> dict[str, Ints]:
        return judged_parts(self.split, self.settings)

    def _simple(self, found: Outcome, name: Any) -> None:
        """Fit majority or composition to each target."""
        data, about = self.setting.data, {}
        parts: dict[str, dict[str, Predictions]] = {part: {} for part in self._parts()}
        for target in self.fitted.targets.values():
            task = BaselineTask(
                target,
                self.examples,
                self.split.train,
                self.split.valid,
                data.column.molecule,
                None if data.pair is None else data.pair.molecule,
                data.column.frame,
                self.settings.baselines.k,
                self.split.group_of,
                self.seed,
            )
            with stopping(_GO_ON, interrupt=True):
                baseline = fit_baseline(name, task)
                about[target.name] = baseline.about
                for part, rows in self._parts().items():
                    parts[part][target.name] = baseline.predict(self.examples, rows)
        found.predictions[name] = parts
        found.about[name] = "; ".join(
            about.values() if len(about) == 1 else [f"{key}: {said}" for key, said in about.items()]
        )

    def clean(self) -> None:
        """Remove the weights of the baseline networks; their curves and summaries stay."""
        for folder in (self.path / BASELINES).glob("*/checkpoints"):
            shutil.rmtree(folder)


def judged_parts(split: Split, settings: FinetuneSettings) -> dict[str, Ints]:
    """The rows of the parts that are predicted and measured; without the test part where it is left out."""
    parts = PARTS if settings.metrics.test else PARTS[:1]
    return {part: split.sides[part] for part in parts if len(split.sides[part])}
