"""Nothing but the required libraries is needed to import genomecli; a missing extra is named in the error."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from genomecli.errors import UsageError
from genomecli.extras import EXTRAS, need

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"biopython": "Bio", "pyyaml": "yaml", "scikit-learn": "sklearn"}
COMPANIONS = {"h5py", "pandas"}
"""Libraries that those of extras bring along: both come with anndata."""

WITHOUT = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import genomecli
for module in pkgutil.walk_packages(genomecli.__path__, "genomecli."):
    if module.name != "genomecli.__main__":
        importlib.import_module(module.name)
import typer
from genomecli.cli import app, main
for name in typer.main.get_command(app).commands:
    assert main([name, "--help"]) == 0, name
assert main(["doctor"]) == 0
"""


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", text)[0].lower() for text in requirements}


def third_party_imports() -> dict[str, str]:
    """Top-level names that genomecli imports anywhere, neither its own nor Python's, and a file of each."""
    found = {}
    for path in sorted((ROOT / "genomecli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {module.partition(".")[0]: path.name for module in modules}
    return {
        name: where for name, where in found.items() if name not in {*sys.stdlib_module_names, "genomecli"}
    }


def test_every_library_is_required_or_an_extra() -> None:
    required = {IMPORTED_AS.get(name, name) for name in names_of(PROJECT["dependencies"])} | {"pydantic_core"}
    optional = {name: where for name, where in third_party_imports().items() if name not in required}
    assert set(optional) <= {*EXTRAS, *COMPANIONS}, optional


def test_the_extras_are_those_of_the_package() -> None:
    extras = PROJECT["optional-dependencies"]
    for module, extra in EXTRAS.items():
        assert module in names_of(extras[extra.name])
    assert {extra.name for extra in EXTRAS.values()} == set(extras)


def test_everything_imports_and_every_command_explains_itself_without_extras() -> None:
    code = WITHOUT.format(absent={*EXTRAS, *COMPANIONS})
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "tokenize" in done.stdout


def test_doctor_names_each_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from genomecli.commands import doctor

    monkeypatch.setattr(doctor, "_installed", lambda name: None)
    rows = dict(doctor.describe(doctor.run_doctor()))
    for module, extra in EXTRAS.items():
        assert f"pip install 'genomecli[{extra.name}]'" in rows[f"optional: {module}"]


@pytest.mark.parametrize("module", EXTRAS)
def test_a_missing_extra_is_named_with_its_install_line(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError) as caught:
        need(module, "this", where="here", instead=", or do without")
    install = f"pip install 'genomecli[{EXTRAS[module].name}]'"
    assert str(caught.value) == f"here; this needs {module}, which is not installed; {install}, or do without"


def test_a_broken_library_is_not_called_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pysam.py").write_text("from os import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pysam", raising=False)
    with pytest.raises(UsageError, match=r"BCF needs pysam, which cannot be imported \(cannot import name"):
        need("pysam", "BCF")


def test_gzip_is_read_without_isal(tmp_path: Path) -> None:
    code = (
        "import sys, gzip, pathlib\nsys.modules['isal'] = None\n"
        "from genomecli.sequences.openers import open_input\n"
        "path = pathlib.Path(sys.argv[1]); path.write_bytes(gzip.compress(b'>a\\nACGT\\n' * 9999))\n"
        "with open_input(path) as stream:\n    print(stream.peek(7))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "x.fa.gz")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.startswith("b'>a\\nACGT"), done.stderr
