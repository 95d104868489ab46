"""The same parsers under atheris, which keeps inputs that reach code where none before it came.

``python -m tests.fuzzing SECONDS --guided``. The tests do not need atheris, which is the extra ``fuzz``.
Each parser runs in a process of its own, since the fuzzer ends its process.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from genomecli.extras import EXTRAS
from tests.fuzzing.harness import Parser, Tally, limited_memory, try_input
from tests.fuzzing.mutations import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable


def missing() -> str:
    """Why there is no guided run; empty if there can be one."""
    try:
        import atheris  # noqa: F401
    except ImportError as error:
        return f"atheris is not installed ({error}): {EXTRAS['atheris'].install}"
    return ""


def load_parsers() -> tuple[Parser, ...]:
    """All parsers, the product's code counted on its way in."""
    import atheris

    said = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a line for each module
    try:
        with atheris.instrument_imports(include=["genomecli"]):
            from tests.fuzzing.parsers import PARSERS
    finally:
        os.dup2(said, 2)
    return PARSERS


def fuzz_guided(parser: Parser, seconds: float, seed: int) -> Tally:
    """What a parser did with the inputs that the fuzzer made of its seeds in some seconds."""
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    try:
        said = folder / "tally.json"
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                _run(parser, folder, lambda tally: said.write_text(_dumps(tally)), seconds, seed)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if said.exists():
            return _loads(said.read_text())
        died = f"the process of {parser.name} died"
        return Tally(Counter(fault=1), {died: (f"status {os.waitstatus_to_exitcode(status)}", b"")})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(parser: Parser, folder: Path, save: Callable[[Tally], object], seconds: float, seed: int) -> None:
    """Fuzz until the time is over, save the tally, and end the process."""
    import atheris

    seeds, work = folder / "seeds", folder / "work"
    seeds.mkdir()
    work.mkdir()
    for number, data in enumerate(parser.seeds):
        (seeds / str(number)).write_bytes(data)
        with suppress(Exception):
            parser.read(data, work)  # so that what is imported late counts for no input
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the fuzzer's own running account
    tally, end = Tally(), time.monotonic() + seconds

    def one(data: bytes) -> None:
        try_input(parser, data, work, tally)
        if time.monotonic() > end:
            save(tally)
            os._exit(0)

    options = [f"-seed={seed + 1}", f"-max_len={LONGEST}", "-rss_limit_mb=0", "-timeout=0", str(seeds)]
    atheris.Setup([sys.argv[0], *options], one)
    with limited_memory():
        atheris.Fuzz()


def _dumps(tally: Tally) -> str:
    faults = {place: [said, data.hex()] for place, (said, data) in tally.faults.items()}
    rest = {"slowest": tally.slowest, "growth": tally.growth}
    return json.dumps({"counts": dict(tally.counts), "faults": faults, **rest})


def _loads(text: str) -> Tally:
    told = json.loads(text)
    faults = {place: (said, bytes.fromhex(data)) for place, (said, data) in told["faults"].items()}
    return Tally(Counter(told["counts"]), faults, told["slowest"], told["growth"])
