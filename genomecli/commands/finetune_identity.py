"""What a run of ``finetune`` is made from, by names and checksums: what it must stay when it is resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomecli.errors import RunError, UsageError
from genomecli.inference.training_history import BEGAN_FROM
from genomecli.training.distributed import agreed, from_main
from genomecli.training.job import weights_digest
from genomecli.training.run_folder import RunFolder, State

if TYPE_CHECKING:
    from genomecli.commands.finetune_data import FinetuneData
    from genomecli.config import Config

FREE = frozenset(
    {
        "device",
        "precision",
        "threads",
        "finetune.loggers",
        "finetune.max_minutes",
        "finetune.model",
        "finetune.tokens_per_batch",
        "finetune.metrics.test",
        BEGAN_FROM,
    }
)
"""Settings that may change between the parts of a run; data and weights are compared by their content."""

FREE_WHEN_FINISHED = FREE - {"finetune.metrics.test"}
"""Settings in which a finished run may differ and still be what is asked for."""

_KEPT = "a resumed run keeps its settings (--model and another --out start a new run from its weights)"

_PLACES = ("path", "labels", "mask", "spliced")
"""Settings of data that name files."""

_SHOWN = 5
"""Settings of a finished run that are named where they differ."""


def resolved_settings(config: Config, data: FinetuneData) -> dict[str, Any]:
    """The settings, with names and checksums of inputs instead of their paths."""
    inputs = data.inputs()
    if data.settings.model is not None:
        inputs["model"] = weights_digest(data.settings.model)
    began = {} if data.ancestry is None else {BEGAN_FROM: data.ancestry.to_dict()}
    return {**plain_settings(config), "inputs": inputs, **began}


def plain_settings(config: Config) -> dict[str, Any]:
    """The settings, with names of inputs instead of their paths."""
    section = config.finetune.model_dump(mode="json")
    for key in _PLACES:
        section["data"][key] = _named(section["data"].get(key))
    for group in ("intervals", "classes"):
        inner = section["data"].get(group)
        if isinstance(inner, dict):
            section["data"][group] = (
                {**inner, "path": _named(inner["path"])}
                if group == "intervals"
                else {name: _named(paths) for name, paths in inner.items()}
            )
    section["split"]["genome"] = _named(section["split"].get("genome"))
    section["model"] = _named(section["model"])
    common = {"device": config.device, "precision": config.precision, "threads": config.threads}
    return {**common, "seed": config.seed, "finetune": section}


def _named(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    return value if value is None else Path(str(value)).name


def compare_run(
    folder: RunFolder, state: State, resolved: Mapping[str, Any], unread: Collection[str] = ()
) -> None:
    """Refuse other settings than those of the run that stands there.

    Args:
        folder: of the run.
        state: resumed or finished.
        resolved: settings now.
        unread: keys that are not known yet.

    Raises:
        ConfigError: if it is to be resumed.
        UsageError: if it is finished.
    """
    if state == "resumed":
        folder.check_config(resolved, FREE.union(unread), fix=_KEPT)
        return
    found = [_short(said) for said in folder.differences(resolved, FREE_WHEN_FINISHED.union(unread))]
    if found:
        more = f" | and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UsageError(
            "is finished, and was made from other inputs, settings or another model: "
            f"{' | '.join(found[:_SHOWN])}{more}",
            where=folder.path,
            fix="give --force to replace it, or another --out",
        )


def _short(said: str) -> str:
    """A difference in a line; of inputs that they differ, since checksums tell nobody anything."""
    key, _, values = said.partition(": ")
    if key.startswith("inputs."):
        return {"inputs.model": "the weights of the model", "inputs.files": "the files"}.get(
            key, "the labelled rows or their split"
        )
    return said if len(values) <= 200 else f"{key}: is another now"


def check_alike(resolved: Mapping[str, Any]) -> None:
    """See that several processes train on the same data, from the same weights, by the same settings.

    Args:
        resolved: settings of this process, see :func:`resolved_settings`.

    Raises:
        RunError: in a process in which they are not those of the first one.
        SaidElsewhereError: in the others then.
    """
    digest = hashlib.sha256(json.dumps(resolved, sort_keys=True, default=str).encode()).hexdigest()
    mine = int(digest[:15], 16)  # what a message's int64 holds
    first = from_main(mine)
    with agreed():
        if mine != first:
            what = "this process has read other data, weights or settings than the first one"
            raise RunError(what, fix="let all of them see the same files")
