"""A prediction is a function of the sequence and the model alone, not of the batch or the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.errors import InputError
from genomecli.inference.predictor import Predictor, Unlabelled, unlabelled
from genomecli.inference.tuned import Tuned, is_tuned, load_tuned
from genomecli.runtime import rng
from genomecli.tasks.examples import Examples, Labels
from genomecli.training.task_learner import TaskLearner
from genomecli.training.task_spec import HeadShape, TaskSpec
from tests.unit.training.task_toys import (
    make_examples,
    make_job,
    make_spec,
    sequences,
    settings,
    small_start,
    target,
    tune,
)

HEADS = [HeadShape("mean"), HeadShape("max", 8), HeadShape("attention"), HeadShape("cls")]


def _examples(count: int = 150, *, pair: bool = False, symbols: bool = False) -> Examples:
    """Some longer than the window of 62 tokens."""
    texts = sequences(count, 5, 140)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
    labels: dict[str, Any] = {
        "y": rng("labels").integers(0, 3, count),
        "v": rng("values").normal(size=(count, 1)),
    }
    if symbols:
        labels["s"] = Labels(rng("symbols").integers(0, 2, offsets[-1]), offsets)
    return make_examples(
        texts,
        labels,
        pair=sequences(count, 5, 140, "pair") if pair else None,
        covariates=rng("covariates").normal(size=(count, 2)),
    )


def _targets(examples: Examples) -> list[Any]:
    found = [target("multiclass", 3), target("regression", 1, "v", means=(3.0,), scales=(7.0,))]
    return found + ([target("token", 2, "s")] if "s" in examples.labels else [])


def _tuned(examples: Examples, head: HeadShape, dna: str = "base", **changes: Any) -> Tuned:
    """A network with random weights, heads included."""
    start = small_start(dna, layers=2, **changes)
    spec = make_spec(start, examples, _targets(examples), head=head)
    model = make_job(start, examples, spec, settings()).model().eval()
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    return Tuned(model, start.lexicon, spec)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.pooling)
@pytest.mark.parametrize(("pair", "symbols"), [(False, False), (True, False), (False, True)])
def test_bits_do_not_depend_on_the_batch(head: HeadShape, pair: bool, symbols: bool) -> None:
    examples = _examples(pair=pair, symbols=symbols)
    tuned = _tuned(examples, head)
    whole = Predictor(tuned).examples(examples)
    order = rng("order").permutation(len(examples))[:90]
    some = Predictor(tuned, tokens_per_batch=100).examples(examples.take(order))
    for name, predictions in whole.items():
        for place, row in enumerate(order):
            assert np.array_equal(predictions.row(int(row)), some[name].row(place), equal_nan=True), (
                name,
                row,
            )


@pytest.mark.parametrize("symbols", [False, True])
def test_a_stream_gives_what_a_table_gives_in_order_with_what_cannot_be_read(symbols: bool) -> None:
    examples = _examples(symbols=symbols)
    predictor = Predictor(_tuned(examples, HEADS[0], "codon", width=16))
    bad = [Unlabelled("short", np.zeros(2, dtype=np.uint8), covariates=np.zeros(2))]
    bad += [Unlabelled("foreign", np.full(9, 255, dtype=np.uint8), covariates=np.zeros(2))]
    bad += [Unlabelled("bare", np.zeros(9, dtype=np.uint8))]
    given = list(unlabelled(examples))
    mixed = [*bad, *given[:70], *bad, *given[70:], *bad]
    outcomes = list(predictor.predict(iter(mixed)))
    assert [outcome.given.id for outcome in outcomes] == [one.id for one in mixed]
    reasons = [outcome.reason for outcome in outcomes if outcome.reason]
    assert reasons == 3 * [
        "has 2 letters, too few for a token of 3",
        "has 9 letters that are not DNA, first at 1",
        "has no covariates, which the model wants",
    ]
    table = predictor.examples(examples)
    read = [outcome for outcome in outcomes if not outcome.reason]
    for row, outcome in enumerate(read):
        for name, predictions in table.items():
            assert np.array_equal(outcome.scores[name], predictions.row(row), equal_nan=True)


def test_a_stream_is_read_no_further_than_needed() -> None:
    """A million records must not be held: after the first result only a bounded number has been taken."""
    examples = _examples(8)
    predictor = Predictor(_tuned(examples, HEADS[0]), tokens_per_batch=64)
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield next(iter(unlabelled(examples)))

    stream = predictor.predict(endless())
    for _ in range(100):
        next(stream)
    assert taken < 300


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.pooling)
def test_training_sees_the_same_outputs(head: HeadShape) -> None:
    """Of sequences that fit the window: padded batches with the learner against the engine."""
    examples = _examples(40, pair=True, symbols=False)
    short = np.flatnonzero((examples.sequences.lengths < 60) & (examples.pair.lengths < 60))  # type: ignore[union-attr]
    examples = examples.take(short)
    tuned = _tuned(examples, head)
    job = make_job(small_start("base", layers=2), examples, tuned.spec, settings(batch_size=len(short)))
    found = Predictor(tuned).outputs(examples)
    learner = TaskLearner(tuned.spec.targets)
    with torch.inference_mode():
        for batch in job.data.step(0):
            outputs = learner.outputs(tuned.model, batch)
            for name, values in outputs.items():
                expected = torch.from_numpy(found[name][batch.records.numpy()])
                torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dna", ["base", "codon", "kmer"])
@pytest.mark.parametrize("frame", [0, 2])
def test_training_sees_the_same_outputs_of_symbols(dna: str, frame: int) -> None:
    examples = _examples(30, symbols=True)
    examples = examples.take(
        np.flatnonzero((examples.sequences.lengths < 60) & (examples.sequences.lengths > 5))
    )
    start = small_start(dna)
    plain = make_spec(start, examples, _targets(examples))
    reading = type(plain.reading)(
        plain.reading.species, plain.reading.molecule, 0 if dna == "base" else frame
    )
    spec = TaskSpec(plain.targets, plain.head, reading, covariates=plain.covariates, context=64)
    job = make_job(start, examples, spec, settings(batch_size=len(examples)))
    model = job.model().eval()
    found = Predictor(Tuned(model, start.lexicon, spec)).examples(examples)["s"]
    with torch.inference_mode():
        for batch in job.data.step(0):
            outputs = job.learner.outputs(model, batch)["s"].double().softmax(-1).numpy()
            for place, row in enumerate(batch.records.tolist()):
                own = found.row(row)
                covered = np.flatnonzero(~np.isnan(own[:, 0]))
                assert covered[0] == spec.reading.frame
                np.testing.assert_allclose(
                    outputs[place, covered - spec.reading.frame], own[covered], rtol=1e-3, atol=1e-4
                )


def test_saved_and_loaded_it_predicts_the_same(tmp_path: Path) -> None:
    examples = _examples(40)
    start = small_start()
    spec = make_spec(start, examples, _targets(examples))
    tuned, _ = tune(tmp_path / "run", start, examples, spec, epochs=2, valid=examples)
    again = load_tuned(tmp_path / "run" / "checkpoints" / Path(tuned.info["path"]).name)
    assert is_tuned(tmp_path / "run")
    assert again.spec == tuned.spec == spec
    first, second = (Predictor(one).examples(examples) for one in (tuned, again))
    for name in first:
        assert np.array_equal(first[name].scores, second[name].scores)


def test_a_row_that_cannot_be_read_is_named() -> None:
    examples = make_examples(["ACGT", "NNNN"], {"y": np.array([0, 1])})
    start = small_start()
    spec = make_spec(start, examples, [target("binary")])
    model = make_job(start, examples.take(np.array([0])), spec, settings()).model()
    with pytest.raises(InputError, match="record 'r1'.*has no token without an ambiguous letter"):
        Predictor(Tuned(model, start.lexicon, spec)).examples(examples)


@pytest.mark.parametrize("pooling", ["places", "mean"])
def test_a_text_shorter_than_the_places_of_the_head_is_told_of(pooling: Any) -> None:
    """Its letters lie at the first places, wherever they come from."""
    texts = [text[:30] for text in sequences(6, 30, 40)]
    examples = make_examples(texts, {"y": rng("short").integers(0, 2, 6)})
    start = small_start()
    head = HeadShape(pooling, places=30 if pooling == "places" else 0)
    spec = make_spec(start, examples, [target("binary", 2, "y")], head=head)
    model = make_job(start, examples, spec, settings()).model().eval()
    given = list(unlabelled(examples))
    given[2] = Unlabelled("short", given[2].symbols[:9])
    given[4] = Unlabelled("one", given[4].symbols[:1])
    found = list(Predictor(Tuned(model, start.lexicon, spec)).predict(given))
    lacking = [0, 0, 21, 0, 29, 0] if pooling == "places" else [0] * 6
    assert [one.short for one in found] == lacking
    assert [one.reason for one in found] == [""] * 6
