"""What a run may meet: kills, full disks, signals, damaged files; ``scripts/faults.sh`` tries more of it."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from genomecli.training import checkpoint
from tests.faults.__main__ import busy, odd_clock, pipe, read_only, small, unmount
from tests.faults.damage import DAMAGES, damaged
from tests.faults.runs import Run, make_runs
from tests.faults.trials import Result, Whole, in_place, signalled, too_full, undisturbed

pytestmark = pytest.mark.slow
NAMES = ("tokenize", "pretrain", "finetune", "embed")
QUICK = ("tokenize", "embed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Run]:
    return {run.name: run for run in make_runs(folder / "in", short=True)}


@pytest.fixture(scope="module")
def whole_of(folder: Path, runs: dict[str, Run]) -> Callable[[str], Whole]:
    """Undisturbed runs, each made when it is first asked for."""
    made: dict[str, Whole] = {}

    def whole(name: str) -> Whole:
        if name not in made:
            made[name] = undisturbed(runs[name], folder, 60)
        return made[name]

    return whole


def survived(result: Result, tried: int) -> None:
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.said == []
    assert (result.tried, result.survived, result.lost) == (tried, tried, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_kill_at_a_random_moment_loses_nothing(name: str, whole_of: Callable[[str], Whole]) -> None:
    result, random_ = Result(), random.Random(name)
    for _ in range(2):
        signalled(whole_of(name), result, signal.SIGKILL, -9, random_)
    survived(result, 2)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 75)])
@pytest.mark.parametrize("name", [*QUICK, "pretrain"])
def test_an_interrupt_and_a_closed_terminal(
    name: str, number: int, code: int, whole_of: Callable[[str], Whole]
) -> None:
    result = Result()
    signalled(whole_of(name), result, number, code, random.Random(name))
    survived(result, 1)


@pytest.mark.parametrize("limit", [0, 3000])
@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_cannot_grow(name: str, limit: int, whole_of: Callable[[str], Whole]) -> None:
    result = Result()
    too_full(whole_of(name), result, limit)
    survived(result, 1)


@pytest.mark.parametrize("prepare", [small, read_only])
@pytest.mark.parametrize("name", QUICK)
def test_a_full_disk_and_a_read_only_folder(
    name: str, prepare: Callable[[Path], str], whole_of: Callable[[str], Whole]
) -> None:
    result = Result()
    in_place(whole_of(name), result, prepare, unmount)
    survived(result, 1)


@pytest.mark.parametrize("name", QUICK)
def test_an_output_that_another_run_is_writing(name: str, whole_of: Callable[[str], Whole]) -> None:
    busy(whole_of(name), result := Result())
    survived(result, 1)


@pytest.mark.parametrize("name", QUICK)
def test_a_clock_that_goes_back_and_files_from_the_future(
    name: str, whole_of: Callable[[str], Whole]
) -> None:
    odd_clock(whole_of(name), result := Result())
    survived(result, 2)


def test_a_reader_that_leaves(folder: Path, whole_of: Callable[[str], Whole]) -> None:
    pipe(whole_of("embed"), result := Result(), folder)
    survived(result, 1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_a_corpus_is_named_before_it_is_used(
    damage: str, folder: Path, runs: dict[str, Run]
) -> None:
    result, argv = Result(), [*runs["pretrain"].argv(folder / "nowhere"), "--dry-run"]
    for name in ("yeast.cds.00000.safetensors", "records.parquet", "tokenizer.json"):
        damaged(folder / "in" / "corpus", name, damage, argv, result)
    survived(result, 3)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_a_checkpoint_is_named_before_it_is_used(
    damage: str, folder: Path, runs: dict[str, Run]
) -> None:
    place = checkpoint.find_checkpoint(folder / "in" / "model" / "run")
    result, argv = Result(), runs["embed"].argv(folder / "nowhere.parquet")
    for name in ("model.safetensors", "state.json", "lexicon.json"):
        damaged(place, name, damage, argv, result)
    damaged(place, "optimizer.safetensors", damage, ["info", str(place), "--verify"], result)
    survived(result, 4)
