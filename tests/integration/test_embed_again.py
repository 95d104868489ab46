"""``embed`` that finds something of an earlier run: finished tables, unfinished ones, changed inputs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genomecli.commands import embed as embed_module
from genomecli.exchange.tables import read_table
from tests.integration.test_embed import COMMON, embed, genes, make_run, write_fasta


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one", ["bug"])


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write_fasta(tmp_path / "in.fa", genes(30))


def test_finished_tables_are_kept(
    run: Path, fasta: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "v.npy"
    assert embed("-m", run, fasta, "-o", out) == 0
    before = out.stat().st_mtime_ns
    assert embed("-m", run, fasta, "-o", out) == 2
    assert "exists already" in capsys.readouterr().err
    assert embed("-m", run, fasta, "-o", out, "--resume") == 0
    assert "finished already" in capsys.readouterr().err
    assert out.stat().st_mtime_ns == before
    write_fasta(fasta, genes(31))
    assert embed("-m", run, fasta, "-o", out, "--resume") == 2
    assert "other inputs" in capsys.readouterr().err
    assert embed("-m", run, fasta, "-o", out, "--force") == 0
    assert len(read_table(out)) == 31


@pytest.fixture
def slow_process(run: Path, tmp_path: Path) -> Callable[[list[object]], subprocess.Popen[bytes]]:
    """Starts an ``embed`` that takes 50 ms a record and commits after each."""
    program = tmp_path / "slow.py"
    program.write_text(
        "import time\n"
        "from genomecli.commands import embed, embed_job\n"
        "from genomecli.exchange.spool import Spool\n"
        "from genomecli.cli import run\n"
        "append = Spool.append\n"
        "def slowly(self, block):\n"
        "    time.sleep(0.05)\n"
        "    append(self, block)\n"
        "Spool.append = slowly\n"
        "embed.COMMIT_SECONDS = 0\n"
        "run()\n"
    )

    def start(arguments: list[object]) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(program), "embed", "-m", str(run), *map(str, arguments), *COMMON]
        return subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})

    return start


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 75), ("SIGKILL", -9)])
def test_resume_goes_on_where_a_signal_stopped(
    run: Path,
    tmp_path: Path,
    slow_process: Callable[[list[object]], subprocess.Popen[bytes]],
    capsys: pytest.CaptureFixture[str],
    name: str,
    code: int,
) -> None:
    records = genes(60)
    records[3] = ("dropped", "A")
    fasta = write_fasta(tmp_path / "in.fa", records)
    out, straight = tmp_path / "v.safetensors", tmp_path / "straight.safetensors"
    process = slow_process([fasta, "-o", out, "-s", "embed.level=token"])
    state = tmp_path / ".v.safetensors.partial" / "state.json"
    for _ in range(600):
        if state.is_file() and json.loads(state.read_bytes())["records"] > 5:
            break
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode == code
    assert not out.exists()
    assert embed("-m", run, fasta, "-o", out, "--resume", "-s", "embed.level=token") == 0
    assert "going on after" in capsys.readouterr().err
    assert embed("-m", run, fasta, "-o", straight, "-s", "embed.level=token") == 0
    assert out.read_bytes() == straight.read_bytes()
    whole, again = (
        json.loads(Path(f"{path}.manifest.json").read_text())["counts"] for path in (straight, out)
    )
    assert again == whole
    assert Path(f"{out}.dropped.tsv").read_text().splitlines()[1].startswith("dropped\t")
    assert not state.parent.exists()


def test_a_changed_input_is_not_resumed(
    run: Path, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "v.parquet"
    monkeypatch.setattr(embed_module, "COMMIT_SECONDS", 0.0)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(embed_module, "finish_table", fail)
        assert embed("-m", run, fasta, "-o", out) == 1
    assert (tmp_path / ".v.parquet.partial" / "state.json").is_file()
    write_fasta(fasta, genes(12, key="others"))
    assert embed("-m", run, fasta, "-o", out, "--resume") == 0
    assert len(read_table(out)) == 12
