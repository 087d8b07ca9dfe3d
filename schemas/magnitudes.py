"""Orders of magnitude: amounts in cents, or of a year, are seen in the median of each nature, never in a row.

A single row of 18 000 € may be true; half of them above 5 000 € a month may not. The fault is that of the
whole extract and would make every right false: it is refused, at the partner before it leaves, and again
where it arrives.
"""

from typing import Final

import polars as pl

from pipelines.refusals import ContractRefusal
from schemas.tables import Table

Bounds = tuple[float, float]

ENOUGH_ROWS: Final = 50
"""Below this number of rows a median or a ratio says nothing."""

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

CENTS: Final = 25.0
"""From this many times the upper bound, the amounts are rather in cents than of a year."""


def natures_of(table: Table) -> dict[str, Bounds]:
    """Bounds by natress, where the rows of the table have one; else none."""
    return NATURES if "natress" in table.own else {}


def benefits_of(table: Table) -> dict[str, Bounds]:
    """Bounds of the benefits that are columns of the table."""
    return {name: bounds for name, bounds in BENEFITS.items() if name in table.own}


def bounded(medians: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows of ``medians`` (colonne, mediane, lignes) beside their bounds; a name without any is left out.

    Columns table_contrat, colonne, mediane (euros a month), lignes, bas, haut.
    """
    bounds = [(name, *pair) for name, pair in (natures_of(table) | benefits_of(table)).items()]
    schema = {"colonne": pl.String, "bas": pl.Float64, "haut": pl.Float64}
    known = pl.DataFrame(bounds, schema=schema, orient="row")
    return medians.join(known, on="colonne", maintain_order="left").select(
        pl.lit(table.name).alias("table_contrat"), "colonne", "mediane", "lignes", "bas", "haut"
    )


def refuse_other_units(medians: pl.DataFrame, que_faire: str) -> None:
    """Raise :class:`ContractRefusal` when a nature is not in euros per month, all such natures named.

    ``medians``: rows of :func:`bounded`. The refusal quotes no amount.
    """
    wrong = medians.filter(
        (pl.col("lignes") >= ENOUGH_ROWS) & ~pl.col("mediane").is_between(pl.col("bas"), pl.col("haut"))
    )
    if wrong.is_empty():
        return
    places = wrong.select("table_contrat", "colonne").rows()
    raise ContractRefusal(
        f"Ces montants ne sont pas des euros par mois : {_guess(wrong)}.",
        ou=" ; ".join(f"{table}, {name}" for table, name in places),
        que_faire=que_faire,
    )


def _guess(wrong: pl.DataFrame) -> str:
    if wrong.select((pl.col("mediane") > CENTS * pl.col("haut")).any()).item():
        return "ils semblent en centimes"
    if wrong.select((pl.col("mediane") > pl.col("haut")).any()).item():
        return "ils semblent annuels, ou en centimes"
    return "ils semblent d'une autre unité, ou ne couvrir qu'une part du mois"
