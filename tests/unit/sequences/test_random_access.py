"""Random access: same bases as streaming, and nothing written beside the input."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.random_access import RandomAccess, default_cache
from tests.unit.sequences.made_files import write_bgzip

FIRST = "ACGTNacgtnRY" * 5000
TEXT = f">one x\n{FIRST[:30000]}\n{FIRST[30000:]}\n>two\nGATTACA\n".encode()


@pytest.mark.parametrize(("packing", "name"), [("plain", "g.fa"), ("bgzip", "g.fa.gz"), ("bgzip", "g.dat")])
def test_any_place_reads_as_in_the_text(packing: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / name
    path.write_bytes(TEXT) if packing == "plain" else write_bgzip(path, TEXT)
    for _ in range(2):  # the second time from the index
        with RandomAccess(path, cache=tmp_path / "cache") as genome:
            assert genome.lengths == {"one": len(FIRST), "two": 7}
            for start, stop in ((0, 10), (29_990, 30_010), (59_000, None), (5, 5)):
                assert DNA.decode(genome.fetch("one", start, stop)) == FIRST[start:stop].upper()
            assert DNA.decode(genome.fetch("two")) == "GATTACA"
    assert os.listdir(folder) == [name]
    assert len(list((tmp_path / "cache" / "fasta-index").iterdir())) == 1


def test_a_changed_file_gets_a_new_index(tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_bytes(TEXT)
    RandomAccess(path, cache=tmp_path / "cache").close()
    path.write_bytes(b">three\nACGT\n")
    with RandomAccess(path, cache=tmp_path / "cache") as genome:
        assert genome.lengths == {"three": 4}


def test_places_outside_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_bytes(TEXT)
    with RandomAccess(path, cache=tmp_path / "cache") as genome:
        with pytest.raises(InputError, match="record 'two'.*3..8 is outside 0..7"):
            genome.fetch("two", 3, 8)
        with pytest.raises(InputError, match="no such record"):
            genome.fetch("absent")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(TEXT), "gzip, which has no random access.*bgzip"),
        (b">a\nACGT\nAC\nACGT\n", "cannot be indexed"),
        (b">a\nACGT\n>a\nAC\n", "cannot be indexed"),
    ],
)
def test_what_cannot_be_indexed_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "g.fa"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        RandomAccess(path, cache=tmp_path / "cache")


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_CACHE", "/a")
    assert default_cache() == Path("/a")
    monkeypatch.delenv("GENOMECLI_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert default_cache() == Path("/b/genomecli")
