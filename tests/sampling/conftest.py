"""A small estimated territory: 120 households linked, 120 of the CPAM alone, 60 of the CAF alone."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.estimation import situations
from pipelines.settings import Settings, anchored
from pipelines.warehouse import Warehouse, open_warehouse
from tests.estimation.tables import AURIGNAC, SAINT_GAUDENS, Tables

MOIS = "2026-06"
LINKED, CPAM_ALONE, CAF_ALONE = 120, 120, 60


def territory() -> Tables:
    tables = Tables()
    for n in range(LINKED):
        place, age = (SAINT_GAUDENS, AURIGNAC)[n % 2], 30 + n % 45
        paid = {"rsa_etat": "2", "rsa_du": 500.0} if n % 3 == 0 else {}
        tables.caf(f"a{n}", rsa="oui" if n % 2 else "non", commune=place, age=age, **paid)
        tables.cpam(f"c{n}", commune=place, age=age, c2s=str(n % 2))
        tables.link(n, ("caf", f"a{n}"), ("cpam", f"c{n}"))
    for n in range(CPAM_ALONE):
        tables.cpam(f"b{n}", commune=(SAINT_GAUDENS, AURIGNAC)[n % 2], age=30 + n % 45, c2s=str(n % 2))
    for n in range(CAF_ALONE):
        tables.caf(f"s{n}", rsa="oui" if n % 2 else "non", age=30 + n % 45)
    return tables


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return anchored(Settings(demonstration=True), tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a warehouse in that state, to copy."""
    root = tmp_path_factory.mktemp("echantillon")
    with open_warehouse(root / "essai.duckdb", root / "travail") as opened:
        territory().write(opened)
        situations.build(opened, Settings(), MOIS)
        estimated(opened, MOIS)
    return root / "essai.duckdb"


@pytest.fixture
def warehouse(settings: Settings, built: Path) -> Iterator[Warehouse]:
    settings.dossiers.entrepot.parent.mkdir(parents=True)
    shutil.copy(built, settings.dossiers.entrepot)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as opened:
        yield opened


def estimated(warehouse: Warehouse, mois: str) -> None:
    """Say in the ledger that the state is that of ``mois``."""
    warehouse.record("estimation", mois, "essai", datetime.now(UTC).replace(tzinfo=None), {})


@pytest.fixture
def tables() -> Tables:
    return Tables()
