"""The words of eligibility.md, one rule a test: a dossier in, a situation out."""

import polars as pl

from pipelines.estimation import situations
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import AURIGNAC, Tables

OUTSIDE = "31555"


def situation(
    tables: Tables, warehouse: Warehouse, settings: Settings, name: str = "m", droit: str = "rsa"
) -> tuple[str, str, str]:
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    rows = warehouse.read("core__situations").filter(menage_base_id=name, droit=droit)
    row = rows.row(0, named=True)
    return row["strate"], row["situation"], row["motif"]


DOSSIERS: list[tuple[dict[str, object], tuple[str, str, str]]] = [
    ({}, ("A1", "primaire", "jamais_demande")),
    ({"rsa_etat": "1"}, ("A1", "primaire", "refuse")),
    ({"rsa_etat": "5", "rsa_motif_cloture": "ECH"}, ("A1", "secondaire", "clos")),
    ({"rsa_etat": "6"}, ("A1", "secondaire", "clos")),
    ({"rsa_etat": "5", "rsa_motif_cloture": "MUT"}, ("A1", "parti", "mutation")),
    ({"rsa_etat": "4", "rsa_motif": "06"}, ("A1", "secondaire", "declaration_manquante")),
    ({"rsa_etat": "3", "rsa_motif": "CG"}, ("A1", "en_cours", "suspension_CG")),
    ({"rsa_etat": "4", "rsa_motif": "70"}, ("A1", "en_cours", "suspension_70")),
    ({"rsa_etat": "0"}, ("A1", "en_cours", "demande_en_attente")),
    ({"rsa_etat": "4", "rsa_motif": "CV"}, ("A1", "en_cours", "suspension_CV")),
    ({"rsa_etat": "4", "rsa_motif": "05"}, ("A1", "desaccord", "suspension_05")),
    ({"rsa_etat": "4", "rsa_motif": "01"}, ("A1", "desaccord", "suspension_01")),
    ({"rsa_etat": "2", "rsa_du": 0.0}, ("A1", "desaccord", "ouvert_sans_montant")),
    ({"rsa_etat": "2", "rsa_du": 500.0}, ("A1", "recourant", "paye")),
    ({"rsa_etat": "6", "rsa_du": 500.0}, ("A1", "secondaire", "clos")),
]


def test_the_dossier_of_an_entitled_household_says_its_situation(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    for n, (dossier, _) in enumerate(DOSSIERS):
        tables.caf(f"m{n:02d}", **dossier)
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    found = warehouse.read("core__situations").filter(droit="rsa").sort("menage_base_id")
    assert found.select("strate", "situation", "motif").rows() == [expected for _, expected in DOSSIERS]


def test_a_right_suspended_for_its_resources_and_simulated_nil_is_no_disagreement(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m", rsa="non", rsa_etat="4", rsa_motif="05")
    assert situation(tables, warehouse, settings)[1] == "non_eligible"


def test_a_household_entitled_in_two_months_of_three_is_not_counted(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m")
    tables.rows["core__droits"][2] |= {"eligible": "non", "poids_eligible": 0.0, "montant_eur_mois": 0.0}
    assert situation(tables, warehouse, settings) == ("A1", "non_eligible", "droit_partiel")


def test_a_household_present_in_two_months_of_three_is_unknown_for_mobility(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m")
    tables.rows["core__droits"] = [r for r in tables.rows["core__droits"] if r["mois"] != "2026-04"]
    assert situation(tables, warehouse, settings) == ("A1", "inconnu", "mobilite")


def test_one_payable_month_makes_a_taker(tables: Tables, warehouse: Warehouse, settings: Settings) -> None:
    tables.caf("m", rsa_etat="5")
    tables.rows["core__caf_foyers"][0] |= {"rsa_etat": "2", "rsa_du": 400.0}
    assert situation(tables, warehouse, settings) == ("A1", "recourant", "paye_dans_la_periode")


def test_a_caf_household_without_monthly_incomes_is_in_a2(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m", rsa="inconnu", ppa="inconnu", motif="ressources_inconnues")
    assert situation(tables, warehouse, settings) == ("A2", "inconnu", "ressources_inconnues")


def test_a_student_is_unknown_but_not_for_want_of_incomes(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m", rsa="inconnu", ppa="inconnu", motif="etudiant")
    assert situation(tables, warehouse, settings) == ("A1", "inconnu", "etudiant")


def test_an_unlinked_cpam_household_is_in_b(tables: Tables, warehouse: Warehouse, settings: Settings) -> None:
    tables.cpam("m")
    assert situation(tables, warehouse, settings) == ("B", "primaire", "absent_de_la_caf")


def test_a_cpam_household_is_linked_when_any_of_its_adults_is(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a")
    tables.cpam("m")
    tables.also("m", "p-2", "CJT", uid=7)
    tables.link(7, ("caf", "a"))
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    counted = warehouse.read("core__situations")
    assert counted["menage_base_id"].unique().to_list() == ["a"]
    assert counted["est_lie"].all()


def test_a_couple_for_the_cpam_links_both_dossiers_the_caf_has_of_it(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a")
    tables.caf("b")
    tables.cpam("m")
    tables.also("m", "p-2", "CJT", uid=2)
    tables.link(1, ("caf", "a"), ("cpam", "m"))
    tables.link(2, ("caf", "b"))
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    counted = warehouse.read("core__situations").filter(droit="rsa").sort("menage_base_id")
    assert counted.select("menage_base_id", "est_lie").rows() == [("a", True), ("b", True)]
    assert warehouse.read("core__situations_lues").filter(strate="L", droit="rsa").height == 1


def test_a_child_does_not_link_its_household(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a")
    tables.cpam("m")
    tables.also("m", "p-2", "ENF", uid=7)
    tables.link(7, ("caf", "a"))
    assert situation(tables, warehouse, settings)[0] == "B"


def test_a_household_paid_by_the_msa_is_a_taker_outside_b(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.paid_by_the_msa("m")
    assert situation(tables, warehouse, settings) == ("S", "recourant", "regime_agricole")


def test_the_address_of_the_caf_decides_where_a_linked_household_lives(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("a", commune=OUTSIDE)
    tables.cpam("m", commune=AURIGNAC)
    tables.caf("b")
    tables.link(1, ("caf", "a"), ("cpam", "m"))
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    assert warehouse.read("core__situations_menages")["menage_base_id"].to_list() == ["b"]


def test_exclusive_rights_add_up_to_households_entitled_to_anything(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m1", rsa="oui", ppa="non")
    tables.caf("m2", rsa="oui", ppa="oui")
    tables.caf("m3", rsa="non", ppa="oui", ppa_etat="2", ppa_due=100.0)
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    entitled = warehouse.read("core__situations").filter(eligible="oui").sort("droit", "menage_base_id")
    by_right = entitled.group_by("droit").agg(pl.col("poids").sum()).sort("droit")
    assert by_right.rows() == [
        ("ppa", 2.0),
        ("ppa_seule", 1.0),
        ("rsa", 2.0),
        ("rsa_et_ppa", 1.0),
        ("rsa_seul", 1.0),
    ]


def test_entitled_to_both_and_paid_one_is_a_nontaker_of_the_other_amount(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.caf("m", rsa="oui", ppa="oui", montants=(500.0, 120.0), rsa_etat="2", rsa_du=500.0)
    assert situation(tables, warehouse, settings, droit="rsa_et_ppa")[1] == "primaire"
    row = warehouse.read("core__situations").filter(menage_base_id="m", droit="rsa_et_ppa").row(0, named=True)
    assert row["montant_non_reclame_eur_mois"] == 120.0


def test_a_household_computed_in_two_ways_counts_for_its_entitled_share(
    tables: Tables, warehouse: Warehouse, settings: Settings
) -> None:
    tables.cpam("m")
    tables.cpam("v", rsa="non")
    for row, share in zip(tables.rows["core__menages"], (0.4, 0.6), strict=True):
        row |= {"menage_base_id": "m", "poids_variante": share}
    assert situation(tables, warehouse, settings)[1] == "primaire"
    assert warehouse.read("core__situations").filter(droit="rsa")["poids"].to_list() == [0.4]
