"""A deciphered dictionary for pretraining: the decided codons of ``mrr-compare --decipher`` as anchors."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.config import Config
from genomecli.errors import InputError
from genomecli.files import MANIFEST, check_file, read_manifest
from genomecli.runtime import log
from genomecli.sequences.codes import CODONS

_COLUMNS = ("codon", "answer")
_GUESSES = ("best", "support")
_FIX = "give the codons.tsv of mrr-compare --decipher"
_MOST = 1 << 20
"""Letters of a file that is read; 64 rows have a few thousand."""


def _check(path: Path) -> None:
    """Raise InputError if the output that the file is of says other bytes."""
    if (path.parent / MANIFEST).is_file():
        entry = read_manifest(path.parent)["files"].get(path.name)
        if entry is not None:
            check_file(path.parent, path.name, entry)


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            text = stream.read(_MOST + 1)
        if len(text) > _MOST:
            raise InputError(f"has more than {_MOST:,} letters", where=path, fix=_FIX)
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot be read ({why})", where=path, fix=_FIX) from error


def read_dictionary(path: Path, least_support: float | None = None) -> tuple[str, ...]:
    """The decided codons as anchors, ``CTG:L``; stops and undecided codons are left out, and counted.

    Where the file stands in a finished decipherment, it is checked against the manifest.

    Args:
        path: ``codons.tsv``, or the folder that it lies in.
        least_support: take the best answer of undecided codons too, where this share of the resamples or
            more gave it.

    Raises:
        InputError: if the file is no ``codons.tsv``, was altered, answers a codon twice, or decides nothing.
    """
    if path.is_dir():
        path = path / "codons.tsv"
    fix = _FIX
    _check(path)
    lines = _lines(path)
    needed = _COLUMNS if least_support is None else (*_COLUMNS, *_GUESSES)
    if not lines or any(column not in lines[0] for column in needed):
        raise InputError(f"has no columns {', '.join(needed)}", where=path, fix=fix)
    guessed = 0
    pairs: list[str] = []
    met: set[str] = set()
    for number, line in enumerate(lines, start=2):
        codon, answer = line["codon"], line["answer"]
        if codon not in CODONS or answer not in (*AMINO_LETTERS, "*", "?", "-"):
            raise InputError(f"line {number}: {codon!r} as {answer!r} is no answer", where=path, fix=fix)
        if codon in met:
            raise InputError(f"line {number}: {codon} was answered before", where=path, fix=fix)
        met.add(codon)
        if answer == "?" and least_support is not None:
            answer = _guess(line, least_support) or answer
            guessed += answer in AMINO_LETTERS
        if answer in AMINO_LETTERS:
            pairs.append(f"{codon}:{answer}")
    if not pairs:
        raise InputError("decides no codon", where=path, fix="decipher more genes or proteins")
    also = f", and {guessed} more are guessed" if guessed else ""
    decided = len(pairs) - guessed
    log.info("%s decides %d of %d codons%s: they are the anchors", path, decided, len(lines), also)
    return tuple(pairs)


def _guess(line: dict[str, str], least_support: float) -> str | None:
    """The best answer of an undecided codon, if its support is enough."""
    best, support = line["best"], line["support"]
    try:
        enough = float(support or 0) >= least_support
    except ValueError:
        enough = False
    return best if enough and best in AMINO_LETTERS else None


def with_dictionary(config: Config) -> Config:
    """The settings with the dictionary's pairs written out, so that the run does not depend on the file."""
    settings = config.pretrain
    anchors = settings.reading.anchors
    if anchors.dictionary is None:
        return config
    pairs = read_dictionary(Path(anchors.dictionary), anchors.least_support)
    known = anchors.model_copy(update={"pairs": pairs, "dictionary": None, "least_support": None})
    reading = settings.reading.model_copy(update={"anchors": known})
    changed = settings.model_copy(update={"reading": reading})
    return replace(config, sections={**config.sections, "pretrain": changed})
