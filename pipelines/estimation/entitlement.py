"""P(entitled) where incomes are not known: π_A fitted on CAF non-recipients, moved by δ.

logit π(c) = logit π_A(c) + δ0 + δ1·(c2s − ½), with δ ~ N(0,1) × N(0,½²) updated by the verification sample.
Fitting on recipients would leak the answer: the C2S follows from receiving the RSA (CSS L.861-2).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipelines.estimation.classes import C2S_OF_CLASS, CLASSES, DESIGN, Floats

DELTA_PRIOR_SD = np.array([1.0, 0.5])
"""Standard deviations of δ0 and δ1 before any verification answer."""

RIDGE = 0.16
"""Prior precision of regression coefficients (sd 2.5 on the logit scale: Gelman et al. 2008): keeps classes
without any entitled household finite."""

_SHIFT: Floats = np.column_stack([np.ones(CLASSES), C2S_OF_CLASS - 0.5])
_NEWTON_STEPS = 25


@dataclass(frozen=True)
class Regression:
    """Coefficients of π_A (5,) and their covariance (5, 5)."""

    coefficients: Floats
    covariance: Floats

    @property
    def logit(self) -> Floats:
        """Central logit π_A of the classes, shape (1, 12)."""
        centre: Floats = (DESIGN @ self.coefficients)[None, :]
        return centre

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of logit π_A, shape (draws, 12): β ~ N(β̂, V)."""
        betas = generator.multivariate_normal(self.coefficients, self.covariance, size=draws)
        logits: Floats = betas @ DESIGN.T
        return logits


def fit(entitled: Floats, households: Floats) -> Regression:
    """Logistic regression of entitlement on age, C2S and rural, from counts by class (12,)."""
    rate = (entitled.sum() + 0.5) / (households.sum() + 1)
    beta = np.zeros(DESIGN.shape[1])
    beta[0] = np.log(rate / (1 - rate))
    centre, precision = beta.copy(), np.eye(beta.size) * RIDGE
    for _ in range(_NEWTON_STEPS):
        p = expit(DESIGN @ beta)
        information = DESIGN.T @ (DESIGN * (households * p * (1 - p))[:, None]) + precision
        gradient = DESIGN.T @ (entitled - households * p) - precision @ (beta - centre)
        beta = beta + np.clip(np.linalg.solve(information, gradient), -2, 2)
    return Regression(beta, np.linalg.inv(information))


@dataclass(frozen=True)
class Answers:
    """Verified households absent from CAF, by class (12,): how many answered, how many are entitled."""

    households: Floats
    entitled: Floats

    @property
    def count(self) -> float:
        """Number of answers."""
        return float(self.households.sum())


def no_answers() -> Answers:
    """Before any verification."""
    return Answers(np.zeros(CLASSES), np.zeros(CLASSES))


def delta_mode(logit: Floats, answers: Answers) -> tuple[Floats, Floats]:
    """Mode (draws, 2) and covariance (draws, 2, 2) of δ given logit π_A (draws, 12): Laplace's method."""
    prior = np.diag(DELTA_PRIOR_SD**-2)
    delta = np.zeros((logit.shape[0], 2))
    for _ in range(_NEWTON_STEPS):
        p = expit(logit + delta @ _SHIFT.T)
        weights = answers.households * p * (1 - p)
        information = np.einsum("dc,ci,cj->dij", weights, _SHIFT, _SHIFT) + prior
        gradient = (answers.entitled - answers.households * p) @ _SHIFT - delta @ prior
        delta = delta + np.clip(np.linalg.solve(information, gradient[..., None])[..., 0], -2, 2)
    return delta, np.linalg.inv(information)


def draw_delta(logit: Floats, answers: Answers, generator: np.random.Generator) -> Floats:
    """One δ per drawn logit π_A, shape (draws, 2)."""
    mode, covariance = delta_mode(logit, answers)
    noise = generator.standard_normal((logit.shape[0], 2, 1))
    return mode + (np.linalg.cholesky(covariance) @ noise)[..., 0]


def outside_caf(logit: Floats, delta: Floats) -> Floats:
    """π of the households absent from CAF, shape (draws, 12)."""
    probability: Floats = expit(logit + delta @ _SHIFT.T)
    return probability


def without_incomes(logit: Floats, delta: Floats) -> Floats:
    """π of CAF households without monthly incomes (A2): the model of B without δ0, shape (draws, 12)."""
    probability: Floats = expit(logit + np.outer(delta[:, 1], C2S_OF_CLASS - 0.5))
    return probability
