"""What the figures say, in sentences a biologist can read. Every number in them is computed.

A sentence claims only what its controls allow: it changes its wording with them, and says so where nothing
is shown.
"""

from __future__ import annotations

from genomecli.analysis.deviance import Deviance, Reading
from genomecli.analysis.headline import Headline
from genomecli.analysis.pages import figure_text, interval_text, p_text
from genomecli.analysis.tidy import Measure


def answer(head: Headline) -> list[str]:
    """Three sentences: do codons meet their amino acids, do synonyms meet, and what do the controls say."""
    return [alignment_sentence(head), synonym_sentence(head), control_sentence(head)]


def alignment_sentence(head: Headline) -> str:
    """On the primary endpoint."""
    found = head.left_out
    if found is None or found.value is None:
        return "The primary endpoint (left-out amino acids) was not measured."
    figures = (
        f"the mean reciprocal rank (MRR) of the right amino acid was {_with_interval(found)}; chance gives "
        f"{figure_text(found.chance)}, and 95 % of shuffled genetic codes stay below "
        f"{figure_text(head.shuffled_95)} (p = {p_text(found.p)})"
    )
    if head.aligned:
        return (
            "Codons point to the amino acids they encode: with each amino acid and all its codons kept out "
            "of "
            f"the fit, {figures}."
        )
    return (
        "It is not shown that codons point to the amino acids they encode: with each amino acid and all its "
        f"codons kept out of the fit, {figures}."
    )


def _with_interval(found: Measure) -> str:
    value = figure_text(found.value)
    if found.low is None or found.high is None:
        return value
    return f"{value} (95 % interval {interval_text(found.low, found.high)})"


def synonym_sentence(head: Headline) -> str:
    """On codons of one meaning."""
    found = head.synonyms
    if found is None or found.value is None:
        return "Synonymous codons were not measured."
    verb = "find" if head.knows_synonyms else "do not clearly find"
    text = (
        f"Codons with the same meaning {verb} each other: MRR {_with_interval(found)}, where shared bases "
        "within "
        f"a family of codons already explain {figure_text(found.null95)}"
    )
    if head.between is None or head.between.value is None:
        return text + "."
    p = head.between.p
    clear = "beyond" if p is not None and p <= 0.05 else "not clearly beyond"
    return (
        f"{text}; among synonyms that do not share their first two bases it is "
        f"{_with_interval(head.between)}, "
        f"{clear} chance ({figure_text(head.between.chance)}; 95 % of shuffled codes below "
        f"{figure_text(head.between.null95)})."
    )


def control_sentence(head: Headline) -> str:
    """On other frames and the untrained network, for the endpoint that stands."""
    by_alignment = head.aligned or not head.knows_synonyms
    name = "left-out amino acids" if by_alignment else "synonymous codons"
    frames = head.frames if by_alignment else head.frame_synonyms
    fresh = head.untrained if by_alignment else head.untrained_synonyms
    own = head.left_out if by_alignment else head.synonyms
    if not frames and fresh is None:
        return "Neither other reading frames nor the untrained network were measured as controls."
    parts = [f"{figure_text(row.value)} in frame {_shift(frame)}" for frame, row in sorted(frames.items())]
    parts += [f"{figure_text(fresh.value)} in the same network before training"] if fresh else []
    figures = (
        f"for {name} the same measure is {_list(parts)}, against {figure_text(own.value if own else None)}"
    )
    others = [row.value for row in (*frames.values(), fresh) if row is not None and row.value is not None]
    if own is None or own.low is None or not (head.aligned or head.knows_synonyms):
        return f"The controls agree with that: {figures}."
    if all(own.low > value for value in others):
        return f"The signal was learned and belongs to reading frame {_shift(head.place.frame)}: {figures}."
    return f"The controls do not stand clear of it, so nothing is claimed about the reading frame: {figures}."


def _shift(frame: int) -> str:
    return "0" if frame == 0 else f"+{frame}"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def code_sentence(deviance: Deviance) -> str:
    """Which genetic code explains the vectors, and which codons read otherwise than in the standard code."""
    ranking = deviance.ranking
    evidence = "from DNA alone" if ranking.basis == "dna" else "from DNA and protein"
    best = ranking.classes[0].codes
    names = " or ".join(f"table {table}" for table in best.tables)
    given = f"the corpus gives table {deviance.given.table}"
    margin = ranking.margin
    lead = f"lead {figure_text(margin.value, 1)} in log odds, {interval_text(margin.low, margin.high, 1)}"
    if not ranking.decided:
        kept = sum(1 for ranked in ranking.classes if ranked.kept)
        head = (
            f"Genetic code, {evidence}: undecided between {kept} classes of NCBI's tables, {names} in front "
            f"({lead}, p = {p_text(ranking.p)}); {given}"
        )
    else:
        agrees = "which agrees" if deviance.agrees else "which DISAGREES"
        head = f"Genetic code, {evidence}: {names} ({lead}, p = {p_text(ranking.p)}); {given}, {agrees}"
    readings = deviance.readings()
    sure = [reading for reading in readings if reading.sure]
    if sure:
        return f"{head}. {_readings(sure)}"
    if readings:
        return f"{head}. Not sure, but hinted at: {_readings(readings[:3])}"
    return f"{head}. No codon reads otherwise than in the standard code."


def _readings(readings: list[Reading]) -> str:
    parts = [
        f"{one.codon} reads as {one.reads} and not as {'stop' if one.usual == '*' else one.usual} "
        f"(log odds {figure_text(one.margin, 1)})"
        for one in readings
    ]
    return f"{_list(parts)}."


def relation_words(relation: str) -> str:
    """How the two languages met in training, in words."""
    words = {
        "paired": "each gene stood beside its protein in one input",
        "anchored": "same genes, never side by side, but a few known codons swapped for their residue",
        "comparable": "same genes in both languages, shuffled apart, never in one input",
        "disjoint": "DNA of one half of the gene families, proteins of the other half",
        "none": "all genes and all proteins, never in one input",
    }
    return words.get(relation, "not known")
