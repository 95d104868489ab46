"""Small models that have learned a planted grammar, as finished checkpoints; trained in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.vocabulary import CLS, MASK, SEP
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng
from genomecli.sequences.alphabets import get_alphabet
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.plan import Progress

UNIT = "ATGGCCTTA"
"""A stretch that the planted genome repeats."""

CYCLE = ("GCT", "AAA", "TTC", "GAT", "CGT", "CTG", "ACC", "GGT", "CAC", "TGG")
"""Codons of a planted gene: each follows the one before it."""

Ints = NDArray[np.int64]


def planted_genome(length: int, phase: int = 0) -> str:
    return (UNIT * (length // len(UNIT) + 2))[phase : phase + length]


def planted_gene(codons: int, phase: int = 0) -> str:
    return "".join(CYCLE[(phase + i) % len(CYCLE)] for i in range(codons))


def planted_protein(length: int, phase: int = 0) -> str:
    return ("MKVLAYRDE" * (length // 9 + 2))[phase : phase + length]


def other_strand(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def make_run(
    folder: Path,
    make_text: Callable[[int], str],
    *,
    molecule: str = "genome",
    dna: str = "base",
    k: int = 1,
    stride: int = 1,
    tokens: int = 40,
    steps: int = 150,
) -> Path:
    """A run folder whose model has learned to fill in hidden tokens of ``make_text``'s texts.

    Args:
        folder: to be made.
        make_text: from a number to a text of the grammar.
        molecule: which of the model's languages is trained.
        dna, k, stride: how DNA is cut.
        tokens: of a text.
        steps: of training.
    """
    torch.set_num_threads(1)  # a fixture may run before those of a single test
    settings = ModelSettings.model_validate(
        {"preset": None, "layers": 2, "width": 32, "heads": 2, "context": 64, "initializer_range": 0.1}
    )
    lexicon = build_lexicon(["bug"], dna=dna, k=k, stride=stride)
    tokenizer = lexicon.tokenizer("bug", molecule)
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=2)
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    random = rng("planted", molecule, dna, k)
    alphabet = get_alphabet(tokenizer.alphabet_name)
    for _ in range(steps):
        texts = [make_text(int(number)) for number in random.integers(0, 1 << 30, 16)]
        body = np.stack([tokenizer.encode(alphabet.encode(text))[:tokens] for text in texts]).astype(np.int64)
        loss = _loss(model, body, random, tokenizer.span)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    identity = Identity(settings.model_dump(mode="json"), "planted", 0, steps, 1, "fp32", "cpu")
    state = {name: value.detach() for name, value in model.state_dict().items()}
    save_checkpoint(folder, Checkpoint(Progress(step=steps), identity, lexicon, {}, state), best=True)
    return folder


def _loss(model: torch.nn.Module, body: Ints, random: np.random.Generator, span: int) -> torch.Tensor:
    rows, length = body.shape
    starts = random.random(body.shape) < 0.15 / span
    hidden = np.zeros_like(starts)
    for shift in range(span):
        hidden[:, shift:] |= starts[:, : length - shift]
    hidden[:, 5] |= ~hidden.any(axis=1)
    seen = np.where(hidden, MASK, body)
    edge = np.ones((rows, 1), dtype=np.int64)
    tokens = torch.from_numpy(np.concatenate([edge * CLS, seen, edge * SEP], axis=1))
    chosen = torch.from_numpy(np.pad(hidden, ((0, 0), (1, 1))))
    scores = model.logits(model(tokens).last, chosen)  # type: ignore[operator]
    return torch.nn.functional.cross_entropy(scores, torch.from_numpy(body[hidden]))


def motif_table(path: Path) -> list[str]:
    """Sixty sequences, every other with a motif and labelled so; the lines of the table."""
    random = np.random.default_rng(0)
    lines = ["id\tsequence\tmotif"]
    for number in range(60):
        text = "".join(random.choice(list("ACGT"), 30))
        lines.append(f"s{number}\t{'GATTACA' if number % 2 else ''}{text}\t{'yes' if number % 2 else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return lines
