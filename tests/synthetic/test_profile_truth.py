"""The true profile of the small world: its groups add up to its true rates."""

import polars as pl
import pytest

from pipelines.synthetic.extracts import Scene
from pipelines.synthetic.profile_truth import KeptTruth, true_profile
from pipelines.synthetic.rates import true_rates

LAST = "2026-06"


@pytest.fixture(scope="module")
def profile(scene: Scene) -> pl.DataFrame:
    world = scene.world
    names = ("menages_mois", "droits", "dossiers", "membres", "personnes")
    truth = KeptTruth(**{name: getattr(world, name) for name in names})
    return true_profile(truth, LAST, avec_agricole=True)


def counted(profile: pl.DataFrame, start: str) -> dict[str, tuple[float, float]]:
    rows = profile.filter(pl.col("groupe").str.starts_with(start)).group_by("droit").agg(
        pl.col("eligibles").sum(), pl.col("non_recourants").sum()
    )  # fmt: skip
    return {droit: (eligible, untaken) for droit, eligible, untaken in rows.rows()}


def test_everybody_together_is_the_true_rate(profile: pl.DataFrame, scene: Scene) -> None:
    rates = true_rates(scene.world, LAST).filter(pl.col("droit").is_in(["rsa", "ppa"]))
    rows = rates.filter(pl.col("eligibles") > 0).select("droit", "eligibles", "non_recourants").rows()
    assert counted(profile, "ensemble") == {droit: (float(e), float(n)) for droit, e, n in rows}


@pytest.mark.parametrize("dimension", ["menage:", "logement:", "aide_logement:", "prestations_familiales:"])
def test_the_groups_of_a_dimension_add_up_to_everybody(profile: pl.DataFrame, dimension: str) -> None:
    assert counted(profile, dimension) == counted(profile, "ensemble")


def test_both_paths_add_up_and_what_lasts_is_no_more_than_the_whole(profile: pl.DataFrame) -> None:
    whole, paths, lasting = (counted(profile, start) for start in ("ensemble", "chemin:", "duree:durable"))
    assert {droit: untaken for droit, (_, untaken) in paths.items()} == {d: n for d, (_, n) in whole.items()}
    assert all(lasting[droit][1] <= untaken for droit, (_, untaken) in whole.items())
