import logging
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines import linkage
from pipelines.linkage.workspace import comparison_room
from pipelines.refusals import ContractRefusal, KeyRefusal, MissingSourceRefusal
from pipelines.warehouse import open_warehouse
from tests.linkage.conftest import Linked, link
from tests.linkage.people import HABITS, MOIS, declare, deliver, population, settings_in, written_down


def test_partners_are_linked_nearly_without_error(linked: Linked) -> None:
    assert min(linked.f1("caf", "cpam"), linked.f1("caf", "departement")) >= 0.99


def test_consents_are_linked_without_nir(linked: Linked) -> None:
    assert linked.f1("cellule", "caf") >= 0.97


def test_every_delivered_person_is_given_one_person_number(linked: Linked) -> None:
    persons = linked.tables["core__personnes_liees"]
    assert (
        persons.select("source", "personne_id")
        .sort("source", "personne_id")
        .equals(linked.truth.select("source", "personne_id").sort("source", "personne_id"))
    )
    assert sorted(set(persons["personne_uid"])) == list(range(1, persons["personne_uid"].n_unique() + 1))


def test_a_person_has_one_anchor_and_weights_on_the_others(linked: Linked) -> None:
    persons = linked.tables["core__personnes_liees"].filter(pl.col("source") != "cellule")
    several = persons.filter(
        pl.len().over("personne_uid") > 1, pl.col("source").is_unique().over("personne_uid")
    )
    assert (several.group_by("personne_uid").agg(pl.col("poids").null_count())["poids"] == 1).all()


def test_a_partner_has_at_most_one_record_in_a_person(linked: Linked) -> None:
    pairs = linked.tables["core__paires"].filter("est_retenue", pl.col("source_d") != "cellule")
    for side, other in (("g", "d"), ("d", "g")):
        assert (
            not pairs.select(f"source_{side}", f"personne_id_{side}", f"source_{other}").is_duplicated().any()
        )


def test_kept_pairs_say_why(linked: Linked) -> None:
    pairs = linked.tables["core__paires"]
    assert pairs["motif"].str.contains(r"^nir:[01.] date:\d noms:[0-4.] prenoms:[0-3.] lieu:").all()
    assert {"nom_prenom_et_date_naissance_naissance", "date_et_commune"} <= set(pairs["regle"])


def test_the_same_inputs_give_the_same_tables(
    linked: Linked, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    again = link(tmp_path, frames)
    assert all(table.equals(again.tables[name]) for name, table in linked.tables.items())
    assert again.counts == linked.counts


def test_hiding_the_nir_foretells_the_recall_without_nir(linked: Linked, linked_without_nir: Linked) -> None:
    quality = linked.tables["out__qualite_appariement"]
    told = quality.filter(mesure="rappel_nir_cache", source_g="caf", source_d="cpam", classe="ensemble")[
        "valeur"
    ].item()
    _, right_ones, to_make = linked_without_nir.pairs("caf", "cpam")
    assert abs(told - right_ones / to_make) < 0.01


def test_the_recall_told_covers_the_true_one(linked: Linked) -> None:
    quality = linked.tables["out__qualite_appariement"]
    for other in ("cpam", "departement"):
        told = quality.filter(source_g="caf", source_d=other, mesure="rappel", classe="ensemble").row(
            0, named=True
        )
        _, right_ones, to_make = linked.pairs("caf", other)
        assert told["bas"] <= right_ones / to_make <= told["haut"]


def test_links_inside_sources_bound_the_false_links(linked: Linked) -> None:
    quality = linked.tables["out__qualite_appariement"]
    bounds = quality.filter(mesure="faux_liens_avant_choix", source_g="caf", source_d="cpam")
    made, right_ones, _ = linked.pairs("caf", "cpam")
    assert made - right_ones <= bounds["haut"].item()


def test_without_any_nir_the_run_says_so_and_links(linked_without_nir: Linked) -> None:
    assert "Aucun NIR utilisable dans la source caf" in str(linked_without_nir.counts["alertes"])
    assert linked_without_nir.f1("caf", "cpam") >= 0.98


def test_twelve_people_are_linked_with_starting_values_and_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    few = population(12, rng)
    frames = {name: written_down(few, HABITS[name], name, rng) for name in ("caf", "cpam", "departement")}
    small = link(tmp_path, frames)
    assert "trop petites" in str(small.counts["alertes"])
    assert small.f1("caf", "cpam") > 0.8


def test_sources_without_a_common_person_end_with_a_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    everyone = population(2000, rng)
    frames = {
        name: written_down(everyone.filter(pl.col("personne") % 3 == rest), HABITS[name], name, rng)
        for rest, name in enumerate(("caf", "cpam", "departement"))
    }
    apart = link(tmp_path, frames)
    assert "Aucune personne commune" in str(apart.counts["alertes"])
    assert apart.counts["personnes"] == apart.counts["fiches"]


def test_one_person_twice_in_a_source_keeps_one_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    few = population(40, rng)
    caf = written_down(few, HABITS["caf"], "caf", rng)
    twice = pl.concat(
        [
            caf,
            caf.head(3).with_columns(pl.concat_str(pl.lit("bis"), "personne_id").alias("personne_id")),
            caf.head(2),
        ]
    )
    frames = {"caf": twice, "cpam": written_down(few, HABITS["cpam"], "cpam", rng)}
    frames["departement"] = written_down(few, HABITS["departement"], "departement", rng)
    persons = link(tmp_path, frames).tables["core__personnes_liees"].filter(pl.col("source") == "caf")
    assert persons.height == caf.height + 3
    assert persons["personne_uid"].n_unique() == caf.height


def test_a_missing_identity_file_is_refused_by_name(frames: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    deliver(frames["caf"], "caf", settings.dossiers.depot)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf", "cpam"])
        with pytest.raises(MissingSourceRefusal, match="cpam_assures__identite"):
            linkage.run(warehouse, settings, MOIS)


def test_extracts_of_two_key_epochs_are_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf", "cpam"], ["2025", "2026"])
        with pytest.raises(KeyRefusal, match="millésime"):
            linkage.run(warehouse, settings, MOIS)


def test_a_malformed_identity_file_is_refused_without_quoting_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    people = population(30, np.random.default_rng(6))
    deliver(
        written_down(people, HABITS["caf"], "caf", np.random.default_rng(6)), "caf", settings.dossiers.depot
    )
    path = settings.dossiers.depot / "caf" / MOIS / "caf_personnes__identite.parquet"
    pl.read_parquet(path).with_columns(filtre_usage_0=pl.lit("MARTIN")).write_parquet(path)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf"])
        with pytest.raises(ContractRefusal) as refusal:
            linkage.run(warehouse, settings, MOIS)
    assert "MARTIN" not in str(refusal.value)
    assert refusal.value.__cause__ is None and refusal.value.__context__ is None


def test_nothing_of_the_comparison_is_left_on_disk_even_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "appariement-tue").mkdir()
    (tmp_path / "appariement-tue" / "duckdb_temp_storage-0.tmp").write_bytes(b"x")
    with pytest.raises(RuntimeError), comparison_room(tmp_path):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_charts_model_logs_and_counts_hold_no_identity(
    frames: dict[str, pl.DataFrame],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    some = {name: frame.head(800) for name, frame in frames.items()}
    result = link(tmp_path, some)
    folder = result.settings.dossiers.sorties / "appariement" / MOIS
    assert {p.name for p in folder.iterdir()} == {"poids.html", "m_et_u.html", "cascade.html", "modele.json"}
    written = [p.read_text(encoding="utf-8") for p in folder.iterdir()]
    said = "\n".join([caplog.text, *capfd.readouterr(), str(result.counts), *written])
    assert not _identities(result, some) & set(_words(said))
    assert "cdn.jsdelivr" not in said


def _identities(result: Linked, frames: dict[str, pl.DataFrame]) -> set[str]:
    known = {
        word
        for f in frames.values()
        for c in ("personne_id", "nir", "nom_naissance")
        for word in f[c].drop_nulls()
    }
    for path in result.settings.dossiers.depot.glob("*/*/*.parquet"):
        tokens = pl.read_parquet(path)
        known |= {v for c in tokens.columns if c.startswith("jeton_") for v in tokens[c].drop_nulls()}
        known |= {
            str(v)
            for c in tokens.columns
            if c[-2:-1] == "_" and c[-1].isdigit()
            for v in tokens[c].drop_nulls()
        }
    return {word for word in known if len(word) > 4}


def _words(text: str) -> list[str]:
    for mark in "\"'<>()[]{},;:= \t\n":
        text = text.replace(mark, " ")
    return text.split()
