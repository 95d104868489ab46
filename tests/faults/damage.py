"""Files of a corpus or a checkpoint that are not what was written: each has to be named before it is used."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from genomecli.training.checkpoint import find_checkpoint
from tests.faults.runs import Run
from tests.faults.trials import Result

Target = tuple[Path, str, list[str]]
"""A folder, the file of it that is damaged, and the command line that has to refuse it."""


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _lose(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    """Another file of the same size."""
    path.write_bytes(bytes(255 - byte for byte in path.read_bytes()))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "flipped bit": _flip,
    "truncated file": _cut,
    "missing file": _lose,
    "foreign file": _replace,
}


def said_of(argv: list[str]) -> tuple[int, str]:
    """The exit code of a command in this process, and its standard error."""
    from genomecli.cli import main

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(argv)
    return code, said.getvalue()


def damaged(folder: Path, name: str, damage: str, argv: list[str], result: Result) -> None:
    """Damage one file, see that the command refuses it by name with exit code 3, and put it back."""
    path = folder / name
    kept = path.with_name(path.name + ".kept")
    shutil.copy2(path, kept)
    try:
        DAMAGES[damage](path)
        code, said = said_of(argv)
    finally:
        shutil.move(kept, path)
    fine = code == 3 and path.name in said and "Traceback" not in said
    result.note("" if fine else f"{damage} of {path.name}: exit code {code}, {said.strip()[-300:]}")


def readers(folder: Path, runs: Mapping[str, Run]) -> dict[str, list[Target]]:
    """Every file that a command reads of a corpus or a checkpoint, by "command, what".

    Args:
        folder: where :func:`tests.faults.made.make_runs` was told to write ``in``.
        runs: by name.
    """
    given = folder / "in"
    runs_of = {"embed": given / "model" / "run", "predict": given / "tuned" / "run"}
    model, tuned = (find_checkpoint(run) for run in runs_of.values())
    table, out = folder / "nowhere.parquet", folder / "nowhere"
    embed = runs["embed"].argv(table)
    fasta = str(given / "genes.fa")
    of_corpus = [*(word for word in embed if word != fasta), "--set", f"embed.corpus={given / 'corpus'}"]
    return {
        "pretrain, corpus": _files(given / "corpus", [*runs["pretrain"].argv(out), "--dry-run"]),
        "embed, corpus": _files(given / "corpus", of_corpus),
        "embed, checkpoint": _files(model, embed),
        "finetune, checkpoint": _files(model, runs["finetune"].argv(out)),
        "predict, checkpoint": _files(tuned, runs["predict"].argv(folder / "nowhere.tsv")),
        "embed, run": [(runs_of["embed"] / "checkpoints", "best.json", embed)],
        "predict, run": [
            (runs_of["predict"] / "checkpoints", "best.json", runs["predict"].argv(folder / "nowhere.tsv"))
        ],
    }


def _files(place: Path, argv: list[str]) -> list[Target]:
    """All files of a folder with the command that reads them; ``info --verify`` for what none reads."""
    names = sorted(path.name for path in place.iterdir() if path.name not in ("run.json", "manifest.json"))
    verify = ["info", str(place), "--verify"]
    return [(place, name, verify if name == "optimizer.safetensors" else argv) for name in names]


def halted(run: Run, folder: Path) -> Path:
    """A run that has stopped at its first checkpoint."""
    out = folder / f"halted-{run.name}" / "run"
    out.parent.mkdir()
    code, said = run.start(out, "--max-minutes", "1e-6").end()
    assert code == 75, said
    return out
