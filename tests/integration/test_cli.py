"""The command line as a shell sees it: exit codes, one line an error, nothing heavy for help."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from genomecli.cli import main
from genomecli.config import SECTIONS
from genomecli.environment import BLAS_TICKS
from genomecli.version import __version__

COMMANDS = [
    "cite",
    "config",
    "doctor",
    "embed",
    "info",
    "man",
    "mrr-compare",
    "pretrain",
    "simulate",
    "tokenize",
]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom genomecli.cli import main\ncode = main(['--help'])\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'Bio', 'pyarrow', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(code or repr(sorted(heavy)) if heavy else code)"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert name in done.stdout


@pytest.mark.parametrize("own", [None, "26"])
def test_threads_of_blas_sleep_soon_unless_the_user_says_else(
    own: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    if own:
        monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", own)
    code = (
        "import os, sys\nfrom genomecli import cli\n"
        "assert 'numpy' not in sys.modules\n"
        "cli.main = lambda: print(os.environ['OPENBLAS_THREAD_TIMEOUT']) or 0\ncli.run()"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (own or BLAS_TICKS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "-h"]) == 0
    shown = capsys.readouterr().out
    assert "Example: " in shown
    assert f"genomecli {name}" in shown
    assert "--debug" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"genomecli {__version__}\n"


def test_wrong_usage_is_2_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["nope"],
        ["tokenize", "--nope"],
        ["tokenize", "--shard", "3/2", "-c", str(tmp_path / "x.yaml")],
        ["pretrain", "-o", str(tmp_path / "run")],
        ["simulate", "--set", "simulate.dependense=1", "-o", str(tmp_path / "sim")],
    ):
        assert main(arguments) == 2, arguments
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("genomecli: ")
    assert not list(tmp_path.iterdir())


def test_all_config_errors_come_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["sed=1", "simulate.dependense=1", "simulate.reach=0", "pretrian.steps=3"]
    assert main(["simulate", *(word for text in wrong for word in ("--set", text))]) == 2
    line = capsys.readouterr().err
    for part in (
        "did you mean 'seed'",
        "did you mean 'dependence'",
        "simulate.reach",
        "did you mean 'pretrain'",
    ):
        assert part in line


def test_bad_input_is_3_and_json_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.fa").write_text("not fasta\n")
    assert main(["tokenize", str(tmp_path / "x.fa"), "-o", str(tmp_path / "c")]) == 3
    assert "x.fa" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "absent"), "--json"]) == 3
    error = json.loads(capsys.readouterr().err)
    assert error["exit_code"] == 3
    assert error["where"].endswith("absent")


def test_debug_shows_where_it_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path / "absent"), "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_finished_output_is_kept_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [
        "--set",
        "simulate.species=[{name: a, genes: 4, gene_length: 30}]",
        "-q",
        "-o",
        str(tmp_path / "sim"),
    ]
    assert main(["simulate", *few]) == 0
    before = (tmp_path / "sim" / "manifest.json").read_bytes()
    assert main(["simulate", *few]) == 2
    assert "exists already; give --force" in capsys.readouterr().err
    assert main(["simulate", *few, "--force"]) == 0
    assert (tmp_path / "sim" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_templates_and_schemas_cover_every_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", name]) == 0
    template = capsys.readouterr().out
    assert f"\n{name}:" in template
    assert main(["config", name, "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"][name]["type"] == "object"
    assert main(["config", "nope"]) == 2


def test_doctor_reports_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["threads"] >= 1
    assert report["gflops"]["fp32"] > 0
    assert report["versions"]["genomecli"] == __version__


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_before_the_work_begins_asks_to_be_run_again(tmp_path: Path, name: str) -> None:
    """The settings come from a pipe, so that the command is known to wait for them."""
    settings = tmp_path / "settings.yaml"
    os.mkfifo(settings)
    command = [sys.executable, "-m", "genomecli", "pretrain", "-c", settings, "-o", tmp_path / "run"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with settings.open("w"):
        process.send_signal(getattr(signal, name))
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 75
    assert said == f"genomecli: stopped by {name.removeprefix('SIG')}; run it again with --resume\n"


def test_a_log_file_ends_with_why_the_command_ended(tmp_path: Path) -> None:
    log_file = tmp_path / "log.txt"
    assert main(["info", str(tmp_path / "nothing"), "--log-file", str(log_file)]) == 3
    lines = log_file.read_text().splitlines()
    assert "command: " in lines[0]
    assert "ended with 3: " in lines[-1]
    assert "no such file or folder" in lines[-1]


def test_a_log_file_begins_with_what_ran_and_ends_well(tmp_path: Path) -> None:
    log_file = tmp_path / "log.txt"
    few = ["--set", "simulate.species=[{name: s, genes: 3}]", "--set", "seed=5"]
    assert main(["simulate", "-o", str(tmp_path / "out"), *few, "--log-file", str(log_file)]) == 0
    lines = log_file.read_text().splitlines()
    assert "command: " in lines[0]
    assert "host " in lines[1]
    assert f"genomecli {__version__}, python" in lines[1]
    assert lines[2].endswith("settings: seed 5, device auto, precision auto, threads auto")
    assert lines[-1].endswith("ended with 0: finished")


def test_a_signal_as_the_process_is_taken_down_does_not_change_its_exit_code() -> None:
    """A batch file that is told 75 queues its job again; that of a signal would leave it."""
    done = run_python(
        "import atexit, os, signal, genomecli.runtime\n"
        "from genomecli import cli\n"
        "for name in ('SIGTERM', 'SIGUSR1', 'SIGHUP', 'SIGINT'):\n"
        "    atexit.register(os.kill, os.getpid(), getattr(signal, name))\n"
        "cli.main = lambda: 75\n"
        "cli.run()\n"
    )
    assert (done.returncode, done.stderr) == (75, "")
