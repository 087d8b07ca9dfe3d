"""What the warehouse tells the estimator: strata, instruments, verification answers."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from pipelines.estimation import situations
from pipelines.estimation.audits import RECALL_WITHOUT_MEASURE
from pipelines.estimation.estimator import Evidence
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.link_rates import unverified_false_links
from pipelines.estimation.reading import read
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import Tables

Look = Callable[..., Evidence]
"""Build the situations of the written tables; what they say of a right, the RSA by default."""


@pytest.fixture
def seen(tables: Tables, warehouse: Warehouse, settings: Settings) -> Look:
    def look(droit: str = "rsa") -> Evidence:
        tables.write(warehouse)
        situations.build(warehouse, settings, "2026-06")
        reading = read(warehouse, droit)
        return evidence(reading, warehouse.read("out__qualite_appariement"), sensitivity(reading)[0])

    return look


def test_u_and_t_are_entitled_on_the_same_cpam_data(tables: Tables, seen: Look) -> None:
    tables.caf("a", rsa="non")
    tables.cpam("la")
    tables.link(1, ("caf", "a"), ("cpam", "la"))
    tables.cpam("b")
    tables.cpam("b2", rsa="non")
    found = seen()
    assert (found.u.sum(), found.t.sum()) == (1, 1)
    assert (found.known.sum(), found.known_linked.sum()) == (3, 1)


def test_kappa_compares_both_instruments_on_linked_households_that_are_not_paid(
    tables: Tables, seen: Look
) -> None:
    cases = (("oui", "oui"), ("oui", "non"), ("non", "oui"), ("non", "oui"))
    for n, (caf, cpam) in enumerate(cases):
        tables.caf(f"a{n}", rsa=caf)
        tables.cpam(f"c{n}", rsa=cpam)
        tables.link(n, ("caf", f"a{n}"), ("cpam", f"c{n}"))
    tables.caf("paid", rsa_etat="2", rsa_du=400.0)
    tables.cpam("cp")
    tables.link(9, ("caf", "paid"), ("cpam", "cp"))
    kappa = seen().kappa
    assert (kappa.both.sum(), kappa.caf_only, kappa.cpam_only.sum()) == (1, 1, 2)


def test_a_household_whom_the_caf_pays_an_income_is_no_model_for_those_absent_from_it(
    tables: Tables, seen: Look
) -> None:
    tables.caf("a", rsa="non")
    tables.cpam("c", rsa="oui")
    tables.link(1, ("caf", "a"), ("cpam", "c"))
    tables.add("core__caf_prestations_personnes", personne_id="p-a", mois="2026-05", aah=1041.59)
    found = seen()
    assert (found.kappa.cpam_only.sum(), found.nonrecipients.sum(), found.t.sum()) == (0, 0, 1)


def test_households_without_incomes_go_to_the_class_model_and_students_nowhere(
    tables: Tables, seen: Look
) -> None:
    tables.cpam("b", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
    tables.cpam("e", rsa="inconnu", ppa="inconnu", motif="etudiant")
    tables.cpam("jeune", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues", age=22)
    found = seen()
    assert (found.unknown.sum(), found.known.sum()) == (1, 0)


def test_a_caf_household_without_incomes_and_without_link_counts_in_both_c2s_classes(
    tables: Tables, seen: Look
) -> None:
    tables.caf("a", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
    found = seen()
    assert found.a2.sum() == pytest.approx(1)
    assert (found.a2 > 0).sum() == 2


def test_caf_households_that_are_not_paid_teach_entitlement_the_linked_for_all(
    tables: Tables, seen: Look
) -> None:
    tables.caf("unlinked")
    tables.caf("paid", rsa_etat="2", rsa_du=400.0)
    tables.caf("a")
    tables.caf("n", rsa="non")
    for n, name in enumerate(("paid", "a", "n")):
        tables.cpam(f"c{name}")
        tables.link(n, ("caf", name), ("cpam", f"c{name}"))
    found = seen()
    assert (found.nonrecipients.sum(), found.nonrecipients_entitled.sum()) == (3, 2)


def test_households_paid_by_the_msa_are_takers_for_the_rsa_only(tables: Tables, seen: Look) -> None:
    tables.paid_by_the_msa("m")
    assert seen("rsa").s == 1
    assert seen("ppa").s == 0


def test_recall_comes_from_the_hold_out_three_points_lower(tables: Tables, seen: Look) -> None:
    tables.cpam("b")
    tables.recall(0.96)
    assert seen().rates.entitled.prior_mean == pytest.approx(0.93)


def test_the_interval_of_the_recall_widens_that_of_the_rate(tables: Tables, seen: Look) -> None:
    tables.cpam("b")
    tables.recall(0.96, bas=0.96 - 1.959964 * 0.04, haut=0.96 + 1.959964 * 0.04)
    assert seen().rates.entitled.prior_sd == pytest.approx(0.05)


def test_the_recall_of_one_class_is_not_that_of_everybody(tables: Tables, seen: Look) -> None:
    tables.cpam("b")
    tables.recall(0.5, classe="age")
    assert seen().rates.entitled.prior_mean == RECALL_WITHOUT_MEASURE.prior_mean


def test_answers_of_the_caf_give_recall_and_coverage(tables: Tables, seen: Look) -> None:
    for n in range(4):
        tables.caf(f"a{n}")
        tables.verified("caf", f"a{n}", volet="RAPPEL", connu_cpam=int(n > 0))
    tables.cpam("c1")
    tables.link(1, ("caf", "a1"), ("cpam", "c1"))
    found = seen()
    seen_there = found.rates.entitled.seen
    assert (seen_there.known, seen_there.asked) == pytest.approx((3, 4))
    assert (seen_there.linked, seen_there.households) == (1, 4)
    assert (found.rates.entitled.trials.sum(), found.rates.entitled.successes.sum()) == (3, 1)


def test_answers_about_unlinked_households_move_delta_unless_the_msa_knows_them(
    tables: Tables, seen: Look
) -> None:
    for n, msa in enumerate((0, 0, 1)):
        tables.cpam(f"b{n}", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
        tables.verified("cpam", f"b{n}", connu_caf=0, connu_msa=msa, eligible_rsa=int(n != 1), eligible_ppa=0)
    found = seen().answers
    assert (found.households.sum(), found.entitled.sum()) == (3, 1)


def test_an_answer_goes_to_the_household_it_is_about(tables: Tables, seen: Look) -> None:
    tables.cpam("unknown", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
    tables.cpam("found")
    tables.cpam("overlooked", rsa="non")
    tables.cpam("student", rsa="inconnu", ppa="inconnu", motif="etudiant")
    for name in ("unknown", "found", "overlooked", "student"):
        tables.verified("cpam", name, connu_caf=0, eligible_rsa=1, eligible_ppa=0)
    found = seen()
    assert found.answers.count == 1
    assert found.kappa.answers.count == 1
    assert (found.kappa.told_overlooked, found.kappa.overlooking) == (1, 1)


def test_the_caf_tells_of_households_whose_incomes_nobody_knows(tables: Tables, seen: Look) -> None:
    for n, volet in enumerate(("TEMOIN", "RAPPEL")):
        tables.caf(f"a{n}", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
        tables.cpam(f"c{n}", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
        tables.link(n, ("caf", f"a{n}"), ("cpam", f"c{n}"))
        tables.verified("caf", f"a{n}", volet=volet, connu_cpam=1, eligible_rsa=1, eligible_ppa=0)
    found = seen().a2_answers
    assert (found.households.sum(), found.entitled.sum()) == (1, 1)


def test_a_household_paid_the_other_right_is_no_model_for_those_absent_from_the_caf(
    tables: Tables, seen: Look
) -> None:
    tables.caf("rsa_only", ppa="oui", rsa_etat="2", rsa_du=400.0)
    tables.caf("nothing", ppa="oui")
    for n, name in enumerate(("rsa_only", "nothing")):
        tables.cpam(f"c{name}", ppa="oui")
        tables.link(n, ("caf", name), ("cpam", f"c{name}"))
    assert seen("rsa_et_ppa").nonrecipients.sum() == 1
    assert seen("ppa").nonrecipients.sum() == 1


def test_a_household_without_caf_incomes_is_read_on_cpam_data_when_they_are_known(
    tables: Tables, seen: Look
) -> None:
    for n, state in enumerate(("oui", "non")):
        tables.caf(f"a{n}", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
        tables.cpam(f"c{n}", rsa=state)
        tables.link(n, ("caf", f"a{n}"), ("cpam", f"c{n}"))
    found = seen()
    assert (found.a2_known.sum(), found.a2_found.sum(), found.a2.sum()) == (2, 1, 0)


def test_a_household_of_the_msa_is_no_false_link(tables: Tables, seen: Look) -> None:
    tables.paid_by_the_msa("m")
    tables.verified("cpam", "m", volet="FAUX_LIENS", connu_caf=0, connu_msa=1)
    assert seen().rates.absent.trials.sum() == 0


def test_a_pensioner_without_incomes_told_entitled_is_a_wrong_answer(tables: Tables, seen: Look) -> None:
    for n, age in enumerate((40, 70, 80)):
        tables.cpam(f"b{n}", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues", age=age)
        tables.verified("cpam", f"b{n}", connu_caf=0, eligible_rsa=int(n < 2), eligible_ppa=0)
    found = seen().reliability
    assert (found.sure, found.contrary) == (2, 1)


def test_a_linked_household_told_absent_from_the_caf_is_a_wrong_answer(tables: Tables, seen: Look) -> None:
    for n in range(4):
        tables.caf(f"a{n}")
        tables.cpam(f"c{n}")
        tables.link(n, ("caf", f"a{n}"), ("cpam", f"c{n}"))
        tables.verified("cpam", f"c{n}", volet="FAUX_LIENS", connu_caf=int(n > 0))
    found = seen().directory
    assert found.sure == 4
    assert found.contrary == pytest.approx(1)


def test_an_answer_left_empty_is_no_answer(tables: Tables, seen: Look) -> None:
    tables.cpam("b")
    tables.verified("cpam", "b", connu_caf=0)
    assert seen().answers.count == 0


def test_false_links_are_counted_among_persons_absent_from_caf(tables: Tables, seen: Look) -> None:
    tables.cpam("b")
    for mesure, couple, valeur in (
        ("faux_liens", ("caf", "cpam"), 6.0),
        ("liens", ("caf", "cpam"), 400.0),
        ("personnes", ("cpam", None), 1000.0),
    ):
        tables.add(
            "out__qualite_appariement",
            mesure=mesure,
            source_g=couple[0],
            source_d=couple[1],
            classe="ensemble",
            modalite="ensemble",
            valeur=valeur,
            n=1,
        )
    assert seen().rates.absent.prior_mean == pytest.approx(0.01)


def test_the_class_of_a_household_is_known_by_age_c2s_and_commune(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.cpam("b", age=55, c2s="1", commune="31028")
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    assert read(warehouse, "rsa").households.select(pl.col("classe")).item() == 1 * 4 + 2 + 1


def test_false_links_that_nearly_never_happen_stay_uncertain() -> None:
    drawn = unverified_false_links(1e-5, 0.0, 1e-4).draw(4000, np.random.default_rng(1))
    assert np.quantile(drawn, 0.975) > 1e-3
    assert drawn.mean() == pytest.approx(1e-3, rel=0.2)
