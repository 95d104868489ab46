"""What a decipherment says, in sentences and in short. Every number in a sentence is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from genomecli.analysis.decipherment.calling_story import calling_sentences, calling_summary
from genomecli.analysis.decipherment.decipher import LEAST_MARGIN, SHUFFLED, Deciphered
from genomecli.analysis.decipherment.genes import reading_name
from genomecli.analysis.decipherment.judged import Judged, judge
from genomecli.analysis.decipherment.pairs import Text
from genomecli.analysis.gold import AMINO_LETTERS
from genomecli.analysis.pages import interval_text
from genomecli.analysis.settings import AUTO_BACKGROUND
from genomecli.sequences.codes import CODONS

_NO_BETTER = "no code explains pairs and composition together better than codons without a meaning"


def sentences(found: Deciphered, judged: Judged) -> list[str]:
    """What was found, in words."""
    sources, table = found.sources, found.sources.code.table
    refused = [] if found.holds_a_code else [_refusal(found)]
    said = [
        *refused,
        *([] if sources.calling is None else calling_sentences(sources.calling)),
        f"{judged.decided} of {judged.codons} codons were decided, {100 * judged.decided_tokens:.1f} % of "
        f"all that stand in genes; {_wrong(judged, table)}.",
        f"Against code {table}, the best reading of {judged.right} of {judged.codons} codons is right "
        f"({100 * judged.right_tokens:.1f} % of occurrences); the mean reciprocal rank of the stated amino "
        f"acid is {judged.mrr:.2f} (chance 0.18).",
        code_sentence(found),
    ]
    if found.controls:
        said.append(_control_sentence(found))
    if found.solution.reached * found.chains < 1.5:
        said.append(
            f"Only one of {found.chains} searches ended here: more chains or sweeps may find a better answer."
        )
    if sources.translated_with is not None:
        said.append(_translated_sentence(found, sources.translated_with))
    elif sources.same_genome and (sources.relation != "none" or sources.calling is not None):
        said.append(
            "The proteins are the annotator's translation of genes of the same genome, so this shows that "
            "the method works; it does not establish the cell's code."
        )
    return said


def _translated_sentence(found: Deciphered, table: int) -> str:
    """Whether the answer is the code that the proteins were made with on purpose."""
    said = (
        f"The proteins are genes of the same genome, translated on purpose with code {table}: the answer "
        "should be that code, whatever the cell's is"
    )
    ranked = next((code for code in found.codes if table in code.tables), None)
    if not found.holds_a_code or ranked is None:
        return f"{said}."
    if ranked is found.codes[0]:
        return f"{said}, and it comes first."
    rare = "the codons that it reads otherwise may be too rare to tell"
    if ranked.possible:
        return f"{said}. It remains possible and does not come first: {rare}."
    return f"{said}. It is ruled out, so the answer did not follow: {rare}."


def _refusal(found: Deciphered) -> str:
    """Why no codon is decided."""
    best = max(found.controls, key=lambda control: control.value, default=None)
    if best is not None and best.name == reading_name(0, "+") and best.value > found.value:
        return (
            "Nothing is decided: genes hold more evidence in frame 0 than in the reading that was asked for; "
            "read so, they are a control."
        )
    if found.value <= 0:
        return (
            f"Nothing is decided: {_NO_BETTER} (evidence {found.value:.2g} nats per thousand pairs; it "
            "must be above 0)."
        )
    assert best is not None, "without controls only the evidence itself is asked"
    return (
        f"Nothing is decided: the evidence is not told from that of texts which hold no code ({best.name}; "
        f"margin {found.margin:.1f} standard deviations, {LEAST_MARGIN:.0f} are asked)."
    )


def _wrong(judged: Judged, table: int) -> str:
    if not judged.decided:
        return "the texts are too short, or hold no code in this reading"
    if not judged.wrong:
        return f"none of them differs from code {table}"
    verb = "was" if len(judged.wrong) == 1 else "were"
    return (
        f"{', '.join(judged.wrong)} {verb} decided otherwise than in code {table} "
        f"({100 * judged.wrong_tokens:.1f} % of decided occurrences)"
    )


def code_sentence(found: Deciphered) -> str:
    """Which of NCBI's codes explains the texts, and whether another cannot be ruled out."""
    if not found.holds_a_code:
        why = _NO_BETTER if found.value <= 0 else "the texts are not told from those without a code"
        return f"The ranks of NCBI's codes mean nothing here: {why}."
    best, *others = found.codes
    name = f"code {' or '.join(map(str, best.tables))}"
    if not others:
        return f"Of the codes asked about, all read these codons as {name} does."
    rivals = [code for code in others if code.possible]
    if not rivals:
        gap = others[0].behind
        return (
            f"Of NCBI's codes {name} explains the texts best; the next, code "
            f"{' or '.join(map(str, others[0].tables))}, is {gap.value:,.0f} nats behind "
            f"({interval_text(gap.low, gap.high, 0)})."
        )
    named = ", ".join(" or ".join(map(str, code.tables)) for code in rivals[:4])
    return f"Of NCBI's codes {name} explains the texts best, but code {named} cannot be ruled out."


def _control_sentence(found: Deciphered) -> str:
    best = max(found.controls, key=lambda control: control.value)
    share = 100 * best.value / found.value if found.value > 0 else float("nan")
    shuffled = next(control.value for control in found.controls if control.name == SHUFFLED)
    return (
        f"Of the controls, {best.name} comes nearest, with {share:.0f} % of the evidence, "
        f"{found.margin:.1f} standard deviations below; shuffled proteins give "
        f"{100 * shuffled / found.value:.0f} %."
        if found.value > 0
        else "The texts hold no evidence of a code at all."
    )


def peptide_notes(found: Deciphered) -> list[str]:
    """What peptides in place of proteins mean for the answer."""
    if found.background is not None or median_length(found.sources.residues) >= AUTO_BACKGROUND:
        return []
    said = [
        "The proteins are peptides: pairs are counted within each, and no background is taken off on either "
        "side (mrr-compare.decipher.background)."
    ]
    cut = cut_letters(found.sources.residues)
    if cut:
        said.append(
            f"{' and '.join(cut)} stand at the ends of peptides, where the enzyme cut, and hardly before "
            "another residue: their codons are the first to be read wrongly. A second enzyme helps."
        )
    return said


def median_length(text: Text) -> float:
    """Tokens of a record in the middle; 0 without records."""
    return float(np.median(text.lengths)) if len(text.lengths) else 0.0


def cut_letters(text: Text) -> list[str]:
    """Amino acids that stand last in their record in most of the places where they stand at all."""
    last = text.tokens[np.cumsum(text.lengths)[text.lengths > 0] - 1]
    ends, all_of = (
        np.bincount(tokens[tokens >= 0], minlength=len(AMINO_LETTERS)) for tokens in (last, text.tokens)
    )
    return [letter for i, letter in enumerate(AMINO_LETTERS) if all_of[i] and 2 * ends[i] > all_of[i]]


def summary(found: Deciphered) -> dict[str, Any]:
    """Everything in short, as plain values.

    ``spread`` and ``margin`` are those of genes and proteins drawn with replacement, whatever ``resampled``
    says that the support comes from.
    """
    judged, sources = judge(found), found.sources
    possible = [code for code in found.codes if code.possible or code is found.codes[0]]
    return {
        "codons": sources.codons,
        "proteins": sources.proteins,
        "relation": sources.relation,
        "genes": len(sources.genes.lengths),
        "codons_read": int(found.counts.sum()),
        "residues_read": found.residue_count,
        "stated_code": sources.code.table,
        "mrr": round(judged.mrr, 6),
        "right": judged.right,
        "asked": judged.codons,
        "right_tokens": round(judged.right_tokens, 6),
        "decided": judged.decided,
        "decided_tokens": round(judged.decided_tokens, 6),
        "wrong": list(judged.wrong),
        "wrong_tokens": round(judged.wrong_tokens, 6),
        "stops": [CODONS[codon] for codon in np.flatnonzero(found.stops)],
        "best_codes": list(found.codes[0].tables) if found.holds_a_code else [],
        "possible_codes": [list(code.tables) for code in possible] if found.holds_a_code else [],
        "ranked_codes": [list(code.tables) for code in found.codes],
        "evidence_per_1000_pairs": round(found.value, 6),
        "spread": round(found.spread, 6),
        "controls": {control.name: round(control.value, 6) for control in found.controls},
        "margin": None if found.margin is None else round(found.margin, 4),
        "chains_that_agree": round(found.solution.reached, 6),
        "genome": None if sources.calling is None else calling_summary(sources.calling),
        "answers": "".join(found.letter(codon) for codon in range(64)),
        "sentences": sentences(found, judged),
        "background": found.background,
        "resampled": found.resampling,
        "notes": [*sources.notes, *peptide_notes(found)],
    }
