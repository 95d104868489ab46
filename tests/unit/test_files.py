from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from genomecli.errors import InputError, UsageError
from genomecli.files import (
    atomic_path,
    canonical_json,
    file_table,
    lock_name,
    locked,
    named_file,
    partial_name,
    read_json,
    read_manifest,
    seal,
    sweep_partial,
    unlisted,
    verify_manifest,
    write_json,
    write_manifest,
    write_tensors,
)
from genomecli.output_folder import OutputFolder


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


def test_no_output_is_written_through_a_link(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept", tmp_path / "link"
    kept.write_text("mine")
    link.symlink_to(kept)
    for force in (False, True):
        with pytest.raises(UsageError, match="is a symbolic link"), atomic_path(link, force=force):
            pass
    assert kept.read_text() == "mine"
    assert link.is_symlink()
    folder = finished(tmp_path / "folder")
    other = tmp_path / "other"
    other.symlink_to(folder)
    with pytest.raises(UsageError, match="is a symbolic link"), OutputFolder(other, kind="toy", force=True):
        pass
    assert verify_manifest(folder)


def test_links_laid_where_parts_and_locks_will_be_lead_nowhere(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    (tmp_path / ".x.lock").symlink_to(kept)
    with pytest.raises(UsageError, match="cannot write there"), OutputFolder(tmp_path / "x", kind="toy"):
        pass
    (tmp_path / ".x.lock").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".x.partial").symlink_to(elsewhere)
    with OutputFolder(tmp_path / "x", kind="toy", keep=True) as out:
        (out.path / "a.txt").write_text("a")
        out.finish({})
    (tmp_path / f".y.{os.getpid()}.partial").symlink_to(kept)
    with atomic_path(tmp_path / "y") as path:
        path.write_text("b")
    assert list(elsewhere.iterdir()) == []
    assert kept.read_text() == "mine"


def test_a_manifest_whose_entries_are_none_is_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path / "x")
    manifest = json.loads((folder / "manifest.json").read_text())
    for wrong in ({}, {"bytes": "1"}, {"bytes": 1}, 7, None):
        (folder / "manifest.json").write_text(json.dumps({**manifest, "files": {"a.txt": wrong}}))
        with pytest.raises(InputError, match="is no manifest"):
            verify_manifest(folder)
    for name in ("x" * 5000, "a\0b", "../a"):
        entry = {name: {"bytes": 1, "sha256": ""}}
        (folder / "manifest.json").write_text(json.dumps({**manifest, "files": entry}))
        with pytest.raises(InputError):
            verify_manifest(folder)


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    dead, alive = 2**22 + 1, os.getppid()
    names = [f".x.csv.{dead}.partial.csv", f".x.csv.{alive}.partial.csv", f".y.csv.{dead}.partial.csv"]
    for name in names:
        (tmp_path / name).write_text("half")
    with atomic_path(tmp_path / "x.csv") as path:
        path.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*sorted(names[1:]), "x.csv"]


@pytest.mark.parametrize("live", [False, True])
def test_what_a_killed_run_left_is_swept_if_it_is_of_this_request_and_nobody_writes(
    tmp_path: Path, live: bool
) -> None:
    out = tmp_path / "x.tsv"
    folder, lock = partial_name(out), lock_name(out)
    folder.mkdir()
    write_json(folder / "state.json", {"request": {"model": "a", "inputs": [["x", 1]]}})
    lock.touch()
    with locked(lock) if live else nullcontext():
        sweep_partial(out, {"model": "b", "inputs": [("x", 1)]})
        assert folder.is_dir()
        sweep_partial(out, {"model": "a", "inputs": [("x", 1)]})
        assert folder.is_dir() == live
    assert not lock.exists()
    sweep_partial(out, {})
    assert not lock.exists()


def test_files_sealed_before_stand_in_the_manifest_as_others_do(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/a", "b"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path, "toy", {})
    files = read_manifest(tmp_path)["files"]
    sealed = {"in/a": seal(tmp_path / "in" / "a"), "left/out": {"bytes": 0, "sha256": ""}}
    (tmp_path / "in" / "a").unlink()
    (tmp_path / "in" / "a").write_text("not read again")
    write_manifest(tmp_path, "toy", {}, sealed=sealed)
    assert read_manifest(tmp_path)["files"] == files == file_table(tmp_path) | {"in/a": sealed["in/a"]}
    assert files["b"] == {"bytes": 1, "sha256": hashlib.sha256(b"b").hexdigest()}


def test_files_that_no_manifest_names_are_found(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("a")
    write_manifest(tmp_path, "toy", {})
    for name in ("run.json", "in/log.txt", "speed.png", ".hidden"):
        (tmp_path / name).write_text("x")
    files = read_manifest(tmp_path)["files"]
    assert unlisted(tmp_path, files) == []
    (tmp_path / "in" / "manifest.json").write_text("{}")
    (tmp_path / "b").symlink_to("in/a")
    assert unlisted(tmp_path, files) == ["b", "in/manifest.json"]


@pytest.mark.parametrize("renames", [1, 2])
def test_a_run_that_dies_while_it_replaces_a_folder_loses_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    def make(text: str) -> None:
        with OutputFolder(tmp_path / "x", kind="toy", force=True) as out:
            (out.path / "a.txt").write_text(text)
            out.finish({})

    class Died(BaseException):
        """As a kill between two steps."""

    make("old")
    true_rename, done = os.rename, []

    def rename(*paths: Path) -> None:
        if len(done) < renames:
            done.append(paths)
            true_rename(*paths)
        else:
            raise Died

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", rename)
        if renames == 2:
            patched.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(Died()))
        with pytest.raises(Died):
            make("new")
    assert (tmp_path / ".x.old" / "a.txt").read_text() == "old"
    with pytest.raises(UsageError, match="exists"), OutputFolder(tmp_path / "x", kind="toy"):
        raise AssertionError("is not reached")
    assert not (tmp_path / ".x.old").exists()
    assert (tmp_path / "x" / "a.txt").read_text() == ("old" if renames == 1 else "new")
    assert verify_manifest(tmp_path / "x") == 1


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o007, 0o660)])
def test_tensors_may_be_read_by_whom_the_user_s_other_new_files_may_be(
    tmp_path: Path, mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        write_tensors(tmp_path / "numpy.safetensors", {"a": np.arange(6).reshape(2, 3)}, {"b": "c"})
        write_tensors(tmp_path / "torch.safetensors", {"a": torch.arange(6).reshape(3, 2).T})
        write_tensors(tmp_path / "none.safetensors", {})
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {mode}
    with safe_open(tmp_path / "numpy.safetensors", "numpy") as found:
        assert found.metadata() == {"b": "c"}
        assert found.get_tensor("a").tolist() == [[0, 1, 2], [3, 4, 5]]
    with safe_open(tmp_path / "torch.safetensors", "numpy") as found:
        assert found.get_tensor("a").tolist() == [[0, 2, 4], [1, 3, 5]]
