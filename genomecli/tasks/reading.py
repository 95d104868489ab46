"""Labelled data of any form, read into :class:`Examples` and raw labels.

Tables and FASTA files become rows of text, those become sequences, labels and covariates. Rows that cannot be
used are collected over the whole input and then refused together, or dropped and counted; the message names
the first of them by file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from genomecli.accounts import balance
from genomecli.errors import ConfigError, InputError
from genomecli.tasks.alike import alike_names, nameless, repeated_ids
from genomecli.tasks.covariates import read_covariates
from genomecli.tasks.defects import Defects, Dropped
from genomecli.tasks.examples import Examples, SequenceColumn, join_sequences
from genomecli.tasks.gathering import Gathered, gather
from genomecli.tasks.labels import CellReader, RawLabels, form_of
from genomecli.tasks.letters import Encoder, choose_alphabet
from genomecli.tasks.reading_fasta import read_strings
from genomecli.tasks.reading_symbols import find_all, from_strings, masked, unmasked, without_sequence
from genomecli.tasks.rows import locate
from genomecli.tasks.settings import DataSettings, TargetSettings
from genomecli.tasks.symbol_sources import from_source, open_symbols
from genomecli.tasks.windows import cut_windows


@dataclass(frozen=True)
class Reading:
    """What an input holds.

    Args:
        examples: n of them; their ``labels`` are empty until ``targets`` fits them.
        raw: labels as they were read, by target.
        dropped: rows that were left out, with their places and reasons.
        notes: sentences on what was changed or is worth a word.
        files: of each file read: path, bytes, sha256, compression.
        read: rows of the input; those not dropped are examples, or are cut into windows that are.
    """

    examples: Examples
    raw: Mapping[str, RawLabels]
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[Mapping[str, object], ...] = ()
    read: int = 0


def read_examples(
    data: DataSettings,
    targets: Mapping[str, TargetSettings],
    *,
    alphabet: str | None = None,
    stdin: BinaryIO | None = None,
) -> Reading:
    """Read labelled data, or data without labels where ``targets`` is empty.

    Args:
        data: where it is and what its columns mean.
        targets: what is predicted, by name.
        alphabet: ``dna`` or ``protein``, what the model reads; None to take what the data holds.
        stdin: what ``-`` reads.

    Raises:
        InputError: for data that cannot be read or used; the first row that is wrong is named.
        ConfigError: if ``data.mask`` is set and no target has a label a symbol.
    """
    source = open_symbols(data)
    beside = from_source(targets, source)
    found = gather(data, {name: one for name, one in targets.items() if name not in beside}, stdin=stdin)
    files = [*found.files, *(source.files if source is not None else [])]
    defects = Defects(data.invalid)
    notes: list[str] = []
    examples = _examples(found, data, alphabet, defects, notes)
    raw = {
        name: _cells(name, settings, found, examples, data, defects)
        for name, settings in targets.items()
        if name not in beside
    }
    if source is not None and beside:
        source.check(found.ids)
        labels = source.labels(found.ids, examples.sequences, defects)
        raw |= dict.fromkeys(beside, labels)
        notes += source.notes
        if found.split is None and any(sides := source.sides(found.ids)):
            examples = replace(examples, split=sides)
    notes += nameless(found.nameless)
    notes += repeated_ids(found.ids, found.places)
    for name, labels in raw.items():
        notes += alike_names(name, labels.names, targets[name].classes)
    raw = _masked(raw, data, examples, defects, files, notes)
    _leave_out_unlabelled(raw, targets, defects)
    rows, dropped = defects.settle(found.places, found.ids)
    balance("rows", len(found.ids), {"used": len(rows), "dropped": len(dropped)})
    if not len(rows):
        reason = f"; all are dropped, the first for: {dropped[0].reason}" if dropped else ""
        raise InputError(f"no row is left{reason}", where=dropped[0].place if dropped else None)
    if len(rows) < len(examples):
        examples, raw = examples.take(rows), {name: labels.take(rows) for name, labels in raw.items()}
    if data.window is not None:
        examples, raw, said = cut_windows(examples, raw, data.window, data.min_length)
        notes += said
    return Reading(examples, raw, dropped, tuple(notes), tuple(files), len(found.ids))


def _examples(
    found: Gathered, data: DataSettings, alphabet: str | None, defects: Defects, notes: list[str]
) -> Examples:
    texts, places = found.sequences, found.places
    chosen = choose_alphabet(texts, places, molecule=data.molecule, model=alphabet)
    sequences = _encoded(texts, Encoder(chosen, defects), notes)
    pair = None
    if found.pair is not None:
        chosen = choose_alphabet(found.pair, places, molecule="auto", otherwise=chosen)
        pair = _encoded(found.pair, Encoder(chosen, defects, "pair"), notes)
    covariates = None
    if data.covariates:
        cells = [found.covariates[name] for name in data.covariates]
        covariates = read_covariates(data.covariates, cells, data.missing, defects)
    _check_lengths(sequences, data, defects, notes)
    return Examples(
        found.ids,
        sequences,
        pair=pair,
        covariates=covariates,
        covariate_names=data.covariates,
        split=found.split,
        group=found.group,
        places=found.places,
    )


def _encoded(texts: list[str], encoder: Encoder, notes: list[str]) -> SequenceColumn:
    column = join_sequences(encoder.alphabet, [encoder.encode(row, text) for row, text in enumerate(texts)])
    notes.extend(encoder.notes())
    return column


def _check_lengths(sequences: SequenceColumn, data: DataSettings, defects: Defects, notes: list[str]) -> None:
    """Leave out what is too short or too long; say how many coding sequences end within a codon."""
    lengths = sequences.lengths
    for row in np.flatnonzero((lengths > 0) & (lengths < data.min_length)).tolist():
        defects.leave_out(row, "too short")
    if data.max_length is not None:
        for row in np.flatnonzero(lengths > data.max_length).tolist():
            defects.leave_out(row, "too long")
    if data.molecule == "cds":
        odd = int(np.count_nonzero((lengths - data.frame) % 3))
        if odd:
            notes.append(
                f"{odd} of {len(lengths)} coding sequences are no multiple of 3 long; the one or two bases "
                "after the last whole codon are in no codon."
            )


def _cells(
    name: str,
    settings: TargetSettings,
    found: Gathered,
    examples: Examples,
    data: DataSettings,
    defects: Defects,
) -> RawLabels:
    columns, cells = found.columns[name], found.labels[name]
    if form_of(name, settings) == "token":
        if len(columns) > 1:
            raise InputError(f"target {name!r}: labels of symbols stand in one column, not {len(columns)}")
        return from_strings(columns[0], cells[0], examples.sequences, data.missing, defects)
    return CellReader(name, settings, data.missing, defects).read(columns, cells)


def _masked(
    raw: dict[str, RawLabels],
    data: DataSettings,
    examples: Examples,
    defects: Defects,
    files: list[dict[str, object]],
    notes: list[str],
) -> dict[str, RawLabels]:
    if data.mask is None:
        return raw
    if raw and all(labels.offsets is None for labels in raw.values()):
        raise ConfigError(["data.mask says where labels of symbols count, and no target is of kind token"])
    strings = read_strings(locate(data.mask), files)
    find_all(strings, examples.ids, data.mask)
    masks = [strings[name][0] if name in strings else None for name in examples.ids]
    notes += without_sequence("mask", strings, examples.ids)
    notes += unmasked([mask for row, mask in enumerate(masks) if row not in defects])
    return {
        name: masked(labels, masks, examples.sequences, defects) if labels.offsets is not None else labels
        for name, labels in raw.items()
    }


def _leave_out_unlabelled(
    raw: Mapping[str, RawLabels], targets: Mapping[str, TargetSettings], defects: Defects
) -> None:
    """Leave out rows that have no label of any target; an empty set of classes is often left empty."""
    if not raw:
        return
    known = np.any([labels.known for labels in raw.values()], axis=0)
    alone = {targets[name].separator for name, labels in raw.items() if labels.given is not None}
    hint = f" (write a lone {' or '.join(sorted(alone))} for none of the classes)" if alone else ""
    for row in np.flatnonzero(~known).tolist():
        if row not in defects:
            defects.leave_out(row, f"no label{hint}")
