"""A drawn verification sample, answered by the CAF and the CPAM from the truth."""

from dataclasses import dataclass

import polars as pl

from pipelines import calendar
from pipelines.synthetic.extracts import Scene, home_at
from schemas import TABLES

NO_ANSWER, NO_INTERVIEW = 0.07, 0.10
"""Records nobody answered about; persons absent from the CAF who declined the interview (assumed)."""

AGE_BANDS = (35, 55)
"""Ages, in years, at which a new stratum starts."""

ANSWERS = TABLES["verifications"].own


@dataclass(frozen=True)
class SampleSizes:
    """Records drawn: CPAM persons (volets B and FAUX_LIENS), CAF entitled households (volet RAPPEL)."""

    cpam: int = 600
    caf: int = 600
    part_faux_liens: float = 0.2


def answered_verifications(
    scene: Scene, caf: dict[str, pl.DataFrame], cpam: dict[str, pl.DataFrame], sizes: SampleSizes
) -> dict[str, pl.DataFrame]:
    """The ``verifications`` table of each partner for the last delivery, by partner name.

    ``caf`` and ``cpam`` are the tables delivered that month. Each partner answers on its own records.
    """
    truth = _truth(scene, caf["caf_personnes"], cpam["cpam_assures"])
    return {
        "cpam": _answered(scene, "cpam", _cpam_sample(scene, cpam["cpam_assures"], sizes), truth),
        "caf": _answered(scene, "caf", _caf_sample(scene, caf["caf_personnes"], truth, sizes), truth),
    }


def _truth(scene: Scene, at_caf: pl.DataFrame, at_cpam: pl.DataFrame) -> pl.DataFrame:
    """Per person present at the last month: known where (at CPAM: any adult of the household), owed what."""
    mois = scene.deliveries[-1]
    files = scene.world.dossiers.filter(pl.col("mois") == mois).select(
        "menage", "est_au_caf", est_msa=pl.col("fonorg") == "MSA"
    )
    rights = scene.world.droits.filter(pl.col("mois") == mois).pivot(
        on="droit", index="menage", values="eligible"
    )
    farmers = scene.world.etats.filter(pl.col("mois") == mois).select(
        "personne", est_ag=pl.col("regime") == "AG"
    )
    people = home_at(scene, mois).join(files, on="menage", how="left").join(rights, on="menage", how="left")
    known = people.join(farmers, on="personne", how="left").with_columns(
        est_assure=pl.col("personne").is_in(at_cpam["personne"].implode()) & (pl.col("role") != "ENF"),
        est_allocataire=pl.col("personne").is_in(at_caf["personne"].implode()) & pl.col("est_au_caf"),
    )
    return known.select(
        "personne",
        "menage",
        "role",
        "est_territoire",
        connu_caf=pl.col("est_allocataire").fill_null(False).cast(pl.Int8),
        connu_cpam=pl.col("est_assure").any().over("menage").cast(pl.Int8),
        connu_msa=(pl.col("est_msa").fill_null(False) | pl.col("est_ag").fill_null(False)).cast(pl.Int8),
        eligible_rsa=_yes_or_no("rsa"),
        eligible_ppa=_yes_or_no("ppa"),
    )


def _yes_or_no(droit: str) -> pl.Expr:
    return pl.col(droit).replace_strict({"oui": 1, "non": 0}, default=None, return_dtype=pl.Int8)


def _cpam_sample(scene: Scene, insured: pl.DataFrame, sizes: SampleSizes) -> pl.DataFrame:
    """Adults: for volet B as many per stratum of C2S and age as it holds, for FAUX_LIENS at random."""
    rng = scene.rng("verification", "cpam")
    mois = scene.deliveries[-1]
    born = scene.identities.select("personne", "date_naissance")
    age = (pl.lit(calendar.first_day(mois)) - pl.col("naissance")).dt.total_days() / 365.25
    adults = (
        insured.select("personne", "personne_id", "c2s")
        .join(born.rename({"date_naissance": "naissance"}), on="personne")
        .filter(age >= 18)
        .with_columns(
            strate=(pl.col("c2s") > 0).cast(pl.Int8) * 10
            + sum((age >= limit).cast(pl.Int8) for limit in AGE_BANDS)
        )
    )
    false_links = int(sizes.cpam * sizes.part_faux_liens)
    shuffled = adults.select(pl.all().gather(pl.Series(rng.permutation(adults.height))))
    others, rest = shuffled.head(false_links), shuffled.slice(false_links)
    rank = pl.int_range(pl.len()).over("strate")
    drawn = rest.sort(rank, maintain_order=True).head(sizes.cpam - false_links)
    return pl.concat(
        [drawn.with_columns(volet=pl.lit("B")), others.with_columns(volet=pl.lit("FAUX_LIENS"))]
    ).select("personne", "personne_id", "volet")


def _caf_sample(
    scene: Scene, allocataires: pl.DataFrame, truth: pl.DataFrame, sizes: SampleSizes
) -> pl.DataFrame:
    """One claimant per entitled household of the territory known to the CAF."""
    rng = scene.rng("verification", "caf")
    entitled = truth.filter(
        (pl.col("connu_caf") == 1)
        & (pl.col("role") == "DEM")
        & pl.col("est_territoire")
        & ((pl.col("eligible_rsa") == 1) | (pl.col("eligible_ppa") == 1))
    )
    records = (
        allocataires.select("personne", "personne_id")
        .unique()
        .join(entitled.select("personne"), on="personne")
        .sort("personne_id")
    )
    drawn = rng.permutation(records.height)[: sizes.caf]
    return records.select(pl.all().gather(pl.Series(drawn))).with_columns(volet=pl.lit("RAPPEL"))


def _answered(scene: Scene, partner: str, sample: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """The sample in an order that says nothing, with its answers; some are missing."""
    rng = scene.rng("verification", "reponses", partner)
    rows = sample.select(pl.all().gather(pl.Series(rng.permutation(sample.height))))
    rows = rows.join(truth, on="personne", how="left", maintain_order="left")
    answered = pl.Series(rng.random(rows.height) >= NO_ANSWER)
    met = pl.Series(rng.random(rows.height) >= NO_INTERVIEW) & answered
    answers = _cpam_answers(met) if partner == "cpam" else _caf_answers()
    columns = {name: pl.when(answered).then(value) for name, value in answers.items()}
    return rows.with_columns(**columns).select(
        pl.format("V{}", pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(5)).alias("echantillon_id"),
        "personne_id",
        *ANSWERS[2:9],
        pl.lit(scene.deliveries[-1]).alias("verifie_le"),
    )


def _cpam_answers(met: pl.Series) -> dict[str, pl.Expr]:
    """The CPAM asks the shared directory whether the CAF knows the person, and meets those unknown there."""
    unknown = pl.col("connu_caf") == 0
    interviewed = unknown & met & (pl.col("volet") == "B")
    return {
        "connu_caf": pl.col("connu_caf"),
        "connu_cpam": pl.lit(1, pl.Int8),
        "connu_msa": pl.col("connu_msa"),
        "eligible_rsa": pl.when(interviewed).then("eligible_rsa"),
        "eligible_ppa": pl.when(interviewed).then("eligible_ppa"),
        "mode": pl.when(interviewed).then(pl.lit("ENTRETIEN")).otherwise(pl.lit("RNCPS")),
    }


def _caf_answers() -> dict[str, pl.Expr]:
    kept = ("connu_caf", "connu_cpam", "connu_msa", "eligible_rsa", "eligible_ppa")
    return {**{name: pl.col(name) for name in kept}, "mode": pl.lit("DOSSIER")}
