"""The cases of OpenFisca-France's own tests, as rows of our contract, through our adapter."""

from collections.abc import Mapping

import polars as pl
import pytest

import pipelines.eligibility.simulation as simulation
from pipelines.eligibility import simulate, system
from pipelines.eligibility.legislation import FIRST_KNOWN_MONTH
from pipelines.refusals import LegalRefusal
from tests.eligibility.oracle.cases import Case, cases
from tests.eligibility.oracle.conversion import frames
from tests.eligibility.oracle.distribution import archive

Amounts = Mapping[tuple[str, str, str], float | None]

SCALE = "un seul barème par droit, celui du mois du droit (décision 3) : le cas mêle deux barèmes"
STATED_FROM = "2024-04"
OF_2023 = "les prestations de 2023, que le fichier n'énonce pas, comptent jusqu'au droit de mars"
STUDENT = (
    "un droit positif d'étudiant reste inconnu : son RSA dépend d'une dérogation, son statut d'une preuve"
)
DIFFERENCES = {
    "formulas/ppa/ppa.yaml 24.": STUDENT,
    "formulas/ppa/ppa.yaml 3.": "le contrat livre le mois de naissance, le cas se joue au jour",
    "formulas/rsa/rsa_2017.yaml 10.": "le cas impose rsa_nb_enfants, un enfant de plus chaque mois",
    "formulas/ppa/ppa_2018.yaml 13.": SCALE,
    "leximpact/2024/01_couple_marie_salaries_secteur_prive_1_smic_chacun_2_enfants_d3": SCALE,
    "leximpact/2024/01_salarie_prive_1.25_SMIC_d4": SCALE,
    "leximpact/2024/ZZZ_aah": SCALE,
    "leximpact/2024/ZZ_cotis_fonctionnaire_militaire_1_SMIC": SCALE,
    "leximpact/2024/ZZ_salarie_prive_cdd_1SMIC_effectifemployeur_3500": SCALE,
    "leximpact/2024/ass_02_couple_marie_salarie_secteur_prive_1_smic_conjoint_sans_ass.": OF_2023,
    "leximpact/2024/ass_02_couple_marie_salarie_secteur_prive_1_smic_conjoint_sans_ass_1_enfant": SCALE,
    "leximpact/2024/couple_1actif_1inactif_0.8_SMIC_3_enfants_d1": SCALE,
    "leximpact/2024/couple_1actif_1inactif_1.5_SMIC_3_enfants_d2": SCALE,
    "leximpact/2024/csg_salaire_01_salarie_prive_0.8_SMIC_d2": OF_2023,
    "leximpact/2024/csg_salaire_01_salarie_prive_1_SMIC_d3": SCALE,
    "leximpact/2024/exoneration_cotisations_employeur_tode_01_salarie_secteur_agricole_avec_tode": SCALE,
    "leximpact/2024/exoneration_cotisations_employeur_tode_02_salarie_secteur_agricole_sans_tode": SCALE,
    "leximpact/2024/famille_monoparentale_un_enfant_0.8_smic_d2": OF_2023,
    "leximpact/2024/irpp_economique_01_salarie_seuil_minimal_entree_impot_contribuable": SCALE,
    "leximpact/2024/irpp_economique_02_salarie_seuil_minimal_entree_impot_non_impose": SCALE,
    "leximpact/2024/prime_partage_valeur_01": SCALE,
    "leximpact/2024/prime_partage_valeur_02": SCALE,
    "leximpact/2024/prime_partage_valeur_03": SCALE,
}
"""Every case that differs, by the beginning of its name, and why. No other may, and each of these must."""


@pytest.fixture(scope="module")
def every_case() -> Mapping[str, Case]:
    if not archive().exists():
        why = f"{archive().name} manque : `make oracle` l'obtient, quand l'index des paquets répond"
        pytest.skip(why)
    return {f"{rank:03d}": case for rank, case in enumerate(cases(archive()))}


@pytest.fixture(scope="module")
def known(every_case: Mapping[str, Case]) -> Mapping[str, Case]:
    """Cases whose law the adapter knows: since January 2016, when the PPA began."""
    return {k: case for k, case in every_case.items() if case.months[0] >= FIRST_KNOWN_MONTH}


@pytest.fixture(scope="module")
def rows(known: Mapping[str, Case]) -> Mapping[str, pl.DataFrame]:
    return frames(known)


@pytest.fixture(scope="module")
def differing(known: Mapping[str, Case], rows: Mapping[str, pl.DataFrame]) -> Mapping[str, Case]:
    return _beyond_margin(known, _computed(known, rows))


def test_every_case_is_equal_or_different_for_a_reason_with_a_name(differing: Mapping[str, Case]) -> None:
    found = {case.name for case in differing.values()}
    explained = {name for name in found if name.startswith(tuple(DIFFERENCES))}
    met = {start for start in DIFFERENCES if any(name.startswith(start) for name in found)}
    assert (found - explained, DIFFERENCES.keys() - met) == (set(), set())


def test_one_case_in_five_at_most_differs(known: Mapping[str, Case], differing: Mapping[str, Case]) -> None:
    assert (len(known), len(differing)) == (125, len(DIFFERENCES))
    assert len(known) - len(differing) >= 102


def test_with_the_scale_dated_as_in_the_files_all_but_six_are_equal(
    known: Mapping[str, Case],
    rows: Mapping[str, pl.DataFrame],
    differing: Mapping[str, Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name SCALE is proved: nothing else changes, and these cases are equal. So is OF_2023."""
    monkeypatch.setattr(simulation, "scale_system", lambda first, scale: system())
    left = _beyond_margin(differing, _computed(differing, rows))
    reasons = {_reason(case) for case in left.values()}
    assert SCALE not in reasons
    assert len(left) == sum(reason != SCALE for reason in DIFFERENCES.values()) == 6
    late = {k: case for k, case in left.items() if _reason(case) == OF_2023}
    assert _beyond_margin(late, _computed(late, rows), STATED_FROM) == {}


def test_the_law_before_2016_is_refused(every_case: Mapping[str, Case]) -> None:
    """RSA « activité », which the PPA replaced: the other cases of the files."""
    old = [case for case in every_case.values() if case.months[0] < FIRST_KNOWN_MONTH]
    assert (len(every_case), len(old)) == (153, 28)
    with pytest.raises(LegalRefusal, match="2014-01"):
        simulate(**frames({"m": old[-1]}), mois=["2014-01"])


def _computed(wanted: Mapping[str, Case], rows: Mapping[str, pl.DataFrame]) -> Amounts:
    """Amounts by household, month and right; each case with the reference quarter of its date."""
    found = [
        simulate(
            **_only(group, rows), mois=_months(group), trimestre_decale_depuis=since, agricole_inclus=True
        )
        for since, shifted in (("9999-01", False), ("2024-10", True))
        if (group := {k: case for k, case in wanted.items() if case.is_shifted == shifted})
    ]
    amounts = pl.concat(found).select("menage_id", "mois", "droit", "montant_eur_mois")
    return {(m, month, right): euros for m, month, right, euros in amounts.iter_rows()}


def _only(group: Mapping[str, Case], rows: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Rows of some cases, and of each only the months it speaks of as months of right."""
    months = pl.DataFrame({"menage_id": list(group), "_last": [case.months[-1] for case in group.values()]})
    inside = rows["menages"].join(months, on="menage_id").filter(pl.col("mois") <= pl.col("_last"))
    who = rows["personnes"].join(months, on="menage_id", how="semi")
    return {**rows, "menages": inside.drop("_last"), "personnes": who}


def _months(group: Mapping[str, Case]) -> list[str]:
    return sorted({month for case in group.values() for month in case.months})


def _beyond_margin(wanted: Mapping[str, Case], found: Amounts, since: str = "") -> dict[str, Case]:
    def differs(name: str, case: Case) -> bool:
        amounts = [
            (found[name, month, right], expected)
            for (right, month), expected in case.expected.items()
            if month >= since
        ]
        return any(euros is None or not case.allows(euros, expected) for euros, expected in amounts)

    return {name: case for name, case in wanted.items() if differs(name, case)}


def _reason(case: Case) -> str:
    return next(reason for start, reason in DIFFERENCES.items() if case.name.startswith(start))
