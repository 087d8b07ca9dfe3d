"""How fine a delivered row may be about a person: no finer than the rights and the estimate need.

Whoever knows a family recognises it by what is rare: birth months, the day a couple formed, a village. Each
rule here delivers a conventional value shared by many, and the exact one only where a right turns on it
(docs/decisions/0007). Identity files keep the exact commune and birth year; they are deleted once linked.
"""

from itertools import pairwise

import polars as pl

from pipelines.calendar import month_number, shift
from pipelines.source.normalise import Birth

PIVOTAL_AGES = (0, 3, 18, 25, 26)
"""Ages, in years, at which a right may change: birth, RSA and PPA majorés (CASF L.262-9), coming of age (CSS
L.842-1; households of the CPAM), end of a dependent child and RSA without child (CASF L.262-4, R.262-3), and
26, under which a person without salary may be a student. The majorations at 14 and the family benefits up to
20 are delivered as amounts."""

PAST_MONTHS, LATE_MONTHS = 8, 3
"""Months before the extract that a right of the period looks at (M-8), and months after it in which the
extract may still be the newest (``retard_admis``)."""

GROWN_UP = 26
CUT_AGES = (65, 50, GROWN_UP)
"""Ages reached in the year that no class straddles: bands of the estimate, end of the young."""

CLASS_YEARS, NARROWEST = 5, 3
FIRST_CLASS_ENDS = 1941
"""Classes end in 1941 (and before), 1946, 1951 … whatever the month delivered: they do not slide."""

_OLDEST_YEAR = 1880
_YOUNG_AGES = ((3, 1), (18, 10), (25, 21))
"""Under each age, away from every pivotal one: the age everybody is given, reached in the year."""

ISOLATED = ("ABA", "DIV", "ISO", "SEF", "SEL", "VEU")
"""SITFAM whose date opens the RSA majoré; no right reads any other."""

ISOLATION_MONTHS = 24
"""Months after which the end of a couple no longer counts (18 for the RSA majoré, seen from M-4)."""


def birth_columns(born: Birth, mois: str) -> list[pl.Expr]:
    """``naissance_annee``, ``naissance_mois`` of a delivery of month ``mois``.

    Within reach of a pivotal age: year and month. Elsewhere a conventional year without month: that of an
    age shared by everybody between two pivotal ages, or the middle of a class of birth years.
    """
    age = month_number(mois) - (born.annee * 12 + born.mois.fill_null(1) - 1)
    exact = _within_reach(age) | age.is_between(25 * 12, GROWN_UP * 12, closed="left")
    year = int(mois[:4])
    conventional: pl.Expr = _class_middle(born.annee, year)
    for limit, given in reversed(_YOUNG_AGES):
        conventional = pl.when(age < limit * 12).then(pl.lit(year - given, pl.Int32)).otherwise(conventional)
    return [
        pl.when(exact).then(born.annee).otherwise(conventional).alias("naissance_annee"),
        pl.when(exact).then(born.mois).alias("naissance_mois"),
    ]


def birth_classes(year: int) -> list[tuple[int, int]]:
    """First and last birth years of the classes delivered in ``year``, those of 26 years and more.

    Every class lies between two cut ages. It ends where the fixed five-year classes end, and where that
    would leave fewer than three years beside a cut, joins its neighbour.
    """
    cuts = [_OLDEST_YEAR - 1, *(year - age for age in CUT_AGES)]
    return [piece for low, high in pairwise(cuts) for piece in _classes_between(low + 1, high)]


def presence_columns(mois: str) -> list[pl.Expr]:
    """``present_du`` and ``present_au`` without the months no right looks at any more.

    A stay begun before M-8 has no beginning (always there); one that ended before M-8 is that of M-9.
    """
    horizon, before = shift(mois, -PAST_MONTHS), shift(mois, -PAST_MONTHS - 1)
    since, until = pl.col("present_du"), pl.col("present_au")
    gone = (until < horizon).fill_null(False)
    return [
        pl.when(gone).then(pl.lit(before)).when(since > horizon).then(since).alias("present_du"),
        pl.when(gone).then(pl.lit(before)).otherwise(until).alias("present_au"),
    ]


def separation_columns() -> list[pl.Expr]:
    """``sitfam`` (ISO, whatever the reason) and ``sitfam_date`` of a recent end of a couple; else empty."""
    date, month = _month("sitfam_date"), _month("mois")
    opens = pl.col("sitfam").is_in(ISOLATED) & (month - date < ISOLATION_MONTHS)
    return [
        pl.when(opens).then(pl.lit("ISO")).alias("sitfam"),
        pl.when(opens).then("sitfam_date").alias("sitfam_date"),
    ]


def _within_reach(age: pl.Expr) -> pl.Expr:
    """Ages in months at which a pivotal age is passed between M-7 and M+3."""
    return pl.any_horizontal(
        age.is_between(pivot * 12 - LATE_MONTHS, pivot * 12 + PAST_MONTHS, closed="left")
        for pivot in PIVOTAL_AGES
    )


def _class_middle(annee: pl.Expr, year: int) -> pl.Expr:
    middles = {
        born: (first + last) // 2 if first > _OLDEST_YEAR else last - CLASS_YEARS // 2
        for first, last in birth_classes(year)
        for born in range(first, last + 1)
    }
    return annee.replace_strict(middles, default=None, return_dtype=pl.Int32)


def _classes_between(first: int, last: int) -> list[tuple[int, int]]:
    fixed = range(FIRST_CLASS_ENDS, last - NARROWEST + 1, CLASS_YEARS)
    ends = [end for end in fixed if end - first + 1 >= NARROWEST] + [last]
    return [(low + 1, high) for low, high in pairwise([first - 1, *ends])]


def _month(column: str) -> pl.Expr:
    text = pl.col(column)
    return text.str.slice(0, 4).cast(pl.Int32) * 12 + text.str.slice(5, 2).cast(pl.Int32)
