"""Proteins taken a block at a time leave the part that proteins taken one by one leave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genomecli.corpus import reading
from genomecli.corpus.parts import PartRows
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.units import make_units
from genomecli.runtime import rng

HEADERS = (
    "{}",
    "{} some words",
    "sp|P{}|NAME_X Words OS=Somewhere GN=abc",
    "lcl|NC_1_prot_{} [gene=abc] [locus_tag=b{}] [protein_id=NP_{}.1] [location=complement(190..255)]",
    "{} [pseudo=true]",
    "{} [partial=5'] [frame=2]",
    "{} pep chromosome:X:1:10:20:-1 gene:g{} transcript:t{}",
)


def proteome(path: Path, count: int) -> Path:
    random = rng("proteome")
    letters = np.array(list("ACDEFGHIKLMNPQRSTVWY"))
    lines = []
    for number in range(count):
        text = "".join(random.choice(letters, int(random.integers(0, 60))))
        text = ("M" if random.random() < 0.5 else "") + text
        what = random.random()
        if what < 0.3:
            text += "*"
        elif what < 0.4:
            at = int(random.integers(0, len(text) + 1))
            text = text[:at] + random.choice(["X", "*", "U", "acd", "*A*", "**"]) + text[at:]
        header = HEADERS[int(random.integers(len(HEADERS)))].replace("{}", str(number))
        lines.append(f">{header} set={'train' if number % 3 else 'test'}\n{text}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "policies",
    [
        {},
        {"stop_codon": "keep"},
        {"ambiguity": "split", "lower_case": "hard", "internal_stop": "keep"},
        {"min_length": {"protein": 20}, "max_length": {"protein": 40}, "ambiguity": "skip"},
    ],
)
def test_parts_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policies: dict[str, object]
) -> None:
    path = proteome(tmp_path / "p.fa", 1_500)
    species = [{"name": "a", "sources": [{"kind": "protein", "path": str(path)}]}]
    settings = TokenizeSettings.model_validate(
        {"species": species, "policies": policies, "split": {"by": "column", "column": "set"}}
    )
    unit = make_units(settings)[0]
    fast = reading.read_unit(unit, tmp_path / "fast")
    plain, run = reading.plain_records, []
    monkeypatch.setattr(
        reading, "plain_records", lambda *given: run.append(int(plain(*given).sum())) or plain(*given) & False
    )
    slow = reading.read_unit(unit, tmp_path / "slow")
    assert sum(run) > 300
    for name in ("protein.symbols", "dropped.tsv", "report.json", "protein.soft"):
        assert (fast / name).exists() == (slow / name).exists()
        if (fast / name).exists():
            assert (fast / name).read_bytes() == (slow / name).read_bytes(), name
    left, right = PartRows(fast, "protein"), PartRows(slow, "protein")
    for name, column in left.columns.items():
        assert column.tolist() == right.columns[name].tolist(), name
    tally = json.loads((fast / "report.json").read_text())["tallies"]["protein"]
    assert tally["read"]["records"] == 1_500
