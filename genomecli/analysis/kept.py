"""Parts of a comparison that are kept on disk while it is made, so that an interrupted one can go on.

A part (sums of states, rows of measures, a figure) is a function of the comparison's settings and inputs,
which ``request.json`` states, and has a key of its own. It is handed out as it is read back, whether it was
made now or before: so both ways go on from the very same bits.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from genomecli.analysis.code_tables import TableClass
from genomecli.analysis.codes_ranking import CodeRanking, CodonEvidence, RankedClass
from genomecli.analysis.deviance import Deviance
from genomecli.analysis.gold import CodonGold
from genomecli.analysis.places import GeneSums, Place, VectorPair
from genomecli.analysis.statistics import Interval
from genomecli.analysis.tidy import Measure
from genomecli.analysis.values import pack, unpack
from genomecli.analysis.vectors import TextMeans
from genomecli.files import atomic_path, read_json, write_json
from genomecli.inference.contextual import ContextualMeans
from genomecli.runtime import log
from genomecli.sequences.codes import GeneticCode
from genomecli.version import __version__

REQUEST = "request.json"
_ENDING = ".safetensors"
_KINDS = {
    kind.__name__: kind
    for kind in (
        *(CodeRanking, CodonEvidence, CodonGold, Deviance, GeneSums, GeneticCode, Interval, Measure),
        *(Place, RankedClass, TableClass, TextMeans, VectorPair, ContextualMeans),
    )
}

P = ParamSpec("P")
T = TypeVar("T")


class Kept:
    """Parts in a folder; without a folder nothing is kept.

    Args:
        folder: where they are; see :meth:`opened`.
        check: called before and after each part, and now and then within a long one; raises what ends the
            comparison.

    Attributes:
        made: parts made by this process.
        found: parts made before.
    """

    def __init__(self, folder: Path | None = None, check: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self.check = check
        self.made = 0
        self.found = 0

    @classmethod
    def opened(
        cls,
        folder: Path,
        request: Mapping[str, Any],
        machine: Mapping[str, Any],
        check: Callable[[], None],
        *,
        resume: bool,
    ) -> Kept:
        """Take the parts in ``folder`` up, or begin anew; what happens is said.

        Args:
            folder: made if it is absent.
            request: what the parts are made from, as plain values.
            machine: where they are made: remembered, but parts made elsewhere are taken up all the same.
            check: as above.
            resume: take up parts of the same request. Others are removed.
        """
        wanted = _plain(request)
        before = read_request(folder).get("request", {})
        if resume and not folder.is_dir():
            log.info("nothing to go on from: the comparison begins anew")
        elif resume and (changed := changes(before, wanted)):
            log.warning(
                "the parts in %s were made from other settings or inputs (%s): the comparison begins anew",
                *(folder, ", ".join(changed)),
            )
        elif resume:
            log.info("going on with %d parts that were kept", len(list(folder.glob(f"*{_ENDING}"))))
            return cls(folder, check)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_json(folder / REQUEST, {"request": wanted, "machine": dict(machine)})
        return cls(folder, check)

    def part(self, key: tuple[object, ...], make: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """The part of that key: read, if it was made before, else ``make(*args, **more)``.

        Args:
            key: names, numbers and places; the first says what the part is.
            make: a function of the settings, the inputs and other parts alone.
        """
        self.check()
        if self.folder is None:
            return make(*args, **more)
        name = f"{key[0]}-{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}{_ENDING}"
        value = self._read(self.folder / name)
        if value is None:
            data = pack((make(*args, **more),))
            with atomic_path(self.folder / name, force=True) as temporary:
                temporary.write_bytes(data)
            value = unpack(data, _KINDS)
            self.made += 1
        self.check()
        found: T = value[0]
        return found

    def _read(self, path: Path) -> tuple[Any] | None:
        """A part in a tuple, so that None may be one; None where it is not there or not whole."""
        if not path.is_file():
            return None
        try:
            value: tuple[Any] = unpack(path.read_bytes(), _KINDS)
        except ValueError as error:
            log.warning("%s %s: it is made again", path, error)
            return None
        self.found += 1
        return value

    def close(self) -> None:
        """Leave the parts for a later run; a folder without parts is removed."""
        if self.folder is not None and not any(self.folder.glob(f"*{_ENDING}")):
            self.remove()

    def remove(self) -> None:
        """Delete the parts: the comparison is finished."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def read_request(folder: Path) -> dict[str, Any]:
    """What the parts in a folder were made from (``request``) and where (``machine``); empty if unknown."""
    path = folder / REQUEST
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    return found


def is_made_of(folder: Path, request: Mapping[str, Any]) -> bool:
    """Whether the parts in a folder are of that request; so is a folder that says nothing."""
    wanted = _plain(request)
    return bool(read_request(folder).get("request", wanted) == wanted)


def _plain(request: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps({**request, "version": __version__}))
    return plain


def changes(before: Any, now: Any, prefix: str = "") -> list[str]:
    """Dotted names of the values that differ."""
    if before == now:
        return []
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        keys = sorted({*before, *now})
        return [name for key in keys for name in changes(before.get(key), now.get(key), f"{prefix}{key}.")]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [name for i, (old, new) in pairs for name in changes(old, new, f"{prefix}{i}.")]
    return [prefix.rstrip(".") or "all"]
