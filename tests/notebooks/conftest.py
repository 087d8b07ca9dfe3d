"""The notebook as its file defines it, and what a reader would see of it."""

import html
import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import marimo
import pytest
from marimo._output.formatting import as_html

from pipelines.settings import Settings, as_toml
from tests.conftest import Chain

FOLDER = Path(__file__).parents[2] / "notebooks"


def opened(name: str) -> marimo.App:
    """The app of one notebook."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: marimo.App = module.app
    return app


def shown(outputs: Sequence[Any]) -> str:
    """Everything a browser would receive from these outputs."""
    page = "\n".join(as_html(output).text for output in outputs if output is not None)
    return html.unescape(html.unescape(page))


def point_at(settings: Settings, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the notebook read these settings."""
    path = folder / "nonrecours.toml"
    path.write_text(as_toml(settings), encoding="utf-8")
    patch.setenv("NONRECOURS_REGLAGES", str(path))


@pytest.fixture
def use_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], None]:
    """Make the notebook read the settings given."""
    return lambda settings: point_at(settings, tmp_path, monkeypatch)


@pytest.fixture
def own_copy(chain: Chain, tmp_path: Path) -> Settings:
    """The settings of the chain on a copy of its warehouse, which a test may change or hold."""
    path = tmp_path / "copie.duckdb"
    shutil.copy(chain.settings.dossiers.entrepot, path)
    folders = chain.settings.dossiers.model_copy(update={"entrepot": path})
    return chain.settings.model_copy(update={"dossiers": folders})
