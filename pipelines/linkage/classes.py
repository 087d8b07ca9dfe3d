"""Who a record is about: the classes by which the quality of the linkage is told."""

import polars as pl

from pipelines import territory
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

EVERYBODY = "ensemble"
"""Class, and modality, of the measures that are about everybody."""

CLASSES = {
    "age": ("moins_26", "26_49", "50_64", "65_plus"),
    "sexe": ("homme", "femme"),
    "commune": ("rurale", "urbaine"),
    "c2s": ("oui", "non"),
}
"""Modalities of each class; the C2S is known of the insured alone."""

INSURER = "cpam"

_SEXES = {"1": "homme", "2": "femme"}
_C2S = pl.col("c2s").is_in(["1", "2"])


def described(
    records: pl.DataFrame, people: pl.DataFrame, warehouse: Warehouse, settings: Settings, mois: str
) -> pl.DataFrame:
    """``records`` (fiche, source, naissance_annee, sexe, commune_insee, …) with one column per class.

    ``people``: source, personne_id, fiche. Age is that of the year of ``mois``, in years; a commune is rural
    under 2 000 inhabitants (INSEE). A class nothing is known of is null.
    """
    insured = _insured(people, warehouse, mois)
    known = records.join(
        territory.rural_communes(settings.territoire), on="commune_insee", how="left", maintain_order="left"
    ).join(insured, on="fiche", how="left", maintain_order="left")
    return known.with_columns(
        age=_age_band(int(mois[:4]) - pl.col("naissance_annee")),
        sexe=pl.col("sexe").replace_strict(_SEXES, default=None, return_dtype=pl.String),
        commune=_one_of("est_rurale", *CLASSES["commune"]),
        c2s=_one_of("a_c2s", *CLASSES["c2s"]),
    ).drop("est_rurale", "a_c2s", "naissance_annee", "commune_insee")


def _age_band(age: pl.Expr) -> pl.Expr:
    young, adult, senior, old = CLASSES["age"]
    return (
        pl.when(age < 26)
        .then(pl.lit(young))
        .when(age < 50)
        .then(pl.lit(adult))
        .when(age < 65)
        .then(pl.lit(senior))
        .when(age.is_not_null())
        .then(pl.lit(old))
    )


def _one_of(flag: str, yes: str, no: str) -> pl.Expr:
    return pl.when(flag).then(pl.lit(yes)).when(~pl.col(flag)).then(pl.lit(no))


def _insured(people: pl.DataFrame, warehouse: Warehouse, mois: str) -> pl.DataFrame:
    """fiche, a_c2s: covered at ``mois``; one row per record of the insurer."""
    if not warehouse.exists("core__cpam_assures"):
        return pl.DataFrame(schema={"fiche": pl.Int64, "a_c2s": pl.Boolean})
    begun = pl.col("c2s_debut").is_null() | (pl.col("c2s_debut") <= mois)
    going_on = pl.col("c2s_fin").is_null() | (pl.col("c2s_fin") >= mois)
    insured = warehouse.read("core__cpam_assures").select(
        "personne_id", a_c2s=(_C2S & begun & going_on).fill_null(False)
    )
    theirs = people.filter(pl.col("source") == INSURER).select("fiche", "personne_id")
    return theirs.join(insured, on="personne_id").group_by("fiche").agg(pl.col("a_c2s").any())
