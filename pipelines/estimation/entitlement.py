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
_ZEROS, _ONES = np.zeros((CLASSES, 1)), np.ones((CLASSES, 1))
_BOTH_DESIGNS: Floats = np.vstack([np.hstack([DESIGN, _ZEROS]), np.hstack([DESIGN, _ONES])])
_NEWTON_STEPS = 25


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
        beta = beta + np.clip(np.linalg.solve(information, gradient), -2, 2)
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


def shift_mode(logit: Floats, answers: Answers, sd: Floats) -> tuple[Floats, Floats]:
    """Mode (draws, 3) and covariance (draws, 3, 3) of γ or δ given a logit (draws, 12): Laplace's method.

    ``sd``: standard deviations before the answers.
    """
    prior = np.diag(sd**-2)
    shift = np.zeros((logit.shape[0], sd.size))
    for _ in range(_NEWTON_STEPS):
        p = expit(logit + shift @ _SHIFT.T)
        weights = answers.households * p * (1 - p)
        information = np.einsum("dc,ci,cj->dij", weights, _SHIFT, _SHIFT) + prior
        gradient = (answers.entitled - answers.households * p) @ _SHIFT - shift @ prior
        shift = shift + np.clip(np.linalg.solve(information, gradient[..., None])[..., 0], -2, 2)
    return shift, np.linalg.inv(information)


def draw_shift(logit: Floats, answers: Answers, sd: Floats, generator: np.random.Generator) -> Floats:
    """One γ or δ per drawn logit, shape (draws, 3)."""
    mode, covariance = shift_mode(logit, answers, sd)
    noise = generator.standard_normal((*mode.shape, 1))
    return mode + (np.linalg.cholesky(covariance) @ noise)[..., 0]


def shifted(logit: Floats, shift: Floats) -> Floats:
    """logit + shift, by class, shape (draws, 12)."""
    moved: Floats = logit + shift @ _SHIFT.T
    return moved


def probability(logit: Floats) -> Floats:
    """1 / (1 + e^−logit)."""
    found: Floats = expit(logit)
    return found
