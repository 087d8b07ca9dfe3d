"""The true rate of non-take-up of the invented territory: what an estimate is judged against."""

from typing import Protocol

import polars as pl

from pipelines.calendar import period

TAKER, PRIMARY, SECONDARY, OTHER = "recourant", "primaire", "secondaire", "autre"
CLOSED = ["5", "6"]
SUSPENDED = ["3", "4"]


class Facts(Protocol):
    """What situations are read from: a world, or what was kept of it."""

    @property
    def menages_mois(self) -> pl.DataFrame:
        """Households, month by month."""

    @property
    def droits(self) -> pl.DataFrame:
        """Rights, month by month."""

    @property
    def dossiers(self) -> pl.DataFrame:
        """Files, month by month."""


def true_rates(world: Facts, mois: str, *, avec_agricole: bool = True) -> pl.DataFrame:
    """Entitled households and non-takers of the period ending at ``mois``, for the five values of droit.

    Columns: mois, droit, eligibles, non_recourants (households), taux (0..1), euros_mois (euros per month
    not claimed, all non-takers). Households present in the territory in the last month, entitled in each of
    the three months; waiting, suspended by decision, in disagreement and departed ones are outside.
    ``avec_agricole``: with the households the MSA serves.
    """
    read = situations(world, mois, avec_agricole=avec_agricole).filter(pl.col("situation") != OTHER)
    unclaimed = pl.col("situation").is_in([PRIMARY, SECONDARY])
    rates = read.group_by("droit").agg(
        eligibles=pl.len(),
        non_recourants=unclaimed.sum(),
        taux=unclaimed.mean(),
        euros_mois=pl.col("montant_non_reclame").sum(),
    )
    order = pl.DataFrame({"droit": ["rsa", "ppa", "rsa_seul", "ppa_seule", "rsa_et_ppa"]})
    whole = order.join(rates, on="droit", how="left", maintain_order="left")
    return whole.select(pl.lit(mois).alias("mois"), pl.all()).with_columns(
        pl.col("eligibles", "non_recourants").fill_null(0), pl.col("euros_mois").fill_null(0.0)
    )


def situations(world: Facts, mois: str, *, avec_agricole: bool = True) -> pl.DataFrame:
    """menage, droit, situation, montant_non_reclame (euros per month) of the entitled households."""
    here = world.menages_mois.filter((pl.col("mois") == mois) & pl.col("est_territoire"))
    here = here if avec_agricole else here.filter(~pl.col("est_agricole"))
    entitled = _entitled(world, mois).join(here.select("menage"), on="menage", how="semi")
    files = pl.concat([_file_situations(world, mois, droit) for droit in ("rsa", "ppa")])
    read = entitled.join(files, on=["menage", "droit"], how="left").with_columns(
        pl.col("situation").fill_null(PRIMARY)
    )
    alone = read.filter(pl.len().over("menage") == 1).with_columns(
        droit=pl.col("droit").replace_strict({"rsa": "rsa_seul", "ppa": "ppa_seule"})
    )
    every = pl.concat([read, alone, _both(read)])
    claimed = ~pl.col("situation").is_in([PRIMARY, SECONDARY])
    return every.with_columns(montant_non_reclame=pl.when(claimed).then(0.0).otherwise("montant")).drop(
        "montant"
    )


def _entitled(world: Facts, mois: str) -> pl.DataFrame:
    """menage, droit, montant (mean of the period) of those entitled in each of its three months."""
    months = period(mois)
    rows = world.droits.filter(pl.col("mois").is_in(months) & (pl.col("eligible") == "oui"))
    found = rows.group_by("menage", "droit", maintain_order=True).agg(
        montant=pl.col("montant_eur_mois").mean(), _n=pl.len()
    )
    return found.filter(pl.col("_n") == len(months)).drop("_n")


def _file_situations(world: Facts, mois: str, droit: str) -> pl.DataFrame:
    """menage, droit, situation from the files of the period, in the order of « Words »."""
    due = "rsa_du" if droit == "rsa" else "ppa_due"
    rows = world.dossiers.filter(pl.col("mois").is_in(period(mois))).sort("menage", "mois")
    last = rows.group_by("menage", maintain_order=True).agg(
        paid=((pl.col(f"{droit}_etat") == "2") & (pl.col(due) > 0)).any(),
        state=pl.col(f"{droit}_etat").last(),
        motif=pl.col(f"{droit}_motif").last(),
        closing=pl.col("rsa_motif_cloture").last(),
    )
    closed = pl.col("state").is_in(CLOSED)
    silent = pl.col("state").is_in(SUSPENDED) & (pl.col("motif") == "06")
    situation = (
        pl.when(closed & (pl.col("closing") == "MUT")).then(pl.lit(OTHER))
        .when("paid").then(pl.lit(TAKER))
        .when(pl.col("state").is_null() | (pl.col("state") == "1")).then(pl.lit(PRIMARY))
        .when(closed | silent).then(pl.lit(SECONDARY))
        .otherwise(pl.lit(OTHER))
    )  # fmt: skip
    return last.select("menage", droit=pl.lit(droit), situation=situation)


def _both(read: pl.DataFrame) -> pl.DataFrame:
    """Households entitled to both: takers of both, else the situation of the right they do not take."""
    rsa, ppa = (read.filter(pl.col("droit") == droit).drop("droit") for droit in ("rsa", "ppa"))
    pair = rsa.join(ppa, on="menage", suffix="_ppa")
    order = [SECONDARY, PRIMARY, OTHER]
    either = pl.concat_list("situation", "situation_ppa")
    situation = pl.lit(TAKER)
    for name in reversed(order):
        situation = pl.when(either.list.contains(name)).then(pl.lit(name)).otherwise(situation)
    missed = [
        pl.when(pl.col(f"situation{end}").is_in([PRIMARY, SECONDARY])).then(f"montant{end}").otherwise(0.0)
        for end in ("", "_ppa")
    ]
    return pair.select(
        "menage", droit=pl.lit("rsa_et_ppa"), montant=missed[0] + missed[1], situation=situation
    ).select(read.columns)
