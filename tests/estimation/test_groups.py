"""Sharing out X between groups: what adds up, what is certain, what nobody knows."""

import numpy as np
import pytest

from pipelines.estimation.classes import CLASSES
from pipelines.estimation.estimator import Missing
from pipelines.estimation.groups import GroupCounts, GroupEstimates, Sharing, misread, share_out

DRAWS = 400
NOTHING = np.zeros((2, CLASSES))


def missing(total: float, draws: int = 1) -> Missing:
    x = np.full((draws, CLASSES), total / CLASSES)
    return Missing(x, np.zeros((draws, CLASSES)), np.ones(draws))


def counts(sharing: Sharing, errors: float = 0.0) -> GroupCounts:
    shares = np.full((2, CLASSES), 0.5)
    return GroupCounts(
        np.array([60.0, 80.0]), np.array([20.0, 30.0]), np.zeros(2), np.full(2, errors), shares, sharing
    )


def shared(sharing: Sharing, errors: float = 0.0) -> GroupEstimates:
    generator = np.random.default_rng(1)
    return share_out(counts(sharing, errors), missing(120.0), missing(120.0, DRAWS), generator)


def seen(first: float, second: float, **more: object) -> Sharing:
    table = np.vstack([np.full(CLASSES, first), np.full(CLASSES, second)])
    return Sharing(table, NOTHING, np.zeros(CLASSES), 0.2, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("sharing", [seen(3, 1), seen(0, 5), seen(3, 1, other=np.ones((2, CLASSES)))])
def test_groups_add_up_to_the_territory_in_every_draw(sharing: Sharing) -> None:
    found = shared(sharing)
    assert found.nontakers.sum() == pytest.approx(50 + 120)
    shares = sharing.draw(DRAWS, np.random.default_rng(1))
    assert shares.sum(axis=1) == pytest.approx(np.ones((DRAWS, CLASSES)))


def test_missed_links_are_taken_from_the_group_of_the_takers() -> None:
    table = np.full((2, CLASSES), 4.0)
    linked = np.vstack([np.full(CLASSES, 40.0), np.zeros(CLASSES)])
    found = shared(Sharing(table, linked, np.full(CLASSES, 0.05), 0.0))
    assert found.elsewhere[0].sum() < 0.4 * found.elsewhere[1].sum() / 0.6


def test_a_certain_sharing_moves_only_with_x() -> None:
    table = np.vstack([np.zeros(CLASSES), np.ones(CLASSES)])
    found = shared(Sharing(table, NOTHING, np.zeros(CLASSES), 0.0, is_certain=True))
    assert found.elsewhere[0].sum() == 0
    assert np.ptp(found.drawn_rates[:, 0]) == 0


def test_two_resemblances_give_a_wider_interval_than_one() -> None:
    both = seen(8, 1, other=np.vstack([np.ones(CLASSES), np.full(CLASSES, 8.0)]))
    one, two = (float(np.subtract(*found.bounds(0.95)[0])) for found in (shared(seen(8, 1)), shared(both)))
    assert abs(two) > abs(one)


def test_errors_of_the_simulation_widen_a_group_that_x_does_not_touch() -> None:
    table = np.vstack([np.zeros(CLASSES), np.ones(CLASSES)])
    sharing = Sharing(table, NOTHING, np.zeros(CLASSES), 0.0, is_certain=True)
    low, high = shared(sharing, errors=0.1).bounds(0.95)[0]
    assert high - low > 0.03


def test_errors_offset_each_other_on_average() -> None:
    drawn = misread(np.array([100.0]), 0.1, 4_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(100, rel=0.01)


def test_a_ratio_divides_rates_of_the_same_draw() -> None:
    rates = np.column_stack([np.linspace(0.2, 0.4, DRAWS), np.linspace(0.1, 0.2, DRAWS)])
    found = GroupEstimates(np.array([100.0, 100.0]), np.array([30.0, 15.0]), NOTHING, rates)
    assert found.ratio(0, 1, 0.95) == pytest.approx((2.0, 2.0, 2.0))
