"""A step never asks the device for a value: it runs on a device that has none.

On ``meta`` tensors have shapes and no values. Whatever would make the host wait for a GPU, a number read back
or a result whose size depends on values, raises there.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genomecli.commands.pretrain import open_corpus
from genomecli.corpus.packing import PackSizes
from genomecli.models import attention
from genomecli.training.feed import Feed
from genomecli.training.job import CorpusOnDisk, Job
from genomecli.training.loop import Trainer
from genomecli.training.machine import Machine
from genomecli.training.objective_learner import ObjectiveLearner
from genomecli.training.optimiser import build_optimiser
from genomecli.training.plan import Plan
from genomecli.training.schedule import Schedule
from genomecli.training.settings import PretrainSettings
from tests.unit.training.disk_corpus import write_disk_corpus

META = torch.device("meta")
READING = {"context": 64, "tokens_per_batch": 512, "tokens_per_step": 1024, "pool": 4}
SETTINGS = {
    "corpus": "corpus",
    "steps": 3,
    "model": {"preset": None, "layers": 2, "width": 16, "heads": 1, "context": 64, "dropout": 0.1},
    "reading": {**READING, "relation": "paired", "pairs": {"share": 0.5}},
    "objectives": {"mlm": {"softmax": "own"}, "tlm": {}, "cls": {"targets": ["molecule"]}},
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusOnDisk:
    return open_corpus(str(write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus")))


def trainer(corpus: CorpusOnDisk, pack: PackSizes | None, **plan: Any) -> Trainer:
    """On meta, so that only what does not look at values can be done with it."""
    job = Job(PretrainSettings.model_validate(SETTINGS), 0, corpus, Machine(META, "bf16", 1))
    model = job.new_model()
    optimiser = build_optimiser(model, job.optimiser, META)
    made = Plan(3, 1e-3, Schedule("constant", 3), precision="fp32", **plan)
    return Trainer(model, ObjectiveLearner(job.mixture, 0), job.sampler, optimiser, made, pack=pack)


def kernel(query: Tensor, key: Tensor, value: Tensor, *more: Any, **options: Any) -> Tensor:
    """Stands in for the variable-length kernel: it knows shapes alone, and keeps the graph."""
    return query + key + value


@pytest.mark.parametrize("pack", [None, PackSizes(512, 64)], ids=["padded", "packed"])
def test_a_step_reads_nothing_back(
    corpus: CorpusOnDisk, pack: PackSizes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_varlen", kernel)
    monkeypatch.setattr(attention, "uses_varlen", lambda query, dropout: True)
    made = trainer(corpus, pack)
    feed = Feed(made.data, made.learner, 3, ahead=True, place=made.place)
    with feed, monkeypatch.context() as patch:
        # A number copied to the device waits for it as well; all that goes there comes from the feed.
        for name in ("tensor", "as_tensor"):
            patch.setattr(torch, name, _only_here(getattr(torch, name)))
        for _ in range(2):
            made._step(feed)
    assert made.progress.step == 2
    assert made.progress.tokens > 1000
    with pytest.raises(Exception, match="meta"):
        made.meters.means()


def _only_here(make: Any) -> Any:
    def checked(*values: Any, device: Any = "cpu", **options: Any) -> Tensor:
        assert torch.device(device).type == "cpu", "a value is copied to the device"
        found: Tensor = make(*values, **options)
        return found

    return checked


def test_packed_batches_of_a_run_have_one_shape(corpus: CorpusOnDisk) -> None:
    made = trainer(corpus, PackSizes(512, 64))
    with Feed(made.data, made.learner, 20, ahead=False, place=made.place) as feed:
        texts = [texts for step in range(20) for texts in feed(step).texts]
    assert {len(text.tokens) for text in texts} == {512}
    assert len({len(text.cu_seqlens) for text in texts}) <= 2
    for name in ("mlm", "tlm", "cls-molecule"):
        assert len({len(text.selected[name].places) for text in texts}) < 8
