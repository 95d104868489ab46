"""Tables of the comparison's page: rows picked from the long table, cells as text."""

from __future__ import annotations

from collections.abc import Mapping

from genomecli.analysis.comparison import Comparison
from genomecli.analysis.headline import Headline
from genomecli.analysis.lookup import LEFT_OUT_ENDPOINT, SYNONYM_ENDPOINT, at_place, select
from genomecli.analysis.pages import PageTable, count_text, figure_text, interval_text, p_text
from genomecli.analysis.tidy import Measure

DIRECTIONS = {
    "codon_to_amino": "codon → amino acid",
    "amino_to_codon": "amino acid → codons",
    "codon_to_synonym": "codon → synonyms",
    "codon_to_same_codon": "codon → same codon",
    "codon_to_codon_of_same_amino": "codon → codon of same amino acid",
    "amino_to_amino": "amino acid → same amino acid",
    "gene_to_protein": "gene → its protein",
    "protein_to_gene": "protein → its gene",
}
SCOPES = {
    "all": "",
    "leave_one_amino_acid_out": "amino acid left out",
    "leave_one_codon_out": "codon left out (no evidence)",
    "between_blocks": "between blocks",
    "untold": "codons not told",
    "untold_left_out": "amino acid left out, codons not told",
    "five_fold": "gene families left out",
    "without_gc3": "GC3 taken off",
    "without_frequency": "usage taken off",
    "without_gc3_and_frequency": "GC3 and usage taken off",
    "without_frequency_and_gc3": "GC3 and usage taken off",
    "between_blocks_without_gc3": "between blocks, GC3 taken off",
    "between_blocks_without_frequency": "between blocks, usage taken off",
    "between_blocks_without_gc3_and_frequency": "between blocks, GC3 and usage taken off",
    "between_blocks_without_frequency_and_gc3": "between blocks, GC3 and usage taken off",
}
PROPERTIES = {
    "gc3": "third base G or C",
    "third_base": "third base",
    "frequency": "usage",
    "first_two_bases": "first two bases",
    "meaning": "amino acid",
}
SIMILARITIES = {
    "cosine": "cosine",
    "centred": "centred cosine",
    "csls": "CSLS",
    "csls_centred": "centred CSLS",
    "procrustes": "rotation (Procrustes)",
    "cka": "CKA",
}


def main_table(result: Comparison) -> PageTable:
    """The headline figures of every run and species beside their controls."""
    columns = (
        *("species", "run", "layer", "measure", "MRR", "95 % interval", "chance", "shuffled 95 %", "p"),
        *("trained on frame", "shown in frame", "untrained"),
    )
    rows: list[tuple[str, ...]] = []
    main = []
    for head in result.reported:
        main.append(len(rows))
        rows += _headline_rows(head)
    return PageTable(
        "The headline figures and their controls; the first row of each species is the primary endpoint.",
        columns,
        rows,
        text=frozenset({0, 1, 3}),
        main=frozenset(main),
    )


_Frames = Mapping[int, Measure]
_Line = tuple[str, Measure | None, float | None, _Frames, _Frames, Measure | None]


def _headline_rows(head: Headline) -> list[tuple[str, ...]]:
    place = head.place
    name = (place.species, place.run, "static" if place.layer < 0 else str(place.layer))
    fresh = head.untrained_synonyms
    lines: tuple[_Line, ...] = (
        ("left-out amino acids", head.left_out, head.shuffled_95, head.twins, head.frames, head.untrained),
        ("left-out amino acids, codons not told", head.untold, None, {}, {}, None),
        ("synonymous codons", head.synonyms, None, head.twin_synonyms, head.frame_synonyms, fresh),
        ("synonyms between blocks", head.between, None, {}, {}, None),
        ("plain cosine", head.cosine, None, {}, {}, None),
    )
    return [
        (
            *(*name, label, figure_text(found.value), interval_text(found.low, found.high)),
            *(figure_text(found.chance), figure_text(found.null95 if top is None else top), p_text(found.p)),
            *(_frame_cells(twins), _frame_cells(frames), figure_text(before.value if before else None)),
        )
        for label, found, top, twins, frames, before in lines
        if found is not None
    ]


def _frame_cells(frames: Mapping[int, Measure]) -> str:
    cells = (f"{'+' if f else ''}{f}: {figure_text(row.value)}" for f, row in sorted(frames.items()))
    return ", ".join(cells) or "–"


def similarity_table(result: Comparison) -> PageTable:
    """Every similarity and direction at the headline's layer."""
    rows = []
    for head in result.reported:
        here = at_place(head.place)
        for found in select(result.rows, **here, statistic=("mrr", "cka", "cka_debiased")):
            if found.note or found.direction.startswith(("gene", "protein")):
                continue
            rows.append(
                (
                    head.place.species,
                    head.place.run,
                    DIRECTIONS.get(found.direction, found.direction),
                    how(found),
                    *figure_cells(found),
                )
            )
    return PageTable(
        "Every similarity at the reported layer. Plain cosine can stay at chance where a rotation shows a "
        "perfect match.",
        ("species", "run", "looked up", "similarity", "value", "95 % interval", "chance", "null 95 %", "p"),
        rows,
        text=frozenset({0, 1, 2, 3}),
    )


def how(found: Measure) -> str:
    """The similarity of a row, in words."""
    name = SIMILARITIES.get(found.similarity, found.similarity)
    name += ", debiased" if found.statistic == "cka_debiased" else ""
    scope = SCOPES.get(found.scope, found.scope)
    return f"{name}, {scope}" if scope else name


def figure_cells(found: Measure) -> tuple[str, ...]:
    """Value, interval, chance, null and p of a row, as text."""
    return (
        figure_text(found.value),
        interval_text(found.low, found.high),
        figure_text(found.chance, 3 if (found.chance or 1) < 0.1 else 2),
        figure_text(found.null95),
        p_text(found.p),
    )


def gene_table(result: Comparison) -> PageTable:
    """Intervals over genes or loci and over seeds, and genes that look for their proteins."""
    rows = []
    for head in result.reported:
        here = at_place(head.place)
        for found in select(result.rows, **here, statistic="mrr_over_genes"):
            label = DIRECTIONS[found.direction] + (", amino acid left out" if found.scope != "all" else "")
            rows.append(
                (head.place.species, head.place.run, f"{label}, over {found.note}", *figure_cells(found))
            )
        for found in select(
            result.rows, **here, direction=("gene_to_protein", "protein_to_gene"), statistic="mrr"
        ):
            label = f"{DIRECTIONS[found.direction]}, {how(found)}, {found.n} pairs"
            rows.append((head.place.species, head.place.run, label, *figure_cells(found)))
    for found in select(result.rows, statistic="mrr_over_seeds"):
        label = DIRECTIONS[found.direction] + (", amino acid left out" if found.scope != "all" else "")
        rows.append((found.species_a, found.run, f"{label}, over {found.note}", *figure_cells(found)))
    return PageTable(
        "Intervals over genes (of a genome over stretches, both strands and neighbouring windows together), "
        "over seeds, and genes looking for their own protein by mean vectors.",
        ("species", "run", "measure", "MRR", "95 % interval", "chance", "null 95 %", "p"),
        rows,
        text=frozenset({0, 1, 2}),
    )


def baseline_table(result: Comparison) -> PageTable:
    """The encoder beside static embeddings, frequency and spelling."""
    rows: list[tuple[str, ...]] = []
    main = []
    for head in result.reported:
        main.append(len(rows))
        name = (head.place.species, head.place.run)
        figures = [figure_text(m.value if m else None) for m in (head.left_out, head.synonyms)]
        rows.append((*name, f"encoder, layer {head.place.layer}", count_text(head.place.tokens), *figures))
        rows += [(*name, *line) for line in _simple_rows(result, head)]
    return PageTable(
        "The encoder beside what needs no network. Tokens: of the run, when it was looked at; static vectors "
        "learn from the same texts, as many as the run had read by then.",
        ("species", "run", "vectors", "tokens", "left-out amino acids", "synonymous codons"),
        rows,
        text=frozenset({0, 1, 2}),
        main=frozenset(main),
    )


def _simple_rows(result: Comparison, head: Headline) -> list[tuple[str, ...]]:
    about = select(result.rows, species_a=head.place.species, species_b=head.place.species)
    about = [row for row in about if row.frame == head.place.frame]
    static = result.static_rows(head.place)
    lines: list[tuple[str, ...]] = []
    for method, name in (("word2vec", "word2vec (skip-gram)"), ("ppmi", "PPMI-SVD")):
        left = {row.tokens_seen: row.value for row in select(static, vectors=method, **LEFT_OUT_ENDPOINT)}
        right = {row.tokens_seen: row.value for row in select(static, vectors=method, **SYNONYM_ENDPOINT)}
        sizes = sorted(size for size in left if size is not None)
        lines += [
            (name, count_text(size), figure_text(left[size]), figure_text(right.get(size))) for size in sizes
        ]
    lines.append(
        (
            "frequency alone (codon → amino acid, codon → synonyms)",
            "–",
            figure_text(_first(about, vectors="frequency", direction="codon_to_amino", statistic="mrr")),
            figure_text(
                _first(about, vectors="frequency", direction="codon_to_synonym", scope="all", statistic="mrr")
            ),
        )
    )
    spelling = figure_text(_first(about, vectors="spelling", scope="all", statistic="mrr_best"))
    lines.append(("spelling alone, best weighting of positions", "–", "–", spelling))
    return lines


def _first(rows: list[Measure], **about: object) -> float | None:
    found = select(rows, **about)
    return found[0].value if found else None


def property_table(result: Comparison) -> PageTable:
    """What GC3, third base, usage, first bases and meaning each explain of the codons' similarity."""
    rows = []
    for head in result.reported:
        for found in select(result.rows, **at_place(head.place), statistic="explained"):
            name = (head.place.species, head.place.run, PROPERTIES[found.scope])
            rows.append((*name, figure_text(found.value), figure_text(found.null95), p_text(found.p)))
    return PageTable(
        "Share of the variance of centred cosine, over pairs of codons, that each property explains alone "
        "(squared correlation; null: codons dealt anew).",
        ("species", "run", "property", "explained", "null 95 %", "p"),
        rows,
        text=frozenset({0, 1, 2}),
    )
