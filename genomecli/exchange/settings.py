"""Settings of ``export``: which trained network, in which format, and what its card says."""

from __future__ import annotations

from typing import Literal

from genomecli.settings import InputPath, Name, Section, setting


class ExportSettings(Section):
    """A checkpoint in, a folder that other programs open out."""

    model: InputPath | None = setting(
        None, doc="Run of pretrain or finetune (its best checkpoint), or a checkpoint; also the argument."
    )
    checkpoint: Literal["best", "last"] = setting("best", doc="Which checkpoint of a run folder.")
    format: Literal["hugging-face", "onnx"] = setting(
        "hugging-face",
        doc="hugging-face: a folder that transformers opens without code of its own; onnx: the network as a "
        "graph, with the same tokenizer beside it.",
    )
    species: Name | None = setting(
        None, doc="Whose tokens the tokenizer writes; needed where species have tokens of their own."
    )
    molecule: Literal["auto", "dna", "protein"] = setting(
        "auto",
        doc="Which letters the tokenizer reads, since one tokenizer reads one alphabet. auto: what the model "
        "was trained on, if that is one.",
    )
    licence: Name | None = setting(
        None, doc="Licence of the weights, for the card; the card says that none is stated if left out."
    )
