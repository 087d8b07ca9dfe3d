"""The nine traps: each guard is named, and what happens without it."""

from typing import Any

import numpy as np
import pytest

import pipelines.eligibility.rights as rights
import pipelines.eligibility.simulation as simulation
from pipelines.calendar import months_between, shift
from pipelines.eligibility import simulate, system
from pipelines.eligibility.observed import STATUSES
from pipelines.refusals import LegalRefusal
from tests.eligibility.situations import Household, Person, frames

MOIS = "2026-04"
OWN_QUARTER = {"dtr_phase": 1}


def due(person: Person, right: str = "rsa", mois: str = MOIS, **rest: Any) -> float:
    household = Household([person], mois, attributs=OWN_QUARTER)
    rows = simulate(**frames({"m": household}), mois=[mois], **rest)
    return float(rows["montant_eur_mois"][0 if right == "ppa" else 1])


def paid_in(nature: str, amount: float, *months: int) -> dict[str, dict[str, float]]:
    return {nature: {shift(MOIS, month): amount for month in months}}


def undeclared_last_month() -> Person:
    """A salary every month, the last one not yet declared."""
    until = months_between(shift(MOIS, -23), shift(MOIS, -1))
    return Person(revenus={"001": dict.fromkeys(until, 900.0)}, declare=[])


def test_1_an_undeclared_last_month_is_no_job_loss() -> None:
    assert due(undeclared_last_month()) == 0.0


def test_1_without_the_guard_the_quarter_is_neutralised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "carry_last_declared", lambda values, declared: values)
    assert due(undeclared_last_month()) == 651.69


def test_1_a_declared_end_of_work_neutralises_the_quarter() -> None:
    worked = months_between(shift(MOIS, -23), shift(MOIS, -1))
    assert due(Person(revenus={"001": dict.fromkeys(worked, 900.0)})) == 651.69


def job_lost() -> Person:
    """Salary in M-2 and M-1, unemployment benefit in M."""
    return Person(revenus=paid_in("001", 1100.0, -2, -1) | paid_in("010", 1.0, 0))


def test_2_the_reference_quarter_is_m4_to_m2_since_march_2025() -> None:
    assert due(job_lost()) == 285.02


def test_2_without_the_guard_it_is_m3_to_m1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "shifted_reference_quarter", lambda month, since: False)
    assert due(job_lost()) == 0.0


def test_2_the_body_may_keep_the_former_quarter() -> None:
    assert due(job_lost(), trimestre_decale_depuis="9999-01") == 0.0


def test_3_one_ppa_scale_per_right() -> None:
    assert due(Person(revenus={"001": 2032.0}), "ppa") == 63.06


def test_3_without_the_guard_the_scale_is_that_of_the_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "scale_system", lambda first, scale: system())
    assert due(Person(revenus={"001": 2032.0}), "ppa") == 0.0
    assert due(Person(revenus={"001": 1426.30}), "ppa", "2025-05") != 244.82


def nobody_a_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every adult takes the role of a child, as the key "parent" does in silence."""
    monkeypatch.setattr(simulation, "ROLES", simulation.ROLES | {"famille": ("enfant", "enfant", "enfant")})


def test_4_a_family_without_parent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_a_parent(monkeypatch)
    with pytest.raises(AssertionError, match="without parent"):
        due(Person())


def test_4_without_the_guard_the_household_loses_its_right(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_a_parent(monkeypatch)
    monkeypatch.setattr(simulation, "refuse_families_without_parent", lambda parents: None)
    assert due(Person()) == 0.0


def test_4_a_role_that_is_not_flattened_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "ROLES", simulation.ROLES | {"famille": ("parent", "parent", "enfant")})
    with pytest.raises(ValueError, match="parent"):
        due(Person())


def empty_simulation() -> Any:
    from openfisca_core.simulation_builder import SimulationBuilder

    return SimulationBuilder().build_default_simulation(system(), 1)


def test_5_an_input_is_written_once() -> None:
    inputs = simulation.Inputs(empty_simulation())
    inputs.write("enceinte", MOIS, np.array([False]))
    with pytest.raises(AssertionError, match="already set"):
        inputs.write("enceinte", MOIS, np.array([True]))


def test_5_without_the_guard_the_second_value_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulation, "refuse_second_write", lambda *_: None)
    empty = empty_simulation()
    inputs = simulation.Inputs(empty)
    inputs.write("enceinte", MOIS, np.array([False]))
    inputs.write("enceinte", MOIS, np.array([True]))
    assert empty.calculate("enceinte", MOIS)[0]


def test_6_an_ended_variable_is_refused() -> None:
    with pytest.raises(AssertionError, match="ended"):
        simulation.Inputs(empty_simulation()).write("paje_clca", MOIS, np.array([500.0]))


def test_6_without_the_guard_a_benefit_outlives_its_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "refuse_ended_variable", lambda *_: None)
    empty = empty_simulation()
    simulation.Inputs(empty).write("paje_clca", MOIS, np.array([500.0]))
    assert empty.calculate("paje_clca", MOIS)[0] == 500.0


def test_an_input_of_several_months_is_not_taken_for_a_month() -> None:
    with pytest.raises(AssertionError, match="not a month"):
        simulation.Inputs(empty_simulation()).write("enceinte", MOIS[:4], np.array([True]))


def test_7_a_month_more_than_twelve_months_past_the_last_scale_is_refused() -> None:
    rights.check_legislation_known("2027-04")
    with pytest.raises(LegalRefusal, match="2027-05"):
        due(Person(), mois="2027-05")


def test_7_without_the_guard_the_last_scale_is_carried_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "check_legislation_known", lambda mois: None)
    assert due(Person(), mois="2027-05") == 651.69


def test_7_a_month_before_the_two_rights_existed_is_refused() -> None:
    rights.check_legislation_known("2016-01")
    with pytest.raises(LegalRefusal, match="2015-12"):
        due(Person(), mois="2015-12")


def test_8_every_housing_status_is_a_label_of_openfisca() -> None:
    simulation.refuse_unknown_labels(system(), STATUSES)
    with pytest.raises(AssertionError, match="housing status"):
        simulation.refuse_unknown_labels(system(), ("PRO",))


def test_8_a_wrong_label_stops_the_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "STATUSES", ("inconnu", *STATUSES[1:]))
    with pytest.raises(AssertionError, match="housing status"):
        due(Person())


def test_9_nothing_but_the_two_rights_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "RIGHTS", ("rsa", "ppa", "revenu_disponible"))
    with pytest.raises(AssertionError, match="only RSA and PPA"):
        due(Person())


COMPUTED = {
    "rsa", "rsa_montant", "rsa_socle", "rsa_socle_majore", "rsa_eligibilite", "rsa_majore_eligibilite",
    "rsa_base_ressources", "rsa_base_ressources_individu", "rsa_base_ressources_minima_sociaux",
    "rsa_base_ressources_patrimoine_individu", "rsa_base_ressources_prestations_familiales",
    "rsa_condition_nationalite", "rsa_enfant_a_charge", "rsa_forfait_logement",
    "rsa_has_ressources_substitution",
    "rsa_indemnites_journalieres_activite", "rsa_indemnites_journalieres_hors_activite", "rsa_nb_enfants",
    "rsa_revenu_activite_individu", "rsa_revenus_determination_enfant_a_charge",
    "ppa", "ppa_base_ressources", "ppa_base_ressources_prestations_familiales", "ppa_bonification",
    "ppa_eligibilite", "ppa_eligibilite_apprenants", "ppa_fictive", "ppa_fictive_montant_forfaitaire",
    "ppa_fictive_ressource_activite", "ppa_forfait_logement", "ppa_montant_forfaitaire_familial_majore",
    "ppa_montant_forfaitaire_familial_non_majore", "ppa_plancher_revenu_activite_apprenant",
    "ppa_ressources_hors_activite", "ppa_ressources_hors_activite_individu", "ppa_revenu_activite",
    "ppa_revenu_activite_individu",
    "age", "age_en_mois", "en_couple", "enceinte_fam", "est_enfant_dans_famille", "nb_parents",
}  # fmt: skip
"""Formulas of the two rights and of the composition: any other would be a hole in the inputs."""


def test_no_hole_in_the_window_makes_openfisca_invent_an_income(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: set[str] = set()
    build = simulation.Simulation

    def watched(law: Any, populations: Any) -> Any:
        built = build(law, populations)
        run = built._run_formula

        def noted(variable: Any, population: Any, period: Any) -> Any:
            if variable.get_formula(period) is not None:
                ran.add(variable.name)
            return run(variable, population, period)

        built._run_formula = noted
        return built

    monkeypatch.setattr(simulation, "Simulation", watched)
    people = [Person(revenus={"001": 500.0, "011": 100.0}), Person("CJT"), Person("ENF", (2010, 5))]
    for mois in ("2025-01", "2025-04", MOIS):
        simulate(**frames({"m": Household(people, mois, attributs=OWN_QUARTER)}), mois=[mois])
    assert ran - COMPUTED == set()
