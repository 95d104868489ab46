"""Targets: what is predicted, as an immutable value that travels with a tuned model.

A target is fixed once, from the training rows alone, and never changes afterwards: names of classes and their
order, means and scales of measured values. Its dict is part of the checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

Form = Literal["class", "multilabel", "regression", "token"]
"""What labels are: one class a sequence, any number of them, measured values, or one class a symbol. Every
kind has one of these forms, which says how its labels are read, stored, measured and drawn."""


@dataclass(frozen=True)
class Target:
    """One thing to predict.

    Args:
        name: of the target; also of its head.
        kind: registered name. ``binary`` and ``multiclass``: one class a sequence; ``multilabel``: any
            number of them; ``regression``: one or several measured values; ``token``: one class a symbol
            (base or residue); other packages may register more.
        columns: label columns that it is read from; none where labels of symbols stand beside the sequences.
        classes: names in the order of the outputs. Binary: negative, then positive. Regression: names of
            the values.
        means: of each value, in its unit, over the training rows; empty for classes.
        scales: standard deviation of each value likewise, never 0.
        weight: factor of its loss where several targets share one body.
        class_weights: factor of each class's loss, multilabel: of the loss of its positive rows; empty for
            1 each.
        log: means and scales are of log(1 + value), which is what a network predicts.
        separator: between the classes in one cell of a multilabel column.
        pattern: regular expression whose group is the label in a cell; empty for the whole cell.
        judged_by: the figure that decides; empty for that of its kind.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    means: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()
    weight: float = 1.0
    class_weights: tuple[float, ...] = ()
    log: bool = False
    separator: str = ";"
    pattern: str = ""
    judged_by: str = ""

    @cached_property
    def form(self) -> Form:
        """What its labels are, as its kind says. Raises ConfigError if that is not registered."""
        from genomecli.tasks.kinds.registry import registered

        return registered(self.kind, self.name).form

    @cached_property
    def primary(self) -> str:
        """The figure that decides which of two models is better, as the settings or its kind say; named
        before looking."""
        from genomecli.tasks.kinds.registry import registered

        return self.judged_by or registered(self.kind, self.name).primary

    @property
    def outputs(self) -> int:
        """Numbers that the head gives for each sequence, or for each symbol."""
        return len(self.classes)

    @property
    def per_symbol(self) -> bool:
        """Whether each base or residue has its own label."""
        return self.form == "token"

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with the meaning of any output; how it is judged changes none."""
        meaning = {key: value for key, value in self.to_dict().items() if key != "judged_by"}
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Target:
        """The inverse of :meth:`to_dict`."""
        tuples = ("columns", "classes", "means", "scales", "class_weights")
        plain: dict[str, Any] = {
            key: tuple(value) if key in tuples else value for key, value in values.items()
        }
        return cls(**plain)


def loss_unit(targets: Iterable[Target]) -> str:
    """What the loss of these targets is measured in: nats, or, of values, squared errors of values that are
    standardised."""
    measured = {target.form == "regression" for target in targets}
    if measured == {True}:
        return "squared error, standardised"
    return "nats" if measured == {False} else "nats and squared errors"
