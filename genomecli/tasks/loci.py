"""Loci: rows whose sequences lie near each other on a genome, so that overlapping windows are never parted.

Each sequence is sought in the genome by exact match on both strands, at every place where it lies. Places of
a contig that are nearer than ``distance`` to the next one are one locus, on a ring also across its origin.
All loci of a sequence that lies at several places are one. Sequences that are not found are joined to the
rows that they are similar to (see :mod:`genomecli.tasks.similar`) and counted. Where the data themselves are
windows of a genome, they are grouped by blocks of their contigs (:mod:`genomecli.tasks.blocks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from genomecli.errors import ConfigError, InputError
from genomecli.sequences.alphabets import DNA, Codes
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.contigs import read_contigs
from genomecli.sequences.fasta import read_blocks
from genomecli.sequences.formats import guess_format
from genomecli.sequences.openers import open_input
from genomecli.tasks.blocks import blocks, crossed, own_places
from genomecli.tasks.clusters import join, near_identity
from genomecli.tasks.duplicates import key_groups, linked, sequence_keys
from genomecli.tasks.examples import Examples, Ints
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.places import Places, SequenceFinder
from genomecli.tasks.rows import locate
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.similar import NearCopies


def loci(
    examples: Examples, settings: SplitSettings, raw: Mapping[str, RawLabels] | None = None
) -> tuple[Ints, str]:
    """The locus of each row, int64[n] numbered by first row, and a sentence on how they were made.

    Args:
        examples: n of them.
        settings: of the split.
        raw: labels, whose features the blocks of a genome's own windows leave whole.

    Raises:
        ConfigError: for proteins or pairs, or without a genome and without coordinates.
        InputError: if not one sequence lies in the genome.
    """
    if examples.sequences.alphabet != DNA.name or examples.pair is not None:
        raise ConfigError(["split.by is locus, which needs single DNA sequences"])
    if settings.genome is None:
        return _own_blocks(examples, settings.block, raw or {})
    n = len(examples)
    places = find_places(examples, settings.genome)
    lost = np.setdiff1d(np.arange(n), places.row)
    if len(lost) == n:
        fix = "give the genome that they come from, or set split.by to cluster"
        raise InputError("not one sequence lies in the genome", where=settings.genome, fix=fix)
    found = join(np.arange(n), near(places, settings.distance))
    found = join(found, linked(key_groups(sequence_keys(examples))))
    if len(lost):
        copies = NearCopies(examples, settings.k)
        first = np.unique(copies.same, return_index=True)[1].astype(np.int64)
        left, right = (first[side] for side in copies.pairs(near_identity(settings)))
        one = np.isin(left, lost) | np.isin(right, lost)
        found = join(found, (left[one], right[one]))
    return found, _sentence(found, n, len(lost), settings)


def _sentence(groups: Ints, n: int, lost: int, settings: SplitSettings) -> str:
    said = f"By {int(groups.max()) + 1} loci: places nearer than {settings.distance} bases are one; "
    said += f"{n - lost} of {n} sequences lie in the genome"
    return said + (f", the other {lost} are joined to rows that they are similar to." if lost else ".")


def _own_blocks(examples: Examples, size: int, raw: Mapping[str, RawLabels]) -> tuple[Ints, str]:
    """Windows by blocks of their contigs; those with equal sequences together, unless no letter is known."""
    if examples.coordinates is None:
        what = "split.by is locus: set split.genome, or data.window to cut the data from its own genome"
        raise ConfigError([what])
    found = blocks(own_places(examples), size, crossed(examples, raw))
    left, right = linked(key_groups(sequence_keys(examples)))
    known = np.array(
        [bool((examples.sequences[row] < DNA.canonical).any()) for row in left.tolist()], dtype=bool
    )
    found = join(found, (left[known], right[known]))
    contigs = len({contig for contig, *_ in examples.coordinates})
    return found, (
        f"By {int(found.max()) + 1} blocks of about {size} bases of {contigs} contig{'s' * (contigs > 1)}; "
        "windows with equal sequences are kept together."
    )


def find_places(examples: Examples, genome: str) -> Places:
    """Every place of every sequence in a genome. Raises InputError if that cannot be read."""
    finder = SequenceFinder(examples.sequences)
    for number, contig in enumerate(read_genome(genome)):
        finder.search(number, contig.symbols, circular=contig.circular)
    return finder.places()


def near(places: Places, distance: int) -> tuple[Ints, Ints]:
    """Pairs of rows that are one locus: neighbours nearer than ``distance``, and all places of one row.

    int64[q] each. Overlapping places are neighbours whatever the distance. A ring has no end: its last place
    is followed by its first.

    Args:
        places: on the contigs of a genome.
        distance: bases between the end of one and the start of the next.
    """
    places = _unrolled(places)
    order = np.lexsort((places.start, places.contig))
    row, contig = places.row[order], places.contig[order]
    start, end = places.start[order], places.end[order]
    # The furthest end so far on its contig: contigs are set apart, so that one running maximum serves all.
    apart = int(end.max(initial=0)) + 1
    reach = np.maximum.accumulate(end + contig * apart) - contig * apart
    gap = start[1:] - reach[:-1]
    together = (contig[1:] == contig[:-1]) & ((gap < distance) | (gap < 0))
    at = np.flatnonzero(together)
    return row[at], row[at + 1]


def _unrolled(places: Places) -> Places:
    """Rings as lines of two rounds: every place of theirs once more, a round further on."""
    again = np.flatnonzero(places.ring)
    at = np.concatenate([np.arange(len(places.row)), again])
    further = np.where(np.arange(len(at)) < len(places.row), 0, places.ring[at])
    ring = np.zeros_like(further)
    return Places(
        places.row[at], places.contig[at], places.start[at] + further, places.end[at] + further, ring
    )


@dataclass(frozen=True)
class GenomeContig:
    """One contig of a genome.

    Args:
        symbols: uint8[n], codes of its bases.
        circular: it is a ring.
    """

    symbols: Codes
    circular: bool


def read_genome(path: str) -> Iterator[GenomeContig]:
    """The contigs of a FASTA, GenBank or EMBL file, one at a time.

    Raises:
        InputError: if the file cannot be read.
    """
    with open_input(locate(path)) as stream:
        kind = guess_format(stream.peek(1 << 16))
        if kind in ("genbank", "embl"):
            for contig in read_annotated(stream, kind):
                yield GenomeContig(contig.symbols, contig.circular)
            return
        for plain in read_contigs(read_blocks(stream, DNA, where=stream.location)):
            yield GenomeContig(plain.symbols, bool(plain.header.circular))
