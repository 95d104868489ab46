"""The delivered tables and FASTA files, with the counts that their README states."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.annotation import AnnotatedContig
from genomecli.sequences.openers import open_input
from genomecli.tasks.examples import Examples
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.leakage import find_copies, leakage
from genomecli.tasks.loci import find_places
from genomecli.tasks.settings import SplitSettings
from genomecli.tasks.splits import split_examples
from genomecli.tasks.targets import fit_targets
from tests.unit.tasks.made import read, targets

SPECIES = ["athaliana", "dmelanogaster", "ecoli", "hsapiens", "hvolcanii", "ppastoris", "scerevisiae"]


def counts(raw: RawLabels) -> dict[str, int]:
    values = raw.values[raw.values >= 0]
    return {name: int((values == i).sum()) for i, name in enumerate(raw.names)}


def promoters(folder: Path) -> tuple[Examples, dict[str, RawLabels]]:
    place = folder / "classification"
    files = {
        "no": str(place / "ecoli_non_promoter.fasta.gz"),
        "promoter": str(place / "ecoli_promoter.fasta.gz"),
    }
    reading = read(
        {"classes": files}, "dna", promoter={}, sigma={"columns": "header", "pattern": r"(SIGMA\d+)"}
    )
    return reading.examples, dict(reading.raw)


def test_uci_splice_junctions(real_data: Path) -> None:
    path = str(real_data / "classification" / "uci_splice.data.gz")
    data = {"path": path, "columns": ["class", "name", "sequence"], "id": "name"}
    reading = read(data, "dna", site={"columns": "class"})
    assert counts(reading.raw["site"]) == {"EI": 767, "IE": 768, "N": 1655}
    assert set(reading.examples.sequences.lengths.tolist()) == {60}
    splits = split_examples(reading.examples, reading.raw, SplitSettings(by="stratified", folds=10), 0)
    assert {len(one.test) for one in splits} == {319}
    copies = find_copies(reading.examples)
    equal = sum(
        overlap.equal
        for one in splits
        for overlap in leakage(copies, reading.examples, reading.raw, one).overlaps
        if (overlap.side, overlap.other) == ("test", "train")
    )
    assert equal > 100  # this table repeats sequences: a random split of it leaks
    clustered = split_examples(reading.examples, reading.raw, SplitSettings(method="kmer", folds=10), 0)
    for one in clustered:
        found = leakage(copies, reading.examples, reading.raw, one)
        assert all(overlap.equal == overlap.similar == 0 for overlap in found.overlaps)


def test_ecoli_promoters_and_their_sigma_factors(real_data: Path) -> None:
    examples, raw = promoters(real_data)
    assert counts(raw["promoter"]) == {"no": 3382, "promoter": 3382}
    assert counts(raw["sigma"])["SIGMA70"] == 1644
    assert set(examples.sequences.lengths.tolist()) == {81}


def test_every_promoter_lies_in_the_genome(real_data: Path) -> None:
    examples, raw = promoters(real_data)
    places = find_places(examples, str(real_data / "genomes" / "ecoli_k12.gbk.gz"))
    found = np.unique(places.row)
    positive = raw["promoter"].values[found] == 1
    assert int(positive.sum()) == 3382
    assert int((~positive).sum()) == 3244


@pytest.mark.slow
def test_promoters_split_by_locus_leak_no_equal_row_and_few_repeats(real_data: Path) -> None:
    examples, raw = promoters(real_data)
    settings = SplitSettings(by="locus", genome=str(real_data / "genomes" / "ecoli_k12.gbk.gz"))
    (one,) = split_examples(examples, raw, settings, 0)
    assert "6626 of 6764 sequences lie in the genome" in one.how
    found = leakage(find_copies(examples), examples, raw, one)
    assert [overlap.equal for overlap in found.overlaps] == [0, 0, 0]
    # Repeats lie at many places: 2 percent of the rows have a relative on another side.
    assert 0 < sum(overlap.similar for overlap in found.overlaps) <= 40
    assert [len(rows) for rows in one.sides.values()] == pytest.approx([4735, 676, 1353], abs=5)
    share = [raw["promoter"].values[rows].mean() for rows in one.sides.values()]
    assert share == pytest.approx([0.5] * 3, abs=0.01)


@pytest.mark.parametrize(
    ("name", "data", "label", "rows"),
    [
        ("yeast_promoter_native", {}, "Measured Expression", 3782),
        ("yeast_promoter_random", {"sequence": "seq110"}, "meanEL", 5289),
        ("ecoli_transcript_abundance", {"sequence": "cds", "molecule": "cds"}, "logtpm", 3528),
        ("ecoli_protein_abundance", {"sequence": "cds", "molecule": "cds"}, "abundance", 3627),
        ("hvolcanii_transcript_abundance", {"sequence": "cds", "molecule": "cds"}, "logtpm", 3189),
    ],
)
def test_expression_tables(real_data: Path, name: str, data: dict[str, str], label: str, rows: int) -> None:
    path = str(real_data / "expression" / f"{name}.csv.gz")
    reading = read({"path": path, **data}, "dna", value={"columns": label})
    assert reading.raw["value"].form == "regression"
    assert len(reading.examples) == rows
    assert reading.raw["value"].known.all()
    if name.startswith("yeast"):
        assert set(reading.examples.sequences.lengths.tolist()) == {110}


def test_native_yeast_promoters_are_families_of_near_copies(real_data: Path) -> None:
    path = str(real_data / "expression" / "yeast_promoter_native.csv.gz")
    reading = read({"path": path}, "dna", value={"columns": "Measured Expression"})
    (one,) = split_examples(reading.examples, reading.raw, SplitSettings(method="kmer"), 0)
    assert int(one.group_of.max()) + 1 < 300
    found = leakage(find_copies(reading.examples), reading.examples, reading.raw, one)
    assert all(overlap.equal == overlap.similar == 0 for overlap in found.overlaps)


def test_coding_sequences_of_seven_species_are_classes(real_data: Path) -> None:
    files = {name: str(real_data / "cds" / f"calm_{name}.fasta") for name in SPECIES}
    reading = read({"classes": files, "molecule": "cds"}, "dna", species={})
    found = counts(reading.raw["species"])
    assert set(found) == set(SPECIES)
    assert min(found.values()) == 240
    assert max(found.values()) == 1631
    assert any("25 of 4358 coding sequences are no multiple of 3 long" in note for note in reading.notes)


def test_subcellular_location_with_its_split(real_data: Path) -> None:
    path = str(real_data / "classification" / "subcellular_location_sample.fasta")
    reading = read({"path": path}, "protein", location={})
    (one,) = split_examples(reading.examples, reading.raw, SplitSettings(), 0)
    assert [len(rows) for rows in one.sides.values()] == [115, 16, 3]
    fitted = fit_targets(reading, targets(location={}), one.train)
    assert len(fitted.targets["location"].classes) == 9


def test_flip_secondary_structure_out_of_its_zip(real_data: Path) -> None:
    place = f"{real_data / 'classification' / 'flip_secondary_structure.zip'}::splits"
    data = {
        "path": f"{place}/sequences.fasta",
        "labels": f"{place}/sampled.fasta",
        "mask": f"{place}/mask.fasta",
    }
    reading = read(data, "protein", ss={})
    assert len(reading.examples) == 11156
    assert reading.examples.split is not None
    assert Counter(reading.examples.split) == {"train": 9712, "valid": 1080, "test": 364}
    found = counts(reading.raw["ss"])
    assert set(found) == {"C", "E", "H"}
    assert sum(found.values()) < 2_845_094  # some are masked


def test_variants_are_tables_of_proteins(real_data: Path) -> None:
    for name, rows in (("blat_jacquier2013", 989), ("b2l11_dutta2010", 170)):
        data = {
            "path": str(real_data / "variants" / f"{name}.csv"),
            "sequence": "mutated_sequence",
            "id": "mutant",
        }
        reading = read(data, "protein", score={"columns": "DMS_score"}, bin={"columns": "DMS_score_bin"})
        assert len(reading.examples) == rows
        assert (reading.raw["score"].form, reading.raw["bin"].form) == ("regression", "class")


def test_coding_bases_of_a_genbank_file_in_windows(real_data: Path) -> None:
    path = str(real_data / "genomes" / "scerevisiae_chr1.gb")
    intervals = {"path": path, "classes": {"CDS:+": "forward", "CDS:-": "reverse"}}
    reading = read({"path": path, "intervals": intervals, "window": 1000}, "dna", part={})
    with open_input(path) as stream:
        (contig,) = read_annotated(stream, "genbank")
    expected = np.zeros(len(contig), dtype=np.int64)
    for strand, label in ((1, 1), (-1, 2)):
        for feature in contig.features:
            for start, end, own in feature.parts:
                if own == strand:
                    expected[start:end] = label
    assert reading.raw["part"].names == ("background", "forward", "reverse")
    assert reading.raw["part"].values.tolist() == expected.tolist()
    assert len(reading.examples) == -(-len(contig) // 1000)
    assert reading.examples.coordinates is not None
    assert reading.examples.coordinates[1] == (contig.id, 1000, 2000, "+")


class TestYeastIntrons:
    def reading(self, folder: Path) -> tuple[Examples, RawLabels]:
        data = {
            "path": str(folder / "classification" / "scerevisiae_genes_with_introns.fsa.gz"),
            "spliced": str(folder / "cds" / "scerevisiae.cds.fa.gz"),
        }
        reading = read(data, "dna", part={})
        assert len(reading.examples) == 270
        assert reading.dropped == ()
        return reading.examples, reading.raw["part"]

    def test_introns_begin_with_gt_and_end_with_ag(self, real_data: Path) -> None:
        examples, raw = self.reading(real_data)
        sites: Counter[tuple[str, str]] = Counter()
        for row in range(len(examples)):
            text, intron = examples.sequences.text(row), raw.labels.row(row) == 1
            edges = np.flatnonzero(np.diff(np.concatenate([[False], intron, [False]]).astype(np.int8)))
            sites.update((text[a : a + 2], text[b - 2 : b]) for a, b in edges.reshape(-1, 2).tolist())
        assert sites["GT", "AG"] == 267
        assert sites["GC", "AG"] == 7
        assert sites.total() == 276  # HAC1 is not cut by the spliceosome, and one is annotated otherwise

    def test_they_are_those_that_genbank_gives_for_chromosome_one(self, real_data: Path) -> None:
        examples, raw = self.reading(real_data)
        with open_input(real_data / "genomes" / "scerevisiae_chr1.gb") as stream:
            (contig,) = read_annotated(stream, "genbank")
        checked = 0
        for feature in contig.features:
            if len(feature.parts) < 2 or feature.locus_tag not in examples.ids:
                continue
            row = list(examples.ids).index(feature.locus_tag)
            assert raw.labels.row(row).tolist() == _exon_or_intron(contig, feature.parts)
            checked += 1
        assert checked >= 3


def _exon_or_intron(contig: AnnotatedContig, parts: tuple[tuple[int, int, int], ...]) -> list[int]:
    """0 in exons and 1 in introns of a gene, on its own strand."""
    start, end = min(a for a, _, _ in parts), max(b for _, b, _ in parts)
    label = np.ones(end - start, dtype=np.int64)
    for a, b, _ in parts:
        label[a - start : b - start] = 0
    assert len(contig) >= end
    return (label if parts[0][2] > 0 else label[::-1]).tolist()
