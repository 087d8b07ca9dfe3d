"""Medians of the amounts in the extracts used, for the orders of magnitude (:mod:`schemas.magnitudes`)."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from pipelines.ingest import state
from pipelines.warehouse import Warehouse
from schemas import Table, tables_of
from schemas.magnitudes import benefits_of, bounded, natures_of

DELIVER_AGAIN: Final = (
    "Faire convertir ces montants en euros par mois par le partenaire, puis livrer de nouveau avec "
    "--remplacer."
)

_FIGURES: Final = ("mediane", "lignes", "bas", "haut")


def medians(warehouse: Warehouse) -> pl.DataFrame:
    """Median and number of positive amounts by nature and benefit, in the extracts used, with their bounds.

    Columns table_contrat, colonne, mediane (euros), lignes, bas, haut.
    """
    kinds = dict.fromkeys(("table_contrat", "colonne"), pl.String()) | dict.fromkeys(_FIGURES, pl.Float64())
    typed = [frame.select(pl.col(c).cast(kind) for c, kind in kinds.items()) for frame in _medians(warehouse)]
    return pl.concat([pl.DataFrame(schema=kinds), *typed])


def _medians(warehouse: Warehouse) -> Iterator[pl.DataFrame]:
    used = warehouse.read(state.EXTRACTS).filter("est_utilise").sort("partenaire")
    for partner, extrait in used.select("partenaire", "extrait_id").iter_rows():
        for table in tables_of(partner):
            for rows in _of(warehouse, table, extrait):
                yield bounded(rows, table)


def _of(warehouse: Warehouse, table: Table, extrait: str) -> Iterator[pl.DataFrame]:
    where = {"brute": table.raw_name, "extrait": extrait}
    if natures_of(table):
        yield warehouse.query_file("qualite/montants_natures", **where)
    if paid := list(benefits_of(table)):
        yield _long(warehouse.query_file("qualite/montants_prestations", colonnes=paid, **where), paid)


def _long(wide: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    row = wide.row(0, named=True)
    found = {what: [row[f"{what}_{name}"] for name in names] for what in ("mediane", "lignes")}
    return pl.DataFrame({"colonne": names} | found, strict=False)
