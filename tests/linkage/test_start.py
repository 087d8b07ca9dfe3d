"""Where a model starts from, and what is said when it cannot be learned."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.linkage import training
from pipelines.linkage.saved import comparisons_version
from pipelines.settings import Settings
from tests.linkage.conftest import Linked, link
from tests.linkage.people import HABITS, MOIS, population, settings_in, written_down

BEFORE = "2026-05"
PARTNERS = ("caf", "cpam", "departement")


def _from_last_month(folder: Path) -> Settings:
    settings = settings_in(folder)
    chosen = settings.appariement.model_copy(update={"depart": "mois_precedent"})
    return settings.model_copy(update={"appariement": chosen})


def _model(linked: Linked) -> pl.DataFrame:
    return linked.tables["meta__modeles"].filter(mois=MOIS)


def _former(linked: Linked) -> pl.DataFrame:
    return _model(linked).with_columns(mois=pl.lit(BEFORE))


def _few(people: int) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(3)
    few = population(people, rng)
    return {name: written_down(few, HABITS[name], name, rng) for name in PARTNERS}


def _told(linked: Linked) -> str:
    return " ".join(linked.tables["meta__alertes"]["message"])


def test_the_model_of_the_month_is_kept_with_its_versions(linked: Linked) -> None:
    rows = linked.tables["meta__modeles"]
    assert set(rows["mois"]) == {MOIS}
    assert set(rows["version_comparaisons"]) == {comparisons_version()}
    assert rows.filter(pl.col("accord") == "NIR égaux")["poids"].item() > 8
    assert rows["est_appris"].any()


def test_learning_from_last_month_leads_to_the_same_persons(
    linked: Linked, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    again = link(tmp_path, frames, _from_last_month(tmp_path), _former(linked))
    weights = [_model(run).filter("est_appris") for run in (linked, again)]
    both = weights[0].join(weights[1], on=["comparaison", "accord"], suffix="_apres")
    assert (both["poids"] - both["poids_apres"]).abs().max() < 0.1
    persons, before = (run.tables["core__personnes_liees"].drop("poids") for run in (again, linked))
    assert persons.join(before, on=persons.columns, how="anti").height <= 2


def test_too_few_pairs_keep_last_month_s_model_as_it_is(linked: Linked, tmp_path: Path) -> None:
    small = link(tmp_path, _few(40), _from_last_month(tmp_path), _former(linked))
    assert f"celui de {BEFORE} est gardé tel quel" in _told(small)
    kept, before = (_model(run).select("accord", "m", "u", "prior") for run in (small, linked))
    assert kept.equals(before)
    assert not _model(small)["est_appris"].any()
    assert small.f1("caf", "cpam") > 0.8


def test_a_model_of_other_comparisons_is_left_aside_even_when_asked_for(
    linked: Linked, tmp_path: Path
) -> None:
    other = _former(linked).with_columns(version_comparaisons=pl.lit("autre"))
    small = link(tmp_path, _few(40), _from_last_month(tmp_path), other)
    assert "ni repris ni comparé" in _told(small)
    assert "les valeurs de départ sont gardées" in _told(small)


def test_a_jump_since_last_month_is_among_the_alerts(linked: Linked, tmp_path: Path) -> None:
    lighter = _former(linked).with_columns(prior=pl.col("prior") / 3)
    told = link(tmp_path, _few(900), former=lighter)
    assert f"depuis {BEFORE}" in _told(told)


def test_learning_that_does_not_converge_is_told_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_ITERATIONS", 1)
    hurried = link(tmp_path, _few(900))
    assert "n'a pas convergé" in _told(hurried)
    assert hurried.f1("caf", "cpam") > 0.9


def test_a_level_never_met_is_told_once_with_what_it_means(linked: Linked) -> None:
    told = linked.tables["meta__alertes"].filter(pl.col("message").str.contains("Niveau jamais observé"))
    assert told["gravite"].to_list() == ["information"]
    assert "moins sûr que sa probabilité" in told["message"][0]
