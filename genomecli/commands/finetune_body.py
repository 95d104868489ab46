"""The body that ``finetune`` tunes: whether it is there, and which of its species the sequences are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genomecli.errors import InputError
from genomecli.files import read_json
from genomecli.inference.task_reading import pick_species
from genomecli.runtime import log
from genomecli.training.task_spec import DOCUMENT, TaskSpec

if TYPE_CHECKING:
    from genomecli.config import Config
    from genomecli.training.checkpoint import LoadedModel

NOT_CHECKED = (
    "its tokens, how much of a sequence it reads at once, its species, settings of tuning and rows that it "
    "has learned from before are not checked"
)
"""What ``--check`` leaves out where there is no body."""


def body_stands(config: Config, *, check: bool) -> bool:
    """Whether there is a body, or none is wanted.

    Args:
        config: settings.
        check: the data alone are looked at, so that a body may be absent where ``data.molecule`` says what
            the sequences are.

    Raises:
        InputError: if the body is absent, and needed.
    """
    settings = config.finetune
    if settings.model is None or Path(settings.model).exists():
        return True
    if check and settings.data.molecule != "auto":
        log.warning("%s is absent: the data are checked without it", settings.model)
        return False
    maker = _maker(Path(settings.model), config.source)
    made = "make it with pretrain" if maker is None else f"make it with {maker}"
    fix = f"{made}, or give another with --model"
    if check:
        fix += "; or set finetune.data.molecule, and the data are checked without it"
    raise InputError("no such file or folder", where=f"finetune.model: {settings.model}", fix=fix)


def _maker(body: Path, source: Path | None) -> Path | None:
    """The YAML beside ``source`` that is named as a folder of the body's path: ``dna.yaml`` of dna/body."""
    if source is None:
        return None
    beside = (source.with_name(f"{part}.yaml") for part in reversed(body.parts))
    return next((one for one in beside if one != source and one.is_file()), None)


def species_of(loaded: LoadedModel, wanted: str | None) -> str:
    """The species that sequences are read as; of a tuned network, that of its tuning where none is named.

    Raises:
        ConfigError: if the network does not know it, or tells several apart and none is named.
    """
    document = Path(loaded.info["path"]) / f"{DOCUMENT}.json"
    tuned = None
    if document.is_file():
        tuned = TaskSpec.from_dict(read_json(document), where=document).reading.species
    return pick_species(
        loaded.lexicon, wanted or tuned, language_embedding=loaded.settings.language_embedding
    )
