"""When identities are already deleted, links are carried over by the ids, which do not change."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.linkage.renewal import can_carry_over, carry_over, was_carried_over
from pipelines.warehouse import Warehouse, open_warehouse

PRESENT = {
    "core__caf_personnes": ["c1", "c3"],
    "core__cpam_assures": ["a1", "a2"],
    "core__departement_personnes": [],
    "core__msa_assures": [],
}


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "e.duckdb", tmp_path / "travail") as warehouse:
        for table, ids in PRESENT.items():
            warehouse.replace(table, pl.DataFrame({"personne_id": pl.Series(ids, dtype=pl.String)}))
        consents = pl.DataFrame({"consentement_id": pl.Series([], dtype=pl.String)})
        warehouse.replace("core__cellule_consentements", consents)
        rows = [(1, "caf", "c1", None), (1, "cpam", "a1", 22.0), (2, "caf", "c2", None)]
        schema = {
            "personne_uid": pl.Int64,
            "source": pl.String,
            "personne_id": pl.String,
            "poids": pl.Float64,
        }
        warehouse.replace("core__personnes_liees", pl.DataFrame(rows, schema=schema, orient="row"))
        yield warehouse


def test_links_stay_newcomers_are_alone_and_the_gone_are_gone(linked: Warehouse) -> None:
    counts = carry_over(linked)
    assert linked.read("core__personnes_liees").rows() == [
        (1, "caf", "c1", None),
        (1, "cpam", "a1", 22.0),
        (3, "caf", "c3", None),
        (4, "cpam", "a2", None),
    ]
    assert counts["liens_reconduits"] == 2
    assert counts["fiches_nouvelles_non_liees"] == 2
    assert counts["fiches_disparues"] == 1


def test_nothing_is_carried_over_before_a_first_linkage(linked: Warehouse) -> None:
    assert can_carry_over(linked)
    linked.replace("core__personnes_liees", linked.read("core__personnes_liees").clear())
    assert not can_carry_over(linked)


@pytest.mark.parametrize(("counts", "carried"), [({"liens_reconduits": 2}, True), ({"fiches": 2}, False)])
def test_identities_wait_while_the_last_links_were_carried_over(
    linked: Warehouse, counts: dict[str, int], carried: bool
) -> None:
    assert not was_carried_over(linked)
    linked.record("appariement", "2026-06", "marque", datetime(2026, 7, 12), counts)
    assert was_carried_over(linked) is carried


def test_a_quality_told_before_classes_existed_is_about_everybody(linked: Warehouse) -> None:
    former = pl.DataFrame({"mesure": ["rappel"], "source_g": ["caf"], "valeur": [0.99]})
    linked.replace("out__qualite_appariement", former)
    carry_over(linked)
    told = linked.read("out__qualite_appariement")
    assert told.select("classe", "modalite").rows() == [("ensemble", "ensemble")]
