"""What the three extracts share: the scene, who lives where each month, the records one partner holds."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.synthetic.defects import HABITS, IDENTITY, Habits, typed, typed_addresses
from pipelines.synthetic.frames import World
from pipelines.synthetic.identities import invent_addresses, invent_identities

RETYPED_PER_DELIVERY = 0.01
"""Share of a partner's records typed again between two deliveries (assumed)."""

YOUNG = 26
"""Age in years under which a person's NIR is missing more often."""

LATE_INCOME = 0.01
"""Share of income rows first delivered wrong, and corrected by a later delivery of the same month."""


@dataclass(frozen=True)
class Scene:
    """A world with its identities, addresses and homes, and the months delivered.

    ``identities``: one row per person, with est_jeune (under 26), est_precaire and est_non_recourant.
    ``residences``: personne, mois, menage, role, commune_insee, logement, est_territoire. ``last_homes``:
    by month delivered, the last home of everyone up to it, for those who are gone too. ``perimetre``:
    communes of the territory and those touching it. ``deliveries``: months of the deliveries, in order.
    """

    world: World
    identities: pl.DataFrame
    addresses: pl.DataFrame
    residences: pl.DataFrame
    last_homes: Mapping[str, pl.DataFrame]
    perimetre: frozenset[str]
    deliveries: tuple[str, ...]
    graine: int

    def rng(self, *subject: str) -> np.random.Generator:
        """The generator of one subject: its draws never depend on what else is simulated."""
        return np.random.default_rng([self.graine, zlib.crc32("/".join(subject).encode())])


@dataclass(frozen=True)
class Registry:
    """The records one partner holds: an identifier per person, and how they are typed.

    ``typings`` are the first typing of every person and the second one of those typed again; ``addresses``
    the usual and the other typing of every dwelling; ``second_from`` (personne, second_des, autre) the
    delivery from which the second typing stands, and whose address is typed the other way.
    """

    partner: str
    ids: pl.DataFrame
    typings: tuple[pl.DataFrame, pl.DataFrame]
    addresses: tuple[pl.DataFrame, pl.DataFrame]
    second_from: pl.DataFrame = field(repr=False)

    def identity(self, delivery: int, homes: pl.DataFrame) -> pl.DataFrame:
        """personne, personne_id and the identity columns of the persons of ``homes``.

        ``homes``: personne, commune_insee, logement (one row per person).
        """
        placed = homes.join(self.second_from, on="personne").join(self.ids, on="personne")
        second = pl.col("second_des") <= delivery
        people = [
            placed.filter(second == bool(version)).join(self.typings[version], on="personne")
            for version in (0, 1)
        ]
        return _with_address(pl.concat(people), self.addresses).sort("personne")


def set_scene(world: World, perimetre: Collection[str], deliveries: Sequence[str], graine: int) -> Scene:
    """Invent the identities and addresses of a world, for these deliveries."""
    generator = np.random.default_rng([graine, zlib.crc32(b"identites")])
    identities = invent_identities(generator, world.personnes, world.unions, deliveries[-1]).with_columns(
        est_jeune=pl.col("date_naissance") > _years_before(deliveries[-1], YOUNG)
    )
    residences = _residences(world, calendar.window(deliveries[0])[0])
    return Scene(
        world,
        identities.join(_fragile(world, deliveries[-1]), on="personne", how="left", maintain_order="left"),
        invent_addresses(generator, world.menages_mois),
        residences,
        {mois: _last_homes(residences, mois) for mois in deliveries},
        frozenset(perimetre),
        tuple(deliveries),
        graine,
    )


def _years_before(mois: str, years: int) -> date:
    return date(int(mois[:4]) - years, int(mois[5:7]), 1)


def registry(scene: Scene, partner: str) -> Registry:
    """The records of a partner about every person of the world."""
    habits = HABITS[partner]
    rng = scene.rng(partner, "saisie")
    persons = scene.identities.select("personne")
    draw = rng.random(persons.height) / RETYPED_PER_DELIVERY
    second = np.where(draw < len(scene.deliveries) - 1, np.floor(draw) + 1, len(scene.deliveries))
    return Registry(
        partner,
        persons.with_columns(personne_id=numbered(scene.rng(partner, "numeros"), persons.height, partner)),
        (
            _typing(rng, scene.identities, habits),
            _typing(rng, scene.identities.filter(pl.Series(second < len(scene.deliveries))), habits),
        ),
        (_address_typing(rng, scene, habits, 0.0), _address_typing(rng, scene, habits, 1.0)),
        persons.with_columns(
            second_des=pl.Series(second.astype(np.int64)),
            autre=pl.Series(rng.random(persons.height) < habits.adresse_autre),
        ),
    )


def numbered(rng: np.random.Generator, size: int, prefix: str) -> pl.Series:
    """``size`` distinct identifiers whose order says nothing: prefix and seven digits or more."""
    numbers = rng.permutation(size) + 1_000_000
    return pl.Series([f"{prefix[:1].upper()}{number}" for number in numbers], dtype=pl.String)


def household_ids(scene: Scene, partner: str, name: str) -> pl.DataFrame:
    """menage and its identifier at a partner, in a column called ``name``."""
    households = scene.world.menages_mois.select("menage").unique().sort("menage")
    return households.with_columns(numbered(scene.rng(partner, name), households.height, name).alias(name))


def with_late_incomes(
    rng: np.random.Generator, rows: pl.DataFrame, scene: Scene, delivery: int
) -> pl.DataFrame:
    """Some amounts still wrong at this delivery; the same rows are right from a later one on.

    ``rng`` must be in the same state, and ``rows`` the same, for every delivery: draw before filtering.
    """
    size, last = rows.height, max(len(scene.deliveries) - 1, 1)
    late = rng.random(size) < LATE_INCOME
    corrected_by = rng.integers(1, last + 1, size)
    factor = rng.choice([0.5, 0.8, 0.9, 1.1, 1.25], size)
    wrong = pl.Series(late & (corrected_by > delivery) & (delivery < len(scene.deliveries) - 1))
    amount = (pl.col("montant") * pl.Series(factor)).round(2)
    return rows.with_columns(montant=pl.when(wrong).then(amount).otherwise("montant"))


def home_at(scene: Scene, mois: str) -> pl.DataFrame:
    """Everyone's home in a month: personne, menage, role, commune_insee, logement, est_territoire."""
    homes = scene.residences.filter(pl.col("mois") == mois).drop("mois")
    return homes.unique("personne", keep="first", maintain_order=True)


def _last_homes(residences: pl.DataFrame, mois: str) -> pl.DataFrame:
    known = residences.filter(pl.col("mois") <= mois)
    return known.unique("personne", keep="last", maintain_order=True)


def in_window(frame: pl.DataFrame, mois: str) -> pl.DataFrame:
    """Rows of M-23..M."""
    months = calendar.window(mois)
    return frame.filter(pl.col("mois").is_between(pl.lit(months[0]), pl.lit(months[-1])))


def _residences(world: World, first: str) -> pl.DataFrame:
    months = world.menages_mois.filter(pl.col("mois") >= first)
    households = months.select("menage", "mois", "commune_insee", "logement", "est_territoire")
    present = pl.col("mois").is_between(
        pl.col("present_du").fill_null("0000-00"), pl.col("present_au").fill_null("9999-99")
    )
    columns = ("personne", "mois", "menage", "role", "commune_insee", "logement", "est_territoire")
    joined = world.membres.join(households, on="menage").filter(present)
    return joined.select(columns).sort("personne", "mois", "menage")


def _fragile(world: World, mois: str) -> pl.DataFrame:
    """personne, est_precaire (entitled to something), est_non_recourant (and receives nothing)."""
    entitled = world.droits.filter((pl.col("mois") == mois) & (pl.col("eligible") == "oui"))
    paid = world.dossiers.filter(
        (pl.col("mois") == mois) & ((pl.col("rsa_etat") == "2") | (pl.col("ppa_etat") == "2"))
    )
    households = (
        entitled.select("menage")
        .unique()
        .with_columns(
            est_precaire=pl.lit(True), est_non_recourant=~pl.col("menage").is_in(paid["menage"].implode())
        )
    )
    persons = world.membres.join(households, on="menage")
    return persons.group_by("personne").agg(pl.col("est_precaire", "est_non_recourant").any())


def _typing(rng: np.random.Generator, truth: pl.DataFrame, habits: Habits) -> pl.DataFrame:
    return typed(rng, truth, habits).insert_column(0, truth["personne"])


def _address_typing(rng: np.random.Generator, scene: Scene, habits: Habits, other: float) -> pl.DataFrame:
    columns = {"adresse": typed_addresses(rng, scene.addresses["adresse"], habits)}
    return scene.addresses.with_columns(**columns).with_columns(autre=pl.lit(other > 0))


def _with_address(people: pl.DataFrame, addresses: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    keys = ["logement", "commune_insee", "autre"]
    placed = people.join(pl.concat(addresses), on=keys, how="left")
    return placed.select("personne", "personne_id", *IDENTITY, "adresse", "commune_insee")
