"""What the product never does with what it reads: run it, unpickle it, make a path or markup of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "genomecli"
FORBIDDEN = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"),
    "torch.distributed.checkpoint",  # whose default writer pickles
    *("torch.load", "torch.save", "eval", "exec", "os.system", "os.popen", "compile"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "numpy.load", "np.load", "tempfile.mktemp"),
}
ALLOWED = {("exchange/tables.py", "np.load")}
"""With ``allow_pickle=False``, which the next test reads."""


def _names(path: Path) -> set[str]:
    """Modules that a file imports, and dotted names of what it calls."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            found.add("shell=")
    return found


def test_nothing_is_unpickled_or_run() -> None:
    met = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for name in _names(path) & (FORBIDDEN | {"shell="})
    }
    assert met == ALLOWED
    assert "allow_pickle=False" in (PACKAGE / "exchange" / "tables.py").read_text()


def test_the_guard_sees_what_is_forbidden(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("import pickle\nimport torch\ntorch.load('x')\nsubprocess.run('x', shell=True)\n")
    assert _names(path) >= {"pickle", "torch.load", "shell="}


def test_yaml_comes_from_one_safe_loader() -> None:
    import yaml

    from genomecli import yaml_text

    users = [path.name for path in PACKAGE.rglob("*.py") if "yaml" in _names(path)]
    assert users == ["yaml_text.py"]
    assert issubclass(yaml_text._Loader, yaml.SafeLoader)


@pytest.mark.parametrize("text", ["&a [*a, *a]", "a: &x [1]\nb: *x", "a: !!python/object:os.system x"])
def test_aliases_and_tags_of_python_are_refused(text: str) -> None:
    from genomecli.errors import ConfigError
    from genomecli.yaml_text import parse_yaml

    with pytest.raises(ConfigError):
        parse_yaml(text)
