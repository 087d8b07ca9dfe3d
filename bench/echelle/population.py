"""People of any number, and three services that wrote them down: one generator for every size.

Names and defects are those of the synthetic territory (``pipelines.synthetic``), with longer tails: a
département has far more names than 44 000 people. Nobody has a household: the linkage reads none.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.identifiers.nir import key
from pipelines.synthetic import names
from pipelines.synthetic.defects import HABITS, typed
from pipelines.territory import known_communes, load

SERVICES = ("caf", "cpam", "departement")
PART = 0.75
"""Share of the people each service knows: two services share three quarters of their persons."""
MOVED = 0.04
TWICE = 0.005
"""Share of a service's persons with two records there."""

_TWIN_BIRTHS = 1 / 80
_BORN_ABROAD = 0.12
_MARRIED_NAME = 0.45
_PRECARIOUS, _NON_TAKER = 0.15, 0.08
_FIRST_DAY, _DAYS = np.datetime64("1931-01-01"), 95 * 365
_RARE_SURNAME, _RARE_GIVEN_NAME = 0.45, 0.45
"""Shares of names outside the frequent ones. The probability that two surnames are equal is then near 0,0005
and that of two given names of one sex and era near 0,015, as in INSEE's files of names (assumed)."""
_ENDINGS = "eau on ier et ard in elle ou as ac ez au ès an ot ain ey oux"
_PLACES_OF_BIRTH = 400

Words = npt.NDArray[np.str_]
Flags = npt.NDArray[np.bool_]


def people(size: int, rng: np.random.Generator) -> pl.DataFrame:
    """``size`` people: personne, and the columns :func:`pipelines.synthetic.defects.typed` reads."""
    sexe = rng.integers(1, 3, size).astype(np.int8)
    days = rng.integers(0, _DAYS, size)
    birth = _surnames(size, rng)
    frame = pl.DataFrame(
        {
            "sexe": sexe,
            "date_naissance": pl.Series(_FIRST_DAY + days).cast(pl.Date),
            "lieu_naissance": _birthplaces(size, rng),
            "commune_insee": communes(size, rng),
            "nom_naissance": birth,
            "nom_usage": np.where(_married(sexe, days, rng), _surnames(size, rng), ""),
            "prenoms": _given_names(sexe, days, rng),
            "est_precaire": rng.random(size) < _PRECARIOUS,
            "est_non_recourant": rng.random(size) < _NON_TAKER,
            "est_jeune": days > _DAYS - 26 * 365,
        }
    ).with_columns(pl.col("nom_usage").replace("", None))
    return _numbered(_with_twins(frame, rng), rng)


def written_down(everyone: pl.DataFrame, service: str, rng: np.random.Generator) -> pl.DataFrame:
    """The nominative file of a service: identity columns of the contract, plus ``personne`` (the truth)."""
    known = everyone.filter(pl.Series(rng.random(everyone.height) < PART))
    twice = known.filter(pl.Series(rng.random(known.height) < TWICE))
    truth = pl.concat([known, twice])
    moved = pl.Series(rng.random(truth.height) < MOVED)
    order = rng.permutation(truth.height)
    return typed(rng, truth, HABITS[service]).with_columns(
        truth["personne"],
        commune_insee=pl.select(
            pl.when(moved).then(pl.Series(communes(truth.height, rng))).otherwise(truth["commune_insee"])
        ).to_series(),
        adresse=pl.lit(""),
        personne_id=pl.Series(order).cast(pl.String).str.zfill(9).str.replace("^", service),
    )


def communes(size: int, rng: np.random.Generator) -> Words:
    """Communes of residence, in proportion to their inhabitants."""
    inside = load("comminges").inside
    share = inside["population"].to_numpy() / inside["population"].sum()
    return rng.choice(inside["commune_insee"].to_numpy().astype(str), size, p=share)


def _birthplaces(size: int, rng: np.random.Generator) -> Words:
    known = known_communes()["commune_insee"]
    near = known.filter(known.str.contains("^(31|32|65|09|81|82|11|64)")).head(_PLACES_OF_BIRTH).to_numpy()
    share = 1 / (np.arange(len(near)) + 5.0)
    born = rng.choice(near.astype(str), size, p=share / share.sum())
    abroad = rng.random(size) < _BORN_ABROAD
    return np.where(abroad, rng.choice(list(names.ORIGIN_OF_COUNTRY), size), born)


def _surnames(size: int, rng: np.random.Generator) -> Words:
    drawn = np.empty(size, dtype="U40")
    origin = rng.choice(len(names.ORIGINS), size, p=names.BORN_IN_FRANCE_SHARES)
    for number, name in enumerate(names.ORIGINS):
        rows = np.flatnonzero(origin == number)
        drawn[rows] = names.surnames(name).draw(rng, len(rows))
    rare = np.flatnonzero(rng.random(size) < _RARE_SURNAME)
    drawn[rare] = rng.choice(_rare_surnames(), len(rare))
    return drawn


@cache
def _rare_surnames() -> Words:
    """Surnames of a few families each: a frequent one with another ending."""
    stems = np.concatenate([names.surnames(origin).names for origin in names.ORIGINS])
    endings = np.array(_ENDINGS.split())
    return np.unique(np.char.add(stems[:, None], endings[None, :]).ravel())


def _married(sexe: npt.NDArray[np.int8], days: npt.NDArray[np.int64], rng: np.random.Generator) -> Flags:
    by_chance = rng.random(len(sexe)) < _MARRIED_NAME
    return np.asarray((sexe == 2) & (days < 70 * 365) & by_chance, dtype=np.bool_)


def _given_names(
    sexe: npt.NDArray[np.int8], days: npt.NDArray[np.int64], rng: np.random.Generator
) -> pl.Series:
    """One to three given names, the next ones a generation or two older."""
    year = 1931 + days // 365
    count = rng.choice([1, 2, 3], len(sexe), p=[0.25, 0.40, 0.35])
    first, second, third = (_of_era(sexe, year - before, rng) for before in (0, 30, 60))
    parts = [pl.Series(first), pl.Series(second).set(pl.Series(count < 2), ""), pl.Series(third)]
    parts[2] = parts[2].set(pl.Series(count < 3), "")
    return pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=" ").str.strip_chars()).to_series()


def _of_era(sexe: npt.NDArray[np.int8], year: npt.NDArray[np.int64], rng: np.random.Generator) -> Words:
    drawn = np.empty(len(sexe), dtype="U40")
    eras = names.eras(year)
    rare = rng.random(len(sexe)) < _RARE_GIVEN_NAME
    for sex in (1, 2):
        for era in np.unique(eras):
            rows = np.flatnonzero((sexe == sex) & (eras == era))
            drawn[rows] = names.given_names("francaise", sex, int(era)).draw(rng, len(rows))
        rows = np.flatnonzero((sexe == sex) & rare)
        drawn[rows] = rng.choice(_rare_given_names(sex), len(rows))
    return drawn


@cache
def _rare_given_names(sexe: int) -> Words:
    """Given names of every era and language, and their compounds."""
    eras = (1900, 1930, 1950, 1970, 1985, 2000, 2010)
    pools = [names.given_names("francaise", sexe, era) for era in eras]
    pools += [names.given_names(origin, sexe, 1970) for origin in names.ORIGINS]
    simple = np.unique(np.concatenate([pool.names for pool in pools]))
    short = [name for name in simple if "-" not in name][::4]
    compound = [f"{one}-{two}" for one in short[:12] for two in short if one != two]
    return np.concatenate([simple, np.array(compound)])


def _with_twins(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The last rows become twins of the first ones: all but the given names and the sex is shared."""
    count = int(frame.height * _TWIN_BIRTHS)
    own = frame.tail(count).select("sexe", "prenoms")
    shared = frame.head(count).drop("sexe", "prenoms").with_columns(nom_usage=pl.lit(None, pl.String))
    twins = pl.concat([own, shared], how="horizontal").select(frame.columns)
    return pl.concat([frame.head(frame.height - count), twins])


def _numbered(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """personne, nir, nir_provisoire: the order number counts the births of a month and a place."""
    born, place = pl.col("date_naissance").dt.strftime("%y%m"), pl.col("lieu_naissance")
    order = pl.int_range(1, pl.len() + 1).over("sexe", born, place).mod(1000).cast(pl.String).str.zfill(3)
    abroad = place.str.starts_with("99")
    bodies = frame.with_row_index("personne").with_columns(
        est_ne_etranger=abroad,
        nir=pl.concat_str(pl.col("sexe").cast(pl.String), born, place, order),
        nir_provisoire=pl.when(abroad & pl.Series(rng.random(frame.height) < 0.05)).then(
            pl.concat_str((pl.col("sexe") + 6).cast(pl.String), born, place, order)
        ),
    )
    return bodies.with_columns(
        pl.col(name) + key(pl.col(name)).cast(pl.String).str.zfill(2) for name in ("nir", "nir_provisoire")
    )
