"""The study's tables: each network where it belongs, and no species that chooses its own layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.study.collect import Results, main
from scripts.study.ladder import (
    Row,
    chosen_layer,
    grouped,
    ladder_rows,
    layer_rows,
    networks,
    read_rows,
    training_rows,
)

COLUMNS = [
    "run",
    "vectors",
    "layer",
    "frame",
    "similarity",
    "direction",
    "scope",
    "statistic",
    "value",
    "tokens_seen",
    "low",
    "high",
    "null95",
]


def write_network(
    folder: Path, species: str, rung: str, seed: int, by_layer: dict[int, float], decided: bool = False
) -> None:
    """What ``mrr-compare`` leaves of a network with these figures at its end, and half of them before."""
    place = folder / "ladder" / f"{species}-{rung}" / f"compared-{seed}"
    place.mkdir(parents=True)
    kinds = [
        ("procrustes", "codon_to_amino", "leave_one_amino_acid_out"),
        ("centred", "codon_to_synonym", "all"),
    ]
    lines = ["\t".join(COLUMNS)]
    for layer, value in by_layer.items():
        for kind in kinds:
            for tokens, share in ((1000 + seed, 0.5), (2000 + seed, 1.0)):
                cells = ("x", "contextual", layer, 0, *kind, "mrr", value * share, tokens)
                lines.append(line(*cells, 0.5 * value, 1.5 * value))
            lines.append(line("x", "contextual", layer, 1, *kind, "mrr", 0.99, 2000 + seed))
            lines.append(line(*cells[:7], "permutation_null95", 0.1 + layer / 100, 2000 + seed))
        untold = ("procrustes", "codon_to_amino", "untold_left_out")
        lines.append(
            line(
                "x",
                "contextual",
                layer,
                0,
                *untold,
                "mrr",
                0.9 * value,
                2000 + seed,
                "",
                "",
                0.3 + layer / 100,
            )
        )
        lines.append(line("x", "untrained", layer, 0, *kinds[0], "mrr", 0.15 + layer / 100, 0))
    lines.append(line("x", "ppmi", "", 0, *kinds[0], "mrr", 0.4, 10000))
    (place / "measures.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    middle = {"value": by_layer[1], "low": 0.0, "high": 1.0}
    headline = {
        "frame": 0,
        "layer": 1,
        "left_out_amino_acids": middle,
        "left_out_shuffled_95": 0.25,
        "untrained": middle,
        "left_out_untold_codons": None,
        "synonymous_codons": middle,
        "synonymous_codons_between_blocks": None,
        "cosine": middle,
    }
    code = {
        "species": species,
        "evidence": "dna",
        "given": 11,
        "decided": decided,
        "agrees": None,
        "place_of_given": 1,
        "possible": [[11], [4]],
        "p": 1.0,
    }
    found = {"headlines": [headline], "runs": [{"tokens_seen": 2000 + seed}], "genetic_codes": [code]}
    (place / "summary.json").write_text(json.dumps(found), encoding="utf-8")
    run = place.with_name(f"seed-{seed}")
    run.mkdir()
    groups = [{"tokens_per_epoch": 700}, {"tokens_per_epoch": 50 * seed}]
    (run / "summary.json").write_text(json.dumps({"reading": {"groups": groups}}), encoding="utf-8")


def line(*cells: object) -> str:
    """A line of measures, filled up with empty cells."""
    return "\t".join(map(str, (*cells, *[""] * (len(COLUMNS) - len(cells)))))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_network(tmp_path, "ecoli", "disjoint", 1, {0: 0.9, 1: 0.2, 2: 0.1})
    write_network(tmp_path, "ecoli", "disjoint", 2, {0: 0.7, 1: 0.4, 2: 0.1})
    write_network(tmp_path, "yeast", "disjoint", 1, {0: 0.1, 1: 0.2, 2: 0.8})
    write_network(tmp_path, "ecoli", "paired", 1, {0: 0.3, 1: 0.5, 2: 0.6})
    return tmp_path


def test_the_layer_is_the_best_of_the_other_species(study: Path) -> None:
    groups = grouped(list(networks(study / "ladder")))
    assert list(groups) == [("ecoli", "disjoint"), ("ecoli", "paired"), ("yeast", "disjoint")]
    layers = list(layer_rows(groups))
    assert chosen_layer(layers, "ecoli", "disjoint") == 2
    assert chosen_layer(layers, "yeast", "disjoint") == 0
    assert chosen_layer(layers, "ecoli", "paired") is None
    rows = {(row["species"], row["rung"], row["seed"]): row for row in ladder_rows(groups, layers)}
    assert rows["ecoli", "disjoint", 1]["left_out_mrr"] == "0.200"
    assert rows["ecoli", "disjoint", 1]["left_out_mrr_there"] == "0.100"
    assert rows["yeast", "disjoint", 1]["left_out_mrr_there"] == "0.100"
    assert rows["yeast", "disjoint", 1]["shuffled_95_there"] == "0.100"
    assert rows["ecoli", "disjoint", 1]["shuffled_95_there"] == "0.120"
    assert (rows["yeast", "disjoint", 1]["low_there"], rows["yeast", "disjoint", 1]["high_there"]) == (
        "0.050",
        "0.150",
    )
    assert rows["ecoli", "disjoint", 1]["untrained_there"] == "0.170"
    # Of codons that nobody told the null stands beside the figure.
    assert rows["ecoli", "disjoint", 1]["untold_mrr_there"] == "0.090"
    assert rows["ecoli", "disjoint", 1]["untold_shuffled_95_there"] == "0.320"
    assert rows["ecoli", "paired", 1]["shuffled_95_there"] == ""
    assert rows["ecoli", "paired", 1]["left_out_mrr_there"] == ""


def test_a_mixture_of_species_chooses_no_layer_and_is_given_none(study: Path) -> None:
    write_network(study, "samples", "disjoint", 1, {0: 0.1, 1: 1.0, 2: 0.1})
    write_network(study, "hvolcanii", "disjoint", 1, {0: 0.1, 1: 1.0, 2: 0.1})
    layers = list(layer_rows(grouped(list(networks(study / "ladder")))))
    assert chosen_layer(layers, "ecoli", "disjoint") == 2
    assert chosen_layer(layers, "samples", "disjoint") is None
    assert chosen_layer(layers, "hvolcanii", "disjoint") == 0


def test_the_layer_is_the_best_over_networks_not_over_species() -> None:
    layers: list[Row] = [
        {
            "species": species,
            "rung": "paired",
            "measure": "left_out",
            "layer": layer,
            "seeds": n,
            "mean": mean,
        }
        for species, n, means in (("ecoli", 5, (0.6, 0.5)), ("yeast", "1", ("0.5", "0.9")))
        for layer, mean in enumerate(means)
    ]
    # Over species layer 1 is ahead (.70 beside .55); over six networks layer 0 is (3.5 beside 3.4).
    assert chosen_layer(layers, "syn3a", "paired") == 0
    assert chosen_layer(layers, "ecoli", "paired") == 1


def test_means_are_over_seeds_at_the_same_point_of_training(study: Path) -> None:
    groups = grouped(list(networks(study / "ladder")))
    ends = {
        (r["species"], r["rung"], r["layer"]): r for r in layer_rows(groups) if r["measure"] == "left_out"
    }
    assert ends["ecoli", "disjoint", 0]["mean"] == "0.800000"
    assert ends["ecoli", "disjoint", 0]["text"] == 775
    assert ends["ecoli", "disjoint", 0]["sd"] == "0.141"
    assert ends["yeast", "disjoint", 0]["sd"] == ""
    along = [
        r for r in training_rows(groups) if (r["species"], r["rung"], r["layer"]) == ("ecoli", "disjoint", 0)
    ]
    assert [(r["tokens"], r["left_out"]) for r in along] == [(1002, "0.400"), (2002, "0.800")]


def test_tables_and_figures_are_written_of_what_there_is(study: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    main(study, results)
    names = {path.name for path in results.iterdir()}
    figures = {"ladder.png", "training.png", "founding.png", "similarities.png", "codes.png"}
    assert names == {"ladder.tsv", "layers.tsv", "training.tsv", "static.tsv", "codes.tsv"} | figures
    assert all((results / name).stat().st_size > 5000 for name in figures)


def test_rows_of_jobs_that_are_elsewhere_are_kept(study: Path, tmp_path: Path) -> None:
    results, other, both = tmp_path / "results", tmp_path / "other", tmp_path / "both"
    main(study, results)
    write_network(other, "hvolcanii", "disjoint", 1, {0: 0.5, 1: 0.6, 2: 0.1})
    write_network(other, "ecoli", "disjoint", 3, {0: 0.2, 1: 0.3, 2: 0.4})
    write_network(other, "ecoli", "disjoint", 4, {0: 0.2, 1: 0.3, 2: 0.4})
    main(other, results, keep=True)
    rows = {(row["species"], row["rung"], row["seed"]): row for row in read_rows(results / "ladder.tsv")}
    # A rung's networks are replaced together; those of other rungs stay.
    assert list(rows) == [
        ("ecoli", "disjoint", "3"),
        ("ecoli", "disjoint", "4"),
        ("ecoli", "paired", "1"),
        ("hvolcanii", "disjoint", "1"),
        ("yeast", "disjoint", "1"),
    ]
    # Its layer is chosen by kept rows as well: layer 2, .4 and .8.
    assert rows["hvolcanii", "disjoint", "1"]["left_out_mrr_there"] == "0.100"
    # All at once or in two parts, the tables are the same, but for layers that are chosen otherwise now.
    write_network(both, "hvolcanii", "disjoint", 1, {0: 0.5, 1: 0.6, 2: 0.1})
    for seed in (3, 4):
        write_network(both, "ecoli", "disjoint", seed, {0: 0.2, 1: 0.3, 2: 0.4})
    write_network(both, "yeast", "disjoint", 1, {0: 0.1, 1: 0.2, 2: 0.8})
    write_network(both, "ecoli", "paired", 1, {0: 0.3, 1: 0.5, 2: 0.6})
    main(both, tmp_path / "whole")
    for name in ("layers", "training", "static"):
        assert read_rows(results / f"{name}.tsv") == read_rows(tmp_path / "whole" / f"{name}.tsv")
    whole = {
        (row["species"], row["rung"], row["seed"]): row
        for row in read_rows(tmp_path / "whole" / "ladder.tsv")
    }
    # Yeast was kept; E. coli's new seeds choose layer 2 for it, as the old ones of all layers chose 0.
    assert rows["yeast", "disjoint", "1"]["layer_of_others"] == "2"
    assert rows["yeast", "disjoint", "1"]["left_out_mrr_there"] == ""
    del rows["yeast", "disjoint", "1"], whole["yeast", "disjoint", "1"]
    assert rows == whole


def test_fewer_seeds_of_a_rung_do_not_replace_more(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, other = tmp_path / "results", tmp_path / "other"
    main(study, results)
    before = {path.name: path.read_bytes() for path in results.iterdir()}
    # A seed that is known already, with other answers: no table may take it.
    write_network(other, "ecoli", "disjoint", 1, {0: 0.2, 1: 0.3, 2: 0.4}, decided=True)
    main(other, results, keep=True)
    said = capsys.readouterr().out
    assert "ecoli, disjoint: 1 of 2 seeds are here" in said
    assert "ecoli-disjoint: 1 of 2 seeds are here" in said
    assert {path.name: path.read_bytes() for path in results.iterdir()} == before


def test_layers_are_chosen_by_more_digits_than_are_shown() -> None:
    layers: list[Row] = [
        {
            "species": "ecoli",
            "rung": "paired",
            "measure": "left_out",
            "layer": layer,
            "seeds": 1,
            "mean": mean,
        }
        for layer, mean in ((0, "0.499600"), (1, "0.500400"))
    ]
    assert chosen_layer(layers, "yeast", "paired") == 1
    assert chosen_layer(layers, "yeast", "paired", "cosine") is None


def test_a_table_of_before_may_lack_columns_that_are_new(tmp_path: Path) -> None:
    (tmp_path / "pooled.tsv").write_text("network\tleft_out\nold\t0.5\n", encoding="utf-8")
    row: Row = {"network": "new", "seed": 1, "left_out": "0.6"}
    found = Results(tmp_path, keep=True).write("pooled", [row], "network", each="seed")
    assert [(r["network"], r["seed"], r["left_out"]) for r in found] == [
        ("new", 1, "0.6"),
        ("old", "", "0.5"),
    ]
    assert [r["network"] for r in read_rows(tmp_path / "pooled.tsv")] == ["new", "old"]


def test_cells_of_other_sources_stay_where_they_are_not_at_hand(tmp_path: Path) -> None:
    (tmp_path / "species.tsv").write_text("a\tb\tr\tnetwork\nx\ty\t0.1\t0.3\n", encoding="utf-8")
    row: Row = {"a": "x", "b": "y", "r": "0.2", "network": ""}
    found = Results(tmp_path, keep=True).write("species", [row], "a", "b", fill=True)
    assert found == [{"a": "x", "b": "y", "r": "0.2", "network": "0.3"}]
    assert Results(tmp_path, keep=False).write("species", [row], "a", "b", fill=True) == [row]


def test_a_folder_of_jobs_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such folder"):
        main(tmp_path / "nowhere", tmp_path / "results")
    assert not (tmp_path / "results").exists()
