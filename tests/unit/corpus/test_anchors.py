from __future__ import annotations

import numpy as np
import pytest

from genomecli.corpus.anchors import choose_anchors, draw_anchors, make_switcher
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import AnchorSettings
from genomecli.errors import ConfigError
from genomecli.sequences.codes import codon_index, genetic_code


def test_drawn_anchors_are_true_and_of_distinct_amino_acids_first() -> None:
    code = genetic_code(1)
    drawn = draw_anchors(code, 23, seed=1)
    assert all(code.amino[codon_index(codon)] == letter for codon, letter in drawn)
    assert len({letter for _, letter in drawn[:20]}) == 20
    assert len(set(drawn)) == 23
    assert draw_anchors(code, 5, seed=1) == drawn[:5]
    assert draw_anchors(code, 5, seed=2) != drawn[:5]


def test_each_species_draws_from_its_own_code() -> None:
    settings = AnchorSettings(pairs=64)
    chosen = choose_anchors(settings, {"bug": 4, "fly": 1})
    assert ("TGA", "W") in chosen["bug"]
    assert "TGA" not in dict(chosen["fly"])
    given = choose_anchors(AnchorSettings(pairs=("cug:L", "ATG:M")), {"bug": 4})
    assert given == {"bug": (("CTG", "L"), ("ATG", "M"))}


@pytest.mark.parametrize("scope", ["shared", "per_species"])
def test_texts_of_several_species_are_switched_as_in_a_loop(scope: str) -> None:
    lexicon = build_lexicon(["x", "y"], scope=scope)  # type: ignore[arg-type]
    anchors = {"x": (("CTG", "L"), ("CTA", "L"), ("ATG", "M")), "y": (("CTG", "S"), ("TTT", "F"))}
    switcher = make_switcher(lexicon, anchors, 0.5)
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, lexicon.vocabulary.size, (6, 400))
    species = np.array([0, 1, 1, 0, 1, 0])
    switched, draws = tokens.copy(), np.random.default_rng(2)
    switcher.switch(switched, species, np.random.default_rng(2))
    places = [
        (row, column)
        for row in range(6)
        for column in range(400)
        if switcher.counts[species[row], tokens[row, column]]
    ]
    places = [place for place, draw in zip(places, draws.random(len(places)), strict=True) if draw < 0.5]
    for (row, column), draw in zip(places, draws.random(len(places)), strict=True):
        own, old = species[row], tokens[row, column]
        tokens[row, column] = switcher.counterparts[own, old, int(draw * switcher.counts[own, old])]
    assert len(places) > 20
    np.testing.assert_array_equal(switched, tokens)


@pytest.mark.parametrize("scope", ["shared", "per_species"])
def test_tokens_are_switched_for_their_counterparts_at_the_given_rate(scope: str) -> None:
    lexicon = build_lexicon(["x", "y"], scope=scope)  # type: ignore[arg-type]
    anchors = {"x": (("CTG", "L"), ("CTA", "L"), ("ATG", "M")), "y": (("CTG", "S"),)}
    switcher = make_switcher(lexicon, anchors, 0.25)

    def token(species: str, text: str) -> int:
        return lexicon.vocabulary.id(text, lexicon.block(species, "dna" if len(text) == 3 else "protein"))

    def switched(species: str, text: str) -> dict[int, float]:
        tokens = np.full((4, 5000), token(species, text))
        number = lexicon.species.index(species)
        switcher.switch(tokens, np.full(4, number), np.random.default_rng(0))
        values, counts = np.unique(tokens, return_counts=True)
        return dict(zip(values.tolist(), (counts / tokens.size).tolist(), strict=True))

    assert switched("x", "CTG") == pytest.approx({token("x", "CTG"): 0.75, token("x", "L"): 0.25}, abs=0.02)
    assert switched("x", "L") == pytest.approx(
        {token("x", "L"): 0.75, token("x", "CTG"): 0.125, token("x", "CTA"): 0.125}, abs=0.02
    )
    assert switched("y", "CTG") == pytest.approx({token("y", "CTG"): 0.75, token("y", "S"): 0.25}, abs=0.02)
    assert switched("y", "ATG") == {token("y", "ATG"): 1.0}


def test_special_tokens_stay() -> None:
    lexicon = build_lexicon(["x"])
    switcher = make_switcher(lexicon, {"x": draw_anchors(genetic_code(1), 61, 0)}, 1.0)
    tokens = np.tile(np.arange(5), (3, 7))
    before = tokens.copy()
    switcher.switch(tokens, np.zeros(3, dtype=np.int64), np.random.default_rng(0))
    assert np.array_equal(tokens, before)


def test_other_tokens_than_codons_are_refused() -> None:
    with pytest.raises(ConfigError, match="codon"):
        make_switcher(build_lexicon(["x"], dna="base"), {"x": (("CTG", "L"),)}, 0.5)
