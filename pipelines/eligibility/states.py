"""Entitled, not entitled or unknown, and why unknown."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.eligibility.nomenclature import (
    UNKNOWN_STATUS,
    WORK_VARIABLES,
)
from pipelines.eligibility.observed import NEVER, STATUSES, Flags
from pipelines.eligibility.quarter import (
    APPLICANT,
    CARRIED_MONTHS,
    CHILD,
    CHILD_LIMIT_MONTHS,
    SPOUSE,
    Quarter,
)
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

STUDENT_AGE_MONTHS: Final = 26 * 12
"""Under 26, a person without salary whose student status is unknown may be a student."""

MOTIFS: Final = (
    "",
    "mobilite",
    "sans_adulte",
    "composition_inconnue",
    "age_inconnu",
    "ressources_inconnues",
    "prestation_inconnue",
    "titre_sejour",
    "etudiant",
    "independant_sans_resultat",
    "moins_25_sans_enfant",
    "agricole_ppa",
    "logement_inconnu",
)
"""Why nobody knows, the first that applies; "" when it is known."""

Motifs = NDArray[np.int8]
"""Ranks among MOTIFS, one per household."""


def obstacles(quarter: Quarter) -> Motifs:
    """Why a household cannot be simulated at all (0 when it can)."""
    blocking = {
        "mobilite": ~quarter.household(quarter.dwellings.present)[:, -1],
        "sans_adulte": ~quarter.any_member(quarter.adult),
        "composition_inconnue": _unknown_composition(quarter),
        "age_inconnu": quarter.any_member(quarter.people.birth[quarter.members] == NEVER),
        "ressources_inconnues": _unknown_incomes(quarter),
        "prestation_inconnue": _unknown_benefits(quarter),
    }
    return _first_reason(blocking, len(quarter.households))


def doubts(quarter: Quarter, agricole_inclus: bool) -> dict[str, Motifs]:
    """Why a positive result would not be certain (0 when it is), per right."""
    permit, result = _unproven_permit(quarter), quarter.any_member(_result_unknown(quarter))
    student, housing = quarter.any_member(_maybe_student(quarter)), _unknown_housing(quarter)
    rsa = {
        "titre_sejour": permit,
        "etudiant": student,
        "independant_sans_resultat": result,
        "moins_25_sans_enfant": _young_without_child(quarter),
        "logement_inconnu": housing,
    }
    ppa = {
        "titre_sejour": permit,
        "etudiant": student,
        "independant_sans_resultat": result,
        "agricole_ppa": quarter.any_member(_farmer(quarter)) & (not agricole_inclus),
        "logement_inconnu": housing,
    }
    size = len(quarter.households)
    return {"rsa": _first_reason(rsa, size), "ppa": _first_reason(ppa, size)}


def _first_reason(reasons: dict[str, Flags], size: int) -> Motifs:
    """The first that applies, in the order of MOTIFS."""
    found = np.zeros(size, np.int8)
    for name in sorted(reasons, key=MOTIFS.index, reverse=True):
        found[reasons[name]] = MOTIFS.index(name)
    return found


def _unknown_composition(quarter: Quarter) -> Flags:
    size = len(quarter.households)
    applicants = np.bincount(quarter.family[quarter.role == APPLICANT], minlength=size)
    spouses = np.bincount(quarter.family[quarter.role == SPOUSE], minlength=size)
    unknown: Flags = (applicants != 1) | (spouses > 1)
    return unknown


def _unknown_incomes(quarter: Quarter) -> Flags:
    """An adult with a month of the reference quarter that nobody declared (M-1 and M are carried)."""
    required = quarter.declared[:, quarter.reference.start : -CARRIED_MONTHS]
    return quarter.any_member(quarter.adult & ~required.all(axis=1))


def _unknown_benefits(quarter: Quarter) -> Flags:
    """An observed benefit left empty since the reference quarter, in a month when the household is there."""
    present = quarter.household(quarter.dwellings.present)
    empty: Flags = np.any(quarter.household(quarter.dwellings.unknown_benefit), axis=1)
    missing = quarter.person(quarter.people.unknown_benefit) & present[quarter.family]
    return empty | quarter.any_member(quarter.adult & missing.any(axis=1))


def _unproven_permit(quarter: Quarter) -> Flags:
    """No adult French or EEA, and no other benefit that proves a regular stay."""
    free = quarter.any_member(quarter.adult & ~quarter.people.permit_needed[quarter.members])
    unproven = ~free
    unproven[unproven] = ~_has_other_benefit(quarter.only(unproven))
    return unproven


def _has_other_benefit(quarter: Quarter) -> Flags:
    proven = np.zeros(len(quarter.households), np.bool_)
    for name in HOUSEHOLD_BENEFITS:
        proven |= np.any(quarter.household(quarter.dwellings.benefits[name]) > 0, axis=1)
    for name in PERSON_BENEFITS:
        paid: Flags = np.any(quarter.person(quarter.people.benefits[name]) > 0, axis=1)
        proven |= quarter.any_member(paid)
    return proven


def _maybe_student(quarter: Quarter) -> Flags:
    student = quarter.people.student[quarter.members]
    unknown = (student == -1) & (quarter.age_months < STUDENT_AGE_MONTHS) & ~_has_work(quarter)
    maybe: Flags = quarter.adult & ((student == 1) | unknown)
    return maybe


def _has_work(quarter: Quarter) -> Flags:
    incomes = quarter.people.incomes
    tables = [
        quarter.person(incomes[name])[:, quarter.reference] for name in WORK_VARIABLES if name in incomes
    ]
    return np.any([(table > 0).any(axis=1) for table in tables], axis=0) if tables else ~quarter.adult


def _result_unknown(quarter: Quarter) -> Flags:
    """Self-employed without any result, or with an income nobody can date (034)."""
    people, reference = quarter.people, quarter.reference
    monthly = people.incomes.get("rpns_auto_entrepreneur_benefice")
    known = (quarter.person(people.yearly) > 0).any(axis=1)
    if monthly is not None:
        known |= (quarter.person(monthly) > 0).any(axis=1)
    undated = quarter.person(people.unclassified)[:, reference].any(axis=1)
    return quarter.adult & ((people.self_employed[quarter.members] & ~known) | undated)


def _farmer(quarter: Quarter) -> Flags:
    people = quarter.people
    return quarter.adult & (people.farmer[quarter.members] | quarter.person(people.farm).any(axis=1))


def _young_without_child(quarter: Quarter) -> Flags:
    """Every adult under 25, no child born or to be born, and a work history that nobody knows."""
    people = quarter.people
    grown = quarter.any_member(quarter.adult & (quarter.age_months >= CHILD_LIMIT_MONTHS))
    child = quarter.any_member((quarter.role == CHILD) | people.pregnant[quarter.members])
    unknown = quarter.any_member(quarter.adult & (people.worked_enough[quarter.members] == -1))
    proven = quarter.any_member(quarter.adult & (people.worked_enough[quarter.members] == 1))
    return ~grown & ~child & unknown & ~proven


def _unknown_housing(quarter: Quarter) -> Flags:
    homes = quarter.dwellings
    unknown = quarter.household(homes.status)[:, -1] == STATUSES.index(UNKNOWN_STATUS)
    unaided: Flags = unknown & ~(quarter.household(homes.benefits["aide_logement"])[:, -1] > 0)
    return unaided
