"""``simulate`` that is stopped: the exit code of the signal, one line on what to do, nothing left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from genomecli.cli import main
from genomecli.commands import simulate
from genomecli.sequences.simulation import Species


@pytest.mark.parametrize(("name", "code"), [("TERM", 75), ("USR1", 75), ("INT", 130)])
def test_a_signal_ends_it_with_its_code(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, before = simulate.write_species, signal.getsignal(getattr(signal, f"SIG{name}"))

    def stopped(species: Species, folder: Path) -> None:
        write(species, folder)
        os.kill(os.getpid(), getattr(signal, f"SIG{name}"))

    few = ["--set", "simulate.species=[{name: a, genes: 5}]", "-o", str(tmp_path / "sim")]
    with monkeypatch.context() as patched:
        patched.setattr(simulate, "write_species", stopped)
        assert main(["simulate", *few]) == code
    said = f"genomecli: stopped by {name}; run it again: it begins anew"
    assert said in capsys.readouterr().err.splitlines()
    assert os.listdir(tmp_path) == []
    assert signal.getsignal(getattr(signal, f"SIG{name}")) is before
    assert main(["simulate", *few]) == 0
