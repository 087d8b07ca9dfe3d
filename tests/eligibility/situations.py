"""Households written in one line each, turned into the frames of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.calendar import months_between, shift

BENEFITS = ("aide_logement", "af", "af_base", "cf", "asf", "paje_base", "paje_prepare", "aspa")
PERSON_BENEFITS = ("aah", "caah", "ass", "asi")

MENAGES = {
    "menage_id": pl.String, "mois": pl.String, "commune_insee": pl.String, "sitfam": pl.String,
    "sitfam_date": pl.String, "occlog": pl.String, **dict.fromkeys(BENEFITS, pl.Float64),
    "dtr_phase": pl.Int8,
}  # fmt: skip
PERSONNES = {
    "personne_id": pl.String, "menage_id": pl.String, "role": pl.String, "present_du": pl.String,
    "present_au": pl.String, "nati": pl.String, "act": pl.String, "etudiant": pl.Int8, "enceinte": pl.Int8,
    "naissance_annee": pl.Int32, "naissance_mois": pl.Int8, "rsa_jeune_heures": pl.Int8,
}  # fmt: skip
PRESTATIONS = {"personne_id": pl.String, "mois": pl.String, **dict.fromkeys(PERSON_BENEFITS, pl.Float64)}
RESSOURCES = {
    "personne_id": pl.String, "mois": pl.String, "natress": pl.String, "montant": pl.Float64,
    "arret_debut": pl.String,
}  # fmt: skip

Monthly = float | Mapping[str, float | None] | None


@dataclass
class Person:
    """``revenus``: amount per natress, the same every month, or by month (absent month: no row)."""

    role: str = "DEM"
    ne: tuple[int, int | None] = (1985, None)
    revenus: Mapping[str, Monthly] = field(default_factory=dict)
    declare: Sequence[str] | None = None
    attributs: Mapping[str, Any] = field(default_factory=dict)
    prestations: Mapping[str, float | None] = field(default_factory=dict)


@dataclass
class Household:
    personnes: Sequence[Person]
    mois: str = "2026-06"
    occlog: str | None = "LOC"
    prestations: Mapping[str, Monthly] = field(default_factory=dict)
    attributs: Mapping[str, Any] = field(default_factory=dict)


def child(age: int, mois: str = "2026-06", **rest: Any) -> Person:
    return Person("ENF", (int(mois[:4]) - age, 1), **rest)


def frames(households: Mapping[str, Household], until: str | None = None) -> dict[str, pl.DataFrame]:
    """The four frames of ``simulate``, over the 24 months ending at ``until``."""
    menages: list[dict[str, Any]] = []
    personnes: list[dict[str, Any]] = []
    prestations: list[dict[str, Any]] = []
    ressources: list[dict[str, Any]] = []
    for name, household in households.items():
        months = months_between(shift(household.mois, -23), until or household.mois)
        menages += [_menage(name, household, month) for month in months]
        for rank, person in enumerate(household.personnes):
            who = f"{name}-{rank}"
            personnes.append(_personne(who, name, person))
            zeros = dict.fromkeys(PERSON_BENEFITS, 0.0) | dict(person.prestations)
            prestations += [{"personne_id": who, "mois": month, **zeros} for month in months]
            ressources += _ressources(who, person, months)
    return {
        "menages": pl.DataFrame(menages, schema=MENAGES),
        "personnes": pl.DataFrame(personnes, schema=PERSONNES),
        "prestations": pl.DataFrame(prestations, schema=PRESTATIONS),
        "ressources": pl.DataFrame(ressources, schema=RESSOURCES),
    }


def _menage(name: str, household: Household, month: str) -> dict[str, Any]:
    paid = {b: _of(household.prestations.get(b, 0.0), month) for b in BENEFITS}
    row = {"menage_id": name, "mois": month, "commune_insee": "31483", "sitfam": "CEL",
           "sitfam_date": None, "occlog": household.occlog, "dtr_phase": None}  # fmt: skip
    return row | paid | dict(household.attributs)


def _personne(who: str, name: str, person: Person) -> dict[str, Any]:
    row = {"personne_id": who, "menage_id": name, "role": person.role, "present_du": None, "present_au": None,
           "nati": "F", "act": None, "etudiant": 0, "enceinte": 0, "naissance_annee": person.ne[0],
           "naissance_mois": person.ne[1], "rsa_jeune_heures": None}  # fmt: skip
    return row | dict(person.attributs)


def _ressources(who: str, person: Person, months: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        {"personne_id": who, "mois": month, "natress": nature, "montant": _of(amount, month)}
        for nature, amount in person.revenus.items()
        for month in months
        if not isinstance(amount, Mapping) or month in amount
    ]
    if person.role != "ENF":
        told = {row["mois"] for row in rows}
        declared = months if person.declare is None else person.declare
        rows += [_nil(who, month) for month in declared if month not in told]
    return rows


def _nil(who: str, month: str) -> dict[str, Any]:
    return {"personne_id": who, "mois": month, "natress": "000", "montant": 0.0}


def _of(amount: Monthly, month: str) -> float | None:
    return amount.get(month, 0.0) if isinstance(amount, Mapping) else amount
