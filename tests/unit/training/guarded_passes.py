"""Passes over shared blocks in which one process runs out of memory: ``python -m ... RANK PORT`` twice.

Each of two processes prints one line of JSON for each place at which the first one fails: whether its guard
says so, and how far the gradients of the attempt after that are from those of one process alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn

from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings
from genomecli.training.sharding import Shards, hollow_copy, whole

PLACES = (
    "nowhere",
    "stem",
    "first block",
    "last block",
    "norm",
    "head",
    *(f"{name}, back" for name in ("stem", "first block", "last block", "norm", "head")),
)
SETTINGS = {"preset": None, "layers": 3, "width": 16, "heads": 2, "context": 32}


class _FailsBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("no memory")


def make() -> LanguageModel:
    return build_model(ModelSettings.model_validate(SETTINGS), 20, seed=3)


def parts(model: LanguageModel) -> dict[str, nn.Module]:
    """What computes within each named place; none of them fetches anything."""
    encoder = model.encoder
    return {
        "stem": encoder.stem.tokens,  # type: ignore[dict-item]
        "first block": encoder.blocks[0].feedforward,  # type: ignore[dict-item]
        "last block": encoder.blocks[-1].mixer,  # type: ignore[dict-item]
        "norm": encoder.final_norm,
        "head": model.lm_head,
    }


@contextmanager
def scarce(model: LanguageModel, place: str) -> Iterator[None]:
    """No memory at one place of ``model``, forth or back."""
    name, _, back = place.partition(", ")
    if name == "nowhere":
        yield
        return

    def hook(module: nn.Module, given: Any, found: Tensor) -> Tensor:
        if back:
            return _FailsBack.apply(found)  # type: ignore[no-any-return, no-untyped-call]
        raise torch.OutOfMemoryError("no memory")

    handle = parts(model)[name].register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def work(model: LanguageModel, tokens: Tensor) -> Callable[[], float]:
    def one() -> float:
        scores = model.logits(model(tokens).last).flatten(0, -2)
        loss = nn.functional.cross_entropy(scores, tokens.roll(1, dims=1).flatten(), reduction="sum")
        loss.backward()
        return float(loss.detach())

    return one


def gradients(model: LanguageModel) -> dict[str, Tensor]:
    return {name: whole(p.grad) for name, p in model.named_parameters() if p.grad is not None}


def try_place(place: str, rank: int) -> dict[str, Any]:
    """Fail at a place, then go on in two passes where there was one; rank 1 has nothing to do in the last."""
    batches = [torch.randint(5, 20, (4, 9), generator=torch.Generator().manual_seed(s)) for s in (1, 2, 3)]
    alone = make()
    for tokens in batches:
        work(alone, tokens)()
    model = make()
    shards = Shards(model, hollow_copy(model))
    mine = batches[rank::2]
    with scarce(model, place if rank == 0 else "nowhere"):
        shards.guard.begin()
        said = [shards.guard.attempt(work(model, tokens)) is None for tokens in mine]
        if rank:
            shards.guard.idle()
    failed = shards.guard.failed
    model.zero_grad(set_to_none=True)
    shards.guard.begin()
    halves = [half for tokens in mine for half in tokens.chunk(2)]
    again = [shards.guard.attempt(work(model, half)) is not None for half in halves]
    for _ in range(4 - len(halves)):
        shards.guard.idle()
    found, wanted = gradients(model), gradients(alone)
    for name, gradient in found.items():  # replicated ones are summed by the loop
        if not hasattr(dict(model.named_parameters())[name].grad, "to_local"):
            distributed.all_reduce(gradient)
    off = max(float((found[name] - wanted[name]).abs().max()) for name in wanted)
    return {"place": place, "failed": failed, "none": said, "again": all(again), "off": off}


def main() -> None:
    rank, port = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    for place in PLACES:
        print(json.dumps(try_place(place, rank)), flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
