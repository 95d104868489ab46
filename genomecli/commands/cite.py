"""``genomecli cite``: how to cite the version at hand.

Holder and year are those of the licence. There is no DOI and no list of persons, so none is given.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Literal

from genomecli.version import __version__

TITLE = "genomecli: train, use and compare BERT-style language models of DNA and protein"
_COPYRIGHT = re.compile(r"Copyright \(c\) (\d{4}) (.+)")


def licence_line() -> tuple[str, str]:
    """Year and holder, as the licence names them."""
    text = resources.files("genomecli").joinpath("LICENSE").read_text(encoding="utf-8")
    found = _COPYRIGHT.search(text)
    assert found is not None, "the licence names no holder"
    return found[1], found[2].strip()


def citation(style: Literal["bibtex", "plain"]) -> str:
    """The citation, with a line end.

    >>> print(citation("plain").partition(" genomecli:")[0])
    The genomecli authors (2026).
    """
    year, holder = licence_line()
    if style == "plain":
        return f"{holder} ({year}). {TITLE}, version {__version__} [software, MIT licence].\n"
    fields = {
        # Twice in braces: one name, not a first and a last one.
        "author": f"{{{holder}}}",
        "title": f"{{{TITLE}}}",
        "version": __version__,
        "year": year,
        "note": f"Software, version {__version__}, MIT licence",
    }
    key = "genomecli_" + __version__.replace(".", "_")
    lines = [f"  {name:<7} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@software{{{key},", *lines, "}"]) + "\n"
