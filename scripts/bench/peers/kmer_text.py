"""DNABERT's route: overlapping 6-mers as text, then a Hugging Face tokenizer; MB of sequence a second.

python -m scripts.bench.peers.kmer_text genome.fa
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

from Bio.SeqIO.FastaIO import SimpleFastaParser
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

PIECE = 510
"""K-mers a line, as in DNABERT's pretraining files."""


def main() -> None:
    """Write the k-mer text beside the FASTA, tokenize it, print MB/s."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fasta", type=Path)
    parser.add_argument("-k", type=int, default=6)
    options = parser.parse_args()
    k, text = options.k, options.fasta.with_suffix(".kmers.txt")
    words = ["[UNK]", *("".join(letters) for letters in itertools.product("ACGT", repeat=k))]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    begin, letters = time.perf_counter(), 0
    with open(options.fasta, encoding="ascii") as source, open(text, "w", encoding="ascii") as out:
        for _, sequence in SimpleFastaParser(source):
            upper = sequence.upper()
            letters += len(upper)
            kmers = [upper[i : i + k] for i in range(len(upper) - k + 1)]
            for start in range(0, len(kmers), PIECE):
                out.write(" ".join(kmers[start : start + PIECE]) + "\n")
    tokens = 0
    with open(text, encoding="ascii") as source:
        while lines := list(itertools.islice(source, 1000)):
            tokens += sum(len(found.ids) for found in tokenizer.encode_batch(lines))
    seconds = time.perf_counter() - begin
    text.unlink()
    print(f"{tokens} tokens, MB/s {letters / seconds / 1e6:.4f}")


if __name__ == "__main__":
    main()
