"""Labels of single bases from an annotation: what feature each base lies in.

GFF3 and GTF by type (column 3), BED by name (column 4), GenBank and EMBL by the parts of their coding
sequences, as type ``CDS``. A feature takes the first class of ``TYPE:+`` or ``TYPE:-`` (its strand),
``TYPE``, and ``*`` (any other) that the settings name; of overlapping features the class that they name last
wins.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from genomecli.errors import InputError
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.bed import read_bed
from genomecli.sequences.formats import guess_format
from genomecli.sequences.gff import GffReader
from genomecli.sequences.headers import parse_header
from genomecli.sequences.openers import InputStream, open_input
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import SequenceColumn
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.rows import locate
from genomecli.tasks.settings import IntervalSettings

ANY = "*"


class Feature(NamedTuple):
    """A stretch of a contig, 0-based half-open; strand +1, -1 or 0."""

    contig: str
    type: str
    start: int
    end: int
    strand: int


def read_features(stream: InputStream) -> Iterator[Feature]:
    """The features of an annotation, in file order. Raises InputError."""
    kind = guess_format(stream.peek(1 << 16))
    if kind in ("genbank", "embl"):
        for contig in read_annotated(stream, kind):
            for feature in contig.features:
                for start, end, strand in feature.parts:
                    yield Feature(contig.id, "CDS", start, end, strand)
    elif kind == "gff":
        for row in GffReader(stream.buffered(), stream.location).rows():
            yield Feature(row.seqid, row.type, row.start, row.end, row.strand)
    elif kind == "fasta":
        raise InputError("is FASTA", where=stream.location, fix="data.intervals.path is GFF3, GTF or BED")
    else:
        for line in read_bed(stream.buffered(), stream.location):
            for start, end in line.parts:
                yield Feature(line.contig, line.name, start, end, line.strand)


@dataclass
class IntervalLabels:
    """Labels of bases by intervals.

    Args:
        settings: the annotation and the classes of its features.
        files: what was read is added here.
        notes: sentences on features that were left out or cut.
    """

    settings: IntervalSettings
    files: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _features: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rules = {key: rank for rank, key in enumerate(self.settings.classes)}
        found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        used: Counter[int] = Counter()
        others: Counter[str] = Counter()
        with open_input(locate(self.settings.path)) as stream:
            for feature in read_features(stream):
                sign = {1: "+", -1: "-"}.get(feature.strand, ".")
                keys = (f"{feature.type}:{sign}", feature.type, ANY)
                rank = next((rules[key] for key in keys if key in rules), None)
                if rank is None:
                    others[feature.type] += 1
                else:
                    found[feature.contig].append((rank, feature.start, feature.end))
                    used[rank] += 1
            self.files.append(stream.finish())
        self._check(rules, used, others)
        self._features = {contig: sorted(rows) for contig, rows in found.items()}

    def _check(self, rules: dict[str, int], used: Counter[int], others: Counter[str]) -> None:
        for key, rank in rules.items():
            if not used[rank]:
                near = difflib.get_close_matches(key, others, 1, 0.5)
                shown = ", ".join(name for name, _ in others.most_common(8)) or "no others"
                fix = f"did you mean {near[0]!r}?" if near else f"it has {shown}"
                raise InputError(f"has no feature of type {key!r}", where=self.settings.path, fix=fix)
        if others:
            shown = ", ".join(f"{name} {count}" for name, count in others.most_common(5))
            self.notes.append(f"Features of {len(others)} other types are left out ({shown}).")

    @property
    def names(self) -> tuple[str, ...]:
        """The background, then the classes in the order of the settings."""
        return tuple(dict.fromkeys([self.settings.background, *self.settings.classes.values()]))

    def check(self, ids: Sequence[str]) -> None:
        """Raise InputError if no sequence has a feature."""
        if not any(self._contig(name) for name in ids):
            raise InputError(
                f"its contigs ({', '.join(list(self._features)[:3])}) are none of the sequences' "
                f"({', '.join(ids[:3])})",
                where=self.settings.path,
                fix="give the sequences and the annotation of the same assembly",
            )

    def labels(self, ids: Sequence[str], sequences: SequenceColumn, defects: Defects) -> RawLabels:
        """Raw labels of every base; a sequence without features is all background."""
        contigs = [self._contig(name) for name in ids]
        names = self.names
        ranks = [names.index(name) for name in self.settings.classes.values()]
        values = np.full(len(sequences.symbols), names.index(self.settings.background), dtype=np.int64)
        cut = 0
        for row, contig in enumerate(contigs):
            start, stop = sequences.offsets[row : row + 2].tolist()
            mine = values[start:stop]
            for rank, first, last in self._features.get(contig, ()):
                mine[first:last] = ranks[rank]
                cut += last > len(mine)
        self._note(contigs, cut)
        self.notes += self.elsewhere(ids)
        return RawLabels("token", (), names, values, sequences.offsets, declared=True)

    def _note(self, contigs: list[str], cut: int) -> None:
        bare = sum(not contig for contig in contigs)
        if bare:
            self.notes.append(f"{bare} of {len(contigs)} sequences have no feature: they are all background.")
        if cut:
            self.notes.append(f"{cut} features end beyond their sequence and were cut there.")

    def elsewhere(self, ids: Iterable[str]) -> list[str]:
        """A sentence on features of contigs that no sequence is."""
        named = {self._contig(name) for name in ids}
        counts = {contig: len(rows) for contig, rows in self._features.items() if contig not in named}
        if not counts:
            return []
        total = sum(counts.values())
        shown = ", ".join(sorted(counts, key=lambda name: -counts[name])[:3])
        many = f"{len(counts)} contigs, such as {shown}, which are no sequences"
        where = many if len(counts) > 1 else f"{shown}, which is no sequence"
        return [f"{total} feature{' lies' if total == 1 else 's lie'} on {where}."]

    def _contig(self, name: str) -> str:
        """What the annotation calls a record; empty if it does not name it."""
        known = (name, parse_header(name.encode()).accession)
        return next((one for one in known if one in self._features), "")

    def sides(self, ids: Sequence[str]) -> list[str]:
        """An annotation gives no sides."""
        return []
