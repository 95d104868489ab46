"""genomecli that draws no figures, which take longer than a small run: ``python -m tests.faults.undrawn``."""

from __future__ import annotations

if __name__ == "__main__":
    from genomecli.cli import run
    from tests.faults.injected import undrawn

    undrawn()
    run()
