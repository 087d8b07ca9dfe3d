"""What the law grants each household, asked of ``pipelines.eligibility``: the truth is the real law."""

import numpy as np
import polars as pl

from pipelines.calendar import month_number, month_of_number, window
from pipelines.eligibility import simulate
from pipelines.synthetic.frames import KEY
from pipelines.synthetic.margins import Array
from pipelines.synthetic.population import CJT, ENF
from pipelines.synthetic.story import Story, membership

IDS = {"menage": "menage_id", "personne": "personne_id"}
FORGOTTEN_NATURES = ("001", "010", "011", "012", "013", "014", "030", "031", "021")
"""Incomes from work, unemployment benefit and daily allowances: the law forgets them when they stop."""
NOT_RESOURCES = ("000", "212")
LOOKS_BACK = 12
"""Months of incomes the law may look at, the month of right included."""

REFERENCE = (4, 2)
"""The reference quarter is M-4..M-2; job losses are read in M-1 and M."""


class Law:
    """The frames of a story in the shape the eligibility stage reads, kept once for all the months asked."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.homes = pl.concat(story.homes)
        self.members = _members(story)
        self.benefits = pl.concat(story.benefits)
        self.resources = pl.concat(story.resources)
        self.work, self.other = _income_tables(story, self.resources)

    def calendar_rights(self, months: list[str]) -> pl.DataFrame:
        """Rights of every household in ``months`` if each held the calendar quarter: one row each."""
        quarters: dict[str, list[str]] = {}
        for month in months:
            quarters.setdefault(_first_of_quarter(month), []).append(month)
        found = [self._simulate(self._plausible(first), held, first) for first, held in quarters.items()]
        return self._complete(pl.concat(found), months)

    def held_rights(self, phases: pl.DataFrame) -> pl.DataFrame:
        """Rights for the household's own quarter: ``phases`` has menage, mois, dtr_phase (1..3)."""
        firsts = phases.with_columns(_first=_month(pl.col("mois")) - pl.col("dtr_phase") + 1)
        found = []
        for key, part in firsts.partition_by("_first", as_dict=True).items():
            first = month_of_number(int(str(key[0])))
            found.append(self._simulate(part["menage"].unique(), sorted(part["mois"].unique()), first, part))
        return pl.concat(found).join(phases, on=["menage", "mois"], how="semi")

    def _simulate(
        self, households: pl.Series, months: list[str], first: str, held: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Rights of some households; ``held`` carries their phases, else the calendar decides."""
        last = max(months)
        seen = [*window(first, LOOKS_BACK), *(m for m in months if m > first)]
        who = pl.DataFrame({"menage": households})
        homes = self.homes.filter(pl.col("mois").is_in(seen)).join(who, on="menage", how="semi")
        members = self.members.join(who, on="menage", how="semi")
        paid = pl.col("mois").is_in([m for m in seen if m <= last])
        phases = pl.DataFrame(schema={"menage": KEY, "mois": pl.String, "dtr_phase": pl.Int8})
        phases = phases if held is None else held.select("menage", "mois", "dtr_phase")
        found = simulate(
            _keyed(homes.join(phases, on=["menage", "mois"], how="left")),
            _keyed(members),
            _keyed(self.benefits.filter(paid)),
            _keyed(self.resources.filter(paid)),
            months,
            agricole_inclus=True,
        )
        return found.rename({"menage_id": "menage"}).with_columns(pl.col("menage").cast(KEY))

    def _plausible(self, first: str) -> pl.Series:
        """Households whose incomes do not rule out both rights in the quarter that begins at ``first``."""
        t = month_number(first) - self.story.first
        home, role = self.story.whereabouts[t]
        months = slice(max(t - REFERENCE[0], 0), t + 1)
        size = len(self.story.population.homes)
        there = home >= 0
        work = _by_home(self.work[: len(home), months], home, there, size)
        other = _by_home(self.other[: len(home), months], home, there, size)
        adults = np.bincount(home[there & (role <= CJT)], minlength=size)
        children = np.bincount(home[there & (role >= ENF)], minlength=size)
        majorated = (children > 0) | self._may_expect(home, there, month_number(first))
        possible = _may_be_entitled(work, other, adults, children, majorated)
        return pl.Series(np.flatnonzero((adults > 0) & possible), dtype=KEY)

    def _may_expect(self, home: Array, there: Array, month: int) -> Array:
        """Households with a woman young enough to be pregnant, whose RSA may be majoré."""
        people = self.story.population.people
        young = (people["sexe"] == 2) & (month - people["birth"] < OLDEST_MOTHER_MONTHS)
        counted = there & young[: len(home)]
        return np.bincount(home[counted], minlength=len(self.story.population.homes)) > 0

    def _complete(self, found: pl.DataFrame, months: list[str]) -> pl.DataFrame:
        """Add the households ruled out by their incomes: not entitled, 0 euro."""
        every = self.homes.filter(pl.col("mois").is_in(months)).select("menage", "mois")
        every = every.join(pl.DataFrame({"droit": ["rsa", "ppa"]}), how="cross")
        whole = every.join(found, on=["menage", "mois", "droit"], how="left")
        ruled_out = pl.col("eligible").is_null()
        return whole.with_columns(
            pl.col("eligible").fill_null("non"),
            pl.when(ruled_out).then(0.0).otherwise("montant_eur_mois").alias("montant_eur_mois"),
        )


OLDEST_MOTHER_MONTHS = 46 * 12
LARGEST_BASE = 680.0
"""Above every base amount of RSA and PPA up to 2027, euros per month for one person."""
LARGEST_BONUS = 270.0
"""Above every individual bonus of the PPA up to 2027, euros per month."""
KEPT_OF_WORK = 0.38
"""Below the share of work incomes that the PPA takes back (1 - 0.61)."""


def _may_be_entitled(work: Array, other: Array, adults: Array, children: Array, majorated: Array) -> Array:
    """A bound above the law: what remains to be had with the poorest of the months is positive.

    An income that stops is forgotten by the law, and what replaces it is not counted yet: hence one minimum
    for each kind. ``work`` (what the law may forget) and ``other``: households × months, euros;
    ``majorated``: the RSA may be majoré.
    """
    scale = 1.0 + 0.3 * majorated + 0.5 * (adults - 1) + 0.43 * children
    without_work = work.max(axis=1) <= 0
    most = LARGEST_BASE * scale + np.where(without_work, 0.0, LARGEST_BONUS * adults)
    return np.asarray(KEPT_OF_WORK * work.min(axis=1) + other.min(axis=1) <= most)


def _by_home(table: Array, home: Array, there: Array, size: int) -> Array:
    return np.column_stack(
        [np.bincount(home[there], weights=column[there], minlength=size) for column in table.T]
    )


def _income_tables(story: Story, resources: pl.DataFrame) -> tuple[Array, Array]:
    """Incomes the law may forget, and other resources: persons × months, euros."""
    shape = (len(story.population.people), story.months)
    work, other = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for table, wanted in (
        (work, pl.col("natress").is_in(FORGOTTEN_NATURES)),
        (other, ~pl.col("natress").is_in([*FORGOTTEN_NATURES, *NOT_RESOURCES])),
    ):
        rows = resources.filter(wanted)
        month = rows.select(_month(pl.col("mois")) - story.first).to_series().to_numpy()
        np.add.at(table, (rows["personne"].to_numpy(), month), rows["montant"].to_numpy())
    return work, other


def _month(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 4).cast(pl.Int32) * 12 + text.str.slice(5, 2).cast(pl.Int32) - 1


def _first_of_quarter(month: str) -> str:
    number = month_number(month)
    return month_of_number(number - number % 3)


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    names = {old: new for old, new in IDS.items() if old in frame.columns}
    return frame.rename(names).with_columns(pl.col(name).cast(pl.String) for name in names.values())


def _members(story: Story) -> pl.DataFrame:
    """Members with what an extract says of them: birth, sex, nationality, state at the last month."""
    people = story.population.people
    persons = pl.DataFrame({name: people[name] for name in ("sexe", "birth", "nati")}).with_row_index(
        "personne"
    )
    births = persons.select(
        pl.col("personne").cast(KEY),
        "sexe",
        "nati",
        naissance_annee=(pl.col("birth") // 12).cast(pl.Int32),
        naissance_mois=(pl.col("birth") % 12 + 1).cast(pl.Int8),
    )
    states = pl.concat(story.states).unique("personne", keep="last", maintain_order=True)
    known = states.select("personne", "act", "etudiant", "enceinte")
    return membership(story).join(births, on="personne").join(known, on="personne", how="left")
