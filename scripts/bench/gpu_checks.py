"""What must hold on a GPU before anything is timed: fast paths equal plain ones, and a step never waits."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from scripts.bench.gpu_sizes import Size, config_of, job_of
from scripts.bench.harness import Row

if TYPE_CHECKING:
    from genomecli.corpus.batch import AnyBatch, Batch
    from genomecli.models.language_model import LanguageModel

CHECKED = 1024
"""Tokens of the packed batch of the checks."""

MOST = 0.03
"""Largest difference in bf16 that passes; on a CPU it is 0.006."""

WARM = 3
"""Steps before waits for the device are counted: the first ones set up libraries."""

WAITED = "called a synchronizing CUDA operation"
"""What torch says of a wait."""


@dataclass(frozen=True)
class Found:
    """What a network makes of one batch.

    Args:
        states: float[T, D] of the real tokens, text after text.
        loss: cross entropy of some tokens.
        gradient: float[P], of all weights.
    """

    states: torch.Tensor
    loss: torch.Tensor
    gradient: torch.Tensor


def compare(what: str, fast: Found, plain: Found, most: float) -> list[Row]:
    """Rows of what may differ: the loss, and, relative to their size, any token's states and the gradient.

    Args:
        what: which two are compared.
        fast: of the faster path.
        plain: of the plainer path.
        most: largest difference that passes.
    """
    states = ((fast.states - plain.states).norm(dim=-1) / plain.states.norm(dim=-1)).max()
    gradient = (fast.gradient - plain.gradient).norm() / plain.gradient.norm()
    differences = {"states": states, "loss": (fast.loss - plain.loss).abs(), "gradient": gradient}
    return [_check(f"{what}, {name}", float(value), most) for name, value in differences.items()]


def _check(what: str, value: float, most: float, unit: str = "largest difference", note: str = "") -> Row:
    # Not "value > most": a difference that is no number must fail.
    return Row(
        "gpu", f"check: {what}", unit, value, goal=f"at most {most:g}", met=bool(value <= most), note=note
    )


def checks(device: torch.device) -> list[Row]:
    """The fast paths beside the plain ones, in a small network with windows in some layers."""
    from genomecli.corpus.packing import PackSizes, pack, real_places
    from genomecli.models.compiling import compile_blocks

    model, batch = network_to_check().to(device), some_texts()
    packed, real = pack(batch, PackSizes(CHECKED, CHECKED // 4)), real_places(batch)
    every = torch.arange(len(real))
    plain, half = outcome(model, batch, real, "fp32"), outcome(model, batch, real, "bf16")
    half_packed = outcome(model, packed, every, "bf16")
    rows = [
        *compare("bf16 beside fp32, padded", half, plain, MOST),
        *compare("packed beside padded, fp32", outcome(model, packed, every, "fp32"), plain, 1e-3),
        *compare("packed beside padded, bf16", half_packed, half, MOST),
    ]
    cuda = device.type == "cuda"
    compile_blocks(model, "inductor" if cuda else "aot_eager")
    if cuda:
        rows += compare("compiled beside eager", outcome(model, packed, every, "bf16"), half_packed, MOST)
        rows[0] = replace(rows[0], note=torch.cuda.get_device_name(device))
    else:  # where texts are not packed
        rows += compare("compiled beside eager", outcome(model, batch, real, "bf16"), half, MOST)
    torch.compiler.reset()
    return rows


def network_to_check() -> LanguageModel:
    """A small network with matrices twice as large as at the beginning of a training, where attention hardly
    counts: so a text that sees its neighbour has states that differ by 0.2 or more, not by 0.03 to 0.08."""
    from genomecli.models.language_model import build_model
    from genomecli.models.settings import ModelSettings

    settings = ModelSettings.model_validate({"preset": "small", "layers": 4, "context": CHECKED // 4})
    model = build_model(settings, 32)
    with torch.no_grad():
        for weight in model.encoder.blocks.parameters():
            weight.mul_(2.0 if weight.dim() > 1 else 1.0)
    return model


def some_texts() -> Batch:
    """Texts of several lengths, padded, on the CPU."""
    from genomecli.corpus.batch import Batch

    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(5, 32, (5, CHECKED // 4), generator=generator)
    lengths = torch.tensor([256, 200, 131, 64, 7])
    places = torch.arange(CHECKED // 4).expand(5, -1)
    return Batch(tokens, lengths, places, torch.zeros_like(tokens), torch.arange(5))


def outcome(model: LanguageModel, texts: AnyBatch, real: torch.Tensor, precision: str) -> Found:
    """States, loss and gradient; ``real`` are the places of the real tokens, every seventh is predicted."""
    from genomecli.models.encode import encode
    from genomecli.models.timing import autocast

    device = next(model.parameters()).device
    texts, real = texts.to(device), real.to(device)
    with autocast(device, precision):
        states = encode(model, texts).last
        logits = model.logits(states, real[::7])
    targets = texts.tokens.flatten()[real[::7]]
    loss = torch.nn.functional.cross_entropy(logits.float(), targets)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    flat = torch.cat([one.float().flatten() for one in gradients if one is not None])
    return Found(states.detach().flatten(0, -2)[real].float(), loss.detach(), flat)


class Waits:
    """Counts how often the steps of a training wait for the device.

    A step must not: batches are packed and pinned ahead, and figures stay on the device. Log lines,
    validation and checkpoints may, and so may fp16's scaler and ``bad_loss: skip``; none of them comes
    between the first counted step and the last. Torch does not see every kind of wait.

    Args:
        device: where the training is; on a CPU there is nothing to wait for.
        steps: of the training; the last is followed by a log line.
    """

    def __init__(self, device: torch.device, steps: int) -> None:
        self.cuda = device.type == "cuda"
        self.steps = steps
        self.done = 0

    def advance(self) -> None:
        """A step has been done, and what follows it has not."""
        self.done += 1
        if self.done in (WARM, self.steps):
            self._say("warn" if self.done == WARM else "default")

    def _say(self, mode: str) -> None:
        if self.cuda:
            torch.cuda.set_sync_debug_mode(mode)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Where the steps within wait, a line each; known at the end."""
        places: list[str] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield places
            finally:
                self._say("default")
        places += [f"{Path(w.filename).name}:{w.lineno}" for w in caught if WAITED in str(w.message)]


def waits(name: str, size: Size, config: Path, device: str, *, compiled: bool) -> Row:
    """How often five training steps wait for the device."""
    from genomecli.models.compiling import compile_blocks
    from genomecli.training.learner import Hooks
    from genomecli.training.loop import Trainer
    from genomecli.training.objective_learner import ObjectiveLearner
    from genomecli.training.optimiser import build_optimiser
    from genomecli.training.plan import Plan

    job = job_of(config_of(config, size, device, steps=WARM + 5))
    torch.compiler.reset()
    model = job.empty_model()
    if compiled:
        compile_blocks(model)
    watch = Waits(job.machine.device, job.steps)
    optimiser = build_optimiser(model, job.optimiser, job.machine.device)
    plan = Plan(job.steps, job.optimiser.lr, lambda step: 1.0, precision=job.machine.precision, log_every=0)
    learner, hooks = ObjectiveLearner(job.mixture, job.seed), Hooks(advance=watch.advance)
    with watch.counted() as places:
        Trainer(model, learner, job.sampler, optimiser, plan, hooks, pack=job.pack).run()
    note = ", ".join(sorted(set(places)))[:300] if watch.cuda else "no device to wait for"
    what = f"waits of a training step, {name}{', compiled' if compiled else ''}"
    return _check(what, len(places), 0, "waits", note)


def refuse(rows: Sequence[Row]) -> None:
    """Raise SystemExit, with exit code 1, that names the checks that failed, if any did."""
    failed = [
        f"{row.what}: {row.ours:.3g} {row.unit}, {row.goal}{f' ({row.note})' if row.note else ''}"
        for row in rows
        if not row.met
    ]
    if failed:
        raise SystemExit("gpu: nothing is timed, as checks failed: " + "; ".join(failed))
