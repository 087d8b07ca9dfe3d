"""Where the invented territory stands against the published figures it imitates."""

import polars as pl

from pipelines.calendar import window
from pipelines.synthetic.frames import World
from pipelines.synthetic.margins import section
from pipelines.synthetic.rates import true_rates

TARGETS = {
    "rsa_payes": (1500.0, "ordre de grandeur visé (hypothèse)"),
    "ppa_payees": (2750.0, "ordre de grandeur visé (hypothèse)"),
    "aah": (1500.0, "ordre de grandeur visé (hypothèse)"),
    "taux_rsa": (0.33, "DREES, Dossiers 92, 2018"),
    "taux_ppa": (0.30, "DGCS, 2016"),
    "part_c2s": (0.13, "Fonds de la C2S, fin 2023 (11 %), majoré pour un territoire pauvre"),
    "logements": (20941.0, "INSEE, RP 2021"),
    "habitants": (44068.0, "INSEE, RP 2021, population des collectivités comprise"),
}
"""Published figure for 44 000 inhabitants and its source."""

WITHOUT_WEALTH = 0.905
"""Share of the disposable income of Filosofi that is not income from wealth (no partner knows that one)."""
DIRECT_TAXES = 0.075
"""Income tax and social levies still due on what the files call net, on average (Filosofi 2019)."""


def calibration(world: World, mois: str) -> pl.DataFrame:
    """mesure, valeur, cible, source: the territory in ``mois`` against published counts."""
    here = world.menages_mois.filter((pl.col("mois") == mois) & pl.col("est_territoire"))
    files = world.dossiers.filter(pl.col("mois") == mois).join(here, on="menage", how="semi")
    people = present(world, mois).join(here, on="menage", how="semi")
    paid = world.prestations.filter(pl.col("mois") == mois).join(people, on="personne", how="semi")
    covered = world.c2s.filter(pl.col("mois") == mois).join(people, on="personne", how="semi")
    rates = dict(true_rates(world, mois).select("droit", "taux").iter_rows())
    values = {
        "rsa_payes": (files["rsa_du"] > 0).sum(),
        "ppa_payees": (files["ppa_due"] > 0).sum(),
        "aah": (paid["aah"] > 0).sum(),
        "taux_rsa": rates["rsa"],
        "taux_ppa": rates["ppa"],
        "part_c2s": (covered["c2s"] > 0).mean(),
        "logements": here["logement"].n_unique(),
        "habitants": people.height,
    }
    rows = [(name, float(values[name]), target, source) for name, (target, source) in TARGETS.items()]
    return pl.DataFrame(rows, schema=["mesure", "valeur", "cible", "source"], orient="row")


def deciles(world: World, mois: str) -> pl.DataFrame:
    """decile (1..9), valeur, cible: yearly standard of living of persons, euros, without wealth incomes."""
    standard = _standard_of_living(world, mois)
    facts = section("revenus")
    target = [value * facts["revalorisation_2019_2026"] * WITHOUT_WEALTH for value in facts["deciles"]]
    found = [standard.quantile(rank / 10) for rank in range(1, 10)]
    return pl.DataFrame({"decile": range(1, 10), "valeur": found, "cible": target})


def present(world: World, mois: str) -> pl.DataFrame:
    """Members of the households in ``mois``: menage, personne, role."""
    there = (pl.col("present_du") <= mois) & (pl.col("present_au").is_null() | (pl.col("present_au") >= mois))
    return world.membres.filter(there).select("menage", "personne", "role")


def _standard_of_living(world: World, mois: str) -> pl.Series:
    """Yearly disposable income per consumption unit of the dwelling, one value per person."""
    year = pl.col("mois").is_in(window(mois, 12))
    homes = world.menages_mois.filter((pl.col("mois") == mois) & pl.col("est_territoire"))
    people = present(world, mois).join(homes.select("menage", "logement"), on="menage")
    incomes = _sums(world.ressources.filter(year & (pl.col("natress") != "212")), "personne", ["montant"])
    benefits = _sums(world.prestations.filter(year), "personne", ["aah", "caah", "ass", "asi"])
    family = ["aide_logement", "af", "cf", "asf", "paje_base", "paje_prepare", "aspa"]
    household = _sums(world.menages_mois.filter(year), "menage", family)
    paid = _sums(world.dossiers.filter(year), "menage", ["rsa_du", "ppa_due"])
    own = people.join(incomes, on="personne", how="left").with_columns(
        total=pl.col("total").fill_null(0) * (1 - DIRECT_TAXES)
    )
    own = own.join(benefits, on="personne", how="left", suffix="_prestations")
    shared = homes.join(household, on="menage", how="left").join(paid, on="menage", how="left", suffix="_due")
    shared = shared.group_by("logement").agg(commun=pl.sum_horizontal("total", "total_due").sum())
    units = _consumption_units(world, people, mois)
    dwelling = own.group_by("logement").agg(euros=pl.sum_horizontal("total", "total_prestations").sum())
    dwelling = dwelling.join(units, on="logement").join(shared, on="logement")
    levels = dwelling.select("logement", niveau=(pl.col("euros") + pl.col("commun")) / pl.col("uc"))
    return people.join(levels, on="logement")["niveau"]


def _sums(rows: pl.DataFrame, key: str, columns: list[str]) -> pl.DataFrame:
    return rows.group_by(key).agg(total=pl.sum_horizontal(columns).sum())


def _consumption_units(world: World, people: pl.DataFrame, mois: str) -> pl.DataFrame:
    """1 for the first person, 0.5 for others of 14 and over, 0.3 under 14 (OECD modified scale)."""
    born = people.join(world.personnes.select("personne", "naissance"), on="personne")
    child = pl.col("naissance").dt.year() > int(mois[:4]) - 14
    weight = pl.when(child).then(0.3).otherwise(0.5)
    return born.group_by("logement").agg(uc=0.5 + weight.sum())
