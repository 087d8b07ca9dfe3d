"""The households of the period and their rights, from the partners' tables."""

from typing import Any

import polars as pl
import pytest

from pipelines import eligibility
from pipelines.calendar import window
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.eligibility.conftest import MOIS, Delivery


def run(delivery: Delivery, entrepot: Warehouse, reglages: Settings) -> dict[str, Any]:
    delivery.write(entrepot)
    return dict(eligibility.run(entrepot, reglages, MOIS))


def rights(
    entrepot: Warehouse, instrument: str, droit: str = "rsa", mois: str = MOIS
) -> dict[str, tuple[Any, ...]]:
    rows = entrepot.read("core__droits").filter(
        (pl.col("instrument") == instrument) & (pl.col("droit") == droit) & (pl.col("mois") == mois)
    )
    return {
        row["menage_id"]: (row["eligible"], row["motif"], row["montant_eur_mois"], row["poids_eligible"])
        for row in rows.to_dicts()
    }


def test_a_caf_household_gets_three_months_of_two_rights(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.foyer("f")
    delivery.allocataire("p", "f")
    counts = run(delivery, entrepot, reglages)
    assert entrepot.count("core__droits") == 6
    assert rights(entrepot, "caf") == {"f": ("oui", None, 651.69, 1.0)}
    assert counts["caf_rsa_oui"] == 1
    menage = entrepot.read("core__menages").to_dicts()[0]
    assert menage == {
        "menage_id": "f", "instrument": "caf", "commune_insee": "31483", "regle": "dossier", "n_adultes": 1,
        "n_enfants": 0, "age_reference": 41, "poids_variante": 1.0, "menage_base_id": "f",
    }  # fmt: skip


def test_under_three_months_in_the_territory_is_unknown(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.foyer("arrive", mois=window(MOIS, 2))
    delivery.allocataire("p", "arrive")
    delivery.foyer("venu", mois=window(MOIS, 24)[:-1], commune_insee="75056")
    delivery.foyer("venu", mois=[MOIS])
    delivery.allocataire("q", "venu")
    run(delivery, entrepot, reglages)
    assert {k: v[:2] for k, v in rights(entrepot, "caf").items()} == {
        "arrive": ("inconnu", "mobilite"),
        "venu": ("inconnu", "mobilite"),
    }


def test_a_month_the_caf_did_not_deliver_is_nobodys_move(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    months = window(MOIS, 24)[:-1]
    delivery.foyer("f", mois=months)
    delivery.allocataire("p", "f")
    run(delivery, entrepot, reglages)
    assert rights(entrepot, "caf", mois=months[-1])["f"][:2] == ("oui", None)


def test_an_adult_of_two_households_makes_both_unknown(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    for name in ("f", "g", "h", "parti"):
        delivery.foyer(name)
    delivery.allocataire("p", "f")
    delivery.allocataire("q", "g")
    delivery.rows["caf_personnes"].append(
        delivery.rows["caf_personnes"][0] | {"foyer_id": "g", "role": "CJT"}
    )
    delivery.allocataire("r", "h")
    delivery.allocataire("k", "h", "ENF", naissance_annee=2015)
    delivery.allocataire("s", "parti")
    child, gone = delivery.rows["caf_personnes"][-2:]
    delivery.rows["caf_personnes"] += [
        child | {"foyer_id": "parti"},
        gone | {"foyer_id": "h", "role": "CJT", "present_au": "2026-03"},
    ]
    run(delivery, entrepot, reglages)
    found = {name: state[:2] for name, state in rights(entrepot, "caf").items()}
    assert found == {
        "f": ("inconnu", "adulte_deux_foyers"),
        "g": ("inconnu", "adulte_deux_foyers"),
        "h": ("oui", None),
        "parti": ("oui", None),
    }


def test_an_rsa_paid_far_above_the_threshold_is_set_apart(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    """651.69 × 1.5 = 977.54: 970 € may be an error of a month, 990 € paid in full is not."""
    for name, salary, state in (("loin", 990.0, "2"), ("pres", 970.0, "2"), ("clos", 990.0, "5")):
        delivery.foyer(name, rsa_etat=state, rsa_du=400.0)
        delivery.allocataire(f"p-{name}", name, salaire=salary)
    counts = run(delivery, entrepot, reglages)
    apart = entrepot.read("core__payes_loin_du_seuil").rows()
    assert apart == [("loin", pytest.approx(990 / 651.69))]
    assert counts["payes_loin_du_seuil"] == 1


def test_cpam_allowances_complete_the_caf_incomes_and_win(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.foyer("f")
    delivery.allocataire("p", "f")
    delivery.assure("a")
    delivery.indemnites("a", 300.0, "021")
    delivery.foyer("g")
    delivery.allocataire("q", "g")
    delivery.rows["caf_ressources"] += [
        {"personne_id": "q", "mois": m, "natress": "021", "montant": 100.0} for m in window(MOIS)
    ]
    delivery.assure("b")
    delivery.indemnites("b", 200.0, "021")
    delivery.lien("p", "a")
    delivery.lien("q", "b")
    counts = run(delivery, entrepot, reglages)
    assert {k: v[2] for k, v in rights(entrepot, "caf").items()} == {"f": 351.69, "g": 451.69}
    assert (counts["ecarts_caf_cpam"], counts["ajouts_cpam"]) == (16, 16)


def test_a_month_the_caf_does_not_know_stays_unknown_whatever_the_cpam_pays(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.foyer("f", ressources_source="ANNUELLES")
    delivery.allocataire("p", "f")
    delivery.rows["caf_ressources"] = []
    delivery.assure("a")
    delivery.indemnites("a", 300.0)
    delivery.lien("p", "a")
    run(delivery, entrepot, reglages)
    assert rights(entrepot, "caf")["f"][:2] == ("inconnu", "ressources_inconnues")


def rules(entrepot: Warehouse) -> dict[str, str]:
    menages = entrepot.read("core__menages").filter(pl.col("instrument") == "cpam")
    return dict(menages.select("menage_id", "regle").iter_rows())


def test_three_rules_make_the_households_of_the_cpam_in_this_order(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    for who in ("c1", "c2"):
        delivery.assure(who, foyer_c2s_id="c2s", logement_id="l1")
    delivery.assure("e1", logement_id="l2")
    delivery.assure("e2", logement_id="l2", sexe="2")
    delivery.enfant("k", "e1", "e2")
    delivery.assure("v1", logement_id="l3")
    delivery.assure("v2", logement_id="l3", sexe="2", naissance_annee=1990)
    delivery.assure("loin", logement_id="l4")
    delivery.assure("pres", logement_id="l4", naissance_annee=1960)
    run(delivery, entrepot, reglages)
    assert rules(entrepot) == {
        "c2s": "c2s", "e1": "enfant", "v1-couple": "couple_possible", "v1-seul-1": "couple_possible",
        "v1-seul-2": "couple_possible", "loin": "seul", "pres": "seul",
    }  # fmt: skip
    members = entrepot.read("core__menages_personnes").filter(pl.col("menage_id") == "e1")
    assert sorted(members.select("personne_id", "role").rows()) == [
        ("e1", "DEM"),
        ("e2", "CJT"),
        ("k", "ENF"),
    ]


def test_a_person_whose_birth_is_unknown_is_in_a_household_all_the_same(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.assure("s", foyer_c2s_id="c2s", naissance_annee=None)
    run(delivery, entrepot, reglages)
    members = entrepot.read("core__menages_personnes").filter(pl.col("instrument") == "cpam")
    assert members.select("menage_id", "personne_id", "role").rows() == [("c2s", "s", "DEM")]


def test_a_possible_couple_counts_both_ways_for_the_share_of_couples_among_linked_pairs(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    for n in range(4):
        delivery.assure(f"h{n}", logement_id=f"l{n}")
        delivery.assure(f"f{n}", logement_id=f"l{n}", sexe="2")
    for n in range(3):
        together = n < 2
        delivery.foyer(f"x{n}")
        delivery.allocataire(f"ch{n}", f"x{n}")
        delivery.foyer(f"y{n}")
        delivery.allocataire(f"cf{n}", f"x{n}" if together else f"y{n}", "CJT" if together else "DEM")
        delivery.lien(f"ch{n}", f"h{n}")
        delivery.lien(f"cf{n}", f"f{n}")
    run(delivery, entrepot, reglages)
    menages = entrepot.read("core__menages").filter(pl.col("menage_base_id") == "f3")
    weights = dict(menages.select("menage_id", "poids_variante").iter_rows())
    share = (2 + 5 * 3 / 5) / (3 + 5)
    assert weights == {
        "f3-couple": pytest.approx(share),
        "f3-seul-1": pytest.approx(1 - share),
        "f3-seul-2": pytest.approx(1 - share),
    }
    found = rights(entrepot, "cpam")
    assert [found[k][2] for k in sorted(weights)] == [
        pytest.approx((977.54 + 821.13) / 2),
        pytest.approx((651.69 + 573.49) / 2),
        pytest.approx((651.69 + 573.49) / 2),
    ]


def test_entitled_under_one_occupation_only_counts_one_half(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.assure("a", salaire=600.0)
    run(delivery, entrepot, reglages)
    assert rights(entrepot, "cpam") == {"a": ("oui", None, 51.69, 0.5)}


def test_what_the_cpam_cannot_say_makes_the_right_unknown(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    delivery.assure("ne_ailleurs", ne_en_france=0)
    delivery.assure("ne_on_ne_sait_ou", ne_en_france=None)
    delivery.assure("c2s_ouverte", ne_en_france=0, c2s="1", c2s_debut="2026-01")
    delivery.assure("c2s_fermee", ne_en_france=0, c2s="1", c2s_debut="2024-01", c2s_fin="2025-12")
    delivery.assure("jeune", naissance_annee=2001, naissance_mois=1)
    delivery.assure("autre_regime", regime="AU")
    delivery.assure("independant", salaire=None)
    delivery.indemnites("independant", 200.0, "030")
    delivery.assure("sans_ressources_connues", ressources_connues=0)
    run(delivery, entrepot, reglages)
    assert {name: found[:2] for name, found in rights(entrepot, "cpam").items()} == {
        "ne_ailleurs": ("inconnu", "titre_sejour"),
        "ne_on_ne_sait_ou": ("inconnu", "titre_sejour"),
        "c2s_ouverte": ("oui", None),
        "c2s_fermee": ("inconnu", "titre_sejour"),
        "jeune": ("inconnu", "etudiant"),
        "autre_regime": ("inconnu", "independant_sans_resultat"),
        "independant": ("inconnu", "independant_sans_resultat"),
        "sans_ressources_connues": ("inconnu", "ressources_inconnues"),
    }


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2025-03", {"agricole": 651.69, "general": 651.69}),
        ("9999-01", {"agricole": 351.69, "general": 651.69}),
    ],
)
def test_the_msa_may_keep_the_former_reference_quarter(
    since: str, expected: dict[str, float], delivery: Delivery, entrepot: Warehouse
) -> None:
    """Salary since March, right of April: M-4..M-2 does not see it, M-3..M-1 sees a third of it."""
    for name, regime in (("agricole", "AG"), ("general", "GE")):
        delivery.assure(name, regime=regime, salaire=None)
        delivery.rows["cpam_ressources"] += [
            {"personne_id": name, "mois": month, "natress": nature, "montant": amount}
            for month in window(MOIS)
            for nature, amount in [("001", 900.0) if month >= "2026-03" else ("000", 0.0)]
        ]
    settings = Settings.model_validate({"droits": {"trimestre_msa_decale_depuis": since}})
    run(delivery, entrepot, settings)
    found = {name: state[2] for name, state in rights(entrepot, "cpam").items()}
    owner = 573.49 - 651.69
    assert found == {name: pytest.approx(amount + owner / 2) for name, amount in expected.items()}


def test_owners_with_a_loan_and_no_aid_are_counted(
    delivery: Delivery, entrepot: Warehouse, reglages: Settings
) -> None:
    for name, occlog, aid in (("f", "ACC", 0.0), ("g", "ACC", 50.0), ("h", "PRO", 0.0)):
        delivery.foyer(name, occlog=occlog, aide_logement=aid)
        delivery.allocataire(f"p{name}", name)
    assert run(delivery, entrepot, reglages)["accedants_sans_aide"] == 1


def test_running_twice_changes_nothing(delivery: Delivery, entrepot: Warehouse, reglages: Settings) -> None:
    delivery.foyer("f")
    delivery.allocataire("p", "f")
    delivery.assure("a")
    delivery.assure("b", logement_id="l")
    first = run(delivery, entrepot, reglages)
    before = entrepot.read("core__droits")
    assert run(delivery, entrepot, reglages) == first
    assert entrepot.read("core__droits").equals(before)
