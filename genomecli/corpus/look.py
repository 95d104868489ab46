"""A look at the data, as tables: what a corpus is made of, and whether its coding sequences read in frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.manifest import Group
from genomecli.corpus.scan import GroupCounts, Scan
from genomecli.sequences.alphabets import DNA, PROTEIN
from genomecli.sequences.codes import CODONS, GeneticCode, genetic_code

Columns = dict[str, NDArray[Any]]
Row = tuple[object, ...]
QUANTILES = (0, 5, 25, 50, 75, 95, 100)


def write_tsv(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    """A table with a header line; numbers that are not whole with six digits."""
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(header) + "\n")
        for row in rows:
            out.write("\t".join(f"{x:.6g}" if isinstance(x, float) else str(x) for x in row) + "\n")


def write_tables(
    folder: Path, groups: Sequence[Group], columns: Columns, scan: Scan, lexicon: Lexicon
) -> None:
    """Write all tables of the look into ``folder``."""
    both = list(zip(groups, scan.groups, strict=True))
    write_tsv(
        folder / "token_frequencies.tsv",
        ("species", "molecule", "token", "count", "share"),
        (row for group, counts in both for row in token_rows(group, counts, lexicon)),
    )
    write_tsv(
        folder / "codon_usage.tsv",
        (
            "species",
            "table",
            "codon",
            "amino_acid",
            "count",
            "per_thousand",
            "share_of_synonyms",
            "first",
            "last",
        ),
        (row for group, counts in both for row in codon_rows(group, counts)),
    )
    write_tsv(
        folder / "frame_check.tsv",
        ("species", "table", "records", "open_frame_0", "open_frame_1", "open_frame_2"),
        (row for group, counts in both for row in frame_rows(group, counts)),
    )
    write_tsv(
        folder / "lengths.tsv",
        (
            "species",
            "molecule",
            "split",
            "records",
            "symbols",
            *(f"length_q{q}" for q in QUANTILES),
            "gc",
            "gc3",
        ),
        (row for group in groups for row in length_rows(group, columns, scan)),
    )
    write_tsv(
        folder / "composition.tsv",
        ("species", "molecule", "symbol", "count", "share"),
        (row for group, counts in both for row in composition_rows(group, counts)),
    )


def token_rows(group: Group, counts: GroupCounts, lexicon: Lexicon) -> Iterable[Row]:
    """Occurrences of each word, forward strand and frame 0, and of words with an ambiguous symbol."""
    tokenizer = lexicon.tokenizer(group.species, group.molecule)
    total = max(int(counts.tokens.sum()), 1)
    for index, count in enumerate(counts.tokens.tolist()):
        word = tokenizer.word(index) if index < tokenizer.words else "[UNK]"
        yield group.species, group.molecule, word, count, count / total


def codon_rows(group: Group, counts: GroupCounts) -> Iterable[Row]:
    """Codon usage by genetic code; ``first`` and ``last`` count codons that begin and (kept) end a gene."""
    for table, codons in sorted(counts.codons.items()):
        code = genetic_code(table)
        total = max(int(codons.sum()), 1)
        share = synonym_shares(codons, code)
        for index, codon in enumerate(CODONS):
            yield (
                group.species, table, codon, code.amino[index], int(codons[index]),
                1000 * int(codons[index]) / total, float(share[index]),
                int(counts.first[table][index]), int(counts.last[table][index]),
            )  # fmt: skip


def synonym_shares(codons: NDArray[np.int64], code: GeneticCode) -> NDArray[np.float64]:
    """float64[64]: each codon's share among the codons of its amino acid; 0 where none occurs."""
    shares = np.zeros(64)
    for letter in set(code.amino):
        members = [i for i in range(64) if code.amino[i] == letter]
        shares[members] = codons[members] / max(int(codons[members].sum()), 1)
    return shares


def frame_rows(group: Group, counts: GroupCounts) -> Iterable[Row]:
    """Share of coding sequences that no stop interrupts, read in frame 0, +1 and +2."""
    for table, frames in sorted(counts.open_frames.items()):
        records = int(frames[3])
        yield group.species, table, records, *(float(n) / max(records, 1) for n in frames[:3].tolist())


def length_rows(group: Group, columns: Columns, scan: Scan) -> Iterable[Row]:
    """Records, symbols, quantiles of length, and mean GC weighted by length, for each split and for all."""
    part = slice(group.first_row, group.first_row + group.records)
    lengths, split = columns["length"][part], columns["split"][part]
    gc, gc3 = scan.gc[part].astype(float), scan.gc3[part].astype(float)
    for side in ("all", "train", "valid", "test"):
        mine = np.ones(len(split), dtype=bool) if side == "all" else split == side
        if not mine.any():
            continue
        size = lengths[mine]
        quantiles = [round(float(q)) for q in np.percentile(size, QUANTILES)]
        means = [float(np.average(values[mine], weights=size)) for values in (gc, gc3)]
        yield group.species, group.molecule, side, int(mine.sum()), int(size.sum()), *quantiles, *means


def composition_rows(group: Group, counts: GroupCounts) -> Iterable[Row]:
    """Occurrences of each letter."""
    alphabet = PROTEIN if group.molecule == "protein" else DNA
    total = max(int(counts.symbols.sum()), 1)
    for letter, count in zip(alphabet.symbols, counts.symbols.tolist(), strict=True):
        yield group.species, group.molecule, letter, count, count / total
