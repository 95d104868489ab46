"""How labelled sequences are read by a model: which of its languages they are, and their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from genomecli.corpus.lexicon import MOLECULE_ALPHABETS, Lexicon
from genomecli.errors import ConfigError, InputError
from genomecli.inference.items import Item, Reading
from genomecli.sequences.codes import genetic_code
from genomecli.tasks.examples import Examples, Ints, SequenceColumn
from genomecli.training.task_spec import ColumnReading
from genomecli.training.task_texts import TokenColumn, join_tokens

MoleculeSetting = Literal["auto", "genome", "cds", "protein"]


def pick_species(lexicon: Lexicon, wanted: str | None, *, language_embedding: bool = False) -> str:
    """The species of the model that sequences are read as.

    It matters where each species has tokens of its own, or the network a vector of each language. Elsewhere
    all are read alike, and the first stands for them; genetic codes are a setting of the data and not of
    the model's species.

    Args:
        lexicon: of the model.
        wanted: as set; None if nothing is.
        language_embedding: the network has a vector of each language.

    Raises:
        ConfigError: if the model does not know it, or none is named and it tells several apart.
    """
    known = ", ".join(lexicon.species)
    if wanted is not None and wanted not in lexicon.species:
        raise ConfigError([f"finetune.species: the model does not know {wanted!r}; it knows {known}"])
    told_apart = lexicon.scope == "per_species" or language_embedding
    if wanted is None and told_apart and len(lexicon.species) > 1:
        what = f"the model tells {len(lexicon.species)} species apart; name the one of your sequences with"
        raise ConfigError([f"finetune.species: {what} --set finetune.species=NAME, one of {known}"])
    return wanted or lexicon.species[0]


def known_alphabets(lexicon: Lexicon, species: str) -> tuple[str, ...]:
    """Alphabets that the model has tokens for."""
    return tuple(block.molecule for block in lexicon.vocabulary.blocks if block.species in (None, species))


def wanted_alphabet(molecule: MoleculeSetting, lexicon: Lexicon | None, species: str | None) -> str | None:
    """The alphabet that data must have: as set, or the only one that the model reads; None if open."""
    if molecule != "auto":
        return MOLECULE_ALPHABETS[molecule]
    known = () if lexicon is None or species is None else known_alphabets(lexicon, species)
    return known[0] if len(known) == 1 else None


def column_reading(
    lexicon: Lexicon,
    species: str,
    alphabet: str,
    molecule: MoleculeSetting = "auto",
    *,
    frame: int = 0,
    table: int | None = None,
    where: object | None = None,
) -> ColumnReading:
    """How a model reads sequences of an alphabet.

    Args:
        lexicon: of the model.
        species: that they are read as.
        alphabet: of the sequences.
        molecule: as set; ``auto`` takes ``cds`` for a model of codons, otherwise ``genome``.
        frame: bases left out at the start of DNA.
        table: genetic code.
        where: the input, for messages.

    Raises:
        InputError: if the model has no tokens for the alphabet, or the setting is of another.
    """
    known = known_alphabets(lexicon, species)
    if alphabet not in known:
        what = f"the sequences are {alphabet}, and the model reads {' and '.join(known)} only"
        raise InputError(what, where=where, fix="give another model, or other data")
    if molecule != "auto" and MOLECULE_ALPHABETS[molecule] != alphabet:
        what = f"the sequences are {alphabet}, and data.molecule is {molecule}"
        raise InputError(what, where=where, fix="correct data.molecule")
    if alphabet == "protein":
        return ColumnReading(species, "protein", 0, table)
    if molecule in ("genome", "cds"):
        return ColumnReading(species, molecule, frame, table)  # type: ignore[arg-type]
    return ColumnReading(species, "cds" if lexicon.dna == "codon" else "genome", frame, table)


def open_reading(lexicon: Lexicon, reading: ColumnReading) -> Reading:
    """The reading of a tuned model's column. Raises InputError if the lexicon does not know it."""
    code = None if reading.table is None else genetic_code(reading.table)
    return Reading.of(lexicon, reading.species, reading.molecule, frame=reading.frame, code=code)


def read_column(
    lexicon: Lexicon, reading: ColumnReading, column: SequenceColumn, ids: Sequence[str]
) -> list[Item | str]:
    """The item of each sequence, or the reason why it has none."""
    opened = open_reading(lexicon, reading)
    return [opened.item(ids[i], column[i]) for i in range(len(column))]


def unreadable(
    lexicon: Lexicon, reading: ColumnReading, pair: ColumnReading | None, examples: Examples
) -> list[tuple[int, str]]:
    """Rows whose sequences give no tokens, with the reason of each."""
    first = read_column(lexicon, reading, examples.sequences, examples.ids)
    found = {row: made for row, made in enumerate(first) if isinstance(made, str)}
    if pair is not None and examples.pair is not None:
        second = read_column(lexicon, pair, examples.pair, examples.ids)
        found |= {row: f"its pair {made}" for row, made in enumerate(second) if isinstance(made, str)}
    return sorted(found.items())


def token_column(
    lexicon: Lexicon, reading: ColumnReading, column: SequenceColumn, rows: Ints, ids: Sequence[str]
) -> TokenColumn:
    """Tokens of some sequences, in the order of ``rows``.

    Args:
        lexicon: of the model.
        reading: how it reads the column.
        column: all sequences.
        rows: int64[n], those that are wanted.
        ids: of all records, for messages.

    Raises:
        InputError: if one has no tokens.
    """
    opened = open_reading(lexicon, reading)
    parts = []
    for row in rows.tolist():
        made = opened.item(ids[row], column[row])
        if isinstance(made, str):
            raise InputError(made, where=f"record {ids[row]!r}")
        parts.append(made.tokens)
    tokenizer = opened.tokenizer
    form = {"frame": reading.frame, "k": tokenizer.k, "stride": tokenizer.stride}
    return join_tokens(parts, opened.language, **form)
