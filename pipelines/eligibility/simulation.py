"""One OpenFisca simulation: the households whose quarter begins in the same month, under one scale."""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openfisca_core.periods import DateUnit
from openfisca_core.periods import period as parsed
from openfisca_core.simulations import Simulation

from pipelines.calendar import month_number, month_of_number
from pipelines.eligibility.interruptions import ALL_ALLOWANCES, counted_minima, mark_interruptions
from pipelines.eligibility.legislation import asf_flat_rate, dependent_child_age, ordinary_cf, scale_system
from pipelines.eligibility.nomenclature import (
    DAILY_ALLOWANCES,
    ISOLATION_MONTHS,
    STOPPAGES,
    VARIABLE_OF_NATRESS,
)
from pipelines.eligibility.observed import STATUSES, Flags, Floats, Ints
from pipelines.eligibility.quarter import (
    CHILD,
    CHILD_LIMIT_MONTHS,
    INCOME_MONTHS,
    RIGHT_MONTHS,
    WINDOW,
    Quarter,
    carry_last_declared,
)
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

RIGHTS: Final = ("rsa", "ppa")
RESOURCES: Final = "ressources_sur_seuil"
THRESHOLD_PARTS: Final = ("rsa_socle", "rsa_socle_majore", "rsa_base_ressources", "rsa_forfait_logement")
ROLES: Final = {
    "famille": ("demandeur", "conjoint", "enfant"),
    "foyer_fiscal": ("declarant_principal", "conjoint", "personne_a_charge"),
    "menage": ("personne_de_reference", "conjoint", "enfant"),
}
"""Flattened sub-roles of each entity, by rank: applicant, spouse, child."""

WEALTH_INCOMES: Final = ("revenus_locatifs", "revenus_capital")
_INCOMES: Final = tuple(dict.fromkeys(VARIABLE_OF_NATRESS.values()))
_EMPTY_MONTHLY: Final = ("remuneration_apprenti",)
_FALSE_MONTHLY: Final = ("etudiant", "stagiaire", "autonomie_financiere")
_UNIX_EPOCH: Final = 1970 * 12


class Inputs:
    """Writes each input once, and refuses what OpenFisca would silently ignore."""

    def __init__(self, simulation: Any) -> None:
        self._simulation = simulation
        self._written: set[tuple[str, str]] = set()
        self.law = simulation.tax_benefit_system

    def write(self, variable: str, period: str, values: NDArray[Any]) -> None:
        """Set ``variable`` for one period (AAAA-MM, AAAA or ETERNITY), one value per entity.

        A month goes straight to its place: OpenFisca would copy it, to share it out between months.
        """
        refuse_second_write(self._written, variable, period)
        refuse_ended_variable(self.law, variable, period)
        self._written.add((variable, period))
        if self.law.get_variable(variable).definition_period == DateUnit.MONTH:
            self._simulation.get_holder(variable).put_in_cache(values, _month(period))
        else:
            self._simulation.set_input(variable, period, values)

    def computed(self, variables: tuple[str, ...], months: list[str]) -> NDArray[Any]:
        """What OpenFisca makes of the inputs written so far, one row per variable and month."""
        found = [self._simulation.calculate(name, month) for name in variables for month in months]
        return np.stack(found)

    def has_formula(self, variable: str) -> bool:
        """True when OpenFisca would compute ``variable`` in a month left empty (else it is worth 0)."""
        return bool(self.law.get_variable(variable, check_existence=True).formulas)


@cache
def _month(period: str) -> Any:
    """The month as OpenFisca writes it. Raises AssertionError for anything longer: it would be split."""
    month = parsed(period)
    if (month.unit, month.size) != (DateUnit.MONTH, 1):
        raise AssertionError(f"{period} is not a month")
    return month


def amounts(quarter: Quarter) -> dict[str, NDArray[np.float64]]:
    """RSA and PPA due for the first month of the quarter, euros per month rounded to the cent; and RESOURCES.

    One value per household; 0 below the thresholds of payment (6 € and 15 €). Students, under 25s whose
    work history is unknown and holders of an unproven permit are computed as if they were entitled:
    a nil result is then certain, a positive one is not (see ``states``).
    """
    incomes = mark_interruptions(quarter, carried_incomes(quarter))
    simulation = _empty_simulation(quarter)
    inputs = Inputs(simulation)
    _write_people(inputs, quarter)
    _write_incomes(inputs, quarter, incomes)
    _write_households(inputs, quarter)
    _write_children(inputs, quarter, incomes)
    inputs.write("rsa_base_ressources_minima_sociaux", quarter.first, counted_minima(quarter, incomes))
    inputs.write("ppa_eligibilite_apprenants", quarter.first, _enough_work_for_ppa(inputs, quarter))
    refuse_other_outputs(RIGHTS)
    found = {right: _to_the_cent(simulation.calculate(right, quarter.first)) for right in RIGHTS}
    found[RESOURCES] = _share_of_threshold(inputs, quarter.first)
    _forget(simulation)
    return found


def _write_children(inputs: Inputs, quarter: Quarter, incomes: dict[str, Floats]) -> None:
    """Children the RSA counts: without any income, all those under 25. OpenFisca works it out otherwise.

    It would go through the incomes of every person, adults too, in each month looked at.
    """
    child = ~quarter.adult
    if (child & _has_income(quarter, incomes)).any():
        return
    months = [*last_months(quarter, RIGHT_MONTHS)[quarter.reference], quarter.first]
    for month, age in zip(months, inputs.computed(("age",), months), strict=True):
        inputs.write("rsa_enfant_a_charge", month, child & (age < dependent_child_age(month)))


def _has_income(quarter: Quarter, incomes: dict[str, Floats]) -> Flags:
    """Persons with an income or a benefit in any month looked at."""
    people = quarter.people
    tables = [quarter.person(table) for table in people.benefits.values()]
    tables += [*incomes.values(), quarter.person(people.yearly, WINDOW)]
    found = np.zeros(len(quarter.members), np.bool_)
    for table in tables:
        found |= (table != 0).any(axis=1)
    return found


def _forget(simulation: Any) -> None:
    """Give the arrays back at once: a simulation refers to itself, and would wait for the collector."""
    for population in simulation.populations.values():
        population._holders.clear()


def _share_of_threshold(inputs: Inputs, first: str) -> NDArray[np.float64]:
    """Resources counted by the RSA over the flat amount of the household: 1 and above, nothing is due.

    NaN for a household that has no flat amount (a condition of age or of stay it does not meet).
    """
    ordinary, majored, resources, housing = inputs.computed(THRESHOLD_PARTS, [first]).astype(np.float64)
    flat = np.maximum(ordinary, majored)
    nowhere = np.full(len(flat), np.nan)
    share: NDArray[np.float64] = np.divide(resources + housing, flat, out=nowhere, where=flat > 0)
    return share


def _to_the_cent(euros: Floats) -> NDArray[np.float64]:
    """Half a cent goes up, as CAF rounds; OpenFisca's 32-bit floats miss it by a ten-thousandth of a euro."""
    cents: NDArray[np.float64] = np.floor((euros.astype(np.float64) + 1e-4) * 100 + 0.5) / 100
    return cents


def refuse_second_write(written: set[tuple[str, str]], variable: str, period: str) -> None:
    """Trap 5. A second input silently keeps the first value (of a year), or replaces it (of a month)."""
    if (variable, period) in written:
        raise AssertionError(f"{variable} already set for {period}")


def refuse_ended_variable(law: Any, variable: str, period: str) -> None:
    """Trap 6. An input past the ``end`` of its variable serves nobody: no formula reads it any more."""
    end = law.get_variable(variable, check_existence=True).end
    if end is not None and period != "ETERNITY" and period > str(end)[: len(period)]:
        raise AssertionError(f"{variable} ended on {end}")


def refuse_families_without_parent(parents: NDArray[Any]) -> None:
    """Trap 4. Every family has one or two parents: a wrong role key makes nobody a parent."""
    if not np.isin(parents, (1, 2)).all():
        raise AssertionError("a family without parent, or with more than two")


def refuse_unknown_labels(law: Any, labels: tuple[str, ...]) -> None:
    """Trap 8. Enum labels are OpenFisca's own."""
    known = set(law.get_variable("statut_occupation_logement").possible_values.names)
    if not set(labels) <= known:
        raise AssertionError("a housing status OpenFisca does not know")


def refuse_other_outputs(outputs: tuple[str, ...]) -> None:
    """Trap 9. Disposable income spirals through RSA and PPA: nothing else in the same simulation."""
    if not set(outputs) <= {"rsa", "ppa"}:
        raise AssertionError("only RSA and PPA are computed here")


def shifted_reference_quarter(month: str, since: str) -> bool:
    """Trap 2. From ``since`` on, the reference quarter is M-4..M-2 (OpenFisca keeps M-3..M-1 unless told)."""
    return month >= since


def _empty_simulation(quarter: Quarter) -> Any:
    law = scale_system(quarter.first, quarter.scale)
    populations = law.instantiate_entities()
    _count(populations["individu"], len(quarter.members))
    for entity, roles in ROLES.items():
        group = populations[entity]
        _count(group, len(quarter.households))
        group.members_entity_id = quarter.family
        group._members_role = _roles(group, roles)[quarter.role]
    simulation = Simulation(law, populations)
    _know_the_roles(simulation)
    refuse_families_without_parent(simulation.famille.nb_persons(simulation.famille.entity.PARENT))
    return simulation


def _know_the_roles(simulation: Any) -> None:
    """Who has a role is looked up once each, not seven hundred times: OpenFisca compares objects."""
    simulation.persons.has_role = cache(simulation.persons.has_role)


def _count(population: Any, size: int) -> None:
    population.ids, population.count = np.arange(size), size


def _roles(group: Any, names: tuple[str, ...]) -> NDArray[Any]:
    """OpenFisca's own role of each name, as objects. Raises ValueError for an unknown one."""
    known = group.entity.flattened_roles
    keys = [role.key for role in known]
    return np.array([known[keys.index(name)] for name in names], np.object_)


def _write_people(inputs: Inputs, quarter: Quarter) -> None:
    people, none = quarter.people, np.zeros(len(quarter.members), np.bool_)
    births = (people.birth[quarter.members] - _UNIX_EPOCH).astype("datetime64[M]").astype("datetime64[D]")
    inputs.write("date_naissance", "ETERNITY", births)
    inputs.write(
        "rsa_jeune_condition_heures_travail_remplie", quarter.first, _may_have_worked_enough(quarter)
    )
    for month in last_months(quarter, RIGHT_MONTHS):
        inputs.write("ressortissant_eee", month, ~none)
        inputs.write("enceinte", month, people.pregnant[quarter.members])
        inputs.write("apprenti", month, people.apprentice[quarter.members])
        for variable in _FALSE_MONTHLY:
            inputs.write(variable, month, none)
    for year in _years(last_months(quarter, RIGHT_MONTHS)):
        inputs.write("enfant_a_charge", year, none)


def _write_incomes(inputs: Inputs, quarter: Quarter, incomes: dict[str, Floats]) -> None:
    nothing = np.zeros((len(quarter.members), WINDOW), np.float32)
    for variable in (*_INCOMES, *_EMPTY_MONTHLY, ALL_ALLOWANCES):
        if variable in incomes or inputs.has_formula(variable):
            _write_months(inputs, variable, quarter, incomes.get(variable, nothing[:, -INCOME_MONTHS:]))
    for variable in PERSON_BENEFITS:
        _write_months(inputs, variable, quarter, quarter.person(quarter.people.benefits[variable]))
    inputs.write("date_arret_de_travail", "ETERNITY", _stoppage_dates(quarter, incomes))
    _write_yearly(inputs, quarter, incomes)


def _write_yearly(inputs: Inputs, quarter: Quarter, incomes: dict[str, Floats]) -> None:
    """Self-employed result of the year; two-year-old wealth incomes (PPA) taken equal to today's."""
    result = _last_positive(quarter.person(quarter.people.yearly, WINDOW))
    foyers = np.zeros(len(quarter.households), np.float32)
    nothing = np.zeros(len(quarter.members), np.float32)
    years = _years(last_months(quarter, INCOME_MONTHS))
    for year in years:
        inputs.write("ppa_rsa_derniers_revenus_tns_annuels_connus", year, result)
    for year in sorted({*years, *(str(int(y) - 2) for y in years)}):
        inputs.write("assiette_csg_plus_values", year, foyers)
    for month in _months_of_two_years_before(years):
        inputs.write("rente_viagere_titre_onereux", month, foyers)
        for variable in WEALTH_INCOMES:
            current = incomes[variable][:, quarter.reference].mean(axis=1) if variable in incomes else nothing
            inputs.write(variable, month, current)


def _write_households(inputs: Inputs, quarter: Quarter) -> None:
    homes, size = quarter.dwellings, len(quarter.households)
    months = last_months(quarter, RIGHT_MONTHS)
    benefits = {n: quarter.household(homes.benefits[n]) for n in HOUSEHOLD_BENEFITS}
    benefits["cf_non_majore_avant_cumul"] = np.minimum(benefits["cf"], _monthly(ordinary_cf, months))
    benefits["rsa_forfait_asf"] = _counted_asf(quarter, benefits["asf"])
    for name, table in benefits.items():
        _write_months(inputs, name, quarter, table)
    refuse_unknown_labels(inputs.law, STATUSES)
    status, isolated = _known_status(quarter), _recently_isolated(quarter)
    for index, month in enumerate(months):
        inputs.write("statut_occupation_logement", month, np.array(STATUSES)[status[:, index]])
        inputs.write("rsa_isolement_recent", month, isolated[:, index])
        shifted = shifted_reference_quarter(month, quarter.shifted_since)
        inputs.write("departement_experimentation_rsa", month, np.full(size, shifted))
    for month in last_months(quarter, INCOME_MONTHS):
        inputs.write("rente_viagere_titre_onereux", month, np.zeros(size, np.float32))


def _enough_work_for_ppa(inputs: Inputs, quarter: Quarter) -> Flags:
    """CSS L842-1, L842-2. An adult with an income from work; a learner, above the floor every month.

    Over the reference quarter of the household: OpenFisca looks at M-1..M-3 even when it is M-4..M-2. A lone
    parent with RSA majoré needs no work here (nor has any PPA without).
    """
    people = quarter.people
    earned = inputs.computed(
        ("ppa_revenu_activite_individu",), last_months(quarter, RIGHT_MONTHS)[quarter.reference]
    )
    floor = inputs.computed(("ppa_plancher_revenu_activite_apprenant",), [quarter.first])
    learner = people.apprentice[quarter.members] | (people.student[quarter.members] == 1)
    enough = np.where(learner, (earned > floor).all(axis=0), (earned > 0).any(axis=0))
    majored: Flags = inputs.computed(("rsa_majore_eligibilite",), [quarter.first])[0]
    return quarter.any_member(quarter.adult & enough) | majored


def last_months(quarter: Quarter, months: int) -> list[str]:
    """The ``months`` months ending at the first month of the quarter."""
    last = month_number(quarter.first)
    return [month_of_number(number) for number in range(last - months + 1, last + 1)]


def carried_incomes(quarter: Quarter) -> dict[str, Floats]:
    """Monthly incomes of the persons, the undeclared last months carried forward.

    M-11..M for the daily allowances, M-8..M for the others.
    """
    declared = quarter.declared
    return {
        name: carry_last_declared(
            quarter.person(table, WINDOW if name in DAILY_ALLOWANCES else INCOME_MONTHS), declared
        )
        for name, table in quarter.people.incomes.items()
    }


def _write_months(inputs: Inputs, variable: str, quarter: Quarter, table: Floats) -> None:
    """One input per month, the last column of ``table`` being the first month of the quarter."""
    for index, month in enumerate(last_months(quarter, table.shape[1])):
        inputs.write(variable, month, np.ascontiguousarray(table[:, index], np.float32))


def _monthly(amount: Any, months: list[str]) -> Floats:
    return np.array([amount(month) for month in months], np.float32)


def _may_have_worked_enough(quarter: Quarter) -> Flags:
    """Adults under 25 whose work history may open the RSA, or pregnant (CASF L262-4: child to be born)."""
    people = quarter.people
    young = quarter.adult & (quarter.age_months < CHILD_LIMIT_MONTHS)
    may: Flags = young & ((people.worked_enough[quarter.members] != 0) | people.pregnant[quarter.members])
    return may


def _last_positive(table: Floats) -> Floats:
    """Last positive value of each row, 0 without."""
    positions = np.where(table > 0, np.arange(table.shape[1]), -1).max(axis=1)
    last: Floats = np.take_along_axis(table, positions[:, None], 1)[:, 0]
    return np.where(positions >= 0, last, np.float32(0))


def _stoppage_dates(quarter: Quarter, incomes: dict[str, Floats]) -> NDArray[Any]:
    """First day of the last work stoppage paid in the window: as declared, else where its run begins."""
    nothing = np.zeros((len(quarter.members), WINDOW), np.float32)
    paid = sum((incomes.get(name, nothing) for name in STOPPAGES), nothing) > 0
    gap = ~paid
    columns = np.arange(WINDOW)
    last = np.where(paid, columns, -1).max(axis=1)
    before = np.where(gap & (columns < last[:, None]), columns, -1).max(axis=1)
    told = quarter.person(quarter.people.stoppage_since, WINDOW)[np.arange(len(last)), last]
    start = np.where(told > 0, told, month_number(quarter.first) - WINDOW + 2 + before)
    dates = (start - _UNIX_EPOCH).astype("datetime64[M]").astype("datetime64[D]")
    return np.where(last >= 0, dates, np.datetime64("0001-01-01", "D"))


def _counted_asf(quarter: Quarter, asf: Floats) -> Floats:
    """ASF counts for its flat rate per child (CASF R262-10-1), never more than what is paid."""
    children = np.bincount(quarter.family[quarter.role == CHILD], minlength=len(quarter.households))
    rates = _monthly(asf_flat_rate, last_months(quarter, RIGHT_MONTHS))
    counted: Floats = np.minimum(asf, children.astype(np.float32)[:, None] * rates)
    return counted


def _known_status(quarter: Quarter) -> NDArray[np.int8]:
    """Housing status of each month; where the household was not yet there, that of the month of right."""
    status = quarter.household(quarter.dwellings.status)
    return np.where(quarter.household(quarter.dwellings.present), status, status[:, -1:])


def _recently_isolated(quarter: Quarter) -> Flags:
    """End of a life as a couple less than 18 months before each month (RSA majoré)."""
    since = quarter.household(quarter.dwellings.isolated_since)
    since = np.where(quarter.household(quarter.dwellings.present), since, since[:, -1:])
    months: Ints = month_number(quarter.first) + np.arange(1 - RIGHT_MONTHS, 1, dtype=np.int32)
    recent: Flags = (since <= months) & (months - since < ISOLATION_MONTHS)
    return recent


def _years(months: list[str]) -> list[str]:
    return sorted({month[:4] for month in months})


def _months_of_two_years_before(years: list[str]) -> list[str]:
    return [f"{int(year) - 2}-{month:02d}" for year in years for month in range(1, 13)]
