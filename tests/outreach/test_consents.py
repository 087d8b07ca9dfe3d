"""Any doubt about a consent is no consent."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipelines.outreach.consents import ConsentEvent, states
from pipelines.settings import Organisation, Outreach

TODAY = date(2026, 7, 1)
RULES = Outreach(
    destinataires=[
        Organisation(code="CELLULE", nom="Cellule", cle_publique=None),
        Organisation(code="FS-AURIGNAC", nom="France services", cle_publique=None),
    ],
    formulaires_nommant=["2026-1"],
)
GIVEN = ConsentEvent(
    consentement_id="c1",
    finalite="RAPPEL_RSA",
    destinataire="CELLULE",
    evenement="DONNE",
    evenement_le=date(2026, 5, 4),
    formulaire_version="2026-1",
    formulaire_sha256="ab" * 32,
    expire_le=date(2027, 5, 4),
    capacite="SOI",
    representant_ref=None,
)


def reason(*events: ConsentEvent, withdrawn: tuple[str, ...] = ()) -> str:
    return states(events, RULES, TODAY, withdrawn)["c1"].raison


def test_a_given_consent_is_valid_for_its_purpose_and_recipient() -> None:
    state = states([GIVEN], RULES, TODAY)["c1"]
    assert (state.raison, state.droit, state.destinataire) == ("valide", "rsa", "CELLULE")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"evenement": "REFUSE"}, "refuse"),
        ({"evenement": "PEUT_ETRE"}, "evenement_inconnu"),
        ({"evenement_le": TODAY + timedelta(days=1)}, "date_future"),
        ({"evenement_le": None}, "date_future"),
        ({"formulaire_version": None}, "formulaire_absent"),
        ({"formulaire_sha256": ""}, "formulaire_absent"),
        ({"destinataire": "INCONNU"}, "destinataire_inconnu"),
        ({"destinataire": "FS-AURIGNAC", "formulaire_version": "2025-1"}, "formulaire_ne_nomme_pas"),
        ({"destinataire": "CELLULE", "formulaire_version": "2025-1"}, "valide"),
        ({"destinataire": None}, "valide"),
        ({"finalite": None}, "finalite_inconnue"),
        ({"capacite": None}, "capacite_inconnue"),
        ({"capacite": "REPRESENTANT"}, "representant_sans_reference"),
        ({"capacite": "REPRESENTANT", "representant_ref": "R1"}, "valide"),
        ({"expire_le": None}, "expiration_absente"),
        ({"expire_le": TODAY - timedelta(days=1)}, "expire"),
        ({"expire_le": TODAY}, "valide"),
    ],
)
def test_each_doubt_has_its_reason(change: dict[str, object], expected: str) -> None:
    assert reason(replace(GIVEN, **change)) == expected  # type: ignore[arg-type]


def test_a_withdrawal_ends_the_consent_whatever_the_order_of_rows() -> None:
    withdrawal = replace(GIVEN, evenement="RETIRE", evenement_le=date(2026, 6, 1), expire_le=None)
    assert reason(GIVEN, withdrawal) == reason(withdrawal, GIVEN) == "retire"


def test_a_withdrawal_recorded_since_the_delivery_counts_at_once() -> None:
    assert reason(GIVEN, withdrawn=("c1",)) == "retire"


def test_contradictory_events_are_no_consent() -> None:
    assert reason(GIVEN, replace(GIVEN, evenement="REFUSE", expire_le=None)) == "evenements_contradictoires"
    assert reason(GIVEN, replace(GIVEN, finalite="RAPPEL_PPA")) == "evenements_contradictoires"


def test_the_same_event_delivered_twice_is_one_event() -> None:
    assert reason(GIVEN, GIVEN) == "valide"


def may_be_called(events: list[ConsentEvent], withdrawn: bool) -> bool:
    """The rule as the form states it, written again from the law and not from the code."""
    if withdrawn or not events or any(event.evenement != "DONNE" for event in events):
        return False
    if len(set(events) | {replace(e, evenement_le=None) for e in events}) - len(set(events)) != 1:
        return False
    given = events[0]
    dated = all(e.evenement_le and e.evenement_le <= TODAY for e in events)
    form = bool(given.formulaire_version and given.formulaire_sha256)
    named = given.destinataire in (None, "CELLULE") or given.formulaire_version == "2026-1"
    known = given.destinataire in (None, "CELLULE", "FS-AURIGNAC")
    able = given.capacite == "SOI" or (given.capacite == "REPRESENTANT" and bool(given.representant_ref))
    lasting = given.expire_le is not None and given.expire_le >= TODAY
    return dated and form and named and known and able and lasting


def test_two_thousand_combinations_agree_with_an_independent_reading_of_the_rule() -> None:
    axes = itertools.product(
        ["DONNE", "REFUSE", "RETIRE"],
        [date(2026, 5, 4), TODAY + timedelta(days=2), None],
        ["CELLULE", "FS-AURIGNAC", "INCONNU", None],
        ["2026-1", "2025-1", None],
        [("SOI", None), ("REPRESENTANT", None), ("REPRESENTANT", "R1"), (None, None)],
        [date(2027, 1, 1), date(2026, 1, 1), None],
        [False, True],
    )
    compared = 0
    for kind, day, recipient, form, (capacity, reference), expiry, withdrawn in axes:
        event = replace(
            GIVEN,
            evenement=kind,
            evenement_le=day,
            destinataire=recipient,
            formulaire_version=form,
            capacite=capacity,
            representant_ref=reference,
            expire_le=expiry,
        )
        for events in ([event], [GIVEN, event]):
            state = states(events, RULES, TODAY, ("c1",) if withdrawn else ())["c1"]
            assert state.est_valide == may_be_called(events, withdrawn), (events, withdrawn)
            compared += 1
    assert compared > 2000
