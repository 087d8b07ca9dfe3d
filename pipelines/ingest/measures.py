"""Aggregates of the extracts used, beside those of the extract before: the only rows quality control sees."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.ingest import state
from pipelines.warehouse import Warehouse
from schemas import Table, tables_of
from schemas.magnitudes import ENOUGH_ROWS

SETTLING_MONTHS = 6
"""Last months of a table of incomes that late quarterly declarations still fill: no history to hold to."""

WHERE = ("partenaire", "table_contrat", "colonne", "mois")
VALUES = ("lignes", "lignes_avant", "rapport", "rapport_mois", "part", "part_avant", "ecart")
MEASURES = ("volumes", "volumes_mois", "vides", "codes", "jetons")


@dataclass(frozen=True)
class _Extract:
    partenaire: str
    extrait: str
    precedent: str | None


def measures(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    """One frame per measure: partenaire, table_contrat, colonne, mois (when they apply) and figures.

    ``rapport``: rows over rows of the extract before; ``rapport_mois``: over those of the month before;
    ``part``: share of empty cells, unknown codes or tokens present; ``ecart``: its change since the extract
    before. A figure without history, or on fewer than 50 rows, is null.
    """
    extracts = list(_used(warehouse))
    return {
        "volumes": _stacked(_volumes(warehouse, e) for e in extracts),
        "volumes_mois": _stacked(_monthly(warehouse, e, t) for e in extracts for t in _monthly_tables(e)),
        "vides": _stacked(_empty_cells(warehouse, e, t) for e in extracts for t in tables_of(e.partenaire)),
        "codes": _stacked(_of(warehouse, "codes_inconnus", e) for e in extracts),
        "jetons": _stacked(_with_change(_of(warehouse, "jetons", e, before=True)) for e in extracts),
    }


def _used(warehouse: Warehouse) -> Iterator[_Extract]:
    rows = warehouse.read(state.EXTRACTS).filter("est_utilise").sort("partenaire")
    used = dict(rows.select("partenaire", "extrait_id").iter_rows())
    chains = state.chain_of_extracts(warehouse, used)
    for partner, extrait in used.items():
        yield _Extract(partner, extrait, chains[partner][-2] if len(chains[partner]) > 1 else None)


def _monthly_tables(extract: _Extract) -> list[Table]:
    return [table for table in tables_of(extract.partenaire) if table.est_mensuelle]


def _of(warehouse: Warehouse, name: str, extract: _Extract, before: bool = False) -> pl.DataFrame:
    parameters = {"extrait": extract.extrait} | ({"precedent": extract.precedent} if before else {})
    rows = warehouse.query_file(f"qualite/{name}", **parameters)
    return rows.with_columns(partenaire=pl.lit(extract.partenaire))


def _volumes(warehouse: Warehouse, extract: _Extract) -> pl.DataFrame:
    return _of(warehouse, "volumes", extract, before=True).with_columns(rapport=_ratio("lignes_avant"))


def _monthly(warehouse: Warehouse, extract: _Extract, table: Table) -> pl.DataFrame:
    rows = warehouse.query_file(
        "qualite/volumes_mois", brute=table.raw_name, extrait=extract.extrait, precedent=extract.precedent
    )
    settled = rows.head(max(0, rows.height - SETTLING_MONTHS)) if "natress" in table.own else rows
    delivered = settled.filter(pl.col("lignes") > 0).with_columns(veille=pl.col("lignes").shift(1))
    return delivered.with_columns(
        rapport=_ratio("lignes_avant"),
        rapport_mois=_ratio("veille"),
        partenaire=pl.lit(extract.partenaire),
        table_contrat=pl.lit(table.name),
    )


def _ratio(before: str) -> pl.Expr:
    return pl.when(pl.col(before) >= ENOUGH_ROWS).then(pl.col("lignes") / pl.col(before))


def _empty_cells(warehouse: Warehouse, extract: _Extract, table: Table) -> pl.DataFrame:
    now = _shares(warehouse, table, extract.extrait, "part")
    before = _shares(warehouse, table, extract.precedent, "part_avant")
    return _with_change(now.join(before, on="colonne", how="left", maintain_order="left")).with_columns(
        partenaire=pl.lit(extract.partenaire), table_contrat=pl.lit(table.name)
    )


def _shares(warehouse: Warehouse, table: Table, extrait: str | None, name: str) -> pl.DataFrame:
    wide = warehouse.query_file("qualite/vides", brute=table.raw_name, extrait=extrait)
    return wide.unpivot(variable_name="colonne", value_name=name).drop_nulls(name)


def _with_change(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(ecart=pl.col("part") - pl.col("part_avant"))


def _stacked(frames: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """The frames below one another, with the same columns in the same order."""
    schema = pl.Schema(dict.fromkeys(WHERE, pl.String()) | dict.fromkeys(VALUES, pl.Float64()))
    empty = pl.DataFrame(schema=schema)
    typed = [
        frame.select(pl.col(c).cast(schema[c]) for c in schema if c in frame.columns) for frame in frames
    ]
    return pl.concat([empty, *typed], how="diagonal")
