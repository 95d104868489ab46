"""Lists of mutations in every shape, and wild types found by undoing them."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.exchange.mutation_lists import (
    MutationColumns,
    MutationRow,
    inferred_wild_types,
    read_mutations,
)
from genomecli.sequences.openers import open_input


def read(text: str | bytes, folder: Path, **columns: str) -> list[MutationRow]:
    path = folder / "list"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with open_input(path) as stream:
        return read_mutations(stream, MutationColumns(**columns))


@pytest.mark.parametrize(
    "text",
    [
        "H24Y\nA23T:G45D\n",
        "mutant\nH24Y\nA23T:G45D\n",
        "# two of them\nH24Y\n\nA23T:G45D",
        "mutant\tx\nH24Y\t1\nA23T:G45D\t2\n",
        'x,mutant\r\n"a,b",H24Y\r\n2,"A23T:G45D"\r\n',
        gzip.compress(b"mutant\tx\nH24Y\t1\nA23T:G45D\t2\n", mtime=0),
        "\ufeffmutant,x\nH24Y,1\nA23T:G45D,2\n",
    ],
)
def test_lists_are_read_whatever_parts_them(text: str | bytes, tmp_path: Path) -> None:
    rows = read(text, tmp_path)
    assert [(row.number, row.text) for row in rows] == [(1, "H24Y"), (2, "A23T:G45D")]
    assert [len(row.mutations) for row in rows] == [1, 2]
    assert rows[0].measured is None


def test_measured_values_and_names(tmp_path: Path) -> None:
    text = "mutant,protein,score\nH24Y,a,-1.5\nWT,b,NA\nH24P,a,\n"
    rows = read(text, tmp_path, wild_type="protein", measured="score")
    assert [row.wild_type for row in rows] == ["a", "b", "a"]
    assert rows[0].measured == -1.5
    assert all(math.isnan(row.measured or 0) for row in rows[1:])


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("mutant,x\nH24Y,1\n", {"measured": "score"}, "no column 'score'.*it has mutant, x"),
        ("mutation,x\nH24Y,1\n", {}, "no column 'mutant'"),
        ("H24Y\n", {"measured": "score"}, "no header"),
        ("mutant,x\nH24Y,1\nH24,1\n", {}, "row 2; 'H24' is no mutation"),
        ("mutant,x\nH24Y\n", {}, "row 1; has 1 cells, and the header 2"),
        ("mutant,x\nH24Y,high\n", {"measured": "x"}, "row 1; its measured value 'high' is no number"),
        ("H24Y\n24\n", {}, "row 2; '24' is no mutation"),
    ],
)
def test_a_defect_is_named(text: str, columns: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read(text, tmp_path, **columns)


def test_the_wild_type_is_found_by_undoing(tmp_path: Path) -> None:
    text = "mutant,s\nM1V,VKR\nK2W:R3A,MWA\nWT,MKR\n"
    assert inferred_wild_types(read(text, tmp_path, mutated="s"), "list") == {"": "MKR"}
    two = "mutant,p,s\nM1V,a,VKR\nC1W,b,WW\n"
    found = inferred_wild_types(read(two, tmp_path, mutated="s", wild_type="p"), "list")
    assert found == {"a": "MKR", "b": "CW"}


def test_rows_that_disagree_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2 \(K2W\); its sequence without its mutations"):
        inferred_wild_types(read("mutant,s\nM1V,VKR\nK2W,MWA\n", tmp_path, mutated="s"), "list")
    with pytest.raises(InputError, match=r"row 1 \(M1V\); its sequence has M at 1"):
        inferred_wild_types(read("mutant,s\nM1V,MKR\n", tmp_path, mutated="s"), "list")
