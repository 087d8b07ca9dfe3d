"""The estimator against invented territories whose truth is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipelines.estimation.estimator import (
    Evidence,
    absent_from_incomes,
    estimate,
    naive_counts,
    specificity_ratio,
    spread,
)
from pipelines.estimation.link_rates import LinkRates, PooledRate, household_recall
from pipelines.estimation.precision import how_many_more
from tests.estimation.simulator import World, draw

REPLICATIONS = 30

SCENARIOS = {
    "MAR": World(recall_entitled=0.9),
    "MNAR": World(recall_entitled=0.9, mnar=0.8),
    "MNAR by C2S": World(recall_entitled=0.9, mnar_c2s=1.0),
    "links worse for the entitled": World(recall_entitled=0.87),
}


@dataclass(frozen=True)
class Score:
    """Bias in points, coverage, mean width in points, and bias of the naive rate."""

    bias: float
    coverage: float
    width: float
    naive: float


def score(world: World, verified: int) -> Score:
    rows = []
    for seed in range(REPLICATIONS):
        generator = np.random.default_rng(seed)
        drawn = draw(world, generator, verified)
        result = estimate(drawn.evidence, 200, 0.95, generator)
        assert result is not None
        nontakers, eligible = naive_counts(drawn.evidence)
        inside = result.low <= drawn.truth <= result.high
        rows.append((result.rate - drawn.truth, inside, result.width, nontakers / eligible - drawn.truth))
    bias, coverage, width, naive = np.mean(rows, axis=0)
    return Score(100 * bias, coverage, 100 * width, 100 * naive)


@pytest.mark.parametrize("name", SCENARIOS)
def test_known_incomes_give_the_true_rate_and_the_naive_rate_does_not(name: str) -> None:
    found = score(SCENARIOS[name], verified=0)
    assert abs(found.bias) <= 1.5
    assert found.coverage >= 0.9
    assert found.naive >= 4


@pytest.mark.parametrize("incomes_known", [True, False])
@pytest.mark.parametrize("mnar", [0.0, 0.8])
def test_verified_estimates_cover_the_truth(incomes_known: bool, mnar: float) -> None:
    found = score(World(incomes_known=incomes_known, mnar=mnar, recall_entitled=0.91), verified=300)
    assert abs(found.bias) <= 1.5
    assert found.coverage >= 0.93
    assert found.width <= 16


def test_without_incomes_nor_answers_the_interval_is_wide_and_covers() -> None:
    found = score(World(incomes_known=False, mnar=0.8), verified=0)
    assert found.coverage >= 0.9
    assert found.width >= 20


def test_the_same_seed_gives_the_same_estimate() -> None:
    evidence = draw(World(), np.random.default_rng(1), 100).evidence
    first, second = (estimate(evidence, 200, 0.95, np.random.default_rng(5)) for _ in range(2))
    assert first is not None and second is not None
    assert (first.low, first.high, first.rate) == (second.low, second.high, second.rate)


def test_x_b_is_what_links_did_not_miss_times_kappa_over_false_links() -> None:
    u, t = np.full((1, 12), 10.0), np.full((1, 12), 20.0)
    x = absent_from_incomes(u, t, np.full((1, 3), 0.8), np.full((1, 3), 0.1), np.array([0.9]))
    assert x.sum() == pytest.approx((120 - 240 * 0.2 / 0.8) * 0.9 / 0.9)


def test_x_b_is_never_negative() -> None:
    u, t = np.full((1, 12), 1.0), np.full((1, 12), 100.0)
    assert absent_from_incomes(u, t, np.full((1, 3), 0.8), np.full((1, 3), 0.0), np.array([1.0])).sum() == 0


def test_negative_classes_are_paid_for_by_the_others() -> None:
    assert spread(np.array([[4.0, -1.0, 1.0]])).sum() == pytest.approx(4.0)


def test_a_couple_is_found_more_often_than_a_person() -> None:
    assert household_recall(0.9, 1.0) == pytest.approx(0.9)
    assert household_recall(0.9, 0.0) == pytest.approx(0.99)


def test_answers_move_each_band_towards_what_was_seen_there() -> None:
    rate = PooledRate(0.9, 0.03, successes=np.array([50.0, 95, 98]), trials=np.array([100.0, 100, 100]))
    assert rate.mean[0] < rate.mean[1] < rate.mean[2]
    assert rate.draw(500, np.random.default_rng(1)).mean(axis=0) == pytest.approx(rate.mean, abs=0.02)


def test_more_answers_narrow_the_interval() -> None:
    evidence = draw(World(incomes_known=False), np.random.default_rng(3), 100).evidence
    needed = how_many_more(evidence, 200, 0.95, seed=1)
    assert needed is not None
    assert 100 < needed < 5000


def test_a_lower_specificity_leaves_fewer_true_nontakers() -> None:
    ratios = [specificity_ratio(100, 2000, sp) for sp in (1, 0.995, 0.99)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == 1


def test_without_any_cpam_household_there_is_no_corrected_rate() -> None:
    rates = LinkRates(*(PooledRate(0.9, 0.03) for _ in range(3)))
    evidence = Evidence(
        rates=rates, takers_a1=10, nontakers_a1=5, linked_entitled_a1=0, unclaimed_a1_eur_mois=100
    )
    assert estimate(evidence, 50, 0.95, np.random.default_rng(1)) is None
