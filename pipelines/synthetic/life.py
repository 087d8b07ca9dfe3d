"""One month of life: deaths, births, separations, unions, departures and moves."""

import numpy as np

from pipelines.synthetic.margins import Array, Rng, section
from pipelines.synthetic.population import (
    CJT,
    DEM,
    ENF,
    LONE_PARENT,
    MAJORITY_OF_CHARGE,
    NOBODY,
    Population,
    add_people,
    draw_tenure,
    pair,
    settle_grown_children,
)

MONTHS_DECLARED_BEFORE_BIRTH = 6
"""A pregnancy is declared before the end of its third month (CSP, L. 2122-1)."""


def expect_first_births(rng: Rng, population: Population, month: int) -> None:
    """Pregnancies already declared when the story begins."""
    for ahead in range(1, MONTHS_DECLARED_BEFORE_BIRTH):
        _conceive(rng, population, month, month + ahead)


def live_one_month(rng: Rng, population: Population, month: int) -> None:
    """Bring every event of the month to the population, in place."""
    _die(rng, population, month)
    _give_birth(rng, population, month)
    _conceive(rng, population, month, month + MONTHS_DECLARED_BEFORE_BIRTH)
    _come_of_age(population, month)
    _leave_parents(rng, population, month)
    _separate(rng, population, month)
    _unite(rng, population, month)
    _move(rng, population)
    _arrive(rng, population, month)
    _close_empty_homes(population)


def ages(population: Population, month: int) -> Array:
    """Age in whole years of every person at the start of the month."""
    return np.asarray((month - population.people["birth"]) // 12)


def adults_of(population: Population) -> Array:
    """Number of adults (applicant, partner) of each household."""
    people = population.people
    there = (people["home"] >= 0) & (people["role"] <= CJT)
    return np.bincount(people["home"][there], minlength=len(population.homes))


def children_of(population: Population) -> Array:
    """Number of dependants of each household."""
    people = population.people
    there = (people["home"] >= 0) & (people["role"] >= ENF)
    return np.bincount(people["home"][there], minlength=len(population.homes))


def _scaled(weights: Array, expected: float) -> Array:
    """Chances proportional to weights, that sum to what is expected."""
    return np.asarray(weights * (expected / max(weights.sum(), 1e-9)))


def _die(rng: Rng, population: Population, month: int) -> None:
    people, life = population.people, section("vie")
    there = people["home"] >= 0
    alone_with_children = (adults_of(population) == 1) & (children_of(population) > 0)
    spared = alone_with_children[people["home"]] & (people["role"] <= CJT)
    weights = np.exp(life["gompertz_pente"] * ages(population, month)) * np.where(
        people["sexe"] == 1, 1.5, 1.0
    )
    chance = _scaled(weights * there, there.sum() * life["deces_par_an"] / 12)
    dead = np.flatnonzero((rng.random(len(people)) < chance) & ~spared)
    left = people["conjoint"][dead]
    bereaved = left[(left >= 0) & ~np.isin(left, dead)]
    people["deces"][dead], people["home"][dead] = month, NOBODY
    _end_unions(population, bereaved, month)
    _stay_alone(population, bereaved, month, "VEU")


def _stay_alone(population: Population, left: Array, month: int, status: str) -> None:
    people, homes = population.people, population.homes
    home = people["home"][left]
    married = np.isin(homes["sitfam"][home], ["MAR", "PAC"])
    people["role"][left] = DEM
    homes["sitfam"][home] = np.where(married, status, "CEL" if status == "VEU" else "ISO")
    homes["since"][home] = month


def _end_unions(population: Population, persons: Array, month: int) -> None:
    unions, people = population.unions, population.people
    ending = (unions["fin"] == NOBODY) & (np.isin(unions["a"], persons) | np.isin(unions["b"], persons))
    unions["fin"][ending] = month
    people["conjoint"][unions["a"][ending]] = NOBODY
    people["conjoint"][unions["b"][ending]] = NOBODY


def _fertile(population: Population, month: int) -> Array:
    people, age = population.people, ages(population, month)
    woman = (
        (people["sexe"] == 2) & (people["home"] >= 0) & (people["role"] <= CJT) & (people["due"] == NOBODY)
    )
    curve = np.exp(-(((age - 30.5) / 5.2) ** 2) / 2) * ((age >= 17) & (age <= 44))
    return np.asarray(curve * woman * np.where(people["conjoint"] >= 0, 1.0, 0.13))


def _conceive(rng: Rng, population: Population, month: int, due: int) -> None:
    people = population.people
    expected = (people["home"] >= 0).sum() * section("vie")["naissances_par_an"] / 12
    chance = _scaled(_fertile(population, month), expected)
    people["due"][rng.random(len(people)) < chance] = due


def _give_birth(rng: Rng, population: Population, month: int) -> None:
    people = population.people
    mother = _of_each_child(rng, np.flatnonzero((people["due"] == month) & (people["home"] >= 0)))
    sexe = 1 + (rng.random(len(mother)) < 0.488)
    child = add_people(rng, population, month, np.zeros(len(mother), int), sexe, people["home"][mother], ENF)
    people = population.people
    people["birth"][child], people["nati"][child] = month, people["nati"][mother]
    people["lieu"][child] = np.where(rng.random(len(child)) < 0.72, "31483", "31555")
    people["mere"][child], people["pere"][child] = mother, people["conjoint"][mother]
    second = np.flatnonzero(mother[1:] == mother[:-1]) + 1
    for name in ("day", "lieu"):
        people[name][child[second]] = people[name][child[second - 1]]
    people["due"][people["due"] == month] = NOBODY


def _of_each_child(rng: Rng, mother: Array) -> Array:
    """The mothers, twice when they have twins."""
    twins = rng.spawn(1)[0].random(len(mother)) < section("identite")["jumeaux_par_accouchement"]
    return np.repeat(mother, 1 + twins)


def _come_of_age(population: Population, month: int) -> None:
    people = population.people
    grown = np.flatnonzero(
        (people["home"] >= 0) & (people["role"] == ENF) & (month - people["birth"] >= 12 * MAJORITY_OF_CHARGE)
    )
    settle_grown_children(population, grown, month)


def _leave_parents(rng: Rng, population: Population, month: int) -> None:
    people, age = population.people, ages(population, month)
    may = (people["home"] >= 0) & (people["role"] == ENF) & (age >= 18)
    leaver = np.flatnonzero(may & (rng.random(len(people)) < section("vie")["depart_jeune_par_mois"]))
    away = rng.random(len(leaver)) < 0.55
    near = np.flatnonzero(population.towns & (population.inside | population.crown))
    place = np.where(away, rng.choice(population.outside, len(leaver)), rng.choice(near, len(leaver)))
    _new_home(rng, population, leaver, place, month, "CEL")


def _new_home(
    rng: Rng, population: Population, leaver: Array, place: Array, month: int, status: str
) -> Array:
    """A household of one, in another dwelling, for each leaver."""
    people, homes = population.people, population.homes
    kind = (people["sexe"][leaver] - 1).astype(np.int8)
    occ, social = draw_tenure(rng, kind, ages(population, month)[leaver] - 12, population.towns[place])
    home = homes.add(
        len(leaver),
        kind=kind,
        place=place,
        logement=_new_dwellings(population, len(leaver)),
        occ=occ,
        social=social,
        sitfam=status,
        since=month,
        farm=False,
        arrives=0,
        alive=True,
    )
    people["home"][leaver], people["role"][leaver] = home, DEM
    return home


def _new_dwellings(population: Population, size: int) -> Array:
    return np.asarray(population.homes["logement"].max() + 1 + np.arange(size))


def _separate(rng: Rng, population: Population, month: int) -> None:
    people, age = population.people, ages(population, month)
    partner = (people["home"] >= 0) & (people["conjoint"] >= 0) & (people["sexe"] == 1)
    weights = partner * np.exp(-(age - 30).clip(0) / 22)
    chance = _scaled(weights, partner.sum() * section("vie")["ruptures_par_an"] / 12)
    man = np.flatnonzero(rng.random(len(people)) < chance)
    woman = people["conjoint"][man]
    with_children = children_of(population)[people["home"][man]] > 0
    he_leaves = rng.random(len(man)) < np.where(with_children, 0.84, 0.5)
    leaver, stayer = np.where(he_leaves, man, woman), np.where(he_leaves, woman, man)
    _end_unions(population, leaver, month)
    status = population.homes["sitfam"][people["home"][leaver]]
    _stay_alone(population, stayer, month, "SEF")
    population.homes["kind"][people["home"][stayer]] = np.where(
        with_children, LONE_PARENT, people["sexe"][stayer] - 1
    )
    place = _somewhere(rng, population, population.homes["place"][people["home"][leaver]])
    home = _new_home(rng, population, leaver, place, month, "ISO")
    population.homes["sitfam"][home] = np.where(np.isin(status, ["MAR", "PAC"]), "SEF", "ISO")


def _unite(rng: Rng, population: Population, month: int) -> None:
    people, homes, age = population.people, population.homes, ages(population, month)
    single = (people["home"] >= 0) & (people["role"] == DEM) & (people["conjoint"] == NOBODY)
    single &= (age >= 19) & (age < 70) & ~np.isin(homes["place"][people["home"]], population.outside)
    chance = single * np.exp(-(age - 28).clip(0) / 25) * section("vie")["unions_par_an"] / 4
    chosen = rng.random(len(people)) < chance
    men, women = (
        np.flatnonzero(chosen & (people["sexe"] == 1)),
        np.flatnonzero(chosen & (people["sexe"] == 2)),
    )
    size = min(len(men), len(women))
    men, women = rng.permutation(men)[:size], rng.permutation(women)[:size]
    men, women = men[np.argsort(age[men])], women[np.argsort(age[women])]
    alike = np.abs(age[men] - age[women]) < 12
    _join_homes(rng, population, men[alike], women[alike], month)


def _join_homes(rng: Rng, population: Population, men: Array, women: Array, month: int) -> None:
    people, homes = population.people, population.homes
    he_moves = rng.random(len(men)) < 0.5
    mover, host = np.where(he_moves, men, women), np.where(he_moves, women, men)
    draw = rng.random(len(men))
    status = np.where(draw < 0.72, "VIM", np.where(draw < 0.84, "PAC", "MAR"))
    target = np.arange(len(homes))
    target[people["home"][mover]] = people["home"][host]
    there = people["home"] >= 0
    people["home"][there] = target[people["home"][there]]
    people["role"][mover] = CJT
    homes["sitfam"][people["home"][host]], homes["since"][people["home"][host]] = status, month
    pair(population, men, women, np.full(len(men), month), status == "MAR")


def _move(rng: Rng, population: Population) -> None:
    homes, life = population.homes, section("vie")
    rates = {"PRO": "proprietaire", "ACC": "proprietaire", "LOC": "locataire", "HGP": "loge", "SRO": "loge"}
    yearly = np.zeros(len(homes))
    for occ, name in rates.items():
        yearly[homes["occ"] == occ] = life[f"demenage_{name}"]
    yearly[homes["social"]] = life["demenage_social"]
    still = np.isin(homes["place"], population.outside) | ~homes["alive"]
    mover = np.flatnonzero((rng.random(len(homes)) < yearly / 12) & ~still)
    homes["place"][mover] = _somewhere(rng, population, homes["place"][mover])
    homes["logement"][mover] = _new_dwellings(population, len(mover))
    _new_tenure(rng, population, mover)


def _new_tenure(rng: Rng, population: Population, mover: Array) -> None:
    homes = population.homes
    owner = np.isin(homes["occ"][mover], ["PRO", "ACC"])
    buys = rng.random(len(mover)) < np.where(owner, 0.55, 0.12)
    homes["occ"][mover] = np.where(buys, "ACC", np.where(rng.random(len(mover)) < 0.05, "HGP", "LOC"))
    homes["social"][mover] = ~buys & (rng.random(len(mover)) < section("logement")["part_social"])


def _somewhere(rng: Rng, population: Population, place: Array) -> Array:
    """Where movers go: the territory, its crown, outside."""
    life, size = section("vie"), len(place)
    draw, from_crown = rng.random(size), population.crown[place]
    outside = draw < life["part_destination_dehors"]
    inward = rng.random(size) < np.where(from_crown, 0.45, 1.0 - life["part_destination_couronne"])
    near = _by_size(rng, population, population.inside, size)
    around = _by_size(rng, population, population.crown, size) if population.crown.any() else near
    return np.where(outside, rng.choice(population.outside, size), np.where(inward, near, around))


def _by_size(rng: Rng, population: Population, where: Array, size: int) -> Array:
    rows = np.flatnonzero(where)
    weights = population.sizes[rows]
    return rng.choice(rows, size, p=weights / weights.sum())


def _arrive(rng: Rng, population: Population, month: int) -> None:
    homes = population.homes
    coming = np.flatnonzero(homes["arrives"] == month)
    both = population.inside | population.crown
    dwelling, position = np.unique(homes["logement"][coming], return_inverse=True)
    homes["place"][coming] = _by_size(rng, population, both, len(dwelling))[position]
    homes["logement"][coming] = _new_dwellings(population, len(dwelling))[position]


def _close_empty_homes(population: Population) -> None:
    population.homes["alive"] &= adults_of(population) > 0
