"""Batches made side by side: the same bits as one after the other, faults and threads as they were."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from genomecli.errors import RunError
from genomecli.inference import runner as runner_module
from genomecli.inference.batching import Window
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.results import LiveModel
from genomecli.inference.runner import Runner, side_by_side
from genomecli.models.encode import encode
from tests.unit.inference.inference_toys import make_items

BUDGET = 512


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three threads, of which each takes batches of its own however few tokens they have."""
    monkeypatch.setattr(runner_module, "SHARE", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def windows(items: list[Item]) -> list[Window]:
    return [Window(item, 0, len(item.tokens)) for item in items]


def names_of_threads(loaded: LiveModel, items: list[Item], budget: int = BUDGET) -> list[set[str]]:
    """Batch by batch: the thread that used it, and its number of threads."""
    runner = Runner(loaded.model, "fp32", budget)
    seen = runner.mapped(
        windows(items), (3,), lambda *_: {threading.current_thread().name, str(torch.get_num_threads())}
    )
    return list(seen)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_side_by_side_gives_the_bits_of_one_after_the_other(
    loaded: LiveModel, precision: str, threads: None
) -> None:
    items = make_items(80, 1, 126)
    side = Engine(loaded, precision=precision, tokens_per_batch=BUDGET)
    found = list(side.run(items, (1, -1)))
    pooled = list(side.pool(items, (1, -1), ("mean", "max")))
    torch.set_num_threads(1)
    alone = Engine(loaded, precision=precision, tokens_per_batch=BUDGET)
    for one, other in zip(found, alone.run(items, (1, -1)), strict=True):
        assert one.id == other.id
        assert all(np.array_equal(one.hidden[layer], other.hidden[layer]) for layer in (1, 3))
    for mine, its in zip(pooled, alone.pool(items, (1, -1), ("mean", "max")), strict=True):
        assert mine.item.id == its.item.id
        assert np.array_equal(mine.vectors, its.vectors)


def test_each_worker_has_one_thread_and_the_process_its_own_afterwards(
    loaded: LiveModel, threads: None
) -> None:
    used = names_of_threads(loaded, make_items(80, 1, 126))
    assert all(any(name.startswith("genomecli-batch") for name in names) for names in used)
    assert all("1" in names for names in used)
    assert len({frozenset(names) for names in used}) > 1
    assert torch.get_num_threads() == 3
    started: list[int] = []
    later = threading.Thread(target=lambda: started.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert started == [3]


def test_long_texts_and_a_few_batches_are_read_by_all_threads(loaded: LiveModel, threads: None) -> None:
    """A text beyond its thread's share, here 170 tokens, comes first; 12 short ones are too few to share."""
    here = {threading.current_thread().name, "3"}
    assert names_of_threads(loaded, make_items(4, 10, 10)) == [here]
    mixed = [*make_items(80, 1, 40), *make_items(5, 120, 126, key="long")]
    used = names_of_threads(loaded, mixed, budget=300)
    assert here in used
    assert all(names == here for names in used[: used.index(here) + 1])
    assert sum(names != here for names in used) >= 6


def test_fewer_threads_than_shares(loaded: LiveModel, monkeypatch: pytest.MonkeyPatch, threads: None) -> None:
    monkeypatch.setattr(runner_module, "SHARE", BUDGET // 2)
    names = names_of_threads(loaded, make_items(80, 1, 126))
    workers = {name for found in names for name in found if name.startswith("genomecli-batch")}
    assert workers <= {"genomecli-batch_0", "genomecli-batch_1"}
    assert workers


def test_a_fault_of_a_worker_ends_the_run(loaded: LiveModel, threads: None) -> None:
    items = make_items(80, 1, 126)

    def fails(members: list[int], states: object) -> int:
        if 7 in members:
            raise RunError("is not finite", where=f"record {items[7].id!r}")
        return len(members)

    runner = Runner(loaded.model, "fp32", BUDGET)
    loaded.model.train()
    with pytest.raises(RunError, match="is not finite"):
        list(runner.mapped(windows(items), (3,), fails))
    assert loaded.model.training
    loaded.model.eval()
    assert torch.get_num_threads() == 3
    assert not [one for one in threading.enumerate() if one.name.startswith("genomecli-batch")]


def test_where_memory_suffices_for_one_batch_at_a_time_these_are_made(
    loaded: LiveModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    threads: None,
) -> None:
    """It fails while another thread computes: no text is blamed, no batch is halved, all come out."""
    items = make_items(80, 60, 60)
    plain = list(Engine(loaded, tokens_per_batch=BUDGET).pool(items))
    inside, refused = threading.Semaphore(1), []

    def scarce(*arguments: object) -> object:
        if not inside.acquire(blocking=False):
            refused.append(1)
            raise torch.OutOfMemoryError("no memory")
        try:
            time.sleep(0.01)
            return encode(*arguments)  # type: ignore[arg-type]
        finally:
            inside.release()

    monkeypatch.setattr(runner_module, "encode", scarce)
    monkeypatch.setattr("genomecli.runtime.log.propagate", True)
    engine = Engine(loaded, tokens_per_batch=BUDGET)
    found = list(engine.pool(items))
    assert refused
    assert engine.runner.budget == BUDGET
    assert [one.item.id for one in found] == [one.item.id for one in plain]
    assert all(np.array_equal(a.vectors, b.vectors) for a, b in zip(found, plain, strict=True))
    before = len(refused)
    list(engine.pool(items))
    assert len(refused) == before, "threads were together again"
    assert "going on with one batch at a time" in caplog.text


def test_batches_that_are_too_large_alone_are_halved_then(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch, threads: None
) -> None:
    items = make_items(80, 60, 60)
    plain = list(Engine(loaded, tokens_per_batch=BUDGET).pool(items))

    def scarce(model: object, batch: object, layers: object) -> object:
        if batch.tokens.numel() > 64:  # type: ignore[attr-defined]
            raise torch.OutOfMemoryError("no memory")
        return encode(model, batch, layers)  # type: ignore[arg-type]

    monkeypatch.setattr(runner_module, "encode", scarce)
    engine = Engine(loaded, tokens_per_batch=BUDGET)
    found = list(engine.pool(items))
    assert engine.runner.budget < BUDGET
    assert [one.item.id for one in found] == [one.item.id for one in plain]
    assert all(np.array_equal(a.vectors, b.vectors) for a, b in zip(found, plain, strict=True))


def test_batches_come_in_their_order_and_few_wait() -> None:
    """The first takes longest; at most (ahead + 1) batches a worker are under way or wait."""
    taken: list[int] = []

    def plan() -> Iterator[list[int]]:
        for number in range(40):
            taken.append(number)
            yield [number]

    def work(members: list[int]) -> int:
        time.sleep(0.05 if members == [0] else 0)
        return -members[0]

    made = side_by_side(work, plan(), workers=2, threads=2, ahead=3)
    assert next(made) == ([0], 0)
    assert len(taken) == 9
    assert list(made) == [([number], -number) for number in range(1, 40)]


def test_after_a_failure_no_batch_is_begun_and_all_others_have_ended() -> None:
    under_way: set[int] = set()
    begun: list[int] = []

    def work(members: list[int]) -> int | None:
        begun.append(members[0])
        under_way.add(members[0])
        time.sleep(0.05 if members[0] else 0.02)
        under_way.discard(members[0])
        return members[0] or None  # the first fails

    for members, made in side_by_side(work, [[n] for n in range(20)], workers=2, threads=2, ahead=3):
        if made is None:
            assert not under_way
        else:
            assert made == members[0]
    assert len(begun) <= 4


def test_left_early_no_thread_stays(loaded: LiveModel, threads: None) -> None:
    runner = Runner(loaded.model, "fp32", BUDGET)
    loaded.model.train()
    found = runner.batches(windows(make_items(80, 1, 126)), (3,))
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert loaded.model.training
    loaded.model.eval()
    assert not [one for one in threading.enumerate() if one.name.startswith("genomecli-batch")]
