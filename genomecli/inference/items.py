"""Items: what the engine reads, one text of tokens in one language, and how sequences become items.

Shapes: n symbols, t tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import SPECIALS
from genomecli.sequences.alphabets import DNA, PROTEIN, STOP, Codes
from genomecli.sequences.codes import GeneticCode, genetic_code
from genomecli.sequences.records import Record

Ids = NDArray[np.int32]
Strand = Literal["+", "-"]
Molecule = Literal["genome", "cds", "protein"]
"""``genome`` is any DNA; ``cds`` is DNA that starts with a codon, so it may have terminal codons."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text to run the model over.

    Args:
        id: any text; ids may repeat.
        tokens: int32[t], without [CLS] and [SEP].
        language: index into the lexicon's languages.
        skip: how many tokens at the start and at the end are read but do not count (terminal codons).
        offset: position in the record of the first token's first symbol.
        step: symbols from one token's start to the next.
        meta: whatever the caller wants back with the result.
        record: its number in the input, -1 where nobody counts.
    """

    id: str
    tokens: Ids
    language: int
    skip: tuple[int, int] = (0, 0)
    offset: int = 0
    step: int = 1
    meta: Mapping[str, object] = field(default_factory=dict)
    record: int = -1

    def counted(self, start: int = 0, stop: int | None = None) -> NDArray[np.bool_]:
        """bool[stop - start]: which tokens from ``start`` to ``stop`` count in pooled and mean vectors."""
        end = len(self.tokens) if stop is None else stop
        index = np.arange(start, end)
        inside = (index >= self.skip[0]) & (index < len(self.tokens) - self.skip[1])
        flags: NDArray[np.bool_] = inside & (self.tokens[start:end] >= len(SPECIALS))
        return flags


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that has no item, and why.

    Args:
        id: of the record.
        reason: in words.
        record: its number in the input.
    """

    id: str
    reason: str
    record: int = -1


Entry = Item | Dropped


@dataclass(frozen=True)
class Reading:
    """How sequences of one language are read as tokens.

    Args:
        tokenizer: of the language.
        language: its index.
        molecule: what the sequences are.
        frame: symbols left out at the start.
        strand: ``-`` reads the reverse complement.
        leave_out_terminals: start and stop codons (in proteins: the first methionine) are read but do not
            count.
        code: genetic code that says which codons start and stop a gene, where the sequence's own meta does
            not (``table``).
    """

    tokenizer: Tokenizer
    language: int
    molecule: Molecule
    frame: int = 0
    strand: Strand = "+"
    leave_out_terminals: bool = False
    code: GeneticCode | None = None

    @classmethod
    def of(
        cls,
        lexicon: Lexicon,
        species: str,
        molecule: Molecule,
        *,
        frame: int = 0,
        strand: Strand = "+",
        leave_out_terminals: bool = False,
        code: GeneticCode | None = None,
    ) -> Reading:
        """How ``molecule`` of ``species`` is read. Raises InputError if the lexicon does not know it."""
        return cls(
            lexicon.tokenizer(species, molecule),
            lexicon.language_id(species, molecule),
            molecule,
            frame,
            strand,
            leave_out_terminals,
            code,
        )

    def item(
        self,
        record_id: str,
        symbols: Codes,
        meta: Mapping[str, object] | None = None,
        *,
        table: int | None = None,
    ) -> Item | str:
        """The item of a sequence (uint8[n]), or the reason why there is none."""
        if wrong := self.tokenizer.alphabet.foreign(symbols):
            return f"has {wrong}"
        if self.strand == "-":
            symbols = DNA.reverse_complement(symbols)
        elif self.molecule == "protein" and len(symbols) and symbols[-1] == STOP:
            symbols = symbols[:-1]
        if not len(symbols):
            return "holds no letters"
        tokens = self.tokenizer.encode(symbols, self.frame)
        if not len(tokens):
            return f"has {len(symbols)} letters, too few for a token of {self.tokenizer.k}"
        skip = self._terminals(symbols, tokens, table) if self.leave_out_terminals else (0, 0)
        item = Item(record_id, tokens, self.language, skip, self.frame, self.tokenizer.stride, meta or {})
        if not item.counted().any():
            left = "besides its terminal codons " if any(skip) else ""
            return f"has no token {left}without an ambiguous letter"
        return item

    def _terminals(self, symbols: Codes, tokens: Ids, table: int | None) -> tuple[int, int]:
        """Tokens at either end that share a symbol with the start and stop codon (first M of a protein)."""
        if self.molecule == "protein":
            return (int(symbols[0] == PROTEIN.symbols.index("M")), 0)
        if self.molecule != "cds" or self.strand == "-" or len(symbols) < 3:
            return (0, 0)
        code = self.code or genetic_code(table or 1)
        first, last = _codon(symbols[:3]), _codon(symbols[len(symbols) // 3 * 3 - 3 : len(symbols) // 3 * 3])
        starts, ends = self.tokenizer.places(tokens, self.frame)
        head = int((starts < 3).sum()) if first in code.starts else 0
        tail = int((ends > len(symbols) // 3 * 3 - 3).sum()) if last in code.stops else 0
        return (head, min(tail, len(tokens) - head))


def _codon(symbols: Codes) -> int:
    a, b, c = (int(symbol) for symbol in symbols)
    return 16 * a + 4 * b + c if max(a, b, c) < DNA.canonical else -1


def read_entries(records: Iterable[Record], reading: Reading, *, first: int = 0) -> Iterator[Entry]:
    """Items of records, in order, each with its number; what cannot be read is named with the reason.

    Args:
        records: of the alphabet that ``reading`` wants.
        reading: how they are read.
        first: number of the first record.
    """
    for number, record in enumerate(records, start=first):
        table = record.meta.get("table")
        made = reading.item(
            record.id, record.symbols, record.meta, table=table if isinstance(table, int) else None
        )
        if isinstance(made, Item):
            yield replace(made, record=number)
        else:
            yield Dropped(record.id, made, number)
