"""The command line: names, options, exit codes. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import gc
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from genomecli.cli_frame import (
    ConfigFile,
    Corpus,
    DryRun,
    Force,
    MaxMinutes,
    Model,
    Out,
    Overrides,
    Resume,
    Seeds,
    Shown,
    app,
    command,
    ended,
    fail,
    foreign,
    reader_left,
    section_of,
    shard_of,
)
from genomecli.environment import prepare
from genomecli.errors import GenomecliError, InterruptedRunError, UsageError
from genomecli.version import __version__


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genomecli {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the subcommand."""


@command("simulate", "Example: genomecli simulate -o sim --set seed=1")
def simulate(
    config: ConfigFile = None, overrides: Overrides = None, out: Out = Path("sim"), force: Force = False
) -> None:
    """Make small species with a known code and grammar: genome, GFF3, CDS, proteins."""
    from genomecli.commands.simulate import run_simulate

    run_simulate(section_of(config, overrides, "simulate"), out, force=force)


@command("tokenize", "Example: genomecli tokenize genome.gbk.gz -o corpus; or -c experiment.yaml -o corpus")
def tokenize(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...", help="One species a file, named by it, instead of the YAML's species."
        ),
    ] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    out: Out = Path("corpus"),
    force: Force = False,
    resume: Resume = False,
    workers: Annotated[int | None, typer.Option("--workers", "-j", help="Files read at once.", min=1)] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Read only part I (1 to N) of the files.")
    ] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Join the parts that --shard jobs made.")] = False,
    preview: Annotated[int, typer.Option("--preview", help="Show this many records as tokens.", min=0)] = 0,
) -> None:
    """Read FASTA, GenBank, EMBL or FASTA + GFF3 into a corpus that training reads from."""
    from genomecli.commands.inputs import species_settings
    from genomecli.commands.tokenize import run_tokenize

    chosen = list(overrides or []) + (species_settings(inputs) if inputs else [])
    settings = section_of(config, chosen, "tokenize")
    run_tokenize(
        settings,
        out,
        force=force,
        resume=resume,
        shard=shard_of(shard),
        merge=merge,
        workers=workers,
        preview=preview,
    )


@command(
    "pretrain",
    "Example: genomecli pretrain -c experiment.yaml -o runs/ecoli; after an interruption add --resume; "
    "in several processes: torchrun --nproc-per-node N -m genomecli pretrain ...",
)
def pretrain(
    config: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Corpus = None,
    out: Out = Path("run"),
    force: Force = False,
    resume: Resume = False,
    dry_run: DryRun = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Propose a preset for this corpus and machine.")
    ] = False,
    seeds: Seeds = None,
    max_minutes: MaxMinutes = None,
) -> None:
    """Train an encoder on a corpus; checkpoints in safetensors, curves and metrics beside them."""
    from genomecli.commands.pretrain import run_pretrain

    chosen = list(overrides or []) + ([f"pretrain.corpus={corpus}"] if corpus else [])
    chosen += [f"pretrain.seeds={seeds}"] if seeds is not None else []
    chosen += [f"pretrain.max_minutes={max_minutes}"] if max_minutes is not None else []
    settings = section_of(config, chosen, "pretrain")
    run_pretrain(settings, out, force=force, resume=resume, dry_run=dry_run, suggest=suggest)


@command(
    "finetune",
    "Example: genomecli finetune -c promoters.yaml --model runs/ecoli -o tuned; or without a YAML: "
    "genomecli finetune --model runs/ecoli --data promoters.tsv --target label -o tuned; "
    "in several processes: torchrun --nproc-per-node N -m genomecli finetune ...",
)
def finetune(
    config: ConfigFile = None,
    overrides: Overrides = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Pretrained run or checkpoint.", show_default=False)
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="Labelled table or FASTA; - is standard input.", show_default=False),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="Column to predict; those not named are left out.", show_default=False),
    ] = None,
    out: Out = Path("tuned"),
    force: Force = False,
    resume: Resume = False,
    check: Annotated[bool, typer.Option("--check", help="Print what the data are, and stop.")] = False,
    dry_run: DryRun = False,
    seeds: Seeds = None,
    max_minutes: MaxMinutes = None,
) -> None:
    """Tune a network on labelled sequences and judge it on held-out rows, baselines beside it."""
    from genomecli.commands.finetune import run_finetune
    from genomecli.commands.finetune_targets import choose_targets, default_targets

    chosen = list(overrides or []) + ([f"finetune.model={model}"] if model else [])
    chosen += [f"finetune.data.path={json.dumps(data)}"] if data else []
    if data and not target and config is None and not any("finetune.targets" in one for one in chosen):
        chosen.append(f"finetune.targets={json.dumps(default_targets(data))}")
    chosen += [f"finetune.seeds={seeds}"] if seeds is not None else []
    chosen += [f"finetune.max_minutes={max_minutes}"] if max_minutes is not None else []
    adjust = choose_targets(target) if target else None
    settings = section_of(config, chosen, "finetune", adjust=adjust)
    run_finetune(settings, out, force=force, resume=resume, check=check, dry_run=dry_run)


@command("embed", "Example: zcat proteins.faa.gz | genomecli embed --model run - > vectors.tsv")
def embed(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="FASTA; - is standard input.")
    ] = None,
    model: Model = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help=".parquet, .tsv, .npy, .safetensors or .h5ad; TSV on standard output if left out.",
        ),
    ] = None,
    force: Force = False,
    resume: Resume = False,
) -> None:
    """Turn sequences into vectors: one a record, one a token, or one a word of the vocabulary."""
    from genomecli.commands.embed import run_embed

    chosen = list(overrides or []) + ([f"embed.model={model}"] if model else [])
    run_embed(section_of(config, chosen, "embed"), out, inputs=inputs or [], force=force, resume=resume)


@command(
    "predict",
    "Example: genomecli predict --model tuned genes.fa -o predictions.tsv (or .parquet); "
    "zcat x.fa.gz | genomecli predict --model tuned - > table.tsv; labels of bases as a track: "
    "genomecli predict --model tuned genome.fa -o genes.gff3 (or .bed, .bedgraph)",
)
def predict(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="FASTA, or tables as in training; - is standard input."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="Run of finetune, or its checkpoint.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help=".tsv, .parquet, .bed, .bedgraph or .gff3; TSV on standard output if left out.",
        ),
    ] = None,
    force: Force = False,
    resume: Resume = False,
) -> None:
    """Apply a tuned network: classes and their probabilities, values, or labels of bases as tracks."""
    from genomecli.commands.predict import run_predict

    chosen = list(overrides or []) + ([f"predict.model={model}"] if model else [])
    run_predict(section_of(config, chosen, "predict"), out, inputs=inputs or [], force=force, resume=resume)


@command(
    "score",
    "Example: genomecli score --model run --vcf x.vcf.gz --reference ref.fa -o scores.tsv (or .vcf.gz); "
    "genomecli score --model run --mutations m.csv --wildtype wt.fa; "
    "genomecli score --model run --scan genome.fa -o scan.bedgraph",
)
def score(
    model: Model = None,
    vcf: Annotated[
        Path | None, typer.Option("--vcf", help="Variants; - is standard input.", show_default=False)
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", "-r", help="FASTA of the VCF.", show_default=False)
    ] = None,
    mutations: Annotated[
        Path | None,
        typer.Option(
            "--mutations", help="H24Y or A23T:G45D: a table, or one a line; - too.", show_default=False
        ),
    ] = None,
    wildtype: Annotated[
        Path | None,
        typer.Option("--wildtype", "-w", help="FASTA of what they change, or infer.", show_default=False),
    ] = None,
    measured: Annotated[
        str | None,
        typer.Option("--measured", help="Column of measured values to compare with.", show_default=False),
    ] = None,
    scan: Annotated[
        list[Path] | None,
        typer.Option("--scan", help="FASTA whose every symbol is scored; - too.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help=".tsv, .parquet, .vcf, .vcf.gz, .bcf, .bedgraph; TSV (of a scan bedGraph) on standard "
            "output if left out.",
        ),
    ] = None,
    force: Force = False,
    resume: Resume = False,
) -> None:
    """Score variants by a pretrained model, zero-shot; or scan sequences for what it does not expect."""
    from genomecli.commands.score import run_score

    chosen = list(overrides or [])
    if vcf or mutations or scan:  # instead of the YAML's
        paths = ", ".join(json.dumps(str(path)) for path in scan or [])
        chosen += ["score.vcf=null", "score.mutations=null", f"score.scan=[{paths}]"]
    given: dict[str, Path | str | None] = {"model": model, "vcf": vcf, "reference": reference}
    given |= {"mutations": mutations, "wildtype": wildtype, "measured": measured}
    chosen += [f"score.{key}={value}" for key, value in given.items() if value is not None]
    run_score(section_of(config, chosen, "score"), out, force=force, resume=resume)


@command("mrr-compare", "Example: genomecli mrr-compare run --corpus corpus -o comparison")
def mrr_compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Runs or checkpoints, instead of the YAML's."),
    ] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    corpus: Corpus = None,
    proteins_of: Annotated[
        Path | None,
        typer.Option(
            "--proteins-of",
            metavar="MODEL",
            help="Compare the runs' codons with the amino acids of this network, also one of Hugging Face's.",
        ),
    ] = None,
    out: Out = Path("comparison"),
    force: Force = False,
    resume: Resume = False,
    table: Annotated[bool, typer.Option("--table", help="The main rows as TSV on standard output.")] = False,
    decipher: Annotated[
        bool,
        typer.Option(
            "--decipher",
            help="Recover the genetic code from the corpus: no run, no parallel data, no code given.",
        ),
    ] = False,
) -> None:
    """Compare what models learned: MRR between codons, amino acids, species, frames and genetic codes."""
    from genomecli.commands.mrr_compare import run_mrr_compare

    settings = section_of(config, overrides, "mrr-compare")
    if decipher:
        from genomecli.commands.decipher import run_decipher

        given = None if corpus is None else str(corpus)
        if proteins_of is not None:
            what = "--decipher reads a corpus, and no network"
            raise UsageError(what, where=proteins_of, fix="leave --proteins-of out")
        run_decipher(settings, out, runs=runs or [], corpus=given, force=force, resume=resume, table=table)
        return
    run_mrr_compare(
        settings,
        out,
        runs=runs or [],
        corpus=None if corpus is None else str(corpus),
        proteins_of=None if proteins_of is None else str(proteins_of),
        force=force,
        resume=resume,
        table=table,
    )


@command("export", "Example: genomecli export run -o folder; for ONNX: --format onnx")
def export(
    model: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run or checkpoint, instead of the YAML's.")
    ] = None,
    config: ConfigFile = None,
    overrides: Overrides = None,
    form: Annotated[str | None, typer.Option("--format", help="hugging-face (default) or onnx.")] = None,
    out: Out = Path("exported"),
    force: Force = False,
) -> None:
    """Write a trained network as a folder that Hugging Face's transformers opens, or as ONNX."""
    from genomecli.commands.export import run_export

    given = {"model": model, "format": form}
    chosen = list(overrides or []) + [f"export.{key}={value}" for key, value in given.items() if value]
    run_export(section_of(config, chosen, "export"), out, force=force)


importlib.import_module("genomecli.cli_about")  # last, as its commands are in the help


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (that of the process by default); the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    Shown.begin(words)
    try:
        code = app(args=words, standalone_mode=False, prog_name="genomecli")
        sys.stdout.flush()
    except GenomecliError as error:
        return fail(error)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return fail(InterruptedRunError("interrupted"))
    except BrokenPipeError:
        return reader_left()
    except Exception as error:
        return foreign(error)
    return ended(code if isinstance(code, int) else 0)  # what typer.Exit said


def run() -> None:
    """Console script."""
    # At the collector's own rounds, one in 700 objects, starting a command costs a tenth more.
    gc.set_threshold(20_000, 20, 20)
    prepare(sys.argv[1:])
    code = main()
    if "genomecli.runtime" in sys.modules:
        from genomecli.signals import settle

        settle()  # a signal now would end it with another code, and SLURM queue it no more
    gc.freeze()  # what is left ends with the process; nobody needs it sorted
    sys.exit(code)
