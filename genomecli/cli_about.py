"""Commands that make nothing: they say what a file, this installation or this program is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from genomecli.cli_frame import AsJson, Shown, app, command

if TYPE_CHECKING:
    from genomecli.commands.man import GroupLike


@command("info", "Example: genomecli info corpus --preview 3; genomecli info run --verify")
def info(
    path: Annotated[Path, typer.Argument(help="Corpus, run, checkpoint, comparison or embedding table.")],
    as_json: AsJson = False,
    preview: Annotated[int, typer.Option("--preview", help="Show this many records as tokens.", min=0)] = 0,
    verify: Annotated[bool, typer.Option("--verify", help="Check every file's sha256.")] = False,
) -> None:
    """Show what a file or folder of genomecli is, and check that it is whole."""
    from genomecli.commands.info import run_info

    run_info(path, as_json=as_json, preview=preview, verify=verify, verbose=Shown.verbose)


def _with_settings(incomplete: str) -> list[str]:
    """Commands with settings that begin so, for a shell that completes them."""
    from genomecli.config import SECTIONS

    return [name for name in SECTIONS if name.startswith(incomplete)]


@command("config", "Example: genomecli config pretrain > pretrain.yaml")
def config_template(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...", help="Commands; all if left out.", autocompletion=_with_settings
        ),
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="JSON schema, for editors.")] = False,
) -> None:
    """Print a commented YAML template of settings, or their JSON schema."""
    from genomecli.commands.config import run_config

    typer.echo(run_config(names or [], schema=schema), nl=False)


@command("doctor", "Example: genomecli doctor --json")
def doctor(as_json: AsJson = False) -> None:
    """Show versions, devices, precisions and threads: what will run here, and how fast."""
    from genomecli.commands.doctor import describe, run_doctor

    report = run_doctor()
    if as_json:
        typer.echo(json.dumps(report, indent=1))
        return
    for what, value in describe(report):
        typer.echo(f"{what}\t{value}")


@command("cite", "Example: genomecli cite >> references.bib; genomecli cite --plain")
def cite(
    plain: Annotated[bool, typer.Option("--plain", help="One line of text instead of BibTeX.")] = False,
) -> None:
    """Print how to cite this version, as BibTeX or text."""
    from genomecli.commands.cite import citation

    typer.echo(citation("plain" if plain else "bibtex"), nl=False)


@command("man", "Example: genomecli man | man -l -; genomecli man embed > genomecli-embed.1")
def man(
    name: Annotated[
        str | None, typer.Argument(metavar="[COMMAND]", help="One command; all if left out.")
    ] = None,
) -> None:
    """Print a manual page (roff), of all commands or of one."""
    from genomecli.commands.man import man_page

    typer.echo(man_page(cast("GroupLike", typer.main.get_command(app)), name), nl=False)
