"""The README's tables of what opens where: each cell is tried, and each thing that is tried stands there."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genomecli.cli import main
from genomecli.corpus.lexicon import build_lexicon
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.training.checkpoint import Checkpoint, Identity, load_model, save_checkpoint
from genomecli.training.plan import Progress
from tests.integration.planted import motif_table
from tests.integration.test_mrr_compare import QUICK
from tests.unit.analysis.compare_toys import write_run, write_species_corpus
from tests.unit.exchange.foreign import RESIDUES, make_foreign, make_nucleotide_transformer, make_words

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CPU = ["--set", "device=cpu", "--set", "precision=fp32", "--set", "threads=1", "-q"]
FASTA = ">a\nATGGCTGATTACAGATTACACAGT\n>b\nATGGATTACAGATTACAGATT\n>c\nATGCCCCCCGGGTTTAAACCC\n"
TEXT = "ATGGCTGATTACAGATTACAC"

Cells = dict[tuple[str, str], str]


def cells(heading: str) -> Cells:
    """The table whose first heading that is, by row and column."""
    lines = README[README.index(f"| {heading} |") :].split("\n\n")[0].split("\n")
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
    rows = [[cell.strip("| ") for cell in row] for row in rows]
    columns = rows[0][1:]
    return {(row[0], name): cell for row in rows[2:] for name, cell in zip(columns, row[1:], strict=True)}


OURS, THEIRS, FILES = cells("made here"), cells("folder of"), cells("file")


# What is made here, in other programs


def network(folder: Path, model: dict[str, Any], **words: Any) -> Path:
    """A checkpoint of random weights."""
    sizes = {"preset": None, "layers": 2, "width": 16, "heads": 2, "context": 64, "initializer_range": 0.3}
    settings = ModelSettings.model_validate(sizes | model)
    lexicon = build_lexicon(["bug"], **({"dna": "codon"} | words))
    made = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages), seed=3)
    identity = Identity(settings.model_dump(mode="json"), "corpus", 1, 1, 1, "fp32", "cpu")
    config = {"pretrain": {"corpus": "x", "reading": {"context": 64}, "objectives": {"mlm": {}}}}
    save_checkpoint(folder, Checkpoint(Progress(1), identity, lexicon, config, made.state_dict()), best=True)
    return folder


NETWORKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "`modern`, codons": ({}, {}),
    "`modern`, single bases": ({}, {"dna": "base"}),
    "`modern`, 4-mers side by side": ({}, {"dna": "kmer", "k": 4, "stride": 4}),
    "`modern`, overlapping 3-mers": ({}, {"dna": "kmer", "k": 3, "stride": 1}),
    "`classic`, codons": ({"architecture": "classic"}, {}),
    "`language_embedding: true`": ({"language_embedding": True}, {}),
    "`qk_norm: true`": ({"qk_norm": True}, {}),
    "`mixer: convolution`": ({"mixer": "convolution", "positions": "none", "layers": 1}, {}),
}


def tuned(folder: Path, *, style: str, per_base: bool = False) -> Path:
    """A network tuned for one epoch."""
    lines = motif_table(folder / "t.tsv")
    target: dict[str, Any] = {"motif": {}}
    head = {"style": style, "pooling": "cls"}
    if per_base:
        texts = [line.split("\t")[1] for line in lines[1:]]
        rows = "".join(f"{text}\t{''.join('u' if c in 'AG' else 'y' for c in text)}\n" for text in texts)
        (folder / "t.tsv").write_text(f"sequence\tkind\n{rows}")
        target = {"kind": {"kind": "token"}}
    values = {
        "seed": 1,
        "device": "cpu",
        "precision": "fp32",
        "finetune": {
            "data": {"path": "t.tsv"},
            "targets": target,
            "network": {"preset": "tiny", "layers": 1, "width": 16, "heads": 2, "context": 64},
            "tokens": "base",
            "head": head,
            "epochs": 1,
            "split": {"by": "random", "valid": 0.2, "test": 0.3},
            "metrics": {"bootstrap": 20},
            "baselines": {"run": ["majority"]},
        },
    }
    (folder / "tune.yaml").write_text(json.dumps(values))
    assert main(["finetune", "-c", str(folder / "tune.yaml"), "-o", str(folder / "tuned"), "-q"]) == 0
    return folder / "tuned"


TUNED = {
    "tuned on sequences, `head: {style: hugging-face, pooling: cls}`": {"style": "hugging-face"},
    "tuned on bases, `head.style: hugging-face`": {"style": "hugging-face", "per_base": True},
    "tuned, `head.style: plain`": {"style": "plain"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From the name of a row to a run or checkpoint, made once."""
    kept: dict[str, Path] = {}

    def make(row: str) -> Path:
        if row not in kept:
            folder = tmp_path_factory.mktemp("made")
            model, words = NETWORKS.get(row, ({}, {}))
            kept[row] = (
                network(folder / "net", model, **words) if row in NETWORKS else tuned(folder, **TUNED[row])
            )
        return kept[row]

    return make


def ours(run: Path) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """States and scores of TEXT, and its ids."""
    loaded = load_model(run)
    symbols = loaded.lexicon.tokenizers[0].alphabet.encode(TEXT)
    ids = [2, *loaded.lexicon.tokenizers[0].encode(symbols).tolist(), 3]
    languages = torch.zeros(1, len(ids), dtype=torch.long)
    with torch.no_grad():
        states = loaded.model(torch.tensor([ids]), None, None, languages).last
        return states[0], loaded.model.logits(states)[0], ids


def in_transformers(run: Path, out: Path, cell: str, capsys: Any) -> None:
    transformers = pytest.importorskip("transformers")
    asked = ["export", str(run), "-o", str(out), "--set", "export.molecule=dna", "-q"]
    if cell.startswith("refused"):
        assert main(asked) == 2
        (name,) = re.findall(r"`(.+?)`", cell)
        assert f"{name} must be" in capsys.readouterr().err
        assert not out.exists()
        return
    assert main(asked) == 0
    (name,) = re.findall(r"`\.*(\w+)`", cell)
    kind = re.sub(r"^(ModernBert|Bert)", "", name)
    model = getattr(transformers, f"AutoModel{kind}").from_pretrained(out).eval()
    assert type(model).__name__.endswith(name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    text = " ".join(TEXT[i : i + 3] for i in range(len(TEXT) - 2)) if "split" in cell else TEXT.lower()
    with torch.no_grad():
        found = model(**tokenizer(text, return_tensors="pt")).logits[0]
    if kind == "ForMaskedLM":
        _, want, ids = ours(run)
        assert tokenizer(text)["input_ids"] == ids
        torch.testing.assert_close(found, want, rtol=0, atol=1e-4)
        return
    (out.parent / "x.fa").write_text(f">a\n{TEXT}\n")
    table = out.parent / "x.tsv"
    assert main(["predict", str(out.parent / "x.fa"), "-m", str(run), "-o", str(table), *CPU]) == 0
    with open(table) as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    shares = [[float(row[key]) for key in row if ".p." in key] for row in rows]
    chances = found.softmax(-1).reshape(-1, found.shape[-1]).numpy()
    inner = chances[1:-1] if kind == "ForTokenClassification" else chances
    np.testing.assert_allclose(inner, shares, rtol=0, atol=1e-4)


def in_onnxruntime(run: Path, out: Path, cell: str, capsys: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    sets = ["--set", "export.molecule=dna", *(["--set", "export.species=bug"] if "net" in run.name else [])]
    assert main(["export", str(run), "-o", str(out), "--format", "onnx", *sets, "-q"]) == 0
    states, scores, ids = ours(run)
    session = onnxruntime.InferenceSession(str(out / "model.onnx"))
    given = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), dtype=np.int64)}
    found = session.run(None, given)
    np.testing.assert_allclose(found[0][0], states.numpy(), rtol=0, atol=1e-4)
    assert len(found) == (2 if cell == "states and scores" else 1)
    if cell == "states and scores":
        np.testing.assert_allclose(found[1][0], scores.numpy(), rtol=0, atol=1e-4)
    else:
        assert cell == "states"


PROGRAMS = {"transformers": in_transformers, "onnxruntime": in_onnxruntime}


def test_the_tables_say_what_is_tried_and_no_more() -> None:
    assert set(OURS) == {(row, program) for row in [*NETWORKS, *TUNED] for program in PROGRAMS}
    assert set(THEIRS) == {(row, command) for row in FAMILIES for command in COMMANDS}
    assert set(FILES) == {(row, "opens in") for row in OPENERS}


@pytest.mark.parametrize(("row", "program"), OURS)
def test_what_is_made_here(row: str, program: str, made: Any, tmp_path: Path, capsys: Any) -> None:
    PROGRAMS[program](made(row), tmp_path / "out", OURS[row, program], capsys)


# What others made, in our commands

FAMILIES = {
    "BERT": "bert",
    "RoBERTa": "roberta",
    "ModernBERT": "modernbert",
    "ESM-2": "esm",
    "ESM-1b": "esm-1b",
    "Nucleotide Transformer v1": "nt",
    "`genomecli export`": "ours",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_species_corpus(tmp_path_factory.mktemp("corpus") / "corpus", {"any": 1}, genes=40)


@pytest.fixture(scope="module")
def folders(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("transformers")
    top = tmp_path_factory.mktemp("folders")
    words, plain = make_words(3), ("bert", "roberta", "modernbert", "esm")
    found = {name: make_foreign(top / name, name, words) for name in plain}
    before = {"emb_layer_norm_before": True, "position_embedding_type": "absolute"}
    found["esm-1b"] = make_foreign(top / "esm-1b", "esm", words, **before)
    for folder in found.values():
        (folder / "genomecli.json").write_text('{"stride": 3}')
    for name, folder in {**found}.items():
        options = before if name == "esm-1b" else {}
        make_foreign(folder.with_name(f"{name}-proteins"), name.split("-")[0], RESIDUES, **options)
    found["nt"] = make_nucleotide_transformer(top / "nt", k=3)
    run = write_run(top / "run", ["any"], corpus, noise=0.1)
    assert main(["export", str(run), "-o", str(top / "ours"), "--set", "export.molecule=dna", "-q"]) == 0
    return {**found, "ours": top / "ours"}


def embed(folder: Path, corpus: Path, out: Path) -> int:
    return main(["embed", str(out.parent / "x.fa"), "-m", str(folder), "-o", f"{out}.tsv", *CPU])


def finetune(folder: Path, corpus: Path, out: Path) -> int:
    motif_table(out.parent / "t.tsv")
    values = {
        "device": "cpu",
        "finetune": {
            "model": str(folder),
            "data": {"path": "t.tsv", "molecule": "genome"},
            "targets": {"motif": {}},
            "epochs": 0.3,
            "split": {"by": "random"},
            "metrics": {"bootstrap": 20},
            "baselines": {"run": ["majority"]},
        },
    }
    (out.parent / "tune.yaml").write_text(json.dumps(values))
    code = main(["finetune", "-c", str(out.parent / "tune.yaml"), "-o", str(out), "-q"])
    return code or main(["predict", str(out.parent / "x.fa"), "-m", str(out), "-o", f"{out}.tsv", *CPU])


def score(folder: Path, corpus: Path, out: Path) -> int:
    return main(["score", "--scan", str(out.parent / "x.fa"), "-m", str(folder), "-o", f"{out}.tsv", *CPU])


def mrr_compare(folder: Path, corpus: Path, out: Path, *more: str) -> int:
    sets = [part for text in [*QUICK, "mrr-compare.figures=false"] for part in ("--set", text)]
    return main(["mrr-compare", str(folder), "--corpus", str(corpus), "-o", str(out), *sets, *more, "-q"])


def proteins_of(folder: Path, corpus: Path, out: Path) -> int:
    """The folder as the protein side of a run of ours."""
    run = write_run(out.parent / "run", ["any"], corpus, noise=0.1)
    beside = folder.with_name(f"{folder.name}-proteins")
    network = str(beside if beside.exists() else folder)
    return mrr_compare(run, corpus, out, "--proteins-of", network)


def init_from(folder: Path, corpus: Path, out: Path) -> int:
    ours = "lexicon" in (folder / "genomecli.json").read_text() if (folder / "genomecli.json").exists() else 0
    reading = {"context": 32, "tokens_per_batch": 256, "tokens_per_step": 256, "validation_tokens": 100}
    reading |= {"molecules": ["cds", "protein"] if ours else ["cds"]}
    settings = {"corpus": str(corpus), "steps": 1, "init_from": str(folder), "reading": reading}
    (out.parent / "p.yaml").write_text(json.dumps({"device": "cpu", "pretrain": settings}))
    return main(["pretrain", "-c", str(out.parent / "p.yaml"), "-o", str(out), "-q"])


def export(folder: Path, corpus: Path, out: Path) -> int:
    return main(["export", str(folder), "-o", str(out), "--set", "export.molecule=dna", "-q"])


COMMANDS = {
    "`embed`": embed,
    "`finetune`, `predict`": finetune,
    "`score`": score,
    "`mrr-compare`": mrr_compare,
    "`mrr-compare --proteins-of`": proteins_of,
    "`pretrain.init_from`": init_from,
    "`export`": export,
}


WHY_NOT = {
    "`score`": "score needs tokens of one length",
    "`mrr-compare`": "mrr-compare needs tokens of one length",
    "`mrr-compare --proteins-of`": "has no words for amino acids",
    "`pretrain.init_from`": "pretrain.init_from needs tokens of one length",
    "`export`": "model.stem_norm must be|model.first_norm must be|model.feedforward must be",
}
"""What the one line says where a cell says no."""


@pytest.mark.parametrize(("row", "command"), THEIRS)
def test_what_others_made(
    row: str, command: str, folders: Any, corpus: Path, tmp_path: Path, own_cache: None, capsys: Any
) -> None:
    (tmp_path / "x.fa").write_text(FASTA)
    code = COMMANDS[command](folders[FAMILIES[row]], corpus, tmp_path / "out")
    said = capsys.readouterr().err
    assert (code == 0) == (THEIRS[row, command] == "yes"), said
    if code:
        assert re.search(WHY_NOT[command], said.splitlines()[-1]), said
        assert not (tmp_path / "out").exists()


# Files, in the libraries that people read them with


@pytest.fixture(scope="module")
def table(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From an ending to a table of embed; ids a, b and c, width 16."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "x.fa").write_text(FASTA)

    def write(ending: str) -> Path:
        path = folder / f"t.{ending}"
        words = ["embed", str(folder / "x.fa"), "-m", str(made("`modern`, codons")), "-o", str(path), *CPU]
        assert main([*words, "--set", "embed.molecule=cds", "--force"]) == 0
        return path

    return write


def by_pandas(table: Any) -> tuple[list[str], Any]:
    pandas = pytest.importorskip("pandas")
    read = pandas.read_csv(table("tsv"), sep="\t")
    again = pandas.read_parquet(table("parquet"))
    assert list(again["id"]) == list(read["id"])
    return list(read["id"]), read.select_dtypes("float").to_numpy()[:, -16:]


def by_numpy(table: Any) -> tuple[list[str], Any]:
    path = table("npy")
    ids = Path(f"{path}.ids.tsv").read_text().split("\n")[1:4]
    return [line.split("\t")[0] for line in ids], np.load(path).reshape(3, -1)[:, -16:]


def by_safetensors(table: Any) -> tuple[list[str], Any]:
    from safetensors.numpy import load_file

    found = load_file(table("safetensors"))
    vectors = next(value for value in found.values() if value.ndim >= 2 and value.shape[-1] == 16)
    return ["a", "b", "c"], vectors.reshape(3, -1)[:, -16:]


def by_anndata(table: Any) -> tuple[list[str], Any]:
    anndata = pytest.importorskip("anndata")
    read = anndata.read_h5ad(table("h5ad"))
    again = pytest.importorskip("scanpy").read_h5ad(table("h5ad"))
    assert all(np.array_equal(again.obsm[name], read.obsm[name]) for name in read.obsm)
    assert again.obs.equals(read.obs)
    ids = list(read.obs["id"]) if "id" in read.obs else list(read.obs_names)
    return ids, next(iter(read.obsm.values()))


OPENERS = {
    "`embed`: `.tsv`, `.parquet`": ("pandas", by_pandas),
    "`embed`: `.npy`": ("numpy", by_numpy),
    "`embed`: `.safetensors`": ("safetensors", by_safetensors),
    "`embed`: `.h5ad`": ("anndata, scanpy", by_anndata),
}


@pytest.mark.parametrize("row", [row for row, _ in FILES])
def test_files(row: str, table: Any) -> None:
    library, read = OPENERS[row]
    assert FILES[row, "opens in"] == library
    ids, vectors = read(table)
    _, want = by_numpy(table)
    assert ids == ["a", "b", "c"]
    np.testing.assert_allclose(vectors, want, rtol=1e-5, atol=1e-6)
