"""Settings of ``score``: which model judges which variants or sequences, how, and what is written."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from genomecli.settings import InputPath, InputPaths, Name, Section, setting


class ScoreSettings(Section):
    """Variants, or whole sequences, and a pretrained model in; how little the model expects them out."""

    model: InputPath | None = setting(
        None,
        doc="Run folder of pretrain (its best checkpoint), a checkpoint, or a folder of Hugging Face's; also "
        "--model.",
    )
    checkpoint: Literal["best", "last"] = setting("best", doc="Which checkpoint of a run folder.")
    vcf: InputPath | None = setting(
        None, doc="Variants: VCF, plain, gz or bgz, - for standard input; BCF with pysam. Also --vcf."
    )
    reference: InputPath | None = setting(
        None, doc="FASTA that the VCF refers to: plain, bgz, or a gz of at most 64 MiB. Also --reference."
    )
    mutations: InputPath | None = setting(
        None, doc="Mutations such as H24Y or A23T:G45D: a TSV or CSV, or one a line. Also --mutations."
    )
    column: Name = setting("mutant", doc="Column of the mutations.")
    wildtype: Literal["infer"] | InputPath | None = setting(
        None,
        doc="FASTA of the sequence that the mutations change; infer: undo each row's mutations in its "
        "sequence_column, which must give the same for all rows. Also --wildtype.",
    )
    wildtype_column: Name | None = setting(
        None, doc="Column that names each row's record of the wildtype; needed if it has several."
    )
    sequence_column: Name = setting(
        "mutated_sequence", doc="Column of the changed sequences, for wildtype: infer."
    )
    measured: Name | None = setting(
        None,
        doc="Numeric column of the mutations with measured values: the scores are compared with it by "
        "Spearman's correlation, beside simple baselines.",
    )
    draws: int = setting(1000, doc="Bootstrap draws of that comparison's intervals.", ge=10)
    scan: InputPaths = setting(
        default_factory=list, doc="FASTA files to scan: the surprise of every base or residue. Also --scan."
    )
    species: Name | None = setting(
        None, doc="The species that sequences are read as; needed where the model tells several apart."
    )
    molecule: Literal["auto", "genome", "cds", "protein"] = setting(
        "auto",
        doc="genome: any DNA; cds: DNA that starts with a codon, one strand; protein. auto: a VCF is of a "
        "genome; otherwise genome or protein, by the letters.",
    )
    level: Literal["auto", "base", "residue"] = setting(
        "auto",
        doc="What the mutations of a cds name: residue for amino acids (places count codons; needs a codon "
        "model), base for bases. auto: residue for molecule cds, otherwise what the sequence is written in.",
    )
    method: Literal["masked", "wildtype", "pseudo_perplexity"] = setting(
        "masked",
        doc="masked: log p(new) - log p(old) summed over the changed tokens, hidden together; wildtype: the "
        "same with nothing hidden; pseudo_perplexity: the tokens around are hidden one by one in the old and "
        "the new sequence. Indels always take the last.",
    )
    strand: Literal["auto", "both", "+", "-"] = setting(
        "auto", doc="Strands of DNA that are read; both are averaged. auto: both of a genome, + of a cds."
    )
    frame: Literal["auto", "all", 0, 1, 2, 3, 4, 5, 6, 7] = setting(
        "auto",
        doc="Bases left out at the start of the strand that is read, below the tokens' stride; all: each "
        "in turn, averaged. auto: all of a genome, the run's own of a cds. Single bases have one frame.",
        unit="bases",
    )
    synonyms: Literal["auto", "sum", "separate"] = setting(
        "auto",
        doc="Codon models. sum: a missense change is one of amino acids, p is summed over the codons that "
        "mean the same; separate: codons are compared one by one. auto: sum where one frame is read.",
    )
    table: int | None = setting(
        None, doc="NCBI genetic code that says which codons mean the same; 1 if not given.", ge=1
    )
    window: int | None = setting(
        None,
        doc="Tokens read at once around a variant, special tokens not counted; left out: as many as the "
        "longest text that the run was trained on.",
        unit="tokens",
        ge=1,
    )
    reach: int = setting(
        16,
        doc="Tokens on either side of a change that its pseudo-perplexity is taken over.",
        unit="tokens",
        ge=0,
    )
    max_indel: int = setting(
        50, doc="Longer insertions and deletions have no score; nor has one over half a window.", ge=1
    )
    passes: int = setting(
        8,
        doc="Scan and pseudo-perplexity: one of this many places is hidden at a time, so each text is read "
        "so many times; a number above the window's hides them one by one. 0, of a scan: hides nothing and "
        "reads once (not where tokens overlap).",
        ge=0,
        le=1000,
    )
    stop_codon: Literal["auto", "score", "leave_out"] = setting(
        "auto",
        doc="Scan of a cds: the stop codon at its end. leave_out: it is not read and has no value. auto: "
        "left out where a codon model was trained on genes without it (pretrain.reading.strip), to which it "
        "would be a surprise in every gene.",
    )
    mismatch: Literal["error", "skip"] = setting(
        "error",
        doc="A variant whose old letters are not those of the reference or wild type. skip: no score, "
        "counted.",
    )
    unit: Literal["nats", "bits"] = setting(
        "nats", doc="Unit of scores and surprises: natural logarithms, or logarithms to base 2."
    )
    info: str = setting(
        "GENOMECLI_LLR",
        doc="Name of the INFO field of an annotated VCF.",
        pattern=r"^([A-Za-z_][0-9A-Za-z_.]*|1000G)$",
    )
    figures: bool = setting(True, doc="Draw OUT.png: the surprise, or scores against measured values.")
    tokens_per_batch: int = setting(
        16_384,
        doc="Size of a batch, padding included. Halved when memory does not suffice.",
        unit="tokens",
        ge=16,
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in ("vcf", "mutations", "scan") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"give one of vcf, mutations and scan, not {' and '.join(given)}")
        streams = [self.vcf, self.reference, self.mutations, self.wildtype, *self.scan].count("-")
        if streams > 1:
            raise ValueError("standard input (-) can be read once only")
        return self
