"""What fine-tuning found, as plain values: all that its tables, figures and page are made of.

The values are JSON, so that a page can be made again from a finished run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from genomecli.errors import InputError
from genomecli.tasks.differences import Difference
from genomecli.tasks.figure import Figure
from genomecli.tasks.plain_values import as_plain, built
from genomecli.tasks.schema import Target

FORMAT = 1

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ModelCard:
    """A model that was judged.

    Args:
        name: short, as in the tables.
        about: what it is, in a sentence without a full stop.
        baseline: whether it is something that the network is held against.
        title: as it begins a sentence: ``The pretrained network``; left out: from its name.
    """

    name: str
    about: str
    baseline: bool = True
    title: str = ""

    @property
    def subject(self) -> str:
        """What begins a sentence about it."""
        return self.title or f"The model {self.name}"


@dataclass(frozen=True)
class MetricRow:
    """One figure of one model: of a single training, or over all of them.

    Args:
        model: its name.
        trial: ``seed 2``, ``fold 3``; empty for a single training or the mean over several.
        figure: with its interval: over test rows, or, of a mean over trials, Student's t over the trials
            where they are three or more.
        spread: standard deviation over trials; NaN for a single one.
    """

    model: str
    trial: str
    figure: Figure
    spread: float = float("nan")


@dataclass(frozen=True)
class Curve:
    """A curve of a model: ROC, precision and recall, or calibration.

    Args:
        model: its name.
        of: class or label.
        x: false positive rate, recall, or mean probability of each bin.
        y: true positive rate, precision, or share of right answers.
        size: rows in each bin of a calibration curve; empty otherwise.
        area: under it; None for calibration.
    """

    model: str
    of: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    size: tuple[int, ...] = ()
    area: float | None = None


@dataclass(frozen=True)
class Scatter:
    """Predicted against measured values of one model.

    Args:
        model: its name.
        of: the measured value's name.
        measured: of up to some thousand rows; empty where ``counts`` is given.
        predicted: of the same rows.
        counts: rows in each cell of a grid over both axes, [predicted, measured], for many rows.
        edges: ends of the grid, the same for both axes: low, high.
        log: the target is one of log(1 + value): drawn so, and cells of the grid are equal on that scale.
        r: Pearson's correlation of the rows drawn, on the scale of the values; None where it is not defined.
    """

    model: str
    of: str
    measured: tuple[float, ...] = ()
    predicted: tuple[float, ...] = ()
    counts: Matrix = ()
    edges: tuple[float, float] = (0.0, 1.0)
    log: bool = False
    r: float | None = None


@dataclass(frozen=True)
class TargetResults:
    """What was found of one target.

    Args:
        target: what is predicted.
        rows: all figures.
        difference: the network less the best baseline on the test part; None without a baseline.
        others: the same against the other baselines.
        counts: part to class, label or measured value to its labelled rows (symbols).
        confusion: model to confusion matrix on the test part, labels in rows, summed over trials.
        roc: curves on the test part, of the first trial (all folds together, for folds).
        precision_recall: likewise.
        calibration: likewise.
        scatter: likewise.
        judged: the part that all of this is of where ``test`` is said: ``valid`` where the test part was left
            unjudged, and of folds only the first one's then.
    """

    target: Target
    rows: tuple[MetricRow, ...]
    difference: Difference | None = None
    others: tuple[Difference, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    confusion: Mapping[str, Matrix] = field(default_factory=dict)
    roc: tuple[Curve, ...] = ()
    precision_recall: tuple[Curve, ...] = ()
    calibration: tuple[Curve, ...] = ()
    scatter: tuple[Scatter, ...] = ()
    judged: str = "test"

    @property
    def trials(self) -> tuple[str, ...]:
        """Names of the trainings, where there are several."""
        return tuple(dict.fromkeys(row.trial for row in self.rows if row.trial))


@dataclass(frozen=True)
class Overlap:
    """How many sequences of one part have a copy, or a near copy, in the training part.

    Args:
        part: ``valid`` or ``test``.
        rows: in that part.
        exact: with an equal sequence in training.
        near: with a similar one; None if that was not counted.
        loose: beyond those, with one that is less similar; None likewise.
        how: what near and loose mean; may be empty.
    """

    part: str
    rows: int
    exact: int
    near: int | None = None
    loose: int | None = None
    how: str = ""


@dataclass(frozen=True)
class SplitReport:
    """How rows became training, validation and test data.

    Args:
        how: in a sentence.
        rows: part to number of rows.
        groups: part to number of groups; empty without groups.
        overlaps: copies between training and the other parts.
        warnings: what makes figures look better than they are.
    """

    how: str
    rows: Mapping[str, int]
    groups: Mapping[str, int] = field(default_factory=dict)
    overlaps: tuple[Overlap, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LearningCurve:
    """Losses along one training.

    Args:
        model: its name.
        trial: its seed or fold; may be empty.
        train: (epoch, loss) pairs.
        valid: likewise.
        best: epoch of the kept weights; None if it is not known.
    """

    model: str
    trial: str
    train: tuple[tuple[float, float], ...]
    valid: tuple[tuple[float, float], ...]
    best: float | None = None


@dataclass(frozen=True)
class TaskResults:
    """All that a report of fine-tuning says.

    Args:
        title: of the page.
        models: the network in question first.
        targets: in order.
        split: how rows were divided.
        trials: what differs between trainings: ``single``, ``seeds`` (one split) or ``folds``.
        dropped: (reason, rows, first place) of what was left out on reading.
        read: rows of the input.
        curves: losses along training.
        settings: (name, value) of what a reader must know.
        notes: warnings for the top of the page.
        limits: what the figures do not show, besides what the page says itself.
        level: coverage of the intervals.
        earlier: what the network was tuned on before, in words; empty for a body that was not.
        symbols: what the labels of token targets belong to: ``bases``, ``residues``.
        tabular: whether predictions are in a TSV beside the Parquet file.
    """

    title: str
    models: tuple[ModelCard, ...]
    targets: tuple[TargetResults, ...]
    split: SplitReport
    trials: Literal["single", "seeds", "folds"] = "single"
    dropped: tuple[tuple[str, int, str], ...] = ()
    read: int = 0
    curves: tuple[LearningCurve, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    level: float = 0.95
    earlier: str = ""
    symbols: str = "symbols"
    tabular: bool = True

    @property
    def network(self) -> ModelCard:
        """The model in question."""
        return self.models[0]

    @property
    def judged(self) -> str:
        """The part by which the network is compared: ``test``, or ``valid`` where that was left unjudged."""
        return self.targets[0].judged

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: None where there is no number."""
        return {"format": FORMAT, **as_plain(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TaskResults:
        """The inverse of :meth:`to_dict`. Raises InputError for values of another format."""
        if values.get("format") != FORMAT:
            raise InputError(f"results of format {values.get('format')}, and this genomecli reads {FORMAT}")
        found: TaskResults = built(cls, values)
        return found
