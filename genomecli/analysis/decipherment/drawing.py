"""The figures of a decipherment: what goes into each, and what to say below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genomecli.analysis.decipherment.decipher import Deciphered, Resampling
from genomecli.analysis.decipherment.genes import reading_name
from genomecli.analysis.decipherment.story import code_sentence
from genomecli.analysis.drawing_data import Drawing
from genomecli.analysis.figures.bars import CodeBar, codes_figure
from genomecli.analysis.figures.code_table import CodonCell, code_table_figure
from genomecli.analysis.figures.heatmap import codon_heat_map
from genomecli.analysis.figures.readings import readings_figure
from genomecli.analysis.gold import AMINO_LETTERS, CodonGold
from genomecli.sequences.codes import CODONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from genomecli.analysis.settings import CompareSettings

_CODES = (
    "One bar a class of codes that read all codons at hand alike: evidence of the pairs and of what ends "
    "genes, in nats, less that of the best code. Pale bars are beaten in 95 % of resamples."
)
_CONTROLS = (
    "Evidence of the best assignment for each text. Of six readings of the same genes, one holds the code; "
    "the others hold the same bases. Shuffled proteins hold the composition and no grammar. Line: two "
    "standard deviations to each side, over genes and proteins drawn with replacement."
)
_RESAMPLES: dict[Resampling, str] = {
    "records": "resamples of genes, proteins and distances",
    "composition": "resamples, with uneven weights of groups alike in composition and of distances,",
}


def drawings(found: Deciphered, settings: CompareSettings) -> list[Drawing]:
    """The figures, in the order of the page."""
    table = found.sources.code.table
    made = [
        Drawing(
            "code-table",
            title_of(found),
            "Large: the amino acid that was found. Small: share of "
            f"{settings.decipher.bootstrap} {_RESAMPLES[found.resampling]} that agree; below "
            f"{100 * found.least_support:.0f} % a codon is undecided (?). Framed: decided otherwise than in "
            f"code {table}, which was used for nothing but this comparison.",
            lambda: code_table_figure(_cells(found), title=title_of(found), stated=f"code {table}"),
        ),
        Drawing(
            "support",
            "What each codon was read as, over resamples",
            "Each row is a codon, each column an amino acid: the share of resamples that read it so. Orange "
            f"boxes: code {table}.",
            lambda: _support_figure(found),
        ),
        Drawing("codes", "Which of NCBI's codes explains the texts", _CODES, lambda: _codes_figure(found)),
    ]
    if found.controls:
        made.append(
            Drawing(
                "controls",
                "The text beside its controls",
                _CONTROLS,
                lambda: _controls_figure(found, settings),
            )
        )
    return made


def title_of(found: Deciphered) -> str:
    """Whose code, from which texts."""
    sources = found.sources
    other = "its own proteome" if sources.same_genome else f"proteins of {sources.proteins}"
    if sources.translated_with is not None:
        other = f"genes translated with code {sources.translated_with}"
    kind = {"disjoint": ", other families", "comparable": ", unpaired"}.get(sources.relation, "")
    text = "genes" if sources.calling is None else "genome"
    return f"The code of {sources.codons}, deciphered from its {text} and {other}{kind}"


def _cells(found: Deciphered) -> dict[str, CodonCell]:
    cells = {}
    for codon, text in enumerate(CODONS):
        label, answer = int(found.solution.labels[codon]), found.letter(codon)
        asked = answer not in "*-" and label >= 0 and not found.stops[codon]
        support = float(found.support[codon, label]) if asked else float("nan")
        leaning = AMINO_LETTERS[label] if asked else ""
        cells[text] = CodonCell(answer, support, found.sources.code.amino[codon], leaning)
    return cells


def _support_figure(found: Deciphered) -> Figure:
    gold = CodonGold.of(found.sources.code, found.asked.tolist())
    return codon_heat_map(
        found.support[
            np.ix_(gold.codons, np.array([AMINO_LETTERS.index(letter) for letter in gold.letters]))
        ],
        gold,
        title="Codons as read by the resamples",
        scale="share of resamples",
    )


def _codes_figure(found: Deciphered) -> Figure:
    table, best = found.sources.code.table, found.codes[0]
    bars = [
        CodeBar(
            f"{', '.join(map(str, code.tables))}: {code.names[0]}",
            code.total - best.total,
            table in code.tables,
            code.possible or code is best or not found.holds_a_code,
        )
        for code in found.codes
    ]
    title = "NCBI's codes by how well they explain the texts"
    scale = "nats beside the best code"
    return codes_figure(bars, title=title, verdict=code_sentence(found), scale=scale)


def _controls_figure(found: Deciphered, settings: CompareSettings) -> Figure:
    asked = settings.decipher
    calling = found.sources.calling
    own = reading_name(*(calling.reading if calling else (asked.frame, asked.strand)))
    return readings_figure(
        [f"{own}: the text", *(control.name for control in found.controls)],
        [found.value, *(control.value for control in found.controls)],
        spread=found.spread,
        title="Evidence of a code, of the text and of its controls",
        unit="evidence, nats per thousand pairs",
    )
