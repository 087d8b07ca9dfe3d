"""What each person receives in a month, nature by nature, and the benefits CAF pays the household."""

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic import work
from pipelines.synthetic.life import adults_of, ages, children_of
from pipelines.synthetic.margins import Array, Rng, dated, section
from pipelines.synthetic.population import CJT, DEM, ENF, LONE_PARENT, NOBODY, Population

Received = list[tuple[str, Array, Array]]
"""Nature (NATRESS), persons, euros of the month."""

PAID_AS_RESOURCES = ("001", "010", "011", "013", "021", "022", "026", "030", "031", "040")


@dataclass(frozen=True)
class Paid:
    """A month: incomes by nature, benefits by person and by household, total incomes of each household."""

    received: Received
    by_person: dict[str, Array]
    by_home: dict[str, Array]
    total: Array


def pay_one_month(rng: Rng, population: Population, month: int) -> Paid:
    """Incomes and benefits of the month, and the slow average of incomes that housing benefit looks at."""
    received = _incomes(rng, population, month)
    total = _per_home(population, received)
    _remember(rng, population, total)
    by_person = _person_benefits(population, received, month)
    _know_caf(population, month, by_person)
    by_home = _household_benefits(population, month, received)
    return Paid(received, by_person, by_home, total)


def _incomes(rng: Rng, population: Population, month: int) -> Received:
    people = population.people
    living = (people["home"] >= 0) & (people["work"] != work.CHILD)
    received: Received = [
        _wages(rng, population, month, living),
        _allowances(population, living),
        _sick_pay(population, living),
        _maternity(population, month, living),
        _kind(population, living, work.INVALID, "021"),
        _kind(population, living, work.RETIRED, "022"),
        _alimony(population, living),
        _micro(rng, population, living),
        _kind(population, living, work.INDEPENDENT, "031"),
        _kind(population, living, work.FARMER, "031"),
        _grants(population, living),
        _rents(population, living),
    ]
    return [(code, rows[euros > 0], np.round(euros[euros > 0], 2)) for code, rows, euros in received]


def _kind(population: Population, living: Array, kind: int, code: str) -> tuple[str, Array, Array]:
    rows = np.flatnonzero(living & (population.people["work"] == kind))
    return code, rows, population.people["base"][rows]


def _wages(rng: Rng, population: Population, month: int, living: Array) -> tuple[str, Array, Array]:
    people, facts = population.people, section("revenus")
    paid = (*work.EMPLOYED, work.APPRENTICE, work.SHELTERED)
    job_of_student = (people["work"] == work.STUDENT) & (people["support"] < 0.16) & (people["role"] <= CJT)
    rows = np.flatnonzero(
        living & (np.isin(people["work"], paid) | job_of_student) & ~_on_maternity(population, month)
    )
    job = people["work"][rows]
    steady = np.isin(job, (work.CDI, work.APPRENTICE, work.SHELTERED))
    spread = np.where(steady, facts["variation_mensuelle_cdi"], facts["variation_mensuelle_precaire"])
    spread = np.where(job == work.PART_TIME, 0.06, spread)
    euros = people["base"][rows] * (1 + spread * rng.standard_normal(len(rows)).clip(-2.5, 2.5))
    euros = euros * dated(facts["smic_net"], month) / work.MINIMUM_WAGE_OF_REFERENCE
    euros = np.where(people["sick"][rows], euros * 0.35, euros)
    return "001", rows, np.where(_at_rest(rng, job, month), 0.0, np.where(job == work.STUDENT, 380.0, euros))


def _at_rest(rng: Rng, job: Array, month: int) -> Array:
    """Months without work of the insecure: out of season, between two assignments."""
    out_of_season = (job == work.SEASONAL) & (month % 12 + 1 not in work.SEASONS)
    return np.asarray(out_of_season | ((job == work.INTERIM) & (rng.random(len(job)) < 0.22)))


def _allowances(population: Population, living: Array) -> tuple[str, Array, Array]:
    return _kind(population, living, work.COMPENSATED, "010")


def _sick_pay(population: Population, living: Array) -> tuple[str, Array, Array]:
    rows = np.flatnonzero(living & population.people["sick"])
    return "011", rows, population.people["base"][rows] * 0.48


def _on_maternity(population: Population, month: int) -> Array:
    due = population.people["due"]
    return np.asarray(
        (due != NOBODY) & (due - month <= 1) & np.isin(population.people["work"], work.EMPLOYED)
    )


def _maternity(population: Population, month: int, living: Array) -> tuple[str, Array, Array]:
    rows = np.flatnonzero(living & _on_maternity(population, month))
    return "013", rows, population.people["base"][rows] * 0.92


def _alimony(population: Population, living: Array) -> tuple[str, Array, Array]:
    people = population.people
    alone = population.homes["kind"][people["home"]] == LONE_PARENT
    carer = living & alone & (people["role"] <= CJT) & (people["support"] < 0.36)
    rows = np.flatnonzero(carer & (people["conjoint"] == NOBODY))
    children = children_of(population)[people["home"][rows]]
    return "026", rows, children * (110.0 + 250.0 * people["support"][rows])


def _micro(rng: Rng, population: Population, living: Array) -> tuple[str, Array, Array]:
    rows = np.flatnonzero(living & (population.people["work"] == work.MICRO))
    season = np.exp(0.35 * rng.standard_normal(len(rows)))
    return "030", rows, population.people["base"][rows] * season


def _grants(population: Population, living: Array) -> tuple[str, Array, Array]:
    people = population.people
    student = living & (people["work"] == work.STUDENT) & (people["support"] > 0.65) & (people["role"] <= CJT)
    rows = np.flatnonzero(student)
    return "212", rows, 150.0 + 480.0 * (people["support"][rows] - 0.65) / 0.35


def _rents(population: Population, living: Array) -> tuple[str, Array, Array]:
    people, facts = population.people, section("revenus")
    owner = np.isin(population.homes["occ"][people["home"]], ["PRO", "ACC"])
    landlord = living & owner & (people["role"] == DEM) & (people["support"] > 1 - facts["part_bailleurs"])
    rows = np.flatnonzero(landlord)
    return (
        "040",
        rows,
        facts["loyer_moyen"]
        * (0.4 + 1.2 * (people["support"][rows] - 1 + facts["part_bailleurs"]) / facts["part_bailleurs"]),
    )


def _per_home(population: Population, received: Received) -> Array:
    homes, total = population.people["home"], np.zeros(len(population.homes))
    for code, rows, euros in received:
        if code in PAID_AS_RESOURCES:
            total += np.bincount(homes[rows], weights=euros, minlength=len(total))
    return total


def _remember(rng: Rng, population: Population, total: Array) -> None:
    """Average incomes of about a year, per household; new households begin at what they have."""
    homes = population.homes
    new = homes["shyness"] == 0
    homes["shyness"][new], homes["average"][new] = rng.random(int(new.sum())), total[new]
    homes["average"] += (total - homes["average"]) / 12


def _person_benefits(population: Population, received: Received, month: int) -> dict[str, Array]:
    people, scale = population.people, section("baremes")
    living, full = people["home"] >= 0, dated(scale["aah"], month)
    pension = np.zeros(len(people))
    for code, rows, euros in received:
        if code in ("001", "021"):
            pension[rows] += euros * (0.2 if code == "001" else 1.0)
    disabled = living & np.isin(people["work"], (work.DISABLED, work.SHELTERED))
    aah = np.where(disabled, (full - pension).clip(0), 0.0)
    alone = (people["conjoint"] == NOBODY) & (population.homes["occ"][people["home"]] == "LOC")
    caah = np.where((people["work"] == work.DISABLED) & disabled & alone, scale["mva"], 0.0)
    ass = np.where(living & (people["work"] == work.ASS), dated(scale["ass"], month), 0.0)
    topped = living & (people["work"] == work.INVALID) & (people["base"] < 600) & (people["support"] < 0.7)
    asi = np.where(topped, (750.0 - people["base"]).clip(0, 460), 0.0)
    return {"aah": np.round(aah, 2), "caah": caah, "ass": ass, "asi": np.round(asi, 2)}


def _children(population: Population, month: int, youngest: int, oldest: int) -> Array:
    """Dependants of each household aged from ``youngest`` to under ``oldest`` years."""
    people, age = population.people, ages(population, month)
    there = (people["home"] >= 0) & (people["role"] >= ENF) & (age >= youngest) & (age < oldest)
    return np.bincount(people["home"][there], minlength=len(population.homes))


def _know_caf(population: Population, month: int, by_person: dict[str, Array]) -> None:
    """Households CAF knows: once a benefit made them ask, they stay in its files."""
    people, homes, facts = population.people, population.homes, section("caf")
    chance = np.full(len(homes), facts["connu_autre_menage"])
    children = _children(population, month, 0, 20)
    chance = np.maximum(
        chance, np.where(children >= 2, 0.975, np.where(children == 1, facts["connu_un_enfant"], 0))
    )
    chance = np.maximum(chance, np.where(_children(population, month, 0, 3) > 0, 0.90, 0))
    chance = np.maximum(chance, np.where(_housing_benefit(population) > 0, 1 - facts["sans_demande_al"], 0))
    disabled = np.flatnonzero((by_person["aah"] > 0) & (people["home"] >= 0))
    chance[people["home"][disabled]] = 1.0
    homes["known"] |= homes["shyness"] < chance


def _household_benefits(population: Population, month: int, received: Received) -> dict[str, Array]:
    homes = population.homes
    known = homes["known"] & homes["alive"]
    paid = {
        "aide_logement": _housing_benefit(population),
        **_family_allowances(population, month),
        "cf": _family_supplement(population, month),
        "asf": _support_allowance(population, month, received),
        "paje_base": _birth_allowance(population, month),
        "paje_prepare": _parental_leave(population, month),
    }
    known_paid = {name: np.round(euros * known, 2) for name, euros in paid.items()}
    return {**known_paid, "aspa": np.round(_old_age_allowance(population, month), 2)}


def _housing_benefit(population: Population) -> Array:
    """Housing benefit a tenant would get, by persons in the household and average incomes."""
    homes, scale = population.homes, section("baremes")
    persons = (adults_of(population) + children_of(population)).clip(1, 5) - 1
    most, floor = np.array(scale["al_maximum"])[persons], np.array(scale["al_seuil"])[persons]
    euros = (most - scale["al_pente"] * (homes["average"] - floor).clip(0)).clip(0)
    return np.where((homes["occ"] == "LOC") & (euros >= scale["al_minimum"]), euros, 0.0)


def _family_allowances(population: Population, month: int) -> dict[str, Array]:
    scale, base = section("baremes"), dated(section("baremes")["bmaf"], month)
    children = _children(population, month, 0, 20)
    share = np.where(
        children >= 2, scale["af_deux_enfants"] + (children - 2) * scale["af_enfant_suivant"], 0.0
    )
    average, ceiling = population.homes["average"], scale["af_plafond_mois"] + 560.0 * (children - 2)
    reduced = np.where(average < ceiling, 1.0, np.where(average < ceiling * 1.33, 0.5, 0.25))
    older = _children(population, month, scale["af_age_minimum"], 20) - (children == 2)
    older = np.where(children >= 2, older.clip(0), 0)
    af_base = share * base * reduced
    return {"af": af_base + older * scale["af_age"] * base * reduced, "af_base": af_base}


def _family_supplement(population: Population, month: int) -> Array:
    scale, base = section("baremes"), dated(section("baremes")["bmaf"], month)
    three = _children(population, month, 3, 21) >= 3
    average = population.homes["average"]
    plain = np.where(average < scale["cf_plafond_mois"], scale["cf"] * base, 0.0)
    return np.where(three, plain * np.where(average < scale["cf_plafond_mois"] / 2, 1.5, 1.0), 0.0)


def _support_allowance(population: Population, month: int, received: Received) -> Array:
    """ASF of lone parents without alimony."""
    scale, base = section("baremes"), dated(section("baremes")["bmaf"], month)
    alimony = np.zeros(len(population.homes), bool)
    for code, rows, _ in received:
        if code == "026":
            alimony[population.people["home"][rows]] = True
    alone = (population.homes["kind"] == LONE_PARENT) & (adults_of(population) == 1) & ~alimony
    asks = population.homes["shyness"] < 0.75
    return np.asarray(alone * asks * _children(population, month, 0, 20) * scale["asf"] * base)


def _birth_allowance(population: Population, month: int) -> Array:
    scale, base = section("baremes"), dated(section("baremes")["bmaf"], month)
    average = population.homes["average"]
    rate = np.where(
        average < scale["paje_plafond_mois"],
        1.0,
        np.where(average < scale["paje_plafond_mois"] * 1.2, 0.5, 0),
    )
    return np.where(_children(population, month, 0, 3) > 0, rate * scale["paje_base"] * base, 0.0)


def _parental_leave(population: Population, month: int) -> Array:
    people, scale = population.people, section("baremes")
    home = (people["home"] >= 0) & (people["sexe"] == 2) & (people["role"] <= CJT)
    resting = home & (people["work"] == work.AT_HOME) & (people["support"] < 0.35)
    eligible = np.bincount(people["home"][resting], minlength=len(population.homes)) > 0
    eligible &= _children(population, month, 0, 1) > 0
    return np.asarray(eligible * scale["preparee"] * dated(scale["bmaf"], month))


def _old_age_allowance(population: Population, month: int) -> Array:
    people, homes, age = population.people, population.homes, ages(population, month)
    old = (people["home"] >= 0) & (people["role"] <= CJT) & (age >= 65)
    concerned = np.bincount(people["home"][old], minlength=len(homes)) == adults_of(population)
    single = adults_of(population) == 1
    limit = dated(section("baremes")["aspa"], month) * np.where(single, 1.0, 1.5525)
    asks = (homes["shyness"] * 7.13) % 1.0 < 0.5
    return np.where(concerned & asks & homes["alive"], (limit - homes["average"]).clip(0), 0.0)
