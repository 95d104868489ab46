"""Coding sequences as similarity sees them: as their proteins.

Genes of one family differ in a third of their bases where their proteins are still alike, so k-mers of bases
find near copies only. n examples.
"""

from __future__ import annotations

from dataclasses import replace

from genomecli.sequences.alphabets import PROTEIN
from genomecli.sequences.codes import genetic_code
from genomecli.tasks.examples import Examples, SequenceColumn, join_sequences

STANDARD = 1
"""The genetic code of genes whose own is not known: codes differ in few codons."""


def translated(column: SequenceColumn, table: int | None, frame: int = 0) -> SequenceColumn:
    """Proteins of coding sequences, in their order; a codon that is not whole is left out.

    Args:
        column: n sequences of DNA.
        table: NCBI genetic code; None for the standard one.
        frame: bases before the first codon.
    """
    code = genetic_code(STANDARD if table is None else table)
    parts = [code.translate(column[row][frame:], cds=True) for row in range(len(column))]
    return join_sequences(PROTEIN.name, parts)


def as_proteins(examples: Examples, first: SequenceColumn | None, second: SequenceColumn | None) -> Examples:
    """The examples with other sequences, labels and all else as they were.

    Args:
        examples: n of them.
        first: instead of the sequences; None leaves them.
        second: instead of the second ones of pairs; None leaves them.
    """
    return replace(examples, sequences=first or examples.sequences, pair=second or examples.pair)
