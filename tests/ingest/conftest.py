from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.warehouse import Warehouse, open_warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "entrepot.duckdb", tmp_path / "travail") as opened:
        yield opened
