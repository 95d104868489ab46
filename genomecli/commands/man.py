"""``genomecli man``: a manual page in roff, from the help of the commands.

The command line is handed in as a value of click's (or the copy of it that Typer carries), since no command
imports it. Equal versions give equal bytes: the page has no date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from genomecli.errors import UsageError
from genomecli.version import __version__

EXIT_CODES = {
    0: "done",
    1: "failed while running",
    2: "wrong usage or settings",
    3: "bad input data",
    75: "stopped by TERM, USR1, HUP or a time limit, what was done kept; run it again with --resume",
    130: "interrupted",
    141: "whoever read standard output has left",
}
ENVIRONMENT = {
    "GENOMECLI_CACHE": "Folder of indexes of FASTA files (~/.cache/genomecli).",
    "NO_COLOR": "Set to anything: no colours.",
    "OMP_NUM_THREADS, SLURM_CPUS_PER_TASK": "Upper limits of the threads that threads: auto takes.",
}


class CommandLike(Protocol):
    """What is read of a command of click."""

    name: str | None
    help: str | None
    epilog: str | None
    params: list[Any]


class GroupLike(CommandLike, Protocol):
    """What is read of a group of commands."""

    commands: Mapping[str, Any]


def man_page(group: GroupLike, name: str | None = None) -> str:
    """The page of the whole command line, or of one command.

    Raises:
        UsageError: for an unknown command.
    """
    if name is None:
        return "\n".join(_whole(group)) + "\n"
    if name not in group.commands:
        raise UsageError(f"{name!r} is no command", fix=f"choose from {', '.join(group.commands)}")
    return "\n".join(_single(group.commands[name], name)) + "\n"


def roff(text: str) -> str:
    r"""Plain text for roff: one line, hyphens as typed, nothing taken for a request.

    >>> print(roff(".fa or C:\\x\n --out"))
    \&.fa or C:\ex \-\-out
    """
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + line if line[:1] in (".", "'") else line


def _title(name: str) -> list[str]:
    return [f'.TH "{name.upper()}" "1" "" "genomecli {__version__}" "User Commands"', ".nh", ".ad l"]


def _whole(group: GroupLike) -> Iterator[str]:
    yield from _title("genomecli")
    yield from _section("NAME", roff(f"genomecli - {_sentence(group.help)}"))
    yield from _section(
        "SYNOPSIS",
        r"\fBgenomecli\fR \fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]",
        roff(group.epilog or ""),
    )
    yield ".SH COMMANDS"
    shared = _shared([command.params for command in group.commands.values()])
    for name, command in group.commands.items():
        yield f".SS {roff(name)}"
        yield from _body(command, [p for p in command.params if _key(p) not in shared])
    yield from _section("OPTIONS OF ALL COMMANDS")
    first = next(iter(group.commands.values()))
    for parameter in (p for p in first.params if _key(p) in shared):
        yield from _item(parameter)
    yield from _section("OPTIONS BEFORE THE COMMAND")
    for parameter in group.params:
        yield from _item(parameter)
    yield from _ending()


def _single(command: CommandLike, name: str) -> Iterator[str]:
    yield from _title(f"genomecli-{name}")
    yield from _section("NAME", roff(f"genomecli-{name} - {_sentence(command.help)}"))
    arguments = "".join(f" \\fI{roff(_metavar(p))}\\fR" for p in command.params if not _is_option(p))
    yield from _section("SYNOPSIS", f"\\fBgenomecli {roff(name)}\\fR [\\fIOPTIONS\\fR]{arguments}")
    yield ".SH DESCRIPTION"
    yield from _body(command, command.params)
    yield from _ending()


def _ending() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODES.items():
        yield from _entry(str(code), meaning)
    yield ".SH ENVIRONMENT"
    for variable, meaning in ENVIRONMENT.items():
        yield from _entry(variable, meaning)


def _body(command: CommandLike, params: Sequence[Any]) -> Iterator[str]:
    """What a command does, its parameters, its example."""
    yield roff(command.help or "")
    for parameter in params:
        yield from _item(parameter)
    if command.epilog:
        yield ".PP"
        yield roff(command.epilog)


def _section(name: str, *lines: str) -> Iterator[str]:
    yield f".SH {name}"
    for number, line in enumerate(filter(None, lines)):
        if number:
            yield ".PP"
        yield line


def _entry(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{roff(term)}\\fR"
    yield roff(text)


def _item(parameter: Any) -> Iterator[str]:
    """An option or argument and what it means."""
    if getattr(parameter, "hidden", False):
        return
    yield ".TP"
    if _is_option(parameter):
        names = ", ".join(f"\\fB{roff(name)}\\fR" for name in _longest_last(parameter.opts))
        flag = parameter.is_flag or getattr(parameter, "count", False)
        yield names if flag else f"{names} \\fI{roff(_metavar(parameter))}\\fR"
    else:
        yield f"\\fI{roff(_metavar(parameter))}\\fR"
    yield roff(getattr(parameter, "help", None) or "See --help.")


def _longest_last(names: Sequence[str]) -> list[str]:
    return sorted(names, key=len)


def _is_option(parameter: Any) -> bool:
    return str(parameter.param_type_name) == "option"


def _metavar(parameter: Any) -> str:
    """What stands for the value: as declared, or the parameter's own name."""
    longest = max(parameter.opts, key=len).lstrip("-")
    return str(parameter.metavar or longest.upper())


def _key(parameter: Any) -> tuple[str, ...]:
    return (*parameter.opts, str(getattr(parameter, "help", "")))


def _shared(params: Sequence[Sequence[Any]]) -> set[tuple[str, ...]]:
    """Parameters that every command has, with the same meaning."""
    return set.intersection(*({_key(p) for p in one} for one in params))


def _sentence(text: str | None) -> str:
    """The first sentence, without its stop."""
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")
