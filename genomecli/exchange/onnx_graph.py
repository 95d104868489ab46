"""The encoder as a graph in ONNX, for programs without torch: tokens and mask in, states and scores out.

The graph takes any number of texts and any length up to the context. Attention runs over whole squares with a
mask, which every runtime computes; our own paths for local layers are a matter of speed alone. Each graph is
run once by onnxruntime and compared with torch before it is given out.

Shapes: B texts, L padded length, D width, V vocabulary.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genomecli.corpus.vocabulary import PAD
from genomecli.errors import ConfigError, RunError, UsageError
from genomecli.exchange.hugging_face_folder import Exported, write_tokenizer
from genomecli.extras import need
from genomecli.models.language_model import LanguageModel, build_model
from genomecli.models.layout import PaddedLayout
from genomecli.models.mask_scaling import padded_scale
from genomecli.models.patterns import Pattern
from genomecli.runtime import rng
from genomecli.training.checkpoint import fill_model

GRAPH = "model.onnx"
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = ("last_hidden_state", "logits")
OPSET = 18
"""Version of ONNX's operators that the graph is written in."""
TOLERANCE = 1e-4
"""Largest difference between onnxruntime and torch, in fp32, that is let pass."""


class GraphLayout(PaddedLayout):
    """Texts in the rows of a rectangle whose length is not known while the graph is drawn.

    It says that it has length 0, so that no path is chosen by the length, and always gives a mask.
    """

    def mask(self, pattern: Pattern) -> Tensor:
        """bool[B, 1, L, L]: True where a key is seen; each position sees itself."""
        assert self.real is not None
        index = torch.arange(self.real.shape[1], device=self.device)
        distance = index[None, :] - index[:, None]
        seen = pattern.allows(distance)[None] & self.real[:, None, :]
        return (seen | (distance == 0)[None])[:, None]


class Graph(nn.Module):
    """What the graph computes.

    Args:
        model: in evaluation mode.
        language: of all texts, for a network with a language embedding.
        fills_in: whether its scores of tokens are an output.
    """

    def __init__(self, model: LanguageModel, language: int, *, fills_in: bool) -> None:
        super().__init__()
        self.model = model
        self.language = language
        self.fills_in = fills_in

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """States float[B, L, D], and scores float[B, L, V] where they are wanted.

        Args:
            input_ids: int64[B, L].
            attention_mask: int64[B, L], 1 at real tokens, which come first.
        """
        encoder = self.model.encoder
        languages = torch.full_like(input_ids, self.language)
        extra = {"scale": padded_scale(input_ids, attention_mask.sum(1))} if encoder.mask_scaling else {}
        x = encoder.stem(input_ids, None, languages, None, **extra)
        layout = GraphLayout(0, input_ids.device, attention_mask.bool())
        states = encoder.run(x, layout, None, input_ids.shape[1]).last
        return (states, self.model.logits(states)) if self.fills_in else (states,)


def write_onnx(model: Exported, folder: Path) -> None:
    """Write ``model.onnx`` and the tokenizer into ``folder``.

    Args:
        model: a tuned network is written without its heads, and without scores of tokens.
        folder: made.

    Raises:
        UsageError: if the libraries of the extra ``onnx`` are not installed, or the network needs a species.
        RunError: if torch cannot draw the graph, or onnxruntime computes other numbers.
        ConfigError: for a tokenizer that cannot be written, or texts without a closing token.
    """
    for library in ("onnx", "onnxruntime", "onnxscript"):
        need(library, "ONNX")
    graph = _graph(model)
    write_tokenizer(model, folder)
    _draw(graph, folder / GRAPH, model)
    _compare(graph, folder / GRAPH, model)


def _graph(model: Exported) -> Graph:
    settings, lexicon = model.settings, model.lexicon
    if not settings.closing_token:
        raise ConfigError(["model.closing_token must be True for ONNX"], where="export")
    if settings.language_embedding and model.language is None:
        known = ", ".join(lexicon.species)
        what = "the network adds a vector of the species"
        raise UsageError(what, fix=f"set export.species to one of {known}")
    network = build_model(settings, lexicon.vocabulary.size, len(lexicon.languages))
    body = {name: value for name, value in model.state.items() if not name.startswith("heads.")}
    fill_model(network, body, where="export")
    return Graph(network.float().eval(), model.language or 0, fills_in=model.spec is None).eval()


def _draw(graph: Graph, path: Path, model: Exported) -> None:
    from torch.export import Dim

    length = Dim("length", min=2, max=model.settings.context)
    shape = {0: Dim("batch", min=1, max=1 << 16), 1: length}
    example = _example(model, 3, min(40, model.settings.context))
    try:
        with _quiet():
            torch.onnx.export(
                graph,
                tuple(torch.from_numpy(example[name]) for name in INPUTS),
                path,
                input_names=list(INPUTS),
                output_names=list(OUTPUTS[: 1 + graph.fills_in]),
                opset_version=OPSET,
                dynamic_shapes=(shape, shape),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise RunError(f"torch cannot write this network as ONNX: {said}", where="export") from error
    _strip(path)


def _strip(path: Path) -> None:
    """Take out what torch tells of the code that drew the graph: paths and line numbers of this machine."""
    import onnx

    graph = onnx.load(path)
    del graph.metadata_props[:], graph.graph.metadata_props[:]
    for function in graph.functions:
        del function.metadata_props[:]
    parts = [*graph.graph.node, *graph.graph.value_info, *graph.graph.input, *graph.graph.output]
    for part in [*parts, *graph.graph.initializer, *(one for f in graph.functions for one in f.node)]:
        del part.metadata_props[:]
        part.doc_string = ""
    path.write_bytes(graph.SerializeToString(deterministic=True))


def _compare(graph: Graph, path: Path, model: Exported) -> None:
    """Run the graph on other shapes than it was drawn with. Raises RunError where the numbers differ."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for rows, length in ((1, 2), (2, min(331, model.settings.context))):
        example = _example(model, rows, length)
        ids, mask = (torch.from_numpy(example[name]) for name in INPUTS)
        with torch.inference_mode():
            want = graph.model(ids, mask.sum(1), None, torch.full_like(ids, graph.language)).last
        real = mask.bool()
        difference = (torch.from_numpy(session.run(None, example)[0]) - want)[real].abs().max()
        if not float(difference) <= TOLERANCE * max(1.0, float(want[real].abs().max())):
            raise RunError(f"onnxruntime differs from torch by {float(difference):g}", where=path.name)


def _example(model: Exported, rows: int, length: int) -> dict[str, NDArray[np.int64]]:
    """Random tokens of texts of several lengths, the first one whole."""
    random = rng("onnx", rows, length)
    ids = random.integers(0, model.lexicon.vocabulary.size, (rows, length))
    lengths = np.maximum(length - np.arange(rows) * (length // max(rows, 2)), 1)
    mask = np.arange(length) < lengths[:, None]
    return {"input_ids": np.where(mask, ids, PAD), "attention_mask": mask.astype(np.int64)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [one.level for one in loggers]
    try:
        for one in loggers:
            one.setLevel(logging.ERROR)
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
