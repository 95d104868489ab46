"""Optimisers by name, their parameter groups, and their state as flat named tensors.

State is kept as ``parameter/moment`` tensors, not as pickled Python, so a checkpoint is safetensors alone and
does not depend on the order of parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

import torch
from torch import Tensor, nn

from genomecli.errors import ConfigError, InputError
from genomecli.training.distributed import is_main
from genomecli.training.muon import MuonWithAdamW, muon_names
from genomecli.training.settings import OptimiserSettings
from genomecli.training.sharding import is_shard, own_rows, share_like

Groups = list[dict[str, Any]]
Scale = Callable[[str], float]
Builder = Callable[[Groups, OptimiserSettings, torch.device], torch.optim.Optimizer]

FUSED_DEVICES = ("cpu", "cuda")
"""Where torch has one kernel for the whole AdamW step."""


def _adamw(groups: Groups, settings: OptimiserSettings, device: torch.device) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        groups,
        lr=settings.lr,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=0.0,
        fused=device.type in FUSED_DEVICES,
    )


def _muon(groups: Groups, settings: OptimiserSettings, device: torch.device) -> torch.optim.Optimizer:
    return MuonWithAdamW(groups, settings.lr, lambda others: _adamw(others, settings, device))


OPTIMISERS: dict[str, Builder] = {"adamw": _adamw, "muon": _muon}
"""Builders by name; a new optimiser is one function and one line here."""


def build_optimiser(
    model: nn.Module, settings: OptimiserSettings, device: torch.device, scale: Scale | None = None
) -> torch.optim.Optimizer:
    """The optimiser of ``model``'s trainable parameters.

    Args:
        model: on ``device``.
        settings: rates and decay.
        device: where it computes.
        scale: factor of the learning rate of a parameter, by its name; None for 1.

    Raises:
        ConfigError: for an unknown name.
    """
    builder = OPTIMISERS.get(settings.name)
    if builder is None:
        known = ", ".join(OPTIMISERS)
        raise ConfigError([f"optimiser.name: unknown {settings.name!r}; choose one of {known}"])
    groups = parameter_groups(model, settings.weight_decay, scale)
    if settings.name == "muon":
        groups = _parted(groups, muon_names(model), _names(model), "muon")
    shared = {name for name, parameter in model.named_parameters() if is_shard(parameter)}
    if shared:  # one kernel takes either whole tensors or shared ones
        groups = _parted(groups, shared, _names(model), "shared")
    return builder(groups, settings, device)


def _parted(groups: Groups, chosen: Set[str], names: Mapping[int, str], mark: str) -> Groups:
    """Each group cut into the chosen parameters and the others; the group's ``mark`` says which they are."""
    parts = [
        {
            **group,
            "params": [p for p in group["params"] if (names[id(p)] in chosen) == chosen_ones],
            mark: chosen_ones,
        }
        for group in groups
        for chosen_ones in (True, False)
    ]
    return [part for part in parts if part["params"]]


def parameter_groups(model: nn.Module, weight_decay: float, scale: Scale | None = None) -> Groups:
    """Two groups: matrices, which decay, and norms, biases and embeddings, which do not.

    A matrix that is also an embedding (a tied output) counts as an embedding. With ``scale`` each is cut into
    groups of one factor of the learning rate, kept as the group's ``scale``.
    """
    kept = {
        id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)
    }
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [p for p in trained if p.ndim >= 2 and id(p) not in kept]
    chosen = {id(parameter) for parameter in decayed}
    others = [parameter for parameter in trained if id(parameter) not in chosen]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if scale is not None:
        groups = [part for group in groups for part in _scaled(group, _names(model), scale)]
    return [group for group in groups if group["params"]]


def _scaled(group: dict[str, Any], names: Mapping[int, str], scale: Scale) -> Groups:
    """``group`` cut by the factor of its parameters, largest first."""
    factors = [scale(names[id(parameter)]) for parameter in group["params"]]
    return [
        {
            **group,
            "params": [p for p, f in zip(group["params"], factors, strict=True) if f == one],
            "scale": one,
        }
        for one in sorted(set(factors), reverse=True)
    ]


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group for the next step: ``rate``, times the group's ``scale`` if it has one."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)


def _names(model: nn.Module) -> dict[int, str]:
    return {id(parameter): name for name, parameter in model.named_parameters()}


def optimiser_tensors(optimiser: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimiser's state as ``parameter/key`` tensors on the CPU; empty before the first step.

    Of shared parameters these are the rows of this process; all else is in the first process alone.
    """
    names, flat = _names(model), {}
    for parameter, state in optimiser.state.items():
        for key, value in state.items():
            tensor = value if isinstance(value, Tensor) else torch.tensor(value)
            if is_main() or is_shard(tensor):
                flat[f"{names[id(parameter)]}/{key}"] = own_rows(tensor.detach()).cpu().contiguous()
    return flat


def load_optimiser_tensors(
    optimiser: torch.optim.Optimizer, model: nn.Module, flat: Mapping[str, Tensor], *, where: object
) -> None:
    """Put back what :func:`optimiser_tensors` gave.

    Raises:
        InputError: if the state is of other parameters or shapes.
    """
    states: dict[str, dict[str, Tensor]] = {}
    for name, tensor in flat.items():
        parameter_name, _, key = name.rpartition("/")
        states.setdefault(parameter_name, {})[key] = tensor
    names = _names(model)
    for parameter in _parameters(optimiser.param_groups):
        state = states.pop(names[id(parameter)], None)
        if state is not None:
            optimiser.state[parameter] = _placed(state, parameter, names[id(parameter)], where)
    if states:
        raise InputError(
            f"optimiser state of {next(iter(states))}, which the model does not have", where=where
        )


def _parameters(groups: Groups) -> Iterable[nn.Parameter]:
    return (parameter for group in groups for parameter in group["params"])


def _placed(
    state: Mapping[str, Tensor], parameter: nn.Parameter, name: str, where: object
) -> dict[str, Tensor]:
    for key, tensor in state.items():
        if tensor.ndim and tensor.shape != parameter.shape:
            found, expected = tuple(tensor.shape), tuple(parameter.shape)
            raise InputError(f"optimiser state {name}/{key} has shape {found}, not {expected}", where=where)
    return {key: share_like(tensor, parameter) for key, tensor in state.items()}
