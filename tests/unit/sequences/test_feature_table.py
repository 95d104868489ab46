"""Short cuts through plain GenBank and EMBL give what Biopython gives, and odd text goes to Biopython."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from Bio.GenBank.Scanner import EmblScanner, GenBankScanner

from genomecli.errors import InputError
from genomecli.sequences import feature_table
from genomecli.sequences.annotated import read_annotated
from genomecli.sequences.annotation import AnnotatedContig
from genomecli.sequences.feature_table import PlainFeature, plain_feature, plain_location
from genomecli.sequences.openers import open_input
from tests.unit.sequences.made_files import genbank

SEQUENCE = "ACGTTGCAAC" * 24
LOCATIONS = (
    *("1..9", "<1..9", "1..>9", "<1..>12", "complement(4..30)", "complement(<4..>30)", "join(1..9,20..31)"),
    *("complement(join(1..9,20..>31))", "join(complement(50..58),1..9)", "join(1..9)", "order(1..9,20..31)"),
    *("join(1..9,J00194.1:5..10)", "join(112..120,1..9)", "120..5", "complement(120..5)", "5..5", "7", "3^4"),
    *("(3.5)..20", "one-of(3,6)..20", "1..9,20..31", "join(1..9,20..31", "complement(1..9", "1..abc", "0..9"),
    *(
        ">3..9",
        "3..<9",
        "1 .. 9",
        "join(1..9,\n20..31)",
        "join(1..9\n,20..31)",
        "1..9\n)",
        "",
        "bond(4)",
        "?..9",
    ),
    *('replace(4..9,"c")', "-3..9", "join(1..9,)", "join(order(1..3,4..6),9..12)", "1..240", "238..250"),
)
QUALIFIERS = (
    *('/gene="abc"', "/gene=abc", '/gene=""', "/gene=", "/gene", '/locus_tag="b 1"', "/codon_start=2"),
    *('/codon_start="3"', "/transl_table=4", "/pseudo", '/pseudogene="unknown"', "/ribosomal_slippage"),
    *('/translation="MKLV\nWWST*\nAC"', '/translation="mk lv"', '/note="one\ntwo /three\n/four=five"'),
    *('/note="he said ""yes"" twice"', '/note="one "quote" more"', '/note="ends in two quotes""\nmore"'),
    *('/note="', '/note="unended', '/note= "spaced"', '/product="a;b=c"', "/product=a b\nwrapped", '/="x"'),
    *('/transl_except=(pos:1..3,aa:Sec)', '/transl_except=(pos:4..6,\naa:TERM)', "/trans_splicing", "stray"),
    *('/exception="RNA editing"', '/protein_id="P.1"', '/product="with\ttab"', '/note="blank\n\nline"', "/"),
    *('/note=""two"" "', "/note=it's\"odd\"", '/db_xref="x:1"', '/two words="x"', '/note="é"', "/note='x'"),
)  # fmt: skip


def features(chosen: random.Random, count: int) -> str:
    """Lines of a table whose features are odd now and then."""
    lines = []
    for _ in range(count):
        odd = chosen.random() < 0.3
        kind = chosen.choice(("CDS", "CDS", "CDS", "gene", "misc_feature"))
        location = chosen.choice(LOCATIONS if odd else LOCATIONS[:10])
        said = [chosen.choice(QUALIFIERS if odd else QUALIFIERS[:17]) for _ in range(chosen.randrange(5))]
        first, *rest = "\n".join([location, *said]).split("\n")
        lines += [f"     {kind:<16}{first}", *(" " * 21 + line for line in rest)]
    return "".join(line + "\n" for line in lines)


def mutated(chosen: random.Random, text: str) -> str:
    """The text with some lines changed."""
    lines = text.splitlines(keepends=True)
    for _ in range(chosen.choice((0, 0, 1, 2))):
        if len(lines) < 2:
            break
        at = chosen.randrange(1, len(lines))
        kind = chosen.randrange(8)
        if kind == 0:
            lines.insert(at, chosen.choice(("\n", " " * 21 + "\n", "     \n", "//\n", "XX\n", "FEATURES\n")))
        elif kind == 1:
            del lines[at]
        elif kind == 2:
            lines[at] = " " + lines[at]
        elif kind == 3:
            lines[at] = lines[at][1:] or "\n"
        elif kind == 4:
            lines[at] = lines[at].rstrip("\n") + chosen.choice((" \n", "\t\n", "\r\n", "\x0b\n"))
        elif kind == 5:
            lines[at] = lines[at].replace(" ", chosen.choice(("  ", "\t", "")), 1)
        elif kind == 6:
            lines = lines[:at]
        else:
            place = chosen.randrange(len(lines[at]))
            lines[at] = lines[at][:place] + chosen.choice('"/=(), 1xC') + lines[at][place:]
    return "".join(lines)


def made_genbank(chosen: random.Random) -> str:
    text = ""
    for _ in range(chosen.choice((1, 1, 2))):
        table = features(chosen, chosen.randrange(6))
        record = genbank(SEQUENCE, "", circular=chosen.random() < 0.5).replace("ORIGIN\n", table + "ORIGIN\n")
        before = (
            "",
            "",
            "BASE COUNT       60 a     60 c     60 g     60 t\n",
            "CONTIG      join(A.1:1..240)\n",
        )
        record = record.replace("ORIGIN\n", chosen.choice(before) + "ORIGIN\n")
        if chosen.random() < 0.2:
            record = record.replace("\n//", "\nCONTIG      join(A.1:1..240)\n//")
        text += mutated(chosen, record)
    return text


def made_embl(chosen: random.Random) -> str:
    table = features(chosen, chosen.randrange(6)).replace("\n     ", "\nFT   ")
    rows = "".join(
        f"     {SEQUENCE[i : i + 60].lower():<66}{i + 60:>9}\n" for i in range(0, len(SEQUENCE), 60)
    )
    return mutated(
        chosen,
        f"ID   X1; SV 1; circular; genomic DNA; STD; PRO; {len(SEQUENCE)} BP.\nXX\n"
        f"FH   Key             Location/Qualifiers\nFH\nFT{table[2:]}XX\nSQ   Sequence 240 BP;\n{rows}//\n",
    )


class Given:
    """A stream of text that was made."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.location = Path("made")

    def text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self._text.encode()), encoding="utf-8")


def coding_only(base: Any) -> Any:
    """Biopython's own scanner, of which coding features are kept."""

    class Reference(base):
        def _feed_feature_table(self, consumer: Any, found: list[tuple[str, str, Any]]) -> None:
            super()._feed_feature_table(consumer, [feature for feature in found if feature[0] == "CDS"])

    return Reference


def outcome(text: str, file_format: str) -> tuple[list[Any], list[str], str]:
    notes: list[str] = []
    found: list[AnnotatedContig] = []
    try:
        found.extend(read_annotated(Given(text), file_format, notes))  # type: ignore[arg-type]
    except InputError as error:
        return [facts(contig) for contig in found], notes, str(error)
    return [facts(contig) for contig in found], notes, ""


def facts(contig: AnnotatedContig) -> tuple[Any, ...]:
    return contig.id, contig.symbols.tobytes(), contig.circular, contig.features, contig.description


def test_made_tables_are_read_as_biopython_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = random.Random(0)
    texts = [(made_genbank(chosen), "genbank") for _ in range(600)]
    texts += [(made_embl(chosen), "embl") for _ in range(300)]
    found = [outcome(*text) for text in texts]
    with monkeypatch.context() as patch:
        patch.setattr(feature_table, "GenBankCoding", coding_only(GenBankScanner))
        patch.setattr(feature_table, "EmblCoding", coding_only(EmblScanner))
        expected = [outcome(*text) for text in texts]
    for (text, _), one, other in zip(texts, found, expected, strict=True):
        assert one == other, text
    kept = sum(len(contig[3]) for contigs, _, _ in found for contig in contigs)
    failed = sum(error != "" for _, _, error in found)
    assert kept > 300
    assert 100 < failed < 800


@pytest.mark.parametrize("location", LOCATIONS[:10])
def test_plain_locations_need_no_biopython(location: str) -> None:
    plain = plain_location(location)
    assert (plain is None) == ("join(complement" in location)


def test_a_plain_feature() -> None:
    text = """complement(join(1..9,20..>31))
/gene="ab"
/note="one
two"
/db_xref="x:1"
/pseudo
/codon_start=2"""
    said = {"gene": ["ab"], "note": ["one two"], "pseudo": [""], "codon_start": ["2"]}
    assert plain_feature(text) == PlainFeature(((19, 31, -1), (0, 9, -1)), (True, False), said)
    assert plain_feature('order(1..9,20..31)\n/gene="ab"') is None


def test_text_is_handed_on_in_whole_chunks(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("line\n" * 100_000, encoding="utf-8")
    with open_input(path) as stream:
        sizes, read = [], stream.read
        stream.read = lambda size: sizes.append(size) or read(size)  # type: ignore[assignment,method-assign]
        assert sum(1 for _ in stream.text()) == 100_000
    assert min(sizes) >= 1 << 20
