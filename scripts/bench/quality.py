"""Tokens to a loss: how many tokens our recipe needs for the loss that Trainer's default recipe ends with.

    python -m scripts.bench.quality

Both read the same coding sequences, in which a codon depends on the one before it. Trainer trains the BERT of
its defaults (5e-5, 3 epochs, batches of 8); ours trains the default network of that depth and width with our
defaults. The network is small, so that three epochs end in minutes. All are judged by one program:
transformers' classes, the same hidden tokens of the same held-out sequences.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from scripts.bench.harness import ROOT, Row, genomecli, markdown, run
from scripts.bench.made import write_genes

LAYERS, WIDTH, HEADS, CONTEXT = 2, 128, 2, 512
THREADS = 2
CONFIG = """
tokenize:
  split: {{valid: 0.02, test: 0}}
  species: [{{name: made, sources: [{{kind: cds, path: {path}}}]}}]
pretrain:
  corpus: {folder}/corpus
  model: {{preset: null, layers: {layers}, width: {width}, context: {context}}}
  reading: {{molecules: [cds], context: {context}, tokens_per_batch: 4096, tokens_per_step: 4096}}
  tokens: {tokens}
  validate_every: 8
  save_every: 8
  keep: 1000
"""


def loss_of(model: torch.nn.Module, rows: list[list[int]], pad: int, mask: int, words: int) -> float:
    """Mean loss of 15 % of the tokens, all of them hidden; the choice is that of a fixed seed."""
    random = np.random.default_rng(0)
    total, count = 0.0, 0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(rows), 16):
            some = rows[start : start + 16]
            tokens = torch.full((len(some), max(map(len, some))), pad)
            hidden = torch.zeros(tokens.shape, dtype=torch.bool)
            for place, row in enumerate(some):
                tokens[place, : len(row)] = torch.tensor(row)
                hidden[place, 1 : len(row) - 1] = torch.from_numpy(random.random(len(row) - 2) < 0.15)
            found = model(tokens.masked_fill(hidden, mask), attention_mask=(tokens != pad).long()).logits
            scores = torch.log_softmax(found[hidden][:, :words].float(), dim=-1)
            total -= float(scores.gather(1, tokens[hidden][:, None]).sum())
            count += int(hidden.sum())
    return total / count


def held_out(path: Path, ids: dict[str, int], first: int, last: int) -> list[list[int]]:
    """Ids of the codons of each sequence, cut to the context."""
    from Bio.SeqIO.FastaIO import SimpleFastaParser

    with open(path, encoding="ascii") as source:
        texts = [sequence for _, sequence in SimpleFastaParser(source)]
    most = CONTEXT - 2
    codons = [[text[i : i + 3] for i in range(0, len(text) - 2, 3)][:most] for text in texts]
    return [[first, *(ids[word] for word in text), last] for text in codons]


def trainer_loss(folder: Path, train: Path, held: Path, epochs: float) -> tuple[float, int]:
    """Loss at the end of Trainer's recipe, and the tokens that it read."""
    import transformers

    from scripts.bench.peers.trainer import tokenizer_of

    command = [sys.executable, "-m", "scripts.bench.peers.trainer", str(train), "--epochs", str(epochs)]
    command += ["--layers", str(LAYERS), "--width", str(WIDTH), "--heads", str(HEADS)]
    run([*command, "--context", str(CONTEXT), "--keep", str(folder / "theirs")], threads=THREADS)
    model = transformers.BertForMaskedLM.from_pretrained(folder / "theirs")
    known = tokenizer_of("cds").get_vocab()
    rows = held_out(held, known, known["[CLS]"], known["[SEP]"])
    tokens = json.loads((folder / "theirs" / "trained.json").read_text())["tokens"]
    return loss_of(model, rows, known["[PAD]"], known["[MASK]"], len(known)), tokens


def our_losses(folder: Path, train: Path, held: Path, tokens: int) -> list[tuple[int, float]]:
    """Tokens read and loss of each checkpoint, in order."""
    from genomecli.corpus.vocabulary import SPECIALS
    from genomecli.training.checkpoint import load_model
    from scripts.bench.peers.embed_loops import as_theirs, tokenizer_ids

    values = {"layers": LAYERS, "width": WIDTH, "context": CONTEXT, "tokens": tokens}
    config = folder / "c.yaml"
    config.write_text(CONFIG.format(path=train, folder=folder, **values), encoding="utf-8")
    genomecli("tokenize", "-q", "-c", str(config), "-o", f"{folder}/corpus")
    options = ["--set", f"threads={THREADS}"]
    genomecli("pretrain", "-q", "-c", str(config), "-o", f"{folder}/run", *options, threads=THREADS)
    found = []
    special = {name: number for number, name in enumerate(SPECIALS)}
    for checkpoint in sorted((folder / "run" / "checkpoints").glob("step-*")):
        loaded = load_model(checkpoint)
        tokenizer = loaded.lexicon.tokenizer("made", "cds")
        ids = {tokenizer.decode(np.array([number]))[0]: number for number in tokenizer_ids(tokenizer)}
        rows = held_out(held, ids, special["[CLS]"], special["[SEP]"])
        words = loaded.lexicon.vocabulary.size
        loss = loss_of(as_theirs(loaded), rows, special["[PAD]"], special["[MASK]"], words)
        found.append((int(loaded.info["progress"]["tokens"]), loss))
    return found


def measure(*, quick: bool) -> list[Row]:
    """One row: tokens to the peer's loss."""
    genes, epochs = (300, 0.3) if quick else (800, 3.0)
    with tempfile.TemporaryDirectory(prefix="genomecli-bench-") as name:
        folder = Path(name)
        text = write_genes(folder / "all.fa", genes + 100).read_text().split(">")[1:]
        train, held = folder / "train.fa", folder / "held.fa"
        train.write_text("".join(f">{one}" for one in text[:genes]))
        held.write_text("".join(f">{one}" for one in text[genes:]))
        goal, theirs = trainer_loss(folder, train, held, epochs)
        curve = our_losses(folder, train, held, max(theirs, 40_000))
    reached = next((tokens for tokens, loss in curve if loss <= goal), None)
    note = f"{LAYERS} layers, width {WIDTH}, {genes} genes; "
    note += f"loss {goal:.3f}; ours ends at {curve[-1][1]:.3f} after {curve[-1][0]:,} tokens"
    return [
        Row(
            "quality",
            "tokens to the loss that Trainer's default recipe ends with",
            "tokens",
            float(reached or "nan"),
            "Trainer, at its defaults",
            float(theirs),
            None if reached is None else theirs / reached,
            None if reached is None else theirs / reached,
            None if reached is None else theirs / reached,
            1,
            "at least 2 times",
            reached is not None and theirs >= 2 * reached,
            note,
        )
    ]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(markdown(measure(quick="--quick" in sys.argv)))
