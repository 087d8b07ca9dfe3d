"""Orders of magnitude: amounts in cents, or of a year, are seen in the median of each nature, never in a row.

A single row of 18 000 € may be true; half of them above 5 000 € a month may not. The fault is that of the
whole extract and would make every right false: the month is refused rather than announced.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from pipelines.ingest import state
from pipelines.ingest.measures import ENOUGH_ROWS
from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse
from schemas import Table, tables_of

Bounds = tuple[float, float]

NATURES: Final[dict[str, Bounds]] = {
    "001": (200, 5000),
    "009": (20, 3000),
    "010": (150, 3000),
    "011": (40, 4000),
    "012": (40, 4000),
    "013": (100, 4000),
    "014": (40, 4000),
    "021": (150, 2500),
    "022": (100, 4000),
    "026": (30, 1000),
    "028": (100, 4000),
    "030": (50, 4000),
    "031": (50, 6000),
    "201": (80, 3000),
}
"""Where the median of the positive amounts of a month may lie, in euros, by natress: wide enough for any
territory, narrow enough for a factor of twelve. Natures whose amounts have no usual size are left out."""

BENEFITS: Final[dict[str, Bounds]] = {
    "aide_logement": (20, 900),
    "af": (20, 1500),
    "aah": (60, 2000),
    "ass": (60, 1500),
    "rsa_du": (60, 2500),
    "ppa_due": (20, 1000),
}
"""The same for the benefits of a month."""

_FIGURES: Final = ("mediane", "lignes", "bas", "haut")

CENTS: Final = 25.0
"""From this many times the upper bound, the amounts are rather in cents than of a year."""


def refuse_other_units(medians: pl.DataFrame) -> None:
    """Raise :class:`ContractRefusal` when a nature is not in euros per month, all such natures named."""
    wrong = medians.filter(
        (pl.col("lignes") >= ENOUGH_ROWS) & ~pl.col("mediane").is_between(pl.col("bas"), pl.col("haut"))
    )
    if wrong.is_empty():
        return
    raise ContractRefusal(
        f"Ces montants ne sont pas des euros par mois : {_guess(wrong)}.",
        ou=" ; ".join(f"{table}, {name}" for table, name in wrong.select("table_contrat", "colonne").rows()),
        que_faire="Faire convertir ces montants en euros par mois par le partenaire, puis livrer de nouveau "
        "avec --remplacer.",
    )


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
            for rows, bounds in _of(warehouse, table, extrait):
                yield _bounded(rows, bounds, table)


def _of(warehouse: Warehouse, table: Table, extrait: str) -> Iterator[tuple[pl.DataFrame, dict[str, Bounds]]]:
    where = {"brute": table.raw_name, "extrait": extrait}
    if "natress" in table.own:
        yield warehouse.query_file("qualite/montants_natures", **where), NATURES
    paid = [name for name in BENEFITS if name in table.own]
    if paid:
        wide = warehouse.query_file("qualite/montants_prestations", colonnes=paid, **where)
        yield _long(wide, paid), BENEFITS


def _long(wide: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    row = wide.row(0, named=True)
    found = {what: [row[f"{what}_{name}"] for name in names] for what in ("mediane", "lignes")}
    return pl.DataFrame({"colonne": names} | found, strict=False)


def _bounded(rows: pl.DataFrame, bounds: dict[str, Bounds], table: Table) -> pl.DataFrame:
    known = pl.DataFrame(
        [(name, *pair) for name, pair in bounds.items()], ["colonne", "bas", "haut"], orient="row"
    )
    named = rows.join(known, on="colonne", maintain_order="left")
    return named.select(
        pl.lit(table.name).alias("table_contrat"), "colonne", "mediane", "lignes", "bas", "haut"
    )


def _guess(wrong: pl.DataFrame) -> str:
    if wrong.select((pl.col("mediane") > CENTS * pl.col("haut")).any()).item():
        return "ils semblent en centimes"
    if wrong.select((pl.col("mediane") > pl.col("haut")).any()).item():
        return "ils semblent annuels, ou en centimes"
    return "ils semblent d'une autre unité, ou ne couvrir qu'une part du mois"
