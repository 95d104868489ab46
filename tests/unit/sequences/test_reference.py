"""References: indexed, held, refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from Bio import bgzf

from genomecli.errors import InputError
from genomecli.runtime import rng
from genomecli.sequences import reference
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.reference import Reference


def make_text(lengths: dict[str, int]) -> str:
    random = rng("reference tests")
    lines = []
    for name, length in lengths.items():
        sequence = "".join("ACGT"[i] for i in random.integers(0, 4, length))
        lines += [f">{name} about", *(sequence[i : i + 60] for i in range(0, length, 60))]
    return "\n".join(lines) + "\n"


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    text = make_text({"chr1": 5000, "chr2": 150_000}).encode()
    found = {name: tmp_path / f"ref.{name}" for name in ("fa", "fa.gz", "fa.bgz")}
    found["fa"].write_bytes(text)
    found["fa.gz"].write_bytes(gzip.compress(text))
    with bgzf.BgzfWriter(str(found["fa.bgz"]), "wb") as out:
        out.write(text)
    return found


def test_all_packings_hold_the_same(paths: dict[str, Path], tmp_path: Path) -> None:
    whole = Reference(paths["fa.gz"], cache=tmp_path / "cache")
    for name in ("fa", "fa.bgz"):
        with Reference(paths[name], cache=tmp_path / "cache") as indexed:
            assert dict(indexed.lengths) == dict(whole.lengths) == {"chr1": 5000, "chr2": 150_000}
            assert indexed.record("chr3") is None
            one, other = indexed.record("chr2"), whole.record("chr2")
            assert one is not None
            assert other is not None
            for start, stop in [(0, 10), (100, 160), (149_000, 150_000), (40_000, 140_000), (5, 5), (3, 90)]:
                assert np.array_equal(one.fetch(start, stop), other.fetch(start, stop))
    assert {path.name for path in tmp_path.iterdir()} == {"ref.fa", "ref.fa.gz", "ref.fa.bgz", "cache"}


def test_a_big_gzip_is_refused_with_the_command_that_helps(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "SMALL", 1000)
    with pytest.raises(InputError, match=r"gunzip -c .*ref.fa.gz \| bgzip > .*ref.fa.bgz"):
        Reference(paths["fa.gz"])


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.fa.gz"
    path.write_bytes(gzip.compress(b">a\nACGT\n>a\nACGT\n"))
    with pytest.raises(InputError, match="twice"):
        Reference(path)


def test_letters_keep_their_meaning(tmp_path: Path) -> None:
    path = tmp_path / "soft.fa.gz"
    path.write_bytes(gzip.compress(b">a\nacgtNRxACGT\n"))
    record = Reference(path).record("a")
    assert record is not None
    assert DNA.decode(record.fetch(0, 11)) == "ACGTNR?ACGT"
