"""Ranking the genetic codes: planted codes are named, spelling and noise are not taken for a code."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.choice_model import fit_choice, fit_gate
from genomecli.analysis.class_similarity import class_similarity, codon_class_similarity
from genomecli.analysis.code_tables import Readings
from genomecli.analysis.codes_ranking import rank_codes
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.surprises import surprises
from genomecli.errors import InputError
from genomecli.sequences.codes import CODONS, all_codes, genetic_code

STANDARD = CodonGold.of(genetic_code(1))


def spelled(rng, codons, width):
    """Vectors that know the three bases and nothing else."""
    parts = [rng.normal(size=(4, width)) for _ in range(3)]
    return parts[0][codons // 16] + parts[1][codons // 4 % 4] + parts[2][codons % 4]


def species(rng, table, *, noise=0.3, spelling=0.25, width=64):
    """Codons as a rotated, spelled, noisy copy of amino acids under a code; (codons, gold, amino acids)."""
    gold = CodonGold.of(genetic_code(table))
    amino = rng.normal(size=(20, 8)) @ rng.normal(size=(8, width)) / np.sqrt(8)
    rotation, _ = np.linalg.qr(rng.normal(size=(width, width)))
    codons = amino[gold.classes] @ rotation + spelling * spelled(rng, gold.codons, width)
    return codons + noise * rng.normal(size=codons.shape), gold, amino


@pytest.mark.parametrize("table", [1, 2, 3, 12, 26])
def test_a_planted_code_is_named_from_dna_alone(table):
    rng = np.random.default_rng(table)
    codons, gold, _ = species(rng, table)
    found = rank_codes(codons, gold.codons, rng=rng)
    assert table in found.classes[0].codes.tables
    assert found.decided
    assert str(table) in found.verdict.split(", ")
    assert found.margin.low > 0
    assert found.p < 0.05


@pytest.mark.parametrize("amino", [False, True])
def test_ctg_serine_puts_table_12_above_table_1_and_says_why(amino):
    rng = np.random.default_rng(0)
    codons, gold, amino_vectors = species(rng, 12)
    found = rank_codes(codons, gold.codons, rng=rng, amino_acids=amino_vectors if amino else None, draws=60)
    assert found.basis == ("amino_acids" if amino else "dna")
    assert found.verdict == "12"
    assert found.position(12) < found.position(1)
    ctg = next(entry for entry in found.evidence if entry.codon == "CTG")
    assert ctg.best == "S"
    assert ctg.scores["S"] > 0 > ctg.scores["L"]
    assert ctg.tables["S"] == (12,)
    assert 1 in ctg.tables["L"]


@pytest.mark.parametrize("amino", [False, True])
def test_the_answer_follows_a_translation_that_is_wrong_on_purpose(amino):
    """The same noise and spelling with CTG moved to leucine must give the standard code back."""
    for table, other in ((12, 1), (1, 12)):
        rng = np.random.default_rng(5)
        codons, gold, vectors = species(rng, table)
        found = rank_codes(codons, gold.codons, rng=rng, amino_acids=vectors if amino else None, draws=60)
        assert found.position(table) < found.position(other)
        assert found.verdict == "undecided" or str(table) in found.verdict.split(", ")


def test_uga_tryptophan_is_code_4_and_its_twins_are_shown_as_ties():
    rng = np.random.default_rng(1)
    codons, gold, _ = species(rng, 4)
    found = rank_codes(codons, gold.codons, rng=rng)
    assert found.classes[0].codes.tables == (4, 27, 28, 31)  # alike where TAA and TAG have no vector
    assert found.position(4) < found.position(1)
    assert {entry.codon: entry.best for entry in found.evidence}["TGA"] == "W"


def test_tables_that_differ_only_at_absent_stops_are_one_class():
    codes = [genetic_code(table) for table in (1, 4, 11, 12)]
    classes = Readings.of(STANDARD.codons, codes).classes()
    assert [found.tables for found in classes] == [(1, 4, 11), (12,)]


def test_anchors_are_undisputed_by_any_code():
    readings = Readings.of(np.arange(64), all_codes())
    for row, kind in enumerate(readings.anchor_class):
        letters = {code.amino[row] for code in all_codes()} - {"*"}
        assert (kind >= 0) == (len(letters) == 1)
    assert (readings.members.sum(axis=0) > 0).all()  # every amino acid keeps an anchor
    assert {CODONS[row] for row in readings.contested} >= {"CTG", "TGA", "ATA", "AGA", "AGG", "AAA"}


@pytest.mark.parametrize("kind", ["noise", "collapsed", "spelling"])
@pytest.mark.parametrize("amino", [False, True])
def test_vectors_without_meaning_are_undecided(kind, amino):
    rng = np.random.default_rng(2)
    decided = 0
    for _ in range(2 if amino else 25):
        codons = {
            "noise": rng.normal(size=(64, 32)),
            "collapsed": np.ones((64, 32)),
            "spelling": spelled(rng, np.arange(64), 32) + 0.2 * rng.normal(size=(64, 32)),
        }[kind]
        vectors = rng.normal(size=(20, 32)) if amino else None
        decided += rank_codes(codons, np.arange(64), rng=rng, amino_acids=vectors, draws=20).decided
    assert decided <= 1


def test_without_adjustment_spelling_would_pull_uga_to_tryptophan():
    rng = np.random.default_rng(3)
    odds = {True: [], False: []}
    for _ in range(10):
        codons = spelled(rng, np.arange(64), 64) + 0.1 * rng.normal(size=(64, 64))
        for adjust in odds:
            found = rank_codes(codons, np.arange(64), rng=rng, adjust_spelling=adjust, draws=5)
            odds[adjust].append({e.codon: e for e in found.evidence}["TGA"].scores["W"])
    assert np.mean(odds[False]) > 1.0
    assert abs(np.mean(odds[True])) < 0.5


def test_the_ranking_is_a_function_of_its_generator():
    codons, gold, _ = species(np.random.default_rng(4), 12, noise=1.0)
    first, second = (rank_codes(codons, gold.codons, rng=np.random.default_rng(9)) for _ in range(2))
    assert (first.margin, first.p, first.verdict) == (second.margin, second.p, second.verdict)


def test_the_choice_model_trusts_what_is_right_and_ignores_noise():
    rng = np.random.default_rng(6)
    right = rng.integers(0, 20, 50)
    noise = rng.normal(size=(50, 20))
    told = noise + 3.0 * np.eye(20)[right]
    assert fit_choice(told, right).slope > 1.0
    odds = fit_choice(noise, right).log_odds(noise)
    assert np.abs(odds).max() < 1.5
    model = fit_choice(1e3 * np.eye(20)[right], right)
    assert model.log_odds(np.eye(20)[0]).max() < np.log(20)  # never surer than the lapse allows
    assert model.log_odds(np.array([[0.0, -np.inf]]))[0].tolist() == [0.0, -np.inf]
    assert fit_choice(np.zeros((5, 3)), np.zeros(5, int)).slope == 0.0


def test_a_codon_that_is_like_a_stranger_says_little():
    rng = np.random.default_rng(11)
    own, none = rng.normal(0.9, 0.03, 40), rng.normal([[0.3, 0.95]], 0.1, (500, 2))
    gate = fit_gate(own, none, 40)
    assert gate.telling([0.9, 0.9])[0] > 0.8
    assert gate.telling([0.3, 0.3])[0] < 0.1
    assert gate.telling([-5.0, 5.0])[0] == gate.telling([0.3, 0.3])[0]
    assert gate.telling([5.0, 5.0])[0] == gate.telling([gate.own[0], 5.0])[0]
    assert gate.telling([-5.0, 5.0])[1] == 0.5  # strangers are as near as known codons: even chances
    model = fit_choice(np.eye(20)[np.arange(20)], np.arange(20))
    sure, quiet = (model.log_odds(np.eye(20)[0], telling=chance) for chance in (1.0, 0.02))
    assert sure.max() > 2.5 > 0.5 > quiet.max()
    assert np.abs(model.log_odds(np.eye(20)[0], telling=0.0)).max() == 0.0


def test_class_similarity_leaves_the_codon_itself_out():
    rng = np.random.default_rng(7)
    table = rng.normal(size=(61, 61))
    found = class_similarity(table, STANDARD.mask)
    row = STANDARD.texts.index("TTA")
    others = [STANDARD.texts.index(text) for text in ("TTG", "CTA", "CTC", "CTG", "CTT")]
    assert found[row, STANDARD.classes[row]] == pytest.approx(table[row, others].mean())
    met = STANDARD.texts.index("ATG")
    assert found[met, STANDARD.classes[met]] == -np.inf


def test_surprises_name_the_codon_its_neighbours_and_the_other_code():
    rng = np.random.default_rng(8)
    codons, gold, _ = species(rng, 12, spelling=0.0)
    from genomecli.analysis.synonyms import codon_similarity

    ranking = rank_codes(codons, gold.codons, rng=rng)
    table = codon_class_similarity(codon_similarity(codons, "centred"), STANDARD)
    found = surprises(table, STANDARD, ranking)
    assert len(found) == 61
    first = found[0]
    assert (first.codon, first.amino, first.other, first.tables) == ("CTG", "L", "S", (12,))
    assert first.nearest[0][0] == "S"
    assert first.rank > 1
    assert first.margin > 0
    assert all(entry.other == "" for entry in found[1:])
    plain = surprises(table, STANDARD)
    assert all(entry.other == "" and entry.margin == 0 for entry in plain)


def test_too_few_codons_or_wrong_shapes_are_refused():
    rng = np.random.default_rng(9)
    with pytest.raises(InputError, match="fewer than three"):
        rank_codes(np.ones((3, 4)), [0, 1, 2], rng=rng)
    with pytest.raises(InputError, match="61 codon vectors for 60"):
        rank_codes(np.ones((61, 4)), np.arange(60), rng=rng)
    with pytest.raises(InputError, match="19 amino-acid"):
        rank_codes(np.ones((61, 4)), STANDARD.codons, rng=rng, amino_acids=np.ones((19, 4)))
    with pytest.raises(KeyError):
        rank_codes(np.ones((61, 4)), STANDARD.codons, rng=rng).position(7)
