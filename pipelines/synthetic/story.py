"""The months of the territory one after the other, and the frames that tell them."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipelines.calendar import month_number, month_of_number
from pipelines.synthetic import incomes, work
from pipelines.synthetic.frames import COLUMNS
from pipelines.synthetic.life import ages, expect_first_births, live_one_month
from pipelines.synthetic.margins import Array, Rng, section
from pipelines.synthetic.population import CJT, NOBODY, ROLES, Population, found
from pipelines.territory import Territory
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

STATES_KEPT = 3
"""Months of ``etats`` kept: the last ones, an extract describes persons at its own month only."""


@dataclass
class Story:
    """What happened, month by month: frames in the making and the place of every person."""

    population: Population
    first: int
    homes: list[pl.DataFrame] = field(default_factory=list)
    benefits: list[pl.DataFrame] = field(default_factory=list)
    resources: list[pl.DataFrame] = field(default_factory=list)
    states: list[pl.DataFrame] = field(default_factory=list)
    whereabouts: list[tuple[Array, Array]] = field(default_factory=list)
    seen: list[dict[str, Array]] = field(default_factory=list)

    @property
    def months(self) -> int:
        """Number of months lived so far."""
        return len(self.homes)


def tell(rng: Rng, territoire: Territory, habitants: int, debut: str, fin: str) -> Story:
    """Live from ``debut`` to ``fin`` (AAAA-MM, both included) with ``habitants`` inhabitants at the start."""
    first, last = month_number(debut), month_number(fin)
    population = found(rng, territoire, habitants, first, last - first + 1)
    work.begin(rng, population, first)
    expect_first_births(rng, population, first)
    story = Story(population, first)
    for month in range(first, last + 1):
        _live(rng, story, month, keep_states=month > last - STATES_KEPT)
    return story


def _live(rng: Rng, story: Story, month: int, *, keep_states: bool) -> None:
    population, known = story.population, len(story.population.people)
    live_one_month(rng, population, month)
    work.complete_newcomers(rng, population, known)
    work.work_one_month(rng, population, month)
    paid = incomes.pay_one_month(rng, population, month)
    story.homes.append(_homes(population, month, paid.by_home))
    story.benefits.append(_benefits(population, month, paid.by_person))
    story.resources.append(_resources(population, month, paid.received))
    story.whereabouts.append((population.people["home"].copy(), population.people["role"].copy()))
    story.seen.append(_seen(population, paid.by_person))
    if keep_states:
        story.states.append(_states(population, month))


def _seen(population: Population, paid: dict[str, Array]) -> dict[str, Array]:
    """What files and take-up look at, per household: place, known to CAF, owner, AAH."""
    people, homes = population.people, population.homes
    disabled = np.zeros(len(homes), bool)
    disabled[people["home"][(paid["aah"] > 0) & (people["home"] >= 0)]] = True
    owner = np.isin(homes["occ"], ["PRO", "ACC"])
    return {
        "place": homes["place"].copy(),
        "known": homes["known"].copy(),
        "owner": owner,
        "disabled": disabled,
    }


def texts(values: Array) -> pl.Series:
    """Few distinct strings as a Series, the empty one null; each is written once."""
    flat = np.ascontiguousarray(values)
    keys = flat.view(np.uint32).reshape(len(flat), -1) @ TEXT_MULTIPLIERS[: flat.dtype.itemsize // 4]
    _, index, codes = np.unique(keys, return_index=True, return_inverse=True)
    return pl.Series([str(text) or None for text in flat[index]], dtype=pl.String).gather(codes)


TEXT_MULTIPLIERS = np.array([131**power for power in range(9)], np.uint64)
"""Weights that give each short code (ASCII, up to nine letters) a number of its own."""


def months_as_text(column: str) -> pl.Expr:
    """A column of month numbers written AAAA-MM; negative numbers become null."""
    number = pl.col(column)
    text = (number // 12).cast(pl.String) + "-" + (number % 12 + 1).cast(pl.String).str.zfill(2)
    return pl.when(number >= 0).then(text).otherwise(None).alias(column)


def shaped(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns and types the contract of the world declares for ``name``."""
    return frame.select(pl.col(column).cast(kind) for column, kind in COLUMNS[name].items())


def _homes(population: Population, month: int, paid: dict[str, Array]) -> pl.DataFrame:
    homes = population.homes
    rows = np.flatnonzero(homes["alive"])
    place = homes["place"][rows]
    columns = {
        "menage": rows,
        "mois": pl.repeat(month_of_number(month), len(rows), eager=True),
        "commune_insee": pl.Series(population.places.tolist()).gather(place),
        "logement": homes["logement"][rows],
        "est_territoire": population.inside[place],
        "occlog": texts(homes["occ"][rows]),
        "sitfam": texts(homes["sitfam"][rows]),
        "sitfam_date": homes["since"][rows],
        **{name: paid[name][rows] for name in HOUSEHOLD_BENEFITS},
        "est_agricole": homes["farm"][rows],
    }
    return shaped("menages_mois", pl.DataFrame(columns).with_columns(months_as_text("sitfam_date")))


def _benefits(population: Population, month: int, paid: dict[str, Array]) -> pl.DataFrame:
    rows = np.flatnonzero((population.people["home"] >= 0) & (population.people["role"] <= CJT))
    columns = {"personne": rows, "mois": pl.repeat(month_of_number(month), len(rows), eager=True)}
    columns |= {name: paid[name][rows] for name in PERSON_BENEFITS}
    return shaped("prestations", pl.DataFrame(columns))


def _resources(population: Population, month: int, received: incomes.Received) -> pl.DataFrame:
    people = population.people
    adults = (people["home"] >= 0) & (people["role"] <= CJT)
    for _, rows, _ in received:
        adults[rows] = False
    nil = np.flatnonzero(adults)
    everything = [*received, ("000", nil, np.zeros(len(nil)))]
    columns = {
        "personne": np.concatenate([rows for _, rows, _ in everything]),
        "natress": pl.concat([pl.repeat(code, len(rows), eager=True) for code, rows, _ in everything]),
        "montant": np.concatenate([euros for _, _, euros in everything]),
    }
    return shaped("ressources", pl.DataFrame(columns).with_columns(mois=pl.lit(month_of_number(month))))


def _states(population: Population, month: int) -> pl.DataFrame:
    people = population.people
    rows = np.flatnonzero(people["home"] >= 0)
    job, due = people["work"][rows], people["due"][rows]
    act = np.where(people["sick"][rows], "MAL", work.ACT[job])
    on_leave = (due != NOBODY) & (due - month <= 1) & np.isin(job, work.EMPLOYED)
    act = np.where(on_leave, "MAT", act)
    farm = (job == work.FARMER) | people["farm_wage"][rows] | population.homes["farm"][people["home"][rows]]
    columns = {
        "personne": rows,
        "mois": pl.repeat(month_of_number(month), len(rows), eager=True),
        "act": texts(np.where((job == work.CHILD) & (ages(population, month)[rows] < 6), "", act)),
        "etudiant": job == work.STUDENT,
        "enceinte": due != NOBODY,
        "regime": texts(np.where(farm, "AG", "GE")),
    }
    return shaped("etats", pl.DataFrame(columns))


def membership(story: Story) -> pl.DataFrame:
    """Spells of every person in every household, with their role."""
    home, role = _aligned(story)
    same = (home[:, 1:] == home[:, :-1]) & (role[:, 1:] == role[:, :-1])
    starts = np.column_stack([home[:, 0] >= 0, (home[:, 1:] >= 0) & ~same])
    ends = np.column_stack([(home[:, :-1] >= 0) & ~same, home[:, -1] >= 0])
    person, since = np.nonzero(starts)
    _, until = np.nonzero(ends)
    present_du = np.where(since == 0, _long_since(story, person, role[person, 0]), story.first + since)
    present_au = np.where(until == home.shape[1] - 1, NOBODY, story.first + until)
    columns = {
        "menage": home[person, since],
        "personne": person,
        "role": ROLES[role[person, since]],
        "present_du": present_du,
        "present_au": present_au,
    }
    written = pl.DataFrame(columns).with_columns(months_as_text("present_du"), months_as_text("present_au"))
    return shaped("membres", written)


def _aligned(story: Story) -> tuple[Array, Array]:
    size = len(story.population.people)
    home = np.full((size, story.months), NOBODY, np.int64)
    role = np.zeros((size, story.months), np.int8)
    for t, (where, what) in enumerate(story.whereabouts):
        home[: len(where), t], role[: len(what), t] = where, what
    return home, role


def _long_since(story: Story, person: Array, role: Array) -> Array:
    """Arrival in the household of those who were there on the first day."""
    people = story.population.people
    grown = people["birth"][person] + 12 * 18 + (people["support"][person] * 120).astype(int)
    since = np.minimum(np.where(role <= CJT, grown, people["birth"][person]), story.first)
    return np.asarray(since.clip(people["birth"][person]))


def persons(story: Story) -> pl.DataFrame:
    """Every person of the story, absent parents and lost spouses included."""
    people = story.population.people
    columns = {
        name: people[name] for name in ("sexe", "lieu", "nati", "pere", "mere", "birth", "day", "deces")
    }
    frame = pl.DataFrame(columns).with_row_index("personne")
    frame = frame.with_columns(
        naissance=_date("birth", "day"),
        deces=pl.when(pl.col("deces") >= 0).then(_date("deces", "day")),
        lieu_naissance="lieu",
        pere=pl.when(pl.col("pere") >= 0).then("pere"),
        mere=pl.when(pl.col("mere") >= 0).then("mere"),
    )
    return shaped("personnes", frame)


def _date(month: str, day: str) -> pl.Expr:
    start = pl.date(pl.col(month) // 12, pl.col(month) % 12 + 1, 1)
    return pl.min_horizontal(
        start.dt.offset_by("0d") + pl.duration(days=pl.col(day).cast(pl.Int64) - 1), start.dt.month_end()
    )


def unions(story: Story) -> pl.DataFrame:
    """Unions, one row per person and partner."""
    table = story.population.unions
    columns = {"debut": table["debut"], "fin": table["fin"], "est_mariage": table["married"]}
    a = pl.DataFrame({"personne": table["a"], "conjoint": table["b"], **columns})
    b = pl.DataFrame({"personne": table["b"], "conjoint": table["a"], **columns})
    both = pl.concat([a, b]).with_columns(months_as_text("debut"), months_as_text("fin"))
    return shaped("unions", both.sort("personne", "conjoint", "debut"))


def access_distance(story: Story, territoire: Territory) -> Array:
    """Distance in km from each place to the nearest access point; the farthest one for places outside."""
    known = {
        code: (lat, lon)
        for code, lat, lon in territoire.communes.select("commune_insee", "latitude", "longitude").iter_rows()
    }
    points = [known[c] for c in section("recours")["points_acces"] if c in known]
    points += list(territoire.access_points.select("latitude", "longitude").iter_rows())
    here = np.array([known.get(code, (np.nan, np.nan)) for code in story.population.places])
    if not points:
        return np.zeros(len(here))
    there = np.array(points)
    north = (here[:, None, 0] - there[None, :, 0]) * 111.2
    east = (here[:, None, 1] - there[None, :, 1]) * 111.2 * np.cos(np.radians(here[:, None, 0]))
    nearest = np.sqrt(north**2 + east**2).min(axis=1)
    return np.asarray(np.nan_to_num(nearest, nan=float(np.nanmax(nearest))))
