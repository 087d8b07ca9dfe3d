"""Frames of the contract turned into typed arrays: one row per household or person, one column per month."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.calendar import month_of_number
from pipelines.eligibility.nomenclature import (
    APPRENTICE_ACT,
    FARM_ACT,
    FARM_NATURES,
    HOUSEHOLD_BENEFITS,
    ISOLATION_SITUATIONS,
    PERSON_BENEFITS,
    RANK_OF_ROLE,
    SELF_EMPLOYED_ACT,
    STATUS_OF_OCCLOG,
    UNCLASSIFIED_SELF_EMPLOYED,
    UNKNOWN_STATUS,
    VARIABLE_OF_NATRESS,
    YEARLY_NATURES,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

STATUSES: Final = (UNKNOWN_STATUS, *dict.fromkeys(STATUS_OF_OCCLOG.values()))
LONG_AGO: Final = 0
NEVER: Final = 10**6


@dataclass(frozen=True)
class Households:
    """Monthly tables of the households, shape (households, months)."""

    ids: pl.Series
    present: Flags
    benefits: dict[str, Floats]
    unknown_benefit: Flags
    status: NDArray[np.int8]
    isolated_since: Ints


@dataclass(frozen=True)
class People:
    """Persons of the households, sorted by household, role and id; monthly tables (persons, months)."""

    household: Ints
    rank: NDArray[np.int8]
    since: Ints
    until: Ints
    birth: Ints
    permit_needed: Flags
    student: NDArray[np.int8]
    pregnant: Flags
    worked_enough: NDArray[np.int8]
    apprentice: Flags
    self_employed: Flags
    farmer: Flags
    declared: Flags
    incomes: dict[str, Floats]
    yearly: Floats
    farm: Flags
    unclassified: Flags
    stoppage_since: Ints
    benefits: dict[str, Floats]
    unknown_benefit: Flags


@dataclass(frozen=True)
class Observed:
    """Everything known about a chunk of households from month number ``start`` on."""

    start: int
    households: Households
    people: People


def month_numbers(column: str) -> pl.Expr:
    """Month number (see :mod:`pipelines.calendar`) of a column written AAAA-MM; null stays null."""
    text = pl.col(column)
    year, month = text.str.slice(0, 4).cast(pl.Int32), text.str.slice(5, 2).cast(pl.Int32)
    return year * 12 + month - 1


def observe(
    menages: pl.DataFrame,
    personnes: pl.DataFrame,
    prestations: pl.DataFrame,
    ressources: pl.DataFrame,
    start: int,
    months: int,
) -> Observed:
    """Arrays of one chunk for the ``months`` months from month number ``start``."""
    ids = menages.select(pl.col("menage_id").unique().sort()).with_row_index("_h")
    people = _ranked_people(personnes, ids)
    who = people.select("personne_id", "_p")
    rows = _monthly(menages, start, months).join(ids, on="menage_id")
    incomes = _monthly(ressources, start, months).join(who, on="personne_id")
    benefits = _monthly(prestations, start, months).join(who, on="personne_id")
    return Observed(
        start=start,
        households=_households(rows, ids, months),
        people=_people(people, incomes, benefits, (people.height, months)),
    )


def _ranked_people(personnes: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    return (
        personnes.join(ids, on="menage_id", how="inner")
        .with_columns(
            _rank=pl.col("role").replace_strict(RANK_OF_ROLE, default=3, return_dtype=pl.Int8),
            _since=month_numbers("present_du").fill_null(LONG_AGO),
            _until=month_numbers("present_au").fill_null(NEVER),
        )
        .sort("_h", "_rank", "personne_id", "_since")
        .with_row_index("_p")
    )


def _monthly(rows: pl.DataFrame, start: int, months: int) -> pl.DataFrame:
    columns = {month_of_number(start + column): column for column in range(months)}
    inside = rows.filter(pl.col("mois").is_in(list(columns)))
    return inside.with_columns(_t=pl.col("mois").replace_strict(columns, return_dtype=pl.Int32))


def _households(rows: pl.DataFrame, ids: pl.DataFrame, months: int) -> Households:
    shape = (ids.height, months)
    status = pl.col("occlog").replace_strict(STATUS_OF_OCCLOG, default=UNKNOWN_STATUS)
    index = status.replace_strict({s: i for i, s in enumerate(STATUSES)}, return_dtype=pl.Int8)
    isolated = pl.col("sitfam").is_in(ISOLATION_SITUATIONS)
    since = pl.when(isolated).then(month_numbers("sitfam_date").fill_null(LONG_AGO)).otherwise(LONG_AGO)
    rows = rows.with_columns(_status=index, _isolated=since.fill_null(LONG_AGO), _row=pl.lit(True))
    benefits = {name: _table(rows, "_h", name, shape, np.float32, 0.0) for name in HOUSEHOLD_BENEFITS}
    return Households(
        ids=ids["menage_id"],
        present=_table(rows, "_h", "_row", shape, np.bool_, False),
        unknown_benefit=_emptied(benefits),
        benefits=benefits,
        status=_table(rows, "_h", "_status", shape, np.int8, 0),
        isolated_since=_table(rows, "_h", "_isolated", shape, np.int32, LONG_AGO),
    )


def _people(people: pl.DataFrame, rows: pl.DataFrame, paid: pl.DataFrame, shape: tuple[int, int]) -> People:
    benefits = {name: _table(paid, "_p", name, shape, np.float32, np.nan) for name in PERSON_BENEFITS}
    return People(
        household=people["_h"].to_numpy().astype(np.int32),
        rank=people["_rank"].to_numpy(),
        since=people["_since"].to_numpy(),
        until=people["_until"].to_numpy(),
        birth=_birth_months(people),
        permit_needed=(people["nati"].is_in(["F", "C"]).fill_null(False).not_()).to_numpy(),
        student=_tristate(people, "etudiant"),
        pregnant=_tristate(people, "enceinte") == 1,
        worked_enough=_tristate(people, "rsa_jeune_heures"),
        apprentice=(people["act"] == APPRENTICE_ACT).fill_null(False).to_numpy(),
        self_employed=people["act"].is_in(SELF_EMPLOYED_ACT).fill_null(False).to_numpy(),
        farmer=people["act"].is_in(FARM_ACT).fill_null(False).to_numpy(),
        declared=_declared(rows, shape),
        incomes=_incomes(rows, shape),
        yearly=_sums(rows.filter(pl.col("natress").is_in(YEARLY_NATURES)), shape),
        farm=_marks(rows.filter(pl.col("natress").is_in(FARM_NATURES)), shape),
        unclassified=_marks(rows.filter(pl.col("natress") == UNCLASSIFIED_SELF_EMPLOYED), shape),
        stoppage_since=_stoppage_since(rows, shape),
        unknown_benefit=_emptied(benefits),
        benefits=benefits,
    )


def _emptied(benefits: dict[str, Floats]) -> Flags:
    """Where at least one benefit is unknown; its amount becomes 0 in place (nobody may use it)."""
    unknown = np.zeros(next(iter(benefits.values())).shape, np.bool_)
    for table in benefits.values():
        empty = np.isnan(table)
        unknown |= empty
        table[empty] = 0
    return unknown


def _birth_months(people: pl.DataFrame) -> Ints:
    """Month number of birth; January when the year is that of a class of ages; NEVER when unknown."""
    month = pl.col("naissance_mois").fill_null(1).cast(pl.Int32)
    number = pl.col("naissance_annee").cast(pl.Int32) * 12 + month - 1
    births: Ints = people.select(number.fill_null(NEVER)).to_series().to_numpy()
    return births


def _tristate(people: pl.DataFrame, column: str) -> NDArray[np.int8]:
    """0, 1, or -1 when unknown."""
    values: NDArray[np.int8] = people[column].cast(pl.Int8).fill_null(-1).to_numpy()
    return values


def _declared(rows: pl.DataFrame, shape: tuple[int, int]) -> Flags:
    """Person-months with at least one row and no empty amount."""
    months = rows.group_by("_p", "_t").agg(_known=pl.col("montant").is_not_null().all())
    return _table(months, "_p", "_known", shape, np.bool_, False)


def _incomes(rows: pl.DataFrame, shape: tuple[int, int]) -> dict[str, Floats]:
    named = rows.with_columns(
        _variable=pl.col("natress").replace_strict(VARIABLE_OF_NATRESS, default=None, return_dtype=pl.String)
    ).filter(pl.col("_variable").is_not_null() & (pl.col("montant") != 0))
    parts = named.partition_by("_variable", as_dict=True)
    return {str(key[0]): _sums(part, shape) for key, part in parts.items()}


def _sums(rows: pl.DataFrame, shape: tuple[int, int]) -> Floats:
    sums = rows.group_by("_p", "_t").agg(pl.col("montant").sum())
    return _table(sums, "_p", "montant", shape, np.float32, 0.0)


def _marks(rows: pl.DataFrame, shape: tuple[int, int]) -> Flags:
    return _table(rows.with_columns(_mark=pl.lit(True)), "_p", "_mark", shape, np.bool_, False)


def _stoppage_since(rows: pl.DataFrame, shape: tuple[int, int]) -> Ints:
    """Month number where the work stoppage paid in this month began, when the insurer says so; else 0."""
    starts = rows.filter(pl.col("arret_debut").is_not_null()).with_columns(
        _start=month_numbers("arret_debut")
    )
    return _table(starts, "_p", "_start", shape, np.int32, LONG_AGO)


def _table(
    rows: pl.DataFrame, index: str, column: str, shape: tuple[int, int], dtype: Any, default: Any
) -> NDArray[Any]:
    table = np.full(shape, default, dtype)
    values = rows[column]
    if dtype is np.float32:
        values = values.cast(pl.Float64)
    table[rows[index].to_numpy(), rows["_t"].to_numpy()] = values.to_numpy()
    return table
