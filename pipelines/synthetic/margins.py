"""The published figures the invented territory is held to, and the raking that reaches them."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.calendar import month_number

Array = NDArray[Any]
Rng = np.random.Generator

ROUNDS_OF_RAKING = 60


@cache
def parameters() -> dict[str, dict[str, Any]]:
    """The sections of ``parametres.toml``: each carries its values, their date and their source."""
    text = resources.files("pipelines.synthetic").joinpath("parametres.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def section(name: str) -> dict[str, Any]:
    """One section of the parameters; ``KeyError`` when it does not exist."""
    return parameters()[name]


def dated(values: dict[str, float], month: int) -> float:
    """The value in force in a month (numbered as in ``calendar.month_number``): the last one that began.

    Before the first known value, the first one holds.
    """
    begun = [value for start, value in values.items() if month_number(start) <= month]
    return begun[-1] if begun else next(iter(values.values()))


def rake(features: Array, targets: Array) -> Array:
    """Weights (one per row, positive) whose weighted column sums of ``features`` come to ``targets``.

    Iterative proportional fitting on counts: each round multiplies a row's weight by the shortfall of each
    margin it feeds (Deville and Särndal 1993, raking ratio).
    """
    profiles, profile, size = np.unique(features, axis=0, return_inverse=True, return_counts=True)
    weights = size * targets.sum() / features.sum()
    for _ in range(ROUNDS_OF_RAKING):
        for counts, target in zip(profiles.T, targets, strict=True):
            fed = counts > 0
            weights[fed] *= target / max(weights[fed] @ counts[fed], 1e-9)
    return np.asarray((weights / size)[profile.ravel()])


def shares(weights: list[float] | Array) -> Array:
    """The weights divided by their sum."""
    return np.asarray(np.asarray(weights) / np.sum(weights))


def systematic(rng: Rng, weights: Array, size: int) -> Array:
    """Row numbers of ``size`` draws proportional to ``weights``, evenly spread (systematic sampling)."""
    bounds = np.cumsum(weights) / weights.sum() * size
    return np.searchsorted(bounds, np.arange(size) + rng.random()).clip(0, len(weights) - 1)
