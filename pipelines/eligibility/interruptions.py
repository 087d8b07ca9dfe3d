"""CASF R262-13: an income that stopped for certain, and that nothing follows, is left out of the RSA."""

from typing import Final

import numpy as np

from pipelines.eligibility.nomenclature import (
    DAILY_ALLOWANCES,
    NEUTRALISED,
    REPLACEMENT_BENEFITS,
    REPLACEMENT_INCOMES,
    WORK_VARIABLES,
)
from pipelines.eligibility.observed import Flags, Floats
from pipelines.eligibility.quarter import CARRIED_MONTHS, WINDOW, Quarter

INTERRUPTION_EUR: Final = np.float32(1)
ALL_ALLOWANCES: Final = "indemnites_journalieres"
"""Sum of the daily allowances, which OpenFisca takes as an input of its own."""

STANDS_FOR_WORK: Final = "indemnites_journalieres_maternite"
"""A daily allowance that stands for an income from work whatever its length."""

MINIMA: Final = ("aah", "asi", "caah")


def mark_interruptions(quarter: Quarter, incomes: dict[str, Floats]) -> dict[str, Floats]:
    """Incomes with one euro in M-1 where they stopped inside the reference quarter M-4..M-2.

    « Il n'est pas tenu compte » of an income from work, or of an unemployment allowance, whose payment has
    stopped for certain and that no replacement income follows. OpenFisca sees it only when M-1 is positive
    and M nil, months that both lie after the shifted quarter. One euro in M-1, which counts for nothing
    there, shows it the end of an income whose M-1 and M are *declared* nil; months not yet declared prove
    nothing (trap 1). A quarter M-3..M-1, where M-1 counts, keeps OpenFisca's own reading.
    """
    total = _sum(incomes, DAILY_ALLOWANCES, len(quarter.members))
    if not quarter.is_shifted:
        return incomes | {ALL_ALLOWANCES: total}
    certain = _certain(quarter, incomes)
    marked = {
        name: _with_euro(table, _stopped(quarter, table, certain)) if name in NEUTRALISED else table
        for name, table in incomes.items()
    }
    return marked | _marked_allowances(quarter, incomes, total, certain)


def counted_minima(quarter: Quarter, incomes: dict[str, Floats]) -> Floats:
    """ASS, AAH, ASI and ASPA counted by the RSA, euros per month and household, without an ASS that stopped.

    The ASS (code du travail L5423-1) is one of the allowances of R262-13, first paragraph; OpenFisca counts
    it whole over the reference quarter.
    """
    benefits = {name: quarter.person(table) for name, table in quarter.people.benefits.items()}
    counted = np.zeros(len(quarter.members))
    for name in MINIMA:
        counted += benefits[name][:, quarter.reference].sum(axis=1)
    ended = _stopped(quarter, benefits["ass"], _certain(quarter, incomes) & ~_works(quarter, incomes))
    left_out = ended & np.full(len(ended), quarter.is_shifted)
    counted += np.where(left_out, 0.0, benefits["ass"][:, quarter.reference].sum(axis=1))
    per_household = np.bincount(quarter.family, counted / 3, len(quarter.households))
    aspa = quarter.household(quarter.dwellings.benefits["aspa"])[:, -1]
    total: Floats = (per_household + aspa).astype(np.float32)
    return total


def _marked_allowances(
    quarter: Quarter, incomes: dict[str, Floats], total: Floats, certain: Flags
) -> dict[str, Floats]:
    """Daily allowances that stopped, without a return to work: a euro of each of their two kinds in M-1.

    They stand for an income from work during three months (R262-12), then count among the other resources,
    left out up to the flat amount of one person: OpenFisca knows the kind of each month by itself.
    """
    stopped = _stopped(quarter, total, certain & ~_works(quarter, incomes))
    work = incomes.get(STANDS_FOR_WORK, np.zeros_like(total))
    return {STANDS_FOR_WORK: _with_euro(work, stopped), ALL_ALLOWANCES: _with_euro(total, stopped, 2)}


def _certain(quarter: Quarter, incomes: dict[str, Floats]) -> Flags:
    """Persons whose M-1 and M are declared and who have no replacement income in the month of right."""
    declared = quarter.declared[:, -CARRIED_MONTHS:].all(axis=1)
    certain: Flags = declared & ~_replaced(quarter, incomes)
    return certain


def _stopped(quarter: Quarter, table: Floats, certain: Flags) -> Flags:
    """Earned in the reference quarter and nil since."""
    earned = table[:, quarter.reference].sum(axis=1) > 0
    stopped: Flags = earned & certain & (table[:, -CARRIED_MONTHS:] == 0).all(axis=1)
    return stopped


def _with_euro(table: Floats, stopped: Flags, times: int = 1) -> Floats:
    marked = table.copy()
    marked[stopped, -CARRIED_MONTHS] = INTERRUPTION_EUR * times
    return marked


def _replaced(quarter: Quarter, incomes: dict[str, Floats]) -> Flags:
    """Persons who have a replacement income in the month of right."""
    benefits = (quarter.person(quarter.people.benefits[name]) for name in REPLACEMENT_BENEFITS)
    tables = (*benefits, *(incomes[name] for name in REPLACEMENT_INCOMES if name in incomes))
    replaced: Flags = np.any([table[:, -1] > 0 for table in tables], axis=0)
    return replaced


def _works(quarter: Quarter, incomes: dict[str, Floats]) -> Flags:
    """Persons who earn an income from work in the month of right or the month before."""
    works = np.zeros(len(quarter.members), np.bool_)
    for name in WORK_VARIABLES:
        if name in incomes:
            works |= (incomes[name][:, -CARRIED_MONTHS:] > 0).any(axis=1)
    return works


def _sum(incomes: dict[str, Floats], names: tuple[str, ...], people: int) -> Floats:
    nothing = np.zeros((people, WINDOW), np.float32)
    total: Floats = sum((incomes[name] for name in names if name in incomes), nothing)
    return total
