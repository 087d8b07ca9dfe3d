"""What the warehouse says about one right, in the shape the estimator reads."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.estimation.classes import CLASSES, Floats, class_index
from pipelines.estimation.entitlement import Answers
from pipelines.estimation.estimator import Evidence, Kappa
from pipelines.estimation.link_rates import (
    LinkRates,
    PooledRate,
    answered,
    household_recall,
    unverified,
    unverified_false_links,
)
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
_COMPARABLE = _A1 & _KNOWN & pl.col("dossier").is_in(RESTING) & ~pl.col("a_revenu_caf")
"""CAF non-recipients who could as well be absent from it: one whom the CAF pays an income (AAH…) could not.

Of 29 households wrongly entitled on CPAM data, read one by one, 12 or 13 were on AAH (docs/decisions/0004).
"""
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
        return float(self.households.filter(condition)[weight].sum() or 0.0)

    def by_class(self, condition: pl.Expr, weight: str | pl.Expr = "poids") -> Floats:
        """The same by class, shape (12,); households whose class is unknown are left out."""
        value = pl.col(weight) if isinstance(weight, str) else weight
        found = self.households.filter(condition & pl.col("classe").is_not_null())
        sums = found.group_by("classe").agg(value.sum().alias("total"))
        counted: Floats = np.zeros(CLASSES)
        counted[sums["classe"].to_numpy()] = sums["total"].to_numpy()
        return counted


def read(warehouse: Warehouse, droit: str) -> Reading:
    """The households of the territory and the verification answers, for one right."""
    households = warehouse.query(
        "SELECT * FROM core__situations_lues WHERE droit = $droit ORDER BY strate, menage_base_id",
        droit=droit,
    )
    classe = pl.col("bande_age") * 4 + pl.col("a_c2s").cast(pl.Int32) * 2 + pl.col("est_rurale")
    return Reading(
        droit, households.with_columns(classe=classe), warehouse.query_file("core/situations_reponses")
    )


def evidence(reading: Reading, quality: pl.DataFrame, sensitivity: float) -> Evidence:
    """The counts of the estimator. ``quality``: out__qualite_appariement; ``sensitivity``: Se."""
    one, money = "poids_menages", pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    known, unknown = _CPAM & _KNOWN, _CPAM & _ESTIMABLE
    linked_a1 = _A1 & pl.col("est_lie")
    fitted = _COMPARABLE & pl.col("est_lie")
    is_rsa = reading.droit == "rsa"
    return Evidence(
        rates=_link_rates(reading, quality),
        takers_a1=reading.weight(_A1 & _ENTITLED & (pl.col("situation") == "recourant")),
        nontakers_a1=reading.weight(_A1 & _ENTITLED & _NONTAKER),
        linked_entitled_a1=reading.weight(linked_a1 & _COUNTED),
        unclaimed_a1_eur_mois=float(
            reading.households.filter(_A1 & _NONTAKER).select(money.sum()).item() or 0
        ),
        takers_a2=sensitivity * reading.weight(_A2 & (pl.col("situation") == "recourant")),
        s=reading.weight(pl.col("strate") == "S", one) if is_rsa else 0.0,
        kappa=_kappa(reading),
        coverage_answers=_coverage_answers(reading),
        answers=_entitlement_answers(reading),
        class_nontakers=reading.by_class(linked_a1 & _NONTAKER),
        class_unclaimed_eur_mois=reading.by_class(linked_a1 & _NONTAKER, money),
        nonrecipients=reading.by_class(fitted, one),
        nonrecipients_entitled=reading.by_class(fitted & _ENTITLED, one),
        a2=_households_without_incomes(reading),
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
    """A2 by class, in households as likely to be entitled as those π_A is fitted on.

    One whom the CAF pays an income counts for less, as in A1. An unlinked household, whose C2S nobody knows,
    counts in both classes by the share of its peers.
    """
    pending = _A2 & (pl.col("situation") == "inconnu")
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
    resting = _A1 & _KNOWN & pl.col("dossier").is_in(RESTING)
    paid = resting & pl.col("a_revenu_caf")
    others = reading.weight(_COMPARABLE & _ENTITLED, "poids_menages") + 0.5
    rate = others / (reading.weight(_COMPARABLE, "poids_menages") + 1)
    entitled = reading.weight(paid & _ENTITLED, "poids_menages") + 0.5 * rate
    return min(1.0, entitled / (reading.weight(paid, "poids_menages") + 0.5) / rate)


def _c2s_share(reading: Reading) -> Floats:
    """Share of the C2S among linked CAF households by age band and rural, shape (3, 2)."""
    peers = reading.by_class(_A1 | _A2, "poids_menages").reshape(-1, 2, 2)
    share: Floats = (peers[:, 1, :] + 0.5) / (peers.sum(axis=1) + 1)
    return share


def _kappa(reading: Reading) -> Kappa:
    """Linked CAF non-recipients with known CPAM incomes, entitled on CAF data, on CPAM data, on both."""
    caf = reading.households.filter(_COMPARABLE).select(caf_menage_base_id="menage_base_id", caf=_ENTITLED)
    cpam = reading.households.filter((pl.col("strate") == "L") & _KNOWN).with_columns(
        part=pl.when(_ENTITLED).then(pl.col("poids_eligible").clip(0, 1)).otherwise(0.0)
    )
    pairs = cpam.join(caf, on="caf_menage_base_id")
    on_caf, part = pairs["caf"].cast(pl.Float64), pairs["part"]
    return Kappa(
        both=float((on_caf * part).sum()),
        caf_only=float((on_caf * (1 - part)).sum()),
        cpam_only=float(((1 - on_caf) * part).sum()),
    )


def _link_rates(reading: Reading, quality: pl.DataFrame) -> LinkRates:
    recall, absent = _recall_prior(reading, quality), _false_link_prior(quality)
    cpam = _weighted_cpam_answers(reading)
    caf = _caf_answers(reading).filter(pl.col("connu_cpam") == 1).with_columns(poids_tirage=1.0)
    return LinkRates(
        entitled=_answered(recall, caf),
        known=_answered(recall, cpam.filter(pl.col("connu_caf") == 1)),
        absent=_answered(absent, cpam.filter(pl.col("connu_caf") == 0)),
    )


def _answered(prior: PooledRate, audited: pl.DataFrame) -> PooledRate:
    columns = [audited[name].cast(pl.Float64).to_numpy() for name in ("est_lie", "bande_age", "poids_tirage")]
    return answered(prior, *columns)


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


def _weighted_cpam_answers(reading: Reading) -> pl.DataFrame:
    """Audited CPAM households with the inverse of their sampling fraction, by linkage, age band and C2S."""
    cell = ["est_lie", "bande_age", "a_c2s"]
    cpam = reading.households.filter(_CPAM & pl.col("bande_age").is_not_null()).with_columns(est_lie=_LINKED)
    sizes = cpam.group_by(cell).agg(n=pl.col("poids_menages").sum())
    audited = reading.answers.filter(pl.col("source") == "cpam").join(
        cpam.select("menage_base_id", *cell), on="menage_base_id"
    )
    drawn = audited.with_columns(tires=pl.len().over(cell)).join(sizes, on=cell, nulls_equal=True)
    return drawn.with_columns(poids_tirage=pl.col("n") / pl.col("tires"))


def _caf_answers(reading: Reading) -> pl.DataFrame:
    caf = reading.households.filter((_A1 | _A2) & pl.col("bande_age").is_not_null())
    audited = reading.answers.filter((pl.col("source") == "caf") & (pl.col("volet") == "RAPPEL"))
    return audited.join(caf.select("menage_base_id", "est_lie", "bande_age"), on="menage_base_id")


def _coverage_answers(reading: Reading) -> tuple[float, float]:
    answered = _caf_answers(reading).drop_nulls("connu_cpam")
    return float(answered["connu_cpam"].cast(pl.Float64).sum()), float(answered.height)


def _entitlement_answers(reading: Reading) -> Answers:
    """Unlinked households that the CAF does not know, and whether they are entitled; the MSA's are not B."""
    outside = reading.households.filter((pl.col("strate") == "B") & pl.col("classe").is_not_null())
    asked = reading.answers.filter((pl.col("source") == "cpam") & (pl.col("connu_caf") == 0)).join(
        outside.select("menage_base_id", "classe"), on="menage_base_id"
    )
    elsewhere = (pl.col("connu_msa") == 1).fill_null(False)
    told = asked.with_columns(reponse=_answer(reading.droit) & ~elsewhere).drop_nulls("reponse")
    classe = told["classe"].to_numpy()
    said = told["reponse"].cast(pl.Float64).to_numpy()
    return Answers(
        np.bincount(classe, minlength=CLASSES).astype(np.float64),
        np.bincount(classe, weights=said, minlength=CLASSES).astype(np.float64),
    )


def _answer(droit: str) -> pl.Expr:
    rsa, ppa = (pl.col(name) == 1 for name in ("eligible_rsa", "eligible_ppa"))
    return {
        "rsa": rsa,
        "ppa": ppa,
        "rsa_seul": rsa & ~ppa,
        "ppa_seule": ppa & ~rsa,
        "rsa_et_ppa": rsa & ppa,
    }[droit]
