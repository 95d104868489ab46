"""Every parser refuses what it cannot read with one clear line: a few hundred broken inputs each.

``scripts/fuzz.sh SECONDS`` runs the same for as long as one likes.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomecli.errors import GenomecliError
from tests.fuzzing.__main__ import main as fuzzing
from tests.fuzzing.harness import Parser, Tally, limited_memory, try_input
from tests.fuzzing.mutations import WORDS, mutate
from tests.fuzzing.parsers import PARSERS

SLOW = ("corpus shard", "corpus records", "corpus vocabulary", "gzip and zip")
quietly = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_without_atheris_a_guided_run_says_why_it_is_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    monkeypatch.setattr(sys, "argv", ["fuzzing", "1", "--guided"])
    assert fuzzing() == 0
    said = capsys.readouterr().out
    assert said.startswith("skipped: atheris is not installed")
    assert said.endswith("pip install 'genomecli[fuzz]'\n")


def by_name(parsers: tuple[Parser, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("parser", parsers, ids=[parser.name for parser in parsers])


@by_name(PARSERS)
def test_the_seeds_are_sound(parser: Parser, tmp_path: Path) -> None:
    refused = []
    for seed in parser.seeds:
        try:
            parser.read(seed, tmp_path)
        except GenomecliError as error:
            refused.append(str(error))
    if parser.name == "FASTQ, refused":
        assert all("FASTQ" in said for said in refused)
        assert len(refused) == len(parser.seeds)
    else:
        assert refused == []


@by_name(PARSERS)
def test_broken_inputs_are_refused_in_one_clear_line(parser: Parser, tmp_path: Path) -> None:
    random_, tally = random.Random(parser.name), Tally()
    with limited_memory():
        for _ in range(60 if parser.name in SLOW else 250):
            try_input(parser, mutate(random_, parser.seeds), tmp_path, tally)
    assert tally.faults == {}
    assert tally.counts["refused"] > 0
    assert tally.slowest < 5
    assert tally.growth < 256 << 10  # KiB


@by_name(tuple(parser for parser in PARSERS if parser.name not in SLOW))
def test_made_up_inputs_are_refused_in_one_clear_line(parser: Parser, tmp_path: Path) -> None:
    pieces = st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from([line for seed in parser.seeds for line in seed.splitlines(keepends=True)]),
        st.text(max_size=20).map(str.encode),
        st.binary(max_size=20),
    )
    tally = Tally()

    @quietly
    @given(st.lists(pieces, max_size=8).map(b"".join))
    def run(data: bytes) -> None:
        assert try_input(parser, data, tmp_path, tally) != "fault", tally.faults

    run()
