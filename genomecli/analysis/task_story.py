"""What a fine-tuning report says in sentences: first of all whether the network beats the best baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genomecli.analysis.pages import count_text
from genomecli.analysis.task_judging import ENSEMBLE, primary_rows
from genomecli.analysis.task_results import TargetResults, TaskResults
from genomecli.tasks.differences import Difference
from genomecli.tasks.figure import LOWER_IS_BETTER, METRICS, short_name
from genomecli.tasks.schema import Target

UNJUDGED = (
    "The test rows were left unjudged (finetune.metrics.test is false): this is for choosing settings. How "
    "good the network is, only a run that judges them can tell."
)


@dataclass(frozen=True)
class Verdict:
    """The answer for one target.

    Args:
        title: name of the target.
        first: the sentence that decides.
        good: whether the network beats the best baseline; None where that is not known.
        further: more sentences.
    """

    title: str
    first: str
    good: bool | None
    further: tuple[str, ...]


def verdicts(results: TaskResults) -> list[Verdict]:
    """One a target, in order."""
    return [_verdict(results, target) for target in results.targets]


def metric_name(name: str) -> str:
    """The short name of a figure of merit, as in running text."""
    return short_name(name)


def metric_label(target: Target, name: str) -> str:
    """A figure of merit as tables and figures name it: which class it is of, of two, and whether less is
    better."""
    label = METRICS[name]
    if name in ("f1", "auprc") and target.form in ("class", "token") and target.outputs == 2:
        label += f" of {target.classes[1]}"
    return label + (", lower is better" if name in LOWER_IS_BETTER else "")


def units(results: TaskResults, target: Target) -> str:
    """What has a label of its own: rows, or the bases or residues of a token target."""
    return results.symbols if target.per_symbol else "rows"


def drawn(target: Target) -> str:
    """What intervals are over, where no group is larger: rows, or sequences with all their symbols."""
    return "sequences" if target.per_symbol else "rows"


def resampled(results: TaskResults, target: TargetResults, part: str) -> str:
    """What the intervals of a single training are over, and how many: ``3 groups of test sequences``."""
    count = drawn_units(target, part)
    grouped = f"group{'s' * (count != 1)} of " if results.split.groups else ""
    said = f"{grouped}{part_name(part)} {drawn(target.target)}"
    return f"{count_text(count)} {said}" if count else said


def drawn_units(target: TargetResults, part: str) -> int:
    """Units of which a single training's resamples are drawn; 0 where that is not known."""
    return max((row.figure.units for row in target.rows if row.figure.part == part), default=0)


def three(value: float) -> str:
    """A figure with three digits after the point, more next to 0; a dash where there is none."""
    if value != value:
        return "–"
    return f"{value:.1g}" if 0 < abs(value) < 0.0005 else unsigned_zero(f"{value:.3f}")


def unsigned_zero(text: str) -> str:
    """A number in words, without the minus sign that rounding leaves before a 0."""
    return text.removeprefix("-") if float(text) == 0 else text


def _verdict(results: TaskResults, target: TargetResults) -> Verdict:
    network = results.network.subject
    difference = target.difference
    begins = [UNJUDGED] if results.judged != "test" else []
    begins += [earlier_said(results)] if results.earlier else []
    if difference is None:
        tested = any(row.figure.part == results.judged for row in target.rows)
        first = (
            f"No baseline was run, so nothing here tells whether {lower(network)} is worth its cost."
            if tested
            else f"There is no {part_name(results.judged)} part, so nothing here tells how good "
            f"{lower(network)} is."
        )
        return Verdict(
            target.target.name, first, None, (*begins, *_spread(results, target), *_together(target))
        )
    spread = [*_spread(results, target), *_together(target), *_losing_seeds(results, target)]
    further = [*begins, *_others(target), *spread]
    first = _first(network, difference, _Standing.of(target))
    if results.judged != "test":
        first = f"On {part_name(results.judged)} rows alone: {first[0].lower()}{first[1:]}"
    return Verdict(target.target.name, first, difference.better, tuple(further))


def earlier_said(results: TaskResults) -> str:
    """What the network brings along from tunings before, which the baselines do not have."""
    return (
        f"The network begins as one that was tuned before on {results.earlier}; the baselines have not seen "
        "those rows."
    )


def lower(name: str) -> str:
    """A name inside a sentence: ``The pretrained network`` becomes ``the pretrained network``."""
    return name[0].lower() + name[1:] if name.startswith(("The ", "A ")) else name


@dataclass(frozen=True)
class _Standing:
    """The other baselines: those that the network beats, loses to, and is not told apart from."""

    beaten: tuple[str, ...]
    worse: tuple[str, ...]
    undecided: tuple[str, ...]

    @classmethod
    def of(cls, target: TargetResults) -> _Standing:
        beaten = tuple(other.other for other in target.others if other.better)
        worse = tuple(other.other for other in target.others if other.worse)
        rest = (other.other for other in target.others)
        return cls(beaten, worse, tuple(name for name in rest if name not in (*beaten, *worse)))

    @property
    def lost(self) -> list[str]:
        """To which it loses, with ``it`` for the network; empty for none."""
        return [f"it is worse than {listed(self.worse)}"] if self.worse else []

    @property
    def open(self) -> list[str]:
        """From which it is not told apart, likewise."""
        return [f"it is not shown to beat {listed(self.undecided)}"] if self.undecided else []


def _first(network: str, difference: Difference, others: _Standing) -> str:
    """The sentence that decides. A best baseline that is beaten does not hide another that is not, nor one
    that is not told apart another that wins."""
    name, other = metric_name(difference.metric), difference.other
    against = f"{three(difference.ours)} against {three(difference.theirs)}"
    if difference.better is None:
        why = f" ({difference.note})" if difference.note else ""
        said = f"Whether {lower(network)} beats the best baseline ({other}) is not known: {name} {against}"
        return f"{said}, and there is no interval{why}."
    verb = "beats" if difference.better else "is worse than" if difference.worse else "is not shown to beat"
    said = (
        f"{network} {verb} the best baseline ({other}): difference in {name} {three(difference.value)}, "
        f"{100 * difference.level:g} % interval {_interval(difference)} ({against})"
    )
    if difference.worse:
        return said + "."
    if difference.better:
        return "; ".join([said, *others.lost, *others.open]) + "."
    return "; ".join([said, "the interval holds 0", *others.lost]) + "."


def _interval(difference: Difference) -> str:
    return f"{three(difference.low)} to {three(difference.high)}"


def _others(target: TargetResults) -> list[str]:
    """Which of the other baselines the network beats, to which it loses, and which are open, as far as the
    first sentence has not said it; the figures are in a table."""
    others, best = _Standing.of(target), target.difference
    said = [f"It beats {listed(others.beaten)}."] if others.beaten else []
    rest = [] if best is not None and best.better else others.open
    rest = [*others.lost, *rest] if best is None or best.better is None or best.worse else rest
    return said + [f"{one[0].upper()}{one[1:]}." for one in rest]


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _spread(results: TaskResults, target: TargetResults) -> list[str]:
    if results.trials == "single":
        return []
    row = primary_rows(target, target.judged).get(results.network.name)
    if row is None or row.trial:
        return []
    name, figure = metric_name(row.figure.name), row.figure
    count = sum(
        other.trial != ""
        and other.model == row.model
        and other.figure.part == target.judged
        and (other.figure.name, other.figure.of) == (figure.name, "")
        for other in target.rows
    )
    what = "seeds" if results.trials == "seeds" else "folds"
    said = f"{name[0].upper() + name[1:]} over {count} {what}: mean {three(figure.value)}"
    if figure.low != figure.low:
        return [f"{said}, {figure.note.removeprefix('mean of ')}."]
    cut = " (cut at the end of its range)" if "cut at" in figure.note else ""
    return [
        f"{said}, standard deviation {three(row.spread)}, {three(figure.low)} to {three(figure.high)} by "
        f"Student's t{cut}."
    ]


def _together(target: TargetResults) -> list[str]:
    """The figure of the seeds' mean predictions."""
    row = primary_rows(target, target.judged).get(ENSEMBLE)
    if row is None:
        return []
    figure, count = row.figure, len(target.trials)
    ends = f"{three(figure.low)} to {three(figure.high)}, over {drawn(target.target)}"
    known = ends if figure.low == figure.low else figure.note or "no interval"
    return [
        f"The mean of the {count} networks' predictions, which genomecli predict gives: "
        f"{metric_name(figure.name)} {three(figure.value)} ({known})."
    ]


def _losing_seeds(results: TaskResults, target: TargetResults) -> list[str]:
    """Names the trainings in which the network lies below the best baseline."""
    if results.trials == "single" or target.difference is None:
        return []
    name = target.target.primary
    values: dict[tuple[str, str], float] = {
        (row.model, row.trial): row.figure.value
        for row in target.rows
        if row.trial and (row.figure.part, row.figure.name, row.figure.of) == (target.judged, name, "")
    }
    trials = list(dict.fromkeys(trial for _, trial in values))
    ours, theirs = results.network.name, target.difference.other
    lost = [
        trial
        for trial in trials
        if values.get((ours, trial), 0.0) < values.get((theirs, trial), float("-inf"))
    ]
    return [f"Below {theirs} in {len(lost)} of {len(trials)}: {', '.join(lost)}."] if lost else []


def part_name(part: str) -> str:
    """A part in words."""
    return {"train": "training", "valid": "validation", "test": "test"}.get(part, part)


def standard_limits(results: TaskResults) -> list[str]:
    """What these figures do not show."""
    found = list(results.limits)
    if results.earlier:
        found.append(
            f"The network has learned from labels that no baseline saw: {results.earlier}. What it is ahead "
            "by is not due to pretraining alone, nor to these training rows."
        )
    if results.trials == "single":
        found.append(
            "One training is one observation: another seed gives other figures. That spread is not in the "
            f"intervals, which speak of the {part_name(results.judged)} part alone."
        )
    if results.trials == "seeds":
        found.append("All seeds share one split: another split gives other figures, and that is not shown.")
    if results.trials == "folds":
        found.append(
            "Folds share most of their training rows, so their figures are not independent, and intervals "
            "over folds are somewhat too narrow."
        )
    if results.judged != "test":
        found.append(
            "The same validation rows choose the weights of each network, and settings too where pages like "
            "this one are compared: figures on them are too good, most of all those of networks."
        )
    found += [
        f"The best baseline is chosen by the {part_name(results.judged)} part itself, which makes it harder "
        "to beat, never easier.",
        "Figures hold for data like these. Other species, other lengths, or negatives chosen in another way "
        "may give others.",
    ]
    return found
