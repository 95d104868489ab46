"""Settings of a target that its kind has no use for: refused by name, and not dropped in silence."""

from __future__ import annotations

from genomecli.errors import ConfigError
from genomecli.tasks.labels import RawLabels
from genomecli.tasks.settings import TargetSettings

_WHAT = {
    "regression": "values",
    "class": "classes",
    "multilabel": "any number of classes",
    "token": "labels of symbols",
}
"""What labels of each form are, in words."""

_USELESS = {
    "regression": ("classes", "positive", "class_weights", "separator"),
    "class": ("log", "separator"),
    "multilabel": ("log",),
    "token": ("log", "separator", "pattern"),
}
"""Settings without a meaning, by the form of the labels.

``positive`` of more than two classes is refused where classes are put in order, ``primary`` where the
deciding figure is chosen.
"""


def check_useful(name: str, settings: TargetSettings, raw: RawLabels) -> None:
    """Look for settings that differ from their defaults and would do nothing.

    Args:
        name: of the target.
        settings: of the target.
        raw: its labels as read, whose form may have been told by the cells.

    Raises:
        ConfigError: with all such settings.
    """
    usual = TargetSettings()
    why = f"the labels are {_WHAT[raw.form]}, which have no use for it; leave it out"
    wrong = [
        f"finetune.targets.{name}.{key}: {why}"
        for key in _USELESS.get(raw.form, ())
        if getattr(settings, key) != getattr(usual, key)
    ]
    if raw.form == "multilabel" and raw.declared and settings.classes not in ((), raw.names):
        what = f"finetune.targets.{name}.classes: the classes are the columns, {', '.join(raw.names[:12])}"
        wrong.append(f"{what}; leave it out")
    if wrong:
        raise ConfigError(wrong)
