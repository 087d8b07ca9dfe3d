"""out__taux, out__effectifs and out__parametres_estimation: what disclosure control then looks at."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.calendar import is_calendar_quarter, period_code
from pipelines.estimation.classes import BAND_OF_CLASS, C2S_OF_CLASS, CLASSES, Floats
from pipelines.estimation.estimator import Estimate, Evidence, naive_counts, observed_counts
from pipelines.estimation.evidence import RESTING, Reading
from pipelines.estimation.groups import GroupCounts, share_out, spread_between
from pipelines.settings import Settings

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

AGE_GROUPS = ("age:-50", "age:50-64", "age:65+")
"""Also the bands of the classes; 50+ is shown beside them (a public of the experiment)."""
OVER_50 = "age:50+"

_TAKER = (pl.col("eligible") == "oui") & (pl.col("situation") == "recourant")
_NONTAKER = (pl.col("eligible") == "oui") & pl.col("situation").is_in(RESTING)
_A1 = pl.col("strate") == "A1"


@dataclass(frozen=True)
class Right:
    """One right with everything its rows are made of; ``result`` is None when CPAM says nothing."""

    reading: Reading
    evidence: Evidence
    result: Estimate | None
    sensitivity: float


@dataclass(frozen=True)
class Partition:
    """Groups that cut the households: an expression giving each household's group, and how X is shared out.

    ``known_by_class``: the group follows from the class. ``seen_at_cpam``: CPAM households show it, else X is
    shared out within each class like A1's non-takers (the only place where the group is seen).
    """

    niveau: str
    group: pl.Expr
    known_by_class: tuple[str, ...] = ()
    seen_at_cpam: bool = False


def partitions() -> list[Partition]:
    """Groupings of communes, and the profile of the whole territory."""
    age = pl.col("bande_age").replace_strict(
        dict(enumerate(AGE_GROUPS)), default=None, return_dtype=pl.String
    )
    c2s = pl.when("a_c2s").then(pl.lit("c2s:oui")).when(~pl.col("a_c2s")).then(pl.lit("c2s:non"))
    return [
        Partition("regroupement", pl.col("regroupement"), seen_at_cpam=True),
        Partition("EPCI", age, known_by_class=tuple(AGE_GROUPS[b] for b in BAND_OF_CLASS)),
        Partition(
            "EPCI",
            pl.when(pl.col("bande_age") > 0).then(pl.lit(OVER_50)),
            known_by_class=tuple(OVER_50 if b else "" for b in BAND_OF_CLASS),
        ),
        Partition("EPCI", c2s, known_by_class=tuple("c2s:oui" if c else "c2s:non" for c in C2S_OF_CLASS)),
        Partition("EPCI", pl.lit("menage:") + pl.col("type_menage"), seen_at_cpam=True),
        Partition("EPCI", pl.lit("logement:") + pl.col("logement")),
        Partition("EPCI", pl.lit("travail:") + pl.col("travail")),
    ]


def rates(right: Right, settings: Settings, mois: str, generator: np.random.Generator) -> pl.DataFrame:
    """Every row of ``out__taux`` for one right and period."""
    rows = [*_whole(right), *_communes(right)]
    for partition in partitions():
        rows += _groups(right, partition, settings, generator)
    return _shaped(rows, right.reading.droit, settings, mois)


def _whole(right: Right) -> list[dict[str, object]]:
    found = [
        _row("observe", *observed_counts(right.evidence), euros=right.evidence.unclaimed_a1_eur_mois),
        _row("naif", *naive_counts(right.evidence)),
    ]
    if right.result is not None:
        corrected = _row("corrige", right.result.nontakers, right.result.eligible, right.result.euros_mois)
        corrected |= {"taux_bas": right.result.low, "taux_haut": right.result.high}
        found.append(corrected | _reliability(right.result))
    return [{"niveau": "EPCI", "groupe": "ensemble"} | row for row in found]


def _row(methode: str, nontakers: float, eligible: float, euros: float | None = None) -> dict[str, object]:
    rate = nontakers / eligible if eligible else None
    return {
        "methode": methode,
        "non_recourants": nontakers,
        "eligibles": eligible,
        "taux": rate,
        "euros_mois": euros,
        "est_verifie": False,
    }


def _reliability(result: Estimate) -> dict[str, object]:
    return {"est_verifie": result.is_verified, "forme": result.forme}


def _communes(right: Right) -> list[dict[str, object]]:
    """Observed counts of each commune as delivered (small ones together): never a rate, never published."""
    counts = _observed(right.reading, pl.col("commune_insee"))
    return [
        _row("observe", row["non_recourants"], row["recourants"] + row["non_recourants"], row["euros"])
        | {"niveau": "commune", "code_territoire": row["code"], "groupe": "ensemble", "taux": None}
        for row in counts.rows(named=True)
    ]


def _observed(reading: Reading, group: pl.Expr) -> pl.DataFrame:
    """A1 by group: code, recourants, non_recourants (households), euros (not claimed, € a month)."""
    money = pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    return (
        reading.households.filter(_A1)
        .group_by(code=group)
        .agg(
            recourants=pl.col("poids").filter(_TAKER).sum(),
            non_recourants=pl.col("poids").filter(_NONTAKER).sum(),
            euros=money.filter(_NONTAKER).sum(),
        )
        .drop_nulls("code")
        .sort("code")
    )


def _groups(
    right: Right, partition: Partition, settings: Settings, generator: np.random.Generator
) -> list[dict[str, object]]:
    observed = _observed(right.reading, partition.group)
    if observed.is_empty():
        return []
    found = [_group_row(partition, row, _observed_row(row)) for row in observed.rows(named=True)]
    if right.result is not None:
        found += _corrected_groups(right, right.result, partition, observed, settings, generator)
    return found


def _observed_row(row: dict[str, float]) -> dict[str, object]:
    return _row("observe", row["non_recourants"], row["recourants"] + row["non_recourants"], row["euros"])


def _group_row(partition: Partition, row: dict[str, object], figures: dict[str, object]) -> dict[str, object]:
    if partition.niveau == "regroupement":
        place = {"code_territoire": row["code"], "groupe": "ensemble"}
    else:
        place = {"groupe": row["code"]}
    return {"niveau": partition.niveau} | place | figures


def _corrected_groups(
    right: Right,
    result: Estimate,
    partition: Partition,
    observed: pl.DataFrame,
    settings: Settings,
    generator: np.random.Generator,
) -> list[dict[str, object]]:
    counts = _group_counts(right, partition, observed)
    spread = _spread(right, partition, observed["code"].to_list())
    estimates = share_out(counts, result.central, result.drawn, spread, settings.estimation.niveau, generator)
    mean = right.evidence.mean_unclaimed_eur_mois
    others = (result.central.x * mean) @ counts.x_share.T + (result.central.a2 * mean) @ counts.a2_share.T
    euros = observed["euros"].to_numpy() + others[0]
    rows = []
    for g, row in enumerate(observed.rows(named=True)):
        figures = _row(
            "corrige", float(estimates.nontakers[g]), float(estimates.eligible[g]), float(euros[g])
        )
        figures |= {"taux_bas": float(estimates.low[g]), "taux_haut": float(estimates.high[g])}
        rows.append(_group_row(partition, row, figures | _reliability(result)))
    return rows


def _group_counts(right: Right, partition: Partition, observed: pl.DataFrame) -> GroupCounts:
    codes, reading = observed["code"].to_list(), right.reading
    paid_a2 = (pl.col("strate") == "A2") & (pl.col("situation") == "recourant")
    takers = observed["recourants"].to_numpy() + right.sensitivity * _per_group(
        reading, partition, codes, paid_a2, "poids"
    )
    s = (pl.col("strate") == "S") & (pl.col("situation") == "recourant")
    return GroupCounts(
        takers=takers,
        nontakers=observed["non_recourants"].to_numpy(),
        s=_per_group(reading, partition, codes, s, "poids_menages"),
        x_share=_share(reading, partition, codes, pl.col("strate") == "B"),
        a2_share=_share(reading, partition, codes, pl.col("strate") == "A2"),
    )


def _per_group(
    reading: Reading, partition: Partition, codes: list[str], condition: pl.Expr, weight: str
) -> Floats:
    counted = reading.households.filter(condition).group_by(code=partition.group).agg(n=pl.col(weight).sum())
    found = dict(counted.drop_nulls("code").rows())
    return np.array([float(found.get(code, 0.0)) for code in codes])


def _share(reading: Reading, partition: Partition, codes: list[str], stratum: pl.Expr) -> Floats:
    """Share of each class that goes to each group, shape (groups, 12), columns adding up to 1."""
    if partition.known_by_class:
        return np.array([[float(name == code) for name in partition.known_by_class] for code in codes])
    source = stratum if partition.seen_at_cpam else _A1 & _NONTAKER
    counts = _class_counts(reading, partition, codes, source)
    overall = counts.sum(axis=1, keepdims=True) + 1e-9
    smoothed = counts + overall / overall.sum()
    share: Floats = smoothed / smoothed.sum(axis=0, keepdims=True)
    return share


def _class_counts(reading: Reading, partition: Partition, codes: list[str], condition: pl.Expr) -> Floats:
    found = reading.households.filter(condition & pl.col("classe").is_not_null())
    counted = found.group_by("classe", code=partition.group).agg(n=pl.col("poids_menages").sum())
    table: Floats = np.zeros((len(codes), CLASSES))
    for classe, code, n in counted.rows():
        if code in codes:
            table[codes.index(code), classe] = n
    return table


def _spread(right: Right, partition: Partition, codes: list[str]) -> float:
    """How much CAF non-recipients differ between groups beyond their classes."""
    fitted = _A1 & pl.col("dossier").is_in(RESTING) & pl.col("eligible").is_in(["oui", "non"])
    trials = _class_counts(right.reading, partition, codes, fitted)
    entitled = _class_counts(right.reading, partition, codes, fitted & (pl.col("eligible") == "oui"))
    rate = entitled.sum(axis=0) / np.maximum(trials.sum(axis=0), 1)
    return spread_between(entitled.sum(axis=1), trials @ rate)


def _shaped(rows: list[dict[str, object]], droit: str, settings: Settings, mois: str) -> pl.DataFrame:
    complete = [
        dict.fromkeys(RATE_COLUMNS) | {"code_territoire": settings.territoire.code} | row for row in rows
    ]
    frame = pl.DataFrame(complete, schema=RATE_COLUMNS, orient="row").with_columns(
        droit=pl.lit(droit),
        periode=pl.lit(period_code(mois)),
        est_trimestre=pl.lit(is_calendar_quarter(mois)),
    )
    limits = settings.publication
    takers = pl.col("eligibles") - pl.col("non_recourants")
    enough = (
        (pl.col("niveau") != "commune")
        & (pl.col("eligibles") >= limits.seuil_eligibles)
        & (pl.col("non_recourants") >= limits.seuil)
        & (takers >= limits.seuil)
    )
    return frame.with_columns(est_diffusable=enough)
