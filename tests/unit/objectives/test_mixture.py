"""Objectives on a small model: what they corrupt, count and score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from genomecli.corpus.batch import IGNORE, AnyBatch, Batch, Selection
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.corpus.packing import PackSizes, pack
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.sampling import Sampler
from genomecli.corpus.vocabulary import MASK
from genomecli.errors import ConfigError
from genomecli.models.encode import encode
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings
from genomecli.objectives import registry
from genomecli.objectives.masking import MaskingPolicy
from genomecli.objectives.mixture import Losses, Mixture, add_losses, build_mixture, corrupt_fixed
from genomecli.objectives.mlm import MaskedTokens
from genomecli.objectives.protocol import Objective, ObjectiveLoss, sum_losses
from genomecli.objectives.settings import ObjectiveSettings
from genomecli.runtime import rng
from genomecli.training.feed import split_rows
from tests.unit.corpus.toy_corpus import toy_corpus

LEXICON = build_lexicon(["a", "b"])
SMALL = {"context": 64, "tokens_per_batch": 1024, "tokens_per_step": 4096, "pool": 2}
ALL = {
    "tlm": {},
    "cls": {"targets": ("species", "molecule", "frame", "coding"), "weight": 0.5},
}


def batches_of(**values: Any) -> list[Batch]:
    settings = ReadingSettings(**{**SMALL, **values})
    return Sampler(toy_corpus(), LEXICON, settings, 0).step(0)


def model_of(mixture: Mixture) -> LanguageModel:
    settings = ModelSettings(preset=None, layers=1, width=16, heads=1, context=64)
    heads = mixture.heads(settings.width, LEXICON)
    return build_model(settings, LEXICON.vocabulary.size, len(LEXICON.languages), seed=0, heads=heads)


def losses_of(mixture: Mixture, model: LanguageModel, batch: AnyBatch) -> Losses:
    return mixture.losses(model, encode(model, batch).last, batch.selected)


def test_masked_loss_agrees_with_a_loop() -> None:
    mixture = build_mixture(ObjectiveSettings(mlm={"replacements": "joint"}), LEXICON)
    model = model_of(mixture)
    batch = batches_of()[0]
    weights = torch.rand(batch.tokens.shape)
    batch = mixture.corrupt(replace(batch, weights=weights), rng(0))
    assert batch.targets is not None
    hidden = encode(model, batch).last
    loss = losses_of(mixture, model, batch)["mlm"]
    scores = model.logits(hidden).detach().float().log_softmax(-1)
    total = weight = 0.0
    correct, by_language = 0, dict.fromkeys(range(4), 0.0)
    for row, column in (batch.targets != IGNORE).nonzero().tolist():
        target = int(batch.targets[row, column])
        nats = -float(scores[row, column, target])
        total += nats * float(weights[row, column])
        weight += float(weights[row, column])
        correct += int(scores[row, column].argmax()) == target
        by_language[int(batch.languages[row, column])] += nats
    assert float(loss.sum.detach()) == pytest.approx(total, rel=1e-4)
    assert float(loss.count) == pytest.approx(weight, rel=1e-5)
    assert mixture.counts([batch])["mlm"] == pytest.approx(weight, rel=1e-5)
    assert int(loss.correct) == correct
    assert loss.language_loss.tolist() == pytest.approx(list(by_language.values()), rel=1e-4)
    assert int(loss.language_predictions.sum()) == int(loss.predictions)
    table = loss.by_language(LEXICON.languages)
    assert set(table) == set(LEXICON.languages)
    for name, values in table.items():
        place = LEXICON.languages.index(name)
        assert values["perplexity"] == pytest.approx(
            np.exp(by_language[place] / int(loss.language_predictions[place])), rel=1e-4
        )


@pytest.mark.parametrize("sizes", [None, PackSizes(1024, 64), PackSizes(4096, 64)])
@pytest.mark.parametrize("softmax", ["joint", "own"])
def test_packed_and_padded_states_give_the_same_losses(sizes: PackSizes | None, softmax: str) -> None:
    objectives = ObjectiveSettings(mlm={"softmax": softmax}, cls={"targets": ("species", "frame")})
    mixture = build_mixture(objectives, LEXICON)
    model = model_of(mixture)
    for batch in batches_of(frame="all", soft_weight=0.5):
        batch = mixture.corrupt(batch, rng(1))
        padded, packed = (losses_of(mixture, model, texts) for texts in (batch, pack(batch, sizes)))
        assert set(padded) == {"mlm", "cls-species", "cls-frame"}
        for name, loss in padded.items():
            for field in fields(loss):
                left, right = getattr(loss, field.name), getattr(packed[name], field.name)
                torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)
        gradients = []
        for losses in (padded, packed):
            model.zero_grad()
            mixture.total(losses, mixture.counts([batch])).backward()
            gradients.append([p.grad for p in model.parameters()])
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_selections_are_the_targets_that_the_batch_shows() -> None:
    mixture = build_mixture(ObjectiveSettings(**ALL), LEXICON)
    for batch in batches_of(relation="paired", pairs={"share": 0.5}, soft_weight=0.5):
        batch = mixture.corrupt(batch, rng(2))
        assert batch.targets is not None
        paired = (batch.extras["partner"] >= 0)[:, None]
        for name, rows in (("tlm", paired), ("mlm", ~paired)):
            chosen = batch.selected[name]
            places = ((batch.targets != IGNORE) & rows).flatten().nonzero().squeeze(1)
            assert torch.equal(chosen.places, places)
            assert torch.equal(chosen.targets, batch.targets.flatten()[places])
            assert torch.equal(chosen.languages, batch.languages.flatten()[places])
            weights = torch.ones_like(batch.tokens).float() if batch.weights is None else batch.weights
            assert torch.equal(chosen.weights, weights.flatten()[places])
        for row, place in enumerate(batch.selected["cls-species"].places.tolist()):
            assert place == row * batch.tokens.shape[1]


def test_softmax_over_the_own_language_ignores_the_others() -> None:
    lexicon = LEXICON
    logits = torch.randn(4, lexicon.vocabulary.size)
    objective = MaskedTokens(lexicon=lexicon, softmax="own")
    targets = torch.tensor([5, 68, 69, 88])
    foreign = objective._foreign(targets)
    assert foreign.sum(1).tolist() == [25, 25, 69, 69]
    assert not foreign[torch.arange(4), targets].any()
    masked = logits.masked_fill(foreign, float("-inf"))
    for row, ids in enumerate((range(5, 69), range(5, 69), range(69, 89), range(69, 89))):
        own = logits[row, list(ids)].log_softmax(0)[int(targets[row]) - ids.start]
        torch.testing.assert_close(masked.log_softmax(1)[row, targets[row]], own)


def test_classes_of_texts() -> None:
    settings = ObjectiveSettings(mlm=None, **{"cls": ALL["cls"]})
    mixture = build_mixture(settings, LEXICON)
    model = model_of(mixture)
    for batch in batches_of(molecules=("genome", "cds", "protein"), frame="all"):
        losses = losses_of(mixture, model, mixture.select(batch))
        proteins = int((batch.extras["molecule"] == 2).sum())
        assert int(losses["cls-species"].predictions) == len(batch.lengths)
        assert int(losses["cls-frame"].predictions) == len(batch.lengths) - proteins
        assert int(losses["cls-coding"].predictions) == len(batch.lengths) - proteins
        assert (
            losses["cls-molecule"].language_predictions.tolist()
            == torch.bincount(batch.languages[:, 0], minlength=4).tolist()
        )


def test_pairs_are_masked_on_both_sides_and_single_texts_by_the_other_objective() -> None:
    mixture = build_mixture(ObjectiveSettings(tlm={"rate": 0.4}), LEXICON)
    assert [part.name for part in mixture.parts] == ["tlm", "mlm"]
    model = model_of(mixture)
    chosen, possible = torch.zeros(2), torch.zeros(2)
    for batch in batches_of(relation="paired", pairs={"share": 0.5}):
        corrupted = mixture.corrupt(batch, rng(2))
        assert corrupted.targets is not None
        paired = batch.extras["partner"] >= 0
        hidden = corrupted.targets != IGNORE
        assert hidden.any(dim=1).all()
        counts = mixture.counts([corrupted])
        assert counts == {"tlm": int(hidden[paired].sum()), "mlm": int(hidden[~paired].sum())}
        losses = losses_of(mixture, model, corrupted)
        assert {name: int(loss.predictions) for name, loss in losses.items()} == counts
        if batch.segments is not None:
            for side in (0, 1):
                mine = (batch.segments == side) & paired[:, None] & batch.mask_BL & (batch.tokens >= 5)
                chosen[side] += (hidden & mine).sum()
                possible[side] += mine.sum()
    assert (chosen / possible).tolist() == pytest.approx([0.4, 0.4], abs=0.05)


def test_mlm_alone_masks_pairs_too() -> None:
    mixture = build_mixture(ObjectiveSettings(), LEXICON)
    for batch in batches_of(relation="paired"):
        corrupted = mixture.corrupt(batch, rng(3))
        assert corrupted.targets is not None
        assert (corrupted.targets != IGNORE).any(dim=1).all()


def test_micro_batches_do_not_change_the_gradient() -> None:
    mixture = build_mixture(ObjectiveSettings(mlm={}, cls=ALL["cls"]), LEXICON)
    model = model_of(mixture)
    batch = mixture.corrupt(batches_of(frame="all")[0], rng(4))
    assert batch.targets is not None
    counts = mixture.counts([batch])

    def gradient(pieces: Sequence[AnyBatch]) -> Tensor:
        model.zero_grad()
        for piece in pieces:
            mixture.total(losses_of(mixture, model, piece), counts).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    parts = split_rows(batch, 3)
    assert len(parts) == 3
    whole = gradient([batch])
    torch.testing.assert_close(gradient(parts), whole, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(gradient([pack(part) for part in parts]), whole, rtol=1e-4, atol=1e-6)


def test_corruption_is_pure() -> None:
    mixture = build_mixture(ObjectiveSettings(**ALL), LEXICON)
    batch = batches_of(relation="paired")[0]
    before = batch.tokens.clone()
    first, again, other = (mixture.corrupt(batch, rng(seed)) for seed in (5, 5, 6))
    assert torch.equal(batch.tokens, before)
    assert batch.targets is None
    assert torch.equal(first.tokens, again.tokens)
    assert not torch.equal(first.tokens, other.tokens)


def test_fixed_masks_depend_on_the_text_alone() -> None:
    corpus = toy_corpus()
    mixture = build_mixture(ObjectiveSettings(), LEXICON).for_validation()

    def masks(**values: Any) -> dict[tuple[int, ...], list[int]]:
        settings = ReadingSettings(molecules=("genome", "cds", "protein"), **{**SMALL, **values})
        found = {}
        for batch in Sampler(corpus, LEXICON, settings, 0).validation():
            fixed = corrupt_fixed(mixture, batch)
            assert fixed.targets is not None
            assert fixed.tokens.shape == batch.tokens.shape
            for row, length in enumerate(batch.lengths.tolist()):
                key = tuple(int(batch.extras[n][row]) for n in ("start", "strand", "frame"))
                found[int(batch.records[row]), *key] = fixed.tokens[row, :length].tolist()
                assert (fixed.targets[row, length:] == IGNORE).all()
        return found

    wide, narrow = masks(), masks(tokens_per_batch=64)
    assert wide == narrow
    assert len(wide) > 30
    tokens = [token for text in wide.values() for token in text if token >= 4]
    assert tokens.count(MASK) / len(tokens) == pytest.approx(0.15, abs=0.03)


def test_losses_add_up_without_gradient() -> None:
    mixture = build_mixture(ObjectiveSettings(), LEXICON)
    model = model_of(mixture)
    total = None
    parts = []
    for batch in batches_of():
        batch = mixture.corrupt(batch, rng(7))
        losses = losses_of(mixture, model, batch)
        total = add_losses(total, losses)
        parts.append(losses["mlm"])
    assert total is not None
    assert not total["mlm"].sum.requires_grad
    assert float(total["mlm"].mean) == pytest.approx(
        float(sum(p.sum.detach() for p in parts)) / float(sum(p.count for p in parts)), rel=1e-5
    )
    assert total["mlm"].accuracy == sum(int(p.correct) for p in parts) / sum(
        int(p.predictions) for p in parts
    )


def test_no_prediction_is_no_loss() -> None:
    none = torch.zeros(0, dtype=torch.long)
    loss = sum_losses(torch.zeros(0, 7), none, torch.zeros(0), none, 3)
    assert float(loss.mean) == 0
    assert np.isnan(loss.accuracy)
    assert loss.by_language(("x", "y", "z")) == {}
    mixture = build_mixture(ObjectiveSettings(), LEXICON)
    assert float(mixture.total({"mlm": loss}, {"mlm": 0.0})) == 0


@dataclass(frozen=True)
class CountTokens:
    """A toy: predict whether a text is longer than a limit, from its first state."""

    limit: int
    languages: int
    name: str = "toy-length"
    weight: float = 1.0

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        return replace(batch, extras={**batch.extras, "long": (batch.lengths > self.limit).long()})

    def heads(self, width: int, lexicon: Lexicon) -> dict[str, nn.Module]:
        return {self.name: nn.Linear(width, 2)}

    def select(self, batch: Batch) -> Selection:
        rows = torch.arange(len(batch.lengths))
        places, ones = rows * batch.tokens.shape[1], torch.ones(len(rows))
        return Selection(places, batch.extras["long"], ones, batch.languages[:, 0])

    def loss(self, model: LanguageModel, states_ND: Tensor, selected: Selection) -> ObjectiveLoss:
        scores = model.heads[self.name](states_ND)
        return sum_losses(scores, selected.targets, selected.weights, selected.languages, self.languages)


def build_toy(settings: dict[str, Any], lexicon: Lexicon, others: Sequence[str]) -> Sequence[Objective]:
    return [CountTokens(settings["limit"], len(lexicon.languages))]


def test_an_objective_from_outside_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "OBJECTIVES", dict(registry.OBJECTIVES))
    registry.register_objective("toy", build_toy)
    registry.register_objective("toy", build_toy)
    with pytest.raises(ValueError, match="already registered"):
        registry.register_objective("mlm", build_toy)
    mixture = build_mixture(ObjectiveSettings(others={"toy": {"limit": 50}}), LEXICON)
    assert [part.name for part in mixture.parts] == ["mlm", "toy-length"]
    model = model_of(mixture)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    batch = mixture.corrupt(batches_of()[0], rng(8))
    values = []
    for _ in range(3):
        total = mixture.total(losses_of(mixture, model, batch), mixture.counts([batch]))
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        values.append(float(total.detach()))
    assert values[2] < values[0]


def test_unknown_and_contradictory_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown objective 'nothing'"):
        build_mixture(ObjectiveSettings(others={"nothing": {}}), LEXICON)
    for values in (
        {"mlm": None},
        {"mlm": {"mask_share": 0.9, "random_share": 0.2}},
        {"mlm": {"rate": 0}},
        {"cls": {"targets": ("frame", "frame")}},
        {"cls": {"targets": ()}},
    ):
        with pytest.raises(ValidationError):
            ObjectiveSettings.model_validate(values)


def test_overlapping_and_plain_tokens_of_one_batch_are_masked_each_in_its_way() -> None:
    lexicon = build_lexicon(["a", "b"], dna="kmer", k=6, stride=1)
    settings = ReadingSettings(molecules=("genome", "protein"), **SMALL)
    objective = MaskedTokens(lexicon=lexicon, policy=MaskingPolicy(mask_share=1.0, random_share=0.0))
    seen = set()
    for batch in Sampler(toy_corpus(), lexicon, settings, 0).step(0):
        corrupted = objective.corrupt(batch, rng(9))
        assert corrupted.targets is not None
        hidden, predicted = corrupted.tokens == MASK, corrupted.targets != IGNORE
        for row, molecule in enumerate(batch.extras["molecule"].tolist()):
            seen.add(molecule)
            assert (int(hidden[row].sum()) == int(predicted[row].sum())) == (molecule == 2)
    assert seen == {0, 2}


def test_nothing_that_validation_scores_is_visible() -> None:
    mixture = build_mixture(ObjectiveSettings(), LEXICON).for_validation()
    generator = np.random.default_rng(0)
    tokens = torch.from_numpy(generator.integers(5, 69, (8, 200)))
    zeros = torch.zeros_like(tokens)
    batch = Batch(
        tokens=tokens,
        lengths=torch.full((8,), 200),
        positions=torch.arange(200).repeat(8, 1),
        languages=zeros,
        records=torch.arange(8),
    )
    hidden = mixture.corrupt(batch, generator)
    assert hidden.targets is not None
    chosen = hidden.targets != IGNORE
    assert int(chosen.sum()) > 100
    assert bool((hidden.tokens[chosen] == MASK).all())
