"""The verification sample is drawn on each partner's own records and answered from the truth."""

import polars as pl
import pytest

from pipelines.synthetic.extracts import Scene
from pipelines.synthetic.extracts_caf import Caf
from pipelines.synthetic.extracts_cpam import Cpam
from pipelines.synthetic.verification import SampleSizes, answered_verifications
from tests.synthetic.conftest import LAST

SIZES = SampleSizes(cpam=300, caf=60)


@pytest.fixture(scope="module")
def answers(scene: Scene, caf: Caf, cpam: Cpam) -> dict[str, pl.DataFrame]:
    return answered_verifications(scene, caf.extract(2), cpam.extract(2), SIZES)


def of_household(scene: Scene, records: pl.DataFrame) -> pl.DataFrame:
    """menage and role of each drawn record at the last month."""
    home = scene.residences.filter(mois=LAST).select("personne", "menage")
    return records.join(home, on="personne")


def test_each_partner_answers_about_its_own_records(answers: dict, caf: Caf, cpam: Cpam) -> None:
    assert answers["caf"]["personne_id"].is_in(caf.extract(2)["caf_personnes"]["personne_id"].implode()).all()
    assert (
        answers["cpam"]["personne_id"].is_in(cpam.extract(2)["cpam_assures"]["personne_id"].implode()).all()
    )


def test_sizes_are_those_asked_for(answers: dict) -> None:
    assert answers["cpam"]["volet"].value_counts().sort("volet").rows() == [("B", 240), ("FAUX_LIENS", 60)]
    assert answers["caf"]["volet"].unique().to_list() == ["RAPPEL"] and answers["caf"].height <= 60


def test_the_order_says_nothing_of_the_volet(answers: dict) -> None:
    rank = (
        answers["cpam"].with_row_index().group_by("volet").agg(pl.col("index").mean()).sort("volet")["index"]
    )
    assert abs(rank[0] - rank[1]) < 40


def test_holders_of_the_c2s_are_drawn_more_than_their_share(answers: dict, cpam: Cpam) -> None:
    rights = cpam.extract(2)["cpam_assures"].select("personne_id", "c2s")
    drawn = answers["cpam"].filter(volet="B").join(rights, on="personne_id")
    assert (drawn["c2s"] > 0).mean() > 1.5 * (rights["c2s"] > 0).mean()


def test_five_to_ten_records_in_a_hundred_have_no_answer(answers: dict) -> None:
    silent = answers["cpam"].filter(pl.col("mode").is_null())
    assert 0.03 < silent.height / answers["cpam"].height < 0.12
    assert (
        silent.select("connu_caf", "connu_cpam", "eligible_rsa").null_count().row(0) == (silent.height,) * 3
    )


def test_the_caf_answer_is_the_truth(answers: dict, scene: Scene, cpam: Cpam) -> None:
    insured = cpam.extract(2)["cpam_assures"].select("personne", "personne_id")
    drawn = of_household(scene, answers["cpam"].drop_nulls("connu_caf").join(insured, on="personne_id"))
    files = scene.world.dossiers.filter(mois=LAST).select("menage", "est_au_caf")
    judged = drawn.join(files, on="menage")
    assert (judged["connu_caf"] == judged["est_au_caf"].cast(pl.Int8)).all()


def test_entitlement_is_asked_of_those_the_caf_does_not_know(answers: dict, scene: Scene, cpam: Cpam) -> None:
    told = answers["cpam"].filter(pl.col("eligible_rsa").is_not_null())
    assert told.height > 0
    assert (
        set(told["connu_caf"]) == {0} and set(told["volet"]) == {"B"} and set(told["mode"]) == {"ENTRETIEN"}
    )


def test_the_caf_draws_entitled_households_it_knows(answers: dict) -> None:
    told = answers["caf"].drop_nulls("connu_caf")
    assert (told["connu_caf"] == 1).all()
    assert ((told["eligible_rsa"] == 1) | (told["eligible_ppa"] == 1)).fill_null(False).all()
