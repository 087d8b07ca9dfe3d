"""Editions: the same figures keep their edition and date, other figures of the period make a new one."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import polars as pl

from pipelines.reporting.figures import Cover, EarlierEdition, Figures
from pipelines.warehouse import Warehouse

TABLE = "meta__rapports"
"""One row per edition: code_territoire, periode, edition, emis_le, empreinte, taux (JSON, points)."""

_SCHEMA = {
    "code_territoire": pl.String,
    "periode": pl.String,
    "edition": pl.Int64,
    "emis_le": pl.Date,
    "empreinte": pl.String,
    "taux": pl.String,
}


def numbered(warehouse: Warehouse, figures: Figures, emis_le: date | None) -> Figures:
    """The figures with their edition, its date of issue and the editions they replace; recorded once."""
    earlier = _editions(warehouse, figures.couverture)
    mark = fingerprint(figures)
    if earlier.height and earlier["empreinte"][-1] == mark:
        return _on_cover(figures, earlier[:-1], earlier["edition"][-1], emis_le or earlier["emis_le"][-1])
    issued = emis_le or date.today()
    edition = earlier.height + 1
    warehouse.append(TABLE, _row(figures, edition, issued, mark))
    return _on_cover(figures, earlier, edition, issued)


def fingerprint(figures: Figures) -> str:
    """SHA-256 of everything published but the cover."""
    blank = replace(figures, couverture=None)  # type: ignore[arg-type]
    return hashlib.sha256(repr(blank).encode()).hexdigest()


def _editions(warehouse: Warehouse, cover: Cover) -> pl.DataFrame:
    known = warehouse.read(TABLE) if warehouse.exists(TABLE) else pl.DataFrame(schema=_SCHEMA)
    return known.filter(code_territoire=cover.code, periode=cover.periode).sort("edition")


def _row(figures: Figures, edition: int, issued: date, mark: str) -> pl.DataFrame:
    points = {right.droit: right.corrige.taux if right.corrige else None for right in figures.droits}
    cover = figures.couverture
    values = [(cover.code, cover.periode, edition, issued, mark, json.dumps(points))]
    return pl.DataFrame(values, schema=_SCHEMA, orient="row")


def _on_cover(figures: Figures, earlier: pl.DataFrame, edition: int, issued: date) -> Figures:
    replaced = tuple(
        EarlierEdition(row["edition"], row["emis_le"], json.loads(row["taux"]))
        for row in earlier.rows(named=True)
    )
    cover = replace(figures.couverture, edition=edition, emis_le=issued, precedentes=replaced)
    return replace(figures, couverture=cover)
