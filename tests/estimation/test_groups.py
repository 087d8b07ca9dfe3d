"""Sharing out X between groups: what adds up, what is certain, what nobody knows."""

import numpy as np
import pytest

from pipelines.estimation.classes import CLASSES, Floats
from pipelines.estimation.estimator import Missing
from pipelines.estimation.groups import GroupCounts, GroupEstimates, Sharing, households, misread, share_out

DRAWS = 400
NOTHING = np.zeros((2, CLASSES))


def missing(total: float, draws: int = 1) -> Missing:
    x = np.full((draws, CLASSES), total / CLASSES)
    return Missing(x, np.zeros((draws, CLASSES)), np.ones(draws))


def counts(sharing: Sharing, errors: float = 0.0) -> GroupCounts:
    half = Sharing(np.full((2, CLASSES), 0.5), np.zeros(2), is_certain=True)
    return GroupCounts(
        np.array([60.0, 80.0]), np.array([20.0, 30.0]), np.zeros(2), np.full(2, errors), half, sharing
    )


def shared(sharing: Sharing, errors: float = 0.0) -> GroupEstimates:
    generator = np.random.default_rng(1)
    return share_out(counts(sharing, errors), missing(120.0), missing(120.0, DRAWS), generator)


def rows(first: float, second: float) -> Floats:
    return np.vstack([np.full(CLASSES, first), np.full(CLASSES, second)])


def seen(first: float, second: float, other: Floats | None = None) -> Sharing:
    return Sharing(rows(first, second), np.full(2, 0.2), other=other)


ONLY_THE_SECOND = Sharing(rows(0, 1), np.zeros(2), is_certain=True)


@pytest.mark.parametrize("sharing", [seen(3, 1), seen(0, 5), seen(3, 1, other=np.ones((2, CLASSES)))])
def test_groups_add_up_to_the_territory_in_every_draw(sharing: Sharing) -> None:
    found = shared(sharing)
    assert found.nontakers.sum() == pytest.approx(50 + 120)
    generator = np.random.default_rng(1)
    shares = sharing.draw(DRAWS, generator)
    assert shares.sum(axis=1) == pytest.approx(np.ones((DRAWS, CLASSES)))
    total = generator.gamma(2.0, 3.0, size=(DRAWS, CLASSES))
    assert households(total, shares, generator).sum(axis=1) == pytest.approx(total.sum(axis=1))


def test_of_half_a_household_expected_there_is_often_none() -> None:
    drawn = missing(120.0, DRAWS).x
    share = np.broadcast_to(rows(1 / 240, 239 / 240), (DRAWS, 2, CLASSES))
    found = households(drawn, share, np.random.default_rng(1))[:, 0]
    assert 0.5 < (found == 0).mean() < 0.7
    assert found.mean() == pytest.approx(0.5, abs=0.1)


def test_a_class_without_group_gives_its_households_to_none() -> None:
    share = np.zeros((DRAWS, 2, CLASSES))
    assert not households(missing(12.0, DRAWS).x, share, np.random.default_rng(1)).any()


def test_missed_links_are_taken_from_the_group_of_the_takers() -> None:
    found = shared(Sharing(rows(4, 4), np.zeros(2), missed=rows(2, 0)))
    assert found.elsewhere[0].sum() < 0.4 * found.elsewhere[1].sum() / 0.6


def test_a_certain_sharing_moves_only_with_x() -> None:
    found = shared(ONLY_THE_SECOND)
    assert found.elsewhere[0].sum() == 0
    assert np.ptp(found.drawn_rates[:, 0]) == 0


def test_a_group_read_from_few_households_has_a_wider_interval() -> None:
    def width(spread: float) -> float:
        low, high = shared(Sharing(rows(50, 50), np.full(2, spread))).bounds(0.95)[0]
        return high - low

    assert width(0.5) > 1.5 * width(0.05)


def test_two_resemblances_give_a_wider_interval_than_one() -> None:
    both = seen(8, 1, other=rows(1, 8))
    one, two = (float(np.subtract(*found.bounds(0.95)[0])) for found in (shared(seen(8, 1)), shared(both)))
    assert abs(two) > abs(one)


def test_errors_of_the_simulation_widen_a_group_that_x_does_not_touch() -> None:
    low, high = shared(ONLY_THE_SECOND, errors=0.1).bounds(0.95)[0]
    assert high - low > 0.03


def test_errors_offset_each_other_on_average() -> None:
    drawn = misread(np.array([100.0]), 0.1, 4_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(100, rel=0.01)


def test_a_ratio_divides_rates_of_the_same_draw() -> None:
    rates = np.column_stack([np.linspace(0.2, 0.4, DRAWS), np.linspace(0.1, 0.2, DRAWS)])
    found = GroupEstimates(np.array([100.0, 100.0]), np.array([30.0, 15.0]), NOTHING, rates)
    assert found.ratio(0, 1, 0.95) == pytest.approx((2.0, 2.0, 2.0))
