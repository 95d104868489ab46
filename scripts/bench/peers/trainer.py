"""Masked-language-model training with Hugging Face's Trainer; real tokens a second.

    python -m scripts.bench.peers.trainer genes.fa --minutes 1               # at its defaults
    python -m scripts.bench.peers.trainer genes.fa --minutes 1 --tuned      # as its documentation advises

Texts are the codons (or residues) of a FASTA, tokenized ahead and cut to the context. At its defaults: fp32,
batches of 8 in random order, padded, dropout of .1 as BertConfig has it (``--dropout``). Tuned: bf16, like
lengths together, fused optimiser, SDPA attention, a batch as large as ours, no dropout, which would keep SDPA
from its fast kernel. Trainer sorts texts by length within groups of some batches, so that steps differ in
size: ``--steps`` measures a whole group.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections import deque
from pathlib import Path

import torch
from Bio.SeqIO.FastaIO import SimpleFastaParser
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def tokenizer_of(molecule: str) -> PreTrainedTokenizerFast:
    """WordLevel over codons or residues with BERT's special tokens."""
    words = ["".join(letters) for letters in itertools.product("ACGT", repeat=3)]
    vocabulary = [*SPECIAL, *(words if molecule == "cds" else RESIDUES)]
    ids = {word: number for number, word in enumerate(vocabulary)}
    backend = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    backend.pre_tokenizer = WhitespaceSplit()
    pairs = [("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    backend.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=pairs)
    names = dict(
        zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True)
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def texts(path: Path, molecule: str) -> list[str]:
    """Sequences with blanks between the tokens."""
    found = []
    with open(path, encoding="ascii") as source:
        for _, sequence in SimpleFastaParser(source):
            step = 3 if molecule == "cds" else 1
            found.append(" ".join(sequence[i : i + step] for i in range(0, len(sequence) - step + 1, step)))
    return found


class Texts(torch.utils.data.Dataset):
    """Ids, made ahead."""

    def __init__(self, ids: list[list[int]]) -> None:
        self.ids = ids

    def __len__(self) -> int:
        """How many."""
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        """One text."""
        return {"input_ids": self.ids[index], "attention_mask": [1] * len(self.ids[index])}


class Watch(TrainerCallback):
    """Real tokens a second after the first steps, and the end after some minutes or steps."""

    def __init__(self, minutes: float, warm: int, steps: int | None) -> None:
        self.end, self.warm, self.steps = time.perf_counter() + 60 * minutes, warm, steps
        self.begin = self.last = 0.0
        self.tokens = self.all = 0
        self.made: deque[int] = deque()  # batches are made ahead of their steps

    def on_step_end(self, arguments, state, control, **more):
        """Count a step; stop in time."""
        tokens, self.last = self.made.popleft(), time.perf_counter()
        self.all += tokens
        if state.global_step == self.warm:
            self.begin = self.last
        elif state.global_step > self.warm:
            self.tokens += tokens
            done = state.global_step - self.warm
            if self.last > self.end if self.steps is None else done >= self.steps:
                control.should_training_stop = True
        return control

    def rate(self) -> float:
        """Real tokens a second."""
        return self.tokens / (self.last - self.begin)


class Counting(DataCollatorForLanguageModeling):
    """The standard collator, which also counts real tokens."""

    watch: Watch

    def __call__(self, features, return_tensors=None):
        """A batch."""
        self.watch.made.append(sum(len(one["input_ids"]) for one in features))
        return super().__call__(features, return_tensors)


def main() -> None:
    """Train for some minutes; print tokens a second."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--molecule", default="cds", choices=("cds", "protein"))
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--warm", type=int, default=5)
    parser.add_argument("--steps", type=int, help="measure so many steps, not by the clock")
    parser.add_argument("--dropout", type=float, help="of all kinds; BertConfig's own, .1, unless tuned")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--epochs", type=float, help="train that long, as the recipe says, not by the clock")
    parser.add_argument("--keep", type=Path, help="save the model here")
    options = parser.parse_args()
    logging.set_verbosity_error()
    torch.manual_seed(0)
    tokenizer = tokenizer_of(options.molecule)
    encoded = tokenizer(
        texts(options.fasta, options.molecule), truncation=True, max_length=options.context
    ).input_ids
    data = Texts(encoded)
    dropout = 0.0 if options.tuned and options.dropout is None else options.dropout
    left_out = {} if dropout is None else dict.fromkeys(DROPOUTS, dropout)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        intermediate_size=4 * options.width,
        max_position_embeddings=options.context,
        attn_implementation="sdpa",
        **left_out,
    )
    model = BertForMaskedLM(config)
    tuned = (
        {
            "bf16": True,
            "train_sampling_strategy": "group_by_length",
            "optim": "adamw_torch_fused",
            "per_device_train_batch_size": max(8, options.batch),
        }
        if options.tuned
        else {}
    )
    watch = Watch(options.minutes, options.warm, options.steps)
    collator = Counting(tokenizer=tokenizer, mlm_probability=0.15)
    collator.watch = watch
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=options.epochs or 10**6,
            use_cpu=not torch.cuda.is_available(),
            report_to="none",
            disable_tqdm=True,
            save_strategy="no",
            logging_steps=10**9,
            **tuned,
        )
        if options.epochs:  # as the recipe says, to its end
            watch.end = float("inf")
        trainer = Trainer(model, arguments, train_dataset=data, data_collator=collator, callbacks=[watch])
        trainer.train()
    if options.keep:
        model.save_pretrained(options.keep)
        (options.keep / "trained.json").write_text(json.dumps({"tokens": watch.all}))
    print(f"{trainer.state.global_step} steps, real tokens/s {watch.rate():.2f}")


if __name__ == "__main__":
    main()
