"""The NIR: structure, consistency and key, on whole columns (décret 82-103; INSEE, structure du NIR).

Thirteen characters — sex, year, month, département, commune or country, order — and two of key. ``stdnum``
checks length and key only: one random string in a hundred passes.
"""

from dataclasses import dataclass

import polars as pl

_DEFINITIVE = r"^[12]\d{4}(?:\d{2}|2[AB])\d{6}(?:\d{2})?$"
_PROVISIONAL = r"^[3478]\d{4}(?:\d{2}|2[AB])\d{6}(?:\d{2})?$"

_CORSICAN_SPLIT = 1976
"""Births in Corsica bear 20 until 1975, 2A or 2B from 1976."""

_TUNISIAN_END = 1967
"""96 meant Tunisia until the départements were renumbered in 1968."""


@dataclass(frozen=True)
class Nir:
    """Expressions of thirteen characters, one of ``definitif`` and ``provisoire`` at most not null.

    ``est_contredit``: true when sex or birth, as the record gives them, contradict the definitive number.
    """

    definitif: pl.Expr
    provisoire: pl.Expr
    est_contredit: pl.Expr


def nir(column: str, *, sexe: pl.Expr, annee: pl.Expr, mois: pl.Expr) -> Nir:
    """The usable number of a text column, given sex (text 1, 2), birth year and month (integers, nullable).

    A definitive number must pass structure, and its key when it has 15 characters: the key vouches for the
    number when the record contradicts it, most often by a mistyped birth date. Without a key it must agree
    with what is known of sex and birth. A provisional one (first digit 3, 4, 7, 8) must pass form and key.
    """
    number = cleaned(pl.col(column))
    right_key, agrees = has_right_key(number), _agrees(number, sexe, annee, mois)
    definitive = has_structure(number) & right_key & (agrees | (number.str.len_chars() == 15))
    provisional = number.str.contains(_PROVISIONAL) & right_key
    first13 = number.str.slice(0, 13)
    return Nir(pl.when(definitive).then(first13), pl.when(provisional).then(first13), definitive & ~agrees)


def cleaned(number: pl.Expr) -> pl.Expr:
    """Without spaces, dots and hyphens, in upper case."""
    return number.cast(pl.String).str.to_uppercase().str.replace_all(r"[\s.\-]+", "")


def has_structure(number: pl.Expr) -> pl.Expr:
    """True when first digit, month (fictive ones included), département, commune and order can exist.

    Months 01–12, and 20–42 and 50–99 for an incomplete civil record. Départements 01–19, 20 or 2A 2B by
    birth year, 21–96, 97x and 98x overseas, 99 abroad.
    """
    month = _part(number, 3, 2)
    place = number.str.slice(5, 5)
    order = number.str.slice(10, 3)
    return (
        number.str.contains(_DEFINITIVE)
        & (month.is_between(1, 12) | month.is_between(20, 42) | month.is_between(50, 99))
        & _place_exists(place)
        & (order != "000")
    ).fill_null(False)


def has_right_key(number: pl.Expr) -> pl.Expr:
    """True without a key (13 characters) or with the right one: 97 − (number mod 97), 2A = 19, 2B = 18."""
    return (number.str.len_chars() == 13) | (_part(number, 13, 2) == key(number)).fill_null(False)


def key(number: pl.Expr) -> pl.Expr:
    """The key of the first thirteen characters, an integer from 1 to 97; null when they are no number."""
    digits = number.str.slice(0, 13).str.replace(r"^(.{5})2A", "${1}19").str.replace(r"^(.{5})2B", "${1}18")
    return 97 - digits.cast(pl.Int64, strict=False) % 97


def _place_exists(place: pl.Expr) -> pl.Expr:
    overseas = place.str.contains(r"^9[78][1-9](?:0[1-9]|[1-8]\d|90)$")
    abroad = place.str.contains(r"^99[1-9]\d{2}$")
    metropolitan = place.str.contains(
        r"^(?:0[1-9]|[1-8]\d|9[0-6]|2[AB])(?:00[1-9]|0[1-9]\d|[1-8]\d{2}|9[0-8]\d|990)$"
    )
    return overseas | abroad | metropolitan


def _agrees(number: pl.Expr, sexe: pl.Expr, annee: pl.Expr, mois: pl.Expr) -> pl.Expr:
    """Nothing known contradicts the number; what is unknown contradicts nothing."""
    nir_month = _part(number, 3, 2)
    same_sex = number.str.slice(0, 1) == sexe
    same_year = _part(number, 1, 2) == annee % 100
    same_month = (nir_month == mois) | ~nir_month.is_between(1, 12)
    return (
        same_sex.fill_null(True)
        & same_year.fill_null(True)
        & same_month.fill_null(True)
        & _department_of_its_time(number, annee).fill_null(True)
    )


def _department_of_its_time(number: pl.Expr, annee: pl.Expr) -> pl.Expr:
    department = number.str.slice(5, 2)
    return (
        pl.when(department == "20").then(annee < _CORSICAN_SPLIT)
        .when(department.is_in(["2A", "2B"])).then(annee >= _CORSICAN_SPLIT)
        .when(department == "96").then(annee <= _TUNISIAN_END)
    )  # fmt: skip


def _part(number: pl.Expr, offset: int, length: int) -> pl.Expr:
    return number.str.slice(offset, length).cast(pl.Int32, strict=False)
