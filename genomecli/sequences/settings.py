"""Settings of a source of sequences: one entry of a species' ``sources`` in the YAML."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, field_validator, model_validator

from genomecli.settings import InputPath, InputPaths, Name, Section, setting

Kind = Literal["genome", "cds", "protein", "annotated"]
"""What a source holds: DNA to be windowed, coding sequences, proteins, or a genome with its annotation."""


_REGION = re.compile(r"[^/]+:[0-9][0-9,]*-[0-9][0-9,]*")


def _region_texts(value: object) -> object:
    """A single region is a list of one; any other text is the path of a BED file."""
    return [str(value)] if isinstance(value, str) and _REGION.fullmatch(value) else value


class TableRule(Section):
    """Sequences whose FASTA header matches ``pattern`` are read with genetic code ``table``."""

    pattern: Name = setting(doc="Regular expression searched in the whole header line.", min_length=1)
    table: int = setting(doc="NCBI number of the genetic code.", ge=1)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value


class CodingPolicy(Section):
    """What becomes of the coding features of an annotated genome. Whatever is left out is counted."""

    pseudogenes: Literal["skip", "keep"] = setting("skip", doc="Coding features marked as pseudogenes.")
    isoforms: Literal["all", "longest"] = setting(
        "all", doc="Every coding sequence of a gene, or its longest protein only."
    )
    proteins: Literal["given", "translated"] = setting(
        "given",
        doc="Proteins as the annotation gives them (translated where it gives none), or always translated. "
        "Of kind cds, translated adds the protein of each whole gene.",
    )
    disagreements: Literal["keep", "skip", "error"] = setting(
        "keep", doc="Coding sequences whose translation is not the annotation's own protein."
    )


class SourceSettings(CodingPolicy):
    """Files of one kind, and how they are read."""

    kind: Kind = setting(
        doc="genome (DNA), cds (one coding sequence a record), protein, or annotated"
        " (GenBank, EMBL, FASTA + GFF3 or GTF)."
    )
    path: InputPaths = setting(
        doc="File or files, plain, gz, bgz or zip; a folder or zip of NCBI datasets; - for standard input.",
        min_length=1,
    )
    annotation: InputPath | None = setting(None, doc="GFF3 or GTF that belongs to a FASTA of kind annotated.")
    table: int | None = setting(
        None, doc="Genetic code where the file states none; left out: the species' code.", ge=1
    )
    table_rules: tuple[TableRule, ...] = setting(
        (), doc="Genetic codes by header, the first match wins, such as pattern ':Mito:' with table 3."
    )
    key_pattern: Name | None = setting(
        None,
        doc="Regular expression whose first group, found in a FASTA header, pairs a cds with its protein.",
    )
    regions: Annotated[InputPath | tuple[Name, ...] | None, BeforeValidator(_region_texts)] = setting(
        None,
        doc="Kind genome: only these stretches of one FASTA are read. A BED file (from 0, its end left out), "
        "or a list of contig:first-last (from 1, both ends in, as samtools has it) and of whole contigs.",
    )
    circular: bool | None = setting(
        None, doc="All sequences are rings (true) or none is (false); left out: as the file says."
    )
    check_kind: bool = setting(True, doc="Refuse a file whose letters contradict its kind.")
    max_ratio: float = setting(
        200.0, doc="Refuse compressed input that grows more than this many times.", gt=1
    )

    @model_validator(mode="after")
    def _genes_to_translate(self) -> Self:
        if self.proteins == "translated" and self.kind not in ("annotated", "cds"):
            raise ValueError(f"proteins: translated needs genes, and kind {self.kind} has none")
        return self

    @model_validator(mode="after")
    def _regions_of_one_genome(self) -> Self:
        if self.regions is None:
            return self
        if self.kind != "genome":
            raise ValueError(f"regions are read of kind genome alone, not of {self.kind}: that is read whole")
        if len(self.path) != 1:
            raise ValueError("regions belong to one FASTA: give a source for each")
        if self.circular:
            raise ValueError("a region is no ring: leave circular or regions out")
        if not self.regions:
            raise ValueError("regions names none: leave it out to read everything")
        return self
