"""Lines of metrics on their way to other programs: TensorBoard, and W&B offline.

A logger makes a copy. ``metrics.jsonl`` and ``speed.jsonl`` stay what counts, and a resumed run writes its
copies anew from them, so that steps after the last checkpoint do not stand there twice. Copies hold times and
names of the machine, so they are outside of the manifest. A new one is a class here and one line in
:data:`LOGGERS`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from genomecli.extras import need
from genomecli.files import read_json
from genomecli.training.distributed import is_main
from genomecli.training.metrics import MetricsFile, Values, read_metrics

CONFIG = "config.json"
_NOT_FIGURES = ("kind", "step")


class Logger(Protocol):
    """What a copy must do."""

    def write(self, figures: Mapping[str, float], step: int) -> None:
        """Take the figures of one line, by names such as ``validation/loss``; steps never fall."""
        ...

    def close(self) -> None:
        """Write what is still held back, and end."""
        ...


class TensorBoard:
    """Event files for ``tensorboard --logdir``.

    Args:
        folder: of the copy; made.
        run: folder of the run.
    """

    def __init__(self, folder: Path, run: Path) -> None:
        need("tensorboard", "loggers tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))  # type: ignore[no-untyped-call]

    def write(self, figures: Mapping[str, float], step: int) -> None:
        """One scalar a figure."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()  # type: ignore[no-untyped-call]


class WeightsAndBiases:
    """An offline run of W&B, for ``wandb sync``. Nothing is sent.

    Args:
        folder: of the copy; made.
        run: folder of the run, whose settings go along.
    """

    def __init__(self, folder: Path, run: Path) -> None:
        wandb = self._wandb = need("wandb", "loggers wandb")
        settings = wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            disable_job_creation=True,
            save_code=False,
            x_disable_stats=True,
            x_disable_meta=True,
        )
        config = read_json(run / CONFIG) if (run / CONFIG).is_file() else {}
        self._run = wandb.init(
            mode="offline",
            project="genomecli",
            name=run.name,
            dir=str(folder.parent),  # it makes the folder wandb itself
            config=config,
            settings=settings,
            reinit="create_new",
        )

    def write(self, figures: Mapping[str, float], step: int) -> None:
        """One step of its history; figures of one step come together."""
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        """End the run, and wait until its process has written the file: finish() alone does not."""
        self._run.finish()
        self._wandb.teardown()


LOGGERS: dict[str, Callable[[Path, Path], Logger]] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}
"""By the name of the setting, which is also that of the folder in the run's."""


def check_loggers(names: Sequence[str]) -> None:
    """Raise UsageError, naming the extra, where the library of one of them is not installed."""
    for name in names:
        need(name, f"loggers {name}")


@contextmanager
def copied(names: Sequence[str], run: Path, files: Sequence[MetricsFile]) -> Iterator[None]:
    """Copy what is written into ``files`` to loggers, beginning with what stands there already.

    Args:
        names: of :data:`LOGGERS`; in processes that do not write there are none.
        run: folder of the run; each copy is a folder in it, made anew.
        files: of the run.
    """
    if not is_main() or not names:
        yield
        return
    with ExitStack() as stack:
        made: list[Logger] = []
        for name in names:
            shutil.rmtree(run / name, ignore_errors=True)
            made.append(LOGGERS[name](run / name, run))
            stack.callback(made[-1].close)
        earlier = [row for file in files for row in read_metrics(file.path)]
        for row in sorted(earlier, key=lambda row: int(row["step"])):
            _send(made, str(row["kind"]), int(row["step"]), row)
        for file in files:
            file.listener = lambda kind, step, values: _send(made, kind, step, values)
            stack.callback(setattr, file, "listener", None)
        yield


def _send(loggers: Sequence[Logger], kind: str, step: int, values: Values) -> None:
    figures = dict(_flat(values, kind))
    for logger in loggers:
        logger.write(figures, step)


def _flat(values: Values, prefix: str) -> Iterator[tuple[str, float]]:
    """The finite numbers of nested values, by paths: ``validation/languages/yeast/dna/perplexity``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}/{key}")
        elif key not in _NOT_FIGURES and _is_figure(value):
            yield f"{prefix}/{key}", float(value)


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
