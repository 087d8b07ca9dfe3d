"""Quarters that are late, incomplete, estimated again: what is said, what is kept."""

from datetime import date

import polars as pl
import pytest

from pipelines.estimation import alerts, months, revisions, run
from pipelines.estimation.publication import RATE_COLUMNS
from pipelines.estimation.revisions import ANSWERS, FIRST, SETTINGS
from pipelines.refusals import MissingSourceRefusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import check_table, empty_table
from tests.estimation.tables import MONTHS, Tables
from tests.estimation.test_stage import territory

CAF, CPAM = ("caf", "2026-06", "a"), ("cpam", "2026-05", "b")


@pytest.fixture
def known(warehouse: Warehouse) -> Warehouse:
    """A quarter estimated on the extracts of the CAF of June and of the CPAM of May, no answer."""
    warehouse.replace("meta__echantillon_reponses", empty_table("meta__echantillon_reponses"))
    revised(warehouse, 0.30, CAF, CPAM)
    return warehouse


def revised(warehouse: Warehouse, taux: float, *used: tuple[str, str, str]) -> list[alerts.Alert]:
    """What a new estimate of the quarter, on these extracts, leaves and says."""
    row = {"periode": "2026-T2", "droit": "rsa", "niveau": "EPCI", "groupe": "ensemble", "methode": "corrige"}
    rates = [
        dict.fromkeys(RATE_COLUMNS) | row | {"taux": taux, "taux_bas": taux - 0.05, "taux_haut": taux + 0.05}
    ]
    warehouse.replace("out__taux", pl.DataFrame(rates, schema=RATE_COLUMNS, orient="row"))
    extracts = empty_table("meta__extraits")
    rows = [
        dict(zip(("partenaire", "mois", "extrait_id"), one, strict=True), est_utilise=True) for one in used
    ]
    complete = [dict.fromkeys(extracts.columns) | row for row in rows]
    warehouse.replace("meta__extraits", pl.DataFrame(complete, schema=extracts.schema, orient="row"))
    return revisions.keep(warehouse, "2026-06", date(2026, 8, 1))


def versions(warehouse: Warehouse) -> list[tuple[int, float, str]]:
    rows = warehouse.read("out__taux_revisions").sort("version")
    return rows.select("version", "taux", "motif").rows()


def test_a_replaced_extract_keeps_the_first_value_beside_the_revised_one(known: Warehouse) -> None:
    said = revised(known, 0.32, ("caf", "2026-06", "z"), CPAM)
    assert versions(known) == [(1, 0.30, FIRST), (2, 0.32, "extrait de la CAF de 2026-06 remplacé")]
    assert "Les taux de 2026-T2 sont révisés" in said[0].message
    assert "32" not in said[0].message
    check_table("out__taux_revisions", known.read("out__taux_revisions"))


def test_a_late_extract_that_arrives_is_the_reason(known: Warehouse) -> None:
    revised(known, 0.32, CAF, ("cpam", "2026-06", "c"), ("msa", "2026-06", "m"))
    reason = "extrait de la CPAM de 2026-06 arrivé, celui de 2026-05 servait jusque-là ; "
    assert versions(known)[1:] == [(2, 0.32, reason + "extrait de la MSA de 2026-06 arrivé")]


def test_on_the_same_extracts_the_settings_then_the_answers_are_the_reason(known: Warehouse) -> None:
    revised(known, 0.31, CAF, CPAM)
    answer = {"partenaire": "cpam", "echantillon_id": "e", "rang": 1, "date": date(2026, 7, 1)}
    known.append("meta__echantillon_reponses", pl.DataFrame([answer]))
    revised(known, 0.33, CAF, CPAM)
    assert [reason for *_, reason in versions(known)] == [FIRST, SETTINGS, ANSWERS]


def test_the_same_figures_make_no_revision_whatever_was_delivered(known: Warehouse) -> None:
    assert revised(known, 0.30, ("caf", "2026-06", "z"), CPAM) == []
    assert len(versions(known)) == 1


def test_a_month_missing_at_the_caf_leaves_the_two_others_and_is_said(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    """Read on three months, every household would lose its right for lack of the third."""
    territory(tables, size=20)
    for table in ("core__caf_foyers", "core__droits"):
        rows = tables.rows[table]
        tables.rows[table] = [r for r in rows if r["mois"] != MONTHS[2] or r.get("instrument") == "cpam"]
    tables.write(warehouse)
    counts = run(warehouse, settings, "2026-06")
    rates = warehouse.read("out__taux").filter(
        droit="rsa", methode="observe", niveau="EPCI", groupe="ensemble"
    )
    assert rates.select("non_recourants", "eligibles").row(0) == (7.0, 27.0)
    assert counts["mois_lus"] == "2026-04, 2026-05"
    said = warehouse.read("meta__alertes").filter(etape="estimation")["message"].to_list()
    assert "Le mois 2026-06 manque au fichier de la CAF" in said[0]


def test_two_months_missing_at_the_caf_are_refused(tables: Tables, warehouse: Warehouse) -> None:
    tables.caf("a", mois=MONTHS[:1])
    tables.write(warehouse)
    with pytest.raises(MissingSourceRefusal, match="1 mois du trimestre"):
        months.known(warehouse, "2026-06")
