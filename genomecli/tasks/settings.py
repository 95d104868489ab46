"""Settings of labelled data: where it is, what is predicted, how it is split, what it is held against."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from genomecli.settings import InputPath, Name, SafeName, Section, one_or_many, setting


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


Names = Annotated[
    tuple[Name, ...], BeforeValidator(one_or_many, json_schema_input_type=Name | tuple[Name, ...])
]
Paths = Annotated[
    tuple[InputPath, ...],
    BeforeValidator(one_or_many, json_schema_input_type=InputPath | tuple[InputPath, ...]),
]


class IntervalSettings(Section):
    """Labels of bases from an annotation of the sequences: GFF3, GTF or BED."""

    path: InputPath = setting(
        doc="GFF3, GTF or BED whose sequence names are the ids of the sequences; GenBank or EMBL, whose "
        "features are the parts of coding sequences, as type CDS."
    )
    classes: dict[Name, Name] = setting(
        doc="Feature type (column 3 of GFF3, name of BED), or TYPE:+ and TYPE:- for one strand, to class; of "
        "overlapping features the last one named here wins. Other features are left out.",
        min_length=1,
    )
    background: Name = setting("background", doc="Class of the bases in no feature.")


class DataSettings(Section):
    """A labelled table, or FASTA files with labels."""

    path: Paths = setting(
        (),
        doc="Tables (TSV, CSV, Parquet; plain, gz) or FASTA files, read one after the other; - is standard "
        "input. A member of a zip is FILE.zip::MEMBER. Columns of a FASTA are header, header:N (its N-th "
        "word, 1 is the id), and NAME for the value of NAME= or NAME: in the header.",
    )
    format: Literal["auto", "table", "fasta"] = setting(
        "auto", doc="table or fasta; auto goes by the content."
    )
    columns: Names = setting(
        (), doc="Names of the columns of a table without a header line; left out: the first line has them."
    )
    delimiter: Literal["auto", "tab", "comma", "semicolon", "space"] = setting(
        "auto", doc="What stands between the columns of a text table."
    )
    sequence: Name = setting("sequence", doc="Column of the sequences.")
    pair: Name | None = setting(None, doc="Column of second sequences, for pairs.")
    id: Name | None = setting(None, doc="Column of ids; left out: id if there is one, otherwise row numbers.")
    split: Name | None = setting(
        None,
        doc="Column that says train, valid or test; left out: split if there is one, and of a FASTA SET, "
        "where VALIDATION=True turns train into valid.",
    )
    group: Name | None = setting(
        None, doc="Column of groups, for splits by group; left out: group if a table has it."
    )
    covariates: Names = setting(
        (),
        doc="Numeric columns that are joined to the pooled vector, standardised; labels of bases or residues "
        "have no such vector and see none.",
    )
    classes: dict[Name, Paths] = setting(
        {}, doc="FASTA files as classes: name of the class to its files. Instead of path."
    )
    labels: InputPath | None = setting(
        None,
        doc="FASTA of label strings, one letter a base or residue, with the ids of the sequences; its "
        "headers may say SET= and VALIDATION=.",
    )
    mask: InputPath | None = setting(None, doc="FASTA of 0 and 1, one a base or residue: where labels count.")
    intervals: IntervalSettings | None = setting(
        None, doc="Labels of bases from an annotation of the FASTA records."
    )
    spliced: InputPath | None = setting(
        None,
        doc="FASTA of the spliced sequences of the same genes: each base is labelled exon or intron by "
        "where they lie in the sequences.",
    )
    window: int | None = setting(
        None,
        ge=1,
        unit="symbols",
        doc="Cut longer sequences into windows of this length, end to end. Windows of one sequence stay on "
        "one side of a split and are one unit of the intervals, unless split.by is locus.",
    )
    missing: Names = setting(
        ("", "NA", "N/A", "null"),
        doc="Cells of labels and covariates that say that the value is not known. NaN is none of them: it "
        "is refused unless it is named here.",
    )
    molecule: Literal["auto", "genome", "cds", "protein"] = setting(
        "auto",
        doc="genome: any DNA; cds: DNA that starts with a codon; protein. auto: by letters and model.",
    )
    frame: Literal[0, 1, 2] = setting(0, unit="bases", doc="Bases left out at the start of DNA.")
    table: int | None = setting(None, ge=1, doc="NCBI genetic code of coding sequences.")
    min_length: int = setting(1, ge=1, unit="symbols", doc="Shorter sequences are dropped and counted.")
    max_length: int | None = setting(None, ge=1, unit="symbols", doc="Longer ones likewise.")
    invalid: Literal["error", "drop"] = setting(
        "error",
        doc="Rows with an empty sequence, foreign letters or an unreadable label: stop, or drop and count.",
    )

    @model_validator(mode="after")
    def _check(self) -> DataSettings:
        if bool(self.path) == bool(self.classes):
            raise ValueError("give path or classes, and not both")
        if sum(given is not None for given in (self.labels, self.intervals, self.spliced)) > 1:
            raise ValueError("give one of labels, intervals and spliced")
        return self


class TargetSettings(Section):
    """One thing to predict."""

    columns: Names = setting(
        (),
        doc="Label columns; left out: the target's own name, or TARGET of a FASTA that has no such word in "
        "its headers, or the names in data.classes. Several: values, or one column a class.",
    )
    pattern: str | None = setting(
        None,
        doc="Regular expression searched in the cell; its first group is the label, and without a match "
        "there is none. With columns: header it takes a label out of FASTA headers.",
    )
    kind: Name = setting(
        "auto",
        doc="auto, binary, multiclass, multilabel, regression, token, or the registered name of a kind of "
        "another package. auto: token where labels of symbols are given; regression for numbers with a "
        "fraction or of more than 20 values; multilabel where a cell holds the separator or several columns "
        "hold 0 and 1; otherwise binary for 2 classes and multiclass for more.",
    )
    classes: Names = setting(
        (), doc="Names of the classes in order; left out: those of the training rows, sorted."
    )
    separator: str = setting(
        ";",
        min_length=1,
        doc="Between the classes in one cell of a multilabel column. A cell that holds it alone says: none "
        "of the classes; an empty one says that the label is not known.",
    )
    positive: Name | None = setting(None, doc="The positive class of a binary target; left out: the last.")
    primary: Name | None = setting(
        None,
        doc="Figure that decides which model is better. accuracy, balanced_accuracy, mcc, macro_f1, auroc "
        "or auprc of classes (f1 too of two; sequence_accuracy too of token labels); macro_f1, micro_f1, "
        "subset_accuracy, auroc or auprc of multilabel; pearson, spearman or r2 of values. Left out: mcc "
        "(binary), accuracy (multiclass, token), macro_f1 (multilabel), pearson (regression).",
    )
    log: bool = setting(False, doc="Predict log(1 + value); predictions are turned back.")
    weight: float = setting(1.0, gt=0, doc="Factor of its loss where several targets share a body.")
    class_weights: Literal["none", "balanced"] | dict[Name, float] = setting(
        "none",
        doc="Factors of the losses of each class's rows. multilabel: of the rows that have the class; those "
        "without it count 1 (pos_weight of torch). balanced: inversely to the counts in training; "
        "multilabel: rows without the class / rows with it.",
    )

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str | None) -> str | None:
        if value is not None and _compiled(value).groups != 1:
            raise ValueError(f"{value!r} has {_compiled(value).groups} groups; write one, around the label")
        return value


class SplitSettings(Section):
    """How rows become training, validation and test data."""

    by: Literal["auto", "column", "random", "stratified", "group", "cluster", "member", "locus"] = setting(
        "auto",
        doc="column: as the table says; random: by row; stratified: classes alike on all sides; group: "
        "rows of one group together; cluster: similar sequences together, of pairs those of which both "
        "sequences are; member: pairs together that share a sequence or a similar one; locus: near places "
        "of a genome together. auto: column if there is one, group if there is one, locus for data.intervals "
        "with data.window where a record is longer than split.block, otherwise cluster.",
    )
    valid: float = setting(0.1, ge=0, lt=1, doc="Share of the rows for validation.")
    test: float = setting(0.2, ge=0, lt=1, doc="Share of the rows for the test.")
    folds: int = setting(
        0,
        ge=0,
        le=100,
        doc="k of k-fold: each row is tested once; validation is cut from the rest. 0: one split.",
    )
    seed: int | None = setting(None, ge=0, doc="Of the split alone; left out: the run's own seed.")
    method: Literal["auto", "mmseqs", "kmer"] = setting(
        "auto",
        doc="Clustering. auto: of proteins by mmseqs where it is installed, otherwise by shared k-mers, "
        "which find more near copies of short DNA than mmseqs does.",
    )
    identity: float | None = setting(
        None,
        gt=0,
        le=1,
        doc="Sequences of at least this identity (equal letters among those aligned) are one cluster; "
        "without mmseqs it is judged by shared k-mers, of DNA also by what lies on each other. Left out: 0.8 "
        "for DNA, 0.5 for proteins; below that, k-mers find related sequences too seldom.",
    )
    translate: bool = setting(
        True,
        doc="Coding sequences (molecule cds) are similar if their proteins are. false: if their bases are, "
        "for libraries of synonymous variants.",
    )
    k: int | None = setting(
        None,
        ge=2,
        le=14,
        unit="symbols",
        doc="k of shared k-mers; left out: 12 for DNA, 4 for proteins (5 for more than 4 million residues).",
    )
    genome: InputPath | None = setting(
        None,
        doc="For locus: the genome (FASTA, GenBank, EMBL) in which the sequences are found; left out where "
        "the data itself are windows of a genome.",
    )
    distance: int = setting(
        1000, ge=0, unit="bases", doc="For locus with a genome: places nearer than this are one locus."
    )
    block: int = setting(
        10_000,
        ge=1,
        unit="bases",
        doc="For locus without a genome, which are windows of data.window: stretches of about this length "
        "stay together; their borders are moved by up to half of it to where no labelled feature is cut.",
    )

    @model_validator(mode="after")
    def _check(self) -> SplitSettings:
        if self.valid + self.test >= 1:
            raise ValueError("valid and test leave nothing to train on; lower one")
        if self.folds == 1:
            raise ValueError("folds 1 tests every row without training; set 0, or 2 and more")
        if self.folds and self.by == "column":
            raise ValueError("a column gives one split; set folds to 0, or by to another way")
        return self


BaselineName = Literal["majority", "composition", "cnn", "random"]


class BaselineSettings(Section):
    """What the network is held against, on the same split."""

    run: tuple[BaselineName, ...] = setting(
        ("majority", "composition", "cnn", "random"),
        doc="majority: commonest class or mean; composition: k-mer, codon or residue frequencies, or the "
        "letter at each place where all sequences have one length, with logistic or ridge regression; cnn: "
        "a small convolutional network; random: the same network from random weights.",
    )
    k: Annotated[int, Field(ge=1, le=8)] | None = setting(
        None, doc="k of the frequencies; left out: 4 for DNA, codons for cds, 2 for proteins."
    )


class MetricSettings(Section):
    """How predictions are judged."""

    bootstrap: int = setting(
        1000,
        ge=0,
        doc="Resamples for the intervals; groups of the split are resampled whole, and fewer "
        "than 6 units give no interval. 0: none.",
    )
    level: float = setting(0.95, gt=0, lt=1, doc="Coverage of the intervals.")


class HeadSettings(Section):
    """What stands on top of the body."""

    pooling: Literal["mean", "cls", "max", "attention", "centre", "places"] = setting(
        "mean",
        doc="How the states of a sequence become one vector; special tokens never count. centre: the "
        "state of the middle token, for sequences cut around an event, as a splice site; places: a mean with "
        "learned weights of each place, for sequences cut alike, as promoters around their start.",
    )
    hidden: int = setting(0, ge=0, doc="Width of a hidden layer; 0 is a linear head.")
    dropout: float = setting(0.1, ge=0, lt=1, doc="Dropout before each linear layer of the head.")
    style: Literal["plain", "hugging-face"] = setting(
        "plain",
        doc="hugging-face: with the layers that Hugging Face's classes of the network's architecture have "
        "before the last one, so that export can write the tuned model; needs pooling cls and hidden 0.",
    )

    @model_validator(mode="after")
    def _as_in_their_classes(self) -> HeadSettings:
        if self.style == "hugging-face" and (self.pooling != "cls" or self.hidden):
            raise ValueError("style hugging-face needs pooling cls and hidden 0")
        return self


TargetName = SafeName
