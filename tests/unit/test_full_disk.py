"""A disk that takes no more is told in one clear line, whoever met it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from genomecli.cli_frame import Shown, foreign
from genomecli.files import cannot_write
from genomecli.full_disk import full_disk

PYARROW = "[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"
SAFETENSORS = "Error while serializing: I/O error: No space left on device (os error 28)"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full (No space left on device); free space"),
        (OSError(errno.EDQUOT, "x"), "the quota on this disk is used up (Disk quota exceeded); free space"),
        (OSError(errno.EFBIG, "x"), "a file may not grow larger (File too large); raise the limit (ulimit"),
        (OSError(PYARROW), "the disk is full"),
        (OSError("[Errno 27] Error writing bytes to file. Detail: [errno 27] File too large"), "grow larger"),
        (RuntimeError(SAFETENSORS), "the disk is full"),
        (ValueError("File too large"), "grow larger"),
    ],
)
def test_what_has_happened_and_what_to_do(error: Exception, said: str) -> None:
    told = full_disk(error, Path("out"))
    assert told is not None
    assert said in str(told)
    assert str(told).startswith("out; ")
    assert told.exit_code == 1


@pytest.mark.parametrize(
    "error", [OSError(errno.EACCES, "Permission denied"), OSError("errno 281"), RuntimeError("28")]
)
def test_other_errors_are_not_of_a_full_disk(error: Exception) -> None:
    assert full_disk(error, Path("out")) is None


def test_the_file_that_the_error_names_goes_before_the_output() -> None:
    told = full_disk(OSError(errno.ENOSPC, "No space", "aside/part.bin"), Path("out"))
    assert told is not None
    assert told.where == "aside/part.bin"


def test_resume_and_out_are_advised_where_there_are_such() -> None:
    error = OSError(errno.ENOSPC, "No space")
    fixes = [full_disk(error), full_disk(error, Path("o")), full_disk(error, Path("o"), resumes=True)]
    assert [told.fix for told in fixes if told] == [
        "free space, or write elsewhere",
        "free space, or give another --out",
        "free space and go on with --resume, or give another --out",
    ]


def test_the_command_line_shows_it_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Shown.begin([])
    monkeypatch.setattr(Shown, "out", Path("corpus"))
    monkeypatch.setattr(Shown, "resumes", True)
    assert foreign(OSError(errno.ENOSPC, PYARROW)) == 1
    assert capsys.readouterr().err == (
        "genomecli: corpus; cannot be written: the disk is full (No space left on device); "
        "free space and go on with --resume, or give another --out\n"
    )


def test_a_folder_that_takes_no_files_for_want_of_room() -> None:
    assert cannot_write(Path("o"), OSError(errno.ENOSPC, "No space left on device")).fix == (
        "free space, or give another --out"
    )
    assert cannot_write(Path("o"), OSError(errno.EROFS, "Read-only")).fix == "give another --out"
