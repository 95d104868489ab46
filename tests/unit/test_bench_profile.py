"""The profile sorts operators, and counts operations and bytes, as the benchmarks say; tables say on what."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from genomecli.models import attention_in_cache
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from scripts.bench import optimisers, ranks_speed
from scripts.bench.harness import Row, machine, machine_line, markdown, write
from scripts.bench.where_time_goes import (
    COPIED,
    COPIES,
    ELEMENTS,
    FRAMES,
    FUSED,
    NORMS,
    OTHERS,
    PRODUCTS,
    SHA,
    TABLE,
    Step,
    kind_of,
    sort_events,
    step_text,
    tokenize_bounds,
)

TEXTS, LENGTH, LAYERS, WIDTH = 4, 40, 2, 64
CAN = {
    "products in bf16, GFLOP/s": 100.0,
    COPIED: 10.0,
    f"{COPIED}, one core": 5.0,
    TABLE: 1.0,
    SHA: 2.0,
}


def small_step(precision: str, dropout: float = 0.0) -> Callable[[], None]:
    """One step of training of a small network, that can be repeated."""
    settings = ModelSettings(
        preset=None,
        architecture="classic",
        layers=LAYERS,
        width=WIDTH,
        heads=2,
        context=64,
        attention_dropout=dropout,
    )
    model = build_model(settings, 30, seed=0)
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    tokens = torch.randint(0, 30, (TEXTS, LENGTH), generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([LENGTH, LENGTH - 3, LENGTH, 7])

    def step() -> None:
        half = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()
        with half:
            scores = model.logits(model(tokens, lengths).last)
            loss = torch.nn.functional.cross_entropy(scores.float().flatten(0, 1), tokens.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return step


def events_of(work: Callable[[], object]) -> list[Any]:
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as trace:
        work()
    return list(trace.events())


@pytest.mark.parametrize(
    ("operators", "kind"),
    [
        ("aten::mm aten::bmm aten::baddbmm aten::addmm aten::linear aten::matmul", PRODUCTS),
        ("aten::softmax aten::_softmax aten::_softmax_backward_data", "softmax"),
        ("aten::_log_softmax aten::_log_softmax_backward_data aten::nll_loss_forward", "loss"),
        ("aten::gelu aten::gelu_backward aten::add aten::add_ aten::mul_ aten::exp aten::sum", ELEMENTS),
        ("aten::layer_norm aten::native_layer_norm aten::native_layer_norm_backward", NORMS),
        ("aten::copy_ aten::_to_copy aten::cat aten::fill_ aten::clone", COPIES),
        ("aten::bernoulli_ aten::dropout", "dropout and random numbers"),
        ("aten::_fused_adamw_ aten::_foreach_norm aten::linalg_vector_norm", "optimiser and clipping"),
        ("aten::_scaled_dot_product_flash_attention_for_cpu_backward", FUSED),
        ("aten::index_add_ aten::embedding_dense_backward aten::scatter_add_", "look-ups and selections"),
        ("AddmmBackward0 torch::autograd::AccumulateGrad _InCache _InCacheBackward", FRAMES),
        ("aten::something_new mkldnn::_linear_pointwise", OTHERS),
    ],
)
def test_an_operator_is_sorted_by_its_whole_name(operators: str, kind: str) -> None:
    assert {name: kind_of(name) for name in operators.split()} == dict.fromkeys(operators.split(), kind)


@pytest.mark.parametrize(("precision", "dropout"), [("bf16", 0.0), ("bf16", 0.1), ("fp32", 0.0)])
def test_every_operator_of_a_step_has_a_kind(precision: str, dropout: float) -> None:
    found = sort_events(events_of(small_step(precision, dropout)), 1, 4)
    assert not found.unsorted
    used = {PRODUCTS, ELEMENTS, NORMS, COPIES, "loss", "optimiser and clipping", FRAMES}
    assert used | {"softmax" if precision == "bf16" else FUSED} <= set(found.kinds)
    assert ("dropout and random numbers" in found.kinds) or not dropout


@pytest.mark.parametrize("kept", [512, 8], ids=["weights kept", "weights made again"])
def test_operations_in_bf16_are_those_that_torch_counts(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_in_cache, "KEPT_TO", kept)
    step = small_step("bf16")
    with FlopCounterMode(display=False) as counter:
        step()
    found = sort_events(events_of(step), 1, 2)
    assert found.operations.total() == pytest.approx(counter.get_total_flops(), rel=1e-9)
    once = 2.0 * LAYERS * TEXTS * LENGTH**2 * WIDTH
    attention = sum(
        amount for name, amount in counter.get_flop_counts()["Global"].items() if "bmm" in str(name)
    )
    assert attention == (6 if kept == 512 else 7) * once


def test_operations_in_fp32_are_those_that_torch_counts_and_those_of_the_kernel_it_does_not_know() -> None:
    step = small_step("fp32")
    with FlopCounterMode(display=False) as counter:
        step()
    found = sort_events(events_of(step), 1, 4)
    assert found.operations[PRODUCTS] == pytest.approx(counter.get_total_flops(), rel=1e-9)
    assert found.operations[FUSED] == 7 * 2.0 * LAYERS * TEXTS * LENGTH**2 * WIDTH


def test_bytes_are_those_read_and_written_once() -> None:
    big, half = torch.randn(100, 64), torch.empty(100, 64, dtype=torch.bfloat16)
    row = torch.randn(64)

    def work() -> None:
        half.copy_(big)
        big.add(row.expand(100, 64))
        big.mul_(2.0)
        big.to(torch.bfloat16)
        torch.cat([big, big])
        torch.nn.functional.layer_norm(big, (64,))

    found = sort_events(events_of(work), 1, 4)
    size = big.nbytes
    assert found.moved[COPIES] == 2 * (size + size / 2) + 4 * size
    assert found.moved[ELEMENTS] == (2 * size + row.nbytes) + 2 * size
    assert found.moved[NORMS] == 2 * size


def test_a_step_is_set_against_the_limits() -> None:
    step = Step(seconds=2.0, alone=1.9)
    step.kinds.update({PRODUCTS: 1.0, ELEMENTS: 0.5, OTHERS: 0.1})
    step.operations[PRODUCTS], step.moved[ELEMENTS], step.unsorted["aten::new"] = 50e9, 4e9, 0.1
    text = step_text(step, "bf16", CAN)
    assert "| products of matrices | 1000.0 | 50.0 % | 50.0 GFLOP | 500.0 |" in text
    assert "| element by element, and sums | 500.0 | 25.0 % | 4.00 GB | 400.0 |" in text
    assert "25 % of the peak over the whole step; products alone run at 50 %" in text
    assert "together 45 % of the step" in text
    assert "fit no kind: aten::new 100.00 ms" in text


def test_tokenize_is_set_against_the_limits() -> None:
    text = tokenize_bounds(100_000_000, 50_000_000, 1.0, CAN)
    assert "at the rate of copies | 150.0 | 0.030 | 3 % |" in text
    assert "byte table | 100.0 | 0.100 | 10 % |" in text
    assert "corpus | 250.0 | 0.125 | 12 % |" in text
    assert "These three take 0.26 s at least, 26 % of the 1.00 taken; the longest: SHA-256" in text


ROW = Row("ranks", "ranks", "s", 1.5)


def test_the_table_says_on_what_it_was_measured(tmp_path: Path) -> None:
    write([ROW], 3.0, tmp_path)
    line, empty, *table = (tmp_path / "bench.md").read_text().splitlines()
    found = json.loads((tmp_path / "bench.json").read_text())["machine"]
    assert line == machine_line(found)
    assert not empty
    assert table == markdown([ROW]).splitlines()
    said = (found["processor"], f"{found['cores']} cores", found["memory"], found["date"], "threads: ")
    versions = [f"{name} {found['versions'][name]}" for name in ("torch", "numpy", "transformers")]
    assert all(word in line for word in (*said, f"Python {found['python']}", *versions))


def test_threads_of_commands_are_named() -> None:
    here = machine() | {"threads": {"here": 2, "commands": [1, 2]}}
    assert "threads: 2 in this process, 1 or 2 in commands;" in machine_line(here)


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_was_not_reached_is_said_in_words(value: float | None, tmp_path: Path) -> None:
    row = Row("optimisers", "tokens", "tokens", value, "AdamW", 9.0)
    assert markdown([row]).splitlines()[2] == "| tokens | not reached | AdamW | 9 tokens |  |  |  |"
    write([row], 1.0, tmp_path)
    assert '"ours": null' in (tmp_path / "bench.json").read_text()


def test_muon_may_not_reach_the_loss() -> None:
    adamw, muon = [(0, 0.0, 4.0), (100, 1.0, 2.0)], [(0, 0.0, 4.0), (100, 1.0, 3.0)]
    rows = optimisers.compare("small", ("1e-3", adamw), ("1e-3", muon))
    assert [row.ours for row in rows] == [None, None]
    assert "nan" not in markdown(rows)


def test_given_numbers_win_over_quick() -> None:
    rows = ranks_speed.measure(quick=True, items=300, repeats=2)
    assert "300 x 300" in rows[0].what
    assert rows[0].repeats == 2
