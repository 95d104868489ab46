"""A SLURM of one node, started for a test from the programs of this machine and ended with it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo", "srun")
NODE = "localhost"
CONF = """
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={daemon}
SrunPortRange={srun}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
KillWait=5
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000 Gres=gpu:4 State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


class NoClusterError(Exception):
    """SLURM cannot run here, and why."""


class Cluster:
    """Commands of a SLURM that runs.

    Args:
        folder: its configuration, its state and its logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # What an outer job may have set would reach the jobs of this one.
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "SBATCH"))}
        self.env = plain | {"SLURM_CONF": str(folder / "slurm.conf")}

    def run(self, *words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        """Standard output of a command of SLURM. Raises NoClusterError if it fails."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.env | dict(env or {}),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise NoClusterError(f"{words[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def submit(
        self, words: Sequence[object], cwd: Path, env: Mapping[str, str] | None = None, **options: object
    ) -> int:
        """Number of the job of ``sbatch OPTIONS WORDS``."""
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        return int(self.run("sbatch", "--parsable", *flags, *words, cwd=cwd, env=env))

    def job(self, number: int | str) -> dict[str, str]:
        """What ``scontrol show job`` says: JobState, ExitCode, Restarts and more."""
        text = self.run("scontrol", "--oneliner", "show", "job", number).splitlines()[-1]
        return dict(pair.split("=", 1) for pair in text.split() if "=" in pair)

    def wait(self, number: int | str, *states: str, seconds: float = 60) -> dict[str, str]:
        """The job once it is in one of the states. Raises AssertionError where it takes longer."""
        end = time.monotonic() + seconds
        while (job := self.job(number))["JobState"] not in states:
            assert time.monotonic() < end, f"{job['JobState']} and not {states} after {seconds:.0f} s: {job}"
            time.sleep(0.1)
        return job


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A SLURM that runs while inside; nothing of it is left afterwards.

    Args:
        folder: an empty folder whose name is short, since sockets lie in it.

    Raises:
        NoClusterError: if programs are absent, this is not root, or a daemon does not start.
    """
    absent = [name for name in PROGRAMS if find(name) is None]
    if absent:
        raise NoClusterError(f"not installed: {', '.join(absent)}")
    if os.geteuid() != 0:
        raise NoClusterError("SLURM's daemons want root")
    _configure(folder)
    made = Cluster(folder)
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        _start(made, daemons)
        yield made
    finally:
        _stop(made, daemons)


def find(program: str) -> str | None:
    """Path of a program, also where only root looks for it."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _configure(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    ports = _free_ports(10)
    text = CONF.format(
        folder=folder,
        node=NODE,
        host=socket.gethostname().partition(".")[0],
        controller=ports[0],
        daemon=ports[1],
        srun=f"{ports[2]}-{ports[-1]}",
    )
    (folder / "slurm.conf").write_text(text)
    for number in range(4):
        (folder / f"gpu{number}").symlink_to("/dev/null")
    (folder / "gres.conf").write_text(f"NodeName={NODE} Name=gpu File={folder}/gpu[0-3]\n")
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o600)


def _free_ports(count: int) -> list[int]:
    """That many ports in a row that nobody listens at."""
    for first in range(26_000 + os.getpid() % 3_000, 32_000, count):
        with suppress(OSError):
            for port in range(first, first + count):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port))
            return list(range(first, first + count))
    raise NoClusterError("no free ports")


def _start(made: Cluster, daemons: list[subprocess.Popen[bytes]]) -> None:
    folder = made.folder

    def begin(name: str, *flags: str) -> None:
        with (folder / f"{name}.said").open("wb") as said:
            command = [str(find(name)), *flags]
            daemon = subprocess.Popen(
                command,
                env=made.env,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        daemons.append(daemon)

    own = {
        name: str(folder / f"munge.{name}")
        for name in ("socket", "pid-file", "log-file", "seed-file", "key-file")
    }
    own["key-file"] = str(folder / "munge.key")
    begin("munged", "--foreground", "--force", *(f"--{name}={path}" for name, path in own.items()))
    _until(lambda: (folder / "munge.socket").exists(), made, daemons, "munged")
    begin("slurmctld", "-D")
    begin("slurmd", "-D", "-N", NODE)
    _until(lambda: _state(made) == "idle", made, daemons, "SLURM")


def _state(made: Cluster) -> str:
    try:
        return made.run("sinfo", "--noheader", "--format=%t")
    except NoClusterError:
        return "unknown"


def _until(ready: object, made: Cluster, daemons: Sequence[subprocess.Popen[bytes]], what: str) -> None:
    end = time.monotonic() + 20
    while not ready():  # type: ignore[operator]
        gone = [daemon.args[0] for daemon in daemons if daemon.poll() is not None]  # type: ignore[index]
        if gone or time.monotonic() > end:
            said = " ".join(path.read_text()[-300:] for path in sorted(made.folder.glob("*.said")))
            raise NoClusterError(
                f"{what} does not start: {' '.join(map(str, gone))} {' '.join(said.split())}"
            )
        time.sleep(0.1)


def _stop(made: Cluster, daemons: Sequence[subprocess.Popen[bytes]]) -> None:
    with suppress(NoClusterError, subprocess.TimeoutExpired):
        made.run("scancel", "--user=root", "--signal=KILL", "--full")
        made.run("scancel", "--user=root")
        for _ in range(50):  # a daemon waits longer for jobs than they need to end
            if not made.run("squeue", "--noheader"):
                break
            time.sleep(0.1)
    for daemon in reversed(daemons):
        daemon.terminate()
    for daemon in daemons:
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
    for process in left(made):
        with suppress(psutil.Error):
            process.kill()


def left(made: Cluster) -> list[psutil.Process]:
    """Processes of this SLURM: its configuration is in their environment, or its log is open in them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # of a process that has just ended, or is a zombie
            # slurmstepd, which watches a job, overwrites its environment.
            if process.name() == "slurmstepd":
                if any(file.path.startswith(f"{made.folder}/") for file in process.open_files()):
                    found.append(process)
            elif process.environ().get("SLURM_CONF") == made.env["SLURM_CONF"]:
                found.append(process)
    return found
