from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from genomecli.errors import InputError, UsageError
from genomecli.files import (
    OutputFolder,
    atomic_path,
    canonical_json,
    named_file,
    read_json,
    read_manifest,
    verify_manifest,
    write_json,
)


def finished(folder: Path) -> Path:
    with OutputFolder(folder, kind="toy") as out:
        (out.path / "sub").mkdir()
        (out.path / "sub" / "a.txt").write_text("alpha")
        (out.path / "run.json").write_text("{}")
        out.finish({"fact": 1})
    return folder


def test_a_dash_is_standard_output() -> None:
    assert named_file(Path("-")) is None
    assert named_file(None) is None
    assert named_file(Path("a-")) == Path("a-")


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "table.tsv"
    with pytest.raises(RuntimeError, match="midway"), atomic_path(target) as path:
        path.write_text("half")
        raise RuntimeError("midway")
    assert list(tmp_path.iterdir()) == []
    with atomic_path(target) as path:
        path.write_text("whole")
    assert target.read_text() == "whole"
    with pytest.raises(UsageError, match="exists already"), atomic_path(target):
        pass
    with atomic_path(target, force=True) as path:
        path.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["table.tsv"]


def test_a_folder_appears_only_when_finished(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), OutputFolder(tmp_path / "x", kind="toy") as out:
        (out.path / "a").write_text("1")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    folder = finished(tmp_path / "y")
    assert read_manifest(folder, "toy")["fact"] == 1
    assert verify_manifest(folder) == 1
    with pytest.raises(UsageError, match="exists already"):
        finished(folder)
    with OutputFolder(folder, kind="toy", force=True) as out:
        out.finish({"fact": 2})
    assert read_manifest(folder)["fact"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["y"]


def test_a_folder_of_someone_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="did not finish"):
        OutputFolder(tmp_path / "home", kind="toy", force=True).__enter__()
    assert (tmp_path / "home" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_text("alphA"), "sha256 differs"),
        (lambda p: p.write_text("alph"), "has 4 bytes where 5"),
        (lambda p: p.unlink(), "is missing"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage, message: str) -> None:
    folder = finished(tmp_path / "x")
    damage(folder / "sub" / "a.txt")
    with pytest.raises(InputError, match=f"a.txt; .*{message}"):
        verify_manifest(folder)


def test_manifests_of_other_kinds_and_versions_are_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path / "x")
    with pytest.raises(InputError, match="is a toy, not a corpus"):
        read_manifest(folder, "corpus")
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", {**manifest, "format_version": 99})
    with pytest.raises(InputError, match="format version 99"):
        read_manifest(folder)
    write_json(folder / "manifest.json", {**manifest, "files": {"../../etc": {"bytes": 1, "sha256": ""}}})
    with pytest.raises(InputError, match="outside its folder"):
        verify_manifest(folder)
    with pytest.raises(InputError, match="no manifest"):
        read_manifest(tmp_path)


def _hold(path: Path, ready, release) -> None:
    with OutputFolder(path, kind="toy"):
        ready.set()
        release.wait(20)


def test_two_runs_cannot_write_one_output(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "x", ready, release))
    other.start()
    assert ready.wait(20)
    try:
        with pytest.raises(UsageError, match="another run is writing it"):
            OutputFolder(tmp_path / "x", kind="toy").__enter__()
    finally:
        release.set()
        other.join()
    assert finished(tmp_path / "x").is_dir()


def test_equal_values_are_equal_bytes() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "ü"]}) == canonical_json({"a": [1.5, "ü"], "b": 1})
    with pytest.raises(ValueError):
        canonical_json({"x": float("nan")})
