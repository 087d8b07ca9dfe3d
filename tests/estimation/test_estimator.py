"""The estimator against invented territories whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.estimation.entitlement import no_answers
from pipelines.estimation.estimator import (
    Evidence,
    absent_from_incomes,
    estimate,
    specificity_ratio,
    spread,
)
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.link_rates import LinkRates, PooledRate, Seen, household_recall
from pipelines.estimation.precision import how_many_more
from pipelines.proof.auditing import verified
from pipelines.proof.drawing import households
from pipelines.proof.extracts import files
from pipelines.proof.worlds import WORLDS


@pytest.fixture(scope="module")
def answered() -> Evidence:
    """One invented territory, its files and its verification answers."""
    generator = np.random.default_rng(3)
    homes = households(WORLDS["mnar"], generator)
    seen = files(WORLDS["mnar"], homes, generator)
    reading = verified(WORLDS["mnar"], homes, seen, generator)
    return evidence(reading, seen.quality, sensitivity(reading)[0])


def test_the_same_seed_gives_the_same_estimate(answered: Evidence) -> None:
    first, second = (estimate(answered, 200, 0.95, np.random.default_rng(5)) for _ in range(2))
    assert first is not None and second is not None
    assert (first.low, first.high, first.rate) == (second.low, second.high, second.rate)


def test_x_b_is_what_links_did_not_miss_times_kappa_over_false_links() -> None:
    u, t = np.full((1, 12), 10.0), np.full((1, 12), 20.0)
    x = absent_from_incomes(u, t, np.full((1, 3), 0.8), np.full((1, 3), 0.1), np.full((1, 12), 0.9))
    assert x.sum() == pytest.approx((120 - 240 * 0.2 / 0.8) * 0.9 / (1 - 0.1 / 0.8))


def test_x_b_is_what_the_counts_of_linked_and_unlinked_households_were_made_of() -> None:
    outside, known, recall, false = 100.0, 300.0, 0.9, 0.05
    unlinked = (1 - false) * outside + (1 - recall) * known
    linked = false * outside + recall * known
    x = absent_from_incomes(
        np.full((1, 12), unlinked / 12),
        np.full((1, 12), linked / 12),
        np.full((1, 3), recall),
        np.full((1, 3), false),
        np.ones((1, 12)),
    )
    assert x.sum() == pytest.approx(outside)


def test_x_b_is_never_negative() -> None:
    u, t = np.full((1, 12), 1.0), np.full((1, 12), 100.0)
    assert absent_from_incomes(u, t, np.full((1, 3), 0.8), np.full((1, 3), 0.0), np.ones((1, 12))).sum() == 0


def test_negative_classes_are_paid_for_by_the_others() -> None:
    assert spread(np.array([[4.0, -1.0, 1.0]])).sum() == pytest.approx(4.0)


def test_a_couple_is_found_more_often_than_a_person() -> None:
    assert household_recall(0.9, 1.0) == pytest.approx(0.9)
    assert household_recall(0.9, 0.0) == pytest.approx(0.99)


def test_answers_move_each_band_towards_what_was_seen_there() -> None:
    rate = PooledRate(0.9, 0.03, successes=np.array([50.0, 95, 98]), trials=np.array([100.0, 100, 100]))
    assert rate.mean[0] < rate.mean[1] < rate.mean[2]
    assert rate.draw(500, np.random.default_rng(1)).mean(axis=0) == pytest.approx(rate.mean, abs=0.02)


SEEN = Seen(linked=950, households=1_000)


def tied(prior: PooledRate, **audit: float) -> PooledRate:
    return replace(prior, seen=replace(SEEN, **audit))


def test_the_recall_is_never_under_the_linked_share_nor_the_coverage_above_one() -> None:
    recall = tied(PooledRate(0.8, 0.05), known=1, asked=1)
    value, _ = recall._tied()
    assert value.min() > SEEN.share
    assert (SEEN.coverage(value) <= 1).all()
    assert recall.mean.min() > SEEN.share > 0.9


def test_households_the_cpam_does_not_know_are_no_missed_links() -> None:
    """Of those that are not linked, the more the CPAM does not know, the fewer were missed."""
    nobody, some = (tied(PooledRate(0.97, 0.03), known=100 - n, asked=100).mean for n in (0, 5))
    assert (nobody < some).all()
    assert some == pytest.approx(1, abs=0.015)


def test_recall_times_coverage_is_the_linked_share() -> None:
    common = tied(PooledRate(0.97, 0.01)).draw(2_000, np.random.default_rng(1))
    coverage = SEEN.coverage(common.mean(axis=1))
    assert (coverage * common.mean(axis=1)).mean() == pytest.approx(SEEN.share, abs=0.005)


def test_without_a_caf_household_the_recall_stays_as_it_was_believed() -> None:
    prior = PooledRate(0.9, 0.03)
    assert tied(prior, linked=0, households=0).mean == pytest.approx(prior.mean)
    assert Seen().coverage(np.array([0.9])) == pytest.approx(1)


def test_more_answers_narrow_the_interval(answered: Evidence) -> None:
    needed = how_many_more(answered, 200, 0.95, seed=1)
    assert needed is not None
    assert 100 < needed < 20_000


TERMS = {
    "R": lambda e: replace(e, rates=replace(e.rates, entitled=replace(e.rates.entitled, prior_sd=0.001))),
    "r": lambda e: replace(e, rates=replace(e.rates, known=PooledRate(0.7, 0.01))),
    "f": lambda e: replace(e, rates=replace(e.rates, absent=PooledRate(0.2, 0.01))),
    "κ, CPAM wrong": lambda e: replace(e, kappa=replace(e.kappa, cpam_only=e.kappa.cpam_only + 20)),
    "κ, CPAM overlooks": lambda e: replace(e, kappa=replace(e.kappa, caf_only=e.kappa.caf_only + 200)),
    "κ, answers": lambda e: replace(e, kappa=replace(e.kappa, answers=no_answers())),
    "κ of A2, answers": lambda e: replace(e, kappa=replace(e.kappa, answers_a2=no_answers())),
    "cov": lambda e: replace(
        e, rates=replace(e.rates, entitled=replace(e.rates.entitled, seen=Seen(600, 1_000)))
    ),
    "Se": lambda e: replace(e, sensitivity=0.5),
    "S": lambda e: replace(e, s=0.0),
    "A1 takers": lambda e: replace(e, takers_a1=0.0),
    "A1 non-takers": lambda e: replace(e, nontakers_a1=0.0),
    "A2 takers": lambda e: replace(e, takers_a2=0.0),
    "A2": lambda e: replace(e, a2=0 * e.a2),
    "A2 found on CPAM data": lambda e: replace(e, a2_found=0 * e.a2_found),
    "A2, γ": lambda e: replace(e, a2_known=20 * e.a2_known),
    "A2, answers": lambda e: replace(e, a2_answers=no_answers()),
    "U": lambda e: replace(e, u=0 * e.u),
    "T": lambda e: replace(e, t=0 * e.t),
    "n, without incomes": lambda e: replace(e, unknown=0 * e.unknown, unknown_linked=0 * e.unknown_linked),
    "K, without incomes": lambda e: replace(e, unknown_linked=0 * e.unknown_linked),
    "γ": lambda e: replace(e, known=e.known_linked + 20 * (e.known - e.known_linked)),
    "δ": lambda e: replace(e, answers=no_answers()),
    "π_A": lambda e: replace(e, nonrecipients_entitled=0 * e.nonrecipients_entitled),
}


OF_THE_INTERVAL_ALONE = {"Se"}


@pytest.mark.parametrize("term", TERMS)
def test_the_estimate_of_a_quarter_is_computed_from_every_term(answered: Evidence, term: str) -> None:
    def figures(evidence: Evidence) -> tuple[float, float]:
        found = estimate(evidence, 50, 0.95, np.random.default_rng(1))
        assert found is not None
        return found.rate, found.high

    rate, high = np.subtract(figures(TERMS[term](answered)), figures(answered))
    assert abs(high if term in OF_THE_INTERVAL_ALONE else rate) > 1e-5


def test_a_lower_specificity_leaves_fewer_true_nontakers() -> None:
    ratios = [specificity_ratio(100, 2000, sp) for sp in (1, 0.995, 0.99)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == 1


def test_without_any_cpam_household_there_is_no_corrected_rate() -> None:
    rates = LinkRates(*(PooledRate(0.9, 0.03) for _ in range(3)))
    evidence = Evidence(rates=rates, takers_a1=10, nontakers_a1=5, unclaimed_a1_eur_mois=100)
    assert estimate(evidence, 50, 0.95, np.random.default_rng(1)) is None
