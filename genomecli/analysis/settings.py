"""Settings of ``mrr-compare``: which runs, which vectors, which similarities, which controls."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from genomecli.settings import InputPath, Name, SafeName, Section, setting

VectorKind = Literal["static", "contextual"]
Similarity = Literal["cosine", "centred", "csls", "csls_centred", "procrustes", "cka"]
Split = Literal["train", "valid", "test"]
Removed = Literal["gc3", "frequency"]

AUTO_BACKGROUND = 24
"""Codons from which pairs are background, where nothing else is said."""

NEEDS_NO_SPACE = ("procrustes", "cka")
"""Similarities that also hold between vectors of two networks."""


class RunEntry(Section):
    """One trained model to look at."""

    path: InputPath = setting(
        doc="A run folder of pretrain, one of its checkpoints, or a folder of Hugging Face's."
    )
    name: SafeName | None = setting(None, doc="Its name in tables and figures; the folder's name by default.")
    checkpoint: Literal["best", "last"] | Name = setting(
        "best", doc="Which checkpoint of a run folder: best, last, or a checkpoint's folder name."
    )
    corpus: InputPath | None = setting(
        None, doc="Corpus that this run is read with; the section's corpus by default, then the run's own."
    )
    frame: Literal[0, 1, 2] | None = setting(
        None,
        doc="Reading frame that the run was trained at; taken from the run's own settings by default.",
    )
    proteins_of: InputPath | None = setting(
        None, doc="Another network whose amino acids are this run's; the section's by default."
    )


class BaselineSettings(Section):
    """Static word vectors of the texts that the run was trained on, the classical yardstick."""

    ppmi: bool = setting(True, doc="Positive pointwise mutual information, then a truncated SVD.")
    word2vec: bool = setting(True, doc="Skip-gram with negative sampling, full-batch on the pair counts.")
    window: int = setting(4, doc="Neighbours on each side that count as context.", unit="tokens", ge=1, le=50)
    dimension: int = setting(
        64, doc="Width of the static vectors; capped by the number of words.", ge=2, le=1024
    )
    corpus_sizes: tuple[int, ...] = setting(
        (10_000, 100_000, 1_000_000, 10_000_000),
        doc="Amounts of the run's own training texts to learn from, counted as the run's tokens; all that it "
        "read is always added.",
        unit="tokens",
    )
    max_tokens: int = setting(
        20_000_000,
        doc="At most this much of the run's training texts is read again for the baselines.",
        unit="tokens",
        ge=1000,
    )
    iterations: int = setting(200, doc="Full-batch steps of word2vec.", ge=1, le=10_000)

    @field_validator("corpus_sizes")
    @classmethod
    def _rising(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 100 for size in sizes):
            raise ValueError("a corpus size is below 100 tokens")
        return tuple(sorted(set(sizes)))


class DecipherSettings(Section):
    """What ``mrr-compare --decipher`` recovers the genetic code from, and how hard it looks."""

    codons: SafeName | None = setting(
        None, doc="Species whose genes are read; the one with genes in the corpus by default."
    )
    proteins: SafeName | None = setting(
        None,
        doc="Species whose proteins are the other text; that of the genes by default. Own proteins carry the "
        "annotator's code: only those of another species, or peptides, tell what code a cell uses.",
    )
    molecule: Literal["cds", "genome"] = setting(
        "cds",
        doc="cds: genes, in frame. genome: a genome without annotation; coding windows are found in all six "
        "readings first.",
    )
    bases: int = setting(
        20_000_000,
        doc="At most this much of a genome is read, in pieces drawn at random.",
        unit="bases",
        ge=10_000,
    )
    relation: Literal["auto", "disjoint", "comparable", "none"] = setting(
        "auto",
        doc="disjoint: genes of half of the families, proteins of the other half; comparable: the same genes "
        "on both sides; none: all there is; auto: disjoint for one species, none for two.",
    )
    frame: Literal[0, 1, 2] = setting(0, doc="Bases left out at the start of each gene.")
    strand: Literal["+", "-"] = setting("+", doc="-: genes are read from their reverse complement.")
    genes: int | None = setting(None, doc="At most this many genes, drawn at random.", unit="genes", ge=2)
    translate_with: int | None = setting(
        None,
        doc="Control: instead of proteins, genes of the other families translated with this NCBI code, right "
        "or wrong. The answer should follow it, where the codons in question are not rare.",
        ge=1,
        le=33,
    )
    nearest: int = setting(
        2,
        doc="Smallest distance of the pairs that are counted; 1 lets codon-pair bias in.",
        unit="codons",
        ge=1,
    )
    farthest: int = setting(
        8, doc="Largest distance of the pairs that are counted.", unit="codons", ge=1, le=100
    )
    background: Literal["auto"] | Annotated[int, Field(ge=10, le=1000)] | None = setting(
        "auto",
        doc="From this distance to about twice it, pairs are the background that is taken off on both sides: "
        "what a gene's codons or a protein's residues share anywhere in it. Beyond farthest; null: none; "
        "auto: 24, but none where the proteins are peptides, too short for it.",
        unit="codons",
    )
    pseudo: float = setting(
        20.0, doc="Pairs added to each cell of the proteins' table, so that rare ones say little.", gt=0
    )
    composition: float = setting(
        0.005,
        doc="Weight of the proteins' composition, a share of all pairs; small, since species differ in it.",
        ge=0,
    )
    chains: int = setting(24, doc="Random assignments that are annealed at once.", ge=1, le=10_000)
    sweeps: int = setting(80, doc="Times that each codon is drawn anew while cooling.", ge=2, le=100_000)
    bootstrap: int = setting(
        40,
        doc="Resamples of genes and proteins, with distances weighted anew; each is deciphered.",
        ge=10,
        le=10_000,
    )
    resample: Literal["auto", "records", "composition"] = setting(
        "auto",
        doc="records: genes and proteins are drawn with replacement. composition: groups of them that are "
        "alike in composition are weighted unevenly, so that what another composition would change is "
        "undecided; auto: composition where the proteins are of another species and are not peptides, "
        "records otherwise.",
    )
    support: float = setting(
        0.9, doc="Share of the resamples that must agree, or the codon is undecided.", gt=0.5, le=1
    )
    controls: bool = setting(
        True,
        doc="Also decipher the five other readings of the genes, and against shuffled proteins: no codon is "
        "decided where the evidence is not 2 standard deviations above each. It must be above 0 in any case.",
    )

    @field_validator("translate_with")
    @classmethod
    def _code_exists(cls, value: int | None) -> int | None:
        if value is not None and not (1 <= value <= 6 or 9 <= value <= 16 or 21 <= value <= 33):
            raise ValueError("NCBI has no such genetic code; they are 1-6, 9-16 and 21-33")
        return value

    @model_validator(mode="after")
    def _fits_a_genome(self) -> DecipherSettings:
        if self.molecule == "genome":
            found = {"relation": self.relation not in ("auto", "none"), "genes": self.genes is not None}
            found |= {"frame": self.frame != 0, "strand": self.strand != "+"}
            found["translate_with"] = self.translate_with is not None
            if wrong := [name for name, given in found.items() if given]:
                raise ValueError(f"{', '.join(wrong)} asks for annotated genes; molecule is genome")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> DecipherSettings:
        if self.farthest < self.nearest:
            raise ValueError(f"farthest {self.farthest} is below nearest {self.nearest}")
        background = AUTO_BACKGROUND if self.background == "auto" else self.background
        if background is not None and background <= self.farthest:
            raise ValueError(
                f"background {background} is not beyond farthest {self.farthest}: what is looked for "
                "would be taken off"
            )
        return self


class CompareSettings(Section):
    """What ``mrr-compare`` measures, and against what."""

    runs: tuple[RunEntry, ...] = setting((), doc="The runs to compare; also given on the command line.")
    corpus: InputPath | None = setting(
        None, doc="Corpus with held-out sequences; by default the one each run was trained on."
    )
    proteins_of: InputPath | None = setting(
        None,
        doc="A run, checkpoint or folder of Hugging Face's: each run's codons are compared with the amino "
        "acids of this network instead of its own. Two networks share no space, so by Procrustes and CKA.",
    )
    species: tuple[Name, ...] = setting(
        (), doc="Species to look at; all that run and corpus share by default."
    )
    vectors: tuple[VectorKind, ...] = setting(
        ("static", "contextual"),
        doc="static: rows of the embedding. contextual: mean state of a word over held-out sequences.",
        min_length=1,
    )
    layers: Literal["all"] | tuple[int, ...] = setting(
        "all", doc="Layers of contextual vectors: all, or a list; 0 is the embedding, -1 the last."
    )
    headline_layer: Literal["auto", "middle", "others"] | int = setting(
        "auto",
        doc="Layer of the headline. others: the layer that is best on the other species, never its own; "
        "middle: the middle one; a number: that one; auto: others with several species, else middle.",
    )
    frames: tuple[Literal[0, 1, 2], ...] = setting(
        (0, 1, 2),
        doc="Reading frames in which genes are fed to the model. The frame that a run was trained at is its "
        "own and always added; the others are the negative controls.",
        min_length=1,
    )
    similarities: tuple[Similarity, ...] = setting(
        ("cosine", "centred", "csls", "csls_centred", "procrustes", "cka"),
        doc="How nearness is measured. procrustes, scored on left-out amino acids, is the headline.",
        min_length=1,
    )
    csls_k: int = setting(5, doc="Neighbours K of CSLS.", ge=1, le=20)
    axes: int = setting(
        12, doc="Principal axes of the Procrustes map, fitted on the training items.", ge=1, le=19
    )
    molecule: Literal["auto", "cds", "genome"] = setting(
        "auto", doc="DNA text of the contextual vectors: genes, or genome windows; auto prefers genes."
    )
    splits: tuple[Split, ...] = setting(
        ("valid", "test"), doc="Held-out records that contextual vectors come from.", min_length=1
    )
    min_codons: int = setting(
        2_000,
        doc="With fewer held-out codons than this, records are drawn from every split, and the page says so.",
        unit="tokens",
        ge=0,
    )
    max_tokens: int = setting(
        100_000,
        doc="At most this many tokens of each language are read; of a genome, in stretches from all of it.",
        unit="tokens",
        ge=100,
    )
    min_count: int = setting(
        5, doc="Words seen less often than this have no contextual vector.", unit="occurrences", ge=1
    )
    strip_terminal: bool = setting(
        True, doc="Leave out start and stop codons and the first methionine: their place gives them away."
    )
    untrained: bool = setting(True, doc="Also measure the same network with the fresh weights of its seed.")
    permutations: int = setting(
        200, doc="Shuffles of amino acids among codon blocks, for each null and p-value.", ge=19, le=100_000
    )
    draws: int = setting(
        200, doc="Random vectors drawn for the simulated null of a similarity.", ge=20, le=100_000
    )
    bootstrap: int = setting(1000, doc="Bootstrap draws over amino acids.", ge=0, le=100_000)
    gene_bootstrap: int = setting(
        50, doc="Bootstrap draws over genes or loci; 0 switches it off.", ge=0, le=10_000
    )
    gene_buckets: int = setting(
        40,
        doc="Genes, or stretches of a genome, are put into this many groups, which the bootstrap draws.",
        ge=2,
        le=1000,
    )
    codes: Literal["all"] | tuple[int, ...] = setting(
        "all", doc="NCBI tables to rank by how well they explain the vectors."
    )
    baselines: BaselineSettings = Field(
        default_factory=BaselineSettings, description="Static word vectors of the run's own texts."
    )
    decipher: DecipherSettings = Field(
        default_factory=DecipherSettings, description="The genetic code from unpaired texts (--decipher)."
    )
    remove: tuple[Removed, ...] = setting(
        (),
        doc="Also measure both endpoints on codon vectors from which a linear regression took these off, "
        "each alone and all together, and what such properties explain of the codons' similarity. gc3: "
        "whether the third base is G or C; frequency: logarithm of the codon's usage.",
    )
    codon_surprise: bool = setting(
        False,
        doc="Also hide the codons of the held-out genes, one in eight at a time, and write how surprising "
        "each is beside its usage, near starts, near stops and between (codon_surprise.tsv).",
    )
    retrieval: bool = setting(True, doc="Whether to look up each gene's protein by their pooled vectors.")
    retrieval_genes: int = setting(
        1000, doc="At most this many genes take part in the retrieval.", unit="genes", ge=10
    )
    pairs: Literal["all"] | tuple[tuple[Name, Name], ...] = setting(
        "all", doc="Pairs of runs, by name, to compare with each other; all by default."
    )
    checkpoints: bool = setting(
        True,
        doc="Also measure the kept checkpoints of each run, for the figures along training, on a quarter of "
        "the texts.",
    )
    max_checkpoints: int = setting(6, doc="At most this many checkpoints a run, evenly spread.", ge=1, le=100)
    map_method: Literal["pca", "mds"] = setting(
        "pca", doc="Two-dimensional map of codons and amino acids: principal axes or classical MDS."
    )
    figures: bool = setting(True, doc="Whether to draw figures.")
    dpi: int = setting(150, doc="Resolution of the PNG figures.", unit="dots per inch", ge=50, le=600)

    @field_validator("remove")
    @classmethod
    def _removed_once(cls, names: tuple[Removed, ...]) -> tuple[Removed, ...]:
        if len(set(names)) < len(names):
            raise ValueError("a property is named twice")
        return names

    @model_validator(mode="after")
    def _distinct(self) -> CompareSettings:
        names = [run.name for run in self.runs if run.name]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two runs are named {', '.join(twice)}")
        return self
