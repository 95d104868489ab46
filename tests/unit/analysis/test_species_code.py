from __future__ import annotations

from pathlib import Path

import pytest

from genomecli.analysis.texts import species_code
from genomecli.commands.simulate import run_simulate
from genomecli.commands.tokenize import run_tokenize
from genomecli.config import load_config
from genomecli.corpus.store import CorpusReader
from genomecli.errors import InputError

CONFIG = """
simulate:
  species: [{name: toy, genes: 8, gene_length: 40, code: 4}]
tokenize:
  species:
    - {name: toy, code: 1, sources: [{kind: annotated, path: sim/toy.genome.fa, annotation: sim/toy.gff3}]}
  figures: false
"""


def test_what_a_file_states_wins_over_the_settings(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(CONFIG)
    config = load_config(tmp_path / "toy.yaml")
    run_simulate(config, tmp_path / "sim")
    run_tokenize(config, tmp_path / "corpus")
    corpus = CorpusReader.open(tmp_path / "corpus")
    assert [info.code for info in corpus.species] == [1]
    assert species_code(corpus, "toy").table == 4
    with pytest.raises(InputError, match="species 'other' is not in the corpus; it holds toy"):
        species_code(corpus, "other")
