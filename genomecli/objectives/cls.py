"""Classification of a text from its [CLS]: species, molecule, reading frame, or coding or not.

The sampler says what each text is; a text without a label (the frame of a protein) is not predicted.
C classes, N labelled texts, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from genomecli.corpus.batch import IGNORE, Batch, Selection
from genomecli.corpus.lexicon import Lexicon
from genomecli.corpus.manifest import MOLECULES
from genomecli.models.heads import ClassificationHead
from genomecli.models.language_model import LanguageModel
from genomecli.objectives.protocol import Objective, ObjectiveLoss, sum_losses
from genomecli.objectives.settings import ClsSettings, ClsTarget


@dataclass(frozen=True)
class Classification:
    """Predicts one of the sampler's extras.

    Args:
        lexicon: of the batches.
        target: which of them.
        weight: factor of its mean loss.
    """

    lexicon: Lexicon
    target: ClsTarget
    weight: float = 0.1

    @property
    def name(self) -> str:
        """``cls-species`` and the like."""
        return f"cls-{self.target}"

    @property
    def classes(self) -> tuple[str, ...]:
        """What the classes are, by index."""
        return {
            "species": self.lexicon.species,
            "molecule": MOLECULES,
            "frame": ("0", "1", "2"),
            "coding": ("no", "yes"),
        }[self.target]

    def corrupt(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """The batch as it is: the sampler has labelled it."""
        return batch

    def heads(self, width: int, lexicon: Lexicon) -> Mapping[str, nn.Module]:
        """A classifier of its own."""
        return {self.name: ClassificationHead(width, len(self.classes))}

    def select(self, batch: Batch) -> Selection:
        """The first position of each text that has a label; each counts alike, under its first language."""
        labels = batch.extras[self.target]
        rows = (labels != IGNORE).nonzero().squeeze(1)
        return Selection(
            places=rows * batch.tokens.shape[1],
            targets=labels[rows],
            weights=torch.ones(len(rows)),
            languages=batch.languages[:, 0][rows],
        )

    def loss(self, model: LanguageModel, states_ND: Tensor, selected: Selection) -> ObjectiveLoss:
        """Cross entropy of the labels, nats; see :meth:`~genomecli.objectives.protocol.Objective.loss`."""
        scores = model.heads[self.name](states_ND)
        count = len(self.lexicon.languages)
        return sum_losses(scores, selected.targets, selected.weights, selected.languages, count)


def build_cls(settings: ClsSettings, lexicon: Lexicon, others: Sequence[str]) -> Sequence[Objective]:
    """One objective a target."""
    return [Classification(lexicon, target, settings.weight) for target in settings.targets]
