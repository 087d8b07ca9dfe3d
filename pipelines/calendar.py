"""Months written AAAA-MM, the way every table of the contract writes them."""

import re
from datetime import date

from pipelines.refusals import Refusal

_MONTH = re.compile(r"^(19|20)\d{2}-(0[1-9]|1[0-2])$")

WINDOW_MONTHS = 24
"""An extract for month M carries M-23..M (data contract, version 1)."""


def is_month(text: str) -> bool:
    """True when ``text`` is written AAAA-MM."""
    return _MONTH.match(text) is not None


def check_month(mois: str) -> str:
    """Return ``mois`` unchanged; raise :class:`Refusal` when it is not written AAAA-MM."""
    if not is_month(mois):
        raise Refusal(
            "Ce mois n'est pas écrit AAAA-MM.", ou="mois demandé", que_faire="Écrire par exemple 2026-06."
        )
    return mois


def month_number(mois: str) -> int:
    """Months elapsed since year 0: consecutive months differ by one."""
    return int(mois[:4]) * 12 + int(mois[5:7]) - 1


def month_of_number(number: int) -> str:
    """Inverse of :func:`month_number`."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def shift(mois: str, months: int) -> str:
    """The month ``months`` later (earlier when negative)."""
    return month_of_number(month_number(mois) + months)


def months_between(debut: str, fin: str) -> list[str]:
    """Every month from ``debut`` to ``fin``, both included."""
    return [month_of_number(n) for n in range(month_number(debut), month_number(fin) + 1)]


def window(mois: str, months: int = WINDOW_MONTHS) -> list[str]:
    """The ``months`` months ending at ``mois``."""
    return months_between(shift(mois, 1 - months), mois)


def period(mois: str) -> list[str]:
    """The three months ending at ``mois``: the period of an estimate."""
    return window(mois, 3)


def is_calendar_quarter(mois: str) -> bool:
    """True when the period ending at ``mois`` is a calendar quarter, reported and registered."""
    return int(mois[5:7]) % 3 == 0


def period_code(mois: str) -> str:
    """``2026-T2`` for a calendar quarter, else ``2026-03_2026-05``."""
    if is_calendar_quarter(mois):
        return f"{mois[:4]}-T{int(mois[5:7]) // 3}"
    return f"{shift(mois, -2)}_{mois}"


def last_month(period_name: str) -> str:
    """The month a period ends at, from what :func:`period_code` calls it."""
    if "_" in period_name:
        return period_name.split("_")[1]
    year, quarter = period_name.split("-T")
    return f"{year}-{int(quarter) * 3:02d}"


def first_day(mois: str) -> date:
    """First day of the month."""
    return date(int(mois[:4]), int(mois[5:7]), 1)
