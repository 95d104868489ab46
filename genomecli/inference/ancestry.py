"""Where a network comes from: what its body was trained on, its tunings so far, and the rows they saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genomecli.files import read_json
from genomecli.inference.training_history import BEGAN_FROM, TrainingHistory
from genomecli.tasks.seen import Seen, read_seen
from genomecli.training.checkpoint import FOLDER


@dataclass(frozen=True)
class EarlierTuning:
    """A tuning that a network has behind it.

    Args:
        targets: their names.
        files: names of the files of its labelled rows.
        rows: that it learned from; None where its run does not say.
        window: symbols of the windows that its sequences were cut into; None where they were not.
    """

    targets: tuple[str, ...]
    files: tuple[str, ...]
    rows: int | None = None
    window: int | None = None

    def __str__(self) -> str:
        counted = "number of training rows not known" if self.rows is None else f"{self.rows} training rows"
        return f"{', '.join(self.targets)} ({', '.join([*self.files, counted])})"


@dataclass(frozen=True)
class Ancestry:
    """Where a network comes from.

    Args:
        history: of its pretraining, as far as it is known.
        tunings: in order; none for a pretrained body.
        seen: rows of those tunings; None where no keys were kept, or nothing was tuned.
    """

    history: TrainingHistory
    tunings: tuple[EarlierTuning, ...] = ()
    seen: Seen | None = None

    @property
    def known(self) -> bool:
        """Whether all rows that it was tuned on are known."""
        return not self.tunings or (self.seen is not None and self.seen.whole)

    @property
    def windows(self) -> tuple[int, ...]:
        """Lengths of the windows that its tunings cut their sequences into, in symbols, each once."""
        return tuple(sorted({one.window for one in self.tunings if one.window is not None}))

    @property
    def told(self) -> str:
        """Its tunings in words, without a full stop; empty for none."""
        return " and then on ".join(map(str, self.tunings))

    def to_dict(self) -> dict[str, Any]:
        """What the next tuned run says of its beginning; see ``BEGAN_FROM``."""
        return {
            "molecules": list(self.history.molecules),
            "fills_in": self.history.fills_in,
            "stops": self.history.stops,
            "tunings": [asdict(one) for one in self.tunings],
        }


def ancestry_of(checkpoint: Path) -> Ancestry:
    """Where the network of a checkpoint's folder comes from.

    The keys of its rows lie in its run's folder. Of a checkpoint that was copied out of it they are not
    known.

    Raises:
        InputError: for files that cannot be read.
    """
    config = read_json(checkpoint / "config.json")
    history = TrainingHistory.of(config)
    if "finetune" not in config:
        return Ancestry(history)
    seen = read_seen(checkpoint.parent.parent) if checkpoint.parent.name == FOLDER else None
    before = config.get(BEGAN_FROM, {}).get("tunings", ())
    last = _tuning(config, None if seen is None else seen.rows[0])
    return Ancestry(history, (*map(_from_dict, before), last), seen)


def _tuning(config: Mapping[str, Any], rows: int | None) -> EarlierTuning:
    files = config.get("inputs", {}).get("files", [])
    section = config["finetune"]
    window = section.get("data", {}).get("window")
    return EarlierTuning(tuple(section["targets"]), tuple(one["name"] for one in files), rows, window)


def _from_dict(values: Mapping[str, Any]) -> EarlierTuning:
    return EarlierTuning(
        tuple(values["targets"]), tuple(values["files"]), values["rows"], values.get("window")
    )
