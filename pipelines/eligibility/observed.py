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
    ISOLATION_SITUATIONS,
    RANK_OF_ROLE,
    SELF_EMPLOYED_ACT,
    STATUS_OF_OCCLOG,
    UNCLASSIFIED_SELF_EMPLOYED,
    UNKNOWN_STATUS,
    VARIABLE_OF_NATRESS,
    YEARLY_NATURES,
)
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

NATRESS_OF_VARIABLE: Final = {
    variable: tuple(nature for nature, its in VARIABLE_OF_NATRESS.items() if its == variable)
    for variable in dict.fromkeys(VARIABLE_OF_NATRESS.values())
}
NATURES: Final = (*VARIABLE_OF_NATRESS, *YEARLY_NATURES, UNCLASSIFIED_SELF_EMPLOYED)

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
    homes: pl.Series,
    menages: pl.DataFrame,
    personnes: pl.DataFrame,
    prestations: pl.DataFrame,
    ressources: pl.DataFrame,
    start: int,
    months: int,
) -> Observed:
    """Arrays of the households ``homes`` (sorted) for the ``months`` months from month number ``start``."""
    ids = pl.DataFrame({"menage_id": homes}).with_row_index("_h")
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


@dataclass(frozen=True)
class _Incomes:
    """Rows of incomes as arrays: place in a (months, persons) table, rank of the nature, amount."""

    place: NDArray[np.int64]
    nature: NDArray[np.int8]
    amount: NDArray[np.float64]
    shape: tuple[int, int]

    def total(self, natures: tuple[str, ...]) -> Floats:
        """Sum of these natures, persons × months."""
        inside = self._of(natures)
        return self._table(np.bincount(self.place[inside], self.amount[inside], self._size)).astype(
            np.float32
        )

    def mark(self, natures: tuple[str, ...]) -> Flags:
        """Where there is a row of these natures, persons × months."""
        return self._table(np.bincount(self.place[self._of(natures)], minlength=self._size)) > 0

    def declared(self) -> Flags:
        """Person-months with at least one row and no empty amount."""
        told = np.zeros(self._size, np.bool_)
        told[self.place] = True
        told[self.place[np.isnan(self.amount)]] = False
        return self._table(told)

    def _of(self, natures: tuple[str, ...]) -> Flags:
        wanted = np.array([nature in natures for nature in (*NATURES, "")])
        inside: Flags = wanted[self.nature]
        return inside

    @property
    def _size(self) -> int:
        return self.shape[0] * self.shape[1]

    def _table(self, flat: NDArray[Any]) -> NDArray[Any]:
        people, months = self.shape
        return flat.reshape(months, people).T


def _income_rows(rows: pl.DataFrame, shape: tuple[int, int]) -> _Incomes:
    ranks = {nature: rank for rank, nature in enumerate(NATURES)}
    found = rows.select(
        _place=pl.col("_t").cast(pl.Int64) * shape[0] + pl.col("_p"),
        _nature=pl.col("natress").replace_strict(ranks, default=-1, return_dtype=pl.Int8),
        _amount=pl.col("montant").cast(pl.Float64),
    )
    place, nature, amount = (column.to_numpy() for column in found)
    return _Incomes(place, nature, amount, shape)


def _people(people: pl.DataFrame, rows: pl.DataFrame, paid: pl.DataFrame, shape: tuple[int, int]) -> People:
    told = _income_rows(rows, shape)
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
        declared=told.declared(),
        incomes=_incomes(told),
        yearly=told.total(YEARLY_NATURES),
        farm=told.mark(FARM_NATURES),
        unclassified=told.mark((UNCLASSIFIED_SELF_EMPLOYED,)),
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


def _incomes(told: _Incomes) -> dict[str, Floats]:
    """Monthly incomes by variable of OpenFisca, those that somebody earns."""
    totals = {variable: told.total(natures) for variable, natures in NATRESS_OF_VARIABLE.items()}
    return {variable: total for variable, total in totals.items() if total.any()}


def _stoppage_since(rows: pl.DataFrame, shape: tuple[int, int]) -> Ints:
    """Month number where the work stoppage paid in this month began, when the insurer says so; else 0."""
    starts = rows.filter(pl.col("arret_debut").is_not_null()).with_columns(
        _start=month_numbers("arret_debut")
    )
    return _table(starts, "_p", "_start", shape, np.int32, LONG_AGO)


def _table(
    rows: pl.DataFrame, index: str, column: str, shape: tuple[int, int], dtype: Any, default: Any
) -> NDArray[Any]:
    """Persons (or households) × months, stored by month; the last row of a cell wins."""
    people, months = shape
    flat = np.full(people * months, default, dtype)
    place = rows["_t"].to_numpy().astype(np.int64) * people + rows[index].to_numpy()
    values = rows[column].cast(pl.Float64) if dtype is np.float32 else rows[column]
    flat[place] = values.to_numpy()
    return flat.reshape(months, people).T
