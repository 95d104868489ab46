"""From raw labels to targets: the order of classes, means and scales, fixed by the training rows alone.

A class that the training rows do not show is an error that names the first row with it, both while a target
is fitted and when a tuned model meets a new table. n rows, C classes or values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genomecli.errors import ConfigError, InputError, UsageError
from genomecli.tasks.class_weights import class_weights
from genomecli.tasks.examples import MISSING, Examples, Floats, Ints, Labels
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.reading import Reading
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import TargetSettings
from genomecli.tasks.useless import check_useful


@dataclass(frozen=True)
class Fitted:
    """Targets, and the examples with their labels.

    Args:
        targets: by name, in the order of the settings.
        examples: as read, with ``labels`` of every target.
        notes: sentences on labels that are missing.
    """

    targets: Mapping[str, Target]
    examples: Examples
    notes: tuple[str, ...] = ()


def fit_targets(reading: Reading, settings: Mapping[str, TargetSettings], train: Ints) -> Fitted:
    """Fix the meaning of every target by the training rows.

    Args:
        reading: the data with raw labels.
        settings: of the targets, by name.
        train: int64[m], the training rows.

    Raises:
        InputError: no label or one class only in the training rows, a class outside them, values without
            spread.
        ConfigError: for a deciding figure that the kind does not have, and settings that it cannot use.
        UsageError: if settings name classes that contradict the data.
    """
    targets: dict[str, Target] = {}
    labels: dict[str, Labels] = {}
    notes: list[str] = []
    for name, one in settings.items():
        raw = reading.raw[name]
        check_useful(name, one, raw)
        shown = _shown(raw, train)
        if not shown.known.any():
            raise InputError(f"target {name!r} has no label in the training rows", fix="check its columns")
        if raw.form == "regression":
            targets[name] = _measured(name, one, raw, shown)
        else:
            targets[name] = _classified(name, one, raw, shown)
        targets[name] = _judged(targets[name], one)
        hint = _not_classes(raw, shown, targets[name])
        labels[name] = as_labels(raw, targets[name], reading.examples.places, hint=hint)
        notes += _missing_note(name, labels[name])
    return Fitted(targets, replace(reading.examples, labels=labels), tuple(notes))


def check_splits(reading: Reading, settings: Mapping[str, TargetSettings], splits: Sequence[Ints]) -> None:
    """Fit every target to the training rows of every split, so that none fails after another was trained.

    Args:
        reading: the data with raw labels.
        settings: of the targets, by name.
        splits: int64[m] training rows, of one split or one a fold.

    Raises:
        InputError, ConfigError, UsageError: those of :func:`fit_targets`, with the fold where there are
            several.
    """
    for fold, train in enumerate(splits, 1):
        for name, one in settings.items():
            try:
                fit_targets(reading, {name: one}, train)
            except InputError as error:
                if len(splits) == 1:
                    raise
                what = f"fold {fold} of {len(splits)}: {error.what}"
                named = reading.raw[name].form != "regression"
                fix = f"name all classes in targets.{name}.classes, or " * named + "lower split.folds"
                fix = error.fix if error.fix is not None and error.fix.startswith(_ONCE) else fix
                raise InputError(what, where=error.where, fix=fix) from error


def _judged(target: Target, settings: TargetSettings) -> Target:
    """The target with the figure that its settings name. Raises ConfigError for one that cannot decide."""
    from genomecli.tasks.kinds.registry import deciding, registered

    if settings.primary is None:
        return target
    able = deciding(registered(target.kind, target.name))
    if settings.primary not in able:
        what = (
            f"finetune.targets.{target.name}.primary: {settings.primary!r} cannot decide between models of "
        )
        raise ConfigError([f"{what}kind {target.kind}; choose one of {', '.join(able)}"])
    return replace(target, judged_by=settings.primary)


def apply_targets(reading: Reading, targets: Mapping[str, Target]) -> Examples:
    """The examples of a new table with labels of targets that are fixed already.

    Raises:
        InputError: for a class that a target does not know, with its row.
    """
    labels = {
        name: as_labels(reading.raw[name], target, reading.examples.places)
        for name, target in targets.items()
        if name in reading.raw
    }
    return replace(reading.examples, labels=labels)


def settings_of(target: Target) -> TargetSettings:
    """Settings under which a table is read for a target that is fixed already."""
    return TargetSettings(
        columns=target.columns if target.columns != (target.name,) else (),
        pattern=target.pattern or None,
        kind=target.kind,
        classes=() if target.form == "regression" else target.classes,
        separator=target.separator,
        log=target.log,
    )


def as_labels(raw: RawLabels, target: Target, places: Sequence[str], *, hint: str = "") -> Labels:
    """Raw labels in the order of a target's outputs.

    Args:
        raw: as read.
        target: fixed.
        places: of the rows, for messages.
        hint: what to do about a class that the target does not have; empty for the usual words.

    Raises:
        InputError: for a class that the target does not have, with the place of its first row.
    """
    if raw.form == "regression":
        return raw.labels
    unknown = [i for i, name in enumerate(raw.names) if name not in target.classes]
    if unknown:
        _refuse_unknown(raw, unknown, target, places, hint)
    if raw.form == "multilabel":
        values = np.zeros((len(raw.values), len(target.classes)), dtype=np.float64)
        kept = [(i, target.classes.index(name)) for i, name in enumerate(raw.names) if i not in unknown]
        for old, new in kept:
            values[:, new] = raw.values[:, old]
        if raw.given is not None:
            values[~raw.given] = np.nan
        return Labels(values)
    order = [MISSING if i in unknown else target.classes.index(name) for i, name in enumerate(raw.names)]
    table = np.array([*order, MISSING], dtype=np.int64)  # the last one serves MISSING itself
    return Labels(table[raw.values.astype(np.int64)], raw.offsets)


def _refuse_unknown(
    raw: RawLabels, unknown: list[int], target: Target, places: Sequence[str], hint: str
) -> None:
    """Raise for rows with classes that the target does not have; classes without a row are no matter."""
    if raw.form == "multilabel":
        rows = np.flatnonzero((raw.values[:, unknown] > 0).any(axis=1))
    else:
        at = np.flatnonzero(np.isin(raw.values, unknown))
        rows = at if raw.offsets is None else np.unique(np.searchsorted(raw.offsets, at, side="right") - 1)
    if not len(rows):
        return
    row = int(rows[0])
    mine = raw.labels.row(row)
    has = mine > 0 if raw.form == "multilabel" else np.isin(np.arange(len(raw.names)), mine)
    names = [raw.names[i] for i in unknown if has[i]]
    known = ", ".join(target.classes[:12]) + (", ..." if len(target.classes) > 12 else "")
    count = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
    raise InputError(
        f"target {target.name!r} does not know the class {names[0]!r}{count}",
        where=places[row] if len(places) else None,
        fix=hint or f"its classes are those of the training rows or of the settings: {known}",
    )


_ONCE = "most training labels occur once"
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


def _not_classes(raw: RawLabels, shown: RawLabels, target: Target) -> str:
    """What to say of a column that hardly holds classes, since most of its training labels occur once."""
    if raw.form != "class":
        return ""
    counts = _counts(shown)
    if 2 * np.count_nonzero(counts == 1) <= counts.sum():
        return ""
    present = [name for name, count in zip(raw.names, counts.tolist(), strict=True) if count]
    said = f"{_ONCE}, so the column looks like"
    if 2 * sum(_DECIMAL_COMMA.fullmatch(name) is not None for name in present) > len(present):
        return f"{said} numbers with a decimal comma: write a point"
    return f"{said} ids: name that of the labels in targets.{target.name}.columns"


def _shown(raw: RawLabels, rows: Ints) -> RawLabels:
    return raw.take(rows)


def _counts(raw: RawLabels) -> Ints:
    """int64[C]: labels of each of ``names``; multilabel: rows that have it."""
    if raw.form == "multilabel":
        found: Ints = np.nansum(raw.values, axis=0).astype(np.int64)
        return found
    values = raw.values.astype(np.int64)
    return np.bincount(values[values != MISSING], minlength=len(raw.names)).astype(np.int64)


def _known(raw: RawLabels, classes: Sequence[str]) -> Ints:
    """int64[C]: rows in which it is known whether they have the class, or which of the classes."""
    rows = int(raw.known.sum())
    if raw.form != "multilabel":
        return np.full(len(classes), rows, dtype=np.int64)
    cells = dict(zip(raw.names, (~np.isnan(raw.values)).sum(axis=0).tolist(), strict=True))
    return np.array([cells.get(name, rows) for name in classes], dtype=np.int64)


def _classified(name: str, settings: TargetSettings, raw: RawLabels, shown: RawLabels) -> Target:
    from genomecli.tasks.kinds.registry import registered

    counts = dict(zip(raw.names, _counts(shown).tolist(), strict=True))
    classes = _ordered(name, settings, raw, counts)
    kind = _kind(name, settings, raw, classes)
    if settings.positive is not None:
        if not registered(kind, name).two_classes or settings.positive not in classes:
            what = f"target {name!r}: positive {settings.positive!r} is none of its two classes"
            raise UsageError(what, fix=f"they are {', '.join(classes)}")
        classes = (*(c for c in classes if c != settings.positive), settings.positive)
    target = Target(
        name,
        kind,
        raw.columns,
        classes,
        weight=settings.weight,
        separator=settings.separator,
        pattern=settings.pattern or "",
    )
    numbers = np.array([counts.get(c, 0) for c in classes], dtype=np.int64)
    weights = class_weights(target, settings.class_weights, numbers, _known(shown, classes))
    return replace(target, class_weights=weights)


def _ordered(
    name: str, settings: TargetSettings, raw: RawLabels, counts: Mapping[str, int]
) -> tuple[str, ...]:
    """Classes as the settings order them, or those of the training rows: as declared, else sorted."""
    present = [c for c, count in counts.items() if count]
    if raw.form == "multilabel":
        found = raw.names if raw.declared else settings.classes or tuple(sort_names(present))
        if not present:
            raise InputError(f"target {name!r} has no class in any training row")
        return found
    if len(present) < 2:
        one = f"one class only, {present[0]!r}," if present else "no class"
        raise InputError(
            f"target {name!r} has {one} in the training rows",
            fix="give data with two classes or more, or another split",
        )
    if settings.classes:
        return settings.classes
    return tuple(c for c in raw.names if counts[c]) if raw.declared else tuple(sort_names(present))


NAMED = 5
"""Classes that an error names."""


def sort_names(names: Sequence[str]) -> list[str]:
    """Names in order: as numbers where all are numbers, otherwise as text."""
    try:
        return sorted(names, key=lambda name: (float(name), name))
    except ValueError:
        return sorted(names)


def _kind(name: str, settings: TargetSettings, raw: RawLabels, classes: Sequence[str]) -> str:
    from genomecli.tasks.kinds.registry import registered

    if settings.kind != "auto":
        if registered(settings.kind, name).two_classes and len(classes) != 2:
            more = f" and {len(classes) - NAMED} more" if len(classes) > NAMED else ""
            raise InputError(
                f"target {name!r} is {settings.kind} and has {len(classes)} classes: "
                f"{', '.join(classes[:NAMED])}{more}",
                fix="set its kind to multiclass",
            )
        return settings.kind
    if raw.form != "class":
        return raw.form
    return "binary" if len(classes) == 2 else "multiclass"


def _measured(name: str, settings: TargetSettings, raw: RawLabels, shown: RawLabels) -> Target:
    values = np.log1p(shown.values) if settings.log else shown.values
    for column, measured in zip(raw.columns, values.T, strict=True):
        known = measured[~np.isnan(measured)]
        if not len(known) or known.min() == known.max():
            said = "no value" if not len(known) else "one value only"
            raise InputError(
                f"target {name!r}: {column} has {said} in the training rows",
                fix="give data with two values or more, or another split",
            )
    return Target(
        name,
        "regression" if settings.kind == "auto" else settings.kind,
        raw.columns,
        raw.names,
        means=tuple(np.nanmean(values, axis=0).tolist()),
        scales=tuple(np.nanstd(values, axis=0).tolist()),
        weight=settings.weight,
        log=settings.log,
        pattern=settings.pattern or "",
    )


def standardised(target: Target, values: Floats) -> Floats:
    """What a network learns of measured values: float64[n, C] of mean 0 and spread 1; NaN stays NaN."""
    plain = np.log1p(values) if target.log else values
    found: Floats = (plain - np.array(target.means)) / np.array(target.scales)
    return found


def restored(target: Target, outputs: Floats) -> Floats:
    """The inverse of :func:`standardised`, of outputs float64[n, C]: float64[n, C] in the table's units."""
    plain: Floats = outputs * np.array(target.scales) + np.array(target.means)
    return np.expm1(plain) if target.log else plain


def _missing_note(name: str, labels: Labels) -> list[str]:
    absent = int(np.count_nonzero(~labels.known))
    if not absent:
        return []
    return [f"Target {name}: {absent} of {len(labels)} rows have no label; they do not count in its loss."]
