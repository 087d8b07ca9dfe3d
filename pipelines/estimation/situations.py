"""From the tables of ingest, linkage and eligibility to the situation of every household."""

from typing import Any

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
    "core__situations_liens",
    "core__situations_opposees",
    "core__situations_dossiers",
    "core__situations_menages",
    "core__situations_lues",
    "core__situations",
)


SAMPLE = ("meta__echantillon", "meta__echantillon_reponses")
"""The verification sample and its answers, empty before the first draw."""


def build(warehouse: Warehouse, settings: Settings, mois: str, connus: list[str] | None = None) -> int:
    """Write ``core__situations`` for the period ending at ``mois``; return its rows (household × right).

    ``connus``: months of the period that are read, all three by default.
    """
    for name in SAMPLE:
        warehouse.ensure(name, empty_table(name))
    warehouse.replace("core__situations_communes", communes(settings))
    given = parameters(mois) | ({"mois": connus} if connus else {})
    return [warehouse.build(f"core/{step}", **given) for step in _STEPS][-1]


def parameters(mois: str) -> dict[str, Any]:
    """Parameters of the SQL files of this room for the period ending at ``mois``."""
    months = period(mois)
    return {
        "mois": months,
        "debut": months[0],
        "fin": mois,
        "debut_ressources": shift(months[0], -3),
        "fin_ressources": mois,
        "motifs_sans_ressources": WITHOUT_INCOMES,
    }


def communes(settings: Settings) -> pl.DataFrame:
    """Communes of the territory, crown excluded: commune_insee, regroupement, est_rurale (0/1)."""
    inside = territory.load(settings.territoire).inside
    rural = (pl.col("population") < territory.URBAN_INHABITANTS).fill_null(True).cast(pl.Int8)
    return inside.select("commune_insee", "regroupement", est_rurale=rural)
