from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomecli.corpus.contigs import ContigStream
from genomecli.corpus.policies import DroppedError
from genomecli.corpus.settings import PolicySettings
from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA


class Rows:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, str]] = []
        self.text = ""

    def write(self, symbols: Any, soft: Any) -> None:
        self.text += DNA.decode(symbols, soft)

    def close_row(self, start: int, stop: int) -> None:
        self.rows.append((start, stop, self.text))
        self.text = ""

    def cancel_row(self) -> None:
        self.text = ""


def read(text: str, cuts: list[int] = [], **said: Any) -> tuple[Rows, Any]:  # noqa: B006
    rows = Rows()
    policies = PolicySettings(**{"min_length": {"genome": 1}, **said})
    stream = ContigStream(rows, policies, "f, record 'c'")
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for a, b in itertools.pairwise(bounds):
        raw = np.frombuffer(text[a:b].encode(), dtype=np.uint8)
        stream.feed(DNA.encode(text[a:b]), ((raw & 32) >> 5).astype(np.uint8))
    return rows, stream.finish()


@given(
    st.text(alphabet="ACGTacgtNNNNNRn", min_size=1, max_size=80),
    st.lists(st.integers(0, 80), max_size=6),
    st.integers(0, 5),
    st.integers(1, 6),
)
def test_pieces_of_any_size_give_what_a_regular_expression_gives(
    text: str, cuts: list[int], gap: int, shortest: int
) -> None:
    pattern = f"[NRn]{{{gap},}}" if gap else "$^"
    edges = [m.span() for m in re.finditer(pattern, text)] if gap else []
    bounds = [0, *[at for span in edges for at in span], len(text)]
    expected = [
        (a, b, text[a:b]) for a, b in zip(bounds[::2], bounds[1::2], strict=True) if b - a >= shortest
    ]
    said = {"gap": gap, "min_length": {"genome": shortest}}
    if not expected:
        with pytest.raises(DroppedError):
            read(text, cuts, **said)
        return
    rows, counts = read(text, cuts, **said)
    assert rows.rows == expected
    assert counts.length == len(text)
    assert counts.kept == sum(len(row) for _, _, row in expected)
    assert counts.length == counts.kept + sum(counts.cut.values())
    hidden = sum(len(re.findall("[NRn]", text[a:b])) for a, b in zip(bounds[::2], bounds[1::2], strict=True))
    assert counts.changed.get("ambiguity letters hidden", 0) == hidden


def test_split_cuts_every_ambiguity_letter() -> None:
    rows, counts = read("ACGNTTRRAA", ambiguity="split")
    assert [row[2] for row in rows.rows] == ["ACG", "TT", "AA"]
    assert counts.cut == {"ambiguity letters": 3}
    assert counts.changed == {}


def test_skip_and_error_name_the_reason() -> None:
    with pytest.raises(DroppedError, match="ambiguity letters"):
        read("ACGNT", ambiguity="skip")
    with pytest.raises(InputError, match=r"1 ambiguity letter, the first 2 bases on") as caught:
        read("ACGGNT", cuts=[3], ambiguity="error")
    assert "record 'c', from base 4" in str(caught.value)


def test_what_is_empty_or_too_short_or_too_long_is_dropped_by_name() -> None:
    for text, said, reason in (
        ("", {}, "empty"),
        ("A", {"min_length": {"genome": 2}}, "too short"),
        ("AAAA", {"max_length": {"genome": 3}}, "too long"),
        ("NNNN", {"gap": 2}, "ambiguity letters only"),
    ):
        with pytest.raises(DroppedError, match=reason):
            read(text, **said)


def test_lower_case_can_be_ignored_or_hidden() -> None:
    assert read("ACgtA")[0].rows[0][2] == "ACgtA"
    assert read("ACgtA", lower_case="ignore")[0].rows[0][2] == "ACGTA"
    assert read("ACgtA", lower_case="hard")[0].rows[0][2] == "ACNNA"
