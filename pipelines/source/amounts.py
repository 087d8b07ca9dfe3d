"""Orders of magnitude at the partner: amounts counted slice after slice, judged on the whole table."""

from collections.abc import Iterable

import polars as pl

from schemas import Table
from schemas.magnitudes import benefits_of, bounded, natures_of, refuse_other_units

CONVERT = "Convertir ces montants en euros par mois dans l'extrait, puis recommencer : rien n'a été livré."

_COUNTED = {"colonne": pl.String, "montant": pl.Float64, "lignes": pl.UInt32}


def amounts(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """How many ``lignes`` hold each positive ``montant`` (euros), by ``colonne``: a nature, or a benefit."""
    held = [rows.select(pl.lit(name).alias("colonne"), montant=name) for name in benefits_of(table)]
    if natures_of(table):
        held.append(rows.select("montant", colonne="natress"))
    counted = [_counted(one).select(*_COUNTED) for one in held]
    return pl.concat([pl.DataFrame(schema=_COUNTED), *counted])


def refuse_amounts(parts: Iterable[pl.DataFrame], table: Table) -> None:
    """Raise :class:`pipelines.refusals.ContractRefusal` when the slices of a table are not euros per month.

    Rows repeated from one slice to another count as often as they stand there.
    """
    every = pl.concat([pl.DataFrame(schema=_COUNTED), *parts])
    refuse_other_units(bounded(_medians(every), table), CONVERT)


def _counted(held: pl.DataFrame) -> pl.DataFrame:
    return held.filter(pl.col("montant") > 0).group_by("colonne", "montant").agg(lignes=pl.len())


def _medians(counted: pl.DataFrame) -> pl.DataFrame:
    """colonne, mediane, lignes: half of the lines are at ``mediane`` or below."""
    lines = pl.col("lignes").sum()
    seen = pl.col("lignes").cum_sum()
    lower, upper = (pl.col("montant").filter(seen > rank).first() for rank in ((lines - 1) // 2, lines // 2))
    ordered = counted.sort("colonne", "montant").with_columns(pl.col("lignes").cast(pl.Int64))
    return ordered.group_by("colonne", maintain_order=True).agg(mediane=(lower + upper) / 2, lignes=lines)
