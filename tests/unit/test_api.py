"""The Python API: its examples run, it loads lazily, and it says what the command line says."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

import genomecli
from genomecli import api
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.similarity import SIMILARITIES
from genomecli.cli import main
from genomecli.errors import InputError, UsageError
from genomecli.exchange.tables import read_table
from genomecli.sequences.alphabets import DNA
from genomecli.sequences.codes import CODONS, genetic_code

CONFIG = """
simulate:
  species: [{name: toy, genes: 40, gene_length: 40}]
tokenize:
  species:
    - name: toy
      sources: [{kind: annotated, path: sim/toy.genome.fa, annotation: sim/toy.gff3}]
  figures: false
pretrain:
  corpus: corpus
  steps: 2
  model: {preset: tiny, layers: 2}
  reading: {context: 64, tokens_per_batch: 512, tokens_per_step: 512, validation_tokens: 100}
"""
GENES = ["ATGGCTAAAGATTGCCGT", "ATGGAT", "TTGAACAACNNNCTG"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, a run of two steps, and genes as FASTA."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "toy.yaml").write_text(CONFIG)
    config = ["-q", "-c", str(folder / "toy.yaml"), "--set", "threads=1"]
    for command, out in (("simulate", "sim"), ("tokenize", "corpus"), ("pretrain", "run")):
        assert main([command, *config, "-o", str(folder / out)]) == 0
    (folder / "genes.fa").write_text("".join(f">{i}\n{text}\n" for i, text in enumerate(GENES)))
    return folder


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def test_the_examples_run(here: Path) -> None:
    found = doctest.testmod(api)
    assert found.failed == 0
    assert found.attempted > 15


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, genomecli\nassert genomecli.__version__\n"
        "assert set(genomecli.__all__) <= set(dir(genomecli))\n"
        "print({'torch', 'numpy', 'pydantic', 'typer', 'pyarrow'} & set(sys.modules))\n"
        "genomecli.mrr\nassert 'numpy' in sys.modules and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "set()\n"


def test_every_name_is_there_and_no_other() -> None:
    for name in genomecli.__all__:
        assert getattr(genomecli, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'open_modle'"):
        _ = genomecli.open_modle
    assert (Path(genomecli.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize(("layer", "pooling"), [(-1, "mean"), (0, "max"), (1, "cls")])
def test_vectors_are_those_of_the_command(here: Path, layer: int, pooling: str) -> None:
    out = here / f"{layer}{pooling}.npy"
    wanted = {"molecule": "cds", "layers": layer, "pooling": pooling}
    settings = [f"embed.{key}={value}" for key, value in wanted.items()]
    options = [word for text in settings for word in ("--set", text)]
    assert main(["embed", "-q", "--model", "run", "genes.fa", "-o", str(out), *options]) == 0
    vectors = genomecli.embed("run", GENES, molecule="cds", layer=layer, pooling=pooling)
    assert np.array_equal(vectors, read_table(out).vectors["vector0"])


def test_the_molecule_is_told_by_the_letters(here: Path) -> None:
    model = genomecli.open_model("run")
    proteins = ["MKVLEEFPQ", "MEEL"]
    assert np.array_equal(model.embed(proteins), model.embed(proteins, molecule="protein"))
    assert np.array_equal(model.embed(iter(GENES)), model.embed(GENES, molecule="genome"))
    assert model.embed([], molecule="cds").shape == (0, 64)


def test_what_cannot_be_read_is_refused_by_number(here: Path) -> None:
    model = genomecli.open_model("run")
    with pytest.raises(InputError, match="sequence 1; has 2 letters, too few"):
        model.embed(["ATGGCT", "AT"], molecule="cds")
    with pytest.raises(InputError, match="sequence 0; has a letter that is not DNA"):
        model.embed(["ATGGCT!"], molecule="cds")
    with pytest.raises(UsageError, match="one string is given"):
        model.embed("ATGGCT")
    with pytest.raises(UsageError, match="does not know species 'other'"):
        model.embed(GENES, species="other")
    with pytest.raises(InputError, match="holds no checkpoint"):
        genomecli.open_model("corpus")


def named(call: Callable[[], object]) -> str:
    """What the refusal of a name says."""
    with pytest.raises(UsageError) as refused:
        call()
    return str(refused.value)


def test_names_that_are_none_are_refused_with_those_that_are(here: Path) -> None:
    model = genomecli.open_model("run")
    wanted = {
        "molecule": "auto, genome, cds, protein",
        "pooling": "mean, cls, max, centre",
        "frame": "auto, 0, 1, 2",
        "strand": "+, -",
    }
    for argument, known in wanted.items():
        given: Any = {"molecule": "cds", argument: "foo"}
        said = f"{argument} 'foo' is not known; choose from {known}"
        assert named(partial(model.embed, GENES, **given)) == said
        assert named(partial(model.embed, [], **given)) == said
    assert named(lambda: model.embed(GENES, frame=5)).startswith("frame 5 is not known")  # type: ignore[arg-type]

    known = "molecule 'foo' is not known; choose from genome, cds, protein"
    foo: Any = "foo"
    assert named(lambda: model.tokenizer(foo)) == known
    assert named(lambda: model.word_vectors(foo)) == known
    assert named(lambda: genomecli.open_tokenizer("run", foo)) == known


@pytest.mark.parametrize(
    ("argument", "known"),
    [
        ("precision", "auto, fp32, bf16, fp16"),
        ("checkpoint", "best, last"),
        ("long_input", "error, truncate, window"),
    ],
)
def test_a_model_is_opened_by_known_names_alone(here: Path, argument: str, known: str) -> None:
    given: Any = {argument: "foo"}
    said = named(partial(genomecli.open_model, "run", **given))
    assert said == f"{argument} 'foo' is not known; choose from {known}"


def test_a_corpus_is_verified_in_known_ways_alone(here: Path) -> None:
    foo: Any = "foo"
    said = "verify 'foo' is not known; choose from none, size, sha256"
    assert named(lambda: genomecli.open_corpus("corpus", verify=foo)) == said


def test_the_other_strand_is_of_dna_alone(here: Path) -> None:
    model = genomecli.open_model("run")
    other = [DNA.decode(DNA.reverse_complement(DNA.encode(text))) for text in GENES]
    turned = model.embed(other, molecule="genome", strand="-")
    assert np.array_equal(turned, model.embed(GENES, molecule="genome"))
    for molecule in ("protein", "auto"):
        read: Any = partial(model.embed, ["MKVLEEFPQ"], molecule=molecule)
        assert named(partial(read, strand="-")).startswith("strand '-' is of DNA, and these are proteins")
        assert read(strand="+").shape == (1, 64)


def test_tokenizers_of_corpus_and_run_agree(here: Path) -> None:
    of_corpus, of_run = (genomecli.open_tokenizer(path, "cds") for path in ("corpus", "run"))
    assert of_corpus == of_run == genomecli.open_model("run").tokenizer("cds")
    assert of_run.vocabulary == CODONS
    assert of_run.decode(of_run.encode("AATGGCTA", frame=1)) == ["ATG", "GCT"]
    assert of_run.decode([4, 9999]) == [of_run.lexicon.vocabulary.specials[4], "?"]
    with pytest.raises(InputError, match="a letter that is not DNA, '!' at 4"):
        of_run.encode("ATG!")


def test_mrr_finds_a_rotated_dictionary_and_no_other() -> None:
    random = np.random.default_rng(3)
    amino = random.normal(size=(20, 32))
    rows = [AMINO_LETTERS.find(letter) for letter in genetic_code(11).amino]
    codons = np.array([amino[row] if row >= 0 else np.full(32, np.nan) for row in rows])
    codons += 0.1 * random.normal(size=codons.shape)
    rotation = np.linalg.qr(random.normal(size=(32, 32)))[0]
    assert genomecli.mrr(codons, amino, code=11, similarity="centred") == 1.0
    assert genomecli.mrr(codons @ rotation, amino, code=11, similarity="cosine") < 0.5
    assert genomecli.mrr(codons @ rotation, amino, code=11) > 0.9
    assert genomecli.mrr(random.normal(size=codons.shape), amino) < 0.4
    with pytest.raises(InputError, match="64 codons and 20 amino acids"):
        genomecli.mrr(codons[:60], amino)
    with pytest.raises(UsageError, match="similarity 'dot' is not known"):
        genomecli.mrr(codons, amino, similarity="dot")  # type: ignore[arg-type]


def test_vectors_of_two_widths_meet_by_a_rotation_alone() -> None:
    random = np.random.default_rng(5)
    codons, amino = random.normal(size=(64, 8)), random.normal(size=(20, 6))
    narrow = np.concatenate([amino, np.zeros((20, 2))], axis=1)
    assert genomecli.mrr(codons, amino) == pytest.approx(genomecli.mrr(codons, narrow))
    assert get_args(api.Similarity) == ("left_out", *SIMILARITIES)
    for name in SIMILARITIES:
        with pytest.raises(InputError, match=r"needs vectors of one width, not of 8 \(codons\) and 6"):
            genomecli.mrr(codons, amino, similarity=name)  # type: ignore[arg-type]


def test_what_the_mrr_of_a_model_may_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr("genomecli.runtime.log.warning", lambda text, *values: warned.append(text % values))
    model, corpus = genomecli.open_model("run"), genomecli.open_corpus("corpus")
    foo: Any = "foo"
    said = "split 'foo' is not known; choose from train, valid, test"
    assert named(lambda: model.mrr(corpus, split=foo)) == said
    for tokens in (0, -5):
        assert f"tokens is {tokens}" in named(partial(model.mrr, corpus, tokens=tokens))
    assert not warned
    model.mrr(corpus, split="train", tokens=1000)
    assert not warned
    model.mrr(corpus, split="valid")
    dna, protein = warned
    assert "bases of cds in valid; records were drawn from every split instead" in dna
    assert "residues of protein in valid; records were drawn from every split instead" in protein


def test_the_mrr_of_a_model_is_that_of_its_own_probe(here: Path) -> None:
    """An untrained network's static rows score near chance, and the probe gives the layers it names."""
    model, corpus = genomecli.open_model("run"), genomecli.open_corpus("corpus")
    figures = model.mrr(corpus, split="train", tokens=3000)
    assert set(figures) == {
        f"toy/layer{i}/{name}" for i in range(3) for name in ("left_out_mrr", "synonym_mrr")
    }
    assert all(0 < value < 0.6 for value in figures.values())
    static = genomecli.mrr(model.word_vectors("cds"), model.word_vectors("protein"))
    assert 0.05 < static < 0.4
