"""Files that are whole or absent: atomic writes, checksums, manifests and locks.

A finished folder is marked by its ``manifest.json``, written last, which lists every file with its size and
sha256, save ``run.json``: what differs between two equal runs (time, host, speeds) lives there alone.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from genomecli.errors import InputError, UsageError

MANIFEST = "manifest.json"
FORMAT_VERSION = 1
UNCHECKED = ("run.json", "log.txt", "speed.jsonl")
"""Files that may differ between two equal runs."""

_UNLISTED = ("speed.png",)
"""Files of training runs that hold times too."""


def sha256_file(path: Path | str) -> str:
    """The sha256 of a file's bytes, as hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and one layout, so that equal values are equal bytes.

    Raises:
        ValueError: for NaN or infinity, which JSON cannot hold.
    """
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def read_json(path: Path | str) -> Any:
    """The value in a JSON file.

    Raises:
        InputError: if it is absent or no JSON.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise InputError("no such file", where=path) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=path) from None


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON atomically, replacing what is there."""
    with atomic_path(path, force=True) as temporary:
        temporary.write_bytes(canonical_json(value))


def write_tensors(path: Path, tensors: Mapping[str, Any], metadata: dict[str, str] | None = None) -> None:
    """Write tensors of torch or arrays of numpy as safetensors, with the rights of other new files.

    The library gives its files to their owner alone, so that nobody else in a lab could use a network.

    Args:
        path: the new file.
        tensors: by name, all of one kind; torch's are brought to the CPU.
        metadata: texts for the header.
    """
    import numpy as np

    if all(isinstance(value, np.ndarray) for value in tensors.values()):
        from safetensors.numpy import save_file

        save_file(dict(tensors), path, metadata)
    else:
        from safetensors import torch

        cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        torch.save_file(cpu, path, metadata)
    mask = os.umask(0o077)  # there is no other way to ask
    os.umask(mask)
    os.chmod(path, 0o666 & ~mask)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make sure that a file's bytes are on the disk."""
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())


def partial_name(path: Path) -> Path:
    """Where a file or folder is built before it takes its place."""
    return path.with_name(f".{path.name}.partial")


def lock_name(path: Path) -> Path:
    """What is held as a lock while a file or folder is made."""
    return path.with_name(f".{path.name}.lock")


def parts_name(path: Path) -> Path:
    """Where the parts of a file or folder wait that takes several runs to make."""
    return path.with_name(f".{path.name}.parts")


@contextmanager
def atomic_path(path: Path | str, *, force: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    Raises:
        UsageError: if ``path`` exists and ``force`` is not given, or its folder does not exist.
    """
    target = Path(path)
    refuse_existing(target, force=force)
    if not target.parent.is_dir():
        raise UsageError("no such folder", where=target.parent, fix="make it first")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial{target.suffix}")
    _sweep(target)
    try:
        yield temporary
        sync_file(temporary)
        os.replace(temporary, target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what processes that were killed left of ``target``, and a link that somebody laid there."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.partial{glob.escape(target.suffix)}"):
        number = path.name.removeprefix(f".{target.name}.").partition(".")[0]
        if number.isdecimal() and (int(number) == os.getpid() or not _lives(int(number))):
            path.unlink(missing_ok=True)


def _lives(number: int) -> bool:
    """Whether a process of this machine has that number."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def named_file(out: Path | None) -> Path | None:
    """The file of ``--out``; None, which is standard output, for ``-`` too."""
    return None if out == Path("-") else out


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise UsageError if ``path`` exists and may not be overwritten, or is a symbolic link.

    A link is never written through, nor replaced: who made it meant something else to stand there. Links
    among the folders above are followed.
    """
    if path.is_symlink():
        fix = "give the path that it leads to" if path.exists() else "remove it or give another --out"
        raise UsageError("is a symbolic link, and outputs are not written through one", where=path, fix=fix)
    if path.exists() and not force:
        raise UsageError("exists already", where=path, fix="give --force to replace it, or another --out")


def _checked_files(folder: Path, exclude: Sequence[str]) -> dict[str, Path]:
    """The files that a manifest names, by their names in it."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        name, left_out = inside.as_posix(), not set(exclude).isdisjoint(inside.parts)
        if path.is_file() and name != MANIFEST and not left_out and not path.name.startswith("."):
            found[name] = path
    return found


def _entry(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256_file(path)}


def file_table(folder: Path, exclude: Sequence[str] = UNCHECKED) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 of every file below ``folder``, save its manifest and the names in ``exclude``, of
    files or of folders below it."""
    return {name: _entry(path) for name, path in _checked_files(folder, exclude).items()}


def seal(path: Path) -> dict[str, Any]:
    """Bytes and sha256 of a file that is finished and put on the disk, for :func:`write_manifest`."""
    entry = _entry(path)
    sync_file(path)
    return entry


def write_manifest(
    folder: Path | str,
    kind: str,
    extra: Mapping[str, Any],
    *,
    exclude: Sequence[str] = UNCHECKED,
    sealed: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Mark ``folder`` as finished: every file is put on the disk, then the manifest is written, last.

    Args:
        folder: of the files.
        kind: what it is.
        extra: more for the manifest.
        exclude: names of files and folders that it does not answer for.
        sealed: by their names, what :func:`seal` said of files that were finished before.
    """
    root, known = Path(folder), sealed or {}
    table = {
        name: known[name] if name in known else seal(path)
        for name, path in _checked_files(root, exclude).items()
    }
    write_json(root / MANIFEST, {**extra, "kind": kind, "format_version": FORMAT_VERSION, "files": table})


def read_manifest(folder: Path | str, kind: str | None = None) -> dict[str, Any]:
    """The manifest of a finished output.

    Raises:
        InputError: if there is none, it is of another kind, or a newer genomecli wrote it.
    """
    root = Path(folder)
    if not root.exists():
        raise InputError("no such file or folder", where=root)
    path = root / MANIFEST
    if not path.is_file():
        raise InputError("has no manifest.json: it is unfinished or not of genomecli", where=root)
    manifest = read_json(path)
    if not isinstance(manifest, dict) or "kind" not in manifest or not _is_table(manifest.get("files")):
        raise InputError("is no manifest of genomecli", where=path)
    if kind is not None and manifest["kind"] != kind:
        raise InputError(f"is a {manifest['kind']}, not a {kind}", where=root)
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"has format version {version}, and this genomecli reads {FORMAT_VERSION}",
            where=root,
            fix="make it again, or use the genomecli that wrote it",
        )
    return manifest


def _is_table(files: object) -> bool:
    """Whether this is what :func:`file_table` gives."""
    return isinstance(files, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
        for entry in files.values()
    )


def verify_manifest(folder: Path | str, *, deep: bool = True) -> int:
    """Check every file of a finished output against its manifest; the number of files checked.

    Args:
        folder: the output.
        deep: check sha256, not only presence and size.

    Raises:
        InputError: naming the first file that is missing, of another size, or altered.
    """
    root = Path(folder)
    files = read_manifest(root)["files"]
    for name, expected in files.items():
        check_file(root, name, expected, deep=deep)
    return len(files)


def unlisted(folder: Path | str, files: Collection[str]) -> list[str]:
    """Names of files below ``folder`` that are neither among ``files`` nor left out of every manifest.

    Hidden files are passed over.
    """
    root, named = Path(folder), {*files, MANIFEST}
    paths = (path.relative_to(root) for path in sorted(root.rglob("*")) if not path.is_dir())
    return [
        path.as_posix()
        for path in paths
        if path.as_posix() not in named
        and path.name not in (*UNCHECKED, *_UNLISTED)
        and not any(part.startswith(".") for part in path.parts)
    ]


def check_file(root: Path, name: str, expected: Mapping[str, Any], *, deep: bool = True) -> None:
    """Check one file of a manifest. Raises InputError naming it."""
    path = root / name
    fix = "restore it from a copy, or make the output again"
    try:
        inside, there = path.resolve().is_relative_to(root.resolve()), path.is_file()
    except (OSError, ValueError) as error:  # a name that is no name
        raise InputError(f"cannot be read ({error})", where=root) from None
    if not inside:
        raise InputError("lies outside its folder", where=path)
    if not there:
        raise InputError("is missing", where=path, fix=fix)
    size = path.stat().st_size
    if size != expected["bytes"]:
        raise InputError(f"has {size} bytes where {expected['bytes']} were written", where=path, fix=fix)
    if deep and sha256_file(path) != expected["sha256"]:
        raise InputError("does not have the bytes that were written: its sha256 differs", where=path, fix=fix)


def make_parent(path: Path) -> None:
    """Make the folder in which ``path`` is to stand. Raises UsageError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path.parent, error) from None


def cannot_write(folder: Path, error: OSError) -> UsageError:
    """The error for an output whose folder takes no files, with the system's reason."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    fix = "free space, or give another --out" if full else "give another --out"
    return UsageError(f"cannot write there ({error.strerror})", where=folder, fix=fix)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` as a lock file. Raises UsageError if another run holds it, or it cannot be made."""
    try:
        handle = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666), "ab")
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat())
        except OSError:
            held = False
        if not held:
            what = "another run is writing it"
            raise UsageError(what, where=path.parent, fix="wait for it, or give another --out")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def sweep(out: Path, folder: Path, is_its: Callable[[], bool]) -> None:
    """Remove what a run left beside ``out`` that was killed after it had finished it: lock and parts.

    Nothing is touched while another run writes there, nor parts of another request.

    Args:
        out: finished.
        folder: of the parts.
        is_its: whether the parts are those that ``out`` was made from; not asked where there are none.
    """
    if not (folder.is_dir() or lock_name(out).exists()):
        return
    with suppress(UsageError), locked(lock_name(out)):
        if folder.is_dir() and not folder.is_symlink() and is_its():
            shutil.rmtree(folder, ignore_errors=True)


def sweep_partial(out: Path, request: Mapping[str, Any]) -> None:
    """:func:`sweep` the rows that ``out`` was made from. ``request``: what they were to be made from."""
    state = partial_name(out) / "state.json"
    wanted = json.loads(json.dumps(dict(request)))
    sweep(out, state.parent, lambda: not state.is_file() or read_json(state).get("request") == wanted)
