"""What GC3 and usage explain, and what is left without them: against slow loops and scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LinearRegression

from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.places import VectorPair
from genomecli.analysis.removal import (
    explained,
    gc3,
    left_out_without,
    pair_properties,
    properties,
    removal_rows,
    without,
)
from genomecli.analysis.settings import CompareSettings
from genomecli.sequences.codes import CODONS
from tests.unit.analysis.pair_toys import QUICK, planted_pair, random_pair


def asked(*names: str) -> CompareSettings:
    return QUICK.model_copy(update={"remove": names})


def hidden_by_gc3(pair: VectorPair, size: float) -> VectorPair:
    """The same vectors with one direction that says nothing but GC3."""
    direction = np.random.default_rng(5).normal(size=pair.codons.shape[1])
    return replace(pair, codons=pair.codons + size * np.outer(gc3(pair.gold.codons), direction))


def test_gc3_is_read_off_the_third_base() -> None:
    assert gc3(np.arange(64)).tolist() == [float(text[2] in "GC") for text in CODONS]


@pytest.mark.parametrize("part", [slice(None), slice(0, 40)])
def test_what_is_taken_off_is_what_linear_regression_predicts(part: slice) -> None:
    pair = random_pair()
    fitted = np.zeros(pair.gold.n, dtype=np.bool_)
    fitted[part] = True
    z = properties(pair.gold, pair.codon_counts, ("gc3", "frequency"))
    model = LinearRegression().fit(z[fitted], pair.codons[fitted])
    slow = pair.codons - model.predict(z) + model.predict(z[fitted].mean(axis=0)[None])
    assert without(pair.codons, z, fitted) == pytest.approx(slow, abs=1e-10)


def test_residuals_hold_nothing_of_the_property_and_keep_their_mean() -> None:
    pair = random_pair()
    z = properties(pair.gold, pair.codon_counts, ("gc3",))
    left = without(pair.codons, z)
    assert np.abs((z - z.mean()).T @ left).max() < 1e-10
    assert left.mean(axis=0) == pytest.approx(pair.codons.mean(axis=0))
    assert without(left, np.ones((pair.gold.n, 1))) == pytest.approx(left)  # does not vary: nothing goes


def test_left_out_codons_take_no_part_in_the_regression() -> None:
    pair = planted_pair(noise=1.0)
    z = properties(pair.gold, pair.codon_counts, ("gc3", "frequency"))
    found = left_out_without(pair, z, 12)
    for codon, (letter, rank) in enumerate(zip(pair.gold.classes, found.ranks, strict=True)):
        train = pair.gold.classes != letter
        model = LinearRegression().fit(z[train], pair.codons[train])
        left = pair.codons - model.predict(z) + pair.codons[train].mean(axis=0)
        slow = leave_one_amino_acid_out(left, pair.amino, pair.gold, 12).forward.ranks
        assert rank == slow[codon]


def test_explained_is_the_squared_correlation_over_pairs() -> None:
    pair = random_pair()
    table = pair.codons @ pair.codons.T
    shared = pair_properties(pair.gold, pair.codon_counts)
    pairs = [(i, j) for i in range(pair.gold.n) for j in range(i)]
    for name in shared:
        x, y = ([values[i, j] for i, j in pairs] for values in (table, shared[name]))
        assert explained(table, shared[name]) == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    one, other = pair.gold.texts.index("AAA"), pair.gold.texts.index("AAG")
    kept = {name: bool(values[one, other]) for name, values in shared.items() if name != "frequency"}
    assert kept == {"gc3": False, "third_base": False, "first_two_bases": True, "meaning": True}
    assert explained(table, np.ones_like(table)) == 0.0


def test_a_planted_gc3_direction_hides_the_code_and_goes() -> None:
    plain = planted_pair(noise=0.2)
    pair = hidden_by_gc3(plain, 40.0)
    rows = removal_rows(pair, asked("gc3"), np.random.default_rng(0))
    share = {row.scope: row for row in rows if row.statistic == "explained"}
    gc3_share, meaning = share["gc3"].value, share["meaning"].value
    assert gc3_share is not None
    assert meaning is not None
    assert gc3_share > 0.9 > meaning
    p = share["gc3"].p
    assert p is not None
    assert p < 0.05
    mrr = {(row.direction, row.scope): row.value or 0.0 for row in rows if row.statistic == "mrr"}
    assert set(mrr) == {
        ("codon_to_synonym", "without_gc3"),
        ("codon_to_synonym", "between_blocks_without_gc3"),
        ("codon_to_amino", "without_gc3"),
    }
    assert mrr["codon_to_synonym", "without_gc3"] > 0.95
    assert mrr["codon_to_amino", "without_gc3"] > 0.9


def test_random_vectors_stay_at_chance_with_everything_taken_off() -> None:
    found = [
        row.value
        for seed in range(6)
        for row in removal_rows(random_pair(seed), asked("gc3", "frequency"), np.random.default_rng(seed))
        if (row.direction, row.statistic) == ("codon_to_amino", "mrr")
    ]
    assert len(found) == 18  # each alone, and both together
    assert 0.12 < np.mean(found) < 0.22  # type: ignore[arg-type]


def test_nothing_is_made_where_nothing_is_asked_for_and_names_come_once() -> None:
    assert removal_rows(random_pair(), QUICK, np.random.default_rng(0)) == []
    with pytest.raises(ValidationError, match="named twice"):
        CompareSettings(remove=("gc3", "gc3"))
