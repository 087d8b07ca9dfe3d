"""The corrected rate of one right and its interval, from counts alone (no table, no file here).

    rate = (N_A + X) / (E_A + S/cov + X)      X = X_B · (1 + odds of being absent from the CPAM too)

X_B is a sum: from CPAM incomes where they are known (U, T, κ), by classes where they are not (n, K, π).
Formulas and measured biases of the alternatives: docs/decisions/0005 and 0009.
"""

from dataclasses import dataclass, field

import numpy as np

from pipelines.estimation import entitlement
from pipelines.estimation.classes import CLASSES, Floats, by_band, of_band
from pipelines.estimation.entitlement import DELTA_PRIOR_SD, GAMMA_PRIOR_SD, Answers, no_answers
from pipelines.estimation.instrument import Kappa
from pipelines.estimation.link_rates import LinkRates
from pipelines.estimation.reliability import Reliability

AMOUNT_PRIOR = 5.0
"""Households at the overall mean amount added to each class before its own mean is used."""

ABSENCE_PRIOR_SD = 0.5
"""Households absent from the CAF may be unknown to the CPAM more, or less, often than those of the CAF.

By how much, nobody measured: standard deviation of the log odds."""


def _zeros() -> Floats:
    return np.zeros(CLASSES)


def _two_rows() -> Floats:
    return np.zeros((2, CLASSES))


@dataclass(frozen=True)
class Evidence:
    """What the three files say about one right in one period, in households; arrays are by class (12,).

    ``takers_a1`` and ``nontakers_a1`` are enumerated in A1, ``takers_a2`` are paid households without monthly
    incomes. ``sensitivity``: Se, the share of the paid that are simulated entitled. ``nonrecipients*``: the
    CAF households that receive nothing and π_A is fitted on, of unknown then of known CPAM incomes (2, 12).
    ``a2``: the other households of A2, CPAM incomes unknown; ``a2_known`` and ``a2_found``: CPAM incomes
    known, and entitled on CPAM data. ``u`` and ``t``: unlinked and linked CPAM households entitled on CPAM
    data. ``known*`` and ``unknown*``: CPAM households with and without incomes, total and linked. ``s``:
    households paid by the MSA.
    ``answers``: verified households absent from the CAF, incomes unknown (those of known incomes move κ);
    ``a2_answers``: those of A2. ``reliability``: of answers about entitlement; ``directory``: of those about
    who knows whom. Amounts in euros a month.
    """

    rates: LinkRates
    takers_a1: float
    nontakers_a1: float
    unclaimed_a1_eur_mois: float
    takers_a2: float = 0.0
    sensitivity: float = 1.0
    s: float = 0.0
    kappa: Kappa = field(default_factory=Kappa)
    answers: Answers = field(default_factory=no_answers)
    reliability: Reliability = field(default_factory=Reliability)
    directory: Reliability = field(default_factory=Reliability)
    class_nontakers: Floats = field(default_factory=_zeros)
    class_unclaimed_eur_mois: Floats = field(default_factory=_zeros)
    nonrecipients: Floats = field(default_factory=_two_rows)
    nonrecipients_entitled: Floats = field(default_factory=_two_rows)
    a2: Floats = field(default_factory=_zeros)
    a2_known: Floats = field(default_factory=_zeros)
    a2_found: Floats = field(default_factory=_zeros)
    a2_answers: Answers = field(default_factory=no_answers)
    u: Floats = field(default_factory=_zeros)
    t: Floats = field(default_factory=_zeros)
    known: Floats = field(default_factory=_zeros)
    known_linked: Floats = field(default_factory=_zeros)
    unknown: Floats = field(default_factory=_zeros)
    unknown_linked: Floats = field(default_factory=_zeros)

    @property
    def answered(self) -> float:
        """Verified households absent from the CAF whose entitlement was told."""
        return self.answers.count + self.kappa.answers.count

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
    kappa: Floats  # of B, (draws, 12)
    kappa_a2: Floats  # (draws, 12)
    coverage: Floats  # of the entitled CAF households at the CPAM, (draws,)
    absence: Floats  # odds that the CPAM does not know a household absent from the CAF, (draws,)
    shift: Floats  # γ + δ of B, (draws, 3)
    outside: Floats  # logit π of B without incomes, (draws, 12)
    a2: Floats  # logit π of A2 without incomes on either side, (draws, 12)
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
    """X_B = max(0, U − T·(1 − R)/R) · κ / (1 − f/R), by class; shapes (draws, 12), rates (draws, 3).

    U = (1 − f)·B + (1 − R)·K and T = f·B + R·K solved for B: false links also swell T, hence f/R.
    """
    missed = t * of_band((1 - recall) / recall)
    return spread((u - missed) * kappa / of_band(1 - absent / recall))


def absent_from_classes(
    households: Floats, linked: Floats, known: Floats, absent: Floats, probability: Floats
) -> Floats:
    """X_B = Σ_c B_c·π_c with B_c = n_c − (K_c − f·n_c)/(r_c − f), by class (draws, 12)."""
    return spread(_outside(households, linked, of_band(known), of_band(absent)) * probability)


def _outside(households: Floats, linked: Floats, known: Floats, absent: Floats) -> Floats:
    outside: Floats = households - (linked - absent * households) / np.maximum(known - absent, 0.05)
    return outside


def spread(net: Floats) -> Floats:
    """Non-negative classes adding up to max(0, Σ net): a negative class is paid for by the others."""
    total = np.maximum(net.sum(axis=-1, keepdims=True), 0)
    positive = np.maximum(net, 0)
    share = positive / np.maximum(positive.sum(axis=-1, keepdims=True), 1e-12)
    classes: Floats = total * share
    return classes


def central_parameters(evidence: Evidence) -> Parameters:
    """Everything at its posterior mean or mode, one row."""
    rates, logit = evidence.rates, _regression(evidence).logit
    recall = rates.entitled.mean[None, :]
    known_there, wrong = _known_comparables(evidence).logit, np.full((1, 1), evidence.reliability.mean)
    of_b, of_a2 = (believed.mean for believed in _shifts(evidence, logit, known_there, wrong))
    kappa, kappa_a2 = evidence.kappa.value(evidence.reliability.mean)
    coverage = _coverage(evidence, recall)
    return Parameters(
        recall=recall,
        known=rates.known.mean[None, :],
        absent=rates.absent.mean[None, :],
        kappa=kappa,
        kappa_a2=kappa_a2,
        coverage=coverage,
        absence=1 / coverage - 1,
        shift=of_b,
        outside=entitlement.shifted(logit, of_b),
        a2=entitlement.shifted(logit, of_a2),
        u=evidence.u[None, :],
        t=evidence.t[None, :],
    )


def drawn_parameters(evidence: Evidence, draws: int, generator: np.random.Generator) -> Parameters:
    """R, r, f, γ, δ from their posteriors, β ~ N(β̂, V), U, T Poisson; N_A1, E_A1 and S are enumerated."""
    rates = evidence.rates
    recall = rates.entitled.draw(draws, generator)
    logit = _regression(evidence).draw(draws, generator)
    known_there = _known_comparables(evidence).draw(draws, generator)
    wrong = evidence.reliability.draw(draws, generator)
    of_b, of_a2 = (believed.draw(generator) for believed in _shifts(evidence, logit, known_there, wrong))
    kappa, kappa_a2 = evidence.kappa.draw(draws, generator, wrong)
    coverage = _coverage(evidence, recall)
    return Parameters(
        recall=recall,
        known=rates.known.draw(draws, generator),
        absent=rates.absent.draw(draws, generator),
        kappa=kappa,
        kappa_a2=kappa_a2,
        coverage=coverage,
        absence=(1 / coverage - 1) * np.exp(ABSENCE_PRIOR_SD * generator.standard_normal(draws)),
        shift=of_b,
        outside=entitlement.shifted(logit, of_b),
        a2=entitlement.shifted(logit, of_a2),
        u=generator.poisson(evidence.u, size=(draws, CLASSES)).astype(np.float64),
        t=generator.poisson(evidence.t, size=(draws, CLASSES)).astype(np.float64),
    )


def _shifts(
    evidence: Evidence, logit: Floats, known_there: Floats, wrong: Floats
) -> tuple[entitlement.Shift, entitlement.Shift]:
    """γ + δ of B and of A2: first what CPAM incomes say of each, then what was verified."""
    nothing = entitlement.unmeasured(logit.shape[0], GAMMA_PRIOR_SD)
    of_b = nothing.updated(known_there, _known_outside(evidence)).widened(DELTA_PRIOR_SD)
    found = Answers(evidence.a2_known, evidence.a2_found)
    of_a2 = nothing.updated(known_there, found).widened(DELTA_PRIOR_SD)
    return of_b.updated(logit, evidence.answers, wrong), of_a2.updated(logit, evidence.a2_answers, wrong)


def _regression(evidence: Evidence) -> entitlement.Regression:
    """π_A of households whose CPAM incomes are unknown, on CAF data."""
    return entitlement.fit_unknown(evidence.nonrecipients_entitled, evidence.nonrecipients)


def _known_comparables(evidence: Evidence) -> entitlement.Regression:
    """The same households where their CPAM incomes are known, on CPAM data: what γ is measured from."""
    return entitlement.fit(evidence.kappa.found, evidence.nonrecipients[1])


def _known_outside(evidence: Evidence) -> Answers:
    """Households of B with known incomes and how many are entitled on CPAM data, missed links taken out."""
    rates = evidence.rates
    recall, known, absent = (of_band(rate.mean) for rate in (rates.entitled, rates.known, rates.absent))
    entitled = np.maximum(evidence.u - evidence.t * (1 - recall) / recall, 0)
    households = _outside(evidence.known, evidence.known_linked, known, absent)
    return Answers(np.maximum(households, entitled), entitled)


def _coverage(evidence: Evidence, recall: Floats) -> Floats:
    """cov = linked share of the entitled CAF households / R; shape (draws,)."""
    shares = by_band(evidence.t) + 1e-9
    return evidence.rates.entitled.seen.coverage((recall * shares).sum(axis=1) / shares.sum())


def form(evidence: Evidence) -> str | None:
    """The form of the estimate: by incomes where CPAM incomes are known, by classes where they are not.

    « mixte » when both are needed (docs/decisions/0005). None when no CPAM household can be read.
    """
    has_incomes, has_classes = evidence.known.sum() > 0, evidence.unknown.sum() > 0
    if has_incomes:
        return "mixte" if has_classes else "revenus"
    return "classes" if has_classes else None


def missing(
    evidence: Evidence, parameters: Parameters, generator: np.random.Generator | None = None
) -> Missing:
    """X and the non-takers of A2; with a generator, what π and cov give are counts drawn from them."""

    def drawn(expected: Floats) -> Floats:
        return expected if generator is None else generator.poisson(expected).astype(np.float64)

    by_incomes, by_classes = absent(evidence, parameters)
    x_b = by_incomes + drawn(by_classes)
    x_c = x_b * parameters.absence[:, None]
    a2 = evidence.a2_found * parameters.kappa_a2 + evidence.a2 * entitlement.probability(parameters.a2)
    return Missing(x_b + drawn(x_c), drawn(a2), parameters.coverage)


def absent(evidence: Evidence, p: Parameters) -> tuple[Floats, Floats]:
    """X_B where CPAM incomes are known, and where they are not; by class (draws, 12)."""
    pi = entitlement.probability(p.outside)
    return (
        absent_from_incomes(p.u, p.t, p.recall, p.absent, p.kappa),
        absent_from_classes(evidence.unknown, evidence.unknown_linked, p.known, p.absent, pi),
    )


def middle(drawn: Missing) -> Missing:
    """The centre of the draws, one row: the median of each total, shared between classes as on average.

    Not the value at the centre of every parameter: the centre of a logit gives less than the middle of a rare
    probability. Nor the mean: a shift nobody measured would raise it as much as it is uncertain (measured,
    docs/decisions/0009).
    """
    return Missing(_middle(drawn.x), _middle(drawn.a2), np.median(drawn.coverage, keepdims=True))


def _middle(classes: Floats) -> Floats:
    mean = classes.mean(axis=0, keepdims=True)
    middle: Floats = mean * float(np.median(classes.sum(axis=1))) / max(float(mean.sum()), 1e-12)
    return middle


def counts(evidence: Evidence, found: Missing) -> tuple[Floats, Floats]:
    """Non-takers and entitled households, shapes (draws,): numerator and denominator of the rate."""
    nontakers = evidence.nontakers_a1 + found.a2.sum(axis=1) + found.x.sum(axis=1)
    takers = evidence.takers_a1 + evidence.takers_a2 + evidence.s / found.coverage
    return nontakers, nontakers + takers


def estimate(evidence: Evidence, draws: int, level: float, generator: np.random.Generator) -> Estimate | None:
    """The corrected estimate and its interval. None without CPAM household."""
    forme = form(evidence)
    if forme is None:
        return None
    drawn = missing(evidence, drawn_parameters(evidence, draws, generator), generator)
    central = middle(drawn)
    nontakers, eligible = (float(v[0]) for v in counts(evidence, central))
    drawn_nontakers, drawn_eligible = _misread(evidence, *counts(evidence, drawn), generator)
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
        is_verified=bool(evidence.answered and evidence.rates.entitled.trials.sum()),
    )


def _misread(
    evidence: Evidence, nontakers: Floats, eligible: Floats, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """The same counts, with the households of A1 that the simulation reads wrong.

    Of the paid ones, 1 − Se are simulated not entitled; as many others are taken for entitled. What remains
    of these mistakes once they offset each other has their square root for standard deviation.
    """
    wrong = (1 - evidence.sensitivity) / max(evidence.sensitivity, 0.1)
    enumerated = np.array([evidence.nontakers_a1, evidence.takers_a1])
    left = np.sqrt(wrong * enumerated)[:, None] * generator.standard_normal((2, nontakers.size))
    kept = np.maximum(nontakers + left[0], 0.0)
    return kept, np.maximum(eligible - nontakers + left[1], 0.0) + kept


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
