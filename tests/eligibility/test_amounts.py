"""Official amounts, to the cent, through our adapter."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

import pipelines.eligibility.simulation as simulation
from pipelines.calendar import shift
from pipelines.eligibility import simulate, system
from tests.eligibility.situations import Household, Person, child, frames

OWN_QUARTER = {"dtr_phase": 1}


def alone(mois: str, *others: Person, **rest: Any) -> Household:
    """A person, and who lives with them, whose quarter begins this month."""
    person = rest.pop("personne", Person())
    attributs = OWN_QUARTER | rest.pop("attributs", {})
    return Household([person, *others], mois, attributs=attributs, **rest)


def paid(**revenus: float) -> Person:
    return Person(revenus={name.removeprefix("n"): amount for name, amount in revenus.items()})


SPOUSE = Person("CJT")
RECENT = {"sitfam": "SEF", "sitfam_date": "2026-01"}
RETIRED_HOUR = Person(prestations={"aah": 1000.0}, revenus={"001": 500.0})

AMOUNTS: dict[str, tuple[Household, str, float]] = {
    "base 2024": (alone("2024-04"), "rsa", 635.71),
    "base 2025": (alone("2025-04"), "rsa", 646.52),
    "base 2026": (alone("2026-04"), "rsa", 651.69),
    "couple": (alone("2026-04", SPOUSE), "rsa", 977.54),
    "couple, un enfant": (alone("2026-04", SPOUSE, child(5)), "rsa", 1173.04),
    "propriétaire": (alone("2026-04", occlog="PRO"), "rsa", 573.49),
    "aide au logement au forfait": (alone("2026-04", prestations={"aide_logement": 78.20}), "rsa", 573.49),
    "aide au logement au-dessus": (alone("2026-04", prestations={"aide_logement": 250.0}), "rsa", 573.49),
    "couple propriétaire": (alone("2026-04", SPOUSE, occlog="PRO"), "rsa", 821.13),
    "couple, un enfant, propriétaire": (alone("2026-04", SPOUSE, child(5), occlog="PRO"), "rsa", 979.49),
    "aide au logement de 60": (alone("2026-04", prestations={"aide_logement": 60.0}), "rsa", 591.69),
    "parent seul": (alone("2026-04", child(5)), "rsa", 977.54),
    "parent récemment isolé": (alone("2026-04", child(5), attributs=RECENT), "rsa", 1115.80),
    "isolé depuis 18 mois": (
        alone("2026-04", child(5), attributs=RECENT | {"sitfam_date": "2024-10"}), "rsa", 977.54),
    "moins de 25 ans": (
        alone("2026-04", personne=Person(ne=(2004, 3), attributs={"rsa_jeune_heures": 0})), "rsa", 0.0),
    "moins de 25 ans ayant travaillé": (
        alone("2026-04", personne=Person(ne=(2004, 3), attributs={"rsa_jeune_heures": 1})), "rsa", 651.69),
    "RSA de 5,69 non versé": (alone("2026-04", personne=paid(n010=646.0)), "rsa", 0.0),
    "RSA de 6,69 versé": (alone("2026-04", personne=paid(n010=645.0)), "rsa", 6.69),
    "chômage de 400": (alone("2026-04", personne=paid(n010=400.0)), "rsa", 251.69),
    "AAH de 300": (alone("2026-04", personne=Person(prestations={"aah": 300.0})), "rsa", 351.69),
    "PPA au SMIC 2025": (alone("2025-07", personne=paid(n001=1426.30)), "ppa", 244.82),
    "PPA au SMIC 2026": (alone("2026-06", personne=paid(n001=1443.11)), "ppa", 236.24),
    "PPA à 2 032 euros": (alone("2026-04", personne=paid(n001=2032.0)), "ppa", 63.06),
    "PPA à 2 032 euros, avant": (alone("2026-03", personne=paid(n001=2032.0)), "ppa", 0.0),
    "AAH et salaire, RSA": (alone("2026-06", personne=RETIRED_HOUR), "rsa", 0.0),
    "PPA sans activité": (alone("2026-04", personne=paid(n010=900.0)), "ppa", 0.0),
    "PPA sous 15 euros": (alone("2026-04", personne=paid(n001=2160.0)), "ppa", 0.0),
    "micro-entrepreneur": (alone("2026-04", personne=paid(n030=400.0)), "rsa", 251.69),
    "résultat annuel réparti": (alone("2026-04", personne=paid(n031=400.0)), "rsa", 251.69),
    "ASF au forfait": (alone("2026-04", child(5), prestations={"asf": 199.0}), "rsa", 869.95),
    "cf sans sa majoration": (
        alone("2026-04", SPOUSE, child(5), child(6), child(7), prestations={"cf": 298.0}), "rsa", 1430.07),
}  # fmt: skip


@pytest.fixture(scope="module")
def computed() -> Mapping[tuple[str, str], float]:
    """All the cases in one batch, each read in its own month."""
    households = {name: household for name, (household, _, _) in AMOUNTS.items()}
    tables = frames(households)
    rows = simulate(**tables, mois=sorted({h.mois for h in households.values()}))
    own = rows.filter(
        pl.col("mois") == pl.col("menage_id").replace_strict({n: h.mois for n, h in households.items()})
    )
    return {(m, d): a for m, d, a in own.select("menage_id", "droit", "montant_eur_mois").iter_rows()}


@pytest.mark.parametrize("case", AMOUNTS)
def test_the_official_amount_is_due_to_the_cent(case: str, computed: Mapping[tuple[str, str], float]) -> None:
    _, right, amount = AMOUNTS[case]
    assert computed[case, right] == amount


def test_aah_and_salary_under_the_dating_of_openfisca(monkeypatch: pytest.MonkeyPatch) -> None:
    """230.46 is OpenFisca's own figure for 2026-09: the hourly SMIC changes inside the reference quarter."""
    monkeypatch.setattr(simulation, "scale_system", lambda first, scale: system())
    rows = simulate(**frames({"m": alone("2026-09", personne=RETIRED_HOUR)}), mois=["2026-09"])
    assert rows["montant_eur_mois"].to_list() == [230.46, 0.0]


def test_a_quarter_is_held_three_months_and_takes_the_april_revaluation() -> None:
    """Quarter of February: nothing earned since March changes it before May; April takes the new scale."""
    first = "2026-02"
    worked = dict.fromkeys(("2026-03", "2026-04", "2026-05", "2026-06"), 800.0)
    phases = {shift(first, n): n % 3 + 1 for n in range(-21, 6)}
    tables = frames({"m": Household([Person(revenus={"001": worked})], "2026-06")})
    tables["menages"] = tables["menages"].with_columns(
        dtr_phase=pl.col("mois").replace_strict(phases, return_dtype=pl.Int8)
    )
    rows = simulate(**tables, mois=["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"])
    rsa = rows.filter(pl.col("droit") == "rsa")["montant_eur_mois"].to_list()
    assert rsa[:3] == [646.52, 646.52, 651.69]
    assert rsa[3:] == [385.02, 385.02]


def test_without_dossier_the_quarter_is_the_calendar_one() -> None:
    worked = dict.fromkeys(("2026-02", "2026-03", "2026-04", "2026-05", "2026-06"), 800.0)
    tables = frames({"m": Household([Person(revenus={"001": worked})], "2026-06")})
    rows = simulate(**tables, mois=["2026-03", "2026-04", "2026-05", "2026-06"])
    rsa = rows.filter(pl.col("droit") == "rsa")["montant_eur_mois"].to_list()
    assert rsa == [646.52, 385.02, 385.02, 385.02]
