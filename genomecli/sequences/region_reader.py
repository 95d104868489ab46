"""Blocks of the regions that a genome source names: by random access where the file allows it.

Plain and bgzip FASTA are read through an index (built once, kept in our cache folder, never beside the
input); anything else, such as plain gzip or lines of uneven length, is streamed, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from genomecli.errors import InputError
from genomecli.files import sha256_file
from genomecli.runtime import log
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.bed import read_bed
from genomecli.sequences.blocks import Block
from genomecli.sequences.contig_sources import check_kind
from genomecli.sequences.fasta import read_blocks
from genomecli.sequences.formats import guess_format
from genomecli.sequences.openers import InputStream, Location, open_input
from genomecli.sequences.random_access import CacheError, RandomAccess
from genomecli.sequences.region_text import Text, indexed_text, streamed_text
from genomecli.sequences.regions import Region, overlaps, parse_region
from genomecli.sequences.report import SourceReport
from genomecli.sequences.settings import SourceSettings

_PEEK = 1 << 16


class RegionReader:
    """Reads regions of one FASTA.

    Args:
        open_stream: opens a file, hashes it, and adds it to the report when it is left.
        options: the policies; ``regions`` is set.
        report: counts and notes are added here.
    """

    def __init__(
        self,
        open_stream: Callable[[Location], AbstractContextManager[InputStream]],
        options: SourceSettings,
        report: SourceReport,
    ) -> None:
        self._open = open_stream
        self._options = options
        self._report = report

    def blocks(self, location: Location) -> Iterator[tuple[Block, list[Region]]]:
        """Blocks, a record a region, with the n regions that are their records.

        Raises:
            InputError: no FASTA, a BED line that is none, an unknown contig, or a place outside it.
        """
        regions = self._wanted()
        access = self._access(location)
        if access is None:
            yield from self._streamed(location, regions)
            return
        with access:
            ordered, pieces = indexed_text(access, regions)
            for block in read_blocks(Text(pieces), DNA, where=location):
                yield block, ordered[block.first : block.first + len(block)]
        row: dict[str, object] = {"path": str(location.path), "compression": access.compression}
        size, digest = location.path.stat().st_size, sha256_file(location.path)
        self._report.files.append({**row, "bytes": size, "sha256": digest})
        self._report.counts["genome regions read"] += len(regions)

    def _wanted(self) -> list[Region]:
        asked = self._options.regions
        assert asked is not None
        if isinstance(asked, str):
            with self._open(Location(Path(asked))) as stream:
                rows = list(read_bed(stream.buffered(), stream.location))
            found = [Region(row.contig, row.parts[0][0], row.parts[-1][1]) for row in rows]
            empty = next((region for region in found if region.start == region.stop), None)
            if empty is not None or not found:
                where = f"{asked}, {empty.contig}:{empty.start}-{empty.stop}" if empty else asked
                raise InputError("holds no base" if empty else "names no region", where=where)
        else:
            found = [parse_region(text) for text in asked]
        if shared := overlaps(found):
            self._report.notes.append(
                f"{shared} of {len(found)} regions overlap others: their shared bases are read more than once"
            )
        return found

    def _access(self, location: Location) -> RandomAccess | None:
        """The file with its index; None if it is to be streamed, which is noted."""
        if location.is_stdin or location.member is not None:
            return None
        with open_input(location, max_ratio=self._options.max_ratio) as stream:
            self._check(stream)
        try:
            return RandomAccess(location.path)
        except CacheError as error:
            log.warning("%s; its regions are streamed", error)
        except InputError as error:
            self._report.notes.append(f"{location.path.name}: regions are streamed, since it {error.what}")
        return None

    def _check(self, stream: InputStream) -> None:
        found = guess_format(stream.peek(_PEEK))
        if found != "fasta":
            raise InputError(
                f"is {found}, and regions are read from FASTA alone"
                if found != "unknown"
                else "is no FASTA, and regions are read from FASTA alone",
                where=stream.location,
                fix="leave regions out, or give the genome as FASTA",
            )
        check_kind(stream, self._options.kind, self._options)

    def _streamed(self, location: Location, regions: list[Region]) -> Iterator[tuple[Block, list[Region]]]:
        begun: list[Region] = []
        with self._open(location) as stream:
            self._check(stream)
            text = Text(streamed_text(stream, regions, stream.location, begun.append))
            for block in read_blocks(text, DNA, where=stream.location):
                yield block, begun[block.first : block.first + len(block)]
        self._report.counts["genome regions read"] += len(regions)
