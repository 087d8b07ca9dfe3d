"""What each person does for a living, on the first day and month after month."""

import numpy as np

from pipelines.synthetic.life import ages
from pipelines.synthetic.margins import Array, Rng, section
from pipelines.synthetic.population import CJT, ENF, NOBODY, Population

(
    CHILD,
    CDI,
    PART_TIME,
    CDD,
    INTERIM,
    SEASONAL,
    MICRO,
    INDEPENDENT,
    FARMER,
    COMPENSATED,
    UNPAID_JOBLESS,
    ASS,
    AT_HOME,
    STUDENT,
    APPRENTICE,
    RETIRED,
    DISABLED,
    SHELTERED,
    INVALID,
) = range(19)
ACT = np.array(
    [
        "SCO", "CDI", "CDI", "CDD", "INT", "TSA", "AEN", "ETI", "EXP", "ABA",
        "CNI", "ASS", "SSA", "ETU", "APP", "RET", "SAC", "CAT", "INV",
    ]
)  # fmt: skip
"""Code ACT of each occupation above, in the same order."""

EMPLOYED = (CDI, PART_TIME, CDD, INTERIM, SEASONAL)
JOBLESS = (COMPENSATED, UNPAID_JOBLESS, ASS, AT_HOME)
SEASONS = (1, 2, 3, 6, 7, 8, 9)
"""Months of the year (1..12) with seasonal work: the ski stations, then the summer."""


def begin(rng: Rng, population: Population, month: int) -> None:
    """Give every person an occupation, a monthly wage or pension of reference, and a chance in life."""
    people = population.people
    size = len(people)
    people["chance"] = _shared_chance(rng, population)
    people["work"] = np.full(size, CHILD, np.int8)
    people["base"], people["months_in"] = np.zeros(size), rng.integers(0, 24, size)
    people["sick"], people["farm_wage"] = np.zeros(size, bool), np.zeros(size, bool)
    people["support"] = rng.random(size)
    _first_occupations(rng, population, month)
    _first_amounts(rng, population, month, np.arange(size))
    _found_farms(rng, population)


def complete_newcomers(rng: Rng, population: Population, known: int) -> None:
    """Columns of persons added since ``known`` rows: children have no occupation yet."""
    people = population.people
    new = len(people) - known
    blanks = {
        "chance": rng.normal(size=new),
        "work": np.full(new, CHILD, np.int8),
        "base": np.zeros(new),
        "months_in": np.zeros(new, np.int64),
        "sick": np.zeros(new, bool),
        "farm_wage": np.zeros(new, bool),
        "support": rng.random(new),
    }
    for name, values in blanks.items():
        people[name] = np.concatenate([people[name][:known], values])


def work_one_month(rng: Rng, population: Population, month: int) -> None:
    """Jobs that end and begin, sick leave, studies that end, retirement; in place."""
    people = population.people
    before = people["work"].copy()
    _leave_school(rng, population, month)
    _lose_jobs(rng, population)
    _end_compensation(rng, population)
    _find_jobs(rng, population)
    _retire(rng, population, month)
    _fall_ill(rng, population)
    changed = people["work"] != before
    people["months_in"] = np.where(changed, 0, people["months_in"] + 1)
    people["base"] = np.where(
        changed & (people["work"] == COMPENSATED), _allowance(people["base"]), people["base"]
    )
    returned = (
        np.isin(before, JOBLESS) | np.isin(before, (CHILD, STUDENT, APPRENTICE)) | (people["work"] == RETIRED)
    )
    _first_amounts(rng, population, month, np.flatnonzero(changed & returned))


def _shared_chance(rng: Rng, population: Population) -> Array:
    """A standard normal per person, shared for half its variance inside a household."""
    people = population.people
    own, shared = rng.normal(size=len(people)), rng.normal(size=len(population.homes) + 1)
    return np.asarray(np.sqrt(0.5) * (own + shared[people["home"]]))


def _first_occupations(rng: Rng, population: Population, month: int) -> None:
    people, age = population.people, ages(population, month)
    adult = age >= 16
    young = adult & (age < 25)
    working = rng.random(len(people)) < _employment_rate(population, age)
    people["work"] = np.where(adult & working, _job(rng, population), people["work"])
    people["work"] = np.where(adult & ~working, _without_job(rng, population, age), people["work"])
    _school(rng, population, age, young)
    retirement = section("emploi")["age_retraite"]
    retired = (age >= retirement + 3) | ((age >= retirement) & (rng.random(len(age)) < 0.75))
    retired |= (age >= 60) & ~working & (rng.random(len(age)) < 0.28)
    people["work"] = np.where(retired, RETIRED, people["work"]).astype(np.int8)


def _employment_rate(population: Population, age: Array) -> Array:
    """Chance of a job: published rates by sex and age, moved by chance in life and household."""
    people, facts = population.people, section("emploi")
    band = np.searchsorted([25, 55], age, side="right")
    rate = np.where(people["sexe"] == 1, np.array(facts["emploi_h"])[band], np.array(facts["emploi_f"])[band])
    paired = people["conjoint"] >= 0
    shift = (
        np.where(paired, facts["couple_plus_proche"], -facts["isole_plus_eloigne"]) + 1.2 * people["chance"]
    )
    shift = shift + np.where((age >= 55) & (age < 60), 0.75, 0) - np.where(age >= 60, 0.55, 0)
    return np.asarray(1 / (1 + np.exp(-(1.22 * np.log(rate / (1 - rate)) + shift))))


def _job(rng: Rng, population: Population) -> Array:
    people, facts = population.people, section("emploi")
    draw, kind = rng.random(len(people)), rng.random(len(people))
    part = np.where(people["sexe"] == 1, facts["part_temps_partiel_h"], facts["part_temps_partiel_f"])
    unstable = facts["part_cdd"] + facts["part_interim"]
    risk = np.exp(-0.45 * people["chance"])
    job = np.where(kind < part, PART_TIME, CDI)
    job = np.where(
        draw < unstable * risk, np.where(kind < 0.6, CDD, np.where(kind < 0.82, INTERIM, SEASONAL)), job
    )
    job = np.where(draw > 1 - facts["part_micro"], MICRO, job)
    own = draw > 1 - facts["part_micro"] - facts["part_independants"]
    return np.where(own & (job != MICRO), INDEPENDENT, job)


def _without_job(rng: Rng, population: Population, age: Array) -> Array:
    people, facts = population.people, section("emploi")
    draw, paid = rng.random(len(people)), rng.random(len(people))
    poor = np.exp(-0.5 * people["chance"])
    disabled = ((age >= 20) & (age < 62)) * facts["part_aah_20_62"] / 0.30 * poor
    jobless = np.where(paid < facts["part_indemnises"], COMPENSATED, UNPAID_JOBLESS)
    jobless = np.where(paid > 1 - facts["part_ass"] * (age >= 40), ASS, jobless)
    state = np.where(draw < 0.62, jobless, AT_HOME)
    state = np.where((draw > 0.93) & (age >= 35), INVALID, state)
    return np.where(rng.random(len(people)) < disabled, np.where(paid < 0.10, SHELTERED, DISABLED), state)


def _school(rng: Rng, population: Population, age: Array, young: Array) -> None:
    people, facts = population.people, section("emploi")
    dependant = people["role"] == ENF
    studying = young & (rng.random(len(people)) < np.where(age < 18, 0.92, facts["part_etudiants_15_24"]))
    studying &= dependant | (rng.random(len(people)) < 0.55)
    learning = studying & (rng.random(len(people)) < facts["part_apprentis_15_24"])
    people["work"] = np.where(studying, np.where(learning, APPRENTICE, STUDENT), people["work"])


def _found_farms(rng: Rng, population: Population) -> None:
    people, homes, facts = population.people, population.homes, section("emploi")
    working = (
        (people["home"] >= 0) & (people["role"] <= CJT) & np.isin(people["work"], (CDI, INDEPENDENT, MICRO))
    )
    rural = ~population.towns[homes["place"][people["home"]]]
    farmer = working & rural & (rng.random(len(people)) < facts["part_agriculteurs"] * 1.9)
    people["work"][farmer] = FARMER
    people["base"][farmer] = _lognormal(rng, "agricole", int(farmer.sum()))
    salaried = np.isin(people["work"], EMPLOYED)
    people["farm_wage"] = salaried & (rng.random(len(people)) < facts["part_salaries_agricoles"])
    concerned = (farmer | people["farm_wage"]) & (people["role"] <= CJT) & (people["home"] >= 0)
    homes["farm"][people["home"][concerned]] = True


def _lognormal(rng: Rng, name: str, size: int) -> Array:
    facts = section("revenus")
    return np.asarray(facts[f"{name}_median"] * np.exp(facts[f"{name}_sigma"] * rng.normal(size=size)))


def _first_amounts(rng: Rng, population: Population, month: int, rows: Array) -> None:
    """Reference amounts in euros per month for the persons ``rows``: wage, benefit, profit or pension."""
    people, size = population.people, len(rows)
    work, wage = people["work"][rows], _wages(rng, population, rows)
    amount = np.where(work == PART_TIME, wage * rng.uniform(0.35, 0.80, size), wage)
    amount = np.where(np.isin(work, (INTERIM, SEASONAL)), wage * rng.uniform(0.55, 1.0, size), amount)
    amount = np.where(
        np.isin(work, (COMPENSATED, UNPAID_JOBLESS, ASS)),
        _allowance(wage * rng.uniform(0.6, 1.0, size)),
        amount,
    )
    amount = np.where(work == MICRO, _lognormal(rng, "micro", size), amount)
    amount = np.where(work == INDEPENDENT, _lognormal(rng, "independant", size), amount)
    amount = np.where(work == RETIRED, _pensions(rng, population, rows), amount)
    amount = np.where(work == INVALID, rng.uniform(320, 1150, size), amount)
    amount = np.where(work == APPRENTICE, rng.uniform(480, 1150, size), amount)
    amount = np.where(work == SHELTERED, rng.uniform(500, 820, size), amount)
    people["base"][rows] = np.where(np.isin(work, (CHILD, AT_HOME, DISABLED)), 0.0, amount)


def _wages(rng: Rng, population: Population, rows: Array) -> Array:
    """Full-time net wages as multiples of a minimum wage of 1 euro are scaled when paid."""
    facts, people = section("revenus"), population.people
    luck = 0.55 * people["chance"][rows] + np.sqrt(1 - 0.55**2) * rng.normal(size=len(rows))
    man = np.where(people["sexe"][rows] == 1, 1.05, 0.95)
    ratio = facts["salaire_median_sur_smic"] * man * np.exp(facts["salaire_sigma"] * luck)
    return np.asarray(np.maximum(ratio, 1.0) * MINIMUM_WAGE_OF_REFERENCE)


MINIMUM_WAGE_OF_REFERENCE = 1383.08
"""Net monthly SMIC of May 2023, in which reference wages are written; paid wages follow the SMIC."""


def _pensions(rng: Rng, population: Population, rows: Array) -> Array:
    facts, people = section("revenus"), population.people
    middle = np.where(people["sexe"][rows] == 1, facts["pension_mediane_h"], facts["pension_mediane_f"])
    luck = 0.5 * people["chance"][rows] + np.sqrt(0.75) * rng.normal(size=len(rows))
    alone = (people["conjoint"][rows] == NOBODY) & (people["sexe"][rows] == 2)
    survivor = 1 + facts["pension_reversion"] * alone
    return np.asarray(middle * survivor * np.exp(facts["pension_sigma"] * luck))


def _allowance(base: Array) -> Array:
    facts = section("revenus")
    return np.asarray(np.maximum(base * facts["are_taux"], np.minimum(facts["are_minimum"], base)))


def _leave_school(rng: Rng, population: Population, month: int) -> None:
    people, age = population.people, ages(population, month)
    draw = rng.random(len(people))
    starts = (people["work"] == CHILD) & (age >= 16)
    people["work"][starts] = np.where(draw[starts] < 0.06, APPRENTICE, STUDENT)
    rate = section("emploi")["fin_etudes_par_mois"]
    studying = np.isin(people["work"], (STUDENT, APPRENTICE)) & (age >= 18)
    done = studying & ((draw < rate * np.where(age >= 22, 3.0, 1.0)) | (age >= 27))
    hired = done & (rng.random(len(people)) < 0.62)
    people["work"] = np.where(
        hired, _job(rng, population), np.where(done, UNPAID_JOBLESS, people["work"])
    ).astype(np.int8)


def _lose_jobs(rng: Rng, population: Population) -> None:
    people, facts = population.people, section("emploi")
    rate = np.zeros(len(ACT))
    rate[[CDI, PART_TIME]], rate[CDD] = facts["perte_cdi"], facts["perte_cdd"]
    rate[[INTERIM, SEASONAL]], rate[[MICRO, INDEPENDENT]] = facts["perte_interim"] / 2, 0.004
    lost = rng.random(len(people)) < rate[people["work"]] * np.exp(-0.25 * people["chance"])
    paid = rng.random(len(people)) < 0.62
    people["work"] = np.where(lost, np.where(paid, COMPENSATED, UNPAID_JOBLESS), people["work"]).astype(
        np.int8
    )


def _end_compensation(rng: Rng, population: Population) -> None:
    people, facts = population.people, section("emploi")
    ended = (people["work"] == COMPENSATED) & (rng.random(len(people)) < facts["fin_indemnisation"])
    after = np.where(rng.random(len(people)) < facts["part_ass"], ASS, UNPAID_JOBLESS)
    people["work"] = np.where(ended, after, people["work"]).astype(np.int8)


def _find_jobs(rng: Rng, population: Population) -> None:
    people, facts = population.people, section("emploi")
    rate = np.zeros(len(ACT))
    rate[COMPENSATED], rate[[UNPAID_JOBLESS, ASS]] = facts["retour_indemnise"], facts["retour_non_indemnise"]
    rate[AT_HOME] = facts["retour_inactif"]
    ease = np.where(people["conjoint"] >= 0, 1.15, 0.75) * np.exp(0.35 * people["chance"])
    found = rng.random(len(people)) < rate[people["work"]] * ease
    insecure = np.where(rng.random(len(people)) < 0.55, CDD, _job(rng, population))
    people["work"] = np.where(found, insecure, people["work"]).astype(np.int8)


def _retire(rng: Rng, population: Population, month: int) -> None:
    people, age = population.people, ages(population, month)
    limit = section("emploi")["age_retraite"]
    chance = np.where(age >= limit + 4, 1.0, np.where(age >= limit, 0.045, np.where(age >= 61, 0.012, 0.0)))
    retiring = (people["work"] != RETIRED) & (rng.random(len(people)) < chance)
    people["work"] = np.where(retiring, RETIRED, people["work"]).astype(np.int8)


def _fall_ill(rng: Rng, population: Population) -> None:
    people, facts = population.people, section("emploi")
    draw = rng.random(len(people))
    can = np.isin(people["work"], EMPLOYED)
    people["sick"] = can & np.where(people["sick"], draw >= facts["fin_arret"], draw < facts["arret_maladie"])
