from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest

from genomecli.corpus.families import CROWD, NEAR, SimilarPairs, _proposals, families
from genomecli.corpus.sketches import kmers, sketch
from genomecli.sequences.alphabets import DNA, PROTEIN


def provider(texts: list[str], chunk: int = 3) -> Any:
    def chunks() -> Iterator[Any]:
        for begin in range(0, len(texts), chunk):
            part = texts[begin : begin + chunk]
            offsets = np.concatenate([[0], np.cumsum([len(text) for text in part])]).astype(np.int64)
            yield np.arange(begin, begin + len(part)), PROTEIN.encode("".join(part)), offsets

    return chunks


def words(text: str, k: int) -> set[str]:
    plain = set(PROTEIN.symbols[:20])
    return {text[i : i + k] for i in range(len(text) - k + 1) if set(text[i : i + k]) <= plain}


def slow_families(texts: list[str], k: int, share: float) -> list[int]:
    sets = [words(text, k) for text in texts]
    label = list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        fewer = min(len(sets[i]), len(sets[j]))
        if fewer and len(sets[i] & sets[j]) >= max(share * fewer - 1e-9, 1):
            old, new = label[j], label[i]
            label = [new if one == old else one for one in label]
    order = list(dict.fromkeys(label))
    return [order.index(one) for one in label]


def relatives(rng: np.random.Generator, parents: int, children: int) -> list[str]:
    letters = np.array(list(PROTEIN.symbols[:20]))
    texts = []
    for _ in range(parents):
        parent = rng.choice(letters, rng.integers(8, 120))
        for rate in rng.uniform(0, 0.6, rng.integers(1, children)):
            child = parent.copy()
            hit = rng.random(len(child)) < rate
            child[hit] = rng.choice(letters, hit.sum())
            texts.append("".join(child))
    return [texts[i] for i in rng.permutation(len(texts))]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_families_equal_those_of_all_pairs(seed: int, share: float) -> None:
    texts = [*relatives(np.random.default_rng(seed), 20, 8), "", "MK", "MKXXXX*AB", "ACDEFGHIK"]
    found = families(SimilarPairs(sketch(provider(texts), len(texts), 5)), share)
    assert found.tolist() == slow_families(texts, 5, share)


def test_crowded_k_mers_join_a_family_larger_than_a_crowd() -> None:
    rng = np.random.default_rng(5)
    letters = np.array(list(PROTEIN.symbols[:20]))
    parent = rng.choice(letters, 200)
    texts = []
    for _ in range(4 * CROWD):
        child = parent.copy()
        hit = rng.random(200) < 0.03
        child[hit] = rng.choice(letters, hit.sum())
        texts.append("".join(child))
    domain = "".join(parent[:30])
    texts += ["".join(rng.choice(letters, 300)) + domain for _ in range(3 * CROWD)]
    found = families(SimilarPairs(sketch(provider(texts), len(texts), 6)), 0.3)
    assert found.tolist() == slow_families(texts, 6, 0.3)


def test_given_pairs_are_joined() -> None:
    sketches = SimilarPairs(sketch(provider(["", "", "MK"]), 3, 6))
    assert families(sketches, 0.1).tolist() == [0, 1, 2]
    assert families(sketches, 0.1, (np.array([0]), np.array([2]))).tolist() == [0, 1, 0]


def test_k_mers_never_cross_a_border_or_an_ambiguous_residue() -> None:
    owner, word = kmers(PROTEIN.encode("AACX" + "CAAC"), np.array([0, 4, 8]), 3)
    assert owner.tolist() == [0, 1, 1]
    assert word.tolist() == [1, 400, 1]


def test_a_sample_of_k_mers_is_the_same_for_equal_genes() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list(PROTEIN.symbols[:20]), 400)) for _ in range(10)] * 2
    sampled = sketch(provider(texts), 20, 6, budget=2000)
    assert 0 < sampled.size.mean() < 200
    assert families(SimilarPairs(sampled), 0.9).tolist() == [*range(10), *range(10)]


def test_no_genes() -> None:
    assert families(SimilarPairs(sketch(provider([]), 0, 6)), 0.1).tolist() == []


def test_kmers_of_dna_are_the_same_on_both_strands() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 200).astype(np.uint8)
    codes[50] = DNA.symbols.index("N")
    offsets = np.array([0, 200])
    for k in (3, 4, 12, 31):
        plain = kmers(codes, offsets, k, DNA)[1]
        forward = kmers(codes, offsets, k, DNA, both_strands=True)[1]
        reverse = kmers(DNA.reverse_complement(codes), offsets, k, DNA, both_strands=True)[1]
        assert sorted(forward.tolist()) == sorted(reverse.tolist())
        assert len(plain) == len(forward) == (201 - k) - k
        assert (forward <= plain).all()


def test_a_kmer_of_dna_is_its_digits_to_base_four() -> None:
    assert kmers(DNA.encode("ACGT"), np.array([0, 4]), 3, DNA)[1].tolist() == [6, 27]
    assert kmers(DNA.encode("ACGT"), np.array([0, 4]), 3, DNA, both_strands=True)[1].tolist() == [6, 6]


@pytest.mark.parametrize("seed", range(4))
def test_pairs_that_cannot_reach_the_least_share_change_nothing_above_it(seed: int) -> None:
    texts = relatives(np.random.default_rng(seed), 12, 30)
    sketches = sketch(provider(texts), len(texts), 5)
    every, few = SimilarPairs(sketches), SimilarPairs(sketches, 0.3)
    for share in (0.3, 0.5):
        expected = {*zip(*(side.tolist() for side in every.at(share)), strict=True)}
        found = {*zip(*(side.tolist() for side in few.at(share)), strict=True)}
        assert found == expected
    sets = [words(text, 5) for text in texts]
    for i, j in zip(*few.at(0.3), strict=True):
        assert i < j
        assert len(sets[i] & sets[j]) >= 0.3 * min(len(sets[i]), len(sets[j])) - 1e-9


@pytest.mark.parametrize("k", [1, 2, 5, 6, 7, 12])
def test_kmers_of_proteins_are_their_digits_to_base_twenty(k: int) -> None:
    rng = np.random.default_rng(k)
    codes = rng.integers(0, 22, 300).astype(np.uint8)
    codes[100:160] = rng.integers(0, 20, 60)
    offsets = np.array([0, 90, 90, 200, 300])
    owner, word = kmers(codes, offsets, k)
    expected = [
        (record, sum(int(code) * 20**power for power, code in enumerate(codes[at : at + k][::-1])))
        for record in range(4)
        for at in range(offsets[record], offsets[record + 1] - k + 1)
        if codes[at : at + k].max() < 20
    ]
    assert list(zip(owner.tolist(), word.tolist(), strict=True)) == expected


def test_chance_does_not_join_genes_of_which_some_k_mers_are_used() -> None:
    rng = np.random.default_rng(3)
    letters = np.array(list(PROTEIN.symbols[:20]))
    texts = ["".join(rng.choice(letters, int(size))) for size in rng.integers(20, 200, 1500)]
    total = sum(map(len, texts))
    joined = families(SimilarPairs(sketch(provider(texts), len(texts), 4, budget=total // 8)), 0.1)
    apart = families(SimilarPairs(sketch(provider(texts), len(texts), 4, budget=total // 8, least=2)), 0.1)
    assert np.bincount(joined).max() > 750  # what happened without
    assert np.bincount(apart).max() < 75
    whole = sketch(provider(texts), len(texts), 4, least=2)
    assert whole.least == 1  # where all k-mers are used, a short gene may have but one


@pytest.mark.parametrize("least", [1, 2])
def test_shared_k_mers_of_crowds_and_of_few_add_up(least: int) -> None:
    rng = np.random.default_rng(8)
    letters = np.array(list("ACDEFG"))  # few letters: many k-mers in more genes than a crowd has
    texts = ["".join(rng.choice(letters, int(size))) for size in rng.integers(10, 60, 150)]
    sketches = sketch(provider(texts), len(texts), 3, budget=sum(map(len, texts)) - 1, least=least)
    assert (np.diff(sketches.starts) > CROWD).any()
    owned: list[set[int]] = [set() for _ in texts]
    for word, (begin, end) in enumerate(pairwise(sketches.starts.tolist())):
        for gene in sketches.owner[begin:end].tolist():
            owned[gene].add(word)
    size = np.diff(sketches.starts)
    left, right = SimilarPairs(sketches).at(0.4)
    named = set(zip(left.tolist(), right.tolist(), strict=True))
    assert named
    for i, j in combinations(range(len(texts)), 2):
        fewer, shared = min(len(owned[i]), len(owned[j])), len(owned[i] & owned[j])
        alike = bool(fewer) and shared >= max(np.ceil(0.4 * fewer - 1e-9), least)
        proposed = any(size[word] <= CROWD for word in owned[i] & owned[j])  # of crowds not all pairs are
        assert ((i, j) in named) == alike if proposed else alike or (i, j) not in named


@pytest.mark.parametrize("k", [3, 6, 14])  # a word of 14 residues leaves no room for a gene beside it
def test_a_sketch_is_the_distinct_words_of_each_gene(k: int) -> None:
    texts = [*relatives(np.random.default_rng(k), 12, 8), "", "MK", "MKXXXX*ABMKLV" * 4]
    found = sketch(provider(texts), len(texts), k)
    owned = [words(text, k) for text in texts]
    code = dict(zip(PROTEIN.symbols, range(len(PROTEIN)), strict=True))
    every = sorted(set().union(*owned), key=lambda word: [code[letter] for letter in word])
    owners = [[gene for gene, mine in enumerate(owned) if word in mine] for word in every]
    assert found.owner.tolist() == [gene for genes in owners for gene in genes]
    assert np.diff(found.starts).tolist() == [len(genes) for genes in owners]
    assert found.size.tolist() == [len(mine) for mine in owned]


@pytest.mark.parametrize("pending", [1, 100, 1 << 20])
def test_crowds_propose_the_pairs_that_they_do_one_by_one(
    pending: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genomecli.corpus.families.PENDING", pending)
    rng = np.random.default_rng(9)
    letters = np.array(list("ACDE"))
    texts = ["".join(rng.choice(letters, int(size))) for size in rng.integers(3, 40, 120)]
    sketches = sketch(provider(texts), len(texts), 3)
    expected: set[tuple[int, int]] = set()
    for begin, end in pairwise(sketches.starts.tolist()):
        genes = sorted(sketches.owner[begin:end].tolist(), key=lambda gene: (-int(sketches.size[gene]), gene))
        if len(genes) > CROWD:
            near = [pair for step in range(1, NEAR + 1) for pair in zip(genes, genes[step:], strict=False)]
            expected |= {
                (min(pair), max(pair)) for pair in [*near, *((genes[0], gene) for gene in genes[1:])]
            }
    found = _proposals(sketches, np.diff(sketches.starts), 7)
    assert found.tolist() == sorted(left << 7 | right for left, right in expected)
