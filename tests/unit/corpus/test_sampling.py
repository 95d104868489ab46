from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from Bio.Data import CodonTable

from genomecli.corpus.batch import Batch
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.reading_settings import ReadingSettings
from genomecli.corpus.sampling import Sampler
from genomecli.errors import ConfigError, InputError
from tests.unit.corpus.toy_corpus import ToyCorpus, toy_corpus

SMALL = {"context": 48, "tokens_per_batch": 768, "tokens_per_step": 3072, "pool": 3}
BOTH = build_lexicon(["a", "b"])


def sampler_of(corpus: ToyCorpus | None = None, seed: int = 0, **values: Any) -> Sampler:
    return Sampler(corpus or toy_corpus(), BOTH, ReadingSettings(**{**SMALL, **values}), seed)


def same(first: Batch, second: Batch) -> bool:
    names = ("tokens", "lengths", "positions", "languages", "records", "segments", "weights")
    pairs = [(getattr(first, name), getattr(second, name)) for name in names]
    pairs += [(first.extras[name], second.extras[name]) for name in first.extras]
    return all(x is y if x is None or y is None else torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize(
    "relation", ["none", "disjoint", "comparable", "anchored", "back_translated", "paired"]
)
def test_a_step_is_a_pure_function_of_seed_and_step(relation: str) -> None:
    told: dict[str, Any] = {}
    if relation == "back_translated":
        told = {"anchors": {"pairs": ["CTG:L", "ATG:M"]}, "species": ["a"]}
    first = sampler_of(relation=relation, **told)
    run = [first.step(step) for step in range(8)]
    again = sampler_of(relation=relation, **told)
    for step in (7, 2, 5):  # in any order, in a new process
        assert all(same(x, y) for x, y in zip(again.step(step), run[step], strict=True))
    assert all(batch.step == step for step in range(8) for batch in run[step])
    other = sampler_of(relation=relation, seed=1, **told)
    assert not all(same(x, y) for x, y in zip(other.step(2), run[2], strict=False))


def test_ranks_share_the_same_global_batches() -> None:
    sampler = sampler_of()
    whole = sampler.step(4)
    for world in (2, 3, 4):
        for rank in range(world):
            mine = sampler.step(4, rank, world)
            assert all(same(x, y) for x, y in zip(mine, whole[rank::world], strict=True))
    with pytest.raises(
        ConfigError, match="5 processes share 4 micro-batches.*at most 4, or begin with --set pretrain"
    ):
        sampler.step(0, 0, 5)


def test_every_epoch_reads_every_text_once() -> None:
    sampler = sampler_of(toy_corpus(genes=20, longest=40, species=("a", "b")))
    total = sum(crop.units for crop in sampler.crops)
    seen: Counter[int] = Counter()
    steps = 0
    while sum(seen.values()) < 30 * total:
        for batch in sampler.step(steps):
            seen.update(batch.records.tolist())
        steps += 1
    train = {int(row) for crop in sampler.crops for row in crop.side.rows}
    assert set(seen) == train
    units = {
        int(r): int(p) for crop in sampler.crops for r, p in zip(crop.side.rows, crop.parts, strict=True)
    }
    for crop in sampler.crops:
        epochs = [seen[int(row)] / units[int(row)] for row in crop.side.rows]
        assert max(epochs) - min(epochs) <= 1


def test_batches_keep_within_their_budget_and_hold_little_padding() -> None:
    sampler = sampler_of(tokens_per_batch=2048, tokens_per_step=8192, pool=8)
    shapes = [b.tokens.shape for step in range(32) for b in sampler.step(step)]
    sizes = np.array([rows * width for rows, width in shapes])
    assert len(shapes) == 32 * 4
    assert (sizes <= 2048).mean() > 0.98
    assert sizes.max() <= 2048 * 1.03
    assert sizes.mean() > 0.9 * 2048
    assert sampler.real_share() > 0.97


def test_a_proteome_s_lengths_leave_three_percent_of_padding_at_most() -> None:
    generator, corpus = np.random.default_rng(0), ToyCorpus()
    for length in np.clip(np.exp(generator.normal(np.log(270), 0.6, 4000)), 30, 2400).astype(int):
        corpus.add("a", "protein", generator.integers(0, 20, length).astype(np.uint8))
    settings = ReadingSettings(molecules=("protein",), context=1024)
    sampler = Sampler(corpus, build_lexicon(["a"]), settings, 0)
    assert sampler.real_share(0) >= 0.97
    assert sampler.real_share(3) >= 0.97
    assert sampler.describe()["real_share"] == round(sampler.real_share(), 4)


def test_genome_windows_have_one_shape() -> None:
    sampler = sampler_of(molecules=("genome",))
    shapes = {batch.tokens.shape for step in range(6) for batch in sampler.step(step)}
    assert shapes == {(16, 48)}


def test_shares_of_tokens_follow_the_weights() -> None:
    sampler = sampler_of(
        size_power=0.0,
        molecule_weights={"protein": 0.9, "cds": 0.1},
        species_weights={"a": 3.0},
        pool=8,
    )
    tokens: Counter[tuple[int, int]] = Counter()
    for step in range(64):
        for batch in sampler.step(step):
            keys = zip(batch.extras["species"].tolist(), batch.extras["molecule"].tolist(), strict=True)
            for key, length in zip(keys, batch.lengths.tolist(), strict=True):
                tokens[key] += length
    total = sum(tokens.values())
    expected = {(0, 2): 0.675, (1, 2): 0.225, (0, 1): 0.075, (1, 1): 0.025}
    assert {key: count / total for key, count in tokens.items()} == pytest.approx(expected, abs=0.01)


def test_size_power_one_reads_all_groups_equally_often() -> None:
    epochs = [group["steps_per_epoch"] for group in sampler_of().describe()["groups"]]
    assert max(epochs) == pytest.approx(min(epochs), rel=0.01)


def test_weight_zero_leaves_a_group_out() -> None:
    sampler = sampler_of(molecule_weights={"cds": 0.0})
    assert {int(m) for b in sampler.step(1) for m in b.extras["molecule"]} == {2}
    with pytest.raises(ConfigError, match="weights are 0"):
        sampler_of(molecule_weights={"cds": 0.0, "protein": 0.0})


def test_disjoint_batches_share_no_family_in_any_split() -> None:
    corpus = toy_corpus()
    sampler = sampler_of(corpus, relation="disjoint")
    seen: dict[bool, set[int]] = {True: set(), False: set()}
    batches = [b for step in range(20) for b in sampler.step(step)] + list(sampler.validation())
    for batch in batches:
        for row, molecule in zip(batch.records.tolist(), batch.extras["molecule"].tolist(), strict=True):
            seen[molecule == 2].add(corpus.rows[row]["family"])
    assert seen[True]
    assert seen[False]
    assert not seen[True] & seen[False]


def test_training_never_reads_held_out_records() -> None:
    corpus = toy_corpus()
    for relation in ("none", "comparable", "paired"):
        sampler = sampler_of(corpus, relation=relation)
        rows = {int(r) for step in range(20) for b in sampler.step(step) for r in b.records}
        partners = {int(r) for b in sampler.step(0) for r in b.extras["partner"] if r >= 0}
        assert {corpus.rows[row]["split"] for row in rows | partners} == {"train"}
        held_out = {int(r) for b in sampler.validation() for r in b.records}
        assert {corpus.rows[row]["split"] for row in held_out} == {"valid"}


def test_anchored_switches_training_texts_only() -> None:
    corpus = toy_corpus()
    plain = sampler_of(corpus, relation="comparable")
    switched = sampler_of(corpus, relation="anchored", anchors={"pairs": 61, "probability": 0.5})
    changed = total = 0
    for before, after in zip(plain.step(3), switched.step(3), strict=True):
        assert torch.equal(before.languages, after.languages)
        assert torch.equal(before.tokens < 5, after.tokens < 5)
        different = before.tokens != after.tokens
        blocks = torch.from_numpy(BOTH.vocabulary.block_of.astype(np.int64))
        assert (blocks[before.tokens[different]] != blocks[after.tokens[different]]).all()
        changed, total = changed + int(different.sum()), total + int((before.tokens >= 5).sum())
    assert changed / total == pytest.approx(0.5, abs=0.05)
    for before, after in zip(plain.validation(), switched.validation(), strict=True):
        assert torch.equal(before.tokens, after.tokens)
    assert len(switched.describe()["anchors"]["a"]) == 61


def test_back_translated_genes_stand_beside_what_the_dictionary_makes_of_them() -> None:
    corpus = toy_corpus()
    code = CodonTable.unambiguous_dna_by_id[11].forward_table
    untold = {"CTG", "TGG"}
    told = [f"{codon}:{letter}" for codon, letter in code.items() if codon not in untold]
    own = {"species": ["a"], "context": 96, "pool": 8}
    sampler = sampler_of(corpus, relation="back_translated", anchors={"pairs": told}, **own)
    apart = sampler_of(corpus, relation="disjoint", **own)
    assert {s.name for s in sampler.sources} - {s.name for s in apart.sources} == {"a.pair"}
    paired = total = checked = 0
    for batch in [b for step in range(16) for b in sampler.step(step)] + list(sampler.validation()):
        pair = batch.extras["partner"] >= 0
        if batch.step >= 0:
            paired, total = paired + int(batch.lengths[pair].sum()), total + batch.real_tokens
        for row, length in zip(batch.tokens[pair].tolist(), batch.lengths[pair].tolist(), strict=True):
            text = [BOTH.vocabulary.text(token) for token in row[:length]]
            middle = text.index("[SEP]")
            codons, residues = text[1:middle], text[middle + 1 : -1]
            expected = ["[UNK]" if codon in untold else code.get(codon, "[UNK]") for codon in codons]
            assert residues == expected
            checked += len(codons)
    assert checked > 1000
    assert paired / total == pytest.approx(0.5, abs=0.03)


def test_a_back_translated_gene_gives_no_protein_away() -> None:
    corpus = toy_corpus()
    sampler = sampler_of(corpus, relation="back_translated", anchors={"pairs": ["CTG:L"]}, species=["a"])
    seen: dict[bool, set[int]] = {True: set(), False: set()}
    for batch in [b for step in range(20) for b in sampler.step(step)]:
        for row, partner, molecule in zip(
            batch.records.tolist(),
            batch.extras["partner"].tolist(),
            batch.extras["molecule"].tolist(),
            strict=True,
        ):
            seen[molecule == 2].add(corpus.rows[row]["family"])
            if partner >= 0:  # nothing else is read than the gene itself
                assert partner == row
    assert seen[True]
    assert not seen[True] & seen[False]


def test_a_codon_with_two_meanings_cannot_be_translated() -> None:
    with pytest.raises(ConfigError, match="two meanings"):
        sampler_of(relation="back_translated", anchors={"pairs": ["CTG:L", "CTG:S"]}, species=["a"])
    with pytest.raises(ConfigError, match="the code of one species, and genes of a, b are read"):
        sampler_of(relation="back_translated", anchors={"pairs": ["CTG:L"]})


def test_part_of_the_training_may_be_paired() -> None:
    sampler = sampler_of(relation="paired", pairs={"share": 0.25}, context=96, pool=8)
    paired = total = 0
    for step in range(32):
        for batch in sampler.step(step):
            pair = batch.extras["partner"] >= 0
            paired, total = paired + int(batch.lengths[pair].sum()), total + batch.real_tokens
    assert paired / total == pytest.approx(0.25, abs=0.02)


def test_validation_is_fixed_capped_and_whole() -> None:
    corpus = toy_corpus()
    first, again = sampler_of(corpus), sampler_of(corpus, seed=9)
    texts = list(first.validation())
    assert all(same(x, y) for x, y in zip(texts, again.validation(), strict=True))
    assert all(batch.tokens.numel() <= 768 for batch in texts)
    assert all(batch.step == -1 for batch in texts)
    rows = Counter(int(r) for batch in texts for r in batch.records)
    assert len(rows) == 2 * 2 * 6  # every tenth gene of sixty, two molecules, two species
    few = list(first.validation(tokens=100))
    per_group: Counter[tuple[int, int]] = Counter()
    for batch in few:
        keys = zip(batch.extras["species"].tolist(), batch.extras["molecule"].tolist(), strict=True)
        for key, length in zip(keys, batch.lengths.tolist(), strict=True):
            per_group[key] += length
    assert len(per_group) == 4
    assert max(per_group.values()) <= 100


def test_species_and_molecules_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="no species z"):
        sampler_of(species=("z",))
    corpus = ToyCorpus()
    corpus.add("a", "protein", "ACDEFGHIKL" * 3)
    with pytest.raises(InputError, match="no cds"):
        sampler_of(corpus, molecules=("cds",))
    with pytest.raises(InputError, match="min_tokens"):
        sampler_of(corpus, min_tokens=40)


def test_one_species_is_read_alone() -> None:
    corpus, lexicon = toy_corpus(), build_lexicon(["b"])
    sampler = Sampler(corpus, lexicon, ReadingSettings(species=("b",), **SMALL), 0)
    rows = {int(r) for b in sampler.step(0) for r in b.records}
    assert {corpus.rows[row]["species"] for row in rows} == {"b"}


def test_few_records_fill_many_steps() -> None:
    corpus = ToyCorpus()
    corpus.add("a", "protein", "ACDEFGHIKLMNPQRSTVWY")
    batches = sampler_of(corpus).step(100)
    assert len(batches) == 4
    assert all(batch.real_tokens == batch.tokens.numel() for batch in batches)
