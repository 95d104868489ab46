import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from genomecli.corpus.lexicon import Lexicon
from genomecli.errors import InputError
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import (
    Checkpoint,
    Identity,
    find_checkpoint,
    load_checkpoint,
    load_model,
    pointed,
    rewind,
    save_checkpoint,
)
from genomecli.training.plan import Progress
from tests.unit.training.toys import toy_lexicon

SETTINGS = ModelSettings(preset=None, layers=1, width=16, heads=2, context=16)


def _checkpoint(step: int = 10, lexicon: Lexicon | None = None, **heads: torch.nn.Module) -> Checkpoint:
    lexicon = lexicon or toy_lexicon()
    model = build_model(SETTINGS, lexicon.vocabulary.size, len(lexicon.languages), seed=step, heads=heads)
    identity = Identity(SETTINGS.model_dump(mode="json"), "c0", 1, 40, 1, "fp32", "cpu")
    pairs = {"loss": (0.1, 3.0)}
    progress = Progress(step, 99, 1.25, 10, 2, window=pairs, scaler={"scale": 4.0})
    moments = {"a/exp_avg": torch.arange(3.0), "a/step": torch.tensor(3.0)}
    return Checkpoint(progress, identity, lexicon, {"seed": 1}, model.state_dict(), moments)


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    saved = _checkpoint()
    folder = save_checkpoint(tmp_path, saved, best=True)
    assert folder == tmp_path / "checkpoints" / "step-0000010"
    back = load_checkpoint(tmp_path)
    assert back.progress == saved.progress
    assert back.identity == saved.identity
    assert back.config == saved.config
    assert back.lexicon.fingerprint == saved.lexicon.fingerprint
    for name, tensor in [*saved.model.items(), *saved.optimiser.items()]:
        assert torch.equal({**back.model, **back.optimiser}[name], tensor)


def test_equal_checkpoints_are_equal_bytes(tmp_path: Path) -> None:
    left = save_checkpoint(tmp_path / "a", _checkpoint())
    right = save_checkpoint(tmp_path / "b", _checkpoint())
    files = sorted(path.name for path in left.iterdir())
    tensors = ["model.safetensors", "optimizer.safetensors"]
    assert files == ["config.json", "lexicon.json", "manifest.json", *tensors, "state.json"]
    for name in files:
        assert (left / name).read_bytes() == (right / name).read_bytes(), name


def test_a_loaded_model_computes_what_the_saved_one_did(tmp_path: Path) -> None:
    saved = _checkpoint(seed := 7)
    save_checkpoint(tmp_path, saved)
    loaded = load_model(tmp_path)
    lexicon = toy_lexicon()
    model = build_model(SETTINGS, lexicon.vocabulary.size, len(lexicon.languages), seed=seed).eval()
    tokens = torch.arange(5, 13)[None]
    assert torch.equal(loaded.model(tokens).last, model(tokens).last)
    assert (loaded.step, loaded.settings, loaded.info["heads"]) == (seed, SETTINGS, [])
    assert not loaded.model.training


def test_heads_are_filled_or_left_out_by_name(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _checkpoint(cls=torch.nn.Linear(16, 3), other=torch.nn.Linear(16, 2)))
    assert load_model(tmp_path).info["heads"] == ["cls", "other"]
    head = torch.nn.Linear(16, 3)
    loaded = load_model(tmp_path, heads={"cls": head})
    assert loaded.info["heads"] == ["other"]
    assert torch.equal(head.weight, load_checkpoint(tmp_path).model["heads.cls.weight"])


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    whole = _checkpoint()
    some = {name: tensor for name, tensor in whole.model.items() if "final_norm" not in name}
    save_checkpoint(tmp_path, replace(whole, model=some))
    with pytest.raises(InputError, match="final_norm"):
        load_model(tmp_path)


def test_best_and_last_and_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (10, 13, 20, 25, 30):
        save_checkpoint(tmp_path, _checkpoint(step), best=step == 13, keep=2, grid=10)
    kept = sorted(path.name for path in (tmp_path / "checkpoints").glob("step-*"))
    assert kept == ["step-0000013", "step-0000020", "step-0000030"]
    assert find_checkpoint(tmp_path).name == "step-0000013"
    assert find_checkpoint(tmp_path, prefer="last").name == "step-0000030"
    assert find_checkpoint(tmp_path / "checkpoints" / "step-0000020").name == "step-0000020"


@pytest.mark.parametrize(
    "told", ["[]", "7", '{"checkpoint": 7}', '{"checkpoint": "../x"}', "{", '{"checkpoint": ".."}']
)
def test_a_pointer_that_names_no_checkpoint_is_refused(tmp_path: Path, told: str) -> None:
    save_checkpoint(tmp_path, _checkpoint())
    (tmp_path / "checkpoints" / "last.json").write_text(told)
    with pytest.raises(InputError, match=r"last\.json"):
        find_checkpoint(tmp_path)


def test_a_vocabulary_of_another_format_is_refused_with_both(tmp_path: Path) -> None:
    values = {**toy_lexicon().to_dict(), "format_version": 2}
    with pytest.raises(InputError, match="format version 2, and this genomecli reads 1"):
        Lexicon.from_dict(values, where=tmp_path)


def test_settings_that_tell_of_a_larger_network_are_refused_before_it_is_built(tmp_path: Path) -> None:
    whole = _checkpoint()
    identity = replace(whole.identity, model={**whole.identity.model, "width": 1 << 20, "heads": 1 << 14})
    save_checkpoint(tmp_path, replace(whole, identity=identity))
    with pytest.raises(InputError, match="those of no network"):
        load_model(tmp_path)


def test_tensors_whose_header_lies_about_sizes_are_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, _checkpoint())
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    for lie in (b"\xff" * 8 + raw[8:], raw[:8] + raw[8:].replace(b"[16]", b"[99]", 1), raw[:-4]):
        path.write_bytes(lie)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][path.name] = {"bytes": len(lie), "sha256": hashlib.sha256(lie).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(InputError, match=r"model\.safetensors; holds no sound tensors"):
            load_model(tmp_path)


def test_rewinding_forgets_what_came_later(tmp_path: Path) -> None:
    for step in (10, 20):
        save_checkpoint(tmp_path, _checkpoint(step), best=True, grid=10)
    rewind(tmp_path, Progress(10, best_step=10))
    assert pointed(tmp_path, "best") == tmp_path / "checkpoints" / "step-0000010"
    assert not (tmp_path / "checkpoints" / "step-0000020").exists()
    rewind(tmp_path, Progress(10))
    assert pointed(tmp_path, "best") is None


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
def test_an_altered_file_is_refused_and_named(tmp_path: Path, name: str) -> None:
    folder = save_checkpoint(tmp_path, _checkpoint())
    path = folder / name
    raw = bytearray(path.read_bytes())
    raw[-2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match=name):
        load_checkpoint(tmp_path)


def test_another_format_version_is_refused_with_both(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, _checkpoint())
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format_version": 7}))
    with pytest.raises(InputError, match=r"7.*1"):
        load_model(tmp_path)


def test_places_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        find_checkpoint(tmp_path / "none")
    with pytest.raises(InputError, match="no checkpoint"):
        find_checkpoint(tmp_path)
    save_checkpoint(tmp_path / "seed-0", _checkpoint())
    with pytest.raises(InputError, match="seed-0"):
        find_checkpoint(tmp_path)


def test_an_interrupted_write_leaves_the_last_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, _checkpoint(10))
    monkeypatch.setattr("genomecli.training.checkpoint.write_json", _fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(tmp_path, _checkpoint(20))
    monkeypatch.undo()
    assert find_checkpoint(tmp_path).name == "step-0000010"
    assert load_checkpoint(tmp_path).progress.step == 10


def _fail(*_: object) -> None:
    raise OSError("disk full")
