"""One of two processes with shared blocks runs out of memory, at every place where it may."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.training.guarded_passes import PLACES


@pytest.fixture(scope="module")
def said() -> list[list[dict[str, Any]]]:
    """What each of two processes prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.unit.training.guarded_passes"]
    started = [
        subprocess.Popen([*command, str(rank), port], stdout=subprocess.PIPE, text=True) for rank in (0, 1)
    ]
    try:
        lines = [process.communicate(timeout=120)[0].splitlines() for process in started]
    finally:
        for process in started:
            process.kill()
    return [[json.loads(line) for line in own] for own in lines]


def test_a_failed_pass_keeps_up_with_the_other_process_wherever_it_fails(
    said: list[list[dict[str, Any]]],
) -> None:
    for own in said:
        assert [line["place"] for line in own] == list(PLACES)
    for first, second in zip(*said, strict=True):
        somewhere = first["place"] != "nowhere"
        assert first["failed"] is somewhere
        assert first["none"] == [somewhere] * 2
        assert (second["failed"], second["none"]) == (False, [False])


def test_the_next_attempt_has_the_gradients_of_one_process_alone(said: list[list[dict[str, Any]]]) -> None:
    for line in (*said[0], *said[1]):
        assert line["again"], line
        assert line["off"] < 1e-4, line
