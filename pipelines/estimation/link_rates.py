"""R, r and f: how often a household is linked, by age band, partially pooled.

One value per class makes X negative as soon as audits are small (−3.6 points, measured); one value for
everybody hides that the young and the married are missed more often. Between the two: a Beta posterior for
the whole, and bands drawn towards it.
"""

from dataclasses import dataclass, field, replace
from math import hypot

import numpy as np

from pipelines.estimation.classes import BANDS, Floats

TWO_SIDED = 1.959964
"""Standard errors on each side of an interval at 95 %."""

LEAST_FALSE_LINK_SD = 0.001

HOLD_OUT_PENALTY = 0.03
"""Recall of the NIR hold-out is measured on people whose NIR is known: R is taken 3 points lower, ± 3."""

POOLING = 100.0
"""Answers that the common rate is worth in each band: bands differ by about 2.5 points at a rate of .93."""


def _no_answer() -> Floats:
    return np.zeros(BANDS)


@dataclass(frozen=True)
class PooledRate:
    """A rate per age band: a Beta prior for the common rate, answers counted by band.

    ``trials`` and ``successes`` have shape (3,), in effective answers (weighted counts scaled down by the
    design effect). ``origine`` says in French where the prior comes from.
    """

    prior_mean: float
    prior_sd: float
    origine: str = ""
    successes: Floats = field(default_factory=_no_answer)
    trials: Floats = field(default_factory=_no_answer)

    @property
    def common(self) -> tuple[float, float]:
        """Parameters a, b of the Beta posterior of the rate common to all bands."""
        mean = min(max(self.prior_mean, 1e-4), 1 - 1e-4)
        strength = max(mean * (1 - mean) / self.prior_sd**2 - 1, 1.0)
        missed = self.trials - self.successes
        return mean * strength + self.successes.sum(), (1 - mean) * strength + missed.sum()

    @property
    def mean(self) -> Floats:
        """Posterior mean by band, shape (3,)."""
        a, b = self.common
        return (self.successes + POOLING * a / (a + b)) / (self.trials + POOLING)

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Posterior draws, shape (draws, 3)."""
        common = np.clip(generator.beta(*self.common, size=(draws, 1)), 1e-6, 1 - 1e-6)
        a = self.successes + POOLING * common
        b = self.trials - self.successes + POOLING * (1 - common)
        return np.clip(generator.beta(a, b), 1e-6, 1 - 1e-6)


@dataclass(frozen=True)
class LinkRates:
    """The three rates of the linkage, seen household by household.

    ``entitled`` is R = P(linked | known at both, entitled on CPAM data), ``known`` is r = P(linked | known at
    both), ``absent`` is f = P(linked | absent from CAF).
    """

    entitled: PooledRate
    known: PooledRate
    absent: PooledRate


def household_recall(person_recall: float, one_adult_share: float) -> float:
    """Recall of households from the recall of persons: a couple is linked as soon as one adult is.

    Using the person's rate on households costs −1.6 points (measured).
    """
    couple = 1 - (1 - person_recall) ** 2
    return one_adult_share * person_recall + (1 - one_adult_share) * couple


def unverified(recall: float, low: float, high: float) -> PooledRate:
    """R (or r) from the recall of the NIR hold-out and its interval at 95 %: 3 points lower, ± 3 and more.

    The households the rate is about are linked less often than everybody, by an amount nobody measured; the
    uncertainty of the recall itself is added to that one.
    """
    own = (high - low) / (2 * TWO_SIDED)
    return PooledRate(recall - HOLD_OUT_PENALTY, hypot(HOLD_OUT_PENALTY, own), "NIR cachés, moins 3 points")


def unverified_false_links(rate: float, low: float, high: float) -> PooledRate:
    """f from the links the model would make inside a source, and its interval at 95 %.

    The mean is never under the standard error: a Beta law could not carry the uncertainty of a rarer event.
    """
    own = max(rate, (high - low) / (2 * TWO_SIDED), LEAST_FALSE_LINK_SD)
    return PooledRate(max(rate, own), own, "liens à l'intérieur des fichiers")


def answered(
    prior: PooledRate, outcome: Floats, band: Floats, weight: Floats, part: Floats | None = None
) -> PooledRate:
    """``prior`` updated by audited households: outcome 0/1, age band, weight (inverse fraction).

    ``part``: share of each household that the rate is about, 1 by default.
    """
    kept = np.ones(weight.size) if part is None else part
    successes, trials = np.zeros(BANDS), np.zeros(BANDS)
    for b in range(BANDS):
        w, y = (weight * kept)[band == b], outcome[band == b]
        if w.sum():
            trials[b] = w.sum() ** 2 / (w * weight[band == b]).sum()
            successes[b] = trials[b] * (w * y).sum() / w.sum()
    return replace(prior, successes=successes, trials=trials)
