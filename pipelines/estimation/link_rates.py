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

LOWEST_COVERAGE = 0.5

_GRID: Floats = (np.arange(1_000) + 0.5) / 1_000


def _no_answer() -> Floats:
    return np.zeros(BANDS)


@dataclass(frozen=True)
class Seen:
    """Entitled CAF households: ``linked`` of ``households``; ``known`` to the CPAM of those ``asked``."""

    linked: float = 0.0
    households: float = 0.0
    known: float = 0.0
    asked: float = 0.0

    @property
    def share(self) -> float:
        """Linked share of them, cov·R; 0 < share < 1."""
        return (self.linked + 0.5) / (self.households + 1)

    def coverage(self, recall: Floats) -> Floats:
        """cov once R is known; 1 when no household was counted."""
        if not self.households:
            return np.ones_like(recall)
        found: Floats = np.clip(self.share / recall, LOWEST_COVERAGE, 1.0)
        return found


@dataclass(frozen=True)
class PooledRate:
    """A rate per age band: a Beta prior for the common rate, answers counted by band.

    ``trials`` and ``successes`` have shape (3,), in effective answers (weighted counts scaled down by the
    design effect). ``origine`` says in French where the prior comes from. ``seen`` ties R to the coverage:
    what is counted without audit is cov·R, so that R is never under the linked share, nor cov above 1.
    """

    prior_mean: float
    prior_sd: float
    origine: str = ""
    successes: Floats = field(default_factory=_no_answer)
    trials: Floats = field(default_factory=_no_answer)
    seen: Seen = field(default_factory=Seen)

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
        if self.seen.households:
            value, probability = self._tied()
            centre = float(value @ probability)
        else:
            a, b = self.common
            centre = a / (a + b)
        return (self.successes + POOLING * centre) / (self.trials + POOLING)

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Posterior draws, shape (draws, 3)."""
        if self.seen.households:
            value, probability = self._tied()
            common = np.interp(generator.random((draws, 1)), probability.cumsum(), value)
        else:
            common = np.clip(generator.beta(*self.common, size=(draws, 1)), 1e-6, 1 - 1e-6)
        a = self.successes + POOLING * common
        b = self.trials - self.successes + POOLING * (1 - common)
        return np.clip(generator.beta(a, b), 1e-6, 1 - 1e-6)

    def _tied(self) -> tuple[Floats, Floats]:
        """Values of the common rate between the linked share and 1, and their probabilities; shapes (1000,).

        The Beta posterior times the audited coverage, cov = share / R having no preference a priori.
        """
        (a, b), seen = self.common, self.seen
        top = min(1.0, seen.share / LOWEST_COVERAGE)
        value = seen.share + (top - seen.share) * _GRID
        unknown = np.log1p(-seen.share / value) * (seen.asked - seen.known)
        log = (a - 2 - seen.known) * np.log(value) + (b - 1) * np.log1p(-value) + unknown
        probability = np.exp(log - log.max())
        return value, probability / probability.sum()


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
