"""The parts of a comparison: layer choice, synonyms, retrieval, sentences, intervals, codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomecli.analysis.between import difference_rows, run_rows, species_rows
from genomecli.analysis.controls import frequency_rows, spelling_rows
from genomecli.analysis.gene_lookup import retrieval_rows
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.headline import as_summary, choose_layer, make_headline
from genomecli.analysis.lookup import LEFT_OUT_ENDPOINT, SYNONYM_ENDPOINT, pick, select
from genomecli.analysis.permutations import block_permutations
from genomecli.analysis.places import GeneSums, Place, VectorPair, make_pair
from genomecli.analysis.plane import plane_map
from genomecli.analysis.procrustes import fit_alignment
from genomecli.analysis.resampling import gene_rows
from genomecli.analysis.story import alignment_sentence, answer, control_sentence
from genomecli.analysis.vectors import TextMeans
from genomecli.analysis.within import Within
from genomecli.sequences.codes import genetic_code
from tests.unit.analysis.pair_toys import QUICK, planted_pair, random_pair

# layers


def test_a_layer_is_never_chosen_by_its_own_score():
    scores = {"a": {0: 0.1, 1: 0.9, 2: 0.2}, "b": {0: 0.1, 1: 0.2, 2: 0.8}}
    assert choose_layer("auto", [0, 1, 2], "a", scores).layer == 2
    assert choose_layer("others", [0, 1, 2], "b", scores).layer == 1
    changed = {**scores, "a": {0: 1.0, 1: 0.0, 2: 0.0}}
    assert choose_layer("auto", [0, 1, 2], "a", changed).layer == 2


@pytest.mark.parametrize(("rule", "layer"), [("middle", 3), ("auto", 3), ("others", 3), (2, 2), (-1, 5)])
def test_with_one_species_the_layer_is_fixed_beforehand(rule, layer):
    chosen = choose_layer(rule, range(6), "a", {"a": {5: 1.0}})
    assert chosen.layer == layer
    assert str(layer) in chosen.how


# pairs


def test_make_pair_keeps_only_what_was_seen():
    codons, amino = np.ones((64, 4)), np.ones((20, 4))
    counts = np.full(64, 5)
    counts[:4] = 0
    amino_counts = np.full(20, 5)
    amino_counts[AMINO_LETTERS.index("W")] = 1
    pair = make_pair(Place("r", "s"), genetic_code(1), codons, amino, counts, amino_counts, min_count=2)
    assert pair is not None
    assert "W" not in pair.gold.letters
    assert "AAA" not in pair.gold.texts
    assert "TGG" not in pair.gold.texts
    assert set(range(4, 64)) == set(pair.seen.tolist())
    assert make_pair(Place("r", "s"), genetic_code(1), codons, amino, counts * 0, amino_counts) is None


def test_vectors_that_are_not_finite_are_left_out_and_widths_may_differ():
    codons, amino, ones = np.ones((64, 4)), np.ones((20, 3)), np.ones(64, dtype=np.int64)
    codons[5], amino[AMINO_LETTERS.index("W"), 1] = np.nan, np.inf
    pair = make_pair(Place("r", "s"), genetic_code(1), codons, amino, ones, ones[:20])
    assert pair is not None
    assert pair.widths == (4, 3)
    assert 5 not in pair.seen.tolist()
    assert len(pair.seen) == 63
    assert pair.gold.letters == AMINO_LETTERS.replace("W", "")
    amino[3:] = np.nan
    assert make_pair(Place("r", "s"), genetic_code(1), codons, amino, ones, ones[:20]) is not None
    amino[2] = np.nan
    assert make_pair(Place("r", "s"), genetic_code(1), codons, amino, ones, ones[:20]) is None


# within a species


def test_a_rotated_copy_is_found_by_the_rotation_and_missed_by_cosine():
    rows = Within(QUICK, 0).measure(planted_pair())
    left_out = pick(rows, **LEFT_OUT_ENDPOINT)
    assert left_out.value > 0.9
    assert left_out.p == pytest.approx(1 / 40)
    assert left_out.low <= left_out.value <= left_out.high
    assert left_out.null95 < 0.35
    assert pick(rows, direction="codon_to_amino", similarity="cosine", statistic="mrr").value < 0.35
    assert pick(rows, **SYNONYM_ENDPOINT).value > 0.9


def test_unrelated_vectors_are_rarely_called_aligned():
    within = Within(QUICK, 0)
    called = 0
    for seed in range(20):
        pair = random_pair(seed)
        dealt = block_permutations(pair.gold, 39, np.random.default_rng(seed))
        found = pick(within.held_out_rows(pair, dealt, full=False), **LEFT_OUT_ENDPOINT)
        assert found.value < 0.35
        called += found.p <= 0.05
    assert called <= 4  # 20 tests at 0.05: five or more with probability 0.003


def test_single_codons_left_out_come_with_their_own_null():
    rows = Within(QUICK, 0).measure(random_pair(1))
    single = pick(rows, **{**LEFT_OUT_ENDPOINT, "scope": "leave_one_codon_out"})
    assert (
        single.null95
        == pick(
            rows,
            direction="codon_to_amino",
            scope="leave_one_codon_out",
            statistic="permutation_null95",
        ).value
    )


def test_measures_depend_on_the_seed_alone():
    first, second = (Within(QUICK, 3).measure(planted_pair()) for _ in range(2))
    assert first == second
    assert first != Within(QUICK, 4).measure(planted_pair())


# controls


def test_frequency_alone_finds_what_frequency_tells():
    pair = planted_pair()
    rows = frequency_rows(pair)
    assert {row.vectors for row in rows} == {"frequency"}
    assert pick(rows, direction="codon_to_amino", similarity="frequency", statistic="mrr").value < 0.6


def test_spelling_explains_most_synonyms_but_not_those_between_blocks():
    pair = planted_pair()
    rows = spelling_rows(pair.place, pair.gold)
    assert pick(rows, scope="all", statistic="mrr_best").value > 0.95
    assert pick(rows, scope="between_blocks", similarity="first_two", statistic="mrr").value < 0.5


# genes


def _gene_sums(pair: VectorPair, groups: int = 8) -> GeneSums:
    rng = np.random.default_rng(0)
    codon_counts = rng.integers(1, 9, (groups, pair.gold.n))
    amino_counts = rng.integers(1, 9, (groups, 20))
    jitter = rng.normal(size=(groups, pair.gold.n, 24), scale=0.2)
    codons = (pair.codons[None] + jitter) * codon_counts[:, :, None]
    amino = pair.amino[None] * amino_counts[:, :, None]
    return GeneSums(codons.astype(np.float32), codon_counts, amino.astype(np.float32), amino_counts)


def test_interval_over_genes_holds_the_value():
    from dataclasses import replace

    pair = planted_pair()
    pair = replace(pair, genes=_gene_sums(pair))
    rows = gene_rows(pair, 20, 8, np.random.default_rng(0))
    assert [row.statistic for row in rows] == ["mrr_over_genes"] * 2
    for row in rows:
        assert row.low <= row.value + 0.05
        assert row.high >= row.value - 0.05
    assert gene_rows(planted_pair(), 20, 8, np.random.default_rng(0)) == []


def test_genes_find_their_proteins_through_a_rotation():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(60, 6))
    x, y = latent @ rng.normal(size=(6, 16)), latent @ rng.normal(size=(6, 16))
    keys = tuple(f"g{i}" for i in range(60))
    order = rng.permutation(60)
    genes = TextMeans((1,), keys, tuple(range(60)), x[None].astype(np.float32))
    shuffled = tuple(keys[i] for i in order)
    proteins = TextMeans((1,), shuffled, tuple(order.tolist()), y[order][None].astype(np.float32))
    rows = retrieval_rows(Place("r", "s", layer=1), genes, proteins, QUICK, 0)
    found = pick(rows, direction="gene_to_protein", similarity="procrustes", statistic="mrr")
    assert found.value > 0.4
    assert found.n == 60
    assert pick(rows, direction="gene_to_protein", similarity="centred", statistic="mrr").value < 0.3


def test_retrieval_leaves_out_keys_that_occur_twice_and_needs_twenty_families():
    vectors = np.zeros((1, 40, 4), dtype=np.float32)
    keys = ("same",) * 21 + tuple(f"g{i}" for i in range(19))
    texts = TextMeans((1,), keys, (-1,) * 40, vectors)
    assert retrieval_rows(Place("r", "s", layer=1), texts, texts, QUICK, 0) == []


# between


def test_equal_species_find_each_others_codons():
    a = planted_pair(place=Place("run", "a", layer=1))
    b = planted_pair(place=Place("run", "b", layer=1))
    rows = species_rows({"a": a, "b": b}, QUICK, 0, shared_space=True)
    same = pick(rows, species_a="a", species_b="b", direction="codon_to_same_codon", similarity="cosine")
    assert same.value == 1.0
    assert same.p < 0.05
    assert not select(rows, species_a="a", species_b="a")
    apart = species_rows({"a": a, "b": b}, QUICK, 0, shared_space=False)
    assert {row.similarity for row in apart} == {"procrustes"}


def test_protein_meets_protein_between_species_and_runs():
    a = planted_pair(place=Place("run", "a", layer=1))
    b = planted_pair(place=Place("run", "b", layer=1))
    rows = species_rows({"a": a, "b": b}, QUICK, 0, shared_space=True)
    rows += run_rows(a, replace(a, place=Place("other", "a", layer=1)), QUICK, 0, label="against run other")
    found = select(rows, direction="amino_to_amino", statistic="mrr")
    ways = {"cosine", "centred", "csls", "csls_centred", "procrustes"}
    assert {(r.species_a, r.species_b, r.similarity) for r in found} == {
        *((x, y, way) for x, y in (("a", "b"), ("b", "a")) for way in ways),
        ("a", "a", "procrustes"),
    }
    for row in found:
        assert (row.language_a, row.language_b) == ("protein", "protein")
        assert (row.value, row.n) == (1.0, 20)
        assert row.chance == pytest.approx(0.18, abs=0.001)
        assert row.low == row.high == 1.0
        assert row.null95 < 0.4
        assert row.p < 0.05
    assert pick(found, species_b="a", species_a="a").note == "against run other"


def test_run_against_itself_is_no_difference():
    pair = planted_pair()
    rows = run_rows(pair, pair, QUICK, 0, label="against itself")
    assert all(row.note == "against itself" for row in rows)
    assert all(row.value == 0 for row in select(rows, statistic="mrr_difference"))
    assert pick(rows, statistic="cka_debiased").value == pytest.approx(1.0)


def test_trained_against_untrained_is_a_difference():
    rows = difference_rows(planted_pair(), random_pair(), QUICK, 0, label="against the untrained network")
    left_out = pick(rows, direction="codon_to_amino")
    assert left_out.value > 0.5
    assert left_out.low > 0


def test_conditions_that_lack_different_rare_codons_are_compared_on_the_rest():
    pair = planted_pair()
    first, second = (
        replace(
            pair, gold=pair.gold.select(keep), codons=pair.codons[keep], codon_counts=pair.codon_counts[keep]
        )
        for keep in (np.arange(len(pair.codons)) > 3, np.arange(len(pair.codons)) < 57)
    )
    rows = difference_rows(first, second, QUICK, 0, label="against frame 1")
    assert {row.n for row in rows if row.direction == "codon_to_amino"} == {53}
    assert all(row.value == 0 for row in rows)


# words


def _headline(pair: VectorPair, fresh: VectorPair | None = None, twin: VectorPair | None = None):
    within = Within(QUICK, 0)
    rows = [row for p in (pair, fresh, twin) if p is not None for row in within.measure(p)]
    twins = {} if twin is None else {twin.place.frame: twin.place}
    return make_headline(rows, pair.place, "layer 1", 1, twins)


UNTRAINED = Place("run", "bug", "untrained", layer=1, tokens=0)
TWIN = Place("run1", "bug", frame=1, layer=1)


def test_sentences_claim_a_signal_only_with_all_controls():
    head = _headline(planted_pair(), random_pair(1, UNTRAINED), random_pair(2, TWIN))
    first, second, third = answer(head)
    assert first.startswith("Codons point to the amino acids they encode")
    assert second.startswith("Codons with the same meaning find each other")
    assert third.startswith("The signal was learned and belongs to reading frame 0")
    assert head.frame_bound() is True
    assert as_summary(head)["bound_to_frame"] is True


def test_without_a_network_of_another_frame_nothing_is_said_about_frames():
    head = _headline(planted_pair(), random_pair(1, UNTRAINED))
    assert "no network trained on another reading frame was compared" in control_sentence(head)
    assert head.frame_bound() is None


def test_a_control_that_reaches_it_takes_the_claim_away():
    head = _headline(planted_pair(), planted_pair(seed=5, place=UNTRAINED))
    assert control_sentence(head).startswith("The controls reach it too")


def test_nothing_is_claimed_from_noise():
    head = _headline(random_pair(1), random_pair(2, UNTRAINED))
    assert alignment_sentence(head).startswith("It is not shown")
    assert control_sentence(head).startswith("The controls agree with that")
    assert head.aligned is False


# map


@pytest.mark.parametrize("method", ["pca", "mds"])
def test_map_is_deterministic_and_brings_codons_to_their_amino_acids(method: str):
    pair = planted_pair(noise=0.05)
    places = plane_map(pair, 8, method)
    assert np.array_equal(places.codons, plane_map(pair, 8, method).codons)
    own = np.linalg.norm(places.codons - places.amino_acids[pair.gold.classes], axis=1).mean()
    other = np.linalg.norm(places.codons[:, None] - places.amino_acids[None], axis=2).mean()
    assert own < other / 3
    assert 0 < places.explained <= 1


def test_mds_is_classical_scaling_of_the_distances_between_unit_vectors():
    pair = planted_pair(noise=0.3)
    places = plane_map(pair, 8, "mds")
    fit = fit_alignment(pair.codons, pair.amino[pair.gold.classes], 8, y_types=pair.amino)
    points = np.concatenate([fit.map_x(pair.codons), fit.map_y(pair.amino)])
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    squares = np.maximum(2 - 2 * units @ units.T, 0.0)
    middle = np.eye(len(units)) - 1 / len(units)
    values, vectors = np.linalg.eigh(-0.5 * middle @ squares @ middle)
    slow = vectors[:, [-1, -2]] * np.sqrt(values[[-1, -2]])
    found = np.concatenate([places.codons, places.amino_acids])
    np.testing.assert_allclose(np.abs(found), np.abs(slow), atol=1e-9)
    assert places.explained == pytest.approx(values[-2:].sum() / values.sum())


# seeds


def test_replicates_get_an_interval_over_seeds():
    from pathlib import Path

    from genomecli.analysis.comparison import Comparison, RunCard
    from genomecli.analysis.seeds import seed_rows

    result = Comparison(QUICK, 0)
    for seed in range(3):
        place = Place(f"many.seed-{seed}", "bug", layer=1, seed=seed)
        folder = Path("x")
        result.cards.append(
            RunCard(
                *(place.run, folder, folder, folder, ("bug",), 0, "none", 1, 1, seed, 2, 8, 9, "shared"),
                group="many",
            )
        )
        result.headlines.append(_headline(planted_pair(noise=2.0, seed=seed, place=place)))
    rows = seed_rows(result)
    assert [(row.run, row.n, row.seed) for row in rows] == [("many", 3, None)] * 2
    values = [head.left_out.value for head in result.headlines]
    assert rows[0].value == pytest.approx(np.mean(values))
    assert rows[0].low < min(values)
    result.headlines = result.headlines[:1]
    assert seed_rows(result) == []
