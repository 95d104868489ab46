"""Labels exon and intron of single bases, from the spliced sequences of the same genes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from genomecli.errors import ConfigError, InputError
from genomecli.sequences.alphabets import DNA, Codes
from genomecli.sequences.fasta import join_pieces, read_blocks
from genomecli.sequences.headers import parse_header
from genomecli.sequences.openers import open_input
from genomecli.tasks.defects import Defects
from genomecli.tasks.examples import MISSING, SequenceColumn
from genomecli.tasks.exons import Exons, find_exons
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.rows import locate

NAMES = ("exon", "intron")
_SAID = ("id", "locus_tag", "transcript", "key", "accession", "gene", "protein_id")


@dataclass
class SplicedLabels:
    """Exon and intron of each base; bases before the first and after the last exon have no label.

    A gene's spliced sequences are those whose header has its id as id, locus tag (``gene:YAL001C`` of
    Ensembl), transcript or gene name. Of several the first that lies in the gene is taken.

    Args:
        path: FASTA of the spliced sequences.
    """

    path: str
    files: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _spliced: dict[str, list[Codes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found: dict[str, list[Codes]] = defaultdict(list)
        with open_input(locate(self.path)) as stream:
            for block in join_pieces(read_blocks(stream, DNA, where=stream.location)):
                for i, raw in enumerate(block.headers):
                    header = parse_header(raw, block.first + i)
                    for name in dict.fromkeys(getattr(header, said) for said in _SAID):
                        if name:
                            found[name].append(block.record_symbols(i))
            self.files.append(stream.finish())
        self._spliced = dict(found)

    def check(self, ids: Sequence[str]) -> None:
        """Raise InputError if no gene has a spliced sequence."""
        if not any(name in self._spliced for name in ids):
            raise InputError(
                f"names none of the genes, such as {ids[0]!r}",
                where=self.path,
                fix="the id of a gene is the id, gene or transcript in the header of its spliced sequence",
            )

    def labels(self, ids: Sequence[str], sequences: SequenceColumn, defects: Defects) -> RawLabels:
        """Raw labels of form ``token``, int64[N]; genes whose exons cannot be located are left out.

        Args:
            ids: of the n genes.
            sequences: of the genes.
            defects: genes that are left out are added here.

        Raises:
            ConfigError: if the sequences are no DNA.
        """
        if sequences.alphabet != DNA.name:
            raise ConfigError(["data.spliced needs DNA"])
        values = np.full(len(sequences.symbols), MISSING, dtype=np.int64)
        introns, open_ends = 0, 0
        for row, name in enumerate(ids):
            exons = self._exons(row, name, sequences[row], defects)
            if exons is None:
                continue
            mine = values[sequences.offsets[row] : sequences.offsets[row + 1]]
            mine[exons[0][0] : exons[-1][1]] = NAMES.index("intron")
            for start, end in exons:
                mine[start:end] = NAMES.index("exon")
            introns += len(exons) - 1
            open_ends += (exons[0][0], exons[-1][1]) != (0, len(mine))
        self.notes.append(f"{introns} introns were located by spliced sequences.")
        if open_ends:
            self.notes.append(f"{open_ends} genes go on beyond their exons; bases there have no label.")
        self.notes += self.elsewhere(ids)
        return RawLabels("token", (), NAMES, values, sequences.offsets, declared=True)

    def _exons(self, row: int, name: str, gene: Codes, defects: Defects) -> Exons | None:
        if row in defects:
            return None
        candidates = self._spliced.get(name, [])
        if not candidates:
            defects.leave_out(row, "no spliced sequence of its id")
            return None
        for spliced in candidates:
            exons = find_exons(gene, spliced)
            if exons is not None:
                return exons
        defects.leave_out(row, "its spliced sequence is not found in it")
        return None

    def elsewhere(self, ids: Iterable[str]) -> list[str]:
        """A sentence on spliced sequences that are of no gene here."""
        every = {id(one) for found in self._spliced.values() for one in found}
        used = {id(one) for name in ids for one in self._spliced.get(name, ())}
        bare = len(every - used)
        of = "1 spliced sequence is" if bare == 1 else f"{bare} spliced sequences are"
        return [f"{of} of none of the genes."] if bare else []

    def sides(self, ids: Sequence[str]) -> list[str]:
        """Spliced sequences give no sides."""
        return []
