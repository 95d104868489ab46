from __future__ import annotations

import filecmp
import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genomecli.commands.tokenize
from genomecli.commands.info import describe, run_info
from genomecli.commands.tokenize import run_tokenize, summary_lines
from genomecli.corpus.build import parts_folder
from genomecli.corpus.store import CorpusReader
from genomecli.errors import CheckpointedError, InputError, UsageError
from genomecli.files import read_manifest
from genomecli.sequences.alphabets import DNA, PROTEIN
from tests.unit.corpus.made import config_of, make_corpus, one_species, protein_of, random_gene, write_fasta

TRUTH = {
    "lambda.gbk": (11, {"genome": 48_502, "cds": 73, "ok": 70, "ambiguous": 3}),
    "mouse_mito_code2.gb": (2, {"genome": 16_299, "cds": 13, "ok": 13}),
    "jcvi_syn3a_code4.gb.gz": (4, {"genome": 543_379, "cds": 455, "ok": 455, "pseudogene": 3}),
    "scerevisiae_chr1.gb": (1, {"genome": 230_218, "cds": 94, "ok": 94}),
    "spyogenes_m1.gb.gz": (11, {"genome": 1_852_441, "cds": 1_853, "ok": 1_853}),
    "ecoli_k12.gbk.gz": (11, {"genome": 4_641_652, "cds": 4_140, "ok": 4_140, "pseudogene": 179}),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A section with two species, five files, copies among them, small shards."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    genes = [random_gene(rng, int(n)) for n in rng.integers(30, 300, 60)]
    genes += genes[:5]
    chromosome = "".join(rng.choice(list("ACGTacgt"), 30_000)) + "N" * 80 + "ACGT" * 500
    write_fasta(folder / "g.fa", {"chr1": chromosome, "chr2": "ACGT" * 300, "chr3": "NNNN"})
    write_fasta(folder / "c1.fa", {f"g{i}": text for i, text in enumerate(genes[:40])})
    write_fasta(folder / "c2.fa", {f"g{i}": text for i, text in enumerate(genes[40:], 40)})
    write_fasta(folder / "p.fa", {f"g{i}": protein_of(text) for i, text in enumerate(genes)})
    (folder / "g2.fa.gz").write_bytes(gzip.compress((folder / "g.fa").read_bytes()[:20_000]))
    a = [
        {"kind": "cds", "path": [str(folder / "c1.fa"), str(folder / "c2.fa")]},
        {"kind": "protein", "path": str(folder / "p.fa")},
        {"kind": "genome", "path": str(folder / "g.fa")},
    ]
    b = [{"kind": "genome", "path": str(folder / "g2.fa.gz")}]
    species = [{"name": "a", "sources": a}, {"name": "b", "sources": b}]
    return {"species": species, "policies": {"duplicates": "drop"}, "figures": True}


def equal(one: Path, other: Path) -> bool:
    names = {path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file()}
    if names != {path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file()}:
        return False
    return not filecmp.cmpfiles(one, other, names - {"run.json"}, shallow=False)[1]


def test_runs_workers_and_jobs_give_the_same_bytes(tmp_path: Path, many: dict[str, Any]) -> None:
    make_corpus(tmp_path, many, name="one")
    make_corpus(tmp_path, many, name="again")
    make_corpus(tmp_path, many | {"workers": 2}, name="two")
    assert equal(tmp_path / "one", tmp_path / "again")
    assert equal(tmp_path / "one", tmp_path / "two")
    config, out = config_of(many), tmp_path / "jobs"
    for job in (3, 1, 2):
        assert run_tokenize(config, out, shard=(job, 3)) is None
    assert not out.exists()
    run_tokenize(config, out, merge=True)
    assert equal(tmp_path / "one", out)
    assert not parts_folder(out).exists()
    assert not equal(make_corpus(tmp_path, many, seed=1, name="seed").path, out)


def test_the_figure_has_a_process_of_its_own_where_reading_takes_long(
    tmp_path: Path, many: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more than one core and large sources; the corpus has the same bytes."""
    drawn: list[bool] = []
    made = genomecli.commands.tokenize.LookBeside

    def noted(*, apart: bool) -> Any:
        drawn.append(apart)
        return made(apart=apart)

    monkeypatch.setattr(genomecli.commands.tokenize, "LookBeside", noted)
    for cores, large in [(2, 0), (1, 0), (2, 1 << 30)]:
        monkeypatch.setattr(genomecli.commands.tokenize, "thread_count", lambda cores=cores: cores)
        monkeypatch.setattr(genomecli.commands.tokenize, "LARGE", large)
        run_tokenize(config_of(many), tmp_path / f"c{len(drawn)}", workers=1)
    assert drawn == [True, False, False]
    for other in ("c1", "c2"):
        assert equal(tmp_path / "c0", tmp_path / other)


def test_every_record_is_accounted_for(tmp_path: Path, many: dict[str, Any]) -> None:
    corpus = make_corpus(tmp_path, many)
    counts = corpus.manifest["counts"]
    assert counts["a.cds"]["read"]["records"] == 65
    assert counts["a.cds"]["dropped"] == {"duplicate": {"records": 5, "symbols": 3 * len_of(corpus, many)}}
    assert counts["a.genome"]["dropped"] == {"too short": {"records": 1, "symbols": 4}}
    assert counts["a.genome"]["cut"] == {"gap": {"records": 1, "symbols": 80}}
    for name, count in counts.items():
        table = corpus.records(*name.split("."))
        assert count["kept"]["symbols"] == table.length.sum()
        assert count["pieces"] == len(table)
        assert sum(n for n, _ in corpus.manifest["splits"][name].values()) == len(table)
    rows = (corpus.path / "tables" / "dropped.tsv").read_text().splitlines()
    assert rows == [
        "species\tsource\tmolecule\tid\treason\tsymbols",
        "a\t3\tgenome\tchr3\ttoo short\t4",
        *(
            f"a\t{source}\tcds\tg{60 + i}\tduplicate of g{i}\t{length}"
            for i, length in enumerate(corpus.records("a", "cds").length[:5])
            for source in [rows[2 + i].split("\t")[1]]
        ),
        *rows[7:],
    ]
    assert [row.split("\t")[2:5] for row in rows[7:]] == [
        ["protein", f"g{60 + i}", f"duplicate of g{i}"] for i in range(5)
    ]
    assert set(corpus.records("a", "cds").gene) == {f"g{i}" for i in range(60)}


@pytest.mark.parametrize("duplicates", ["keep", "drop"])
def test_copies_of_a_contig_are_warned_of(
    tmp_path: Path, duplicates: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = "".join(np.random.default_rng(0).choice(list("ACGT"), 9_000))
    write_fasta(tmp_path / "g.fa", {"c1": text, "c2": text[:-1] + "N", "c3": text, "c4": text[:5_000]})
    source = {"kind": "genome", "path": str(tmp_path / "g.fa")}
    given = {"species": [{"name": "a", "sources": [source]}], "policies": {"duplicates": duplicates}}
    with caplog.at_level("WARNING"):
        corpus = make_corpus(tmp_path, given)
    warned = [
        one.message for one in caplog.records if one.message.startswith("copies of earlier contigs: 1.")
    ]
    assert len(warned) == (duplicates == "keep")
    assert corpus.manifest["counts"]["a.genome"]["kept"]["records"] == (4 if duplicates == "keep" else 3)
    rows = (corpus.path / "tables" / "dropped.tsv").read_text().splitlines()[1:]
    assert rows == ["a\t0\tgenome\tc3\tduplicate of c1\t9000"] * (duplicates == "drop")


def len_of(corpus: CorpusReader, many: dict[str, Any]) -> int:
    table = corpus.records("a", "cds")
    return int(table.length[:5].sum()) // 3


def test_shards_of_a_big_record_are_read_as_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ACGTacgt"), 1_200_000))
    path = write_fasta(tmp_path / "g.fa", {"s1": text[:900], "big": text, "s2": text[5:1005]})
    corpus = make_corpus(
        tmp_path, one_species("genome", path, shard_mib=1, split={"by": "contig", "block": 0})
    )
    assert len(corpus.info.shards) == 4
    limit = 1 << 20
    assert all((corpus.path / name).stat().st_size <= limit for name in corpus.info.shards)
    table = corpus.records()
    big = int(table.row[table.id == "big"][0])
    assert DNA.decode(corpus.symbols(big), corpus.soft(big)) == text
    place = int(corpus._store.base[2] - corpus._store.base[1])
    assert DNA.decode(corpus.symbols(big, place - 5, place + 5)) == text[place - 5 : place + 5].upper()
    flat, cu = corpus.gather(np.array([big, 0]), np.array([place - 9, 2]), np.array([20, 3]))
    assert DNA.decode(flat) == text[place - 9 : place + 11].upper() + text[2:5].upper()
    assert cu.tolist() == [0, 20, 23]


def test_sequences_as_they_really_come(tmp_path: Path) -> None:
    gene = random_gene(np.random.default_rng(0), 40)
    rows = [
        ("rna", gene.replace("T", "U")),
        ("soft", gene[:30] + gene[30:60].lower() + gene[60:]),
        ("iupac", gene[:33] + "RYN" + gene[36:]),
        ("trailing", gene + "AC"),
        ("empty", ""),
        ("one", "A"),
        ("same", gene),
        ("same", gene[:60] + gene[63:]),
        ("stop", gene[:60] + "TAA" + gene[60:]),
        ("no stop", gene[:-3]),
    ]
    text = "\r\n".join(f">{name}\r\n{body[:50]}\r\n{body[50:]}" for name, body in rows) + "\r\n"
    (tmp_path / "c.fa").write_bytes(text.encode())
    corpus = make_corpus(tmp_path, one_species("cds", tmp_path / "c.fa"))
    table = corpus.records()
    assert table.id.tolist() == ["rna", "soft", "iupac", "trailing", "same", "same", "no"]
    assert DNA.decode(corpus.symbols(0)) == gene[:-3]
    assert DNA.decode(corpus.symbols(1), corpus.soft(1)) == gene[:30] + gene[30:60].lower() + gene[60:-3]
    assert DNA.decode(corpus.symbols(3)) == gene[:-3]
    counts = corpus.manifest["counts"]["a.cds"]
    assert {reason: entry["records"] for reason, entry in counts["dropped"].items()} == {
        "empty": 2,
        "internal stop": 1,
    }
    assert counts["changed"] == {
        "ambiguity letters hidden": {"records": 1, "symbols": 3},
        "U read as T": {"records": 1, "symbols": gene.count("T")},
    }
    assert corpus.manifest["facts"]["repeated_ids"] == 1
    assert table.has_stop.tolist() == [True] * 6 + [False]
    long = write_fasta(tmp_path / "long.fa", {"long": "ACGT" * 80_000}, width=400_000)
    assert make_corpus(tmp_path, one_species("genome", long)).records().length.sum() == 320_000


def test_a_split_gene_keeps_its_places(tmp_path: Path) -> None:
    gene = random_gene(np.random.default_rng(0), 60)
    path = write_fasta(tmp_path / "c.fa", {"x": gene[:60] + "NNN" + gene[60:]})
    corpus = make_corpus(tmp_path, one_species("cds", path, policies={"ambiguity": "split"}))
    table = corpus.records()
    assert table.id.tolist() == ["x:1-60", "x:64-183"]
    assert table.has_start.tolist() == [True, False]
    assert table.has_stop.tolist() == [False, True]
    assert (table.partial5.tolist(), table.partial3.tolist()) == ([False, True], [True, False])
    assert len(set(table.split)) == 1


def test_bad_input_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "c.fa", {"good": "ATGAAATAA" * 5, "bad": "ATGAA-TAA" * 5})
    with pytest.raises(InputError, match="record 'bad'"):
        make_corpus(tmp_path, one_species("cds", path))
    assert not (tmp_path / "corpus").exists()
    with pytest.raises(UsageError, match=r"no such file: .*absent\.fa"):
        make_corpus(tmp_path, one_species("cds", tmp_path / "absent.fa"))
    (tmp_path / "e.fa").write_text(">a\nA\n")
    with pytest.raises(InputError, match="no record is left"):
        make_corpus(tmp_path, one_species("cds", tmp_path / "e.fa"))


def test_errors_of_workers_arrive_whole(tmp_path: Path) -> None:
    good = write_fasta(tmp_path / "c.fa", {"good": random_gene(np.random.default_rng(0), 50)})
    bad = write_fasta(tmp_path / "d.fa", {"bad": "ATGAA-TAA" * 5})
    section = {"species": [{"name": "a", "sources": [{"kind": "cds", "path": [str(good), str(bad)]}]}]}
    with pytest.raises(InputError, match="record 'bad'.*has 5 letters that are not DNA.*correct the file"):
        make_corpus(tmp_path, section | {"workers": 2})


def test_outputs_and_parts_are_guarded(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "c.fa", {"x": random_gene(np.random.default_rng(0), 50)})
    config, out = config_of(one_species("cds", path)), tmp_path / "corpus"
    with pytest.raises(UsageError, match="1 of 1 sources are not read yet"):
        run_tokenize(config, out, merge=True)
    run_tokenize(config, out, shard=(1, 1))
    run_tokenize(config, out, shard=(1, 1), resume=True)
    write_fasta(path, {"y": random_gene(np.random.default_rng(1), 50)})
    with pytest.raises(UsageError, match="have changed since"):
        run_tokenize(config, out, merge=True)
    run_tokenize(config, out)
    for options in ({}, {"shard": (1, 2)}):
        with pytest.raises(UsageError, match="exists already"):
            run_tokenize(config, out, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="exclude each other"):
        run_tokenize(config, out, shard=(1, 2), merge=True)
    run_tokenize(config, out, force=True)
    assert CorpusReader.open(out).records().id.tolist() == ["y"]


def test_an_interrupted_run_is_taken_up(tmp_path: Path, many: dict[str, Any], caplog: Any) -> None:
    config, out = config_of(many), tmp_path / "corpus"
    run_tokenize(config, out, shard=(1, 2))
    with caplog.at_level("INFO", logger="genomecli"):
        run_tokenize(config, out, resume=True)
    assert "of 5 sources were read before" in caplog.text
    make_corpus(tmp_path, many, name="whole")
    assert equal(out, tmp_path / "whole")


def test_a_finished_corpus_of_the_same_files_is_left_as_it_is(
    tmp_path: Path, many: dict[str, Any], caplog: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under ``--resume``, also by the last of several jobs, and where the number of processes is another."""
    out = make_corpus(tmp_path, many).path
    before = (out / "run.json").read_bytes()
    config = config_of(many | {"workers": 2})
    run_tokenize(config, tmp_path / "other", shard=(1, 2))
    parts_folder(tmp_path / "other").rename(parts_folder(out))
    for options in ({}, {"merge": True}, {"preview": 1}):
        capsys.readouterr()
        with caplog.at_level("INFO", logger="genomecli"):
            found = run_tokenize(config, out, resume=True, **options)  # type: ignore[arg-type]
        assert found == read_manifest(out)
        assert "is finished already" in caplog.text
        assert ("ATG" in capsys.readouterr().err) == ("preview" in options)
        caplog.clear()
    assert (out / "run.json").read_bytes() == before
    assert parts_folder(out).exists()  # of whom, nobody knows

    with pytest.raises(UsageError, match="exists already"):  # nor do those wait for it that come before
        run_tokenize(config, out, resume=True, shard=(1, 2))
    for job in (1, 2):
        run_tokenize(config, out, resume=True, shard=(job, 2), force=True)
    run_tokenize(config, out, merge=True, force=True)
    assert (out / "run.json").read_bytes() != before


def test_a_finished_corpus_of_other_files_or_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "c.fa", {"x": random_gene(np.random.default_rng(0), 50)})
    section, out = one_species("cds", path), tmp_path / "corpus"
    run_tokenize(config_of(section), out)
    assert run_tokenize(config_of(section), out, resume=True) is not None
    run = json.loads((out / "run.json").read_text())

    def refused(*, seed: int = 0, **changed: Any) -> bool:
        with pytest.raises(UsageError, match=r"made from other files or settings.*--force"):
            run_tokenize(config_of(section | changed, seed), out, resume=True)
        return True

    assert refused(split={"by": "record"})
    assert refused(seed=2)
    assert refused(figures=True)
    about = json.dumps(run)
    for damaged in (
        about[:-9],
        "[]",
        "{}",
        json.dumps(run | {"config": None}),
        json.dumps(run | {"config": {}}),
    ):
        (out / "run.json").write_text(damaged)
        assert refused()
    (out / "run.json").unlink()
    assert refused()
    (out / "run.json").write_text(about)
    assert run_tokenize(config_of(section), out, resume=True) is not None
    path.write_bytes(path.read_bytes() + b"\n")
    assert refused()


def test_a_damaged_corpus_is_not_called_finished(tmp_path: Path) -> None:
    path = write_fasta(tmp_path / "c.fa", {"x": random_gene(np.random.default_rng(0), 50)})
    config, out = config_of(one_species("cds", path)), tmp_path / "corpus"
    run_tokenize(config, out)
    shard = next(out.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(InputError, match=shard.name):
        run_tokenize(config, out, resume=True)
    (out / "manifest.json").write_text("[]")
    with pytest.raises(UsageError):
        run_tokenize(config, out, resume=True)


def test_a_file_that_grew_while_its_corpus_was_made_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_fasta(tmp_path / "c.fa", {"x": random_gene(np.random.default_rng(0), 50)})
    config, out = config_of(one_species("cds", path)), tmp_path / "corpus"
    real = genomecli.commands.tokenize.build

    def build_then_grow(*given: Any) -> Any:
        built = real(*given)
        path.write_bytes(path.read_bytes() + b">y\nATGGCTAAA\n")
        return built

    with monkeypatch.context() as patch:
        patch.setattr("genomecli.commands.tokenize.build", build_then_grow)
        run_tokenize(config, out)
    with pytest.raises(UsageError, match="made from other files"):
        run_tokenize(config, out, resume=True)


def test_standard_input_and_the_command_itself(tmp_path: Path) -> None:
    gene = random_gene(np.random.default_rng(0), 50)
    yaml = tmp_path / "t.yaml"
    yaml.write_text("tokenize: {species: [{name: s, sources: [{kind: cds, path: '-'}]}], figures: false}\n")
    command = [sys.executable, "-m", "genomecli", "tokenize", "-c", str(yaml), "-o", str(tmp_path / "corpus")]
    packed = gzip.compress(f">x one\n{gene}\n".encode())
    done = subprocess.run([*command, "--preview", "1"], input=packed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    assert "ATG" in done.stderr.decode()
    corpus = CorpusReader.open(tmp_path / "corpus")
    assert DNA.decode(corpus.symbols(0)) == gene[:-3]
    again = subprocess.run(command, input=packed, capture_output=True, check=False)
    assert again.returncode == 2
    assert "exists already" in again.stderr.decode()
    bad = subprocess.run([*command, "--force"], input=b">x\nAC-\n", capture_output=True, check=False)
    assert bad.returncode == 3


def test_tables_and_figure_are_made(tmp_path: Path, many: dict[str, Any]) -> None:
    corpus = make_corpus(tmp_path, many)
    tables = {path.stem: path.read_text().splitlines() for path in (corpus.path / "tables").iterdir()}
    assert set(tables) == {
        "codon_usage", "composition", "counts", "dropped", "frame_check", "lengths", "token_frequencies",
        "translations",
    }  # fmt: skip
    frame = tables["frame_check"][1].split("\t")
    assert frame[:4] == ["a", "1", "60", "1"]
    assert float(frame[4]) < 0.3
    usage = [row.split("\t") for row in tables["codon_usage"][1:]]
    assert sum(int(row[4]) for row in usage) * 3 == corpus.group("a", "cds").symbols
    assert (corpus.path / "figures" / "look.png").read_bytes().startswith(b"\x89PNG")
    manifest = (corpus.path / "manifest.json").read_text()
    assert str(tmp_path) not in manifest
    assert str(many["species"][0]["sources"][1]["path"]) in (corpus.path / "run.json").read_text()


def test_info_tells_what_a_corpus_is(tmp_path: Path, many: dict[str, Any]) -> None:
    corpus = make_corpus(tmp_path, many)
    out = io.StringIO()
    facts = run_info(corpus.path, as_json=True, preview=2, verify=True, stdout=out)
    said = json.loads(out.getvalue())
    assert said["kind"] == facts["kind"] == "corpus"
    assert said["groups"]["a.cds"]["records"] == 60
    assert "by sha256" in said["checked"]
    shown = [record for record in said["preview"] if record["molecule"] == "cds"]
    assert len(shown) == 2
    assert "".join(shown[0]["tokens"]) == DNA.decode(corpus.symbols(corpus.group("a", "cds").first_row))[:72]
    assert PROTEIN.name in corpus.lexicon.languages[1]
    lines = io.StringIO()
    run_info(corpus.path, stdout=lines)
    assert "groups.a.cds.records\t60\n" in lines.getvalue()
    (corpus.path / "records.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match=r"records\.parquet"):
        describe(corpus.path)
    with pytest.raises(InputError, match="no such file"):
        describe(tmp_path / "nothing")
    with pytest.raises(InputError, match="without a manifest"):
        describe(corpus.path / "records.parquet")


@pytest.mark.parametrize("name", TRUTH)
def test_real_genomes_give_the_counts_of_their_readme(tmp_path: Path, real_data: Path, name: str) -> None:
    code, truth = TRUTH[name]
    corpus = make_corpus(tmp_path, one_species("annotated", real_data / "genomes" / name, code))
    assert corpus.group("a", "genome").symbols == truth["genome"]
    assert corpus.group("a", "cds").records == truth["cds"]
    assert corpus.group("a", "protein").records == truth["cds"]
    statuses = {key: count for key, count in truth.items() if key not in ("genome", "cds")}
    assert corpus.manifest["translations"]["a"] == statuses
    genes, proteins = corpus.records("a", "cds"), corpus.records("a", "protein")
    assert genes.gene.tolist() == proteins.gene.tolist()
    assert (genes.gene != "").all()


def test_yeast_and_its_mitochondrion_are_read_with_two_codes(tmp_path: Path, real_data: Path) -> None:
    cds = {
        "kind": "cds",
        "path": str(real_data / "cds" / "scerevisiae.cds.fa.gz"),
        "table_rules": [{"pattern": ":Mito:", "table": 3}],
    }
    proteins = {"kind": "protein", "path": str(real_data / "proteins" / "scerevisiae.faa.gz")}
    corpus = make_corpus(tmp_path, {"species": [{"name": "yeast", "sources": [cds, proteins]}]})
    table = corpus.records("yeast", "cds")
    assert len(table) == 6600
    assert (table.table == 3).sum() == 28
    assert table.has_stop.all()
    assert corpus.manifest["counts"]["yeast.cds"]["dropped"] == {}
    assert corpus.manifest["facts"]["pairs"]["genes"] > 5800


@pytest.mark.parametrize("kind", ["genome", "cds", "annotated"])
def test_rna_letters_are_read_and_counted(tmp_path: Path, kind: str) -> None:
    path = write_fasta(tmp_path / "x.fa", {"r1": "AUGGCUAAA" * 9 + "uaa", "r2": "ATGGCTAAA" * 9 + "TAA"})
    section = one_species(kind, path, policies={"lower_case": "ignore"})
    if kind == "annotated":
        (tmp_path / "x.gff").write_text("##gff-version 3\nr1\t.\tCDS\t1\t84\t.\t+\t0\tID=a\n")
        section["species"][0]["sources"][0]["annotation"] = str(tmp_path / "x.gff")
    manifest = run_tokenize(config_of(section), tmp_path / "c")
    assert manifest is not None
    if kind == "annotated":
        assert manifest["sources"][0]["counts"]["genome letters changed: U read as T"] == 19
    else:
        assert manifest["counts"][f"a.{kind}"]["changed"]["U read as T"] == {"records": 1, "symbols": 19}
    assert any("U read as T" in line for line in summary_lines(manifest))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_stop_signal_keeps_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    gene = "ATGGCTAAA" * 9 + "TAA"
    config = config_of(one_species("cds", write_fasta(tmp_path / "x.fa", {"r": gene})))
    number, before = getattr(signal, name), signal.getsignal(getattr(signal, name))
    real = genomecli.commands.tokenize.read_units

    def read_then_stop(*args: Any, **said: Any) -> None:
        real(*args, **said)
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr("genomecli.commands.tokenize.read_units", read_then_stop)
        with pytest.raises(CheckpointedError, match="--resume"):
            run_tokenize(config, tmp_path / "c")
    assert signal.getsignal(number) is before
    assert parts_folder(tmp_path / "c").is_dir()
    assert not (tmp_path / "c").exists()
    assert run_tokenize(config, tmp_path / "c", resume=True) is not None
    assert not parts_folder(tmp_path / "c").exists()


@pytest.mark.parametrize("given", [b"", gzip.compress(b">a\nATGGCTTAA\n" * 999)[:-30]], ids=["empty", "cut"])
def test_refused_standard_input_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bytes
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    with pytest.raises(InputError, match="standard input"):
        run_tokenize(config_of(one_species("cds", Path("-"))), tmp_path / "c")
    assert not list(tmp_path.iterdir())


def test_a_refused_file_leaves_the_parts_of_others(tmp_path: Path) -> None:
    whole = write_fasta(tmp_path / "x.fa", {"r": "ATGGCTTAA"})
    section = one_species("cds", whole)
    section["species"][0]["sources"].append({"kind": "protein", "path": str(tmp_path / "empty.fa")})
    (tmp_path / "empty.fa").touch()
    with pytest.raises(InputError, match="empty"):
        run_tokenize(config_of(section), tmp_path / "c", workers=1)
    assert [path.name for path in parts_folder(tmp_path / "c").iterdir()] == ["unit-00000"]


def test_genes_alone_are_read_beside_their_translations(tmp_path: Path) -> None:
    """As if the proteins, made by Biopython, stood in a file of their own; and they pair."""
    from Bio.Seq import Seq

    random = np.random.default_rng(1)
    genes = {f"g{i}": random_gene(random, 40 + i, table=11) for i in range(12)}
    cds = write_fasta(tmp_path / "genes.fa", genes)
    made = {name: str(Seq(text).translate(table=11, cds=True)) for name, text in genes.items()}
    proteins = write_fasta(tmp_path / "proteins.fa", made)
    alone = one_species("cds", cds, 11)
    alone["species"][0]["sources"][0]["proteins"] = "translated"
    both = one_species("cds", cds, 11)
    both["species"][0]["sources"].append({"kind": "protein", "path": str(proteins)})
    ours, theirs = (make_corpus(tmp_path, section, name=n) for section, n in ((alone, "a"), (both, "b")))
    for corpus in (ours, theirs):
        assert [PROTEIN.decode(corpus.symbols(row)) for row in range(12, 24)] == list(made.values())
    for column in ("id", "molecule", "length", "family", "split"):
        assert getattr(ours.records(), column).tolist() == getattr(theirs.records(), column).tolist()
    both["species"][0]["sources"][1]["proteins"] = "translated"
    with pytest.raises(ValueError, match="proteins: translated needs genes, and kind protein has none"):
        config_of(both)
