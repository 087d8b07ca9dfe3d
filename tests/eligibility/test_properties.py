"""What must hold whatever the household."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

import pipelines.eligibility.rights as rights
from pipelines.eligibility import simulate
from tests.eligibility.situations import Household, Person, child, frames

MOIS = "2026-06"
INCOMES = tuple(range(0, 2600, 50))


def amounts(households: dict[str, Household], right: str) -> dict[str, float]:
    rows = simulate(**frames(households), mois=[MOIS]).filter(pl.col("droit") == right)
    return dict(rows.select("menage_id", "montant_eur_mois").iter_rows())


def families(nature: str) -> dict[tuple[str, int], Household]:
    kinds: dict[str, list[Person]] = {
        "seul": [],
        "couple": [Person("CJT")],
        "parent": [child(5)],
        "famille": [Person("CJT"), child(4), child(9)],
    }
    return {
        (kind, income): Household([Person(revenus={nature: float(income)}), *others], MOIS)
        for kind, others in kinds.items()
        for income in INCOMES
    }


@pytest.mark.parametrize("nature", ["001", "010", "022", "031"])
def test_rsa_never_rises_with_income(nature: str) -> None:
    grid = families(nature)
    found = amounts({f"{kind}-{income}": h for (kind, income), h in grid.items()}, "rsa")
    for kind in {kind for kind, _ in grid}:
        series = [found[f"{kind}-{income}"] for income in INCOMES]
        assert series[0] > 0 and series[-1] == 0
        assert all(later <= earlier for earlier, later in pairwise(series))


@pytest.mark.parametrize("nature", ["010", "021", "022", "026"])
def test_no_ppa_without_income_from_work(nature: str) -> None:
    grid = families(nature)
    found = amounts({f"{kind}-{income}": h for (kind, income), h in grid.items()}, "ppa")
    assert set(found.values()) == {0.0}


def test_a_child_more_never_lowers_the_rsa() -> None:
    rng = np.random.default_rng(20260622)
    households = {
        f"{case}-{children}": Household(
            [Person(revenus={"001": float(income)}), *([Person("CJT")] if couple else []),
             *[child(int(age)) for age in ages[:children]]],
            occlog=occlog,
        )
        for case in range(40)
        for income, couple, occlog, ages in [(
            rng.integers(0, 1500), bool(rng.integers(2)), str(rng.choice(["LOC", "PRO", "HGP"])),
            rng.integers(0, 20, 5))]
        for children in range(5)
    }  # fmt: skip
    found = amounts(households, "rsa")
    for case in range(40):
        series = [found[f"{case}-{children}"] for children in range(5)]
        assert series == sorted(series)


def mixed(count: int) -> dict[str, Household]:
    rng = np.random.default_rng(7)
    return {
        f"m{n:03d}": Household(
            [
                Person(
                    ne=(int(rng.integers(1960, 2006)), 1),
                    revenus={str(rng.choice(["001", "010", "011", "030"])): float(rng.integers(0, 1800))},
                ),
                *(
                    [Person("CJT", revenus={"001": float(rng.integers(0, 900))})]
                    if rng.random() < 0.4
                    else []
                ),
                *[child(int(age)) for age in rng.integers(0, 24, rng.integers(0, 4))],
            ],
            occlog=str(rng.choice(["LOC", "PRO", "ACC", "HGP"])),
            attributs={"dtr_phase": int(rng.integers(1, 4))},
            prestations={"aide_logement": float(rng.choice([0, 50, 300]))},
        )
        for n in range(count)
    }


def test_results_do_not_depend_on_the_order_of_the_rows() -> None:
    tables = frames(mixed(60))
    shuffled: dict[str, Any] = {
        name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in tables.items()
    }
    assert simulate(**shuffled, mois=[MOIS]).equals(simulate(**tables, mois=[MOIS]))


def test_results_do_not_depend_on_the_other_households(monkeypatch: pytest.MonkeyPatch) -> None:
    together = simulate(**frames(mixed(60)), mois=[MOIS])
    few = {name: h for name, h in mixed(60).items() if name < "m007"}
    alone = simulate(**frames(few), mois=[MOIS])
    assert alone.equals(together.filter(pl.col("menage_id") < "m007"))
    monkeypatch.setattr(rights, "CHUNK", 25)
    assert simulate(**frames(mixed(60)), mois=[MOIS]).equals(together)


def test_who_has_left_before_the_months_asked_changes_nothing_for_the_others() -> None:
    tables = frames(mixed(20))
    left = pl.col("menage_id").is_in(["m000", "m007"]) & (pl.col("mois") == MOIS)
    stayed = simulate(**tables, mois=[MOIS]).filter(~pl.col("menage_id").is_in(["m000", "m007"]))
    tables["menages"] = tables["menages"].filter(~left)
    assert simulate(**tables, mois=[MOIS]).equals(stayed)


def test_every_household_present_gets_both_rights_once_a_month() -> None:
    rows = simulate(**frames(mixed(30)), mois=["2026-04", "2026-05", "2026-06"])
    assert rows.height == 30 * 3 * 2
    assert rows.select("menage_id", "mois", "droit").is_unique().all()
    assert set(rows["eligible"]) <= {"oui", "non", "inconnu"}


@pytest.mark.parametrize("situation", ["CEL", "SEF"])
def test_a_child_without_income_counts_the_same_whatever_the_child_of_another_earns(situation: str) -> None:
    homes = {
        f"{year}-{month}": Household(
            [Person(revenus={"001": 300.0}), Person("ENF", (year, month))],
            MOIS,
            attributs={"sitfam": situation, "sitfam_date": "2026-01"},
        )
        for year, month in ((2001, 3), (2001, 4), (2001, 5), (2001, 6), (2010, 5), (2026, 3))
    }
    earner = Household([Person(), Person("ENF", (2008, 1), revenus={"001": 900.0})], MOIS)
    alone, together = (simulate(**frames(all_), mois=[MOIS]) for all_ in (homes, homes | {"z": earner}))
    assert alone.equals(together.filter(pl.col("menage_id") != "z"))
