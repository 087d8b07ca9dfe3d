"""A drawn sample is answered from the truth, some answers missing, as many wrong as asked."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import Refusal
from pipelines.synthetic.answering import answer_sample
from pipelines.synthetic.extracts import Scene, home_at
from tests.synthetic.conftest import LAST, MONTHS

Answered = Callable[..., dict[str, pl.DataFrame]]


@pytest.fixture
def answered(folder: Path, tmp_path: Path) -> Answered:
    """Every record of both partners drawn, then answered: the rows with the true person."""
    known = pl.read_parquet(folder / "verite" / "enregistrements.parquet")
    ways = known.select(identifiant="id", identifiant_livre="id").unique()
    (tmp_path / "correspondance").mkdir()
    ways.with_columns(nature=pl.lit("personne")).write_parquet(tmp_path / "correspondance" / "tout.parquet")
    drawn = known.filter(pl.col("table").is_in(["caf_personnes", "cpam_assures"])).unique(
        ["partenaire", "id"]
    )
    for partner in ("cpam", "caf"):
        rows = (
            drawn.filter(partenaire=partner).select(echantillon_id="id", personne_id="id").sort("personne_id")
        )
        rows.write_csv(tmp_path / f"{partner}.csv", separator=";")

    def answer(**options: float) -> dict[str, pl.DataFrame]:
        paths = answer_sample(tmp_path, folder / "verite", tmp_path / "correspondance", LAST, **options)
        return {
            p: _with_persons(pl.read_csv(path, separator=";", null_values="NA"), drawn.filter(partenaire=p))
            for p, path in paths.items()
        }

    return answer


def _with_persons(rows: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    return rows.join(drawn.select("personne", echantillon_id="id"), on="echantillon_id")


def truth(scene: Scene) -> pl.DataFrame:
    """Of everybody at home the last month: known at the CAF, and owed the RSA in each of three months."""
    home = home_at(scene, LAST).select("personne", "menage")
    files = scene.world.dossiers.filter(mois=LAST).select("menage", "est_au_caf")
    rights = scene.world.droits.filter(pl.col("mois").is_in(MONTHS), droit="rsa")
    owed = rights.group_by("menage").agg(rsa=(pl.col("eligible") == "oui").all().cast(pl.Int64))
    return home.join(files, on="menage").join(owed, on="menage")


def test_the_cpam_says_whom_the_caf_knows_and_meets_the_others(answered: Answered, scene: Scene) -> None:
    rows = answered()["cpam"].join(truth(scene), on="personne")
    told = rows.drop_nulls("connu_caf")
    assert (told["connu_caf"] == told["est_au_caf"].cast(pl.Int64)).mean() > 0.97
    met = rows.drop_nulls("eligible_rsa")
    assert met.height > 10 and set(met["connu_caf"]) == {0} and set(met["mode"]) == {"ENTRETIEN"}
    assert (met["eligible_rsa"] == met["rsa"]).all()


def test_the_caf_answers_on_its_dossiers(answered: Answered, scene: Scene) -> None:
    told = answered()["caf"].join(truth(scene), on="personne").drop_nulls(["mode", "eligible_rsa"])
    assert set(told["connu_caf"]) == {1} and set(told["mode"]) == {"DOSSIER"}
    assert (told["eligible_rsa"] == told["rsa"]).all()


def test_some_records_get_no_answer_at_all(answered: Answered) -> None:
    for rows in answered().values():
        silent = rows.filter(pl.col("mode").is_null())
        assert 0 < silent.height < 0.3 * rows.height
        assert (
            silent.select("connu_caf", "connu_cpam", "eligible_rsa", "verifie_le").null_count().row(0)
            == (silent.height,) * 4
        )


def test_as_many_answers_are_wrong_as_asked(answered: Answered) -> None:
    right, wrong = answered()["cpam"], answered(erreur=0.2)["cpam"]
    both = right.join(wrong, on="echantillon_id").drop_nulls(["connu_caf", "connu_caf_right"])
    assert (both["connu_caf"] != both["connu_caf_right"]).mean() == pytest.approx(0.2, abs=0.05)


def test_a_folder_without_draw_is_refused(folder: Path, tmp_path: Path, answered: Answered) -> None:
    with pytest.raises(Refusal, match="pas de tirage"):
        answer_sample(tmp_path / "vide", folder / "verite", tmp_path / "correspondance", LAST)
