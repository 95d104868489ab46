"""Settings of reading a corpus: which texts a network sees, in what tokens, and in what batches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from genomecli.corpus.settings import TokenSettings
from genomecli.settings import InputPath, Name, Section, setting

Molecule = Literal["genome", "cds", "protein"]
"""As in the manifest, which settings must not import."""

Frame = Literal[0, 1, 2, "all"]
Relation = Literal["none", "disjoint", "deciphered", "back_translated", "comparable", "anchored", "paired"]

SWITCHED = ("anchored", "deciphered")
"""Relations in which codons and residues stand in for each other in the text."""

APART = ("disjoint", "deciphered", "back_translated")
"""Relations in which no gene family is read in both languages."""

TOLD = (*SWITCHED, "back_translated")
"""Relations that are told what some codons mean."""

DECIPHERED = ("deciphered", "back_translated")
"""Relations that need a dictionary of most codons."""

PAIRED = ("paired", "back_translated")
"""Relations with two languages in one input."""

Size = Annotated[int, Field(ge=8)] | Literal["auto"]

SPECIALS_IN_TEXT = 2
"""[CLS] and [SEP] of a text of one language; a pair has one more."""

_ANCHOR = re.compile(r"^[ACGTU]{3}:[ACDEFGHIKLMNPQRSTVWY]$")


class AnchorSettings(Section):
    """Translations that are told, for the relations ``anchored``, ``deciphered`` and ``back_translated``."""

    pairs: int | tuple[Name, ...] = setting(
        5,
        doc="Known translations, as CTG:L, or how many to draw from each species' own code (distinct amino "
        "acids first).",
    )
    dictionary: InputPath | None = setting(
        None,
        doc="For the relations deciphered and back_translated: codons.tsv of mrr-compare --decipher. The "
        "codons that it decided are the anchors; nobody's dictionary takes part. It is one species' code: "
        "genes of one are read.",
    )
    least_support: float | None = setting(
        None,
        ge=0,
        le=1,
        unit="share of resamples",
        doc="Of the dictionary, also take the best answer of undecided codons that has this support; null "
        "takes decided codons alone. 0 is for back_translated: a guess that is mostly right teaches more "
        "than none.",
    )
    probability: float = setting(
        0.3,
        ge=0,
        le=1,
        doc="Chance that an anchored codon or residue is written in the other language; not for "
        "back_translated, which writes whole texts.",
    )
    shared_start: bool = setting(
        False,
        doc="Whether the vector of an anchored codon begins as that of its amino acid plus half of its own, "
        "so that both languages start in one place and training keeps or leaves it.",
    )
    seed: int = setting(0, ge=0, doc="Seed of the draw of anchors, apart from the run's seed.")

    @field_validator("pairs")
    @classmethod
    def _check_pairs(cls, value: int | tuple[str, ...]) -> int | tuple[str, ...]:
        if isinstance(value, int):
            if not 0 <= value <= 64:
                raise ValueError(f"{value} anchors; give 0 to 64")
            return value
        wrong = [pair for pair in value if not _ANCHOR.match(pair.upper())]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: write a codon and an amino acid as CTG:L")
        return tuple(pair.upper().replace("U", "T", 3) for pair in value)


class PairSettings(Section):
    """Texts of two languages for the relations ``paired`` and ``back_translated``."""

    share: float | None = setting(
        None,
        gt=0,
        le=1,
        unit="share of tokens",
        doc="How much of the training text comes in pairs; the rest is of one language each. null: all of it "
        "for paired, half for back_translated.",
    )
    crop: Literal["aligned", "independent"] = setting(
        "aligned",
        doc="aligned shows the same codons and residues of a gene, and leaves out genes whose lengths "
        "disagree; independent cuts either side by itself.",
    )


class ReadingSettings(Section):
    """Which texts are read, in what tokens, and how they are batched."""

    species: tuple[Name, ...] | None = setting(None, doc="Species to read; null reads all of the corpus.")
    molecules: tuple[Molecule, ...] = setting(
        ("cds", "protein"), doc="Kinds of text: genome windows, coding sequences, proteins."
    )
    tokens: TokenSettings | None = setting(None, doc="Tokens; null takes the corpus' default.")
    frame: Frame = setting(
        0, doc="Reading frame of coding sequences: 0, 1, 2, or all to draw one for each text."
    )
    genome_frame: Frame = setting(
        "all", doc="Offset of genome windows, modulo 3 on the strand that is read; all starts anywhere."
    )
    strand: Literal["both", "+"] = setting("both", doc="Strands that genome windows are read from.")
    strip: bool = setting(
        True,
        doc="Leave out start and stop codons of genes, and the first M of proteins: their place tells them.",
    )
    relation: Relation = setting(
        "none",
        doc="How DNA and protein relate: disjoint gene families, comparable (same genes, shuffled apart), "
        "anchored (comparable with code-switching), deciphered (disjoint, with code-switching by a "
        "dictionary that was deciphered), back_translated (disjoint, and genes beside what such a dictionary "
        "makes of them), paired (one input), or none: all records.",
    )
    anchors: AnchorSettings = setting(
        AnchorSettings(),
        doc="What is told, for the relations anchored, deciphered and back_translated.",
    )
    pairs: PairSettings = setting(
        PairSettings(), doc="Texts of two languages, for the relations paired and back_translated."
    )
    species_weights: dict[Name, float] = setting(
        {}, doc="Factors on the share of tokens that each species has in training; 1 where absent."
    )
    molecule_weights: dict[Molecule, float] = setting(
        {}, doc="Factors on the share of tokens that each molecule has in training; 1 where absent."
    )
    size_power: float = setting(
        1.0,
        ge=0,
        le=1,
        doc="A group's share of tokens grows with this power of its size: 1 in proportion, 0 all alike, so "
        "that the weights are the shares. Pooled language models take 0.3 to 0.7 (XLM).",
    )
    context: int = setting(
        512, ge=8, unit="tokens", doc="Longest text, its special tokens included; longer ones are cropped."
    )
    min_tokens: int = setting(
        8, ge=1, unit="tokens", doc="Texts with fewer tokens than this, special ones aside, are left out."
    )
    soft_weight: float = setting(
        1.0, ge=0, le=1, doc="Weight of the loss at soft-masked (lower-case) bases; GPN takes 0.1."
    )
    tokens_per_batch: Size = setting(
        "auto",
        unit="tokens",
        doc="Padded size of one micro-batch: what memory must hold at a time. auto: a step's size, in as "
        "many equal parts as keep it to 16,384.",
    )
    tokens_per_step: Size = setting(
        "auto",
        unit="tokens",
        doc="Padded size of one optimiser step, rounded up to whole micro-batches. auto: by the length of "
        "the run, 3,072 for 2.5 million tokens and growing with their square root (65,536 for 1.1 billion); "
        "8,192 where the length is given in steps.",
    )
    pool: int = setting(
        128, ge=1, le=4096, unit="steps", doc="Optimiser steps whose texts are sorted by length together."
    )
    validation_tokens: int = setting(
        200_000, ge=1, unit="tokens", doc="Most tokens of each species and molecule that validation reads."
    )

    @property
    def micro_batches(self) -> int:
        """Micro-batches of one optimiser step, over all ranks; for settings with sizes that are settled."""
        step, batch = self.tokens_per_step, self.tokens_per_batch
        assert isinstance(step, int), "sizes are settled before they are used"
        assert isinstance(batch, int), "sizes are settled before they are used"
        return -(-step // batch)

    @property
    def pair_share(self) -> float:
        """How much of the training text comes in pairs, where there are any."""
        usual = 0.5 if self.relation == "back_translated" else 1.0
        return usual if self.pairs.share is None else self.pairs.share

    @model_validator(mode="after")
    def _check(self) -> ReadingSettings:
        problems = list(_contradictions(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _contradictions(settings: ReadingSettings) -> Iterator[str]:
    if not settings.molecules:
        yield "molecules is empty; name genome, cds or protein"
    if len(set(settings.molecules)) < len(settings.molecules):
        yield "molecules names one twice; name each once"
    if settings.tokens_per_batch != "auto" and settings.tokens_per_batch < settings.context:
        yield (
            f"tokens_per_batch {settings.tokens_per_batch} is less than context {settings.context}; "
            f"set it to {settings.context} or more"
        )
    if settings.min_tokens > settings.context - SPECIALS_IN_TEXT:
        yield f"min_tokens {settings.min_tokens} does not fit context {settings.context}"
    if any(
        weight < 0 for weight in (*settings.species_weights.values(), *settings.molecule_weights.values())
    ):
        yield "a weight is negative; weights are 0 or more"
    if settings.anchors.shared_start and settings.relation not in TOLD:
        yield f"anchors.shared_start is for relations {', '.join(TOLD)}; relation is {settings.relation}"
    if settings.relation != "none":
        yield from _unrelated(settings)


def _unrelated(settings: ReadingSettings) -> Iterator[str]:
    relation = settings.relation
    if not {"cds", "protein"} <= set(settings.molecules):
        yield f"relation {relation} needs molecules cds and protein; add them or set relation to none"
    if relation in (*APART, "paired") and "genome" in settings.molecules:
        yield f"relation {relation} cannot hold with genome windows, which show all genes; leave genome out"
    if relation in DECIPHERED and isinstance(settings.anchors.pairs, int) and not settings.anchors.dictionary:
        yield f"relation {relation} needs anchors.dictionary, the codons.tsv of mrr-compare --decipher"
    if settings.anchors.dictionary and relation not in DECIPHERED:
        yield f"anchors.dictionary is for relations {' and '.join(DECIPHERED)}; relation is {relation}"
    if relation == "back_translated" and settings.pairs.crop != "aligned":
        yield "relation back_translated translates a text codon by codon; set pairs.crop to aligned"
    if relation == "back_translated" and settings.pair_share == 1:
        yield "relation back_translated with pairs.share 1 reads no protein; set it below 1"
    if settings.anchors.least_support is not None and relation not in DECIPHERED:
        yield f"anchors.least_support is for relations {' and '.join(DECIPHERED)}; relation is {relation}"
    if settings.anchors.dictionary and not isinstance(settings.anchors.pairs, int):
        yield "anchors.pairs and anchors.dictionary are both given; leave one out"
