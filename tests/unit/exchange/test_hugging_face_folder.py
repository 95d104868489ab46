"""Exported folders as Hugging Face's own library opens them: same ids, same numbers, or refused by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.errors import ConfigError
from genomecli.exchange.hugging_face_folder import Exported, config_json, write_hugging_face
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings
from genomecli.models.task_heads import head_name
from genomecli.tasks.covariates import CovariateScale
from genomecli.tasks.kinds.registry import task_kind
from genomecli.tasks.schema import Target
from genomecli.training.task_spec import ColumnReading, HeadShape, TaskSpec
from tests.unit.exchange.foreign import needs_full_attention

transformers = pytest.importorskip("transformers")

READING = ColumnReading("bug", "genome")
TEXTS = ["ACGTNACGTTGCAacguuAGCTAGCTAGGATCGATCGAT" * 3, "ACGTACGTA", "TTTGGA"]


def settings_of(architecture: str, **options: Any) -> ModelSettings:
    sizes = {
        "layers": 4,
        "width": 32,
        "heads": 4,
        "context": 160,
        "initializer_range": 0.2,
        "local_window": 16,
    }
    sizes |= {"local_window": 0} if architecture == "classic" else {}
    return ModelSettings(preset=None, architecture=architecture, **(sizes | options))  # type: ignore[arg-type]


def exported(
    settings: ModelSettings, lexicon: Lexicon | None = None, spec: TaskSpec | None = None
) -> tuple[Exported, LanguageModel]:
    """A network of random weights, norms and biases too."""
    lexicon = lexicon or build_lexicon(["bug"], dna="base")
    heads = {} if spec is None else spec.heads(settings.width, lexicon)
    model = build_model(settings, lexicon.vocabulary.size, 2, seed=3, heads=heads).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    block = lexicon.block("bug", "dna")
    return Exported(settings, lexicon, model.state_dict(), block, spec), model


def opened(model: Exported, folder: Path, kind: str) -> tuple[Any, Any]:
    """Network and tokenizer as their library opens them; nothing may be missing, left over or guessed."""
    write_hugging_face(model, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        theirs, told = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert not any(told.values())
    assert type(theirs).__name__ == model.class_name
    return theirs.eval(), tokenizer


def read(model: Exported, theirs: Any, tokenizer: Any) -> tuple[Any, torch.Tensor]:
    """A padded batch of texts, of our ids, and their logits."""
    batch = tokenizer(TEXTS, return_tensors="pt", padding=True)
    ours = model.lexicon.tokenizer("bug", "dna")
    for text, ids, mask in zip(TEXTS, batch["input_ids"], batch["attention_mask"], strict=True):
        body = ours.encode(ours.alphabet.encode(text)).tolist()
        assert ids[mask.bool()].tolist() == [2, *body, 3]
    with torch.no_grad():
        return batch, theirs(**batch).logits


def states(model: LanguageModel, batch: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(batch["input_ids"], batch["attention_mask"].sum(1)).last


MASKED = [
    settings_of("modern"),
    settings_of("modern", tied=False, bias=True, activation="silu"),
    settings_of("modern", local_window=0),
    settings_of("classic"),
    settings_of("classic", tied=False, activation="gelu_tanh", norm_eps=1e-6),
]


@pytest.mark.parametrize("settings", MASKED, ids=range(len(MASKED)))
@pytest.mark.parametrize("dna", ["base", "codon"])
def test_masked_language_models(settings: ModelSettings, dna: str, tmp_path: Path) -> None:
    if settings.architecture == "modern":
        needs_full_attention(
            ["sliding_attention" if near else "full_attention" for near in settings.local_layers]
        )
    model, ours = exported(settings, build_lexicon(["bug", "cat"], dna=dna, scope="per_species"))
    theirs, tokenizer = opened(model, tmp_path, "AutoModelForMaskedLM")
    batch, logits = read(model, theirs, tokenizer)
    assert ("token_type_ids" in batch) == (settings.architecture == "classic")
    real = batch["attention_mask"].bool()
    torch.testing.assert_close(logits[real], ours.logits(states(ours, batch))[real], rtol=0, atol=1e-4)
    assert tokenizer.model_max_length == 160
    assert [tokenizer.pad_token_id, tokenizer.mask_token_id, tokenizer.unk_token_id] == [0, 4, 1]
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("style", ["modern", "classic"])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "regression"])
@pytest.mark.parametrize("bias", [False, True])
def test_sequence_classification(style: Any, kind: str, bias: bool, tmp_path: Path) -> None:
    classes = ("no", "yes") if kind == "binary" else ("x", "y", "z")
    measured = {"means": (1.0, -20.0, 3.5), "scales": (2.0, 0.1, 7.0)} if kind == "regression" else {}
    target = Target("type.of", kind, ("y",), classes, **measured)  # type: ignore[arg-type]
    spec = TaskSpec((target,), HeadShape("cls", style=style), READING, context=160)
    model, ours = exported(settings_of(style, bias=bias or style == "classic"), spec=spec)
    theirs, tokenizer = opened(model, tmp_path, "AutoModelForSequenceClassification")
    assert theirs.config.id2label == dict(enumerate(classes))
    batch, logits = read(model, theirs, tokenizer)
    outputs = ours.heads[head_name("type.of")](states(ours, batch)[:, 0]).detach()
    problem = theirs.config.problem_type
    if problem == "regression":
        values = task_kind(target).scores(outputs.numpy())
        np.testing.assert_allclose(logits.numpy(), values, rtol=1e-5, atol=1e-4)
    else:
        torch.testing.assert_close(logits, outputs, rtol=0, atol=1e-4)
        many = kind == "multilabel"
        assert problem == ("multi_label_classification" if many else "single_label_classification")


@pytest.mark.parametrize(
    ("architecture", "style"), [("modern", "modern"), ("classic", "classic"), ("classic", "plain")]
)
def test_token_classification(architecture: str, style: Any, tmp_path: Path) -> None:
    target = Target("label", "token", (), ("out", "in", "edge"))
    spec = TaskSpec((target,), HeadShape("cls", style=style), READING, context=160)
    model, ours = exported(settings_of(architecture), spec=spec)
    theirs, tokenizer = opened(model, tmp_path, "AutoModelForTokenClassification")
    batch, logits = read(model, theirs, tokenizer)
    real = batch["attention_mask"].bool()
    outputs = ours.heads[head_name("label")](states(ours, batch))[:, :, 0].detach()
    torch.testing.assert_close(logits[real], outputs[real], rtol=0, atol=1e-4)


def test_each_option_that_the_classes_lack_is_named() -> None:
    options = {"qk_norm": True, "language_embedding": True, "mixer": "convolution", "positions": "none"}
    model, _ = exported(settings_of("modern", **options, feedforward="plain"))
    with pytest.raises(ConfigError) as refused:
        config_json(model)
    said = " ".join(refused.value.problems)
    assert len(refused.value.problems) == 5
    for option in (*options, "feedforward"):
        assert f"model.{option} must be" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"head": HeadShape("attention")},
            ["head.pooling must be cls", "not attention", "head.style must be"],
        ),
        ({"head": HeadShape("mean", hidden=8)}, ["head.hidden must be 0", "head.style", "head.pooling"]),
        ({"pair": READING}, ["data.pair"]),
        ({"covariates": CovariateScale(("x",), (0.0,), (1.0,))}, ["data.covariates"]),
        (
            {"targets": (Target("a", "binary", (), ("n", "y")), Target("b", "binary", (), ("n", "y")))},
            ["a, b"],
        ),
        (
            {"targets": (Target("a", "regression", (), ("v",), (0.0,), (1.0,), log=True),)},
            ["targets.a.log must be false"],
        ),
    ],
)
def test_heads_that_the_classes_lack_are_named(changes: dict[str, Any], words: list[str]) -> None:
    values = {"targets": (Target("a", "binary", (), ("n", "y")),), "head": HeadShape("cls", style="modern")}
    spec = TaskSpec(reading=READING, context=160, **(values | changes))  # type: ignore[arg-type]
    model, _ = exported(settings_of("modern", qk_norm=True), spec=spec)
    with pytest.raises(ConfigError) as refused:
        config_json(model)
    assert "model.qk_norm" in refused.value.problems[0]
    assert len(refused.value.problems) == 1 + max(1, len(words) - ("not attention" in words))
    for word in words:
        assert word in str(refused.value)


def test_labels_of_letters_want_tokens_of_one_letter() -> None:
    target = Target("label", "token", (), ("out", "in"))
    spec = TaskSpec((target,), HeadShape("cls", style="classic"), READING, context=160)
    model, _ = exported(settings_of("classic"), build_lexicon(["bug"], dna="codon"), spec)
    with pytest.raises(ConfigError, match=r"targets\.label: .*one letter.*not of 3"):
        config_json(model)
