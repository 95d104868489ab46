"""What simple baselines see of a sequence: how often each short word occurs, how long it is, covariates, and
where all have one length the letter at each place.

Shapes: n sequences, N symbols of all of them, F words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genomecli.sequences.alphabets import get_alphabet
from genomecli.tasks.examples import Examples, Floats, Ints, SequenceColumn
from genomecli.tasks.place_features import by_place, common_length

Molecule = Literal["genome", "cds", "protein"]
View = Literal["words", "places", "both"]

MOST_WORDS = 4096
"""Words that are kept, the commonest of the training rows: all 6-mers of DNA, all pairs of residues."""

_DENSE = 40_000_000
"""Numbers that a table may hold with its zeros."""


@dataclass(frozen=True)
class Words:
    """Words that are counted in a sequence.

    Args:
        alphabet: ``dna`` or ``protein``.
        lengths: of the words, in symbols; each length has frequencies of its own.
        step: symbols from one word to the next; 1 counts at every place.
        frame: symbols left out at the start.
    """

    alphabet: str
    lengths: tuple[int, ...]
    step: int = 1
    frame: int = 0

    @property
    def title(self) -> str:
        """``frequencies of codons``."""
        if self.step == 3:
            return "frequencies of codons"
        if self.alphabet == "protein":
            longer = [f"of {k} residues" for k in self.lengths if k > 1]
            return "frequencies of residues" + (f" and of words {' and '.join(longer)}" if longer else "")
        return f"frequencies of {self.lengths[0]}-mers"


def words_of(molecule: Molecule, k: int | None, frame: int = 0) -> Words:
    """The usual words: 4-mers of a genome, codons of coding sequences, residues and pairs of a protein.

    Args:
        molecule: what the sequences are.
        k: another length; of proteins all lengths up to it.
        frame: bases before the first codon.
    """
    if molecule == "protein":
        return Words("protein", tuple(range(1, (k or 2) + 1)))
    if molecule == "cds" and k is None:
        return Words("dna", (3,), 3, frame)
    return Words("dna", (k or 4,))


def word_frequencies(column: SequenceColumn, words: Words, rows: Ints) -> Any:
    """Share of each word among the words of its length, scipy CSR float64[len(rows), F].

    Words with letters that mean no single base or residue do not count. Columns are words in the order of
    their letters, one block a length.

    Raises:
        ValueError: if the sequences are of another alphabet.
    """
    if column.alphabet != words.alphabet:
        raise ValueError(f"words of {words.alphabet} in sequences of {column.alphabet}")
    from scipy.sparse import hstack

    picked = column.take(rows)
    return hstack([_counted(picked, k, words) for k in words.lengths], format="csr")


def _counted(column: SequenceColumn, k: int, words: Words) -> Any:
    from scipy.sparse import coo_array

    letters = get_alphabet(words.alphabet).canonical
    size = letters**k
    shape = (len(column), size)
    codes, owner = _words(column, k, letters, words)
    found = coo_array((np.ones(len(codes)), (owner, codes)), shape=shape).tocsr()
    totals = np.bincount(owner, minlength=len(column)).astype(np.float64)
    found.data /= np.repeat(totals, np.diff(found.indptr))
    return found


def _words(column: SequenceColumn, k: int, letters: int, words: Words) -> tuple[Ints, Ints]:
    """Code of every word that counts, and its sequence."""
    symbols = column.symbols
    places = len(symbols) - k + 1
    if places <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    codes = np.zeros(places, dtype=np.int64)
    plain = np.ones(places, dtype=bool)
    for at in range(k):
        here = symbols[at : at + places]
        codes = codes * letters + here
        plain &= here < letters
    owner = np.repeat(np.arange(len(column), dtype=np.int64), column.lengths)[:places]
    inside = np.arange(places) - column.offsets[owner]
    plain &= inside + k <= column.lengths[owner]
    if words.step > 1:
        plain &= (inside >= words.frame) & ((inside - words.frame) % words.step == 0)
    return codes[plain], owner[plain]


@dataclass(frozen=True)
class SequenceFeatures:
    """Numbers that describe examples, standardised by the training rows.

    Args:
        words: of the sequences.
        pair: of the second sequences; None without pairs.
        kept: int64, columns of the words (and of the pair's) that are kept.
        scaler: fitted scikit-learn ``StandardScaler``.
        means: float64[K], of the covariates over the training rows, for unknown ones; K is 0 without
            covariates.
        dense: whether tables hold their zeros, so that they can be centred.
        view: words, letters by place, or both.
        length: places that are looked at; 0 for none.

    A penalty on squared coefficients treats all columns alike. So that lengths and covariates do not drown in
    hundreds of words, each of them is given the weight of all words together.
    """

    words: Words
    pair: Words | None
    kept: Ints
    scaler: Any
    means: Floats
    dense: bool
    view: View = "words"
    length: int = 0

    @property
    def title(self) -> str:
        """What is counted, in words."""
        words = self.words.title + (" of both sequences and their differences" if self.pair else "")
        seen = {
            "words": [words, "length"],
            "places": ["the letter at each place"],
            "both": [words, "the letter at each place"],
        }
        parts = seen[self.view]
        return ", ".join([*parts, *(["covariates"] if len(self.means) else [])])

    def of(self, examples: Examples, rows: Ints) -> Any:
        """Standardised numbers of some rows: float64[len(rows), F], or scipy CSR."""
        seen = _seen(examples, self.words, self.pair, rows, self.view, self.length)
        table = _with_lengths(seen[:, self.kept], examples, rows)
        table = _with_covariates(table, examples, rows, self.means)
        if not len(rows):
            return table.toarray() if self.dense else table
        scaled = self.scaler.transform(table.toarray() if self.dense else table)
        weights = np.ones(scaled.shape[1])
        weights[len(self.kept) :] = np.sqrt(max(1, len(self.kept)))
        return scaled * weights if self.dense else (scaled * weights[None]).tocsr()


def fit_features(
    examples: Examples, train: Ints, words: Words, pair: Words | None = None, view: View = "words"
) -> SequenceFeatures:
    """Choose and scale the numbers that describe examples, by the training rows.

    Args:
        examples: all of them.
        train: int64[m], the training rows.
        words: of the sequences.
        pair: of the second sequences; None without pairs.
        view: what is looked at; places only where all sequences have one length.
    """
    from sklearn.preprocessing import StandardScaler

    length = common_length(examples) if view != "words" else 0
    table = _seen(examples, words, pair, train, view, length)
    kept = _commonest(table, table.shape[1] - length * get_alphabet(words.alphabet).canonical)
    means = np.zeros(0)
    if examples.covariates is not None:
        from genomecli.tasks.bootstrap import mean_of_known

        means = np.nan_to_num(mean_of_known(examples.covariates[train], axis=0))
    whole = _with_covariates(_with_lengths(table[:, kept], examples, train), examples, train, means)
    dense = len(examples) * whole.shape[1] <= _DENSE
    scaler = StandardScaler(with_mean=dense).fit(whole.toarray() if dense else whole)
    return SequenceFeatures(words, pair, kept, scaler, means, dense, view, length)


def _commonest(table: Any, words: int) -> Ints:
    """Columns that any row has, in order; of the words, which stand first, the commonest."""
    present, rows = np.unique(table.indices, return_counts=True)
    counted = present < words
    order = np.argsort(-rows[counted], kind="stable")[:MOST_WORDS]
    return np.sort(np.concatenate([present[counted][order], present[~counted]])).astype(np.int64)


def _seen(examples: Examples, words: Words, pair: Words | None, rows: Ints, view: View, length: int) -> Any:
    """Frequencies of words, then letters by place; scipy CSR."""
    from scipy.sparse import hstack

    parts = [] if view == "places" else [_word_table(examples, words, pair, rows)]
    if view != "words":
        parts.append(by_place(examples.sequences, rows, length))
    return hstack(parts, format="csr")


def _word_table(examples: Examples, words: Words, pair: Words | None, rows: Ints) -> Any:
    """Frequencies; of pairs those of both, and how far they are apart where both count the same words."""
    from scipy.sparse import hstack

    first = word_frequencies(examples.sequences, words, rows)
    if pair is None or examples.pair is None:
        return first
    second = word_frequencies(examples.pair, pair, rows)
    apart = [abs(first - second)] if words == pair else []
    return hstack([first, second, *apart], format="csr")


def _with_lengths(table: Any, examples: Examples, rows: Ints) -> Any:
    from scipy.sparse import csr_array, hstack

    columns = [examples.sequences] + ([] if examples.pair is None else [examples.pair])
    lengths = np.stack([column.lengths[rows] for column in columns], axis=1).astype(np.float64)
    return hstack([table, csr_array(lengths)], format="csr")


def _with_covariates(table: Any, examples: Examples, rows: Ints, means: Floats) -> Any:
    from scipy.sparse import csr_array, hstack

    if not len(means) or examples.covariates is None:
        return table
    values = examples.covariates[rows]
    return hstack([table, csr_array(np.where(np.isnan(values), means, values))], format="csr")
