"""Nucleotide Transformer v1 of random weights: ids and numbers against Hugging Face's own classes."""

from __future__ import annotations

import gzip
import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genomecli.corpus.vocabulary import CLS, MASK, PAD, SEP
from genomecli.errors import InputError
from genomecli.exchange.hugging_face_import import imported, read_hugging_face
from genomecli.exchange.hugging_face_vocabulary import read_words
from genomecli.sequences.alphabets import DNA
from genomecli.training.checkpoint import load_model
from tests.unit.exchange.foreign import RESIDUES, make_foreign, make_nucleotide_transformer

transformers = pytest.importorskip("transformers")

TEXTS = ["ATTCCGATTCCGATTCCGNNATTCCGATTCC", "ACG", "NATTCCG", "GATTACAGATTACA" * 5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_nucleotide_transformer(tmp_path_factory.mktemp("nt") / "nucleotide-transformer")


def theirs_of(words: Any, text: str) -> list[int]:
    """Our ids of a text as rows of their embedding."""
    ids = words.lexicon.tokenizers[0].encode(DNA.encode(text))
    return [words.rows[number] for number in ids.tolist()]


def test_ids_of_made_up_texts(folder: Path) -> None:
    words = read_words(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert type(tokenizer).__name__ == "EsmTokenizer"
    draw = random.Random(5)
    texts = ["".join(draw.choices("ACGTN", [9, 9, 9, 9, 1], k=draw.randint(1, 90))) for _ in range(400)]
    for text in [*TEXTS, *texts]:
        assert tokenizer(text)["input_ids"] == [tokenizer.cls_token_id, *theirs_of(words, text)]


def test_ids_of_real_dna_with_soft_masked_letters_and_gaps(folder: Path, real_data: Path) -> None:
    """Lower case is a soft mask here and no letter there, so theirs reads it in upper case."""
    with gzip.open(real_data / "cds" / "scerevisiae.cds.fa.gz", "rt") as handle:
        text = handle.read(200_000)
    genes = ["".join(part.split("\n")[1:]) for part in text.split("\n>")]
    genes = [gene for gene in genes if len(gene) > 60]
    words, draw = read_words(folder), random.Random(2)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert len(genes) > 50
    for number, gene in enumerate(genes[:60]):
        cut = gene[: len(gene) - number % 6]
        place = draw.randrange(len(cut))
        soft = cut[:place].lower() + "N" * (number % 9) + cut[place:]
        assert tokenizer(soft.upper())["input_ids"][1:] == theirs_of(words, soft)


LETTERS = "ACGTUNRYSWKMBDHVacgtunrysw"


@settings(max_examples=300, deadline=None)
@given(st.text(LETTERS, max_size=60), st.text("ACGT", max_size=40), st.text(LETTERS, max_size=20))
def test_ids_of_any_text(folder: Path, left: str, plain: str, right: str) -> None:
    """All letters that are ambiguous, soft-masked or U, any length, nothing at all.

    Theirs knows A, C, G, T and N alone: lower case, and a whole run of other letters, is one <unk> there. So
    its texts are written in upper case with N for what is ambiguous, and ours reads the text as it comes.
    """
    words, tokenizer = _theirs(folder)
    text = left + plain + right
    cleaned = re.sub("[^ACGTN]", "N", text.upper().replace("U", "T"))
    assert tokenizer(cleaned)["input_ids"] == [tokenizer.cls_token_id, *theirs_of(words, text)]
    assert theirs_of(words, cleaned) == theirs_of(words, text)


@cache
def _theirs(folder: Path) -> tuple[Any, Any]:
    return read_words(folder), transformers.AutoTokenizer.from_pretrained(folder)


def test_what_theirs_makes_of_other_letters(folder: Path) -> None:
    """As they come, they are unknown to it: the difference that README states."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text in ("attccg", "RY", "n"):
        assert tokenizer.tokenize(text) in ([text], ["<unk>"])
        assert tokenizer(text)["input_ids"][1:] == [tokenizer.unk_token_id]


OPTIONS: list[dict[str, Any]] = [
    {},
    {"token_dropout": True},
    {"emb_layer_norm_before": True},
    {"position_embedding_type": "rotary", "tie_word_embeddings": True},
    {"emb_layer_norm_before": True, "token_dropout": True, "layer_norm_eps": 1e-5},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("masks", [False, True])
def test_states_and_scores(options: dict[str, Any], masks: bool, tmp_path: Path) -> None:
    """Padded and packed; what stands at the closing token, which is not there in theirs, changes nothing."""
    folder = make_nucleotide_transformer(tmp_path / "m", k=3, **options)
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    words, loaded = read_words(folder), load_model(imported(folder, tmp_path / "cache"))
    model, tokenizer = loaded.model, loaded.lexicon.tokenizers[0]
    rows = [tokenizer.encode(DNA.encode(text)).tolist() for text in TEXTS]
    if masks:
        rows[0][3] = rows[0][5] = rows[1][0] = MASK
    length = 2 + max(map(len, rows))
    ours = torch.tensor([[CLS, *row, SEP] + [PAD] * (length - 2 - len(row)) for row in rows])
    lengths = torch.tensor([2 + len(row) for row in rows])
    index = torch.tensor(words.rows)
    real = torch.arange(length) < lengths[:, None] - 1
    with torch.no_grad():
        want = theirs(
            torch.where(real, index[ours], 1), attention_mask=real.long(), output_hidden_states=True
        )
        got = model(ours, lengths, keep_layers=(0, 1))
        logits = model.logits(got.last)
        alone = model(ours[:1, : int(lengths[0])])
        other = model(torch.where(ours == SEP, 7, ours), lengths)
    torch.testing.assert_close(logits[real], want.logits[..., index][real], rtol=0, atol=1e-4)
    torch.testing.assert_close(got.last[real], want.hidden_states[-1][real], rtol=0, atol=1e-4)
    torch.testing.assert_close(got.layers[1][real], want.hidden_states[1][real], rtol=0, atol=1e-4)
    torch.testing.assert_close(alone.last[0, : int(lengths[0]) - 1], got.last[0][real[0]], rtol=0, atol=1e-5)
    torch.testing.assert_close(other.last[real], got.last[real], rtol=0, atol=0)
    there = torch.arange(length) < lengths[:, None]
    cu = torch.cat([torch.zeros(1, dtype=torch.int32), lengths.cumsum(0).int()])
    positions = torch.arange(length).expand(len(rows), -1)[there]
    with torch.no_grad():
        packed = model.encoder.forward_packed(ours[there], cu, length, positions)
    spread = torch.zeros_like(got.last)
    spread[there] = packed.last
    torch.testing.assert_close(spread[real], got.last[real], rtol=0, atol=1e-5)


def test_a_text_may_be_as_long_as_theirs(tmp_path: Path) -> None:
    """40 places, of which <cls> takes one: 39 tokens, and no place for a closing one."""
    folder = make_nucleotide_transformer(tmp_path / "m", k=2)
    loaded = load_model(imported(folder, tmp_path / "cache"))
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    words = read_words(folder)
    ids = loaded.lexicon.tokenizers[0].encode(DNA.encode("GATTACAG" * 10)[:78])
    assert len(ids) == 39
    with torch.no_grad():
        got = loaded.model(torch.tensor([[CLS, *ids.tolist(), SEP]])).last[0, :-1]
        rows = [words.rows[number] for number in (CLS, *ids.tolist())]
        want = theirs.base_model(torch.tensor([rows])).last_hidden_state[0]
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=0, atol=1e-4)


def test_with_a_closing_token_it_is_seen(tmp_path: Path) -> None:
    folder = make_nucleotide_transformer(tmp_path / "m", k=2, eos="<eos>")
    assert read_words(folder).closing
    assert read_hugging_face(folder).settings.closing_token


def test_words_that_are_said_to_stand_apart_are_kmers_alone(tmp_path: Path) -> None:
    """The folder may say that its words are cut at every k-th letter, whatever its tokenizer is called."""
    folder = make_nucleotide_transformer(tmp_path / "m", k=2)
    (folder / "genomecli.json").write_text('{"stride": 2}')
    assert read_words(folder).lexicon.tokenizers[0].uniform
    (folder / "genomecli.json").unlink()
    told = json.loads((folder / "tokenizer_config.json").read_text()) | {"tokenizer_class": "Other"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="does not say whether its words of 2 letters overlap"):
        read_words(folder)


def test_proteins_without_a_closing_token(tmp_path: Path) -> None:
    """What makes the closing token absent is the tokenizer, whatever the words are."""
    folder = make_foreign(tmp_path / "m", "esm", RESIDUES)
    told = {"tokenizer_class": "EsmTokenizer", "eos_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    (folder / "special_tokens_map.json").write_text("{}")
    read = read_hugging_face(folder)
    assert not read.settings.closing_token
    assert read.lexicon.tokenizers[0].uniform
