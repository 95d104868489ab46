"""What a run may meet: kills, full disks, signals, damaged files; ``scripts/faults.sh`` tries more of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from genomecli.training import checkpoint
from tests.faults.__main__ import SIGNALS, busy, odd_clock, pipe, read_only, small, unmount, within
from tests.faults.damage import DAMAGES, damaged, halted, readers
from tests.faults.made import RECORDS
from tests.faults.made_read import make_readers
from tests.faults.runs import MORE_NAMES, NAMES, Run
from tests.faults.trials import Result, Whole, in_place, signalled, too_full, undisturbed

pytestmark = pytest.mark.slow
WholeOf = Callable[[str], Whole]


@pytest.fixture(scope="module")
def folder(small: tuple[Path, dict[str, Run]]) -> Path:
    return small[0]


@pytest.fixture(scope="module")
def runs(small: tuple[Path, dict[str, Run]]) -> dict[str, Run]:
    return small[1]


@pytest.fixture(scope="module")
def whole_of(folder: Path, runs: dict[str, Run]) -> WholeOf:
    """Undisturbed runs, each made when it is first asked for."""
    made: dict[str, Whole] = {}

    def whole(name: str) -> Whole:
        if name not in made:
            made[name] = undisturbed(runs[name], folder, RECORDS)
        return made[name]

    return whole


def survived(result: Result, tried: int) -> None:
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.said == []
    assert (result.tried, result.survived, result.lost) == (tried, tried, 0)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("name", NAMES)
def test_a_signal_at_a_random_moment_loses_nothing(name: str, signal: str, whole_of: WholeOf) -> None:
    result, random_ = Result(), random.Random(f"{name} {signal}")
    times = 2 if signal == "kill -9" else 1
    for _ in range(times):
        signalled(whole_of(name), result, *SIGNALS[signal], random_)
    survived(result, times)


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Whole]:
    """Undisturbed runs of commands that read what others made."""
    folder = tmp_path_factory.mktemp("readers")
    return {run.name: undisturbed(run, folder, RECORDS) for run in make_readers(folder / "in", short=True)}


@pytest.mark.parametrize("name", MORE_NAMES)
def test_a_kill_loses_nothing_of_what_reads_models_and_corpora(name: str, more: dict[str, Whole]) -> None:
    whole, result = more[name], Result()
    signalled(whole, result, *SIGNALS["kill -9"], random.Random(name))
    survived(result, 1)


@pytest.mark.parametrize("limit", [0, 3000])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_grow(name: str, limit: int, whole_of: WholeOf) -> None:
    too_full(whole_of(name), result := Result(), limit)
    survived(result, 1)


@pytest.mark.parametrize("prepare", [small, read_only])
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_and_a_read_only_folder(
    name: str, prepare: Callable[[Path], str], whole_of: WholeOf
) -> None:
    in_place(whole_of(name), result := Result(), prepare, unmount)
    survived(result, 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_output_that_another_run_is_writing(name: str, whole_of: WholeOf) -> None:
    busy(whole_of(name), result := Result())
    survived(result, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_clock_that_goes_back_and_files_from_the_future(name: str, whole_of: WholeOf) -> None:
    odd_clock(whole_of(name), result := Result())
    survived(result, 2)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "tokenize"])
def test_faults_from_within(name: str, whole_of: WholeOf) -> None:
    result, found = Result(), within(whole_of(name))
    for fault in found.values():
        fault(whole_of(name), result)
    survived(result, 3 if "loss that is no number" in found else 2)


@pytest.mark.parametrize("name", ["embed", "predict"])
def test_a_reader_that_leaves(name: str, folder: Path, whole_of: WholeOf) -> None:
    pipe(whole_of(name), result := Result(), folder)
    survived(result, 1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_before_it_is_used(damage: str, folder: Path, runs: dict[str, Run]) -> None:
    result, tried = Result(), 0
    for files in readers(folder, runs).values():
        for place, name, argv in files:
            damaged(place, name, damage, argv, result)
            tried += 1
    assert tried > 20
    survived(result, tried)


@pytest.mark.parametrize("name", ["pretrain", "finetune"])
def test_a_damaged_checkpoint_is_not_resumed_from(name: str, folder: Path, runs: dict[str, Run]) -> None:
    result, out = Result(), halted(runs[name], folder)
    place = checkpoint.find_checkpoint(out, prefer="last")
    for damage in DAMAGES:
        for file in ("model.safetensors", "optimizer.safetensors", "state.json"):
            damaged(place, file, damage, runs[name].argv(out, "--resume"), result)
    survived(result, 12)
