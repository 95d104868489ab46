from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus import digests
from genomecli.corpus.digests import digest_of, hasher, with_contigs, with_twins
from genomecli.corpus.duplicates import originals
from genomecli.corpus.shards import ShardedColumns, Span, write_shard

Rows = dict[str, np.ndarray]


def sha256(text: np.ndarray) -> str:
    return hashlib.sha256(text.tobytes()).hexdigest()[:16]


@pytest.fixture
def texts() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = [rng.integers(0, 15, n, dtype=np.uint8) for n in (500, 70, 500, 500, 70, 31, 500, 8)]
    found[3] = found[0].copy()
    return found


def made_rows(texts: list[np.ndarray], tmp_path: Path) -> tuple[Rows, list[Path]]:
    """Two raw files of contigs of two species, and a protein of a contig's length."""
    files = [tmp_path / "0", tmp_path / "1"]
    raw = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    at = np.zeros(len(texts), dtype=np.int64)
    for index, file in enumerate(files):
        mine = np.flatnonzero(raw == index)
        at[mine] = np.cumsum([0, *(len(texts[i]) for i in mine[:-1])])
        file.write_bytes(b"".join(texts[i].tobytes() for i in mine))
    columns: dict[str, Any] = {
        "species": ["a", "a", "a", "a", "a", "a", "b", "b"],
        "molecule": ["genome", "genome", "genome", "genome", "protein", "genome", "genome", "genome"],
        "digest": ["", "", "", "", "p", "", "", ""],
    }
    rows = {name: np.array(values, dtype=object) for name, values in columns.items()}
    return rows | {"raw": raw, "at": at, "length": np.array([len(text) for text in texts])}, files


@pytest.mark.parametrize("head", [64, 600])
def test_contigs_of_one_length_and_beginning_are_read(
    tmp_path: Path, texts: list[np.ndarray], head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third begins in its own way, but is read whole where the beginning is."""
    monkeypatch.setattr(digests, "PIECE", 64)
    monkeypatch.setattr(digests, "HEAD", head)
    rows, files = made_rows(texts, tmp_path)
    found = with_twins(rows, files)
    third = sha256(texts[2]) if head == 600 else ""
    assert found.tolist() == [sha256(texts[0]), "", third, sha256(texts[3]), "p", "", "", ""]
    first = originals(rows["species"], rows["molecule"], rows["length"], found)
    assert first.tolist() == [0, 1, 2, 0, 4, 5, 6, 7]
    assert rows["digest"][0] == "", "the column that came in is left as it was"


def test_contigs_that_begin_alike_are_told_apart(
    tmp_path: Path, texts: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "HEAD", 64)
    texts[2][:499], texts[2][499] = texts[0][:499], texts[0][499] ^ 1
    rows, files = made_rows(texts, tmp_path)
    found = with_twins(rows, files)
    assert found[:4].tolist() == [sha256(texts[0]), "", sha256(texts[2]), sha256(texts[0])]
    first = originals(rows["species"], rows["molecule"], rows["length"], found)
    assert first.tolist() == [0, 1, 2, 0, 4, 5, 6, 7]


@pytest.mark.parametrize("cut", [True, False])
def test_the_others_and_those_that_were_cut_are_read_from_the_shards(
    tmp_path: Path, texts: list[np.ndarray], cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "PIECE", 64)
    rows, _ = made_rows(texts, tmp_path)
    rows["digest"][:2] = "old"
    if cut:
        rows["recut"] = np.arange(len(texts)) == 1
    joined = np.concatenate(texts)
    (tmp_path / "raw").write_bytes(joined.tobytes())
    paths, bounds = [], [0, 300, len(joined)]
    for low, high in pairwise(bounds):
        paths.append(tmp_path / f"{low}.safetensors")
        write_shard(
            paths[-1], [Span(tmp_path / "raw", None, low, high)], np.array([0, high - low]), soft=False
        )
    found = with_contigs(rows, ShardedColumns(paths, np.diff(bounds)))
    whole = [sha256(text) for text in texts]
    assert found.tolist() == ["old", whole[1] if cut else "old", *whole[2:4], "p", *whole[5:]]


def test_no_contigs(tmp_path: Path) -> None:
    rows = {"molecule": np.array(["cds"], dtype=object), "species": np.array(["a"], dtype=object)}
    rows |= {"length": np.array([3]), "digest": np.array(["x"], dtype=object)}
    assert with_twins(rows, []).tolist() == ["x"]


def test_pieces_of_a_gene_have_the_digest_of_the_whole(texts: list[np.ndarray]) -> None:
    stream = hasher()
    stream.update(texts[0][:99])
    stream.update(texts[0][99:])
    assert stream.hexdigest() == digest_of(texts[0])
    assert len(digest_of(texts[0])) == 16
