"""The chain as a user runs it: one project folder, the command in its own process, its own Prefect home."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.flows import STAGES
from pipelines.settings import SETTINGS_FILE, Settings, anchored, as_toml
from tests.conftest import MONTH, Chain


@dataclass(frozen=True)
class Project:
    """A project folder, with the dépôt, the vault and the keys of the small territory."""

    root: Path

    @property
    def settings(self) -> Settings:
        return anchored(Settings(demonstration=True), self.root)

    @property
    def toml(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def environment(self) -> dict[str, str]:
        home = {"PREFECT_HOME": str(self.root / "prefect"), "PYTHONPATH": os.pathsep.join(sys.path)}
        return os.environ | home

    def python(self, script: str) -> "subprocess.CompletedProcess[str]":
        """A Python process in the project folder; what it prints also goes to ``logs``."""
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        (self.root / "logs").write_text(done.stdout + done.stderr, encoding="utf-8")
        return done


def copy_of(chain: Chain, root: Path) -> Project:
    """A fresh project on the deliveries of the small territory: nothing ingested yet."""
    for name in ("depot", "coffre", "secrets"):
        shutil.copytree(chain.root / name, root / name)
    (root / SETTINGS_FILE).write_text(as_toml(Settings(demonstration=True)), encoding="utf-8")
    return Project(root)


TWICE = """
import itertools, shutil, sys
from pathlib import Path
from pipelines import cli, warehouse
once, opened, number = cli.run, warehouse.open_warehouse, itertools.count()
def photographed(path, spill):
    if path.exists():
        shutil.copy(path, Path.cwd().parent / f"{Path.cwd().name}-avant-{next(number)}.duckdb")
    return opened(path, spill)
warehouse.open_warehouse = photographed
def twice(arguments):
    print("code", once(arguments), flush=True)
    for stream in (sys.stdout, sys.stderr):
        print("--- seconde fois", file=stream, flush=True)
    return once(arguments)
cli.run = twice
sys.argv = ["nonrecours", "executer", "--mois", "MOIS"]
cli.main()
"""


@dataclass(frozen=True)
class Executed:
    """A project after « nonrecours executer » twice, and the process that ended."""

    project: Project
    process: "subprocess.CompletedProcess[str]"

    def before(self, stage: str) -> Path:
        """The warehouse as the first run found it when it came to this stage (not the first one)."""
        root = self.project.root
        return root.with_name(f"{root.name}-avant-{STAGES.index(stage) - 1}.duckdb")


@pytest.fixture(scope="session")
def executed(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """The small territory run twice by the command, in one process: one start of Prefect's server."""
    project = copy_of(chain, tmp_path_factory.mktemp("execute"))
    return Executed(project, project.python(TWICE.replace("MOIS", MONTH)))


@pytest.fixture
def project(chain: Chain, tmp_path: Path) -> Project:
    return copy_of(chain, tmp_path)
