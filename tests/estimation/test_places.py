"""Places of an invented territory of known rates: they add up, and the real communes are told truly."""

import numpy as np
import polars as pl
import pytest

from pipelines.estimation.estimator import Estimate, estimate
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.places import PlaceEstimates, estimate_places
from tests.estimation.places_simulator import QUALITY, SCENARIOS, Invented, invent

Found = tuple[Invented, Estimate, PlaceEstimates]


@pytest.fixture(scope="module")
def found() -> Found:
    generator = np.random.default_rng(5)
    invented = invent(SCENARIOS["ecarts_moyens"], generator)
    se, _ = sensitivity(invented.reading)
    counts = evidence(invented.reading, QUALITY, se)
    whole = estimate(counts, 100, 0.95, generator)
    assert whole is not None
    return invented, whole, estimate_places(invented.reading, counts, whole, se, generator)


@pytest.fixture(scope="module")
def judged(found: Found) -> pl.DataFrame:
    invented, _, places = found
    rows = [{"commune_insee": p.commune} | places.together([n], 0.95) for n, p in enumerate(places.places)]
    estimates = pl.DataFrame(rows).drop("eligibles")
    return invented.truth.drop_nulls("taux_attendu").join(estimates, on="commune_insee")


def test_places_add_up_to_the_territory_in_every_draw(found: Found) -> None:
    _, whole, places = found
    drawn = places.drawn_nontakers.sum(axis=1) / places.drawn_eligible.sum(axis=1)
    assert drawn == pytest.approx(whole.drawn_rate)
    assert places.nontakers.sum() == pytest.approx(whole.nontakers)
    assert places.eligible.sum() == pytest.approx(whole.eligible)
    assert places.euros_mois.sum() == pytest.approx(whole.euros_mois)


def test_every_commune_has_an_estimate_that_holds_its_rate_and_is_not_its_count(judged: pl.DataFrame) -> None:
    error, direct = (judged[name] - judged["taux_attendu"] for name in ("taux", "taux_direct"))
    assert judged.height > 95
    assert judged["taux_attendu"].is_between(judged["taux_bas"], judged["taux_haut"]).mean() >= 0.85
    assert (error**2).mean() < (direct**2).mean() / 4


def test_whoever_knows_everything_but_the_effects_errs_less_and_in_no_direction(judged: pl.DataFrame) -> None:
    best, ours, direct = (
        judged[name] - judged["taux_attendu"] for name in ("taux_possible", "taux", "taux_direct")
    )
    assert (best**2).mean() < (ours**2).mean() < (direct**2).mean()
    assert abs(best.mean()) < 0.02


def test_a_household_whose_composition_nobody_shares_has_an_estimate(found: Found) -> None:
    _, _, places = found
    assert np.isfinite(places.drawn_nontakers).all()
    assert (places.drawn_nontakers <= places.drawn_eligible + 1e-9).all()


def test_places_together_are_as_many_households_as_apart(found: Found) -> None:
    _, _, places = found
    apart = [places.together([n], 0.95)["eligibles"] for n in range(4)]
    assert places.together([0, 1, 2, 3], 0.95)["eligibles"] == pytest.approx(sum(apart))
