"""Groups alike in composition: planted kinds of records part, sizes are equal, a loop agrees, and what hangs
on a planted shift of composition is undecided."""

from __future__ import annotations

import numpy as np
import pytest

from genomecli.analysis.decipherment.alike import RARE, SHORT, _away, alike_in_composition
from genomecli.analysis.decipherment.decipher import decipher
from genomecli.analysis.decipherment.genes import Genes
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.decipherment.sources import Sources
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.settings import DecipherSettings
from genomecli.sequences.codes import CODONS, genetic_code
from tests.unit.analysis.decipherment.made import grammar, proteins, spelled


def _two_kinds(seed: int, records: int = 200, length: int = 300) -> tuple[Text, np.ndarray]:
    """Half of the records like symbol 3, the other half symbol 7."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(records) % 2
    shares = np.full((2, 10), 0.08)
    shares[0, 3] = shares[1, 7] = 0.28
    tokens = [rng.choice(10, length, p=shares[k]) for k in kind]
    return Text(np.concatenate(tokens), np.full(records, length)), kind


def test_the_first_halving_parts_two_kinds_of_records() -> None:
    text, kind = _two_kinds(1)
    found = alike_in_composition(text, 10, levels=1)
    agree = (found == kind).mean()
    assert max(agree, 1 - agree) == 1.0


@pytest.mark.parametrize(("records", "levels"), [(200, 5), (33, 5), (7, 5), (1, 5), (0, 2)])
def test_groups_are_of_one_size_and_small_texts_end_as_single_records(records: int, levels: int) -> None:
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 60, records)
    text = Text(rng.integers(-1, 10, int(lengths.sum())), lengths)
    found = alike_in_composition(text, 10, levels=levels)
    sizes = np.bincount(found, minlength=2**levels)
    assert sizes.sum() == records
    assert sizes.max(initial=0) - sizes.min() <= 1


def test_records_without_any_difference_are_still_halved() -> None:
    text = Text(np.tile([1, 2, 3], 8), np.full(8, 3))
    assert np.bincount(alike_in_composition(text, 5, levels=2)).tolist() == [2, 2, 2, 2]


def test_groups_do_not_depend_on_the_order_of_records() -> None:
    text, _ = _two_kinds(4, records=64)
    rows = text.tokens.reshape(64, -1)
    order = np.random.default_rng(5).permutation(64)
    found = alike_in_composition(text, 10, levels=3)
    again = alike_in_composition(Text(rows[order].ravel(), text.lengths), 10, levels=3)
    np.testing.assert_array_equal(again, found[order])


def test_distances_from_the_mean_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(6)
    lengths = np.array([5, 40, 0, 90])
    tokens = rng.integers(-1, 4, int(lengths.sum()))
    tokens[7] = 4  # once: its share is below that from which on shares divide by themselves
    text = Text(tokens, lengths)
    known = [t for t in text.tokens.tolist() if t >= 0]
    shares = [known.count(v) / len(known) for v in range(6)]
    assert 0 < shares[4] < RARE / 6 < min(shares[:4])
    assert shares[5] == 0
    found, start = _away(text, 6), 0
    for row, length in zip(found, lengths.tolist(), strict=True):
        record = [t for t in text.tokens[start : start + length].tolist() if t >= 0]
        start += length
        for v in range(6):
            own = record.count(v) / max(len(record), 1)
            weight = np.sqrt(len(record) / (len(record) + SHORT))
            floored = max(shares[v], RARE / 6)
            assert row[v] == pytest.approx(weight * (own - shares[v]) / np.sqrt(floored))


def test_records_without_a_pair_halve_nothing() -> None:
    """Two long records among many short ones are two groups, so that a shift weighs one against the other."""
    rng = np.random.default_rng(7)
    lengths = np.array([2] * 100 + [400, 400] + [2] * 100)
    text = Text(rng.integers(0, 10, int(lengths.sum())), lengths)
    found = alike_in_composition(text, 10, among=lengths > 2)
    assert found[100] != found[101]
    assert not np.delete(found, [100, 101]).any()


def test_a_token_that_one_short_record_holds_is_not_the_first_direction() -> None:
    rng = np.random.default_rng(8)
    kind = rng.permutation(300) % 2
    shares = np.full((2, 64), 1 / 64)
    shares[:, 63] = 0
    shares[0, :20] += 0.004
    shares[1, 20:40] += 0.004
    shares /= shares.sum(axis=1, keepdims=True)
    tokens = [rng.choice(64, 300, p=shares[k]) for k in kind]
    tokens[0] = tokens[0][:30].copy()
    tokens[0][3] = 63
    found = alike_in_composition(
        Text(np.concatenate(tokens), np.array([len(t) for t in tokens])), 64, levels=1
    )
    agree = (found == kind).mean()
    assert max(agree, 1 - agree) > 0.85


M, W = AMINO_LETTERS.index("M"), AMINO_LETTERS.index("W")


def _of_two_species(records: int = 800, length: int = 50) -> Sources:
    """M and W have the same neighbours; genes hold more W than M, and proteins more M than W."""
    rules = grammar(1)
    rules[:, W], rules[W] = rules[:, M], rules[M]
    texts = []
    for seed, more in ((10, 0.8), (20, 1.25)):
        tilt = np.ones((records, 20))
        own = more * np.exp(np.random.default_rng(seed).permutation(np.linspace(-2.5, 2.5, records)))
        tilt[:, M], tilt[:, W] = 2.5 * own, 2.5 / own
        texts.append(proteins(rules, records, length, seed + 1, tilt))
    codons = spelled(texts[0], 1, 3).tokens
    bases = np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=1).astype(np.uint8)
    lengths, ends = np.full(records, 3 * length), np.full(records, CODONS.index("TAA"))
    genes = Genes(bases.ravel(), lengths, ends, knows_last=True)
    return Sources("a", "b", "none", genes, texts[1], genetic_code(1), ())


def test_records_decide_wrongly_what_hangs_on_the_composition_and_shifts_of_it_leave_it_undecided() -> None:
    """AUG, which is rare, is read as W, which is rare in the proteins; grammar tells all other codons."""
    sources, codes = _of_two_species(), (genetic_code(1),)
    asked = {"chains": 4, "sweeps": 15, "bootstrap": 20, "background": None, "controls": False}
    records, composition = (
        decipher(sources, DecipherSettings.model_validate({**asked, "resample": kind}), codes, seed=1)
        for kind in ("records", "composition")
    )
    letters = [
        [found.letter(CODONS.index(codon)) for codon in ("ATG", "TGG")] for found in (records, composition)
    ]
    assert letters == [["W", "M"], ["?", "?"]]
    others = [(c, letter) for c, letter in enumerate(genetic_code(1).amino) if letter not in "MW*"]
    answers = [composition.letter(codon) for codon, _ in others]
    assert all(answer in ("?", letter) for answer, (_, letter) in zip(answers, others, strict=True))
    assert answers.count("?") < 6
