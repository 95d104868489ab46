"""A decipherment as tables: codon by codon, code by code, and the controls."""

from __future__ import annotations

import numpy as np

from genomecli.analysis.decipherment.decipher import Deciphered
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.pages import PageTable, count_text, figure_text, interval_text
from genomecli.sequences.codes import CODONS

CODON_COLUMNS = (
    *("codon", "answer", "best", "support", "second", "second_support", "gap", "count", "stated", "agrees"),
)
CODE_COLUMNS = ("tables", "names", "sense", "stops", "behind", "low", "high", "ahead", "possible", "differs")


def codon_lines(found: Deciphered) -> list[tuple[object, ...]]:
    """One line a codon, as ``codons.tsv`` has them; empty where nothing was asked."""
    lines: list[tuple[object, ...]] = []
    for codon, text in enumerate(CODONS):
        answer, stated = found.letter(codon), found.sources.code.amino[codon]
        best: tuple[object, ...] = ("", "", "", "", "")
        if answer == "*" or (answer == "?" and found.stops[codon]):
            best = ("*", float(found.stop_support[codon]), "", "", "")
        elif answer != "-":
            own = int(found.solution.labels[codon])
            votes = found.support[codon].copy()
            votes[own] = -1.0
            second = int(votes.argmax())
            others = np.delete(found.scores[codon], own)
            best = (
                AMINO_LETTERS[own],
                float(found.support[codon, own]),
                AMINO_LETTERS[second] if votes[second] > 0 else "",
                max(float(votes[second]), 0.0),
                float(-others.max()),
            )
        agrees = "" if answer in "?-" else "yes" if answer == stated else "no"
        lines.append((text, answer, *best, int(found.counts[codon]), stated, agrees))
    return lines


def code_lines(found: Deciphered) -> list[tuple[object, ...]]:
    """One line a class of codes, as ``codes.tsv`` has them."""
    return [
        (
            ", ".join(map(str, code.tables)),
            "; ".join(code.names),
            *(code.sense, code.stops, code.behind.value, code.behind.low, code.behind.high, code.ahead),
            "yes" if code.possible else "no",
            " ".join(CODONS[codon] for codon in code.differs),
        )
        for code in found.codes
    ]


def codon_table(found: Deciphered) -> PageTable:
    """The codons as the page and the terminal show them."""
    rows = []
    for text, answer, best, support, second, other, gap, count, stated, agrees in codon_lines(found):
        rows.append(
            [
                str(text),
                {"*": "stop", "?": "undecided", "-": "in no pair" if count else "never seen"}.get(
                    str(answer), str(answer)
                ),
                str(best),
                figure_text(float(str(support))) if best else "–",
                f"{second} {float(str(other)):.2f}" if second else "–",
                f"{float(str(gap)):.0f}" if gap != "" else "–",
                count_text(int(str(count))),
                str(stated),
                str(agrees) or "–",
            ]
        )
    columns = ("codon", "answer", "best", "support", "second", "gap, nats", "seen", "stated", "agrees")
    return PageTable("Codon by codon", columns, rows, text=frozenset({0, 1, 2, 4, 7, 8}))


def code_table(found: Deciphered) -> PageTable:
    """The classes of codes as the page shows them."""
    rows = [
        [
            ", ".join(map(str, code.tables)),
            code.names[0],
            f"{code.sense:.0f}",
            f"{code.stops:.0f}",
            f"{code.behind.value:.0f} ({interval_text(code.behind.low, code.behind.high, 0)})",
            f"{100 * code.ahead:.0f} %" if number else "–",
            " ".join(CODONS[codon] for codon in code.differs[:8]) + (" …" if len(code.differs) > 8 else ""),
        ]
        for number, code in enumerate(found.codes)
    ]
    columns = ("tables", "name", "pairs, nats", "stops, nats", "behind", "beaten in", "reads otherwise")
    main = frozenset({0})
    return PageTable("NCBI's codes, best first", columns, rows, frozenset({0, 1, 6}), frozenset({1, 6}), main)


def control_table(found: Deciphered) -> PageTable:
    """The text and its controls."""
    rows = [["the text", figure_text(found.value, 3), "100 %"]]
    for control in found.controls:
        share = f"{100 * control.value / found.value:.0f} %" if found.value > 0 else "–"
        rows.append([control.name, figure_text(control.value, 3), share])
    return PageTable(
        "Evidence", ("reading", "nats per 1,000 pairs", "of the text's"), rows, main=frozenset({0})
    )
