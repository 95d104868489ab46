"""``mrr-compare`` with networks of others: codons alone, and codons of one against amino acids of another."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from genomecli.cli import main
from genomecli.sequences.codes import CODONS, genetic_code
from tests.integration.test_mrr_compare import QUICK
from tests.unit.analysis.compare_toys import write_run, write_species_corpus
from tests.unit.exchange.foreign import RESIDUES, make_foreign, make_words

pytest.importorskip("transformers")

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
Rows = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_species_corpus(tmp_path_factory.mktemp("corpus") / "corpus", {"alpha": 1}, genes=60)


@pytest.fixture
def planted(tmp_path: Path, own_cache: None) -> Callable[..., Path]:
    """A folder whose rows of the embedding are given; rows of other words are random."""

    def make(name: str, family: str, rows: Rows, words: list[str], **options: Any) -> Path:
        from safetensors.torch import load_file, save_file

        folder = make_foreign(tmp_path / name, family, words, **options)
        if family == "bert":
            (folder / "genomecli.json").write_text('{"stride": 3}')
        tensors = load_file(folder / "model.safetensors")
        ids = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        (table,) = (key for key in tensors if key.endswith("word_embeddings.weight"))
        for word, row in rows.items():
            tensors[table][ids[word]] = torch.from_numpy(row).float()
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    return make


def codon_rows(rng: np.random.Generator, noise: float = 0.05) -> tuple[Rows, Rows]:
    """Codons around a centre of each amino acid, and the centres, in 16 dimensions of which ten are used."""
    centres = {letter: rng.normal(size=10) @ np.eye(10, 16) for letter in LETTERS}
    code = genetic_code(1).amino
    codons = {
        codon: centres[letter] + noise * rng.normal(size=16)
        for codon, letter in zip(CODONS, code, strict=True)
        if letter != "*"
    }
    return codons, centres


def turned(centres: Rows, rng: np.random.Generator, width: int) -> Rows:
    """The same picture in another space: rotated into another width."""
    rotation, _ = np.linalg.qr(rng.normal(size=(width, 16)))
    return {letter: rotation @ row for letter, row in centres.items()}


def compare(corpus: Path, out: Path, *asked: str) -> int:
    sets = [*QUICK, "mrr-compare.figures=false", "mrr-compare.untrained=false", "mrr-compare.frames=[0]"]
    given = [part for text in sets for part in ("--set", text)]
    return main(["mrr-compare", "--corpus", str(corpus), "-o", str(out), *given, *asked, "-q"])


def measures(out: Path) -> list[dict[str, str]]:
    with open(out / "measures.tsv") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def figure(out: Path, name: str = "value", **about: str) -> float:
    """The one figure of codon to amino acid by rotation, of rows of the embedding, unless told otherwise."""
    usual = {"direction": "codon_to_amino", "similarity": "procrustes", "statistic": "mrr"}
    usual |= {"scope": "leave_one_amino_acid_out", "vectors": "static"}
    wanted = usual | about
    found = [row for row in measures(out) if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, wanted
    return float(found[0][name])


STATIC = ("--set", "mrr-compare.vectors=[static]")


def test_a_rotated_copy_in_another_network_is_found(
    corpus: Path, planted: Callable[..., Path], tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    codons, centres = codon_rows(rng)
    ours = planted("codons", "bert", codons, make_words(3))
    theirs = planted("esm", "esm", turned(centres, rng, 24), RESIDUES, hidden_size=24)
    out = tmp_path / "out"
    assert compare(corpus, out, str(ours), "--proteins-of", str(theirs), *STATIC) == 0
    assert figure(out) == 1.0
    assert figure(out, "p") <= 0.05
    assert figure(out, direction="amino_to_codon") == 1.0
    cka = {"similarity": "cka", "scope": "all", "statistic": "cka_debiased"}
    assert figure(out, **cka) > 0.9
    assert figure(out, **cka) > 2 * abs(figure(out, "null95", **cka))
    between = {"codon_to_amino", "amino_to_codon"}
    used = {row["similarity"] for row in measures(out) if row["direction"] in between}
    assert used - {"frequency", "frequency_blocks"} == {"procrustes", "cka"}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["runs"][0]["amino_acids_of"] == "esm"
    assert summary["runs"][0]["seed"] is summary["runs"][0]["tokens_seen"] is None
    assert any("share no space, so cosine" in note for note in summary["notes"])


def test_independent_networks_are_at_chance(
    corpus: Path, planted: Callable[..., Path], tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    ours = planted("codons", "bert", codon_rows(rng)[0], make_words(3))
    theirs = planted("esm", "esm", codon_rows(rng)[1], RESIDUES)
    out = tmp_path / "out"
    assert compare(corpus, out, str(ours), "--proteins-of", str(theirs), *STATIC) == 0
    assert figure(out) < 0.35
    assert figure(out, "p") > 0.05
    assert figure(out, "p", similarity="cka", scope="all", statistic="cka_debiased") > 0.05
    # What the codons hold by themselves stays: they cluster by synonym.
    assert figure(out, direction="codon_to_synonym", similarity="centred", scope="all") == 1.0


def test_codons_without_proteins_give_what_needs_none(
    corpus: Path, planted: Callable[..., Path], tmp_path: Path, capsys: Any
) -> None:
    """A vocabulary of 61 codons, written in RNA; the stops have no vector, and no chances."""
    rows = {word.replace("T", "U"): row for word, row in codon_rows(np.random.default_rng(6))[0].items()}
    words = [word for word in make_words(3, "ACGU") if word not in ("UAA", "UAG", "UGA")]
    folder, out = planted("codons", "bert", rows, words), tmp_path / "out"
    assert compare(corpus, out, str(folder), *STATIC) == 0
    synonyms = {"direction": "codon_to_synonym", "similarity": "centred", "scope": "all"}
    assert figure(out, **synonyms) == 1.0
    assert not [row for row in measures(out) if row["direction"] in ("codon_to_amino", "amino_to_codon")]
    notes = json.loads((out / "summary.json").read_text())["notes"]
    assert any("has no word for TAA, TAG, TGA" in note for note in notes)
    assert any("reads no proteins" in note for note in notes)
    assert any("no static baselines" in note for note in notes)
    assert "Genetic code, from DNA alone" in (out / "index.html").read_text()
    (tmp_path / "x.fa").write_text(">a\nATGGCTGATTACTAA\n")
    assert main(["score", "--scan", str(tmp_path / "x.fa"), "-m", str(folder), "-q"]) == 3
    assert "has no word for TAA, TAG, TGA" in capsys.readouterr().err


def test_a_run_with_its_own_amino_acids_named_gives_its_own_figures(corpus: Path, tmp_path: Path) -> None:
    """Named as another network, the same one loses cosine and nothing else."""
    run = write_run(tmp_path / "run", ["alpha"], corpus, noise=0.1)
    assert compare(corpus, tmp_path / "own", str(run)) == 0
    assert compare(corpus, tmp_path / "named", str(run), "--proteins-of", str(run)) == 0
    own, named = (
        {
            tuple(row[key] for key in ("vectors", "layer", "direction", "scope", "statistic")): row["value"]
            for row in measures(tmp_path / name)
            if row["similarity"] in ("procrustes", "cka") and not row["note"].startswith("against")
        }
        for name in ("own", "named")
    )
    assert len(own) > 50
    assert named == own
    assert figure(tmp_path / "own", similarity="cosine", scope="all") < 1
    with pytest.raises(AssertionError):
        figure(tmp_path / "named", similarity="cosine", scope="all")


def test_contextual_vectors_of_networks_of_other_depths(
    corpus: Path, planted: Callable[..., Path], tmp_path: Path
) -> None:
    """Our run of two layers against an ESM-2 of three: every layer has its match, untrained ones too."""
    run = write_run(tmp_path / "run", ["alpha"], corpus, noise=0.1)
    theirs, out = planted("esm", "esm", {}, RESIDUES), tmp_path / "out"
    more = ("--set", "mrr-compare.untrained=true", "--set", "mrr-compare.figures=true")
    assert compare(corpus, out, str(run), "--proteins-of", str(theirs), *more) == 0
    for vectors in ("contextual", "untrained"):
        rows = [r for r in measures(out) if r["vectors"] == vectors and r["statistic"] == "cka_debiased"]
        layers = {row["layer"] for row in rows if row["direction"] == "codon_to_amino"}
        assert layers == {"0", "1", "2"}
    assert {path.name.split(".")[0] for path in (out / "figures").glob("*.png")} > {"heat_map", "map"}
    assert compare(corpus, out, str(run), "--proteins-of", str(theirs), "--resume", *more) == 0
    assert compare(corpus, out, str(run), "--resume", *more) == 2  # of another request


def test_what_cannot_be_compared_is_refused(
    corpus: Path, planted: Callable[..., Path], tmp_path: Path, capsys: Any
) -> None:
    codons = planted("codons", "bert", {}, make_words(3))
    proteins = planted("esm", "esm", {}, RESIDUES)
    out = tmp_path / "out"
    cosine = ("--set", "mrr-compare.similarities=[cosine,csls]")
    cases = [
        ((str(proteins),), 3, "name it as --proteins-of, beside a run that has them"),
        ((str(codons), "--proteins-of", str(codons)), 3, "has no words for amino acids"),
        ((str(codons), "--proteins-of", str(proteins), *cosine), 2, "cosine, csls wants one"),
    ]
    for asked, code, said in cases:
        assert compare(corpus, out, *asked) == code
        assert said in capsys.readouterr().err
        assert not out.exists()
