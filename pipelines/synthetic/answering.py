"""A drawn sample, answered by the CAF and the CPAM of an invented territory, from its truth."""

import zlib
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.calendar import period
from pipelines.files import whole_file
from pipelines.refusals import Refusal
from pipelines.synthetic.verdict import way_back
from schemas.tables import SAMPLE_ANSWERS

NO_ANSWER, NO_INTERVIEW = 0.07, 0.10
"""Records nobody answered about; persons absent from the CAF who declined the interview (assumed)."""

PARTNERS = ("cpam", "caf")
_ASKED = {
    "cpam": ("connu_caf", "connu_msa", "eligible_rsa", "eligible_ppa"),
    "caf": ("connu_cpam", "connu_msa", "eligible_rsa", "eligible_ppa"),
}
"""What a partner does not read in its own file, and may answer wrong."""


def answer_sample(
    tirage: Path, verite: Path, correspondances: Path, mois: str, graine: int = 1, erreur: float = 0.0
) -> dict[str, Path]:
    """Answer a draw from the truth of the quarter to ``mois``: ``<tirage>/reponses-<partenaire>.csv``.

    The CPAM asks the shared directory whether the CAF knows the person, and meets those it does not know.
    Some records get no answer, some persons decline. ``erreur``: share of answers turned round. Returns the
    path of each partner's answers. Raises :class:`Refusal` when the folder holds no draw.
    """
    truth = _truth(verite, mois)
    records = pl.read_parquet(verite / "enregistrements.parquet").select(
        pl.col("partenaire"), pl.col("id").alias("identifiant"), "personne"
    )
    ways = way_back(correspondances)
    written = {}
    for partner in PARTNERS:
        rng = np.random.default_rng([graine, zlib.crc32(partner.encode())])
        drawn = _drawn(
            tirage / f"{partner}.csv", ways, records.filter(partenaire=partner).unique("identifiant")
        )
        answers = _answered(
            drawn.join(truth, on="personne", how="left", maintain_order="left"), partner, mois, rng
        )
        written[partner] = tirage / f"reponses-{partner}.csv"
        with whole_file(written[partner], mode=0o600) as partial:
            _with_errors(answers, partner, erreur, rng).write_csv(partial, separator=";", null_value="NA")
    return written


def _drawn(path: Path, ways: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """echantillon_id, personne, in the order of the file."""
    if not path.is_file():
        raise Refusal(
            "Ce dossier ne contient pas de tirage.",
            ou=str(path.parent),
            que_faire="Donner le dossier que « nonrecours echantillon tirer » a écrit.",
        )
    drawn = pl.read_csv(path, separator=";", infer_schema=False)
    own = drawn.join(
        ways, left_on="personne_id", right_on="identifiant_livre", how="left", maintain_order="left"
    )
    return own.join(records, on="identifiant", how="left", maintain_order="left").select(
        "echantillon_id", "personne"
    )


def _truth(verite: Path, mois: str) -> pl.DataFrame:
    """Per person present that month: who knows the household, and what it is owed."""
    members, homes, files, rights = (
        pl.read_parquet(verite / f"{name}.parquet") for name in ("membres", "menages", "dossiers", "droits")
    )
    present = pl.lit(mois).is_between(
        pl.col("present_du").fill_null("0000-00"), pl.col("present_au").fill_null("9999-99")
    )
    here = homes.filter(mois=mois).select("menage", "est_agricole")
    people = (
        members.filter(present)
        .join(here, on="menage")
        .sort("personne", "menage")
        .unique("personne", keep="first")
    )
    known = pl.read_parquet(verite / "enregistrements.parquet")
    insured, claimants = (
        known.filter(partenaire=partner)["personne"].unique().implode() for partner in ("cpam", "caf")
    )
    owed = _owed(rights, mois).pivot(on="droit", index="menage", values="du")
    return (
        people.join(files.filter(mois=mois).select("menage", "est_au_caf", "fonorg"), on="menage", how="left")
        .join(owed, on="menage", how="left")
        .with_columns(
            assure=pl.col("personne").is_in(insured) & (pl.col("role") != "ENF"),
            allocataire=pl.col("personne").is_in(claimants) & pl.col("est_au_caf"),
        )
        .select(
            "personne",
            connu_caf=pl.col("allocataire").fill_null(False).cast(pl.Int8),
            connu_cpam=pl.col("assure").any().over("menage").cast(pl.Int8),
            connu_msa=((pl.col("fonorg") == "MSA") | pl.col("est_agricole")).fill_null(False).cast(pl.Int8),
            eligible_rsa="rsa",
            eligible_ppa="ppa",
        )
    )


def _owed(rights: pl.DataFrame, mois: str) -> pl.DataFrame:
    """menage, droit, du: 1 when entitled in each of the three months, 0 when not in one, else unknown."""
    state = pl.col("eligible")
    always = (state == "oui").sum() == len(period(mois))
    return (
        rights.filter(pl.col("mois").is_in(period(mois)))
        .group_by("menage", "droit")
        .agg(du=pl.when((state == "non").any()).then(0).when(always).then(1).cast(pl.Int8))
    )


def _answered(rows: pl.DataFrame, partner: str, mois: str, rng: np.random.Generator) -> pl.DataFrame:
    answered = pl.Series(rng.random(rows.height) >= NO_ANSWER) & rows["connu_caf"].is_not_null()
    met = pl.Series(rng.random(rows.height) >= NO_INTERVIEW) & answered
    answers = _cpam_answers(met) if partner == "cpam" else _caf_answers()
    return rows.with_columns(
        pl.when(answered).then(value).alias(name) for name, value in answers.items()
    ).select(*SAMPLE_ANSWERS.own[:7], verifie_le=pl.when(answered).then(pl.lit(mois)))


def _cpam_answers(met: pl.Series) -> dict[str, pl.Expr]:
    interviewed = (pl.col("connu_caf") == 0) & met
    return {
        "connu_caf": pl.col("connu_caf"),
        "connu_cpam": pl.lit(1, pl.Int8),
        "connu_msa": pl.col("connu_msa"),
        "eligible_rsa": pl.when(interviewed).then("eligible_rsa"),
        "eligible_ppa": pl.when(interviewed).then("eligible_ppa"),
        "mode": pl.when(interviewed).then(pl.lit("ENTRETIEN")).otherwise(pl.lit("RNCPS")),
    }


def _caf_answers() -> dict[str, pl.Expr]:
    read = {name: pl.col(name) for name in ("connu_cpam", "connu_msa", "eligible_rsa", "eligible_ppa")}
    return {"connu_caf": pl.lit(1, pl.Int8), **read, "mode": pl.lit("DOSSIER")}


def _with_errors(answers: pl.DataFrame, partner: str, share: float, rng: np.random.Generator) -> pl.DataFrame:
    wrong = {name: pl.Series(rng.random(answers.height) < share) for name in _ASKED[partner]}
    return answers.with_columns(
        pl.when(flags).then(1 - pl.col(name)).otherwise(pl.col(name)).cast(pl.Int8).alias(name)
        for name, flags in wrong.items()
    )
