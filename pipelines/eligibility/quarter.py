"""The households whose quarter begins in one month, seen at that month: who is in, what is known."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.calendar import month_number
from pipelines.eligibility.observed import NEVER, Flags, Floats, Households, Ints, Observed, People

SHIFTED_QUARTER_SINCE: Final = "2025-03"
"""First month of right whose reference quarter is M-4..M-2 at the CAF (before: M-3..M-1)."""

WINDOW: Final = 12
"""Months of daily allowances: M-11..M."""

INCOME_MONTHS: Final = 9
"""Months of income: M-8..M (a child's incomes decide, three months back, whether it counts)."""

RIGHT_MONTHS: Final = 5
"""Months where the household itself is looked at: M-4..M."""

CARRIED_MONTHS: Final = 2
"""Last months that may be undeclared: M-1 and M."""

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
    def reference(self) -> slice:
        """Columns, counted from the last, that make the reference quarter of any window."""
        return slice(-5, -2) if self.is_shifted else slice(-4, -1)

    @property
    def is_shifted(self) -> bool:
        """True when the reference quarter is M-4..M-2."""
        return self.first >= self.shifted_since

    def person(self, table: NDArray[Any], months: int = RIGHT_MONTHS) -> NDArray[Any]:
        """Last ``months`` columns of a persons × months table, for the persons of the quarter."""
        return _rows(table, self.members, self._columns(months))

    def household(self, table: NDArray[Any]) -> NDArray[Any]:
        """RIGHT_MONTHS columns of a households × months table, for the households of the quarter."""
        return _rows(table, self.households, self._columns(RIGHT_MONTHS))

    @cached_property
    def declared(self) -> Flags:
        """Person-months (M-4..M) of known incomes: a child's are declared with the applicant's."""
        own = self.person(self.people.declared)
        applicant = np.zeros((len(self.households), RIGHT_MONTHS), np.bool_)
        chief = self.role == APPLICANT
        applicant[self.family[chief]] = own[chief]
        known: Flags = own | (~self.adult[:, None] & applicant[self.family])
        return known

    def _columns(self, months: int) -> slice:
        end = month_number(self.first) - self.observed.start + 1
        return slice(end - months, end)

    def any_member(self, flags: Flags) -> Flags:
        """Households with at least one person flagged."""
        found: Flags = np.bincount(self.family[flags], minlength=len(self.households)) > 0
        return found

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


def _rows(table: NDArray[Any], rows: Ints, columns: slice) -> NDArray[Any]:
    """``table[rows, columns]``, month by month: the tables are stored by month."""
    return table.T[columns].take(rows, axis=1).T


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
    A real end of work is a declared nil. ``values`` and ``declared`` end at month M.
    """
    carried = values.copy()
    for month in range(-CARRIED_MONTHS, 0):
        carried[:, month] = np.where(declared[:, month], values[:, month], carried[:, month - 1])
    return carried


def _file_holder_as_applicant(family: Ints, role: NDArray[np.int8], households: int) -> NDArray[np.int8]:
    """RDO is the applicant of a household without DEM; beside a DEM it stays outside."""
    has_applicant = np.bincount(family[role == APPLICANT], minlength=households) > 0
    stands_in = (role == FILE_HOLDER) & ~has_applicant[family]
    return np.where(stands_in, np.int8(APPLICANT), role)


def _still_child_or_adult(role: NDArray[np.int8], age_months: Ints) -> Flags:
    """Children are born and under 25; a child of unknown birth is kept (the household will be unknown)."""
    born = (age_months >= 0) | (age_months < -NEVER // 2)
    kept: Flags = (role != CHILD) | (born & (age_months < CHILD_LIMIT_MONTHS))
    return kept
