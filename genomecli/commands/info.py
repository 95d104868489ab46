"""``genomecli info``: what a file or folder of genomecli is, from its manifest. Imports no torch."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from genomecli.errors import InputError
from genomecli.files import MANIFEST, check_file, read_json, read_manifest, unlisted, verify_manifest
from genomecli.runtime import log

Facts = dict[str, Any]
TABLE_ENDING = ".manifest.json"
SHOWN = 10
"""Files beside a manifest that are named in a warning."""

_WEIGHTS = (".safetensors", "/manifest.json")
_READ = {
    "corpus": (".safetensors", ".parquet"),
    "checkpoint": (".safetensors",),
    "run": _WEIGHTS,
    "runs": _WEIGHTS,
}
"""Endings of what commands read of an output, by kind; of runs below their checkpoints."""


def run_info(
    path: Path,
    *,
    as_json: bool = False,
    preview: int | None = 0,
    verify: bool = False,
    verbose: bool = False,
    stdout: TextIO | None = None,
) -> Facts:
    """Say on standard output what something is, and check that its files are there.

    Args:
        path: a corpus, run, checkpoint, comparison or other finished folder; or an embedding table.
        as_json: JSON instead of lines of key and value, tab between them.
        preview: of a corpus, show this many records of each group as tokens.
        verify: check every file's sha256, not only its size; name files that no manifest names.
        verbose: all of the summary of a tuned run, which has some hundred lines.
        stdout: where to write.

    Returns:
        All that is known.

    Raises:
        InputError: if it is nothing of genomecli, unfinished, incomplete or altered.
    """
    out = stdout or sys.stdout
    facts = describe(path, verify=verify)
    records = _preview(path, facts, preview) if preview else []
    if as_json:
        shown = facts | ({"preview": records} if preview else {})
        out.write(json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
        return facts
    for key, value in _flat(facts if verbose else _brief(facts)):
        out.write(f"{key}\t{value}\n")
    for record in records:
        more = f" ... {record['more']} more" if record["more"] else ""
        out.write(
            f"\n{record['species']} {record['molecule']} {record['id']} "
            f"({record['length']} symbols, {record['split']})\n{' '.join(record['tokens'])}{more}\n"
        )
    return facts


def is_model_of_others(path: Path) -> bool:
    """Whether a folder looks as transformers saves its models; nothing heavy is imported to say so."""
    try:
        return "model_type" in read_json(path / "config.json")
    except (InputError, OSError, TypeError, ValueError):
        return False


def describe(path: Path, *, verify: bool = False) -> Facts:
    """Facts about a finished output, the kind first. Raises InputError."""
    sidecar = path.with_name(path.name + TABLE_ENDING)
    if path.is_file() and sidecar.is_file():
        return _table(path, read_json(sidecar), verify=verify)
    if path.is_dir() and not (path / MANIFEST).exists() and (path / "run.json").exists():
        return _unfinished(path)
    if path.is_file():
        raise InputError(
            "is a file without a manifest beside it", where=path, fix="give a folder, or a table of embed"
        )
    if path.is_dir() and not (path / MANIFEST).exists() and is_model_of_others(path):
        raise InputError(
            "is a model of others, not of genomecli",
            where=path,
            fix="give it to embed, finetune, score or mrr-compare",
        )
    manifest = read_manifest(path)
    checked = verify_manifest(path, deep=verify)
    files = manifest["files"].values()
    facts: Facts = {
        "kind": manifest["kind"],
        "path": str(path),
        "format_version": manifest["format_version"],
        "files": len(files),
        "bytes": sum(entry["bytes"] for entry in files),
        "checked": f"{checked} files by {'sha256' if verify else 'size'}",
    }
    if verify and (extra := _extra(path, manifest)):
        facts["not_in_manifest"] = extra
    return facts | _BY_KIND.get(manifest["kind"], _any)(path, manifest)


def _extra(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Files that the manifest does not name, said in a warning.

    Raises:
        InputError: for one that stands where weights or shards do: no command reads it, but people may.
    """
    names = unlisted(path, manifest["files"])
    feigned = [name for name in names if _looks_used(name, manifest["kind"])]
    if feigned:
        more = f", nor are {len(feigned) - 1} more" if len(feigned) > 1 else ""
        what = f"is not in the manifest{more}, and is named like what is read of a {manifest['kind']}"
        fix = "remove it: genomecli did not write it, and does not read it"
        raise InputError(what, where=path / feigned[0], fix=fix)
    if names:
        shown, more = (
            ", ".join(names[:SHOWN]),
            f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "",
        )
        what = "%s: not in the manifest, so not checked and never read: %d file%s (%s%s)"
        log.warning(what, path, len(names), "s" * (len(names) > 1), shown, more)
    return names


def _looks_used(name: str, kind: str) -> bool:
    """Whether a file is named as one that commands read of an output of that kind."""
    if kind in ("run", "runs") and "checkpoints" not in Path(name).parts:
        return False
    return kind in _READ and name.endswith(_READ[kind])


def _table(path: Path, manifest: Mapping[str, Any], *, verify: bool) -> Facts:
    for name, expected in manifest.get("files", {}).items():
        check_file(path.parent, name, expected, deep=verify)
    rest = {key: value for key, value in manifest.items() if key != "files"}
    return {"kind": rest.pop("kind", "table"), "path": str(path), **rest}


def _unfinished(path: Path) -> Facts:
    facts: Facts = {
        "kind": "unfinished run",
        "path": str(path),
        "command": read_json(path / "run.json").get("command"),
    }
    pointer = path / "checkpoints" / "last.json"
    if pointer.exists():
        facts["last_checkpoint"] = read_json(pointer).get("checkpoint")
        facts["hint"] = "the same command with --resume goes on from it"
    return facts


def _corpus(path: Path, manifest: Mapping[str, Any]) -> Facts:
    splits, look = manifest["splits"], path / "figures" / "look.png"
    groups = {
        f"{group['species']}.{group['molecule']}": {
            "records": group["records"],
            "symbols": group["symbols"],
            **{
                side: splits[f"{group['species']}.{group['molecule']}"][side][0]
                for side in ("train", "valid", "test")
            },
            "soft_mask": group["soft"],
        }
        for group in manifest["groups"]
    }
    counts = {
        name: {
            what: {reason: entry["records"] for reason, entry in count[what].items()}
            for what in ("dropped", "cut", "changed")
            if count[what]
        }
        for name, count in manifest["counts"].items()
    }
    return {
        "species": {
            s["name"]: {key: s[key] for key in ("code", "taxid", "note") if s[key]}
            | _codes(path, s["name"], s["code"])
            for s in manifest["species"]
        },
        "groups": groups,
        "tokens": manifest["settings"]["tokens"],
        "split": manifest["facts"]["split"],
        "families": manifest["facts"]["families"],
        "pairs": manifest["facts"]["pairs"],
        "happened": {name: what for name, what in counts.items() if what},
        "translations": manifest["translations"],
        "lexicon": manifest["fingerprints"]["lexicon"],
        "look": str(look) if look.exists() else "",
    }


def _codes(path: Path, species: str, stated: int) -> Facts:
    """The genetic codes that a species' genes were read with, where the settings' is not the only one."""
    table = path / "tables" / "frame_check.tsv"  # a row a species and code
    with suppress(OSError, KeyError, ValueError), open(table, encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        read = sorted(int(row["table"]) for row in rows if row["species"] == species)
        if read and read != [stated]:
            return {"code": read[0] if len(read) == 1 else read, "code_of_settings": stated}
    return {}


def _run(path: Path, manifest: Mapping[str, Any]) -> Facts:
    facts = _any(path, manifest)
    if (path / "summary.json").exists():
        facts["summary"] = read_json(path / "summary.json")
    for name in ("best", "last"):
        pointer = path / "checkpoints" / f"{name}.json"
        if pointer.exists():
            facts[name] = read_json(pointer).get("checkpoint")
    return facts


def _brief(facts: Facts) -> Facts:
    """The facts with the summary of a tuned run cut down to verdicts, deciding figures and split."""
    summary = facts.get("summary", {})
    if "targets" not in summary:
        return facts
    short: Facts = {"judged": summary["judged"], "network": summary["network"], "targets": {}}
    for name, target in summary["targets"].items():
        figures = target["primary"].get(summary["judged"], {})
        metric = next((one["name"] for one in figures.values()), "figure")
        short["targets"][name] = {
            "kind": target["kind"],
            "verdict": target["verdict"],
            metric: {model: _interval(one) for model, one in figures.items()},
        }
    split = summary["split"]
    short["split"] = {"how": split["how"], "rows": split["rows"], "warnings": split["warnings"]}
    return {**facts, "summary": short, "more": "info -v or --json shows all of the summary"}


def _interval(figure: Mapping[str, Any]) -> str:
    """A figure with its interval."""
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    if value is None:
        return "not defined"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _checkpoint(path: Path, manifest: Mapping[str, Any]) -> Facts:
    facts = _any(path, manifest)
    if (path / "state.json").exists():
        facts |= read_json(path / "state.json")
    if (path / "lexicon.json").exists():
        lexicon = read_json(path / "lexicon.json")
        facts |= {key: lexicon[key] for key in ("species", "scope", "dna") if key in lexicon}
    return facts


def _any(path: Path, manifest: Mapping[str, Any]) -> Facts:
    return {key: value for key, value in manifest.items() if key not in ("kind", "format_version", "files")}


_BY_KIND: dict[str, Callable[[Path, Mapping[str, Any]], Facts]] = {
    "corpus": _corpus,
    "run": _run,
    "runs": _run,
    "checkpoint": _checkpoint,
}


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as dotted keys; lists of plain values on one line."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{prefix}{key}.")]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [pair for i, inner in enumerate(value) for pair in _flat(inner, f"{prefix}{i}.")]
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return [(prefix.rstrip("."), " ".join(text.split()))]


def _preview(path: Path, facts: Facts, count: int) -> list[dict[str, Any]]:
    if facts["kind"] != "corpus":
        raise InputError(f"is a {facts['kind']}: only a corpus has records to show", where=path)
    from genomecli.corpus.preview import preview
    from genomecli.corpus.store import CorpusReader

    return [record.to_dict() for record in preview(CorpusReader.open(path, verify="none"), count)]
