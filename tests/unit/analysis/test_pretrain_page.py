"""The page of a pretraining run: the verdict follows from the figures, equal files give equal bytes."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from genomecli.analysis.pretrain_page import run_drawings, run_page, write_run_page
from genomecli.analysis.pretrain_story import (
    groups_table,
    languages_table,
    run_notes,
    run_verdict,
    settings_table,
)

SUMMARY: dict[str, Any] = {
    "seed": 7,
    "steps": 1200,
    "planned_steps": 1200,
    "skipped_steps": 0,
    "tokens": 300_000,
    "parameters": {"embedding": 1000, "blocks": 9000, "total": 10_000},
    "corpus": {"name": "yeast <b>", "fingerprint": "0"},
    "reading": {
        "relation": "paired",
        "groups": [
            {
                "name": "yeast.cds",
                "records": 500,
                "tokens_per_epoch": 100_000,
                "share_of_tokens": 1.0,
                "left_out": 0,
            }
        ],
    },
    "validation": {"loss": 2.5, "objectives": {"mlm": {"loss": 2.5, "accuracy": 0.25}}},
    "best": {"step": 800, "loss": 2.4},
    "languages": {
        "yeast/dna": {
            "perplexity": 20.0,
            "accuracy": 0.2,
            "predictions": 1281,
            "yardsticks": {"5-gram": 25.0, "neighbours": 21.0, "unigram": 50.0},
        },
        "yeast/protein": {
            "perplexity": 8.0,
            "accuracy": 0.4,
            "predictions": 9,
            "yardsticks": {"5-gram": 7.0},
        },
    },
    "not_beaten": {"yeast/protein": ["5-gram"]},
}
CONFIG = {
    "seed": 7,
    "pretrain": {"model": {"preset": "tiny", "layers": 2, "width": 64}, "steps": None, "a": [1, 2]},
}
ROWS = [
    {"kind": "train", "step": 400, "loss": 3.0, "lr": 0.001},
    {"kind": "validation", "step": 800, "loss": 2.4, "languages": {"yeast/dna": {"perplexity": 22.0}}},
    {"kind": "train", "step": 1200, "loss": None, "lr": 0.0},
    {"kind": "validation", "step": 1200, "loss": 2.5, "languages": {"yeast/dna": {"perplexity": 20.0}}},
]
PROBES = [
    {"kind": "probe", "step": step, "mrr/yeast/layer1/left_out_mrr": 0.1 * step / 400} for step in (400, 800)
]


def summary(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SUMMARY), **more}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run", SUMMARY, ROWS)


def write(folder: Path, summary: Any, rows: Any) -> Path:
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_the_verdict_names_what_was_not_beaten():
    found = run_verdict(SUMMARY)
    assert found.good is False
    first = "A simple model predicts hidden tokens as well as the network, or better"
    assert found.first == f"{first}, in 1 of 2 languages."
    assert found.further == (
        "Not beaten: yeast/protein (5-gram).",
        "Trained for 1\u202f200 steps on 300\u202f000 tokens, 3.0 passes over the texts.",
        "The validation loss was lowest (2.400) at step 800, and 2.500 at the end; those weights are the "
        "best checkpoint.",
    )
    won = run_verdict(summary(not_beaten={}, best={"step": 1200, "loss": 2.5}))
    assert (won.good, won.first) == (True, "The network beats every simple model in all 2 languages.")
    assert won.further[-1].endswith("at the last step: longer training might lower it further.")
    lost = run_verdict(summary(not_beaten={"yeast/dna": ["unigram"], "yeast/protein": ["5-gram"]}))
    assert lost.first == f"{first}, in all 2 languages."
    one = {"yeast/protein": SUMMARY["languages"]["yeast/protein"]}
    assert run_verdict(summary(languages=one)).first == f"{first}."


def test_without_figures_nothing_is_claimed():
    assert run_verdict(summary(languages={}, not_beaten={})).good is None
    bare = {"yeast/dna": {**SUMMARY["languages"]["yeast/dna"], "yardsticks": {}}}
    assert run_verdict(summary(languages=bare, not_beaten={})).good is None
    assert len(run_verdict(summary(best={"step": None, "loss": None})).further) == 2


def test_notes_warn_of_what_went_otherwise():
    assert run_notes(SUMMARY) == []
    odd = summary(skipped_steps=3, steps=1000)
    odd["reading"]["groups"][0]["left_out"] = 12
    said = run_notes(odd)
    assert len(said) == 3
    assert "3 steps had a loss that is no finite number" in said[0]
    assert "before the 1\u202f200 steps" in said[1]
    assert said[2] == "yeast.cds: 12 records are too short to be read."


def test_tables_hold_the_figures():
    table = languages_table(SUMMARY)
    assert table.columns[1:5] == ("network", "unigram", "5-gram", "neighbours")
    assert table.rows == [
        ["yeast/dna", "20.00", "50.00", "25.00", "21.00", "20.0 %", "1\u202f281"],
        ["yeast/protein", "8.00", "–", "7.00", "–", "40.0 %", "9"],
    ]
    assert groups_table(SUMMARY).rows == [["yeast.cds", "500", "100\u202f000", "100.0 %", "3.0", "0"]]
    assert ["pretrain.a", "1, 2"] in settings_table(CONFIG).rows
    assert "pretrain.steps" not in [row[0] for row in settings_table(CONFIG).rows]


def test_the_page_is_whole_escaped_and_repeats(run: Path):
    write_run_page(run)
    html = (run / "index.html").read_text(encoding="utf-8")
    assert html == run_page(run)
    assert "yeast &lt;b&gt;" in html
    assert html.count("<img ") == 2
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert html.index("in 1 of 2 languages") < html.index("Perplexity of hidden tokens")


def test_figures_are_drawn_where_there_are_data(tmp_path: Path):
    assert run_drawings(write(tmp_path / "none", SUMMARY, []), SUMMARY) == []
    probed = write(tmp_path / "probed", SUMMARY, [*ROWS, *PROBES])
    assert [drawing.name for drawing in run_drawings(probed, SUMMARY)] == ["perplexity", "probes", "losses"]
    many = {f"s{n:02}/dna": SUMMARY["languages"]["yeast/dna"] for n in range(14)}
    rows = [{"kind": "validation", "step": 5, "loss": 1.0, "languages": many}]
    drawn = run_drawings(write(tmp_path / "many", SUMMARY, rows), summary(languages=many))[0]
    assert drawn.caption.endswith(" 2 more languages are in the table alone.")
    assert len(drawn.draw().axes) == 12
