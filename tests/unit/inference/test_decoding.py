"""What the engine decodes, against a plain forward pass, and the promise that an answer stands alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.vocabulary import CLS, MASK, SEP
from genomecli.errors import RunError
from genomecli.inference import decoding
from genomecli.inference import engine as engine_module
from genomecli.inference.decoding import NONE, Query, language_ranges
from genomecli.inference.engine import Engine
from genomecli.inference.items import Item
from genomecli.inference.rest import Rest
from genomecli.inference.results import LiveModel
from genomecli.inference.workload import Work, Workload, answers_of
from genomecli.runtime import rng
from tests.unit.inference.inference_toys import make_items, small_model


def make_queries(count: int, key: str = "queries") -> list[Query]:
    """Codon texts with some tokens hidden; sets of one to three codons are asked for."""
    random = rng("decoding tests", key)
    queries = []
    for item in make_items(count, 1, 126, key=key):
        tokens = item.tokens.copy()
        places = random.integers(0, len(tokens), int(random.integers(1, 5)))
        tokens[places] = MASK
        ids = random.integers(5, 69, (len(places), 3))
        ids[random.random(ids.shape) < 0.4] = NONE
        ids[:, 0] = random.integers(5, 69, len(places))
        language = item.language // 2 * 2  # a species' DNA
        queries.append(Query(Item(item.id, tokens, language), places, ids))
    return queries


def alone(loaded: LiveModel, query: Query) -> np.ndarray:
    """The answers by the plainest call: one text, softmax over the codons, sums of probabilities."""
    tokens = torch.tensor([[CLS, *query.item.tokens.tolist(), SEP]])
    loaded.model.eval()
    with torch.no_grad():
        states = loaded.model(tokens, None, None, torch.full_like(tokens, query.item.language)).last
        scores = loaded.model.logits(states)[0, 1:-1, 5:69].double()
    found = []
    for place, ids in zip(query.places, query.ids, strict=True):
        shares = torch.softmax(scores[place], dim=-1)
        found.append(float(torch.log(sum(shares[i - 5] for i in ids if i != NONE))))
    return np.array(found)


def test_answers_are_those_of_the_model_alone(loaded: LiveModel) -> None:
    queries = make_queries(30)
    for query, answers in zip(queries, Engine(loaded, tokens_per_batch=600).decode(queries), strict=True):
        np.testing.assert_allclose(answers, alone(loaded, query), atol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_answer_does_not_depend_on_its_batch(
    loaded: LiveModel, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = make_queries(60)
    whole = [a.tolist() for a in Engine(loaded, precision=precision, tokens_per_batch=4096).decode(queries)]
    monkeypatch.setattr(decoding, "ROW_BYTES", 1)
    for chosen, budget in [
        (range(59, -1, -1), 4096),
        (range(60), 1),
        (range(7, 8), 4096),
        (range(0, 60, 3), 900),
    ]:
        engine = Engine(loaded, precision=precision, tokens_per_batch=budget)
        found = list(engine.decode(queries[i] for i in chosen))
        assert [a.tolist() for a in found] == [whole[i] for i in chosen]


def test_equal_texts_are_read_once_and_answered_alike(loaded: LiveModel) -> None:
    queries = make_queries(12)
    item = queries[0].item
    more = [Query(item, np.array([0]), np.array([[5 + i, 20 + i]])) for i in range(20)]
    engine = Engine(loaded)
    found = answers_of(engine, [*queries, *more])
    assert engine.counts["items"] == 12
    for query, answers in zip([*queries, *more], found, strict=True):
        (expected,) = Engine(loaded).decode([query])
        assert answers.tolist() == expected.tolist()


def test_work_comes_back_in_order(loaded: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomecli.inference.workload.TOKENS", 300)
    queries = make_queries(24)
    works = [Work(queries[i : i + i % 3], lambda found, i=i: (i, len(found))) for i in range(20)]
    assert list(Workload(Engine(loaded), works)) == [(i, i % 3) for i in range(20)]


@pytest.mark.parametrize("gathered", [300, 1 << 17])
def test_work_rests_when_what_was_computed_is_given_out(
    loaded: LiveModel, gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few texts a time, 0 to 3 of them a piece of work, some of them asked about before."""
    monkeypatch.setattr("genomecli.inference.workload.TOKENS", gathered)
    monkeypatch.setattr(engine_module, "BUFFER_SECONDS", 0.0)
    monkeypatch.setattr(engine_module, "FIRST_BATCHES", 1)
    queries = make_queries(40)
    works = [
        Work([*queries[i : i + i % 3], *queries[i // 2 : i // 2 + i % 2]], lambda found, i=i: (i, len(found)))
        for i in range(30)
    ]
    whole = [(i, i % 3 + i % 2) for i in range(30)]
    stops = set()
    for asked_at in range(29):
        engine = Engine(loaded, tokens_per_batch=300)
        work, given = Workload(engine, works), []
        rest, begun = Rest(work), 0
        for made in work:
            given.append(made)
            if len(given) == asked_at + 1:
                begun = engine.begun
            if rest.reached(len(given) > asked_at):
                break
        assert given == whole[: len(given)]
        assert engine.begun == begun, "nothing more was computed"
        stops.add(len(given))
    assert 3 < len(stops) < 25


def test_probabilities_of_a_language_sum_to_one(lexicon: Lexicon) -> None:
    loaded = small_model(lexicon)
    residues = np.arange(69, 89)
    item = Item("p", np.array([70, MASK, 75], dtype=np.int32), lexicon.language_id("two", "protein"))
    (answers,) = Engine(loaded).decode([Query(item, np.full(20, 1), residues[:, None])])
    assert np.exp(answers).sum() == pytest.approx(1)
    (total,) = Engine(loaded).decode([Query(item, np.array([1]), residues[None])])
    assert total[0] == pytest.approx(0, abs=1e-9)


def test_ranges_are_those_of_the_blocks(lexicon: Lexicon) -> None:
    assert language_ranges(lexicon).tolist() == [[5, 69], [69, 89], [5, 69], [69, 89]]


def test_scores_that_are_not_finite_are_an_error(lexicon: Lexicon) -> None:
    loaded = small_model(lexicon)
    with torch.no_grad():
        loaded.model.lm_head.bias[7] = float("nan")
    with pytest.raises(RunError, match="not finite"):
        list(Engine(loaded).decode(make_queries(2)))
