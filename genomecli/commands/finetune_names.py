"""What the network that ``finetune`` tunes is called in tables, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genomecli.commands.finetune_data import FinetuneData


def network_name(data: FinetuneData) -> str:
    """What the network in question is called in tables."""
    if data.loaded is None:
        return "network"
    return "tuned" if data.earlier else "pretrained"


_TUNED = {
    "full": "all weights tuned",
    "last": "its last layers tuned",
    "frozen": "its body frozen, the head alone trained",
    "embeddings": "its embedding rows as first layer of a small convolutional network",
    "lora": "tuned by low-rank updates",
}


def about_network(data: FinetuneData) -> str:
    """What the tuned network is, in a sentence without a full stop."""
    shape = data.start.settings
    size = f"{shape.layers} layers, width {shape.width}"
    if data.loaded is None:
        return f"a network from random weights, {size}"
    how = _TUNED[data.settings.tune]
    if data.earlier:
        before = f"{size}, tuned before on {data.earlier}, in the end for {data.loaded.step} steps"
        return f"a network that was tuned before ({before}), {how}"
    return f"the pretrained network ({size}, {data.loaded.step} steps of pretraining), {how}"
