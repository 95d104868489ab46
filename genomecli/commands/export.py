"""``genomecli export``: a checkpoint as a folder that other programs open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomecli.commands.foreign_models import native
from genomecli.commands.spared import spare_inputs
from genomecli.config import Config
from genomecli.errors import UsageError
from genomecli.exchange.hugging_face_folder import Exported, write_hugging_face
from genomecli.exchange.hugging_face_tokenizer import choose_block, overlapping
from genomecli.exchange.model_card import CardFacts, model_card
from genomecli.exchange.settings import ExportSettings
from genomecli.files import read_json, read_manifest
from genomecli.inference.sources import Frames
from genomecli.inference.training_history import TrainingHistory
from genomecli.inference.tuned import is_tuned, load_tuned
from genomecli.output_folder import OutputFolder
from genomecli.runtime import log, run_info
from genomecli.signals import stopping
from genomecli.training.checkpoint import WEIGHTS, LoadedModel, find_checkpoint, load_model

AGAIN = "run it again: it begins anew"
KIND = "export"


@dataclass(frozen=True)
class _Source:
    """A checkpoint, opened.

    Args:
        model: what is written out.
        card: what its card tells.
        sha256: of the weights.
    """

    model: Exported
    card: CardFacts
    sha256: str


def run_export(config: Config, out: Path, *, force: bool = False) -> dict[str, Any]:
    """Write the folder.

    Args:
        config: settings; section ``export``.
        out: the folder to make.
        force: replace a finished one.

    Returns:
        What the manifest says of the export.

    Raises:
        ConfigError: naming each option that the format cannot hold.
        InputError: if there is no such checkpoint.
        UsageError: no model, a language that has to be chosen, or an existing output.
    """
    settings = config.export
    spare_inputs(out, [settings.model])
    with stopping(AGAIN, interrupt=True):
        source = _open(settings)
        with OutputFolder(out, kind=KIND, force=force) as folder:
            _write(source, settings, folder.path)
            (folder.path / "README.md").write_text(model_card(source.card), encoding="utf-8")
            write_run(folder.path, config, settings)
            told = _told(source, settings)
            folder.finish(told)
    log.info("wrote %s: %s, tokens of %s", out, told["class"] or settings.format, told["tokens"])
    return told


def write_run(folder: Path, config: Config, settings: ExportSettings) -> None:
    """Write ``run.json``: what differs between two equal exports."""
    from genomecli.files import write_json

    values = {**config.common.model_dump(mode="json"), KIND: settings.model_dump(mode="json")}
    write_json(folder / "run.json", run_info(KIND, config=values))


def _write(source: _Source, settings: ExportSettings, folder: Path) -> None:
    if settings.format == "onnx":
        from genomecli.exchange.onnx_graph import write_onnx

        write_onnx(source.model, folder)
    else:
        write_hugging_face(source.model, folder)


def _told(source: _Source, settings: ExportSettings) -> dict[str, Any]:
    return {
        "format": settings.format,
        "class": source.card.class_name,
        "tokens": source.card.block,
        "step": source.card.step,
        "lexicon": source.model.lexicon.fingerprint,
        "weights": source.sha256,
    }


def _open(settings: ExportSettings) -> _Source:
    if settings.model is None:
        raise UsageError("no model is given", fix="name a run, or set export.model")
    folder = find_checkpoint(native(settings.model), prefer=settings.checkpoint)
    run_config = read_json(folder / "config.json")
    if is_tuned(folder):
        model, loaded = _tuned(folder, settings)
    else:
        model, loaded = _pretrained(folder, settings, TrainingHistory.of(run_config))
    return _Source(
        model,
        _card(model, loaded, settings, folder, run_config),
        read_manifest(folder)["files"][WEIGHTS]["sha256"],
    )


def _pretrained(
    folder: Path, settings: ExportSettings, history: TrainingHistory
) -> tuple[Exported, Mapping[str, Any]]:
    loaded: LoadedModel = load_model(folder)
    trained = {block.molecule: history.reads(block.molecule) for block in loaded.lexicon.vocabulary.blocks}
    block = choose_block(loaded.lexicon, settings.species, settings.molecule, trained)
    if not trained[block.molecule]:
        log.warning("the model was not trained on %s: its words have random weights", block.molecule)
    lexicon, species = loaded.lexicon, settings.species or block.species
    if species is None and len(lexicon.species) == 1:
        species = lexicon.species[0]
    language = None if species is None else lexicon.language_id(species, block.molecule)
    state = loaded.model.state_dict()
    return Exported(loaded.settings, lexicon, state, block, language=language), loaded.info


def _tuned(folder: Path, settings: ExportSettings) -> tuple[Exported, Mapping[str, Any]]:
    tuned = load_tuned(folder)
    reading, lexicon = tuned.spec.reading, tuned.lexicon
    for key, wanted, own in (
        ("species", settings.species, reading.species),
        ("molecule", None if settings.molecule == "auto" else settings.molecule, reading.alphabet),
    ):
        if wanted not in (None, own):
            raise UsageError(f"the model was tuned on {own}", fix=f"leave out export.{key}")
    block = lexicon.block(reading.species, reading.molecule)
    model, language = tuned.model, lexicon.language_id(reading.species, reading.molecule)
    if settings.format == "onnx":
        log.warning("ONNX holds the encoder: the heads of the tuned network are left out")
    return Exported(model.settings, lexicon, model.state_dict(), block, tuned.spec, language), tuned.info


def _card(
    model: Exported,
    info: Mapping[str, Any],
    settings: ExportSettings,
    folder: Path,
    config: Mapping[str, Any],
) -> CardFacts:
    tokenizer = model.lexicon.tokenizers[model.lexicon.vocabulary.blocks.index(model.block)]
    if overlapping(tokenizer):
        log.warning("tokens overlap, which tokenizer.json cannot cut: it reads words parted by blanks")
    frame = _frame(model, config)
    if frame:
        log.warning("the run read texts from offset %d: leave out so many letters before tokenizing", frame)
    if info["heads"]:
        log.warning("heads that are left out: %s", ", ".join(info["heads"]))
    return CardFacts(
        class_name="" if settings.format == "onnx" else model.class_name,
        settings=model.settings.model_dump(mode="json"),
        languages=model.lexicon.languages,
        block=model.block.name,
        tokenizer=tokenizer,
        summary=_summary(folder),
        config=config,
        step=int(info["progress"]["step"]),
        frame=frame,
        left_out=info["heads"],
        licence=settings.licence,
    )


def _frame(model: Exported, config: Mapping[str, Any]) -> int:
    if model.spec is not None:
        return model.spec.reading.frame
    if model.block.molecule == "protein":
        return 0
    frames = Frames.of_run(config)
    return frames.cds or frames.genome


def _summary(folder: Path) -> Mapping[str, Any]:
    """The summary of the run that a checkpoint belongs to, or of the runs that it is one of."""
    for place in list(folder.parents)[1:3]:
        if (place / "summary.json").is_file():
            found: Mapping[str, Any] = read_json(place / "summary.json")
            return found
    return {}
