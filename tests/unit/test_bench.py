"""What the benchmarks say is right where the system does not tell all of it."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genomecli.corpus.packing import PackSizes, pack, real_places
from genomecli.models.language_model import LanguageModel
from scripts.bench import gpu, gpu_checks, gpu_sizes
from scripts.bench.harness import Row, held
from scripts.bench.made import keys_seen, texts_of, write_proteins_of, yeast_lengths
from scripts.bench.peers import flash
from scripts.bench.sizes import Point, draw, left_out, markdown

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
HOLD = "import sys; kept = bytearray(b'1') * (64 << 20); print('held', flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
pipes = {{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}}
with subprocess.Popen([sys.executable, "-c", {HOLD!r}], **pipes) as child:
    child.stdout.readline()
    print(child.pid, flush=True)
    sys.stdin.read()
    child.communicate()
"""
"""A process that has one that holds 64 MiB."""

OWN = """
import os
from scripts.bench.harness import held
before = held(os.getpid())
kept = bytearray(b"1") * (64 << 20)
print(before, held(os.getpid()), held(os.getpid(), "VmHWM"))
"""

PNG = b"\x89PNG\r\n\x1a\n"


@LINUX
def test_memory_of_a_process_is_what_it_takes_in_mebibytes() -> None:
    """Of a new one: in this one memory may be left over from other tests."""
    done = subprocess.run([sys.executable, "-c", OWN], capture_output=True, text=True, check=True)
    before, after, resident = map(float, done.stdout.split())
    assert 64 - 8 < after - before < 64 + 8
    assert resident > after


@LINUX
def test_memory_of_children_is_added_only_where_it_is_asked_for() -> None:
    words = [sys.executable, "-c", PARENT]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        own, its, both = held(parent.pid), held(child), held(parent.pid, children=True)
        parent.communicate()
    assert own is not None
    assert its is not None
    assert both is not None
    assert own < 64 < its
    assert both == pytest.approx(own + its, abs=1)
    assert held(parent.pid) is held(parent.pid, children=True) is None


POINTS = (
    Point("corpus", "1 Mb", 1.0, 2.0, 80.4, 0.5),
    Point("corpus", "10 Mb", 10.0, 3.0, None, 3.3),
    Point("corpus", "100 Mb", 100.0, 9.0, 85.0, None, "Killed"),
    left_out("corpus", "1000 Mb", 1000.0),
)


def test_the_table_of_sizes_has_empty_cells_for_what_is_not_known() -> None:
    lines = markdown(POINTS).splitlines()[2:]
    assert lines == [
        "| corpus | 1 Mb | 2 | 80.4 | 0.5 Mb/s |",
        "| corpus | 10 Mb | 3 |  | 3.3 Mb/s |",
        "| corpus | 100 Mb | 9 | 85 | failed: Killed |",
        "| corpus | 1000 Mb |  |  | failed: not tried, the time was up |",
    ]


@pytest.mark.parametrize("points", [POINTS, POINTS[1:], POINTS[2:]], ids=["some", "no memory", "nothing"])
def test_sizes_are_drawn_where_memory_is_not_known(points: Sequence[Point], tmp_path: Path) -> None:
    draw(points, tmp_path / "sizes.png")
    assert (tmp_path / "sizes.png").read_bytes().startswith(PNG)


BOUNDS_OF_NEIGHBOURS = [0, 256, 456, 587, 658, 914, 1024]
"""Of the texts that are checked, with the last two as one."""


@pytest.fixture
def checked() -> tuple[LanguageModel, gpu_checks.Found]:
    """A network, and what it makes of texts side by side."""
    model, batch = gpu_checks.network_to_check(), gpu_checks.some_texts()
    return model, gpu_checks.outcome(model, batch, real_places(batch), "bf16")


def test_the_check_of_packing_finds_a_text_that_sees_its_neighbour(
    checked: tuple[LanguageModel, gpu_checks.Found],
) -> None:
    model, padded = checked
    packed = pack(gpu_checks.some_texts(), PackSizes(gpu_checks.CHECKED, gpu_checks.CHECKED // 4))
    wrong = replace(packed, cu_seqlens=torch.tensor(BOUNDS_OF_NEIGHBOURS, dtype=torch.int32))
    places = torch.arange(len(padded.states))
    rows = [
        gpu_checks.compare("x", gpu_checks.outcome(model, one, places, "bf16"), padded, gpu_checks.MOST)
        for one in (packed, wrong)
    ]
    assert all(row.met for row in rows[0])
    assert not all(row.met for row in rows[1])


def test_a_difference_that_is_no_number_fails_its_check() -> None:
    one = gpu_checks.Found(torch.ones(2, 3), torch.tensor(1.0), torch.ones(4))
    assert all(row.met for row in gpu_checks.compare("x", one, one, 0.1))
    bad = replace(one, loss=torch.tensor(float("nan")))
    assert [row.met for row in gpu_checks.compare("x", bad, one, 0.1)] == [True, False, True]


@pytest.mark.parametrize("name", gpu_sizes.SIZES)
def test_sizes_have_the_weights_of_their_name_and_heads_that_the_kernel_takes(name: str) -> None:
    size = gpu_sizes.SIZES[name]
    assert gpu_sizes.parameters(size) == pytest.approx(1e6 * float(name.removesuffix("M")), rel=0.02)
    assert size.settings().head_width % 8 == 0
    assert not any(size.settings().local_layers)
    assert size.step % size.batch == 0


def test_yeast_lengths_are_those_of_the_proteome() -> None:
    tokens = texts_of(yeast_lengths(50_000), 1024)
    assert tokens.mean() == pytest.approx(456, rel=0.02)
    assert keys_seen(tokens) == pytest.approx(629, rel=0.02)
    assert keys_seen(np.array([1, 3])) == 2.5


def test_proteins_are_written_with_the_lengths_that_are_asked_for(tmp_path: Path) -> None:
    path = write_proteins_of(tmp_path / "p.fa", np.array([5, 130]))
    texts = path.read_text().split(">")[1:]
    assert [len("".join(text.split()[1:])) for text in texts] == [5, 130]


def test_utilisation_is_that_of_a_calculation_by_hand() -> None:
    plain, whole = gpu.training_flops(gpu_sizes.Size(2, 64, 1, 192).settings(), 32, keys=100.0, decoded=0.25)
    # Two layers: queries, keys, values and output of 64 x 64, a gate, a value and an output of 64 x 192; the
    # head 64 x 64 and 64 x 32 at a quarter of the tokens. Two operations a weight, backward as much twice.
    assert plain == 3 * 2 * (2 * (4 * 64 * 64 + 3 * 64 * 192) + 0.25 * (64 * 64 + 64 * 32))
    # In each layer 100 keys, scores and sums of 64 products.
    assert whole == plain + 3 * 2 * (2 * 2 * 100 * 64)
    assert gpu.utilisation(94e3, 4.2e9, 989) == pytest.approx(39.92, abs=0.01)


def trained(size: str, kind: str, rate: float, *, compiled: bool = False) -> gpu.Trained:
    return gpu.Trained(size, kind, compiled, rate, 1_000_000, (1e6, 2e6), 1.0)


def test_the_fastest_training_is_of_the_size_and_kind_that_are_asked_for() -> None:
    found = [trained("8M", "genome", 9.0), trained("8M", "protein", 3.0), trained("35M", "protein", 8.0)]
    found += [trained("8M", "protein", 4.0, compiled=True), trained("8M", "genome", 7.0, compiled=True)]
    assert gpu.fastest(found, "8M", "protein") is found[3]
    with pytest.raises(LookupError, match="133M on proteins"):
        gpu.fastest(found, "133M", "protein")


def test_goals_are_of_proteins_alone() -> None:
    assert trained("150M", "protein", 300e3).row(989).met
    assert trained("150M", "protein", 280e3).row(989).met is False
    assert trained("150M", "genome", 280e3).row(989).met is None


def test_an_error_is_a_row_and_loses_none_of_the_others(tmp_path: Path) -> None:
    table = gpu.Table(tmp_path)
    table.add([Row("gpu", "before", "", 1.0)])

    def fail() -> list[Row]:
        raise RuntimeError("CUDA out of memory\nwith more | said")

    table.attempt("training 650M", fail)
    table.attempt("after", lambda: [Row("gpu", "after", "", 1.0)])
    rows = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert [row["what"] for row in rows] == ["before", "training 650M", "after"]
    assert rows[1]["note"] == "failed, RuntimeError: CUDA out of memory"
    assert table.failed == ["training 650M"]


def test_waits_are_counted_by_the_place_that_waits() -> None:
    with gpu_checks.Waits(torch.device("cpu"), 8).counted() as places:
        warnings.warn(f"{gpu_checks.WAITED} (somewhere)", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
        assert not places
    assert len(places) == 1
    assert places[0].startswith("test_bench.py:")


def test_waits_are_looked_for_between_the_first_steps_and_the_last_log_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes: list[str] = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    watch = gpu_checks.Waits(torch.device("cuda"), gpu_checks.WARM + 2)
    with watch.counted():
        for step in range(gpu_checks.WARM + 2):
            watch.advance()
            assert len(modes) == (step + 1 >= gpu_checks.WARM) + (step + 1 == gpu_checks.WARM + 2)
    assert modes == ["warn", "default", "default"]


def test_a_failed_check_ends_all_before_anything_is_timed() -> None:
    fine = Row("gpu", "check: one", "waits", 0.0, goal="at most 0", met=True)
    gpu_checks.refuse([fine])
    with pytest.raises(SystemExit, match=r"check: one: 2 waits, at most 0 \(loop.py:9\)$"):
        gpu_checks.refuse([fine, replace(fine, ours=2.0, met=False, note="loop.py:9")])


def test_attention_is_held_against_flash_attn_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = flash.packed_batch(np.array([5, 3]), 2, 8, torch.device("cpu"))
    ours = flash.our_attention(batch)
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    assert flash.flash_attention(batch) is None

    def kernel(query, key, value, cu_q, cu_k, longest_q, longest_k):
        assert cu_q.tolist() == cu_k.tolist() == [0, 5, 8]
        assert longest_q == longest_k == 5
        return ours(query, key, value)

    monkeypatch.setitem(sys.modules, "flash_attn", SimpleNamespace(flash_attn_varlen_func=kernel))
    theirs = flash.flash_attention(batch)
    assert theirs is not None
    assert flash.difference(ours, theirs, batch) == 0
    assert flash.attention_rate(theirs, batch, 1) > 0
