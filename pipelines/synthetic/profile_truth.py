"""True non-take-up by group of the invented territory: what the profile of an estimate is judged against."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.calendar import month_number, period, shift
from pipelines.synthetic.rates import OTHER, PRIMARY, SECONDARY, situations
from pipelines.warehouse import Warehouse

UNTAKEN = [PRIMARY, SECONDARY]
HEADLINES = ("rsa", "ppa")


@dataclass(frozen=True)
class KeptTruth:
    """The frames of ``verite/`` that situations are read from."""

    menages_mois: pl.DataFrame
    droits: pl.DataFrame
    dossiers: pl.DataFrame
    membres: pl.DataFrame
    personnes: pl.DataFrame

    @classmethod
    def read(cls, verite: Path) -> "KeptTruth":
        """From the folder ``verite/`` of a simulation."""
        names = {"menages_mois": "menages"}
        return cls(
            **{
                name: pl.read_parquet(verite / f"{names.get(name, name)}.parquet")
                for name in ("menages_mois", "droits", "dossiers", "membres", "personnes")
            }
        )


def true_profile(truth: KeptTruth, mois: str, *, avec_agricole: bool = False) -> pl.DataFrame:
    """droit (rsa, ppa), groupe, eligibles, non_recourants (households), taux (0..1).

    Groups are named as in ``out__taux``: age, composition, housing, what the CAF pays besides, path, duration
    (durable: entitled and not taking up in three quarters in a row). Housing is everybody's, also of those
    absent from the CAF.
    """
    read = situations(truth, mois, avec_agricole=avec_agricole).filter(
        pl.col("situation") != OTHER, pl.col("droit").is_in(HEADLINES)
    )
    known = read.join(_groups(truth, mois), on="menage", how="left")
    untaken = pl.col("situation").is_in(UNTAKEN)
    rows = known.explode("groupes").group_by("droit", groupe="groupes").agg(
        eligibles=pl.len().cast(pl.Float64), non_recourants=untaken.sum().cast(pl.Float64)
    )  # fmt: skip
    parts = pl.concat([rows.drop_nulls("groupe"), _paths(read), _lasting(truth, read, mois, avec_agricole)])
    return parts.with_columns(taux=pl.col("non_recourants") / pl.col("eligibles")).sort("droit", "groupe")


def _paths(read: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(
        [
            read.group_by("droit").agg(
                groupe=pl.lit(f"chemin:{name}"),
                eligibles=pl.len().cast(pl.Float64),
                non_recourants=(pl.col("situation") == name).sum().cast(pl.Float64),
            )
            for name in UNTAKEN
        ]
    )


def _lasting(truth: KeptTruth, read: pl.DataFrame, mois: str, avec_agricole: bool) -> pl.DataFrame:
    lasting = read.filter(pl.col("situation").is_in(UNTAKEN)).select("menage", "droit")
    for back in (3, 6):
        before = situations(truth, shift(mois, -back), avec_agricole=avec_agricole)
        untaken = before.filter(pl.col("situation").is_in(UNTAKEN))
        lasting = lasting.join(untaken.select("menage", "droit"), on=["menage", "droit"])
    counted = lasting.group_by("droit").agg(non_recourants=pl.len().cast(pl.Float64))
    whole = read.group_by("droit").agg(eligibles=pl.len().cast(pl.Float64))
    named = whole.join(counted, on="droit", how="left").with_columns(groupe=pl.lit("duree:durable"))
    return named.select("droit", "groupe", "eligibles", pl.col("non_recourants").fill_null(0.0))


def _groups(truth: KeptTruth, mois: str) -> pl.DataFrame:
    """menage, groupes: the names of the groups each household is in at the last month."""
    homes = truth.menages_mois.filter(pl.col("mois") == mois)
    at_caf = truth.dossiers.filter(pl.col("mois").is_in(period(mois)), pl.col("est_au_caf"))
    is_paid = (pl.col("ppa_etat") == "2") & (pl.col("ppa_due") > 0)
    paid = at_caf.group_by("menage").agg(prime=is_paid.any())
    frame = homes.join(_composition(truth, mois), on="menage", how="left").join(paid, on="menage", how="left")
    family = sum(pl.col(name).fill_null(0.0) for name in ("af", "cf", "asf", "paje_base", "paje_prepare"))
    names = [
        pl.col("age"),
        pl.when(pl.col("age") != "age:-50").then(pl.lit("age:50+")),
        pl.col("menage_type"),
        _housing(),
        _yes_no(pl.col("aide_logement").fill_null(0.0) > 0, "aide_logement"),
        _yes_no(pl.lit(0.0) + family > 0, "prestations_familiales"),
        _yes_no(pl.col("prime").fill_null(False), "prime_activite"),
        pl.lit("ensemble"),
    ]
    return frame.select("menage", groupes=pl.concat_list(names))


def _yes_no(condition: pl.Expr, name: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(f"{name}:oui")).otherwise(pl.lit(f"{name}:non"))


def _housing() -> pl.Expr:
    names = {
        "logement:proprietaire": ["PRO", "ACC"],
        "logement:locataire": ["LOC", "BAL", "OLI", "HOP", "HOT"],
        "logement:heberge": ["HCG", "HGP", "HCO"],
    }
    found = pl.lit("logement:autre")
    for name, codes in names.items():
        found = pl.when(pl.col("occlog").is_in(codes)).then(pl.lit(name)).otherwise(found)
    return found


def _composition(truth: KeptTruth, mois: str) -> pl.DataFrame:
    """menage, age (band of the applicant), menage_type."""
    there = truth.membres.filter(
        pl.col("present_du").fill_null("") <= mois, pl.col("present_au").fill_null("9999-12") >= mois
    ).join(truth.personnes.select("personne", "naissance"), on="personne")
    is_adult = pl.col("role").is_in(["DEM", "CJT"])
    born = pl.col("naissance").filter(pl.col("role") == "DEM").min()
    found = there.group_by("menage").agg(
        adults=is_adult.sum(),
        children=(~is_adult).sum(),
        months=month_number(mois) - (born.dt.year().cast(pl.Int64) * 12 + born.dt.month() - 1),
    )
    years = pl.col("months") // 12
    couple, children = pl.col("adults") >= 2, pl.col("children") > 0
    return found.select(
        "menage",
        age=pl.when(years < 50).then(pl.lit("age:-50")).when(years < 65).then(pl.lit("age:50-64"))
        .otherwise(pl.lit("age:65+")),
        menage_type=pl.when(couple & children).then(pl.lit("menage:couple_enfants"))
        .when(couple).then(pl.lit("menage:couple_sans_enfant"))
        .when(children).then(pl.lit("menage:parent_seul")).otherwise(pl.lit("menage:seul")),
    )  # fmt: skip


def judge_profile(warehouse: Warehouse, verite: Path, mois: str) -> pl.DataFrame:
    """Corrected rates by group against the true ones: droit, groupe, taux_vrai, taux, taux_bas, taux_haut,
    est_couvert, ecart_points, eligibles_vrais."""
    truth = true_profile(KeptTruth.read(verite), mois).rename(
        {"taux": "taux_vrai", "eligibles": "eligibles_vrais"}
    )
    found = warehouse.read("out__taux").filter(niveau="EPCI", methode="corrige").select(
        "droit", "groupe", "taux", "taux_bas", "taux_haut"
    )  # fmt: skip
    return (
        truth.drop("non_recourants")
        .join(found, on=["droit", "groupe"])
        .with_columns(
            est_couvert=pl.col("taux_vrai").is_between("taux_bas", "taux_haut"),
            ecart_points=((pl.col("taux") - pl.col("taux_vrai")) * 100).round(1),
        )
    )
