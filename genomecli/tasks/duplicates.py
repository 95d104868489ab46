"""Equal sequences: the same letters, of DNA also read from the other strand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from genomecli.sequences.alphabets import DNA, Codes
from genomecli.tasks.examples import Examples, Ints

KEY_BYTES = 16


def sequence_keys(examples: Examples, *, both_strands: bool = True) -> list[bytes]:
    """16 bytes for each row, equal for rows with equal sequences (and equal second ones, in pairs).

    Args:
        examples: n of them.
        both_strands: DNA is hashed on the strand that comes first in order of codes, so that a sequence and
            its reverse complement have one key.
    """
    columns = [examples.sequences, *([examples.pair] if examples.pair is not None else [])]
    return [
        row_key([(column.alphabet, column[row]) for column in columns], both_strands=both_strands)
        for row in range(len(examples))
    ]


def row_key(row: Sequence[tuple[str, Codes]], *, both_strands: bool = True) -> bytes:
    """The key, 16 bytes, of one row of one sequence, or of two of a pair.

    Args:
        row: name of the alphabet, and codes uint8[N], of each sequence.
        both_strands: as of :func:`sequence_keys`.
    """
    mark = hashlib.blake2b(digest_size=KEY_BYTES)
    for alphabet, codes in row:
        text = codes.tobytes()
        if both_strands and alphabet == DNA.name:
            text = min(text, DNA.reverse_complement(codes).tobytes())
        mark.update(len(text).to_bytes(8, "big") + text)
    return mark.digest()


def key_groups(keys: list[bytes]) -> Ints:
    """int64[n]: rows with one key share a number; numbered by their first row."""
    number: dict[bytes, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)


def linked(groups: Ints) -> tuple[Ints, Ints]:
    """Each row with the row of its group before it: pairs that join all of a group, int64[p] each."""
    order = np.argsort(groups, kind="stable")
    same = np.flatnonzero(np.diff(groups[order]) == 0)
    return order[same].astype(np.int64), order[same + 1].astype(np.int64)
