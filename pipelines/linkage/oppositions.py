"""Who opposed, among the linked persons: oppositions the partners had not received, or could not match."""

import polars as pl

from pipelines.linkage.chains import Ranks
from pipelines.linkage.persons import CLOSE_WEIGHTS
from pipelines.linkage.scoring import linkable, weight
from pipelines.linkage.sources import OPPOSITION, PERSON_SOURCES
from pipelines.warehouse import Warehouse

PROCESSING = "TRAITEMENT"
"""What an opposition without a known object is taken for."""


def apart(pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs with an opposition, then the others: an opposition never helps to make a person."""
    with_one = pl.any_horizontal(pl.col("source_g", "source_d") == OPPOSITION)
    return pairs.filter(with_one), pairs.filter(~with_one)


def opposed(everyone: pl.DataFrame, pairs: pl.DataFrame, person: Ranks, threshold: float) -> pl.DataFrame:
    """opposition_id, source, personne_id: every record of every person an opposition may be of.

    ``pairs``: scored pairs with an opposition. ``person``: smallest record of each record's person. The best
    person above ``threshold`` is opposed, and with it any other too close to be told apart: an opposition is
    never lost. A consent as likely as ``threshold`` is opposed whatever its person.
    """
    told = _candidates(linkable(pairs, "poids", weight(threshold)), person)
    known = told.filter(pl.col("source_autre").is_in(PERSON_SOURCES))
    best = known.group_by("fiche", "personne").agg(pl.col("poids").max())
    close = best.filter(pl.col("poids") > pl.col("poids").max().over("fiche") - CLOSE_WEIGHTS)
    records = everyone.with_columns(personne=pl.Series(person).gather(everyone["fiche"]))
    of_persons = close.join(records, on="personne").select("fiche", "source", "personne_id")
    consents = told.filter(~pl.col("source_autre").is_in(PERSON_SOURCES)).join(
        everyone, left_on="autre", right_on="fiche"
    )
    found = pl.concat([of_persons, consents.select("fiche", "source", "personne_id")])
    ids = everyone.filter(source=OPPOSITION).select("fiche", opposition_id="personne_id")
    return ids.join(found, on="fiche").drop("fiche").filter(pl.col("source") != OPPOSITION).unique()


def write(warehouse: Warehouse, opposed: pl.DataFrame) -> None:
    """Write ``core__personnes_opposees``: source, personne_id, objet."""
    objects = warehouse.query(
        "SELECT DISTINCT consentement_id AS opposition_id, objet FROM core__cellule_oppositions"
    )
    named = opposed.join(objects, on="opposition_id", how="left").select(
        "source", "personne_id", objet=pl.col("objet").cast(pl.String).fill_null(PROCESSING)
    )
    warehouse.replace("core__personnes_opposees", named.unique().sort(pl.all()))


def _candidates(pairs: pl.DataFrame, person: Ranks) -> pl.DataFrame:
    """fiche (an opposition), autre, source_autre, poids, personne; no pair of two oppositions."""
    is_left = pl.col("source_g") == OPPOSITION
    turned = pairs.select(
        "poids",
        fiche=pl.when(is_left).then("gauche").otherwise("droite"),
        autre=pl.when(is_left).then("droite").otherwise("gauche"),
        source_autre=pl.when(is_left).then("source_d").otherwise("source_g"),
    ).filter(pl.col("source_autre") != OPPOSITION)
    return turned.with_columns(personne=pl.Series(person, dtype=pl.Int64).gather(turned["autre"]))
