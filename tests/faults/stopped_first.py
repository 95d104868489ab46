"""genomecli whose first process gets TERM as it fits a baseline: ``python -m tests.faults.stopped_first``.

It draws no figures.
"""

from __future__ import annotations

import os
import signal
from typing import Any


def stopped() -> None:
    """Let the first fit of a baseline that is no network be told to end."""
    from genomecli.commands import finetune_trial

    fit = finetune_trial.fit_baseline

    def told(*given: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return fit(*given)

    finetune_trial.fit_baseline = told


if __name__ == "__main__":
    from genomecli.cli import run
    from tests.faults.injected import undrawn

    undrawn()
    if os.environ["RANK"] == "0":
        stopped()
    run()
