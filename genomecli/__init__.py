"""genomecli: train, use and compare BERT-style language models of DNA and protein."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genomecli.version import __version__

if TYPE_CHECKING:
    from genomecli.api import (
        Model,
        embed,
        mrr,
        open_corpus,
        open_model,
        open_tokenizer,
    )
    from genomecli.corpus.sequence_tokenizer import SequenceTokenizer

__all__ = [
    "Model",
    "SequenceTokenizer",
    "__version__",
    "embed",
    "mrr",
    "open_corpus",
    "open_model",
    "open_tokenizer",
]

if not TYPE_CHECKING:  # so that a type checker knows the names above, and no others

    def __getattr__(name: str) -> object:
        """A name of :mod:`genomecli.api`, which is loaded when one of its names is first used."""
        if name not in __all__:
            raise AttributeError(f"module 'genomecli' has no attribute {name!r}")
        from genomecli import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        """All names, those too that are not loaded yet."""
        return sorted({*globals(), *__all__})
