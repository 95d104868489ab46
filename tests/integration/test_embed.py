"""``embed`` as users run it: files, pipes, every level and format, interruptions, odd input."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genomecli.cli import main
from genomecli.corpus.lexicon import build_lexicon
from genomecli.corpus.vocabulary import CLS, SEP
from genomecli.exchange.tables import read_table
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng
from genomecli.sequences.alphabets import DNA
from genomecli.training.checkpoint import Checkpoint, Identity, load_model, save_checkpoint
from genomecli.training.plan import Progress

SETTINGS = {"preset": None, "layers": 2, "width": 32, "heads": 2, "context": 64, "dropout": 0.1}
COMMON = ["--set", "device=cpu", "--set", "precision=fp32", "--set", "threads=1"]


def make_run(folder: Path, species: list[str], seed: int = 1, **reading: object) -> Path:
    settings = ModelSettings.model_validate(SETTINGS)
    lexicon = build_lexicon(species)
    model = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=seed)
    identity = Identity(settings.model_dump(mode="json"), "corpus", 0, 10, 1, "fp32", "cpu")
    config, state = {"pretrain": {"reading": reading}}, dict(model.state_dict())
    save_checkpoint(folder, Checkpoint(Progress(step=10), identity, lexicon, config, state), best=True)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one", ["bug"])


def genes(count: int, key: str = "genes") -> list[tuple[str, str]]:
    random = rng("embed tests", key)
    return [
        (f"gene{i}", "".join("ACGT"[c] for c in random.integers(0, 4, int(random.integers(9, 400)))))
        for i in range(count)
    ]


def write_fasta(path: Path, records: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write_fasta(tmp_path / "in.fa", genes(30))


def embed(*arguments: object) -> int:
    return main(["embed", *map(str, arguments), *COMMON])


def plain_mean(run: Path, sequence: str) -> np.ndarray:
    """Mean last state of a short sequence's codons, by the plainest call."""
    loaded = load_model(run)
    tokens = loaded.lexicon.tokenizer("bug", "dna").encode(DNA.encode(sequence))
    row = torch.tensor([[CLS, *tokens.tolist(), SEP]])
    with torch.no_grad():
        states = loaded.model(row, None, None, torch.zeros_like(row)).last[0, 1:-1]
    return states.mean(dim=0).numpy()


def test_records_to_every_format(run: Path, fasta: Path, tmp_path: Path) -> None:
    tables = {}
    for ending in ("parquet", "tsv", "npy", "safetensors"):
        out = tmp_path / f"v.{ending}"
        assert embed("-m", run, fasta, "-o", out) == 0
        tables[ending] = read_table(out)
        assert tables[ending].ids == [name for name, _ in genes(30)]
    first = tables["parquet"].vectors["layer2_mean"]
    for table in tables.values():
        assert np.array_equal(next(iter(table.vectors.values())), first)
    for row, (_, sequence) in enumerate(genes(30)):
        if len(sequence) < 180:
            np.testing.assert_allclose(first[row], plain_mean(run, sequence), atol=1e-5)


def test_h5ad_holds_the_same_vectors(run: Path, fasta: Path, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    for ending in ("h5ad", "npy"):
        out = ["-o", tmp_path / f"v.{ending}", "--set", "embed.description=true"]
        assert embed("-m", run, fasta, *out) == 0
    table = anndata.read_h5ad(tmp_path / "v.h5ad")
    assert np.array_equal(table.obsm["layer2_mean"], np.load(tmp_path / "v.npy"))
    assert list(table.obs_names) == [name for name, _ in genes(30)]
    assert list(table.obs.columns) == ["description"]


def test_h5ad_without_anndata_is_refused_before_the_work(
    run: Path,
    fasta: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "anndata", None)
    assert embed("-m", run, fasta, "-o", tmp_path / "v.h5ad") == 2
    assert "pip install 'genomecli[anndata]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("*h5ad*"))


def test_companions_and_byte_equality(run: Path, fasta: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        assert embed("-m", run, fasta, "-o", folder / "v.parquet") == 0
        assert {p.name for p in folder.iterdir()} == {
            "v.parquet",
            "v.parquet.manifest.json",
            "v.parquet.run.json",
        }
    for name in ("v.parquet", "v.parquet.manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    manifest = json.loads((tmp_path / "a" / "v.parquet.manifest.json").read_bytes())
    assert manifest["kind"] == "embedding"
    assert manifest["counts"]["records"] == manifest["counts"]["rows"] == 30


def test_a_filter_from_standard_input_to_standard_output(run: Path, tmp_path: Path) -> None:
    text = "".join(f">{name} what it is\n{sequence}\n" for name, sequence in genes(5))
    packed = gzip.compress(text.encode())
    command = [sys.executable, "-m", "genomecli.cli", "embed", "--model", str(run), "-", *COMMON]
    command[1:3] = ["-c", "from genomecli.cli import run; run()"]
    done = subprocess.run(command, input=packed, capture_output=True, check=True)
    rows = list(csv.reader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    assert rows[0][:2] == ["id", "layer2_mean_0"]
    assert [row[0] for row in rows[1:]] == [name for name, _ in genes(5)]
    assert b"5 records in, 5 rows out, 0 dropped" in done.stderr
    out = tmp_path / "v.tsv"
    (tmp_path / "in.fa").write_text(text)
    assert embed("-m", run, tmp_path / "in.fa", "-o", out) == 0
    assert out.read_bytes() == done.stdout


def test_a_reader_that_leaves_is_no_error(run: Path, fasta: Path) -> None:
    write_fasta(fasta, genes(300))
    program = "from genomecli.cli import run; run()"
    command = [sys.executable, "-c", program, "embed", "-m", str(run), str(fasta), *COMMON]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 141
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_the_result_of_a_record_does_not_depend_on_its_batch(run: Path, tmp_path: Path) -> None:
    records = genes(40)
    whole, part, other = (tmp_path / f"{name}.parquet" for name in ("whole", "part", "other"))
    assert embed("-m", run, write_fasta(tmp_path / "all.fa", records), "-o", whole) == 0
    assert embed("-m", run, write_fasta(tmp_path / "some.fa", records[::-7]), "-o", part) == 0
    assert embed("-m", run, tmp_path / "all.fa", "-o", other, "-s", "embed.tokens_per_batch=64") == 0
    everything = read_table(whole)
    expected = dict(zip(everything.ids, everything.vectors["layer2_mean"], strict=True))
    for table in (read_table(part), read_table(other)):
        for name, vector in zip(table.ids, table.vectors["layer2_mean"], strict=True):
            assert np.array_equal(vector, expected[name])


def test_layers_poolings_and_descriptions(run: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "in.fa"
    fasta.write_text(">a first gene\nATGAAATTT\n>b\nATGAAATTTCCC\n")
    out = tmp_path / "v.parquet"
    options = [
        "embed.layers=all",
        "embed.pooling=[mean, cls, max]",
        "embed.description=true",
        "embed.dtype=float16",
    ]
    assert embed("-m", run, fasta, "-o", out, *(part for o in options for part in ("-s", o))) == 0
    table = read_table(out)
    assert table.columns == tuple(f"layer{n}_{p}" for n in range(3) for p in ("mean", "cls", "max"))
    assert table.labels["description"] == ["first gene", ""]
    assert table.vectors["layer1_max"].dtype == np.float16
    assert (table.vectors["layer1_max"] >= table.vectors["layer1_mean"]).all()


def test_tokens_have_positions_and_words(run: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "in.fa"
    fasta.write_text(">a\nCATGAAANTTGG\n>long\n" + "ACGTTG" * 100 + "\n")
    out = tmp_path / "v.parquet"
    assert embed("-m", run, fasta, "-o", out, "-s", "embed.level=token", "-s", "embed.frame=1") == 0
    table = read_table(out)
    assert table.ids == ["a"] * 3 + ["long"] * 199
    assert table.labels["token"][:3] == ["ATG", "AAA", "[UNK]"]
    assert table.labels["position"][:3] == [1, 4, 7]
    assert table.labels["position"][3:] == list(range(1, 598, 3))
    record = tmp_path / "r.parquet"
    assert embed("-m", run, fasta, "-o", record, "-s", "embed.frame=1") == 0
    means = read_table(record).vectors["layer2_mean"]
    states = table.vectors["layer2"]
    np.testing.assert_allclose(means, [states[:2].mean(axis=0), states[3:].mean(axis=0)], atol=1e-5)


def test_words_static_and_contextual(run: Path, tmp_path: Path) -> None:
    static = tmp_path / "static.parquet"
    assert embed("-m", run, "-o", static, "-s", "embed.level=vocabulary") == 0
    rows = read_table(static)
    weight = load_model(run).model.encoder.stem.output_weight().detach().numpy()
    assert np.array_equal(rows.vectors["static"], weight[5:])
    assert rows.labels["language"] == ["dna"] * 64 + ["protein"] * 20

    fasta = tmp_path / "in.fa"
    fasta.write_text(">a\nATGAAAAAATAA\n>b\nAAATTTAAA\n")
    out, tokens = tmp_path / "both.tsv", tmp_path / "t.parquet"
    options = ["-s", "embed.molecule=cds", "-s", "embed.layers=[1]"]
    assert embed("-m", run, fasta, "-o", out, *options, "-s", "embed.level=vocabulary") == 0
    assert embed("-m", run, fasta, "-o", tokens, *options, "-s", "embed.level=token") == 0
    both, each = read_table(out), read_table(tokens)
    assert both.columns == ("static", "layer1")
    assert both.labels["language"] == ["bug/dna"] * 64
    counts = dict(zip(both.ids, both.labels["count"], strict=True))
    assert (counts["AAA"], counts["TTT"], counts["ATG"], counts["TAA"]) == (4, 1, 0, 0)
    chosen = [row for row, word in enumerate(each.labels["token"]) if word == "AAA"]
    expected = each.vectors["layer1"][chosen].mean(axis=0)
    np.testing.assert_allclose(both.vectors["layer1"][both.ids.index("AAA")], expected, atol=1e-5)
    assert np.isnan(both.vectors["layer1"][both.ids.index("ATG")]).all()


def test_every_record_is_a_row_or_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = tmp_path / "in.fa"
    fasta.write_bytes(
        b">ok\r\nATGAAATTTCCCGGGAAATTTCCCGGGAAATTTCCCGGGAAATTTCCCGGGAAATTTCCCGGG\r\n"
        b'>empty\n>short\nAC\n>unknown\nNNNNNN\n>gap\nATG-AA\n>ok\natgaaa\n>soft..//"x\nAUGAAAR\n'
    )
    out = tmp_path / "v.parquet"
    assert embed("-m", run, fasta, "-o", out) == 0
    table = read_table(out)
    assert table.ids == ["ok", "ok", 'soft..//"x']
    with open(f"{out}.dropped.tsv", newline="") as stream:
        dropped = {row["id"]: row["reason"] for row in csv.DictReader(stream, delimiter="\t")}
    assert list(dropped) == ["empty", "short", "unknown", "gap"]
    errors = capsys.readouterr().err
    assert all(reason in errors for reason in dropped.values())
    assert "7 records in, 3 rows out, 4 dropped" in errors
    info = json.loads(Path(f"{out}.run.json").read_bytes())
    assert info["counts"]["dropped"] == 4
    fasta.write_text(">short\nAC\n>two\nA\n")
    assert embed("-m", run, fasta, "-o", out, "--force", "-s", "embed.molecule=genome") == 3
    assert "none of 2 records could be read" in capsys.readouterr().err
    assert not (tmp_path / ".v.parquet.partial").exists()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (">p\nMKLVEFWWPQLLEEFF\n", ["embed.molecule=cds"], "looks like protein, not like cds"),
        (">p\nACG\n", [], "too few letters to tell DNA from protein"),
        ("@read\nACGT\n+\nIIII\n", ["embed.molecule=genome"], "is FASTQ"),
        ("", ["embed.molecule=genome"], "is empty"),
        (">a\n" + "ACGTTT" * 90 + "\n", ["embed.long_input=error"], "exceed the window of 62"),
        (">a\nACGTTTACGTTT\n", ["embed.layers=[7]"], "the model has no layer 7"),
    ],
)
def test_bad_input_is_named(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    options: list[str],
    message: str,
) -> None:
    fasta = tmp_path / "in.fa"
    fasta.write_text(text)
    given = [part for option in options for part in ("-s", option)]
    assert embed("-m", run, fasta, "-o", tmp_path / "v.tsv", *given) == 3
    assert message in capsys.readouterr().err
    assert not (tmp_path / "v.tsv").exists()
    assert embed("-m", run, fasta, *given) == 3
    assert capsys.readouterr().out == "", "a pipe is not to see a header without a table"


def test_a_molecule_that_the_model_never_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The vocabulary has residues, too, but the body of a run on genomes has never seen one."""
    run = make_run(tmp_path / "run", ["bug"], molecules=["genome"])
    protein, gene = (write_fasta(tmp_path / f"{n}.fa", [("a", n)]) for n in ("MKVLAYRDEFW", "ATGGCCTTATAA"))
    assert embed("-m", run, protein, "-o", tmp_path / "v.tsv") == 3
    assert "was trained on genome alone, not on protein" in capsys.readouterr().err
    assert not (tmp_path / "v.tsv").exists()
    assert embed("-m", run, gene, "-o", tmp_path / "v.tsv", "-s", "embed.molecule=cds") == 0
    whole = ["-s", "embed.level=vocabulary", "-s", "embed.vectors=static"]
    assert embed("-m", run, "-o", tmp_path / "words.tsv", *whole) == 0
    assert "genome alone: vectors of protein tokens are random" in capsys.readouterr().err


def test_bad_usage_is_named(
    run: Path, fasta: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = make_run(tmp_path / "two", ["bug", "yeast"])
    cases: list[tuple[list[object], str]] = [
        ([fasta], "no model is given"),
        (["-m", run], "no input"),
        (["-m", run, fasta, "-o", tmp_path / "v.csv"], "ending of no table format"),
        (["-m", run, fasta, "--resume"], "standard output cannot be resumed"),
        (["-m", run, "-", "--resume", "-o", tmp_path / "v.tsv"], "standard input cannot be read again"),
        (["-m", two, fasta], "the model knows 2 species; set embed.species to one of bug, yeast"),
        (["-m", two, fasta, "-s", "embed.species=mouse"], "does not know species 'mouse'"),
    ]
    for arguments, message in cases:
        assert embed(*arguments) == 2
        assert message in capsys.readouterr().err
    assert embed("-m", two, fasta, "-s", "embed.species=yeast", "-o", tmp_path / "v.tsv") == 0


def test_real_proteins_and_a_real_genome(run: Path, real_data: Path, tmp_path: Path) -> None:
    proteins, genome = real_data / "proteins" / "mgenitalium.faa.gz", real_data / "genomes" / "phix174.fna"
    assert embed("-m", run, proteins, "-o", tmp_path / "p.parquet") == 0
    with gzip.open(proteins, "rt") as lines:
        names = [line[1:].split()[0] for line in lines if line.startswith(">")]
    table = read_table(tmp_path / "p.parquet")
    assert table.ids == names
    assert np.isfinite(table.vectors["layer2_mean"]).all()

    assert embed("-m", run, genome, "-o", tmp_path / "g.parquet", "-s", "embed.level=token") == 0
    tokens = read_table(tmp_path / "g.parquet")
    assert tokens.labels["position"] == list(range(0, 5386 - 2, 3))
    sequence = "".join(line.strip() for line in genome.read_text().splitlines()[1:]).upper()
    assert "".join(str(word) for word in tokens.labels["token"]) == sequence[: 5386 // 3 * 3]
    assert embed("-m", run, genome, "-o", tmp_path / "r.parquet", "-s", "embed.pooling=[mean, max]") == 0
    record = read_table(tmp_path / "r.parquet")
    states = tokens.vectors["layer2"]
    np.testing.assert_allclose(record.vectors["layer2_mean"][0], states.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(record.vectors["layer2_max"][0], states.max(axis=0), atol=1e-5)
