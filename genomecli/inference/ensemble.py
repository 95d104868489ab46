"""Several tuned models as one: members of a run with seeds or folds, read side by side and averaged.

A single model passes through untouched, so that what it says is what ``finetune`` judged. Every member reads
ahead for itself; what the foremost has read waits for the others, so memory stays bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from genomecli.errors import InputError, UsageError
from genomecli.files import MANIFEST, read_json
from genomecli.inference.predictor import Outcome, Unlabelled
from genomecli.inference.tuned import Tuned
from genomecli.runtime import log
from genomecli.tasks.examples import Floats
from genomecli.training.checkpoint import FOLDER, find_checkpoint
from genomecli.training.task_spec import TaskSpec

_MEMBER = re.compile(r"(seed|fold)-(\d+)")


class Predicts(Protocol):
    """What predicts: a ``Predictor``, or several."""

    def predict(self, sequences: Iterable[Unlabelled]) -> Iterator[Outcome]:
        """Predictions in input order."""
        ...


class Ensemble:
    """The mean of what several models predict.

    Args:
        members: one or more, of the same targets and reading.
    """

    def __init__(self, members: Sequence[Predicts]) -> None:
        self.members = list(members)

    def predict(self, sequences: Iterable[Unlabelled]) -> Iterator[Outcome]:
        """Predictions in input order; those of a single member as they are.

        Raises:
            InputError, RunError: as the members.
        """
        if len(self.members) == 1:
            yield from self.members[0].predict(sequences)
            return
        copies = tee(sequences, len(self.members))
        answers = [member.predict(copy) for member, copy in zip(self.members, copies, strict=True)]
        for outcomes in zip(*answers, strict=True):
            first = outcomes[0]
            yield Outcome(first.given, _mean([one.scores for one in outcomes]), first.reason, first.short)


def _mean(found: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Means by target; NaN where symbols are covered by no token."""
    return {name: np.sum([one[name] for one in found], axis=0) / len(found) for name in found[0]}


def member_names(path: Path) -> list[str]:
    """Names of the seeds or folds in a run folder, in their order; none for a single run or a checkpoint."""
    if not path.is_dir():
        return []
    found = [(match, one) for one in path.iterdir() if (match := _MEMBER.fullmatch(one.name))]
    chosen = [(match[1], int(match[2]), one.name) for match, one in found if (one / FOLDER).is_dir()]
    return [name for _, _, name in sorted(chosen)]


def member_folders(
    path: Path, member: str | None, ensemble: Literal["mean", "best", "error"]
) -> dict[str, Path]:
    """Folders of the models that are asked for, by name; a single run has the name ``""``.

    Args:
        path: a run folder or a checkpoint.
        member: the one that is wanted, or None.
        ensemble: ``error`` refuses several; ``mean`` and ``best`` give all.

    Raises:
        InputError: if there are several and that is an error.
        UsageError: if the member is not there.
    """
    names = [] if (path / FOLDER).is_dir() else member_names(path)
    if member is not None:
        if member not in names:
            known = f"it has {', '.join(names)}" if names else "it is a single run; leave predict.member out"
            raise UsageError(f"has no member {member!r}", where=path, fix=known)
        return {member: path / member}
    if not names:
        return {"": path}
    if ensemble == "error" and len(names) > 1:
        fix = f"set predict.member to one of {', '.join(names[:5])}, or predict.ensemble to mean or best"
        raise InputError(f"holds {len(names)} runs", where=path, fix=fix)
    return {name: path / name for name in names}


def chosen_checkpoints(
    path: Path, member: str | None, ensemble: Literal["mean", "best", "error"], prefer: str
) -> dict[str, Path]:
    """Checkpoints of the models that are asked for, by name; arguments and errors as of `member_folders`.

    Args:
        path, member, ensemble: likewise.
        prefer: ``best`` or ``last``, which checkpoint of each.
    """
    folders = member_folders(path, member, ensemble)
    found = {name: find_checkpoint(one, prefer=prefer) for name, one in folders.items()}
    if ensemble == "best" and len(found) > 1:
        best = best_member(found, path)
        return {best: found[best]}
    return found


def warn_unfinished(checkpoints: Mapping[str, Path]) -> None:
    """Say which runs are still being tuned: their checkpoints may be replaced."""
    for path in checkpoints.values():
        run = path.parent.parent
        if path.parent.name == FOLDER and not (run / MANIFEST).is_file():
            log.warning("%s is not finished: its checkpoint so far is used", run)


def best_member(checkpoints: Mapping[str, Path], where: object) -> str:
    """The member with the lowest validation loss. Raises InputError if none was validated."""
    losses = {
        name: read_json(path / "state.json")["progress"]["best_loss"] for name, path in checkpoints.items()
    }
    known = {name: loss for name, loss in losses.items() if loss is not None}
    if not known:
        raise InputError("no member was validated", where=where, fix="set predict.ensemble to mean")
    return min(known, key=lambda name: known[name])


def check_alike(members: Mapping[str, Tuned], where: object) -> None:
    """Refuse to average models that do not predict the same.

    Raises:
        InputError: for members with other targets, classes, sequences or covariates than the first.
    """
    first, *others = members
    for name in others:
        if _meaning(members[name].spec) != _meaning(members[first].spec):
            raise InputError(
                f"{first} and {name} do not predict the same classes of the same sequences",
                where=where,
                fix="name one with predict.member",
            )


def _meaning(spec: TaskSpec) -> object:
    """What must be equal for averages to mean something."""
    targets = [(target.name, target.kind, target.classes, target.log) for target in spec.targets]
    covariates = None if spec.covariates is None else spec.covariates.names
    return targets, spec.reading, spec.pair, covariates
