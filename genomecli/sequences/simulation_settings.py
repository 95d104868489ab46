"""Settings of ``simulate``."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from genomecli.settings import SafeName, Section, setting


class SpeciesSettings(Section):
    """One made-up species."""

    name: SafeName = setting(doc="Name of the species; becomes part of its files' names.")
    code: int = setting(1, doc="NCBI number of the genetic code that it is written in.", ge=1, le=33)
    genes: int = setting(600, doc="Number of protein-coding genes.", unit="genes", ge=2, le=200_000)
    gene_length: int = setting(
        260, doc="Median length of a protein; lengths are log-normal.", unit="residues", ge=20, le=5_000
    )
    gc3: float = setting(
        0.55,
        doc="Wanted share of G and C at third codon positions, where synonyms leave a choice.",
        ge=0.05,
        le=0.95,
    )
    gc: float = setting(0.5, doc="Share of G and C between genes.", ge=0.05, le=0.95)
    usage_noise: float = setting(
        0.5,
        doc="How unevenly synonyms are used beyond GC3: standard deviation of their log weights.",
        ge=0,
        le=3,
    )
    intergenic: int = setting(120, doc="Mean bases between genes.", unit="bases", ge=0, le=100_000)
    contigs: int = setting(2, doc="Number of chromosomes.", ge=1, le=10_000)
    introns: float = setting(0.0, doc="Share of genes with one intron.", ge=0, le=1)


class SimulateSettings(Section):
    """Small synthetic species with a known code and a known grammar of amino acids."""

    species: list[SpeciesSettings] = setting(
        default_factory=lambda: [
            SpeciesSettings(name="standard_yeast", code=1, gc3=0.45, gc=0.42),
            SpeciesSettings(name="ctg_yeast", code=12, gc3=0.55, gc=0.48),
        ],
        doc="The species to make.",
        min_length=1,
        max_length=100,
    )
    dependence: float = setting(
        1.0,
        doc="How strongly neighbouring amino acids depend on each other: standard deviation of the log ratio "
        "between a pair's frequency and chance. 0 is independence; real proteomes are near 0.1.",
        ge=0,
        le=3,
    )
    reach: int = setting(
        2, doc="Distance over which amino acids depend on each other.", unit="residues", ge=1, le=4
    )
    drift: float = setting(
        0.2,
        doc="How far each species' grammar differs from the common one, as a share of `dependence`.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [species.name for species in self.species]
        if len(set(names)) < len(names):
            raise ValueError("species names must differ")
        return self
