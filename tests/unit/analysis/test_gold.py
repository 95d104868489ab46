from __future__ import annotations

import numpy as np

from genomecli.analysis.gold import AMINO_LETTERS, CodonGold
from genomecli.sequences.codes import CODONS, genetic_code


def test_rows_name_codons_and_their_amino_acids():
    gold = CodonGold.of(genetic_code(1))
    assert gold.n == 61
    assert gold.block_sizes[AMINO_LETTERS.index("L")] == 6
    assert all(genetic_code(1).amino[c] == a for c, a in zip(gold.codons, gold.amino, strict=True))
    assert gold.mask.sum() == 61
    assert gold.texts[0] == "AAA"


def test_stops_are_left_out_unless_asked():
    stops = CodonGold.of(genetic_code(1), stops=True)
    assert (stops.n, stops.letters[-1]) == (64, "*")
    assert stops.block_sizes[-1] == 3


def test_given_codons_keep_their_order_and_lose_those_without_meaning():
    tga, tgg, gaa = (CODONS.index(text) for text in ("TGA", "TGG", "GAA"))
    assert CodonGold.of(genetic_code(1), [tgg, tga, gaa]).texts == ("TGG", "GAA")
    four = CodonGold.of(genetic_code(4), [tgg, tga, gaa])
    assert four.texts == ("TGG", "TGA", "GAA")
    assert four.synonyms().tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert four.select(np.array([True, False, True])).amino == "WE"
