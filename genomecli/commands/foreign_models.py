"""Models of Hugging Face's where a command wants a run: translated once and kept in the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from genomecli.config import Config
from genomecli.runtime import log
from genomecli.sequences.random_access import default_cache
from genomecli.settings import Section

_KEYS = {"embed": "model", "score": "model", "finetune": "model", "pretrain": "init_from"}
"""The setting of each command that names a model."""


def native(path: str) -> str:
    """``path``, or where its translation is if it is a folder of Hugging Face's.

    Raises:
        InputError, ConfigError: for a folder that cannot be translated.
    """
    from genomecli.exchange.hugging_face_import import imported, is_foreign

    folder = Path(path)
    if not folder.is_dir() or not is_foreign(folder):
        return path
    made = imported(folder, default_cache())
    log.info("%s is a model of Hugging Face's: read as %s", path, made)
    return str(made)


def with_native(config: Config, command: str) -> Config:
    """The settings of a command with its model translated, if it is a foreign one."""
    section, key = config.section(command), _KEYS[command]
    given = getattr(section, key)
    if given is None or (found := native(given)) == given:
        return config
    changed: Section = section.model_copy(update={key: found})
    return replace(config, sections={**config.sections, command: changed})
