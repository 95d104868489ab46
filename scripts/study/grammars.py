"""Grammars of codons without any network: how near species are, and what GC3 explains of one.

Usage: python -m scripts.study.grammars CORPUS OUT SPECIES...

Writes OUT/likeness.tsv (a row a pair of species), OUT/lookups.tsv (codons of one species looked up among
those of another), OUT/grammar.tsv (measures within a species, as ``mrr-compare.remove`` gives them of
networks) and OUT/islands.tsv (how much of each codon stands in genes low in GC3).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from pathlib import Path

import numpy as np

from genomecli.analysis.codon_grammar import CodonGrammar, likeness, read_grammar, shared_gold
from genomecli.analysis.decipherment.sources import gene_texts
from genomecli.analysis.places import Place, make_pair
from genomecli.analysis.removal import gc3, removal_rows
from genomecli.analysis.settings import CompareSettings
from genomecli.analysis.species import species_chance, species_null, species_ranks
from genomecli.analysis.statistics import block_bootstrap
from genomecli.analysis.synonymy import synonym_rows
from genomecli.analysis.texts import species_code
from genomecli.corpus.store import CorpusReader
from genomecli.runtime import rng
from genomecli.sequences.codes import CODONS, GeneticCode
from scripts.study.ladder import Row, write_rows

BEYOND = "beyond amino acids"
CONTROLS: Mapping[str, Mapping[str, object]] = {
    "frame +1": {"frame": 1},
    "shuffled within genes": {"shuffled": True},
}
"""Other readings of the same genes. Frame +1 still holds two bases of each codon."""

SEED = 1
DRAWS = 50
"""Ways to deal codons anew for the null of a lookup."""
SETTINGS = CompareSettings(remove=("gc3", "frequency"), permutations=999)

PHYLUM, DOMAIN, LIFE = "phylum", "domain", "life"
TREE = {frozenset(("spyogenes", "syn3a")): PHYLUM}
"""Nearest ranks of neighbours: bacilli and mollicutes."""
BACTERIA = frozenset(("ecoli", "spyogenes", "syn3a"))


def shared_rank(a: str, b: str) -> str:
    """The nearest rank that two species of the study share."""
    return TREE.get(frozenset((a, b)), DOMAIN if {a, b} <= BACTERIA else LIFE)


def gc3_share(grammar: CodonGrammar) -> float:
    """G or C at third bases, a share of all sense codons read."""
    return float(gc3(grammar.gold.codons) @ grammar.counts / grammar.counts.sum())


def likeness_rows(grammars: Mapping[str, CodonGrammar], part: str) -> Iterator[Row]:
    """How alike the tables of every two species are.

    Args:
        grammars: by species.
        part: what is compared: ``BEYOND`` is what is not about amino acids, any other name all.
    """
    for a, b in combinations(grammars.values(), 2):
        found = likeness(a, b, SEED, beyond=part == BEYOND)
        yield {
            "a": a.species,
            "b": b.species,
            "part": part,
            "codons": found.codons,
            "r": f"{found.r:.4f}",
            "low": f"{found.low:.4f}",
            "high": f"{found.high:.4f}",
            "p": f"{found.p:.3g}",
            "without_noise": f"{found.without_noise:.3f}",
            "gc3_a": f"{gc3_share(a):.3f}",
            "gc3_b": f"{gc3_share(b):.3f}",
            "shared_rank": shared_rank(a.species, b.species),
        }


def lookup_rows(grammars: Mapping[str, CodonGrammar]) -> Iterator[Row]:
    """Codons of one species among those of another: the same codon, and any of the same amino acid."""
    for a, b in permutations(grammars.values(), 2):
        gold, partners = shared_gold(a, b), shared_gold(a, b).codons
        sides = (a.vectors(partners), a.gold, b.vectors(partners), b.gold)
        for how in ("cosine", "procrustes"):
            source = rng(SEED, "lookup", a.species, b.species, how)
            found = species_ranks(*sides, how=how, axes=SETTINGS.axes)
            null = species_null(*sides, DRAWS, source, how=how, axes=SETTINGS.axes)
            chance = species_chance(a.gold, b.gold)
            ranks = {"same codon": found.same_codon, "same amino acid": found.same_amino}
            for place, (name, one) in enumerate(ranks.items()):
                interval = block_bootstrap(one.reciprocal, a.gold.classes, source)
                yield {
                    "a": a.species,
                    "b": b.species,
                    "how": "rotation, amino acid left out" if how == "procrustes" else "same partners",
                    "looked_up": name,
                    "codons": gold.n,
                    "mrr": f"{one.mrr:.3f}",
                    "low": f"{interval.low:.3f}",
                    "high": f"{interval.high:.3f}",
                    "chance": f"{chance[place]:.3f}",
                    "null_95": f"{np.quantile(null[place], 0.95):.3f}",
                }


def within_rows(grammars: Mapping[str, CodonGrammar], codes: Mapping[str, GeneticCode]) -> Iterator[Row]:
    """What GC3 and other properties explain of a species' grammar, and synonyms with and without them."""
    for name, grammar in grammars.items():
        vectors, counts = np.full((64, 2 * grammar.gold.n), np.nan), np.zeros(64, dtype=np.int64)
        vectors[grammar.gold.codons], counts[grammar.gold.codons] = grammar.vectors(), grammar.counts
        pair = make_pair(Place("genes", name), codes[name], vectors, None, counts, None)
        assert pair is not None, "every species of the study has codons of three amino acids"
        source = rng(SEED, "within", name)
        rows = synonym_rows(pair, SETTINGS, SETTINGS.permutations, source)
        for row in [*rows, *removal_rows(pair, SETTINGS, source)]:
            if row.statistic in ("mrr", "explained") and row.similarity == "centred":
                figures = (row.value, row.low, row.high, row.chance, row.null95, row.p)
                names = ("value", "low", "high", "chance", "null95", "p")
                cells = ("" if v is None else f"{v:.4g}" for v in figures)
                about = {"species": name, "scope": row.scope, "statistic": row.statistic}
                yield {**about, **dict(zip(names, cells, strict=True))}


def island_rows(corpus: CorpusReader, species: str) -> Iterator[Row]:
    """One row a codon: how much of it stands in the tenth of genes that is lowest in GC3.

    A gene's GC3 is that of its other codons, so that a codon does not choose its own genes; genes are put in
    order by it, and the first that hold a tenth of all codons are taken.
    """
    text, code = gene_texts(corpus, species)
    owner = np.repeat(np.arange(len(text.lengths)), text.lengths)
    kept = text.tokens >= 0
    table = np.zeros((len(text.lengths), 64))
    np.add.at(table, (owner[kept], text.tokens[kept]), 1)
    rich = gc3(np.arange(64))
    for codon in range(64):
        if code.amino[codon] == "*" or not table[:, codon].any():
            continue
        others = table.copy()
        others[:, codon] = 0
        order = np.argsort(others @ rich / np.maximum(others.sum(axis=1), 1), kind="stable")
        low = order[np.cumsum(table[order].sum(axis=1)) <= 0.1 * table.sum()]
        yield {
            "species": species,
            "codon": CODONS[codon],
            "amino_acid": code.amino[codon],
            "usage": f"{table[:, codon].sum() / table.sum():.5f}",
            "in_lowest_gc3": f"{table[low, codon].sum() / table[:, codon].sum():.4f}",
        }


def main(corpus: Path, out: Path, species: list[str]) -> None:
    """Write the tables."""
    reader = CorpusReader.open(corpus, verify="sha256")
    grammars = {name: read_grammar(reader, name, SEED) for name in species}
    codes = {name: species_code(reader, name) for name in species}
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / "grammar.tsv", list(within_rows(grammars, codes)))
    write_rows(out / "islands.tsv", [row for name in species for row in island_rows(reader, name)])
    write_rows(out / "lookups.tsv", list(lookup_rows(grammars)))
    rows = [row for part in ("all", BEYOND) for row in likeness_rows(grammars, part)]
    for part, control in CONTROLS.items():
        read = {name: read_grammar(reader, name, SEED, **control) for name in species}  # type: ignore[arg-type]
        rows += likeness_rows(read, part)
    # Last, since make looks at it.
    write_rows(out / "likeness.tsv", rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
