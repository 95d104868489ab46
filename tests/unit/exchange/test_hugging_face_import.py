"""Foreign networks of random weights: our numbers against those of Hugging Face's own classes."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import ConfigError, InputError
from genomecli.exchange.hugging_face_folder import Exported, write_hugging_face
from genomecli.exchange.hugging_face_import import imported, is_foreign, read_hugging_face
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import load_model
from tests.unit.exchange.foreign import FAMILIES, RESIDUES, make_foreign, make_words, needs_full_attention

transformers = pytest.importorskip("transformers")

PROTEINS = ["MKVLAYRDEWWCHTSPQNIGF" * 4, "MKXVLA", "ACD"]


def ours_of(folder: Path, cache: Path) -> Any:
    return load_model(imported(folder, cache))


def compare(folder: Path, cache: Path, texts: list[str], *, masks: bool = False) -> None:
    """Ids, every layer's end and logits of the words that are kept."""
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    loaded = ours_of(folder, cache)
    model, lexicon = loaded.model, loaded.lexicon
    read = read_hugging_face(folder)
    block = lexicon.vocabulary.blocks[0]
    tokenizer = lexicon.tokenizers[0]
    rows = [tokenizer.encode(tokenizer.alphabet.encode(text)).tolist() for text in texts]
    if masks:
        rows[0][3] = rows[0][7] = rows[1][1] = 4
    length = 2 + max(map(len, rows))
    ours = torch.tensor([[2, *row, 3] + [0] * (length - 2 - len(row)) for row in rows])
    lengths = torch.tensor([2 + len(row) for row in rows])
    real = torch.arange(length) < lengths[:, None]
    named = [
        vocabulary[word] if word in vocabulary else vocabulary[word.replace("T", "U")]
        for word in block.tokens
    ]
    unknown = vocabulary.get("X" if block.molecule == "protein" else "N" * block.k)
    index = torch.tensor([theirs.config.pad_token_id, unknown, *special_ids(folder), *named])
    with torch.no_grad():
        want = theirs(index[ours], attention_mask=real.long(), output_hidden_states=True)
        got = model(ours, lengths, keep_layers=(0,))
        logits = model.logits(got.last)
    torch.testing.assert_close(logits[real], want.logits[..., index][real], rtol=0, atol=1e-4)
    last = theirs.base_model(index[ours], attention_mask=real.long()).last_hidden_state.detach()
    torch.testing.assert_close(got.last[real], last[real], rtol=0, atol=1e-4)
    assert read.fills_in
    cu = torch.cat([torch.zeros(1, dtype=torch.int32), lengths.cumsum(0).int()])
    positions = torch.arange(length).expand(len(rows), -1)[real]
    with torch.no_grad():
        packed = model.encoder.forward_packed(ours[real], cu, length, positions)
    torch.testing.assert_close(packed.last, got.last[real], rtol=0, atol=1e-5)


def special_ids(folder: Path) -> list[int]:
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    names = json.loads((folder / "special_tokens_map.json").read_text())
    return [vocabulary[names[f"{role}_token"]] for role in ("cls", "sep", "mask")]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("masks", [False, True])
def test_proteins(family: str, masks: bool, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", family, RESIDUES)
    compare(folder, tmp_path / "cache", PROTEINS, masks=masks)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("letters", ["ACGT", "ACGU"])
def test_kmers(family: str, letters: str, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", family, make_words(3, letters))
    with pytest.raises(InputError, match=r'words of 3 letters overlap; write {"stride": 1}'):
        read_hugging_face(folder)
    (folder / "genomecli.json").write_text('{"stride": 3, "species": ["ecoli", "yeast"]}')
    read = read_hugging_face(folder)
    assert read.lexicon.species == ("ecoli", "yeast")
    assert (read.lexicon.tokenizers[0].k, read.lexicon.tokenizers[0].stride) == (3, 3)
    compare(folder, tmp_path / "cache", ["ATGGCCNNNTTT" * 5, "ATGACG", "TTT"])


@pytest.mark.parametrize("options", [{"tie_word_embeddings": False}, {"layer_norm_eps": 1e-6}])
@pytest.mark.parametrize("family", ["bert", "roberta", "esm"])
def test_options(family: str, options: dict[str, Any], tmp_path: Path) -> None:
    compare(make_foreign(tmp_path / "m", family, RESIDUES, **options), tmp_path / "cache", PROTEINS)


@pytest.mark.parametrize("dropout", [False, True])
def test_esm_with_learned_positions(dropout: bool, tmp_path: Path) -> None:
    options = {"position_embedding_type": "absolute", "token_dropout": dropout}
    folder = make_foreign(tmp_path / "m", "esm", RESIDUES, **options)
    compare(folder, tmp_path / "cache", PROTEINS, masks=True)


@pytest.mark.parametrize("positions", ["rotary", "absolute"])
def test_esm_with_a_norm_before_the_blocks(positions: str, tmp_path: Path) -> None:
    """ESM-1b: the embedding ends with a norm, and the first block has its own besides."""
    options = {"emb_layer_norm_before": True, "position_embedding_type": positions}
    folder = make_foreign(tmp_path / "m", "esm", RESIDUES, **options)
    compare(folder, tmp_path / "cache", PROTEINS, masks=True)


MODERN: list[dict[str, Any]] = [
    {"tie_word_embeddings": False, "local_attention": 8, "layer_types": None},
    {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True},
    {"layer_types": ["full_attention"] * 3},
    {"layer_types": ["full_attention", "sliding_attention", "full_attention"], "local_attention": 6},
    {"hidden_activation": "silu", "classifier_activation": "silu"},
]


@pytest.mark.parametrize("options", MODERN)
def test_options_of_modernbert(options: dict[str, Any], tmp_path: Path) -> None:
    if options.get("layer_types"):
        needs_full_attention(options["layer_types"])
    compare(make_foreign(tmp_path / "m", "modernbert", RESIDUES, **options), tmp_path / "cache", PROTEINS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_without_a_head_is_read_and_fills_in_nothing(family: str, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", family, RESIDUES, headless=True)
    read = read_hugging_face(folder)
    assert not read.fills_in
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    model = ours_of(folder, tmp_path / "cache").model
    with torch.no_grad():
        assert model(torch.tensor([[2, 5, 6, 3]])).last.shape == (1, 4, theirs.config.hidden_size)
    path = imported(folder, tmp_path / "cache") / "checkpoints" / "step-0000000" / "config.json"
    assert json.loads(path.read_text())["pretrain"]["objectives"] == {"mlm": {}}


@pytest.mark.parametrize("architecture", ["modern", "classic"])
def test_what_we_export_comes_back_bit_for_bit(architecture: Any, tmp_path: Path) -> None:
    settings = ModelSettings(preset=None, architecture=architecture, layers=3, width=16, heads=2, context=64)  # type: ignore[call-arg]
    lexicon = build_lexicon(["bug", "cat"], dna="kmer", k=4, stride=1, scope="per_species")
    model: LanguageModel = build_model(settings, lexicon.vocabulary.size, 4, seed=3)
    write_hugging_face(
        Exported(settings, lexicon, model.state_dict(), lexicon.vocabulary.blocks[0]), tmp_path
    )
    assert is_foreign(tmp_path)
    read = read_hugging_face(tmp_path)
    assert read.lexicon == lexicon
    changed = {"preset", "local_window"} if architecture == "classic" else {"preset"}
    assert read.settings.model_dump(exclude=changed) == settings.model_dump(exclude=changed)
    state = model.state_dict()
    assert read.state.keys() == state.keys()
    assert all(torch.equal(read.state[name], value) for name, value in state.items())


def test_a_pickle_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pickle.*python -c .*/model-safe'\)"):
        read_hugging_face(folder)


def test_weights_in_several_files(tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES, shard="10KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    compare(folder, tmp_path / "cache", PROTEINS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "t5"}, "family 't5'; families read: bert, roberta, modernbert, esm"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ({"hidden_act": "mish", "is_decoder": True}, "2 problems: is_decoder is true.*'mish'"),
        ({"hidden_size": "x"}, "describes no network"),
        ({"num_hidden_layers": 4}, "holds no weight bert.encoder.layer"),
        ({"intermediate_size": 7}, r"feedforward.into.weight has shape \(\d+, 16\), not \(7, 16\)"),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises((ConfigError, InputError), match=words):
        read_hugging_face(folder)


def test_other_words_are_refused(tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "a", "bert", ["ACG", "AC", "##T"])
    with pytest.raises(InputError, match="neither all k-mers of some k nor the twenty amino acids"):
        read_hugging_face(folder)
    folder = make_foreign(
        tmp_path / "b", "esm", ["".join(word) for word in product("ACGT", repeat=2)], eos=False
    )
    with pytest.raises(InputError, match="has no token for sep"):
        read_hugging_face(folder)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("tokenizer.json", "[]", "is no tokenizer of Hugging Face"),
        ("tokenizer.json", '{"model": {"vocab": {"A": "x"}}}', "is no tokenizer of Hugging Face"),
        ("special_tokens_map.json", "[1]", "names no special tokens"),
        ("genomecli.json", '{"stride": []}', "says nothing that is understood"),
        ("genomecli.json", '{"lexicon": 3}', "is no vocabulary of genomecli"),
    ],
)
def test_files_of_other_shapes_are_refused(name: str, text: str, words: str, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES)
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_hugging_face(folder)


@pytest.mark.parametrize("number", [-1, 1000])
def test_ids_beyond_the_weights_are_refused(number: int, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES)
    told = json.loads((folder / "tokenizer.json").read_text())
    told["model"]["vocab"]["A"] = number
    (folder / "tokenizer.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=f"names id {number}, and its weights have 33 rows"):
        read_hugging_face(folder)


@pytest.mark.parametrize("listed", ["vocab.txt", "vocab.json"])
def test_other_files_with_a_vocabulary(listed: str, tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", RESIDUES)
    want = read_hugging_face(folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    text = json.dumps(vocabulary) if listed.endswith("json") else "".join(f"{word}\n" for word in vocabulary)
    (folder / listed).write_text(text)
    (folder / "tokenizer.json").unlink()
    found = read_hugging_face(folder)
    assert all(torch.equal(value, want.state[name]) for name, value in found.state.items())
    (folder / listed).unlink()
    with pytest.raises(InputError, match="holds no vocabulary"):
        read_hugging_face(folder)


def test_a_translation_is_made_once_and_again_when_the_folder_changes(tmp_path: Path) -> None:
    folder = make_foreign(tmp_path / "model", "bert", make_words(2))
    (folder / "genomecli.json").write_text('{"stride": 1}')
    one = imported(folder, tmp_path / "cache")
    stamp = (one / "checkpoints" / "best.json").stat().st_mtime_ns
    assert imported(folder, tmp_path / "cache") == one
    assert (one / "checkpoints" / "best.json").stat().st_mtime_ns == stamp
    (folder / "genomecli.json").write_text('{"stride": 2}')
    assert imported(folder, tmp_path / "cache") != one
    assert one.name == "model"
    assert not list((tmp_path / "cache" / "models").glob("*/.partial*"))
