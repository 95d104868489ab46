from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from genomecli.corpus.settings import TokenizeSettings
from genomecli.corpus.units import check_files, make_units, share
from genomecli.errors import UsageError


def settings(*sources: dict[str, Any], **more: Any) -> TokenizeSettings:
    return TokenizeSettings.model_validate({"species": [{"name": "a", "sources": list(sources)}], **more})


def test_fasta_files_are_units_and_an_annotation_stays_with_its_fasta(tmp_path: Path) -> None:
    for name in ("x.fa", "y.fa", "z.gff"):
        (tmp_path / name).write_text(name)
    x, y, z = (str(tmp_path / name) for name in ("x.fa", "y.fa", "z.gff"))
    units = make_units(
        settings({"kind": "cds", "path": [x, y]}, {"kind": "annotated", "path": x, "annotation": z})
    )
    assert [unit.source.path for unit in units] == [[x], [y], [x]]
    assert [unit.index for unit in units] == [0, 1, 2]
    assert [path.name for path in units[2].files()] == ["x.fa", "z.gff"]


def test_jobs_share_all_units_by_size(tmp_path: Path) -> None:
    paths = []
    for size in (5, 1, 1, 1, 2, 9):
        paths.append(str(tmp_path / f"{len(paths)}.fa"))
        Path(paths[-1]).write_bytes(b"x" * size)
    units = make_units(settings({"kind": "cds", "path": paths}))
    shares = [share(units, job, 3) for job in (1, 2, 3)]
    assert sorted(unit.index for mine in shares for unit in mine) == list(range(6))
    assert [unit.index for unit in shares[0]] == [5]
    assert share(units, 1, 1) == units
    assert any(not share(units, job, 9) for job in range(1, 10))
    for job in (0, 4):
        with pytest.raises(UsageError, match="not possible"):
            share(units, job, 3)


def test_a_part_is_known_by_files_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_text(">x\nACGT\n")
    source = {"kind": "cds", "path": str(path)}

    def key(**more: Any) -> str:
        return make_units(settings(source, **more))[0].key()

    before = key()
    assert key(split={"seed": 5}) == before
    assert key(policies={"duplicates": "drop"}) == before
    assert key(policies={"trailing": "keep"}) != before
    os.utime(path, ns=(1, 1))
    assert key() != before


def test_absent_files_are_all_named(tmp_path: Path) -> None:
    units = make_units(settings({"kind": "cds", "path": ["/no/x.fa", "/no/y.fa"]}))
    with pytest.raises(UsageError, match=r"/no/x.fa, /no/y.fa"):
        check_files(units)


def test_standard_input_is_one_source_and_never_shared() -> None:
    with pytest.raises(ValidationError, match="one source only"):
        settings({"kind": "cds", "path": "-"}, {"kind": "protein", "path": "-"})
    with pytest.raises(UsageError, match="standard input"):
        share(make_units(settings({"kind": "cds", "path": "-"})), 1, 2)


def test_settings_that_contradict_themselves() -> None:
    source = {"kind": "annotated", "path": "x.gbk"}
    for more, message in (
        ({"split": {"by": "column"}}, "no header column"),
        ({"split": {"valid": 0.6, "test": 0.5}}, "leave nothing"),
        ({"tokens": {"dna": "kmer", "k": 2, "stride": 3}}, "leaves out bases"),
        ({"workers": 0}, "at least one"),
        ({"shard_mib": 500}, "less than or equal to 128"),
    ):
        with pytest.raises(ValidationError, match=message):
            settings(source, **more)
    with pytest.raises(ValidationError, match="no such genetic code"):
        TokenizeSettings.model_validate({"species": [{"name": "a", "code": 7, "sources": [source]}]})
    with pytest.raises(ValidationError, match="names must differ"):
        TokenizeSettings.model_validate({"species": [{"name": n, "sources": [source]} for n in ("a", "A")]})
