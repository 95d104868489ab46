"""A list of peptides as an enzyme and a mass spectrometer would give it, from a proteome.

Usage: python -m scripts.study.peptides PROTEINS.faa.gz ENZYMES COUNT OUT.fa

ENZYMES names one or more, joined by a comma: trypsin cuts behind K and R, but not before P; gluc behind E and
D. One in five cuts is missed; peptides of 7 to 30 residues are kept, COUNT of them drawn at random, as many
of each enzyme.
"""

from __future__ import annotations

import gzip
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

CUTS = {"trypsin": re.compile(r"(?<=[KR])(?!P)"), "gluc": re.compile(r"(?<=[ED])")}

MISSED = 0.2
SHORTEST, LONGEST = 7, 30


def proteins(path: Path) -> Iterator[str]:
    """The sequences of a gzipped FASTA file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for record in stream.read().split(">")[1:]:
            yield "".join(record.split("\n")[1:])


def digest(protein: str, cut: re.Pattern[str], rng: random.Random) -> Iterator[str]:
    """The peptides of one protein, with a cut missed here and there, never two in a row."""
    pieces = [piece for piece in cut.split(protein) if piece]
    place = 0
    while place < len(pieces):
        joined = 2 if rng.random() < MISSED else 1
        yield "".join(pieces[place : place + joined])
        place += joined


def main(source: Path, enzymes: str, count: int, out: Path) -> None:
    """Write the list."""
    rng, found = random.Random(1), []
    names = enzymes.split(",")
    for name in names:
        made = [peptide for protein in proteins(source) for peptide in digest(protein, CUTS[name], rng)]
        fitting = [peptide for peptide in made if SHORTEST <= len(peptide) <= LONGEST]
        found += rng.sample(fitting, min(count // len(names), len(fitting)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(f">p{i}\n{peptide}\n" for i, peptide in enumerate(found)), encoding="ascii")
    print(f"{len(found):,} peptides: {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
