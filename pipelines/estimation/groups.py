"""Figures below the EPCI: the EPCI's correction shared out by composition, adding up to the EPCI.

A grouping of communes has too few households for a correction of its own. It receives X_c of each class in
proportion to its unlinked households of that class, with the spread between groupings that the CAF file shows
once composition is accounted for. The sum over groups is the EPCI's figure, draw by draw.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Missing, interval

LEAST_SPREAD = 0.15
"""Groups are never taken as more alike than ± 15 % around what composition predicts."""


@dataclass(frozen=True)
class GroupCounts:
    """Enumerated households of each group (groups,), and shares of X and of A2 by class (groups, 12).

    Columns of ``x_share`` and ``a2_share`` add up to 1.
    """

    takers: Floats
    nontakers: Floats
    s: Floats
    x_share: Floats
    a2_share: Floats


@dataclass(frozen=True)
class GroupEstimates:
    """Central figures and intervals of each group, shape (groups,)."""

    eligible: Floats
    nontakers: Floats
    low: Floats
    high: Floats

    @property
    def rate(self) -> Floats:
        """Non-take-up rate of each group, NaN without entitled household."""
        with np.errstate(invalid="ignore", divide="ignore"):
            rate: Floats = self.nontakers / self.eligible
        return rate


def spread_between(observed: Floats, expected: Floats) -> float:
    """Between-group standard deviation (relative) left once composition is accounted for, by moments."""
    excess = ((observed - expected) ** 2).sum() - expected.sum()
    variance = excess / max((expected**2).sum(), 1e-9)
    return max(LEAST_SPREAD, float(np.sqrt(max(variance, 0.0))))


def share_out(
    counts: GroupCounts,
    central: Missing,
    drawn: Missing,
    spread: float,
    level: float,
    generator: np.random.Generator,
) -> GroupEstimates:
    """Corrected figures of every group, benchmarked to the whole."""
    nontakers = counts.nontakers + (central.x @ counts.x_share.T + central.a2 @ counts.a2_share.T)[0]
    eligible = nontakers + counts.takers + counts.s / central.coverage[0]
    drawn_nontakers = counts.nontakers + _drawn(counts, drawn, spread, generator)
    drawn_eligible = drawn_nontakers + counts.takers + counts.s / drawn.coverage[:, None]
    rates = drawn_nontakers / np.maximum(drawn_eligible, 1e-9)
    centre = nontakers / np.maximum(eligible, 1e-9)
    bounds = [interval(rates[:, g], level, float(centre[g])) for g in range(centre.size)]
    low, high = np.array(bounds).reshape(-1, 2).T
    return GroupEstimates(eligible, nontakers, low, high)


def _drawn(counts: GroupCounts, drawn: Missing, spread: float, generator: np.random.Generator) -> Floats:
    expected = drawn.x @ counts.x_share.T + drawn.a2 @ counts.a2_share.T
    tilted = expected * np.exp(spread * generator.standard_normal(expected.shape))
    total = expected.sum(axis=1)
    probabilities = tilted / np.maximum(tilted.sum(axis=1, keepdims=True), 1e-12)
    probabilities[total == 0] = 1 / expected.shape[1]
    return generator.multinomial(np.rint(total).astype(np.int64), probabilities).astype(np.float64)
