"""Libraries that are not required: which extra of the package brings each, and what for.

Nothing of genomecli needs one of them to be imported. What uses one imports it where it is used, through
:func:`need`, whose error names the extra.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from genomecli.errors import UsageError


class Extra(NamedTuple):
    """Where a library comes from.

    Args:
        name: of the extra.
        purpose: what it is for, in words.
    """

    name: str
    purpose: str

    @property
    def install(self) -> str:
        """The line that installs it."""
        return f"pip install 'genomecli[{self.name}]'"


EXTRAS = {
    "isal": Extra("fast", "gzip input at several times the speed"),
    "pysam": Extra("variants", "BCF"),
    "peft": Extra("lora", "low-rank tuning"),
    "anndata": Extra("anndata", "embedding tables as .h5ad"),
    "onnx": Extra("onnx", "networks as ONNX"),
    "onnxruntime": Extra("onnx", "a look at what an ONNX file computes"),
    "onnxscript": Extra("onnx", "networks as ONNX"),
    "tensorboard": Extra("tensorboard", "figures along training for TensorBoard"),
    "wandb": Extra("wandb", "figures along training for W&B, offline"),
    "atheris": Extra("fuzz", "broken inputs led by the code that they reach"),
    "transformers": Extra("dev", "comparison of our networks with Hugging Face's"),
}
"""By the name that is imported."""


def need(module: str, what: str, *, where: object | None = None, instead: str = "") -> Any:
    """The module, imported.

    Args:
        module: one of :data:`EXTRAS`.
        what: needs it, such as ``BCF``.
        where: what was asked for.
        instead: what else can be done, as the end of the sentence.

    Raises:
        UsageError: if it is not installed, or broken; it says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = error.name == module
        why = "is not installed" if absent else f"cannot be imported ({error})"
        fix = EXTRAS[module].install + instead
        raise UsageError(f"{what} needs {module}, which {why}", where=where, fix=fix) from None
