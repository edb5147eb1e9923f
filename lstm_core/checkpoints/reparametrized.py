"""Weights that PyTorch stores in parts, put together under the names that nn.LSTM has.

Weight normalisation stores a direction and a length; WeightDrop, of AWD-LSTM, stores the weight
before dropout beside or instead of the one the LSTM was last run with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

Make: TypeAlias = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Weight:
    """A tensor's shape and type, and how to get it."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Make


@dataclass
class Weights:
    """Weights by name, with what was done to them."""

    named: dict[str, Weight]
    notes: list[str] = field(default_factory=list)


def resolved(tensors: Mapping[str, torch.Tensor]) -> Weights:
    """The weights as a module has them in use."""
    weights = Weights({name: as_it_is(tensor) for name, tensor in tensors.items()})
    put_normalised(weights, tensors)
    put_raw(weights)
    return weights


def as_it_is(tensor: torch.Tensor) -> Weight:
    return Weight(tuple(tensor.shape), tensor.dtype, lambda: tensor)


# ----------------------------------------------------------------------- weight normalisation


def put_normalised(weights: Weights, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace each pair of a length and a direction by the weight they stand for."""
    pairs = {
        name: pair
        for name in tensors
        if (pair := parts_of(name))
        and pair[1] in tensors
        and pair[0] not in tensors
        and fits(tensors[pair[1]], tensors[name])
    }
    if not pairs:
        return
    lengths = {length for _, length in pairs.values()}
    named: dict[str, Weight] = {}
    for name, weight in weights.named.items():
        if name in pairs:
            target, length = pairs[name]
            named[target] = normalised(tensors[length], tensors[name])
        elif name not in lengths:
            named[name] = weight
    weights.named = named
    targets = [target for target, _ in pairs.values()]
    weights.notes.append(
        f"Weight normalisation was computed for {len(targets)} of the weights: "
        f"{', '.join(targets[:4])}{' …' if len(targets) > 4 else ''}."
    )


def parts_of(name: str) -> tuple[str, str] | None:
    """Of a direction's name: the weight's name, and the name of its length."""
    if match := re.fullmatch(r"(.*\.|)parametrizations\.([^.]+)\.original1", name):
        return match[1] + match[2], name[:-1] + "0"
    if match := re.fullmatch(r"((?:.*\.|)weight[^.]*)_v", name):
        return match[1], match[1] + "_g"
    return None


def fits(length: torch.Tensor, direction: torch.Tensor) -> bool:
    """One length for all, or one for each entry of one dimension."""
    if length.ndim == 0:
        return True
    if length.ndim != direction.ndim:
        return False
    longer = [(a, b) for a, b in zip(length.shape, direction.shape, strict=True) if a != 1]
    return len(longer) <= 1 and all(a == b for a, b in longer)


def normalised(length: torch.Tensor, direction: torch.Tensor) -> Weight:
    def make() -> torch.Tensor:
        g, v = (t.float() if t.dtype != torch.float64 else t for t in (length, direction))
        dims = [dim for dim in range(v.ndim) if g.ndim == 0 or g.shape[dim] == 1]
        if dims == list(range(1, v.ndim)):
            weight: torch.Tensor = torch._weight_norm(v, g, 0)  # as both of PyTorch's ways do
            return weight
        norm: torch.Tensor = torch.linalg.vector_norm(v, dim=dims, keepdim=g.ndim > 0)
        return v * (g / norm)

    dtype = torch.float64 if torch.float64 in (length.dtype, direction.dtype) else torch.float32
    return Weight(tuple(direction.shape), dtype, make)


# --------------------------------------------------------------------------------- WeightDrop


def put_raw(weights: Weights) -> None:
    """Let the LSTM inside a WeightDrop have its own names, with the weights before dropout."""
    raw = {name: match for name in weights.named if (match := RAW.fullmatch(name))}
    if not raw:
        return
    owners = {match["owner"] for match in raw.values()}
    named: dict[str, Weight] = {}
    for name, weight in weights.named.items():
        clean = clean_name(name, owners)
        if name in raw or clean not in named:
            named[clean] = weight
    weights.named = named
    weights.notes.append(
        "Dropout of the recurrent weights (WeightDrop, AWD-LSTM) is off: "
        "the weights before dropout are used."
    )


RAW = re.compile(
    r"(?P<owner>(?:.*?\.)??)(?:module\.)?(?P<weight>weight_[ih][hr]_l\d+(?:_reverse)?)_raw"
)


def clean_name(name: str, owners: set[str]) -> str:
    """``rnns.0.weight_hh_l0`` for ``rnns.0.weight_hh_l0_raw`` and for the one in ``module``."""
    if match := RAW.fullmatch(name):
        return match["owner"] + match["weight"]
    owner, found, last = name.rpartition("module.")
    if found and owner in owners and re.fullmatch(r"(weight|bias)_[ih][hr]_l\d+(_reverse)?", last):
        return owner + last
    return name
