"""Presets, what they fill in, and the messages of contradictions."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from genomecli.models.presets import HEAD_WIDTH, PRESETS
from genomecli.models.settings import ModelSettings

# Architecture, layers, width, heads, intermediate, context: a preset's name never changes its meaning.
FROZEN = {
    "tiny": ("modern", 3, 64, 1, 96, 1024),
    "mini": ("modern", 6, 128, 2, 192, 1024),
    "small": ("modern", 12, 256, 4, 384, 1024),
    "medium": ("modern", 16, 512, 8, 768, 1024),
    "base": ("modern", 22, 768, 12, 1152, 1024),
    "large": ("modern", 28, 1024, 16, 2624, 1024),
    "classic-tiny": ("classic", 2, 128, 2, 512, 512),
    "classic-mini": ("classic", 4, 256, 4, 1024, 512),
    "classic-small": ("classic", 4, 512, 8, 2048, 512),
    "classic-medium": ("classic", 8, 512, 8, 2048, 512),
    "classic-base": ("classic", 12, 768, 12, 3072, 512),
    "classic-large": ("classic", 24, 1024, 16, 4096, 512),
    "cnn": ("modern", 3, 64, 1, 96, 1024),
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_frozen_and_all_extras_are_off(name: str) -> None:
    s = ModelSettings(preset=name)
    assert (s.architecture, s.layers, s.width, s.heads, s.intermediate, s.context) == FROZEN[name]
    assert s.head_width == HEAD_WIDTH
    assert not (s.qk_norm)
    assert not (s.language_embedding)
    assert not (s.zero_init_out)
    assert not (s.dropout)
    assert not (s.attention_dropout)


@pytest.mark.parametrize("name", PRESETS)
def test_settings_written_out_and_read_again_are_equal(name: str) -> None:
    settings = ModelSettings(preset=name, qk_norm=True)
    assert ModelSettings.model_validate(settings.model_dump()) == settings
    assert ModelSettings.model_validate_json(settings.model_dump_json()) == settings
    assert None not in settings.model_dump(exclude={"preset"}).values()


def test_first_weights_follow_the_width() -> None:
    found = {name: ModelSettings(preset=name).initializer_range for name in ("tiny", "base", "classic-tiny")}
    assert found == {"tiny": 0.0791, "base": 0.0228, "classic-tiny": 0.02}
    assert ModelSettings(preset="tiny", width=256).initializer_range == 0.0395
    assert ModelSettings(initializer_range=0.3).initializer_range == 0.3


def test_explicit_sizes_override_and_the_others_follow() -> None:
    wider = ModelSettings(preset="large", width=640)
    assert (wider.layers, wider.heads, wider.intermediate) == (28, 10, 960)
    assert ModelSettings(preset="tiny", layers=12).intermediate == 96
    old = ModelSettings(preset="base", architecture="classic")
    assert (old.intermediate, old.positions, old.norm, old.norm_eps) == (3072, "learned", "post", 1e-12)
    assert ModelSettings(preset=None, layers=1, width=192).heads == 3
    assert ModelSettings(heads=None, width=None) == ModelSettings()


def test_local_layers() -> None:
    assert ModelSettings(layers=7).local_layers == (False, True, True, False, True, True, False)
    assert not any(ModelSettings(global_every=1).local_layers)
    assert not any(ModelSettings(local_window=0).local_layers)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"preset": "bse"}, "unknown preset 'bse'; choose one of tiny"),
        ({"preset": None, "layers": 2}, "width not set; set all sizes or name a preset"),
        ({"width": 100, "heads": 3}, "width 100 is no multiple of heads 3; set heads to 2 or width to 192"),
        ({"width": 63, "heads": 3}, "positions rope needs an even head width, not 21"),
        ({"local_window": 63}, "local_window 63 is odd; set it to 64"),
        ({"layers": 0}, "layers\n  Input should be greater than or equal to 1"),
        ({"architecture": ["x"]}, "architecture\n  Input should be 'modern' or 'classic'"),
        ({"width": "wide"}, "width\n  Input should be a valid integer"),
        ({"depth": 3}, "depth\n  Extra inputs are not permitted"),
    ],
)
def test_each_message_names_the_field_and_the_fix(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelSettings(**wrong)
    assert message in str(caught.value)


def test_two_contradictions_are_told_at_once() -> None:
    with pytest.raises(ValidationError, match=r"heads 3.*local_window 63"):
        ModelSettings(width=100, heads=3, local_window=63)


def test_settings_import_no_torch() -> None:
    code = "import sys, genomecli.models.settings; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
