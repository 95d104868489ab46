"""What is installed is what the checkout holds: wheel, sdist, and the recipes beside them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from genomecli.version import __version__

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "scripts" / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IN_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
"""Packages that conda-forge has under another name, or whose smaller part is enough."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "genomecli", source / "genomecli", ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    code = (
        "from setuptools import build_meta\n"
        f"build_meta.build_sdist({str(folder)!r})\nbuild_meta.build_wheel({str(folder)!r})"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def sources() -> set[str]:
    files = (path for path in (ROOT / "genomecli").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_whole_package_and_no_more(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"genomecli-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        info = f"genomecli-{__version__}.dist-info"
        assert b"genomecli = genomecli.cli:run" in archive.read(f"{info}/entry_points.txt")
        required = archive.read(f"{info}/METADATA").decode()
    assert names == sources()
    for text in PROJECT["dependencies"]:
        assert f"Requires-Dist: {text}" in required


def test_the_sdist_holds_the_whole_package(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert sources() | {"pyproject.toml", "README.md"} <= names


def test_the_wheel_works_outside_of_the_checkout(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    for words in (["--version"], ["simulate", "-q", "-o", "sim"], ["cite"], ["config", "embed"]):
        code = (
            f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\nimport genomecli.cli as c\n"
            f"assert c.__file__.startswith({str(tmp_path)!r})\nsys.exit(c.main({words!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "sim" / "manifest.json").is_file()


def test_the_conda_recipe_says_what_the_project_says() -> None:
    text = (PACKAGING / "meta.yaml").read_text()
    assert f'{{% set version = "{__version__}" %}}' in text
    plain = re.sub(r"^{%.*%}$", "", text, flags=re.MULTILINE).replace("{{ version }}", "V")
    recipe = yaml.safe_load(plain.replace("{{ PYTHON }}", "PYTHON"))
    wanted = []
    for requirement in PROJECT["dependencies"]:
        name, bound = requirement.split(">=")
        wanted.append(f"{IN_CONDA.get(name, name)} >={bound}")
    assert recipe["requirements"]["run"] == [f"python {PROJECT['requires-python']}", *wanted]
    assert recipe["about"]["summary"] == PROJECT["description"]
    (entry,) = recipe["build"]["entry_points"]
    assert entry == f"genomecli = {PROJECT['scripts']['genomecli']}"


@pytest.mark.parametrize("name", ["Dockerfile", "genomecli.def"])
def test_images_install_every_extra_but_those_of_development(name: str) -> None:
    text = (PACKAGING / name).read_text()
    extras = sorted(set(PROJECT["optional-dependencies"]) - {"dev", "fuzz"})
    assert f'".[{",".join(extras)}]"' in text
    for path in ("pyproject.toml", "README.md", "genomecli", "scripts/constraints.txt"):
        assert path in text


def test_the_check_is_valid_shell() -> None:
    done = subprocess.run(["bash", "-n", PACKAGING / "check.sh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = subprocess.run(
        ["bash", PACKAGING / "check.sh", "both"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "newest [FOLDER]" in wrong.stderr
