"""Tables of the page on genetic codes: surprises codon by codon, and the ranking of NCBI's tables."""

from __future__ import annotations

from typing import Any

from genomecli.analysis.codon_surprise import COLUMNS
from genomecli.analysis.comparison import Comparison
from genomecli.analysis.pages import PageTable, figure_text, interval_text, p_text


def surprise_table(result: Comparison, shown: int = 8) -> PageTable:
    """The most surprising codons of each species, on each kind of evidence."""
    rows = []
    seen: dict[tuple[object, ...], int] = {}
    for line in result.surprise_lines:
        run, species, _, _, _, evidence, codon, amino, rank, nearest, other, tables, margin, clear = line
        key = (run, species, evidence)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > shown:
            continue
        rank_text = f"{rank:g}" if isinstance(rank, float) and rank == rank else "–"
        better = f"{other} (tables {tables}), log odds {margin:.1f}" if other else "–"
        better += "" if clear or not other else ", not significant"
        basis = "DNA" if evidence == "dna" else "DNA and protein"
        rows.append((str(species), str(run), basis, str(codon), str(amino), rank_text, str(nearest), better))
    return PageTable(
        "Surprises: codons whose own amino acid is not the nearest, the most surprising first. Rank: of "
        "the codon's "
        "own amino acid; the last column names a reading of another NCBI code that explains the codon "
        "better, and is a claim only where every code that is still possible reads the codon so.",
        ("species", "run", "evidence", "codon", "reads as", "rank", "nearest", "better explained as"),
        rows,
        text=frozenset({0, 1, 2, 3, 4, 6, 7}),
        wrap=frozenset({7}),
    )


def code_table(result: Comparison, shown: int = 5) -> PageTable:
    """The best classes of genetic codes of each headline."""
    rows: list[tuple[str, ...]] = []
    main = []
    for deviance in result.deviances:
        basis = "DNA" if deviance.ranking.basis == "dna" else "DNA and protein"
        for rank, ranked in enumerate(deviance.ranking.classes, start=1):
            given = deviance.given.table in ranked.codes.tables
            if rank > shown and not given:
                continue
            if given:
                main.append(len(rows))
            behind = ranked.behind
            tables = ", ".join(map(str, ranked.codes.tables))
            rows.append(
                (
                    *(deviance.place.species, deviance.place.run, basis, str(rank), tables),
                    *(ranked.codes.names[0], figure_text(behind.value, 1)),
                    *(interval_text(behind.low, behind.high, 1), p_text(ranked.p)),
                    *("yes" if ranked.kept else "no", "yes" if given else ""),
                )
            )
    return PageTable(
        "Genetic codes by how well they explain the vectors (log odds behind the best; p corrected for the "
        "number of rivals). Possible: not clearly beaten by the best. Where possible classes read a codon as "
        "different amino acids the code is undecided, whichever is in front. The given code is marked.",
        (
            *("species", "run", "evidence", "place", "tables", "name", "behind the best", "95 % interval"),
            *("p", "possible", "given"),
        ),
        rows,
        text=frozenset({0, 1, 2, 4, 5, 9, 10}),
        main=frozenset(main),
    )


def codon_surprise_table(result: Comparison, shown: int = 8) -> PageTable:
    """The codons that the network expects most, and least, beyond their usage; over all places."""
    rows: list[tuple[str, ...]] = []
    by_run: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in result.codon_lines:
        cells: dict[str, Any] = dict(zip(COLUMNS, line, strict=True))
        if cells["region"] == "all" and cells["codon"] != "all":
            by_run.setdefault((cells["species"], cells["run"]), []).append(cells)
    for place, lines in by_run.items():
        ordered = sorted(lines, key=lambda cells: (-cells["gain"], cells["codon"]))
        few = ordered if len(ordered) <= 2 * shown else [*ordered[:shown], *ordered[-shown:]]
        for cells in few:
            gain = (figure_text(cells["gain"]), interval_text(cells["gain_low"], cells["gain_high"]))
            name = (*place, cells["codon"], cells["amino_acid"])
            rows.append((*name, f"{cells['n']:,}", figure_text(cells["bits"]), *gain))
    return PageTable(
        "Hidden codons: how surprising they are (bits), and how much less than by the probability that the "
        "network gives them on average (gain: what the neighbourhood tells; intervals over genes); those "
        "that gain most and least.",
        ("species", "run", "codon", "reads as", "codons", "bits", "gain", "95 % interval"),
        rows,
        text=frozenset({0, 1, 2, 3}),
    )
