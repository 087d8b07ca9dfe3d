"""The cellule's tables: events as known on the day, doubtful consents among them, vault columns of nobody."""

from datetime import date

import polars as pl
import pytest

from pipelines.outreach.consents import ConsentEvent, states
from pipelines.settings import Organisation, Outreach
from pipelines.synthetic.consents import Cellule, extraction_day
from pipelines.synthetic.extracts import Scene
from schemas import TABLES
from tests.synthetic.conftest import LAST

FIELDS = (
    "consentement_id",
    "finalite",
    "destinataire",
    "evenement",
    "evenement_le",
    "formulaire_version",
    "formulaire_sha256",
    "expire_le",
    "capacite",
    "representant_ref",
)
RULES = Outreach(
    destinataires=[
        Organisation(code="CELLULE", nom="Cellule", cle_publique=None),
        Organisation(code="CAF31", nom="CAF", cle_publique=None),
    ]
)


@pytest.fixture(scope="module")
def crowd(scene: Scene, monkeypatch_module: pytest.MonkeyPatch) -> pl.DataFrame:
    """Consents of a team that meets everybody: enough events for every kind of doubt."""
    monkeypatch_module.setattr("pipelines.synthetic.consents.MET", 0.9)
    monkeypatch_module.setattr("pipelines.synthetic.consents.MET_PRECARIOUS", 0.9)
    return Cellule(scene).extract(2)["consentements"]


@pytest.fixture(scope="module")
def monkeypatch_module() -> "pytest.MonkeyPatch":
    with pytest.MonkeyPatch.context() as patch:
        yield patch  # type: ignore[misc]


def test_the_team_never_holds_a_nir(cellule: Cellule) -> None:
    assert "nir" not in TABLES["consentements"].columns
    assert "nir" not in cellule.extract(2)["consentements"].columns


def test_events_after_the_extraction_day_are_not_yet_known(cellule: Cellule) -> None:
    for delivery, mois in enumerate(("2026-04", "2026-05", "2026-06")):
        events = cellule.extract(delivery)["consentements"].filter(~pl.col("est_date_fausse"))
        assert events.is_empty() or events["evenement_le"].max() <= extraction_day(mois)


def test_consents_are_delivered_again_each_month(cellule: Cellule) -> None:
    before, after = (cellule.extract(n)["consentements"]["consentement_id"] for n in (0, 2))
    assert before.is_in(after.implode()).all()


def test_a_withdrawal_carries_the_consent_it_withdraws(crowd: pl.DataFrame) -> None:
    withdrawn = crowd.filter(evenement="RETIRE")
    given = crowd.filter(evenement="DONNE").select("consentement_id", le="evenement_le")
    assert withdrawn.height > 0 and withdrawn["expire_le"].null_count() == withdrawn.height
    assert withdrawn.join(given, on="consentement_id", how="anti").is_empty()


def test_the_chains_own_rules_find_every_kind_of_doubt(crowd: pl.DataFrame) -> None:
    events = [ConsentEvent(*row) for row in crowd.select(FIELDS).iter_rows()]
    found = {state.raison for state in states(events, RULES, extraction_day(LAST)).values()}
    assert found >= {
        "valide",
        "refuse",
        "retire",
        "formulaire_absent",
        "destinataire_inconnu",
        "date_future",
        "evenements_contradictoires",
        "representant_sans_reference",
        "expire",
    }


def test_most_consents_given_are_good(crowd: pl.DataFrame) -> None:
    events = [ConsentEvent(*row) for row in crowd.select(FIELDS).iter_rows()]
    judged = states(events, RULES, extraction_day(LAST)).values()
    given = [state for state in judged if state.raison != "refuse"]
    assert sum(state.est_valide for state in given) / len(given) > 0.8


def test_only_a_form_that_names_it_allows_a_recipient(crowd: pl.DataFrame) -> None:
    older = crowd.filter((pl.col("formulaire_version") == "2025-1") & (pl.col("destinataire") == "CAF31"))
    assert older.is_empty()


def test_the_extract_is_drawn_on_the_10th_of_the_month_after() -> None:
    assert extraction_day("2026-12") == date(2027, 1, 10)


def test_a_team_that_met_nobody_delivers_empty_tables(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for rate in ("MET", "MET_PRECARIOUS"):
        monkeypatch.setattr(f"pipelines.synthetic.consents.{rate}", 0.0)
    tables = Cellule(scene).extract(2)
    assert tables["consentements"].is_empty() and tables["suites"].is_empty()
    assert set(TABLES["consentements"].columns) <= set(tables["consentements"].columns)


def test_oppositions_are_by_object_with_the_identity_and_no_identifier(cellule: Cellule) -> None:
    oppositions = cellule.extract(2)["oppositions"]
    assert set(oppositions["objet"].unique()) <= {"TRAITEMENT", "CONTACT"}
    assert set(TABLES["oppositions"].columns) <= set(oppositions.columns)
    assert "personne_id" not in TABLES["oppositions"].columns
