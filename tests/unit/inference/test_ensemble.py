"""Ensembles: one model untouched, several averaged, and what they read ahead bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import InputError, UsageError
from genomecli.files import write_json
from genomecli.inference.ensemble import Ensemble, best_member, member_folders, member_names
from genomecli.inference.predictor import Outcome, Unlabelled
from genomecli.training.checkpoint import FOLDER


class Toy:
    """Predicts a length times a factor, in batches of ``ahead``."""

    def __init__(self, factor: float, ahead: int) -> None:
        self.factor = factor
        self.ahead = ahead

    def predict(self, sequences: Iterable[Unlabelled]) -> Iterator[Outcome]:
        rest = iter(sequences)
        while batch := list(islice(rest, self.ahead)):
            for given in batch:
                values = np.array([self.factor * len(given.symbols), np.nan])
                yield Outcome(
                    given, {"y": values} if len(given.symbols) else {}, "" if values[0] else "empty"
                )


def sequence(length: int) -> Unlabelled:
    return Unlabelled(f"s{length}", np.zeros(length, dtype=np.uint8))


def test_the_mean_of_members_in_order() -> None:
    found = list(Ensemble([Toy(1, 4), Toy(2, 7), Toy(6, 1)]).predict(map(sequence, range(20))))
    assert [one.given.id for one in found] == [f"s{i}" for i in range(20)]
    assert found[0].reason == "empty"
    assert not found[0].scores
    for length, one in enumerate(found[1:], 1):
        np.testing.assert_array_equal(one.scores["y"], [3 * length, np.nan])


def test_a_single_member_passes_through() -> None:
    given = [sequence(3)]
    (found,) = Ensemble([Toy(0.1, 1)]).predict(given)
    assert found.scores["y"][0] == 0.1 * 3
    assert found.given is given[0]


def test_no_more_is_read_than_the_foremost_member_wants() -> None:
    read = 0

    def counted() -> Iterator[Unlabelled]:
        nonlocal read
        for number in range(100_000):
            read += 1
            yield sequence(1 + number % 3)

    for done, _ in enumerate(Ensemble([Toy(1, 8), Toy(1, 32)]).predict(counted()), 1):
        assert read <= done + 40
        if done == 1000:
            break


def make_run(root: Path, name: str, loss: float | None) -> Path:
    folder = root / name / "checkpoints" / "step-0000001"
    folder.mkdir(parents=True)
    write_json(folder / "state.json", {"progress": {"best_loss": loss}})
    return folder


def test_members_of_a_folder(tmp_path: Path) -> None:
    folders = {
        f"seed-{n}": make_run(tmp_path, f"seed-{n}", loss) for n, loss in ((10, 0.5), (2, None), (3, 0.2))
    }
    (tmp_path / "seed-4").mkdir()
    (tmp_path / "baselines").mkdir()
    assert member_names(tmp_path) == ["seed-2", "seed-3", "seed-10"]
    assert list(member_folders(tmp_path, None, "mean")) == ["seed-2", "seed-3", "seed-10"]
    assert member_folders(tmp_path, "seed-3", "error") == {"seed-3": tmp_path / "seed-3"}
    assert member_folders(tmp_path / "seed-3", None, "mean") == {"": tmp_path / "seed-3"}
    assert best_member(folders, tmp_path) == "seed-3"
    with pytest.raises(InputError, match=r"holds 3 runs; set predict.member to one of seed-2"):
        member_folders(tmp_path, None, "error")
    with pytest.raises(UsageError, match=r"no member 'seed-4'; it has seed-2"):
        member_folders(tmp_path, "seed-4", "mean")
    with pytest.raises(InputError, match="no member was validated"):
        best_member({"seed-2": folders["seed-2"]}, tmp_path)


def test_a_member_or_target_that_is_not_there_is_a_mistake_of_usage(tmp_path: Path) -> None:
    """The names come from the command line, and not from the data: exit code 2."""
    (tmp_path / "fold-1" / FOLDER).mkdir(parents=True)
    with pytest.raises(UsageError, match="no member 'fold-9'; it has fold-1") as caught:
        member_folders(tmp_path, "fold-9", "mean")
    assert caught.value.exit_code == 2
