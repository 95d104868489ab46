"""Biopython's scanners of GenBank and EMBL, with short cuts through what is plainly written.

A coding feature whose lines are plain (its location on one line; each qualifier quoted without inner quotes,
bare on one line, or without a value) is read by regular expressions, and sequence lines are cut all at once.
Whatever is not plain goes through Biopython, with its repairs, warnings and errors. Features of other kinds
are looked at, for the same warnings, and not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, NamedTuple

from Bio.GenBank import Scanner

from genomecli.sequences.annotation import Part

CODING = "CDS"
QUALIFIERS = frozenset(
    (
        *("gene", "locus_tag", "systematic_id", "protein_id", "product", "note", "translation"),
        *("codon_start", "transl_table", "transl_except", "exception", "ribosomal_slippage"),
        *("pseudo", "pseudogene", "trans_splicing"),
    )
)
"""Those that are kept."""

_AT_ONCE = 1 << 12  # lines of a sequence that are held twice

_PLAIN = re.compile(
    r"""
    [^\n]*[^\n,]                       # a location that is not wrapped
    (?:
        \n/[^\s="]+                    # a qualifier
        (?:="(?:[^"\n][^"]*)?"         # quoted, on any number of lines
        |  =[^\s"][^"\n]*)?            # bare
        (?=\n/|\Z)
    )*+
    """,
    re.VERBOSE,
)
_QUALIFIER = re.compile(r'^/([^\s="]+)(?:="([^"]*)"|=([^\n]*))?', re.MULTILINE)
_LOCATION = re.compile(r"(complement\()?(join\()?([0-9.,<>]+)(?(2)\))(?(1)\))")
_INTERVAL = re.compile(r"(<?)([0-9]+)\.\.(>?)([0-9]+)")


class PlainFeature(NamedTuple):
    """A coding feature that is plainly written.

    Attributes:
        parts: in the order of transcription.
        partial: whether its 5' and its 3' end are marked as beyond what is there.
        qualifiers: the values of each, in file order; an empty text for one without a value.
    """

    parts: tuple[Part, ...]
    partial: tuple[bool, bool]
    qualifiers: dict[str, list[str]]


def plain_feature(text: str) -> PlainFeature | None:
    """A feature of which ``text`` holds the lines without their margin; None if its location is not plain.

    The qualifiers have to be plain.
    """
    location, _, rest = text.partition("\n")
    place = plain_location(location)
    if place is None:
        return None
    qualifiers: dict[str, list[str]] = {}
    for name, quoted, bare in _QUALIFIER.findall(rest):
        if name in QUALIFIERS:
            qualifiers.setdefault(name, []).append(quoted.replace("\n", " ") or bare)
    return PlainFeature(*place, qualifiers)


def plain_location(text: str) -> tuple[tuple[Part, ...], tuple[bool, bool]] | None:
    """Parts, and whether the 5' and the 3' end are open, of ``1..9`` or ``complement(join(1..9,20..>30))``.

    None for anything else, and where an interval is empty or reversed.
    """
    found = _LOCATION.fullmatch(text)
    if found is None:
        return None
    complement, join, inner = found.groups()
    strand = -1 if complement else 1
    parts, marks = [], []
    for piece in inner.split(",") if join else [inner]:
        interval = _INTERVAL.fullmatch(piece)
        if interval is None:
            return None
        before, first, after, last = interval.groups()
        start, end = int(first) - 1, int(last)
        if not 0 <= start < end:
            return None
        parts.append((start, end, strand))
        marks += [before, after]
    first_open, last_open = marks[0] != "", marks[-1] != ""
    if complement:
        return tuple(parts[::-1]), (last_open, first_open)
    return tuple(parts), (first_open, last_open)


class _Again:
    """Lines that are read once more, and then the rest of their file."""

    def __init__(self, rows: list[str], handle: Any) -> None:
        self._rows, self._handle = iter(rows), handle

    def __iter__(self) -> Iterator[str]:
        return chain(self._rows, self._handle)

    def readline(self) -> str:
        """The next line, empty at the end."""
        return next(self._rows, "") or str(self._handle.readline())


_BOTH: Any = Scanner.InsdcScanner
_EMBL: Any = Scanner.EmblScanner
_GENBANK: Any = Scanner.GenBankScanner


class _CodingScanner(_BOTH):  # type: ignore[misc]
    """What both formats share. ``features`` of a record are coding ones, plain or Biopython's."""

    line: Any
    handle: Any

    def parse_features(self, skip: bool = False) -> list[tuple[str, Any, Any]]:
        """The features of a table, all lines at once if they are plainly indented."""
        if self.line.rstrip() not in self.FEATURE_START_MARKERS:
            return []
        rows = self._table()
        features = self._features(rows)
        if features is None:
            self.handle = _Again(rows, self.handle)
            return list(super().parse_features(skip))
        ended = rows[-1].rstrip() in self.FEATURE_END_MARKERS
        self.line = self.handle.readline() if ended else rows[-1]
        return features

    def _table(self) -> list[str]:
        """The lines of the table, up to the first that is none of it."""
        margin = self.FEATURE_QUALIFIER_SPACER[:5]
        rows: list[str] = []
        for row in self.handle:
            rows.append(row)
            if not row.startswith(margin) and row.rstrip() not in self.FEATURE_START_MARKERS:
                break
        return rows

    def _features(self, rows: list[str]) -> list[tuple[str, Any, Any]] | None:
        """The features of a table; None if a line is not where it should be."""
        end = rows[-1] if rows else ""
        known = end[: self.HEADER_WIDTH].rstrip() in self.SEQUENCE_HEADERS
        if not known and end.rstrip() not in self.FEATURE_END_MARKERS:
            return None
        spacer, indent = self.FEATURE_QUALIFIER_SPACER, self.FEATURE_QUALIFIER_INDENT
        begin = 0
        while rows[begin].rstrip() in self.FEATURE_START_MARKERS:
            begin += 1
        table = rows[begin:-1]
        starts = [i for i, row in enumerate(table) if not row.startswith(spacer)]
        if table and starts[:1] != [0]:
            return None
        texts = [row[indent:].strip() for row in table]
        heads = [(table[i][2:indent].strip(), texts[i]) for i in starts]
        if not all(key and text and " " not in text for key, text in heads):
            return None
        return [
            self.parse_feature(key, texts[a:b])
            for (key, _), (a, b) in zip(heads, pairwise([*starts, len(table)]), strict=True)
        ]

    def parse_feature(self, feature_key: str, lines: list[str]) -> tuple[str, Any, Any]:
        """Key, :class:`PlainFeature` and nothing; or key, location and qualifiers as Biopython gives them."""
        text = "\n".join(filter(None, lines))
        location = lines[0]
        if _PLAIN.fullmatch(text) and location.count("(") <= location.count(")"):
            if feature_key != CODING:
                return feature_key, location, []
            plain = plain_feature(text)
            if plain is not None:
                return feature_key, plain, []
        found: tuple[str, Any, Any] = super().parse_feature(feature_key, lines)
        return found

    def _feed_feature_table(self, consumer: Any, features: list[tuple[str, Any, Any]]) -> None:
        super()._feed_feature_table(consumer, [])
        for feature in features:
            if feature[0] != CODING:
                continue
            if isinstance(feature[1], PlainFeature):
                consumer.data.features.append(feature[1])
            else:
                super()._feed_feature_table(consumer, [feature])


class EmblCoding(_CodingScanner, _EMBL):  # type: ignore[misc]
    """EMBL."""


class GenBankCoding(_CodingScanner, _GENBANK):  # type: ignore[misc]
    """GenBank."""

    def parse_footer(self) -> tuple[list[str], str]:
        """Lines before the sequence, and the sequence; all at once if its lines are plain."""
        rows: list[str] = []
        for row in self.handle:
            rows.append(row)
            if row[0] not in " 0123456789" and not row.startswith("ORIGIN"):
                break
        misc = [self.line]
        if rows and rows[0].startswith("ORIGIN"):  # behind BASE COUNT or CONTIG
            misc.append(rows[0])
        sequence = self._plain_sequence(misc, rows[len(misc) - 1 :])
        if sequence is None:
            self.handle = _Again(rows, self.handle)
            found: tuple[list[str], str] = super().parse_footer()
            return found
        self.line = "//"
        return [line.rstrip() for line in misc], sequence

    def _plain_sequence(self, misc: list[str], rows: list[str]) -> str | None:
        """The letters of sequence lines and the ``//`` behind them; None if anything is not in its column."""
        heads = {line[: self.HEADER_WIDTH].rstrip() for line in misc}
        if not heads <= set(self.SEQUENCE_HEADERS) or not misc[-1].startswith("ORIGIN"):
            return None
        if not rows or rows[-1].rstrip() != "//" or rows[0].startswith(self.GENBANK_SPACER):
            return None
        parts = []
        for begin in range(0, len(rows) - 1, _AT_ONCE):
            block = rows[begin : min(begin + _AT_ONCE, len(rows) - 1)]
            letters = [row[10:].rstrip() for row in block]
            if not all(letters) or any(row[9] != " " for row in block):
                return None
            parts.append("".join(letters).replace(" ", ""))
        return "".join(parts)
