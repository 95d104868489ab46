"""Which genetic code explains a species' vectors, and which codons are read otherwise than given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genomecli.analysis.class_similarity import codon_class_similarity
from genomecli.analysis.codes_ranking import CodeRanking, rank_codes
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.held_out import leave_one_amino_acid_out
from genomecli.analysis.places import Place, VectorPair
from genomecli.analysis.surprises import surprises
from genomecli.analysis.synonyms import codon_similarity
from genomecli.errors import InputError
from genomecli.runtime import log
from genomecli.sequences.codes import CODONS, GeneticCode, all_codes, genetic_code


@dataclass(frozen=True, eq=False)
class Deviance:
    """The codes ranked on the vectors of one place.

    Args:
        place: where the vectors come from.
        given: the species' code according to the corpus.
        ranking: NCBI's codes, best first.
    """

    place: Place
    given: GeneticCode
    ranking: CodeRanking

    @property
    def agrees(self) -> bool:
        """The given code is among those that are not clearly beaten."""
        return any(self.given.table in found.codes.tables for found in self.ranking.kept)

    def verdict(self) -> str:
        """In words: that it is undecided; or the codes that read so, the given one first where it does.

        Codes that differ from those in stops alone, and are not clearly beaten, are named as such.
        """
        ranking, given = self.ranking, self.given.table
        if not ranking.decided:
            return f"undecided, {len(ranking.kept)} of {len(ranking.classes)} classes remain possible"
        ordered = sorted(ranking.kept, key=lambda found: given not in found.codes.tables)
        main, *twins = (found.codes.numbers(given) for found in ordered)
        stops = f" (or {', '.join(twins)}: told apart by stops alone)" if twins else ""
        return f"table {main}{stops}"

    def readings(self) -> list[Reading]:
        """Codons that the best class reads otherwise than the standard code does, the clearest first."""
        standard = genetic_code(1)
        found = []
        for item, reads in zip(self.ranking.evidence, self.ranking.classes[0].codes.letters, strict=True):
            usual = standard.amino[CODONS.index(item.codon)]
            margin = item.scores.get(reads, 0.0) - item.scores.get(usual, 0.0)
            if reads != usual and margin > 0:
                sure = self.ranking.possible(item.codon) == {reads}
                found.append(Reading(item.codon, usual, reads, margin, item.tables[reads], sure))
        return sorted(found, key=lambda one: (not one.sure, -one.margin, one.codon))


@dataclass(frozen=True)
class Reading:
    """A codon that reads otherwise than in the standard code.

    Args:
        codon: the codon.
        usual: its letter in the standard code.
        reads: what the vectors say.
        margin: log odds between the two.
        tables: codes of NCBI that read it so.
        sure: every code that is not clearly beaten reads it so.
    """

    codon: str
    usual: str
    reads: str
    margin: float
    tables: tuple[int, ...]
    sure: bool


def wanted_codes(tables: str | tuple[int, ...], given: GeneticCode) -> list[GeneticCode]:
    """The codes to rank; the given one is always among them.

    Raises:
        InputError: for a table that NCBI does not have.
    """
    known = {code.table: code for code in all_codes()}
    if isinstance(tables, str):
        return list(known.values())
    unknown = [table for table in tables if table not in known]
    if unknown:
        raise InputError(f"NCBI has no genetic code {unknown[0]}", fix="see mrr-compare.codes")
    return [known[table] for table in sorted({*tables, given.table})]


def rank_place(
    pair: VectorPair, given: GeneticCode, codes: list[GeneticCode], source: np.random.Generator, axes: int
) -> list[Deviance]:
    """Rank the codes on DNA alone and, where all amino acids have vectors, on both languages.

    Args:
        pair: vectors of one place.
        given: the species' code according to the corpus.
        codes: codes to rank.
        source: of randomness.
        axes: of the rotation.
    """
    evidences: list[np.ndarray | None] = [None]
    if pair.gold.letters == AMINO_LETTERS and not pair.alone:
        evidences.append(pair.amino)
    found = []
    for amino in evidences:
        try:
            ranking = rank_codes(
                pair.seen_codons, pair.seen, rng=source, amino_acids=amino, codes=codes, axes=axes
            )
        except InputError as error:
            log.warning("%s, %s: codes are not ranked: %s", pair.place.run, pair.place.species, error)
            continue
        found.append(Deviance(pair.place, given, ranking))
    return found


CODES_COLUMNS = (
    *("run", "species", "vectors", "layer", "frame", "evidence", "rank", "tables", "names", "score"),
    *("behind", "behind_low", "behind_high", "p", "kept", "given", "decided", "trust"),
)


def code_lines(deviance: Deviance) -> list[tuple[object, ...]]:
    """Rows of ``codes.tsv``, in the order of its columns."""
    place, ranking = deviance.place, deviance.ranking
    head = (place.run, place.species, place.vectors, layer_text(place), place.frame, ranking.basis)
    return [
        (
            *(*head, rank, ",".join(map(str, ranked.codes.tables)), "; ".join(ranked.codes.names)),
            *(ranked.score, ranked.behind.value, ranked.behind.low, ranked.behind.high, ranked.p),
            int(ranked.kept),
            int(deviance.given.table in ranked.codes.tables),
            int(ranking.decided),
            ranking.trust,
        )
        for rank, ranked in enumerate(ranking.classes, start=1)
    ]


SURPRISES_COLUMNS = (
    *("run", "species", "vectors", "layer", "frame", "evidence", "codon", "amino_acid", "rank"),
    *("nearest", "other_reading", "other_tables", "margin", "clear"),
)


def surprise_lines(pair: VectorPair, deviance: Deviance, axes: int) -> list[tuple[object, ...]]:
    """Rows of ``surprises.tsv``: every codon, the most surprising first, on the ranking's own evidence."""
    place = pair.place
    if deviance.ranking.basis == "dna":
        table = codon_class_similarity(codon_similarity(pair.codons, "centred"), pair.gold)
    else:
        table = leave_one_amino_acid_out(pair.codons, pair.amino, pair.gold, axes).similarity
    head = (place.run, place.species, place.vectors, layer_text(place), place.frame, deviance.ranking.basis)
    return [
        (
            *(*head, found.codon, found.amino, found.rank),
            " ".join(f"{letter}:{value:.3f}" for letter, value in found.nearest),
            found.other,
            ",".join(map(str, found.tables)),
            found.margin,
            int(found.clear),
        )
        for found in surprises(table, pair.gold, deviance.ranking)
    ]


def layer_text(place: Place) -> str:
    """The layer as it stands in tables: empty for static rows."""
    return "" if place.layer < 0 else str(place.layer)


def write_lines(path: Path, columns: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Write a TSV table: floats with 6 significant digits, what is not finite left empty."""

    def text(value: object) -> str:
        if isinstance(value, float):
            return format(value, ".6g") if np.isfinite(value) else ""
        return str(value).replace("\t", " ").replace("\n", " ")

    rows = ["\t".join(columns), *("\t".join(text(value) for value in line) for line in lines)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
