"""Consent events folded into a current state: any doubt about a consent is no consent (GDPR art. 7)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipelines.settings import Outreach

Reason = Literal[
    "valide",
    "evenement_inconnu",
    "evenements_contradictoires",
    "refuse",
    "retire",
    "date_future",
    "formulaire_absent",
    "destinataire_inconnu",
    "formulaire_ne_nomme_pas",
    "finalite_inconnue",
    "capacite_inconnue",
    "representant_sans_reference",
    "expiration_absente",
    "expire",
]

RIGHT_OF_PURPOSE: Mapping[str, str] = {"RAPPEL_RSA": "rsa", "RAPPEL_PPA": "ppa"}
"""The right each purpose lets the caller talk about; RAPPEL_AUTRE opens neither."""

PURPOSES = frozenset({"RAPPEL_RSA", "RAPPEL_PPA", "RAPPEL_AUTRE"})
DEFAULT_RECIPIENT = "CELLULE"


@dataclass(frozen=True)
class ConsentEvent:
    """One row of ``consentements``, without the person. Empty fields are None."""

    consentement_id: str
    finalite: str | None
    destinataire: str | None
    evenement: str | None
    evenement_le: date | None
    formulaire_version: str | None
    formulaire_sha256: str | None
    expire_le: date | None
    capacite: str | None
    representant_ref: str | None


@dataclass(frozen=True)
class ConsentState:
    """What one consent is worth on a given day. ``raison`` is "valide", or why it is no consent."""

    consentement_id: str
    raison: Reason
    finalite: str | None = None
    destinataire: str | None = None
    expire_le: date | None = None

    @property
    def est_valide(self) -> bool:
        """True when the person may be called."""
        return self.raison == "valide"

    @property
    def droit(self) -> str | None:
        """The right this consent lets the recipient talk about."""
        return RIGHT_OF_PURPOSE.get(self.finalite or "")


def states(
    events: Iterable[ConsentEvent], rules: Outreach, today: date, withdrawn: Collection[str] = ()
) -> dict[str, ConsentState]:
    """The state of every consent on ``today``; ``withdrawn`` holds the ids withdrawn since the delivery."""
    by_consent: dict[str, list[ConsentEvent]] = {}
    for event in events:
        by_consent.setdefault(event.consentement_id, []).append(event)
    return {
        identifier: _state(identifier, history, rules, today, identifier in withdrawn)
        for identifier, history in by_consent.items()
    }


def _state(
    identifier: str, history: list[ConsentEvent], rules: Outreach, today: date, withdrawn: bool
) -> ConsentState:
    reason = "retire" if withdrawn else _doubt_in_history(history, today)
    given = [event for event in history if event.evenement == "DONNE"]
    if reason is None:
        reason = _doubt_in_form(given[0], rules, today)
    if reason is not None:
        return ConsentState(identifier, reason)
    return ConsentState(
        identifier,
        "valide",
        given[0].finalite,
        given[0].destinataire or DEFAULT_RECIPIENT,
        given[0].expire_le,
    )


def _doubt_in_history(history: list[ConsentEvent], today: date) -> Reason | None:
    kinds = {event.evenement for event in history}
    if not kinds <= {"DONNE", "REFUSE", "RETIRE"}:
        return "evenement_inconnu"
    if any(event.evenement_le is None or event.evenement_le > today for event in history):
        return "date_future"
    if "RETIRE" in kinds:
        return "retire"
    if kinds == {"REFUSE"}:
        return "refuse"
    if "REFUSE" in kinds or len({_terms(event) for event in history}) > 1:
        return "evenements_contradictoires"
    return None


def _terms(event: ConsentEvent) -> tuple[object, ...]:
    return (
        event.finalite,
        event.destinataire,
        event.formulaire_version,
        event.formulaire_sha256,
        event.expire_le,
        event.capacite,
        event.representant_ref,
    )


def _doubt_in_form(given: ConsentEvent, rules: Outreach, today: date) -> Reason | None:
    recipient = given.destinataire or DEFAULT_RECIPIENT
    names_the_list = given.formulaire_version in rules.formulaires_nommant
    doubts: list[tuple[bool, Reason]] = [
        (not given.formulaire_version or not given.formulaire_sha256, "formulaire_absent"),
        (recipient not in {known.code for known in rules.destinataires}, "destinataire_inconnu"),
        (recipient != DEFAULT_RECIPIENT and not names_the_list, "formulaire_ne_nomme_pas"),
        (given.finalite not in PURPOSES, "finalite_inconnue"),
        (given.capacite not in {"SOI", "REPRESENTANT"}, "capacite_inconnue"),
        (given.capacite == "REPRESENTANT" and not given.representant_ref, "representant_sans_reference"),
        (given.expire_le is None, "expiration_absente"),
        (given.expire_le is not None and given.expire_le < today, "expire"),
    ]
    return next((reason for doubtful, reason in doubts if doubtful), None)
