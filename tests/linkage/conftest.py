from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines import linkage
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse
from tests.linkage.people import HABITS, MOIS, declare, deliver, population, settings_in, written_down


@dataclass(frozen=True)
class Linked:
    """What one run of the stage left, with the truth beside it."""

    settings: Settings
    counts: dict[str, object]
    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame

    def pairs(self, left: str, right: str) -> tuple[int, int, int]:
        """Links made, links right, links to make, between two sources."""
        people = self.tables["core__personnes_liees"].join(self.truth, on=["source", "personne_id"])
        first, second = (people.filter(pl.col("source") == name) for name in (left, right))
        made = first.join(second, on="personne_uid", suffix="_d")
        right_ones = made.filter(pl.col("personne") == pl.col("personne_d")).height
        return made.height, right_ones, first.join(second, on="personne").height

    def f1(self, left: str, right: str) -> float:
        made, right_ones, to_make = self.pairs(left, right)
        return 2 * right_ones / (made + to_make)


def link(
    folder: Path,
    frames: dict[str, pl.DataFrame],
    settings: Settings | None = None,
    former: pl.DataFrame | None = None,
) -> Linked:
    """Deliver the nominative frames and run the stage on them; ``former``: an earlier month's model."""
    settings = settings or settings_in(folder)
    for service, frame in frames.items():
        deliver(frame, service, settings.dossiers.depot)
    truth = pl.concat([f.select("personne", "personne_id", source=pl.lit(s)) for s, f in frames.items()])
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, list(frames))
        if former is not None:
            warehouse.replace("meta__modeles", former)
        counts = linkage.run(warehouse, settings, MOIS)
        names = (
            "core__personnes_liees",
            "core__paires",
            "core__consentements_ambigus",
            "out__qualite_appariement",
            "meta__modeles",
            "meta__alertes",
        )
        return Linked(settings, dict(counts), {n: warehouse.read(n) for n in names}, truth.unique())


@pytest.fixture(scope="session")
def people() -> pl.DataFrame:
    return population(1600, np.random.default_rng(11))


@pytest.fixture(scope="session")
def frames(people: pl.DataFrame) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(12)
    habits = HABITS | {"cellule": replace(HABITS["cellule"], part=0.1)}
    return {service: written_down(people, habit, service, rng) for service, habit in habits.items()}


@pytest.fixture(scope="session")
def linked(frames: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    return link(tmp_path_factory.mktemp("liees"), frames)


@pytest.fixture(scope="session")
def linked_without_nir(frames: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    bare = {service: frame.with_columns(nir=pl.lit(None, pl.String)) for service, frame in frames.items()}
    return link(tmp_path_factory.mktemp("sans_nir"), bare)
