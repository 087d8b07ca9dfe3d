"""Figures by group of households: what is enumerated, plus the group's part of those the CAF file does not
count.

A group has too few households for a correction of its own: it receives its part of X, class by class, read
where the group is seen. The sum over the groups of a dimension is the territory's figure, draw by draw.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Missing, interval

LEAST_NET = 0.1
"""Of the unlinked entitled households of a group, at least this share is absent from the CAF."""

A2_SPREAD = 0.25
"""Relative standard deviation between groups of the entitlement of A2, beyond what CPAM incomes say."""

SMOOTHING = 1.0
"""Households, distributed as the whole, added to each class before its shares are taken."""


@dataclass(frozen=True)
class Sharing:
    """What the shares of X by group are read from, in households by group and class (groups, 12).

    ``seen``: unlinked entitled households, or those that resemble them; ``linked``: linked entitled ones;
    ``missed`` (12,): links expected to be missed for one made. ``other``: a second resemblance, as likely as
    the first: each draw mixes the two in proportions nobody knows. ``spread``: relative standard deviation
    between groups that these counts do not show. A certain sharing has neither noise nor spread.
    """

    seen: Floats
    linked: Floats
    missed: Floats
    spread: float
    other: Floats | None = None
    is_certain: bool = False

    def central(self) -> Floats:
        """Shares of each class, columns adding up to 1; shape (1, groups, 12)."""
        shares = self._shares(self.seen[None], self.linked[None])
        if self.other is None:
            return shares
        return (shares + self._shares(self.other[None], self.linked[None])) / 2

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of the same, shape (draws, groups, 12)."""
        if self.is_certain:
            return np.repeat(self.central(), draws, axis=0)
        size = (draws, *self.seen.shape)
        seen, linked = (generator.poisson(n, size=size).astype(np.float64) for n in (self.seen, self.linked))
        tilt = np.exp(self.spread * generator.standard_normal((draws, self.seen.shape[0], 1)))
        shares = self._shares(seen, linked)
        if self.other is not None:
            other = generator.poisson(self.other, size=size).astype(np.float64)
            part = generator.random((draws, 1, 1))
            shares = part * shares + (1 - part) * self._shares(other, linked)
        return _normalised(shares * tilt)

    def _shares(self, seen: Floats, linked: Floats) -> Floats:
        if self.is_certain:
            return _normalised(seen)
        net = np.maximum(seen - linked * self.missed, LEAST_NET * seen)
        whole = net.sum(axis=2, keepdims=True) + 1e-9
        return _normalised(net + SMOOTHING * whole / whole.sum(axis=1, keepdims=True))


def _normalised(values: Floats) -> Floats:
    total = values.sum(axis=1, keepdims=True)
    shares: Floats = values / np.maximum(total, 1e-12)
    return shares


@dataclass(frozen=True)
class GroupCounts:
    """Enumerated households of each group (groups,), shares of A2 by class (groups, 12), sharing of X.

    ``errors`` (groups,): households simulated entitled in error, and entitled ones missed, for one counted
    (1 − Se): they offset each other over the territory, not in a group.
    """

    takers: Floats
    nontakers: Floats
    s: Floats
    errors: Floats
    a2_share: Floats
    sharing: Sharing


@dataclass(frozen=True)
class GroupEstimates:
    """Central figures of each group (groups,), the non-takers of X and A2 by group and class, drawn rates."""

    eligible: Floats
    nontakers: Floats
    elsewhere: Floats
    drawn_rates: Floats

    @property
    def rate(self) -> Floats:
        """Non-take-up rate of each group, NaN without entitled household."""
        with np.errstate(invalid="ignore", divide="ignore"):
            rate: Floats = self.nontakers / self.eligible
        return rate

    def bounds(self, level: float) -> list[tuple[float, float]]:
        """Interval of the rate of each group."""
        centre = self.nontakers / np.maximum(self.eligible, 1e-9)
        return [interval(self.drawn_rates[:, g], level, float(centre[g])) for g in range(centre.size)]

    def ratio(self, group: int, reference: int, level: float) -> tuple[float, float, float]:
        """Rate of a group divided by that of the reference, and its interval: both move in the same draw."""
        drawn = self.drawn_rates[:, group] / np.maximum(self.drawn_rates[:, reference], 1e-6)
        centre = float(self.rate[group] / max(self.rate[reference], 1e-6))
        return centre, *interval(drawn, level, centre)


def share_out(
    counts: GroupCounts, central: Missing, drawn: Missing, generator: np.random.Generator
) -> GroupEstimates:
    """Corrected figures of every group of a dimension."""
    draws = drawn.coverage.size
    share = counts.sharing.draw(draws, generator)
    elsewhere = central.x[0] * counts.sharing.central()[0] + central.a2[0] * counts.a2_share
    nontakers = counts.nontakers + elsewhere.sum(axis=1)
    found, taken = (misread(n, counts.errors, draws, generator) for n in (counts.nontakers, counts.takers))
    a2_share = _tilted(counts.a2_share, draws, generator)
    elsewhere_drawn = np.einsum("dc,dgc->dg", drawn.x, share) + np.einsum("dc,dgc->dg", drawn.a2, a2_share)
    drawn_nontakers = found + elsewhere_drawn
    drawn_eligible = drawn_nontakers + taken + counts.s / drawn.coverage[:, None]
    return GroupEstimates(
        eligible=nontakers + counts.takers + counts.s / central.coverage[0],
        nontakers=nontakers,
        elsewhere=elsewhere,
        drawn_rates=drawn_nontakers / np.maximum(drawn_eligible, 1e-9),
    )


def _tilted(share: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """Draws of shares whose counts say which households, not how likely each is to be entitled."""
    tilt = np.exp(A2_SPREAD * generator.standard_normal((draws, share.shape[0], 1)))
    return _normalised(share * tilt)


def misread(households: Floats, errors: Floats | float, draws: int, generator: np.random.Generator) -> Floats:
    """Households of each group, some counted in error and as many missed, on average; shape (draws,
    groups)."""
    expected = errors * households
    size = (draws, households.size)
    wrong, missed = generator.poisson(expected, size=size), generator.poisson(expected, size=size)
    read: Floats = np.maximum(households + missed - wrong, 0.0)
    return read
