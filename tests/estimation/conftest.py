from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse
from tests.estimation.tables import Tables


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "essai.duckdb", tmp_path / "travail") as opened:
        yield opened


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(estimation={"tirages": 50})
