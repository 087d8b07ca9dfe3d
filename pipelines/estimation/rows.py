"""The rows of ``out__taux`` and what they are made of."""

from dataclasses import dataclass

import polars as pl

from pipelines.estimation.estimator import Estimate, Evidence
from pipelines.estimation.reading import A1, NONTAKER, TAKER, Reading

RATE_COLUMNS = {
    "droit": pl.String,
    "niveau": pl.String,
    "code_territoire": pl.String,
    "periode": pl.String,
    "est_trimestre": pl.Boolean,
    "groupe": pl.String,
    "eligibles": pl.Float64,
    "non_recourants": pl.Float64,
    "taux": pl.Float64,
    "taux_bas": pl.Float64,
    "taux_haut": pl.Float64,
    "euros_mois": pl.Float64,
    "methode": pl.String,
    "est_diffusable": pl.Boolean,
    "est_verifie": pl.Boolean,
    "forme": pl.String,
}

Row = dict[str, object]


@dataclass(frozen=True)
class Right:
    """One right with everything its rows are made of; ``result`` is None when CPAM says nothing."""

    reading: Reading
    evidence: Evidence
    result: Estimate | None
    sensitivity: float


def row(methode: str, nontakers: float, eligible: float, euros: float | None = None) -> Row:
    """Households not taking up, entitled households, euros a month not claimed."""
    rate = nontakers / eligible if eligible else None
    return {
        "methode": methode,
        "non_recourants": nontakers,
        "eligibles": eligible,
        "taux": rate,
        "euros_mois": euros,
        "est_verifie": False,
    }


def reliability(result: Estimate) -> Row:
    """Whether verification answers entered the estimate, and the form it has."""
    return {"est_verifie": result.is_verified, "forme": result.forme}


def observed(reading: Reading, group: pl.Expr) -> pl.DataFrame:
    """A1 by group: code, recourants, non_recourants (households), euros (not claimed, € a month)."""
    money = pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    return (
        reading.field.filter(A1)
        .group_by(code=group)
        .agg(
            recourants=pl.col("poids").filter(TAKER).sum(),
            non_recourants=pl.col("poids").filter(NONTAKER).sum(),
            euros=money.filter(NONTAKER).sum(),
        )
        .drop_nulls("code")
        .sort("code")
    )


def observed_row(counts: dict[str, float]) -> Row:
    """The observed row of a group of :func:`observed`."""
    eligible = counts["recourants"] + counts["non_recourants"]
    return row("observe", counts["non_recourants"], eligible, counts["euros"])
