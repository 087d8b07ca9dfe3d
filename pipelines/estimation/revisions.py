"""What a quarter's rate was first, what it became, and why: nothing published is silently replaced."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from pipelines.calendar import period_code
from pipelines.estimation.alerts import Alert
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import WAREHOUSE_TABLES, empty_table

REVISIONS = "out__taux_revisions"
FIRST, ANSWERS, SETTINGS = "première estimation", "réponses à l'échantillon", "réglages ou logiciel"

_FIGURES = ["eligibles", "non_recourants", "taux", "taux_bas", "taux_haut"]
_NAMES = {
    "caf": "de la CAF",
    "cpam": "de la CPAM",
    "departement": "du Département",
    "cellule": "de la cellule",
    "msa": "de la MSA",
}


def keep(warehouse: Warehouse, mois: str, day: date | None = None) -> list[Alert]:
    """Add the corrected rates of the period to ``out__taux_revisions`` when they are new or have changed.

    To be called once ``out__taux`` is written. The first version of a period and each later one stay, with
    the day, the extracts, the answers and the reason. Returns what to say of a revision, without any figure.
    """
    warehouse.ensure(REVISIONS, empty_table(REVISIONS))
    known = warehouse.read(REVISIONS).filter(periode=period_code(mois))
    last = known.filter(pl.col("version") == pl.col("version").max())
    now = _current(warehouse, mois)
    if now.is_empty() or _same(now, last):
        return []
    why = _reason(last, now)
    version = int(last["version"].max() or 0) + 1  # type: ignore[arg-type]
    rows = now.with_columns(version=pl.lit(version), motif=pl.lit(why), date=pl.lit(day or date.today()))
    warehouse.append(REVISIONS, rows.select(WAREHOUSE_TABLES[REVISIONS].columns))
    text = (
        f"Les taux de {period_code(mois)} sont révisés ({why}) : première valeur et valeur révisée gardées."
    )
    return [] if last.is_empty() else [Alert("avertissement", "estimation", text)]


def _current(warehouse: Warehouse, mois: str) -> pl.DataFrame:
    rates = warehouse.read("out__taux").filter(
        periode=period_code(mois), niveau="EPCI", groupe="ensemble", methode="corrige"
    )
    used = warehouse.read("meta__extraits").filter("est_utilise").sort("partenaire")
    extracts = [" ".join(row) for row in used.select("partenaire", "mois", "extrait_id").rows()]
    return rates.select("periode", "droit", *_FIGURES).with_columns(
        extraits=pl.lit(" ; ".join(extracts)),
        reponses=pl.lit(warehouse.count("meta__echantillon_reponses")),
    )


def _same(now: pl.DataFrame, last: pl.DataFrame) -> bool:
    columns = ["droit", *_FIGURES]
    return now.select(columns).sort("droit").equals(last.select(columns).sort("droit"))


def _reason(last: pl.DataFrame, now: pl.DataFrame) -> str:
    """Why the figures changed, the most telling cause first."""
    if last.is_empty():
        return FIRST
    changes = list(_changed_extracts(last["extraits"][0], now["extraits"][0]))
    if changes:
        return " ; ".join(changes)
    return ANSWERS if now["reponses"][0] != last["reponses"][0] else SETTINGS


def _changed_extracts(before: str, after: str) -> Iterator[str]:
    earlier = {partner: rest for partner, *rest in (text.split() for text in before.split(" ; ") if text)}
    for partner, month, extract in (text.split() for text in after.split(" ; ") if text):
        month_before, extract_before = earlier.get(partner, (None, None))
        if month_before is None:
            yield f"extrait {_NAMES[partner]} de {month} arrivé"
        elif month_before != month:
            yield f"extrait {_NAMES[partner]} de {month} arrivé, celui de {month_before} servait jusque-là"
        elif extract_before != extract:
            yield f"extrait {_NAMES[partner]} de {month} remplacé"
