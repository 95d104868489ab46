"""Which targets ``finetune`` learns: those that --target names, with what YAML and --set say of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genomecli.errors import UsageError
from genomecli.runtime import log


def choose_targets(columns: Sequence[str]) -> Callable[[dict[str, Any]], None]:
    """What ``--target`` makes of settings that are not checked yet.

    Only the targets that are named are learned. One that the settings know, by its name or by its only
    column, keeps what they say of it; of any other its cells tell what it is.

    Args:
        columns: names of targets or of label columns.

    Raises:
        UsageError: if two of them have one name.
    """
    named = {
        re.sub(r"[^A-Za-z0-9_.+-]+", "_", column).strip("_.+-") or "target": column for column in columns
    }
    if len(named) < len(columns):
        raise UsageError("two --target columns have one name", fix="name each once, or write a YAML")

    def adjust(values: dict[str, Any]) -> None:
        section = values.get("finetune") or {}
        known = (section.get("targets") or {}) if isinstance(section, dict) else None
        if not isinstance(known, dict):
            return  # the check of the settings says what is wrong with them
        chosen = dict(_chosen(name, column, known) for name, column in named.items())
        if len(chosen) < len(named):
            raise UsageError("two --target names mean one target", fix="name each once")
        left = [name for name in known if name not in chosen]
        if left:
            log.warning("not learned, since --target names others: %s", ", ".join(left))
        values["finetune"] = {**section, "targets": chosen}

    return adjust


def _chosen(name: str, column: str, known: Mapping[str, Any]) -> tuple[str, Any]:
    """Name and settings of the target that ``--target column`` means."""
    if name not in known:
        same = [key for key, one in known.items() if _columns(one) == [column]]
        if len(same) == 1:
            return same[0], known[same[0]]
    given = known.get(name)
    if given is None:
        given = {}
    if name == column or not isinstance(given, dict) or "columns" in given:
        return name, given
    return name, {**given, "columns": [column]}


def _columns(settings: object) -> list[object]:
    given = settings.get("columns", []) if isinstance(settings, dict) else []
    return given if isinstance(given, list) else [given]


def default_targets(paths: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The target where none is named: what TARGET= says in the headers of FASTA files.

    Args:
        paths: of the data; standard input is not looked at.

    Raises:
        UsageError: if the first header of no file says it.
        InputError: for a file that cannot be read.
    """
    from genomecli.sequences.formats import guess_format
    from genomecli.sequences.openers import open_input
    from genomecli.tasks.gathering import TARGET
    from genomecli.tasks.rows import header_value, locate

    for path in paths:
        if path == "-":
            continue
        with open_input(locate(path)) as stream:
            head = stream.peek(1 << 16)
        first = head.lstrip().partition(b"\n")[0].decode("utf-8", "replace")
        if guess_format(head) == "fasta" and header_value(first, TARGET):
            return {TARGET: {}}
    fix = "name one with --target, a column or a word of the FASTA headers, or write a YAML"
    raise UsageError("no target is named", fix=fix)
