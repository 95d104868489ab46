"""``python -m genomecli``."""

from genomecli.cli import run

run()
