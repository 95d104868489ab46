"""FASTA and corpora as sources of items."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from genomecli.corpus.lexicon import Lexicon, build_lexicon
from genomecli.errors import InputError, UsageError
from genomecli.inference.items import Item
from genomecli.inference.sources import (
    CorpusSource,
    FastaSource,
    Frames,
    ReadingOptions,
    choose_species,
    tell_molecule,
)
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.openers import open_input


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        (">a\nMKLVEFWWPQ\n", "auto", "protein"),
        (">a\n" + "ACGT" * 30, "auto", "genome"),
        (">a EFILPQ\nACGTACGTNN\n", "auto", "genome"),
        (">a\nACGTACGT\n", "cds", "cds"),
        (">a\nACG\n>b\nGGG\n", "protein", "protein"),
        ("\ufeff>a\nmklvefwwpq\n", "auto", "protein"),
    ],
)
def test_dna_is_told_from_protein(tmp_path: Path, text: str, wanted: str, found: str) -> None:
    path = tmp_path / "in.fa"
    path.write_text(text, encoding="utf-8")
    with open_input(path) as stream:
        assert tell_molecule(stream, wanted, ["dna", "protein"]) == found


def test_a_model_of_one_language_needs_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "in.fa"
    path.write_text(">a\nACG\n")
    with open_input(path) as stream:
        assert tell_molecule(stream, "auto", ["protein"]) == "protein"
    path.write_text(">a\n" + "ACGT" * 30)
    with open_input(path) as stream, pytest.raises(InputError, match="looks like dna, and the model reads"):
        tell_molecule(stream, "auto", ["protein"])


@pytest.mark.parametrize(
    ("reading", "found"),
    [
        ({"molecules": ["cds", "protein"], "frame": 1, "genome_frame": "all"}, Frames(1, 1)),
        ({"molecules": ["cds", "genome"], "frame": 2, "genome_frame": "all"}, Frames(2, 0)),
        ({"molecules": ["genome"], "frame": 0, "genome_frame": 1}, Frames(0, 1)),
        ({"molecules": ["cds"], "frame": "all", "genome_frame": 2}, Frames(0, 0)),
        ({}, Frames(0, 0)),
    ],
)
def test_a_run_says_in_which_frame_it_was_trained(reading: dict[str, object], found: Frames) -> None:
    assert Frames.of_run({"pretrain": {"reading": reading}}) == found
    assert Frames.of_run({}) == Frames()


def test_species_are_chosen() -> None:
    one, two = build_lexicon(["bug"]), build_lexicon(["bug", "fly"])
    assert choose_species(one, None) == "bug"
    assert choose_species(two, "fly") == "fly"
    with pytest.raises(UsageError, match="bug, fly"):
        choose_species(two, None)


def test_files_follow_one_another(tmp_path: Path, lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.fa").write_text(">x one\nATGAAACCCATG\n>x\nAT\n")
    text = b">p\nMKLVEFWWPQ\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    source = FastaSource([tmp_path / "a.fa", Path("-")], lexicon, ReadingOptions(species="two"))
    entries = list(source.entries())
    assert [entry.record for entry in entries] == [0, 1, 2]
    assert [getattr(entry, "language", None) for entry in entries] == [2, None, 3]
    assert isinstance(entries[0], Item)
    assert entries[0].meta == {"description": "one"}
    assert [row["bytes"] for row in source.files] == [26, len(text)]


class ToyCorpus:
    """Two species in memory."""

    path = Path("toy")

    def __init__(self) -> None:
        self.texts = {
            ("one", "genome"): [DNA.encode("ATGAAACCC")],
            ("one", "cds"): [DNA.encode("ATGAAATAA"), DNA.encode("AT")],
            ("one", "protein"): [PROTEIN.encode("MK")],
            ("other", "cds"): [DNA.encode("ATGCCC")],
        }
        self.groups = [SimpleNamespace(species=s, molecule=m) for s, m in self.texts]
        self.flat = [text for texts in self.texts.values() for text in texts]

    def records(self, species: str, molecule: str, split: str | None) -> SimpleNamespace:
        assert split == "valid"
        before = list(self.texts)[: list(self.texts).index((species, molecule))]
        first = sum(len(self.texts[group]) for group in before)
        rows = np.arange(first, first + len(self.texts[species, molecule]))
        columns = {
            "id": [f"{molecule}{row}" for row in rows],
            "description": [""] * len(rows),
            "gene": ["g"] * len(rows),
            "table": [11] * len(rows),
        }
        return SimpleNamespace(row=rows, column=lambda name: np.array(columns[name]))

    def symbols(self, row: int) -> np.ndarray:
        return self.flat[row]


def test_a_corpus_is_read_group_by_group(lexicon: Lexicon) -> None:
    corpus = ToyCorpus()
    source = CorpusSource(corpus, lexicon, ReadingOptions(leave_out_terminals=True), "valid")  # type: ignore[arg-type]
    entries = list(source.entries())
    assert [entry.id for entry in entries] == ["genome0", "cds1", "cds2", "protein3"]
    assert [entry.record for entry in entries] == [0, 1, 2, 3]
    assert isinstance(entries[1], Item)
    assert entries[1].skip == (1, 1)
    assert (entries[1].meta["gene"], entries[1].meta["group"]) == ("g", "one/cds")
    genes = CorpusSource(corpus, lexicon, ReadingOptions(), "valid", genes_first=True)  # type: ignore[arg-type]
    assert genes.groups() == [("one", "cds"), ("one", "protein")]
    nothing = CorpusSource(corpus, lexicon, ReadingOptions(species="two"), "valid")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one genome, one cds, one protein, other cds"):
        nothing.groups()
