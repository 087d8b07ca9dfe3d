"""One small scene for the tests of the extracts, of the consents and of the answers to a sample."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines import calendar
from pipelines.synthetic.consents import Cellule
from pipelines.synthetic.extracts import Scene, set_scene
from pipelines.synthetic.extracts_caf import Caf
from pipelines.synthetic.extracts_cpam import Cpam
from pipelines.synthetic.scene_files import write_scene
from tests.synthetic.small_world import OUTSIDE, TOWN, VILLAGE, small_world

MONTHS = ("2026-04", "2026-05", "2026-06")
LAST = MONTHS[-1]
RATES = pl.DataFrame({"mois": [LAST], "droit": ["rsa"], "taux": [0.3], "eligibles": [10]})


class Kept:
    """A partner whose extracts are made once."""

    def __init__(self, partner: Caf | Cpam | Cellule) -> None:
        self._partner = partner
        self._extract = cache(partner.extract)

    def extract(self, delivery: int) -> dict[str, pl.DataFrame]:
        return self._extract(delivery)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._partner, name)


@pytest.fixture(scope="session")
def scene() -> Scene:
    world = small_world(np.random.default_rng(11), 400, calendar.shift(MONTHS[0], -23), LAST)
    return set_scene(world, [TOWN, VILLAGE, OUTSIDE], MONTHS, 11)


@pytest.fixture(scope="session")
def folder(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulation")
    write_scene(path, scene, RATES, lambda _message: None)
    return path


@pytest.fixture(scope="session")
def caf(scene: Scene) -> Caf:
    return Kept(Caf(scene))  # type: ignore[return-value]


@pytest.fixture(scope="session")
def cpam(scene: Scene) -> Cpam:
    return Kept(Cpam(scene))  # type: ignore[return-value]


@pytest.fixture(scope="session")
def cellule(scene: Scene) -> Cellule:
    return Kept(Cellule(scene))  # type: ignore[return-value]
