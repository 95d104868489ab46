"""Graphs in ONNX, as onnxruntime computes them, against torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import RunError, UsageError
from genomecli.exchange import onnx_graph
from genomecli.exchange.hugging_face_folder import Exported
from genomecli.exchange.onnx_graph import write_onnx
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.settings import ModelSettings
from genomecli.tasks.schema import Target
from genomecli.training.task_spec import ColumnReading, HeadShape, TaskSpec

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

CASES: dict[str, dict[str, Any]] = {
    "modern": {"architecture": "modern", "local_window": 16},
    "classic": {"architecture": "classic"},
    "beyond": {"architecture": "modern", "qk_norm": True, "language_embedding": True, "tied": False},
    "cnn": {"preset": "cnn"},
}


def made(language: int | None = 2, **options: Any) -> tuple[Exported, LanguageModel]:
    sizes = {"preset": None, "layers": 2, "width": 16, "heads": 2, "context": 150, "initializer_range": 0.3}
    settings = ModelSettings.model_validate(sizes | options)
    lexicon = build_lexicon(["bug", "cat"], dna="codon")
    model = build_model(settings, lexicon.vocabulary.size, 4, seed=3).eval()
    block = lexicon.block("bug", "dna")
    return Exported(settings, lexicon, model.state_dict(), block, language=language), model


def run(folder: Path, tokens: torch.Tensor, lengths: torch.Tensor) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    mask = (torch.arange(tokens.shape[1]) < lengths[:, None]).long()
    return session.run(None, {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()})


@pytest.mark.parametrize("case", CASES)
def test_any_number_of_texts_of_any_length(case: str, tmp_path: Path) -> None:
    model, ours = made(**CASES[case])
    write_onnx(model, tmp_path)
    for shape in ((1, 2), (4, 60), (2, 150)):
        tokens = torch.randint(5, 60, shape, generator=torch.Generator().manual_seed(1))
        lengths = torch.tensor([shape[1], max(1, shape[1] // 2), 1, 7][: shape[0]])
        real = torch.arange(shape[1]) < lengths[:, None]
        with torch.inference_mode():
            states = ours(tokens, lengths, None, torch.full_like(tokens, 2)).last
            want = [states[real], ours.logits(states)[real]]
        found = [torch.from_numpy(one)[real] for one in run(tmp_path, tokens, lengths)]
        for one, other in zip(found, want, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    raw = (tmp_path / "model.onnx").read_bytes()
    assert str(Path(onnx_graph.__file__).parent).encode() not in raw
    assert b"site-packages" not in raw
    if case == "classic":
        write_onnx(model, tmp_path)
        assert (tmp_path / "model.onnx").read_bytes() == raw


def test_a_tuned_network_gives_its_states_alone(tmp_path: Path) -> None:
    target = Target("y", "binary", (), ("n", "y"))
    spec = TaskSpec((target,), HeadShape("attention", hidden=3), ColumnReading("bug", "genome"))
    plain, _ = made(architecture="classic")
    heads = {"heads.task-y.scorer.classifier.bias": torch.zeros(2)}
    model = Exported(plain.settings, plain.lexicon, {**plain.state, **heads}, plain.block, spec, 0)
    write_onnx(model, tmp_path)
    assert len(run(tmp_path, torch.randint(5, 60, (2, 9)), torch.tensor([9, 4]))) == 1


def test_other_numbers_are_not_let_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_graph, "TOLERANCE", -1.0)
    model, _ = made(architecture="classic", layers=1)
    with pytest.raises(RunError, match="onnxruntime differs"):
        write_onnx(model, tmp_path)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = made(None, language_embedding=True)
    with pytest.raises(UsageError, match=r"export\.species to one of bug, cat"):
        write_onnx(model, tmp_path)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(UsageError, match=r"onnxscript, which is not installed; .*genomecli\[onnx\]"):
        write_onnx(model, tmp_path)
