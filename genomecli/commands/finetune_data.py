"""What ``finetune`` trains on: the model opened, the data read as it reads, targets, splits, leakage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genomecli.commands.finetune_body import species_of
from genomecli.corpus.lexicon import build_lexicon
from genomecli.errors import ConfigError, InputError
from genomecli.inference.ancestry import Ancestry, ancestry_of
from genomecli.inference.task_reading import column_reading, unreadable, wanted_alphabet
from genomecli.models.settings import ModelSettings
from genomecli.runtime import log
from genomecli.tasks.covariates import check_covariates
from genomecli.tasks.defects import Defects
from genomecli.tasks.duplicates import sequence_keys
from genomecli.tasks.leakage import Leakage, find_copies, leakage
from genomecli.tasks.reading import Reading, read_examples
from genomecli.tasks.seen import Seen, over_splits, seen_before
from genomecli.tasks.splits import Split, split_examples
from genomecli.tasks.targets import Fitted, check_splits, fit_targets
from genomecli.tasks.translated import as_proteins, translated
from genomecli.training.checkpoint import load_model
from genomecli.training.starts import Start, fresh_lexicon, trained_start
from genomecli.training.task_spec import ColumnReading
from genomecli.training.tuning import check_tuning

if TYPE_CHECKING:
    from genomecli.tasks.examples import Examples
    from genomecli.training.checkpoint import LoadedModel
    from genomecli.training.finetune_settings import FinetuneSettings

THIN = 0.1
"""Share of the symbols that an epoch should read at least; below, long sequences are better cut up."""

OWN_SPECIES = "own"
"""What the sequences are called in a network that starts from nothing."""


@dataclass(frozen=True)
class FinetuneData:
    """Labelled data as a network reads them.

    Args:
        reading: rows, raw labels, what was dropped.
        splits: one, or one a fold.
        start: the network that is tuned.
        column: how its sequences are read.
        pair: how second sequences are read; None without pairs.
        loaded: the trained model; None for a network from random weights.
        settings: of the run.
        ancestry: where the trained model comes from; None likewise.
        bodiless: the model is absent, and ``start`` stands in for it, so that the data alone can be checked.
    """

    reading: Reading
    splits: Sequence[Split]
    start: Start
    column: ColumnReading
    pair: ColumnReading | None
    loaded: LoadedModel | None
    settings: FinetuneSettings
    ancestry: Ancestry | None = None
    bodiless: bool = False

    def fitted(self, split: Split) -> Fitted:
        """Targets by the training rows of one split, and the examples with their labels."""
        return fit_targets(self.reading, self.settings.targets, split.train)

    @cached_property
    def leaks(self) -> list[Leakage]:
        """What each split leaks."""
        examples = self.reading.examples
        copies = find_copies(examples, _alike(self.settings, examples, self.column, self.pair))
        return [leakage(copies, examples, self.reading.raw, split) for split in self.splits]

    @cached_property
    def keys(self) -> list[bytes]:
        """Of each row's sequence; see :func:`sequence_keys`."""
        return sequence_keys(self.reading.examples)

    @property
    def earlier(self) -> str:
        """What the model was tuned on before, in words; empty for one that was not."""
        return "" if self.ancestry is None else self.ancestry.told

    @cached_property
    def seen_warnings(self) -> list[str]:
        """Sentences about validation and test rows that the model met when it was tuned before."""
        ancestry = self.ancestry
        if ancestry is None or not ancestry.tunings:
            return []
        examples, seen = self.reading.examples, ancestry.seen or Seen()
        places = examples.places or [f"row {row + 1}" for row in range(len(examples))]
        found = [
            seen_before(seen, side, [self.keys[row] for row in rows], [places[row] for row in rows])
            for split in self.splits
            for side in ("test", "valid")
            for rows in [split.sides[side].tolist()]
        ]
        said = [sentence for one in over_splits(found) if (sentence := one.sentence())]
        if {one.window for one in ancestry.tunings} != {self.settings.data.window}:
            said.append(
                "The network was tuned before on sequences that were cut otherwise (data.window): rows that "
                "only overlap with theirs are not counted."
            )
        if not ancestry.known:
            said.append(
                "The network was tuned before by a run that kept no keys of its rows: whether rows of this "
                "split are among them is not known."
            )
        return said

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with any input byte, label or side of a row."""
        digest = hashlib.sha256()
        examples = self.reading.examples
        columns = [examples.sequences] + ([examples.pair] if examples.pair is not None else [])
        for column in columns:
            digest.update(column.symbols.tobytes() + column.offsets.tobytes())
        for name, raw in self.reading.raw.items():
            digest.update(f"{name} {raw.names}".encode() + np.ascontiguousarray(raw.values).tobytes())
        if examples.covariates is not None:
            digest.update(np.ascontiguousarray(examples.covariates).tobytes())
        for split in self.splits:
            for rows in split.sides.values():
                digest.update(rows.tobytes() + b"|")
        return digest.hexdigest()[:16]

    def inputs(self) -> dict[str, Any]:
        """What the inputs are, without their places."""
        files = [{"name": Path(str(f["path"])).name, "sha256": f["sha256"]} for f in self.reading.files]
        return {"files": files, "data": self.fingerprint}


def open_data(settings: FinetuneSettings, seed: int, *, bodiless: bool = False) -> FinetuneData:
    """Open the model, read the data, split it.

    Args:
        settings: section ``finetune``.
        seed: of the split, where it has none of its own.
        bodiless: the model is absent: read the data by their letters alone, to check them.

    Raises:
        InputError: for data or a model that cannot be read or do not fit each other.
        ConfigError: for settings that contradict the model or the data.
    """
    absent = bodiless or settings.model is None
    loaded = None if absent else load_model(str(settings.model), prefer=settings.checkpoint)
    if loaded is None and settings.network is None and not bodiless:
        raise ConfigError(["finetune: give model (--model RUN), or network for one from random weights"])
    if loaded is not None:
        check_tuning(loaded.model, settings)
    species = None if loaded is None else species_of(loaded, settings.species)
    wanted = wanted_alphabet(settings.data.molecule, None if loaded is None else loaded.lexicon, species)
    reading = read_examples(settings.data, settings.targets, alphabet=wanted)
    alphabet = reading.examples.sequences.alphabet
    start = _stand_in() if bodiless else _start(settings, loaded, alphabet)
    column, pair = _columns(settings, start, species or start.lexicon.species[0], reading)
    ancestry = None if loaded is None else ancestry_of(Path(loaded.info["path"]))
    for one in (column, pair):
        if ancestry is not None and one is not None:
            ancestry.history.check_alphabet(one.molecule, settings.model)
    reading = _readable(reading, start, column, pair, settings)
    if not bodiless:
        _check_lengths(settings, start, column, reading)
    reading = replace(reading, notes=(*reading.notes, *_cut_otherwise(settings, reading)))
    annotated = settings.data.intervals is not None
    alike = _alike(settings, reading.examples, column, pair)
    splits = split_examples(
        reading.examples, reading.raw, settings.split, seed, genome=annotated, alike=alike
    )
    for split in splits:
        if not len(split.train):
            raise InputError("the split leaves no training row", fix="correct split")
    trains = [split.train for split in splits]
    check_splits(reading, settings.targets, trains)
    notes = check_covariates(reading.examples, trains)
    reading = replace(reading, notes=(*reading.notes, *notes))
    return FinetuneData(reading, splits, start, column, pair, loaded, settings, ancestry, bodiless)


def _alike(
    settings: FinetuneSettings, examples: Examples, column: ColumnReading, pair: ColumnReading | None
) -> Examples | None:
    """The examples with proteins instead of coding sequences; None where there are none."""
    readings = [one for one in (column, pair) if one is not None and one.molecule == "cds"]
    if not settings.split.translate or not readings:
        return None
    first = translated(examples.sequences, column.table, column.frame) if column in readings else None
    second = None
    if pair is not None and examples.pair is not None and pair in readings:
        second = translated(examples.pair, pair.table, pair.frame)
    return as_proteins(examples, first, second)


def _start(settings: FinetuneSettings, loaded: LoadedModel | None, alphabet: str) -> Start:
    if loaded is not None:
        return trained_start(loaded, settings.tune).dropping(settings.dropout)
    assert settings.network is not None
    lexicon = fresh_lexicon(settings.species or OWN_SPECIES, alphabet, settings.tokens)
    return Start(settings.network, lexicon, {}).dropping(settings.dropout)


def _stand_in() -> Start:
    """What reads the data where the model is absent: single bases and residues."""
    return Start(ModelSettings(), build_lexicon([OWN_SPECIES], dna="base", k=1, stride=1), {})


def _columns(
    settings: FinetuneSettings, start: Start, species: str, reading: Reading
) -> tuple[ColumnReading, ColumnReading | None]:
    data, examples = settings.data, reading.examples
    form: dict[str, Any] = {"frame": data.frame, "table": data.table, "where": _where(reading)}
    first = column_reading(start.lexicon, species, examples.sequences.alphabet, data.molecule, **form)
    if data.covariates and all(one.form == "token" for one in reading.raw.values()):
        raise ConfigError(["finetune.data.covariates: labels of symbols take none; leave them out"])
    if examples.pair is None:
        return first, None
    if any(one.form == "token" for one in reading.raw.values()):
        raise ConfigError(
            ["finetune.targets: labels of symbols cannot be predicted of pairs; leave out pair"]
        )
    same = examples.pair.alphabet == examples.sequences.alphabet
    return first, column_reading(
        start.lexicon, species, examples.pair.alphabet, data.molecule if same else "auto", **form
    )


def _where(reading: Reading) -> str | None:
    return str(reading.files[0]["path"]) if reading.files else None


def _readable(
    reading: Reading,
    start: Start,
    column: ColumnReading,
    pair: ColumnReading | None,
    settings: FinetuneSettings,
) -> Reading:
    """The rows that give tokens; the others are refused, or dropped and counted, as ``data.invalid`` says."""
    examples = reading.examples
    found = unreadable(start.lexicon, column, pair, examples)
    if not found:
        return reading
    defects = Defects(settings.data.invalid)
    for row, reason in found:
        what = f"record {examples.ids[row]!r} {reason}"
        defects.add(row, "no tokens", what, "correct it, or set data.invalid to drop")
    places = examples.places or [f"row {row + 1}" for row in range(len(examples))]
    rows, dropped = defects.settle(places, examples.ids)
    if not len(rows):
        raise InputError(f"no row is left; all are dropped, the first for: {dropped[0].reason}")
    raw = {name: labels.take(rows) for name, labels in reading.raw.items()}
    return replace(reading, examples=examples.take(rows), raw=raw, dropped=(*reading.dropped, *dropped))


def window_of(settings: FinetuneSettings, start: Start) -> int:
    """Tokens, special ones included, that the network reads at once. Raises ConfigError for too many."""
    most = start.settings.context
    if settings.context is not None and settings.context > most:
        problem = f"finetune.context: is {settings.context}, and the network reads {most} tokens at most"
        raise ConfigError([problem])
    return settings.context or most


def _cut_otherwise(settings: FinetuneSettings, reading: Reading) -> list[str]:
    """What to know where a head reads places, which mean the same in sequences of one length alone."""
    pooling = settings.head.pooling
    if pooling not in ("centre", "places"):
        return []
    sizes, counts = np.unique(reading.examples.sequences.lengths, return_counts=True)
    usual = int(sizes[counts.argmax()])
    others = len(reading.examples) - int(counts.max())
    if not others:
        return []
    return [
        f"head.pooling {pooling}: {others} of {len(reading.examples)} sequences are not {usual} long as the "
        "most are, so a place in them may be another one"
    ]


def _check_lengths(settings: FinetuneSettings, start: Start, column: ColumnReading, reading: Reading) -> None:
    """Say how many sequences are longer than the window; refuse them where that is an error."""
    tokenizer = start.lexicon.tokenizer(column.species, column.molecule)
    window = window_of(settings, start) - 2
    lengths = reading.examples.sequences.lengths
    tokens = (lengths - column.frame - tokenizer.k) // tokenizer.stride + 1
    long = np.flatnonzero(tokens > window)
    if not len(long):
        return
    said = (
        f"{len(long)} of {len(lengths)} sequences are longer than the {window} tokens that are read at once"
    )
    by_place = settings.head.pooling == "places" and settings.long_input == "window"
    if settings.long_input == "error" or by_place:
        places = reading.examples.places
        row = int(long[0])
        raise InputError(
            f"{said}, the first with {int(tokens[row])}",
            where=places[row] if places else None,
            fix="raise finetune.context, or set finetune.long_input to truncate"
            if by_place
            else "set finetune.long_input to window or truncate",
        )
    how = {
        "window": "trained on random stretches, predicted from overlapping windows",
        "truncate": "only their first tokens are read",
    }[settings.long_input]
    (log.warning if settings.long_input == "truncate" else log.info)("%s: %s", said, how)
    seen = float(np.minimum(tokens, window).sum() / tokens.sum())
    if settings.long_input == "window" and seen < THIN:
        log.warning(
            "an epoch reads %.2g %% of the sequences; data.window cuts them up, so that all is read",
            100 * seen,
        )


def drop_counts(reading: Reading) -> Mapping[str, tuple[int, str]]:
    """Reason to how many rows were left out for it, and the place of the first."""
    found: dict[str, tuple[int, str]] = {}
    for row in reading.dropped:
        count, place = found.get(row.reason, (0, row.place))
        found[row.reason] = (count + 1, place)
    return found
