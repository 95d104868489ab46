"""What of two texts of DNA lies on each other, letter by letter: the slow way of genomecli.tasks.aligned."""

from __future__ import annotations

from collections import Counter
from math import comb

from tests.unit.tasks.made import reverse_complement

KNOWN = set("ACGT")


def slow_laid(short: str, long: str, k: int, identity: float) -> tuple[int, int, int, int]:
    """Letters of the shorter that are aligned and equal, the longest stretch, the longest overlap."""
    threshold = (identity + 0.25) / 2
    aligned, equal = set(), set()
    stretch = overlap = 0
    for other in (long, reverse_complement(long)):
        for i in range(len(short) - k + 1):
            for j in range(len(other) - k + 1):
                if short[i : i + k] != other[j : j + k] or set(short[i : i + k]) - KNOWN:
                    continue
                begin = i - extension(short[:i][::-1], other[:j][::-1], threshold)
                end = i + k + extension(short[i + k :], other[j + k :], threshold)
                for x in range(begin, end):
                    one, beside = short[x], other[x + j - i]
                    if one in KNOWN and beside in KNOWN:
                        aligned.add(x)
                        equal |= {x} if one == beside else set()
                stretch = max(
                    stretch, k + run(short[:i][::-1], other[:j][::-1]) + run(short[i + k :], other[j + k :])
                )
                before = min(begin, begin + j - i)
                after = min(len(short) - end, len(other) - end - j + i)
                if max(before, after) <= 3:
                    overlap = max(overlap, end - begin)
    return len(aligned), len(equal), stretch, overlap


def extension(one: str, other: str, threshold: float) -> int:
    """How many letters raise the score most."""
    best = score = 0.0
    found = 0
    for n, (a, b) in enumerate(zip(one, other, strict=False)):
        if {a, b} <= KNOWN:
            score += (a == b) - threshold
        if score > best:
            best, found = score, n + 1
    return found


def run(one: str, other: str) -> int:
    for n, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b or a not in KNOWN:
            return n
    return min(len(one), len(other))


def slow_alike(first: str, second: str, k: int, identity: float, judged: int) -> bool:
    """Whether two proposed texts are similar, of ``judged`` pairs that were proposed."""
    short, long = sorted((first, second), key=lambda text: sum(text.count(c) for c in "ACGT"))
    letters = sum(short.count(c) for c in "ACGT")
    enough = min(letters / 2, 100)
    aligned, equal, stretch, overlap = slow_laid(short, long, k, identity)
    if (aligned < enough and overlap < 30) or equal < identity * aligned - 1e-9:
        return False
    if stretch >= (30 if overlap >= 30 else enough):
        return True
    both = [Counter((text + reverse_complement(text)).replace("N", "")) for text in (short, long)]
    match = sum(both[0][c] / both[0].total() * both[1][c] / both[1].total() for c in "ACGT")
    n, least = aligned - stretch, equal - stretch
    tail = sum(comb(n, m) * match**m * (1 - match) ** (n - m) for m in range(max(least, 0), n + 1))
    return tail <= min(0.1 / judged, 1e-4)
