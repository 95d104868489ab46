"""What the loop asks of anything that can be learned, of the data, and of those who listen.

Pretraining objectives and, later, fine-tuning tasks are learners; the loop knows no other word for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from genomecli.corpus.batch import Batch

Probe = Callable[[Any, int], Mapping[str, float]]
"""A function of the model (in evaluation mode) and the number of steps done to named figures."""


@dataclass(frozen=True)
class Loss:
    """The loss of one micro-batch.

    Args:
        total: scalar to differentiate; over the micro-batches of a step they add up to the step's loss.
        ratios: name to float[2], a sum and what it is divided by; both are added up until the next log line.
    """

    total: Tensor
    ratios: Mapping[str, Tensor] = field(default_factory=dict)


class Learner(Protocol):
    """An objective, a weighted sum of objectives, or a task."""

    def prepare(self, batch: Batch, step: int, index: int) -> Batch:
        """Micro-batch ``index`` of ``step`` as the model will see it: a pure function, on the CPU."""
        ...

    def count(self, batch: Batch) -> Mapping[str, float]:
        """Total weight of the targets in a prepared batch, by name; on the CPU."""
        ...

    def loss(self, model: nn.Module, batch: Any, totals: Mapping[str, float]) -> Loss:
        """The loss of a prepared batch, normalised by the weights that the whole step has in ``totals``.

        Args:
            model: on its device.
            batch: what :meth:`prepare` gave, on that device; a ``PackedBatch`` if the loop was told to pack.
            totals: total weight of the step's targets, by name.
        """
        ...


class Data(Protocol):
    """Where batches come from."""

    def step(self, step: int, rank: int = 0, world: int = 1) -> list[Batch]:
        """The micro-batches of an optimiser step, a pure function of its number."""
        ...


def _no_names(rows: Sequence[int]) -> list[str]:
    return [f"row {row}" for row in rows]


@dataclass(frozen=True)
class Hooks:
    """Those who listen to the loop; each is optional.

    Args:
        log: gets the steps done, the figures of the window, and the real tokens and seconds it took.
        validate: figures of the validation data; ``loss`` among them decides which checkpoint is best.
        save: writes a checkpoint of the given progress, ``best`` if it is the best so far.
        probes: more figures, by name.
        advance: called after each step, with no figures, so that nothing waits for the device.
        name_records: names of corpus rows, for the message about a loss that is no number.
    """

    log: Callable[[int, Mapping[str, float], int, float], None] | None = None
    validate: Callable[[nn.Module, int], Mapping[str, Any]] | None = None
    save: Callable[[Any, bool], None] | None = None
    probes: Mapping[str, Probe] = field(default_factory=dict)
    probed: Callable[[int, Mapping[str, float]], None] | None = None
    advance: Callable[[], None] | None = None
    name_records: Callable[[Sequence[int]], list[str]] = _no_names
