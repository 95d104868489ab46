"""How fast a model really trains here: a few steps on random tokens, timed.

Small models are bound by memory and by calls, not by arithmetic, so a rate of operations taken from a
datasheet tells little about them; a second of the model itself tells more.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

import torch

from genomecli.models.language_model import LanguageModel

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""Number formats of half the width, by name."""


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which a model computes at ``precision`` (fp32, bf16 or fp16) on ``device``."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=HALF[precision])


def measure_training_rate(
    model: LanguageModel,
    *,
    length: int,
    batch_tokens: int,
    precision: str = "fp32",
    decoded: float = 0.15,
    seconds: float = 1.0,
) -> float:
    """Tokens a second through forward and backward pass, without the optimiser; weights are left as they are.

    Args:
        model: on the device to be measured.
        length: tokens of each text, at most the context.
        batch_tokens: tokens of a batch; at least one text is taken.
        precision: fp32, bf16 or fp16.
        decoded: share of tokens whose scores are computed.
        seconds: how long to measure, after one step of warming up.

    Returns:
        The rate of the fastest step, which other programs on the machine disturb least.

    Raises:
        ValueError: if ``length`` exceeds the context.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    shape = (max(1, batch_tokens // length), length)
    tokens = torch.randint(model.vocabulary_size, shape, generator=generator)
    chosen = torch.randperm(tokens.numel(), generator=generator)[: max(1, round(decoded * tokens.numel()))]
    tokens, chosen = tokens.to(device), chosen.to(device)
    _step(model, tokens, chosen, precision)
    times: list[float] = []
    while sum(times) < seconds:
        start = time.perf_counter()
        _step(model, tokens, chosen, precision)
        times.append(time.perf_counter() - start)
    return tokens.numel() / min(times)


def _step(model: LanguageModel, tokens_BL: torch.Tensor, chosen: torch.Tensor, precision: str) -> None:
    """One forward and backward pass; gradients are thrown away."""
    with autocast(tokens_BL.device, precision):
        hidden = model(tokens_BL, languages_BL=torch.zeros_like(tokens_BL)).last
        logits = model.logits(hidden, chosen)
    loss = torch.nn.functional.cross_entropy(logits.float(), tokens_BL.flatten()[chosen])
    torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    if tokens_BL.is_cuda:
        torch.cuda.synchronize(tokens_BL.device)
