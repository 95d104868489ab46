"""Which language of a model labelled sequences are read as, and what is said where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import ConfigError, InputError
from genomecli.inference.task_reading import (
    column_reading,
    pick_species,
    token_column,
    unreadable,
    wanted_alphabet,
)
from genomecli.sequences.alphabets import DNA
from genomecli.tasks.examples import join_sequences
from tests.unit.training.task_toys import make_examples

BOTH = build_lexicon(["ecoli", "yeast"], dna="codon")
APART = build_lexicon(["ecoli", "yeast"], dna="codon", scope="per_species")
PROTEIN = build_lexicon(["ecoli"], molecules=("protein",))
BASES = build_lexicon(["ecoli"], dna="base", molecules=("dna",))


def test_a_model_that_tells_species_apart_wants_one_named() -> None:
    assert pick_species(PROTEIN, None) == "ecoli"
    assert pick_species(PROTEIN, None, language_embedding=True) == "ecoli"
    assert pick_species(APART, "yeast") == "yeast"
    assert pick_species(BOTH, None) == "ecoli"
    said = "tells 2 species apart; .* --set finetune.species=NAME, one of ecoli, yeast"
    with pytest.raises(ConfigError, match=said):
        pick_species(APART, None)
    with pytest.raises(ConfigError, match=said):
        pick_species(BOTH, None, language_embedding=True)
    with pytest.raises(ConfigError, match="does not know 'fly'; it knows ecoli, yeast"):
        pick_species(BOTH, "fly")


def test_the_alphabet_is_the_setting_or_the_only_one_of_the_model() -> None:
    assert wanted_alphabet("cds", None, None) == "dna"
    assert wanted_alphabet("auto", PROTEIN, "ecoli") == "protein"
    assert wanted_alphabet("auto", BOTH, "ecoli") is None


@pytest.mark.parametrize(
    ("lexicon", "alphabet", "setting", "molecule"),
    [
        (BOTH, "dna", "auto", "cds"),
        (BOTH, "dna", "genome", "genome"),
        (BASES, "dna", "auto", "genome"),
        (PROTEIN, "protein", "auto", "protein"),
    ],
)
def test_molecules(lexicon: object, alphabet: str, setting: str, molecule: str) -> None:
    found = column_reading(lexicon, "ecoli", alphabet, setting, frame=2)  # type: ignore[arg-type]
    assert found.molecule == molecule
    assert found.alphabet == alphabet
    assert found.frame == (0 if alphabet == "protein" else 2)


def test_a_mismatch_says_so() -> None:
    with pytest.raises(InputError, match="t.tsv; the sequences are dna, and the model reads protein only"):
        column_reading(PROTEIN, "ecoli", "dna", where="t.tsv")
    with pytest.raises(InputError, match="the sequences are dna, and data.molecule is protein"):
        column_reading(BOTH, "ecoli", "dna", "protein")


def test_tokens_of_some_rows_in_their_order_u_read_as_t() -> None:
    reading = column_reading(BOTH, "ecoli", "dna", frame=1)
    column = join_sequences("dna", [DNA.encode(text) for text in ("CAUGGG", "TATGAAAC", "AA")])
    found = token_column(BOTH, reading, column, np.array([1, 0]), ["a", "b", "c"])
    words = BOTH.tokenizers[0].decode(found.tokens)
    assert words == ["ATG", "AAA", "ATG"]
    assert found.offsets.tolist() == [0, 2, 3]
    assert (found.frame, found.k, found.stride) == (1, 3, 3)
    with pytest.raises(InputError, match="record 'c'; has 2 letters, too few for a token of 3"):
        token_column(BOTH, reading, column, np.array([2]), ["a", "b", "c"])


def test_rows_without_tokens_are_named_those_of_pairs_too() -> None:
    examples = make_examples(["ACGACG", "NN", "ACGACG"], {"y": np.zeros(3)}, pair=["ACG", "ACG", "NNN"])
    reading = column_reading(BOTH, "ecoli", "dna")
    assert unreadable(BOTH, reading, reading, examples) == [
        (1, "has 2 letters, too few for a token of 3"),
        (2, "its pair has no token without an ambiguous letter"),
    ]
