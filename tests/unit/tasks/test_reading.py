from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import InputError
from tests.unit.tasks.made import random_dna, random_protein, read, write

RNG = np.random.default_rng(5)
DNA = [random_dna(RNG, 90) for _ in range(6)]
PROTEIN = [random_protein(RNG, 70) for _ in range(6)]


def fasta(records: list[tuple[str, str]]) -> str:
    return "".join(f">{header}\n{text[:40]}\n{text[40:]}\n" for header, text in records)


def table(sequences: list[str], labels: list[str]) -> str:
    return "sequence\tlabel\n" + "".join(
        f"{s}\t{label}\n" for s, label in zip(sequences, labels, strict=True)
    )


class TestFasta:
    def test_target_and_set_in_headers(self, tmp_path: Path) -> None:
        headers = ["s1 TARGET=Nucleus SET=train", "s2 TARGET=Cytoplasm SET=val", "s3 TARGET=Nucleus SET=test"]
        path = write(tmp_path / "a.fasta", fasta(list(zip(headers, PROTEIN, strict=False))))
        found = read({"path": path}, location={})
        assert found.examples.ids == ["s1", "s2", "s3"]
        assert found.examples.split == ["train", "valid", "test"]
        assert found.raw["location"].names == ("Nucleus", "Cytoplasm")
        assert found.examples.sequences.alphabet == "protein"
        assert found.examples.sequences.text(0) == PROTEIN[0]
        assert found.examples.places[1] == "a.fasta, record 's2'"

    def test_the_own_name_goes_before_target(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.fasta", fasta([("a TARGET=x site=1", DNA[0]), ("b TARGET=y", DNA[1])]))
        assert read({"path": path}, site={}).raw["site"].names == ("1", "y")

    def test_ids_by_a_word_of_the_headers_and_never_empty(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.fasta", fasta([("a TARGET=x locus=b1", DNA[0]), ("b TARGET=y", DNA[1])]))
        assert read({"path": path, "id": "locus"}, site={}).examples.ids == ["b1", "b"]
        assert read({"path": path, "id": "name"}, site={}).examples.ids == ["a", "b"]

    def test_target_is_that_of_the_one_target_without_a_word(self, tmp_path: Path) -> None:
        records = [("a TARGET=x site=1", DNA[0]), ("b TARGET=y site=2", DNA[1])]
        path = write(tmp_path / "a.fa", fasta(records))
        found = read({"path": path}, "dna", place={}, site={})
        assert (found.raw["place"].names, found.raw["site"].names) == (("x", "y"), ("1", "2"))
        assert found.raw["place"].columns == ("TARGET",)
        said = "one TARGET= for 2 targets: place, size; set targets.size.columns"
        with pytest.raises(InputError, match=said):
            read({"path": path}, "dna", place={}, size={}, site={})
        named = read({"path": path}, "dna", place={}, size={"columns": "header:1"}, site={})
        assert named.raw["size"].names == ("a", "b")

    def test_validation_in_headers(self, tmp_path: Path) -> None:
        headers = [
            "a SET=train VALIDATION=True",
            "b SET=train VALIDATION=False",
            "c SET=test VALIDATION=False",
        ]
        records = [(f"{h} TARGET={i}", s) for i, (h, s) in enumerate(zip(headers, DNA, strict=False))]
        found = read({"path": write(tmp_path / "a.fasta", fasta(records))}, label={})
        assert found.examples.split == ["valid", "train", "test"]

    def test_a_label_by_the_place_of_a_word_and_by_a_pattern(self, tmp_path: Path) -> None:
        headers = [
            "E1 a FORWARD 12 SIGMA24 STRONG",
            "E2 b REVERSE 13 SIGMA70STRONG",
            "E3 c FORWARD 14 STRONG",
        ]
        path = write(tmp_path / "a.fasta", fasta(list(zip(headers, DNA, strict=False))))
        found = read(
            {"path": path, "group": "header:3"},
            strand={"columns": "header:3"},
            sigma={"columns": "header", "pattern": r"(SIGMA\d+)"},
        )
        assert found.raw["strand"].names == ("FORWARD", "REVERSE")
        assert found.raw["sigma"].names == ("SIGMA24", "SIGMA70")
        assert found.raw["sigma"].values.tolist() == [0, 1, -1]
        assert found.examples.group == ["FORWARD", "REVERSE", "FORWARD"]

    def test_files_are_classes(self, tmp_path: Path) -> None:
        one = write(tmp_path / "one.fa", fasta([("1", DNA[0]), ("2", DNA[1])]))
        two = write(tmp_path / "two.fa.gz", fasta([("1 SIGMA70", DNA[2])]))
        found = read(
            {"classes": {"no": one, "1": [two]}},
            promoter={},
            sigma={"columns": "header", "pattern": r"(SIGMA\d+)"},
        )
        assert found.raw["promoter"].names == ("no", "1")
        assert found.raw["promoter"].values.tolist() == [0, 0, 1]
        assert found.raw["sigma"].values.tolist() == [-1, -1, 0]
        assert found.examples.ids == ["1", "2", "1"]

    def test_a_label_that_no_header_has(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.fasta", fasta([("a x=1", DNA[0])]))
        with pytest.raises(
            InputError, match="has no label 'location' in any row; write location= or TARGET="
        ):
            read({"path": path}, location={})


class TestAlphabets:
    def test_lower_case_u_iupac_and_blanks(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(["acgu ACGU", "RYKMSWNNNN", "ACGTACGTAC"], ["a", "b", "a"]))
        found = read({"path": path}, "dna", label={})
        assert [found.examples.sequences.text(i) for i in range(2)] == ["ACGTACGT", "RYKMSWNNNN"]
        assert "sequence: U is read as T in 1 rows." in found.notes
        assert "sequence: 1 rows have letters that stand for several." in found.notes

    def test_a_protein_table_for_a_model_of_dna(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(PROTEIN, list("ababab")))
        with pytest.raises(InputError, match="a.tsv, line 2; holds protein, and the model reads DNA only"):
            read({"path": path}, "dna", label={})

    def test_a_dna_table_for_a_model_of_proteins(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(DNA, list("ababab")))
        with pytest.raises(InputError, match="a.tsv, line 2; holds DNA, and the model reads protein only"):
            read({"path": path}, "protein", label={})

    def test_letters_that_contradict_the_molecule(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(PROTEIN, list("ababab")))
        with pytest.raises(InputError, match="looks like protein, and data.molecule is cds"):
            read({"path": path, "molecule": "cds"}, label={})

    def test_short_peptides_take_the_alphabet_of_the_model(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(["MKV", "AGC"], ["a", "b"]))
        assert read({"path": path}, "protein", label={}).examples.sequences.alphabet == "protein"
        with pytest.raises(
            InputError, match="does not show by its letters whether it is DNA or protein; set data.mol"
        ):
            read({"path": path}, label={})

    def test_one_odd_row_does_not_turn_a_small_table(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table([DNA[0], "MKVLEE"], ["a", "b"]))
        with pytest.raises(InputError, match="line 3; its sequence has 3 letters that are not DNA"):
            read({"path": path}, label={})
        path = write(tmp_path / "a.tsv", table([PROTEIN[0], DNA[0][:30]], ["a", "b"]))
        assert read({"path": path}, label={}).examples.sequences.alphabet == "protein"

    def test_pairs_may_be_of_two_alphabets(self, tmp_path: Path) -> None:
        lines = "".join(f"{d}\t{p}\t{i % 2}\n" for i, (d, p) in enumerate(zip(DNA, PROTEIN, strict=True)))
        path = write(tmp_path / "a.tsv", "gene\tprotein\tbinds\n" + lines)
        found = read({"path": path, "sequence": "gene", "pair": "protein"}, "dna", binds={})
        assert found.examples.pair is not None
        assert (found.examples.sequences.alphabet, found.examples.pair.alphabet) == ("dna", "protein")
        assert found.examples.pair.text(3) == PROTEIN[3]


class TestRowsThatAreLeftOut:
    def test_by_length(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(["ACG", "ACGTACGTAC", "ACGTACGTACGTACG"], ["a", "b", "a"]))
        found = read({"path": path, "min_length": 5, "max_length": 12}, label={})
        assert found.examples.ids == ["row_2"]
        assert [(row.place, row.reason) for row in found.dropped] == [
            ("a.tsv, line 2", "too short"),
            ("a.tsv, line 4", "too long"),
        ]

    def test_without_any_label(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "a.tsv", "sequence\ta\tb\nACGTACGTAA\tx\t\nACGTACGTAC\t\tNA\nACGTACGTAG\t\t1.5\n"
        )
        found = read({"path": path}, a={}, b={})
        assert found.examples.ids == ["row_1", "row_3"]
        assert found.raw["a"].values.tolist() == [0, -1]
        assert np.isnan(found.raw["b"].values[:, 0]).tolist() == [True, False]
        assert [row.reason for row in found.dropped] == ["no label"]

    def test_without_a_set_of_classes_it_is_said_how_to_write_an_empty_one(self, tmp_path: Path) -> None:
        text = "sequence\ta\nACGTACGTAA\tx|y\nACGTACGTAC\t\nACGTACGTAG\t|\n"
        found = read({"path": write(tmp_path / "a.tsv", text)}, a={"separator": "|"})
        assert found.examples.ids == ["row_1", "row_3"]
        said = "no label (write a lone | for none of the classes)"
        assert [row.reason for row in found.dropped] == [said]

    def test_defects_are_dropped_and_counted_where_the_settings_say_so(self, tmp_path: Path) -> None:
        rows = ["ACGTACGTAA\t1.5", "\t2.5", "ACGTXXACGT\t0.5", "ACGTACGTAC\tno", "ACGTACGTAG\t-1e-4"]
        path = write(tmp_path / "a.tsv", "sequence\tvalue\n" + "\n".join(rows) + "\n")
        found = read({"path": path, "invalid": "drop"}, "dna", value={"kind": "regression"})
        assert found.examples.ids == ["row_1", "row_5"]
        assert found.raw["value"].values[:, 0].tolist() == [1.5, -1e-4]
        assert Counter(row.reason for row in found.dropped) == {
            "empty sequence": 1,
            "wrong alphabet": 1,
            "label not a number": 1,
        }

    def test_none_is_left(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", table(["ACGTACGTAC"], ["a"]))
        with pytest.raises(
            InputError, match="line 2; no row is left; all are dropped, the first for: too sh"
        ):
            read({"path": path, "min_length": 50}, label={})


def test_coding_sequences_that_end_within_a_codon_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", table(["ATGAAATTTTAA", "ATGAAATTTTA", "ATGAAATTTT"], ["a", "b", "a"]))
    found = read({"path": path, "molecule": "cds"}, label={})
    assert any("2 of 3 coding sequences are no multiple of 3 long" in note for note in found.notes)
    framed = read({"path": path, "molecule": "cds", "frame": 1}, label={})
    assert any("2 of 3 coding sequences" in note for note in framed.notes)


def test_ids_split_group_and_covariates(tmp_path: Path) -> None:
    header = "name,sequence,label,part,family,age,dose\n"
    rows = [
        f"g{i},{DNA[i]},{'ab'[i % 2]},{('Training', 'dev', 'TEST')[i % 3]},f{i // 2},{i}.5," for i in range(6)
    ]
    path = write(tmp_path / "a.csv", header + "\n".join(rows).replace("5.5,", "5.5,7") + "\n")
    data = {"path": path, "id": "name", "split": "part", "group": "family", "covariates": ["age", "dose"]}
    found = read(data, label={}).examples
    assert found.ids[5] == "g5"
    assert found.split == ["train", "valid", "test"] * 2
    assert found.group == ["f0", "f0", "f1", "f1", "f2", "f2"]
    assert found.covariates is not None
    assert found.covariates[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert np.isnan(found.covariates[:, 1]).tolist() == [True] * 5 + [False]
    assert found.covariate_names == ("age", "dose")


def test_reading_without_labels_serves_new_sequences(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fa", fasta([("x", DNA[0]), ("y", DNA[1])]))
    found = read({"path": path}, "dna")
    assert found.raw == {}
    assert len(found.examples) == 2


def test_a_column_group_is_taken_by_its_name(tmp_path: Path) -> None:
    rows = [f"{text}\t{i % 2}\tf{i // 2}\t{i}" for i, text in enumerate(DNA)]
    path = write(tmp_path / "a.tsv", "sequence\tlabel\tgroup\tother\n" + "\n".join(rows) + "\n")
    families = [f"f{i // 2}" for i in range(len(DNA))]
    assert read({"path": path}, "dna", label={}).examples.group == families
    assert read({"path": path, "group": "other"}, "dna", label={}).examples.group == [
        str(i) for i in range(len(DNA))
    ]
    # It is no group where it is what is predicted.
    assert read({"path": path}, "dna", label={}, group={}).examples.group is None
    assert read({"path": path}, "dna", label={}, family={"columns": "group"}).examples.group is None
