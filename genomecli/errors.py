"""The one family of errors that a user may see.

Each says what went wrong, where (file, record, line, key), and what to do about it, on one line.
The exit code belongs to the class, so that a command never chooses one itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_LONG_WORD = re.compile(r"\S{1000,}")


def one_line(text: str) -> str:
    """``text`` as one line that a terminal may get, whatever file it quotes.

    Line ends become blanks; control characters and others without a shape are written as escapes; a word of
    a thousand letters and more is cut.
    """
    if not text.isprintable():
        text = "".join(
            c if c.isprintable() else " " if c in "\r\n\t" else c.encode("unicode_escape", "replace").decode()
            for c in text
        )
    return _LONG_WORD.sub(lambda found: f"{found[0][:100]}... ({len(found[0])} characters)", text)


class GenomecliError(Exception):
    """Something the user can act on. Exit code 1.

    Args:
        what: what went wrong, a clause without a final stop.
        where: file, record, line or key, if there is one.
        fix: what to do, if it is known.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: object | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix

    def __str__(self) -> str:
        return one_line("; ".join(part for part in (self.where, self.what, self.fix) if part))

    def shown(self) -> str:
        """The error as a terminal shows it: one line, save for several problems."""
        return str(self)

    def as_dict(self) -> dict[str, object]:
        """The error as plain values, for ``--json``."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "exit_code": self.exit_code,
        }


class RunError(GenomecliError):
    """The run itself failed. Exit code 1."""


class UsageError(GenomecliError):
    """Wrong usage of the command line. Exit code 2."""

    exit_code = 2


class ConfigError(GenomecliError):
    """Wrong settings; carries every problem found, not only the first. Exit code 2."""

    exit_code = 2

    def __init__(self, problems: list[str], *, where: object | None = None) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        head = self.problems[0] if count == 1 else f"{count} problems: " + " | ".join(self.problems)
        super().__init__(head, where=where)

    def shown(self) -> str:
        """One problem a line; where there are several, the first line says how many."""
        if len(self.problems) == 1:
            return str(self)
        head = f"{len(self.problems)} problems:"
        lines = [head if self.where is None else f"{one_line(self.where)}; {head}"]
        return "\n  ".join([*lines, *map(one_line, self.problems)])


class InputError(GenomecliError):
    """Bad input data. Exit code 3."""

    exit_code = 3


class CheckpointedError(GenomecliError):
    """Stopped by TERM, USR1 or a time limit after a checkpoint; wants to be run again. Exit code 75."""

    exit_code = 75


class InterruptedRunError(GenomecliError):
    """Stopped by INT after a checkpoint. Exit code 130."""

    exit_code = 130


class SaidElsewhereError(GenomecliError):
    """Another process of the run says what went wrong; this one ends with that one's exit code, and silently.

    Args:
        exit_code: of the other process.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__("another process of the run ended, and said why")
        self.exit_code = exit_code


FOREIGN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What plain code stumbles over in values that are not what they should be."""


@contextmanager
def refusing(what: str, *, where: object, fix: str | None = None) -> Iterator[None]:
    """Turn what reading a file's values stumbles over into an InputError that says ``what`` it is not.

    Errors of this family pass as they are.
    """
    try:
        yield
    except FOREIGN as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise InputError(f"{what} ({said[:300]})", where=where, fix=fix) from error
