"""P(entitled) where incomes are not known at the CPAM: π_A moved by γ, then by δ.

    logit π(c) = logit π_A(c) + γ(c) + δ(c)      γ(c), δ(c) = constant + slope·(c2s − ½) + slope·(65 and over)

π_A is fitted on CAF households that receive nothing: fitting on recipients would leak the answer, since the
C2S follows from receiving the RSA (CSS L.861-2). γ is how much more or less often the households of a stratum
whose CPAM incomes are known are entitled on CPAM data than those π_A is fitted on. δ is what nobody measured:
± ½ on the logit scale, until the verification sample says (docs/decisions/0009).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipelines.estimation.classes import BAND_OF_CLASS, BANDS, C2S_OF_CLASS, CLASSES, DESIGN, Floats

GAMMA_PRIOR_SD = np.array([1.0, 0.5, 1.0])
"""Standard deviations of γ before any household of known incomes is counted."""

DELTA_PRIOR_SD = np.array([0.5, 0.5, 0.5])
"""Standard deviations of δ before any verification answer."""

RIDGE = 0.16
"""Prior precision of regression coefficients (sd 2.5 on the logit scale: Gelman et al. 2008): keeps classes
without any entitled household finite."""

KNOWN_RIDGE = 1.0
"""Prior precision of the difference between households of known and unknown CPAM incomes (sd 1)."""

_SHIFT: Floats = np.column_stack(
    [np.ones(CLASSES), C2S_OF_CLASS - 0.5, (BAND_OF_CLASS == BANDS - 1).astype(np.float64)]
)
_SQUARES: Floats = np.einsum("ci,cj->cij", _SHIFT, _SHIFT).reshape(CLASSES, -1)
_ZEROS, _ONES = np.zeros((CLASSES, 1)), np.ones((CLASSES, 1))
_BOTH_DESIGNS: Floats = np.vstack([np.hstack([DESIGN, _ZEROS]), np.hstack([DESIGN, _ONES])])
_NEWTON_STEPS, _SMALLEST_STEP = 25, 1e-9


@dataclass(frozen=True)
class Regression:
    """Coefficients of π_A and their covariance; the first five are those of the classes."""

    coefficients: Floats
    covariance: Floats

    @property
    def logit(self) -> Floats:
        """Central logit π_A of the classes, shape (1, 12)."""
        return _logits(self.coefficients[None, :])

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of logit π_A, shape (draws, 12): β ~ N(β̂, V)."""
        return _logits(generator.multivariate_normal(self.coefficients, self.covariance, size=draws))


def _logits(betas: Floats) -> Floats:
    logits: Floats = betas[:, : DESIGN.shape[1]] @ DESIGN.T
    return logits


def fit(entitled: Floats, households: Floats) -> Regression:
    """Logistic regression of entitlement on age, C2S and rural, from counts by class (12,)."""
    return _fit(entitled, households, DESIGN, np.full(DESIGN.shape[1], RIDGE))


def fit_unknown(entitled: Floats, households: Floats) -> Regression:
    """The same for households whose CPAM incomes are unknown, from counts (2, 12): unknown, then known.

    Those of known incomes only say how classes differ: they are the poorer ones.
    """
    precision = np.append(np.full(DESIGN.shape[1], RIDGE), KNOWN_RIDGE)
    return _fit(entitled.ravel(), households.ravel(), _BOTH_DESIGNS, precision)


def _fit(entitled: Floats, households: Floats, design: Floats, ridge: Floats) -> Regression:
    rate = (entitled.sum() + 0.5) / (households.sum() + 1)
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(rate / (1 - rate))
    centre, precision = beta.copy(), np.diag(ridge)
    for _ in range(_NEWTON_STEPS):
        p = expit(design @ beta)
        information = design.T @ (design * (households * p * (1 - p))[:, None]) + precision
        gradient = design.T @ (entitled - households * p) - precision @ (beta - centre)
        step = np.clip(np.linalg.solve(information, gradient), -2, 2)
        beta = beta + step
        if np.abs(step).max() < _SMALLEST_STEP:
            break
    return Regression(beta, np.linalg.inv(information))


@dataclass(frozen=True)
class Answers:
    """Households by class (12,): how many were looked at, how many of them are entitled."""

    households: Floats
    entitled: Floats

    @property
    def count(self) -> float:
        """Number of answers."""
        return float(self.households.sum())


def no_answers() -> Answers:
    """Before any verification."""
    return Answers(np.zeros(CLASSES), np.zeros(CLASSES))


@dataclass(frozen=True)
class Shift:
    """What is believed of γ, δ or their sum, per draw: mean (draws, 3) and covariance (draws, 3, 3)."""

    mean: Floats
    covariance: Floats

    def updated(self, logit: Floats, answers: Answers, wrong: Floats | float = 0.0) -> "Shift":
        """The same once ``answers`` are read, given a logit (draws, 12): Laplace's method.

        ``wrong``: share of the answers that are, (draws, 1); one is told with probability ε + (1 − 2ε)·p.
        """
        prior = np.linalg.inv(self.covariance)
        mean = self.mean
        for _ in range(_NEWTON_STEPS):
            p = expit(logit + mean @ _SHIFT.T)
            told = wrong + (1 - 2 * wrong) * p
            slope = (1 - 2 * wrong) * p * (1 - p)
            weight = slope / np.maximum(told * (1 - told), 1e-12)
            information = (answers.households * slope * weight @ _SQUARES).reshape(prior.shape) + prior
            pull = np.einsum("dij,dj->di", prior, mean - self.mean)
            gradient = (weight * (answers.entitled - answers.households * told)) @ _SHIFT - pull
            step = np.clip(np.linalg.solve(information, gradient[..., None])[..., 0], -2, 2)
            mean = mean + step
            if np.abs(step).max() < _SMALLEST_STEP:
                break
        return Shift(mean, np.linalg.inv(information))

    def widened(self, sd: Floats) -> "Shift":
        """The sum with a shift nobody measured, of mean 0 and standard deviations ``sd`` (3,)."""
        return Shift(self.mean, self.covariance + np.diag(sd**2))

    def draw(self, generator: np.random.Generator) -> Floats:
        """One shift per draw, shape (draws, 3)."""
        noise = generator.standard_normal((*self.mean.shape, 1))
        return self.mean + (np.linalg.cholesky(self.covariance) @ noise)[..., 0]


def unmeasured(draws: int, sd: Floats) -> Shift:
    """A shift nobody measured: mean 0, standard deviations ``sd`` (3,)."""
    mean = np.zeros((draws, sd.size))
    return Shift(mean, np.tile(np.diag(sd**2), (draws, 1, 1)))


def shifted(logit: Floats, shift: Floats) -> Floats:
    """logit + shift, by class, shape (draws, 12)."""
    moved: Floats = logit + shift @ _SHIFT.T
    return moved


def probability(logit: Floats) -> Floats:
    """1 / (1 + e^−logit)."""
    found: Floats = expit(logit)
    return found
