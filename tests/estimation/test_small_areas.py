"""The area model: what it is told of known territories, and how its draws add up."""

import numpy as np
import pytest
from scipy.special import expit, logit

from pipelines.estimation.small_areas import AreaDraws, Trials, benchmarked, fit


def areas(sigma: float, size: int, count: int = 40, seed: int = 3) -> tuple[Trials, np.ndarray]:
    """``count`` areas of ``size`` households, one composition; trials and true probabilities."""
    generator = np.random.default_rng(seed)
    truth = expit(-1.0 + sigma * generator.standard_normal(count))
    n = np.full(count, float(size))
    y = generator.binomial(size, truth).astype(np.float64)
    return Trials(np.arange(count), n, y, np.ones((count, 1)), count), truth


def rates(trials: Trials, draws: AreaDraws) -> np.ndarray:
    return draws.probability(trials.area, trials.design)


def test_large_areas_keep_their_own_rate() -> None:
    trials, _ = areas(0.8, 4_000)
    found = rates(trials, fit(trials, 200, np.random.default_rng(1)))
    assert np.abs(found.mean(axis=0) - trials.successes / trials.households).max() < 0.01


def test_small_areas_are_drawn_to_the_whole_and_miss_their_rate_less_than_their_own_count_does() -> None:
    trials, truth = areas(0.3, 6)
    found = rates(trials, fit(trials, 200, np.random.default_rng(1))).mean(axis=0)
    direct = trials.successes / trials.households
    assert np.sqrt(np.mean((found - truth) ** 2)) < np.sqrt(np.mean((direct - truth) ** 2)) / 2


def test_an_area_without_household_is_as_uncertain_as_any() -> None:
    trials, _ = areas(0.5, 30)
    one_more = Trials(trials.area, trials.households, trials.successes, trials.design, trials.areas + 1)
    drawn = fit(one_more, 400, np.random.default_rng(1)).effects
    assert drawn[:, -1].std() > 1.5 * drawn[:, :-1].std(axis=0).mean()


def test_sigma_is_not_taken_for_its_most_likely_value() -> None:
    trials, _ = areas(0.4, 6)
    sigma = fit(trials, 400, np.random.default_rng(1)).sigma
    assert np.unique(sigma).size >= 5


@pytest.mark.parametrize("sigma", [0.3, 0.9])
def test_sigma_is_found_where_areas_are_many_and_large(sigma: float) -> None:
    trials, _ = areas(sigma, 300, count=150)
    assert fit(trials, 200, np.random.default_rng(1)).sigma.mean() == pytest.approx(sigma, rel=0.2)


def test_the_same_seed_gives_the_same_draws() -> None:
    trials, _ = areas(0.4, 20)
    first, second = (fit(trials, 50, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.effects, second.effects)


def test_benchmarked_probabilities_add_up_and_keep_what_areas_have_between_them() -> None:
    probability = np.array([[0.1, 0.3, 0.6], [0.2, 0.2, 0.5]])
    households = np.array([[10.0, 50.0, 5.0], [12.0, 48.0, 6.0]])
    found = benchmarked(logit(probability), households, np.array([30.0, 8.0]))
    assert (found * households).sum(axis=1) == pytest.approx([30.0, 8.0])
    apart = logit(found) - logit(probability)
    assert np.ptp(apart, axis=1) == pytest.approx([0.0, 0.0], abs=1e-6)
