"""Who may be called: consent in force, probably entitled, not taking up; any doubt is no."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.estimation import hand_over, run
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import Tables

GIVEN: dict[str, Any] = {
    "finalite": "RAPPEL_RSA",
    "destinataire": "CELLULE",
    "evenement": "DONNE",
    "evenement_le": date(2026, 5, 20),
    "formulaire_version": "2026-1",
    "formulaire_sha256": "0" * 64,
    "expire_le": date(2027, 5, 20),
    "capacite": "SOI",
}


def consent(tables: Tables, uid: int | None = 1, identifier: str = "k", **changes: object) -> None:
    tables.add("core__cellule_consentements", consentement_id=identifier, **(GIVEN | changes))
    if uid is not None and identifier not in {r["personne_id"] for r in tables.rows["core__personnes_liees"]}:
        tables.add(
            "core__personnes_liees", personne_uid=uid, source="cellule", personne_id=identifier, poids=25.0
        )


def decided(tables: Tables, warehouse: Warehouse, settings: Settings) -> dict[str, str]:
    tables.write(warehouse)
    run(warehouse, settings, "2026-06")
    return dict(warehouse.read("core__a_rappeler_detail").select("consentement_id", "raison").rows())


@pytest.fixture
def nontaker(tables: Tables) -> Tables:
    tables.caf("a")
    tables.link(1, ("caf", "a"))
    return tables


def test_a_consenting_nontaker_is_handed_over_with_a_deadline_and_nothing_else(
    nontaker: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    consent(nontaker)
    assert decided(nontaker, warehouse, settings) == {"k": "a_rappeler"}
    rows = warehouse.read("out__a_rappeler")
    assert rows.rows(named=True) == [{"consentement_id": "k", "droit": "rsa", "echeance": date(2026, 9, 30)}]


DOUBTS: list[dict[str, object]] = [
    {"expire_le": date(2026, 6, 29)},
    {"expire_le": None},
    {"evenement_le": date(2026, 7, 2)},
    {"destinataire": "INCONNU"},
    {"formulaire_version": None},
    {"formulaire_sha256": None},
    {"capacite": "REPRESENTANT"},
    {"capacite": None},
    {"finalite": "RAPPEL_AUTRE"},
    {"evenement": "REFUSE"},
]


def test_any_doubt_is_no_consent(nontaker: Tables, warehouse: Warehouse, settings: Settings) -> None:
    for n, doubt in enumerate(DOUBTS):
        nontaker.caf(f"a{n}")
        nontaker.link(10 + n, ("caf", f"a{n}"))
        consent(nontaker, uid=10 + n, identifier=f"doute{n}", **doubt)
    consent(nontaker)
    assert decided(nontaker, warehouse, settings) == {"k": "a_rappeler"}


def test_a_withdrawal_ends_its_consent(nontaker: Tables, warehouse: Warehouse, settings: Settings) -> None:
    consent(nontaker)
    consent(nontaker, evenement="RETIRE", evenement_le=date(2026, 6, 5), expire_le=None)
    assert decided(nontaker, warehouse, settings) == {}


def test_a_later_refusal_of_the_same_person_ends_her_consent(
    nontaker: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    consent(nontaker)
    consent(nontaker, identifier="k2", evenement="REFUSE", evenement_le=date(2026, 6, 5))
    assert decided(nontaker, warehouse, settings) == {}


def test_a_consent_given_again_after_a_refusal_holds(
    nontaker: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    consent(nontaker, identifier="k2", evenement="REFUSE", evenement_le=date(2026, 4, 5))
    consent(nontaker)
    assert decided(nontaker, warehouse, settings) == {"k": "a_rappeler"}


def test_the_purpose_says_which_right_is_looked_at(
    nontaker: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    consent(nontaker, finalite="RAPPEL_PPA")
    assert decided(nontaker, warehouse, settings) == {"k": "non_eligible"}


def test_a_taker_is_not_called(tables: Tables, warehouse: Warehouse, settings: Settings) -> None:
    tables.caf("a", rsa_etat="2", rsa_du=500.0)
    tables.link(1, ("caf", "a"))
    consent(tables)
    assert decided(tables, warehouse, settings) == {"k": "recourant"}


def test_a_small_amount_is_not_worth_a_call(tables: Tables, warehouse: Warehouse, settings: Settings) -> None:
    tables.caf("a", montants=(20.0, 0.0))
    tables.link(1, ("caf", "a"))
    consent(tables)
    assert decided(tables, warehouse, settings) == {"k": "montant_faible"}


def test_a_person_absent_from_caf_and_entitled_on_cpam_data_is_called(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.cpam("b")
    tables.caf("somebody else", rsa="non")
    tables.link(1, ("cpam", "b"))
    consent(tables)
    assert decided(tables, warehouse, settings) == {"k": "a_rappeler"}


def test_consents_the_files_cannot_answer_for_are_the_cellules_own_list(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a", rsa="inconnu", ppa="inconnu", motif="etudiant")
    tables.link(1, ("caf", "a"))
    consent(tables)
    consent(tables, uid=2, identifier="seul")
    consent(tables, uid=3, identifier="double")
    tables.add("core__consentements_ambigus", consentement_id="double", n_candidats=2)
    decided(tables, warehouse, settings)
    expected = [("double", "ambigu"), ("k", "droit_inconnu"), ("seul", "sans_enregistrement")]
    assert warehouse.read("out__a_verifier").rows() == expected
    assert warehouse.read("out__a_rappeler").is_empty()


def test_the_spouse_found_at_cpam_only_stands_in_the_caf_household(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a", rsa_etat="2", rsa_du=500.0)
    tables.cpam("c")
    tables.link(1, ("caf", "a"), ("cpam", "c"))
    tables.also("c", "p2", "CJT", uid=2)
    consent(tables, uid=2)
    assert decided(tables, warehouse, settings) == {"k": "recourant"}


def test_what_is_handed_over_is_the_two_tables(
    nontaker: Tables, warehouse: Warehouse, settings: Settings, tmp_path: Any
) -> None:
    consent(nontaker)
    decided(nontaker, warehouse, settings)
    here = settings.model_copy(
        update={"dossiers": settings.dossiers.model_copy(update={"passage": tmp_path / "passage"})}
    )
    assert hand_over(warehouse, here) == {"a_rappeler": 1, "a_verifier": 0}
    assert pl.read_parquet(tmp_path / "passage" / "a_rappeler.parquet").columns == [
        "consentement_id",
        "droit",
        "echeance",
    ]
