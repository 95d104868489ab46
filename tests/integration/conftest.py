"""Models that have learned a planted grammar, trained once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.made import make_runs
from tests.faults.runs import Run
from tests.integration.planted import (
    make_run,
    other_strand,
    planted_gene,
    planted_genome,
    planted_protein,
)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMECLI_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def text(number: int) -> str:
        forward = planted_genome(40, number % 9)
        return forward if number % 2 else other_strand(forward)

    return make_run(tmp_path_factory.mktemp("runs") / "bases", text, steps=110)


@pytest.fixture(scope="session")
def codons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "codons"
    options = {"molecule": "cds", "dna": "codon", "k": 3, "stride": 3}
    return make_run(folder, lambda number: planted_gene(40, number % 10), steps=90, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def residues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "residues"
    return make_run(folder, lambda number: planted_protein(40, number % 9), molecule="protein", steps=90)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Run]]:
    """Small runs of the commands, by name, and the folder in whose ``in`` their inputs are."""
    folder = tmp_path_factory.mktemp("small")
    return folder, {run.name: run for run in make_runs(folder / "in", short=True)}
