"""The households of one right: their strata, the words that tell them apart, how they are counted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.estimation.classes import CLASSES, Floats
from pipelines.warehouse import Warehouse

RIGHTS = ("rsa", "ppa", "rsa_seul", "ppa_seule", "rsa_et_ppa")

RESTING = ("primaire", "secondaire")
"""Dossier situations of a household that may be a non-taker."""

ENTITLED = pl.col("eligible") == "oui"
KNOWN = pl.col("eligible").is_in(["oui", "non"])
TAKER = ENTITLED & (pl.col("situation") == "recourant")
NONTAKER = ENTITLED & pl.col("situation").is_in(RESTING)
COUNTED = TAKER | NONTAKER
A1, A2, B, S, L = (pl.col("strate") == name for name in ("A1", "A2", "B", "S", "L"))
COMPARABLE = A1 & KNOWN & pl.col("est_sans_prestation") & ~pl.col("a_revenu_caf")
"""CAF households who could as well be absent from it: one whom it pays an income, RSA, PPA or AAH, could not.

Of 29 households wrongly entitled on CPAM data, read one by one, 12 or 13 were on AAH (docs/decisions/0004). A
household paid the RSA is a non-taker of « rsa_et_ppa » for lack of PPA: nothing like one that never asked
anything (docs/decisions/0009).
"""
PENDING_A2 = A2 & (pl.col("situation") == "inconnu")
A2_ON_CPAM = PENDING_A2 & ~pl.col("a_revenu_caf") & pl.col("part_cpam").is_not_null()
"""A2 whose CPAM incomes are known: the CPAM's own data and κ, as in B."""

A2_UNREAD = PENDING_A2 & ~pl.col("a_revenu_caf") & pl.col("part_cpam").is_null()

PART = pl.when(ENTITLED).then(pl.col("poids_eligible").clip(0, 1)).otherwise(0.0)
"""Share of a CPAM household entitled on CPAM data: some are computed in several ways."""

LINKED = L | S
CPAM = B | LINKED
ESTIMABLE = (
    pl.col("est_sans_ressources")
    & ~pl.col("est_autre_regime")
    & ((pl.col("age_reference") >= 25) | (pl.col("n_enfants") > 0))
)
"""Without incomes, the under 25 without child and the self-employed stay unknown, as everywhere else."""


@dataclass(frozen=True)
class Reading:
    """Households read for one right (a row of ``core__situations_lues`` each, with its class)."""

    droit: str
    households: pl.DataFrame
    answers: pl.DataFrame

    @cached_property
    def field(self) -> pl.DataFrame:
        """Households of the CAF and of the MSA, and those that CPAM data find entitled."""
        return self.households.filter(A1 | A2 | S | ENTITLED)

    def weight(self, condition: pl.Expr, weight: str = "poids") -> float:
        """Households where ``condition`` holds."""
        return float(self.households.select(pl.col(weight).filter(condition).sum()).item() or 0.0)

    def by_class(self, condition: pl.Expr, weight: str | pl.Expr = "poids") -> Floats:
        """The same by class, shape (12,); households whose class is unknown are left out."""
        value = pl.col(weight) if isinstance(weight, str) else weight
        counted = condition & pl.col("classe").is_not_null()
        among = self.households.select(pl.col("classe").filter(counted), n=value.filter(counted).fill_null(0))
        return sum_by_class(among, pl.col("n"))

    def by_income(self, condition: pl.Expr) -> Floats:
        """CAF households by class, CPAM incomes unknown then known, shape (2, 12)."""
        sides = (pl.col("part_cpam").is_null(), pl.col("part_cpam").is_not_null())
        return np.vstack([self.by_class(condition & side, "poids_menages") for side in sides])


def read(warehouse: Warehouse, droit: str, answers: pl.DataFrame | None = None) -> Reading:
    """The households of the territory and the verification answers, for one right; answers already read
    serve all of them."""
    households = warehouse.query_file("core/situations_du_droit", droit=droit)
    classe = pl.col("bande_age") * 4 + pl.col("a_c2s").cast(pl.Int32) * 2 + pl.col("est_rurale")
    return Reading(
        droit,
        with_cpam_reading(households.with_columns(classe=classe)),
        warehouse.query_file("core/situations_reponses") if answers is None else answers,
    )


def with_cpam_reading(households: pl.DataFrame) -> pl.DataFrame:
    """Add ``part_cpam``: of a linked CAF household, the share entitled on CPAM data; null if unknown."""
    on_cpam = (
        households.filter(L & KNOWN)
        .group_by(menage_base_id=pl.col("caf_menage_base_id"))
        .agg(part_cpam=PART.max())
        .with_columns(est_caf=True)
    )
    marked = households.with_columns(est_caf=A1 | A2)
    return marked.join(on_cpam, on=["menage_base_id", "est_caf"], how="left", maintain_order="left")


def sum_by_class(households: pl.DataFrame, value: pl.Expr) -> Floats:
    """Sums of ``value`` by class, shape (12,); households whose class is unknown are left out."""
    found = households.filter(pl.col("classe").is_not_null()).select("classe", value=value.cast(pl.Float64))
    return np.bincount(
        found["classe"].to_numpy(), weights=found["value"].to_numpy(), minlength=CLASSES
    ).astype(np.float64)


def share(flags: pl.Series) -> float:
    """Share of the flags that are true."""
    return float(flags.sum()) / flags.len()
