"""Alerts: what a reader of the figures must know, in one French sentence without any value."""

from dataclasses import dataclass

import polars as pl

from pipelines.warehouse import Warehouse

TABLE = "meta__alertes"
SCHEMA = dict.fromkeys(("mois", "etape", "gravite", "source", "message"), pl.String())


@dataclass(frozen=True)
class Alert:
    """``gravite``: information, avertissement, grave. ``source``: the partner."""

    gravite: str
    source: str
    message: str


def write_alerts(warehouse: Warehouse, mois: str, etape: str, alerts: list[Alert]) -> None:
    """Replace the alerts of a stage for a month."""
    if warehouse.exists(TABLE):
        warehouse.connection.execute(
            "DELETE FROM meta__alertes WHERE mois = $mois AND etape = $etape", {"mois": mois, "etape": etape}
        )
    rows = [(mois, etape, alert.gravite, alert.source, alert.message) for alert in alerts]
    warehouse.append(TABLE, pl.DataFrame(rows, schema=SCHEMA, orient="row"))
