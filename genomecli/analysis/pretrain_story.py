"""What the page of a pretraining run says in sentences and tables, the verdict first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomecli.analysis.pages import PageTable, count_text

Summary = Mapping[str, Any]

YARDSTICK_WORDS = {
    "unigram": "frequencies of single tokens",
    "5-gram": "the four tokens before",
    "neighbours": "two neighbours on each side",
}
"""What each simple model looks at."""


@dataclass(frozen=True)
class RunVerdict:
    """The answer of a run.

    Args:
        first: the sentence that decides.
        good: whether the network beats all simple models in all languages; None where that was not measured.
        further: more sentences.
    """

    first: str
    good: bool | None
    further: tuple[str, ...]


def run_verdict(summary: Summary) -> RunVerdict:
    """What ``summary.json`` of a run answers: does the network predict better than simple models do?"""
    languages, lost = summary["languages"], summary["not_beaten"]
    further = (*_lost(lost), _length(summary), *_best(summary))
    if not languages:
        return RunVerdict("No perplexity of hidden tokens was measured.", None, further)
    if not any(values["yardsticks"] for values in languages.values()):
        return RunVerdict("No simple model could be held against the network.", None, further)
    count = "all" if not lost or len(lost) == len(languages) else f"{len(lost)} of"
    where = f" in {count} {len(languages)} languages" if len(languages) > 1 else ""
    if not lost:
        return RunVerdict(f"The network beats every simple model{where}.", True, further)
    first = f"A simple model predicts hidden tokens as well as the network, or better{where and ','}{where}."
    return RunVerdict(first, False, further)


def _lost(lost: Mapping[str, Any]) -> tuple[str, ...]:
    if not lost:
        return ()
    said = "; ".join(f"{language} ({', '.join(names)})" for language, names in lost.items())
    return (f"Not beaten: {said}.",)


def _length(summary: Summary) -> str:
    steps, tokens = count_text(summary["steps"]), count_text(summary["tokens"])
    passes = sum(group["share_of_tokens"] for group in summary["reading"]["groups"])
    whole = sum(group["tokens_per_epoch"] for group in summary["reading"]["groups"])
    over = f", {summary['tokens'] * passes / whole:.1f} passes over the texts" if whole else ""
    return f"Trained for {steps} steps on {tokens} tokens{over}."


def _best(summary: Summary) -> tuple[str, ...]:
    best, last = summary["best"], summary["steps"]
    if best["loss"] is None or best["step"] is None:
        return ()
    told = f"The validation loss was lowest ({best['loss']:.3f}) at "
    if best["step"] >= last:
        return (f"{told}the last step: longer training might lower it further.",)
    end = summary["validation"]["loss"]
    after = f", and {end:.3f} at the end" if end is not None else ""
    return (f"{told}step {count_text(best['step'])}{after}; those weights are the best checkpoint.",)


def run_notes(summary: Summary) -> list[str]:
    """What a reader has to be warned of."""
    found = []
    if summary["skipped_steps"]:
        count = count_text(summary["skipped_steps"])
        found.append(f"{count} steps had a loss that is no finite number; they changed nothing.")
    if summary["steps"] < summary["planned_steps"]:
        planned = count_text(summary["planned_steps"])
        found.append(
            f"Training ended before the {planned} steps that were planned: the validation loss had not "
            "become better for as long as the settings allow."
        )
    short = [group for group in summary["reading"]["groups"] if group["left_out"]]
    return found + [
        f"{group['name']}: {count_text(group['left_out'])} records are too short to be read."
        for group in short
    ]


def in_order(levels: Mapping[str, float]) -> dict[str, float]:
    """Simple models from the plainest on; those that are not known here last."""
    known = list(YARDSTICK_WORDS)
    return dict(sorted(levels.items(), key=lambda item: (*known, item[0]).index(item[0])))


def languages_table(summary: Summary) -> PageTable:
    """Perplexity and accuracy by language, simple models beside them."""
    languages = summary["languages"]
    names = list(in_order({name: 0.0 for one in languages.values() for name in one["yardsticks"]}))
    rows = [
        [
            language,
            _number(values["perplexity"]),
            *(_number(values["yardsticks"].get(name)) for name in names),
            _share(values["accuracy"]),
            count_text(values["predictions"]),
        ]
        for language, values in languages.items()
    ]
    heads = ("language", "network", *names, "accuracy of the network", "hidden tokens")
    return PageTable("Perplexity of hidden tokens in held-out records; lower is better.", heads, rows)


def objectives_table(summary: Summary) -> PageTable:
    """Loss and accuracy of each objective on validation records."""
    rows = [
        [name, _number(values["loss"], 4), _share(values.get("accuracy"))]
        for name, values in summary["validation"]["objectives"].items()
    ]
    return PageTable(
        "Objectives on validation records, at the end.", ("objective", "loss (nats)", "accuracy"), rows
    )


def groups_table(summary: Summary) -> PageTable:
    """What was read, group by group, and how often."""
    rows = []
    for group in summary["reading"]["groups"]:
        whole, share = group["tokens_per_epoch"], group["share_of_tokens"]
        rows.append(
            [
                group["name"],
                count_text(group["records"]),
                count_text(whole),
                f"{100 * share:.1f} %",
                _number(summary["tokens"] * share / whole if whole else None, 1),
                count_text(group["left_out"]),
            ]
        )
    heads = ("texts", "records", "tokens a pass", "share of training", "passes", "too short")
    return PageTable("What was read.", heads, rows)


def network_table(summary: Summary) -> PageTable:
    """Where the weights are."""
    rows = [[name.replace("_", " "), count_text(count)] for name, count in summary["parameters"].items()]
    return PageTable("Weights of the network.", ("part", "weights"), rows, sortable=False)


def settings_table(config: Mapping[str, Any]) -> PageTable:
    """All settings that are set, as dotted keys."""
    rows = [[key, text] for key, text in _flat(config)]
    return PageTable(
        "Settings that are not empty.", ("setting", "value"), rows, frozenset({0, 1}), frozenset({1})
    )


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{prefix}{key}.")]
    if value is None:
        return []
    listed = isinstance(value, list)
    return [(prefix.rstrip("."), ", ".join(map(str, value)) if listed else str(value))]


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
