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

SMOOTHING = 1.0
"""Households, distributed as the whole, added to each class before its shares are taken."""


@dataclass(frozen=True)
class Sharing:
    """What shares by group are read from, in households by group and class (groups, 12).

    ``seen``: households expected to be entitled, or those that resemble them; ``spread`` (groups,): relative
    standard deviation between groups that these counts do not show; ``missed``: those among them that the CAF
    knows, links being missed. ``other``: a second resemblance, as likely as the first: each draw mixes the
    two in proportions nobody knows. A certain sharing has neither noise nor spread.
    """

    seen: Floats
    spread: Floats
    missed: Floats | None = None
    other: Floats | None = None
    is_certain: bool = False

    def central(self) -> Floats:
        """Shares of each class, columns adding up to 1; shape (groups, 12)."""
        if self.is_certain:
            return _normalised(self.seen)
        shares = _smoothed(_net(self.seen, self.missed))
        return shares if self.other is None else (shares + _smoothed(self.other)) / 2

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of the same, shape (draws, groups, 12)."""
        if self.is_certain:
            return np.repeat(self.central()[None], draws, axis=0)

        def drawn(expected: Floats) -> Floats:
            return generator.poisson(expected, size=(draws, *expected.shape)).astype(np.float64)

        missed = None if self.missed is None else drawn(self.missed)
        shares = _smoothed(_net(drawn(self.seen), missed))
        tilt = np.exp(self.spread[:, None] * generator.standard_normal((draws, self.spread.size, 1)))
        if self.other is not None:
            part = generator.random((draws, 1, 1))
            shares = part * shares + (1 - part) * _smoothed(drawn(self.other))
        return _normalised(shares * tilt)


def _net(seen: Floats, missed: Floats | None) -> Floats:
    return seen if missed is None else np.maximum(seen - missed, LEAST_NET * seen)


def _smoothed(households: Floats) -> Floats:
    """Shares of each class, drawn towards those of all classes together."""
    whole = households.sum(axis=-1, keepdims=True) + 1e-9
    return _normalised(households + SMOOTHING * whole / whole.sum(axis=-2, keepdims=True))


def _normalised(values: Floats) -> Floats:
    total = values.sum(axis=-2, keepdims=True)
    shares: Floats = values / np.maximum(total, 1e-12)
    return shares


@dataclass(frozen=True)
class GroupCounts:
    """Enumerated households of each group (groups,), and how those of A2 and X are shared out.

    ``errors`` (groups,): households simulated entitled in error, and entitled ones missed, for one counted
    (1 − Se): they offset each other over the territory, not in a group.
    """

    takers: Floats
    nontakers: Floats
    s: Floats
    errors: Floats
    a2: Sharing
    x: Sharing


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
    elsewhere = central.x[0] * counts.x.central() + central.a2[0] * counts.a2.central()
    nontakers, draws = counts.nontakers + elsewhere.sum(axis=1), drawn.coverage.size
    found, taken = (misread(n, counts.errors, draws, generator) for n in (counts.nontakers, counts.takers))
    of_x, of_a2 = (
        households(missing, sharing.draw(draws, generator), generator)
        for missing, sharing in ((drawn.x, counts.x), (drawn.a2, counts.a2))
    )
    drawn_nontakers = found + of_x + of_a2
    drawn_eligible = drawn_nontakers + taken + counts.s / drawn.coverage[:, None]
    return GroupEstimates(
        eligible=nontakers + counts.takers + counts.s / central.coverage[0],
        nontakers=nontakers,
        elsewhere=elsewhere,
        drawn_rates=drawn_nontakers / np.maximum(drawn_eligible, 1e-9),
    )


def households(missing: Floats, share: Floats, generator: np.random.Generator) -> Floats:
    """Households of each group (draws, groups): of half a household expected, there is often none.

    ``missing`` (draws, 12), ``share`` (draws, groups, 12). Each household is in one group; so is what each
    class has beyond whole ones. Draw by draw groups add up to ``missing``, but for classes without group.
    """
    parts = np.moveaxis(share, 1, 2)
    nowhere = np.maximum(1 - parts.sum(axis=2, keepdims=True), 0.0)
    chances, whole = np.concatenate([parts, nowhere], axis=2), np.floor(missing)
    each, left = (generator.multinomial(n.astype(np.int64), chances) for n in (whole, np.ones_like(whole)))
    counted: Floats = (each + left * (missing - whole)[:, :, None])[:, :, :-1].sum(axis=1)
    return counted


def misread(households: Floats, errors: Floats | float, draws: int, generator: np.random.Generator) -> Floats:
    """Households of each group, some counted in error and as many missed, on average; shape (draws,
    groups)."""
    expected = errors * households
    size = (draws, households.size)
    wrong, missed = generator.poisson(expected, size=size), generator.poisson(expected, size=size)
    read: Floats = np.maximum(households + missed - wrong, 0.0)
    return read
