"""Settings of ``tokenize``: species and their sources, tokens, policies, splits, and how the store is cut."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import field_validator, model_validator

from genomecli.sequences.settings import SourceSettings
from genomecli.settings import Name, SafeName, Section, setting


class TokenSpecies(Section):
    """One species of a corpus."""

    name: SafeName = setting(doc="Name of the species; becomes part of file names.")
    code: int = setting(1, doc="NCBI number of its genetic code, where a file states no other.", ge=1, le=33)
    taxid: int | None = setting(None, doc="NCBI taxonomy number, kept in the manifest.", ge=1)
    note: str = setting("", doc="Anything to remember about it, kept in the manifest.")
    sources: list[SourceSettings] = setting(doc="Files, and what they hold.", min_length=1)
    molecules: list[Literal["genome", "cds", "protein"]] = setting(
        default_factory=lambda: ["genome", "cds", "protein"],
        doc="What is kept of annotated sources, which give all three.",
        min_length=1,
    )

    @field_validator("code")
    @classmethod
    def _code_exists(cls, value: int) -> int:
        if not (1 <= value <= 6 or 9 <= value <= 16 or 21 <= value <= 33):
            raise ValueError("NCBI has no such genetic code; they are 1-6, 9-16 and 21-33")
        return value


class TokenSettings(Section):
    """The tokens that the corpus's own vocabulary is made of. The store itself keeps plain symbols."""

    dna: Name = setting(
        "codon",
        doc="codon: k 3, stride 3, in any of three frames; kmer: any k and stride; base: single bases; or "
        "the name of another registered tokenizer.",
    )
    k: int = setting(3, doc="Bases a token, for kmer.", unit="bases", ge=1, le=8)
    stride: int = setting(
        3, doc="Bases from token to token, for kmer; less than k overlaps.", unit="bases", ge=1, le=8
    )
    scope: Literal["shared", "per_species"] = setting(
        "shared", doc="shared: a codon is the same token in all species; per_species: each has its own."
    )

    @model_validator(mode="after")
    def _no_gaps(self) -> Self:
        if self.dna == "greedy":
            raise ValueError("tokens greedy are for models of others; take kmer, codon or base")
        if self.dna == "kmer" and self.stride > self.k:
            raise ValueError(f"stride {self.stride} leaves out bases between tokens of k {self.k}")
        return self


class LengthSettings(Section):
    """A length for each kind of record."""

    genome: int = setting(60, doc="Contigs, or pieces of one between gaps.", unit="bases", ge=1)
    cds: int = setting(30, doc="Coding sequences, without their stop codon.", unit="bases", ge=1)
    protein: int = setting(10, doc="Proteins.", unit="residues", ge=1)


class LongestSettings(Section):
    """An upper length for each kind of record; left out is none."""

    genome: int | None = setting(None, doc="Contigs.", unit="bases", ge=1)
    cds: int | None = setting(None, doc="Coding sequences.", unit="bases", ge=1)
    protein: int | None = setting(None, doc="Proteins.", unit="residues", ge=1)


class PolicySettings(Section):
    """What becomes of sequences that are not plain. Every use is counted in the summary, by reason."""

    ambiguity: Literal["mask", "split", "skip", "error"] = setting(
        "mask",
        doc="Ambiguity letters (N, R, ...; X, B, ...). mask: kept, their tokens are [UNK], never a target; "
        "split: cut out, the record goes on as another (at codon borders in a cds); skip: record dropped.",
    )
    gap: int = setting(
        50,
        doc="With ambiguity mask, runs of at least this many ambiguity letters in a genome are cut out as "
        "gaps of the assembly; 0 keeps them.",
        unit="bases",
        ge=0,
    )
    foreign: Literal["error", "mask", "skip"] = setting(
        "error",
        doc="Symbols that are no letter of the molecule (digits, -, other alphabets). mask: read as N or X.",
    )
    lower_case: Literal["keep", "ignore", "hard"] = setting(
        "keep",
        doc="keep: remembered as a soft mask, for a lower loss weight; ignore: read as upper case; "
        "hard: read as N or X.",
    )
    stop_codon: Literal["trim", "keep"] = setting(
        "trim", doc="The stop codon that ends a cds; trimmed, codons and residues pair one to one."
    )
    trailing: Literal["trim", "keep", "skip"] = setting(
        "trim", doc="One or two bases after the last whole codon of a cds. skip: the record is dropped."
    )
    internal_stop: Literal["skip", "keep", "error"] = setting(
        "skip",
        doc="A cds or protein with a stop before its end; codons that the annotation reads as "
        "selenocysteine or the like do not count.",
    )
    min_length: LengthSettings = setting(
        default_factory=LengthSettings, doc="Shorter records are dropped, after all cutting."
    )
    max_length: LongestSettings = setting(
        default_factory=LongestSettings, doc="Longer records are dropped, after all cutting."
    )
    duplicates: Literal["keep", "drop"] = setting(
        "keep", doc="Records of one species and molecule with the same symbols: drop keeps the first."
    )


class FamilySettings(Section):
    """Gene families: proteins (or translated genes) that share k-mers, joined by single linkage."""

    k: int = setting(6, doc="Residues a k-mer.", unit="residues", ge=5, le=12)
    min_shared: float = setting(
        0.1,
        doc="Two genes are joined when they share this part of the k-mers of the one that has fewer. "
        "With k 6, 0.1 is about 68 percent identity, and 0.6 about 92.",
        gt=0,
        le=1,
    )


class SplitSettings(Section):
    """Which records are held out, for validation and for the test."""

    by: Literal["family", "record", "contig", "column"] = setting(
        "family",
        doc="family: genes by family, genomes by block; record: genes one by one, near-identical together; "
        "contig: everything by its place on a contig (or block of one); column: as the headers say.",
    )
    valid: float = setting(0.05, doc="Part held out for validation.", ge=0, lt=1)
    test: float = setting(0.05, doc="Part held out for the test.", ge=0, lt=1)
    seed: int | None = setting(None, doc="Seed of the split; left out: the run's seed.", ge=0)
    block: int = setting(
        50_000,
        doc="Contigs of a genome longer than this are cut into blocks that are held out one by one; "
        "0 holds out whole contigs.",
        unit="bases",
        ge=0,
    )
    near_identical: float = setting(
        0.6,
        doc="Part of shared k-mers from which two genes count as near-identical, for by: record and contig.",
        gt=0,
        le=1,
    )
    column: Name = setting(
        "SET",
        doc="For by: column: the key in FASTA headers (SET=train, [SET=train] or SET:train) whose value is "
        "train, valid or test.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError("valid and test together leave nothing to train on")
        return self


class TokenizeSettings(Section):
    """What a corpus is made from, and how."""

    species: list[TokenSpecies] = setting(doc="The species, in the order of the corpus.", min_length=1)
    tokens: TokenSettings = setting(default_factory=TokenSettings, doc="Default tokens of the corpus.")
    policies: PolicySettings = setting(
        default_factory=PolicySettings, doc="What becomes of sequences that are not plain."
    )
    split: SplitSettings = setting(default_factory=SplitSettings, doc="What is held out.")
    families: FamilySettings = setting(default_factory=FamilySettings, doc="How gene families are found.")
    shard_mib: int = setting(128, doc="Largest size of a file of the store.", unit="MiB", ge=1, le=128)
    workers: int | Literal["auto"] = setting(
        "auto",
        doc="Files read at once; auto takes the cores that are allowed.",
        json_schema_extra={"minimum": 1},
    )
    figures: bool = setting(True, doc="Draw the look at the data (figures/look.png).")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [species.name.lower() for species in self.species]
        if len(set(names)) < len(names):
            raise ValueError("species names must differ, also beyond upper and lower case")
        streams = [s for species in self.species for s in species.sources if "-" in s.path]
        if len(streams) > 1 or any(len(s.path) > 1 for s in streams):
            raise ValueError("standard input (-) can be one source only")
        kinds = {source.kind for species in self.species for source in species.sources}
        if self.split.by == "column" and "annotated" in kinds:
            raise ValueError("annotated sources have no header column to split by; choose another split.by")
        return self

    @field_validator("workers")
    @classmethod
    def _some_workers(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("at least one worker is needed")
        return value
