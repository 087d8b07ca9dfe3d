"""What the warehouse says about one right, in the shape the estimator reads."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipelines.estimation.classes import BANDS, CLASSES, Floats, class_index
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence
from pipelines.estimation.instrument import Kappa
from pipelines.estimation.link_rates import (
    LinkRates,
    PooledRate,
    Seen,
    answered,
    household_recall,
    unverified,
    unverified_false_links,
)
from pipelines.estimation.reliability import Reliability, set_right
from pipelines.warehouse import Warehouse

RIGHTS = ("rsa", "ppa", "rsa_seul", "ppa_seule", "rsa_et_ppa")

RECALL_WITHOUT_MEASURE = PooledRate(0.92, 0.04, "valeur publiée ailleurs")
"""When no NIR hold-out could be measured: French hashed linkage reaches 94.8 % (published), less 3 points."""

FALSE_LINKS_WITHOUT_MEASURE = PooledRate(0.01, 0.01, "valeur publiée ailleurs")

RESTING = ("primaire", "secondaire")
"""Dossier situations of a household that may be a non-taker."""

_NONTAKER = pl.col("situation").is_in(RESTING)
_ENTITLED = pl.col("eligible") == "oui"
_KNOWN = pl.col("eligible").is_in(["oui", "non"])
_COUNTED = _ENTITLED & (_NONTAKER | (pl.col("situation") == "recourant"))
_A1, _A2 = pl.col("strate") == "A1", pl.col("strate") == "A2"
_COMPARABLE = _A1 & _KNOWN & pl.col("est_sans_prestation") & ~pl.col("a_revenu_caf")
"""CAF households who could as well be absent from it: one whom it pays an income, RSA, PPA or AAH, could not.

Of 29 households wrongly entitled on CPAM data, read one by one, 12 or 13 were on AAH (docs/decisions/0004). A
household paid the RSA is a non-taker of « rsa_et_ppa » for lack of PPA: nothing like one that never asked
anything (docs/decisions/0009).
"""
_PENDING_A2 = _A2 & (pl.col("situation") == "inconnu")
_A2_ON_CPAM = _PENDING_A2 & ~pl.col("a_revenu_caf") & pl.col("part_cpam").is_not_null()
"""A2 whose CPAM incomes are known: the CPAM's own data and κ, as in B."""

_A2_UNREAD = _PENDING_A2 & ~pl.col("a_revenu_caf") & pl.col("part_cpam").is_null()

_PART = pl.when(_ENTITLED).then(pl.col("poids_eligible").clip(0, 1)).otherwise(0.0)
"""Share of a CPAM household entitled on CPAM data: some are computed in several ways."""

_LINKED = pl.col("strate").is_in(["L", "S"])
_CPAM = pl.col("strate").is_in(["B", "L", "S"])
_ESTIMABLE = (
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

    def weight(self, condition: pl.Expr, weight: str = "poids") -> float:
        """Households where ``condition`` holds."""
        return float(self.households.select(pl.col(weight).filter(condition).sum()).item() or 0.0)

    def by_class(self, condition: pl.Expr, weight: str | pl.Expr = "poids") -> Floats:
        """The same by class, shape (12,); households whose class is unknown are left out."""
        value = pl.col(weight) if isinstance(weight, str) else weight
        counted = condition & pl.col("classe").is_not_null()
        among = self.households.select(pl.col("classe").filter(counted), n=value.filter(counted).fill_null(0))
        return _sum_by_class(among, pl.col("n"))

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
        households.filter((pl.col("strate") == "L") & _KNOWN)
        .group_by(menage_base_id=pl.col("caf_menage_base_id"))
        .agg(part_cpam=_PART.max())
        .with_columns(est_caf=True)
    )
    marked = households.with_columns(est_caf=_A1 | _A2)
    return marked.join(on_cpam, on=["menage_base_id", "est_caf"], how="left", maintain_order="left")


def evidence(reading: Reading, quality: pl.DataFrame, sensitivity: float) -> Evidence:
    """The counts of the estimator. ``quality``: out__qualite_appariement; ``sensitivity``: Se."""
    one, money = "poids_menages", pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    known, unknown = _CPAM & _KNOWN, _CPAM & _ESTIMABLE
    told, told_of_a2 = _told(reading), _told_of_a2(reading)
    directory, reliability = _directory(reading, quality), _interviews([told, told_of_a2])
    linked_a1 = _A1 & pl.col("est_lie")
    fitted = _COMPARABLE & pl.col("est_lie")
    entitled_there = _unlinked_too(reading, _ENTITLED) * reading.by_income(fitted & _ENTITLED)
    return Evidence(
        rates=_link_rates(reading, quality, directory.mean),
        takers_a1=reading.weight(_A1 & _ENTITLED & (pl.col("situation") == "recourant")),
        nontakers_a1=reading.weight(_A1 & _ENTITLED & _NONTAKER),
        unclaimed_a1_eur_mois=float(
            reading.households.filter(_A1 & _NONTAKER).select(money.sum()).item() or 0
        ),
        takers_a2=sensitivity * reading.weight(_A2 & (pl.col("situation") == "recourant")),
        sensitivity=sensitivity,
        s=reading.weight((pl.col("strate") == "S") & (pl.col("situation") == "recourant"), one),
        kappa=_kappa(reading, told, told_of_a2, reliability.mean),
        reliability=reliability,
        directory=directory,
        answers=_tally(told.filter(_ESTIMABLE)),
        class_nontakers=reading.by_class(linked_a1 & _NONTAKER),
        class_unclaimed_eur_mois=reading.by_class(linked_a1 & _NONTAKER, money),
        nonrecipients=entitled_there
        + _unlinked_too(reading, ~_ENTITLED) * reading.by_income(fitted & ~_ENTITLED),
        nonrecipients_entitled=entitled_there,
        a2=_households_without_incomes(reading),
        a2_known=reading.by_class(_A2_ON_CPAM, one),
        a2_found=reading.by_class(_A2_ON_CPAM, pl.col("part_cpam") * pl.col(one)),
        a2_answers=_tally(told_of_a2.filter(_A2_UNREAD)),
        u=reading.by_class((pl.col("strate") == "B") & _ENTITLED, "poids_eligible"),
        t=reading.by_class(_LINKED & _ENTITLED, "poids_eligible"),
        known=reading.by_class(known, one),
        known_linked=reading.by_class(known & _LINKED, one),
        unknown=reading.by_class(unknown, one),
        unknown_linked=reading.by_class(unknown & _LINKED, one),
    )


def sensitivity(reading: Reading) -> tuple[float, float]:
    """Se = P(simulated entitled | paid) among A1 households whose entitlement is known, and their number."""
    paid = reading.households.filter(_A1 & _KNOWN & pl.col("est_paye"))
    return (_share(paid["eligible"] == "oui") if paid.height else 1.0), float(paid.height)


def _share(flags: pl.Series) -> float:
    return float(flags.sum()) / flags.len()


def nonrecipients(reading: Reading) -> float:
    """A1 households not paid, entitled or not: the field of the specificity bound."""
    return reading.weight(_A1 & _KNOWN & pl.col("dossier").is_in(RESTING), "poids_menages")


def _households_without_incomes(reading: Reading) -> Floats:
    """A2 without incomes on either side, by class, in households as likely to be entitled as π_A's.

    One whom the CAF pays an income counts for less, as in A1. An unlinked household, whose C2S nobody knows,
    counts in both classes by the share of its peers.
    """
    pending = _A2_UNREAD | (_PENDING_A2 & pl.col("a_revenu_caf"))
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
    paid = _A1 & _KNOWN & pl.col("est_sans_prestation") & pl.col("a_revenu_caf")
    others = reading.weight(_COMPARABLE & _ENTITLED, "poids_menages") + 0.5
    rate = others / (reading.weight(_COMPARABLE, "poids_menages") + 1)
    entitled = reading.weight(paid & _ENTITLED, "poids_menages") + 0.5 * rate
    return min(1.0, entitled / (reading.weight(paid, "poids_menages") + 0.5) / rate)


def _c2s_share(reading: Reading) -> Floats:
    """Share of the C2S among linked CAF households by age band and rural, shape (3, 2)."""
    peers = reading.by_class(_A1 | _A2, "poids_menages").reshape(-1, 2, 2)
    share: Floats = (peers[:, 1, :] + 0.5) / (peers.sum(axis=1) + 1)
    return share


def _kappa(reading: Reading, told: pl.DataFrame, told_of_a2: pl.DataFrame, wrong: float) -> Kappa:
    """Both instruments on linked CAF households that receive nothing, and what was told of B's households."""
    on_caf, part = _ENTITLED.cast(pl.Float64), pl.col("part_cpam")
    pairs = _COMPARABLE & part.is_not_null()
    entitled, others = (_unlinked_too(reading, who) for who in (_ENTITLED, ~_ENTITLED))
    known = told.filter(_KNOWN).with_columns(part=_PART)
    said = known.select(yes=pl.col("reponse") * (1 - pl.col("part")), asked=1 - pl.col("part")).sum()
    return Kappa(
        both=entitled * reading.by_class(pairs, on_caf * part),
        cpam_only=others * reading.by_class(pairs, (1 - on_caf) * part),
        caf_only=entitled * float(reading.households.filter(pairs).select(on_caf * (1 - part)).sum().item()),
        answers=_tally(known, pl.col("part")),
        answers_a2=_tally(told_of_a2.filter(_A2_ON_CPAM), part),
        told_overlooked=set_right(said["yes"][0], said["asked"][0], wrong),
        overlooking=_overlooking(reading, known),
    )


def _unlinked_too(reading: Reading, who: pl.Expr) -> float:
    """CAF households that receive nothing, for one of them that is linked: the entitled are linked less."""
    everybody = reading.weight(_COMPARABLE & who, "poids_menages")
    linked = reading.weight(_COMPARABLE & who & pl.col("est_lie"), "poids_menages")
    return everybody / linked if linked else 1.0


def _overlooking(reading: Reading, known: pl.DataFrame) -> float:
    """Answers about B's households that CPAM data do not find, each worth n₁/n₀ of those it finds."""
    outside = reading.households.filter((pl.col("strate") == "B") & _KNOWN).with_columns(part=_PART)
    found = _sum_by_class(outside, pl.col("part"))
    others = _sum_by_class(outside, 1 - pl.col("part"))
    return float((_sum_by_class(known, 1 - pl.col("part")) * found / np.maximum(others, 1.0)).sum())


def _sum_by_class(households: pl.DataFrame, value: pl.Expr) -> Floats:
    found = households.filter(pl.col("classe").is_not_null()).select("classe", value=value.cast(pl.Float64))
    return np.bincount(
        found["classe"].to_numpy(), weights=found["value"].to_numpy(), minlength=CLASSES
    ).astype(np.float64)


def _link_rates(reading: Reading, quality: pl.DataFrame, wrong: float) -> LinkRates:
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
    linked = reading.households.filter((pl.col("strate") == "L") & _ENTITLED)
    alone = _share(linked["n_adultes"] == 1) if linked.height else 1.0
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
    cpam = reading.households.filter(
        pl.col("strate").is_in(["B", "L"]) & pl.col("bande_age").is_not_null()
    ).with_columns(est_lie=_LINKED)
    at_msa = ((pl.col("connu_msa") == 1) & (pl.col("connu_caf") == 0)).fill_null(False)
    audited = reading.answers.filter((pl.col("source") == "cpam") & ~at_msa)
    return audited.join(cpam.select("menage_base_id", "est_lie", "bande_age"), on="menage_base_id")


def _caf_answers(reading: Reading) -> pl.DataFrame:
    caf = reading.households.filter((_A1 | _A2) & pl.col("bande_age").is_not_null())
    audited = reading.answers.filter((pl.col("source") == "caf") & (pl.col("volet") == "RAPPEL"))
    return audited.join(caf.select("menage_base_id", "est_lie", "bande_age"), on="menage_base_id")


def _seen(reading: Reading, wrong: float) -> Seen:
    """The entitled CAF households, those that are linked, those the CPAM was asked about and knows."""
    linked, households = (reading.weight(_A1 & _COUNTED & who) for who in (pl.col("est_lie"), pl.lit(True)))
    return Seen(linked, households, *_coverage_answers(reading, wrong))


def _coverage_answers(reading: Reading, wrong: float) -> tuple[float, float]:
    """Entitled CAF households that the CPAM knows, and those asked, in effective answers (design effect)."""
    told = _caf_answers(reading).drop_nulls("connu_cpam")
    if not told.height:
        return 0.0, 0.0
    weight, known = (told[name].cast(pl.Float64).to_numpy() for name in ("poids_reponse", "connu_cpam"))
    asked = float(weight.sum() ** 2 / (weight**2).sum())
    return set_right(asked * float(weight @ known) / float(weight.sum()), asked, wrong), asked


def _directory(reading: Reading, quality: pl.DataFrame) -> Reliability:
    """Linked households told absent from the CAF, beyond the false links."""
    audited = _cpam_answers(reading).drop_nulls("connu_caf")
    linked, absent = audited.filter("est_lie"), _false_link_prior(quality).prior_mean
    per_link = reading.weight(pl.col("strate") == "B") / max(reading.weight(pl.col("strate") == "L"), 1.0)
    denied = float((linked["connu_caf"] == 0).sum())
    return Reliability(float(linked.height), max(denied - absent * per_link * linked.height, 0.0))


def _interviews(told: list[pl.DataFrame]) -> Reliability:
    """Pensioners without incomes told entitled."""
    old = pl.concat(
        frame.filter(_ESTIMABLE & (pl.col("bande_age") == BANDS - 1))["reponse"] for frame in told
    )
    return Reliability(float(old.len()), float(old.sum()))


def _told(reading: Reading) -> pl.DataFrame:
    """Unlinked households the CAF does not know, with ``reponse`` 1 when entitled; the MSA's are not B."""
    outside = reading.households.filter((pl.col("strate") == "B") & pl.col("classe").is_not_null())
    asked = reading.answers.filter((pl.col("source") == "cpam") & (pl.col("connu_caf") == 0))
    elsewhere = (pl.col("connu_msa") == 1).fill_null(False)
    told = asked.select("menage_base_id", reponse=(_answer(reading.droit) & ~elsewhere).cast(pl.Float64))
    return outside.join(told.drop_nulls("reponse"), on="menage_base_id")


def _told_of_a2(reading: Reading) -> pl.DataFrame:
    """Households of A2 whose entitlement the CAF told from the whole dossier, with ``reponse``."""
    asked = reading.answers.filter((pl.col("source") == "caf") & (pl.col("volet") == "TEMOIN"))
    told = asked.select("menage_base_id", reponse=_answer(reading.droit).cast(pl.Float64))
    pending = reading.households.filter(_PENDING_A2 & pl.col("classe").is_not_null())
    return pending.join(told.drop_nulls("reponse"), on="menage_base_id")


def _tally(told: pl.DataFrame, part: pl.Expr | None = None) -> Answers:
    """Answers by class; ``part``: the share of each household that is concerned."""
    share = pl.lit(1.0) if part is None else part
    return Answers(_sum_by_class(told, share), _sum_by_class(told, pl.col("reponse") * share))


def _answer(droit: str) -> pl.Expr:
    rsa, ppa = (pl.col(name) == 1 for name in ("eligible_rsa", "eligible_ppa"))
    return {
        "rsa": rsa,
        "ppa": ppa,
        "rsa_seul": rsa & ~ppa,
        "ppa_seule": ppa & ~rsa,
        "rsa_et_ppa": rsa & ppa,
    }[droit]
