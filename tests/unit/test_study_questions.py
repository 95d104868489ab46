"""Tables of the study's further questions: each cell from the row that it is about."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from scripts.study.question_drawings import (
    _over_seeds,
    draw_code,
    draw_codes,
    draw_explained,
    draw_pooled,
    draw_species,
    draw_surprise,
)
from scripts.study.questions import (
    code_rows,
    explained_rows,
    pooled_rows,
    species_rows,
    surprise_rows,
    trend_rows,
)

Cells = tuple[object, ...]


def write(path: Path, columns: str, rows: list[Cells]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [columns.split(), *rows]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")


def measures(folder: Path, explained: float) -> None:
    about = "vectors layer tokens_seen similarity direction scope statistic value null95 low high"
    rows: list[Cells] = []
    for vectors, layer, tokens in (
        ("contextual", 2, 9),
        ("ppmi", "", 10),
        ("ppmi", "", 100),
        ("untrained", 2, 0),
    ):
        share = explained * (tokens == 100 or vectors == "contextual")
        own = (vectors, layer, tokens)
        among = ("centred", "codon_to_synonym")
        rows.append((*own, *among, "gc3", "explained", share, 0.01, "", ""))
        rows.append((*own, *among, "all", "mrr", 0.5, 0.3, 0.4, 0.6))
        rows.append((*own, *among, "without_gc3_and_frequency", "mrr", 0.7, 0.3, 0.4, 0.8))
        left = ("procrustes", "codon_to_amino")
        rows.append((*own, *left, "leave_one_amino_acid_out", "mrr", 0.2, 0.25, 0.1, 0.3))
        rows.append((*own, *left, "without_gc3_and_frequency", "mrr", 0.9, "", 0.1, 0.3))
    write(folder / "measures.tsv", about, rows)


def test_explained_takes_the_network_s_layers_and_word_counts_of_all_of_the_text(tmp_path: Path) -> None:
    measures(tmp_path / "composition" / "ecoli-disjoint" / "compared-1", 0.4)
    about = "species scope statistic value low high chance null95 p"
    cells = ("ecoli", "gc3", "explained", 0.1, "", "", "", 0.01, 0.5)
    write(tmp_path / "grammars" / "grammar.tsv", about, [cells])
    rows = {row["vectors"]: row for row in explained_rows(tmp_path)}
    assert set(rows) == {"pair ratios", "ppmi", "network"}
    assert [rows[name]["gc3"] for name in rows] == ["0.1", "0.4", "0.4"]
    assert rows["network"]["synonyms"] == "0.5"
    assert rows["network"]["synonyms_without"] == "0.7"
    assert rows["network"]["left_out_without"] == "0.9"
    assert rows["pair ratios"]["left_out"] == ""
    draw_explained(list(rows.values()), tmp_path / "explained.png")
    assert (tmp_path / "explained.png").stat().st_size > 5000


def test_shares_near_starts_are_over_those_inside_with_counting_error(tmp_path: Path) -> None:
    about = "codon amino_acid region n usage bits bits_low bits_high by_usage by_mean gain gain_low gain_high"
    figures = (9, 8, 10, 9.1, 9.2, 0.2, 0.1, 0.3)
    rows: list[Cells] = [
        ("AGG", "R", "all", 100, 0.01, *figures),
        ("AGG", "R", "first", 25, 0.04, *figures),
        ("AGG", "R", "inside", 75, 0.01, *figures),
        ("CTG", "L", "all", 50, 0.05, *figures),
    ]
    write(tmp_path / "composition" / "ecoli-disjoint" / "compared-1" / "codon_surprise.tsv", about, rows)
    found = {row["codon"]: row for row in surprise_rows(tmp_path)}
    assert float(str(found["AGG"]["first"])) == pytest.approx(2)
    half = 1.96 * math.sqrt(1 / 25 + 1 / 75) / math.log(2)
    assert float(str(found["AGG"]["first_high"])) == pytest.approx(2 + half, abs=1e-3)
    assert found["AGG"]["last"] == ""
    assert found["CTG"]["first"] == ""
    draw_surprise(list(found.values()), tmp_path / "surprise.png", "disjoint")
    assert (tmp_path / "surprise.png").is_file()


NAMES = ("ecoli", "hvolcanii", "spyogenes", "yeast")


def write_grammars(folder: Path) -> dict[frozenset[str], tuple[float, float]]:
    """Likeness and GC3 apart by pair, as written."""
    rng = np.random.default_rng(3)
    gc3 = dict(zip(NAMES, (0.5, 0.9, 0.3, 0.4), strict=True))
    rows: list[Cells] = []
    looked: list[Cells] = []
    truth = {}
    for place, a in enumerate(NAMES):
        for b in NAMES[place + 1 :]:
            value = float(rng.random())
            truth[frozenset((a, b))] = (value, round(abs(gc3[a] - gc3[b]), 3))
            for part in ("all", "beyond amino acids"):
                size = value if part == "all" else value / 2
                rank = "domain" if {a, b} == {"ecoli", "spyogenes"} else "life"
                rows.append((a, b, part, 61, 0.1, 0, 0.2, 0.01, size, gc3[a], gc3[b], rank))
            looked += [(a, b, "rotation", "same codon", 0.2), (b, a, "rotation", "same codon", 0.4)]
            looked += [(a, b, "same partners", "same codon", 0.9)]
    about = "a b part codons r low high p without_noise gc3_a gc3_b shared_rank"
    write(folder / "grammars" / "likeness.tsv", about, rows)
    write(folder / "grammars" / "lookups.tsv", "a b how looked_up mrr", looked)
    return truth


def test_pairs_of_species_hold_both_parts_and_the_mean_of_both_ways(tmp_path: Path) -> None:
    truth = write_grammars(tmp_path)
    rows = list(species_rows(tmp_path))
    assert len(rows) == 6
    for row in rows:
        value, apart = truth[frozenset((str(row["a"]), str(row["b"])))]
        assert float(str(row["without_noise"])) == pytest.approx(value)
        assert float(str(row["beyond_without_noise"])) == pytest.approx(value / 2)
        assert float(str(row["gc3_apart"])) == pytest.approx(apart)
        assert row["lookup_codon"] == "0.300"
        assert row["network_codon"] == ""
    draw_species(rows, tmp_path / "species.png")
    assert (tmp_path / "species.png").is_file()


def test_trends_are_held_against_every_way_to_deal_the_names(tmp_path: Path) -> None:
    truth = write_grammars(tmp_path)
    rows = {(r["nearness"], r["against"]): r for r in trend_rows(list(species_rows(tmp_path)))}
    pairs = sorted(truth, key=sorted)
    near = [truth[pair][0] for pair in pairs]
    seen = spearmanr(near, [truth[pair][1] for pair in pairs]).statistic
    below = []
    for way in permutations(NAMES):
        dealt = dict(zip(NAMES, way, strict=True))
        far = [truth[frozenset(dealt[name] for name in pair)][1] for pair in pairs]
        below.append(spearmanr(near, far).statistic <= seen + 1e-9)
    found = rows["without_noise", "gc3_apart"]
    assert float(str(found["spearman"])) == pytest.approx(seen, abs=0.006)
    assert float(str(found["p"])) == pytest.approx(np.mean(below), abs=6e-4)


def test_codes_say_what_is_possible_and_where_uga_lies(tmp_path: Path) -> None:
    place = tmp_path / "ladder" / "syn3a-paired" / "compared-1"
    place.mkdir(parents=True)
    about = {"species": "syn3a", "given": 4, "decided": False, "agrees": None, "place_of_given": 2, "p": 0.1}
    possible = [[1, 11], [4, 25]]
    codes = [{**about, "evidence": kind, "possible": possible} for kind in ("dna", "amino_acids")]
    (place / "summary.json").write_text(json.dumps({"genetic_codes": codes}), encoding="utf-8")
    columns = "species evidence codon rank nearest"
    write(place / "surprises.tsv", columns, [("syn3a", "amino_acids", "TGA", 1, "W:0.9 H:0.6")])
    rows = list(code_rows(tmp_path))
    assert [row["evidence"] for row in rows] == ["DNA", "DNA and protein"]
    assert [row["UGA_rank_of_W"] for row in rows] == ["", "1"]
    assert {row["classes_possible"] for row in rows} == {2}
    assert {row["given_possible"] for row in rows} == {1}
    draw_codes(rows, tmp_path / "codes.png")
    assert (tmp_path / "codes.png").is_file()


def test_a_pooled_network_has_a_row_a_species(tmp_path: Path) -> None:
    rows: list[Cells] = [
        ("bug", "left-out amino acids", 0.4, 0.2),
        ("bug", "plain cosine", 0.3, 0.25),
        ("cat", "left-out amino acids", 0.5, 0.21),
    ]
    path = tmp_path / "pooled" / "shared" / "compared-3" / "headline.tsv"
    path.parent.mkdir(parents=True)
    lines = [("species", "measure", "MRR", "shuffled 95 %"), *rows]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    about = "vectors layer frame species_a species_b similarity scope direction tokens_seen statistic value"
    left = ("procrustes", "leave_one_amino_acid_out", "codon_to_amino")
    kept: list[Cells] = []
    for vectors, layer, frame, species, other, tokens, value in (
        ("contextual", 0, 0, "bug", "bug", 9, 0.6),
        ("contextual", 0, 0, "bug", "bug", 8, 0.1),
        ("contextual", 0, 1, "bug", "bug", 9, 0.2),
        ("contextual", 2, 0, "bug", "bug", 9, 0.3),
        ("contextual", 0, 0, "bug", "cat", 9, 0.4),
        ("untrained", 0, 0, "bug", "bug", 9, 0.5),
    ):
        for statistic, share in (("mrr", 1.0), ("permutation_null95", 0.5)):
            kept.append((vectors, layer, frame, species, other, *left, tokens, statistic, value * share))
    write(path.parent / "measures.tsv", about, kept)
    runs = {"runs": [{"tokens_seen": 9}]}
    (path.parent / "summary.json").write_text(json.dumps(runs), encoding="utf-8")
    bug, cat = pooled_rows(tmp_path)
    assert (bug["left_out_embedding"], bug["left_out_embedding_shuffled_95"]) == ("0.6", "0.3")
    assert cat["left_out_embedding"] == ""
    assert (bug["network"], bug["seed"], bug["species"]) == ("shared", "3", "bug")
    assert (bug["left_out"], bug["left_out_shuffled_95"], bug["cosine"]) == ("0.4", "0.2", "0.3")
    assert (cat["left_out"], cat["cosine"]) == ("0.5", "")


def test_codons_are_drawn_as_means_of_seeds_within_all_of_their_intervals() -> None:
    about = {"species": "ecoli", "rung": "disjoint", "codon": "AGG", "amino_acid": "R"}
    rows = [
        {**about, "seed": seed, "gain": gain, "gain_low": low, "gain_high": high, "first": ""}
        for seed, gain, low, high in (("1", "0.2", "0.1", "0.3"), ("2", "0.4", "-0.1", "0.5"))
    ]
    (found,) = _over_seeds(rows)
    assert found["gain"] == pytest.approx(0.3)
    assert (found["gain_low"], found["gain_high"], found["first"]) == (-0.1, 0.5, "")


def test_pooled_networks_are_drawn_beside_those_of_one_species(tmp_path: Path) -> None:
    pooled = [
        {
            "network": name,
            "species": "ecoli",
            "left_out_embedding": 0.5,
            "left_out_embedding_shuffled_95": 0.3,
        }
        for name in ("shared", "per-species", "no-language")
    ]
    alone = [{"rung": "paired", "species": "ecoli", "layer_of_others": "0", "left_out_mrr_there": "0.8"}]
    draw_pooled(pooled, alone, tmp_path / "pooled.png")
    assert (tmp_path / "pooled.png").stat().st_size > 5000
    draw_pooled([], alone, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_the_code_s_picture_is_drawn_of_a_decipherment_that_is_there(tmp_path: Path) -> None:
    draw_code(tmp_path, tmp_path / "code.png")
    assert not (tmp_path / "code.png").exists()
    rows: list[Cells] = [
        ("".join(codon), *answer)
        for codon, answer in zip(
            ((a, b, c) for a in "TCAG" for b in "TCAG" for c in "TCAG"),
            16 * [("?", "F", 0.4, "F"), ("L", "L", 0.9, "S"), ("*", "", "", "*"), ("?", "K", 0.5, "R")],
            strict=True,
        )
    ]
    write(tmp_path / "codons.tsv", "codon answer best support stated", rows)
    about = {"codons": "spyogenes", "proteins": "bsubtilis", "stated_code": 11, "right": 60, "asked": 61}
    shares = {"decided_tokens": 0.7, "wrong_tokens": 0.0}
    (tmp_path / "summary.json").write_text(json.dumps(about | shares), encoding="utf-8")
    draw_code(tmp_path, tmp_path / "code.png")
    assert (tmp_path / "code.png").stat().st_size > 20000
