"""Every row of ``out__taux`` and ``out__risques`` for one right: what disclosure control then looks at."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.calendar import is_calendar_quarter, period_code
from pipelines.estimation import durations, path, profile
from pipelines.estimation.estimator import naive_counts, observed_counts
from pipelines.estimation.places import PlaceEstimates, estimate_places
from pipelines.estimation.rows import RATE_COLUMNS, Right, Row, observed, observed_row, reliability, row
from pipelines.settings import Settings

__all__ = ["RATIO_COLUMNS", "Published", "Right", "published"]

DETAILED = ("rsa", "ppa")
"""Rights whose detail may be shown (see disclosure): the others are estimated over the territory alone."""

RATIO_COLUMNS = {
    "droit": pl.String,
    "code_territoire": pl.String,
    "periode": pl.String,
    "groupe": pl.String,
    "reference": pl.String,
    "rapport": pl.Float64,
    "rapport_bas": pl.Float64,
    "rapport_haut": pl.Float64,
}


@dataclass(frozen=True)
class Published:
    """``rates``: rows of ``out__taux``; ``ratios``: rows of ``out__risques``."""

    rates: pl.DataFrame
    ratios: pl.DataFrame


def published(
    right: Right,
    history: durations.History,
    settings: Settings,
    mois: str,
    generator: np.random.Generator,
) -> Published:
    """Everything the estimate says of one right and period."""
    level, droit = settings.estimation.niveau, right.reading.droit
    if droit not in DETAILED:
        return Published(_shaped(_whole(right), droit, settings, mois), _ratios([], droit, settings, mois))
    groups = profile.profile(right, level, "msa" in settings.partenaires.attendus, generator)
    rows = [
        *_whole(right),
        *_places(right, level, generator),
        *groups.rates,
        *path.steps(right, level, generator),
        *durations.durations(right, history, level, generator),
    ]
    return Published(_shaped(rows, droit, settings, mois), _ratios(groups.ratios, droit, settings, mois))


def _whole(right: Right) -> list[Row]:
    found = [
        row("observe", *observed_counts(right.evidence), euros=right.evidence.unclaimed_a1_eur_mois),
        row("naif", *naive_counts(right.evidence)),
    ]
    if right.result is not None:
        corrected = row("corrige", right.result.nontakers, right.result.eligible, right.result.euros_mois)
        corrected |= {"taux_bas": right.result.low, "taux_haut": right.result.high}
        found.append(corrected | reliability(right.result))
    return [{"niveau": "EPCI", "groupe": "ensemble"} | line for line in found]


def _places(right: Right, level: float, generator: np.random.Generator) -> list[Row]:
    """Communes as they are delivered, and groupings: counted in A1, and estimated. Counts have no rate."""
    found: list[Row] = []
    for niveau, column in (("commune", "commune_insee"), ("regroupement", "regroupement")):
        for line in observed(right.reading, pl.col(column)).rows(named=True):
            place = {"niveau": niveau, "code_territoire": line["code"], "groupe": "ensemble"}
            found.append(place | observed_row(line) | ({"taux": None} if niveau == "commune" else {}))
    if right.result is None or right.reading.households.is_empty():
        return found
    estimates = estimate_places(right.reading, right.evidence, right.result, right.sensitivity, generator)
    common = {"methode": "corrige", "groupe": "ensemble"} | reliability(right.result)
    return found + [line | common for line in _estimated(estimates, level)]


def _estimated(found: PlaceEstimates, level: float) -> list[Row]:
    communes: dict[str, list[int]] = {}
    groupings: dict[str, list[int]] = {}
    for n, place in enumerate(found.places):
        communes[place.commune] = [n]
        if place.regroupement is not None:
            groupings.setdefault(place.regroupement, []).append(n)
    return [
        {"niveau": niveau, "code_territoire": code, **found.together(members, level)}
        for niveau, places in (("commune", communes), ("regroupement", groupings))
        for code, members in sorted(places.items())
    ]


def _shaped(rows: list[Row], droit: str, settings: Settings, mois: str) -> pl.DataFrame:
    complete = [
        dict.fromkeys(RATE_COLUMNS) | {"code_territoire": settings.territoire.code} | line for line in rows
    ]
    frame = pl.DataFrame(complete, schema=RATE_COLUMNS, orient="row").with_columns(
        droit=pl.lit(droit),
        periode=pl.lit(period_code(mois)),
        est_trimestre=pl.lit(is_calendar_quarter(mois)),
    )
    limits = settings.publication
    takers = pl.col("eligibles") - pl.col("non_recourants")
    enough = (
        ((pl.col("niveau") != "commune") | (pl.col("methode") == "corrige"))
        & (pl.col("eligibles") >= limits.seuil_eligibles)
        & (pl.col("non_recourants") >= limits.seuil)
        & (takers >= limits.seuil)
    )
    return frame.with_columns(est_diffusable=enough)


def _ratios(rows: list[Row], droit: str, settings: Settings, mois: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RATIO_COLUMNS, orient="row").with_columns(
        droit=pl.lit(droit),
        code_territoire=pl.lit(settings.territoire.code),
        periode=pl.lit(period_code(mois)),
    )
