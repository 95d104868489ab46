"""Mean vectors of proteins with transformers and the weights of our run; seconds of the loop.

    python -m scripts.bench.peers.embed_loops RUN proteins.fa vectors.npy --way naive
    python -m scripts.bench.peers.embed_loops RUN proteins.fa folder --way extract

naive: batches of 8 in the order of the file, padded to the longest, as in most notebooks. extract: as
esm-extract does, batches of at most 4096 padded tokens of like lengths, a file a sequence. fp32, as both do.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from Bio.SeqIO.FastaIO import SimpleFastaParser

from genomecli.corpus.vocabulary import SPECIALS
from genomecli.exchange.hugging_face import hugging_face_config, state_dict_to_hf
from genomecli.training.checkpoint import load_model

TOKENS = 4096
BATCH = 8


def as_theirs(loaded) -> torch.nn.Module:
    """The class of transformers with our weights."""
    import transformers

    arguments = hugging_face_config(loaded.settings, loaded.lexicon.vocabulary.size)
    kinds = {
        "modern": ("ModernBertForMaskedLM", "ModernBertConfig"),
        "classic": ("BertForMaskedLM", "BertConfig"),
    }
    model, config = kinds[loaded.settings.architecture]
    made = getattr(transformers, model)(getattr(transformers, config)(**arguments))
    made.load_state_dict(state_dict_to_hf(loaded.settings, loaded.model.state_dict()), strict=True)
    return made.eval()


def theirs(run: Path) -> tuple[torch.nn.Module, dict[str, int], int]:
    """Their model with our weights, the id of each residue, and the context."""
    loaded = load_model(run)
    tokenizer = loaded.lexicon.tokenizer(loaded.lexicon.species[0], "protein")
    ids = {tokenizer.decode(np.array([number]))[0]: number for number in tokenizer_ids(tokenizer)}
    return as_theirs(loaded).base_model, ids, loaded.settings.context


def tokenizer_ids(tokenizer) -> range:
    """Ids of its words."""
    return range(tokenizer.start, tokenizer.start + tokenizer.words)


def batches(rows: list[list[int]], way: str) -> Iterator[list[int]]:
    """Numbers of the sequences of each batch."""
    if way == "naive":
        for start in range(0, len(rows), BATCH):
            yield list(range(start, min(start + BATCH, len(rows))))
        return
    held: list[int] = []
    for number in sorted(range(len(rows)), key=lambda one: len(rows[one])):
        if held and (len(held) + 1) * len(rows[number]) > TOKENS:
            yield held
            held = []
        held.append(number)
    yield held


def main() -> None:
    """Embed, write, print seconds, the reading of the model left out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--way", choices=("naive", "extract"), default="naive")
    options = parser.parse_args()
    model, ids, context = theirs(options.run)
    special = {name: number for number, name in enumerate(SPECIALS)}
    begin = time.perf_counter()
    with open(options.fasta, encoding="ascii") as source:
        texts = list(SimpleFastaParser(source))
    rows = [
        [special["[CLS]"], *(ids[letter] for letter in text[: context - 2]), special["[SEP]"]]
        for _, text in texts
    ]
    vectors: list[np.ndarray | None] = [None] * len(rows)
    if options.way == "extract":
        options.out.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for numbers in batches(rows, options.way):
            longest = max(len(rows[one]) for one in numbers)
            tokens = torch.full((len(numbers), longest), special["[PAD]"])
            for place, one in enumerate(numbers):
                tokens[place, : len(rows[one])] = torch.tensor(rows[one])
            mask = (tokens != special["[PAD]"]).long()
            states = model(tokens, attention_mask=mask).last_hidden_state
            for place, one in enumerate(numbers):
                vectors[one] = states[place, 1 : len(rows[one]) - 1].mean(dim=0).numpy()
                if options.way == "extract":
                    np.save(options.out / f"{one}.npy", vectors[one])
    if options.way == "naive":
        np.save(options.out, np.stack([one for one in vectors if one is not None]))
    print(f"{len(rows)} sequences, seconds {time.perf_counter() - begin:.3f}")


if __name__ == "__main__":
    main()
