"""CASF R262-13: an income that stopped inside the reference quarter M-4..M-2 is left out of the RSA."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

import pipelines.eligibility.simulation as simulation
from pipelines.calendar import months_between, shift
from pipelines.eligibility import simulate
from tests.eligibility.situations import Household, Person, frames

MOIS = "2026-04"
BASE = 651.69
QUARTER_COUNTED = 51.69
"""900 € in two months out of three: 651.69 - 600."""

UNTIL_JANUARY = months_between(shift(MOIS, -23), shift(MOIS, -3))
STOPPABLE = ("001", "009", "010", "030", "201")


def rights(person: Person, mois: str = MOIS, **rest: str) -> dict[str, float]:
    household = Household([person], mois, attributs={"dtr_phase": 1})
    rows = simulate(**frames({"m": household}), mois=[mois], **rest)
    return dict(rows.select("droit", "montant_eur_mois").iter_rows())


def stopped(
    nature: str = "001", then: Mapping[str, Mapping[str, float]] | None = None, amount: float = 900.0
) -> Person:
    """An income every month until the end of January, then other incomes, everything declared."""
    return Person(revenus={nature: dict.fromkeys(UNTIL_JANUARY, amount), **(then or {})})


def undeclared(*offsets: int) -> Person:
    """The same salary ended in January, the months at these offsets from M not declared."""
    hidden = {shift(MOIS, offset) for offset in offsets}
    months: Sequence[str] = [m for m in months_between(shift(MOIS, -23), MOIS) if m not in hidden]
    return Person(revenus={"001": dict.fromkeys(UNTIL_JANUARY, 900.0)}, declare=months)


@pytest.mark.parametrize("nature", STOPPABLE)
def test_an_income_stopped_in_the_reference_quarter_is_left_out(nature: str) -> None:
    assert rights(stopped(nature))["rsa"] == BASE


@pytest.mark.parametrize("nature", STOPPABLE)
def test_without_the_mark_it_still_counts(nature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "mark_interruptions", lambda quarter, incomes: incomes)
    assert rights(stopped(nature))["rsa"] == QUARTER_COUNTED


ALLOWANCES = ("011", "012", "013", "014")


@pytest.mark.parametrize("nature", ALLOWANCES)
def test_daily_allowances_that_end_without_work_are_left_out(nature: str) -> None:
    assert rights(stopped(nature, amount=600.0))["rsa"] == BASE


def test_daily_allowances_of_a_long_illness_are_left_out_up_to_the_flat_amount_only() -> None:
    """1 000 € a month, two months in three, 651.69 left out each month: 2 000 - 3 × 651.69."""
    assert rights(stopped("011", amount=1000.0))["rsa"] == pytest.approx(
        BASE - (2000 - 3 * BASE) / 3, abs=0.01
    )


@pytest.mark.parametrize("nature", ALLOWANCES)
def test_daily_allowances_that_end_with_a_return_to_work_still_count(nature: str) -> None:
    assert rights(stopped(nature, {"001": {MOIS: 100.0}}, amount=600.0))["rsa"] == pytest.approx(BASE - 400.0)


def test_daily_allowances_count_for_the_premium_as_they_did() -> None:
    assert rights(stopped("013", amount=600.0))["ppa"] > 0


def with_ass(person: Person, *paid: int) -> float:
    """RSA of a person paid 500 € of ASS at these offsets from the month of right."""
    tables = frames({"m": Household([person], MOIS, attributs={"dtr_phase": 1})})
    months = [shift(MOIS, offset) for offset in paid]
    ass = pl.when(pl.col("mois").is_in(months)).then(500.0).otherwise(0.0)
    tables["prestations"] = tables["prestations"].with_columns(ass=ass)
    rows = simulate(**tables, mois=[MOIS]).filter(pl.col("droit") == "rsa")
    return float(rows["montant_eur_mois"][0])


def test_an_ass_that_ended_is_left_out() -> None:
    assert with_ass(Person(), -4, -3) == BASE
    assert with_ass(Person(), -4, -3, -2, -1) == pytest.approx(BASE - 500.0)


def test_an_ass_that_ended_with_a_return_to_work_still_counts() -> None:
    assert with_ass(Person(revenus={"001": {MOIS: 100.0}}), -4, -3, -2) == pytest.approx(BASE - 500.0)


def test_the_ass_of_a_month_not_yet_declared_still_counts() -> None:
    assert with_ass(undeclared_since(shift(MOIS, -1)), -4, -3, -2) == pytest.approx(BASE - 500.0)


def undeclared_since(mois: str) -> Person:
    return Person(declare=months_between(shift(MOIS, -23), shift(mois, -1)))


@pytest.mark.parametrize("hidden", [(0,), (-1,), (-1, 0)])
def test_a_month_not_yet_declared_proves_no_end(hidden: tuple[int, ...]) -> None:
    assert rights(undeclared(*hidden))["rsa"] == QUARTER_COUNTED


@pytest.mark.parametrize("nature", ["009", "010", "011", "012", "013", "014", "021", "022", "201"])
def test_an_income_something_replaces_still_counts(nature: str) -> None:
    assert rights(stopped(then={nature: {MOIS: 300.0}}))["rsa"] == QUARTER_COUNTED


def test_the_ass_replaces_an_unemployment_allowance() -> None:
    person = stopped("010")
    person.prestations = {"ass": 30.0}
    assert rights(person)["rsa"] == pytest.approx(QUARTER_COUNTED - 30.0)


def test_an_income_earned_again_in_the_month_of_right_still_counts() -> None:
    earned = dict.fromkeys((*UNTIL_JANUARY, MOIS), 900.0)
    assert rights(Person(revenus={"001": earned}))["rsa"] == QUARTER_COUNTED


def test_another_income_that_goes_on_counts_alone() -> None:
    alimony = {"026": dict.fromkeys(months_between(shift(MOIS, -8), MOIS), 100.0)}
    assert rights(stopped(then=alimony))["rsa"] == BASE - 100.0


@pytest.mark.parametrize(("mois", "since", "base"), [("2025-02", "2025-03", 635.71), (MOIS, "9999-01", BASE)])
def test_a_quarter_m3_to_m1_keeps_the_reading_of_openfisca(mois: str, since: str, base: float) -> None:
    """The euro would count there: 300 € in M-3 and M-2 are 200 a month, to the cent."""
    earned = dict.fromkeys(months_between(shift(mois, -20), shift(mois, -2)), 300.0)
    found = rights(Person(revenus={"001": earned}), mois, trimestre_decale_depuis=since)
    assert found["rsa"] == pytest.approx(base - 200.0)


def test_the_premium_keeps_what_was_earned_in_the_quarter() -> None:
    """December and January at 1 500 €: 236.4304 each, nothing in February."""
    assert rights(stopped(amount=1500.0)) == {"rsa": BASE, "ppa": 157.62}


def test_the_premium_is_not_opened_by_the_mark_of_an_unemployment_allowance() -> None:
    assert rights(stopped("010"))["ppa"] == 0.0
