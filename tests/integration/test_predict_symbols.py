"""``predict`` of labels of bases: tracks, strands, tables, and figures of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from genomecli.commands import predict as command
from genomecli.config import load_config
from genomecli.runtime import rng
from genomecli.sequences.bed import read_bed
from genomecli.sequences.gff import GffReader
from tests.integration.test_predict import MOTIF, other_strand, predict, rows_of, said, tune
from tests.unit.training.task_toys import plant, sequences


@pytest.fixture(scope="module")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the bases of a motif, and its table beside it."""
    folder = tmp_path_factory.mktemp("symbols")
    random = rng("predict symbols")
    lines = ["id\tsequence\tpart"]
    for number, text in enumerate(sequences(60, 30, 50, key="predict symbols")):
        at = int(random.integers(0, len(text) - 14))
        label = "b" * at + "m" * 14 + "b" * (len(text) - at - 14)
        lines.append(f"r{number}\t{plant(text, MOTIF, at)}\t{label}")
    path = folder / "table.tsv"
    path.write_text("\n".join(lines) + "\n")
    data = f"finetune.data={{path: {path}}}"
    targets = "finetune.targets={part: {kind: token}}"
    tune(
        folder / "run",
        data,
        targets,
        "finetune.epochs=15",
        "finetune.optimiser.lr=1e-2",
        "finetune.batch_size=4",
    )
    return folder


def test_tracks_of_bases(symbols: Path, tmp_path: Path) -> None:
    """The motif is found; every format says the same, on both strands."""
    found = rows_of(symbols / "table.tsv")
    fasta = tmp_path / "in.fa"
    fasta.write_text("".join(f">{row['id']}\n{row['sequence']}\n" for row in found))
    model = symbols / "run"
    names = ("x.tsv", "x.bed", "x.gff3", "x.bedgraph")
    for name in names:
        more = ["--set", "predict.classes=m", "--set", "predict.background=b"] if name != "x.tsv" else []
        assert predict("-m", model, fasta, "-o", tmp_path / name, *more) == 0
    bases = rows_of(tmp_path / "x.tsv")
    assert "".join(row["symbol"] for row in bases) == "".join(row["sequence"] for row in found)
    judged = {
        row["id"]: row["part.predicted"]
        for row in pq.read_table(model / "predictions.parquet").to_pylist()
        if row["part"] == "test"
    }
    by_id: dict[str, list[str]] = {}
    for row in bases:
        by_id.setdefault(row["id"], []).append(row["part.predicted"])
    assert judged
    assert all(by_id[name] == labels for name, labels in judged.items())
    chosen = {(row["id"], at) for row in found for at, one in enumerate(by_id[row["id"]]) if one == "m"}
    assert chosen
    with open(tmp_path / "x.bed", "rb") as handle:
        bed = {
            (row.contig, at) for row in read_bed(handle, "bed") for a, b in row.parts for at in range(a, b)
        }
    with open(tmp_path / "x.gff3", "rb") as handle:
        gff = {(row.seqid, at) for row in GffReader(handle, "gff").rows() for at in range(row.start, row.end)}
    assert bed == gff == chosen
    graph = [line.split("\t") for line in (tmp_path / "x.bedgraph").read_text().splitlines()[1:]]
    covered = sum(int(end) - int(start) for _, start, end, _ in graph)
    assert covered == len(bases)


def test_the_other_strand_stands_in_forward_places(symbols: Path, tmp_path: Path) -> None:
    """What is predicted of the reverse complement, read on -, is what is predicted of the record itself."""
    found = rows_of(symbols / "table.tsv")[:20]
    forward, reverse = tmp_path / "f.fa", tmp_path / "r.fa"
    forward.write_text("".join(f">{row['id']}\n{row['sequence']}\n" for row in found))
    reverse.write_text("".join(f">{row['id']}\n{other_strand(row['sequence'])}\n" for row in found))
    model = symbols / "run"
    assert predict("-m", model, forward, "-o", tmp_path / "f.tsv") == 0
    assert predict("-m", model, reverse, "-o", tmp_path / "r.tsv", "--set", "predict.strand=-") == 0
    assert predict("-m", model, reverse, "-o", tmp_path / "b.tsv", "--set", "predict.strand=both") == 0
    lengths = {row["id"]: len(row["sequence"]) for row in found}
    wanted = {(row["id"], int(row["position"])): row["part.p.m"] for row in rows_of(tmp_path / "f.tsv")}
    mine = rows_of(tmp_path / "r.tsv")
    assert len(mine) == len(wanted)
    for row in mine:
        assert row["part.p.m"] == wanted[row["id"], lengths[row["id"]] + 1 - int(row["position"])]
    both = rows_of(tmp_path / "b.tsv")
    assert len(both) == 2 * len(mine)
    reread = [{k: v for k, v in row.items() if k != "strand"} for row in both if row["strand"] == "-"]
    assert reread == mine
    region = tmp_path / "region.fa"
    region.write_text("".join(f">c:{100}-{100 + lengths[r['id']]}(-)\n{r['sequence']}\n" for r in found[:1]))
    more = ["--set", "predict.coordinates=region", "--set", "predict.classes=m"]
    assert predict("-m", model, region, "-o", tmp_path / "x.bed", *more) == 0
    runs = [line.split("\t") for line in (tmp_path / "x.bed").read_text().splitlines()]
    places = {at for row in runs for at in range(int(row[1]), int(row[2]))}
    end, name = 100 + lengths[found[0]["id"]], found[0]["id"]
    chosen = {
        end - int(row["position"])
        for row in rows_of(tmp_path / "f.tsv")
        if row["id"] == name and row["part.predicted"] == "m"
    }
    assert places == chosen
    assert all((row[0], row[5]) == ("c", "-") for row in runs)


def test_labels_of_symbols_are_measured_and_two_tracks_in_one_are_refused(
    symbols: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, given = tmp_path / "x.tsv", symbols / "table.tsv"
    model = symbols / "run"
    more = ["--set", "predict.measure=true", "--set", "predict.metrics.bootstrap=0"]
    assert predict("-m", model, given, "-o", out, *more) == 0
    rows = rows_of(out)
    right = np.mean([row["part.predicted"] == row["part.label"] for row in rows])
    (accuracy,) = (
        float(row["value"])
        for row in rows_of(tmp_path / "x.tsv.metrics.tsv")
        if (row["rows"], row["metric"], row["of"]) == ("all", "accuracy", "")
    )
    assert accuracy == pytest.approx(right, rel=1e-5)
    assert accuracy > 0.8
    capsys.readouterr()
    assert predict("-m", model, given, "-q", "-o", tmp_path / "x.bedgraph") == 2
    assert "probability of one class, and part has b, m" in said(capsys)
    both = ["--set", "predict.strand=both", "--set", "predict.classes=m"]
    assert predict("-m", model, given, "-q", "-o", tmp_path / "x.bedgraph", *both) == 2
    assert "one value a base" in said(capsys)


def test_many_records_are_read_no_further_ahead_than_the_buffers(
    symbols: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of a long stream stays within the buffers and one batch of rows, made small here."""
    windows, batch, total = 200, 100, 5000
    monkeypatch.setattr("genomecli.inference.engine.BUFFER_WINDOWS", windows)
    monkeypatch.setattr("genomecli.tasks.reading_tables.BATCH", batch)
    path = tmp_path / "many.tsv"
    path.write_text("id\tsequence\n" + "".join(f"r{i}\tACG\n" for i in range(total)))
    config = load_config(None, ["device=cpu", "threads=1", f"predict.model={symbols / 'run'}"])
    settings = config.predict.model_copy(update={"inputs": [str(path)]})
    job = command.open_job(config, settings, "tsv")
    source = job.source()
    for number, done in enumerate(command.Feed(job, source).done(), 1):
        assert done.record == number - 1
        assert source.records <= number + windows + batch
        if number == 1000:
            break
    assert source.records < total
