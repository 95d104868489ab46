from __future__ import annotations

import io
from pathlib import Path

import pytest

from genomecli.errors import InputError
from genomecli.tasks.reading import read_examples
from genomecli.tasks.settings import DataSettings
from tests.unit.tasks.made import read, targets, write

ROWS = [("sequence", "label"), ("ACGTACGTACGT", "NO"), ("TTTTACGTAAAA", "1e-4"), ("GGGGACGTCCCC", "1")]
SEQUENCES = [row[0] for row in ROWS[1:]]


def text(sign: str) -> str:
    return "".join(sign.join(row) + "\n" for row in ROWS)


def check(data: dict[str, object]) -> None:
    found = read(data, label={})
    assert [found.examples.sequences.text(i) for i in range(3)] == SEQUENCES
    assert found.raw["label"].names == ("NO", "1e-4", "1")
    assert found.raw["label"].values.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("name", "sign"), [("a.tsv", "\t"), ("a.csv", ","), ("a.csv", ";"), ("a.txt", " ")])
def test_every_delimiter_is_found_by_the_first_line(tmp_path: Path, name: str, sign: str) -> None:
    check({"path": write(tmp_path / name, text(sign))})


def test_gzip_and_several_files_and_names_of_any_ending(tmp_path: Path) -> None:
    check({"path": write(tmp_path / "table.tsv.gz", text("\t"))})
    one = write(tmp_path / "one", text(","))
    found = read({"path": [one, one]}, label={})
    assert len(found.examples) == 6
    assert found.examples.ids[3] == "row_4"
    assert found.examples.places[3] == "one, line 2"
    assert [file["path"] for file in found.files] == [one, one]


def test_line_ends_byte_order_mark_blank_lines_and_padding(tmp_path: Path) -> None:
    lines = [
        "\ufeffsequence , label",
        "ACGTACGTACGT,  NO ",
        "",
        "TTTTACGTAAAA, 1e-4",
        ' "GGGGACGTCCCC",1',
        "",
    ]
    path = write(tmp_path / "a.csv", "\r\n".join(lines))
    check({"path": path})
    assert read({"path": path}, label={}).examples.places == [
        "a.csv, line 2",
        "a.csv, line 4",
        "a.csv, line 5",
    ]


def test_a_table_without_a_header_as_the_splice_junctions_come(tmp_path: Path) -> None:
    lines = [f"{label},   NAME-{i},      {one}" for i, (one, label) in enumerate(ROWS[1:])]
    path = write(tmp_path / "splice.data", "\n".join(lines) + "\n")
    data = {"path": path, "columns": ["label", "name", "sequence"], "id": "name"}
    check(data)
    found = read(data, label={})
    assert found.examples.ids == ["NAME-0", "NAME-1", "NAME-2"]
    assert found.examples.places[0] == "splice.data, line 1"


def test_a_column_without_a_name_as_pandas_writes_its_index(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",sequence,Measured\n0,ACGTACGTACGT,1.5\n7,TTTTACGTAAAA,2\n")
    found = read({"path": path, "id": "column_1"}, Measured={})
    assert found.examples.ids == ["0", "7"]
    assert found.raw["Measured"].values.tolist() == [[1.5], [2.0]]


def test_standard_input_gives_text_and_parquet(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    one = {"sequence": SEQUENCES, "label": ["NO", "1e-4", "1"]}
    parquet.write_table(table(one), tmp_path / "a.parquet")
    for content in (text("\t").encode(), (tmp_path / "a.parquet").read_bytes()):
        found = read_examples(DataSettings(path="-"), targets(label={}), stdin=io.BytesIO(content))
        assert found.raw["label"].names == ("NO", "1e-4", "1")
        assert found.examples.places[0].startswith("standard input, ")


def test_parquet_of_numbers_flags_nulls_and_lists(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    columns = {
        "sequence": SEQUENCES,
        "number": [1, 2, None],
        "value": [0.5, None, 1e-300],
        "flag": [True, False, None],
        "set": [["a", "b"], ["b"], []],
    }
    parquet.write_table(table(columns), tmp_path / "a.parquet")
    found = read({"path": str(tmp_path / "a.parquet")}, number={}, value={}, flag={}, set={})
    assert found.raw["number"].names == ("1", "2")
    assert found.raw["value"].form == "regression"
    assert found.raw["value"].values[:, 0].tolist()[2] == 1e-300
    assert found.raw["flag"].names == ("true", "false")
    assert found.raw["flag"].values.tolist() == [0, 1, -1]
    assert found.raw["set"].form == "multilabel"
    assert found.examples.places[2] == "a.parquet, row 3"


def test_sequences_longer_than_the_usual_limit_of_a_cell(tmp_path: Path) -> None:
    long = "ACGT" * 60_000
    path = write(tmp_path / "a.tsv", f"sequence\tlabel\n{long}\ta\n{long[:-1]}\tb\n")
    assert read({"path": path}, label={}).examples.sequences.lengths.tolist() == [240_000, 239_999]


def test_a_batch_border_changes_nothing(tmp_path: Path) -> None:
    count = 8192 + 5
    rows = "".join(f"ACGT{'ACGT'[i % 4]}\t{'ab'[i % 2]}\n" for i in range(count))
    found = read({"path": write(tmp_path / "a.tsv", "sequence\tlabel\n" + rows)}, label={})
    assert len(found.examples) == count
    assert found.raw["label"].values[-3:].tolist() == [0, 1, 0]
    assert found.examples.places[-1] == f"a.tsv, line {count + 1}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sequence\tlabel\nACGT\ta\nACGT\n", r"a.tsv, line 3; has 1 cells, and the header 2"),
        ('sequence\tlabel\n"ACGT\ta\nACGT\tb\n', r"cannot be read as a table"),
        ("sequence\tlabel\n", r"holds no row below its header"),
        ("@read1\nACGT\n+\nIIII\n", r"is FASTQ"),
        ("\x00\x01\x02\x03", r"is no text table"),
        ("PAR1 but not really", r"is a broken Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read({"path": write(tmp_path / "a.tsv", content)}, label={})
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_a_first_column_called_id_is_no_embl(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "ID sequence label\nx ACGTACGTACGT NO\ny ACGTACGTACGA 1\n")
    assert read({"path": path, "id": "ID"}, label={}).examples.ids == ["x", "y"]


def test_columns_given_for_parquet_are_refused(tmp_path: Path) -> None:
    from pyarrow import parquet, table

    parquet.write_table(table({"sequence": SEQUENCES}), tmp_path / "a.parquet")
    with pytest.raises(
        InputError, match="is Parquet, which names its columns itself; leave out data.columns"
    ):
        read({"path": str(tmp_path / "a.parquet"), "columns": ["sequence"]})


def test_columns_given_in_the_settings_must_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "ACGTACGTACGT,a\n")
    with pytest.raises(InputError, match="line 1; has 2 cells, and data.columns 3"):
        read({"path": path, "columns": ["sequence", "label", "more"]}, label={})


def test_empty_ids_are_called_by_their_number_and_counted(tmp_path: Path) -> None:
    """As headers of FASTA without an id are."""
    lines = "sequence\tlabel\tid\nACGTACGTACGT\ta\t\nTTTTACGTAAAA\tb\tx\nGGGGACGTCCCC\ta\t\n"
    found = read({"path": write(tmp_path / "t.tsv", lines)}, label={})
    assert found.examples.ids == ["record_1", "x", "record_3"]
    assert found.notes == ("2 rows have no id and are called record_N, by the number in the input.",)


def test_labels_that_are_no_utf_8_are_refused_and_other_cells_are_not(tmp_path: Path) -> None:
    """Two names that differ in such a letter would become one class."""
    path = tmp_path / "t.tsv"
    text = "id\tsequence\ty\tnote\na\tACGT\tx\t\u00e9\nb\tACGA\tcaf\u00e9\t\nc\tACGG\tcaf\u00e8\t\n"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="with letters that are no UTF-8; save the file as UTF-8") as caught:
        read({"path": str(path)}, y={})
    assert "t.tsv, line 3" in str(caught.value)
    path.write_text(text, encoding="utf-8")
    assert read({"path": str(path)}, y={}).raw["y"].names == ("x", "caf\u00e9", "caf\u00e8")
