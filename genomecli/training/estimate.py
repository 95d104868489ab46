"""What a run will take, said before its first step, and which preset fits a corpus and a machine.

Rates are measured with the model itself on this machine for a moment, since small models are bound by
calls and memory rather than by arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch

from genomecli.errors import RunError
from genomecli.models.cost import estimate_cost
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.memory import ran_out
from genomecli.models.presets import PRESETS
from genomecli.models.settings import ModelSettings
from genomecli.models.timing import measure_training_rate
from genomecli.runtime import log

TOKENS_PER_PARAMETER = 20
"""Tokens worth showing to each weight (Hoffmann et al. 2022, arXiv:2203.15556, for text)."""

MEMORY_SHARE = 0.8
"""Share of the free memory that a suggested preset may take."""

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Load:
    """What is to be trained on, and with what.

    Args:
        vocabulary_size: number of token ids.
        languages: number of languages.
        length: tokens of a typical text.
        batch_tokens: padded tokens of a micro-batch.
        decoded: share of tokens that are predicted.
        device: where.
        precision: fp32, bf16 or fp16.
    """

    vocabulary_size: int
    languages: int
    length: int
    batch_tokens: int
    decoded: float
    device: torch.device
    precision: str


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Args:
        parameters: weights by part, with ``total``.
        tokens: tokens of the run.
        rate: tokens a second, measured.
        memory: bytes.
        free: bytes of memory that are free; None if not known.
    """

    parameters: dict[str, int]
    tokens: int
    rate: float
    memory: int
    free: int | None

    @property
    def seconds(self) -> float:
        """Time of training, without validation and checkpoints."""
        return self.tokens / self.rate

    def lines(self) -> list[str]:
        """The estimate in words."""
        parts = ", ".join(f"{name} {count:,}" for name, count in self.parameters.items() if name != "total")
        model = f"model: {self.parameters['total']:,} parameters ({parts})"
        return [model, f"training: {self.paced}", *self.memory_lines()]

    @property
    def paced(self) -> str:
        """Tokens, their rate and the time that they take, in words."""
        return f"{self.tokens:,} tokens at about {self.rate:,.0f} tokens/s: {duration(self.seconds)}"

    def memory_lines(self) -> list[str]:
        """The memory in words, and a warning where it is not there."""
        free = "" if self.free is None else f" of {_size(self.free)} free"
        lines = [f"memory: about {_size(self.memory)}{free}"]
        if self.free is not None and self.memory > self.free:
            lines.append(
                "warning: that is more than is free; lower reading.tokens_per_batch or the model's size"
            )
        return lines


def estimate_run(model: LanguageModel, load: Load, tokens: int, *, seconds: float = 0.3) -> Estimate:
    """Measure ``model``, which is on its device, and say what ``tokens`` tokens will take."""
    cost = _cost(model.settings, load)
    rate = _rate(model, load, load.batch_tokens, seconds)
    return Estimate(cost.parameters, tokens, rate, cost.memory_bytes, free_memory(load.device))


def _rate(model: LanguageModel, load: Load, batch_tokens: int, seconds: float) -> float:
    """Tokens a second; batches too large for the memory are halved.

    Raises:
        RunError: if one text alone does not fit the memory.
    """
    length = min(load.length, model.settings.context)
    while True:
        try:
            return measure_training_rate(
                model,
                length=length,
                batch_tokens=batch_tokens,
                precision=load.precision,
                decoded=load.decoded,
                seconds=seconds,
            )
        except RuntimeError as error:
            if not ran_out(error):
                raise
            if batch_tokens <= length:
                what = "one text alone does not fit the memory of the device"
                raise RunError(what, fix="lower the context or the model's size") from None
        batch_tokens //= 2
        log.warning("out of memory: the rate is measured with batches of %d tokens", batch_tokens)


def _cost(settings: ModelSettings, load: Load) -> Any:
    return estimate_cost(
        settings,
        load.vocabulary_size,
        languages=load.languages,
        length=min(load.length, settings.context),
        batch_tokens=load.batch_tokens,
        decoded=load.decoded,
        precision=cast("Precision", load.precision),
        on_cpu=load.device.type == "cpu",
    )


def free_memory(device: torch.device) -> int | None:
    """Bytes free on ``device``; None where it cannot be asked."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    import psutil

    return int(psutil.virtual_memory().available)


@dataclass(frozen=True)
class Choice:
    """A preset with what it would take.

    Args:
        preset: its name.
        parameters: weights outside the embedding and the output layer.
        tokens: tokens worth training it on: ``TOKENS_PER_PARAMETER`` a weight, at least one pass.
        seconds: time of that here.
        memory: bytes.
        fits: whether it fits the corpus, the time and the memory.
        why: what it fails by, empty if it fits.
    """

    preset: str
    parameters: int
    tokens: int
    seconds: float
    memory: int
    fits: bool
    why: str


def suggest(load: Load, corpus_tokens: int, minutes: float, presets: Sequence[str] = ()) -> list[Choice]:
    """Judge presets from small to large, until one is far too slow.

    A preset fits if the corpus has a token for each of its weights (more weights than tokens memorise), if
    its training takes at most ``minutes``, and if it fits the memory. The last that fits is the proposal.

    Args:
        load: machine and batches.
        corpus_tokens: tokens of the training texts.
        minutes: longest training.
        presets: names, smallest first; the modern encoders by default.
    """
    plain = [
        name for name, preset in PRESETS.items() if preset.architecture == "modern" and not preset.options
    ]
    names = presets or plain
    found: list[Choice] = []
    speed = 0.0
    for name in names:
        settings = ModelSettings(preset=name, context=max(8, load.length))
        cost = _cost(settings, load)
        parameters = cost.parameters["blocks"]
        tokens = max(TOKENS_PER_PARAMETER * parameters, corpus_tokens)
        seconds = cost.training_seconds(tokens, speed) if speed else 0.0
        if seconds < 240 * minutes:  # not hopeless by the rate of the preset before it: measure it
            rate = _measure(settings, load)
            speed, seconds = rate * cost.train_flops, tokens / rate
        why = _why_not(cost.memory_bytes, parameters, corpus_tokens, seconds, minutes, load.device)
        found.append(Choice(name, parameters, tokens, seconds, cost.memory_bytes, not why, why))
        if seconds >= 240 * minutes:
            break
    return found


def _measure(settings: ModelSettings, load: Load) -> float:
    model = build_model(settings, load.vocabulary_size, load.languages).to(load.device)
    batch_tokens = min(load.batch_tokens, 4096) if load.device.type == "cpu" else load.batch_tokens
    return _rate(model, load, batch_tokens, 0.3)


def _why_not(
    memory: int, parameters: int, corpus_tokens: int, seconds: float, minutes: float, device: torch.device
) -> str:
    free = free_memory(device)
    if free is not None and memory > MEMORY_SHARE * free:
        return f"takes {_size(memory)} of {_size(free)} free"
    if parameters > corpus_tokens:
        return f"has more weights than the corpus has tokens ({corpus_tokens:,})"
    if seconds > 60 * minutes:
        return f"takes {duration(seconds)}"
    return ""


def duration(seconds: float) -> str:
    """A time in words: ``40 s``, ``12 min``, ``3.5 h``, ``4.2 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
