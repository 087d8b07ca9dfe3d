"""Rights of the two quarters before the period: who was already entitled, for the durable non-take-up."""

from typing import Final

import polars as pl

from pipelines.calendar import shift, window
from pipelines.eligibility.quarter import WINDOW
from pipelines.eligibility.rights import simulate
from pipelines.warehouse import Warehouse

PAST_MONTHS: Final = 6
HELD_MONTHS: Final = 2


def past_rights(warehouse: Warehouse, mois: str, agricole: bool) -> pl.DataFrame:
    """Rights of the CAF households of the period in the six months before it, on CAF data.

    Columns of :func:`simulate`. Households absent from the CAF are not computed: the CPAM's incomes do not go
    back that far. Rewrites ``core__ressources_completees`` from an earlier month: the caller builds it again.
    """
    months = window(shift(mois, -3), PAST_MONTHS)
    debut = shift(months[0], -HELD_MONTHS - WINDOW + 1)
    warehouse.build("core/core__ressources_completees", debut=debut)
    return simulate(
        warehouse.query_file("core/foyers_caf", debut=debut),
        warehouse.query_file("core/personnes_caf"),
        warehouse.query("SELECT * FROM core__caf_prestations_personnes WHERE mois >= $debut", debut=debut),
        warehouse.query("SELECT * EXCLUDE (origine) FROM core__ressources_completees"),
        months,
        agricole_inclus=agricole,
    )
