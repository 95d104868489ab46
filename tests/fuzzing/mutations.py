"""From valid inputs to broken ones: bytes flipped, deleted, repeated, spliced; numbers and lines made odd."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

LONGEST = 1 << 16
"""Bytes that an input may grow to."""

WORDS = (
    *(
        b"\0",
        b"\r",
        b"\r\n",
        b"\n",
        b"\n\n",
        b"\t",
        b" ",
        b";",
        b",",
        b":",
        b"=",
        b">",
        b"@",
        b"+",
        b"-",
        b"|",
    ),
    *(b"#", b'"', b"'", b"\\", b"/", b"..", b"../../x", b"%00", b"%ff", b"&", b"<script>", b"$(id)", b"`id`"),
    *(
        b"\x1b[2J",
        b"\x7f",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xff",
        b"\xc3\x28",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
    ),
    *("½²٣".encode(), "\U0001d7d9".encode(), b"nan", b"inf", b"-inf", b"1e999", b"null", b"true", b"NO"),
    *(
        b"&a [*a]",
        b"!!python/object:os.system",
        b"{",
        b"}",
        b"[",
        b"]",
        b"//",
        b"CONTIG",
        b"join(",
        b"order(",
    ),
)
"""Pieces that parsers stumble over."""

NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2147483648",
    b"9223372036854775808",
    b"1" + b"0" * 40,
    b"9" * 5000,
    b"1.5",
    b"1e5",
)
_NUMBER = re.compile(rb"\d+")


def mutate(random_: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of ``seeds``, changed one to six times."""
    data = random_.choice(seeds)
    for _ in range(random_.choice((1, 1, 1, 2, 3, 6))):
        data = random_.choice(_CHANGES)(random_, data, seeds)[:LONGEST]
    return data


def _span(random_: random.Random, data: bytes) -> tuple[int, int]:
    """A stretch, mostly a short one."""
    start = random_.randint(0, len(data))
    longest = random_.choice((1, 4, 16, 200, LONGEST))
    return start, random_.randint(start, min(len(data), start + longest))


def _flip(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(random_.choice((1, 1, 4))):
        changed[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return bytes(changed)


def _set(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = random_.randint(0, len(data))
    return data[:at] + bytes([random_.randrange(256)]) + data[at + 1 :]


def _delete(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, stop = _span(random_, data)
    return data[:start] + data[stop:]


def _repeat(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    start, stop = _span(random_, data)
    return data[:stop] + data[start:stop] * random_.choice((1, 2, 50)) + data[stop:]


def _splice(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random_.choice(seeds)
    (start, stop), (begin, end) = _span(random_, data), _span(random_, other)
    return data[:start] + other[begin:end] + data[stop:]


def _cut(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: random_.randint(0, len(data))]


def _word(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    at = random_.randint(0, len(data))
    return data[:at] + random_.choice(WORDS) + data[at:]


def _number(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    chosen = random_.choice(found)
    return data[: chosen.start()] + random_.choice(NUMBERS) + data[chosen.end() :]


def _lines(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    one, other = random_.randrange(len(lines)), random_.randrange(len(lines))
    change = random_.randrange(3)
    if change == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif change == 1:
        lines.insert(other, lines[one])
    else:
        del lines[one]
    return b"\n".join(lines)


def _field(random_: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """A cell, or what stands between two signs, replaced by an odd word or nothing."""
    parts = re.split(rb"([\t\n,;:= ]+)", data)
    parts[random_.randrange(len(parts))] = random_.choice((b"", *WORDS, *NUMBERS))
    return b"".join(parts)


_CHANGES: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_flip, _set, _delete, _repeat, _splice, _cut),
    *(_word, _number, _lines, _field),
)
