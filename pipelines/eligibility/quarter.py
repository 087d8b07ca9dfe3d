"""The households whose quarter begins in one month, seen at that month: who is in, what is known."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.calendar import month_number
from pipelines.eligibility.observed import NEVER, Flags, Floats, Households, Ints, Observed, People

SHIFTED_QUARTER_SINCE: Final = "2025-03"
"""First month of right whose reference quarter is M-4..M-2 at the CAF (before: M-3..M-1)."""

WINDOW: Final = 12
"""Months of input before and with the month of right: M-11..M (daily allowances look that far back)."""

CHILD_LIMIT_MONTHS: Final = 25 * 12
APPLICANT, SPOUSE, CHILD, FILE_HOLDER = range(4)


@dataclass(frozen=True)
class Quarter:
    """Households computed together. Persons are sorted by household, then role; arrays are per person
    (``family`` is the position of the household) or per household; monthly tables have WINDOW columns."""

    first: str
    scale: str
    shifted_since: str
    households: Ints
    members: Ints
    family: Ints
    role: NDArray[np.int8]
    observed: Observed

    @property
    def people(self) -> People:
        """Persons of the chunk (index them with ``members``)."""
        return self.observed.people

    @property
    def dwellings(self) -> Households:
        """Households of the chunk (index them with ``households``)."""
        return self.observed.households

    @property
    def adult(self) -> Flags:
        """Applicant or spouse, per person."""
        return self.role < CHILD

    @property
    def age_months(self) -> Ints:
        """Age of each person in months at the first month."""
        return month_number(self.first) - self.people.birth[self.members]

    @property
    def months(self) -> slice:
        """Columns of the observed tables that make the window."""
        last = month_number(self.first) - self.observed.start
        return slice(last - WINDOW + 1, last + 1)

    @property
    def reference(self) -> slice:
        """Columns of the window that make the reference quarter."""
        last = WINDOW - 2 if self.first >= self.shifted_since else WINDOW - 1
        return slice(last - 3, last)

    def person(self, table: NDArray[Any]) -> NDArray[Any]:
        """Window of a persons × months table."""
        return table[self.members, self.months]

    def household(self, table: NDArray[Any]) -> NDArray[Any]:
        """Window of a households × months table."""
        return table[self.households, self.months]

    def any_member(self, flags: Flags) -> Flags:
        """Households with at least one person flagged."""
        return np.bincount(self.family[flags], minlength=len(self.households)) > 0

    def only(self, kept: Flags) -> "Quarter":
        """The same quarter without the households that are not kept."""
        position = np.cumsum(kept, dtype=np.int32) - 1
        inside = kept[self.family]
        return Quarter(
            self.first,
            self.scale,
            self.shifted_since,
            self.households[kept],
            self.members[inside],
            position[self.family[inside]],
            self.role[inside],
            self.observed,
        )


def quarter_of(observed: Observed, households: Ints, first: str, scale: str, shifted_since: str) -> Quarter:
    """The quarter of these households (sorted positions), with the persons present in its first month."""
    month = month_number(first)
    people = observed.people
    position = np.full(len(observed.households.ids), -1, np.int32)
    position[households] = np.arange(len(households), dtype=np.int32)
    here = (position[people.household] >= 0) & (people.since <= month) & (month <= people.until)
    members = np.flatnonzero(here).astype(np.int32)
    family, role = position[people.household[members]], people.rank[members]
    role = _file_holder_as_applicant(family, role, len(households))
    kept = (role <= CHILD) & _still_child_or_adult(role, month - people.birth[members])
    order = np.lexsort((role[kept], family[kept]))
    return Quarter(
        first, scale, shifted_since, households,
        members[kept][order], family[kept][order], role[kept][order], observed,
    )  # fmt: skip


def carry_last_declared(values: Floats, declared: Flags) -> Floats:
    """Trap 1. Fill the last two months (M-1, M), when not yet declared, with the last known month.

    Left at zero after an income, month M would look like the end of a job and neutralise the quarter.
    A real end of work is a declared nil. ``values`` and ``declared``: persons × WINDOW.
    """
    carried = values.copy()
    for month in (WINDOW - 2, WINDOW - 1):
        carried[:, month] = np.where(declared[:, month], values[:, month], carried[:, month - 1])
    return carried


def declared_months(quarter: Quarter) -> Flags:
    """Person-months whose incomes are known: a child's month is declared with the applicant's."""
    own = quarter.person(quarter.people.declared)
    applicant = np.zeros((len(quarter.households), WINDOW), np.bool_)
    chief = quarter.role == APPLICANT
    applicant[quarter.family[chief]] = own[chief]
    return own | (~quarter.adult[:, None] & applicant[quarter.family])


def _file_holder_as_applicant(family: Ints, role: NDArray[np.int8], households: int) -> NDArray[np.int8]:
    """RDO is the applicant of a household without DEM; beside a DEM it stays outside."""
    has_applicant = np.bincount(family[role == APPLICANT], minlength=households) > 0
    stands_in = (role == FILE_HOLDER) & ~has_applicant[family]
    return np.where(stands_in, np.int8(APPLICANT), role)


def _still_child_or_adult(role: NDArray[np.int8], age_months: Ints) -> Flags:
    """Children are born and under 25; a child of unknown birth is kept (the household will be unknown)."""
    born = (age_months >= 0) | (age_months < -NEVER // 2)
    return (role != CHILD) | (born & (age_months < CHILD_LIMIT_MONTHS))
