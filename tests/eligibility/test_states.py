"""Entitled, not entitled, unknown: one rule a test."""

from typing import Any

import pytest

from pipelines.eligibility import simulate
from tests.eligibility.situations import Household, Person, child, frames

MOIS = "2026-06"


def states(household: Household, **rest: Any) -> dict[str, tuple[str, str | None]]:
    rows = simulate(**frames({"m": household}), mois=[MOIS], **rest)
    return {d: (e, m) for d, e, m in rows.select("droit", "eligible", "motif").iter_rows()}


def who(**attributs: Any) -> Person:
    return Person(revenus={"001": 300.0}, attributs=attributs)


YOUNG = (2004, 3)
OVER_THE_REFERENCE = dict.fromkeys(("2025-12", "2026-01", "2026-02"), 1200.0)
SINCE = dict.fromkeys(("2026-02", "2026-03", "2026-04"), 1200.0)
"""The quarter of June begins in April: its reference months are December to February."""

UNKNOWN: dict[str, tuple[Household, dict[str, tuple[str, str | None]]]] = {
    "young without child": (
        Household([Person(ne=YOUNG)]),
        {"rsa": ("inconnu", "moins_25_sans_enfant"), "ppa": ("non", None)},
    ),
    "young with a child": (
        Household([Person(ne=YOUNG), child(1)]), {"rsa": ("oui", None), "ppa": ("non", None)}),
    "young and pregnant": (
        Household([Person(ne=YOUNG, attributs={"enceinte": 1})]),
        {"rsa": ("oui", None), "ppa": ("non", None)},
    ),
    "young who earns too much for any RSA": (
        Household([Person(ne=YOUNG, revenus={"001": 1400.0})]),
        {"rsa": ("non", None), "ppa": ("oui", None)},
    ),
    "student below the floor of the PPA": (
        Household([who(etudiant=1)]), {"rsa": ("inconnu", "etudiant"), "ppa": ("non", None)}),
    "student above the floor of the PPA": (
        Household([Person(revenus={"001": 1200.0}, attributs={"etudiant": 1})]),
        {"rsa": ("non", None), "ppa": ("inconnu", "etudiant")},
    ),
    "student whose spouse works": (
        Household([Person("CJT", attributs={"etudiant": 1}), who()]),
        {"rsa": ("inconnu", "etudiant"), "ppa": ("inconnu", "etudiant")},
    ),
    "unknown student status at 25, without salary": (
        Household([Person(ne=(2000, 9), attributs={"etudiant": None})]),
        {"rsa": ("inconnu", "etudiant"), "ppa": ("non", None)},
    ),
    "unknown student status at 25, with a salary": (
        Household([Person(ne=(2000, 9), revenus={"001": 300.0}, attributs={"etudiant": None})]),
        {"rsa": ("oui", None), "ppa": ("oui", None)},
    ),
    "unknown student status at 40": (
        Household([Person(attributs={"etudiant": None})]), {"rsa": ("oui", None), "ppa": ("non", None)}),
    "self-employed without result": (
        Household([Person(attributs={"act": "ETI"})]),
        {"rsa": ("inconnu", "independant_sans_resultat"), "ppa": ("non", None)},
    ),
    "self-employed with a result": (
        Household([Person(revenus={"031": 300.0}, attributs={"act": "ETI"})]),
        {"rsa": ("oui", None), "ppa": ("oui", None)},
    ),
    "self-employed income that nobody can date": (
        Household([Person(revenus={"034": 300.0})]),
        {"rsa": ("inconnu", "independant_sans_resultat"), "ppa": ("non", None)},
    ),
    "farmer": (
        Household([Person(revenus={"032": 300.0}, attributs={"act": "EXP"})]),
        {"rsa": ("oui", None), "ppa": ("inconnu", "agricole_ppa")},
    ),
    "permit that nothing proves": (
        Household([who(nati="A")]),
        {"rsa": ("inconnu", "titre_sejour"), "ppa": ("inconnu", "titre_sejour")},
    ),
    "permit proven by another benefit": (
        Household([who(nati="A")], prestations={"aide_logement": 200.0}),
        {"rsa": ("oui", None), "ppa": ("oui", None)},
    ),
    "permit of one, nationality of the other": (
        Household([who(nati="A"), Person("CJT")]), {"rsa": ("oui", None), "ppa": ("oui", None)}),
    "EEA citizen": (Household([who(nati="C")]), {"rsa": ("oui", None), "ppa": ("oui", None)}),
    "benefit left empty": (
        Household([who()], prestations={"aide_logement": None}),
        {"rsa": ("inconnu", "prestation_inconnue"), "ppa": ("inconnu", "prestation_inconnue")},
    ),
    "AAH left empty": (
        Household([Person(prestations={"aah": None})]),
        {"rsa": ("inconnu", "prestation_inconnue"), "ppa": ("inconnu", "prestation_inconnue")},
    ),
    "income never declared": (
        Household([Person(declare=[])]),
        {"rsa": ("inconnu", "ressources_inconnues"), "ppa": ("inconnu", "ressources_inconnues")},
    ),
    "income of one month of the reference quarter unknown": (
        Household([Person(declare=["2025-12", "2026-02", "2026-03", "2026-04"])]),
        {"rsa": ("inconnu", "ressources_inconnues"), "ppa": ("inconnu", "ressources_inconnues")},
    ),
    "last two months not yet declared": (
        Household([Person(declare=["2025-12", "2026-01", "2026-02"])]),
        {"rsa": ("oui", None), "ppa": ("non", None)},
    ),
    "two applicants": (
        Household([who(), who()]),
        {"rsa": ("inconnu", "composition_inconnue"), "ppa": ("inconnu", "composition_inconnue")},
    ),
    "nobody but children": (
        Household([child(9), child(12)]),
        {"rsa": ("inconnu", "sans_adulte"), "ppa": ("inconnu", "sans_adulte")},
    ),
    "file holder without applicant": (
        Household([Person("RDO", revenus={"001": 300.0})]), {"rsa": ("oui", None), "ppa": ("oui", None)}),
    "file holder beside the applicant": (
        Household([Person(), Person("RDO", revenus={"001": 3000.0})]),
        {"rsa": ("oui", None), "ppa": ("non", None)},
    ),
    "birth unknown": (
        Household([Person(attributs={"naissance_annee": None})]),
        {"rsa": ("inconnu", "age_inconnu"), "ppa": ("inconnu", "age_inconnu")},
    ),
    "housing unknown and no housing benefit": (
        Household([Person()], occlog=None),
        {"rsa": ("inconnu", "logement_inconnu"), "ppa": ("non", None)},
    ),
    "housing unknown, housing benefit paid": (
        Household([Person()], occlog=None, prestations={"aide_logement": 200.0}),
        {"rsa": ("oui", None), "ppa": ("non", None)},
    ),
    "apprentice below the floor of the PPA": (
        Household([who(act="APP")]), {"rsa": ("oui", None), "ppa": ("non", None)}),
    "apprentice above the floor over M-4..M-2, paid nothing since": (
        Household([Person(revenus={"001": OVER_THE_REFERENCE}, attributs={"act": "APP"})]),
        {"rsa": ("oui", None), "ppa": ("oui", None)},
    ),
    "apprentice paid since, but not over M-4..M-2": (
        Household([Person(revenus={"001": SINCE}, attributs={"act": "APP"})]),
        {"rsa": ("oui", None), "ppa": ("non", None)},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, tuple[str, str | None]]]:
    rows = simulate(**frames({name: household for name, (household, _) in UNKNOWN.items()}), mois=[MOIS])
    found: dict[str, dict[str, tuple[str, str | None]]] = {name: {} for name in UNKNOWN}
    for name, right, state, motif in rows.select("menage_id", "droit", "eligible", "motif").iter_rows():
        found[name][right] = (state, motif)
    return found


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_the_files_do_not_say_is_unknown(
    case: str, computed: dict[str, dict[str, tuple[str, str | None]]]
) -> None:
    assert computed[case] == UNKNOWN[case][1]


def test_farmers_are_in_the_field_when_the_msa_takes_part() -> None:
    farmer = Household([Person(revenus={"032": 300.0}, attributs={"act": "EXP"})])
    assert states(farmer, agricole_inclus=True)["ppa"] == ("oui", None)


def test_a_household_that_was_not_there_when_its_quarter_began_is_unknown() -> None:
    tables = frames({"m": Household([Person()])})
    tables["menages"] = tables["menages"].tail(1)
    rows = simulate(**tables, mois=[MOIS])
    assert set(rows["motif"]) == {"mobilite"}


def test_amounts_are_nil_when_not_entitled_and_empty_when_unknown() -> None:
    rows = simulate(**frames({"m": Household([Person(ne=YOUNG)])}), mois=[MOIS])
    assert rows["montant_eur_mois"].to_list() == [0.0, None]


def test_a_child_of_25_is_no_longer_in_the_household() -> None:
    with_child = Household([Person(), Person("ENF", (2001, 3), revenus={"001": 2000.0})])
    rows = simulate(**frames({"m": with_child}), mois=[MOIS])
    assert rows["montant_eur_mois"].to_list() == [0.0, 651.69]


def test_resources_are_set_against_the_flat_amount_of_who_has_one() -> None:
    """130.34 € of 651.69 is a fifth; a person of 22 who never worked, or a PPA, has none."""
    households = {
        "un cinquième": Household([Person(revenus={"010": 130.338})]),
        "propriétaire": Household([Person()], occlog="PRO"),
        "sans montant": Household([Person(ne=YOUNG, attributs={"rsa_jeune_heures": 0})]),
    }
    rows = simulate(**frames(households), mois=[MOIS])
    found = dict(rows.filter(droit="rsa").select("menage_id", "ressources_sur_seuil").iter_rows())
    assert found == {
        "un cinquième": pytest.approx(0.2, abs=1e-4),
        "propriétaire": pytest.approx(0.12, abs=1e-4),
        "sans montant": None,
    }
    assert rows.filter(droit="ppa")["ressources_sur_seuil"].null_count() == 3
