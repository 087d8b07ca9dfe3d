"""The files of one right, from small tables of who is entitled when."""

import numpy as np

from pipelines.synthetic import takeup
from pipelines.synthetic.takeup import Files, Surroundings, take_up

HOUSEHOLDS, MONTHS = 400, 12


def around(served: bool = True) -> Surroundings:
    shape = (HOUSEHOLDS, MONTHS)
    return Surroundings(
        np.zeros(shape), np.ones(shape, bool), np.ones(shape, bool), np.full(shape, served, bool)
    )


def run(entitled: np.ndarray, draw: float, place: Surroundings | None = None) -> list[Files]:
    amounts = np.where(entitled, 350.0, 0.0)
    rng = np.random.default_rng(3)
    return take_up(rng, place or around(), entitled, amounts, "rsa", np.full(HOUSEHOLDS, draw), 24_300)


def test_a_household_never_entitled_is_never_paid() -> None:
    told = run(np.zeros((HOUSEHOLDS, MONTHS), bool), draw=0.0)
    assert not any((files.state == takeup.PAYABLE).any() for files in told)


def test_households_below_their_propensity_ask_and_the_others_hardly_ever_do() -> None:
    entitled = np.ones((HOUSEHOLDS, MONTHS), bool)
    keen, shy = run(entitled, draw=0.0)[-1], run(entitled, draw=1.0)[-1]
    assert (keen.state == takeup.NO_FILE).mean() < 0.02
    assert (shy.state == takeup.NO_FILE).mean() > 0.75


def test_four_months_without_right_close_the_file() -> None:
    entitled = np.ones((HOUSEHOLDS, MONTHS), bool)
    entitled[:, 2:] = False
    last = run(entitled, draw=0.0)[-1]
    opened = last.ever
    assert opened.any()
    assert not last.is_open()[opened].any()
    assert (last.closing[opened & (last.state == takeup.CLOSED)] == takeup.FOUR_MONTHS_WITHOUT_RIGHT).all()


def test_a_nil_right_suspends_for_resources_or_threshold_before_it_closes() -> None:
    entitled = np.ones((HOUSEHOLDS, MONTHS), bool)
    entitled[:, 5:] = False
    told = run(entitled, draw=0.0)
    paid = told[4].state == takeup.PAYABLE
    next_month = told[5]
    suspended = paid & (next_month.state == takeup.SUSPENDED) & (next_month.motif != "06")
    assert suspended.sum() > 0.9 * paid.sum()
    assert set(next_month.motif[suspended]) <= {"01", "05", "CG", "44", "70", "97", "04", "36"}


def test_moving_to_another_caf_closes_with_mut_for_one_month_then_leaves_nothing() -> None:
    place = around()
    place.served[:, 6:] = False
    told = run(np.ones((HOUSEHOLDS, MONTHS), bool), draw=0.0, place=place)
    opened = told[5].is_open()
    assert (told[6].closing[opened] == takeup.MOVED_AWAY).all()
    assert (told[7].state == takeup.NO_FILE).all()


def test_the_chance_to_ask_grows_with_the_amount_and_with_being_known_to_caf() -> None:
    files = Files.none(HOUSEHOLDS)
    low = takeup.propensity(around(), np.full(HOUSEHOLDS, 50.0), files, "rsa", 0)
    high = takeup.propensity(around(), np.full(HOUSEHOLDS, 600.0), files, "rsa", 0)
    unknown = Surroundings(
        np.zeros((400, 1)), np.zeros((400, 1), bool), np.ones((400, 1), bool), np.ones((400, 1), bool)
    )
    assert (low < high).all()
    assert (takeup.propensity(unknown, np.full(HOUSEHOLDS, 50.0), files, "rsa", 0) < low).all()
