"""ε: how often a verification answer is wrong, read where the truth is nearly sure.

A household linked to the CAF is known there but for a false link; from 65 on, a household without incomes is
not entitled, ASPA coming before. What is told to the contrary is mostly a mistake. The shared directory
and the interviews each have their rate: five answers in a hundred turned round put the rate of non-take-up 10
points too high when they are believed (docs/decisions/0009).
"""

from dataclasses import dataclass

import numpy as np

from pipelines.estimation.classes import Floats

PRIOR_WRONG, PRIOR_SURE = 0.5, 25.0
"""Before any answer: one in fifty, anything from none to one in ten."""

MOST_WRONG = 0.3


@dataclass(frozen=True)
class Reliability:
    """Answers whose truth is nearly sure, and those of them told to the contrary beyond what was expected."""

    sure: float = 0.0
    contrary: float = 0.0

    @property
    def mean(self) -> float:
        """ε at its centre; 0 when nobody answered."""
        wrong, right = self._posterior()
        return wrong / (wrong + right) if self.sure else 0.0

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of ε, shape (draws, 1)."""
        drawn: Floats = np.minimum(generator.beta(*self._posterior(), size=(draws, 1)), MOST_WRONG)
        return drawn if self.sure else np.zeros((draws, 1))

    def _posterior(self) -> tuple[float, float]:
        return PRIOR_WRONG + self.contrary, PRIOR_SURE - PRIOR_WRONG + self.sure - self.contrary


def set_right(told: float, asked: float, wrong: float) -> float:
    """How many of ``asked`` would have said yes, had nobody been wrong: ``told`` = ε·no + (1 − ε)·yes."""
    return min(max((told - wrong * asked) / (1 - 2 * wrong), 0.0), asked)
