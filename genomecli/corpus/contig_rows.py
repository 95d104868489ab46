"""Contigs of a genome on their way into a part: the sink of a contig's stream, and its rows."""

from __future__ import annotations

from genomecli.corpus.contigs import ContigStream
from genomecli.corpus.parts import PartWriter
from genomecli.corpus.policies import ALIASED, DroppedError
from genomecli.corpus.said import Said
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import Codes
from genomecli.sequences.regions import Region


class ContigRows:
    """Writes one contig.

    Args:
        part: where rows go.
        policies: what becomes of sequences that are not plain.
        file: name of the source, for errors.
        said: what is known of the contig.
        region: the stretch of a contig that it is, if it is none whole: its rows lie on that contig.
    """

    def __init__(
        self,
        part: PartWriter,
        policies: PolicySettings,
        file: str,
        said: Said,
        region: Region | None = None,
    ) -> None:
        self._contig = region or Region(said.id)
        self._part = part
        self._said = said
        self._writer = part.molecule("genome")
        self._writer.begin_record()
        self._rows: list[tuple[int, int]] = []
        self._dropped: str | None = None
        self._length = 0
        self._aliased = 0
        self._stream = ContigStream(self, policies, f"{file}, record {said.id!r}")

    def write(self, symbols: Codes, soft: Codes | None) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`."""
        self._writer.write(symbols, soft)

    def close_row(self, start: int, stop: int) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`. Places on the contig tell pieces apart."""
        first, last = self._contig.start + start, self._contig.start + stop
        place = {"contig": self._contig.contig, "cds_start": first, "cds_end": last, "strand": 1}
        self._writer.end_row(id=self._said.id, **self._said.row() | place)
        self._rows.append((first, last))

    def cancel_row(self) -> None:
        """See :class:`~genomecli.corpus.contigs.Sink`."""
        self._writer.cancel_row()

    def feed(self, symbols: Codes, soft: Codes | None, *, aliased: int = 0, plain: bool = False) -> None:
        """Take the next piece of the contig; see :meth:`~genomecli.corpus.contigs.ContigStream.feed`.

        Args:
            symbols, soft, plain: of the piece.
            aliased: how many of its letters are read as another.

        Raises:
            InputError: if a policy calls it an error.
        """
        self._length += len(symbols)
        self._aliased += aliased
        if self._dropped is None:
            try:
                self._stream.feed(symbols, soft, plain=plain)
            except DroppedError as reason:
                self._give_up(str(reason))

    def _give_up(self, reason: str) -> None:
        self._dropped = reason
        self._writer.cancel_record()

    def finish(self) -> None:
        """The contig is over: name its rows and count it."""
        tally = self._writer.tally
        tally.read.add(1, self._length)
        if self._dropped is None:
            try:
                counts = self._stream.finish()
            except DroppedError as reason:
                self._give_up(str(reason))
            else:
                first = self._contig.start
                if self._rows != [(first, first + self._length)]:
                    self._writer.name_rows([f"{self._contig.contig}:{a + 1}-{b}" for a, b in self._rows])
                changed = counts.changed | {ALIASED: self._aliased}
                tally.keep(counts.cut, changed, counts.kept, counts.rows)
        if self._dropped is not None:
            self._part.drop("genome", self._said.id, self._dropped, self._length)
