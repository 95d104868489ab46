"""The headers of a block, read together: most say nothing but an id and a description.

What a header can say beside them stands with ``|``, ``=`` or ``:``, so one that has none of these is only cut
at its first white space. n headers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import overload

from genomecli.sequences.headers import Header, decode_header, parse_header


class Headers(Sequence[Header]):
    """What :func:`~genomecli.sequences.headers.parse_header` reads, a header at a time or by column.

    Args:
        raws: the lines, without ``>``.
        first: ordinal of the first record in its file.
        key_pattern: as for ``parse_header``.

    Attributes:
        ids: n ids.
        descriptions: n descriptions.
        told: by index, the headers that say more; the others leave every other field at its default, but for
            their key, which is their id.
    """

    def __init__(self, raws: Sequence[bytes], first: int, key_pattern: re.Pattern[str] | None = None) -> None:
        self.told: dict[int, Header] = {}
        self.ids: list[str] = []
        self.descriptions: list[str] = []
        for i, text in enumerate(_decoded(raws)):
            if key_pattern or "=" in text or "|" in text or ":" in text or not text or text[0].isspace():
                header = parse_header(raws[i], first + i, key_pattern)
                self.told[i] = header
                self.ids.append(header.id)
                self.descriptions.append(header.description)
                continue
            words = text.split(None, 1)
            self.ids.append(words[0])
            self.descriptions.append(words[1].strip() if len(words) > 1 else "")

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Header: ...
    @overload
    def __getitem__(self, index: slice) -> list[Header]: ...
    def __getitem__(self, index: int | slice) -> Header | list[Header]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        told = self.told.get(index)
        record_id = self.ids[index]
        return told or Header(record_id, self.descriptions[index], key=record_id)

    def told_in(self, rows: range) -> list[tuple[int, Header]]:
        """Of some neighbours, those that say more, with their place among them."""
        if not self.told:
            return []
        return [(i - rows.start, self.told[i]) for i in rows if i in self.told]


def _decoded(raws: Sequence[bytes]) -> list[str]:
    try:
        texts = b"\n".join(raws).decode("utf-8").split("\n")  # one call; no header holds a line end
    except UnicodeDecodeError:
        texts = []
    return texts if len(texts) == len(raws) else [decode_header(raw) for raw in raws]
