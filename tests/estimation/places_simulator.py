"""Invented territories of known rates, commune by commune: the real communes, households read by the
estimate.

The truth of a commune is the rate its own entitled households are expected to have. Its direct rate is the
one they happen to have, as if everything about them were known: what a small commune shows when nothing is
hidden.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from scipy.special import expit, log_expit
from scipy.special import logit as log_odds

from pipelines import territory
from pipelines.estimation.reading import Reading, with_cpam_reading

PER_INHABITANT = 0.037
"""Households entitled to the RSA per inhabitant: 1 643 on 44 497."""

TYPES = ("seul", "parent_seul", "couple_sans_enfant", "couple_enfants")
HOMES = ("locataire", "proprietaire", "heberge", "autre")
WORKS = ("sans_emploi", "salarie", "independant")

RECALL, IN_CPAM, FALSE_LINK = 0.95, 0.97, 0.004
"""Of households. The hold-out measures 3 points more: the estimate takes them off."""

_MEASURED = {
    "mesure": ["rappel", "liens", "faux_liens", "personnes"],
    "source_g": ["caf", "caf", "caf", "cpam"],
    "valeur": [0.98, 9_000.0, 40.0, 20_000.0],
    "bas": [0.97, None, 30.0, None],
    "haut": [0.99, None, 50.0, None],
}
QUALITY = pl.DataFrame(_MEASURED).with_columns(
    source_d=pl.lit("cpam"), classe=pl.lit("ensemble"), modalite=pl.lit("ensemble"), n=pl.lit(1, pl.Int64)
)
ABSENT_AMONG_NONTAKERS = 0.42


@dataclass(frozen=True)
class Scenario:
    """How communes differ. ``sigma``: of their effect on take-up and, for half of it, on being absent."""

    sigma: float
    is_heavy_tailed: bool = False
    is_gradient: bool = False


SCENARIOS = {
    "aucun_ecart": Scenario(0.0),
    "ecarts_moyens": Scenario(0.4),
    "ecarts_forts": Scenario(0.8),
    "quelques_communes_a_part": Scenario(0.4, is_heavy_tailed=True),
    "gradient": Scenario(0.4, is_gradient=True),
}


@dataclass(frozen=True)
class Invented:
    """A territory: what the estimate reads, and the truth by commune.

    ``truth``: commune_insee, population, eligibles, taux_attendu, taux_direct (null without entitled
    household), taux_possible (the best that can be, see :func:`_best`).
    """

    reading: Reading
    truth: pl.DataFrame


def invent(scenario: Scenario, generator: np.random.Generator, scale: float = 1.0) -> Invented:
    """One territory of the 104 communes; ``scale`` multiplies the households of each."""
    inside = territory.load("comminges").inside.sort("commune_insee")
    population = inside["population"].to_numpy()
    entitled = _entitled(inside, scenario, generator, scale)
    others = _not_entitled(population, generator, scale)
    rows = pl.concat([_caf(entitled), _cpam(entitled), *others], how="diagonal")
    rural = pl.Series((population < territory.URBAN_INHABITANTS).astype(np.int8))
    facts = {
        "commune_insee": inside["commune_insee"],
        "regroupement": inside["regroupement"],
        "est_rurale": rural,
    }
    named = rows.with_columns(pl.lit(fact).gather("commune").alias(name) for name, fact in facts.items())
    reading = Reading("rsa", with_cpam_reading(_complete(named)), _no_answer())
    best = _best(entitled, scenario)
    return Invented(reading, _truth(inside, entitled).join(best, on="commune", how="left").drop("commune"))


_DRAWN = ("band", "type", "home", "work", "c2s", "cpam", "link", "takes", "absent")


def _entitled(
    inside: pl.DataFrame, scenario: Scenario, generator: np.random.Generator, scale: float
) -> pl.DataFrame:
    population = inside["population"].to_numpy()
    effect = _effects(inside, scenario, generator)
    commune = np.repeat(np.arange(population.size), generator.poisson(PER_INHABITANT * scale * population))
    owners = generator.beta(3, 5, population.size)[commune]
    drawn = {name: generator.random(commune.size) for name in _DRAWN}
    band = np.digitize(drawn["band"], [0.66, 0.93])
    kind = np.digitize(drawn["type"], [0.5, 0.75, 0.87])
    home = np.where(drawn["home"] < owners, 1, np.where(drawn["home"] > 0.9, 2, 0))
    work = np.digitize(drawn["work"], [0.72, 0.95])
    logit = -1.35 + np.array([0.0, 0.25, 0.8])[band] + np.array([0.0, -0.7, 0.5, 0.1])[kind]
    logit = logit + np.array([0.0, 1.0, 0.5, 0.0])[home] + np.array([0.0, 0.2, 0.5])[work] + effect[commune]
    p = expit(logit)
    is_nontaker = drawn["takes"] < p
    absent = expit(np.log(ABSENT_AMONG_NONTAKERS / (1 - ABSENT_AMONG_NONTAKERS)) + effect[commune] / 2)
    is_absent = is_nontaker & (drawn["absent"] < absent)
    in_cpam = drawn["cpam"] < IN_CPAM
    return pl.DataFrame(
        {
            "n": np.arange(commune.size),
            "commune": commune,
            "bande_age": band,
            "type_menage": np.array(TYPES)[kind],
            "logement": np.array(HOMES)[home],
            "travail": np.array(WORKS)[work],
            "a_c2s": drawn["c2s"] < np.where(is_nontaker, 0.45, 0.9),
            "p": p,
            "effet": effect[commune],
            "est_non_recourant": is_nontaker,
            "est_absent": is_absent,
            "est_a_la_cpam": in_cpam,
            "est_lie": in_cpam & (drawn["link"] < np.where(is_absent, FALSE_LINK, RECALL)),
        }
    )


def _effects(inside: pl.DataFrame, scenario: Scenario, generator: np.random.Generator) -> np.ndarray:
    size = inside.height
    if scenario.is_heavy_tailed:
        return scenario.sigma * generator.standard_t(3, size) / np.sqrt(3)
    if scenario.is_gradient:
        across = inside["longitude"].to_numpy()
        return scenario.sigma * (across - across.mean()) / across.std()
    return scenario.sigma * generator.standard_normal(size)


def _caf(entitled: pl.DataFrame) -> pl.DataFrame:
    known = entitled.filter(~pl.col("est_absent"))
    situation = pl.when("est_non_recourant").then(pl.lit("primaire")).otherwise(pl.lit("recourant"))
    return known.with_columns(
        strate=pl.lit("A1"),
        eligible=pl.lit("oui"),
        situation=situation,
        dossier=situation,
        a_c2s=pl.when("est_lie").then("a_c2s"),
        menage_base_id=pl.format("f{}", "n"),
        est_paye=~pl.col("est_non_recourant"),
    ).drop("p", "effet", "n")


def _cpam(entitled: pl.DataFrame) -> pl.DataFrame:
    known = entitled.filter("est_a_la_cpam")
    return known.with_columns(
        strate=pl.when("est_lie").then(pl.lit("L")).otherwise(pl.lit("B")),
        eligible=pl.lit("oui"),
        situation=pl.lit("primaire"),
        menage_base_id=pl.format("c{}", "n"),
        caf_menage_base_id=pl.when(pl.col("est_lie") & ~pl.col("est_absent")).then(pl.format("f{}", "n")),
        logement=pl.lit(None, pl.String),
        travail=pl.lit(None, pl.String),
    ).drop("p", "effet", "n")


def _not_entitled(population: np.ndarray, generator: np.random.Generator, scale: float) -> list[pl.DataFrame]:
    """CPAM households no one else knows, and CAF non-recipients, without right."""
    frames = []
    for strate, per_inhabitant in (("B", 0.2), ("A1", 0.05)):
        commune = np.repeat(
            np.arange(population.size), generator.poisson(per_inhabitant * scale * population)
        )
        size = commune.size
        frame = pl.DataFrame(
            {
                "commune": commune,
                "bande_age": np.digitize(generator.random(size), [0.45, 0.75]),
                "type_menage": np.array(TYPES)[generator.integers(0, 4, size)],
                "a_c2s": generator.random(size) < 0.12,
                "est_lie": np.full(size, strate == "A1"),
            }
        )
        frames.append(
            frame.with_columns(
                strate=pl.lit(strate), eligible=pl.lit("non"), situation=pl.lit("non_eligible"),
                dossier=pl.lit("primaire"), menage_base_id=pl.format(f"{strate}-{{}}", pl.int_range(size)),
            )
        )  # fmt: skip
    return frames


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    classe = pl.col("bande_age") * 4 + pl.col("a_c2s").cast(pl.Int64) * 2 + pl.col("est_rurale")
    money = pl.when(pl.col("situation") == "primaire").then(400.0).otherwise(0.0)
    return rows.with_columns(
        classe=classe,
        poids=pl.lit(1.0),
        poids_menages=pl.lit(1.0),
        poids_eligible=pl.lit(1.0),
        montant_non_reclame_eur_mois=money,
        a_revenu_caf=pl.lit(False),
        est_sans_prestation=(pl.col("strate") == "A1") & (pl.col("dossier") == "primaire"),
        est_sans_ressources=pl.lit(False),
        est_autre_regime=pl.lit(False),
        age_reference=pl.lit(40),
        n_enfants=pl.lit(0),
        n_adultes=pl.lit(1),
        est_paye=pl.col("est_paye").fill_null(False),
    )


def _no_answer() -> pl.DataFrame:
    names = ("source", "menage_base_id", "volet")
    flags = ("connu_caf", "connu_cpam", "connu_msa", "eligible_rsa", "eligible_ppa")
    schema = dict.fromkeys(names, pl.String) | dict.fromkeys(flags, pl.Int8)
    return pl.DataFrame(schema=schema | {"poids_reponse": pl.Float64})


def _truth(inside: pl.DataFrame, entitled: pl.DataFrame) -> pl.DataFrame:
    rates = entitled.group_by("commune").agg(
        eligibles=pl.len(), taux_attendu=pl.col("p").mean(), taux_direct=pl.col("est_non_recourant").mean()
    )
    numbered = inside.select("commune_insee", "population").with_row_index("commune")
    return numbered.with_columns(pl.col("commune").cast(pl.Int64)).join(rates, on="commune", how="left")


_LOOKED_AT = np.linspace(-9.0, 9.0, 361)
"""Places where the effect of a commune is looked at, in standard deviations of all effects."""


def _best(entitled: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """commune, taux_possible: the mean of the rate of each commune, all being known but its effect.

    Who does not take up, who is absent, composition, coefficients, law of the effects: no estimate errs less
    on average. Null where effects are not drawn one by one.
    """
    if scenario.is_gradient or not scenario.sigma:
        return entitled.select("commune", taux_possible=pl.lit(None, pl.Float64)).unique()
    effect = scenario.sigma * _LOOKED_AT
    names = ("p", "effet", "est_non_recourant", "est_absent")
    p, drawn, is_nontaker, is_absent = (entitled[name].cast(pl.Float64).to_numpy() for name in names)
    logit = (log_odds(p) - drawn)[:, None] + effect
    absent = log_odds(ABSENT_AMONG_NONTAKERS) + effect / 2
    seen = is_nontaker[:, None] * (logit + is_absent[:, None] * absent + log_expit(-absent))
    number, commune = np.unique(entitled["commune"].to_numpy(), return_inverse=True)
    member = csr_matrix((np.ones(commune.size), (commune, np.arange(commune.size))))
    log = member @ (seen + log_expit(-logit)) + _log_prior(scenario)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    rates = (member @ expit(logit)) / member.sum(axis=1).A
    best = (rates * weight).sum(axis=1) / weight.sum(axis=1)
    return pl.DataFrame({"commune": number, "taux_possible": best})


def _log_prior(scenario: Scenario) -> np.ndarray:
    """Log density of the effects, up to a constant: normal, or Student with three degrees of freedom."""
    if scenario.is_heavy_tailed:
        return -2 * np.log1p(_LOOKED_AT**2)
    return -(_LOOKED_AT**2) / 2
