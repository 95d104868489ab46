"""The frame of the command line: options that commands share, how a command is registered, how errors end.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genomecli.errors import GenomecliError, InterruptedRunError, SaidElsewhereError, UsageError
from genomecli.full_disk import full_disk

if TYPE_CHECKING:
    from genomecli.config import Config

app = typer.Typer(
    name="genomecli",
    help="Train, use and compare BERT-style language models of DNA and protein on your own genomes.",
    epilog="A first run: genomecli simulate -o sim, then follow configs/demo.yaml. "
    "Settings of a command: genomecli config COMMAND.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LONGEST = 600
"""Letters of an error of others that are shown."""

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="YAML file with this command's section.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="SECTION.KEY=VALUE",
        help="A setting, as often as wanted; the value is YAML.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace a finished output.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished output.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; an error is JSON too, on standard error.")]
Corpus = Annotated[
    Path | None, typer.Option("--corpus", help="Corpus, instead of the YAML's.", show_default=False)
]
Model = Annotated[
    Path | None, typer.Option("--model", "-m", help="Run or checkpoint folder.", show_default=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show size, time and memory, and stop.")]
Seeds = Annotated[
    int | None, typer.Option("--seeds", help="Replicates in one command.", min=1, show_default=False)
]
MaxMinutes = Annotated[
    float | None,
    typer.Option("--max-minutes", help="Stop in time with a checkpoint; exit code 75.", show_default=False),
]

JSON_ERRORS = ("--json-errors", "--json")
SHARED = {
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Warnings and errors only.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Details too.")],
    "log_file": Annotated[
        Path | None, typer.Option("--log-file", help="Also log to this file.", show_default=False)
    ],
    "debug": Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
    "json_errors": Annotated[
        bool, typer.Option(*JSON_ERRORS, help="An error as a line of JSON on standard error.")
    ],
}
"""Options of every command, added by :func:`command`."""


_PLAIN = Annotated[bool, typer.Option(JSON_ERRORS[0], help="Errors as JSON on standard error.")]
"""The same for a command whose ``--json`` is of what it prints, too."""


class Shown:
    """How what the running command says is to be shown, errors above all."""

    debug = False
    as_json = False
    verbose = False
    out: Path | None = None
    """What the command writes; None for standard output and for none."""
    resumes = False

    @classmethod
    def begin(cls, words: Sequence[str]) -> None:
        """Set how an error is shown that comes before the options of a command line are known."""
        given = words[: words.index("--")] if "--" in words else words
        cls.debug, cls.verbose, cls.out, cls.resumes = False, False, None, False
        cls.as_json = any(word in given for word in JSON_ERRORS)


def command(name: str, epilog: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as subcommand ``name``, with the options that all commands share."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**given: Any) -> None:
            shared = {key: given.pop(key) for key in SHARED}
            Shown.debug, Shown.verbose = shared["debug"], shared["verbose"]
            Shown.as_json = shared["json_errors"] or bool(given.get("as_json"))
            out = given.get("out")
            Shown.out, Shown.resumes = None if out == Path("-") else out, "resume" in given
            try:  # here, since click would take these errors and say nothing
                _start(shared)
                # A signal may come while libraries load and inputs are checked, before the command listens.
                with _early() if "resume" in given else nullcontext():
                    function(**given)
            except BrokenPipeError:
                raise typer.Exit(reader_left()) from None
            except KeyboardInterrupt:
                raise InterruptedRunError("interrupted") from None

        own = inspect.signature(function, eval_str=True)
        extra = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=_PLAIN if key == "json_errors" and "as_json" in own.parameters else kind,
                default=None if key == "log_file" else False,
            )
            for key, kind in SHARED.items()
        ]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own.parameters.values()]
        run.__signature__ = own.replace(parameters=[*parameters, *extra])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*parameters, *extra]}
        return app.command(name, epilog=epilog)(run)

    return register


def _start(shared: Mapping[str, Any]) -> None:
    from genomecli.runtime import setup_logging

    setup_logging(-1 if shared["quiet"] else int(shared["verbose"]), shared["log_file"])


def _early() -> AbstractContextManager[None]:
    from genomecli.signals import stopping

    return stopping("run it again with --resume")


def section_of(
    path: Path | None,
    overrides: Sequence[str] | None,
    *needs: str,
    adjust: Callable[[dict[str, Any]], None] | None = None,
) -> Config:
    """The settings of a command: its YAML, if there is one, ``--set``, and what an option adjusts in them."""
    from genomecli.config import load_config
    from genomecli.runtime import note_in_files

    settings = load_config(path, list(overrides or []), needs=needs, adjust=adjust)
    common = ", ".join(f"{name} {value}" for name, value in settings.common.model_dump().items())
    note_in_files(f"settings: {common}")
    return settings


def shard_of(text: str | None) -> tuple[int, int] | None:
    """I, from 1, and N of ``--shard I/N``; None of None.

    Raises:
        UsageError: if the text is not of that form, or I not from 1 to N.
    """
    if text is None:
        return None
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise UsageError(f"--shard {text!r} is not of the form I/N with I from 1 to N")
    return int(part), int(parts)


def ended(code: int) -> int:
    """The exit code of a command that met no error, noted in the log files."""
    if "genomecli.runtime" in sys.modules:  # otherwise there is no log yet
        from genomecli.runtime import note_in_files

        why = {0: "finished", 141: "the reader of the output has left"}.get(code, "see above")
        with suppress(OSError):  # of a full disk
            note_in_files(f"ended with {code}: {why}")
    return code


def reader_left() -> int:
    """The exit code when whoever read our output has left, as a shell would say for SIGPIPE."""
    # Nothing more can be said there, so keep Python from trying.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def foreign(error: Exception) -> int:
    """The exit code for an error that is not one of ours, shown as one line."""
    if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
        return fail(UsageError(error.format_message(), fix="see --help"))
    if Shown.debug:
        raise error
    full = full_disk(error, Shown.out, resumes=Shown.resumes)
    if full is not None:
        return fail(full)
    text = " ".join(str(error).split()) or "no message"
    if len(text) > LONGEST:  # such as all that a compiler said
        text = f"{text[:LONGEST]} ... ({len(text) - LONGEST:,} more letters)"
    return fail(GenomecliError(f"{type(error).__name__}: {text}", fix="run with --debug for the traceback"))


def fail(error: GenomecliError) -> int:
    """The exit code of one of our errors, shown as it was asked for unless another process has said it."""
    if isinstance(error, SaidElsewhereError):
        return error.exit_code
    if Shown.debug:
        import traceback

        traceback.print_exception(error)
    if "genomecli.runtime" in sys.modules:  # otherwise there is no log yet
        import logging

        from genomecli.runtime import note_in_files

        with suppress(OSError):  # of a full disk
            note_in_files(f"ended with {error.exit_code}: {error}", logging.ERROR)
    with suppress(OSError):  # of a terminal that was closed
        typer.echo(json.dumps(error.as_dict()) if Shown.as_json else f"genomecli: {error.shown()}", err=True)
    return error.exit_code
