from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genomecli.corpus.scan as scan_module
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.scan import Scan, scan_store
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.corpus.made import make_corpus, random_gene, write_fasta


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    rng = np.random.default_rng(0)
    genes = [random_gene(rng, int(n)) for n in rng.integers(20, 90, 30)]
    genes[3] = genes[3][:33] + "N" + genes[3][34:]
    genome = ["".join(rng.choice(list("ACGT"), n)) for n in (5000, 333, 61)]
    genome[0] = genome[0][:777] + "NR" + genome[0][779:3000] + "N" * 100 + genome[0][3100:-1] + "N"
    genome[1] = "Y" + genome[1][1:]
    return {"cds": genes, "genome": genome}


def scan(tmp_path: Path, texts: dict[str, list[str]], dna: Any, k: int, stride: int, keep: bool) -> Any:
    for name, values in texts.items():
        write_fasta(tmp_path / f"{name}.fa", {f"{name}{i}": text for i, text in enumerate(values)})
    sources = [{"kind": name, "path": str(tmp_path / f"{name}.fa")} for name in texts]
    corpus = make_corpus(
        tmp_path,
        {
            "species": [{"name": "a", "sources": sources}],
            "split": {"by": "record", "block": 0},
            "policies": {"stop_codon": "keep" if keep else "trim", "gap": 0},
        },
    )
    lexicon = build_lexicon(["a"], dna=dna, k=k, stride=stride)
    columns = {name: corpus.records().column(name) for name in ("length", "table", "has_stop")}
    found = scan_store(corpus._store, corpus.groups, columns, lexicon, stop_trimmed=not keep)
    return corpus, found, lexicon


@pytest.mark.parametrize(
    ("dna", "k", "stride"),
    [("codon", 3, 3), ("kmer", 4, 1), ("kmer", 4, 4), ("kmer", 5, 2), ("kmer", 6, 6), ("base", 1, 1)],
)
@pytest.mark.parametrize(("chunk", "long"), [(600, 10_000), (3 << 20, 10_000), (600, 1), (3 << 20, 1)])
def test_counts_equal_those_made_one_by_one(
    tmp_path: Path,
    texts: dict[str, list[str]],
    dna: str,
    k: int,
    stride: int,
    chunk: int,
    long: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scan_module, "CHUNK", chunk)
    monkeypatch.setattr(scan_module, "LONG", long)
    monkeypatch.setattr(scan_module, "LEAST", 0)  # else a test's texts are too short for counts of units
    monkeypatch.setattr(scan_module, "BLOCK", 48)
    corpus, found, lexicon = scan(tmp_path, texts, dna, k, stride, keep=False)
    assert isinstance(found, Scan)
    for group, counts in zip(corpus.groups, found.groups, strict=True):
        tokenizer = lexicon.tokenizer("a", group.molecule)
        rows = range(group.first_row, group.first_row + group.records)
        symbols = [corpus.symbols(row) for row in rows]
        tokens = Counter(number for text in symbols for number in tokenizer.encode(text).tolist())
        unknown = tokens.pop(tokenizer.unk, 0)
        assert counts.tokens[-1] == unknown
        assert {i + tokenizer.start: n for i, n in enumerate(counts.tokens[:-1]) if n} == dict(tokens)
        assert counts.symbols.tolist() == np.bincount(np.concatenate(symbols), minlength=15).tolist()
        for row, text in zip(rows, symbols, strict=True):
            plain = text[text < 4]
            assert found.gc[row] == pytest.approx(np.isin(plain, (1, 2)).mean(), abs=1e-6)
            third = text[2::3][text[2::3] < 4]
            expected = np.isin(third, (1, 2)).mean() if group.molecule == "cds" else 0
            assert found.gc3[row] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("keep", [True, False])
def test_codons_and_frames(tmp_path: Path, texts: dict[str, list[str]], keep: bool) -> None:
    _, found, _ = scan(tmp_path, texts, "codon", 3, 3, keep)
    counts = found.groups[1]
    genes = [text if keep else text[:-3] for text in texts["cds"]]
    codons = Counter(text[i : i + 3] for text in genes for i in range(0, len(text) - 2, 3))
    assert counts.codons[1].tolist() == [codons[codon] for codon in CODONS]
    assert counts.first[1].tolist() == [len(genes) if codon == "ATG" else 0 for codon in CODONS]
    last = Counter(text[-3:] for text in genes) if keep else Counter()
    assert counts.last[1].tolist() == [last[codon] for codon in CODONS]
    stops = {CODONS[i] for i in genetic_code(1).stops}
    open_frames = []
    for frame in range(3):
        bodies = [text[:-3] if keep and frame == 0 else text for text in genes]
        open_frames.append(
            sum(all(b[i : i + 3] not in stops for i in range(frame, len(b) - 2, 3)) for b in bodies)
        )
    assert counts.open_frames[1].tolist() == [*open_frames, len(genes)]
    assert open_frames[0] == len(genes)
