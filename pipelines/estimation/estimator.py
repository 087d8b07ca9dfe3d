"""The corrected rate of one right and its interval, from counts alone (no table, no file here).

    rate = (N_A + X) / (E_A + S/cov + X)      X = X_B / cov

X_B by two forms: from CPAM incomes where they are known (U, T, κ), by classes where they are not (n, K, π).
Formulas and measured biases of the alternatives: design page « The estimate ».
"""

from dataclasses import dataclass, field

import numpy as np

from pipelines.estimation import entitlement
from pipelines.estimation.classes import CLASSES, Floats, by_band, of_band
from pipelines.estimation.entitlement import Answers, no_answers
from pipelines.estimation.link_rates import LinkRates

KAPPA_PRIOR = 5.0
"""Households entitled on both data added to κ, so that a handful of links cannot move it far from 1."""

AMOUNT_PRIOR = 5.0
"""Households at the overall mean amount added to each class before its own mean is used."""

LOWEST_COVERAGE = 0.5

_OF_INCOMES, _OF_CLASSES = "revenus", "classes"


def _zeros() -> Floats:
    return np.zeros(CLASSES)


@dataclass(frozen=True)
class Kappa:
    """Linked CAF non-recipients, CPAM incomes known: entitled on both data, on CAF's only, on CPAM's only."""

    both: float = 0.0
    caf_only: float = 0.0
    cpam_only: float = 0.0

    def value(self) -> Floats:
        """κ = entitled on CAF data / entitled on CPAM data; shape (1,)."""
        return _kappa(np.array([[self.both, self.caf_only, self.cpam_only]], dtype=np.float64))

    def draw(self, draws: int, generator: np.random.Generator) -> Floats:
        """Poisson draws of κ, shape (draws,)."""
        counts = np.array([self.both, self.caf_only, self.cpam_only])
        return _kappa(generator.poisson(counts, size=(draws, 3)).astype(np.float64))


def _kappa(counts: Floats) -> Floats:
    both, caf_only, cpam_only = counts.T
    ratio: Floats = (both + caf_only + KAPPA_PRIOR) / (both + cpam_only + KAPPA_PRIOR)
    return ratio


@dataclass(frozen=True)
class Evidence:
    """What the three files say about one right in one period, in households; arrays are by class (12,).

    ``takers_a1`` and ``nontakers_a1`` are enumerated in A1, ``takers_a2`` are paid households without monthly
    incomes. ``nonrecipients*`` are the linked CAF non-recipients π_A is fitted on. ``u`` and ``t``: unlinked
    and linked CPAM households entitled on CPAM data. ``known*`` and ``unknown*``: CPAM households with and
    without incomes, total and linked. ``s``: households paid by the MSA. ``coverage_answers``: audited CAF
    entitled households (known at CPAM, asked). Amounts in euros a month.
    """

    rates: LinkRates
    takers_a1: float
    nontakers_a1: float
    linked_entitled_a1: float
    unclaimed_a1_eur_mois: float
    takers_a2: float = 0.0
    s: float = 0.0
    kappa: Kappa = field(default_factory=Kappa)
    coverage_answers: tuple[float, float] = (0.0, 0.0)
    answers: Answers = field(default_factory=no_answers)
    class_nontakers: Floats = field(default_factory=_zeros)
    class_unclaimed_eur_mois: Floats = field(default_factory=_zeros)
    nonrecipients: Floats = field(default_factory=_zeros)
    nonrecipients_entitled: Floats = field(default_factory=_zeros)
    a2: Floats = field(default_factory=_zeros)
    u: Floats = field(default_factory=_zeros)
    t: Floats = field(default_factory=_zeros)
    known: Floats = field(default_factory=_zeros)
    known_linked: Floats = field(default_factory=_zeros)
    unknown: Floats = field(default_factory=_zeros)
    unknown_linked: Floats = field(default_factory=_zeros)

    @property
    def mean_unclaimed_eur_mois(self) -> Floats:
        """Mean amount not claimed by class, drawn towards the overall mean; shape (12,)."""
        overall = self.class_unclaimed_eur_mois.sum() / max(self.class_nontakers.sum(), 1.0)
        total = self.class_unclaimed_eur_mois + AMOUNT_PRIOR * overall
        mean: Floats = total / (self.class_nontakers + AMOUNT_PRIOR)
        return mean


@dataclass(frozen=True)
class Parameters:
    """One value, or one draw per row, of everything that is not enumerated."""

    recall: Floats  # R, (draws, 3)
    known: Floats  # r, (draws, 3)
    absent: Floats  # f, (draws, 3)
    kappa: Floats  # (draws,)
    coverage: Floats  # (draws,)
    logit: Floats  # (draws, 12)
    delta: Floats  # (draws, 2)
    u: Floats  # (draws, 12)
    t: Floats  # (draws, 12)


@dataclass(frozen=True)
class Missing:
    """Non-takers the CAF file does not count as such: X by class and those of A2 by class, (draws, 12)."""

    x: Floats
    a2: Floats
    coverage: Floats


@dataclass(frozen=True)
class Estimate:
    """The corrected figures of one right: central values, interval, and the draws behind it."""

    forme: str
    eligible: float
    nontakers: float
    low: float
    high: float
    euros_mois: float
    central: Missing
    drawn: Missing
    drawn_rate: Floats
    is_verified: bool

    @property
    def rate(self) -> float:
        """Non-take-up rate, 0 to 1."""
        return self.nontakers / self.eligible if self.eligible else float("nan")

    @property
    def width(self) -> float:
        """Width of the interval, 0 to 1."""
        return self.high - self.low


def absent_from_incomes(u: Floats, t: Floats, recall: Floats, absent: Floats, kappa: Floats) -> Floats:
    """X_B = max(0, U − T·(1 − R)/R) · κ / (1 − f), by class; shapes (draws, 12), (draws, 3), (draws,)."""
    missed = t * of_band((1 - recall) / recall)
    return spread((u - missed) * kappa[:, None] / of_band(1 - absent))


def absent_from_classes(
    households: Floats, linked: Floats, known: Floats, absent: Floats, probability: Floats
) -> Floats:
    """X_B = Σ_c B_c·π_c with B_c = n_c − (K_c − f·n_c)/(r_c − f), by class (draws, 12)."""
    r, f = of_band(known), of_band(absent)
    outside = households - (linked - f * households) / np.maximum(r - f, 0.05)
    return spread(outside * probability)


def spread(net: Floats) -> Floats:
    """Non-negative classes adding up to max(0, Σ net): a negative class is paid for by the others."""
    total = np.maximum(net.sum(axis=-1, keepdims=True), 0)
    positive = np.maximum(net, 0)
    share = positive / np.maximum(positive.sum(axis=-1, keepdims=True), 1e-12)
    classes: Floats = total * share
    return classes


def central_parameters(evidence: Evidence) -> Parameters:
    """Everything at its posterior mean or mode, one row."""
    rates, regression = evidence.rates, _regression(evidence)
    recall = rates.entitled.mean[None, :]
    delta, _ = entitlement.delta_mode(regression.logit, evidence.answers)
    return Parameters(
        recall=recall,
        known=rates.known.mean[None, :],
        absent=rates.absent.mean[None, :],
        kappa=evidence.kappa.value(),
        coverage=_coverage(evidence, np.array([evidence.linked_entitled_a1]), recall),
        logit=regression.logit,
        delta=delta,
        u=evidence.u[None, :],
        t=evidence.t[None, :],
    )


def drawn_parameters(evidence: Evidence, draws: int, generator: np.random.Generator) -> Parameters:
    """R, r, f, δ from their posteriors, β ~ N(β̂, V), U, T and κ Poisson; N_A, E_A and S are enumerated."""
    rates = evidence.rates
    recall = rates.entitled.draw(draws, generator)
    logit = _regression(evidence).draw(draws, generator)
    return Parameters(
        recall=recall,
        known=rates.known.draw(draws, generator),
        absent=rates.absent.draw(draws, generator),
        kappa=evidence.kappa.draw(draws, generator),
        coverage=_drawn_coverage(evidence, recall, generator),
        logit=logit,
        delta=entitlement.draw_delta(logit, evidence.answers, generator),
        u=generator.poisson(evidence.u, size=(draws, CLASSES)).astype(np.float64),
        t=generator.poisson(evidence.t, size=(draws, CLASSES)).astype(np.float64),
    )


def _regression(evidence: Evidence) -> entitlement.Regression:
    return entitlement.fit(evidence.nonrecipients_entitled, evidence.nonrecipients)


def _coverage(evidence: Evidence, linked: Floats, recall: Floats) -> Floats:
    """cov = min(1, (entitled of A1 that are linked / R) / E_A1), or the audited share; shape (draws,)."""
    known, asked = evidence.coverage_answers
    if asked:
        return np.full(linked.shape, min(1.0, known / asked))
    entitled = max(evidence.takers_a1 + evidence.nontakers_a1, 1.0)
    shares = by_band(evidence.t) + 1e-9
    common = (recall * shares).sum(axis=1) / shares.sum()
    coverage: Floats = np.clip(linked / common / entitled, LOWEST_COVERAGE, 1.0)
    return coverage


def _drawn_coverage(evidence: Evidence, recall: Floats, generator: np.random.Generator) -> Floats:
    known, asked = evidence.coverage_answers
    if asked:
        audited: Floats = np.maximum(
            generator.beta(known + 0.5, asked - known + 0.5, size=recall.shape[0]), LOWEST_COVERAGE
        )
        return audited
    of_caf = round(max(evidence.takers_a1 + evidence.nontakers_a1, 1.0))
    share = min(evidence.linked_entitled_a1 / of_caf, 1.0)
    linked = np.asarray(generator.binomial(of_caf, share, size=recall.shape[0]), dtype=np.float64)
    return _coverage(evidence, linked, recall)


def form(evidence: Evidence) -> str | None:
    """The form of the estimate: by incomes where CPAM incomes are known, by classes where they are not.

    « mixte » when both are needed. Classes alone, even with answers, stay a last resort: they put
    the rate of RSA six to eight points too high on invented territories (docs/decisions/0005). None when no
    CPAM household can be read.
    """
    has_incomes, has_classes = evidence.known.sum() > 0, evidence.unknown.sum() > 0
    if has_incomes:
        return "mixte" if has_classes else _OF_INCOMES
    return _OF_CLASSES if has_classes else None


def missing(
    evidence: Evidence, parameters: Parameters, forme: str, generator: np.random.Generator | None = None
) -> Missing:
    """X and the non-takers of A2 under one form; with a generator, B, C and A2 are counts drawn from them."""
    x_b = _absent(evidence, parameters, forme)
    pi_a2 = entitlement.without_incomes(parameters.logit, parameters.delta)
    a2 = evidence.a2 * pi_a2
    x_c = x_b * (1 / parameters.coverage - 1)[:, None]
    if generator is not None:
        a2, x_c = generator.poisson(a2).astype(np.float64), generator.poisson(x_c).astype(np.float64)
    return Missing(x_b + x_c, a2, parameters.coverage)


def _absent(evidence: Evidence, p: Parameters, forme: str) -> Floats:
    by_incomes = absent_from_incomes(p.u, p.t, p.recall, p.absent, p.kappa)
    pi = entitlement.outside_caf(p.logit, p.delta)
    unknown = absent_from_classes(evidence.unknown, evidence.unknown_linked, p.known, p.absent, pi)
    known = absent_from_classes(evidence.known, evidence.known_linked, p.known, p.absent, pi)
    if forme == _OF_CLASSES:
        return unknown + known
    return by_incomes + unknown


def counts(evidence: Evidence, found: Missing) -> tuple[Floats, Floats]:
    """Non-takers and entitled households, shapes (draws,): numerator and denominator of the rate."""
    nontakers = evidence.nontakers_a1 + found.a2.sum(axis=1) + found.x.sum(axis=1)
    takers = evidence.takers_a1 + evidence.takers_a2 + evidence.s / found.coverage
    return nontakers, nontakers + takers


def estimate(evidence: Evidence, draws: int, level: float, generator: np.random.Generator) -> Estimate | None:
    """The corrected estimate and its interval. None without CPAM household."""
    forme = form(evidence)
    return None if forme is None else _estimate_form(evidence, forme, draws, level, generator)


def _estimate_form(
    evidence: Evidence, forme: str, draws: int, level: float, generator: np.random.Generator
) -> Estimate:
    central = missing(evidence, central_parameters(evidence), forme)
    drawn = missing(evidence, drawn_parameters(evidence, draws, generator), forme, generator)
    nontakers, eligible = (float(v[0]) for v in counts(evidence, central))
    drawn_nontakers, drawn_eligible = counts(evidence, drawn)
    rates = drawn_nontakers / np.maximum(drawn_eligible, 1e-9)
    low, high = interval(rates, level, nontakers / eligible if eligible else 0.0)
    return Estimate(
        forme=forme,
        eligible=eligible,
        nontakers=nontakers,
        low=low,
        high=high,
        euros_mois=unclaimed_eur_mois(evidence, central),
        central=central,
        drawn=drawn,
        drawn_rate=rates,
        is_verified=bool(evidence.answers.count and evidence.rates.entitled.trials.sum()),
    )


def interval(drawn: Floats, level: float, central: float) -> tuple[float, float]:
    """Percentiles of the draws, opened to the central value when it falls outside."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return min(float(low), central), max(float(high), central)


def unclaimed_eur_mois(evidence: Evidence, found: Missing) -> float:
    """Σ of A1's unclaimed amounts + the others × mean unclaimed amount of their class, € a month."""
    others = found.x[0] + found.a2[0]
    return evidence.unclaimed_a1_eur_mois + float(others @ evidence.mean_unclaimed_eur_mois)


def naive_counts(evidence: Evidence) -> tuple[float, float]:
    """What a plain linkage gives: every unlinked household entitled on CPAM data is a non-taker."""
    nontakers = evidence.nontakers_a1 + float(evidence.u.sum())
    return nontakers, nontakers + evidence.takers_a1


def observed_counts(evidence: Evidence) -> tuple[float, float]:
    """A1 alone: the CAF file and nothing else."""
    return evidence.nontakers_a1, evidence.nontakers_a1 + evidence.takers_a1


def specificity_ratio(nontakers: float, nonrecipients: float, specificity: float) -> float:
    """Share of simulated non-takers that are true if P(simulated not entitled | not entitled) is this.

    Specificity is not identified by these files: this is a bound, published as such. ``nonrecipients`` counts
    the CAF households not paid, entitled or not.
    """
    true = (nontakers - (1 - specificity) * nonrecipients) / specificity
    return min(1.0, max(0.0, true / nontakers)) if nontakers else 1.0


def rate_at_specificity(
    result: Estimate, evidence: Evidence, nonrecipients: float, sp: float
) -> float | None:
    """The corrected rate if false entitlements are as frequent as ``sp`` allows, in A1 as in B."""
    kept = specificity_ratio(evidence.nontakers_a1, nonrecipients, sp) * result.nontakers
    entitled = result.eligible - result.nontakers + kept
    return kept / entitled if entitled > 0 else None
