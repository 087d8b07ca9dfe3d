"""Households of an invented territory, drawn one by one, and what the three files would count of them."""

from dataclasses import dataclass

import numpy as np

from pipelines.estimation.classes import BAND_OF_CLASS, CLASSES, DESIGN, Floats
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence, Kappa
from pipelines.estimation.link_rates import LinkRates, PooledRate, answered

CLASS_SHARE = np.array([8, 12, 3, 4, 14, 18, 4, 5, 10, 14, 4, 4]) / 100
ENTITLEMENT = 1 / (1 + np.exp(-(DESIGN @ np.array([-2.9, 0.1, -0.2, 1.8, 0.1]))))


@dataclass(frozen=True)
class World:
    """How the invented territory is drawn; ``mnar`` lowers the CAF presence of non-takers (logit)."""

    households: int = 20_000
    takeup: float = 0.7
    mnar: float = 0.0
    mnar_c2s: float = 0.0
    recall: float = 0.94
    recall_entitled: float = 0.93
    false_link: float = 0.01
    seen_at_cpam: float = 0.97
    cpam_finds: float = 0.93
    incomes_known: bool = True


@dataclass(frozen=True)
class Drawn:
    """One territory: its true rate, and what is seen of it."""

    truth: float
    evidence: Evidence


def draw(world: World, generator: np.random.Generator, verified: int = 0) -> Drawn:
    """A territory, its files, and ``verified`` answers in each verification draw."""
    n = world.households
    cls = generator.choice(CLASSES, size=n, p=CLASS_SHARE)
    c2s = DESIGN[cls, 3]
    entitled = generator.random(n) < ENTITLEMENT[cls]
    taker = entitled & (generator.random(n) < world.takeup)
    lean = 0.4 - 0.3 * (DESIGN[cls, 2]) + 0.4 * c2s - entitled * (world.mnar + world.mnar_c2s * c2s)
    in_caf = taker | (generator.random(n) < 1 / (1 + np.exp(-lean)))
    in_cpam = generator.random(n) < world.seen_at_cpam
    found = np.where(entitled, world.recall_entitled, world.recall)
    linked = in_cpam & (generator.random(n) < np.where(in_caf, found, world.false_link))
    on_cpam = np.where(entitled, generator.random(n) < world.cpam_finds, generator.random(n) < 0.002)
    prior = _priors(world)

    def per_class(mask: np.ndarray) -> Floats:
        return np.bincount(cls[mask], minlength=CLASSES).astype(np.float64)

    true_link = linked & in_caf
    nontaker = entitled & ~taker & in_caf
    fitted = true_link & ~taker
    incomes = "known" if world.incomes_known else "unknown"
    pool = {incomes: per_class(in_cpam), f"{incomes}_linked": per_class(linked)}
    rates, answers, coverage = prior, None, (0.0, 0.0)
    if verified:
        rates, answers, coverage = _verify(prior, generator, verified, cls, in_caf, in_cpam, linked, entitled)
    evidence = Evidence(
        rates=rates,
        takers_a1=float(taker.sum()),
        nontakers_a1=float(nontaker.sum()),
        linked_entitled_a1=float((entitled & in_caf & true_link).sum()),
        unclaimed_a1_eur_mois=300.0 * float(nontaker.sum()),
        class_nontakers=per_class(nontaker & true_link),
        class_unclaimed_eur_mois=300.0 * per_class(nontaker & true_link),
        nonrecipients=per_class(fitted),
        nonrecipients_entitled=per_class(fitted & entitled),
        coverage_answers=coverage,
        **({"answers": answers} if answers else {}),
        **(
            _with_incomes(per_class, linked, in_cpam, on_cpam, fitted, entitled)
            if world.incomes_known
            else {}
        ),
        **pool,
    )
    return Drawn(float((entitled & ~taker).sum() / entitled.sum()), evidence)


def _with_incomes(per_class, linked, in_cpam, on_cpam, fitted, entitled):  # type: ignore[no-untyped-def]
    return {
        "u": per_class(in_cpam & ~linked & on_cpam),
        "t": per_class(linked & on_cpam),
        "kappa": Kappa(
            both=float((fitted & entitled & on_cpam).sum()),
            caf_only=float((fitted & entitled & ~on_cpam).sum()),
            cpam_only=float((fitted & ~entitled & on_cpam).sum()),
        ),
    }


def _priors(world: World) -> LinkRates:
    """What a chain without answers would believe: the hold-out reads 3 points too high."""
    return LinkRates(
        entitled=PooledRate(world.recall_entitled, 0.03),
        known=PooledRate(world.recall - 0.005, 0.03),
        absent=PooledRate(0.012, 0.006),
    )


def _verify(prior, generator, n, cls, in_caf, in_cpam, linked, entitled):  # type: ignore[no-untyped-def]
    """A third of the answers among linked CPAM households, two thirds among the others, and n at the CAF."""
    of_linked = _sample(generator, linked, n // 3)
    of_others = _sample(generator, in_cpam & ~linked, n - n // 3)
    weight = np.concatenate(
        [
            np.full(of_linked.size, linked.sum() / of_linked.size),
            np.full(of_others.size, (in_cpam & ~linked).sum() / of_others.size),
        ]
    )
    asked = np.concatenate([of_linked, of_others])
    band, known = BAND_OF_CLASS[cls[asked]], in_caf[asked]
    audit = _sample(generator, in_caf & entitled, n)
    both = audit[in_cpam[audit]]
    outside = of_others[~in_caf[of_others]]
    rates = LinkRates(
        entitled=answered(prior.entitled, linked[both] * 1.0, BAND_OF_CLASS[cls[both]], np.ones(both.size)),
        known=answered(prior.known, linked[asked][known] * 1.0, band[known], weight[known]),
        absent=answered(prior.absent, linked[asked][~known] * 1.0, band[~known], weight[~known]),
    )
    households = np.bincount(cls[outside], minlength=CLASSES).astype(np.float64)
    yes = np.bincount(cls[outside[entitled[outside]]], minlength=CLASSES).astype(np.float64)
    return rates, Answers(households, yes), (float(both.size), float(audit.size))


def _sample(generator: np.random.Generator, mask: np.ndarray, n: int) -> np.ndarray:
    members = np.flatnonzero(mask)
    return generator.choice(members, size=min(n, members.size), replace=False)
