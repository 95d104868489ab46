"""Profiles against counting one by one; codons lie near the amino acids that they were spelled for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from genomecli.analysis.decipherment.evidence import CODONS, Evidence
from genomecli.analysis.decipherment.grammar import grammar, write_grammar
from genomecli.analysis.decipherment.pairs import count_pairs, deal
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.sequences.codes import CODONS as NAMES
from genomecli.sequences.codes import genetic_code
from tests.unit.analysis.decipherment.made import grammar as rules
from tests.unit.analysis.decipherment.made import proteins, spelled

LETTERS = np.array([AMINO_LETTERS.find(letter) for letter in genetic_code(1).amino])


def _evidence() -> Evidence:
    table = rules(1)
    genes, residues = spelled(proteins(table, 150, 200, 2), 1, 3), proteins(table, 150, 200, 4)
    rng = np.random.default_rng(5)
    sides = ((genes, CODONS), (residues, 20))
    return Evidence(*(count_pairs(text, size, (2, 3), deal(text, rng)).total() for text, size in sides))


def test_profiles_count_partners_by_their_reading() -> None:
    rng = np.random.default_rng(6)
    counts, residues = rng.integers(0, 9, (2, 64, 64)) * 1.0, rng.integers(1, 90, (2, 20, 20)) * 1.0
    labels = np.where(LETTERS >= 0, LETTERS, -1)
    codons, amino = Evidence(counts, residues).profiles(labels, 20.0)
    assert codons.shape == (64, 80)
    assert amino.shape == (20, 80)
    for codon, partner, k in ((0, 3, 0), (17, 9, 1), (63, 19, 0)):
        whole = counts[k].sum()
        behind = counts[k][codon, labels == partner].sum()
        before = counts[k][labels == partner, codon].sum()
        wanted = counts[k][codon].sum() * counts[k].sum(axis=0)[labels == partner].sum() / whole
        turned = counts[k][:, codon].sum() * counts[k].sum(axis=1)[labels == partner].sum() / whole
        assert np.isclose(codons[codon, 20 * k + partner], np.log((behind + 20) / (wanted + 20)))
        assert np.isclose(codons[codon, 40 + 20 * k + partner], np.log((before + 20) / (turned + 20)))
    ratio = (residues[1, 4, 7] + 20) / (
        residues[1, 4].sum() * residues[1, :, 7].sum() / residues[1].sum() + 20
    )
    assert np.isclose(amino[4, 20 + 7], np.log(ratio))
    assert np.isclose(amino[7, 60 + 4], np.log(ratio))


def test_codons_lie_near_their_amino_acids() -> None:
    found = grammar(_evidence(), LETTERS, 20.0)
    far = ((found.codons[:, None] - found.amino_acids) ** 2).sum(axis=2)
    sense = LETTERS >= 0
    assert (far.argmin(axis=1) == LETTERS)[sense].mean() > 0.95
    assert not found.codons[~sense].any()


def test_the_file_names_its_rows(tmp_path: Path) -> None:
    from safetensors import safe_open

    found = grammar(_evidence(), LETTERS, 20.0, dimension=5)
    path = tmp_path / "grammar.safetensors"
    write_grammar(found, path)
    with safe_open(path, "numpy") as stream:
        assert json.loads(stream.metadata()["codons"]) == list(NAMES)
        assert json.loads(stream.metadata()["amino_acids"]) == list(AMINO_LETTERS)
        assert np.allclose(stream.get_tensor("codons"), found.codons, atol=1e-6)
        assert stream.get_tensor("amino_acids").shape == (20, 5)
