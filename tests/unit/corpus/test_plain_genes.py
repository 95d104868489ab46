"""Genes of a contig taken together leave the part that genes taken one by one leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus import plain_genes, reading
from genomecli.corpus.parts import PartRows
from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.units import make_units
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.sequences.made_files import genbank

FILES = (
    *("cds.symbols", "protein.symbols", "genome.symbols", "cds.soft", "protein.soft"),
    *("dropped.tsv", "checks.tsv", "report.json"),
)


def gene(random: np.random.Generator, table: int) -> str:
    """A coding sequence, odd now and then."""
    code = genetic_code(table)
    sense = [CODONS[i] for i in code.sense if i not in code.dual]
    start = str(random.choice([CODONS[i] for i in sorted(code.starts)]))
    body = "".join(random.choice(sense, int(random.integers(0, 30))))
    stop = str(random.choice([CODONS[i] for i in code.stops]))
    odd = random.random()
    if odd < 0.05:
        body += stop + "AAA"
    elif odd < 0.1:
        body += "NNN" if random.random() < 0.5 else "ARY"
    elif odd < 0.15:
        stop = "GCC"
    elif odd < 0.2:
        start = "CCC"
    elif odd < 0.25:
        stop += "A"
    return start + body + stop


def annotated(path: Path, table: int, genes: int, seed: int) -> Path:
    """Two contigs of genes on both strands, some of them called partial, pseudo or recoded."""
    random = np.random.default_rng(seed)
    records = []
    for contig in range(2):
        text, lines = "", []
        for number in range(genes):
            mine = gene(random, table)
            back = random.random() < 0.5
            text += "".join(random.choice(list("ACGT"), int(random.integers(0, 9))))
            open_end = "<" if random.random() < 0.05 else ""
            place = f"{open_end}{len(text) + 1}..{len(text) + len(mine)}"
            text += mine.translate(str.maketrans("ACGTRY", "TGCAYR"))[::-1] if back else mine
            lines += [f"complement({place})" if back else place, f'/locus_tag="c{contig}g{number}"']
            stated = table if random.random() < 0.95 else 1
            lines += [f"/transl_table={stated}"]
            if random.random() < 0.5:
                given = "".join(random.choice(list("MKLVXU*"[: 4 if random.random() < 0.8 else 7]), 9))
                lines.append(f'/translation="{given}"')
            odd = random.random()
            if odd < 0.05:
                lines.append("/pseudo")
            elif odd < 0.1:
                lines.append(f"/transl_except=(pos:{len(text) - 5}..{len(text) - 3},aa:Sec)")
            elif odd < 0.15:
                lines.append("/codon_start=2")
        records.append(genbank(text or "ACGT", "\n".join(lines), name=f"C{contig}"))
    path.write_text("".join(records), encoding="utf-8")
    return path


def one_by_one(_: Any, genes: Any, __: Any, molecule: Any, *records: Any) -> None:
    for said, symbols, soft in zip(*records, strict=True):
        genes.add(molecule, said, symbols, soft)


@pytest.mark.parametrize(
    "policies",
    [
        {},
        {"stop_codon": "keep"},
        {"ambiguity": "split", "internal_stop": "keep", "trailing": "keep"},
        {"min_length": {"protein": 8, "cds": 20}, "max_length": {"protein": 10, "cds": 60}},
    ],
)
@pytest.mark.parametrize("table", [11, 4, 27])  # the last has codons that are both sense and stop
def test_parts_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policies: dict[str, object], table: int
) -> None:
    path = annotated(tmp_path / "a.gbk", table, 250, seed=table)
    source = {"kind": "annotated", "path": str(path), "pseudogenes": "keep"}
    settings = TokenizeSettings.model_validate(
        {"species": [{"name": "a", "sources": [source]}], "policies": policies}
    )
    unit = make_units(settings)[0]
    written: list[int] = []
    write = plain_genes._Texts.write
    monkeypatch.setattr(
        plain_genes._Texts,
        "write",
        lambda texts, part, rows: written.append(rows.stop - rows.start) or write(texts, part, rows),
    )
    fast = reading.read_unit(unit, tmp_path / "fast")
    monkeypatch.setattr(reading, "add_genes", one_by_one)
    slow = reading.read_unit(unit, tmp_path / "slow")
    assert sum(written) > 100
    for name in FILES:
        assert (fast / name).exists() == (slow / name).exists(), name
        if (fast / name).exists():
            assert (fast / name).read_bytes() == (slow / name).read_bytes(), name
    for molecule in ("genome", "cds", "protein"):
        left, right = PartRows(fast, molecule), PartRows(slow, molecule)
        for name, column in left.columns.items():
            assert column.tolist() == right.columns[name].tolist(), (molecule, name)
    tallies = json.loads((fast / "report.json").read_text())["tallies"]
    assert tallies["cds"]["read"]["records"] > sum(written) // 2


def test_a_contig_without_genes_leaves_no_file_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.gbk"
    path.write_text(genbank("ACGTTGCAAC" * 30, ""), encoding="utf-8")
    settings = TokenizeSettings.model_validate(
        {"species": [{"name": "a", "sources": [{"kind": "annotated", "path": str(path)}]}]}
    )
    folder = reading.read_unit(make_units(settings)[0], tmp_path / "parts")
    assert sorted(file.name for file in folder.iterdir()) == [
        "genome.parquet",
        "genome.symbols",
        "report.json",
    ]
