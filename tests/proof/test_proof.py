"""The proof at small size: what it must find, and that it resumes. The whole of it: nonrecours prouver."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.reading import Reading
from pipelines.proof import campaign, judging
from pipelines.proof.auditing import SAMPLE, verified
from pipelines.proof.drawing import Households, communes, households
from pipelines.proof.extracts import Files, files
from pipelines.proof.parts import code_mark, read_part, write_part
from pipelines.proof.scores import scores
from pipelines.proof.worlds import WORLDS, chosen
from pipelines.refusals import Refusal

WORLD = WORLDS["liens"]


@pytest.fixture(scope="module")
def drawn() -> tuple[Households, Files, Reading]:
    generator = np.random.default_rng(1)
    homes = households(WORLD, generator)
    seen = files(WORLD, homes, generator)
    return homes, seen, verified(WORLD, homes, seen, generator)


@pytest.fixture(scope="module")
def judged() -> pl.DataFrame:
    """Six territories where non-takers are more often outside the CAF."""
    return pl.DataFrame([row for seed in range(6) for row in judging.replication("mnar", seed)])


def test_the_corrected_rate_covers_the_truth_with_and_without_answers(judged: pl.DataFrame) -> None:
    published = judged.filter(methode=judging.BY_INCOMES)
    inside = published.select(pl.col("vrai").is_between("bas", "haut")).to_series()
    assert inside.sum() >= published.height - 1


def test_the_naive_rate_misses_the_truth(judged: pl.DataFrame) -> None:
    naive = judged.filter(methode=judging.NAIVE)
    assert abs((naive["estime"] - naive["vrai"]).mean()) >= 0.04  # type: ignore[arg-type]


def test_answers_narrow_the_interval(judged: pl.DataFrame) -> None:
    width = (
        judged.filter(methode=judging.BY_INCOMES)
        .group_by("verifie")
        .agg((pl.col("haut") - pl.col("bas")).mean())
    )
    found = dict(width.iter_rows())
    assert found[True] < 0.8 * found[False]


def test_every_term_of_the_estimate_is_exercised(drawn: tuple[Households, Files, Reading]) -> None:
    _, seen, reading = drawn
    found = evidence(reading, seen.quality, sensitivity(reading)[0])
    terms = (found.u, found.t, found.unknown, found.unknown_linked, found.a2, found.a2_known, found.a2_found)
    assert all(term.sum() > 0 for term in terms)
    assert all(answers.count > 0 for answers in (found.answers, found.a2_answers, found.kappa.answers))
    assert min(found.s, found.takers_a2, found.kappa.both.sum(), found.kappa.cpam_only.sum()) > 0
    rates = (found.rates.entitled, found.rates.known, found.rates.absent)
    assert all(rate.trials.sum() > 0 for rate in rates)


def test_the_territory_has_the_communes_of_a_real_one() -> None:
    share, rural = communes()
    assert share.size == 104
    assert rural.sum() > 90
    assert share.sum() == pytest.approx(1)


def test_links_are_worse_for_the_entitled_where_the_world_says_so(
    drawn: tuple[Households, Files, Reading],
) -> None:
    homes, seen, _ = drawn
    known = homes.is_at_caf & homes.is_at_cpam
    assert seen.is_linked[known & homes.is_entitled].mean() < seen.is_linked[known].mean() - 0.02


def test_the_sample_weighs_as_many_households_as_the_files_hold(
    drawn: tuple[Households, Files, Reading],
) -> None:
    homes, _, reading = drawn
    weights = dict(reading.answers.group_by("source").agg(pl.col("poids_reponse").sum()).iter_rows())
    assert weights["cpam"] == pytest.approx(homes.is_at_cpam.sum())
    assert weights["caf"] == pytest.approx(homes.is_at_caf.sum())
    assert reading.answers.filter(source="cpam").height < SAMPLE


def test_nobody_linked_is_interviewed(drawn: tuple[Households, Files, Reading]) -> None:
    _, _, reading = drawn
    met = reading.answers.filter(pl.col("eligible_rsa").is_not_null(), source="cpam")
    assert set(met["volet"]) == {"B"}
    assert set(met["connu_caf"]) == {0}


def test_the_same_seed_gives_the_same_verdict() -> None:
    assert judging.replication("mar", 4) == judging.replication("mar", 4)


def test_goals_are_about_the_published_form(judged: pl.DataFrame) -> None:
    (world,) = scores(judged.to_dicts())
    assert world["objectifs"]["le_naif_se_trompe"]
    assert {row["methode"] for row in world["methodes"]} == {"naif", "caf_seule", "revenus", "classes"}


def test_a_proof_resumes_and_redoes_what_other_code_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "BATCH", 1)
    told: list[tuple[int, int]] = []
    places = {"result": tmp_path / "estimateur.json", "parts": tmp_path / "parts"}

    def prove(replications: int) -> int:
        found = campaign.prove(
            1, replications, ("mar",), advance=lambda done, total: told.append((done, total)), **places
        )
        return int(found["lots_calcules"])

    assert prove(2) == 2
    assert prove(2) == 0
    assert told[-1] == (2, 2)
    monkeypatch.setattr(campaign, "code_mark", lambda *folders: "autre code")
    assert prove(2) == 2
    assert json.loads(places["result"].read_text(encoding="utf-8"))["repetitions"] == 2
    assert places["result"].with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_part_made_by_other_code_or_cut_short_is_no_part(tmp_path: Path) -> None:
    write_part(tmp_path / "a.json", "m", [1])
    (tmp_path / "b.json").write_text('{"code": "m", ', encoding="utf-8")
    assert read_part(tmp_path / "a.json", "m") == [1]
    assert read_part(tmp_path / "a.json", "n") is None
    assert read_part(tmp_path / "b.json", "m") is None


def test_the_mark_is_that_of_the_folders_named() -> None:
    assert code_mark("pipelines/proof") == code_mark("pipelines/proof")
    assert code_mark("pipelines/proof") != code_mark("pipelines/estimation")
    assert code_mark("pipelines/proof/worlds.py") != code_mark("pipelines/proof/drawing.py")


def test_an_unknown_world_is_refused() -> None:
    with pytest.raises(Refusal, match="monde"):
        chosen(["lune"])
