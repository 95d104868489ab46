"""The citation says what the project says of itself, and nothing else."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

from genomecli.commands import cite
from genomecli.version import __version__

ROOT = Path(__file__).parents[3]


def test_the_examples_run() -> None:
    assert doctest.testmod(cite) == (0, 1)


def test_bibtex_has_the_version_and_only_names_that_the_licence_has() -> None:
    text = cite.citation("bibtex")
    fields = dict(re.findall(r"^  (\w+) += \{(.*)\},$", text, re.MULTILINE))
    licence = (ROOT / "genomecli" / "LICENSE").read_text()
    assert text.startswith("@software{genomecli_")
    assert text.count("{") == text.count("}")
    assert fields["version"] == __version__
    assert f"Copyright (c) {fields['year']} {fields['author'].strip('{}')}\n" in licence
    assert set(fields) == {"author", "title", "version", "year", "note"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] in fields["note"]
    assert "authors" not in project  # once there are some, they belong into the citation
