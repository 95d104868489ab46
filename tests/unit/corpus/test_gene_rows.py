from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.corpus.gene_rows import GeneRows
from genomecli.corpus.parts import PartRows, PartWriter
from genomecli.corpus.said import Said, said_of_header, said_of_record
from genomecli.corpus.settings import PolicySettings
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.annotation import TranslationException
from genomecli.sequences.headers import parse_header
from genomecli.sequences.records import Record


def write(folder: Path, genes: list[tuple[Said, str]], *, keep: bool = False, **said: Any) -> Any:
    policies = PolicySettings(**{"min_length": {"cds": 3, "protein": 1}, **said})
    with PartWriter(folder) as part:
        rows = GeneRows(part, policies, "f", pseudogenes=keep)
        for gene, text in genes:
            raw = np.frombuffer(text.encode(), dtype=np.uint8)
            rows.add("cds", gene, DNA.encode(text), ((raw & 32) >> 5).astype(np.uint8))
    tally = part.tallies()["cds"]
    tally.check("cds")
    found = PartRows(folder, "cds")
    return tally, found.columns, DNA.decode(np.fromfile(found.symbols, dtype=np.uint8)), found


def test_headers_give_the_frame_and_mark_pseudogenes(tmp_path: Path) -> None:
    shifted = said_of_header(parse_header(b"x [frame=2] [partial=5'] [gene=a]"), 1, "")
    pseudo = said_of_header(parse_header(b"y [pseudo=true]"), 1, "")
    tally, columns, text, _ = write(tmp_path, [(shifted, "CATGAAATAA"), (pseudo, "ATGAAATAA")])
    assert text == "ATGAAA"
    assert columns["partial5"].tolist() == [True]
    assert tally.cut["bases before the first whole codon"].symbols == 1
    assert set(tally.dropped) == {"pseudogene"}
    (tmp_path / "kept").mkdir()
    kept, *_ = write(tmp_path / "kept", [(pseudo, "ATGAAATAA")], keep=True)
    assert kept.kept.records == 1


def test_recoded_codons_are_no_internal_stops(tmp_path: Path) -> None:
    told = said_of_record(Record("x", DNA, DNA.encode(""), meta={"exceptions": ((1, "U"),)}), 1)
    wrong = said_of_record(Record("y", DNA, DNA.encode(""), meta={"exceptions": ((2, "U"),)}), 1)
    header = Said("z", table=1, exceptions=(TranslationException(((3, 6),), "U"),))
    text = "ATGTGAAAATAA"
    tally, columns, _, _ = write(tmp_path, [(told, text), (wrong, text), (header, text)])
    assert columns["id"].tolist() == ["x", "z"]
    assert set(tally.dropped) == {"internal stop"}
    assert told.recoded(4) == {1}
    assert header.recoded(4) == {0, 1, 2}


def test_a_soft_mask_begins_where_the_first_lower_case_letter_is(tmp_path: Path) -> None:
    genes = [
        (Said(f"g{i}", table=1), text)
        for i, text in enumerate(("ATGAAATAA", "ATGaaaTAA", "ATGTAA", "atgTAA"))
    ]
    _, columns, _, found = write(tmp_path, genes)
    assert columns["at"].tolist() == [0, 6, 12, 15]
    assert np.fromfile(found.soft, dtype=np.uint8).tolist() == [0] * 9 + [1] * 3 + [0] * 3 + [1] * 3
    (tmp_path / "plain").mkdir()
    *_, plain = write(tmp_path / "plain", genes, lower_case="ignore")
    assert plain.soft is None


def test_pieces_of_the_wrong_length_are_counted(tmp_path: Path) -> None:
    said = {"ambiguity": "split", "min_length": {"cds": 6}}
    tally, columns, text, _ = write(tmp_path, [(Said("x", table=1), "ATGAAANNNCCCNNNGGGTTTTAA")], **said)
    assert columns["id"].tolist() == ["x:1-6", "x:16-21"]
    assert columns["has_stop"].tolist() == [False, True]
    assert text == "ATGAAAGGGTTT"
    assert tally.cut["too short or too long piece"].symbols == 3
    assert tally.cut["ambiguity letters"].symbols == 6


@pytest.mark.parametrize("texts", [[("x", "MKV*")], [("x", "MKV"), ("x", "MKV")]])
def test_equal_sequences_have_equal_digests(tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    with PartWriter(tmp_path) as part:
        rows = GeneRows(part, PolicySettings(min_length={"protein": 1}), "f", pseudogenes=False)
        rows.add("cds", Said("c", table=1), DNA.encode("ATGAAAGTT" + "TAA" * 1), None)
        for name, text in texts:
            rows.add("protein", Said(name), PROTEIN.encode(text), None)
    assert "cds" in part.tallies()
    proteins = PartRows(tmp_path, "protein").columns
    assert len(set(proteins["digest"])) == 1


def test_a_cds_knows_the_digest_of_its_protein(tmp_path: Path) -> None:
    with PartWriter(tmp_path) as part:
        rows = GeneRows(part, PolicySettings(min_length={"protein": 1, "cds": 3}), "f", pseudogenes=False)
        rows.add("cds", Said("c", table=11), DNA.encode("GTGAAAGTTTAA"), None)
        rows.add("cds", Said("d", table=11, partial5=True), DNA.encode("GTGAAAGTTTAA"), None)
        rows.add("protein", Said("p"), PROTEIN.encode("MKV"), None)
        rows.add("protein", Said("q"), PROTEIN.encode("VKV"), None)
    cds, proteins = PartRows(tmp_path, "cds").columns, PartRows(tmp_path, "protein").columns
    assert cds["translation"].tolist() == proteins["digest"].tolist()


def test_letters_read_as_others_are_counted_in_kept_genes_alone(tmp_path: Path) -> None:
    with PartWriter(tmp_path) as part:
        rows = GeneRows(part, PolicySettings(min_length={"cds": 3}), "f", pseudogenes=False)
        for name, text in (("x", "AUGAAAUAA"), ("y", "AUG"), ("z", "ATGAAATAA")):
            rows.add("cds", Said(name, table=1), DNA.encode(text), None, aliased=text.count("U"))
    tally = part.tallies()["cds"]
    assert vars(tally.changed["U read as T"]) == {"records": 2, "symbols": 3}


@pytest.mark.parametrize("stop_codon", ["trim", "keep"])
def test_genes_bring_their_proteins_along(stop_codon: str, tmp_path: Path) -> None:
    """By their own codes; not those that are dropped, nor those that an ambiguity letter cuts."""
    genes = [
        (Said("plain", table=1, gene="a"), "ATGAAATGGTAA"),
        (Said("other start", table=11, gene="b"), "GTGAAACTGTAG"),
        (Said("code 4", table=4), "ATGTGATTTTAA"),
        (Said("no start", table=1, partial5=True), "GTGAAATAA"),
        (Said("stops inside", table=1), "ATGTAAAAATAA"),
        (Said("unknown", table=1), "ATGAAANNNAAATAA"),
        (Said("recoded", table=1, exceptions=(TranslationException(((3, 6),), "U"),)), "ATGTGAAAATAA"),
    ]
    policies = PolicySettings(min_length={"cds": 3, "protein": 1}, stop_codon=stop_codon, ambiguity="split")
    with PartWriter(tmp_path) as part:
        rows = GeneRows(part, policies, "f", pseudogenes=False, translated=True)
        for gene, text in genes:
            rows.add("cds", gene, DNA.encode(text), None)
    tallies = part.tallies()
    for name, tally in tallies.items():
        tally.check(name)
    found = PartRows(tmp_path, "protein")
    texts = PROTEIN.decode(np.fromfile(found.symbols, dtype=np.uint8))
    ends = np.cumsum(found.columns["length"]).tolist()
    proteins = {
        name: texts[begin:end]
        for name, begin, end in zip(found.columns["id"], [0, *ends], ends, strict=False)
    }
    whole = {"plain": "MKW", "other start": "MKL", "code 4": "MWF"}
    # A recoded codon reads X, where this policy splits.
    assert proteins == {**whole, "no start": "VK", "recoded:1-1": "M", "recoded:3-3": "K"}
    assert found.columns["gene"].tolist() == ["a", "b", "", "", "", ""]
    assert tallies["cds"].seen["not translated: cut at ambiguity letters"] == 1
    assert tallies["protein"].kept.records == 5
