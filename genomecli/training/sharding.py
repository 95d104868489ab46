"""Blocks spread over the processes that train together: each holds a share of their weights, gradients and
optimiser state, and sees a block whole only while it computes it (FSDP2, ``fully_shard``).

Embeddings, the final norm and the heads stay whole in every process. They are small beside the blocks, and a
head that has nothing to learn in one process's texts would leave the others waiting for its share.

A share is rows of a tensor's first dimension, as ``torch.chunk`` cuts them, in the order of the processes.
All functions here that gather or add up have to be called by every process at the same place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch import distributed as dist

from genomecli.models.language_model import LanguageModel
from genomecli.training.distributed import is_main, rank, world_size
from genomecli.training.guard import Guard


def is_shard(tensor: Tensor) -> bool:
    """Whether this process holds a share of ``tensor`` alone."""
    if not dist.is_initialized():
        return False
    from torch.distributed.tensor import DTensor

    return isinstance(tensor, DTensor)


def own_rows(tensor: Tensor) -> Tensor:
    """This process's rows of a shared tensor, in the same memory; any other tensor as it is."""
    return cast("Tensor", cast("Any", tensor).to_local()) if is_shard(tensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """A shared tensor put together; any other as it is."""
    return cast("Tensor", cast("Any", tensor).full_tensor()) if is_shard(tensor) else tensor


def share_like(tensor: Tensor, parameter: nn.Parameter) -> Tensor:
    """A whole tensor as ``parameter`` holds its own: cut alike if that one is shared.

    Args:
        tensor: on any device, alike in all processes; of the parameter's shape, or a number.
        parameter: whose device and cut are taken.
    """
    if not is_shard(parameter) or tensor.ndim == 0:
        return tensor.clone().to(parameter.device)
    from torch.distributed.tensor import DTensor

    pieces = tensor.chunk(world_size())
    mine = pieces[rank()] if rank() < len(pieces) else tensor[:0]
    shared = cast("Any", parameter)
    held = mine.clone().to(parameter.device)
    return DTensor.from_local(
        held,
        shared.device_mesh,
        shared.placements,
        run_check=False,
        shape=tensor.shape,
        stride=tensor.stride(),
    )


class Shards:
    """A model whose blocks are spread over all processes, and its whole weights when they are asked for.

    Args:
        model: with the same weights in every process, on its device; changed in place.
        shell: of :func:`hollow_copy`, made before the model was compiled.

    Attributes:
        guard: what lets all processes go on where one runs out of memory.
    """

    def __init__(self, model: LanguageModel, shell: LanguageModel) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

        self.model = model
        self._shell = shell
        encoder = model.encoder
        mesh = init_device_mesh(next(model.parameters()).device.type, (world_size(),))
        for block in encoder.blocks:
            fully_shard(block, mesh=mesh)
        # The encoder is the blocks' common root: it lets a block be fetched while the one before computes.
        fully_shard(encoder, mesh=mesh, ignored_params={p for p in encoder.parameters() if not is_shard(p)})
        register_fsdp_forward_method(encoder, "forward_packed")
        for module in encoder.modules():
            if isinstance(module, FSDPModule):
                # Losses are divided by the weights of the whole step, so gradients are sums, not means.
                module.set_gradient_divide_factor(1.0)
                module.set_force_sum_reduction_for_comms(True)
        self.guard = Guard(encoder)

    @contextmanager
    def whole_model(self) -> Iterator[LanguageModel]:
        """A copy with whole weights, in every process, for as long as it is looked at."""
        weights = {name: whole(parameter.detach()) for name, parameter in self.model.named_parameters()}
        self._shell.load_state_dict(weights, assign=True, strict=False)
        self._shell.eval()
        try:
            yield self._shell
        finally:
            _drop_weights(self._shell)

    def gather(self) -> dict[str, Tensor]:
        """The model's state on the CPU of the first process, tensor by tensor; nothing in the others."""
        gathered = {}
        for name, tensor in self.model.state_dict().items():
            found = whole(tensor)
            if is_main():
                gathered[name] = found.detach().cpu()
        return gathered


def hollow_copy(model: LanguageModel) -> LanguageModel:
    """A copy whose parameters take no memory; buffers are kept."""
    known: dict[int, Any] = {id(p): nn.Parameter(_hollow(p), p.requires_grad) for p in model.parameters()}
    return copy.deepcopy(model, known)


def _drop_weights(model: nn.Module) -> None:
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(_hollow(parameter), parameter.requires_grad))


def _hollow(parameter: Tensor) -> Tensor:
    return torch.empty_like(parameter, device="meta")


def clip_gradients(parameters: Sequence[nn.Parameter], limit: float) -> Tensor:
    """Scale the gradients down to a common norm of at most ``limit``; 0 leaves them as they are.

    Args:
        parameters: whole ones, with the same gradients in every process, and shared ones.
        limit: largest norm.

    Returns:
        The norm before, float32[].
    """
    found = [p.grad for p in parameters if p.grad is not None]
    shares = [own_rows(gradient) for gradient in found if is_shard(gradient)]
    if not shares:
        norm = nn.utils.get_total_norm(found)
        if limit:
            nn.utils.clip_grads_with_norm_(parameters, limit, norm)
        return norm
    squares = nn.utils.get_total_norm(shares).square()
    dist.all_reduce(squares)
    others = [gradient for gradient in found if not is_shard(gradient)]
    norm = (squares + nn.utils.get_total_norm(others).square()).sqrt()
    if limit:
        factor = (limit / (norm + 1e-6)).clamp(max=1.0)
        for gradient in (*shares, *others):
            gradient.mul_(factor)
    return norm
