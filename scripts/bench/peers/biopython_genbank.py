"""Biopython's parser alone on a GenBank file: seconds, every record and feature read and nothing kept.

python -m scripts.bench.peers.biopython_genbank genome.gbk.gz
"""

from __future__ import annotations

import gzip
import sys
import time

from Bio import SeqIO


def main() -> None:
    """Parse, print seconds."""
    path = sys.argv[1]
    begin = time.perf_counter()
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt") as source:
        features = sum(len(record.features) for record in SeqIO.parse(source, "genbank"))
    print(f"{features} features, seconds {time.perf_counter() - begin:.4f}")


if __name__ == "__main__":
    main()
