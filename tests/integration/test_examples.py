"""The example scripts run from beginning to end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "scripts" / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_makes_its_figure_and_learns_the_code(script: Path, tmp_path: Path) -> None:
    words = [sys.executable, str(script), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "figure.png").stat().st_size > 10_000
    found = re.search(r"layer0: .*, (\d\.\d\d) at step", done.stdout)
    assert found is not None
    assert float(found[1]) > 0.6
