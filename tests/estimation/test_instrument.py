"""κ and the rates of the linkage, term by term: what is believed before any answer, what answers move."""

from math import hypot

import numpy as np
import pytest
from scipy.optimize import minimize

from pipelines.estimation.classes import BANDS, CLASSES, Floats
from pipelines.estimation.entitlement import Answers, fit_unknown, shifted, unmeasured
from pipelines.estimation.instrument import MOST_OVERLOOKED, Kappa
from pipelines.estimation.link_rates import PooledRate, answered, unverified, unverified_false_links
from pipelines.estimation.reliability import Reliability

BOTH, CPAM_ONLY = np.full(CLASSES, 30.0), np.full(CLASSES, 10.0)
ALL_ENTITLED = Answers(np.full(CLASSES, 20.0), np.full(CLASSES, 20.0))


def test_before_any_count_one_in_ten_is_overlooked() -> None:
    assert Kappa().overlooked_mean == pytest.approx(0.1)


def test_what_files_say_is_overlooked_weighs_four_households_at_most() -> None:
    """So many households found again and none overlooked halve it, however many the files counted."""
    counted = Kappa(BOTH, CPAM_ONLY, caf_only=100.0)
    centre = counted.overlooked_mean
    assert centre == pytest.approx(100.5 / 485)
    told = Kappa(BOTH, CPAM_ONLY, caf_only=100.0, overlooking=MOST_OVERLOOKED / centre)
    assert told.overlooked_mean == pytest.approx(centre / 2)


def test_the_answers_of_a_stratum_move_it_alone() -> None:
    of_b, of_a2 = Kappa(BOTH, CPAM_ONLY).value()
    assert (of_b == of_a2).all()
    moved = Kappa(BOTH, CPAM_ONLY, answers_a2=ALL_ENTITLED).value()
    assert (moved[0] == of_b).all() and (moved[1] > of_a2).all()
    moved = Kappa(BOTH, CPAM_ONLY, answers=ALL_ENTITLED).value()
    assert (moved[0] > of_b).all() and (moved[1] == of_a2).all()


def test_the_draws_of_kappa_are_about_its_value() -> None:
    generator = np.random.default_rng(1)
    kappa = Kappa(BOTH, CPAM_ONLY, caf_only=20.0, answers_a2=ALL_ENTITLED)
    for drawn, centre in zip(kappa.draw(4000, generator), kappa.value(), strict=True):
        assert drawn.mean(axis=0) == pytest.approx(centre[0], abs=0.03)


def test_no_draw_takes_more_than_three_answers_in_ten_for_wrong() -> None:
    drawn = Reliability(sure=4.0, contrary=4.0).draw(500, np.random.default_rng(1))
    assert drawn.max() == pytest.approx(0.3)


def test_wrong_answers_are_a_share_of_the_sure_ones() -> None:
    """One in fifty of 25 sure answers before any; then twenty of a hundred."""
    assert Reliability(sure=100.0, contrary=20.0).mean == pytest.approx(20.5 / 125)


def test_an_unaudited_recall_is_three_points_lower_and_no_surer_than_that() -> None:
    rate = unverified(0.95, 0.93, 0.97)
    assert (rate.prior_mean, rate.prior_sd) == pytest.approx((0.92, hypot(0.03, 0.02 / 1.959964)))


def test_false_links_too_rare_to_be_counted_are_believed_as_rare_as_their_error() -> None:
    assert unverified_false_links(0.0, 0.0, 0.0).prior_mean == 0.001
    assert unverified_false_links(0.01, 0.01, 0.01).prior_mean == 0.01
    assert unverified_false_links(0.0, 0.0, 0.04).prior_mean == pytest.approx(0.02 / 1.959964)


def test_unequal_weights_are_worth_fewer_answers() -> None:
    prior = PooledRate(0.9, 0.03)
    band = np.zeros(4, dtype=np.int64)
    told = answered(prior, np.array([1.0, 0.0, 1.0, 1.0]), band, np.array([1.0, 1.0, 1.0, 3.0]))
    assert told.trials == pytest.approx([36 / 12, *[0.0] * (BANDS - 1)])
    assert told.successes[0] == pytest.approx(3 * 5 / 6)
    equal = answered(prior, np.array([1.0, 0.0, 1.0, 1.0]), band, np.full(4, 7.0))
    assert (equal.trials[0], equal.successes[0]) == pytest.approx((4.0, 3.0))


def test_a_hundred_answers_weigh_in_their_band_what_the_common_rate_does() -> None:
    rate = PooledRate(0.9, 0.001, successes=np.array([50.0, 0.0, 0.0]), trials=np.array([100.0, 0.0, 0.0]))
    a, b = rate.common
    assert rate.mean[0] == pytest.approx((0.5 + a / (a + b)) / 2)
    assert rate.mean[1] == pytest.approx(a / (a + b))


@pytest.mark.parametrize(("logit", "told"), [(-8.0, 100.0), (-5.0, 20.0), (-2.0, 4.0), (5.0, 0.0)])
def test_answers_far_from_what_was_believed_are_still_followed_to_the_likeliest_shift(
    logit: float, told: float
) -> None:
    """The mode, found by another minimiser: of steps left unbounded, the first goes past it for good."""
    asked = 100.0
    answers = Answers(np.full(CLASSES, asked), np.full(CLASSES, told))
    found = unmeasured(1, np.full(3, 0.5)).updated(np.full((1, CLASSES), logit), answers).mean[0]

    def unlikely(shift: Floats) -> float:
        z = shifted(np.full((1, CLASSES), logit), shift[None, :])[0]
        lost = told * np.logaddexp(0, -z) + (asked - told) * np.logaddexp(0, z)
        return float(lost.sum() + (shift**2).sum() / (2 * 0.5**2))

    assert found == pytest.approx(minimize(unlikely, np.zeros(3)).x, abs=1e-3)


def test_a_hundred_households_are_enough_to_tell_known_incomes_from_unknown_ones() -> None:
    """A difference of a logit and more is expected: with a hundred of each it is found, nearly whole."""
    counted = np.log(0.6 / 0.4) - np.log(0.2 / 0.8)
    assert _difference(1000.0) == pytest.approx(counted, abs=0.01)
    assert 0.9 * counted < _difference(100 / CLASSES) < counted
    assert _difference(0.1) < 0.2 * counted


def _difference(households: float) -> float:
    """Coefficient of known incomes: of each class, one in five is entitled, three in five if known."""
    counted = np.full((2, CLASSES), households)
    return float(fit_unknown(counted * np.array([[0.2], [0.6]]), counted).coefficients[-1])


def test_a_shift_nobody_measured_adds_its_variance() -> None:
    sd = np.array([0.5, 1.0, 2.0])
    wider = unmeasured(1, np.ones(3)).widened(sd)
    assert np.diag(wider.covariance[0]) == pytest.approx([1.25, 2.0, 5.0])
