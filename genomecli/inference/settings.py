"""Settings of ``embed``: which model reads what, which vectors are wanted, and how they are written."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from genomecli.settings import InputPath, InputPaths, Name, Section, one_or_many, setting

_Pooling = Literal["mean", "cls", "max", "centre"]
TableFormat = Literal["parquet", "tsv", "npy", "safetensors", "h5ad"]
"""Formats of embedding tables, which are also their endings."""


class EmbedSettings(Section):
    """Sequences and a model in, a table of vectors out."""

    model: InputPath | None = setting(
        None,
        doc="Run folder of pretrain (its best checkpoint), a checkpoint, or a folder of Hugging Face's; also "
        "--model.",
    )
    checkpoint: Literal["best", "last"] = setting("best", doc="Which checkpoint of a run folder.")
    inputs: InputPaths = setting(
        default_factory=list,
        doc="FASTA files, plain, gz or bgz; - for standard input; also given on the command line.",
    )
    corpus: InputPath | None = setting(None, doc="A corpus to read instead of FASTA files.")
    split: Literal["all", "train", "valid", "test"] = setting("all", doc="Which records of the corpus.")
    species: Name | None = setting(
        None, doc="The species of the model that the sequences are read as; needed if it knows several."
    )
    molecule: Literal["auto", "genome", "cds", "protein"] = setting(
        "auto",
        doc="genome: any DNA; cds: DNA that starts with a codon; protein. auto: genome or protein, by the "
        "letters; of a corpus everything that it holds.",
    )
    frame: Literal["auto", 0, 1, 2] = setting(
        "auto",
        doc="Bases left out at the start of DNA. auto: as the run was trained, of cds by its frame, of other "
        "DNA by its genome_frame (by frame, if it saw genes alone); 0 where it drew one for each text.",
        unit="bases",
    )
    strand: Literal["+", "-"] = setting("+", doc="- reads the reverse complement of DNA.")
    table: int | None = setting(
        None,
        doc="NCBI genetic code that says which codons start and stop a cds; the corpus' or 1 if not given.",
        ge=1,
    )
    level: Literal["record", "token", "vocabulary"] = setting(
        "record", doc="One row a sequence, one a token of it, or one a word of the model's vocabulary."
    )
    pooling: Annotated[
        list[_Pooling], BeforeValidator(one_or_many, json_schema_input_type=_Pooling | list[_Pooling])
    ] = setting(
        default_factory=lambda: ["mean"],
        doc="How a sequence's token states become one vector. Special tokens and padding never count.",
        min_length=1,
    )
    layers: (
        Literal["all"]
        | Annotated[list[int], BeforeValidator(one_or_many, json_schema_input_type=int | list[int])]
    ) = setting(
        default_factory=lambda: [-1],
        doc="Layers: 0 is after the embedding, -1 the last; a list of numbers, or all.",
        min_length=1,
    )
    vectors: Literal["auto", "static", "contextual", "both"] = setting(
        "auto",
        doc="For level vocabulary. static: rows of the embedding; contextual: mean states over all "
        "occurrences in the sequences; auto: both if there are sequences, otherwise static.",
    )
    terminals: Literal["auto", "keep", "leave_out"] = setting(
        "auto",
        doc="Start and stop codons of a cds, and the first methionine of a protein: they are always read; "
        "leave_out lets them not count in any mean. auto: leave_out for level vocabulary, otherwise keep.",
    )
    long_input: Literal["window", "truncate", "error"] = setting(
        "window",
        doc="Sequences longer than the window. window: read in overlapping windows, states averaged with "
        "weights that fall towards a window's ends; truncate: only the first tokens; error: stop.",
    )
    window: int | None = setting(
        None,
        doc="Tokens read at once, special tokens not counted; left out: all that the model takes.",
        unit="tokens",
        ge=1,
    )
    stride: int | None = setting(
        None, doc="Tokens from window to window; left out: half a window.", unit="tokens", ge=1
    )
    tokens_per_batch: int = setting(
        16_384,
        doc="Size of a batch, padding included. Halved when memory does not suffice.",
        unit="tokens",
        ge=16,
    )
    format: Literal["auto"] | TableFormat = setting(
        "auto",
        doc="Format of the table; auto goes by the ending of --out. Standard output is TSV. "
        "h5ad is AnnData's (the extra anndata).",
    )
    dtype: Literal["float32", "float16"] = setting(
        "float32", doc="Number format of the vectors in the table."
    )
    description: bool = setting(False, doc="Also write the rest of each header, as a column.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.inputs and self.corpus:
            raise ValueError("give inputs or a corpus, not both")
        if self.inputs.count("-") > 1:
            raise ValueError("standard input (-) can be read once only")
        if self.stride is not None and self.window is not None and self.stride > self.window:
            raise ValueError(f"stride {self.stride} skips tokens between windows of {self.window}")
        return self
