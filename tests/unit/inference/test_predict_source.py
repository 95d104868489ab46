"""Where sequences to predict come from: tables and FASTA, pairs, covariates, labels, records passed over."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genomecli.errors import InputError
from genomecli.inference.items import Dropped
from genomecli.inference.predict_source import LABELS, RECORD, PredictSource
from genomecli.inference.predictor import Unlabelled
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.tasks.covariates import CovariateScale
from genomecli.tasks.schema import Target
from genomecli.tasks.settings import DataSettings
from genomecli.training.task_spec import ColumnReading, HeadShape, TaskSpec

DNA_READING = ColumnReading("toy", "genome")
Y = Target("y", "binary", ("y",), ("no", "yes"))
T = Target("t", "token", ("t",), ("a", "b"))


def spec(**changes: Any) -> TaskSpec:
    return TaskSpec((Y,), HeadShape(), DNA_READING, **changes)


def read(path: Path, made: TaskSpec, **options: Any) -> list[Unlabelled | Dropped]:
    keys = ("targets", "skip", "stdin")
    own = {key: options.pop(key) for key in keys if key in options}
    own |= {"labels": own.pop("targets")} if "targets" in own else {}
    data = DataSettings(path=(str(path),), invalid=options.pop("invalid", "drop"), **options)
    source = PredictSource(data, made, **own)
    found = list(source.entries())
    assert source.records == len(found) + own.get("skip", 0)
    assert len(source.files) == 1
    return found


def number(entry: Unlabelled | Dropped) -> object:
    return entry.record if isinstance(entry, Dropped) else entry.meta[RECORD]


def test_pairs_of_two_alphabets_with_covariates(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sequence,protein,x\nACGTACGTTT,MKVLEFW,2.5\nACGTT,,1\nTTGACA,MEF,NA\nACGTA,MEF,inf\n")
    made = spec(pair=ColumnReading("toy", "protein"), covariates=CovariateScale(("x",), (0.0,), (1.0,)))
    found = read(path, made, pair="protein")
    assert [number(entry) for entry in found] == [0, 1, 2, 3]
    first, second, third, fourth = found
    assert isinstance(first, Unlabelled)
    assert isinstance(third, Unlabelled)
    assert first.id == "row_1"
    assert DNA.decode(first.symbols) == "ACGTACGTTT"
    assert first.pair is not None
    assert PROTEIN.decode(first.pair) == "MKVLEFW"
    np.testing.assert_array_equal([first.covariates, third.covariates], [[2.5], [np.nan]])
    assert isinstance(second, Dropped)
    assert "empty pair" in second.reason
    assert isinstance(fourth, Dropped)
    assert "covariate x" in fourth.reason
    with pytest.raises(InputError, match=r"line 3.*empty pair"):
        read(path, made, pair="protein", invalid="error")
    with pytest.raises(InputError, match="no column 'pair'"):
        read(path, made)


def test_covariates_of_dropped_rows_count_as_no_mean(tmp_path: Path) -> None:
    """``high``, nan and 1e400 are no values: their rows are left out, and nothing stands for them."""
    path = tmp_path / "t.csv"
    path.write_text("sequence,x\nACGT,high\nACGT,nan\nACGT,1e400\n,NA\nACGT,NA\nACGT,2\n")
    data = DataSettings(path=(str(path),), invalid="drop", missing=("", "NA"))
    made = spec(covariates=CovariateScale(("x",), (0.0,), (1.0,)))
    source = PredictSource(data, made)
    assert sum(isinstance(entry, Dropped) for entry in source.entries()) == 4
    assert source.unknown == 1


def test_rows_without_an_id_are_called_as_in_fasta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomecli.tasks.reading_tables.BATCH", 2)
    path = tmp_path / "t.tsv"
    path.write_text("sequence\tname\tid\nACGT\ta\t\nACGT\t\tb\nACGT\t\t\n")
    for column, ids in ((None, ["record_1", "b", "record_3"]), ("name", ["a", "record_2", "record_3"])):
        source = PredictSource(DataSettings(path=(str(path),), id=column), spec())
        assert [entry.id for entry in source.entries()] == ids
        assert source.nameless == 2
    fasta = tmp_path / "t.fa"
    fasta.write_text(">\nACGT\n>b\nACGT\n")
    assert [entry.id for entry in read(fasta, spec())] == ["record_1", "b"]


def test_fasta_from_a_stream_with_covariates_in_its_headers() -> None:
    text = b">a x=1\nACGT\n>b x=2.5 more\nacgu\n>a\nNNGG\n"
    made = spec(covariates=CovariateScale(("x",), (0.0,), (1.0,)))
    found = read(Path("-"), made, stdin=io.BytesIO(text))
    assert [entry.id for entry in found] == ["a", "b", "a"]
    assert [DNA.decode(entry.symbols) for entry in found if isinstance(entry, Unlabelled)][1] == "ACGT"


def test_records_passed_over_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genomecli.tasks.reading_tables.BATCH", 4)
    path = tmp_path / "t.tsv"
    path.write_text("sequence\tid\n" + "".join(f"{'ACGT' if i % 3 else 'AC!'}\ti{i}\n" for i in range(11)))
    whole = read(path, spec())
    assert [number(entry) for entry in whole] == list(range(11))
    for skip in (0, 3, 4, 9, 11):
        rest = read(path, spec(), skip=skip)
        assert [(number(entry), entry.id) for entry in rest] == [
            (number(entry), entry.id) for entry in whole[skip:]
        ]


def test_labels_are_read_where_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("sequence\ty\tt\nACGT\tyes\tabba\n!\tno\tab\nACG\t\tbbb\n")
    made = spec()
    found = read(path, made, targets=(Y, T))
    assert isinstance(found[1], Dropped)
    kept: list[Any] = [entry.meta[LABELS] for entry in found if isinstance(entry, Unlabelled)]
    assert [int(labels["y"]) for labels in kept] == [1, -1]
    assert [labels["t"].tolist() for labels in kept] == [[0, 1, 1, 0], [1, 1, 1]]
    path.write_text("sequence\ty\tt\nACGT\tmaybe\tabb\n")
    assert read(path, made)
    with pytest.raises(InputError, match="does not know the class 'maybe'"):
        read(path, made, targets=(Y,))
    with pytest.raises(InputError, match=r"line 2.*3 letters, and its sequence 4"):
        read(path, made, targets=(T,))


def test_labels_beside_the_sequences_are_found_in_whatever_batch_their_record_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batches hold no record that they name, and none is read without its mask."""
    monkeypatch.setattr("genomecli.tasks.reading_tables.BATCH", 2)
    path, strings, mask, bed = (tmp_path / name for name in ("t.tsv", "l.fa", "m.fa", "p.bed"))
    path.write_text("id\tsequence\n" + "".join(f"r{i}\tACGTACG\n" for i in range(6)))
    strings.write_text(">r4\naabbaab\n>r9\nzzz\n")
    mask.write_text(">r4\n1110111\n>r0\n0000000\n")
    bed.write_text("r4\t2\t4\tpeak\n")
    target = Target("t", "token", (), ("a", "b"))
    made = TaskSpec((target,), HeadShape(), DNA_READING)
    background = {"path": str(bed), "classes": {"peak": "b"}, "background": "a"}
    for given, others, fourth in (
        ({"labels": str(strings), "mask": str(mask)}, [-1] * 7, [0, 0, 1, -1, 0, 0, 1]),
        ({"intervals": background}, [0] * 7, [0, 0, 1, 1, 0, 0, 0]),
    ):
        for skip in (0, 3):
            found = read(path, made, targets=(target,), skip=skip, **given)
            labels = {entry.id: entry.meta[LABELS]["t"].tolist() for entry in found}  # type: ignore
            assert labels == {f"r{i}": fourth if i == 4 else others for i in range(skip, 6)}
    strings.write_text(">x\naabbaab\n")
    source = PredictSource(DataSettings(path=(str(path),), labels=str(strings)), made, (target,))
    with pytest.raises(InputError, match=r"l\.fa; holds none of the ids, such as 'r0'"):
        list(source.entries())


def test_fasta_without_the_word_of_the_ids_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genomecli.tasks.reading_tables.BATCH", 2)
    path = tmp_path / "t.fa"
    path.write_text(">a x\nACGT\n>b\nACGT\n>c gene_id=g3\nACGT\n>d\nAC!\n>e gene_id=\nACGT\n")
    assert [entry.id for entry in read(path, spec(), id="gene_id")] == ["a", "b", "g3", "d", "e"]
    assert [entry.id for entry in read(path, spec(), id="header:2")] == [
        "x",
        "b",
        "gene_id=g3",
        "d",
        "gene_id=",
    ]
    path.write_text(">a\nACGT\n")
    assert [entry.id for entry in read(path, spec(), id="name")] == ["a"]


def test_one_target_of_several_may_have_no_label(tmp_path: Path) -> None:
    """Refused are FASTA without any label, and a table without the column, before anything is predicted."""
    path, other = tmp_path / "t.fa", Target("z", "regression", ("z",), ("z",), means=(0.0,), scales=(1.0,))
    path.write_text(">a z=2.5\nACGT\n>b\nACGT\n")
    found: list[Any] = [entry.meta[LABELS] for entry in read(path, spec(), targets=(Y, other))]  # type: ignore
    np.testing.assert_array_equal([(one["y"], one["z"][0]) for one in found], [(-1, 2.5), (-1, np.nan)])
    path.write_text(">a\nACGT\n")
    with pytest.raises(InputError, match="has no label 'y' or 'z' in its headers; write y= into them"):
        read(path, spec(), targets=(Y, other))
    path = tmp_path / "t.tsv"
    path.write_text("sequence\tz\nACGT\t1\n")
    with pytest.raises(InputError, match=r"no column 'y'.* with predict\.targets=\.\.\."):
        read(path, spec(), targets=(Y, other))
