"""Labels of bases or residues as genome tracks: BED, bedGraph and GFF3.

BED and GFF3 hold a line for each run of one class, bedGraph the probability of one class along the sequence.
Positions are 0-based half-open here, in BED and in bedGraph, and 1-based inclusive in GFF3. Symbols without a
prediction are in no line.

Shapes: N symbols of a record, C classes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from genomecli.errors import InputError
from genomecli.tasks.examples import Floats, Ints
from genomecli.tasks.schema import Target

Strand = Literal["+", "-", "."]
_FLIPPED: Mapping[str, Strand] = {"+": "-", "-": "+", ".": "."}
_REGION = re.compile(r"(.+):([0-9,]+)-([0-9,]+)(?:\(([+-])\))?")
_SEQID = "".join(chr(code) for code in range(33, 127) if re.match(r"[a-zA-Z0-9.:^*$@!+_?|-]", chr(code)))
_ATTRIBUTE = "".join(chr(code) for code in range(32, 127) if chr(code) not in "%;=&,")
DIGITS = 6
"""Significant digits of probabilities in tracks."""


class Run(NamedTuple):
    """Neighbouring symbols of one class.

    Args:
        start, end: places, 0-based half-open.
        which: number of the class; -1 where nothing is predicted.
        probability: mean of the class's probability; NaN where nothing is predicted.
    """

    start: int
    end: int
    which: int
    probability: float


def choose(scores: Floats) -> Ints:
    """int64[N]: the most probable class of each symbol, the first of equal ones; -1 where there is none.

    Args:
        scores: float64[N, C], NaN where nothing is predicted.
    """
    absent: NDArray[np.bool_] = np.asarray(np.isnan(scores).any(axis=1))
    return np.where(absent, -1, np.where(absent[:, None], 0.0, scores).argmax(axis=1)).astype(np.int64)


def bounds(*columns: NDArray[np.generic]) -> Ints:
    """int64[m + 1]: where runs begin in which every column is constant, and N at the end; [0] for N = 0.

    Args:
        columns: N values each, without NaN.
    """
    length = len(columns[0])
    if not length:
        return np.zeros(1, dtype=np.int64)
    changes = np.zeros(length, dtype=bool)
    changes[0] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.append(np.flatnonzero(changes), length).astype(np.int64)


def class_runs(scores: Floats) -> Iterator[Run]:
    """Runs of one class along a record, in order, those without a prediction too.

    Args:
        scores: float64[N, C], probabilities; NaN where nothing is predicted.
    """
    chosen = choose(scores)
    edges = bounds(chosen)
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        which = int(chosen[start])
        mean = float(scores[start:end, which].mean()) if which >= 0 else float("nan")
        yield Run(start, end, which, mean)


@dataclass(frozen=True, eq=False)
class Placed:
    """Predictions of a record in the coordinates of its contig.

    Args:
        contig: its name.
        start: place of the first symbol, 0-based.
        strand: that was read.
        scores: float64[N, C], in the order of the contig.
    """

    contig: str
    start: int
    strand: Strand
    scores: Floats


def place(name: str, scores: Floats, strand: Strand, coordinates: Literal["record", "region"]) -> Placed:
    """Put predictions where they belong.

    Args:
        name: the record's id.
        scores: float64[N, C], in the order of the record.
        strand: of the record that was read.
        coordinates: ``record``: the record is a contig. ``region``: its id is CONTIG:START-END, 1-based
            inclusive (as samtools writes it) or 0-based half-open (bedtools), which its length tells; with
            ``(-)`` it is the reverse complement of that piece. What stands before ``::`` is left out.

    Raises:
        InputError: for an id that is no region, or one of another length.
    """
    if coordinates == "record":
        return Placed(name, 0, strand, scores)
    found = _REGION.fullmatch(name)
    if found is None:
        fix = "name records CONTIG:START-END, or set predict.coordinates to record"
        raise InputError("its id is no region", where=f"record {name!r}", fix=fix)
    first, last = (int(found[group].replace(",", "") or "0") for group in (2, 3))
    if last - first == len(scores):
        start = first
    elif last - first + 1 == len(scores) and first > 0:
        start = first - 1
    else:
        what = f"its id is a region of {last - first} or {last - first + 1} symbols, and it has {len(scores)}"
        raise InputError(what, where=f"record {name!r}", fix="set predict.coordinates to record")
    contig = found[1].rpartition("::")[2]
    if found[4] == "-":
        return Placed(contig, start, _FLIPPED[strand], scores[::-1])
    return Placed(contig, start, strand, scores)


class Track(ABC):
    """What the writers of tracks share.

    Args:
        target: whose predictions they are.
        classes: names of the classes that are written.
        turned: of a class, how its strand follows from the strand that was read: ``+`` the same, ``-`` the
            other, ``.`` not at all. Classes that are not named have the same.
    """

    header = b""

    def __init__(
        self, target: Target, classes: Collection[str], turned: Mapping[str, Strand] | None = None
    ) -> None:
        self.target = target
        self.written = frozenset(target.classes.index(name) for name in classes)
        self.turned = dict(turned or {})

    @abstractmethod
    def text(self, placed: Placed, *, first: bool = True) -> bytes:
        """The lines of a record.

        Args:
            placed: its predictions.
            first: it is the first strand of the record that is written.

        Raises:
            InputError: for a name that the format cannot hold.
        """

    def _runs(self, placed: Placed) -> Iterator[tuple[Run, str, Strand]]:
        """Runs that are written, in the contig's places; their class, and its strand."""
        for run in class_runs(placed.scores):
            if run.which not in self.written:
                continue
            name = self.target.classes[run.which]
            turned = self.turned.get(name, "+")
            strand: Strand = (
                "." if turned == "." else _FLIPPED[placed.strand] if turned == "-" else placed.strand
            )
            yield run._replace(start=run.start + placed.start, end=run.end + placed.start), name, strand


class BedTrack(Track):
    """BED with six columns: the name is the class, the score a thousand times its mean probability."""

    def text(self, placed: Placed, *, first: bool = True) -> bytes:
        """See :meth:`Track.text`."""
        contig = plain_contig(placed.contig)
        lines = [
            f"{contig}\t{run.start}\t{run.end}\t{_one_line(name)}\t"
            f"{round(1000 * run.probability)}\t{strand}\n"
            for run, name, strand in self._runs(placed)
        ]
        return "".join(lines).encode()


class GffTrack(Track):
    """GFF3: the type is the class, the score its mean probability; no phase is known, even of a CDS.

    Args:
        target, classes, turned: as of :class:`Track`.
        regions: write a ``##sequence-region`` for each record.
    """

    header = b"##gff-version 3\n"

    def __init__(
        self,
        target: Target,
        classes: Collection[str],
        turned: Mapping[str, Strand] | None = None,
        *,
        regions: bool = True,
    ) -> None:
        super().__init__(target, classes, turned)
        self.regions = regions
        self._attributes = f"target={quote(target.name, safe=_ATTRIBUTE)}"

    def text(self, placed: Placed, *, first: bool = True) -> bytes:
        """See :meth:`Track.text`."""
        contig = _seqid(placed.contig)
        end = placed.start + len(placed.scores)
        wanted = self.regions and first and end > placed.start
        lines = [f"##sequence-region {contig} {placed.start + 1} {end}\n"] if wanted else []
        lines += [
            f"{contig}\tgenomecli\t{quote(name, safe=_ATTRIBUTE)}\t{run.start + 1}\t{run.end}\t"
            f"{_number(run.probability)}\t{strand}\t.\t{self._attributes}\n"
            for run, name, strand in self._runs(placed)
        ]
        return "".join(lines).encode()


class BedGraphTrack(Track):
    """bedGraph: the probability of one class, neighbours of equal value on one line.

    Args:
        target: as of :class:`Track`.
        name: the class.
    """

    def __init__(self, target: Target, name: str) -> None:
        super().__init__(target, (name,))
        self.which = target.classes.index(name)
        title = _one_line(f"{target.name} {name}").replace('"', "'")
        self.header = f'track type=bedGraph name="{title}"\n'.encode()

    def text(self, placed: Placed, *, first: bool = True) -> bytes:
        """See :meth:`Track.text`."""
        contig, values = plain_contig(placed.contig), placed.scores[:, self.which]
        numbers = np.array([_number(value) for value in values.tolist()], dtype=object)
        edges = bounds(numbers)
        lines = [
            f"{contig}\t{placed.start + start}\t{placed.start + end}\t{numbers[start]}\n"
            for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
            if not np.isnan(values[start])
        ]
        return "".join(lines).encode()


def plain_contig(name: str) -> str:
    """A contig's name. Raises InputError for one that a line of BED cannot begin with."""
    if re.search(r"\s", name) or name.startswith("#") or not name:
        what = "its id holds a blank or begins with #, which BED and bedGraph cannot hold"
        raise InputError(what, where=f"record {name!r}", fix="write GFF3 or a table, or rename it")
    return name


def _seqid(name: str) -> str:
    quoted = quote(name, safe=_SEQID)
    return "%3E" + quoted[1:] if quoted.startswith(">") else quoted


def _one_line(text: str) -> str:
    return re.sub(r"[\t\r\n]", " ", text)


def _number(value: float) -> str:
    return f"{value:.{DIGITS}g}"
