"""The MSA through its own extract, or through the Département's: who is in the S stratum, for which right."""

from collections.abc import Callable

import polars as pl
import pytest

from pipelines.estimation import situations
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.reading import read
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import MONTHS, Tables

Payers = Callable[[], dict[str, float]]
"""Households of the S stratum by right, once the tables are written."""


def paid_by_msa(tables: Tables, name: str, **dossier: object) -> None:
    """A CPAM household that the MSA's own extract shows, with its dossier there."""
    tables.cpam(name)
    for month in MONTHS:
        tables.add("core__msa_foyers", foyer_id=f"f-{name}", mois=month, **dossier)
    tables.add("core__msa_personnes", personne_id=f"m-{name}", foyer_id=f"f-{name}", role="DEM")
    for source, person in (("cpam", f"p-{name}"), ("msa", f"m-{name}")):
        tables.add("core__personnes_liees", personne_uid=len(name) * 1000, source=source, personne_id=person)


@pytest.fixture
def payers(tables: Tables, warehouse: Warehouse, settings: Settings) -> Payers:
    def count() -> dict[str, float]:
        tables.write(warehouse)
        situations.build(warehouse, settings, "2026-06")
        quality, found = warehouse.read("out__qualite_appariement"), {}
        for droit in ("rsa", "ppa", "rsa_seul", "ppa_seule", "rsa_et_ppa"):
            reading = read(warehouse, droit)
            found[droit] = evidence(reading, quality, sensitivity(reading)[0]).s
        return found

    return count


def test_its_own_extract_gives_the_takers_of_both_rights(tables: Tables, payers: Payers) -> None:
    paid_by_msa(tables, "m", rsa_etat="2", rsa_du=300.0)
    paid_by_msa(tables, "mm", ppa_etat="2", ppa_due=90.0)
    paid_by_msa(tables, "mmm", rsa_etat="2", rsa_du=300.0, ppa_etat="2", ppa_due=90.0)
    paid_by_msa(tables, "mmmm", rsa_etat="5", rsa_du=0.0)
    assert payers() == {"rsa": 2, "ppa": 2, "rsa_seul": 1, "ppa_seule": 1, "rsa_et_ppa": 1}


def test_without_it_the_departement_gives_those_of_the_rsa_alone(tables: Tables, payers: Payers) -> None:
    tables.paid_by_the_msa("m")
    assert payers() == {"rsa": 1, "ppa": 0, "rsa_seul": 0, "ppa_seule": 0, "rsa_et_ppa": 0}


def test_one_household_in_both_files_is_one(tables: Tables, payers: Payers, warehouse: Warehouse) -> None:
    paid_by_msa(tables, "m", rsa_etat="2", rsa_du=300.0)
    tables.add(
        "core__departement_rsa", dossier_id="d", mois=MONTHS[0], fonorg="MSA", rsa_etat="2", rsa_du=300.0
    )
    tables.add("core__departement_personnes", personne_id="p-d", dossier_id="d", role="DEM")
    tables.add("core__personnes_liees", personne_uid=1000, source="departement", personne_id="p-d")
    assert payers()["rsa"] == 1
    rows = warehouse.read("core__situations").filter(pl.col("strate") == "S", droit="rsa")
    assert rows["situation"].to_list() == ["recourant"]
