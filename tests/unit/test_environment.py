"""What libraries are told before they are imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genomecli import environment

ZEN_4 = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
flags\t\t: fpu avx2 avx512f avx512dq avx512_bf16

processor\t: 1
"""
OTHERS = {
    "Zen 3, without AVX-512": ZEN_4.replace("avx512dq ", ""),
    "Zen 5": ZEN_4.replace("25", "26"),
    "Intel": ZEN_4.replace("AuthenticAMD", "GenuineIntel"),
    "family 250": ZEN_4.replace("25", "250"),
    "ARM": "processor\t: 0\nFeatures\t: fp asimd\n",
    "only the second": "processor\t: 0\nvendor_id\t: GenuineIntel\n\n" + ZEN_4,
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that tells of the processor, here Zen 4; nothing is set yet."""
    path = tmp_path / "cpuinfo"
    path.write_text(ZEN_4, encoding="utf-8")
    monkeypatch.setattr(environment, "CPU", str(path))
    for name in ("NPY_DISABLE_CPU_FEATURES", "OPENBLAS_THREAD_TIMEOUT"):
        monkeypatch.setenv(name, "")  # so that what is set below is taken back
        monkeypatch.delenv(name)
    return path


def test_only_tokenize_on_zen_4_goes_without_avx512(told: Path) -> None:
    for words in ([], ["embed", "tokenize"], ["pretrain"]):
        environment.prepare(words)
        assert "NPY_DISABLE_CPU_FEATURES" not in os.environ
    environment.prepare(["tokenize", "-q"])
    assert os.environ["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_processors_sort_as_they_do(told: Path, text: str) -> None:
    told.write_text(text, encoding="utf-8")
    environment.prepare(["tokenize"])
    assert "NPY_DISABLE_CPU_FEATURES" not in os.environ


def test_no_processor_is_told(told: Path) -> None:
    told.unlink()
    assert not environment.sorts_slowly()


def test_numpy_is_told_one_thing_only(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses to be imported where both are set."""
    monkeypatch.setenv("NPY_ENABLE_CPU_FEATURES", "X86_V4")
    environment.prepare(["tokenize"])
    assert "NPY_DISABLE_CPU_FEATURES" not in os.environ


def test_what_the_user_has_set_stays(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX512_ICL")
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "9")
    environment.prepare(["tokenize"])
    assert os.environ["NPY_DISABLE_CPU_FEATURES"] == "AVX512_ICL"
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == "9"
