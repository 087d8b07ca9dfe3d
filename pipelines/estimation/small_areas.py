"""Non-take-up area by area: a logistic model of households with an effect of the area, σ not known.

    y_j ~ Binomial(n_j, p_j)   logit p_j = x_j·β + u_a(j)   u_a ~ N(0, σ²)   β ~ N(centre, 2.5²)   σ ~ |N(0,
    1)|

Rows are households that share area and composition (covariates are categories: nothing is lost by grouping).
Three nested steps, nothing left at its most likely value: given β and σ, the effect of each area is
integrated on a grid of its own; β has a normal law around its mode, given σ; σ is summed over a grid, with
its full posterior. An effect is then drawn from its own law, skewed where counts are small, not from a
normal one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit, logsumexp

from pipelines.estimation.classes import Floats

COEFFICIENT_SD = 2.5
"""Weak prior of coefficients on the logit scale (Gelman et al. 2008): keeps empty categories finite."""

SIGMA_PRIOR_SD = 1.0
"""Half-normal prior of σ: at σ = 1, the odds of two communes differ by a factor of 2.7, one way or the
other."""

_SIGMAS: Floats = np.array([0.03, 0.1, 0.18, 0.26, 0.34, 0.42, 0.5, 0.6, 0.72, 0.86, 1.05, 1.3, 1.65, 2.1])
_GRID: Floats = np.linspace(-6.0, 6.0, 25)
"""Places where an effect is looked at, in standard deviations of its posterior around its mode."""

_NEWTON_STEPS = 30
_TOLERANCE = 1e-4
_BISECTIONS = 45

Areas = NDArray[np.int64]


@dataclass(frozen=True)
class Trials:
    """Households grouped by area and composition: arrays of one length (rows,), design (rows, covariates).

    ``area``: index of the area of each row, 0 to ``areas`` − 1; an area without row keeps the prior. The
    first column of the design is the intercept.
    """

    area: Areas
    households: Floats
    successes: Floats
    design: Floats
    areas: int

    def sums(self, values: Floats) -> Floats:
        """Rows added up by area: (rows, columns) into (areas, columns), (rows,) into (areas,)."""
        total: Floats = self._member @ values
        return total

    def scores(self, residuals: Floats) -> Floats:
        """Rows times each covariate, added up by area: (rows, columns) into (areas, columns, covariates)."""
        added = self._covariates @ residuals
        total: Floats = added.reshape(self.areas, -1, residuals.shape[1]).transpose(0, 2, 1)
        return total

    @cached_property
    def _member(self) -> csr_matrix:
        rows = self.area.size
        return csr_matrix((np.ones(rows), (self.area, np.arange(rows))), shape=(self.areas, rows))

    @cached_property
    def _covariates(self) -> csr_matrix:
        """Mostly zeros: a row has one category of each composition. Shape (areas · covariates, rows)."""
        row, column = np.nonzero(self.design)
        count = self.design.shape[1]
        place = self.area[row] * count + column
        return csr_matrix(
            (self.design[row, column], (place, row)), shape=(self.areas * count, self.area.size)
        )


@dataclass(frozen=True)
class _Fit:
    """At one σ: mode of β, its covariance, grid of the effects (areas, grid), log evidence up to a
    constant."""

    sigma: float
    mode: Floats
    covariance: Floats
    effects: Floats
    evidence: float


@dataclass(frozen=True)
class AreaDraws:
    """Draws of the posterior: coefficients (draws, covariates), effects (draws, areas), σ (draws,).

    ``modes``: β at each σ of the grid, to start from when nearly the same trials are fitted.
    """

    coefficients: Floats
    effects: Floats
    sigma: Floats
    modes: Floats

    def probability(self, area: Areas, design: Floats) -> Floats:
        """Probability of rows of that area and composition, shape (draws, rows)."""
        return np.asarray(expit(self.coefficients @ design.T + self.effects[:, area]))


def fit(trials: Trials, draws: int, generator: np.random.Generator, start: Floats | None = None) -> AreaDraws:
    """The posterior of the model, as ``draws`` draws. ``start``: modes of nearly the same trials."""
    fits: list[_Fit] = []
    for k, sigma in enumerate(_SIGMAS):
        near = start[k] if start is not None else fits[-1].mode if fits else _start(trials)
        fits.append(_at(trials, float(sigma), near))
    chosen = generator.choice(_SIGMAS.size, size=draws, p=_sigma_posterior(fits))
    coefficients: Floats = np.empty((draws, trials.design.shape[1]))
    effects: Floats = np.empty((draws, trials.areas))
    for k in np.unique(chosen):
        these = np.flatnonzero(chosen == k)
        drawn = generator.multivariate_normal(fits[k].mode, fits[k].covariance, these.size, method="cholesky")
        coefficients[these], effects[these] = drawn, _draw_effects(trials, fits[k], drawn, generator)
    return AreaDraws(coefficients, effects, _SIGMAS[chosen], np.array([f.mode for f in fits]))


def _start(trials: Trials) -> Floats:
    """β at the overall rate."""
    rate = (trials.successes.sum() + 0.5) / (trials.households.sum() + 1)
    beta: Floats = np.zeros(trials.design.shape[1])
    beta[0] = np.log(rate / (1 - rate))
    return beta


def _sigma_posterior(fits: Sequence[_Fit]) -> Floats:
    """Weights of the grid of σ: evidence × prior × width of the cell."""
    edges = np.concatenate([[0.0], (_SIGMAS[1:] + _SIGMAS[:-1]) / 2, [_SIGMAS[-1] + 0.1]])
    log = np.array([f.evidence for f in fits]) + np.log(np.diff(edges)) - (_SIGMAS / SIGMA_PRIOR_SD) ** 2 / 2
    weights: Floats = np.exp(log - logsumexp(log))
    weights /= weights.sum()
    return weights


def _at(trials: Trials, sigma: float, beta: Floats) -> _Fit:
    """Newton's method on log p(y | β, σ) + log p(β), effects integrated."""
    centre, effects = _start(trials), _grid(trials, sigma, beta)
    value, gradient, information = _objective(trials, sigma, effects, beta, centre)
    for _ in range(_NEWTON_STEPS):
        step = np.linalg.solve(information, gradient)
        if gradient @ step < _TOLERANCE:
            break
        for _half in range(8):
            new = _objective(trials, sigma, effects, beta + step, centre)
            if new[0] >= value:
                break
            step = step / 2
        beta, (value, gradient, information) = beta + step, new
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return _Fit(sigma, beta, covariance, effects, value + float(np.linalg.slogdet(covariance)[1]) / 2)


def _grid(trials: Trials, sigma: float, beta: Floats) -> Floats:
    """Where the effect of each area is looked at: around its mode given β, as wide as it is uncertain."""
    effect, linear = np.zeros(trials.areas), trials.design @ beta
    for _ in range(8):
        p = expit(linear + effect[trials.area])
        gradient = trials.sums(trials.successes - trials.households * p) - effect / sigma**2
        information = trials.sums(trials.households * p * (1 - p)) + 1 / sigma**2
        effect = effect + np.clip(gradient / information, -2 * sigma, 2 * sigma)
    grid: Floats = effect[:, None] + _GRID / np.sqrt(information)[:, None]
    return grid


def _objective(
    trials: Trials, sigma: float, effects: Floats, beta: Floats, centre: Floats
) -> tuple[float, Floats, Floats]:
    """Log posterior of β, its gradient, and minus its curvature (Louis 1982)."""
    x, n = trials.design, trials.households[:, None]
    p, log = _likelihood(trials, (x @ beta)[:, None] + effects[trials.area])
    weight, evidence = _effect_weights(sigma, effects, log)
    scores = trials.scores(trials.successes[:, None] - n * p)
    mean = (weight[:, :, None] * scores).sum(axis=1)
    information_of_rows = np.einsum("jg,jg,jg->j", weight[trials.area], p, 1 - p) * trials.households
    expected = x.T @ (x * information_of_rows[:, None])
    flat = scores.reshape(-1, beta.size)
    between = flat.T @ (flat * weight.reshape(-1, 1)) - mean.T @ mean
    prior = np.eye(beta.size) / COEFFICIENT_SD**2
    information = expected - between + prior
    if np.linalg.eigvalsh(information)[0] <= 0:
        information = expected + prior
    apart = beta - centre
    return evidence - float(apart @ prior @ apart) / 2, mean.sum(axis=0) - prior @ apart, information


def _likelihood(trials: Trials, logit: Floats) -> tuple[Floats, Floats]:
    """Probability of each row at each place of the grid (rows, grid); log likelihood of each area (areas,
    grid)."""
    small = np.exp(-np.abs(logit))
    likely = 1 / (1 + small)
    p = np.where(logit >= 0, likely, small * likely)
    none = np.log(likely) - np.maximum(logit, 0)
    return p, trials.sums(trials.successes[:, None] * logit + trials.households[:, None] * none)


def _effect_weights(sigma: float, effects: Floats, likelihood: Floats) -> tuple[Floats, float]:
    """Posterior of each area's effect on its grid (areas, grid), and the log evidence of all areas."""
    step = effects[:, 1:2] - effects[:, :1]
    log = likelihood - effects**2 / (2 * sigma**2) + np.log(step / sigma)
    most = log.max(axis=1, keepdims=True)
    weight = np.exp(log - most)
    total = weight.sum(axis=1, keepdims=True)
    return weight / total, float((most + np.log(total)).sum())


def _draw_effects(
    trials: Trials, found: _Fit, coefficients: Floats, generator: np.random.Generator
) -> Floats:
    """One effect per draw and area, from its posterior given β and σ: inverse of its distribution
    function."""
    effects: Floats = np.empty((len(coefficients), trials.areas))
    step = found.effects[:, 1] - found.effects[:, 0]
    for d, beta in enumerate(coefficients):
        _, log = _likelihood(trials, (trials.design @ beta)[:, None] + found.effects[trials.area])
        weight, _ = _effect_weights(found.sigma, found.effects, log)
        uniform, within = generator.random((2, trials.areas))
        at = (weight.cumsum(axis=1) < uniform[:, None]).sum(axis=1).clip(max=_GRID.size - 1)
        effects[d] = found.effects[np.arange(trials.areas), at] + step * (within - 0.5)
    return effects


def benchmarked(logit: Floats, households: Floats, total: Floats) -> Floats:
    """Probabilities whose expected number is ``total`` in each draw: every logit of a draw moves alike.

    ``logit`` and ``households`` (draws, areas), ``total`` (draws,) between 0 and their number. One shift for
    the whole territory is what the territory's own estimate says; what areas have between them stays.
    """
    size = households.sum(axis=1)
    wanted = np.clip(total, 1e-6 * size, (1 - 1e-6) * size)
    low, high = np.full(total.size, -30.0), np.full(total.size, 30.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_low = (expit(logit + middle[:, None]) * households).sum(axis=1) < wanted
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
    return np.asarray(expit(logit + ((low + high) / 2)[:, None]))
