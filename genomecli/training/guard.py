"""Out of memory where blocks are shared: the process that it happens to keeps up with the others, and all
of them try again with less at a time.

The others fetch each block forth and back in one order, and wait for this process at each of them. So a pass
that fails here goes on with nothing to say: blocks that are left give a tensor of one zero, and gradients of
zeros, which nobody uses. After the step the processes agree on whether it failed anywhere.

What FSDP itself needs for a block (its whole weights, the sum of its gradients) is not covered: where that
does not fit, no smaller batch would help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from genomecli.models.encoder import Encoder
from genomecli.models.memory import ran_out

Result = TypeVar("Result")


class _PassError(Exception):
    """All blocks were passed, and nothing is left to compute."""


class Guard:
    """Lets passes over an encoder's blocks end together, whatever memory each process has.

    Args:
        encoder: whose blocks are shared already; its parts are changed in place.

    Attributes:
        failed: whether memory did not suffice here since the last :meth:`begin`.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.failed = False
        self._encoder = encoder
        self._edge = torch.zeros((), requires_grad=True, device=next(encoder.parameters()).device)
        self._passed = 0
        self._tail = self._edge
        self._returning = False
        self._root()._lazy_init()  # else the first part to be called would be taken for the root
        encoder.stem.forward = partial(self._forward, encoder.stem, encoder.stem.forward)
        for block in encoder.blocks:
            block.forward = partial(self._block, block, block.forward)
        encoder.final_norm.forward = partial(self._end, encoder.final_norm.forward)  # type: ignore[method-assign]

    def begin(self) -> None:
        """A step begins, of any number of passes."""
        self.failed = False

    def attempt(self, work: Callable[[], Result]) -> Result | None:
        """One pass forth and back, which the others make at the same time.

        Args:
            work: the pass; left out where an earlier one has failed.

        Returns:
            What ``work`` gives; None where memory does not suffice.

        Raises:
            RuntimeError: of ``work``, if it is another one, or cannot be kept from the others.
        """
        self._passed, self._tail, self._returning = 0, self._edge, False
        if not self.failed:
            try:
                result = work()
            except _PassError:
                pass
            except RuntimeError as error:
                if self._returning or not ran_out(error):
                    raise
                self.failed = True
            else:
                self._tail = self._edge
                return None if self.failed else result
        self._keep_up()
        self._tail = self._edge  # what it was made from is let go
        return None

    def idle(self) -> None:
        """A pass that only the others have something to compute in."""
        failed, self.failed = self.failed, True
        self.attempt(lambda: None)
        self.failed = failed

    def _keep_up(self) -> None:
        # FSDP takes the last act of a way back that failed before the blocks for still to come.
        self._root()._state_ctx.post_backward_final_callback_queued = False
        tail = self._tail
        for block in self._encoder.blocks[self._passed :]:
            tail = block(tail, None, None, None)
        torch.autograd.backward(tail, _nothing(tail))

    def _root(self) -> Any:
        """What FSDP knows of the blocks together."""
        return cast("Any", self._encoder)._get_fsdp_state()

    def _forward(
        self, part: nn.Module, run: Callable[..., Tensor], x: Tensor, *rest: Any, **named: Any
    ) -> Any:
        if not torch.is_grad_enabled():
            return run(x, *rest, **named)
        whole = partial(_called, run, rest, named)
        return _Guarded.apply(self, part, whole, self._edge, x)  # type: ignore[no-untyped-call]

    def _block(self, block: nn.Module, run: Callable[..., Tensor], x: Tensor, *rest: Any) -> Any:
        self._tail = self._forward(block, run, x, *rest)
        self._passed += 1
        return self._tail

    def _end(self, run: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if self.failed:
            raise _PassError
        return run(x)


class _Guarded(torch.autograd.Function):
    """A part with a graph of its own, so that what fails in it, forth or back, goes no further."""

    @staticmethod
    def forward(
        ctx: Any, guard: Guard, part: nn.Module, run: Callable[[Tensor], Tensor], edge: Tensor, x: Tensor
    ) -> Tensor:
        ctx.guard, ctx.part, ctx.inner, ctx.given = guard, part, None, (x.shape, x.dtype, x.device)
        if not guard.failed:
            try:
                with torch.enable_grad():
                    inside = x.detach().requires_grad_(x.is_floating_point())
                    found = run(inside)
                ctx.inner = inside, found
                return found.detach()
            except RuntimeError as error:
                if not ran_out(error):
                    raise
                guard.failed = True
        return torch.zeros(1, device=x.device)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        guard: Guard = ctx.guard
        guard._returning = True
        inner, ctx.inner = ctx.inner, None
        found = None
        if not guard.failed:
            try:
                torch.autograd.backward(inner[1], grads[0])
                found = inner[0].grad
            except RuntimeError as error:
                if not ran_out(error):
                    raise
                guard.failed = True
        if guard.failed:
            del inner
            shape, dtype, device = ctx.given
            found = (
                torch.zeros((), dtype=dtype, device=device).expand(shape) if dtype.is_floating_point else None
            )
            for parameter in ctx.part.parameters():
                # FSDP adds up what has a gradient, which has to be the same everywhere.
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        return None, None, None, None, found


def _called(run: Callable[..., Tensor], rest: Sequence[Any], named: Mapping[str, Any], x: Tensor) -> Tensor:
    return run(x, *rest, **named)


def _nothing(tensor: Tensor) -> Tensor:
    """Zeros of its shape that take no memory."""
    return tensor.new_zeros(()).expand_as(tensor)
