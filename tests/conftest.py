"""One small territory for the session: invented, pseudonymised by each partner, run through the chain."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from pipelines.outreach.delivery import create_secrets
from pipelines.settings import Settings, anchored
from pipelines.warehouse import Warehouse, open_warehouse

HABITANTS = 1500
SEED = 7
MONTHS = ("2026-04", "2026-05", "2026-06")
MONTH = MONTHS[-1]
PARTNERS = ("caf", "cpam", "departement", "cellule")
CHROMIUM = Path("/usr/bin/chromium")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers (``--dist loadgroup``), one of them builds the small territory; else by file."""
    for item in items:
        is_built = "small_territory" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("territoire" if is_built else str(item.path)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium: what a reader opens."""
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@dataclass(frozen=True)
class Chain:
    """A project folder after one run of the chain. ``comptes``: the counts of each stage."""

    root: Path
    settings: Settings
    livraisons: dict[str, dict[str, object]]
    comptes: dict[str, dict[str, object]]


@pytest.fixture(scope="session")
def small_territory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nominative extracts and the truth of an invented territory of 1 500 inhabitants."""
    from pipelines.synthetic import simulate_territory

    folder = tmp_path_factory.mktemp("territoire") / "simulation"
    simulate_territory("comminges", SEED, folder, MONTHS[0], MONTHS[-1], HABITANTS)
    return folder


@pytest.fixture(scope="session")
def chain(small_territory: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The small territory pseudonymised, ingested, linked, computed, estimated, reported."""
    from pipelines import estimation, flows

    root = tmp_path_factory.mktemp("projet")
    settings = anchored(Settings(demonstration=True), root)
    create_secrets(settings)
    deliveries = pseudonymise_everything(small_territory, settings, root)
    counts = {}
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        for name in flows.STAGES:
            with warehouse.transaction():
                counts[name] = flows.stage(name)(warehouse, settings, MONTH)
        estimation.hand_over(warehouse, settings)
    return Chain(root, settings, deliveries, counts)


@pytest.fixture
def warehouse(chain: Chain) -> Iterator[Warehouse]:
    """The warehouse of the small territory, after the chain."""
    with open_warehouse(chain.settings.dossiers.entrepot, chain.settings.dossiers.travail) as opened:
        yield opened


def pseudonymise_everything(
    simulation: Path,
    settings: Settings,
    root: Path,
    months: tuple[str, ...] = MONTHS,
    processus: int | None = None,
) -> dict[str, dict[str, object]]:
    """Each partner's deliveries, by the partner's own command, under a new key."""
    from pipelines.source import create_key, pseudonymise

    create_key(settings.secrets.cle_pseudonymisation)
    return {
        f"{partner}-{month}": pseudonymise(
            simulation / partner / month,
            settings.dossiers.depot,
            cle=settings.secrets.cle_pseudonymisation,
            partenaire=partner,
            mois=month,
            correspondance=root / "correspondance" / f"{partner}-{month}.parquet",
            coffre=settings.dossiers.coffre,
            coffre_publique=settings.secrets.cle_coffre_publique,
            processus=processus,
        )
        for partner in PARTNERS
        for month in months
    }
