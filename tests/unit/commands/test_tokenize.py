"""What the summary of tokenize says in words."""

from __future__ import annotations

import pytest

from genomecli.commands.tokenize import translation_line


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"ok": 94}, "a: 94 of 94 given translations agree"),
        ({"no translation": 600}, "a: 600 coding features come without a translation to check"),
        (
            {"ok": 70, "ambiguous": 3, "pseudogene": 2, "no translation": 1},
            "a: 70 of 73 given translations agree; 3 ambiguous; 2 pseudogene; "
            "1 coding features come without a translation to check",
        ),
        ({}, "a: no coding features"),
    ],
)
def test_translations_are_counted_among_those_that_are_given(status: dict[str, int], text: str) -> None:
    assert translation_line("a", status) == text
