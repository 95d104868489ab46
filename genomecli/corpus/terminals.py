"""What of each record may be read: all of it, or all but the codons and residues whose place tells them.

The start codon of genes and the M of proteins stand first, and stop codons last, whatever the network has
learned; so they are left out where ``strip`` says so. n records; symbols are counted from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.interface import Corpus, Ints
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.records_table import RecordTable
from genomecli.corpus.relations import Source
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.sequences.alphabets import STOP
from genomecli.sequences.codes import genetic_code

Bools = NDArray[np.bool_]
CODON = 3


@dataclass(frozen=True)
class Side:
    """The records of one language of a source, and what of them may be read.

    Args:
        tokenizer: how they are read.
        rows: int64[n], rows in the corpus.
        first: int64[n], first symbol that may be read.
        usable: int64[n], symbols that may be read from there.
    """

    tokenizer: Tokenizer
    rows: Ints
    first: Ints
    usable: Ints

    def count(self, reserve: int = 0) -> Ints:
        """int64[n]: tokens of each record if ``reserve`` symbols are kept back."""
        k, stride = self.tokenizer.k, self.tokenizer.stride
        return np.maximum((self.usable - reserve - k) // stride + 1, 0)

    def symbols(self, tokens: Ints) -> Ints:
        """int64[n]: symbols that so many tokens span."""
        return (tokens - 1) * self.tokenizer.stride + self.tokenizer.k

    def take(self, chosen: Bools) -> Side:
        """Some of the records, bool[n]."""
        return Side(self.tokenizer, self.rows[chosen], self.first[chosen], self.usable[chosen])


def readable_sides(source: Source, corpus: Corpus, lexicon: Lexicon, *, strip: bool) -> tuple[Side, ...]:
    """The side of a source, or the two sides of a source of pairs.

    In pairs one look at either start decides for both, and stop codons are always left out, since no residue
    is their partner: so codon i and residue i belong together.
    """
    if source.partners is None and not source.translated:
        table, gene = source.records, source.molecule == "cds"
        start = _has_start(table) & (strip and source.molecule != "genome")
        stop = _ends_in_stop(corpus, table, gene=gene) & (strip and source.molecule != "genome")
        return (_side(lexicon.tokenizer(source.species, source.molecule), table, start, stop, gene=gene),)
    if source.partners is None:
        return _translated_sides(source, corpus, lexicon, strip=strip)
    start = (_has_start(source.records) | _has_start(source.partners)) & strip
    return tuple(
        _side(
            lexicon.tokenizer(source.species, molecule),
            table,
            start,
            _ends_in_stop(corpus, table, gene=molecule == "cds"),
            gene=molecule == "cds",
        )
        for molecule, table in (("cds", source.records), ("protein", source.partners))
    )


def _translated_sides(source: Source, corpus: Corpus, lexicon: Lexicon, *, strip: bool) -> tuple[Side, ...]:
    """A gene and its own translation: as many residues as codons."""
    table = source.records
    stop = _ends_in_stop(corpus, table, gene=True)
    codons = _side(
        lexicon.tokenizer(source.species, "cds"), table, _has_start(table) & strip, stop, gene=True
    )
    residues = lexicon.tokenizer(source.species, "protein")
    return codons, Side(residues, codons.rows, codons.first // CODON, codons.usable // CODON)


def _side(tokenizer: Tokenizer, table: RecordTable, start: Bools, stop: Bools, *, gene: bool) -> Side:
    width = CODON if gene else 1
    length = table.column("length").astype(np.int64)
    # A gene with a trailing base or two keeps them: they fill no codon.
    usable = np.maximum(length - width * (start.astype(np.int64) + stop), 0)
    return Side(tokenizer, table.row, width * start.astype(np.int64), usable)


def _has_start(table: RecordTable) -> Bools:
    return table.column("has_start").astype(np.bool_)


def _ends_in_stop(corpus: Corpus, table: RecordTable, *, gene: bool) -> Bools:
    """bool[n]: the last codon is a stop of the record's code, or the last symbol of a protein is ``*``."""
    width = CODON if gene else 1
    length = table.column("length").astype(np.int64)
    found = np.zeros(len(table), dtype=np.bool_)
    enough = length >= width
    if not enough.any():
        return found
    starts = length - width - (length % width if gene else 0)
    rows = table.row[enough]
    symbols, _ = corpus.gather(rows, starts[enough], np.full(len(rows), width, dtype=np.int64))
    if not gene:
        found[enough] = symbols == STOP
        return found
    triplets = symbols.reshape(-1, CODON).astype(np.int64)
    index = np.where(triplets.max(axis=1) < 4, triplets @ np.array([16, 4, 1]), 64)
    codes = table.column("table")[enough]
    stops = np.zeros(len(rows), dtype=np.bool_)
    for number in np.unique(codes).tolist():
        is_stop = np.array([*(letter == "*" for letter in genetic_code(number).amino), False])
        stops |= (codes == number) & is_stop[index]
    found[enough] = stops
    return found
