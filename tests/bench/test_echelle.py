from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bench.echelle.chronometer import Chronometer
from bench.echelle.deliveries import Deliveries, deliveries
from bench.echelle.linkage import PHASES, link
from bench.echelle.population import PART, people, written_down


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    return deliveries(900, 7, tmp_path_factory.mktemp("livraisons"))


def test_the_same_seed_writes_the_same_people() -> None:
    first, again, other = (people(500, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def test_a_service_knows_three_quarters_of_the_people_and_writes_some_badly() -> None:
    everyone = people(4000, np.random.default_rng(3))
    known = written_down(everyone, "caf", np.random.default_rng(4))
    assert known["personne"].n_unique() == pytest.approx(PART * everyone.height, rel=0.05)
    assert known["personne_id"].n_unique() == known.height > known["personne"].n_unique()
    true = known.join(everyone, on="personne", suffix="_vrai")
    wrong = true.filter(pl.col("date_naissance") != pl.col("date_naissance_vrai").cast(pl.String)).height
    assert 0 < wrong < 0.1 * known.height


def test_nobody_shares_a_nir() -> None:
    everyone = people(4000, np.random.default_rng(3))
    assert everyone["nir"].n_unique() == everyone.height


def test_deliveries_are_made_once_for_an_encoder(delivered: Deliveries) -> None:
    made = delivered.truth.stat().st_mtime_ns
    again = deliveries(900, 7, delivered.depot.parent.parent)
    assert (again, again.truth.stat().st_mtime_ns) == (delivered, made)


def test_hand_written_sql_gives_the_weights_of_the_stage(delivered: Deliveries, tmp_path: Path) -> None:
    figures = link(delivered, tmp_path / "appariement")
    assert figures["notation"]["memes_paires"]
    assert figures["notation"]["ecart_maximal_de_poids"] < 1e-6
    assert {phase["nom"] for phase in figures["phases"]} == {*PHASES.values(), "toute l'étape"}
    assert figures["octets_laisses_dans_travail"] == 0
    assert all(couple["f1"] > 0.97 for couple in figures["erreurs"])


def test_a_phase_has_the_memory_of_those_it_holds(tmp_path: Path) -> None:
    clock = Chronometer(tmp_path)
    with clock.phase("tout"):
        with clock.phase("gros"):
            held = np.ones(30_000_000)
        del held
    big, whole = (phase.memoire_mio for phase in clock.phases)
    assert whole >= big
