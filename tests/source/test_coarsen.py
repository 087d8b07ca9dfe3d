"""What a delivery says of births, stays, families and homes: no finer than the rights need."""

from typing import Any

import polars as pl
import pytest

from pipelines.calendar import month_number, month_of_number, shift
from pipelines.source.coarsen import (
    CUT_AGES,
    NARROWEST,
    PIVOTAL_AGES,
    birth_classes,
    birth_columns,
    presence_columns,
    separation_columns,
)
from pipelines.source.normalise import birth
from pipelines.territory import delivered_communes, load

MOIS = "2026-06"
YEARS = range(2024, 2040)


def delivered(births: list[str], mois: str = MOIS) -> list[tuple[Any, ...]]:
    frame = pl.DataFrame({"date_naissance": births})
    return frame.select(birth_columns(birth("date_naissance", mois), mois)).rows()


def born(mois: str) -> str:
    return f"{mois}-15"


@pytest.mark.parametrize("pivot", PIVOTAL_AGES)
def test_the_month_is_delivered_as_long_as_a_right_may_turn_on_it(pivot: int) -> None:
    passed = [shift(MOIS, back - 12 * pivot) for back in range(-7, 4 if pivot else 1)]
    exact = [(int(month[:4]), int(month[5:])) for month in passed]
    assert delivered([born(month) for month in passed]) == exact


@pytest.mark.parametrize("pivot", PIVOTAL_AGES)
@pytest.mark.parametrize("mois", ["2026-01", "2026-06", "2026-12"])
def test_everybody_is_on_the_right_side_of_a_pivotal_age_in_every_month_a_right_looks_at(
    pivot: int, mois: str
) -> None:
    months = [month_of_number(n) for n in range(month_number(mois) - 12 * 28, month_number(mois) + 1)]
    given = delivered([born(month) for month in months], mois)
    for seen in range(month_number(mois) - 8, month_number(mois) + 4):
        for true, (year, month) in zip(months, given, strict=True):
            told = year * 12 + (month or 1) - 1
            is_past = seen - month_number(true) >= 12 * pivot
            assert is_past == (seen - told >= 12 * pivot), (true, (year, month))


def test_between_two_pivotal_ages_all_children_are_given_one_age() -> None:
    assert set(delivered(["2024-09-01", "2025-03-31"])) == {(2025, None)}
    assert set(delivered(["2009-02-01", "2022-09-30"])) == {(2016, None)}
    assert set(delivered(["2002-01-01", "2007-10-01"])) == {(2005, None)}


def test_above_26_the_middle_of_a_class_of_birth_years_is_delivered_without_month() -> None:
    assert delivered(["1972-01-01", "1976-12-31", "1977-01-01"]) == [(1974, None), (1974, None), (1979, None)]
    assert delivered(["1910-05-05", "1941-12-31"]) == [(1939, None)] * 2


@pytest.mark.parametrize("year", YEARS)
def test_the_classes_share_out_every_birth_year_of_26_and_more(year: int) -> None:
    classes = birth_classes(year)
    years = [born for first, last in classes for born in range(first, last + 1)]
    assert years == list(range(1880, year - 25))
    assert all(last - first + 1 >= NARROWEST for first, last in classes)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("age", CUT_AGES)
def test_no_class_straddles_a_band_of_the_estimate(year: int, age: int) -> None:
    assert all((year - last >= age) == (year - first >= age) for first, last in birth_classes(year))


def test_the_classes_do_not_slide_from_one_year_to_the_next() -> None:
    fixed = {last for first, last in birth_classes(2026)}
    cuts = {year - age for year in YEARS for age in CUT_AGES}
    ends = {last for year in YEARS for first, last in birth_classes(year)}
    assert {end for end in ends - cuts if end <= 2000} <= {*range(1941, 2001, 5)} >= fixed - {2000}


def test_a_birth_without_month_or_without_year_stays_so() -> None:
    assert delivered(["2008-00-00", "", "1028-05-05"]) == [(2008, None), (None, None), (None, None)]


def test_a_stay_says_only_what_happened_since_eight_months() -> None:
    stays = {
        "present_du": ["2003-05", "2025-10", "2025-11", None, "2003-05", "2025-01"],
        "present_au": [None, None, "2026-02", "2025-10", "2025-09", "2025-03"],
    }
    found = pl.DataFrame(stays).select(presence_columns(MOIS)).rows()
    assert found == [
        (None, None),
        (None, None),
        ("2025-11", "2026-02"),
        (None, "2025-10"),
        ("2025-09", "2025-09"),
        ("2025-09", "2025-09"),
    ]


def test_a_family_situation_is_delivered_for_a_recent_end_of_a_couple_alone() -> None:
    rows = {
        "mois": ["2026-06"] * 5,
        "sitfam": ["DIV", "DIV", "MAR", "VEU", None],
        "sitfam_date": ["2024-07", "2024-06", "2025-07", None, "2026-01"],
    }
    found = pl.DataFrame(rows).select(separation_columns()).rows()
    assert found == [("ISO", "2024-07"), *[(None, None)] * 4]


def test_small_communes_are_named_as_one_per_grouping_and_stay_rural() -> None:
    named, communes = delivered_communes("comminges"), load("comminges").communes
    known = {row["commune_insee"]: row for row in communes.iter_rows(named=True)}
    assert "31483" not in named and "31390" not in named
    assert set(named) == {code for code, row in known.items() if row["population"] < 2_000}
    for commune, one in named.items():
        assert known[one]["regroupement"] == known[commune]["regroupement"]
        assert known[one]["est_couronne"] == known[commune]["est_couronne"]
        assert known[one]["population"] < 2_000


def test_without_known_grouping_a_commune_keeps_its_name(tmp_path: Any) -> None:
    path = tmp_path / "communes.csv"
    rows = "31001,Agassac,115,43.37,0.88\n31005,Alan,292,43.2,0.9\n"
    path.write_text("commune_insee,nom,population,latitude,longitude\n" + rows)
    assert delivered_communes(str(path)) == {}
    header = "commune_insee,nom,population,latitude,longitude,regroupement\n"
    path = tmp_path / "regroupees.csv"
    path.write_text(header + rows.replace("\n", ",A\n"))
    assert delivered_communes(str(path)) == {"31001": "31005", "31005": "31005"}
