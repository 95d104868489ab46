"""The settings of all commands, joined into one YAML file.

A file may hold the sections of several commands, so that it describes one experiment. Each section belongs
to a room and is declared there; this module knows only where. All errors of a file are reported at once.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ValidationError

from genomecli.errors import ConfigError
from genomecli.settings import Section, ShellText, setting
from genomecli.yaml_text import read_yaml, shell_value

if TYPE_CHECKING:
    from genomecli.analysis.settings import CompareSettings
    from genomecli.corpus.settings import TokenizeSettings
    from genomecli.exchange.settings import ExportSettings
    from genomecli.inference.predict_settings import PredictSettings
    from genomecli.inference.score_settings import ScoreSettings
    from genomecli.inference.settings import EmbedSettings
    from genomecli.sequences.simulation_settings import SimulateSettings
    from genomecli.training.finetune_settings import FinetuneSettings
    from genomecli.training.settings import PretrainSettings

SECTIONS = {
    "simulate": "genomecli.sequences.simulation_settings:SimulateSettings",
    "tokenize": "genomecli.corpus.settings:TokenizeSettings",
    "pretrain": "genomecli.training.settings:PretrainSettings",
    "finetune": "genomecli.training.finetune_settings:FinetuneSettings",
    "predict": "genomecli.inference.predict_settings:PredictSettings",
    "embed": "genomecli.inference.settings:EmbedSettings",
    "score": "genomecli.inference.score_settings:ScoreSettings",
    "mrr-compare": "genomecli.analysis.settings:CompareSettings",
    "export": "genomecli.exchange.settings:ExportSettings",
}
"""Where each command's settings are declared."""


class CommonSettings(Section):
    """Settings that every command shares, at the top level of the file."""

    seed: int = setting(
        0, doc="Seed of everything random. Same inputs, seed and threads: same bytes on CPU.", ge=0
    )
    device: str = setting(
        "auto", doc="auto, cpu, cuda, cuda:N or mps.", pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto", doc="Number format of the network. auto takes bf16 where the device is fast in it."
    )
    threads: int | Literal["auto"] = setting(
        "auto",
        doc="CPU threads. auto takes what SLURM, OMP_NUM_THREADS, the affinity mask and the cgroup allow.",
    )


@dataclass(frozen=True)
class Config:
    """Checked settings of a run.

    Args:
        common: seed, device, precision, threads.
        sections: the sections that the file or the command line gave, by command.
        source: the file; None where there was none.
        overrides: what ``--set`` changed, as given.
    """

    common: CommonSettings
    sections: Mapping[str, Section] = field(default_factory=dict)
    source: Path | None = None
    overrides: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self.common.seed

    @property
    def device(self) -> str:
        """Name of the device, or ``auto``."""
        return self.common.device

    @property
    def precision(self) -> str:
        """Name of the number format, or ``auto``."""
        return self.common.precision

    @property
    def threads(self) -> int | str:
        """Number of CPU threads, or ``auto``."""
        return self.common.threads

    @property
    def simulate(self) -> SimulateSettings:
        """Settings of ``simulate``."""
        return cast("SimulateSettings", self.section("simulate"))

    @property
    def tokenize(self) -> TokenizeSettings:
        """Settings of ``tokenize``."""
        return cast("TokenizeSettings", self.section("tokenize"))

    @property
    def pretrain(self) -> PretrainSettings:
        """Settings of ``pretrain``."""
        return cast("PretrainSettings", self.section("pretrain"))

    @property
    def finetune(self) -> FinetuneSettings:
        """Settings of ``finetune``."""
        return cast("FinetuneSettings", self.section("finetune"))

    @property
    def predict(self) -> PredictSettings:
        """Settings of ``predict``."""
        return cast("PredictSettings", self.section("predict"))

    @property
    def embed(self) -> EmbedSettings:
        """Settings of ``embed``."""
        return cast("EmbedSettings", self.section("embed"))

    @property
    def score(self) -> ScoreSettings:
        """Settings of ``score``."""
        return cast("ScoreSettings", self.section("score"))

    @property
    def mrr_compare(self) -> CompareSettings:
        """Settings of ``mrr-compare``."""
        return cast("CompareSettings", self.section("mrr-compare"))

    @property
    def export(self) -> ExportSettings:
        """Settings of ``export``."""
        return cast("ExportSettings", self.section("export"))

    def section(self, name: str) -> Section:
        """One command's settings. Raises ConfigError if the file lacks a section that has required keys."""
        if name in self.sections:
            return self.sections[name]
        return _validate({name: {}}, self.source, None)[1][name]

    def resolved(self, *names: str) -> dict[str, Any]:
        """All settings of the named sections as plain values, defaults filled in, paths absolute."""
        values = self.common.model_dump(mode="json")
        for name in names:
            values[name] = self.section(name).model_dump(mode="json")
        return values


def section_class(name: str) -> type[Section]:
    """The class that declares a command's settings."""
    module, attribute = SECTIONS[name].split(":")
    return cast("type[Section]", getattr(importlib.import_module(module), attribute))


def load_config(
    path: Path | str | None,
    overrides: Sequence[str] = (),
    *,
    needs: Sequence[str] = (),
    adjust: Callable[[dict[str, Any]], None] | None = None,
) -> Config:
    """Read, override and check settings.

    Args:
        path: a YAML file; None for defaults only.
        overrides: ``section.key=value`` each; a value is YAML, a list item is named by its number.
        needs: sections that the command will use: their required keys are missed now, not later.
        adjust: what an option changes in the values of file and overrides, before they are checked.

    Raises:
        ConfigError: with every problem found, each naming its key.
    """
    source = None if path is None else Path(path)
    values = {} if source is None else read_yaml(source)
    for text in overrides:
        _override(values, text)
    if adjust is not None:
        adjust(values)
    for name in needs:
        values.setdefault(name, {})
    common, sections = _validate(values, source, source.resolve().parent if source else None)
    return Config(common, sections, source, tuple(overrides))


def _override(values: dict[str, Any], text: str) -> None:
    key, equals, raw = text.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ConfigError([f"--set {text!r} is not of the form section.key=value"])
    at: Any = values
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(at, list):
            if not re.fullmatch("[0-9]{1,9}", step) or int(step) >= len(at):
                raise ConfigError([f"--set {key}: {step!r} is no item of a list of {len(at)}"])
            place: Any = int(step)
        elif isinstance(at, dict):
            place = step
        else:
            raise ConfigError([f"--set {key}: there is nothing below {step!r}"])
        if following is None:
            at[place] = shell_value(raw)
        else:
            at = at.setdefault(place, {}) if isinstance(at, dict) else at[place]
            if at is None:
                raise ConfigError([f"--set {key}: {step!r} is empty in the file"])


def _validate(
    values: Mapping[str, Any], source: Path | None, folder: Path | None
) -> tuple[CommonSettings, dict[str, Section]]:
    common_values = {key: value for key, value in values.items() if key not in SECTIONS}
    problems: list[str] = []
    sections: dict[str, Section] = {}
    context = {"folder": None if folder is None else str(folder)}
    common = CommonSettings()
    try:
        common = CommonSettings.model_validate(common_values, context=context)
    except ValidationError as error:
        problems += _problems(error, CommonSettings, "", extra_keys=list(SECTIONS))
    for name in SECTIONS:
        if name not in values:
            continue
        cls = section_class(name)
        try:
            sections[name] = cls.model_validate(values[name] or {}, context=context)
        except ValidationError as error:
            problems += _problems(error, cls, name)
    if problems:
        raise ConfigError(problems, where=source)
    return common, sections


_AS_WRITTEN = {
    "tuple_type": "should be a list, such as [a, b]",
    "list_type": "should be a list, such as [a, b]",
    "dict_type": "should be keys and values, such as {a: b}",
    "model_type": "should be keys and values, such as {a: b}",
}
"""What pydantic calls by Python's names, in those of YAML."""


_GIVEN = {
    "finetune.targets": "; name one with --target: a column, a word of the FASTA headers, or any name where "
    "data.classes says the classes",
}
"""How settings that cannot be left out are given where no YAML says them."""


_NOT_SERVED = {
    "finetune.shard": "processes that tune together share rows alone, and each holds the whole network",
}
"""What is said of settings that another command has and this one does not."""


def _problems(
    error: ValidationError, cls: type[Section], prefix: str, extra_keys: Sequence[str] = ()
) -> list[str]:
    found = []
    for item in error.errors(include_url=False, include_context=False):
        steps = [str(step) for step in item["loc"] if not _is_variant(step)]
        steps = steps or [str(step) for step in item["loc"][-1:]]
        place = ".".join([prefix, *steps] if prefix else steps) or prefix
        if item["type"] == "extra_forbidden" and steps:
            known = [*_keys_beside(cls, item["loc"]), *(extra_keys if len(steps) == 1 else ())]
            hint = _key_hint(steps[-1], known, item["input"], prefix)
            found.append(f"{place}: unknown key; {_NOT_SERVED.get(place, hint)}")
        elif item["type"] == "missing":
            found.append(f"{place}: is required{_GIVEN.get(place, '')}")
        else:
            message = _AS_WRITTEN.get(item["type"], item["msg"].removeprefix("Value error, "))
            given = item.get("input")
            shown = "" if isinstance(given, dict | list | Section) else f" (given {_shown(given)})"
            found.append(f"{place}: {message}{shown}")
    return list(dict.fromkeys(found))


def _key_hint(key: str, known: Sequence[str], value: object, prefix: str) -> str:
    """What a key may have been meant to be that is none of the ``known``; ``prefix``: its section, if any."""
    if prefix and key in CommonSettings.model_fields:
        given = str(value) if re.fullmatch(r"[\w.:-]+", str(value)) else "VALUE"
        return f"{key} is a key of its own, outside of {prefix}: --set {key}={given}"
    near = difflib.get_close_matches(key, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(sorted(known))}"


def _shown(value: object) -> str:
    text = str.__repr__(value) if isinstance(value, ShellText) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_variant(step: int | str) -> bool:
    """Whether a step of an error's path names a branch of a union and no key of the user's."""
    return (
        isinstance(step, str)
        and re.search(r"[\[\](]|^(int|str|float|bool|literal|list|dict)$", step) is not None
    )


def _keys_beside(cls: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where the last step of ``loc`` stands."""
    models: list[type[BaseModel]] = [cls]
    for step in loc[:-1]:
        for model in models:
            if isinstance(step, str) and step in model.model_fields:
                models = _models_in(model.model_fields[step].annotation)
                break
    return sorted({key for model in models for key in model.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
