from __future__ import annotations

import pytest
from pydantic import ValidationError

from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.sampling import reading_lexicon


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"molecules": ()}, "molecules is empty"),
        ({"molecules": ("cds", "cds")}, "twice"),
        ({"context": 512, "tokens_per_batch": 256}, "set it to 512 or more"),
        ({"context": 16, "min_tokens": 15}, "does not fit context"),
        ({"species_weights": {"x": -1}}, "negative"),
        ({"relation": "comparable", "molecules": ("cds",)}, "needs molecules cds and protein"),
        ({"relation": "disjoint", "molecules": ("genome", "cds", "protein")}, "leave genome out"),
        ({"anchors": {"pairs": ("CTGL",)}}, "CTG:L"),
        ({"anchors": {"pairs": 65}}, "0 to 64"),
        ({"fraem": 1}, "fraem"),
    ],
)
def test_contradictions_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReadingSettings.model_validate(values)


def test_micro_batches_round_up() -> None:
    assert ReadingSettings(tokens_per_batch=1000, tokens_per_step=2001).micro_batches == 3
    assert ReadingSettings(tokens_per_batch=4096, tokens_per_step=1024).micro_batches == 1


def test_the_lexicon_follows_the_settings() -> None:
    default = build_lexicon(["a", "b"], dna="kmer", k=6, stride=2)
    assert reading_lexicon(default, ReadingSettings()) is default
    some = reading_lexicon(default, ReadingSettings(species=("b",)))
    assert some.species == ("b",)
    assert (some.tokenizer("b", "cds").k, some.tokenizer("b", "cds").stride) == (6, 2)
    codons = reading_lexicon(default, ReadingSettings(tokens={"scope": "per_species"}))
    assert codons.scope == "per_species"
    assert codons.tokenizer("a", "cds").k == 3
