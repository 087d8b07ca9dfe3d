"""The notebook that takes one rate apart: what it finds by hand is what is published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines.estimation.reading import RIGHTS
from tests.conftest import Chain
from tests.notebooks.conftest import opened, point_at, shown

NAME = "une_estimation_a_la_main"
Answer = tuple[str, Mapping[str, Any]]


class Choice:
    """A right chosen in the list."""

    def __init__(self, value: str) -> None:
        self.value = value


def run(chain: Chain, folder: Path, droit: str) -> Answer:
    with pytest.MonkeyPatch.context() as patch:
        point_at(chain.settings, folder, patch)
        outputs, definitions = opened(NAME).run(defs={"droit": Choice(droit)})
        return shown(outputs), definitions


@pytest.mark.parametrize("droit", RIGHTS)
def test_the_draws_are_those_of_the_published_rate_and_hold_the_rate_found_by_hand(
    chain: Chain, tmp_path: Path, droit: str
) -> None:
    page, definitions = run(chain, tmp_path, droit)
    with duckdb.connect(str(chain.settings.dossiers.entrepot), read_only=True) as warehouse:
        published = warehouse.execute(
            "SELECT taux, taux_bas, taux_haut FROM out__taux WHERE droit = ? AND niveau = 'EPCI' "
            "AND groupe = 'ensemble' AND methode = 'corrige' ORDER BY periode DESC",
            [droit],
        ).fetchone()
    assert published is not None
    rate, low, high = published
    assert definitions["refait"].rate == pytest.approx(rate, abs=1e-9)
    assert low <= definitions["taux_a_la_main"] <= high
    assert "pour 100" in page


def test_moving_a_hypothesis_moves_the_rate_the_way_it_should(chain: Chain, tmp_path: Path) -> None:
    _, definitions = run(chain, tmp_path, "rsa")
    moved = dict(definitions["sensibilite"].select("Si…", "Écart, en points").rows())
    assert moved["R plus bas de 3 points"] <= 0 <= moved["R plus haut de 3 points"]
    assert moved["la CPAM voit tous les absents de la CAF"] <= 0
    assert moved["absents de la CAF plus souvent éligibles (logit + ½)"] >= 0


def test_no_frame_has_a_column_of_identifiers(chain: Chain, tmp_path: Path) -> None:
    _, definitions = run(chain, tmp_path, "rsa")
    frames = [value for value in definitions.values() if isinstance(value, pl.DataFrame)]
    assert frames
    assert not [name for frame in frames for name in frame.columns if name.endswith(("_id", "_uid"))]
