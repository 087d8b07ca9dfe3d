"""Who opposed is in no statistic and on no list."""

import polars as pl
import pytest

from pipelines.estimation import run
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import Tables
from tests.estimation.test_contact import consent, decided


def oppose(tables: Tables, source: str, person: str, objet: str = "TRAITEMENT") -> None:
    tables.add("core__personnes_opposees", source=source, personne_id=person, objet=objet)


@pytest.fixture
def two(tables: Tables) -> Tables:
    """Two households of the CAF, one of them seen at the CPAM too, and one of the CPAM alone."""
    for name in ("a", "b"):
        tables.caf(name)
    for name in ("a", "c"):
        tables.cpam(name)
    tables.link(1, ("caf", "a"), ("cpam", "a"))
    return tables


def counted(tables: Tables, warehouse: Warehouse, settings: Settings) -> tuple[set[str], dict[str, float]]:
    tables.write(warehouse)
    run(warehouse, settings, "2026-06")
    left_out = warehouse.read("out__effectifs").filter(rubrique="oppositions").select("modalite", "menages")
    return set(warehouse.read("core__situations")["menage_base_id"]), dict(left_out.rows())


def test_a_household_with_someone_opposed_to_processing_is_counted_and_left_out(
    two: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    oppose(two, "caf", "p-b")
    oppose(two, "cpam", "p-c")
    assert counted(two, warehouse, settings) == (
        {"a"},
        {"menages_retires_caf": 1.0, "menages_retires_cpam": 1.0},
    )


def test_a_household_seen_by_two_partners_is_left_out_of_both_and_counted_once(
    two: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    oppose(two, "caf", "p-a")
    oppose(two, "cpam", "p-a")
    households, left_out = counted(two, warehouse, settings)
    assert households == {"b", "c"} and left_out == {"menages_retires_caf": 1.0}
    assert warehouse.read("core__situations_lues").filter(pl.col("menage_base_id") == "a").is_empty()


def test_who_opposes_contact_only_stays_in_the_statistics(
    two: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    oppose(two, "caf", "p-b", "CONTACT")
    assert counted(two, warehouse, settings) == ({"a", "b", "c"}, {})


@pytest.mark.parametrize("objet", ["CONTACT", "TRAITEMENT"])
def test_who_opposes_anything_is_on_no_list(
    objet: str, two: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    consent(two)
    oppose(two, "cellule", "k", objet)
    assert decided(two, warehouse, settings) == {}


def test_a_verification_of_someone_opposed_says_nothing(
    two: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    two.verified("caf", "b", connu_cpam=1)
    oppose(two, "caf", "p-b")
    counted(two, warehouse, settings)
    assert warehouse.query_file("core/situations_reponses").is_empty()
