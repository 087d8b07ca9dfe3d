"""The benchmark of the rights: invented households are rows of the contract, the same for the same seed."""

from itertools import pairwise

import polars as pl

from bench.droits import HISTORY, MOIS, invented, ours
from pipelines.calendar import window
from pipelines.eligibility import simulate

HOUSEHOLDS = 60


def test_the_same_seed_gives_the_same_rows() -> None:
    first, again, other = (invented(HOUSEHOLDS, seed) for seed in (1, 1, 2))
    assert all(first[name].equals(again[name]) for name in first)
    assert not first["ressources"].equals(other["ressources"])


def test_every_household_has_its_months_its_applicant_and_holds_its_own_quarter() -> None:
    rows = invented(HOUSEHOLDS, 1)
    assert rows["menages"].height == HOUSEHOLDS * HISTORY
    assert (rows["personnes"]["role"] == "DEM").sum() == HOUSEHOLDS
    one = rows["menages"].filter(menage_id="7").sort("mois")["dtr_phase"].to_list()
    assert all(later == now % 3 + 1 for now, later in pairwise(one))


def test_the_rights_of_these_households_are_known_and_differ() -> None:
    found = simulate(**invented(HOUSEHOLDS, 1), mois=window(MOIS, 2))
    assert found.height == HOUSEHOLDS * 2 * 2
    assert set(found["eligible"]) >= {"oui", "non"}
    assert found.filter(pl.col("eligible") == "inconnu").height < found.height / 10


def test_a_run_says_what_it_measured() -> None:
    run = ours(HOUSEHOLDS, 1, 1)
    assert (run.menages, run.mois) == (HOUSEHOLDS, 1)
    assert run.secondes > 0 and run.secondes_processeur > 0
