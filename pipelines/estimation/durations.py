"""How long: non-take-up that lasts three quarters, as DREES counts it, or ends within the next one.

In A1 both are observed: rights of the two quarters before are simulated on the CAF's 24 months. Whoever is
absent from the CAF took up nothing in them; whether it was already entitled is not known, and is taken from
the CAF's households that never asked, with the uncertainty of their number. What was opened since by a
household the CAF did not know a quarter ago has no income of that quarter: spot non-take-up is given as
observed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Estimate, counts, interval
from pipelines.estimation.groups import misread
from pipelines.estimation.rows import A1, ENTITLED, NONTAKER, Right, Row, reliability, row
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
        last = pl.col("rang") == 1
        return mine.group_by("menage_base_id").agg(
            est_durable=(pl.col("est_non_recourant").sum() == 2),
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
    lasts = pl.col("est_durable").fill_null(False)
    whole = right.reading.weight(_COUNTED)
    yield from _spot(known)
    share = _lasting_share(known, lasts)
    for groupe, condition in ((LASTING, lasts), (RECENT, ~lasts)):
        here = known.filter(A1 & NONTAKER & condition)
        money = (here["poids"] * here["montant_non_reclame_eur_mois"]).sum()
        place = {"niveau": "EPCI", "groupe": groupe}
        yield place | row("observe", float(here["poids"].sum()), whole, float(money))
        if right.result is not None:
            part = share if groupe == LASTING else (share[1], share[0])
            figures = (float(here["poids"].sum()), float(money))
            yield place | _corrected(right, right.result, figures, part, level, generator)


def _lasting_share(known: pl.DataFrame, lasts: pl.Expr) -> tuple[float, float]:
    """Of the CAF's households that never asked, those for whom it lasts, and the others, plus one half
    each."""
    asked_nothing = known.filter(A1 & NONTAKER & (pl.col("dossier") == "primaire"))
    lasting = float(asked_nothing.filter(lasts)["poids"].sum())
    return lasting + 0.5, float(asked_nothing["poids"].sum()) - lasting + 0.5


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
    shares = generator.beta(*part, size=result.drawn.coverage.size)
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


def _spot(known: pl.DataFrame) -> Iterator[Row]:
    """Entitled in the quarter before and not taking up then, paid in this one."""
    before = known.filter((pl.col("strate").is_in(["A1", "A2"])) & pl.col("etait_eligible").fill_null(False))
    opened = before.filter(pl.col("etait_non_recourant") & pl.col("est_paye"))
    figures = row("observe", float(opened["poids_menages"].sum()), float(before["poids_menages"].sum()))
    yield {"niveau": "EPCI", "groupe": SPOT} | figures
