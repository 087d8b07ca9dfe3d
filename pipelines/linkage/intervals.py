"""Intervals of counts and shares, at 95 %."""

from itertools import count
from math import ceil, sqrt

from scipy.special import betainc, gammaincinv, pdtr, pdtrik

Bounds = tuple[float, float]

RISK = 0.05
TWO_SIDED = 1.959964
"""Standard errors on each side."""


def wilson(successes: float, trials: float) -> Bounds:
    """Wilson interval of a proportion."""
    if not trials:
        return 0.0, 1.0
    share, z2 = successes / trials, TWO_SIDED * TWO_SIDED
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = TWO_SIDED / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)


def poisson(number: float) -> Bounds:
    """Exact (Garwood) interval of a Poisson mean."""
    low = float(gammaincinv(number, RISK / 2)) if number else 0.0
    return low, float(gammaincinv(number + 1, 1 - RISK / 2))


def counted_at_least(mean: float) -> int:
    """The number a Poisson count of this mean falls under once in forty."""
    return 0 if pdtr(0, mean) >= RISK / 2 else ceil(pdtrik(RISK / 2, mean))


def counted_at_most(mean: float) -> int:
    """The number a Poisson count of this mean exceeds once in forty."""
    return 0 if pdtr(0, mean) >= 1 - RISK / 2 else ceil(pdtrik(1 - RISK / 2, mean))


def counted_again(seen: float, scale: float) -> Bounds:
    """What a count may be where ``scale`` times as many cases are expected as were ``seen`` elsewhere.

    Gamma–Poisson prediction with Jeffreys' prior: an interval of the count itself, not of its mean.
    """
    if scale <= 0:
        return 0.0, 0.0
    none_more = 1 / (1 + scale)
    low, high = (
        next(k for k in count() if betainc(seen + 0.5, k + 1, none_more) >= share)
        for share in (RISK / 2, 1 - RISK / 2)
    )
    return float(low), float(high)
