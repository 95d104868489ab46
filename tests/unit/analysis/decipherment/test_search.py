"""A planted cipher is found, the same with any frequencies; text without grammar gives no evidence."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.decipherment.evidence import Evidence, one_hot
from genomecli.analysis.decipherment.pairs import Text, count_pairs, deal
from genomecli.analysis.decipherment.search import Schedule, climb, scores, search
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.sequences.codes import genetic_code
from tests.unit.analysis.decipherment.made import grammar, proteins, spelled

SCHEDULE = Schedule(chains=8, sweeps=40)


def _evidence(genes: Text, residues: Text) -> Evidence:
    rng = np.random.default_rng(0)
    sides = ((genes, 64), (residues, 20))
    return Evidence(*(count_pairs(text, size, (2, 4), deal(text, rng)).total() for text, size in sides))


@pytest.fixture(scope="module")
def planted() -> tuple[Text, Text]:
    rules = grammar(1)
    return spelled(proteins(rules, 400, 200, 2), 12, 3), proteins(rules, 400, 200, 4)


def _right(labels: np.ndarray, evidence: Evidence, table: int) -> float:
    letters = genetic_code(table).amino
    return float(np.mean([AMINO_LETTERS[labels[c]] == letters[c] for c in evidence.seen.tolist()]))


def test_a_planted_code_is_found_from_unpaired_texts(planted: tuple[Text, Text]) -> None:
    evidence = _evidence(*planted)
    found = search(evidence, SCHEDULE, np.random.default_rng(1))
    assert _right(found.labels, evidence, 12) == 1.0
    assert found.value == pytest.approx(float(evidence.value(found.labels[None])[0]))
    assert (scores(evidence, found.labels)[evidence.seen] <= 0).all()


def test_shuffled_proteins_give_a_small_part_of_the_evidence(planted: tuple[Text, Text]) -> None:
    genes, residues = planted
    own = search(_evidence(genes, residues), SCHEDULE, np.random.default_rng(1))
    evidence = _evidence(genes, residues.shuffled(np.random.default_rng(7)))
    none = search(evidence, SCHEDULE, np.random.default_rng(1))
    assert none.value < 0.1 * own.value
    assert _right(none.labels, evidence, 12) < 0.3


def test_the_search_is_a_function_of_its_seed(planted: tuple[Text, Text]) -> None:
    evidence = _evidence(*planted)
    first, again = (search(evidence, Schedule(3, 5), np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.value == again.value


def test_a_climb_never_loses_and_ends_where_no_single_change_gains(planted: tuple[Text, Text]) -> None:
    evidence = _evidence(*planted)
    labels = np.full((2, 64), -1)
    labels[:, evidence.seen] = np.random.default_rng(3).integers(0, 20, (2, len(evidence.seen)))
    before = evidence.value(labels)
    climb(evidence, labels)
    assert (evidence.value(labels) >= before).all()
    hot = one_hot(labels)
    norms = evidence.norms(hot)
    for codon in evidence.seen.tolist():
        gain, _ = evidence.moves(labels, codon, hot, norms)
        assert (gain[:, :20].max(axis=1) <= gain[[0, 1], labels[:, codon]] + 1e-9).all()


def test_a_start_is_never_worse_than_itself(planted: tuple[Text, Text]) -> None:
    evidence = _evidence(*planted)
    letters = genetic_code(12).amino
    truth = np.array([AMINO_LETTERS.find(letter) for letter in letters])
    found = search(evidence, Schedule(1, 2), np.random.default_rng(0), start=truth)
    start = np.where(np.isin(np.arange(64), evidence.seen), truth, -1)
    assert found.value >= float(evidence.value(start[None])[0])
