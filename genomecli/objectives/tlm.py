"""Translation language model: masks in both texts of a pair, each to be read from the other (XLM).

Lample and Conneau 2019, arXiv:1901.07291. The loss is the masked language model's, on paired texts only.
"""

from __future__ import annotations

from collections.abc import Sequence

from genomecli.corpus.lexicon import Lexicon
from genomecli.objectives.mlm import masked_tokens
from genomecli.objectives.protocol import Objective
from genomecli.objectives.settings import MaskSettings


def build_tlm(settings: MaskSettings, lexicon: Lexicon, others: Sequence[str]) -> Sequence[Objective]:
    """The translation language model."""
    return [masked_tokens(settings, lexicon, name="tlm", texts="paired")]
