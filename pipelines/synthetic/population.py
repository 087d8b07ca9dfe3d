"""The people of the territory on the first day: households, families, dwellings, origins."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from pipelines.synthetic.margins import Array, Rng, rake, section, shares, systematic
from pipelines.territory import Territory

DEM, CJT, ENF, AUT = 0, 1, 2, 3
ROLES = np.array(["DEM", "CJT", "ENF", "AUT"])
NOBODY = -1
MAN_ALONE, WOMAN_ALONE, UNRELATED, COUPLE, COUPLE_WITH_CHILDREN, LONE_PARENT = range(6)
MAJORITY_OF_CHARGE = 25
"""Age in years at which a child leaves the RSA household of its parents (CASF, R. 262-3)."""
CANDIDATES_PER_HOUSEHOLD = 2.0
CAF_COLUMNS = {"shyness": "f8", "average": "f8", "known": "?"}


class Columns:
    """Arrays of one length that grow together."""

    def __init__(self, **columns: Array) -> None:
        self.columns = columns

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __setitem__(self, name: str, values: Array) -> None:
        self.columns[name] = values

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def add(self, rows: int, **values: Any) -> Array:
        """Append ``rows`` rows (scalars are repeated, columns not given are 0); return their row numbers."""
        start = len(self)
        for name, column in self.columns.items():
            new = np.broadcast_to(np.asarray(values.get(name, 0)), (rows,)).astype(column.dtype)
            self.columns[name] = np.concatenate([column, new])
        return np.arange(start, start + rows)


@dataclass
class Population:
    """Persons and households by row number, and the unions of the past and present.

    ``people``: sexe, birth (month number), day, deces (month number, -1), lieu, nati, pere, mere, home
    (-1: nowhere in the territory's story), role, conjoint, due (month number of an expected birth, -1);
    ``work`` adds its own columns. ``homes``: kind, place (row of ``places``), logement, occ, social, sitfam,
    since (month number of sitfam), farm, arrives (month number of entry, 0 when there from the start), alive;
    and, written by ``incomes``, shyness (0: not drawn yet), average (incomes of a year, euros per month),
    known (to CAF). ``unions``: a, b, debut, fin (-1), married. ``sizes``: inhabitants aimed at, per place.
    """

    people: Columns
    homes: Columns
    unions: Columns
    places: Array
    inside: Array
    crown: Array
    towns: Array
    sizes: Array

    @property
    def outside(self) -> Array:
        """Rows of ``places`` that are neither in the territory nor in its crown."""
        return np.flatnonzero(~self.inside & ~self.crown)


class Candidates(NamedTuple):
    """Possible dwellings: type, ages in years of the reference person, partner (-1) and children (-1)."""

    kind: Array
    age: Array
    partner: Array
    children: Array
    ref_is_woman: Array

    def take(self, rows: Array) -> "Candidates":
        """The same, for some rows."""
        return Candidates(*(column[rows] for column in self))


def found(rng: Rng, territoire: Territory, habitants: int, month: int, months: int) -> Population:
    """The population at the start of ``month``: the territory, its crown, and those who will move in.

    ``months`` is the length of the story: the pool of future arrivals is sized on it.
    """
    places, inside, crown, sizes = _places(territoire)
    sizes = sizes * habitants / sizes[inside].sum()
    settled = _dwellings(rng, int(sizes.sum()))
    size = len(settled.kind)
    mobile = np.exp(-(settled.age - 25).clip(0) / 22) + 0.08
    future = settled.take(rng.choice(size, _arrivals(size, months), p=shares(mobile)))
    everyone = Candidates(*(np.concatenate(pair) for pair in zip(settled, future, strict=True)))
    place = np.concatenate([_spread(rng, sizes, size), _away(rng, ~inside & ~crown, len(future.kind))])
    arrives = np.where(np.arange(len(place)) < size, 0, month + rng.integers(1, months, len(place)))
    town = _towns(territoire, len(places))
    return _settle(
        rng, everyone, place, arrives, month, Population(*_empty(), places, inside, crown, town, sizes)
    )


def _places(territoire: Territory) -> tuple[Array, Array, Array, Array]:
    known = territoire.communes
    away = np.array([c for c in section("vie")["dehors_communes"] if c not in set(known["commune_insee"])])
    codes = np.concatenate([known["commune_insee"].to_numpy().astype("U5"), away])
    crown = np.concatenate([known["est_couronne"].to_numpy(), np.zeros(len(away), bool)])
    inside = np.concatenate([~known["est_couronne"].to_numpy(), np.zeros(len(away), bool)])
    peopled = np.where(crown[: len(known)], section("structure")["part_couronne_peuplee"], 1.0)
    sizes = np.concatenate([known["population"].to_numpy() * peopled, np.zeros(len(away))])
    return codes, inside, crown, sizes


def _towns(territoire: Territory, places: int) -> Array:
    """Places big enough for renting to prevail; every place outside is one."""
    big = territoire.communes["population"].to_numpy() >= section("logement")["ville_habitants"]
    return np.concatenate([big, np.ones(places - len(big), bool)])


def _spread(rng: Rng, sizes: Array, size: int) -> Array:
    return rng.permutation(systematic(rng, sizes, size))


def _away(rng: Rng, outside: Array, size: int) -> Array:
    weights = section("vie")["dehors_poids"][: int(outside.sum())]
    return rng.choice(np.flatnonzero(outside), size, p=shares(weights))


def _arrivals(households: int, months: int) -> int:
    life = section("vie")
    moves = 0.088 * months / 12
    deficit = life["deces_par_an"] - life["naissances_par_an"]
    return int(households * (moves * life["part_destination_dehors"] + deficit * months / 12) * 1.1) + 1


def _dwellings(rng: Rng, habitants: int) -> Candidates:
    """Dwellings drawn among candidates raked to the published ages and household types."""
    facts = section("structure")
    dwellings = max(round(habitants * facts["menages_par_habitant"]), 1)
    pool = _candidates(rng, max(int(dwellings * CANDIDATES_PER_HOUSEHOLD), 3000))
    ages = np.array(facts["ages"], float)
    types = np.array(facts["types"], float)
    features = np.column_stack([_age_counts(pool), np.eye(6)[pool.kind]])
    targets = np.concatenate([ages / ages.sum() * habitants, types / types.sum() * dwellings])
    return pool.take(rng.permutation(systematic(rng, rake(features, targets), dwellings)))


def _age_counts(pool: Candidates) -> Array:
    bounds = section("structure")["ages_bornes"]
    everyone = np.column_stack([pool.age, pool.partner, pool.children])
    return np.column_stack([((everyone >= a) & (everyone < b)).sum(axis=1) for a, b in pairwise(bounds)])


def _candidates(rng: Rng, size: int) -> Candidates:
    types = np.array(section("structure")["types"], float)
    kind = rng.choice(6, size, p=types / types.sum())
    age = _reference_age(rng, kind)
    woman = _reference_is_woman(rng, kind)
    paired = (kind == COUPLE) | (kind == COUPLE_WITH_CHILDREN)
    partner = np.where(paired, (age - rng.normal(2.3, 3.6, size)).clip(18, 99).astype(int), NOBODY)
    partner = np.where(kind == UNRELATED, rng.integers(20, 85, size), partner)
    children = _children_at_home(rng, kind, np.where(paired, partner, age))
    families = (kind == COUPLE_WITH_CHILDREN) | (kind == LONE_PARENT)
    kept = ~families | (children >= 0).any(axis=1)
    return Candidates(kind, age, partner, children, woman).take(np.flatnonzero(kept))


def _reference_is_woman(rng: Rng, kind: Array) -> Array:
    mother = rng.random(len(kind)) < section("structure")["part_mere_monoparentale"]
    either = rng.random(len(kind)) < 0.5
    woman = np.where(kind == LONE_PARENT, mother, (kind == WOMAN_ALONE) | ((kind == UNRELATED) & either))
    return woman.astype(bool)


AGE_MIXTURES = {
    MAN_ALONE: (0.62, (44, 15), (72, 10)),
    WOMAN_ALONE: (0.34, (42, 15), (75, 10)),
    UNRELATED: (0.5, (32, 11), (62, 13)),
    COUPLE: (0.24, (33, 8), (67, 10)),
    COUPLE_WITH_CHILDREN: (0.85, (42, 8), (54, 7)),
    LONE_PARENT: (0.8, (42, 9), (60, 9)),
}
"""Per type: share of the first normal law, then (mean, standard deviation) in years of both; raked after."""


def _reference_age(rng: Rng, kind: Array) -> Array:
    laws = np.array([(share, *first, *second) for share, first, second in AGE_MIXTURES.values()])[kind]
    young = rng.random(len(kind)) < laws[:, 0]
    mean, spread = np.where(young, laws[:, 1], laws[:, 3]), np.where(young, laws[:, 2], laws[:, 4])
    drawn = rng.normal(mean, spread)
    return np.where(drawn < 18, rng.integers(18, 32, len(kind)), drawn).clip(18, 99).astype(int)


def _children_at_home(rng: Rng, kind: Array, mother_age: Array) -> Array:
    size = len(kind)
    chances = np.where(
        (kind == LONE_PARENT)[:, None], [0.47, 0.36, 0.13, 0.04], [0.28, 0.47, 0.20, 0.05]
    ).cumsum(axis=1)
    number = (rng.random(size)[:, None] > chances).sum(axis=1) + 1
    first = mother_age - rng.normal(27.5, 4.8, size).clip(17, 42)
    gaps = np.column_stack([np.zeros(size), rng.integers(2, 5, (size, 3)).cumsum(axis=1)])
    ages = np.floor(first[:, None] - gaps)
    parents = (kind == COUPLE_WITH_CHILDREN) | (kind == LONE_PARENT)
    gone = (ages >= 19) & (rng.random((size, 4)) < section("structure")["part_partis_de_19_ans_et_plus"])
    gone |= (ages >= MAJORITY_OF_CHARGE) & (rng.random((size, 4)) < 0.7)
    there = parents[:, None] & (np.arange(4) < number[:, None]) & (ages >= 0) & (ages < 45) & ~gone
    return np.where(there, ages, NOBODY).astype(int)


def _empty() -> tuple[Columns, Columns, Columns]:
    def blank(**types: str) -> Columns:
        return Columns(**{name: np.zeros(0, kind) for name, kind in types.items()})

    people = blank(sexe="i1", birth="i8", day="i1", deces="i8", lieu="U5", nati="U1")
    for name, kind in {
        "pere": "i8",
        "mere": "i8",
        "home": "i8",
        "role": "i1",
        "conjoint": "i8",
        "due": "i8",
    }.items():
        people[name] = np.zeros(0, kind)
    homes = blank(kind="i1", place="i8", logement="i8", occ="U3", social="?", sitfam="U3", since="i8")
    for name, kind in {"farm": "?", "arrives": "i8", "alive": "?", **CAF_COLUMNS}.items():
        homes[name] = np.zeros(0, kind)
    return people, homes, blank(a="i8", b="i8", debut="i8", fin="i8", married="?")


def _settle(
    rng: Rng, drawn: Candidates, place: Array, arrives: Array, month: int, population: Population
) -> Population:
    """Turn dwellings into households and persons: one household per RSA unit, several to a dwelling."""
    homes = _open_homes(rng, drawn, place, arrives, month, population)
    first = add_people(rng, population, month, drawn.age, 1 + drawn.ref_is_woman, homes, DEM)
    _add_partners(rng, drawn, homes, first, month, population)
    _add_flatmates(rng, drawn, homes, month, population)
    _add_children(rng, drawn, homes, first, month, population)
    _remember_lost_partners(rng, month, population)
    return population


def _open_homes(
    rng: Rng, drawn: Candidates, place: Array, arrives: Array, month: int, population: Population
) -> Array:
    size = len(drawn.kind)
    occ, social = draw_tenure(rng, drawn.kind, drawn.age, population.towns[place])
    return population.homes.add(
        size,
        kind=drawn.kind,
        place=place,
        logement=np.arange(size),
        occ=occ,
        social=social,
        sitfam=_family_status(rng, drawn.kind, drawn.age),
        since=month - _years_since(rng, drawn.age),
        farm=False,
        arrives=arrives,
        alive=True,
    )


def _years_since(rng: Rng, age: Array) -> Array:
    return np.asarray(
        (rng.exponential(np.maximum(age - 18, 1) / 2.5) * 12)
        .clip(0, np.maximum(age - 18, 0) * 12)
        .astype(int)
    )


def _family_status(rng: Rng, kind: Array, age: Array) -> Array:
    life = section("vie")
    band = np.searchsorted([30, 45, 60], age, side="right")
    draw = rng.random(len(kind))
    married = draw < np.array(life["part_marie"])[band]
    pacs = rng.random(len(kind)) < life["part_pacs"]
    couple = np.where(married, "MAR", np.where(pacs, "PAC", "VIM"))
    widowed = draw < ((age - 48) / 42).clip(0, 0.9)
    left = np.where(age < 30, "CEL", np.where(draw < 0.70, "DIV", np.where(draw < 0.85, "SEF", "CEL")))
    alone = np.where(widowed, "VEU", np.where(rng.random(len(kind)) < 0.55, left, "CEL"))
    lone = np.where(draw < 0.06, "VEU", np.where(draw < 0.55, "DIV", np.where(draw < 0.75, "ISO", "CEL")))
    paired = (kind == COUPLE) | (kind == COUPLE_WITH_CHILDREN)
    return np.where(paired, couple, np.where(kind == LONE_PARENT, lone, alone))


def draw_tenure(rng: Rng, kind: Array, age: Array, town: Array) -> tuple[Array, Array]:
    """Occupation codes (TYPEOCCLOG) and whether a tenant's landlord is social, by type, age and town."""
    facts = section("logement")
    owner = (
        facts["proprietaire_min"] + facts["proprietaire_par_an"] * (age - facts["proprietaire_debut"])
    ).clip(0.04, facts["proprietaire_max"])
    owner = owner - facts["moins_ville"] * town - facts["moins_monoparental"] * (kind == LONE_PARENT)
    owner = owner + facts["plus_couple"] * ((kind == COUPLE) | (kind == COUPLE_WITH_CHILDREN))
    draw, other = rng.random(len(kind)), rng.random(len(kind))
    loan = (age < facts["accedant_age_max"]) & (rng.random(len(kind)) < facts["part_accedant"])
    bare = np.where(
        other < facts["sans_domicile"], "SRO", np.where(other < facts["loge_gratuitement"], "HGP", "LOC")
    )
    occ = np.where(draw < owner, np.where(loan, "ACC", "PRO"), bare)
    return occ, (occ == "LOC") & (rng.random(len(kind)) < facts["part_social"])


def add_people(
    rng: Rng, population: Population, month: int, age: Array, sexe: Array, home: Array, role: Any
) -> Array:
    """Append persons of these ages (years) with drawn birthdays and birthplaces; return their row numbers."""
    size = len(age)
    lieu, nati = _birthplaces(rng, size)
    return population.people.add(
        size,
        sexe=sexe,
        birth=month - age * 12 - rng.integers(0, 12, size),
        day=rng.integers(1, 32, size),
        deces=NOBODY,
        lieu=lieu,
        nati=nati,
        pere=NOBODY,
        mere=NOBODY,
        home=home,
        role=role,
        conjoint=NOBODY,
        due=NOBODY,
    )


def _birthplaces(rng: Rng, size: int) -> tuple[Array, Array]:
    facts = section("naissance")
    communes, countries = np.array(facts["communes"]), np.array(facts["pays"])
    at_home = rng.choice(communes, size, p=shares(facts["communes_poids"]))
    country = rng.choice(len(countries), size, p=shares(facts["pays_poids"]))
    abroad = rng.random(size) < facts["part_etranger"]
    french = rng.random(size) < np.where(
        abroad, facts["part_nati_f_si_etranger"], facts["part_nati_f_si_france"]
    )
    stranger = np.where(np.array(facts["pays_eee"], bool)[country], "C", "A")
    return np.where(abroad, countries[country], at_home), np.where(french, "F", stranger)


def pair(population: Population, a: Array, b: Array, debut: Array, married: Array) -> None:
    """Write unions between persons ``a`` and ``b`` and make them each other's partner."""
    population.unions.add(len(a), a=a, b=b, debut=debut, fin=NOBODY, married=married)
    population.people["conjoint"][a] = b
    population.people["conjoint"][b] = a


def _add_partners(
    rng: Rng, drawn: Candidates, homes: Array, first: Array, month: int, population: Population
) -> None:
    rows = np.flatnonzero((drawn.kind == COUPLE) | (drawn.kind == COUPLE_WITH_CHILDREN))
    partner = add_people(rng, population, month, drawn.partner[rows], np.full(len(rows), 2), homes[rows], CJT)
    people, status = population.people, population.homes["sitfam"][homes[rows]]
    swap = rng.random(len(rows)) < 0.55
    people["role"][first[rows[swap]]], people["role"][partner[swap]] = CJT, DEM
    pair(population, first[rows], partner, population.homes["since"][homes[rows]], status == "MAR")


def _own_homes(population: Population, beside: Array, kind: Array, occ: Any, month: int) -> Array:
    """Households of their own in the dwelling of others."""
    homes = population.homes
    return homes.add(
        len(beside),
        kind=kind,
        place=homes["place"][beside],
        logement=homes["logement"][beside],
        occ=occ,
        social=False,
        sitfam="CEL",
        since=month - 60,
        farm=False,
        arrives=homes["arrives"][beside],
        alive=True,
    )


def _add_flatmates(rng: Rng, drawn: Candidates, homes: Array, month: int, population: Population) -> None:
    rows = np.flatnonzero(drawn.kind == UNRELATED)
    sexe = rng.integers(1, 3, len(rows))
    own = _own_homes(population, homes[rows], sexe - 1, population.homes["occ"][homes[rows]], month)
    add_people(rng, population, month, drawn.partner[rows], sexe, own, DEM)


def _add_children(
    rng: Rng, drawn: Candidates, homes: Array, first: Array, month: int, population: Population
) -> None:
    """Children under 25 join the household; older ones have their own, lodged for free."""
    row, _ = np.nonzero(drawn.children >= 0)
    age, sexe = drawn.children[drawn.children >= 0], rng.integers(1, 3, int((drawn.children >= 0).sum()))
    child = add_people(rng, population, month, age, sexe, homes[row], ENF)
    people = population.people
    parent, other = first[row], people["conjoint"][first[row]]
    woman = people["sexe"][parent] == 2
    people["mere"][child] = np.where(woman, parent, other)
    people["pere"][child] = np.where(woman, other, parent)
    _name_absent_parents(rng, child, parent, month, population)
    beside = np.flatnonzero(row[1:] == row[:-1])
    make_twins(rng, population, child[beside], child[beside + 1])
    grown = child[month - people["birth"][child] >= 12 * MAJORITY_OF_CHARGE]
    settle_grown_children(population, grown, month)


def make_twins(rng: Rng, population: Population, older: Array, younger: Array) -> None:
    """Now and then a brother or sister is born the same day, at the same place, as the one before.

    Half of the children come after another one at home, hence twice the rate of deliveries.
    """
    people = population.people
    chance = 2 * section("identite")["jumeaux_par_accouchement"]
    twins = rng.spawn(1)[0].random(len(younger)) < chance
    for name in ("birth", "day", "lieu", "nati"):
        people[name][younger[twins]] = people[name][older[twins]]


def settle_grown_children(population: Population, grown: Array, month: int) -> Array:
    """Give children who reach 25 a household of their own in the same dwelling; return it."""
    people = population.people
    kind = (people["sexe"][grown] - 1).astype(np.int8)
    own = _own_homes(population, people["home"][grown], kind, "HGP", month)
    people["home"][grown], people["role"][grown] = own, DEM
    return own


def _name_absent_parents(rng: Rng, child: Array, parent: Array, month: int, population: Population) -> None:
    """The other parent of a lone parent's children: a person of the story, living elsewhere."""
    people = population.people
    alone = child[people["conjoint"][parent] == NOBODY]
    carer = parent[people["conjoint"][parent] == NOBODY]
    unique, position = np.unique(carer, return_inverse=True)
    age = (month - people["birth"][unique]) // 12 + rng.integers(-3, 7, len(unique))
    absent = add_people(rng, population, month, age.clip(18, 99), 3 - people["sexe"][unique], NOBODY, DEM)  # type: ignore[arg-type]
    people["mere"][alone] = np.where(people["sexe"][carer] == 2, carer, absent[position])
    people["pere"][alone] = np.where(people["sexe"][carer] == 2, absent[position], carer)


def _remember_lost_partners(rng: Rng, month: int, population: Population) -> None:
    """Dead or divorced spouses, whose name many women still use."""
    people, homes = population.people, population.homes
    status = homes["sitfam"][people["home"]]
    alone = (people["role"] == DEM) & (people["home"] >= 0) & np.isin(status, ["VEU", "DIV", "SEF"])
    survivor = np.flatnonzero(alone)
    age = ((month - people["birth"][survivor]) // 12 + rng.integers(-4, 8, len(survivor))).clip(20, 99)
    lost = add_people(rng, population, month, age, 3 - people["sexe"][survivor], NOBODY, DEM)  # type: ignore[arg-type]
    end = homes["since"][people["home"][survivor]]
    dead = status[survivor] == "VEU"
    people["deces"][lost[dead]] = end[dead]
    length = (rng.gamma(2.0, 72.0, len(survivor))).astype(int) + 12
    population.unions.add(len(survivor), a=survivor, b=lost, debut=end - length, fin=end, married=True)
