"""Zero-shot effects of variants: how much less (or more) the model expects the changed sequence.

- ``masked``: the tokens that a substitution changes are hidden together, and the score is the sum over them
  of log p(new) - log p(old) (Meier et al. 2021, doi:10.1101/2021.07.09.450648). Where tokens overlap, several
  of them speak of the same base: the sum is divided by how many share one.
- ``wildtype``: the same, read off the unchanged text with nothing hidden (ibid.); not where tokens overlap,
  since the neighbours show the base.
- ``pseudo_perplexity``: each unit (see ``score_windows``) within ``reach`` tokens of the change is hidden
  once, one of ``passes`` units at a time, in the old and in the new text. With L the mean log-probability of
  a unit, the score is n_old (L_new - L_old). For a substitution that is the difference of
  pseudo-log-likelihoods (Salazar et al. 2020, arXiv:1910.14659, who hide one token at a time); for an indel
  the length alone does not count. Indels are always scored so, and the change is the whole stretch in which
  an indel could be written, so that no spelling and no strand differs.

In codons a missense change is one of amino acids: p is summed over the codons that mean the same.
Each strand and frame that is read gives a score; the variant's is the mean over frames, then over strands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genomecli.corpus.tokenizers import Tokenizer
from genomecli.corpus.vocabulary import MASK
from genomecli.inference.decoding import NONE, Doubles, Ints, Query
from genomecli.inference.items import Ids, Item, Strand
from genomecli.inference.score_windows import (
    Placed,
    compared,
    groups,
    place,
    unit_tokens,
    units_between,
)
from genomecli.sequences.alphabets import PROTEIN, STOP, Codes
from genomecli.sequences.codes import GeneticCode
from genomecli.sequences.mutations import Substitution
from genomecli.sequences.variants import Change, OtherStrand, SequenceView, widened

Method = Literal["masked", "wildtype", "pseudo_perplexity"]

Parts = Sequence["Part | str"]


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one variant.

    Args:
        value: natural logarithm of a ratio, negative where the model expects the change less; None if there
            is no score.
        forward: of the strand as written, None if it was not read.
        reverse: of the other strand.
        method: that was used; empty without a score.
        tokens: tokens hidden or compared, in all readings.
        reason: why there is no score.
    """

    value: float | None = None
    forward: float | None = None
    reverse: float | None = None
    method: str = ""
    tokens: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One reading of a variant.

    Args:
        strand: that is read.
        queries: what is asked of the model.
        combine: from their answers to the score.
        tokens: hidden or compared.
    """

    strand: Strand
    queries: tuple[Query, ...]
    combine: Callable[[Sequence[Doubles]], float]
    tokens: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a variant is scored.

    Args:
        method: that is used.
        parts: its readings; without one there is no score.
        reason: why there is none.
    """

    method: str
    parts: tuple[Part, ...] = ()
    reason: str = ""

    @property
    def queries(self) -> list[Query]:
        """All that is asked, part by part."""
        return [query for part in self.parts for query in part.queries]

    def score(self, answers: Sequence[Doubles]) -> Score:
        """The score from the answers to :attr:`queries`; a reason alone where nothing was asked.

        Args:
            answers: float64[A] each, in order, as :meth:`~genomecli.inference.engine.Engine.decode` has them.
        """
        if not self.parts:
            return Score(reason=self.reason)
        values: dict[Strand, list[float]] = {"+": [], "-": []}
        at = 0
        for part in self.parts:
            values[part.strand].append(part.combine(answers[at : at + len(part.queries)]))
            at += len(part.queries)
        means = {strand: sum(found) / len(found) for strand, found in values.items() if found}
        total = sum(means.values()) / len(means)
        tokens = sum(part.tokens for part in self.parts)
        return Score(total, means.get("+"), means.get("-"), self.method, tokens)


@dataclass(frozen=True)
class Scorer:
    """How variants of one language are scored.

    Args:
        tokenizer: of the language.
        language: its index.
        method: for substitutions.
        window: most tokens that the model reads at once.
        strands: that are read.
        frames: symbols left out at the start of the strand; each is read.
        reach: tokens on either side of a change that its pseudo-perplexity is taken over.
        passes: one of this many units is hidden at a time for it.
        code: genetic code by which codons that mean the same are summed; None to compare the tokens.
        longest: symbols that an indel may take away or bring.
        hidden: hide every token, so that the answer is what the model expects where it sees nothing.
    """

    tokenizer: Tokenizer
    language: int
    method: Method
    window: int
    strands: tuple[Strand, ...] = ("+",)
    frames: tuple[int, ...] = (0,)
    reach: int = 16
    passes: int = 8
    code: GeneticCode | None = None
    longest: int = 50
    hidden: bool = False

    def plan(self, sequence: SequenceView, changes: Sequence[Change], name: str = "") -> Plan:
        """How a variant is scored.

        Args:
            sequence: that it changes, as written.
            changes: sorted, not overlapping, without symbols that stay.
            name: for messages.
        """
        substitution = all(change.growth == 0 for change in changes)
        method: Method = self.method if substitution else "pseudo_perplexity"
        if self.hidden and not substitution:
            return Plan(method, reason="indels have no score where nothing is seen")
        longest = max((max(len(c.new), c.stop - c.start) for c in changes), default=0)
        if not substitution and longest > min(self.longest, self._symbols // 2):
            return Plan(method, reason=f"longer than {min(self.longest, self._symbols // 2)}")
        if self.tokenizer.alphabet is PROTEIN and any((change.new == STOP).any() for change in changes):
            return Plan(method, reason="* is a stop, and no residue")
        if any((change.new >= self.tokenizer.alphabet.canonical).any() for change in changes):
            return Plan(method, reason="ambiguous letter")
        if not substitution and len(changes) == 1:
            changes = [widened(sequence, changes[0], self._symbols // 2)]
        parts: list[Part | str] = []
        for strand in self.strands:
            view, mine = sequence, tuple(changes)
            if strand == "-":
                view = OtherStrand(sequence, self.tokenizer.alphabet)
                mirrored = (c.mirrored(sequence.length, self.tokenizer.alphabet) for c in changes)
                mine = tuple(sorted(mirrored, key=lambda change: change.start))
            held = groups(mine, self._symbols) if view.length > self._symbols else [mine]
            for frame in self.frames:
                found = [self._part(view, group, strand, frame, method, name) for group in held]
                parts.append(_summed(found))
        return _plan(method, parts)

    @property
    def _symbols(self) -> int:
        return self.tokenizer.symbols(self.window)

    def _part(
        self,
        view: SequenceView,
        changes: tuple[Change, ...],
        strand: Strand,
        frame: int,
        method: Method,
        name: str,
    ) -> Part | str:
        placed = place(view, changes, self.tokenizer, frame, self.window) if changes else None
        if placed is None:
            return "no token covers it"
        if method == "pseudo_perplexity":
            return self._pseudo(placed, strand, name)
        tokens = self.tokenizer.encode(placed.old)
        found = compared(placed, self.tokenizer, len(tokens))
        if found is None:
            return "no token covers it"
        places, share = found
        new, old = self._sets(self.tokenizer.encode(placed.new)[places], tokens[places])
        if (new == NONE).all(axis=1).any() or (old == NONE).all(axis=1).any():
            return "ambiguous letter"
        return self._marginal(tokens, places, (new, old), strand, name, 1 / share)

    def residues(self, sequence: Codes, mutations: Sequence[Substitution], name: str = "") -> Plan:
        """How amino-acid substitutions in a coding sequence are scored; p is summed over synonymous codons.

        Args:
            sequence: uint8[n], DNA codes; the first frame of :attr:`frames` is read.
            mutations: places count codons.
            name: for messages.
        """
        assert self.code is not None
        if self.method == "pseudo_perplexity":
            return Plan(self.method, reason="an amino acid has several codons, so no pseudo-perplexity")
        tokens = self.tokenizer.encode(sequence, self.frames[0])
        parts: list[Part | str] = []
        size = min(self.window, len(tokens))
        spots = [Change(m.place, m.place + 1, sequence[:0]) for m in mutations]
        held = groups(spots, self.window) if len(tokens) > self.window else [tuple(spots)]
        by_place = {mutation.place: mutation for mutation in mutations}
        for group in held:
            middle = (group[0].start + group[-1].stop - size) // 2
            first = min(max(middle, 0), len(tokens) - size)
            places = np.array([spot.start - first for spot in group], dtype=np.int64)
            sets = [_codons_for(self.code, by_place[spot.start].new) for spot in group]
            here = [_codons_for(self.code, by_place[spot.start].old) for spot in group]
            if not all(sets) or not all(here):
                parts.append("ambiguous letter")
                continue
            asked = (self._padded(sets), self._padded(here))
            window = tokens[first : first + size]
            parts.append(self._marginal(window, places, asked, "+", name, 1.0))
        return _plan(self.method, [_summed(parts)])

    def _padded(self, sets: Sequence[Sequence[int]]) -> Ints:
        found = np.full((len(sets), max(map(len, sets))), NONE, dtype=np.int64)
        for row, codons in enumerate(sets):
            found[row, : len(codons)] = np.array(codons) + self.tokenizer.start
        return found

    def _sets(self, new: Ids, old: Ids) -> tuple[Ints, Ints]:
        """int64[m, S] each: the tokens whose probabilities are summed; all ``NONE`` for an unknown one."""
        start = self.tokenizer.start
        known = (new >= start) & (old >= start)
        if self.code is None:
            pair = (np.where(known, ids, NONE).astype(np.int64)[:, None] for ids in (new, old))
            return next(pair), next(pair)
        sets: tuple[list[list[int]], list[list[int]]] = ([], [])
        for a, b, fine in zip((new - start).tolist(), (old - start).tolist(), known.tolist(), strict=True):
            synonymous = fine and self.code.amino[a] == self.code.amino[b]
            for codon, found in ((a, sets[0]), (b, sets[1])):
                same = [codon] if synonymous else [codon, *self.code.synonyms(codon)] if fine else []
                found.append(sorted(same))
        return self._padded(sets[0]), self._padded(sets[1])

    def _marginal(
        self, tokens: Ids, places: Ints, sets: tuple[Ints, Ints], strand: Strand, name: str, weight: float
    ) -> Part:
        seen = tokens.copy()
        if self.hidden:
            seen[:] = MASK
        elif self.method == "masked":
            seen[places] = MASK
        width = max(ids.shape[1] for ids in sets)
        new, old = (np.pad(i, ((0, 0), (0, width - i.shape[1])), constant_values=NONE) for i in sets)
        query = Query(
            Item(name, seen, self.language), np.concatenate([places, places]), np.concatenate([new, old])
        )
        count = len(places)

        def combine(answers: Sequence[Doubles]) -> float:
            return weight * float((answers[0][:count] - answers[0][count:]).sum())

        return Part(strand, (query,), combine, count)

    def _pseudo(self, placed: Placed, strand: Strand, name: str) -> Part | str:
        reach = self.reach * self.tokenizer.stride
        low, high = placed.changes[0].start - reach, placed.changes[-1].stop + reach
        growth = sum(change.growth for change in placed.changes)
        old, before = self._unit_queries(placed.old, low, high, name)
        new, after = self._unit_queries(placed.new, low, high + growth, name)
        if not before or not after:
            return "no token covers it"

        asked = [*old, *new]

        def combine(answers: Sequence[Doubles]) -> float:
            sums = [
                float((answer * weight).sum()) for answer, (_, weight) in zip(answers, asked, strict=True)
            ]
            return before * (sum(sums[len(old) :]) / after - sum(sums[: len(old)]) / before)

        queries = tuple(query for query, _ in asked)
        return Part(strand, queries, combine, sum(len(query.places) for query in queries))

    def _unit_queries(
        self, symbols: Codes, low: int, high: int, name: str
    ) -> tuple[list[tuple[Query, Doubles]], int]:
        """Queries that hide the units from ``low`` to ``high`` in turns, and how many units they ask about.

        With each query float64[A]: the share of each answer in the mean over its unit's tokens.
        """
        tokens = self.tokenizer.encode(symbols)
        units = units_between(self.tokenizer, low, high, len(tokens))
        turns = self.passes * self.tokenizer.span
        queries, count = [], 0
        for turn in range(min(turns, len(units))):
            seen, places, weights = tokens.copy(), [], []
            for unit in units[turn::turns]:
                held = unit_tokens(self.tokenizer, unit, len(tokens))
                known = [i for i in held if tokens[i] >= self.tokenizer.start]
                if known:
                    seen[held.start : held.stop] = MASK
                    places += known
                    weights += [1 / len(known)] * len(known)
                    count += 1
            if places:
                where = np.array(places, dtype=np.int64)
                ids = tokens[where].astype(np.int64)[:, None]
                queries.append((Query(Item(name, seen, self.language), where, ids), np.array(weights)))
        return queries, count


def _codons_for(code: GeneticCode, residue: str) -> list[int]:
    """Codons that mean a residue (or stop, ``*``); none for an ambiguous letter."""
    if residue != "*" and residue not in PROTEIN.symbols[: PROTEIN.canonical]:
        return []
    return [codon for codon, letter in enumerate(code.amino) if letter == residue]


def _summed(found: Parts) -> Part | str:
    """One part of several on one strand that are far apart, or the first reason why there is none."""
    parts = [part for part in found if isinstance(part, Part)]
    if len(parts) < len(found) or not parts:
        return next((part for part in found if isinstance(part, str)), "no token covers it")
    if len(parts) == 1:
        return parts[0]
    sizes = [len(part.queries) for part in parts]

    def combine(answers: Sequence[Doubles]) -> float:
        bounds = np.cumsum([0, *sizes])
        return sum(p.combine(answers[a:b]) for p, a, b in zip(parts, bounds, bounds[1:], strict=False))

    queries = tuple(query for part in parts for query in part.queries)
    return Part(parts[0].strand, queries, combine, sum(part.tokens for part in parts))


def _plan(method: str, found: Parts) -> Plan:
    parts = tuple(part for part in found if isinstance(part, Part))
    reasons = [part for part in found if isinstance(part, str)]
    return Plan(method, parts, "" if parts else reasons[0])
