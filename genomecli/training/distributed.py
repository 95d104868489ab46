"""Which of how many processes this one is. One process today; every place that will differ asks here."""

from __future__ import annotations


def rank() -> int:
    """Number of this process, from 0."""
    return 0


def world_size() -> int:
    """Number of processes that train together."""
    return 1


def is_main() -> bool:
    """Whether this process writes files and logs."""
    return rank() == 0
