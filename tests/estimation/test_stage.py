"""The stage from the tables of the other rooms to out__taux."""

from collections.abc import Iterator

import polars as pl
import pytest

from pipelines.estimation import run
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse
from schemas.warehouse_tables import check_table
from tests.estimation.tables import AURIGNAC, SAINT_GAUDENS, Tables


def territory(tables: Tables, size: int = 60) -> None:
    """``size`` takers, a third as many non-takers, PPA takers; most linked; B with known incomes."""
    places = (SAINT_GAUDENS, AURIGNAC)
    for n in range(size):
        place, age = places[n % 2], 25 + n % 40
        tables.caf(f"t{n}", rsa_etat="2", rsa_du=500.0, commune=place, age=age, occlog="LOC")
        tables.cpam(f"ct{n}", commune=place, age=age, c2s="1")
        tables.caf(f"e{n}", rsa="non", ppa="oui", ppa_etat="2", ppa_due=90.0, commune=place, age=age)
        tables.cpam(f"ce{n}", rsa="non", ppa="oui", commune=place, age=age, c2s=str(n % 2))
        if n % 20:
            tables.link(1000 + n, ("caf", f"t{n}"), ("cpam", f"ct{n}"))
            tables.link(2000 + n, ("caf", f"e{n}"), ("cpam", f"ce{n}"))
        if n % 3 == 0:
            tables.caf(f"n{n}", commune=place, age=age, occlog="PRO")
            tables.cpam(f"cn{n}", commune=place, age=age, c2s=str(n % 2))
            tables.link(3000 + n, ("caf", f"n{n}"), ("cpam", f"cn{n}"))
            tables.cpam(f"b{n}", commune=place, age=age, c2s=str(n % 2))
            tables.cpam(f"o{n}", rsa="non", ppa="non", commune=place, age=age)


@pytest.fixture(scope="module")
def estimated(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[Warehouse]:
    tables, folder = Tables(), tmp_path_factory.mktemp("estimation")
    territory(tables)
    with open_warehouse(folder / "essai.duckdb", folder / "travail") as warehouse:
        tables.write(warehouse)
        run(warehouse, settings, "2026-06")
        yield warehouse


def rate(warehouse: Warehouse, **cell: str) -> dict[str, object]:
    return warehouse.read("out__taux").filter(**cell).row(0, named=True)


def test_the_corrected_rate_lies_between_the_observed_and_the_naive(estimated: Warehouse) -> None:
    cell = {"droit": "rsa", "niveau": "EPCI", "groupe": "ensemble"}
    observed, corrected, naive = (
        rate(estimated, methode=m, **cell)["taux"] for m in ("observe", "corrige", "naif")
    )
    assert observed == 0.25
    assert observed < corrected < naive


def test_groupings_add_up_to_the_territory(estimated: Warehouse) -> None:
    rows = estimated.read("out__taux").filter(droit="rsa", methode="corrige", groupe="ensemble")
    whole = rows.filter(niveau="EPCI")
    parts = rows.filter(niveau="regroupement")
    for name in ("eligibles", "non_recourants", "euros_mois"):
        assert parts[name].sum() == pytest.approx(whole[name].item(), rel=1e-6)


def test_age_groups_add_up_to_the_territory(estimated: Warehouse) -> None:
    rows = estimated.read("out__taux").filter(droit="rsa", methode="corrige", niveau="EPCI")
    ages = rows.filter(pl.col("groupe").is_in(["age:-50", "age:50-64", "age:65+"]))
    assert ages["eligibles"].sum() == pytest.approx(rows.filter(groupe="ensemble")["eligibles"].item())


def test_fifty_and_over_is_shown_beside_its_two_bands(estimated: Warehouse) -> None:
    rows = estimated.read("out__taux").filter(droit="rsa", methode="corrige", niveau="EPCI")
    found = dict(rows.select("groupe", "eligibles").rows())
    bands = found.get("age:50-64", 0.0) + found.get("age:65+", 0.0)
    assert found["age:50+"] == pytest.approx(bands)


def test_a_commune_never_has_the_rate_of_its_own_count(estimated: Warehouse) -> None:
    rows = estimated.read("out__taux").filter(niveau="commune", methode="observe")
    assert rows.height
    assert rows["taux"].is_null().all()
    assert not rows["est_diffusable"].any()


def test_communes_as_delivered_add_up_to_the_territory(estimated: Warehouse) -> None:
    rows = estimated.read("out__taux").filter(droit="rsa", methode="corrige", groupe="ensemble")
    whole, parts = (rows.filter(niveau=niveau) for niveau in ("EPCI", "commune"))
    for name in ("eligibles", "non_recourants", "euros_mois"):
        assert parts[name].sum() == pytest.approx(whole[name].item(), rel=1e-6)


def test_small_groups_are_not_diffusable(estimated: Warehouse, settings: Settings) -> None:
    rows = estimated.read("out__taux").filter("est_diffusable")
    assert rows.height
    assert (rows["eligibles"] >= settings.publication.seuil_eligibles).all()
    assert (rows["non_recourants"] >= settings.publication.seuil).all()


@pytest.mark.parametrize(
    "table",
    [
        "core__situations",
        "out__taux",
        "out__effectifs",
        "out__parametres_estimation",
        "core__a_rappeler_detail",
        "out__a_rappeler",
    ],
)
def test_every_table_is_the_declared_one(estimated: Warehouse, table: str) -> None:
    check_table(table, estimated.read(table))


def test_every_household_is_in_one_situation_per_right(estimated: Warehouse) -> None:
    counts = estimated.read("out__effectifs").filter(rubrique="situations")
    seen = estimated.query(
        "SELECT droit, sum(poids_menages) AS n FROM core__situations_lues WHERE strate <> 'L' GROUP BY droit"
    )
    for droit in ("rsa", "ppa"):
        assert counts.filter(droit=droit)["menages"].sum() == seen.filter(droit=droit)["n"].item()


def test_parameters_say_that_nothing_was_verified(estimated: Warehouse) -> None:
    rows = estimated.read("out__parametres_estimation").filter(nom="R")
    assert rows.height == 15
    assert rows["source"].str.contains("non vérifié").all()
    assert not estimated.read("out__taux")["est_verifie"].any()


def test_another_period_is_kept_and_the_same_one_replaced(estimated: Warehouse, settings: Settings) -> None:
    before = estimated.read("out__taux")
    earlier = before.with_columns(periode=pl.lit("2026-T1"))
    estimated.replace("out__taux", pl.concat([before, earlier]))
    run(estimated, settings, "2026-06")
    after = estimated.read("out__taux")
    assert after.filter(periode="2026-T2").equals(before)
    assert after.filter(periode="2026-T1").height == before.height
