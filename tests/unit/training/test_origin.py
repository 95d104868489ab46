"""What a run takes over of ``init_from``: sizes, and words of a network that others trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from genomecli.commands.pretrain import open_corpus
from genomecli.corpus.vocabulary import UNK
from genomecli.errors import ConfigError, InputError
from genomecli.exchange.hugging_face_import import imported, read_hugging_face
from genomecli.training.checkpoint import load_checkpoint
from genomecli.training.job import CorpusOnDisk, Job
from genomecli.training.machine import Machine
from genomecli.training.settings import PretrainSettings
from tests.unit.exchange.foreign import RESIDUES, make_foreign, make_nucleotide_transformer, make_words
from tests.unit.training.disk_corpus import write_disk_corpus

pytest.importorskip("transformers")

HERE = Machine(torch.device("cpu"), "fp32", 1)
READING = {"context": 64, "tokens_per_batch": 512, "tokens_per_step": 512, "pool": 2}
STOPS = ("TAA", "TAG", "TGA")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusOnDisk:
    folder = write_disk_corpus(tmp_path_factory.mktemp("data") / "corpus", ("a", "b"), genes=20)
    return open_corpus(str(folder))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    top = tmp_path_factory.mktemp("folders")
    made = {"dna": make_foreign(top / "dna", "bert", make_words(3))}
    made["protein"] = make_foreign(top / "protein", "esm", RESIDUES)
    some = [word for word in make_words(3) if word not in STOPS]
    made["61"] = make_foreign(top / "61", "bert", some)
    for name in ("dna", "61"):
        (made[name] / "genomecli.json").write_text('{"stride": 3}')
    made["nt"] = make_nucleotide_transformer(top / "nt", k=3)
    return {name: imported(folder, top / "cache") for name, folder in made.items()}


def job(corpus: CorpusOnDisk, origin: Path, molecules: list[str], **reading: Any) -> Job:
    given = {**READING, "molecules": molecules, **reading}
    values = {"corpus": "x", "init_from": str(origin), "reading": given, "steps": 1}
    return Job(PretrainSettings.model_validate(values), 1, corpus, HERE)


@pytest.mark.parametrize(("name", "molecule"), [("dna", "cds"), ("protein", "protein")])
def test_words_sizes_and_weights_are_theirs(
    name: str, molecule: str, corpus: CorpusOnDisk, folders: dict[str, Path]
) -> None:
    there = load_checkpoint(folders[name])
    made = job(corpus, folders[name], [molecule])
    assert made.lexicon.vocabulary == there.lexicon.vocabulary
    assert made.lexicon.species == ("a", "b")
    assert made.settings.model.model_dump(mode="json") == there.identity.model
    state = made.new_model().state_dict()
    assert set(state) == set(there.model)
    for key, value in there.model.items():
        torch.testing.assert_close(state[key], value, rtol=0, atol=0)
    batch = next(iter(made.sampler.step(0)))
    block = made.lexicon.block("a", molecule)
    words = batch.tokens[batch.tokens > 4]
    assert len(words) > 100
    assert int(words.min()) >= block.start
    assert int(words.max()) < block.stop


def test_what_its_words_cannot_read_is_refused_by_name(
    corpus: CorpusOnDisk, folders: dict[str, Path]
) -> None:
    with pytest.raises(ConfigError, match=r"names protein, and dna of init_from has words of DNA alone"):
        job(corpus, folders["dna"], ["cds", "protein"])
    with pytest.raises(ConfigError, match=r"words of proteins alone; set it to \[protein\]"):
        job(corpus, folders["protein"], ["cds"])
    with pytest.raises(ConfigError, match="reading.tokens is set, and dna of init_from brings its own"):
        job(corpus, folders["dna"], ["cds"], tokens={"dna": "base"})
    with pytest.raises(ConfigError, match="needs tokens of one length"):
        job(corpus, folders["nt"], ["cds"], context=40)
    with pytest.raises(ConfigError, match="takes 128 tokens at most"):
        job(corpus, folders["dna"], ["cds"], context=256, tokens_per_batch=256)


def test_other_sizes_are_refused(corpus: CorpusOnDisk, folders: dict[str, Path]) -> None:
    small = {"preset": None, "layers": 1, "width": 16, "heads": 1, "context": 64}
    values = {"corpus": "x", "init_from": str(folders["dna"]), "model": small, "steps": 1}
    values["reading"] = {**READING, "molecules": ["cds"]}
    made = Job(PretrainSettings.model_validate(values), 1, corpus, HERE)
    with pytest.raises(InputError, match="is of another network: .*layers 3 not 1"):
        made.check_init()


def test_codons_without_a_word_begin_as_the_unknown_one(folders: dict[str, Path]) -> None:
    there = load_checkpoint(folders["61"])
    assert tuple(there.config["imported"]["absent"]) == STOPS
    rows = there.model["encoder.stem.tokens.weight"]
    block = there.lexicon.vocabulary.blocks[0]
    for word, row in zip(block.tokens, rows[block.start :], strict=True):
        assert torch.equal(row, rows[UNK]) == (word in STOPS)


def test_a_vocabulary_that_lacks_more_is_none_of_codons(tmp_path: Path) -> None:
    some = [word for word in make_words(3) if word not in (*STOPS, "AAA")]
    folder = make_foreign(tmp_path / "m", "bert", some)
    with pytest.raises(InputError, match="neither all k-mers of some k nor the twenty amino acids"):
        read_hugging_face(folder)


def test_a_resumed_run_does_not_need_the_folder(corpus: CorpusOnDisk, folders: dict[str, Path]) -> None:
    before = job(corpus, folders["dna"], ["cds"])
    values = before.settings.model_dump(exclude={"model"}) | {"init_from": "/gone"}
    again = Job(
        PretrainSettings.model_validate(values), 1, corpus, HERE, before.identity, kept=before.lexicon
    )
    assert again.lexicon.fingerprint == before.lexicon.fingerprint
    assert again.settings.model == before.settings.model
