"""Sums kept on the device until a log line needs them, so that no step waits for the device.

Each process keeps its own; what is read is the sum over all of them, so all of them read at the same place.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genomecli.training.distributed import add_up, highest, is_main
from genomecli.training.learner import Loss

Pairs = dict[str, tuple[float, float]]
NEVER = 2**62
SHIFT = 20
"""Bits of a micro-batch's number within its step, in the code of the first loss that is no number."""


class Meters:
    """Ratios of sums over a window of steps, and the first loss that is no finite number.

    Args:
        device: where the losses are. Sums are float64, on Apple's MPS float32.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.dtype = torch.float32 if device.type == "mps" else torch.float64
        self._pairs: dict[str, Tensor] = {}
        self._bad = torch.full((), NEVER, dtype=torch.int64, device=device)

    def add(self, name: str, value: Tensor, count: Tensor | float = 1.0) -> None:
        """Add a scalar sum and what it is to be divided by."""
        pair = torch.stack([value.detach().to(self.dtype), self._scalar(count)])
        self._add_pair(name, pair)

    def add_loss(self, loss: Loss, step: int, index: int) -> None:
        """Add the ratios of a micro-batch, and remember it if its loss is not finite."""
        for name, pair in loss.ratios.items():
            self._add_pair(name, pair.detach().to(self.dtype))
        code = (step << SHIFT) + index
        self._bad = torch.where(torch.isfinite(loss.total.detach()), self._bad, self._bad.clamp(max=code))

    def _scalar(self, count: Tensor | float) -> Tensor:
        if isinstance(count, Tensor):
            return count.detach().to(self.dtype)
        # Filled there: a copy of a number to the device would wait for it.
        return torch.full((), count, dtype=self.dtype, device=self.device)

    def _add_pair(self, name: str, pair: Tensor) -> None:
        known = self._pairs.get(name)
        self._pairs[name] = pair.clone() if known is None else known.add_(pair)

    def first_bad(self) -> tuple[int, int] | None:
        """Step and micro-batch of the first loss that is not finite, in any process; waits for the device."""
        code = -int(highest([-float(self._bad)])[0])
        return None if code == NEVER else (code >> SHIFT, code & ((1 << SHIFT) - 1))

    def means(self) -> dict[str, float]:
        """Each sum divided by its count, 0 where nothing was counted; waits for the device, then forgets."""
        pairs, self._pairs = self.pairs(), {}
        return {name: total / count if count else 0.0 for name, (total, count) in pairs.items()}

    def pairs(self) -> Pairs:
        """The sums of the window so far, for a checkpoint in its middle; waits for the device."""
        if not self._pairs:
            return {}
        values = add_up(torch.stack(list(self._pairs.values())).flatten().tolist())
        return dict(zip(self._pairs, zip(values[::2], values[1::2], strict=True), strict=True))

    def restore(self, pairs: Mapping[str, tuple[float, float]]) -> None:
        """Go on from what :meth:`pairs` gave; the first process keeps it for all."""
        self._pairs = {
            name: torch.tensor(pair if is_main() else (0.0, 0.0), dtype=self.dtype, device=self.device)
            for name, pair in pairs.items()
        }
