"""How many households of each stratum to draw."""

import numpy as np
from numpy.typing import NDArray

LEAST = 2
"""Households drawn in each stratum: one alone would say nothing of the differences inside it."""

_HALVINGS = 60

Counts = NDArray[np.int64]


def allocate(population: Counts, available: Counts, size: int) -> Counts:
    """Households to draw per stratum: as the square root of its population (Bankier 1988), ``size`` in all.

    In proportion, the small strata where entitlement is frequent (C2S) would hold too few answers; in equal
    parts, the whole would be badly known. Never more than ``available``; ``LEAST`` in each when there are as
    many and ``size`` allows it.
    """
    size = min(size, int(available.sum()))
    least = np.minimum(available, LEAST)
    if least.sum() > size:
        least = np.zeros_like(available)
    low, high = 0.0, float(size + 1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        wanted = np.clip(middle * np.sqrt(population), least, available)
        low, high = (low, middle) if wanted.sum() > size else (middle, high)
    return _whole(np.clip(low * np.sqrt(population), least, available), available, size)


def _whole(wanted: NDArray[np.float64], available: Counts, size: int) -> Counts:
    """Whole numbers adding up to ``size``: the largest remainders are rounded up."""
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    remainder = np.where(drawn < available, wanted - drawn, -1.0)
    drawn[np.argsort(-remainder, kind="stable")[: size - int(drawn.sum())]] += 1
    return drawn
