"""What ``finetune --check`` prints: what the data are, before anything is trained.

Plain lines of text: schema, counts of labels on each side, lengths, what is missing or left out, copies
across sides, and the first rows. Nothing here needs torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from genomecli.tasks.examples import MISSING, Examples, Ints, Labels
from genomecli.tasks.figure import short_name
from genomecli.tasks.leakage import Leakage, over_folds
from genomecli.tasks.reading import Reading
from genomecli.tasks.schema import Target
from genomecli.tasks.splits import Split
from genomecli.tasks.targets import Fitted, sort_names

FIRST_ROWS = 5
BINS = 10
BAR = 40
LEAST_ROWS = 3
"""Rows of a class that its three sides need: one each."""
NAMED = 5
"""Classes that one sentence names."""
SHOWN = 40
"""Letters of a sequence that are shown."""


def check_lines(
    reading: Reading, fitted: Fitted, splits: Sequence[Split], leaks: Sequence[Leakage]
) -> list[str]:
    """The whole report.

    Args:
        reading: the data.
        fitted: targets of the first split.
        splits: one, or one a fold; counts are those of the first.
        leaks: of the same splits.
    """
    split = splits[0]
    lines = ["Data", *_data(reading)]
    for target in fitted.targets.values():
        lines += ["", f"Target {target.name}: {told(target)}", *_target(target, fitted.examples, split)]
    lines += ["", f"Split: {split.how}"]
    if len(splits) > 1:
        lines.append(f"  {len(splits)} folds; the counts are those of the first.")
    lines += ["", "Lengths", *length_histogram(reading.examples.sequences.lengths)]
    lines += ["", "Left out and worth a word", *_notes(reading, fitted, splits)]
    lines += ["", "Copies across sides", *_copies(leaks)]
    return [*lines, "", "First rows", *_first_rows(fitted, split)]


def told(target: Target) -> str:
    """Kind, positive class where there is one, and deciding figure of a target.

    AUPRC and F1 of two classes are those of the second one, so it is said which that is, and which setting
    names another.
    """
    from genomecli.tasks.kinds.registry import registered

    said = target.kind
    if target.form in ("class", "token") and target.outputs == 2:
        key = "positive" if registered(target.kind, target.name).two_classes else "classes"
        last = list(target.classes) == sort_names(target.classes)
        why = "the last by name" if last else "the last of its classes"
        said += f", positive class {target.classes[1]} ({why}; targets.{target.name}.{key} sets it)"
    return f"{said}, judged by {short_name(target.primary)}"


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows of cells as lines: the first column to the left, numbers to the right, two blanks in front."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        aligned = [row[0].ljust(widths[0])]
        aligned += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(("  " + "  ".join(aligned)).rstrip())
    return lines


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _data(reading: Reading) -> Iterator[str]:
    examples = reading.examples
    letters = _written(examples.sequences.alphabet)
    for file in reading.files:
        member = f" ({file['member']})" if file.get("member") else ""
        packed = "" if file["compression"] == "none" else f", {file['compression']}"
        yield f"  {file['path']}{member}, {file['bytes']} bytes{packed}"
    pair = "" if examples.pair is None else f", paired with {_written(examples.pair.alphabet)}"
    lengths = examples.sequences.lengths
    yield (
        f"  {len(examples)} rows of {letters}{pair}, {int(lengths.sum())} letters; "
        f"{len(set(examples.ids))} different ids, such as {examples.ids[0]!r}"
    )
    for i, name in enumerate(examples.covariate_names):
        assert examples.covariates is not None
        values = examples.covariates[:, i]
        known = values[~np.isnan(values)]
        said = f"{known.min():.4g} to {known.max():.4g}" if len(known) else "no value"
        yield f"  covariate {name}: {said}, {len(values) - len(known)} missing"
    for name, cells in (("split", examples.split), ("group", examples.group)):
        if cells is not None:
            yield f"  {name}: {_counted(Counter(cells))}"


def _written(alphabet: str) -> str:
    return {"dna": "DNA"}.get(alphabet, alphabet)


def _counted(counts: Counter[str], most: int = 6) -> str:
    shown = ", ".join(f"{name or '(empty)'} {count}" for name, count in counts.most_common(most))
    return shown + (f", ... ({len(counts)} in all)" if len(counts) > most else "")


def _target(target: Target, examples: Examples, split: Split) -> list[str]:
    labels = examples.labels[target.name]
    sides = {name: rows for name, rows in split.sides.items() if len(rows)}
    said = f"columns {', '.join(target.columns)}" if target.columns else "beside the sequences"
    head: list[object] = [said, *sides, "all"]
    everything = [*sides.values(), np.arange(len(examples))]
    rows: list[list[object]] = [head]
    if target.form == "regression":
        for i, name in enumerate(target.classes):
            columns = [labels.values[some, i] for some in everything]
            for said, figure in (
                ("mean", np.nanmean),
                ("sd", np.nanstd),
                ("min", np.nanmin),
                ("max", np.nanmax),
            ):
                rows.append([f"{name} {said}", *(_figure(figure, column) for column in columns)])
    else:
        counts = np.array([class_counts(labels, target, some) for some in everything])
        rows += [[name, *counts[:, i].tolist()] for i, name in enumerate(target.classes)]
    unknown = ~labels.known
    rows.append(["rows", *(len(some) for some in everything)])
    rows.append(["rows without a label", *(int(unknown[some].sum()) for some in everything)])
    return table(rows)


def _figure(figure: object, column: object) -> float:
    known = np.asarray(column)[~np.isnan(np.asarray(column))]
    return float(figure(known)) if len(known) else float("nan")  # type: ignore[operator]


def class_counts(labels: Labels, target: Target, rows: Ints) -> Ints:
    """int64[C]: labels of each class among some rows; of symbols, where they count."""
    if target.form == "multilabel":
        found: Ints = np.nansum(labels.values[rows], axis=0).astype(np.int64)
        return found
    values = labels.take(rows).values.astype(np.int64)
    return np.bincount(values[values != MISSING], minlength=target.outputs).astype(np.int64)


def length_histogram(lengths: Ints) -> list[str]:
    """Lines of a histogram of int64[n], at least one; one line where all have one length."""
    low, high = int(lengths.min()), int(lengths.max())
    if low == high:
        return [f"  all {low}"]
    edges = np.unique(np.linspace(low, high + 1, BINS + 1).astype(np.int64))
    counts, _ = np.histogram(lengths, bins=edges)
    most = int(counts.max())
    rows = [
        [f"{start} to {end - 1}", count, "#" * round(BAR * count / most)]
        for start, end, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    ]
    width = max(len(bar) for *_, bar in rows)  # type: ignore[arg-type]
    median = f"  median {float(np.median(lengths)):g}, mean {float(lengths.mean()):.1f}"
    return [*table([[name, count, str(bar).ljust(width)] for name, count, bar in rows]), median]


def rare_classes(target: Target, labels: Labels, splits: Sequence[Split]) -> list[str]:
    """Sentences on classes with fewer rows (symbols) than there are sides, and on others that a side lacks.

    Args:
        target: of classes; measured values give no sentence.
        labels: of all rows.
        splits: one, or one a fold.
    """
    if target.form == "regression":
        return []
    everyone = class_counts(labels, target, np.arange(len(labels)))
    lacking: list[list[str]] = [[] for _ in target.classes]
    for side in splits[0].sides:
        held = [split.sides[side] for split in splits if len(split.sides[side])]
        counts = [class_counts(labels, target, rows) for rows in held]
        for i in np.flatnonzero(np.any([count == 0 for count in counts], axis=0)) if counts else []:
            lacking[i].append(side)
    what = "label" if target.form == "token" else "row"
    fold = " of a fold" if len(splits) > 1 else ""
    rare: list[str] = []
    uneven: list[str] = []
    for name, count, sides in zip(target.classes, everyone.tolist(), lacking, strict=True):
        none = f", none in {_listed(sides)}{fold}" if sides else ""
        if none or count < LEAST_ROWS:
            found = rare if count < LEAST_ROWS else uneven
            found.append(f"{name} ({count} {what}{'s' * (count != 1)}{none})")
    said = []
    if rare:
        said.append(f"too rare to be learned or judged on every side: {_first_of(rare)}")
    if uneven:
        said.append(f"a side of this split has none of {_first_of(uneven)}; another split.by may part them")
    return [f"Target {target.name}: {sentence}." for sentence in said]


def _first_of(named: Sequence[str]) -> str:
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"{', '.join(named[:NAMED])}{more}"


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _notes(reading: Reading, fitted: Fitted, splits: Sequence[Split]) -> list[str]:
    rare = [
        sentence
        for target in fitted.targets.values()
        for sentence in rare_classes(target, fitted.examples.labels[target.name], splits)
    ]
    lines = [f"  {sentence}" for sentence in (*reading.notes, *fitted.notes, *rare)]
    reasons = Counter(row.reason for row in reading.dropped)
    for reason, count in reasons.most_common():
        first = next(row for row in reading.dropped if row.reason == reason)
        rows = "1 row" if count == 1 else f"{count} rows"
        lines.append(f"  {rows} left out: {reason}, the first at {first.place}")
    return lines or ["  nothing"]


def _copies(leaks: Sequence[Leakage]) -> list[str]:
    if not leaks:
        return ["  not looked for"]
    one = over_folds(leaks)
    rows: list[list[object]] = [["side", "rows", "copied from", "equal", "similar", "less similar"]]
    rows += [[o.side, o.rows, o.other, o.equal, o.similar, o.loose] for o in one.overlaps]
    if one.paired:
        rows[0] += ["one sequence known", "both known"]
        for row, overlap in zip(rows[1:], one.overlaps, strict=True):
            row += [overlap.one_member, overlap.both_members]
    lines = table(rows) if one.overlaps else []
    lines.append(f"  {one.levels()}")
    lines.append(f"  {one.repeated} rows repeat the sequence of an earlier row")
    if one.sequences:
        lines.append(f"  {one.cut} of {one.sequences} sequences have windows on two sides")
    return lines + [f"  warning: {sentence}" for sentence in one.warnings()]


def _first_rows(fitted: Fitted, split: Split) -> list[str]:
    examples, sides = fitted.examples, split.names()
    targets = fitted.targets.values()
    rows: list[list[object]] = [["id", "side", "length", *fitted.targets, "sequence"]]
    width = min(SHOWN, int(examples.sequences.lengths[:FIRST_ROWS].max()))
    for row in range(min(FIRST_ROWS, len(examples))):
        shown = [shown_label(examples.labels[target.name], target, row) for target in targets]
        text = examples.sequences.text(row)
        letters = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
        rows.append([examples.ids[row], sides[row], len(text), *shown, letters.ljust(width)])
    return table(rows)


def shown_label(labels: Labels, target: Target, row: int) -> str:
    """One label in words; ``NA`` where it is not known, and the start of those of symbols."""
    value = labels.row(row)
    if target.form == "class":
        return "NA" if value == MISSING else target.classes[int(value)]
    if target.form == "regression":
        return ", ".join("NA" if np.isnan(one) else f"{one:.4g}" for one in value)
    if target.form == "multilabel":
        names = [name for name, one in zip(target.classes, value, strict=True) if one == 1]
        return "NA" if np.isnan(value).all() else target.separator.join(names) or target.separator
    short = [("." if one == MISSING else target.classes[int(one)][0]) for one in value[:20]]
    return "".join(short) + ("..." if len(value) > 20 else "")
