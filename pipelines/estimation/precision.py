"""How many more verification answers would narrow the interval to ± 3 points."""

from dataclasses import replace

import numpy as np

from pipelines.estimation import entitlement
from pipelines.estimation.classes import Floats, by_band
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence, central_parameters, estimate
from pipelines.estimation.instrument import Kappa
from pipelines.estimation.link_rates import PooledRate

TARGET_HALF_WIDTH = 0.03
MOST_ANSWERS = 20_000
_RESOLUTION = 25


def with_more_answers(evidence: Evidence, answers: float) -> Evidence:
    """The same evidence after ``answers`` more answers in each draw, all at their expected value.

    They fall on the households absent from the CAF in proportion to their number, incomes known or not.
    """
    pi = entitlement.probability(central_parameters(evidence).outside)[0]
    unknown, found = evidence.unknown - evidence.unknown_linked, np.minimum(evidence.u, evidence.known)
    everybody = _share(np.vstack([unknown, found, evidence.known - evidence.known_linked - found])) * answers
    rates = evidence.rates
    return replace(
        evidence,
        answers=_more_answers(evidence.answers, everybody[0], pi),
        kappa=_more_on_instrument(evidence.kappa, everybody[1], everybody[2].sum()),
        rates=replace(
            rates,
            entitled=_more(rates.entitled, answers * _share(by_band(evidence.t))),
            known=_more(rates.known, answers * _share(by_band(evidence.known + evidence.unknown))),
        ),
    )


def _more_answers(known: Answers, households: Floats, probability: Floats) -> Answers:
    return Answers(known.households + households, known.entitled + households * probability)


def _more_on_instrument(kappa: Kappa, found: Floats, not_found: float) -> Kappa:
    """κ after answers about households that CPAM data find entitled, and about others."""
    centre, overlooked = kappa.value()[0], kappa.overlooked_mean
    worth = not_found * float(found.sum()) / max(not_found, 1e-9)
    return replace(
        kappa,
        answers=_more_answers(kappa.answers, found, centre - overlooked),
        told_overlooked=kappa.told_overlooked + worth * overlooked,
        overlooking=kappa.overlooking + worth,
    )


def how_many_more(
    evidence: Evidence, draws: int, level: float, seed: int, target: float = TARGET_HALF_WIDTH
) -> int | None:
    """Answers needed for a half-width of ``target``; 0 when it is reached, None beyond 20 000."""

    def is_enough(answers: int) -> bool:
        generator = np.random.default_rng(seed)
        result = estimate(with_more_answers(evidence, answers), draws, level, generator)
        return result is not None and result.width / 2 <= target

    if not is_enough(MOST_ANSWERS):
        return None
    low, high = 0, MOST_ANSWERS
    while high - low > _RESOLUTION:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return 0 if is_enough(0) else high


def _share(values: Floats) -> Floats:
    positive = np.maximum(values, 0)
    total = positive.sum()
    return positive / total if total else np.full(values.shape, 1 / values.size)


def _more(rate: PooledRate, trials: Floats) -> PooledRate:
    return replace(rate, trials=rate.trials + trials, successes=rate.successes + trials * rate.mean)
