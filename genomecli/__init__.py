"""genomecli: train, use and compare BERT-style language models of DNA and protein."""

from genomecli.version import __version__

__all__ = ["__version__"]
