"""What a reader of the rate must know of a linkage, in French, each fact with its consequence; no value."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from pipelines.linkage.sources import EVENTS, PERSON_SOURCES
from pipelines.warehouse import Warehouse

FEW_PERSONS = 200
"""Persons below which a source teaches the model nothing."""
MANY_DUPLICATES = 0.05
_STAGE = "appariement"
_NAMES = {"caf": "la CAF", "cpam": "la CPAM", "departement": "le Département", "msa": "la MSA"}


@dataclass(frozen=True)
class Alert:
    """``gravite``: information, avertissement, grave. ``source``: a partner, or the linkage as a whole."""

    message: str
    gravite: str = "avertissement"
    source: str = _STAGE


def about_sources(everyone: pl.DataFrame, records: pl.DataFrame) -> list[Alert]:
    """Sources without NIR, tiny, or full of duplicates.

    ``everyone``: a row per delivered person. ``records``: fiche, source, jeton_nir, a row per person kept.
    """
    counts = (
        everyone.filter(~pl.col("source").is_in(EVENTS))
        .join(records.select("fiche", "jeton_nir"), on="fiche")
        .group_by("source", maintain_order=True)
        .agg(livrees=pl.len(), fiches=pl.col("fiche").n_unique(), nir=pl.col("jeton_nir").count())
    )
    return [
        alert
        for source, delivered, kept, nir in counts.iter_rows()
        for alert in (
            _without_nir(source, nir),
            _few_persons(source, kept),
            _many_duplicates(source, delivered, kept),
        )
        if alert is not None
    ]


def _without_nir(source: str, nir: int) -> Alert | None:
    if nir:
        return None
    return Alert(
        f"Aucun NIR utilisable dans la source {source} : elle est liée par le nom, le prénom et la date. "
        "Plus de personnes sont manquées, et les jumeaux ne sont jamais liés : son absence ailleurs se lit "
        "avec prudence, l'intervalle du taux en tient compte.",
        source=source,
    )


def _few_persons(source: str, persons: int) -> Alert | None:
    if persons >= FEW_PERSONS:
        return None
    return Alert(
        f"La source {source} n'a que {persons} personnes : si l'extrait est incomplet, presque tout le monde "
        "paraîtra inconnu d'elle et le taux sera faux. Vérifier l'extrait avant de lire le taux.",
        source=source,
    )


def _many_duplicates(source: str, delivered: int, kept: int) -> Alert | None:
    share = 1 - kept / delivered
    if share < MANY_DUPLICATES:
        return None
    return Alert(
        f"La source {source} contient {100 * share:.0f} % de doublons reconnus, comptés une seule fois. Un "
        "doublon que rien ne trahit compte comme une personne de plus, liée à personne : le taux en est "
        "surestimé. Demander au partenaire d'où ils viennent.",
        source=source,
    )


def about_links(by_person: pl.DataFrame) -> list[Alert]:
    """Couples of sources without a person in common. ``by_person``: source, personne, a row per record."""
    of_source = {
        name: by_person.filter(source=name).select("personne")
        for name in PERSON_SOURCES
        if name in set(by_person["source"])
    }
    apart = [
        (one, other)
        for one, other in combinations(of_source, 2)
        if of_source[one].join(of_source[other], on="personne", how="semi").is_empty()
    ]
    if apart and len(apart) == len(of_source) * (len(of_source) - 1) // 2:
        return [_nobody("Aucune personne commune à deux sources")]
    return [
        _nobody(f"Aucune personne commune entre {_NAMES[one]} et {_NAMES[other]}") for one, other in apart
    ]


def _nobody(fact: str) -> Alert:
    return Alert(
        f"{fact}, alors que la clé est la même : les extraits ne portent pas sur le même territoire, ou une "
        "colonne d'identité est vide ou décalée. Chacun paraîtrait inconnu de l'autre source : ne lire aucun "
        "taux avant d'avoir vérifié les extraits.",
        "grave",
    )


def write(warehouse: Warehouse, mois: str, alerts: Iterable[Alert]) -> None:
    """Replace the alerts of the linkage of the month, where ``nonrecours etat`` reads."""
    if not warehouse.exists("meta__alertes"):
        return
    warehouse.connection.execute(
        "DELETE FROM meta__alertes WHERE mois = $mois AND etape = $etape", {"mois": mois, "etape": _STAGE}
    )
    rows = [
        {
            "mois": mois,
            "etape": _STAGE,
            "gravite": alert.gravite,
            "source": alert.source,
            "message": alert.message,
        }
        for alert in alerts
    ]
    if rows:
        warehouse.append("meta__alertes", pl.DataFrame(rows))
