"""κ: what entitlement on CPAM data is worth, class by class.

    κ_c = P(entitled | entitled on CPAM data, class c) + q
    q = entitled households that CPAM data overlook, per household they find

Both are first read among linked CAF households that receive nothing, where the CAF's data tell; the
households absent from the CAF are others, by an amount nobody measured (± ½ on the logit scale, ± half of q),
until the verified ones say (docs/decisions/0009).
"""

from dataclasses import dataclass, field

import numpy as np

from pipelines.estimation import entitlement
from pipelines.estimation.classes import CLASSES, Floats
from pipelines.estimation.entitlement import Answers, no_answers

SHIFT_PRIOR_SD = np.array([0.5, 0.5, 0.5])
"""How far the households absent from the CAF are from the linked ones, before any answer (logit)."""

MOST_OVERLOOKED = 4.0
"""Weight of q before any answer, in households: a standard deviation of half of q."""


def _zeros() -> Floats:
    return np.zeros(CLASSES)


@dataclass(frozen=True)
class Kappa:
    """Households by class (12,); ``caf_only`` and ``told_overlooked`` are totals.

    ``both``, ``cpam_only``, ``caf_only``: CAF households that receive nothing, entitled on both data, on
    CPAM's only, on CAF's only. ``answers``, ``answers_a2``: verified ones entitled on CPAM data, absent from
    the CAF and of A2. ``told_overlooked``: verified ones absent from the CAF, entitled though CPAM data say
    not; ``overlooking``: how many households found the answers about those not found are worth, n₁/n₀ each.
    """

    both: Floats = field(default_factory=_zeros)
    cpam_only: Floats = field(default_factory=_zeros)
    caf_only: float = 0.0
    answers: Answers = field(default_factory=no_answers)
    answers_a2: Answers = field(default_factory=no_answers)
    told_overlooked: float = 0.0
    overlooking: float = 0.0

    @property
    def found(self) -> Floats:
        """Linked CAF non-recipients entitled on CPAM data, by class (12,)."""
        found: Floats = self.both + self.cpam_only
        return found

    @property
    def overlooked_mean(self) -> float:
        """q at its centre."""
        shape, rate = self._overlooked()
        return shape / rate

    def value(self, wrong: float = 0.0) -> tuple[Floats, Floats]:
        """κ of B and of A2 by class at their centres, shapes (1, 12). ``wrong``: share of wrong answers."""
        logit = entitlement.fit(self.both, self.found).logit
        believed = [self._shift(logit, answers, wrong).mean for answers in (self.answers, self.answers_a2)]
        of_b, of_a2 = (entitlement.probability(entitlement.shifted(logit, shift)) for shift in believed)
        return of_b + self.overlooked_mean, of_a2 + self.overlooked_mean

    def draw(
        self, draws: int, generator: np.random.Generator, wrong: Floats | float = 0.0
    ) -> tuple[Floats, Floats]:
        """Draws of κ of B and of A2 by class, shapes (draws, 12)."""
        logit = entitlement.fit(self.both, self.found).draw(draws, generator)
        drawn = [self._shift(logit, told, wrong).draw(generator) for told in (self.answers, self.answers_a2)]
        shape, rate = self._overlooked()
        overlooked = generator.gamma(shape, 1 / rate, size=(draws, 1))
        of_b, of_a2 = (entitlement.probability(entitlement.shifted(logit, shift)) for shift in drawn)
        return of_b + overlooked, of_a2 + overlooked

    def _shift(self, logit: Floats, answers: Answers, wrong: Floats | float) -> entitlement.Shift:
        return entitlement.unmeasured(logit.shape[0], SHIFT_PRIOR_SD).updated(logit, answers, wrong)

    def _overlooked(self) -> tuple[float, float]:
        """Shape and rate of the Gamma posterior of q."""
        centre = (self.caf_only + 0.5) / (float(self.found.sum()) + 5.0)
        shape = min(self.caf_only + 0.5, MOST_OVERLOOKED)
        return shape + self.told_overlooked, shape / centre + self.overlooking
