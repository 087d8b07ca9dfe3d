"""How many more verification answers would narrow the interval to ± 3 points."""

from dataclasses import replace

import numpy as np

from pipelines.estimation import entitlement
from pipelines.estimation.classes import Floats, by_band
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence, Parameters, central_parameters, estimate
from pipelines.estimation.instrument import Kappa
from pipelines.estimation.link_rates import PooledRate

TARGET_HALF_WIDTH = 0.03
MOST_ANSWERS = 20_000
_RESOLUTION, _ROUNDING = 25, 1.1
"""A number of answers is told within a tenth, or 25."""


def with_more_answers(evidence: Evidence, answers: float, central: Parameters | None = None) -> Evidence:
    """The same evidence after ``answers`` more answers in each draw, all at their expected value.

    They fall on households in proportion to their number. Those that teach entitlement are, at the CPAM,
    about households absent from the CAF, at the CAF about households whose incomes it does not hold (A2).
    ``central``: the central parameters of ``evidence``, when they are already known.
    """
    central, rates = central or central_parameters(evidence), evidence.rates
    pi, pi_a2 = (entitlement.probability(logit)[0] for logit in (central.outside, central.a2))
    unknown, found = evidence.unknown - evidence.unknown_linked, np.minimum(evidence.u, evidence.known)
    overlooked = np.maximum(evidence.known - evidence.known_linked - found, 0)
    insured, linked = evidence.known + evidence.unknown, evidence.known_linked + evidence.unknown_linked
    at_cpam = answers * np.vstack([unknown, found, overlooked]) / max(insured.sum(), 1.0)
    at_caf = answers * np.vstack([evidence.a2, evidence.a2_found]) / max(linked.sum(), 1.0)
    return replace(
        evidence,
        answers=_more_answers(evidence.answers, at_cpam[0], pi),
        a2_answers=_more_answers(evidence.a2_answers, at_caf[0], pi_a2),
        kappa=_more_on_instrument(evidence.kappa, at_cpam[1], at_cpam[2].sum(), at_caf[1]),
        rates=replace(
            rates,
            entitled=_more(rates.entitled, answers * _share(by_band(evidence.t))),
            known=_more(rates.known, answers * _share(by_band(insured))),
        ),
    )


def _more_answers(known: Answers, households: Floats, probability: Floats) -> Answers:
    return Answers(known.households + households, known.entitled + households * probability)


def _more_on_instrument(kappa: Kappa, found: Floats, not_found: float, found_a2: Floats) -> Kappa:
    """κ after answers about households that CPAM data find entitled, absent from the CAF or of A2."""
    (of_b, of_a2), overlooked = kappa.value(), kappa.overlooked_mean
    worth = float(found.sum()) if not_found else 0.0
    return replace(
        kappa,
        answers=_more_answers(kappa.answers, found, of_b[0] - overlooked),
        answers_a2=_more_answers(kappa.answers_a2, found_a2, of_a2[0] - overlooked),
        told_overlooked=kappa.told_overlooked + worth * overlooked,
        overlooking=kappa.overlooking + worth,
    )


def how_many_more(
    evidence: Evidence, draws: int, level: float, seed: int, target: float = TARGET_HALF_WIDTH
) -> int | None:
    """Answers needed for a half-width of ``target``; 0 when it is reached, None beyond 20 000."""

    central = central_parameters(evidence)

    def is_enough(answers: int) -> bool:
        informed = with_more_answers(evidence, answers, central)
        result = estimate(informed, draws, level, np.random.default_rng(seed))
        return result is not None and result.width / 2 <= target

    if not is_enough(MOST_ANSWERS):
        return None
    if is_enough(0):
        return 0
    low, high = _RESOLUTION, MOST_ANSWERS
    while high > low * _ROUNDING + _RESOLUTION:
        middle = round((low * high) ** 0.5)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _share(values: Floats) -> Floats:
    positive = np.maximum(values, 0)
    total = positive.sum()
    return positive / total if total else np.full(values.shape, 1 / values.size)


def _more(rate: PooledRate, trials: Floats) -> PooledRate:
    return replace(rate, trials=rate.trials + trials, successes=rate.successes + trials * rate.mean)
