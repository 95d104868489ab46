"""When a run that is asked to stop does so."""

from __future__ import annotations

from typing import Protocol


class Computes(Protocol):
    """What reads ahead, computes and gives out: an :class:`~genomecli.inference.engine.Engine`, or work that
    one does."""

    @property
    def begun(self) -> int:
        """Times that what was read ahead was computed."""

    @property
    def left(self) -> int:
        """What of the last time was computed to its end, and was not given out yet."""


class Rest:
    """When a run that is asked to stop does so: once what was computed has been given out.

    Args:
        sources: whose results are written, side by side; what each computes at a time takes a CPU about
            :data:`~genomecli.inference.engine.BUFFER_SECONDS`. Of several the first to have given out its own
            ends the run: to wait for the others it would have to compute more.
        each: of what a source gives out, as many make one result.
    """

    def __init__(self, *sources: Computes, each: int = 1) -> None:
        self._sources = sources
        self._each = each
        self._since: list[int] | None = None

    def reached(self, asked: object) -> bool:
        """Whether to stop now, if it was ``asked`` for; ask after each result that may be the last."""
        if not asked:
            return False
        begun = [source.begun for source in self._sources]
        self._since = self._since or begun
        return begun != self._since or any(source.left < self._each for source in self._sources)
