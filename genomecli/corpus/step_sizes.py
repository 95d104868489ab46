"""How many tokens an optimiser step takes where the settings leave it open: a function of the run's length.

A short run needs small steps to have enough of them; a long one gains from larger steps. The size that wastes
nothing grows about with the square root of the tokens seen (critical batch size: D^0.47, Zhang et al. 2024,
arXiv:2410.21676), so steps and tokens per step grow alike:

    tokens per step = 3072 x sqrt(planned tokens / 2.5 million), to the nearest 1024, at least 1024

That is 810 steps of 3,072 tokens for 2.5 million, 2,700 of 9,216 for 25 million, 17,000 of 65,536 for 1.1
billion, 51,000 of 194,560 for 10 billion. Measured with the preset tiny on 2.5 million tokens of genes and
proteins of E. coli and of a simulated species, rate 2e-3, 4,096 and 2,048 tokens a step: perplexity of codons
47.1 and 46.7, 31.8 and 28.6; of residues the same within 2 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genomecli.errors import ConfigError

if TYPE_CHECKING:
    from genomecli.corpus.reading_settings import ReadingSettings

ANCHOR = (2.5e6, 3072)
"""Planned tokens, and the tokens of a step that suit them."""

GRAIN = 1024
"""Sizes are multiples of this."""

STEPS_GIVEN = 8192
"""Tokens of a step where the length of the run is given in steps."""

LARGEST_BATCH = 16_384
"""Most tokens of a micro-batch that is chosen here."""


def step_tokens(planned: float | None) -> int:
    """Tokens of an optimiser step for a run of ``planned`` tokens; ``STEPS_GIVEN`` where that is not known.

    >>> [step_tokens(tokens) for tokens in (1e5, 2.5e6, 25e6, 640e6, None)]
    [1024, 3072, 9216, 49152, 8192]
    """
    if planned is None:
        return STEPS_GIVEN
    tokens, size = ANCHOR
    return max(1, round(size * math.sqrt(planned / tokens) / GRAIN)) * GRAIN


def settle_sizes(reading: ReadingSettings, planned: float | None) -> ReadingSettings:
    """The settings with numbers in place of ``auto``.

    A step is a whole number of micro-batches: of those that the settings name, or of the fewest, all alike,
    that ``LARGEST_BATCH`` allows. A micro-batch holds at least one text of the whole context.

    Args:
        reading: with ``tokens_per_step`` or ``tokens_per_batch`` open, or neither.
        planned: tokens of the run; None where its length is given in steps.
    """
    step, batch = reading.tokens_per_step, reading.tokens_per_batch
    wanted = step_tokens(planned) if step == "auto" else step
    # A step that is named is kept to the token; one that is chosen here keeps the grain.
    size = (
        _batch_tokens(wanted, reading.context, 1 if step != "auto" else GRAIN) if batch == "auto" else batch
    )
    whole = max(1, round(wanted / size)) * size if step == "auto" else step
    return reading.model_copy(update={"tokens_per_step": whole, "tokens_per_batch": size})


def _batch_tokens(step: int, context: int, grain: int) -> int:
    pieces = -(-step // LARGEST_BATCH)
    return max(-(-step // (pieces * grain)) * grain, context)


def settled(size: int | str) -> int:
    """A size that is a number by now."""
    assert isinstance(size, int), "sizes are settled before they are used"
    return size


def check_ranks(reading: ReadingSettings, micro_batches: int, ranks: int) -> None:
    """See that each of ``ranks`` processes has a micro-batch of each step.

    Args:
        reading: with sizes that are settled.
        micro_batches: of a step.
        ranks: number of processes.

    Raises:
        ConfigError: saying what to set.
    """
    if ranks <= micro_batches:
        return
    count = "1 micro-batch" if micro_batches == 1 else f"{micro_batches} micro-batches"
    # A micro-batch holds at least one text.
    size = max(settled(reading.tokens_per_step) // ranks, reading.context)
    sizes = {"tokens_per_batch": size}
    if size * ranks > settled(reading.tokens_per_step):
        sizes["tokens_per_step"] = size * ranks
    fix = " ".join(f"--set pretrain.reading.{name}={value}" for name, value in sizes.items())
    said = f"{ranks} processes share {count} a step; start at most {micro_batches}, or begin with {fix}"
    raise ConfigError([said])
