"""A warehouse with a month written by hand, and the page made from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from month_by_hand import ISSUED, MOIS, fill, groupings, path_of, profile, totals

from pipelines import disclosure, reporting
from pipelines.settings import Settings, anchored
from pipelines.warehouse import Warehouse, open_warehouse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return anchored(Settings.model_validate({"demonstration": True}), tmp_path)


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        fill(opened, [*totals(), *groupings(), *profile()])
        disclosure.run(opened, settings, MOIS)
        yield opened


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the hand-written month, made once."""
    root = tmp_path_factory.mktemp("rapport")
    settings = anchored(
        Settings.model_validate(
            {"demonstration": True, "publication": {"contact": "observatoire@exemple.fr"}}
        ),
        root,
    )
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        fill(opened, [*totals(), *groupings(), *profile()])
        disclosure.run(opened, settings, MOIS)
        reporting.run(opened, settings, MOIS, emis_le=ISSUED)
    return path_of(settings)
