"""What the warehouse says about one right, in the shape the estimator reads."""

import numpy as np
import polars as pl

from pipelines.estimation.audits import directory_reliability, link_rates
from pipelines.estimation.classes import BANDS, Floats, class_index
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence
from pipelines.estimation.instrument import Kappa
from pipelines.estimation.reading import (
    A1,
    A2,
    A2_ON_CPAM,
    A2_UNREAD,
    COMPARABLE,
    CPAM,
    ENTITLED,
    ESTIMABLE,
    KNOWN,
    LINKED,
    NONTAKER,
    PART,
    PENDING_A2,
    RESTING,
    TAKER,
    B,
    Reading,
    S,
    share,
    sum_by_class,
)
from pipelines.estimation.reliability import Reliability, set_right


def evidence(reading: Reading, quality: pl.DataFrame, sensitivity: float) -> Evidence:
    """The counts of the estimator. ``quality``: out__qualite_appariement; ``sensitivity``: Se."""
    one, money = "poids_menages", pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    known, unknown = CPAM & KNOWN, CPAM & ESTIMABLE
    told, told_of_a2 = _told(reading), _told_of_a2(reading)
    directory, reliability = directory_reliability(reading, quality), _interviews([told, told_of_a2])
    linked_a1 = A1 & pl.col("est_lie")
    fitted = COMPARABLE & pl.col("est_lie")
    entitled_there = _unlinked_too(reading, ENTITLED) * reading.by_income(fitted & ENTITLED)
    return Evidence(
        rates=link_rates(reading, quality, directory.mean),
        takers_a1=reading.weight(A1 & TAKER),
        nontakers_a1=reading.weight(A1 & NONTAKER),
        unclaimed_a1_eur_mois=float(reading.households.filter(A1 & NONTAKER).select(money.sum()).item() or 0),
        takers_a2=sensitivity * reading.weight(A2 & (pl.col("situation") == "recourant")),
        sensitivity=sensitivity,
        s=reading.weight(S & (pl.col("situation") == "recourant"), one),
        kappa=_kappa(reading, told, told_of_a2, reliability.mean),
        reliability=reliability,
        directory=directory,
        answers=_tally(told.filter(ESTIMABLE)),
        class_nontakers=reading.by_class(linked_a1 & NONTAKER),
        class_unclaimed_eur_mois=reading.by_class(linked_a1 & NONTAKER, money),
        nonrecipients=entitled_there
        + _unlinked_too(reading, ~ENTITLED) * reading.by_income(fitted & ~ENTITLED),
        nonrecipients_entitled=entitled_there,
        a2=_households_without_incomes(reading),
        a2_known=reading.by_class(A2_ON_CPAM, one),
        a2_found=reading.by_class(A2_ON_CPAM, pl.col("part_cpam") * pl.col(one)),
        a2_answers=_tally(told_of_a2.filter(A2_UNREAD)),
        u=reading.by_class(B & ENTITLED, "poids_eligible"),
        t=reading.by_class(LINKED & ENTITLED, "poids_eligible"),
        known=reading.by_class(known, one),
        known_linked=reading.by_class(known & LINKED, one),
        unknown=reading.by_class(unknown, one),
        unknown_linked=reading.by_class(unknown & LINKED, one),
    )


def sensitivity(reading: Reading) -> tuple[float, float]:
    """Se = P(simulated entitled | paid) among A1 households whose entitlement is known, and their number."""
    paid = reading.households.filter(A1 & KNOWN & pl.col("est_paye"))
    return (share(paid["eligible"] == "oui") if paid.height else 1.0), float(paid.height)


def nonrecipients(reading: Reading) -> float:
    """A1 households not paid, entitled or not: the field of the specificity bound."""
    return reading.weight(A1 & KNOWN & pl.col("dossier").is_in(RESTING), "poids_menages")


def _households_without_incomes(reading: Reading) -> Floats:
    """A2 without incomes on either side, by class, in households as likely to be entitled as π_A's.

    One whom the CAF pays an income counts for less, as in A1. An unlinked household, whose C2S nobody knows,
    counts in both classes by the share of its peers.
    """
    pending = A2_UNREAD | (PENDING_A2 & pl.col("a_revenu_caf"))
    likeness = pl.when("a_revenu_caf").then(_relative_entitlement(reading)).otherwise(1.0)
    weight = pl.col("poids_menages") * likeness
    counted = reading.by_class(pending, weight)
    unlinked = reading.households.filter(
        pending & pl.col("classe").is_null() & pl.col("bande_age").is_not_null()
    )
    share = _c2s_share(reading)
    for band, rural, n in unlinked.group_by("bande_age", "est_rurale").agg(weight.sum()).rows():
        counted[class_index(band, 0, rural)] += n * (1 - share[band, rural])
        counted[class_index(band, 1, rural)] += n * share[band, rural]
    return counted


def _relative_entitlement(reading: Reading) -> float:
    """Entitlement of A1 non-recipients whom the CAF pays an income, relative to the others (0 to 1)."""
    paid = A1 & KNOWN & pl.col("est_sans_prestation") & pl.col("a_revenu_caf")
    others = reading.weight(COMPARABLE & ENTITLED, "poids_menages") + 0.5
    rate = others / (reading.weight(COMPARABLE, "poids_menages") + 1)
    entitled = reading.weight(paid & ENTITLED, "poids_menages") + 0.5 * rate
    return min(1.0, entitled / (reading.weight(paid, "poids_menages") + 0.5) / rate)


def _c2s_share(reading: Reading) -> Floats:
    """Share of the C2S among linked CAF households by age band and rural, shape (3, 2)."""
    peers = reading.by_class(A1 | A2, "poids_menages").reshape(-1, 2, 2)
    share: Floats = (peers[:, 1, :] + 0.5) / (peers.sum(axis=1) + 1)
    return share


def _kappa(reading: Reading, told: pl.DataFrame, told_of_a2: pl.DataFrame, wrong: float) -> Kappa:
    """Both instruments on linked CAF households that receive nothing, and what was told of B's households."""
    on_caf, part = ENTITLED.cast(pl.Float64), pl.col("part_cpam")
    pairs = COMPARABLE & part.is_not_null()
    entitled, others = (_unlinked_too(reading, who) for who in (ENTITLED, ~ENTITLED))
    known = told.filter(KNOWN).with_columns(part=PART)
    said = known.select(yes=pl.col("reponse") * (1 - pl.col("part")), asked=1 - pl.col("part")).sum()
    return Kappa(
        both=entitled * reading.by_class(pairs, on_caf * part),
        cpam_only=others * reading.by_class(pairs, (1 - on_caf) * part),
        caf_only=entitled * float(reading.households.filter(pairs).select(on_caf * (1 - part)).sum().item()),
        answers=_tally(known, pl.col("part")),
        answers_a2=_tally(told_of_a2.filter(A2_ON_CPAM), part),
        told_overlooked=set_right(said["yes"][0], said["asked"][0], wrong),
        overlooking=_overlooking(reading, known),
    )


def _unlinked_too(reading: Reading, who: pl.Expr) -> float:
    """CAF households that receive nothing, for one of them that is linked: the entitled are linked less."""
    everybody = reading.weight(COMPARABLE & who, "poids_menages")
    linked = reading.weight(COMPARABLE & who & pl.col("est_lie"), "poids_menages")
    return everybody / linked if linked else 1.0


def _overlooking(reading: Reading, known: pl.DataFrame) -> float:
    """Answers about B's households that CPAM data do not find, each worth n₁/n₀ of those it finds."""
    outside = reading.households.filter(B & KNOWN).with_columns(part=PART)
    found = sum_by_class(outside, pl.col("part"))
    others = sum_by_class(outside, 1 - pl.col("part"))
    return float((sum_by_class(known, 1 - pl.col("part")) * found / np.maximum(others, 1.0)).sum())


def _interviews(told: list[pl.DataFrame]) -> Reliability:
    """Pensioners without incomes told entitled."""
    old = pl.concat(frame.filter(ESTIMABLE & (pl.col("bande_age") == BANDS - 1))["reponse"] for frame in told)
    return Reliability(float(old.len()), float(old.sum()))


def _told(reading: Reading) -> pl.DataFrame:
    """Unlinked households the CAF does not know, with ``reponse`` 1 when entitled; the MSA's are not B."""
    outside = reading.households.filter(B & pl.col("classe").is_not_null())
    asked = reading.answers.filter((pl.col("source") == "cpam") & (pl.col("connu_caf") == 0))
    elsewhere = (pl.col("connu_msa") == 1).fill_null(False)
    told = asked.select("menage_base_id", reponse=(_answer(reading.droit) & ~elsewhere).cast(pl.Float64))
    return outside.join(told.drop_nulls("reponse"), on="menage_base_id")


def _told_of_a2(reading: Reading) -> pl.DataFrame:
    """Households of A2 whose entitlement the CAF told from the whole dossier, with ``reponse``."""
    asked = reading.answers.filter((pl.col("source") == "caf") & (pl.col("volet") == "TEMOIN"))
    told = asked.select("menage_base_id", reponse=_answer(reading.droit).cast(pl.Float64))
    pending = reading.households.filter(PENDING_A2 & pl.col("classe").is_not_null())
    return pending.join(told.drop_nulls("reponse"), on="menage_base_id")


def _tally(told: pl.DataFrame, part: pl.Expr | None = None) -> Answers:
    """Answers by class; ``part``: the share of each household that is concerned."""
    share = pl.lit(1.0) if part is None else part
    return Answers(sum_by_class(told, share), sum_by_class(told, pl.col("reponse") * share))


def _answer(droit: str) -> pl.Expr:
    rsa, ppa = (pl.col(name) == 1 for name in ("eligible_rsa", "eligible_ppa"))
    return {
        "rsa": rsa,
        "ppa": ppa,
        "rsa_seul": rsa & ~ppa,
        "ppa_seule": ppa & ~rsa,
        "rsa_et_ppa": rsa & ppa,
    }[droit]
