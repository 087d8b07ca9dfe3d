"""What the files of three partners say of the invented households, as the estimate reads it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, logit

from pipelines.estimation.reading import Reading, with_cpam_reading
from pipelines.proof.drawing import Bools, Floats, Households, Ints
from pipelines.proof.worlds import World

DROIT = "rsa"

CAF_SENSITIVITY, CAF_SPECIFICITY, CAF_PAID_IN_PART = 0.97, 0.9985, 0.45
"""Simulated entitlement against the truth, on CAF data (measured on the whole invented territory)."""

CAF_INCOMES_OF_TAKERS = 0.95
CAF_INCOMES = -1.7
CAF_INCOMES_IF_POOR, CAF_INCOMES_IF_ENTITLED = 1.1, 0.3
"""Log-odds of monthly incomes at the CAF for a household it pays nothing: those who declare are the poorer,
whether entitled or only looking so on CPAM data; a little more when entitled."""

CPAM_INCOMES_C2S, CPAM_INCOMES, CPAM_INCOMES_65, CPAM_INCOMES_IF_ENTITLED = 0.88, 0.15, 0.40, 0.3
CPAM_FALSE_65, CPAM_FALSE_REPLACED, CPAM_FALSE_C2S = 0.005, 0.6, 1.2
IN_TWO_WAYS = 0.15
"""CPAM households computed in two ways, entitled in one: they count one half."""

HOLD_OUT, EASIER = 800, 0.15
"""Pairs of the NIR hold-out, and how much easier to link they are (logit)."""


ANSWERS = {
    "source": pl.String,
    "menage_base_id": pl.String,
    "volet": pl.String,
    "connu_caf": pl.Int8,
    "connu_cpam": pl.Int8,
    "connu_msa": pl.Int8,
    "eligible_rsa": pl.Int8,
    "eligible_ppa": pl.Int8,
    "poids_reponse": pl.Float64,
}
"""Columns of the verification answers the estimate reads."""


@dataclass(frozen=True)
class Files:
    """What the chain would hold: households read, links as they are, quality of the linkage measured alone.

    Household n is ``a<n>`` at the CAF and ``c<n>`` at the CPAM. ``is_linked``: at CPAM, and linked to a CAF
    household or to one the MSA pays. ``is_entitled_on_caf``: simulated entitled on CAF data.
    """

    reading: Reading
    quality: pl.DataFrame
    is_linked: Bools
    is_entitled_on_caf: Bools


def files(world: World, homes: Households, generator: np.random.Generator) -> Files:
    """The files of one drawn territory, without any verification answer."""
    recall = person_recall(world, homes, generator)
    linked, partner = _links(world, homes, recall, generator)
    found = generator.random(homes.size) < _cpam_finds(world, homes)
    caf = _caf_side(homes, found, generator)
    on_cpam = _cpam_rows(homes, linked, partner, found, generator)
    rows = pl.concat([_caf_rows(homes, linked, partner, caf), on_cpam])
    frame = rows.with_columns(
        classe=pl.col("bande_age") * 4 + pl.col("a_c2s").cast(pl.Int64) * 2 + pl.col("est_rurale")
    )
    reading = Reading(DROIT, with_cpam_reading(frame), pl.DataFrame(schema=ANSWERS))
    entitled = homes.is_at_caf & (caf.eligible == "oui")
    return Files(reading, _quality(world, homes, linked, recall, generator), linked, entitled)


def person_recall(world: World, homes: Households, generator: np.random.Generator) -> Floats:
    """P(linked | known at both) of one adult of each household."""
    spread = generator.normal(0, world.recall_spread, size=int(homes.commune.max()) + 1)
    odds = logit(world.recall) + world.recall_entitled * homes.is_entitled
    odds = odds + spread[homes.commune] - world.recall_of_poor * homes.poverty
    found: Floats = expit(odds)
    return found


def _links(
    world: World, homes: Households, recall: Floats, generator: np.random.Generator
) -> tuple[Bools, Ints]:
    """Linked or not, and the CAF household reached: its own, anybody's for a false link, −1 for the MSA."""
    n = homes.size
    of_household = np.where(homes.has_two, 1 - (1 - recall) ** 2, recall)
    false = world.false_link * np.where(homes.is_entitled, world.false_link_entitled, 1.0)
    known = homes.is_at_caf | homes.is_at_msa
    linked = homes.is_at_cpam & (generator.random(n) < np.where(known, of_household, false))
    anybody = generator.choice(np.flatnonzero(homes.is_at_caf), size=n)
    partner = np.where(homes.is_at_caf, np.arange(n), np.where(homes.is_at_msa, -1, anybody))
    return linked, partner


@dataclass(frozen=True)
class _CafSide:
    """A1 or not, simulated entitlement (oui, non, inconnu) and dossier of each household."""

    is_a1: Bools
    eligible: np.ndarray
    dossier: np.ndarray


def _caf_side(homes: Households, looks_entitled: Bools, generator: np.random.Generator) -> _CafSide:
    n, paid = homes.size, homes.is_paid_by_caf
    poor = CAF_INCOMES_IF_POOR * (looks_entitled | homes.is_entitled)
    resting = expit(CAF_INCOMES + poor + CAF_INCOMES_IF_ENTITLED * homes.is_entitled)
    declares = np.where(paid | homes.has_other_right | homes.has_replacement, CAF_INCOMES_OF_TAKERS, resting)
    is_a1 = generator.random(n) < declares
    false = np.where(homes.is_paid_in_part, CAF_PAID_IN_PART, 1 - CAF_SPECIFICITY)
    found = generator.random(n) < np.where(homes.is_entitled, CAF_SENSITIVITY, false)
    eligible = np.where(is_a1, np.where(found, "oui", "non"), "inconnu")
    secondary = generator.random(n) < 0.2
    dossier = np.where(paid, "recourant", np.where(secondary, "secondaire", "primaire"))
    return _CafSide(is_a1, eligible, dossier)


def _caf_rows(homes: Households, linked: Bools, partner: Ints, caf: _CafSide) -> pl.DataFrame:
    """One row per CAF household; its C2S is that of the CPAM household linked to it, rightly or not."""
    reached = np.zeros(homes.size, dtype=bool)
    reached[partner[linked & (partner >= 0)]] = True
    c2s = np.zeros(homes.size, dtype=bool)
    np.logical_or.at(c2s, partner[linked & (partner >= 0)], homes.has_c2s[linked & (partner >= 0)])
    unknown = caf.eligible == "inconnu"
    situation = np.where(
        unknown & (caf.dossier != "recourant"),
        "inconnu",
        np.where(caf.eligible == "non", "non_eligible", caf.dossier),
    )
    frame = _frame(homes, "a").with_columns(
        strate=pl.Series(np.where(caf.is_a1, "A1", "A2")),
        eligible=pl.Series(caf.eligible),
        situation=pl.Series(situation),
        dossier=pl.Series(caf.dossier),
        a_c2s=pl.when(pl.Series(reached)).then(pl.Series(c2s)),
        est_lie=pl.Series(reached),
        est_paye=pl.Series(caf.dossier == "recourant"),
        est_sans_ressources=pl.Series(unknown),
        est_sans_prestation=pl.Series((caf.dossier != "recourant") & ~homes.has_other_right),
        caf_menage_base_id=pl.lit(None, pl.String),
        poids_eligible=pl.lit(1.0),
    )
    return _ordered(frame.filter(pl.Series(homes.is_at_caf)))


def _cpam_rows(
    homes: Households, linked: Bools, partner: Ints, found: Bools, generator: np.random.Generator
) -> pl.DataFrame:
    known = generator.random(homes.size) < _cpam_knows(homes)
    halved = found & (generator.random(homes.size) < np.where(homes.is_entitled, 0.1, 1.0) * IN_TWO_WAYS)
    part = np.where(halved, 0.5, 1.0) * found * known
    stratum = np.where(linked, np.where(partner < 0, "S", "L"), "B")
    frame = _frame(homes, "c").with_columns(
        strate=pl.Series(stratum),
        eligible=pl.Series(np.where(known, np.where(found, "oui", "non"), "inconnu")),
        situation=pl.Series(np.where(stratum == "S", "recourant", "primaire")),
        dossier=pl.lit(None, pl.String),
        a_c2s=pl.Series(homes.has_c2s),
        est_lie=pl.Series(linked),
        est_paye=pl.lit(False),
        est_sans_ressources=pl.Series(~known),
        est_sans_prestation=pl.lit(False),
        caf_menage_base_id=pl.when(pl.Series(linked & (partner >= 0))).then(
            pl.format("a{}", pl.Series(partner))
        ),
        poids_eligible=pl.Series(part),
    )
    return _ordered(frame.filter(pl.Series(homes.is_at_cpam)))


def _cpam_knows(homes: Households) -> Floats:
    odds = logit(np.where(homes.band == 2, CPAM_INCOMES_65, CPAM_INCOMES))
    plain = expit(odds + CPAM_INCOMES_IF_ENTITLED * homes.is_entitled)
    chance: Floats = np.where(homes.has_c2s, CPAM_INCOMES_C2S, plain)
    return chance


def _cpam_finds(world: World, homes: Households) -> Floats:
    """P(found entitled on CPAM data): it sees neither AAH nor what is earned elsewhere."""
    odds = logit(world.cpam_false) + CPAM_FALSE_C2S * homes.has_c2s
    odds = odds + np.log(world.cpam_false_outside) * ~homes.is_at_caf
    false = np.where(homes.band == 2, CPAM_FALSE_65, expit(odds))
    false = np.where(homes.has_replacement, CPAM_FALSE_REPLACED, false)
    false = np.where(homes.is_paid_in_part, CAF_PAID_IN_PART, false)
    chance: Floats = np.where(homes.is_entitled, world.cpam_finds, false)
    return chance


_COLUMNS = (
    "menage_base_id",
    "strate",
    "eligible",
    "situation",
    "dossier",
    "montant_non_reclame_eur_mois",
    "poids",
    "poids_menages",
    "poids_eligible",
    "commune_insee",
    "bande_age",
    "a_c2s",
    "est_rurale",
    "age_reference",
    "n_adultes",
    "n_enfants",
    "est_lie",
    "est_paye",
    "est_sans_ressources",
    "est_sans_prestation",
    "est_autre_regime",
    "a_revenu_caf",
    "caf_menage_base_id",
)


def _frame(homes: Households, letter: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "menage_base_id": [f"{letter}{n}" for n in range(homes.size)],
            "commune_insee": homes.commune.astype(str),
            "bande_age": homes.band,
            "est_rurale": homes.is_rural.astype(np.int32),
            "age_reference": np.array([40, 57, 72])[homes.band],
            "n_adultes": 1 + homes.has_two,
            "montant_non_reclame_eur_mois": homes.amount,
            "a_revenu_caf": homes.has_replacement & (letter == "a"),
        }
    ).with_columns(n_enfants=pl.lit(0), poids_menages=pl.lit(1.0), est_autre_regime=pl.lit(False))


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    entitled = pl.col("eligible") == "oui"
    return frame.with_columns(
        poids=pl.when(entitled).then("poids_eligible").otherwise("poids_menages")
    ).select(_COLUMNS)


def _quality(
    world: World, homes: Households, linked: Bools, recall: Floats, generator: np.random.Generator
) -> pl.DataFrame:
    """What the linkage measures of itself: recall on RSA recipients whose NIR is hidden, false links."""
    paid = homes.is_paid_by_caf & homes.is_at_caf
    held_out = float(expit(logit(recall[paid]) + EASIER).mean())
    measured = generator.binomial(HOLD_OUT, held_out) / HOLD_OUT
    error = 1.96 * float(np.sqrt(measured * (1 - measured) / HOLD_OUT))
    absent = float((homes.is_at_cpam & ~homes.is_at_caf).sum())
    false = float(generator.poisson(world.false_link * absent))
    rows = [
        ("rappel", measured, measured - error, min(measured + error, 1.0)),
        ("faux_liens", false, max(false - 1.96 * false**0.5, 0.0), false + 1.96 * (false + 1) ** 0.5),
        ("liens", float(linked.sum()), None, None),
        ("personnes", float(homes.is_at_cpam.sum()), None, None),
    ]
    frame = pl.DataFrame(rows, schema=["mesure", "valeur", "bas", "haut"], orient="row")
    return frame.with_columns(
        source_g=pl.lit("cpam"),
        source_d=pl.when(pl.col("mesure") != "personnes").then(pl.lit("caf")),
        classe=pl.lit("ensemble"),
    )
