"""GenBank and EMBL into the neutral model."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.annotation import AnnotatedContig, parse_translation_exceptions
from genomecli.sequences.openers import open_input
from tests.unit.sequences.made_files import genbank, write_gzip

SEQUENCE = "ACGTTGCAAC" * 12


def contigs(path: Path, kind: str = "genbank", notes: list[str] | None = None) -> list[AnnotatedContig]:
    with open_input(path) as stream:
        return list(read_annotated(stream, kind, notes))  # type: ignore[arg-type]


def written(folder: Path, *records: str) -> Path:
    return write_gzip(folder / "x.dat", "".join(records).encode())


def test_many_records_in_one_gz(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        genbank(SEQUENCE, '1..9\n/gene="a"', name="ONE"),
        genbank(SEQUENCE[:30], "", name="TWO", circular=True),
    )
    one, two = contigs(path)
    assert (one.id, two.id, one.circular, two.circular) == ("ONE.1", "TWO.1", False, True)
    assert DNA.decode(one.symbols) == SEQUENCE
    assert one.soft is None  # GenBank writes lower case; that is no mask
    assert [len(contig.features) for contig in (one, two)] == [1, 0]


def test_locations_and_qualifiers(tmp_path: Path) -> None:
    features = """
complement(join(10..18,31..>39))
/locus_tag="L1"
/codon_start=2
/transl_table=4
/transl_except=(pos:complement(31..33),aa:Sec)
/translation="MK
+L"
join(complement(50..58),1..9)
/trans_splicing
order(1..9,20..28)
/pseudo
join(1..9,J00194.1:5..10)
/exception="RNA editing"
<1..9
/ribosomal_slippage
"""
    (contig,) = contigs(written(tmp_path, genbank(SEQUENCE, features)))
    first, spliced, ordered, remote, open_end = contig.features
    assert first.parts == ((30, 39, -1), (9, 18, -1))
    assert (first.codon_start, first.table, first.translation) == (2, 4, "MKL")
    assert (first.partial5, first.partial3) == (True, False)
    assert first.exceptions[0].spans == ((30, 33),)
    assert spliced.parts == ((49, 58, -1), (0, 9, 1))
    assert spliced.exception == "trans-splicing"
    assert (ordered.problem, ordered.pseudo) == ("order() location", True)
    assert (remote.problem, remote.exception) == ("on another sequence", "RNA editing")
    assert (open_end.partial5, open_end.partial3, open_end.ribosomal_slippage) == (True, False, True)


def test_a_location_over_the_origin(tmp_path: Path) -> None:
    record = genbank(SEQUENCE, "join(112..120,1..9)\ncomplement(join(112..120,1..9))", circular=True)
    forward, backward = contigs(written(tmp_path, record))[0].features
    assert forward.parts == ((111, 120, 1), (0, 9, 1))
    assert backward.parts == ((0, 9, -1), (111, 120, -1))


def test_embl(tmp_path: Path) -> None:
    text = (
        "ID   X1; SV 1; circular; genomic DNA; STD; PRO; 20 BP.\nXX\n"
        "FH   Key             Location/Qualifiers\n"
        'FT   CDS             1..9\nFT                   /locus_tag="e1"\nXX\n'
        f"SQ   Sequence 20 BP;\n     atgaaataac gtacgtacgt {20:>53}\n//\n"
    )
    (contig,) = contigs(written(tmp_path, text), "embl")
    assert (contig.id, contig.circular, DNA.decode(contig.symbols)) == ("X1.1", True, "ATGAAATAACGTACGTACGT")
    assert contig.features[0].parts == ((0, 9, 1),)
    assert contig.features[0].codon_start == 1


def test_a_record_cut_short_is_named(tmp_path: Path) -> None:
    whole = genbank(SEQUENCE, "1..9")
    for cut, message in ((3, "cut short"), (60, "cut short"), (200, "cannot be parsed")):
        path = written(tmp_path, whole, whole[:-cut])
        with pytest.raises(InputError, match=rf"x.dat, record 2; (is )?{message}"):
            contigs(path)


def test_a_record_without_sequence_is_empty(tmp_path: Path) -> None:
    text = genbank(SEQUENCE, "1..9")
    text = text[: text.index("ORIGIN")] + "CONTIG      join(AB000001.1:1..120)\n//\n"
    (contig,) = contigs(written(tmp_path, text))
    assert len(contig) == 0
    assert len(contig.features) == 1


def test_protein_records_are_refused(tmp_path: Path) -> None:
    text = genbank("MKLV" * 5, "", molecule="aa       ")
    with pytest.raises(InputError, match="protein records"):
        contigs(written(tmp_path, text))


def test_warnings_become_notes(tmp_path: Path) -> None:
    notes: list[str] = []
    found = contigs(written(tmp_path, genbank(SEQUENCE, "join(1..9,20..abc)")), notes=notes)
    assert found[0].features[0].problem == "unreadable location"
    assert any("x.dat" in note for note in notes)


def test_an_empty_file_holds_no_record(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no genbank record"):
        contigs(written(tmp_path, "\n"))


def test_translation_exceptions() -> None:
    found = parse_translation_exceptions(
        [
            "(pos:1..3,aa:Sec)",
            "(pos:complement(join(10..11,20)),aa:Pyl)",
            "(pos:<7,aa:TERM)",
            "(pos:4..6,aa:???)",
        ]
    )
    assert [(item.spans, item.amino) for item in found] == [
        (((0, 3),), "U"),
        (((9, 11), (19, 20)), "O"),
        (((6, 7),), "*"),
    ]
    assert parse_translation_exceptions(["(pos:4..6,aa:OTHER)"])[0].amino == "X"
