"""finetune, then predict: pairs, proteins, codons, k-mers with a label a base. What is predicted is what was
judged, whatever the size of batches, the order of the records, and the way in which they come."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genomecli.commands.predict import run_predict
from genomecli.config import load_config
from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.models.language_model import build_model
from genomecli.models.settings import ModelSettings
from genomecli.runtime import rng
from genomecli.training.checkpoint import Checkpoint, Identity, save_checkpoint
from genomecli.training.plan import Progress
from tests.integration.test_predict import SMALL, tune
from tests.unit.training.task_toys import sequences

N = 60
NETWORK = {"preset": None, "layers": 1, "width": 16, "heads": 1, "context": 24, "local_window": 0}


@dataclass(frozen=True)
class Case:
    """A kind of model and data.

    Args:
        columns: of the table, id first.
        rows: its cells.
        lexicon: of the body; None for a network from random weights.
        settings: of finetune.
        fasta: the rows can be told in FASTA too.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lexicon: Lexicon | None
    settings: tuple[str, ...] = ()
    fasta: bool = True


def random_proteins(key: str, low: int, high: int) -> list[str]:
    random = rng("kinds", key)
    letters = "ACDEFGHIKLMNPQRSTVWY"
    return [
        "M" + "".join(letters[i] for i in random.integers(0, 20, n)) for n in random.integers(low, high, N)
    ]


def genes() -> list[str]:
    """Of codons alone, and some with one or two bases more."""
    random = rng("kinds", "genes")
    inner = ("GCA", "GCG", "TTA", "CTG", "AAA", "AAG", "GAT", "GAC", "CGT", "AGA")
    texts = []
    for i, n in enumerate(random.integers(8, 60, N).tolist()):
        texts.append("ATG" + "".join(inner[j] for j in random.integers(0, 10, n)) + "TAA" + "AC"[: i % 3])
    return texts


def pairs() -> Case:
    """A gene and a protein, with a covariate; a class and a value."""
    values = rng("kinds", "pairs").normal(size=(N, 2))
    rows = [
        (f"r {i}", gene, protein, ("far", "near")[i % 2], f"{value:.3f}", f"{covariate:.3f}")
        for i, (gene, protein, (value, covariate)) in enumerate(
            zip(genes(), random_proteins("pairs", 5, 50), values, strict=True)
        )
    ]
    settings = (
        "finetune.data.pair=protein",
        "finetune.data.sequence=gene",
        "finetune.data.covariates=[x]",
        "finetune.targets={y: {}, v: {}}",
        "finetune.head.pooling=attention",
    )
    columns = ("id", "gene", "protein", "y", "v", "x")
    return Case(columns, rows, build_lexicon(["bug"], dna="codon"), settings, fasta=False)


def proteins() -> Case:
    texts = random_proteins("proteins", 5, 60)
    rows = [(f"p{i}", text, ";".join("ab"[: i % 3])) for i, text in enumerate(texts)]
    lexicon = build_lexicon(["bug"], molecules=("protein",))
    settings = ("finetune.targets={s: {kind: multilabel}}", "finetune.head.pooling=max")
    return Case(("id", "sequence", "s"), rows, lexicon, settings)


def codons() -> Case:
    rows = [(f"g{i}", text, "abc"[i % 3]) for i, text in enumerate(genes())]
    settings = ("finetune.targets={y: {}}", "finetune.head.hidden=8", "finetune.data.molecule=cds")
    return Case(("id", "sequence", "y"), rows, build_lexicon(["bug"], dna="codon"), settings)


def kmers() -> Case:
    """A label a base by tokens of three bases that overlap; sequences of up to three windows."""
    texts = sequences(N, 8, 70, "kinds")
    rows = [
        (f"k{i}", text, "".join("s" if base in "GC" else "w" for base in text))
        for i, text in enumerate(texts)
    ]
    settings = ("finetune.tokens=kmer3", "finetune.targets={part: {kind: token}}", "finetune.epochs=4")
    return Case(("id", "sequence", "part"), rows, None, settings)


def aligned() -> Case:
    """Sequences cut alike, some with letters that stand for several, which count for no place."""
    texts = [text[:4] + "N" + text[5:] if i % 5 == 0 else text for i, text in enumerate(sequences(N, 12, 20))]
    rows = [(f"a{i}", text, "yes" if text[2] in "AC" else "no") for i, text in enumerate(texts)]
    settings = ("finetune.targets={y: {}}", "finetune.head.pooling=places")
    return Case(("id", "sequence", "y"), rows, None, settings)


CASES: dict[str, Callable[[], Case]] = {f.__name__: f for f in (pairs, proteins, codons, kmers, aligned)}


def write_table(path: Path, case: Case, rows: list[tuple[str, ...]]) -> Path:
    lines = ["\t".join(row) for row in [case.columns, *rows]]
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True)
class Tuned:
    """A case, its table and its run."""

    case: Case
    table: Path
    run: Path


@pytest.fixture(scope="module", params=list(CASES))
def tuned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp(request.param)
    case = CASES[request.param]()
    table = write_table(folder / "table.tsv", case, case.rows)
    body = ["finetune.network=null", f"finetune.model={folder / 'body'}"]
    if case.lexicon is None:
        body = [f"finetune.network={json.dumps(NETWORK)}"]
    else:
        settings = ModelSettings.model_validate(NETWORK)
        model = build_model(settings, case.lexicon.vocabulary.size, len(case.lexicon.languages), seed=3)
        identity = Identity(settings.model_dump(mode="json"), "corpus", 0, 1, 1, "fp32", "cpu")
        checkpoint = Checkpoint(Progress(1), identity, case.lexicon, model=model.state_dict())
        save_checkpoint(folder / "body", checkpoint, best=True)
    assert SMALL[3].startswith("finetune.network=")
    run = tune(folder / "run", *body, f"finetune.data.path={table}", *case.settings)
    return Tuned(case, table, run)


def predict(tuned: Tuned, given: Path | str, *settings: str) -> list[dict[str, str]]:
    """The rows of the table on standard output."""
    out = io.BytesIO()
    common = ["device=cpu", "threads=1", f"predict.model={tuned.run}"]
    counts = run_predict(load_config(None, [*common, *settings]), None, inputs=[str(given)], stream=out)
    assert counts == {"records": N, "predicted": N, "dropped": 0}
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline=""), delimiter="\t"))


def by_id(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Rows of each record, in their order."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row)
    return found


def test_predictions_of_the_test_rows_are_those_that_were_judged(tuned: Tuned) -> None:
    """Digit for digit; labels of bases as the run's table has them."""
    found = by_id(predict(tuned, tuned.table))
    judged = [
        row
        for row in pq.read_table(tuned.run / "predictions.parquet").to_pylist()
        if row["part"] == "test" and row["model"] in ("pretrained", "network")
    ]
    assert len(judged) > N // 4
    compared = 0
    for row in judged:
        mine = found[row["id"]]
        for name, value in row.items():
            if name.endswith(".predicted") and len(mine) > 1:
                assert [one[name] for one in mine] == list(value)
            elif name.endswith(".predicted") or ".p." in name:
                shown = mine[0][name]
                assert (float(shown) if isinstance(value, float) else shown) == value
            else:
                continue
            compared += 1
    assert compared >= len(judged)


def test_neither_batch_nor_order_nor_file_nor_pipe_changes_anything(
    tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tuned.case
    whole = predict(tuned, tuned.table)
    assert predict(tuned, tuned.table, "predict.tokens_per_batch=16") == whole
    assert predict(tuned, tuned.table, "predict.tokens_per_batch=300") == whole
    order = rng("kinds", "order").permutation(N).tolist()
    mixed = write_table(tmp_path / "mixed.tsv", case, [case.rows[i] for i in order])
    expected = by_id(whole)
    shuffled = predict(tuned, mixed)
    assert shuffled == [row for i in order for row in expected[case.rows[i][0]]]
    packed = tmp_path / "mixed.tsv.gz"
    packed.write_bytes(gzip.compress(mixed.read_bytes()))
    assert predict(tuned, packed) == shuffled
    for path in (mixed, packed):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        assert predict(tuned, "-", "predict.tokens_per_batch=100") == shuffled
    if case.fasta:
        fasta = tmp_path / "mixed.fa"
        fasta.write_text("".join(f">{case.rows[i][0]} more\n{case.rows[i][1]}\n" for i in order))
        assert predict(tuned, fasta) == shuffled


def test_one_record_alone_is_predicted_as_among_others(tuned: Tuned, tmp_path: Path) -> None:
    whole = by_id(predict(tuned, tuned.table))
    for i in (0, 17, N - 1):
        alone = write_table(tmp_path / f"{i}.tsv", tuned.case, [tuned.case.rows[i]] * N)
        found = predict(tuned, alone)
        mine = whole[tuned.case.rows[i][0]]
        assert found == mine * N
