import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.commands.pretrain import open_corpus
from genomecli.corpus.batch import IGNORE
from genomecli.errors import ConfigError, InputError
from genomecli.inference.training_history import TrainingHistory
from genomecli.runtime import log
from genomecli.training.job import CorpusOnDisk, Job
from genomecli.training.machine import Machine, settle
from genomecli.training.objective_learner import ObjectiveLearner
from genomecli.training.pretraining import summary_lines
from genomecli.training.settings import PretrainSettings
from genomecli.training.validation import Validation
from genomecli.training.yardsticks import Yardstick, beaten_by, collect_stream, compare, measure_yardsticks
from tests.unit.training.disk_corpus import write_disk_corpus

HERE = Machine(torch.device("cpu"), "fp32", 1)
SMALL = {"preset": None, "layers": 1, "width": 16, "heads": 1, "context": 64}
READING = {"context": 64, "tokens_per_batch": 512, "tokens_per_step": 1024, "pool": 4}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusOnDisk:
    folder = write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus", ("a", "b"), genes=40)
    return open_corpus(str(folder))


def _settings(**changes: Any) -> PretrainSettings:
    return PretrainSettings.model_validate({"corpus": "x", "model": SMALL, "reading": READING, **changes})


def _job(corpus: CorpusOnDisk, seed: int = 0, **changes: Any) -> Job:
    return Job(_settings(**(changes or {"steps": 3})), seed, corpus, HERE)


def test_anchored_codons_may_begin_as_their_amino_acid(corpus: CorpusOnDisk) -> None:
    anchors = {"pairs": ["AAA:K", "AAG:K"]}
    plain, shared = (
        _job(
            corpus,
            steps=1,
            reading={**READING, "relation": "anchored", "anchors": {**anchors, "shared_start": start}},
        )
        for start in (False, True)
    )
    before, after = (job.new_model().encoder.stem.output_weight() for job in (plain, shared))
    vocabulary, lexicon = plain.lexicon.vocabulary, plain.lexicon
    ids = {
        text: vocabulary.id(text, lexicon.block("a", kind))
        for text, kind in (("AAA", "dna"), ("AAG", "dna"), ("AAC", "dna"), ("K", "protein"))
    }
    for codon in ("AAA", "AAG"):
        torch.testing.assert_close(after[ids[codon]], before[ids["K"]] + 0.5 * before[ids[codon]])
    changed = (before != after).any(dim=1).nonzero().flatten().tolist()
    assert changed == sorted((ids["AAA"], ids["AAG"]))


@pytest.mark.parametrize("changes", [{}, {"steps": 3, "tokens": 5}, {"epochs": 1.0, "tokens": 5}])
def test_the_length_of_a_run_is_given_once(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of steps, tokens and epochs"):
        _settings(**changes)


def test_settings_that_contradict_each_other_are_named() -> None:
    with pytest.raises(ValueError, match=r"model\.context 32"):
        _settings(steps=1, model={**SMALL, "context": 32})
    with pytest.raises(ValueError, match="seeds"):
        _settings(steps=1, seeds=[1, 1])
    assert _settings(tokens=25e6).tokens == 25_000_000


def test_tokens_and_epochs_become_steps_that_read_as_much(corpus: CorpusOnDisk) -> None:
    for changes, wanted in (({"tokens": 20_000}, 20_000.0), ({"epochs": 5}, None)):
        job = _job(corpus, **changes)
        read = sum(batch.real_tokens for step in range(job.steps) for batch in job.sampler.step(step))
        assert read == pytest.approx(wanted or 5 * job.corpus_tokens, rel=0.12)


OPEN = {"context": 64, "pool": 4}


def test_sizes_left_open_follow_the_length_of_the_run(corpus: CorpusOnDisk) -> None:
    short, long = _job(corpus, tokens=100_000, reading=OPEN), _job(corpus, tokens=25e6, reading=OPEN)
    assert (short.identity.tokens_per_batch, short.identity.tokens_per_step) == (1024, 1024)
    assert (long.identity.tokens_per_batch, long.identity.tokens_per_step) == (9216, 9216)
    assert short.config({})["pretrain"]["reading"]["tokens_per_step"] == 1024
    assert _job(corpus, steps=5, reading=OPEN).identity.tokens_per_step == 8192
    passes = _job(corpus, epochs=25e6 / short.corpus_tokens, reading=OPEN)
    assert passes.corpus_tokens == short.corpus_tokens
    assert passes.identity.tokens_per_step == 9216


def test_a_resumed_run_keeps_the_sizes_that_it_began_with(corpus: CorpusOnDisk) -> None:
    settings = _settings(tokens=100_000, reading=OPEN)
    begun = Job(settings, 0, corpus, HERE).identity
    other = replace(begun, tokens_per_batch=2048, tokens_per_step=4096)
    again = Job(settings, 0, corpus, HERE, other)
    assert replace(again.identity, steps=begun.steps) == other
    assert again.sampler.micro_batches == 2
    old = replace(begun, tokens_per_batch=None, tokens_per_step=None)
    assert Job(settings, 0, corpus, HERE, old).identity == begun
    named = _settings(tokens=100_000, reading=READING)
    assert Job(named, 0, corpus, HERE, other).identity.tokens_per_step == READING["tokens_per_step"]


def test_weights_are_a_function_of_the_seed(corpus: CorpusOnDisk) -> None:
    one, same, other = (_job(corpus, seed).new_model().state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["lm_head.dense.weight"], other["lm_head.dense.weight"])


def test_the_learner_gives_the_gradient_of_the_whole_step(corpus: CorpusOnDisk) -> None:
    """Micro-batches with different numbers of targets add up to the mean over all of them."""
    job = _job(corpus)
    learner, model = ObjectiveLearner(job.mixture, 0), job.new_model()
    batches = [learner.prepare(batch, 0, index) for index, batch in enumerate(job.sampler.step(0))]
    assert len(batches) == 2
    totals = {"mlm": sum(learner.count(batch)["mlm"] for batch in batches)}
    total = sum(float(learner.loss(model, batch, totals).total.detach()) for batch in batches)
    losses = []
    for batch in batches:
        assert batch.targets is not None
        hidden = model(batch.tokens, batch.lengths, batch.positions, batch.languages).last
        logits = model.logits(hidden).flatten(0, -2).float()
        every = torch.nn.functional.cross_entropy(
            logits, batch.targets.flatten(), ignore_index=IGNORE, reduction="none"
        )
        losses.append(every[batch.targets.flatten() != IGNORE])
    assert total == pytest.approx(float(torch.cat(losses).detach().mean()), rel=1e-5)


def test_corruption_depends_on_seed_step_and_micro_batch(corpus: CorpusOnDisk) -> None:
    job = _job(corpus)
    batch = job.sampler.step(0)[0]
    made = {
        key: ObjectiveLearner(job.mixture, key[0]).prepare(batch, key[1], key[2]).tokens
        for key in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    }
    again = ObjectiveLearner(job.mixture, 0).prepare(batch, 0, 0).tokens
    first, *others = made.values()
    assert torch.equal(first, again)
    assert not any(torch.equal(first, other) for other in others)


def test_validation_is_the_same_at_every_call_and_in_any_batches(corpus: CorpusOnDisk) -> None:
    job = _job(corpus)
    model = job.new_model().eval()
    texts = list(job.sampler.validation())
    rows = [replace_rows(batch, slice(i, i + 1)) for batch in texts for i in range(len(batch.lengths))]
    whole, single = (
        Validation(job.mixture, batches, job.lexicon.languages, "fp32") for batches in (texts, rows)
    )
    first = whole(model, 0)
    assert first == whole(model, 5)
    assert first["loss"] == pytest.approx(single(model, 0)["loss"], rel=1e-4)
    assert set(first["languages"]) == {"a/dna", "a/protein", "b/dna", "b/protein"}
    counts = {name: values["predictions"] for name, values in first["languages"].items()}
    assert sum(counts.values()) == whole.counts["mlm"]


def replace_rows(batch: Any, rows: slice) -> Any:
    names = ("tokens", "lengths", "positions", "languages", "records")
    changed = {name: getattr(batch, name)[rows] for name in names}
    extras = {name: value[rows] for name, value in batch.extras.items()}
    return replace(batch, **changed, extras=extras)


def test_streams_hold_each_language_and_the_masked_positions(corpus: CorpusOnDisk) -> None:
    job = _job(corpus)
    texts = list(job.sampler.validation())
    validation = Validation(job.mixture, texts, job.lexicon.languages, "fp32")
    for language in range(4):
        stream = collect_stream(texts, validation.batches, job.lexicon, language)
        block = job.lexicon.block(*job.lexicon.languages[language].rsplit("/", 1))
        assert len(stream.offsets) - 1 == 6
        assert stream.tokens.max() < len(block.tokens)
        assert (stream.tokens == -1).sum() == 2 * 6  # [CLS] and [SEP] are neighbours only
        expected = sum(
            int(((masked.targets != IGNORE) & (masked.languages == language)).sum())  # type: ignore[operator]
            for masked in validation.batches
        )
        assert len(stream.chosen) == expected


def test_the_unigram_is_that_of_the_counts(corpus: CorpusOnDisk) -> None:
    job = _job(corpus)
    texts = list(job.sampler.validation())
    masked = Validation(job.mixture, texts, job.lexicon.languages, "fp32").batches
    training = list(job.whole_texts(100_000))
    found = measure_yardsticks(training, texts, masked, job.lexicon)
    known, scored = (
        collect_stream(training, None, job.lexicon, 1),
        collect_stream(texts, masked, job.lexicon, 1),
    )
    counts = np.bincount(known.tokens[known.tokens >= 0], minlength=20) + 0.0
    logs = np.log(counts / counts.sum())[scored.tokens[scored.chosen]]
    assert found["a/protein"].perplexities["unigram"] == pytest.approx(np.exp(-logs.mean()), rel=0.02)
    assert found["a/dna"].perplexities["neighbours"] < found["a/dna"].perplexities["unigram"]
    assert found["a/dna"].fitted_on == int((collect_stream(training, None, job.lexicon, 0).tokens >= 0).sum())


def test_records_of_the_simple_models_are_whole_and_never_twice(corpus: CorpusOnDisk) -> None:
    job = _job(corpus, steps=1, reading={**READING, "context": 16, "tokens_per_batch": 64})
    crops = sum(batch.real_tokens for batch in job.sampler.validation("train", 10**9))
    whole = list(job.whole_texts(10**6))
    table = job.corpus.reader.records(split="train")
    tokens = sum(int(batch.lengths.sum()) - 2 * len(batch.lengths) for batch in whole)
    expected = sum(
        n // 3 if molecule == "cds" else n
        for n, molecule in zip(table.length.tolist(), table.molecule.tolist(), strict=True)  # type: ignore[attr-defined]
    )
    assert tokens == expected
    assert crops > tokens + 2 * len(table)


def test_what_beats_the_network_is_named() -> None:
    languages = {
        "a/dna": {"perplexity": 10.0},
        "a/protein": {"perplexity": 5.0},
        "b/dna": {"perplexity": 1.0},
    }
    peers = {
        "a/dna": Yardstick({"unigram": 10.0, "5-gram": 11.0}),
        "a/protein": Yardstick({"unigram": 9.0}),
    }
    assert beaten_by(languages, peers) == {"a/dna": ["unigram"]}
    table = compare(languages, peers)
    assert table["a/protein"] == {"perplexity": 5.0, "yardsticks": {"unigram": 9.0}}
    assert table["b/dna"]["yardsticks"] == {}


def test_a_network_that_predicts_no_number_is_beaten_and_the_run_is_reported() -> None:
    languages = {
        "a/dna": {"perplexity": None, "accuracy": 0.25},
        "b/dna": {"perplexity": 1.0, "accuracy": 1.0},
    }
    peers = {name: Yardstick({"unigram": 10.0}) for name in languages}
    assert beaten_by(languages, peers) == {"a/dna": ["unigram"]}
    lines = summary_lines({"steps": 1, "tokens": 2, "languages": compare(languages, peers)})
    assert lines[1:] == [
        "a/dna: perplexity no number (unigram 10.000), accuracy 0.250",
        "b/dna: perplexity 1.000 (unigram 10.000), accuracy 1.000",
    ]


def test_pairs_are_needed_for_tlm(corpus: CorpusOnDisk) -> None:
    with pytest.raises(ConfigError, match="paired"):
        _job(corpus, steps=1, objectives={"tlm": {}})


def test_each_process_needs_a_micro_batch(corpus: CorpusOnDisk) -> None:
    assert Job(_settings(steps=1), 0, corpus, replace(HERE, processes=2)).identity.processes == 2
    with pytest.raises(ConfigError, match="3 processes share 2 micro-batches"):
        Job(_settings(steps=1), 0, corpus, replace(HERE, processes=3))


def test_processes_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomecli.training.machine.thread_count", lambda setting: 8)
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    for here, threads in (("1", 8), ("3", 2), ("16", 1)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", here)
        assert settle("cpu", "fp32", "auto").threads == threads
    assert settle("cpu", "fp32", 5).threads == 5


def test_a_resumed_run_keeps_precision_and_threads(
    corpus: CorpusOnDisk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log, "propagate", True)
    log.setLevel(logging.INFO)
    threads = torch.get_num_threads()
    try:
        before = replace(_job(corpus).identity, precision="bf16", threads=1)
        assert settle("cpu", "auto", "auto", before) == Machine(torch.device("cpu"), "bf16", 1)
        assert "not bit for bit" not in caplog.text
        settle("cpu", "auto", "auto", replace(before, device="cuda", threads=10_000))
        assert "device cuda is now cpu, 10000 threads are now" in caplog.text
        with pytest.raises(ConfigError, match="bf16"):
            settle("cpu", "fp32", "auto", before)
    finally:
        torch.set_num_threads(threads)


def test_the_resolved_settings_name_inputs_without_their_paths(corpus: CorpusOnDisk, tmp_path: Path) -> None:
    resolved = _job(corpus).config({"device": "cpu"})
    assert resolved["pretrain"]["corpus"] == "corpus"
    assert resolved["inputs"] == {"corpus": corpus.fingerprint}
    assert str(tmp_path.parent) not in str(resolved)


class ProteinsAlone:
    """A corpus as it would be had its genes never been read."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self.groups = [group for group in whole.groups if group.molecule == "protein"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


def test_kinds_of_text_that_the_corpus_lacks_are_not_said_to_be_learned(corpus: CorpusOnDisk) -> None:
    """The default of reading.molecules names genes and proteins; a network of proteins alone knows no DNA."""
    proteins = replace(corpus, reader=ProteinsAlone(corpus.reader))
    assert _settings(steps=3).reading.molecules == ("cds", "protein")
    config = _job(proteins).config({"device": "cpu"})
    assert config["inputs"] == {"corpus": corpus.fingerprint, "molecules": ["protein"]}
    assert TrainingHistory.of(config).molecules == ("protein",)
    with pytest.raises(InputError, match="was trained on protein alone, not on dna"):
        TrainingHistory.of(config).check_alphabet("cds", "run")
    assert TrainingHistory.of(_job(corpus).config({"device": "cpu"})).molecules == ("cds", "protein")
