"""What a reader of the rate must know of this estimate, in French, without any figure."""

from dataclasses import astuple, dataclass

import polars as pl

from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import empty_table

TABLE, STAGE = "meta__alertes", "estimation"


@dataclass(frozen=True)
class Alert:
    """``gravite``: information, avertissement, grave. ``source``: a partner, or the estimate as a whole."""

    gravite: str
    source: str
    message: str


def write(warehouse: Warehouse, mois: str, alerts: list[Alert]) -> int:
    """Replace the alerts of the stage for a month; return their number."""
    warehouse.ensure(TABLE, empty_table(TABLE))
    warehouse.connection.execute(
        "DELETE FROM meta__alertes WHERE mois = $mois AND etape = $etape", {"mois": mois, "etape": STAGE}
    )
    rows = [(mois, STAGE, *astuple(alert)) for alert in alerts]
    columns = dict.fromkeys(("mois", "etape", "gravite", "source", "message"), pl.String())
    warehouse.append(TABLE, pl.DataFrame(rows, schema=columns, orient="row"))
    return len(rows)
