"""Texts that are almost too short: one clear answer or one clear refusal, and no number that is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomecli.analysis.decipherment.counted import count_texts, refuse_few
from genomecli.analysis.decipherment.decipher import Deciphered, decipher, resampling_of
from genomecli.analysis.decipherment.drawing import drawings
from genomecli.analysis.decipherment.genes import Genes
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.decipherment.sources import Sources
from genomecli.analysis.decipherment.story import summary
from genomecli.analysis.decipherment.tables import codon_lines, codon_table
from genomecli.analysis.settings import CompareSettings, DecipherSettings
from genomecli.errors import InputError
from genomecli.sequences.codes import CODONS, genetic_code


def made(genes: int, codons: int, proteins: int = 30) -> Sources:
    """Random genes and random proteins; the first gene begins with the only CTG, before an N."""
    rng = np.random.default_rng(4)
    bases = rng.integers(0, 3, (genes, 3 * codons)).astype(np.uint8)
    if genes:
        bases[0, :3] = [1, 3, 2]
        bases[0, 3 * np.arange(1, codons, 1)[1:9]] = 4
    lengths = np.full(genes, 3 * codons, dtype=np.int64)
    ends = np.full(genes, CODONS.index("TAA"))
    residues = Text(rng.integers(0, 20, 60 * proteins), np.full(proteins, 60, dtype=np.int64))
    return Sources(
        *("a", "b", "none", Genes(bases.ravel(), lengths, ends, knows_last=True), residues),
        *(genetic_code(1), ()),
    )


def found_in(sources: Sources, **settings: object) -> Deciphered:
    asked = DecipherSettings.model_validate({"chains": 2, "sweeps": 2, "bootstrap": 20, **settings})
    with np.errstate(all="raise", under="ignore"):
        return decipher(sources, asked, (genetic_code(1), genetic_code(12)), seed=1)


@pytest.mark.parametrize("genes", [2, 5])
def test_a_few_genes_are_answered_by_numbers(genes: int) -> None:
    found = found_in(made(genes, 40))
    short = summary(found)
    assert np.isfinite([found.value, found.spread, short["margin"], short["mrr"]]).all()
    assert short["decided"] == 0
    assert (short["best_codes"], short["possible_codes"]) == ([], [])
    assert sorted(table for tables in short["ranked_codes"] for table in tables) == [1, 12]


def test_distances_beyond_the_genes_say_nothing() -> None:
    found = found_in(made(5, 12), farthest=30, background=None)
    assert np.isfinite(found.value)


def test_a_codon_that_stands_in_no_pair_has_no_best_reading() -> None:
    found = found_in(made(5, 40), controls=False)
    codon = CODONS.index("CTG")
    assert found.counts[codon] == 1
    assert found.letter(codon) == "-"
    line = codon_lines(found)[codon]
    assert line == ("CTG", "-", "", "", "", "", "", 1, "L", "")
    assert codon_table(found).rows[codon][1] == "in no pair"
    assert codon not in found.asked
    for drawing in drawings(found, CompareSettings()):
        drawing.draw()


@pytest.mark.parametrize(
    ("sources", "settings", "said"),
    [
        (made(5, 20), {}, "no gene is long enough for pairs 24 to 62 apart"),
        (made(5, 80, 0), {}, "no protein is long enough for pairs 2 to 8 apart"),
        (made(5, 80), {"background": 70}, "no protein is long enough for pairs 70 to"),
        (made(5, 2), {}, "no gene is long enough for pairs 2 to 8 apart"),
        (made(1, 80), {}, "only one gene is long enough"),
        (made(5, 80, 1), {}, "only one protein is long enough"),
    ],
)
def test_what_is_too_short_is_refused(sources: Sources, settings: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        found_in(sources, **settings)
    assert caught.value.fix


def _kinds(sources: Sources, *asked: str) -> list[str]:
    """What is drawn anew, for each value of ``resample``."""
    return [resampling_of(sources, DecipherSettings.model_validate({"resample": one})) for one in asked]


def test_what_is_asked_for_is_drawn_anew() -> None:
    foreign = made(5, 40)
    for sources in (foreign, replace(foreign, proteins="a")):
        assert _kinds(sources, "composition", "records") == ["composition", "records"]


def test_composition_is_shifted_by_itself_where_the_proteins_are_of_another_species() -> None:
    foreign = made(5, 40)
    own = replace(foreign, proteins="a")
    assert _kinds(foreign, "auto") == ["composition"]
    assert _kinds(own, "auto") == _kinds(replace(own, translated_with=12), "auto") == ["records"]


def test_the_composition_of_peptides_is_not_shifted_by_itself() -> None:
    foreign = made(5, 40)
    short = np.full(180, 10, dtype=np.int64)
    assert _kinds(replace(foreign, residues=Text(foreign.residues.tokens, short)), "auto") == ["records"]


def test_the_summary_and_the_page_say_what_was_drawn_anew() -> None:
    foreign = found_in(made(5, 40))
    own = found_in(replace(made(5, 40), proteins="a"))
    assert [summary(found)["resampled"] for found in (foreign, own)] == ["composition", "records"]
    said = [drawings(found, CompareSettings())[0].caption for found in (foreign, own)]
    assert "groups alike in composition" in said[0]
    assert "resamples of genes, proteins and distances" in said[1]


@pytest.mark.parametrize("alike", [False, True])
def test_two_records_that_hold_all_pairs_never_stand_in_one_group(alike: bool) -> None:
    """Or each resample would weigh them alike, and all would agree without having been asked anything."""
    settings = DecipherSettings.model_validate({"farthest": 3, "background": None})
    for seed in range(40):
        tokens = np.random.default_rng(seed).integers(0, 20, (300, 4))
        tokens[np.arange(300) % 150 != 7, 2:] = -1  # two records with a pair two places apart
        text = Text(tokens.ravel(), np.full(300, 4, dtype=np.int64))
        found = count_texts(text, text, settings, seed, "x", alike=alike)
        assert len(found.codons.held) == len(found.residues.held) == 2
        refuse_few(found)


@pytest.mark.parametrize("controls", [False, True])
def test_evidence_that_is_not_above_zero_decides_nothing(controls: bool) -> None:
    """A margin over controls that are further below is none over reading nothing."""
    found = found_in(made(5, 40), controls=controls)
    far = tuple(replace(control, value=-9.0) for control in found.controls)
    sure = replace(found, support=np.ones_like(found.support), controls=far, spread=0.1)
    codon = int(sure.asked[0])
    above, at = replace(sure, value=1.0), replace(sure, value=0.0)
    assert above.holds_a_code
    assert above.decided(codon)
    assert not at.holds_a_code
    assert at.letter(codon) == "?"
    short = summary(at)
    assert (short["decided"], short["best_codes"]) == (0, [])
    assert "must be above 0" in short["sentences"][0]
    assert sum("codons without a meaning" in sentence for sentence in short["sentences"]) == 2
