"""From the tables of ingest, linkage and eligibility to the situation of every household."""

from typing import Any

import numpy as np
import polars as pl

from pipelines import territory
from pipelines.calendar import period, shift
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import empty_table

WITHOUT_INCOMES = ["ressources_inconnues"]
"""Reasons for which an unknown entitlement is estimated by classes; the others stay outside the field."""

_STEPS = (
    "core__situations_payes_msa",
    "core__situations_foyers",
    "core__situations_droits",
    "core__situations_paires",
    "core__situations_liens",
    "core__situations_opposees",
    "core__situations_dossiers",
    "core__situations_menages",
    "core__situations_profils",
    "core__situations_anterieures",
    "core__situations_lues",
    "core__situations",
)


SAMPLE = ("meta__echantillon", "meta__echantillon_reponses")
"""The verification sample and its answers, empty before the first draw."""


def build(warehouse: Warehouse, settings: Settings, mois: str, connus: list[str] | None = None) -> int:
    """Write ``core__situations`` for the period ending at ``mois``; return its rows (household × right).

    ``connus``: months of the period that are read, all three by default.
    """
    for name in (*SAMPLE, "core__droits_anterieurs", "core__payes_loin_du_seuil"):
        warehouse.ensure(name, empty_table(name))
    warehouse.replace("core__situations_communes", communes(settings))
    warehouse.replace("core__situations_distances", distances(settings))
    given = parameters(mois) | ({"mois": connus} if connus else {})
    return [warehouse.build(f"core/{step}", **given) for step in _STEPS][-1]


def parameters(mois: str) -> dict[str, Any]:
    """Parameters of the SQL files of this room for the period ending at ``mois``."""
    months, (before, long_before) = period(mois), (shift(mois, -3), shift(mois, -6))
    return {
        "mois": months,
        "debut": months[0],
        "fin": mois,
        "debut_ressources": shift(months[0], -3),
        "fin_ressources": mois,
        "debut_1": period(before)[0],
        "fin_1": before,
        "debut_2": period(long_before)[0],
        "fin_2": long_before,
        "motifs_sans_ressources": WITHOUT_INCOMES,
    }


def communes(settings: Settings) -> pl.DataFrame:
    """Communes of the territory, crown excluded: commune_insee, regroupement, est_rurale (0/1)."""
    inside = territory.load(settings.territoire).inside
    rural = (pl.col("population") < territory.URBAN_INHABITANTS).fill_null(True).cast(pl.Int8)
    return inside.select("commune_insee", "regroupement", est_rurale=rural)


KILOMETRES = 111.32
"""Of a degree of latitude."""

DISTANCES = ((10.0, "moins_10"), (20.0, "10_19"), (float("inf"), "20_plus"))
"""Kilometres under which each band stands."""


def distances(settings: Settings) -> pl.DataFrame:
    """Band of distance of each commune as delivered: commune_insee, distance (null without access point).

    Straight line from the centre of the commune to the nearest access point; small communes delivered under
    one name have the mean of theirs, by inhabitant.
    """
    place = territory.load(settings.territoire)
    names = territory.delivered_communes(settings.territoire.reference)
    inside = place.inside.with_columns(commune_insee=pl.col("commune_insee").replace(names))
    if place.access_points.is_empty():
        return inside.select("commune_insee", distance=pl.lit(None, pl.String)).unique()
    located = inside.with_columns(kilometres=_kilometres(place))
    mean = (pl.col("kilometres") * pl.col("population")).sum() / pl.col("population").sum()
    found = located.drop_nulls(["kilometres", "population"]).group_by("commune_insee").agg(kilometres=mean)
    return found.select("commune_insee", distance=_band(pl.col("kilometres"))).sort("commune_insee")


def _kilometres(place: territory.Territory) -> pl.Series:
    """Of each commune to the nearest access point, on a plane tangent there."""
    here = place.inside.select("latitude", "longitude").to_numpy()
    there = place.access_points.select("latitude", "longitude").to_numpy()
    north, east = (here[:, None, axis] - there[None, :, axis] for axis in (0, 1))
    east = east * np.cos(np.radians(here[:, :1]))
    return pl.Series(KILOMETRES * np.hypot(north, east).min(axis=1), nan_to_null=True)


def _band(kilometres: pl.Expr) -> pl.Expr:
    found = pl.lit(DISTANCES[-1][1])
    for limit, name in reversed(DISTANCES[:-1]):
        found = pl.when(kilometres < limit).then(pl.lit(name)).otherwise(found)
    return found
