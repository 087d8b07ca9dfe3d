"""Wrong answers: how many, and what is left once they are allowed for."""

import numpy as np
import pytest

from pipelines.estimation.classes import CLASSES
from pipelines.estimation.entitlement import Answers, probability, shifted, unmeasured
from pipelines.estimation.reliability import Reliability, set_right

LOGIT = np.full((1, CLASSES), -3.0)
"""One household in twenty entitled."""

WIDE = np.array([1.0, 0.5, 1.0])


def entitled_after(answers: Answers, wrong: float) -> float:
    believed = unmeasured(1, WIDE).updated(LOGIT, answers, np.full((1, 1), wrong))
    return float(probability(shifted(LOGIT, believed.mean)).mean())


def test_what_was_told_is_turned_back() -> None:
    yes, no, wrong = 30.0, 70.0, 0.05
    assert set_right(0.95 * yes + 0.05 * no, 100, wrong) == pytest.approx(yes)


def test_no_more_yes_than_answers_and_never_fewer_than_none() -> None:
    assert set_right(1, 100, 0.05) == 0
    assert set_right(100, 100, 0.05) == 100


def test_without_sure_answers_nothing_is_said_wrong() -> None:
    assert Reliability().mean == 0
    assert not Reliability().draw(5, np.random.default_rng(1)).any()


def test_five_in_a_hundred_are_found_where_the_truth_is_sure() -> None:
    found = Reliability(sure=400, contrary=20)
    assert found.mean == pytest.approx(0.05, abs=0.005)
    drawn = found.draw(2000, np.random.default_rng(1))
    assert np.quantile(drawn, 0.025) < 0.04 < 0.06 < np.quantile(drawn, 0.975)


def test_yes_as_frequent_as_mistakes_teach_little_once_mistakes_are_known() -> None:
    told = Answers(np.full(CLASSES, 100.0), np.full(CLASSES, 9.5))
    assert entitled_after(told, 0.0) == pytest.approx(0.095, abs=0.005)
    assert entitled_after(told, 0.05) == pytest.approx(0.05, abs=0.005)


def test_without_mistakes_the_plain_posterior_is_found() -> None:
    told = Answers(np.full(CLASSES, 1000.0), np.full(CLASSES, 200.0))
    assert entitled_after(told, 0.0) == pytest.approx(0.2, abs=0.005)
