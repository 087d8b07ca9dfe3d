"""The front door of the linkage: identity files in, persons and the quality of their links out."""

from contextlib import suppress

import duckdb
import polars as pl
from splink.internals.exceptions import SplinkException

from pipelines.linkage import alerts, duplicates, oppositions, rotation, saved
from pipelines.linkage.agreement import publish as publish_review
from pipelines.linkage.alerts import Alert
from pipelines.linkage.charts import write_charts
from pipelines.linkage.classes import described
from pipelines.linkage.contributions import contributions
from pipelines.linkage.persons import Persons, gather, kept_pairs, linked_persons
from pipelines.linkage.quality import measure
from pipelines.linkage.renewal import CARRIED_OVER, can_carry_over, carry_over
from pipelines.linkage.scoring import score
from pipelines.linkage.sources import OPPOSITION, SOURCES, Extract, IdentitiesDeleted, load_records
from pipelines.linkage.training import train
from pipelines.linkage.workspace import comparison_room, engine_for, silent_splink
from pipelines.refusals import ContractRefusal, MissingSourceRefusal, Refusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

Counts = dict[str, int | float | str]

_PAIRS = {
    "gauche": pl.Int64,
    "droite": pl.Int64,
    "source_g": pl.String,
    "source_d": pl.String,
    "poids": pl.Float64,
    "poids_sans_nir": pl.Float64,
    "probabilite": pl.Float64,
    "motif": pl.String,
    "regle": pl.String,
    "a_jumeaux": pl.Boolean,
}


def run(warehouse: Warehouse, settings: Settings, mois: str) -> Counts:
    """Link the persons of the used extracts; write core__personnes_liees, core__paires and five tables more.

    The others are ``core__consentements_ambigus`` (consents with two close candidates, linked to nobody),
    ``core__personnes_opposees`` (records of the persons who opposed), ``meta__modeles`` (the probabilities of
    each month), ``out__regles_appariement`` (which rule found what) and ``out__qualite_appariement``.
    Charts and the trained model go to ``sorties/appariement/<mois>``.
    Identities deleted after an earlier linkage are not asked for again: its links are carried over. So are
    those of a partner late across a change of key epoch (:mod:`pipelines.linkage.rotation`).
    Raises :class:`Refusal` when an identity file is missing or the machine cannot hold the comparison; the
    message holds no value.
    """
    try:
        with silent_splink():
            return _told(warehouse, mois, *_linked(warehouse, settings, mois))
    except IdentitiesDeleted:
        if not can_carry_over(warehouse):
            raise
        return _told(warehouse, mois, carry_over(warehouse), [CARRIED_OVER])
    except (duckdb.Error, SplinkException) as error:
        kind = type(error).__name__
    raise Refusal(
        f"Le rapprochement des personnes n'a pas pu finir ({kind}).",
        ou="appariement",
        que_faire="Vérifier la mémoire et la place libre du dossier de travail, puis relancer.",
    )


def _linked(warehouse: Warehouse, settings: Settings, mois: str) -> tuple[Counts, list[Alert]]:
    """Link the extracts whose tokens can be equal; a partner left under earlier tokens keeps its links."""
    extracts = rotation.generations(warehouse)
    if not extracts.attardes:
        return _compared(warehouse, settings, mois, extracts.actuels)
    with suppress(MissingSourceRefusal, ContractRefusal):
        if extracts.communs:
            _compared(warehouse, settings, mois, extracts.communs)
    former = rotation.former_links(warehouse, extracts)
    counts, told = _compared(warehouse, settings, mois, extracts.actuels)
    rotation.rejoin(warehouse, former, extracts.sources)
    return counts | carry_over(warehouse), [*told, extracts.alert]


def _compared(
    warehouse: Warehouse, settings: Settings, mois: str, extracts: list[Extract]
) -> tuple[Counts, list[Alert]]:
    with comparison_room(settings.dossiers.travail) as room:
        return _link(room, warehouse, settings, mois, extracts)


def _link(
    room: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    settings: Settings,
    mois: str,
    extracts: list[Extract],
) -> tuple[Counts, list[Alert]]:
    everyone = load_records(room, settings, extracts)
    records: pl.DataFrame = room.sql(
        "SELECT fiche, source, jeton_nir, naissance_annee, sexe, commune_insee FROM fiches ORDER BY fiche"
    ).pl()
    sources = [s.nom for s in SOURCES if s.nom in set(records["source"])]
    threshold = settings.appariement.seuil_probabilite
    pairs, told = _scored(room, warehouse, settings, mois, sources)
    everyone, records, pairs = duplicates.merge(everyone, records, pairs, threshold)
    with_opposition, pairs = oppositions.apart(pairs)
    crossing = pairs.filter(pl.col("source_g") != pl.col("source_d"))
    persons = gather(crossing, records["source"], threshold)
    opposed = oppositions.opposed(everyone, with_opposition, persons.personne, threshold)
    people = everyone.filter(pl.col("source") != OPPOSITION)
    warehouse.replace("core__personnes_liees", linked_persons(people, crossing, persons))
    warehouse.replace("core__paires", kept_pairs(people, crossing, persons, threshold))
    _write_ambiguous(warehouse, people, persons)
    oppositions.write(warehouse, opposed)
    known = described(records, people, warehouse, settings, mois)
    warehouse.replace("out__qualite_appariement", measure(people, known, pairs, persons, threshold))
    publish_review(warehouse)
    by_person = _by_person(records, persons)
    told += [*alerts.about_sources(people, records), *alerts.about_links(by_person)]
    return _counts(by_person, persons) | {
        "oppositions": everyone.height - people.height,
        "oppositions_liees": opposed["opposition_id"].n_unique(),
    }, told


def _scored(
    room: duckdb.DuckDBPyConnection, warehouse: Warehouse, settings: Settings, mois: str, sources: list[str]
) -> tuple[pl.DataFrame, list[Alert]]:
    """Every compared pair with its weight, the model and its charts being written."""
    if len(sources) < 2:
        return pl.DataFrame(schema=_PAIRS), [Alert("Moins de deux sources ont des personnes : rien à lier.")]
    former, told = saved.previous(warehouse, mois)
    chosen = settings.appariement
    with engine_for(chosen.moteur, room, settings.dossiers.travail) as engine:
        start = former if chosen.depart == "mois_precedent" else None
        model = train(engine, sources, chosen.graine, start)
        pairs = score(engine, model)
        write_charts(engine, model, sources, pairs, settings.dossiers.sorties / "appariement" / mois)
    levels = saved.levels(model, pairs, chosen.seuil_probabilite, mois)
    saved.save(warehouse, levels, mois)
    warehouse.replace("out__regles_appariement", contributions(room, pairs, chosen.seuil_probabilite))
    moved = [] if former is None else saved.jumps(former, levels)
    return pairs, [*told, *model.alertes, *moved]


def _told(warehouse: Warehouse, mois: str, counts: Counts, told: list[Alert]) -> Counts:
    """The counts, what is told also being among the alerts of the month."""
    alerts.write(warehouse, mois, told)
    return counts | {"alertes": " ".join(alert.message for alert in told)}


def _write_ambiguous(warehouse: Warehouse, everyone: pl.DataFrame, persons: Persons) -> None:
    consents = everyone.filter(pl.col("source") == "cellule").select("fiche", consentement_id="personne_id")
    ambiguous = consents.join(persons.ambigus, on="fiche").drop("fiche").sort("consentement_id")
    warehouse.replace("core__consentements_ambigus", ambiguous)


def _by_person(records: pl.DataFrame, persons: Persons) -> pl.DataFrame:
    return records.select("source", personne=pl.Series(persons.personne)).filter(
        pl.col("source") != OPPOSITION
    )


def _counts(by_person: pl.DataFrame, persons: Persons) -> Counts:
    several = by_person.group_by("personne").agg(pl.len()).filter(pl.col("len") > 1)
    consents = by_person.filter(pl.col("source") == "cellule")
    return {
        "fiches": by_person.height,
        "personnes": by_person["personne"].n_unique(),
        "personnes_dans_plusieurs_sources": several.height,
        "consentements": consents.height,
        "consentements_lies": consents.join(several, on="personne", how="semi").height,
        "consentements_ambigus": persons.ambigus.height,
    }
