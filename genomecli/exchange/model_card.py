"""The card of an exported network: ``README.md`` with what it is, what it has read, and how well it does.

Figures are those of the run's own summary; nothing is computed here. What is not known is said not to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from genomecli.exchange.hugging_face_tokenizer import overlapping
from genomecli.version import __version__

NOT_STATED = "not stated"


@dataclass(frozen=True)
class CardFacts:
    """What a card tells.

    Args:
        class_name: of ``transformers``; empty for a graph in ONNX.
        settings: of the network, plain values.
        languages: what it knows, ``species/alphabet``.
        block: name of the words that the tokenizer reads.
        tokenizer: k and stride, as our tokenizer.
        summary: of the run; empty where there is none.
        config: resolved settings of the run.
        step: optimiser steps.
        frame: letters to leave out at the start of a text, as the run read it.
        left_out: heads that the export does not hold.
        licence: of the weights; None where nothing is stated.
    """

    class_name: str
    settings: Mapping[str, Any]
    languages: Sequence[str]
    block: str
    tokenizer: Any
    summary: Mapping[str, Any]
    config: Mapping[str, Any]
    step: int
    frame: int = 0
    left_out: Sequence[str] = ()
    licence: str | None = None


def model_card(facts: CardFacts) -> str:
    """The card, in Markdown."""
    parts = [_front(facts), "# A language model of sequences\n", *_model(facts), *_use(facts)]
    parts += [*_reading(facts), *_data(facts), *_figures(facts), *_licence(facts)]
    return "\n".join(parts)


def _front(facts: CardFacts) -> str:
    """The YAML on top that model hubs read."""
    lines = ["---"]
    lines += ["library_name: transformers"] if facts.class_name else []
    lines += [f"license: {quoted(facts.licence)}"] if facts.licence else []
    return "\n".join([*lines, "tags: [biology, genomecli]", "---", ""])


def quoted(text: str) -> str:
    """``text`` as a YAML string on one line."""
    import json

    return json.dumps(text, ensure_ascii=False)


def _model(facts: CardFacts) -> Iterator[str]:
    architecture = facts.settings["architecture"]
    # A graph may hold options that their classes do not have.
    family = {"modern": "ModernBERT", "classic": "BERT"}[architecture]
    family = family if facts.class_name else f"Network `{architecture}`"
    shown = (("layers", "layers"), ("width", "width"), ("heads", "attention heads"), ("context", "context"))
    sizes = ", ".join(f"{what} {facts.settings[name]:,}" for name, what in shown)
    yield f"{family}: {sizes} tokens; numbers are float32."
    yield f"Trained with genomecli {__version__} for {facts.step:,} steps.\n"
    if facts.left_out:
        yield f"Heads of the run that are not in here: {', '.join(facts.left_out)}.\n"


def _use(facts: CardFacts) -> Iterator[str]:
    yield "## Use\n"
    if not facts.class_name:
        yield "`model.onnx` takes `input_ids` and `attention_mask`, int64[batch, length], as the tokenizer in"
        yield "this folder gives them (padding at the end of a text), and says `last_hidden_state` and, of"
        yield "a network that was not tuned for a task, `logits` of all tokens.\n"
        return
    auto = "AutoModelFor" + facts.class_name.partition("For")[2]
    example = "ATGGCC" if facts.block.endswith("dna") else "MKVLA"
    if overlapping(facts.tokenizer):
        k, stride = facts.tokenizer.k, facts.tokenizer.stride
        example = " ".join("ATGGCCTTA"[at : at + k] for at in range(0, 10 - k, stride))
    yield "```python"
    yield f"from transformers import AutoTokenizer, {auto}\n"
    yield 'tokenizer = AutoTokenizer.from_pretrained("FOLDER")'
    yield f'model = {auto}.from_pretrained("FOLDER").eval()'
    yield f'logits = model(**tokenizer("{example}", return_tensors="pt")).logits'
    yield "```\n"


def _reading(facts: CardFacts) -> Iterator[str]:
    k, stride = facts.tokenizer.k, facts.tokenizer.stride
    yield "## How texts are read\n"
    yield f"The tokenizer reads `{facts.block}`: words of {k} letters, a new one every {stride}, between"
    yield "[CLS] and [SEP]. Lower case is read as upper case, in DNA U as T. A word with another letter is"
    yield "[UNK]."
    if overlapping(facts.tokenizer):
        yield f"Words overlap, which `tokenizer.json` cannot cut: split texts first, `{facts.tokenizer.k}`"
        yield "letters a word and a blank between words, as in the example."
    else:
        yield "Letters at the end that fill no word are left out; white space does not count."
    if facts.frame:
        yield f"The run read such texts from offset {facts.frame}: leave out the first {facts.frame} letters."
    if len(facts.languages) > 1:
        yield f"The model knows {', '.join(facts.languages)}; words of other blocks have ids of their own."
    reading = facts.config.get("pretrain", {}).get("reading", {})
    if reading.get("relation") == "paired":
        yield "It was trained on pairs, [CLS] gene [SEP] protein [SEP], whose positions begin again at 0 with"
        yield "the second text: pass `position_ids` for pairs."
    yield ""


def _data(facts: CardFacts) -> Iterator[str]:
    yield "## Data\n"
    corpus = facts.summary.get("corpus")
    if isinstance(corpus, Mapping):
        yield f"Corpus `{corpus.get('name')}`, fingerprint `{corpus.get('fingerprint')}`.\n"
    groups = facts.summary.get("reading", {}).get("groups", [])
    if groups:
        yield from _table(
            ("group", "records", "share of tokens"),
            [(one["name"], f"{one['records']:,}", f"{one['share_of_tokens']:.3f}") for one in groups],
        )
    split = facts.summary.get("split")
    labelled = list(_labelled(facts.config.get("finetune", {}).get("data", {})))
    if labelled:
        yield f"Labels from {', '.join(labelled)}.\n"
    if isinstance(split, Mapping):
        rows = ", ".join(f"{count:,} {part}" for part, count in split.get("rows", {}).items())
        yield f"Labelled rows: {rows}. {split.get('how', '')}\n"
        yield from (f"- {warning}" for warning in split.get("warnings", ()))
        yield ""
    if not (corpus or groups or split or labelled):
        yield f"Data: {NOT_STATED}.\n"


def _labelled(data: Mapping[str, Any]) -> Iterator[str]:
    """Names of the files of labelled sequences, without the folders of the machine."""
    for path in data.get("path") or ():
        yield "standard input" if path == "-" else f"`{PurePath(path).name}`"
    for name, paths in (data.get("classes") or {}).items():
        yield from (f"`{PurePath(path).name}` ({name})" for path in paths)


def _figures(facts: CardFacts) -> Iterator[str]:
    yield "## Figures\n"
    languages = facts.summary.get("languages", {})
    targets = facts.summary.get("targets", {})
    if languages:
        yield "Hidden tokens of held-out texts: perplexity, accuracy, and the perplexity of simple models.\n"
        yield from _table(
            ("language", "perplexity", "accuracy", "predictions", "simple models"),
            [_language(name, one) for name, one in languages.items()],
        )
    for name, target in targets.items():
        yield f"Target `{name}` ({target['kind']}): {target['verdict']}\n"
        judged = target["primary"].get(facts.summary.get("judged"), {})
        yield from _table(
            ("model", "figure", "value", "interval", "rows"),
            [_figure(model, one) for model, one in judged.items()],
        )
    if not (languages or targets):
        yield f"Figures: {NOT_STATED}.\n"


def _language(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    yardsticks = ", ".join(f"{key} {number(value)}" for key, value in one.get("yardsticks", {}).items())
    values = (number(one.get("perplexity")), number(one.get("accuracy")), f"{one.get('predictions', 0):,}")
    return (name, *values, yardsticks)


def _figure(model: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    interval = f"{number(one.get('low'))} to {number(one.get('high'))}" if one.get("low") is not None else ""
    return (model, str(one.get("name", "")), number(one.get("value")), interval, f"{one.get('n', 0):,}")


def number(value: object) -> str:
    """A figure with three decimals; a dash where there is none."""
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _licence(facts: CardFacts) -> Iterator[str]:
    yield "## Licence\n"
    yield f"{facts.licence or NOT_STATED}\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
    yield ""
