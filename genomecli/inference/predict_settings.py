"""Settings of ``predict``: which tuned model reads which sequences, and how its predictions are written."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from genomecli.settings import InputPath, InputPaths, Name, Section, setting
from genomecli.tasks.settings import MetricSettings, Names, Paths


class PredictSettings(Section):
    """Sequences and a tuned model in, what it predicts of them out."""

    model: InputPath | None = setting(
        None, doc="Run folder of finetune (its best checkpoint), or a checkpoint; also --model."
    )
    checkpoint: Literal["best", "last"] = setting("best", doc="Which checkpoint of a run folder.")
    member: Name | None = setting(
        None, doc="One run of a folder with several seeds or folds, such as seed-1 or fold-2."
    )
    ensemble: Literal["mean", "best", "error"] = setting(
        "mean",
        doc="A folder with several seeds or folds and no member named. mean: the mean of all their "
        "probabilities or values; best: the one with the lowest validation loss; error: stop. Of folds, "
        "most members have seen the rows that they were tuned on; the run's own predictions have not.",
    )
    inputs: InputPaths = setting(
        default_factory=list,
        doc="FASTA files or tables (TSV, CSV, Parquet), plain, gz or bgz; - for standard input; also given "
        "on the command line.",
    )
    input_format: Literal["auto", "table", "fasta"] = setting(
        "auto", doc="What the inputs are; auto goes by the content."
    )
    columns: Names | None = setting(
        None, doc="Names of the columns of a table without a header line; left out: as in training."
    )
    delimiter: Literal["auto", "tab", "comma", "semicolon", "space"] | None = setting(
        None, doc="What stands between the columns of a text table; left out: as in training."
    )
    sequence: Name | None = setting(None, doc="Column of the sequences; left out: as in training.")
    pair: Name | None = setting(
        None, doc="Column of the second sequences, for a model of pairs; left out: as in training."
    )
    id: Name | None = setting(
        None, doc="Column of ids; left out: as in training, id if there is one, otherwise row numbers."
    )
    missing: Names | None = setting(
        None,
        doc="Cells of covariates and labels that say that a value is not known; left out: as in training.",
    )
    invalid: Literal["drop", "error"] = setting(
        "drop",
        doc="Records with an empty sequence or foreign letters, and those too short for a token: named and "
        "counted, or the end of the run.",
    )
    targets: Names = setting((), doc="Which targets of the model are written; left out: all of them.")
    strand: Literal["+", "-", "both"] = setting(
        "+",
        doc="DNA: - reads the reverse complement; labels of bases stand in the places of the record all the "
        "same. both: one after the other, each with its strand.",
    )
    long_input: Literal["window", "truncate", "error"] | None = setting(
        None,
        doc="Sequences longer than the window. window: read in overlapping windows, states averaged; "
        "truncate: only the first tokens; error: stop. Left out: as in training.",
    )
    window: int | None = setting(
        None,
        ge=1,
        unit="tokens",
        doc="Tokens read at once, special tokens not counted; left out: as in training.",
    )
    stride: int | None = setting(
        None, ge=1, unit="tokens", doc="Tokens from window to window; left out: half a window."
    )
    tokens_per_batch: int = setting(
        16_384,
        ge=16,
        unit="tokens",
        doc="Size of a batch, padding included. Halved when memory does not suffice.",
    )
    format: Literal["auto", "tsv", "parquet", "bed", "bedgraph", "gff3"] = setting(
        "auto",
        doc="auto goes by the ending of --out. Standard output is TSV where nothing else is said. BED, "
        "bedGraph and GFF3 are for labels of symbols.",
    )
    rows: Literal["symbol", "run"] = setting(
        "symbol",
        doc="Tables of labels of symbols: a row a base or residue (positions from 1), or a row a run of one "
        "class (start and end, 0-based half-open; means of the probabilities).",
    )
    classes: Names = setting(
        (),
        doc="BED and GFF3: the classes that are written; left out: all but the background. bedGraph: the one "
        "class whose probability is written; left out: the other one of two, if one is the background.",
    )
    background: Name | None = setting(
        None, doc="The class that tracks leave out; left out: as in training, or one called background."
    )
    coordinates: Literal["record", "region"] = setting(
        "record",
        doc="Of tracks. record: a record is a contig, its id the name; region: ids CONTIG:START-END are "
        "pieces of contigs, 1-based inclusive or 0-based half-open by the record's length, with (-) at the "
        "end for the other strand.",
    )
    measure: bool = setting(
        False,
        doc="Read the labels too, write them beside the predictions, and measure how they agree: of all "
        "rows, and of those that the model did not meet in its tuning. The column seen says train (it "
        "learned from the row, or from an equal one), valid (its weights were chosen by it) or nothing.",
    )
    labels: InputPath | None = setting(
        None,
        doc="For measure: FASTA of label strings, one letter a base or residue, with the ids of the records.",
    )
    mask: InputPath | None = setting(
        None, doc="For measure: FASTA of 0 and 1, one a base or residue: where labels count."
    )
    intervals: InputPath | None = setting(
        None,
        doc="For measure: GFF3, GTF, BED, GenBank or EMBL that names the records; its features have the "
        "classes that they had in training.",
    )
    spliced: InputPath | None = setting(
        None, doc="For measure: FASTA of the spliced sequences of the records, which are genes."
    )
    class_inputs: dict[Name, Paths] = setting(
        {}, doc="For measure: FASTA files as classes, name of the class to its files. Instead of inputs."
    )
    metrics: MetricSettings = setting(MetricSettings(), doc="For measure: how intervals are made.")

    @property
    def paths(self) -> list[str]:
        """The files that are predicted, in order."""
        return [*self.inputs, *(path for paths in self.class_inputs.values() for path in paths)]

    @property
    def label_paths(self) -> list[str]:
        """Files of labels beside the sequences, in the order in which they are read."""
        given = (self.labels, self.intervals, self.spliced, self.mask)
        return [path for path in given if path is not None]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if [*self.paths, *self.label_paths].count("-") > 1:
            raise ValueError("standard input (-) can be read once only")
        if self.stride is not None and self.window is not None and self.stride > self.window:
            raise ValueError(f"stride {self.stride} skips tokens between windows of {self.window}")
        if self.measure and self.strand == "both":
            raise ValueError("measure judges one prediction a record; set strand to + or -")
        if not self.measure and (self.label_paths or self.class_inputs):
            raise ValueError("labels, mask, intervals, spliced and class_inputs need measure: true")
        if sum(one is not None for one in (self.labels, self.intervals, self.spliced)) > 1:
            raise ValueError("give one of labels, intervals and spliced")
        return self
