from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from genomecli.errors import ConfigError, RunError
from genomecli.tasks.chance import most_by_chance
from genomecli.tasks.clusters import cluster, join, largest
from genomecli.tasks.duplicates import key_groups, linked, sequence_keys
from genomecli.tasks.examples import join_sequences
from genomecli.tasks.settings import SplitSettings
from tests.unit.tasks.made import examples, random_dna, random_protein, reverse_complement
from tests.unit.tasks.slow_aligned import slow_alike

KMER = SplitSettings(by="cluster", method="kmer")


def mutated(rng: np.random.Generator, text: str, letters: str, rate: float) -> str:
    return "".join(str(rng.choice(list(letters))) if rng.random() < rate else one for one in text)


def canonical(text: str, k: int) -> set[str]:
    words = {text[i : i + k] for i in range(len(text) - k + 1)}
    return {min(word, reverse_complement(word)) for word in words if not set(word) - set("ACGT")}


def chance(first: str, second: str, a: int, b: int, k: int, n: int) -> int:
    """What two texts with so many k-mers share by chance in a tenth of tables of n, by their letters."""
    both = [text + reverse_complement(text) for text in (first, second)]
    known = [Counter(text.replace("N", "")) for text in both]
    match = sum(known[0][c] / known[0].total() * known[1][c] / known[1].total() for c in "ACGT")
    expected = np.array([2 * a * b * match**k])
    return int(most_by_chance(expected, np.array([match]), 0.2 / n / (n - 1))[0])


def slow_clusters(texts: list[str], k: int, identity: float) -> list[int]:
    """Single linkage over all pairs: of k-mers as texts, then of what lies on each other."""
    sets = [canonical(text, k) for text in texts]
    n = len({min(text, reverse_complement(text)) for text in texts})
    label = list(range(len(texts)))
    proposed, equal = [], []
    for i, j in combinations(range(len(texts)), 2):
        shared, (fewer, more) = len(sets[i] & sets[j]), sorted((len(sets[i]), len(sets[j])))
        if min(texts[i], reverse_complement(texts[i])) == min(texts[j], reverse_complement(texts[j])):
            equal.append((i, j))
        elif shared >= max(identity**k * fewer, 2) and shared > chance(texts[i], texts[j], fewer, more, k, n):
            proposed.append((i, j))
    one_each = {min(texts[row], reverse_complement(texts[row])): row for row in range(len(texts))}.values()
    judged = len([pair for pair in proposed if set(pair) <= set(one_each)])
    for i, j in equal + [
        pair for pair in proposed if slow_alike(texts[pair[0]], texts[pair[1]], k, identity, judged)
    ]:
        old, new = label[j], label[i]
        label = [new if one == old else one for one in label]
    order = list(dict.fromkeys(label))
    return [order.index(one) for one in label]


@pytest.mark.parametrize("seed", range(4))
def test_dna_is_clustered_on_both_strands_as_by_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seeds = [random_dna(rng, 90) for _ in range(12)]
    texts = [mutated(rng, seeds[i % 12], "ACGT", 0.08 * (i % 4)) for i in range(48)]
    texts = [reverse_complement(text) if rng.random() < 0.5 else text for text in texts]
    texts += ["ACGTNNNNACGT", "ACG", "ACG", ""]
    found, how = cluster(examples(texts), SplitSettings(by="cluster", method="kmer", k=9, identity=0.8))
    assert found.tolist() == slow_clusters(texts, 9, 0.8)
    assert f"By {found.max() + 1} clusters (single linkage; identity at least about 0.8, judged by" in how


def test_proteins_are_clustered_by_their_own_letters() -> None:
    rng = np.random.default_rng(3)
    seeds = [random_protein(rng, 120) for _ in range(5)]
    texts = [mutated(rng, seeds[i % 5], "ACDEFGHIKLMNPQRSTVWY", 0.03) for i in range(25)]
    found, _ = cluster(examples(texts, "protein"), KMER)
    assert found.tolist() == [i % 5 for i in range(25)]


def test_a_part_of_a_sequence_is_similar_to_it_and_a_stranger_is_not() -> None:
    rng = np.random.default_rng(4)
    long = random_dna(rng, 400)
    texts = [long, long[100:180], reverse_complement(long[200:300]), random_dna(rng, 400)]
    assert cluster(examples(texts), KMER)[0].tolist() == [0, 0, 0, 1]


def test_pairs_are_similar_by_both_of_their_sequences() -> None:
    rng = np.random.default_rng(5)
    a, b, c, d = (random_protein(rng, 60) for _ in range(4))
    column = join_sequences("protein", [examples([x], "protein").sequences[0] for x in (b, b, d, d)])
    one = examples([a, a, c, a], "protein", pair=column)
    assert cluster(one, SplitSettings(by="cluster", identity=0.9))[0].tolist() == [0, 0, 1, 2]
    swapped = join_sequences("protein", [examples([x], "protein").sequences[0] for x in (b, a, d, b)])
    crossed = examples([a, b, a, c], "protein", pair=swapped)
    assert cluster(crossed, KMER)[0].tolist() == [0, 0, 1, 2]
    dna = join_sequences("dna", [examples([random_dna(rng, 60)]).sequences[0]] * 4)
    mixed = examples([a, mutated(rng, a, "ACDEFGHIKLMNPQRSTVWY", 0.1), c, d], "protein", pair=dna)
    assert cluster(mixed, KMER)[0].tolist() == [0, 0, 1, 2]


def test_equal_sequences_have_one_key_on_either_strand() -> None:
    texts = ["ACGTTT", reverse_complement("ACGTTT"), "ACGTTA", "ACGTTT"]
    one = examples(texts)
    assert key_groups(sequence_keys(one)).tolist() == [0, 0, 1, 0]
    assert key_groups(sequence_keys(one, both_strands=False)).tolist() == [0, 1, 2, 0]
    left, right = linked(np.array([0, 0, 1, 0]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1), (1, 3)]


def test_joined_groups_are_numbered_by_their_first_row() -> None:
    pairs = (np.array([0]), np.array([3]))
    assert join(np.array([0, 1, 2, 2, 3]), pairs).tolist() == [0, 1, 0, 0, 2]
    assert largest(np.array([0, 1, 0])) == 2


SCRIPT = """#!{python}
import sys
fasta, out = sys.argv[2], sys.argv[3]
assert sys.argv[1] == "easy-cluster" and "--min-seq-id" in sys.argv
names, texts = [], []
for line in open(fasta):
    (names if line[0] == ">" else texts).append(line.strip().lstrip(">"))
if "fail" in "{mode}":
    sys.exit("no memory")
with open(out + "_cluster.tsv", "w") as handle:
    for name, text in zip(names, texts):
        leader = next(n for n, t in zip(names, texts) if t[:3] == text[:3])
        print(leader, name, sep="\\t", file=handle)
"""


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str = "") -> None:
    """A program called mmseqs that joins sequences with one beginning."""
    import sys

    script = folder / "mmseqs"
    script.write_text(SCRIPT.format(python=sys.executable, mode=mode))
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_mmseqs_is_used_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    texts = ["MKVLA", "AKVLA", "MKVCC", "WWWWW", "AKVLA"]
    found, how = cluster(examples(texts, "protein"), SplitSettings(by="cluster", identity=0.4))
    assert found.tolist() == [0, 1, 0, 2, 1]
    assert how == "By 3 clusters (mmseqs, identity at least 0.4; the largest has 2 rows)."


def test_mmseqs_that_fails_is_a_failure_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "fail")
    with pytest.raises(RunError, match="mmseqs failed: no memory; set split.method to kmer"):
        cluster(examples(["MKV", "MKL"], "protein"), SplitSettings(by="cluster"))


def test_mmseqs_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="no mmseqs is on the PATH"):
        cluster(examples(["ACGT"]), SplitSettings(by="cluster", method="mmseqs"))
    assert "single linkage" in cluster(examples(["ACGT", "AC"]), SplitSettings(by="cluster"))[1]


def planted_families(alphabet: str, letters: str, size: int, seed: int) -> tuple[list[str], list[int]]:
    """Twelve ancestors with four descendants each, 85 % identical to it; and which is whose."""
    rng = np.random.default_rng(seed)
    texts, owners = [], []
    for family in range(12):
        ancestor = rng.choice(list(letters), size)
        for _ in range(4):
            child = ancestor.copy()
            places = rng.permutation(size)[: int(0.15 * size)]
            child[places] = rng.choice(list(letters), len(places))
            text = "".join(child)
            turned = alphabet == "dna" and rng.random() < 0.5
            texts.append(reverse_complement(text) if turned else text)
            owners.append(family)
    order = rng.permutation(len(texts))
    return [texts[i] for i in order], [owners[i] for i in order]


@pytest.mark.skipif(shutil.which("mmseqs") is None, reason="no mmseqs on the PATH")
@pytest.mark.parametrize(
    ("alphabet", "letters", "size"), [("protein", "ACDEFGHIKLMNPQRSTVWY", 200), ("dna", "ACGT", 400)]
)
def test_the_real_mmseqs_finds_planted_families(alphabet: str, letters: str, size: int) -> None:
    texts, owners = planted_families(alphabet, letters, size, seed=1)
    given = examples(texts, alphabet)
    for method in ("mmseqs", "kmer"):
        settings = SplitSettings(by="cluster", method=method, identity=0.6)
        found, how = cluster(given, settings)
        assert ("mmseqs" in how) == (method == "mmseqs")
        assert adjusted_rand_score(owners, found) == pytest.approx(1.0), method


@pytest.mark.parametrize("alphabet", ["protein", "dna"])
def test_mmseqs_clusters_proteins_unless_dna_is_asked_for(
    alphabet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch)
    given = examples(["ACGTACGA", "ACGTTTGA"], alphabet)
    assert ("mmseqs" in cluster(given, SplitSettings(by="cluster"))[1]) == (alphabet == "protein")
    assert "mmseqs" in cluster(given, SplitSettings(by="cluster", method="mmseqs"))[1]
