"""What the linkage's own measures and the verification sample say of R, r, f and of the directory."""

from dataclasses import replace

import polars as pl

from pipelines.estimation.link_rates import (
    LinkRates,
    PooledRate,
    Seen,
    answered,
    household_recall,
    unverified,
    unverified_false_links,
)
from pipelines.estimation.reading import A1, A2, COUNTED, ENTITLED, LINKED, B, L, Reading, share
from pipelines.estimation.reliability import Reliability, set_right

RECALL_WITHOUT_MEASURE = PooledRate(0.92, 0.04, "valeur publiée ailleurs")
"""When no NIR hold-out could be measured: French hashed linkage reaches 94.8 % (published), less 3 points."""

FALSE_LINKS_WITHOUT_MEASURE = PooledRate(0.01, 0.01, "valeur publiée ailleurs")


def link_rates(reading: Reading, quality: pl.DataFrame, wrong: float) -> LinkRates:
    """R, r and f. ``quality``: out__qualite_appariement; ``wrong``: share of wrong answers there."""
    recall, absent = _recall_prior(reading, quality), _false_link_prior(quality)
    cpam, caf = _cpam_answers(reading), _caf_answers(reading).filter(pl.col("connu_cpam") == 1)
    known = pl.col("connu_caf").cast(pl.Float64)
    part = cpam.with_columns(connus=_set_right(known, wrong).over("est_lie", "bande_age"))
    return LinkRates(
        entitled=replace(_answered(recall, caf), seen=_seen(reading, wrong)),
        known=_answered(recall, part, pl.col("connus")),
        absent=_answered(absent, part, 1 - pl.col("connus")),
    )


def _set_right(said: pl.Expr, wrong: float) -> pl.Expr:
    """Share of a cell that would have said yes, had nobody been wrong."""
    share = (pl.col("poids_reponse") * said).sum() / pl.col("poids_reponse").sum()
    return ((share - wrong) / (1 - 2 * wrong)).clip(0, 1)


def _answered(prior: PooledRate, audited: pl.DataFrame, part: pl.Expr | None = None) -> PooledRate:
    """``prior`` updated by audited households; ``part``: the share of each that the rate is about."""
    share = pl.lit(1.0) if part is None else part
    names = ("est_lie", "bande_age", "poids_reponse")
    columns = audited.select(*names, part=share).drop_nulls("part")
    outcome, band, weight, kept = (columns[n].cast(pl.Float64).to_numpy() for n in columns.columns)
    return answered(prior, outcome, band, weight, kept)


def _recall_prior(reading: Reading, quality: pl.DataFrame) -> PooledRate:
    measured = _measure(quality, "rappel") or _measure(quality, "rappel_nir_cache")
    if measured is None:
        return RECALL_WITHOUT_MEASURE
    linked = reading.households.filter(L & ENTITLED)
    alone = share(linked["n_adultes"] == 1) if linked.height else 1.0
    return unverified(*(household_recall(recall, alone) for recall in measured))


def _false_link_prior(quality: pl.DataFrame) -> PooledRate:
    false, links, persons = _measure(quality, "faux_liens"), _measure(quality, "liens"), _size(quality)
    if false is None or links is None or persons is None:
        return FALSE_LINKS_WITHOUT_MEASURE
    absent = max(persons - links[0], 1.0)
    return unverified_false_links(*(min(number / absent, 0.5) for number in false))


def _measure(quality: pl.DataFrame, name: str) -> tuple[float, float, float] | None:
    """Value, low and high end of a measure between CAF and CPAM; a value without interval is its own."""
    couple = pl.concat_list("source_g", "source_d").list.sort() == ["caf", "cpam"]
    rows = quality.filter(couple, pl.col("valeur").is_not_null(), mesure=name, classe="ensemble")
    ends = (pl.coalesce(end, "valeur") for end in ("valeur", "bas", "haut"))
    found: list[tuple[float, float, float]] = rows.select(*ends).rows() if rows.height else []
    return found[0] if found else None


def _size(quality: pl.DataFrame) -> float | None:
    rows = quality.filter((pl.col("mesure") == "personnes") & (pl.col("source_g") == "cpam"))
    return float(rows["valeur"][0]) if rows.height else None


def _cpam_answers(reading: Reading) -> pl.DataFrame:
    """Audited CPAM households but the MSA's, with the weights of the draw redressed for non-response."""
    cpam = reading.households.filter((B | L) & pl.col("bande_age").is_not_null()).with_columns(est_lie=LINKED)
    at_msa = ((pl.col("connu_msa") == 1) & (pl.col("connu_caf") == 0)).fill_null(False)
    audited = reading.answers.filter((pl.col("source") == "cpam") & ~at_msa)
    return audited.join(cpam.select("menage_base_id", "est_lie", "bande_age"), on="menage_base_id")


def _caf_answers(reading: Reading) -> pl.DataFrame:
    caf = reading.households.filter((A1 | A2) & pl.col("bande_age").is_not_null())
    audited = reading.answers.filter((pl.col("source") == "caf") & (pl.col("volet") == "RAPPEL"))
    return audited.join(caf.select("menage_base_id", "est_lie", "bande_age"), on="menage_base_id")


def _seen(reading: Reading, wrong: float) -> Seen:
    """The entitled CAF households, those that are linked, those the CPAM was asked about and knows."""
    linked, households = (reading.weight(A1 & COUNTED & who) for who in (pl.col("est_lie"), pl.lit(True)))
    return Seen(linked, households, *_coverage_answers(reading, wrong))


def _coverage_answers(reading: Reading, wrong: float) -> tuple[float, float]:
    """Entitled CAF households that the CPAM knows, and those asked, in effective answers (design effect)."""
    told = _caf_answers(reading).drop_nulls("connu_cpam")
    if not told.height:
        return 0.0, 0.0
    weight, known = (told[name].cast(pl.Float64).to_numpy() for name in ("poids_reponse", "connu_cpam"))
    asked = float(weight.sum() ** 2 / (weight**2).sum())
    return set_right(asked * float(weight @ known) / float(weight.sum()), asked, wrong), asked


def directory_reliability(reading: Reading, quality: pl.DataFrame) -> Reliability:
    """Linked households told absent from the CAF, beyond the false links."""
    audited = _cpam_answers(reading).drop_nulls("connu_caf")
    linked, absent = audited.filter("est_lie"), _false_link_prior(quality).prior_mean
    per_link = reading.weight(B) / max(reading.weight(L), 1.0)
    denied = float((linked["connu_caf"] == 0).sum())
    return Reliability(float(linked.height), max(denied - absent * per_link * linked.height, 0.0))
