"""Training, validation and test rows: given, random, stratified, by group, similarity, member, locus; k-fold.

Pure functions of the data, the settings and a seed; no group is ever on two sides. Windows of one sequence
are of one group; only a split by locus parts them, by where they lie. n rows.

Except for ``random``, classes (or fifths of a measured value) are kept alike on all sides as far as groups
allow. With folds each row is tested once: groups are dealt to k parts, each part is the test of one split,
and its validation is cut from the rest by groups too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genomecli.errors import ConfigError, InputError
from genomecli.sequences.alphabets import DNA
from genomecli.tasks.assigning import assign_groups
from genomecli.tasks.blocks import crossed
from genomecli.tasks.clusters import cluster, identity_of, join, windows_of_one
from genomecli.tasks.duplicates import sequence_keys
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.loci import loci
from genomecli.tasks.members import by_member
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.sides import SIDES
from genomecli.tasks.strata import strata


@dataclass(frozen=True)
class Split:
    """One split of n rows.

    Args:
        train, valid, test: int64, rows of each side in order.
        group_of: int64[n], in 0..G-1: rows of one group are not independent and stay together.
        how: a sentence on how it was made.
        by_place: groups are stretches of a genome, so that windows of one sequence may lie on two sides.
    """

    train: Ints
    valid: Ints
    test: Ints
    group_of: Ints
    how: str
    by_place: bool = False

    @property
    def sides(self) -> dict[str, Ints]:
        """Rows, int64[m], by name of the side: ``train``, ``valid``, ``test``."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def names(self) -> list[str]:
        """The side of each row; empty for a row on no side."""
        found = [""] * len(self.group_of)
        for name, rows in self.sides.items():
            for row in rows.tolist():
                found[row] = name
        return found


def split_examples(
    examples: Examples,
    raw: Mapping[str, RawLabels],
    settings: SplitSettings,
    seed: int,
    *,
    genome: bool = False,
    alike: Examples | None = None,
) -> list[Split]:
    """One split, or one a fold.

    Args:
        examples: n of them.
        raw: their labels as read, which strata are made of.
        settings: of the split; its own seed goes before ``seed``.
        seed: of the run.
        genome: whether the examples are of an annotated genome; windows of one are split by place.
        alike: the examples as similarity sees them, such as the proteins of genes; left out: as they are.

    Raises:
        InputError: for a column that gives no side, or too few groups for the sides asked.
        ConfigError: for a way of splitting that this data does not allow.
    """
    by = _way(examples, settings, genome)
    if by == "column":
        return [_given(examples, raw, settings, seed)]
    groups, how = _groups(examples, raw, settings, by, examples if alike is None else alike)
    count = int(groups.max()) + 1
    sides = settings.folds or 1 + (settings.valid > 0) + (settings.test > 0)
    if count < sides:
        raise _too_few(examples, raw, settings, by, count, sides)
    stratum = np.zeros(len(examples), np.int64) if by == "random" else strata(raw, len(examples))
    rng = np.random.default_rng(settings.seed if settings.seed is not None else seed)
    if settings.folds:
        found = _folds(groups, stratum, settings, rng, how)
    else:
        shares = np.array([1 - settings.valid - settings.test, settings.valid, settings.test])
        found = [_split(assign_groups(groups, stratum, shares, rng), groups, how)]
    pairs = crossed(examples, raw)
    return [replace(_with_cut_features(split, pairs), by_place=by == "locus") for split in found]


def _with_cut_features(split: Split, pairs: tuple[Ints, Ints]) -> Split:
    """The split, which says how many features its sides cut."""
    names = np.array(split.names())
    cut = int(np.count_nonzero(names[pairs[0]] != names[pairs[1]]))
    if not cut:
        return split
    return replace(split, how=f"{split.how} Cut by a border between sides: {cut} labelled features.")


def _too_few(
    examples: Examples,
    raw: Mapping[str, RawLabels],
    settings: SplitSettings,
    by: str,
    count: int,
    sides: int,
) -> InputError:
    """Why there are so few groups, and only what helps against it."""
    identity = identity_of(settings, examples.sequences.alphabet)
    why, fix = {
        "group": (
            "named by the column of groups",
            "name another column in data.group, or set split.by to another way",
        ),
        "cluster": (f"joined by similarity, at identity {identity:g}", "raise split.identity"),
        "member": (
            "joined by the sequences that pairs share",
            "leave out pairs until the sequences fall apart, or set split.by to cluster, which parts pairs "
            "and not their sequences",
        ),
        "locus": (
            (f"joined by place, nearer than {settings.distance} bases", "lower split.distance")
            if settings.genome is not None
            else (f"joined by place, in blocks of {settings.block} bases", "lower split.block")
        ),
    }.get(by, ("each row by itself", "give more rows"))
    fixes = [fix]
    if by != "locus" and examples.record is not None and len(np.unique(examples.record)) < sides:
        single_dna = examples.sequences.alphabet == DNA.name
        cut = len(np.unique(examples.record))
        why = f"windows of one sequence stay together, and they are of {cut} sequence{'s' * (cut > 1)}"
        fixes = ["set split.by to locus" if single_dna else "give more sequences"]
    elif len(examples) < sides:
        why, fixes = "there are no more rows", ["give more rows"]
        if _could_be_cut(examples, raw):
            fixes = ["set data.window, so that a contig is cut into windows"]
    elif by in ("cluster", "locus") and len(set(sequence_keys(examples))) == 1:
        why, fixes = "all sequences are equal", ["give data with different sequences"]
    elif by == "cluster" and identity == 1:
        fixes = []
    if len(examples) >= sides and _could_be_cut(examples, raw):
        fixes = ["set data.window, so that a contig is cut into windows", *fixes]
    if settings.folds and count > 1:
        fixes.append(f"lower split.folds to {count} at most")
    elif not settings.folds and count == 2 and settings.valid and settings.test:
        fixes.append("set split.valid to 0")
    rows = "1 row is" if len(examples) == 1 else f"{len(examples)} rows are"
    what = f"{rows} {count} group{'s' * (count > 1)}, too few for {sides} sides: {why}"
    return InputError(what, fix=", or ".join(fixes) or "give more rows")


def _could_be_cut(examples: Examples, raw: Mapping[str, RawLabels]) -> bool:
    """Whether windows would help: DNA with labels of bases that is not cut yet."""
    per_symbol = any(labels.offsets is not None for labels in raw.values())
    return per_symbol and examples.record is None and examples.sequences.alphabet == DNA.name


def _split(side: Ints, groups: Ints, how: str) -> Split:
    train, valid, test = (np.flatnonzero(side == number) for number in range(len(SIDES)))
    return Split(train, valid, test, groups, how)


def _way(examples: Examples, settings: SplitSettings, genome: bool) -> str:
    by: str = settings.by
    if by == "auto":
        otherwise = "group" if examples.group is not None else _unnamed_way(examples, settings, genome)
        by = "column" if examples.split is not None and not settings.folds else otherwise
    if by == "column" and examples.split is None:
        raise ConfigError(["split.by is column, and the data gives no split; name it in data.split"])
    if by == "group" and examples.group is None:
        raise ConfigError(["split.by is group, and the data gives no group; name its column in data.group"])
    return by


def _unnamed_way(examples: Examples, settings: SplitSettings, genome: bool) -> str:
    """By place for windows of an annotated genome, otherwise by similarity."""
    if not genome or examples.coordinates is None or examples.sequences.alphabet != DNA.name:
        return "cluster"
    longest = max((end for *_, end, _ in examples.coordinates), default=0)
    return "locus" if longest > settings.block else "cluster"


def _groups(
    examples: Examples, raw: Mapping[str, RawLabels], settings: SplitSettings, by: str, alike: Examples
) -> tuple[Ints, str]:
    """The group of each row, int64[n] in order of their first row, and a sentence."""
    if by in ("random", "stratified"):
        groups = _whole(examples, None)
        cut = int(groups.max()) + 1 < len(examples)
        kept = "classes alike on all sides" if by == "stratified" else "each by itself" if not cut else ""
        joined = "windows of one sequence together" * cut
        return groups, f"Rows at random, {', '.join(filter(None, (kept, joined)))}."
    if by == "group":
        groups = _whole(examples, examples.group)
        return groups, f"By {int(groups.max()) + 1} groups of the data."
    if by in ("cluster", "member"):
        groups, how = (cluster if by == "cluster" else by_member)(alike, settings)
        return groups, how if alike is examples else f"{how} Of coding sequences their proteins are compared."
    return loci(examples, settings, raw)


def _whole(examples: Examples, names: Sequence[str] | None) -> Ints:
    """int64[n]: groups by name, or without names each row by itself; windows of one sequence joined."""
    groups = np.arange(len(examples), dtype=np.int64) if names is None else named_groups(names)
    return join(groups, windows_of_one(examples))


def named_groups(names: Sequence[str]) -> Ints:
    """int64[n]: groups by name, numbered by their first row; a row without a name is a group of its own."""
    number: dict[str | int, int] = {}
    keys = [name or row for row, name in enumerate(names)]
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)


def _given(examples: Examples, raw: Mapping[str, RawLabels], settings: SplitSettings, seed: int) -> Split:
    """The split that the data gives; a validation that it does not give is cut from its training rows."""
    assert examples.split is not None
    for row, word in enumerate(examples.split):
        if word not in SIDES:
            raise InputError(
                f"its split is {word!r}" if word else "has no split",
                where=examples.places[row] if len(examples.places) else f"row {row + 1}",
                fix="write train, valid or test, name another column in data.split, or set split.by",
            )
    side = np.array([SIDES.index(word) for word in examples.split], dtype=np.int64)
    groups = _whole(examples, examples.group)
    how = "As the data says."
    if not (side == 0).any():
        raise InputError("the data gives no training row", fix="set split.by to another way")
    if not (side == 1).any() and settings.valid > 0:
        rng = np.random.default_rng(settings.seed if settings.seed is not None else seed)
        _cut_validation(side, groups, strata(raw, len(side)), settings.valid, rng)
        how = "Test as the data says; validation cut from its training rows."
    return _split(side, groups, how)


def _cut_validation(side: Ints, groups: Ints, stratum: Ints, share: float, rng: np.random.Generator) -> None:
    """Turn a share of the rows that are for training into validation, whole groups at a time."""
    rows = np.flatnonzero(side == 0)
    _, own = np.unique(groups[rows], return_inverse=True)
    _, local = np.unique(stratum[rows], return_inverse=True)
    shares = np.array([1 - share, share])
    cut = assign_groups(own.reshape(-1).astype(np.int64), local.reshape(-1).astype(np.int64), shares, rng)
    side[rows[cut == 1]] = 1


def _folds(
    groups: Ints, stratum: Ints, settings: SplitSettings, rng: np.random.Generator, how: str
) -> list[Split]:
    k = settings.folds
    fold = assign_groups(groups, stratum, np.full(k, 1 / k), rng)
    found = []
    for number in range(k):
        side = np.where(fold == number, 2, 0)
        if settings.valid > 0:
            # The share is meant of all rows, and a k-th of them is the test already.
            share = min(settings.valid / (1 - 1 / k), 0.9)
            _cut_validation(side, groups, stratum, share, rng)
        found.append(_split(side, groups, f"{how} Fold {number + 1} of {k}."))
    return found
