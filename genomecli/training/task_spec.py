"""What a tuned model predicts and how it reads: an immutable value, ``tasks.json`` in its checkpoints.

With the weights and the lexicon it is all that a prediction needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from genomecli.errors import InputError, UsageError
from genomecli.models.pooling import PoolingName
from genomecli.models.task_heads import HeadStyle
from genomecli.tasks.covariates import CovariateScale
from genomecli.tasks.schema import Target

if TYPE_CHECKING:
    from torch import nn

    from genomecli.corpus.lexicon import Lexicon

VERSION = 1
DOCUMENT = "tasks"
"""Name of the document in a checkpoint."""

LongInput = Literal["window", "truncate", "error"]


@dataclass(frozen=True)
class ColumnReading:
    """How the sequences of a column become tokens.

    Args:
        species: of the model, that they are read as.
        molecule: ``genome``, ``cds`` or ``protein``.
        frame: symbols left out at the start.
        table: NCBI genetic code of coding sequences; None where it is not known.
    """

    species: str
    molecule: Literal["genome", "cds", "protein"]
    frame: int = 0
    table: int | None = None

    @property
    def alphabet(self) -> str:
        """``dna`` or ``protein``."""
        return "protein" if self.molecule == "protein" else "dna"


@dataclass(frozen=True)
class HeadShape:
    """Form of the heads: see ``tasks.settings.HeadSettings``; ``places`` are tokens of the longest text, and
    ``style`` is ``plain`` or the network's architecture."""

    pooling: PoolingName = "mean"
    hidden: int = 0
    dropout: float = 0.0
    places: int = 0
    style: HeadStyle = "plain"


@dataclass(frozen=True)
class TaskSpec:
    """Targets, heads and reading of a tuned model.

    Args:
        targets: in the order of their columns.
        head: form of the heads.
        reading: of the sequences.
        pair: of the second sequences; None without pairs.
        covariates: their scale; None without.
        context: tokens that are read at once, special tokens included.
        long_input: what becomes of longer sequences.
        weighting: ``sum`` of the targets' losses, or learned ``uncertainty`` weights.
        tune: which weights were trained.
        lora_alpha: numerator of LoRA's scale; None without LoRA.
    """

    targets: tuple[Target, ...]
    head: HeadShape
    reading: ColumnReading
    pair: ColumnReading | None = None
    covariates: CovariateScale | None = None
    context: int = 512
    long_input: LongInput = "window"
    weighting: Literal["sum", "uncertainty"] = "sum"
    tune: str = "full"
    lora_alpha: float | None = None

    @property
    def window(self) -> int:
        """Tokens of a sequence that are read at once, special tokens not counted."""
        return self.context - 2

    def target(self, name: str) -> Target:
        """The target of that name. Raises UsageError."""
        for target in self.targets:
            if target.name == name:
                return target
        known = ", ".join(target.name for target in self.targets)
        raise UsageError(f"the model does not predict {name!r}", fix=f"it predicts {known}")

    def heads(self, width: int, lexicon: Lexicon) -> dict[str, nn.Module]:
        """Fresh heads by their names in the network, and the learned weights if they are wanted."""
        from genomecli.models.task_heads import UNCERTAINTY, SymbolHead, TaskHead, Uncertainty, head_name

        tokenizer = lexicon.tokenizer(self.reading.species, self.reading.molecule)
        k = tokenizer.k
        made: dict[str, nn.Module] = {}
        for target in self.targets:
            shape: dict[str, Any] = {
                "hidden": self.head.hidden,
                "dropout": self.head.dropout,
                "style": self.head.style,
            }
            if target.per_symbol:
                tokenizer.check_uniform(f"finetune.targets.{target.name}, labels of letters,")
                made[head_name(target.name)] = SymbolHead(width, target.outputs, k, **shape)
                continue
            made[head_name(target.name)] = TaskHead(
                width,
                target.outputs,
                pooling=self.head.pooling,
                places=self.head.places,
                covariates=0 if self.covariates is None else len(self.covariates.names),
                pair=self.pair is not None,
                **shape,
            )
        if self.weighting == "uncertainty":
            made[UNCERTAINTY] = Uncertainty(len(self.targets))
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {**asdict(self), "format_version": VERSION}
        values["targets"] = [target.to_dict() for target in self.targets]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, where: object | None = None) -> TaskSpec:
        """The inverse of :meth:`to_dict`. Raises InputError if another version wrote it."""
        version = values.get("format_version")
        if version != VERSION:
            what = f"its tasks have format version {version}, and this genomecli reads {VERSION}"
            raise InputError(what, where=where, fix="use the genomecli that wrote it")
        plain = {key: value for key, value in values.items() if key != "format_version"}
        plain["targets"] = tuple(Target.from_dict(target) for target in values["targets"])
        plain["head"] = HeadShape(**values["head"])
        plain["reading"] = ColumnReading(**values["reading"])
        plain["pair"] = None if values["pair"] is None else ColumnReading(**values["pair"])
        scale = values["covariates"]
        plain["covariates"] = None if scale is None else CovariateScale.from_dict(scale)
        return cls(**plain)
