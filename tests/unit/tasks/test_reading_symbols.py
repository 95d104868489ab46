"""Labels of single symbols: strings, masks, annotations, spliced sequences, windows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from genomecli.errors import ConfigError, InputError
from genomecli.tasks.targets import fit_targets
from tests.unit.tasks.made import random_dna, random_protein, read, reverse_complement, targets, write

RNG = np.random.default_rng(11)
PROTEINS = [random_protein(RNG, length) for length in (70, 64, 90)]


def fasta(records: list[tuple[str, str]]) -> str:
    return "".join(f">{header}\n{text}\n" for header, text in records)


def strings() -> list[str]:
    return ["".join(np.random.default_rng(i).choice(list("CEH"), len(p))) for i, p in enumerate(PROTEINS)]


class TestStrings:
    def test_labels_masks_and_sides_out_of_a_zip_as_flip_has_them(self, tmp_path: Path) -> None:
        path = tmp_path / "flip.zip"
        sides = ["SET=train VALIDATION=False", "SET=train VALIDATION=True", "SET=test VALIDATION=False"]
        masks = ["01" * 35, "1" * 64, "0" * 10 + "1" * 80]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("s/sequences.fasta", fasta(list(zip("abc", PROTEINS, strict=True))))
            headers = [f"{name} {side}" for name, side in zip("cab", [sides[2], *sides[:2]], strict=True)]
            one = strings()
            archive.writestr("s/labels.fasta", fasta(list(zip(headers, [one[2], *one[:2]], strict=True))))
            archive.writestr("s/mask.fasta", fasta(list(zip("abc", masks, strict=True))))
        data = {name: f"{path}::s/{file}.fasta" for name, file in
                (("path", "sequences"), ("labels", "labels"), ("mask", "mask"))}  # fmt: skip
        reading = read(data, "protein", ss={})
        assert reading.examples.split == ["train", "valid", "test"]
        fitted = fit_targets(reading, targets(ss={}), np.arange(3))
        assert fitted.targets["ss"].classes == ("C", "E", "H")
        assert fitted.targets["ss"].kind == "token"
        labels = fitted.examples.labels["ss"]
        for row, (text, mask) in enumerate(zip(strings(), masks, strict=True)):
            expected = ["CEH".index(letter) if m == "1" else -1 for letter, m in zip(text, mask, strict=True)]
            assert labels.row(row).tolist() == expected

    def test_a_record_without_labels_is_left_out_and_counted(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta(list(zip("abc", PROTEINS, strict=True))))
        labels = write(tmp_path / "l.fa", fasta(list(zip("ac", [strings()[0], strings()[2]], strict=True))))
        reading = read({"path": path, "labels": labels}, "protein", ss={})
        assert reading.examples.ids == ["a", "c"]
        assert [row.reason for row in reading.dropped] == ["no label string"]

    def test_records_that_the_mask_does_not_name_keep_all_labels_and_are_counted(
        self, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "s.fa", fasta(list(zip("abc", PROTEINS, strict=True))))
        labels = write(tmp_path / "l.fa", fasta(list(zip("abc", strings(), strict=True))))
        mask = write(tmp_path / "m.fa", fasta([("b", "0" * 14 + "1" * 50)]))
        reading = read({"path": path, "labels": labels, "mask": mask}, "protein", ss={})
        assert "The mask does not name 2 of 3 records: all of their labels count." in reading.notes
        raw = reading.raw["ss"].labels
        assert [int((raw.row(row) >= 0).sum()) for row in range(3)] == [70, 50, 90]
        full = write(
            tmp_path / "f.fa", fasta([(name, "1" * len(p)) for name, p in zip("abc", PROTEINS, strict=True)])
        )
        whole = read({"path": path, "labels": labels, "mask": full}, "protein", ss={})
        assert not any("mask" in note for note in whole.notes)

    def test_strings_without_a_sequence_are_counted(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a", PROTEINS[0])]))
        one = fasta([("a", strings()[0]), ("ghost", "CEH")])
        reading = read({"path": path, "labels": write(tmp_path / "l.fa", one)}, "protein", ss={})
        assert reading.notes == ("1 label string has no sequence: ghost.",)
        more = write(tmp_path / "m.fa", one + fasta([(name, "C") for name in "xyzw"]))
        reading = read({"path": path, "labels": more}, "protein", ss={})
        assert reading.notes == ("5 label strings have no sequence: ghost, x, y and 2 more.",)

    def test_other_ids_are_no_labels(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a", PROTEINS[0])]))
        labels = write(tmp_path / "l.fa", fasta([("x", strings()[0])]))
        with pytest.raises(InputError, match="holds none of the ids, such as 'a'; its own are such as 'x'"):
            read({"path": path, "labels": labels}, "protein", ss={})

    def test_letters_that_say_missing_and_letters_in_lower_case(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a", "MKVLA"), ("b", "MKVLAEE")]))
        labels = write(tmp_path / "l.fa", fasta([("a", "Hh-Cc"), ("b", "HHHHHh-")]))
        reading = read({"path": path, "labels": labels, "missing": ["", "-"]}, "protein", ss={})
        assert reading.raw["ss"].names == ("C", "H", "c", "h")
        assert reading.raw["ss"].values.tolist() == [1, 3, -1, 0, 2, 1, 1, 1, 1, 1, 3, -1]

    def test_a_column_of_a_table(self, tmp_path: Path) -> None:
        rows = "".join(
            f"{p}\t{s}\t{i % 2}\n" for i, (p, s) in enumerate(zip(PROTEINS, strings(), strict=True))
        )
        path = write(tmp_path / "t.tsv", "sequence\tss\tlabel\n" + rows)
        reading = read({"path": path}, "protein", ss={"kind": "token"}, label={})
        assert (reading.raw["ss"].form, reading.raw["label"].form) == ("token", "class")
        assert len(reading.raw["ss"].values) == sum(map(len, PROTEINS))

    def test_labels_that_no_target_takes(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a TARGET=x", PROTEINS[0])]))
        labels = write(tmp_path / "l.fa", fasta([("a", strings()[0])]))
        with pytest.raises(ConfigError, match="no target takes them; set the kind of one to token"):
            read({"path": path, "labels": labels}, "protein", ss={"kind": "binary"})


class TestIntervals:
    GENOME = random_dna(np.random.default_rng(1), 200)

    def labels(self, tmp_path: Path, name: str, text: str, classes: dict[str, str]) -> tuple[str, ...]:
        """The class of each base of the first contig, read with an annotation."""
        path = write(tmp_path / "g.fa", fasta([("chr1 first", self.GENOME), ("chr2", self.GENOME)]))
        annotation = write(tmp_path / name, text)
        reading = read({"path": path, "intervals": {"path": annotation, "classes": classes}}, "dna", part={})
        self.notes = reading.notes
        raw = reading.raw["part"]
        assert raw.declared
        return tuple(raw.names[value] for value in raw.labels.row(0).tolist())

    def test_gff3_with_overlaps_strands_and_a_background(self, tmp_path: Path) -> None:
        rows = [("gene", 11, 60, "+"), ("CDS", 21, 40, "+"), ("CDS", 101, 120, "-"), ("tRNA", 1, 5, "+")]
        text = "##gff-version 3\n" + "".join(
            f"chr1\tx\t{t}\t{a}\t{b}\t.\t{s}\t.\tID=1\n" for t, a, b, s in rows
        )
        found = self.labels(tmp_path, "a.gff3", text, {"gene": "gene", "CDS:+": "forward", "CDS": "reverse"})
        expected = ["background"] * 200
        expected[10:60] = ["gene"] * 50
        expected[20:40] = ["forward"] * 20
        expected[100:120] = ["reverse"] * 20
        assert list(found) == expected
        assert "Features of 1 other types are left out (tRNA 1)." in self.notes
        assert any("1 of 2 sequences have no feature" in note for note in self.notes)

    def test_the_class_that_is_named_last_wins(self, tmp_path: Path) -> None:
        text = "chr1\tx\tCDS\t21\t40\t.\t+\t0\tID=1\nchr1\tx\tgene\t11\t60\t.\t+\t.\tID=2\n"
        assert set(self.labels(tmp_path, "a.gff", text, {"CDS": "b", "gene": "a"})[10:60]) == {"a"}

    def test_bed_by_name_and_any_other(self, tmp_path: Path) -> None:
        text = "track name=x\nchr1\t0\t10\tpeak\t5\t+\nchr1\t20\t30\tother\nchr1 50 60\n"
        found = self.labels(tmp_path, "a.bed", text, {"peak": "peak", "*": "rest"})
        assert found[9:11] == ("peak", "background")
        assert set(found[20:30]) == set(found[50:60]) == {"rest"}

    def test_blocks_of_bed_are_exons(self, tmp_path: Path) -> None:
        row = ["chr1", "10", "60", "t1", "0", "+", "10", "60", "0", "2", "5,20,", "0,30,"]
        found = self.labels(tmp_path, "a.bed", "\t".join(row) + "\n", {"t1": "exon"})
        assert [i for i, name in enumerate(found) if name == "exon"] == [*range(10, 15), *range(40, 60)]

    def test_gtf(self, tmp_path: Path) -> None:
        text = 'chr1\tx\texon\t5\t9\t.\t-\t.\tgene_id "a"; transcript_id "b";\n'
        assert self.labels(tmp_path, "a.gtf", text, {"exon": "exon"})[3:10].count("exon") == 5

    def test_features_of_no_sequence_are_counted(self, tmp_path: Path) -> None:
        text = "chr1\t10\t20\tpeak\nchr2\t1\t2\tpeak\nchrX\t10\t20\tpeak\n"
        self.labels(tmp_path, "a.bed", text, {"peak": "peak"})
        assert self.notes == ("1 feature lies on chrX, which is no sequence.",)
        self.labels(tmp_path, "a.bed", text + "chrX\t1\t2\tpeak\nchrY\t1\t2\tpeak\n", {"peak": "peak"})
        said = "3 features lie on 2 contigs, such as chrX, chrY, which are no sequences."
        assert self.notes == (said,)

    def test_a_feature_beyond_the_end_is_cut_and_counted(self, tmp_path: Path) -> None:
        found = self.labels(tmp_path, "a.bed", "chr1\t190\t250\tpeak\n", {"peak": "peak"})
        assert found[189:191] == ("background", "peak")
        assert any("1 features end beyond their sequence" in note for note in self.notes)

    @pytest.mark.parametrize(
        ("text", "classes", "said"),
        [
            ("chr1\t0\t9\tpeak\n", {"Peak": "p"}, "has no feature of type 'Peak'; did you mean 'peak'"),
            (
                "chrX\t0\t9\tpeak\n",
                {"peak": "p"},
                r"its contigs \(chrX\) are none of the sequences' \(chr1, chr2",
            ),
            ("chr1\t0\tnine\tpeak\n", {"peak": "p"}, "a.bed, line 1; is no BED line"),
            ("chr1\t9\t0\tpeak\n", {"peak": "p"}, r"a.bed, line 1; ends before it starts \(9..0\)"),
        ],
    )
    def test_annotations_that_do_not_fit(
        self, tmp_path: Path, text: str, classes: dict[str, str], said: str
    ) -> None:
        with pytest.raises(InputError, match=said):
            self.labels(tmp_path, "a.bed", text, classes)


class TestSpliced:
    def test_exons_introns_and_genes_that_do_not_fit(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(8)
        a, b, intron = random_dna(rng, 90), random_dna(rng, 120), "GT" + random_dna(rng, 100) + "AG"
        genes = [("G1 x", a + intron + b), ("G2", random_dna(rng, 200)), ("G3", random_dna(rng, 90))]
        spliced = [("T1_mRNA cds chromosome:R:I:1:9:1 gene:G1", a + b), ("G2", random_dna(rng, 100))]
        data = {
            "path": write(tmp_path / "g.fa", fasta(genes)),
            "spliced": write(tmp_path / "c.fa.gz", fasta(spliced)),
        }
        reading = read(data, "dna", part={})
        assert reading.examples.ids == ["G1"]
        raw = reading.raw["part"]
        assert raw.names == ("exon", "intron")
        assert raw.values.tolist() == [0] * 90 + [1] * 104 + [0] * 120
        assert [row.reason for row in reading.dropped] == [
            "its spliced sequence is not found in it",
            "no spliced sequence of its id",
        ]
        assert "1 introns were located by spliced sequences." in reading.notes

    def test_the_other_strand_is_not_the_gene(self, tmp_path: Path) -> None:
        text = random_dna(np.random.default_rng(9), 120)
        data = {
            "path": write(tmp_path / "g.fa", fasta([("G1", text)])),
            "spliced": write(tmp_path / "c.fa", fasta([("G1", reverse_complement(text))])),
        }
        with pytest.raises(InputError, match="no row is left"):
            read(data, "dna", part={})

    def test_other_ids(self, tmp_path: Path) -> None:
        text = random_dna(np.random.default_rng(9), 120)
        data = {
            "path": write(tmp_path / "g.fa", fasta([("G1", text)])),
            "spliced": write(tmp_path / "c.fa", fasta([("X1", text)])),
        }
        with pytest.raises(InputError, match="names none of the genes, such as 'G1'"):
            read(data, "dna", part={})


class TestWindows:
    def test_labels_and_coordinates_go_with_the_windows(self, tmp_path: Path) -> None:
        genome = random_dna(np.random.default_rng(2), 95)
        path = write(tmp_path / "g.fa", fasta([("chr1", genome), ("chr2", genome[:20])]))
        bed = write(tmp_path / "a.bed", "chr1\t25\t35\tx\nchr2\t0\t5\tx\n")
        data = {"path": path, "intervals": {"path": bed, "classes": {"x": "in"}}, "window": 30}
        reading = read(data, "dna", part={})
        assert reading.examples.ids == ["chr1:1-30", "chr1:31-60", "chr1:61-90", "chr1:91-95", "chr2:1-20"]
        assert reading.examples.coordinates is not None
        assert reading.examples.coordinates[1] == ("chr1", 30, 60, "+")
        column = reading.examples.sequences
        assert "".join(column.text(i) for i in range(4)) == genome
        raw = reading.raw["part"]
        assert raw.labels.row(0).tolist() == [0] * 25 + [1] * 5
        assert raw.labels.row(1).tolist() == [1] * 5 + [0] * 25
        assert raw.labels.row(4).tolist() == [1] * 5 + [0] * 15
        shorter = read({**data, "min_length": 10}, "dna", part={})
        assert "chr1:91-95" not in shorter.examples.ids
        assert "1 last windows of a sequence are too short and left out." in shorter.notes

    def test_windows_without_a_label_are_left_out_and_counted(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a", "MKVLAEEMKVLAEE")]))
        labels = write(tmp_path / "l.fa", fasta([("a", "HHHHHHH-------")]))
        data = {"path": path, "labels": labels, "missing": "-", "window": 7}
        reading = read(data, "protein", ss={})
        assert reading.examples.ids == ["a:1-7"]
        assert "1 of 2 windows have no label and are left out." in reading.notes

    def test_a_mask_without_labels_of_symbols(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.fa", fasta([("a TARGET=x", "MKVLAEE"), ("b TARGET=y", "MKVLAEE")]))
        with pytest.raises(ConfigError, match="no target is of kind token"):
            read({"path": path, "mask": path}, "protein", ss={})

    def test_a_label_of_the_whole_is_that_of_each_window(self, tmp_path: Path) -> None:
        path = write(tmp_path / "g.fa", fasta([("a y=1", "ACGT" * 10), ("b y=2", "ACGTA")]))
        reading = read({"path": path, "window": 16}, "dna", y={})
        assert reading.raw["y"].values.tolist() == [0, 0, 0, 1]
        assert reading.examples.places[2] == "g.fa, record 'a'"

    def test_pairs_have_no_windows(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.tsv", "sequence\tother\ty\nACGTACGT\tACGT\t1\nACGTACGT\tACGT\t0\n")
        with pytest.raises(ConfigError, match=r"data\.window cuts single sequences"):
            read({"path": path, "pair": "other", "window": 4, "molecule": "genome"}, "dna", y={})
