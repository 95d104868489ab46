"""Openers: every packing by content, bounded, hashed, and broken files named."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.sequences import openers, streams
from genomecli.sequences.openers import InputStream, Location, open_input, zip_members
from tests.unit.sequences.made_files import write_bgzip, write_gzip

DATA = b">a\n" + bytes(range(65, 90)) * 40_000 + b"\n"


def read_all(stream: InputStream, size: int = 1 << 16) -> bytes:
    return b"".join(iter(lambda: stream.read(size), b""))


def packed(kind: str, folder: Path) -> Path:
    path = folder / "input.dat"  # a name that says nothing
    if kind == "plain":
        path.write_bytes(DATA)
    elif kind == "gzip":
        write_gzip(path, DATA)
    elif kind == "members":
        write_gzip(path, DATA[:10], b"", DATA[10:1000], DATA[1000:])
    elif kind == "bgzip":
        write_bgzip(path, DATA)
    elif kind in ("zip", "zipped gzip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("in/genome.fa", DATA if kind == "zip" else gzip.compress(DATA))
            archive.writestr("__MACOSX/in/._genome.fa", b"junk")
    return path


@pytest.mark.parametrize("kind", ["plain", "gzip", "members", "bgzip", "zip", "zipped gzip"])
def test_every_packing_gives_the_same_bytes_and_the_hash_of_the_file(kind: str, tmp_path: Path) -> None:
    path = packed(kind, tmp_path)
    with open_input(path) as stream:
        assert stream.peek(3) == DATA[:3]
        assert read_all(stream) == DATA
        row = stream.finish()
    expected = {"plain": "none", "members": "gzip", "zipped gzip": "zip"}.get(kind, kind)
    assert row["compression"] == expected
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert row["bytes"] == path.stat().st_size


def test_the_hash_is_whole_when_the_reader_stops_early(tmp_path: Path) -> None:
    path = packed("gzip", tmp_path)
    with open_input(path) as stream:
        stream.read(10)
        assert stream.finish()["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_reads_are_full_until_the_end(size: int, tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "x", b"ACGT" * 5, b"TTTT")
    with open_input(path) as stream:
        parts = list(iter(lambda: stream.read(size), b""))
    assert b"".join(parts) == b"ACGT" * 5 + b"TTTT"
    assert all(len(part) == size for part in parts[:-1])


@pytest.mark.parametrize("kind", ["plain", "gzip"])
def test_standard_input(kind: str, tmp_path: Path) -> None:
    raw = packed(kind, tmp_path).read_bytes()
    with open_input("-", stdin=io.BytesIO(raw)) as stream:
        assert read_all(stream) == DATA
        assert stream.finish()["sha256"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("kind", ["plain", "gzip"])
def test_a_file_whose_name_is_gone_is_read(kind: str, tmp_path: Path) -> None:
    """A pipe that its writer unlinks once it is open."""
    whole = packed(kind, tmp_path).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with open(pipe, "wb") as out:
            pipe.unlink()
            out.write(whole)

    writer = threading.Thread(target=write)
    writer.start()
    with open_input(pipe) as stream:
        assert read_all(stream) == DATA
        assert stream.finish()["sha256"] == hashlib.sha256(whole).hexdigest()
    writer.join()


@pytest.mark.parametrize("broken", [False, True])
def test_large_files_are_read_by_a_thread_that_ends(
    broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openers, "AHEAD_FROM", 1 << 19)
    path, threads = packed("plain", tmp_path), threading.active_count()
    if broken:
        take = streams.FileSource._take

        def failing(self: streams.FileSource, size: int) -> bytes:
            if self._size > 1 << 19:
                raise InputError("cannot be read to its end", where=path)
            return take(self, min(size, 1 << 18))

        monkeypatch.setattr(streams.FileSource, "_take", failing)
    with open_input(path) as stream:
        assert threading.active_count() > threads
        if broken:
            with pytest.raises(InputError, match="to its end"):
                read_all(stream)
        else:
            assert read_all(stream, 7919) == DATA
            assert stream.finish()["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert threading.active_count() == threads


def test_standard_input_stays_open() -> None:
    stdin = io.BytesIO(b">a\nAC\n")
    with open_input("-", stdin=stdin) as stream:
        read_all(stream)
    assert not stdin.closed


@pytest.mark.parametrize("kind", ["gzip", "bgzip", "members"])
@pytest.mark.parametrize("cut", [5, 100])
def test_truncated_gzip_names_the_file(kind: str, cut: int, tmp_path: Path) -> None:
    path = packed(kind, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 28 - cut] if kind == "bgzip" else data[:-cut])
    with open_input(path) as stream, pytest.raises(InputError, match="input.dat.*gzip"):
        read_all(stream)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    path = packed("gzip", tmp_path)
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(data)
    with open_input(path) as stream, pytest.raises(InputError, match="broken gzip"):
        read_all(stream)


def test_padding_after_gzip_is_allowed_and_rubbish_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b">a\nAC\n") + b"\0" * 1000)
    with open_input(path) as stream:
        assert read_all(stream) == b">a\nAC\n"
    path.write_bytes(gzip.compress(b">a\nAC\n") + b"rubbish")
    with open_input(path) as stream, pytest.raises(InputError, match="gzip"):
        read_all(stream)


def test_a_bomb_is_refused_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LENIENT", 1 << 20)
    path = write_gzip(tmp_path / "bomb.gz", b"A" * (64 << 20))
    with open_input(path) as stream, pytest.raises(InputError, match="more than 200 times.*max_ratio"):
        read_all(stream)
    assert stream.unpacked < 20 << 20
    with open_input(path, max_ratio=2000) as stream:
        assert len(read_all(stream)) == 64 << 20


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LENIENT", 1 << 20)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"A" * (32 << 20))
    with open_input(path) as stream, pytest.raises(InputError, match="more than 200 times"):
        read_all(stream)


def test_zip_members_are_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.fa", b">a\n")
        archive.writestr("b.fa", b">b\n")
    assert zip_members(path) == ["a.fa", "b.fa"]
    with open_input(Location(path, "b.fa")) as stream:
        assert read_all(stream) == b">b\n"
        assert stream.finish()["member"] == "b.fa"
    with pytest.raises(InputError, match=r"holds 2 files \(a.fa, b.fa\)"), open_input(path):
        pass
    with pytest.raises(InputError, match="no member 'c.fa'"), open_input(Location(path, "c.fa")):
        pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd123", "zstd"),
        (b"\xff\xfe>\x00a\x00", "UTF-16"),
        (b"PK\x03\x04broken", "broken zip"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught, open_input(path):
        pass
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 3


def test_absent_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"), open_input(tmp_path / "absent"):
        pass
    with pytest.raises(InputError, match="is a folder"), open_input(tmp_path):
        pass


def test_threads_end_when_reading_stops_early(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "x.gz", b"ACGT" * (4 << 20))
    before = threading.active_count()
    with open_input(path) as stream:
        stream.read(10)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_isal_reads_what_zlib_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isal_zlib = pytest.importorskip("isal.isal_zlib")
    path = packed("members", tmp_path)
    for module in (isal_zlib, __import__("zlib")):
        monkeypatch.setattr(streams, "_zlib", module)
        with open_input(path) as stream:
            assert read_all(stream) == DATA


def test_text_comes_line_by_line(tmp_path: Path) -> None:
    path = write_gzip(tmp_path / "x", "a\r\né\n".encode() + b"\xff\n")
    with open_input(path) as stream:
        assert list(stream.text()) == ["a\n", "é\n", "\ufffd\n"]


def test_a_location_is_named_without_its_folder():
    assert Location(Path("/a/b/genome.gbk")).name == "genome.gbk"
    assert Location(Path("/a/b/set.zip"), "x/genome.fna").name == "set.zip:x/genome.fna"
    assert Location(Path("-")).name == "standard input"
