"""A case of OpenFisca turned into rows of our contract: what the CAF would deliver about this household."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from openfisca_core.simulation_builder import SimulationBuilder

from pipelines.calendar import month_number, months_between, shift
from pipelines.eligibility import system
from pipelines.eligibility.quarter import RIGHT_MONTHS, WINDOW
from schemas.tables import PERSON_BENEFITS
from tests.eligibility.oracle.cases import Case, by_month
from tests.eligibility.situations import (
    BENEFITS,
    MENAGES,
    PERSONNES,
    PRESTATIONS,
    RESSOURCES,
)

NATRESS_OF: Final = {
    "salaire_net": "001",
    "remuneration_apprenti": "001",
    "bourse_recherche": "001",
    "indemnites_chomage_partiel": "009",
    "chomage_net": "010",
    "indemnites_journalieres_maladie": "011",
    "indemnites_journalieres_accident_travail": "012",
    "indemnites_journalieres_maladie_professionnelle": "012",
    "indemnites_journalieres_maternite": "013",
    "indemnites_journalieres_adoption": "013",
    "indemnites_journalieres_paternite": "014",
    "pensions_invalidite": "021",
    "retraite_nette": "022",
    "pensions_alimentaires_percues": "026",
    "prestation_compensatoire": "026",
    "rpns_auto_entrepreneur_benefice": "030",
    "revenus_locatifs": "040",
    "revenus_capital": "044",
    "revenus_stage_formation_pro": "201",
}
STOPPAGES: Final = ("011", "012")
YEARLY: Final = {
    "rpns_autres_revenus": "031",
    "rpns_micro_entreprise_benefice": "031",
    "rpns_benefice_exploitant_agricole": "033",
}
"""Last known result of a year, delivered as the same twelfth every month."""

DERIVED: Final = {
    "rpns_auto_entrepreneur_benefice": ("rpns_auto_entrepreneur_CA_bnc",),
    "rpns_micro_entreprise_benefice": ("rpns_micro_entreprise_CA_bnc_imp",),
    "revenus_capital": ("f2dh", "f2ee", "f2dc", "f3vz"),
}
"""What our contract holds already worked out, and what the cases write (turnovers, boxes of a tax return)."""

GROSS: Final = {
    "salaire_net": ("salaire_de_base", "traitement_indiciaire_brut"),
    "chomage_net": ("allocation_retour_emploi",),
}
"""The payslip: a case written in gross is delivered net, as OpenFisca draws it from the gross."""

OCCLOG_OF: Final = {
    "proprietaire": "PRO",
    "primo_accedant": "ACC",
    "locataire_foyer": "HCO",
    "loge_gratuitement": "HCG",
    "sans_domicile": "SRO",
}
TENANT: Final = "LOC"
"""Also a housing the case does not speak of: no flat rate without housing benefit."""

CANCELLED: Final = "rsa_base_ressources_prestations_familiales"
"""Set to nil by cases that want no family benefit."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Situation:
    """One case as OpenFisca understands it; months of our window ``months``."""

    case: Case
    months: list[str]
    simulation: Any
    inputs: Mapping[str, Mapping[str, Any]]
    net: Mapping[str, Mapping[tuple[int, str], float]]
    housing_aid: float

    def given(self, variable: str) -> Mapping[str, Any]:
        """Arrays of an input by period (AAAA-MM, AAAA or ETERNITY)."""
        return self.inputs.get(variable, {})

    def of(self, variable: str, rank: int, month: str, default: Any = None) -> Any:
        """An input of one person (or of the household, rank 0) in a month; ``default`` when not given."""
        array = self.given(variable).get(month)
        return default if array is None else array[rank]


def frames(cases: Mapping[str, Case]) -> dict[str, pl.DataFrame]:
    """The four frames of ``simulate``, one household a case, whose own quarter begins every month."""
    slips = _net_incomes({name: case for name, case in cases.items() if _in_gross(case)})
    rows: tuple[Rows, Rows, Rows, Rows] = ([], [], [], [])
    for name, case in cases.items():
        situation = _situation(case, slips.get(name, {}))
        for kept, new in zip(rows, _rows(name, situation), strict=True):
            kept.extend(new)
    names = ("menages", "personnes", "prestations", "ressources")
    kinds = (MENAGES, PERSONNES, PRESTATIONS, RESSOURCES)
    return {n: pl.DataFrame(r, schema=k) for n, r, k in zip(names, rows, kinds, strict=True)}


def _situation(case: Case, net: Mapping[str, Mapping[tuple[int, str], float]]) -> Situation:
    months = months_between(shift(case.months[0], 1 - WINDOW), case.months[-1])
    simulation = _built(case.situation, case.period)
    inputs = _inputs(simulation)
    return Situation(case, months, simulation, inputs, net, _housing_aid(case, inputs))


def _housing_aid(case: Case, inputs: Mapping[str, Mapping[str, Any]]) -> float:
    """An aid above the flat rate, whatever it is, where the case rents a home and leaves the aid unsaid.

    « Forfait logement appliqué car AL », says the file: only the flat rate counts.
    """
    told = case.states_everything or "aide_logement" in inputs
    return 0.0 if told else float(inputs.get("loyer", {}).get(case.months[-1], [0])[0])


def _inputs(simulation: Any) -> dict[str, dict[str, Any]]:
    """What the case gives, before anything is computed: arrays by variable and period."""
    holders = [h for population in simulation.populations.values() for h in population._holders.items()]
    return {name: {str(p): h.get_array(p) for p in h.get_known_periods()} for name, h in holders}


def _built(situation: Mapping[str, Any], period: str) -> Any:
    builder = SimulationBuilder()
    builder.set_default_period(period)
    return builder.build_from_dict(system(), dict(situation))


def _rows(name: str, situation: Situation) -> tuple[Rows, Rows, Rows, Rows]:
    roles = [role.key for role in situation.simulation.famille.members_role]
    people = [(f"{name}-{rank}", rank, role) for rank, role in enumerate(roles)]
    adults = [(who, rank) for who, rank, role in people if role != "enfant"]
    chief = roles.index("demandeur")
    return (
        [_household(name, situation, chief, month) for month in situation.months],
        [_person(who, name, situation, rank, role) for who, rank, role in people],
        [_paid(who, situation, rank, month) for who, rank in adults for month in situation.months],
        [row for who, rank, role in people for row in _incomes(who, situation, rank, role != "enfant")],
    )


def _household(name: str, situation: Situation, chief: int, month: str) -> dict[str, Any]:
    isolated = [m for m in situation.months if situation.of("rsa_isolement_recent", 0, m, False)]
    return {
        "menage_id": name,
        "mois": month,
        "commune_insee": "31483",
        "sitfam": "SEF" if isolated else "CEL",
        "sitfam_date": isolated[0] if isolated else None,
        "occlog": _occlog(situation, int(situation.simulation.menage.members_entity_id[chief]), month),
        **{benefit: _benefit(situation, benefit, month) for benefit in BENEFITS},
        "dtr_phase": 1,
    }


def _occlog(situation: Situation, home: int, month: str) -> str:
    status = situation.of("statut_occupation_logement", home, month)
    code = TENANT if status is None else OCCLOG_OF.get(_label(status), TENANT)
    owner_who_rents = code in ("PRO", "ACC") and situation.of("loyer", home, month, 0) > 0
    guest_who_pays = code == "HCG" and situation.of("participation_frais", home, month, False)
    return TENANT if owner_who_rents or guest_who_pays else code


def _label(status: Any) -> str:
    values = system().get_variable("statut_occupation_logement").possible_values
    return str(list(values)[int(status)].name)


def _benefit(situation: Situation, benefit: str, month: str) -> float:
    """As the case gives it, else as it states it among its own results, else nothing."""
    if benefit != "aide_logement" and situation.given(CANCELLED):
        return 0.0
    same = {
        "af": ("af_base",),
        "af_base": ("af",),
        "cf": ("cf_non_majore_avant_cumul",),
        "asf": ("rsa_forfait_asf",),
    }
    names = (benefit, *same.get(benefit, ()))
    for name in names:
        if situation.given(name):
            return float(situation.of(name, 0, month, 0.0))
    stated = [_stated(situation, name, month) for name in names]
    known = [amount for amount in stated if amount is not None]
    return known[0] if known else situation.housing_aid if benefit == "aide_logement" else 0.0


def _stated(situation: Situation, variable: str, month: str) -> float | None:
    """What the case says it is worth in a month; before its first month, what it is worth then."""
    amounts = dict(by_month(situation.case.stated.get(variable, {}), situation.case.period))
    return amounts.get(max(month, min(amounts))) if amounts else None


def _person(who: str, name: str, situation: Situation, rank: int, role: str) -> dict[str, Any]:
    year, month = divmod(_birth(situation, rank), 12)
    true = {v: situation.of(v, rank, situation.case.months[-1], False) for v in FLAGS}
    return {
        "personne_id": who,
        "menage_id": name,
        "role": {"demandeur": "DEM", "conjoint": "CJT"}.get(role, "ENF"),
        "present_du": None,
        "present_au": None,
        "nati": "F",
        "act": "APP" if true["apprenti"] else None,
        "etudiant": int(true["etudiant"] or true["stagiaire"]),
        "enceinte": int(true["enceinte"]),
        "naissance_annee": year,
        "naissance_mois": month + 1,
        "rsa_jeune_heures": int(true["rsa_jeune_condition_heures_travail_remplie"]),
    }


FLAGS: Final = ("apprenti", "etudiant", "stagiaire", "enceinte", "rsa_jeune_condition_heures_travail_remplie")


def _birth(situation: Situation, rank: int) -> int:
    """Month number of birth: the date given, else the age at the period, else OpenFisca's own default."""
    ages = situation.given("age")
    if ages:
        month, age = max((p if len(p) == 7 else f"{p}-01", int(a[rank])) for p, a in ages.items())
        return month_number(month) - 12 * age
    given = situation.given("date_naissance")
    date = next(iter(given.values()))[rank] if given else np.datetime64("1970-01-01")
    return month_number(str(date)[:7])


def _paid(who: str, situation: Situation, rank: int, month: str) -> dict[str, Any]:
    stated = {b: _stated(situation, b, month) for b in PERSON_BENEFITS}
    paid = {
        b: float(situation.of(b, rank, month, stated[b] if rank == 0 else 0.0) or 0.0)
        for b in PERSON_BENEFITS
    }
    return {"personne_id": who, "mois": month, **paid}


def _incomes(who: str, situation: Situation, rank: int, adult: bool) -> Rows:
    found = [*_monthly(situation, rank), *_from_years(situation, rank)]
    told = {month for _, month, _ in found}
    nil = [("000", month, 0.0) for month in situation.months if adult and month not in told]
    stop = _stoppage(situation, rank)
    return [
        {"personne_id": who, "mois": month, "natress": nature, "montant": amount,
         "arret_debut": stop if nature in STOPPAGES else None}
        for nature, month, amount in (*found, *nil)
    ]  # fmt: skip


def _monthly(situation: Situation, rank: int) -> Iterator[tuple[str, str, float]]:
    for variable, nature in NATRESS_OF.items():
        slip = situation.net.get(variable, {})
        derived = any(situation.given(source) for source in DERIVED.get(variable, ()))
        for month in situation.months:
            amount = slip.get((rank, month), situation.of(variable, rank, month, 0.0))
            if derived:
                amount = situation.simulation.calculate(variable, month)[rank]
            if amount:
                yield nature, month, float(amount)


def _from_years(situation: Situation, rank: int) -> Iterator[tuple[str, str, float]]:
    for variable, nature in YEARLY.items():
        years = situation.given(variable)
        for source in DERIVED.get(variable, ()):
            years = {y: situation.simulation.calculate(variable, y) for y in situation.given(source)} or years
        last = max((year for year, amounts in years.items() if amounts[rank] > 0), default=None)
        if last is not None:
            yield from ((nature, month, float(years[last][rank]) / 12) for month in situation.months)


def _stoppage(situation: Situation, rank: int) -> str | None:
    given = situation.given("date_arret_de_travail")
    return str(next(iter(given.values()))[rank])[:7] if given else None


def _in_gross(case: Case) -> bool:
    text = str(case.situation)
    return any(gross in text for names in GROSS.values() for gross in names)


def _net_incomes(cases: Mapping[str, Case]) -> dict[str, dict[str, dict[tuple[int, str], float]]]:
    """Net salary and unemployment allowance of the cases written in gross, all their payslips in one go."""
    if not cases:
        return {}
    merged: dict[str, dict[str, Any]] = {}
    for name, case in cases.items():
        for entity, members in case.situation.items():
            merged.setdefault(entity, {}).update(_renamed(name, members))
    simulation = _built(merged, next(iter(cases.values())).period)
    simulation.max_spiral_loops = 1
    firsts, lasts = zip(*((case.months[0], case.months[-1]) for case in cases.values()), strict=True)
    window = months_between(shift(min(firsts), 1 - RIGHT_MONTHS), max(lasts))
    found = {v: {m: simulation.calculate(v, m) for m in window} for v in GROSS}
    return {name: _slips(name, case, simulation.persons.ids, found) for name, case in cases.items()}


def _renamed(name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Entities of a case under names of its own; who belongs to them too."""
    return {
        f"{name}/{key}": {
            variable: [f"{name}/{one}" for one in value] if isinstance(value, list) else value
            for variable, value in content.items()
        }
        for key, content in members.items()
    }


def _slips(
    name: str, case: Case, ids: Sequence[str], found: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[tuple[int, str], float]]:
    ranks = {person: rank for rank, person in enumerate(case.situation["individus"])}
    places = [(ranks[i.partition("/")[2]], n) for n, i in enumerate(ids) if i.partition("/")[0] == name]
    return {
        variable: {
            (rank, month): float(array[place]) for month, array in by.items() for rank, place in places
        }
        for variable, by in found.items()
    }
