from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.gold import CodonGold
from genomecli.analysis.synonyms import (
    box_permutations,
    codon_similarity,
    synonym_ranks,
)
from genomecli.analysis.synonymy import synonym_null
from genomecli.sequences.codes import CODONS, all_codes, genetic_code

STANDARD = CodonGold.of(genetic_code(1))


def slow_synonym_null(similarity, gold, permutations, *, between_blocks=False):
    """One permutation after the other, each with its own dictionary."""
    table = np.asarray(similarity, dtype=np.float64)
    class_of = np.full(64, -1, dtype=np.int64)
    class_of[gold.codons] = gold.classes
    scores = np.empty(len(permutations))
    for draw, moved in enumerate(permutations):
        classes = class_of[moved[gold.codons]]
        # A codon dealt the place of one without a vector has no meaning in this draw, and no synonym.
        lost = classes < 0
        classes = np.where(lost, len(gold.letters) + np.arange(gold.n), classes)
        dealt = CodonGold(gold.codons, classes, gold.letters)
        scores[draw] = synonym_ranks(table, dealt, between_blocks=between_blocks).mrr
    return scores


def test_clusters_find_each_other_and_single_codons_ask_nothing(planted):
    x = planted.clustered(np.random.default_rng(0))
    found = synonym_ranks(codon_similarity(x), STANDARD)
    assert found.mrr == 1.0
    assert found.n == 59
    asked = {text for text, valid in zip(STANDARD.texts, found.valid, strict=True) if not valid}
    assert asked == {"ATG", "TGG"}


def test_between_blocks_are_leu_arg_ser_under_the_standard_code():
    asked = STANDARD.synonyms(between_blocks=True).any(axis=1)
    assert {letter for letter, keep in zip(STANDARD.amino, asked, strict=True) if keep} == set("LRS")
    assert asked.sum() == 18


def test_between_blocks_follow_the_code():
    for code in all_codes():
        gold = CodonGold.of(code)
        pairs = gold.synonyms(between_blocks=True)
        for i, j in zip(*np.nonzero(pairs), strict=True):
            assert gold.amino[i] == gold.amino[j]
            assert gold.texts[i][:2] != gold.texts[j][:2]
    candida = CodonGold.of(genetic_code(12))
    assert candida.synonyms(between_blocks=True).any(axis=1)[candida.texts.index("CTG")]
    mitochondrion = CodonGold.of(genetic_code(2))
    assert not mitochondrion.synonyms(between_blocks=True).any(axis=1)[mitochondrion.texts.index("CGA")]


def test_synonyms_of_the_own_block_are_out_of_the_ranking_between_blocks():
    nearness = np.zeros((61, 61))
    texts = STANDARD.texts
    row = texts.index("CTA")
    for rank, text in enumerate(["CTC", "CTG", "CTT", "GAA", "TTG"]):
        nearness[row, texts.index(text)] = 10 - rank
    assert synonym_ranks(nearness, STANDARD).ranks[row] == 1
    assert synonym_ranks(nearness, STANDARD, between_blocks=True).ranks[row] == 2  # GAA alone is above TTG


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("code", [1, 2, 12])
def test_the_null_of_all_permutations_at_once_equals_the_slow_one(code: int, between: bool):
    rng = np.random.default_rng(code)
    gold = CodonGold.of(genetic_code(code))
    gold = gold.select(rng.random(gold.n) > 0.1)
    table = np.round(codon_similarity(rng.normal(size=(gold.n, 6))), 1)  # many ties
    moved = box_permutations(130, rng)
    slow = slow_synonym_null(table, gold, moved, between_blocks=between)
    assert synonym_null(table, gold, moved, between_blocks=between) == pytest.approx(slow, nan_ok=True)


def test_shared_bases_explain_synonyms_within_boxes_and_the_null_knows():
    rng = np.random.default_rng(1)
    boxes = rng.normal(size=(16, 30))
    x = boxes[STANDARD.codons // 4] + 0.3 * rng.normal(size=(61, 30))  # spelling, no meaning
    permutations = box_permutations(100, rng)
    table = codon_similarity(x)
    observed = synonym_ranks(table, STANDARD).mrr
    null = synonym_null(table, STANDARD, permutations)
    assert observed > 0.6
    assert np.nanquantile(null, 0.05) < observed < np.nanquantile(null, 0.99)
    between = synonym_ranks(table, STANDARD, between_blocks=True).mrr
    assert between < np.nanquantile(synonym_null(table, STANDARD, permutations, between_blocks=True), 0.99)


def test_meaning_between_boxes_is_beyond_the_null(planted):
    rng = np.random.default_rng(2)
    table = codon_similarity(planted.clustered(rng))
    null = synonym_null(table, STANDARD, box_permutations(100, rng), between_blocks=True)
    assert synonym_ranks(table, STANDARD, between_blocks=True).mrr == 1.0
    assert np.nanmax(null) < 0.9


def test_permuted_boxes_keep_third_bases():
    moved = box_permutations(3, np.random.default_rng(3))
    assert (np.sort(moved, axis=1) == np.arange(64)).all()
    assert all(CODONS[a][2] == CODONS[b][2] for row in moved for a, b in enumerate(row))


@pytest.mark.parametrize("name", ["cosine", "centred", "csls", "csls_centred"])
def test_collapsed_codons_never_score_one(name):
    found = synonym_ranks(codon_similarity(np.ones((61, 5)), name), STANDARD)
    assert found.mrr < 0.05


def test_an_unknown_similarity_is_refused():
    with pytest.raises(ValueError, match="not one of"):
        codon_similarity(np.ones((61, 5)), "near")


def test_stops_are_synonyms_of_each_other_only_when_asked(planted):
    stops = CodonGold.of(genetic_code(1), stops=True)
    x = planted.clustered(np.random.default_rng(6), stops)
    assert synonym_ranks(codon_similarity(x), stops).n == 59 + 3
    assert synonym_ranks(codon_similarity(x[stops.classes < 20]), STANDARD).n == 59
