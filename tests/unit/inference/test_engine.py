"""The engine against a plain forward pass, and the promise that a result does not depend on its batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.vocabulary import CLS, SEP
from genomecli.errors import InputError, RunError
from genomecli.inference import engine as engine_module
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.rest import Rest
from genomecli.inference.results import LiveModel
from genomecli.inference.windows import WindowPlan, share_weights
from tests.unit.inference.inference_toys import make_items, small_model


def alone(loaded: LiveModel, item: Item, layers: list[int]) -> dict[int, np.ndarray]:
    """States of one text by the plainest call: no padding, no batch. float32[t + 2, D] a layer."""
    tokens = torch.tensor([[CLS, *item.tokens.tolist(), SEP]])
    loaded.model.eval()
    with torch.no_grad():
        encoded = loaded.model(tokens, None, None, torch.full_like(tokens, item.language), keep_layers=layers)
    return {layer: encoded.layers[layer][0].numpy() for layer in layers}


def test_states_are_those_of_the_model_alone(loaded: LiveModel) -> None:
    items = make_items(20, 1, 126)
    results = list(Engine(loaded, tokens_per_batch=300).run(items, "all"))
    assert [r.id for r in results] == [i.id for i in items]
    for item, result in zip(items, results, strict=True):
        plain = alone(loaded, item, [0, 1, 2, 3])
        for layer, states in plain.items():
            np.testing.assert_allclose(result.hidden[layer], states[1:-1], atol=1e-5)
            np.testing.assert_allclose(result.cls[layer], states[0], atol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_result_does_not_depend_on_its_batch(loaded: LiveModel, precision: str) -> None:
    items = make_items(60, 1, 126)
    whole = {
        r.id: r for r in Engine(loaded, precision=precision, tokens_per_batch=4096).run(items, (0, 2, -1))
    }
    shuffled = [items[i] for i in np.random.default_rng(0).permutation(len(items))]
    cases = [(shuffled, 4096), (items, 500), (items, 1), (items[7:8], 4096), (items[::3], 1000)]
    for chosen, budget in cases:
        engine = Engine(loaded, precision=precision, tokens_per_batch=budget)
        for result in engine.run(chosen, (0, 2, -1)):
            for layer, states in result.hidden.items():
                assert np.array_equal(states, whole[result.id].hidden[layer]), (result.id, budget)


def test_pooled_vectors_do_not_depend_on_their_batch(loaded: LiveModel) -> None:
    items = make_items(60, 1, 126)
    poolings = ("mean", "cls", "max")
    whole = {p.item.id: p.vectors for p in Engine(loaded).pool(items, "all", poolings)}
    for chosen, budget in [(items[::-1], 16_384), (items, 300), (items[5:6], 16_384)]:
        for pooled in Engine(loaded, tokens_per_batch=budget).pool(chosen, "all", poolings):
            assert np.array_equal(pooled.vectors, whole[pooled.item.id])


def test_packed_texts_give_the_same_states(loaded: LiveModel) -> None:
    """As where the variable-length kernel serves; here its place is taken by one call a text."""
    items = make_items(20, 1, 126)
    engine = Engine(loaded, tokens_per_batch=600)
    padded = list(engine.run(items, "all"))
    engine.runner._packed = True
    for one, other in zip(padded, engine.run(items, "all"), strict=True):
        assert one.id == other.id
        for layer, states in one.hidden.items():
            np.testing.assert_allclose(other.hidden[layer], states, atol=1e-5)
            np.testing.assert_allclose(other.cls[layer], one.cls[layer], atol=1e-5)


def test_odd_contexts_keep_the_promise(lexicon: Lexicon) -> None:
    loaded = small_model(lexicon, context=101)
    items = make_items(30, 90, 99)
    whole = {r.id: r.hidden[3] for r in Engine(loaded).run(items, (-1,))}
    for result in Engine(loaded, tokens_per_batch=210).run(items[::-1], (-1,)):
        assert np.array_equal(result.hidden[3], whole[result.id])


def test_long_input_is_windowed_as_documented(loaded: LiveModel) -> None:
    item = make_items(1, 333, 333)[0]
    engine = Engine(loaded, window=50, stride=20, tokens_per_batch=128)
    result = next(engine.run([item], (2,)))
    plan = WindowPlan(333, 50, 20)
    expected = np.zeros((333, 64))
    cls = []
    for which in range(plan.count):
        start = plan.start(which)
        part = Item("w", item.tokens[start : start + 50], item.language)
        states = alone(loaded, part, [2])[2]
        expected[start : start + 50] += share_weights(plan, which)[:, None] * states[1:-1]
        cls.append(states[0])
    np.testing.assert_allclose(result.hidden[2], expected, atol=1e-5)
    np.testing.assert_allclose(result.cls[2], np.mean(cls, axis=0), atol=1e-5)
    assert engine.counts["windowed"] == 1


def test_pooling_long_input_agrees_with_pooling_its_states(loaded: LiveModel) -> None:
    short, long = make_items(9, 1, 100), make_items(3, 200, 900, key="long")
    items = [*short[:4], long[0], *short[4:], *long[1:]]
    engine = Engine(loaded, window=100, stride=30, tokens_per_batch=256)
    pooled = list(engine.pool(items, (1, 3), ("mean", "cls", "max")))
    for vectors, result in zip(pooled, engine.run(items, (1, 3)), strict=True):
        assert vectors.item.id == result.id
        for row, layer in enumerate((1, 3)):
            states = result.hidden[layer]
            expected = np.stack([states.mean(axis=0), result.cls[layer], states.max(axis=0)])
            np.testing.assert_allclose(vectors.vectors[row], expected, atol=1e-5)


def test_order_and_memory_hold_when_buffers_are_small(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_items(40, 1, 400)
    whole = list(Engine(loaded, window=60).run(items, (-1,)))
    monkeypatch.setattr(engine_module, "BUFFER_BYTES", 20_000)
    monkeypatch.setattr(engine_module, "BUFFER_BATCHES", 1)
    taken = 0

    def source() -> object:
        nonlocal taken
        for item in items:
            taken += 1
            yield item

    for index, result in enumerate(Engine(loaded, window=60, tokens_per_batch=64).run(source(), (-1,))):
        assert np.array_equal(result.hidden[3], whole[index].hidden[3])
        assert taken <= index + 80


@pytest.mark.parametrize(("seconds", "most"), [(0.0, 1), (1e9, 64)])
def test_what_is_read_ahead_takes_so_long(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch, seconds: float, most: int
) -> None:
    """Two batches at first; then as many as take the seconds, one at least and ``BUFFER_BATCHES`` at most."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", seconds)
    taken = 0

    def source() -> Iterator[Item]:
        nonlocal taken
        for item in make_items(400, 62, 62):
            taken += 1
            yield item

    ahead: list[int] = []
    for index, _ in enumerate(Engine(loaded, tokens_per_batch=256).pool(source())):
        ahead.append(taken - index)
    assert ahead[0] == 8
    assert max(ahead[8:]) == 4 * most


def test_a_run_rests_when_what_was_computed_is_given_out(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight texts a time; the wish comes with one of them, or while the next are computed."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    items = make_items(40, 62, 62)
    for asked_at, stops_after in [(3, 8), (7, 8), (8, 16), (9, 16), (39, 40)]:
        engine = Engine(loaded, tokens_per_batch=512)
        rest, given = Rest(engine), 0
        for given, _ in enumerate(engine.pool(items), 1):
            if rest.reached(given > asked_at):
                break
        assert given == stops_after, asked_at
        assert engine.left == 0


def test_of_several_engines_the_first_that_has_given_out_its_own_ends_the_run(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read ahead 8 and 12 texts a time."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    items = make_items(40, 62, 62)
    for asked_at, stops_after in [(3, 8), (8, 12), (12, 16), (17, 24), (24, 32)]:
        engines = [Engine(loaded, tokens_per_batch=tokens) for tokens in (512, 768)]
        rest, given = Rest(*engines), 0
        for given, _ in enumerate(zip(*(engine.pool(items) for engine in engines), strict=True), 1):
            if rest.reached(given > asked_at):
                break
        assert given == stops_after, asked_at


@pytest.mark.parametrize("each", [2, 3])
def test_a_run_rests_before_a_result_of_which_not_all_texts_were_computed(
    loaded: LiveModel, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven texts a time, some to a result: as both strands of a record, or a pair."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    engine = Engine(loaded, tokens_per_batch=448)
    rest = Rest(engine, each=each)
    for given, _ in enumerate(engine.pool(make_items(42, 62, 62)), 1):
        if given % each == 0 and rest.reached(given > 7):
            break
    assert given == 14 // each * each
    assert engine.begun == 2


def test_a_run_rests_before_an_item_of_which_not_all_windows_were_computed(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four windows a time, five an item: the first item ends in the second time, with nothing after it."""
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    engine = Engine(loaded, window=60, stride=60, tokens_per_batch=200)
    rest, ended = Rest(engine), []
    for piece in engine.pieces(make_items(6, 290, 290)):
        if piece.last:
            ended.append(piece.item.id)
            if rest.reached(True):
                break
    assert ended == ["g0"]
    assert engine.begun == 2


def test_truncate_and_error(loaded: LiveModel) -> None:
    item = make_items(1, 300, 300)[0]
    engine = Engine(loaded, long_input="truncate")
    result = next(engine.run([item], (-1,)))
    assert result.hidden[3].shape == (126, 64)
    assert engine.counts["truncated"] == 1
    np.testing.assert_allclose(
        result.hidden[3], alone(loaded, Item("t", item.tokens[:126], item.language), [3])[3][1:-1], atol=1e-5
    )
    with pytest.raises(InputError, match="300 tokens exceed the window of 126"):
        list(Engine(loaded, long_input="error").run([item]))


def test_memory_errors_halve_the_batch(
    loaded: LiveModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    items = make_items(30, 1, 126)
    whole = {r.id: r.hidden[3] for r in Engine(loaded).run(items)}
    engine = Engine(loaded)
    forward = type(loaded.model).forward

    def scarce(self: object, tokens: torch.Tensor, *rest: object, **named: object) -> object:
        if tokens.numel() > 400:
            raise torch.OutOfMemoryError("no memory")
        return forward(self, tokens, *rest, **named)

    monkeypatch.setattr(type(loaded.model), "forward", scarce)
    monkeypatch.setattr("genomecli.runtime.log.propagate", True)
    for result in engine.run(items):
        assert np.array_equal(result.hidden[3], whole[result.id])
    assert "out of memory: going on with batches of" in caplog.text

    monkeypatch.setattr(
        type(loaded.model), "forward", lambda *a, **k: (_ for _ in ()).throw(torch.OutOfMemoryError("no"))
    )
    with pytest.raises(RunError, match="does not fit into the device's memory"):
        list(engine.run(items))


def test_training_mode_and_random_state_are_left_alone(loaded: LiveModel) -> None:
    loaded.model.train()
    before = torch.random.get_rng_state()
    list(Engine(loaded).run(make_items(3, 5, 9)))
    assert loaded.model.training
    assert torch.equal(before, torch.random.get_rng_state())
    loaded.model.eval()


def test_states_that_are_not_finite_are_refused(lexicon: Lexicon) -> None:
    loaded = small_model(lexicon)
    with torch.no_grad():
        loaded.model.encoder.final_norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="g0"):
        list(Engine(loaded).pool(make_items(1, 5, 9)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 127}, "does not fit"),
        ({"window": 10, "stride": 11}, "skips tokens"),
        ({"window": 0}, "fit"),
    ],
)
def test_impossible_windows_are_refused(loaded: LiveModel, settings: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Engine(loaded, **settings)


def test_layers_are_resolved(loaded: LiveModel) -> None:
    engine = Engine(loaded)
    assert engine.layers("all") == (0, 1, 2, 3)
    assert engine.layers((-1, 0, 3)) == (3, 0)
    with pytest.raises(InputError, match="no layer 4"):
        engine.layers((4,))
    with pytest.raises(InputError, match="no layer -5"):
        engine.layers((-5,))
