"""Settings of the objectives: what a network is trained to predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import model_validator

from genomecli.settings import Name, Section, setting

ClsTarget = Literal["species", "molecule", "frame", "coding"]


class MaskSettings(Section):
    """Masking of tokens, and how the hidden ones are scored."""

    weight: float = setting(1.0, gt=0, doc="Factor of its mean loss in the sum of all objectives.")
    rate: float = setting(0.25, gt=0, lt=1, doc="Share of the tokens that is chosen in training.")
    validation_rate: float = setting(
        0.15,
        gt=0,
        lt=1,
        doc="Share of the tokens that is chosen in validation, where all of them become [MASK].",
    )
    mask_share: float = setting(0.8, ge=0, le=1, doc="Of the chosen, the share that becomes [MASK].")
    random_share: float = setting(
        0.1, ge=0, le=1, doc="Of the chosen, the share that becomes a random token; the rest stays as it is."
    )
    replacements: Literal["own", "joint"] = setting(
        "own", doc="Random tokens come from the token's own language, or from the joint vocabulary."
    )
    exact: bool = setting(
        False, doc="Choose the same share of every text, instead of drawing each token by itself."
    )
    run: int | None = setting(
        None,
        ge=1,
        unit="tokens",
        doc="Tokens masked in a row where k-mers overlap, at least 2 s - 1 where s tokens share a base; "
        "by default 3 s - 2.",
    )
    softmax: Literal["joint", "own"] = setting(
        "joint", doc="Predict among all tokens, or among those of the token's own language."
    )

    @model_validator(mode="after")
    def _check(self) -> MaskSettings:
        if self.mask_share + self.random_share > 1:
            raise ValueError("mask_share and random_share sum to more than 1; lower one")
        return self


class ClsSettings(Section):
    """Classification of a whole text from its [CLS]."""

    weight: float = setting(0.1, gt=0, doc="Factor of each target's mean loss in the sum of all objectives.")
    targets: tuple[ClsTarget, ...] = setting(
        ("molecule",),
        min_length=1,
        doc="What is predicted: species, molecule, frame (needs frame: all), coding (a gene in frame 0, or "
        "else another frame or a genome window).",
    )


class ObjectiveSettings(Section):
    """Objectives, and their weights in the sum."""

    mlm: MaskSettings | None = setting(MaskSettings(), doc="Masked language model; null leaves it out.")
    tlm: MaskSettings | None = setting(
        None, doc="Masked language model on texts of two languages (relation paired); null leaves it out."
    )
    cls: ClsSettings | None = setting(None, doc="Classification from [CLS]; null leaves it out.")
    others: dict[Name, dict[str, Any]] = setting(
        {}, doc="Objectives registered by other packages, each by name with settings of its own."
    )

    @model_validator(mode="after")
    def _check(self) -> ObjectiveSettings:
        problems = list(_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _problems(settings: ObjectiveSettings) -> Iterator[str]:
    chosen = [settings.mlm, settings.tlm, settings.cls]
    if not settings.others and all(value is None for value in chosen):
        yield "no objective is chosen; set mlm, tlm or cls"
    if settings.cls is not None and len(set(settings.cls.targets)) < len(settings.cls.targets):
        yield "cls.targets names one twice; name each once"
