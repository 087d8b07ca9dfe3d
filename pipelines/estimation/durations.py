"""How long: non-take-up that lasts three quarters, as DREES counts it, or ends within the next one.

In A1 both are observed: rights of the two quarters before are simulated on the CAF's 24 months; a household
whose entitlement is not known in one of them is taken as the others. Whoever is absent from the CAF took up
nothing in them; whether it was already entitled is not known, and is taken from the CAF's households that
never asked and receive no income from it, RSA nor PPA: those who do have incomes that move. Their number is
uncertain, and how the absent differ from them. What was opened since by a household the CAF did not know a
quarter ago has no income of that quarter: spot non-take-up is given as observed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Estimate, counts, interval
from pipelines.estimation.groups import misread
from pipelines.estimation.reading import A1, A2, COMPARABLE, ENTITLED, NONTAKER
from pipelines.estimation.rows import Right, Row, reliability, row
from pipelines.estimation.shares import UNSEEN_SPREAD
from pipelines.warehouse import Warehouse

LASTING, RECENT, SPOT = "duree:durable", "duree:recente", "suite:ponctuel"
RIGHTS_WITH_HISTORY = ("rsa", "ppa")

_COUNTED = A1 & ENTITLED & (NONTAKER | (pl.col("situation") == "recourant"))


@dataclass(frozen=True)
class History:
    """``core__situations_anterieures``: the two quarters before, by household and right; empty when
    unknown."""

    quarters: pl.DataFrame

    def of(self, droit: str) -> pl.DataFrame:
        """menage_base_id, est_durable (non-taker in both), etait_eligible and etait_non_recourant in the
        last one."""
        mine = self.quarters.filter(droit=droit)
        last, untaken = pl.col("rang") == 1, pl.col("est_non_recourant")
        return mine.group_by("menage_base_id").agg(
            est_durable=pl.when((~untaken).any())
            .then(False)
            .when((untaken.sum() == 2) & (untaken.count() == 2))
            .then(True),
            etait_eligible=pl.col("est_eligible").filter(last).any(),
            etait_non_recourant=pl.col("est_non_recourant").filter(last).any(),
        )


def history(warehouse: Warehouse) -> History:
    """What the warehouse knows of the quarters before."""
    return History(warehouse.read("core__situations_anterieures"))


def durations(right: Right, past: History, level: float, generator: np.random.Generator) -> Iterator[Row]:
    """Rows of ``out__taux``: durable and recent non-take-up of all entitled households, and spot."""
    if right.reading.droit not in RIGHTS_WITH_HISTORY or past.quarters.is_empty():
        return
    known = right.reading.households.join(past.of(right.reading.droit), on="menage_base_id", how="left")
    whole = right.reading.weight(_COUNTED)
    yield from _spot(known)
    share = _told(known.filter(COMPARABLE & NONTAKER & (pl.col("dossier") == "primaire")), pl.lit(1.0))
    money = pl.col("montant_non_reclame_eur_mois")
    households, euros = (_spread(known.filter(A1 & NONTAKER), value) for value in (pl.lit(1.0), money))
    for n, groupe in enumerate((LASTING, RECENT)):
        place, found = {"niveau": "EPCI", "groupe": groupe}, (households[n], euros[n])
        yield place | row("observe", households[n], whole, euros[n])
        if right.result is not None:
            part = (share[n] + 0.5, share[1 - n] + 0.5)
            yield place | _corrected(right, right.result, found, part, level, generator)


def _told(households: pl.DataFrame, value: pl.Expr) -> tuple[float, float]:
    """Sums over the households for whom it lasts, and over those for whom it does not; unknown ones left
    out."""
    total = (pl.col("poids") * value).sum()
    lasting, recent = (households.filter(est_durable=flag).select(total).item() for flag in (True, False))
    return float(lasting or 0.0), float(recent or 0.0)


def _spread(households: pl.DataFrame, value: pl.Expr) -> tuple[float, float]:
    """The same over all households, those whose past entitlement is not known taken as the others."""
    lasting, recent = _told(households, value)
    total = float(households.select((pl.col("poids") * value).sum()).item() or 0.0)
    share = lasting / (lasting + recent) if lasting + recent else 0.5
    return share * total, (1 - share) * total


def _corrected(
    right: Right,
    result: Estimate,
    found: tuple[float, float],
    part: tuple[float, float],
    level: float,
    generator: np.random.Generator,
) -> Row:
    """Those of A1, and their part of the households the CAF file does not count."""
    untaken, euros = found
    mean = part[0] / sum(part)
    shares = as_others(generator.beta(*part, size=result.drawn.coverage.size), generator)
    outside = result.drawn.x.sum(axis=1) + result.drawn.a2.sum(axis=1)
    _, households = counts(right.evidence, result.drawn)
    read = misread(np.array([untaken]), 1 - right.sensitivity, shares.size, generator)[:, 0]
    rates: Floats = (read + shares * outside) / np.maximum(households, 1e-9)
    elsewhere = mean * (result.central.x[0] + result.central.a2[0])
    total = untaken + float(elsewhere.sum())
    money = euros + float(elsewhere @ right.evidence.mean_unclaimed_eur_mois)
    low, high = interval(rates, level, total / max(result.eligible, 1e-9))
    figures = row("corrige", total, result.eligible, money)
    return figures | {"taux_bas": low, "taux_haut": high} | reliability(result)


def as_others(shares: Floats, generator: np.random.Generator) -> Floats:
    """Shares of others than those they were drawn from: nobody knows how they differ."""
    odds = shares / (1 - shares) * np.exp(UNSEEN_SPREAD * generator.standard_normal(shares.size))
    alike: Floats = odds / (1 + odds)
    return alike


def _spot(known: pl.DataFrame) -> Iterator[Row]:
    """Entitled in the quarter before and not taking up then, paid in this one."""
    before = known.filter((A1 | A2) & pl.col("etait_eligible").fill_null(False))
    opened = before.filter(pl.col("etait_non_recourant") & pl.col("est_paye"))
    figures = row("observe", float(opened["poids_menages"].sum()), float(before["poids_menages"].sum()))
    yield {"niveau": "EPCI", "groupe": SPOT} | figures
