"""How wide the interval is now, and how wide it would be with n more verification answers."""

import numpy as np
import polars as pl

from pipelines.calendar import check_month, month_number
from pipelines.estimation import situations
from pipelines.estimation.estimator import Evidence, estimate
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.precision import with_more_answers
from pipelines.estimation.reading import read
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import empty_table

MORE = (0, 100, 200, 400, 600, 1_000, 2_000)
"""More answers at each of the draws; 0 is today."""

HEADLINES = ("rsa", "ppa")

DRAWS = 4_000
"""With 200, the width moves by a point from one lot of draws to the next: more than 100 answers change it."""


def widths(warehouse: Warehouse, settings: Settings, mois: str) -> pl.DataFrame:
    """reponses_de_plus, and for each right the width of its interval in points, for the period at ``mois``.

    Each line uses the same random stream: two lines differ by the answers alone.
    """
    for name in situations.SAMPLE:
        warehouse.ensure(name, empty_table(name))
    quality = warehouse.read("out__qualite_appariement")
    seed = [settings.estimation.graine, month_number(check_month(mois))]
    columns = {}
    for droit in HEADLINES:
        reading = read(warehouse, droit)
        found = evidence(reading, quality, sensitivity(reading)[0])
        columns[droit] = [_width(found, settings.estimation.niveau, more, seed) for more in MORE]
    return pl.DataFrame({"reponses_de_plus": MORE} | columns)


def _width(found: Evidence, level: float, more: int, seed: list[int]) -> float | None:
    informed = with_more_answers(found, more) if more else found
    result = estimate(informed, DRAWS, level, np.random.default_rng(seed))
    return None if result is None else round(100 * result.width, 1)
