"""Errors of the linkage told without labels: their intervals, their classes, what a lost NIR costs."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.linkage.classes import CLASSES, described
from pipelines.linkage.holdout import HoldOut
from pipelines.linkage.intervals import counted_again, counted_at_least, counted_at_most, poisson, wilson
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse
from schemas.warehouse_tables import check_table
from tests.linkage.conftest import Linked

SOURCES = pl.Series(["caf", "caf", "departement", "departement", "cpam"])
THRESHOLD = 0.95


def crossing(*rows: tuple[int, int, float, float, str, str]) -> pl.DataFrame:
    """Scored pairs (gauche, droite, poids, poids_sans_nir, NIR level, rule) between the five records."""
    frame = pl.DataFrame(
        rows, schema=["gauche", "droite", "poids", "poids_sans_nir", "motif", "regle"], orient="row"
    )
    return frame.with_columns(
        source_g=SOURCES.gather(frame["gauche"]),
        source_d=SOURCES.gather(frame["droite"]),
        motif="nir:" + pl.col("motif"),
        a_jumeaux=pl.lit(False),
    )


def test_known_intervals_are_found_again() -> None:
    assert poisson(0) == pytest.approx((0, 3.6889), abs=1e-4)
    assert poisson(10) == pytest.approx((4.7954, 18.3904), abs=1e-4)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_a_count_is_given_the_spread_of_a_count() -> None:
    assert (counted_at_least(10), counted_at_most(10)) == (4, 17)
    assert (counted_at_least(0.5), counted_at_most(0.5)) == (0, 2)
    assert counted_at_most(0.001) == 0


def test_cases_seen_elsewhere_foretell_a_count_and_not_its_mean() -> None:
    assert counted_again(0, 1) == (0, 3)
    assert counted_again(100, 1) == (74, 130)
    assert counted_again(100, 0) == (0, 0)


def test_a_pair_only_its_nir_brought_together_is_lost_with_it() -> None:
    pairs = crossing((0, 2, 30.0, 20.0, "1", "prenom_et_date"), (1, 3, 30.0, 20.0, "1", "nir"))
    kept = HoldOut(pairs, SOURCES, THRESHOLD).persons(["departement"])
    assert kept.to_list() == [0, 1, 0, 3, 4]


def test_hiding_the_nir_of_one_source_leaves_the_others_theirs() -> None:
    pairs = crossing(
        (0, 2, 9.0, -1.0, "1", "prenom_et_date"),
        (0, 4, 9.0, -1.0, "1", "prenom_et_date"),
        (2, 4, 20.0, 10.0, "1", "prenom_et_date"),
    )
    hidden = HoldOut(pairs, SOURCES, THRESHOLD)
    assert hidden.persons(["departement"]).to_list() == [0, 1, 0, 3, 0]
    assert hidden.persons(["departement", "cpam"]).to_list() == [0, 1, 2, 3, 2]


def test_a_wrong_nir_weighs_what_differing_nirs_weigh_that_month() -> None:
    pairs = crossing(
        (0, 2, 30.0, 6.0, "1", "prenom_et_date"),
        (1, 3, 0.0, 10.0, "0", "prenom_et_date"),
    )
    hidden = HoldOut(pairs, SOURCES, THRESHOLD)
    assert hidden.persons(["caf"]).to_list() == [0, 1, 0, 1, 4]
    assert hidden.persons(["caf"], wrong=True).to_list() == [0, 1, 2, 3, 4]


def test_in_a_large_territory_whole_chains_are_tried_and_the_others_are_not() -> None:
    pairs = crossing((0, 2, 30.0, 20.0, "1", "prenom_et_date"), (1, 3, 30.0, 20.0, "1", "prenom_et_date"))
    hidden = HoldOut(pairs, SOURCES, THRESHOLD, most=3)
    assert hidden.tried.to_list() == [True, False, True, False, True]
    assert hidden.persons(["caf"]).to_list() == [0, 1, 0, 3, 4]


def test_each_class_of_persons_has_its_errors(linked: Linked) -> None:
    quality = linked.tables["out__qualite_appariement"]
    check_table("out__qualite_appariement", quality)
    told = quality.filter(mesure="rappel", source_g="caf", source_d="cpam")
    assert set(told["classe"]) == {"ensemble", "age", "sexe", "commune"}
    assert told.filter(classe="age")["modalite"].to_list() == list(CLASSES["age"])


def test_links_of_the_classes_add_up_to_the_links(linked: Linked) -> None:
    links = linked.tables["out__qualite_appariement"].filter(
        mesure="liens", source_g="caf", source_d="departement"
    )
    whole = links.filter(classe="ensemble")["valeur"].item()
    assert links.filter(classe="sexe")["valeur"].sum() == whole


def test_an_interval_of_recall_holds_its_value(linked: Linked) -> None:
    told = linked.tables["out__qualite_appariement"].filter(mesure="rappel")
    assert told.select(pl.col("valeur").is_between("bas", "haut").all()).item()


def test_a_false_link_is_never_excluded(linked: Linked) -> None:
    told = linked.tables["out__qualite_appariement"].filter(mesure="faux_liens")
    assert (told["haut"] >= 1).all()


def test_what_one_couple_may_have_wrong_another_may_have_with_it(linked: Linked) -> None:
    told = linked.tables["out__qualite_appariement"].filter(mesure="faux_liens", classe="ensemble")
    of_persons = told.filter(pl.col("source_d") != "cellule")
    assert of_persons["haut"].n_unique() == 1
    assert of_persons["haut"][0] >= of_persons.height


def test_a_person_is_of_the_age_of_the_month_and_covered_by_the_c2s_of_the_month(
    tmp_path: Path,
) -> None:
    records = pl.DataFrame(
        {
            "fiche": [0, 1, 2],
            "source": ["cpam"] * 3,
            "naissance_annee": [2001, 2000, None],
            "sexe": ["1", "2", None],
            "commune_insee": ["31483", "31028", None],
        }
    )
    people = pl.DataFrame({"fiche": [0, 1, 2], "source": ["cpam"] * 3, "personne_id": ["a", "b", "c"]})
    insured = pl.DataFrame(
        {
            "personne_id": ["a", "b", "c"],
            "c2s": ["1", "1", "0"],
            "c2s_debut": ["2026-01", "2025-01", None],
            "c2s_fin": [None, "2026-05", None],
        }
    )
    with open_warehouse(tmp_path / "e.duckdb", tmp_path / "travail") as warehouse:
        warehouse.replace("core__cpam_assures", insured)
        told = described(records, people, warehouse, Settings(), "2026-06")
    assert told["age"].to_list() == ["moins_26", "26_49", None]
    assert told["sexe"].to_list() == ["homme", "femme", None]
    assert told["commune"].to_list() == ["urbaine", "rurale", None]
    assert told["c2s"].to_list() == ["oui", "non", "non"]
