"""Whole contigs from pieces, in memory and from a spool file."""

from __future__ import annotations

import errno
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import RunError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.contigs import Contig, read_contigs
from genomecli.sequences.fasta import read_blocks

TEXT = b">a x\n" + b"ACGTN" * 50 + b"\n>b\n" + b"ACGTACGTAC" * 800 + b"acgtt" * 100 + b"GG\n>c\nAC\n>d\n"


def read(chunk: int, spool: int) -> list[Contig]:
    return list(read_contigs(read_blocks(io.BytesIO(TEXT), DNA, chunk=chunk), spool=spool))


@pytest.mark.parametrize(("chunk", "spool"), [(1 << 20, 1 << 20), (300, 1 << 20), (300, 100), (300, 0)])
def test_contigs_are_whole_however_they_are_read(chunk: int, spool: int) -> None:
    found = read(chunk, spool)
    assert [contig.header.id for contig in found] == ["a", "b", "c", "d"]
    assert [len(contig.symbols) for contig in found] == [250, 8502, 2, 0]
    text = "".join(DNA.decode(contig.symbols, contig.soft) for contig in found)
    assert text == "ACGTN" * 50 + "ACGTACGTAC" * 800 + "acgtt" * 100 + "GG" + "AC"
    assert found[2].soft is None


def test_long_contigs_are_mapped_from_disk() -> None:
    found = read(300, 100)
    assert isinstance(found[1].symbols, np.memmap)
    assert isinstance(found[1].soft, np.memmap)
    assert not isinstance(found[2].symbols, np.memmap)


def test_a_disk_without_room_for_a_long_contig_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RunError, match="No space left on device.*TMPDIR") as caught:
        read(300, 100)
    assert caught.value.where == str(tmp_path)
