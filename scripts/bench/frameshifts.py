"""Does a scan tell genes with a frameshift from whole ones? One base is put into the middle of some genes.

Usage: python scripts/bench/frameshifts.py RUN CDS.fa[.gz] [GENES]

RUN is a run of pretrain on codons. Each of GENES genes (30) is scanned as it is and with a random base in its
middle. The step is the mean surprise after the middle minus that before it. Printed: the mean step of both
kinds, and the chance that a shifted gene has the larger step of a random pair (AUROC).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.metrics import roc_auc_score

from genomecli.exchange.score_table import read_surprises
from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.fasta import read_fasta

SHORTEST = 600
"""Bases of a gene that is taken."""


def drawn_genes(path: Path, count: int) -> list[str]:
    """Genes of whole codons, drawn at random."""
    texts = [DNA.decode(record.symbols) for record in read_fasta(path, DNA)]
    whole = [text for text in texts if len(text) % 3 == 0 and len(text) >= SHORTEST]
    return [whole[i] for i in rng("frameshifts", "genes").choice(len(whole), count, replace=False)]


def write_pairs(genes: list[str], path: Path) -> None:
    """Each gene as it is, then with a base more."""
    bases = rng("frameshifts", "bases").integers(0, 4, len(genes))
    with open(path, "w", encoding="utf-8") as out:
        for i, (gene, base) in enumerate(zip(genes, bases, strict=True)):
            middle = len(gene) // 6 * 3
            out.write(f">whole{i}\n{gene}\n>shifted{i}\n{gene[:middle]}{'ACGT'[base]}{gene[middle:]}\n")


def steps(track: Path) -> dict[str, float]:
    """The step of each sequence of a scan."""
    found = {}
    for name, places, values in read_surprises(track, bedgraph=True):
        middle = (places[-1] + 1) // 6 * 3
        found[name] = float(values[places >= middle].mean() - values[places < middle].mean())
    return found


def main(run: str, cds: str, count: str = "30") -> None:
    """Draw, scan, print."""
    with TemporaryDirectory() as folder:
        fasta, track = Path(folder) / "genes.fa", Path(folder) / "genes.bedgraph"
        write_pairs(drawn_genes(Path(cds), int(count)), fasta)
        given = ["--set", "score.molecule=cds", "--set", "score.figures=false"]
        command = [
            sys.executable,
            "-m",
            "genomecli",
            "score",
            "-m",
            run,
            "--scan",
            str(fasta),
            "-o",
            str(track),
        ]
        subprocess.run([*command, *given], check=True)
        found = steps(track)
    kinds = {kind: [v for name, v in found.items() if name.startswith(kind)] for kind in ("whole", "shifted")}
    truth = [0] * len(kinds["whole"]) + [1] * len(kinds["shifted"])
    for kind, values in kinds.items():
        print(f"{kind}\t{len(values)} genes\tmean step {np.mean(values):.3f} nats a base")
    print(f"AUROC\t{roc_auc_score(truth, kinds['whole'] + kinds['shifted']):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
