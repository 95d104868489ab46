"""Which genetic code explains a species: reassigned codons are named, what is not sure is undecided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomecli.analysis.code_tables import TableClass
from genomecli.analysis.deviance import rank_place, surprise_lines, wanted_codes
from genomecli.analysis.drawing import code_verdict
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.places import VectorPair
from genomecli.analysis.results import code_summary
from genomecli.analysis.story import code_sentence
from genomecli.errors import InputError
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.analysis.pair_toys import planted_pair


@pytest.mark.parametrize(
    ("planted", "codon", "usual", "reads"), [(12, "CTG", "L", "S"), (4, "TGA", "*", "W")]
)
def test_a_reassigned_codon_is_named(planted: int, codon: str, usual: str, reads: str):
    pair = planted_pair(planted, noise=0.2)
    codes = wanted_codes("all", genetic_code(1))
    found = rank_place(pair, genetic_code(1), codes, np.random.default_rng(0), 8)
    assert {deviance.ranking.basis for deviance in found} == {"dna", "amino_acids"}
    dna = found[0]
    assert planted in dna.ranking.classes[0].codes.tables
    reading = next(one for one in dna.readings() if one.codon == codon)
    assert (reading.usual, reading.reads) == (usual, reads)
    sentence = code_sentence(dna)
    assert codon in sentence
    assert f"reads as {reads}" in sentence


def _noisy_rare(seed: int) -> VectorPair:
    """The standard code, but for rare codons that lie anywhere, as ATA and AGG may in E. coli."""
    rng = np.random.default_rng(seed)
    pair = planted_pair(1, noise=0.2, seed=seed)
    rare = np.isin(pair.seen, [CODONS.index(text) for text in ("ATA", "AGA", "AGG", "CTA")])
    seen = np.where(rare[:, None], rng.normal(size=pair.seen_codons.shape) * 2, pair.seen_codons)
    codons = seen[np.isin(pair.seen, pair.gold.codons)]
    return replace(pair, codons=codons, seen_codons=seen)


def test_rare_codons_that_lie_anywhere_never_give_a_confident_wrong_code():
    codes, wrong, undecided = wanted_codes("all", genetic_code(11)), [], 0
    for seed in range(12):
        for found in rank_place(_noisy_rare(seed), genetic_code(11), codes, np.random.default_rng(0), 8):
            sentence = code_sentence(found)
            if not found.ranking.decided:
                undecided += 1
                assert "undecided" in sentence
                assert "undecided" in code_verdict(found)
                assert "reads as" not in sentence or any(one.sure for one in found.readings())
                assert code_summary(found)["agrees"] is None
            elif not found.agrees:
                wrong.append(sentence)
    assert undecided >= 20
    assert len(wrong) <= 1, wrong


def test_a_hint_is_marked_as_not_significant():
    codes = wanted_codes("all", genetic_code(11))
    for seed in range(30):
        for found in rank_place(_noisy_rare(seed), genetic_code(11), codes, np.random.default_rng(0), 8):
            sentence = code_sentence(found)
            if "lean" in sentence:
                assert "Not significant, so nothing is claimed" in sentence
                assert not any(one.sure for one in found.readings())
                return
    pytest.fail("no hint in thirty draws")


def test_codes_that_differ_in_stops_alone_do_not_stand_clear_of_each_other():
    pair = planted_pair(1, noise=0.2)
    pair = replace(pair, seen=pair.gold.codons, seen_codons=pair.codons)  # stops were never read
    standard = genetic_code(1)
    for one in rank_place(pair, standard, wanted_codes("all", standard), np.random.default_rng(0), 8):
        twins = [other.codes.tables for other in one.ranking.kept[1:]]
        assert one.ranking.decided
        assert one.agrees
        verdict = code_verdict(one)
        assert verdict.startswith("table 1")
        named = [number for tables in twins for number in map(str, tables[:1])]
        assert ("told apart by stops alone" in verdict) == bool(twins)
        assert all(f" {number}" in verdict for number in named)


def test_many_tables_are_named_by_a_few_and_the_given_one():
    tables = (1, 4, 6, 10, 11, 15, 16)
    many = TableClass(tables, ("x",) * 7, "")
    assert many.numbers() == "1, 4, 6, 10 or 3 others"
    assert many.numbers(16) == "1, 4, 6, 16 or 3 others"
    assert TableClass((1, 11), ("x",) * 2, "").numbers(11) == "1 or 11"
    assert TableClass((12,), ("x",), "").numbers(1) == "12"


def test_surprises_list_every_codon_and_put_the_reassigned_one_first():
    truth = planted_pair(12, noise=0.2)
    given = replace(truth, gold=CodonGold.of(genetic_code(1), truth.seen))
    given = replace(given, codons=truth.seen_codons[np.isin(truth.seen, given.gold.codons)])
    deviance = rank_place(
        given, genetic_code(1), wanted_codes("all", genetic_code(1)), np.random.default_rng(0), 8
    )[0]
    lines = surprise_lines(given, deviance, 8)
    assert len(lines) == given.gold.n
    assert lines[0][6] == "CTG"


def test_unknown_tables_are_refused_and_the_given_one_is_always_ranked():
    assert [code.table for code in wanted_codes((1, 4), genetic_code(12))] == [1, 4, 12]
    with pytest.raises(InputError, match="no genetic code 7"):
        wanted_codes((7,), genetic_code(1))
