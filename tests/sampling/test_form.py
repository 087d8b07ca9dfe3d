"""At the partner: its own numbers in the form, never in what goes back."""

import stat
from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import ContractRefusal
from pipelines.source.sample_form import give_back, write_form


@pytest.fixture
def form(tmp_path: Path) -> Path:
    drawn = pl.DataFrame({"echantillon_id": ["e2", "e1"], "personne_id": ["b" * 32, "a" * 32]})
    drawn.write_csv(tmp_path / "cpam.csv", separator=";")
    ways = pl.DataFrame(
        {"nature": ["personne"] * 2, "identifiant": ["C1", "C2"], "identifiant_livre": ["a" * 32, "c" * 32]}
    )
    ways.write_parquet(tmp_path / "correspondance.parquet")
    path = tmp_path / "formulaire.csv"
    counts = write_form(tmp_path / "cpam.csv", [tmp_path / "correspondance.parquet"], path)
    assert counts == {"fiches": 2, "sans_correspondance": 1}
    return path


def test_the_form_shows_the_partner_its_own_numbers(form: Path) -> None:
    rows = pl.read_csv(form, separator=";", infer_schema=False)
    assert rows.select("identifiant", "echantillon_id").rows() == [("C1", "e1"), (None, "e2")]
    assert "personne_id" not in rows.columns
    assert stat.S_IMODE(form.stat().st_mode) == 0o600


def test_what_goes_back_holds_neither_its_numbers_nor_those_of_the_project(
    form: Path, tmp_path: Path
) -> None:
    filled = pl.read_csv(form, separator=";", infer_schema=False).with_columns(connu_caf=pl.lit("1"))
    filled.write_csv(form, separator=";")
    counts = give_back(form, tmp_path / "retour.csv")
    assert counts == {"lignes_recues": 2, "lignes_a_corriger": 0, "lignes_rendues": 2}
    text = (tmp_path / "retour.csv").read_text()
    assert "C1" not in text and "a" * 32 not in text
    assert stat.S_IMODE((tmp_path / "retour.csv").stat().st_mode) == 0o600


def test_a_wrong_answer_is_told_to_the_partner_and_nothing_is_written(form: Path, tmp_path: Path) -> None:
    filled = pl.read_csv(form, separator=";", infer_schema=False).with_columns(connu_caf=pl.lit("peut-être"))
    filled.write_csv(form, separator=";")
    with pytest.raises(ContractRefusal, match="à corriger sur 2") as refusal:
        give_back(form, tmp_path / "retour.csv")
    assert "peut-être" not in str(refusal.value)
    assert not (tmp_path / "retour.csv").exists()


def test_the_correspondence_of_another_project_is_refused(form: Path, tmp_path: Path) -> None:
    pl.DataFrame({"identifiant": ["C1"], "identifiant_livre": ["d" * 32]}).write_parquet(
        tmp_path / "autre.parquet"
    )
    with pytest.raises(ContractRefusal, match="correspondance"):
        write_form(tmp_path / "cpam.csv", [tmp_path / "autre.parquet"], tmp_path / "f.csv")
