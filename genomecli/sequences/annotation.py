"""The neutral model of an annotated sequence: what GenBank, EMBL, GFF3 and GTF are all read into.

Coordinates are 0-based and half-open; the readers convert at their edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from genomecli.sequences.alphabets import Codes

Part = tuple[int, int, int]
"""(start, end, strand): 0-based half-open, strand +1 or -1."""


@dataclass(frozen=True, slots=True)
class TranslationException:
    """One ``transl_except``: the bases of one codon, and how it is read.

    Args:
        spans: genome spans (start, end), 0-based half-open, one or more.
        amino: one letter: U, O, ``*`` for TERM, X for OTHER, or a plain residue.
    """

    spans: tuple[tuple[int, int], ...]
    amino: str


@dataclass(frozen=True, slots=True)
class CodingFeature:
    """One coding sequence as its annotation gives it, not yet extracted.

    Args:
        parts: in the order of transcription; strands differ in trans-splicing.
        id: the feature's own name in its file (GFF ID), empty where the format has none.
        gene: gene name.
        locus_tag: systematic name.
        protein_id: accession of its protein.
        product: what it is.
        codon_start: 1, 2 or 3: the first base of the first whole codon.
        table: the genetic code that the annotation states, None where it states none.
        exceptions: codons that are not read by the code.
        translation: the annotation's own protein, None where it gives none.
        pseudo: marked as a pseudogene.
        partial5: the first base is not the gene's first. partial3: the last is not its last.
        exception: text of ``/exception``, such as ``RNA editing`` or ``trans-splicing``; empty if none.
        ribosomal_slippage: the parts shift the reading frame on purpose.
        problem: why the feature cannot be extracted (``on another sequence``, ``unordered parts``, ...),
            empty if it can.
        note: further text, for messages.
    """

    parts: tuple[Part, ...]
    id: str = ""
    gene: str = ""
    locus_tag: str = ""
    protein_id: str = ""
    product: str = ""
    codon_start: int = 1
    table: int | None = None
    exceptions: tuple[TranslationException, ...] = ()
    translation: str | None = None
    pseudo: bool = False
    partial5: bool = False
    partial3: bool = False
    exception: str = ""
    ribosomal_slippage: bool = False
    problem: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """The best name for messages: locus tag, gene, protein, ID, or the place."""
        place = f"{self.parts[0][0] + 1}..{self.parts[0][1]}" if self.parts else "no location"
        return self.locus_tag or self.gene or self.protein_id or self.id or f"CDS at {place}"


@dataclass(slots=True)
class AnnotatedContig:
    """One sequence with its coding features.

    Args:
        id: accession with version, or the first word of the FASTA header.
        symbols: uint8[n], DNA codes; may be memory-mapped.
        circular: the molecule is a ring.
        table: the genetic code that the record states for all of it, None where it states none.
        features: coding features in file order.
        soft: uint8[n], 1 where lower case, or None.
        description: the definition line.
        aliased: letters of it that are read as another (U in DNA).
    """

    id: str
    symbols: Codes
    circular: bool = False
    table: int | None = None
    features: list[CodingFeature] = field(default_factory=list)
    soft: Codes | None = None
    description: str = ""
    aliased: int = 0

    def __len__(self) -> int:
        return int(np.shape(self.symbols)[0])


_THREE_LETTERS = (
    "Ala:A Cys:C Asp:D Glu:E Phe:F Gly:G His:H Ile:I Lys:K Leu:L Met:M Asn:N Pro:P Gln:Q Arg:R Ser:S Thr:T"
    " Val:V Trp:W Tyr:Y Sec:U Pyl:O Asx:B Glx:Z Xle:J fMet:M TERM:* Ter:* OTHER:X Xaa:X"
)
_AMINO = {
    name.lower(): letter for name, _, letter in (pair.partition(":") for pair in _THREE_LETTERS.split())
}
_SPAN = re.compile(r"(?<![0-9])([0-9]{1,18})(?:\.\.([0-9]{1,18}))?(?![0-9])")
_WHOLE = re.compile(r"[0-9]{1,18}")
_EXCEPT = re.compile(r"pos:\s*(.+?),\s*aa:\s*([A-Za-z]+)", re.DOTALL)


def whole_number(text: str) -> int | None:
    """A number without a sign of at most 18 digits, which int64 holds; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None


def parse_translation_exceptions(texts: Iterable[str]) -> tuple[TranslationException, ...]:
    """Read ``(pos:complement(100..102),aa:Sec)`` texts; 1-based inclusive there, 0-based half-open here.

    A residue name that is not known reads X. Texts without a position are left out.
    """
    found = []
    for text in texts:
        for place, name in _EXCEPT.findall(text.replace("<", "").replace(">", "")):
            spans = tuple((int(a) - 1, int(b or a)) for a, b in _SPAN.findall(place))
            if spans:
                found.append(TranslationException(spans, _AMINO.get(name.lower(), "X")))
    return tuple(found)
