"""A deciphered dictionary: what it holds becomes anchors; what is no such file is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.commands.dictionary import read_dictionary
from genomecli.corpus.reading_settings import AnchorSettings, ReadingSettings
from genomecli.errors import InputError
from genomecli.files import write_manifest

TABLE = "codon\tanswer\tsupport\nCTG\tS\t1\nTAA\t*\t\nATA\t?\t0.4\nTAG\t-\t\nATG\tM\t0.95\n"


def test_decided_codons_become_anchors(tmp_path: Path) -> None:
    (tmp_path / "codons.tsv").write_text(TABLE, encoding="utf-8")
    assert read_dictionary(tmp_path / "codons.tsv") == ("CTG:S", "ATG:M")
    assert read_dictionary(tmp_path) == ("CTG:S", "ATG:M")
    settings = AnchorSettings(pairs=read_dictionary(tmp_path))
    assert settings.pairs == ("CTG:S", "ATG:M")


def test_undecided_codons_are_guessed_where_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "codons.tsv"
    path.write_text(
        "codon\tanswer\tbest\tsupport\nCTG\tS\tS\t1\nTAA\t*\t\t\nATA\t?\tI\t0.4\nTAG\t?\t*\t0.8\nAAA\t?\tK\t0.1\n",
        encoding="utf-8",
    )
    assert read_dictionary(path) == ("CTG:S",)
    assert read_dictionary(path, 0.4) == ("CTG:S", "ATA:I")
    assert read_dictionary(path, 0.0) == ("CTG:S", "ATA:I", "AAA:K")
    path.write_text(TABLE, encoding="utf-8")
    with pytest.raises(InputError, match="has no columns codon, answer, best, support"):
        read_dictionary(path, 0.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("codon\treading\nCTG\tS\n", "no columns"),
        ("", "no columns"),
        ("codon\tanswer\nCTB\tS\n", "line 2: 'CTB'"),
        ("codon\tanswer\nCTG\tZ\n", "line 2: 'CTG' as 'Z'"),
        ("codon\tanswer\nCTG\t?\n", "decides no codon"),
        ("codon\tanswer\nCTG\tS\nCTG\tL\n", "line 3: CTG was answered before"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_dictionary(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.tsv") as caught:
        read_dictionary(tmp_path / "nowhere.tsv")
    assert str(caught.value).count("nowhere.tsv") == 1


def test_the_relation_needs_a_dictionary_and_the_dictionary_the_relation() -> None:
    with pytest.raises(ValueError, match=r"needs anchors\.dictionary"):
        ReadingSettings(relation="deciphered")
    with pytest.raises(ValueError, match="for relations deciphered and back_translated"):
        ReadingSettings(relation="disjoint", anchors=AnchorSettings(dictionary="codons.tsv"))
    assert ReadingSettings(relation="deciphered", anchors=AnchorSettings(pairs=("CTG:L",)))
    told = {"pairs": ("CTG:L",)}
    for pairs, problem in (({"share": 1}, "reads no protein"), ({"crop": "independent"}, "codon by codon")):
        with pytest.raises(ValueError, match=problem):
            ReadingSettings(relation="back_translated", anchors=told, pairs=pairs)


def test_anchors_that_would_be_ignored_are_refused() -> None:
    with pytest.raises(ValueError, match="both given"):
        ReadingSettings(
            relation="deciphered", anchors=AnchorSettings(pairs=("CTG:L",), dictionary="codons.tsv")
        )
    for relation in ("none", "disjoint", "comparable", "paired"):
        with pytest.raises(
            ValueError, match="shared_start is for relations anchored, deciphered, back_translated"
        ):
            ReadingSettings.model_validate({"relation": relation, "anchors": {"shared_start": True}})
    ReadingSettings(relation="anchored", anchors=AnchorSettings(shared_start=True))


def test_a_flipped_letter_of_a_finished_decipherment_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "codons.tsv"
    path.write_text(TABLE, encoding="utf-8")
    write_manifest(tmp_path, "decipherment", {})
    assert read_dictionary(tmp_path) == ("CTG:S", "ATG:M")
    path.write_text(TABLE.replace("CTG\tS", "CTG\tL"), encoding="utf-8")
    with pytest.raises(InputError, match=r"codons\.tsv; .*sha256 differs"):
        read_dictionary(tmp_path)


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match="more than 1,048,576 letters"):
        read_dictionary(Path("/dev/zero"))
