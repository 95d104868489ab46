"""What the figures say, in sentences a biologist can read. Every number in them is computed.

A sentence claims only what its controls allow: it changes its wording with them, and says so where nothing
is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomecli.analysis.deviance import Deviance, Reading
from genomecli.analysis.headline import Headline, is_clear
from genomecli.analysis.lookup import LEFT_OUT_ENDPOINT, SYNONYM_ENDPOINT, select
from genomecli.analysis.pages import count_text, figure_text, interval_text, p_text
from genomecli.analysis.tidy import Measure

HINT = 1.0
"""Log odds from which a reading that is not sure is worth a word, and then only as one that is not."""


def answer(head: Headline) -> list[str]:
    """Do codons meet their amino acids, do synonyms meet, and what do the controls say; a sentence each.

    Of a network that was told some codons, a further one speaks of the others.
    """
    told = [] if head.untold is None else [untold_sentence(head.untold)]
    return [alignment_sentence(head), *told, synonym_sentence(head), control_sentence(head)]


def untold_sentence(found: Measure) -> str:
    """On the primary endpoint over codons whose meaning the network was not told."""
    lead = (
        "Codons that it was not told are found too" if is_clear(found) else "It is not shown for other codons"
    )
    return (
        f"{lead}: the network was told what some mean, and over the other {found.n} the MRR is "
        f"{_with_interval(found)}; 95 % of shuffled codes stay below {figure_text(found.null95)} "
        f"(p = {p_text(found.p)})."
    )


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
    """On networks trained on other frames, the untrained network, and genes shown in other frames."""
    by_alignment = head.left_out is not None and (head.aligned or not head.knows_synonyms)
    name = "left-out amino acids" if by_alignment else "synonymous codons"
    own = head.left_out if by_alignment else head.synonyms
    twins, shown = (head.twins, head.frames) if by_alignment else (head.twin_synonyms, head.frame_synonyms)
    fresh = head.untrained if by_alignment else head.untrained_synonyms
    parts = [
        f"{figure_text(row.value)} in a network trained on frame {_shift(frame)} of the genes"
        for frame, row in sorted(twins.items())
    ]
    parts += [f"{figure_text(fresh.value)} in the same network before training"] if fresh else []
    parts += [
        f"{figure_text(row.value)} where this network is shown frame {_shift(frame)}"
        for frame, row in sorted(shown.items())
    ]
    if not parts or own is None:
        return "Neither other reading frames nor the untrained network were measured as controls."
    figures = f"for {name} the same measure is {_list(parts)}, against {figure_text(own.value)}"
    return (
        f"{_control_verdict(head, own, twins, fresh, signal=head.aligned or head.knows_synonyms)}: {figures}."
    )


def _control_verdict(
    head: Headline, own: Measure, twins: Mapping[int, Measure], fresh: Measure | None, *, signal: bool
) -> str:
    if not signal or own.low is None:
        return "The controls agree with that"
    low = own.low
    reached = [row for row in (*twins.values(), *([fresh] if fresh else [])) if (row.value or 0.0) >= low]
    if reached:
        return "The controls reach it too, so nothing is claimed"
    if twins:
        return f"The signal was learned and belongs to reading frame {_shift(head.place.frame)}"
    learned = "The signal was learned" if fresh else "The signal may have been learned"
    return f"{learned}, and no network trained on another reading frame was compared"


def _shift(frame: int) -> str:
    return "0" if frame == 0 else f"+{frame}"


def _list(parts: list[str], last: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


_METHODS = {"word2vec": "skip-gram word2vec", "ppmi": "PPMI-SVD"}


def baseline_sentence(head: Headline, rows: Sequence[Measure]) -> str | None:
    """Whether the network beats static embeddings of its own texts; None if none were trained.

    Args:
        head: the network's figures.
        rows: those of the static embeddings that stand beside it.
    """
    best = [
        max(found, key=lambda row: row.value or 0.0)
        for endpoint in (LEFT_OUT_ENDPOINT, SYNONYM_ENDPOINT)
        if (found := select(rows, vectors=tuple(_METHODS), **endpoint))
    ]
    own = [head.left_out, head.synonyms]
    if len(best) < 2 or any(row is None or row.value is None for row in own):
        return None
    clear = (head.aligned, head.knows_synonyms)
    wins = sum(
        sure and (a.value or 0.0) > (b.value or 0.0)
        for a, b, sure in zip(own, best, clear, strict=True)
        if a is not None
    )
    verdicts = {
        2: "The network beats static embeddings of the same texts",
        1: "The network beats static embeddings of the same texts on one endpoint only",
        0: "The network does not beat static embeddings of the same texts",
    }
    figures = [
        f"{figure_text(a.value if a else None)} against {figure_text(b.value)} ({_METHODS[b.vectors]}, "
        f"{count_text(b.tokens_seen)} tokens) for {name}"
        for a, b, name in zip(own, best, ("left-out amino acids", "synonymous codons"), strict=True)
    ]
    return f"{verdicts[wins]}: {_list(figures)}."


def code_sentence(deviance: Deviance) -> str:
    """Which genetic code explains the vectors, and which codons read otherwise than in the standard code."""
    ranking, given = deviance.ranking, deviance.given.table
    evidence = "from DNA alone" if ranking.basis == "dna" else "from DNA and protein"
    corpus = f"the corpus gives table {given}"
    if ranking.decided:
        margin = ranking.margin
        lead = f"lead {figure_text(margin.value, 1)} in log odds, {interval_text(margin.low, margin.high, 1)}"
        agrees = "which agrees" if deviance.agrees else "which disagrees"
        figures = f"{lead}, p = {p_text(ranking.p)}"
        head = f"Genetic code, {evidence}: {deviance.verdict()}; {figures}; {corpus}, {agrees}"
    else:
        among = "among them" if deviance.agrees else "not among them"
        head = f"Genetic code, {evidence}: {deviance.verdict()}; {corpus}, which is {among}"
    readings = deviance.readings()
    sure = [reading for reading in readings if reading.sure]
    hints = [reading for reading in readings if reading.margin >= HINT and not reading.sure]
    if sure:
        return f"{head}. {_readings(sure)}"
    if hints and not ranking.decided:
        leaning = _list([f"{one.codon} to {one.reads} rather than {_letter(one.usual)}" for one in hints[:3]])
        return f"{head}. Not significant, so nothing is claimed: the vectors lean with {leaning}."
    return f"{head}. No codon clearly reads otherwise than in the standard code."


def _readings(readings: list[Reading]) -> str:
    parts = [
        f"{one.codon} reads as {_letter(one.reads)} and not as {_letter(one.usual)} "
        f"(log odds {figure_text(one.margin, 1)})"
        for one in readings
    ]
    return f"{_list(parts)}."


def _letter(letter: str) -> str:
    return "stop" if letter == "*" else letter


def relation_words(relation: str) -> str:
    """How the two languages met in training, in words."""
    words = {
        "paired": "each gene stood beside its protein in one input",
        "anchored": "same genes, never side by side, but a few known codons swapped for their residue",
        "comparable": "same genes in both languages, shuffled apart, never in one input",
        "deciphered": "disjoint, with codons swapped for the residue that a decipherment without any "
        "dictionary found for them",
        "back_translated": "disjoint, with each gene beside what a decipherment without any dictionary makes "
        "of its codons",
        "disjoint": "DNA of one half of the gene families, proteins of the other half",
        "none": "all genes and all proteins, never in one input",
        "apart": "two networks, which never met",
        "DNA alone": "it reads no proteins",
    }
    return words.get(relation, "not known")
