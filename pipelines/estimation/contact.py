"""Whom the cellule may call: consent in force and probably entitled without taking it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.calendar import first_day, shift
from pipelines.estimation import entitlement
from pipelines.estimation.classes import Floats, of_band
from pipelines.estimation.estimator import Evidence, central_parameters
from pipelines.estimation.reading import A1, KNOWN, RESTING, Reading
from pipelines.files import whole_file
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

MARGINS_EUR = (50.0, 150.0, 300.0)
"""Bounds of the margin to the threshold: a small simulated amount is more often a wrong one."""

MONTHS_VALID = 3
"""Entitlement is that of a quarter: an answer is worth no longer."""

_PEERS = 5.0
"""Households at the overall share added to each margin before its own share is used."""

HANDED_OVER = ("a_rappeler", "a_verifier")


@dataclass(frozen=True)
class Likelihood:
    """P(entitled and not taking up) by where a household stands; shares 0 to 1.

    ``observed``: in A1 by margin (4,). ``on_cpam``: in B when entitled on CPAM data, by class (12,).
    ``outside``, ``without_incomes``: π of B and of A2 by class (12,).
    """

    observed: Floats
    on_cpam: Floats
    outside: Floats
    without_incomes: Floats


def likelihood(reading: Reading, evidence: Evidence) -> Likelihood:
    """The probabilities of one right, from its estimate (design page, « P(entitled and not taking up) »)."""
    central = central_parameters(evidence)
    on_cpam = np.minimum(central.kappa / of_band(1 - central.absent / central.recall), 1.0)
    return Likelihood(
        observed=1 - _share_refuted(reading),
        on_cpam=on_cpam[0],
        outside=entitlement.probability(central.outside)[0],
        without_incomes=entitlement.probability(central.a2)[0],
    )


def _share_refuted(reading: Reading) -> Floats:
    """Share of paid A1 households simulated not entitled, by margin of what they are paid; shape (4,)."""
    paid = reading.households.filter(A1 & KNOWN & pl.col("est_paye")).select(
        marge=_margin("du_eur_mois"), refute=pl.col("eligible") == "non"
    )
    overall = float(paid["refute"].sum()) / max(paid.height, 1)
    counts = paid.group_by("marge").agg(n=pl.len(), non=pl.col("refute").sum())
    share: Floats = np.full(len(MARGINS_EUR) + 1, overall)
    for margin, n, wrong in counts.drop_nulls("marge").rows():
        share[margin] = (wrong + _PEERS * overall) / (n + _PEERS)
    return share


def _margin(column: str) -> pl.Expr:
    return pl.sum_horizontal((pl.col(column) >= bound).cast(pl.Int32) for bound in MARGINS_EUR)


def write(
    warehouse: Warehouse, settings: Settings, mois: str, likelihoods: Mapping[str, Likelihood]
) -> dict[str, int]:
    """Write ``core__a_rappeler_detail``, ``out__a_rappeler`` and ``out__a_verifier``; return their rows."""
    rules = settings.aller_vers
    warehouse.build(
        "core/core__a_rappeler_consentements",
        jour=_last_day(mois),
        destinataires=[known.code for known in rules.destinataires],
        formulaires_nommant=rules.formulaires_nommant,
    )
    warehouse.build("core/core__a_rappeler_candidats")
    detail = judged(warehouse.read("core__a_rappeler_candidats"), likelihoods, settings)
    deadline = pl.min_horizontal("expire_le", pl.lit(_last_day(shift(mois, MONTHS_VALID))))
    columns = ["consentement_id", "droit", "echeance", "probabilite", "raison"]
    warehouse.replace("core__a_rappeler_detail", detail.with_columns(echeance=deadline).select(columns))
    return {name: warehouse.build(f"out/out__{name}") for name in HANDED_OVER}


def judged(
    candidates: pl.DataFrame, likelihoods: Mapping[str, Likelihood], settings: Settings
) -> pl.DataFrame:
    """Every consent in force with ``probabilite`` (null when nothing can be said) and ``raison``."""
    chances = [
        None if row["strate"] is None else _probability(row, likelihoods[row["droit"]])
        for row in candidates.rows(named=True)
    ]
    known = candidates.with_columns(probabilite=pl.Series(chances, dtype=pl.Float64))
    estimation = settings.estimation
    too_small = A1 & (pl.col("montant_non_reclame_eur_mois") < estimation.montant_rappel_eur_mois)
    raison = (
        pl.when("est_ambigu").then(pl.lit("ambigu"))
        .when(pl.col("strate").is_null()).then(pl.lit("sans_enregistrement"))
        .when(pl.col("probabilite") >= estimation.seuil_rappel)
        .then(pl.when(too_small).then(pl.lit("montant_faible")).otherwise(pl.lit("a_rappeler")))
        .when(pl.col("situation") == "inconnu").then(pl.lit("droit_inconnu"))
        .when(pl.col("probabilite").is_null()).then("situation")
        .otherwise(pl.lit("sous_le_seuil"))
    )  # fmt: skip
    return known.with_columns(raison=raison)


def _probability(row: Mapping[str, object], chances: Likelihood) -> float | None:
    """Link probability × P(entitled and not taking up); None when the household is known to be neither."""
    found = _chance(row, chances)
    return None if found is None else float(str(row["probabilite_lien"])) * found


def _chance(row: Mapping[str, object], chances: Likelihood) -> float | None:
    is_resting = row["situation"] in RESTING
    if row["strate"] == "A1" and is_resting:
        margin = sum(float(str(row["montant_non_reclame_eur_mois"])) >= bound for bound in MARGINS_EUR)
        return float(chances.observed[margin])
    classe = _class_of(row)
    if classe is None:
        return None
    if row["strate"] == "B" and is_resting:
        return float(chances.on_cpam[classe]) * min(float(str(row["part_eligible"])), 1.0)
    if not row["est_sans_ressources"] or row["situation"] != "inconnu":
        return None
    return float((chances.outside if row["strate"] == "B" else chances.without_incomes)[classe])


def _class_of(row: Mapping[str, object]) -> int | None:
    parts = [row["bande_age"], row["a_c2s"], row["est_rurale"]]
    if None in parts:
        return None
    band, c2s, rural = (int(str(int(bool(p)) if isinstance(p, bool) else p)) for p in parts)
    return band * 4 + c2s * 2 + rural


def _last_day(mois: str) -> date:
    return first_day(shift(mois, 1)) - timedelta(days=1)


def hand_over(warehouse: Warehouse, settings: Settings) -> dict[str, int | float | str]:
    """Leave the cellule its two tables, ``passage/a_rappeler.parquet`` and ``passage/a_verifier.parquet``."""
    counts: dict[str, int | float | str] = {}
    for name in HANDED_OVER:
        frame = warehouse.read(f"out__{name}")
        with whole_file(settings.dossiers.passage / f"{name}.parquet") as path:
            frame.write_parquet(path)
        counts[name] = frame.height
    return counts
