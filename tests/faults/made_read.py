"""Commands that read what others made, as :mod:`tests.faults.made`: score, and both comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.faults.made import RECORDS, coding
from tests.faults.runs import Run

_COMMON = ("device=cpu", "precision=fp32", "threads=1")
_COMPARED = ("permutations=19", "draws=20", "bootstrap=20", "gene_bootstrap=2", "gene_buckets=4")
_READ = ("min_codons=100", "min_count=1", "max_tokens=1000", "layers=[1]", "frames=[0]", "codes=[1, 12]")
_HELD_AGAINST = ("similarities=[centred, procrustes]", "baselines.word2vec=false", "dpi=50")
_DECIPHERED = ("relation=none", "chains=4", "sweeps=8", "bootstrap=10")


def make_readers(folder: Path, *, short: bool = False) -> tuple[Run, ...]:
    """The three commands with inputs below ``folder``; ``short`` draws nothing."""
    from tests.unit.analysis.compare_toys import write_run, write_species_corpus

    folder.mkdir(parents=True, exist_ok=True)
    corpus = write_species_corpus(folder / "toys", {"alpha": 12}, genes=30 if short else 63)
    model = write_run(folder / "toy", ["alpha"], corpus, code=12, steps=(5,), noise=0.1)
    fasta = folder / "scanned.fa"
    fasta.write_text("".join(f">gene{i}\n{coding(i, 60 + 7 * (i % 40))}\n" for i in range(RECORDS)))
    scan = ("-m", str(model), "--scan", str(fasta), *_sets(_COMMON), "--set", "score.molecule=cds")
    drawn = f"figures={str(not short).lower()}"
    compared = _sets(f"mrr-compare.{text}" for text in (*_COMPARED, *_READ, *_HELD_AGAINST, drawn))
    deciphered = _sets(f"mrr-compare.decipher.{text}" for text in _DECIPHERED)
    texts = _tokenized(folder / "texts")
    return (
        Run("score", (*scan, "--set", f"score.{drawn}"), ".bedgraph", piped=scan, head=b"# surprise"),
        Run("mrr-compare", (str(model), *_sets(_COMMON), *compared)),
        Run("mrr-compare --decipher", ("--corpus", str(texts), *deciphered, "--set", f"mrr-compare.{drawn}")),
    )


def _sets(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for text in texts for word in ("--set", text))


def _tokenized(folder: Path) -> Path:
    """A corpus of genes and proteins that follow one grammar."""
    from genomecli.cli import main
    from tests.unit.analysis.decipherment.made import write_sources

    config = write_sources(folder, 60)
    assert main(["tokenize", "-q", "-c", str(config), "-o", str(folder / "corpus")]) == 0
    return folder / "corpus"
