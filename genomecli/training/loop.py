"""The one training loop: pretraining runs in it, and fine-tuning does.

Its step reads no value back from the device, so a GPU is never waited for between two log lines. All that a
later step depends on is the weights, the optimiser's state, the gradient scaler and :class:`Progress`: data,
masks, learning rate and dropout are functions of (seed, step, micro-batch). So several processes, each with
its share of the micro-batches, compute the step that one would.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from genomecli.corpus.batch import AnyBatch
from genomecli.corpus.packing import PackSizes
from genomecli.errors import CheckpointedError, InterruptedRunError, RunError
from genomecli.models.memory import ran_out
from genomecli.models.timing import autocast
from genomecli.runtime import log, seed_of
from genomecli.signals import StopFlag
from genomecli.training.distributed import (
    add_up,
    agreed,
    common_reason,
    highest,
    is_main,
    rank,
    sum_gradients,
    world_size,
)
from genomecli.training.feed import Feed, Prepared, pieces_of, place_for, split_rows
from genomecli.training.learner import Data, Hooks, Learner, Loss
from genomecli.training.meters import NEVER, Meters
from genomecli.training.optimiser import set_learning_rate
from genomecli.training.plan import Plan, Progress
from genomecli.training.sharding import Shards, clip_gradients, is_shard

MOST_SKIPPED = 20
"""Steps in a row that may be skipped; a run that skips more has come apart."""


class Trainer:
    """Trains ``model`` by ``plan``.

    Args:
        model: on its device.
        learner: gives the loss.
        data: gives the batches.
        optimiser: of the model's parameters.
        plan: when to do what.
        hooks: logging, validation, checkpoints, probes.
        progress: where to go on from.
        pack: sizes of packed batches, for a learner that takes them; None leaves texts padded.
        shards: of ``model``, if its blocks are spread over the processes.
    """

    def __init__(
        self,
        model: nn.Module,
        learner: Learner,
        data: Data,
        optimiser: torch.optim.Optimizer,
        plan: Plan,
        hooks: Hooks | None = None,
        progress: Progress | None = None,
        pack: PackSizes | None = None,
        shards: Shards | None = None,
    ) -> None:
        self.model = model
        self.shards = shards
        self.learner = learner
        self.data = data
        self.optimiser = optimiser
        self.plan = plan
        self.hooks = hooks or Hooks()
        self.progress = progress or Progress()
        self.device = next(model.parameters()).device
        self.parameters = [p for group in optimiser.param_groups for p in group["params"]]
        self.replicated = [p for p in self.parameters if not is_shard(p)]
        self.place = place_for(self.device, pack)
        self.pieces = 1
        self._skipped_last = 0
        self.meters = Meters(self.device)
        self.meters.restore(self.progress.window)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=plan.precision == "fp16")
        if self.progress.scaler and self.scaler.is_enabled():
            _restore_scaler(self.scaler, self.progress.scaler)
        self._clock = (time.monotonic(), self.progress.tokens)

    def run(self, flag: StopFlag | None = None) -> Progress:
        """Train to the end of the plan, or until patience runs out; the progress then.

        Args:
            flag: says when a signal asks to stop; one of its own while it runs, by default.

        Raises:
            RunError: if a loss is no finite number, naming the records of its batch.
            CheckpointedError: after TERM, USR1 or the deadline, with a checkpoint saved.
            InterruptedRunError: after INT, with a checkpoint saved.
            SaidElsewhereError: in other processes than the first, for each of these.
        """
        ahead = self.device.type != "cpu"
        with ExitStack() as stack:
            flag = flag or stack.enter_context(StopFlag())
            feed = Feed(self.data, self.learner, self.plan.steps, ahead=ahead, place=self.place)
            stack.enter_context(feed)
            self.model.train()
            while self.progress.step < self.plan.steps and not self._patience_is_over():
                self._step(feed)
                self._after_step(self._reason_to_stop(flag))
        return self.progress

    def _patience_is_over(self) -> bool:
        return 0 < self.plan.patience <= self.progress.waits

    def _reason_to_stop(self, flag: StopFlag) -> str | None:
        """Why to stop after this step, if any process was asked to."""
        reason = flag.requested
        if reason is None and time.monotonic() >= self.plan.deadline:
            reason = "time"
        return common_reason(reason)

    def _step(self, feed: Feed) -> None:
        step = self.progress.step
        prepared, seen = self._whole_step(feed(step))
        set_learning_rate(self.optimiser, self.plan.rate * self.plan.schedule(step))
        losses = self._accumulate(prepared)
        if self.plan.skip_bad and self._skips(losses):
            self.progress = replace(self.progress, skipped=self.progress.skipped + 1)
        else:
            self._learn(losses)
        self.progress = replace(self.progress, step=step + 1, tokens=self.progress.tokens + seen)
        if self.hooks.advance is not None:
            self.hooks.advance()

    def _learn(self, losses: Sequence[tuple[int, Loss]]) -> None:
        """Follow the gradients that stand."""
        for place, (number, loss) in enumerate(losses):
            self.meters.add_loss(loss, self.progress.step, number)
            self.meters.add("loss", loss.total, 1.0 if place == number == 0 else 0.0)
        if self.device.type == "cpu":  # reading a value costs nothing here; elsewhere log points do it
            self._stop_at_bad_loss()
        self._update()
        self._skipped_last = 0

    def _skips(self, losses: Sequence[tuple[int, Loss]]) -> bool:
        """Forget the gradients of a step with a loss that is no finite number, in any process."""
        mine = min((n for n, loss in losses if not math.isfinite(float(loss.total))), default=NEVER)
        number = -int(highest([-float(mine)])[0])
        if number == NEVER:
            return False
        self._skipped_last += 1
        step = self.progress.step
        if self._skipped_last > MOST_SKIPPED:
            what = f"the loss is no finite number at {self._skipped_last} steps in a row, up to {step + 1}"
            with agreed():
                raise RunError(what, where=self._names(step, number), fix=_CALMER)
        self.optimiser.zero_grad(set_to_none=True)
        what = "step %d is skipped: its loss is no finite number; %s"
        log.warning(what, step + 1, self._names(step, number))
        return True

    def _names(self, step: int, number: int) -> str:
        """The records of a micro-batch, the first eight by name; ``number`` counts those of all processes."""
        place, owner = divmod(number, world_size())
        rows = self.data.step(step, owner, world_size())[place].records.tolist()
        names = self.hooks.name_records(rows[:8])
        more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
        return f"records {', '.join(names)}{more}"

    def _whole_step(self, mine: Prepared) -> tuple[Prepared, int]:
        """This process's part of a step with the totals of all processes, and the real tokens of the step."""
        seen = sum(batch.real_tokens for batch in mine.batches)
        *totals, tokens = add_up([*mine.totals.values(), seen])
        return replace(mine, totals=dict(zip(mine.totals, totals, strict=True))), int(tokens)

    def _accumulate(self, prepared: Prepared) -> list[tuple[int, Loss]]:
        """Gradients of a step; micro-batches too large for the memory are halved, here and from now on.

        Returns:
            The number within the step, and the loss, of all that was computed at a time.
        """
        while True:
            losses = self._alone(prepared) if self.shards is None else self._in_step(prepared, self.shards)
            if losses is not None:
                return losses
            rows = max(len(batch.lengths) for batch in prepared.batches)
            if self.pieces >= (rows if self.shards is None else highest([rows])[0]):
                raise RunError(
                    "one text alone does not fit the memory of the device",
                    fix="lower the context or the model's size",
                )
            self.pieces *= 2
            self.optimiser.zero_grad(set_to_none=True)
            log.warning("out of memory: each micro-batch is computed in %d pieces from now on", self.pieces)

    def _alone(self, prepared: Prepared) -> list[tuple[int, Loss]] | None:
        """Losses of a step, with their gradients; None where memory does not suffice."""
        try:
            return [(n, self._backward(texts, prepared.totals)) for n, texts in self._parts(prepared)]
        except RuntimeError as error:
            if not ran_out(error):
                raise
            return None

    def _in_step(self, prepared: Prepared, shards: Shards) -> list[tuple[int, Loss]] | None:
        """The same where blocks are shared, and all processes fetch them at the same places."""
        mine = sum(pieces_of(batch, self.pieces) for batch in prepared.batches)
        spare = int(highest([mine])[0]) - mine
        guard = shards.guard
        losses = []
        try:
            guard.begin()
            for number, texts in self._parts(prepared):
                loss = guard.attempt(partial(self._backward, texts, prepared.totals))
                if loss is not None:
                    losses.append((number, loss))
            for _ in range(spare):
                guard.idle()
        except RuntimeError as error:
            if not ran_out(error):
                raise
            raise RunError(
                "out of memory where blocks are fetched or added up, which smaller batches do not help",
                fix="lower the model's size, or share it among more processes; then resume",
            ) from None
        return None if highest([float(guard.failed)])[0] else losses

    def _parts(self, prepared: Prepared) -> Iterator[tuple[int, AnyBatch]]:
        """What is computed at a time, and which micro-batch of the whole step it is of."""
        for place, batch in enumerate(prepared.batches):
            number = rank() + place * world_size()
            torch.manual_seed(seed_of(self.plan.seed, "dropout", self.progress.step, number))
            whole = [prepared.texts[place]]
            parts = whole if self.pieces == 1 else map(self.place, split_rows(batch, self.pieces))
            for part in parts:
                yield number, part

    def _backward(self, texts: AnyBatch, totals: dict[str, float]) -> Loss:
        with autocast(self.device, self.plan.precision):
            loss = self.learner.loss(self.model, texts.to(self.device), totals)
        self.scaler.scale(loss.total).backward()  # type: ignore[no-untyped-call]
        return Loss(loss.total.detach(), {name: pair.detach() for name, pair in loss.ratios.items()})

    def _update(self) -> None:
        sum_gradients(self.replicated)
        self.scaler.unscale_(self.optimiser)
        norm = clip_gradients(self.parameters, self.plan.clip)
        self.meters.add("grad_norm", norm if is_main() else torch.zeros_like(norm), float(is_main()))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)

    def _stop_at_bad_loss(self) -> None:
        bad = self.meters.first_bad()
        if bad is None:
            return
        step, number = bad
        what = f"the loss is no finite number at step {step + 1}"
        with agreed():
            raise RunError(what, where=self._names(step, number), fix=_CALMER)

    def _due(self, every: int) -> bool:
        done = self.progress.step
        return done == self.plan.steps or (every > 0 and done % every == 0)

    def _after_step(self, reason: str | None) -> None:
        if self._due(self.plan.log_every):
            self._log()
        with self._evaluating():
            best = self._look()
        ended = self._patience_is_over() or self.progress.step == self.plan.steps
        if best or ended or reason or self._due(self.plan.save_every):
            self._save(best)
        if reason and not ended:
            self._leave(reason)

    def _log(self) -> None:
        means = self.meters.means()
        self._stop_at_bad_loss()
        rate = self.plan.rate * self.plan.schedule(self.progress.step - 1)
        now, (before, tokens) = time.monotonic(), self._clock
        self._clock = (now, self.progress.tokens)
        if self.hooks.log is not None and means:
            figures = {**means, "lr": rate, "tokens": self.progress.tokens}
            self.hooks.log(self.progress.step, figures, self.progress.tokens - tokens, now - before)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Evaluation mode, and a clock that does not count what is done inside as training."""
        begin = time.monotonic()
        yield
        if not self.model.training:
            self.model.train()
        before, tokens = self._clock
        self._clock = (before + time.monotonic() - begin, tokens)

    def _look(self) -> bool:
        """Validate and probe where that is due; whether the validation was the best so far."""
        validates = self.hooks.validate is not None and self._due(self.plan.validate_every)
        probes = self.plan.probe_every > 0 and self._due(self.plan.probe_every)
        if not validates and not probes:
            return False
        with nullcontext(self.model) if self.shards is None else self.shards.whole_model() as model:
            best = self._validate(model) if validates else False
            if probes:
                self._probe(model)
        return best

    def _validate(self, model: nn.Module) -> bool:
        assert self.hooks.validate is not None
        model.eval()
        loss = self.hooks.validate(model, self.progress.step).get("loss", math.nan)
        best = self.progress.best_loss
        if math.isfinite(loss) and (best is None or loss < best):
            self.progress = replace(self.progress, best_loss=loss, best_step=self.progress.step, waits=0)
            return True
        self.progress = replace(self.progress, waits=self.progress.waits + 1)
        return False

    def _probe(self, model: nn.Module) -> None:
        model.eval()
        figures: dict[str, float] = {}
        for name, probe in self.hooks.probes.items():
            found = probe(model, self.progress.step)
            figures.update({f"{name}/{key}": value for key, value in found.items()})
        if figures and self.hooks.probed is not None:
            self.hooks.probed(self.progress.step, figures)

    def _save(self, best: bool) -> None:
        if self.hooks.save is None:
            return
        self._stop_at_bad_loss()
        scaler = self.scaler.state_dict() if self.scaler.is_enabled() else {}
        state = replace(self.progress, window=self.meters.pairs(), scaler=scaler)
        self.hooks.save(state, best)

    def _leave(self, reason: str) -> None:
        done = f"stopped at step {self.progress.step} of {self.plan.steps}"
        why = "its time is over" if reason == "time" else f"by {reason}"
        # A process that ends with an error may have the others killed: none does before the first has saved.
        with agreed():
            if reason == "INT":
                raise InterruptedRunError(f"{done} by INT", fix="--resume goes on from there")
            raise CheckpointedError(f"{done}: {why}", fix="--resume goes on from there")


_CALMER = "lower optimiser.lr, raise schedule.warmup, or train in fp32; then resume"


def _restore_scaler(scaler: torch.amp.GradScaler, state: dict[str, float]) -> None:
    scaler.load_state_dict({**scaler.state_dict(), **state})
