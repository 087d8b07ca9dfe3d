"""How wide the interval is now, and how wide it would be with n more verification answers."""

import numpy as np
import polars as pl

from pipelines.calendar import check_month, month_number
from pipelines.estimation.estimator import estimate
from pipelines.estimation.evidence import Reading, evidence, read, sensitivity
from pipelines.estimation.precision import with_more_answers
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

MORE = (0, 100, 200, 400, 600, 1_000, 2_000)
"""More answers at each of the draws; 0 is today."""

HEADLINES = ("rsa", "ppa")


def widths(warehouse: Warehouse, settings: Settings, mois: str) -> pl.DataFrame:
    """reponses_de_plus, and for each right the width of its interval in points, for the period at ``mois``.

    Each line uses the same random stream: two lines differ by the answers alone.
    """
    readings = {droit: read(warehouse, droit) for droit in HEADLINES}
    quality = warehouse.read("out__qualite_appariement")
    seed = [settings.estimation.graine, month_number(check_month(mois))]
    columns = {
        droit: [_width(reading, quality, settings, more, seed) for more in MORE]
        for droit, reading in readings.items()
    }
    return pl.DataFrame({"reponses_de_plus": MORE} | columns)


def _width(
    reading: Reading, quality: pl.DataFrame, settings: Settings, more: int, seed: list[int]
) -> float | None:
    found = evidence(reading, quality, sensitivity(reading)[0])
    options = settings.estimation
    wider = with_more_answers(found, more) if more else found
    result = estimate(wider, options.tirages, options.niveau, np.random.default_rng(seed))
    return None if result is None else round(100 * result.width, 1)
