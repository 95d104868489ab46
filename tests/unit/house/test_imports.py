"""The rooms may import only the rooms before them, and the ground floor."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[3] / "genomecli"
ROOMS = [
    "sequences",
    "corpus",
    "models",
    "objectives",
    "tasks",
    "training",
    "inference",
    "exchange",
    "analysis",
    "commands",
]
AFTER = ["api"]
"""Files beside commands: they compose rooms, and no room may import them."""
GROUND = {
    "accounts",
    "config",
    "errors",
    "extras",
    "files",
    "runtime",
    "settings",
    "signals",
    "version",
    "yaml_text",
}
TENSORLESS = ["sequences"]


def imported_names(path: Path) -> set[str]:
    """Modules of genomecli that a file imports, and top-level names of others."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def forbidden_arrows(path: Path) -> list[str]:
    """Imports of ``path`` that point against the house's direction."""
    parts = path.relative_to(PACKAGE).parts
    room = parts[0] if len(parts) > 1 else parts[0].removesuffix(".py")
    if room in ("cli", "cli_about", "cli_frame", "__main__", "__init__"):
        return []
    found = []
    for name in imported_names(path):
        steps = name.split(".")
        if steps[0] == "torch" and room in TENSORLESS:
            found.append(f"{path.name} imports {name}")
        if steps[0] != "genomecli" or len(steps) < 2:
            continue
        target = steps[1]
        if target == "cli" and room != "__main__":
            found.append(f"{path.name} imports cli")
        if target in AFTER:
            found.append(f"{'/'.join(parts)} imports {name}")
        if target not in ROOMS:
            continue
        if room in GROUND and not (room == "config" and steps[-1].endswith("settings")):
            found.append(f"{path.name} (ground floor) imports {name}")
        elif room in AFTER and target == "commands":
            found.append(f"{path.name} imports {name}")
        elif room in ROOMS and ROOMS.index(target) > ROOMS.index(room):
            found.append(f"{'/'.join(parts)} imports {name}")
    return found


def test_no_import_points_downstream() -> None:
    arrows = [arrow for path in sorted(PACKAGE.rglob("*.py")) for arrow in forbidden_arrows(path)]
    assert arrows == []


def test_the_guard_sees_a_forbidden_arrow(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    (tmp_path / "sequences").mkdir()
    bad = tmp_path / "sequences" / "bad.py"
    bad.write_text("import torch\nfrom genomecli.training.loop import train\n")
    assert len(forbidden_arrows(bad)) == 2


def test_settings_files_import_nothing_heavy() -> None:
    allowed = {"__future__", "typing", "re", "math", "pydantic", "collections", "enum", "os"}
    for path in PACKAGE.rglob("*settings.py"):
        for name in imported_names(path):
            top = name.split(".")
            is_settings = top[0] == "genomecli" and top[-1].endswith(("settings", "presets"))
            assert top[0] in allowed or is_settings, f"{path} imports {name}"
