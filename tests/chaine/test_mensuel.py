"""The flow as a user runs it: it ends, does nothing twice, survives being killed, runs alone."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.flows import STAGES
from pipelines.settings import SETTINGS_FILE
from pipelines.warehouse import open_warehouse
from tests.chaine.conftest import Executed, Project
from tests.conftest import MONTH, Chain

LEDGER = "meta__executions"
FOUND = ("core__personnes_liees", "core__droits", "core__situations", "out__taux", "out__effectifs")

UNTIMED = {LEDGER: (0, 0)}
"""The ledger tells when each stage ran: never twice the same."""

SUM = 'SELECT count(*), sum(hash(t)) FROM (SELECT {} FROM "{}") AS t'
ROUNDED = {"core__personnes_liees": "* REPLACE (round(poids, 9) AS poids)"}

HALF_WAY = {
    "droits": "Warehouse.query_file",
    "estimation": "Warehouse.replace",
    "diffusion": "Warehouse.record",
    "rapport": "Path.replace",
}
"""Where each is killed: some tables built, or all, none committed; its file not yet in its place."""

FORKING = """
import os, signal, sys
from pathlib import Path
from pipelines import flows
from pipelines.eligibility import system
from pipelines.refusals import Refusal
from pipelines.settings import load
from pipelines.warehouse import Warehouse
for name in flows.STAGES:
    if name != "qualite":
        flows.stage(name)
system()
print("prêt", flush=True)

def stage(mois, reglages, name, deadly):
    if deadly:
        owner, method = deadly.split(".")
        setattr(globals()[owner], method, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    marks = flows.fingerprints(load(Path(reglages)), mois)
    try:
        flows.run_stage.fn(name, mois, marks[name], reglages, False)
    except Refusal as refusal:
        print(refusal, flush=True)
        return refusal.code
    return 0

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(stage(*line.rstrip("\\n").split("\\t")))
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print("fin", os.waitstatus_to_exitcode(status), flush=True)
"""


class Runner:
    """Runs one stage after the other, each in a process of its own that a test may kill."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, project: Project, stage: str, deadly: str = "") -> int:
        """Process id of a stage that has begun; it dies where it calls ``deadly``, a method."""
        assert self.process.stdin is not None
        self.process.stdin.write("\t".join((MONTH, str(project.toml), stage, deadly)) + "\n")
        self.process.stdin.flush()
        return int(self._line())

    def end(self) -> tuple[int, str]:
        """Exit code of the stage, minus the signal that killed it, and what it said before."""
        said = []
        while not (line := self._line()).startswith("fin "):
            said.append(line)
        return int(line.split()[1]), "".join(said)

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """One process that has read every library, for all the tests of this file."""
    environment = Project(tmp_path_factory.mktemp("etapes")).environment
    with subprocess.Popen(
        [sys.executable, "-c", FORKING],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        started = Runner(process)
        assert started._line() == "prêt\n"
        yield started
        assert process.stdin is not None
        process.stdin.close()


def content(warehouse: Path) -> dict[str, tuple[int, int]]:
    """Rows of each table that has any, and a sum of their hashes.

    The weights of the linkage, summed by several threads, are held to nine decimals.
    """
    if not warehouse.exists():
        return {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        sums = [connection.execute(SUM.format(ROUNDED.get(n, "*"), n)).fetchone() for n in names]
    return {name: found for name, found in zip(names, sums, strict=True) if found is not None and found[0]}


def test_the_command_runs_the_month_and_ends_in_silence(executed: Executed) -> None:
    first, second = executed.process.stderr.split("--- seconde fois\n")
    assert executed.process.stdout.count("code 0\n--- seconde fois") == 1
    assert executed.process.returncode == 0
    told = [line.split(" ", 1)[1].split(" : ") for line in first.splitlines()]
    assert [(who, what[:7]) for who, what in told] == [(f"{n} {MONTH}", "terminé") for n in STAGES]
    assert len(second.splitlines()) == len(STAGES)
    assert len(list(executed.project.settings.dossiers.sorties.glob("*/2026-T2/rapport.html"))) == 1


def test_a_second_run_does_nothing_and_says_so(executed: Executed) -> None:
    first, second = executed.process.stdout.split("--- seconde fois\n")
    assert "Rien à faire" not in first
    assert "Rien à faire : ce mois a déjà été traité sur les mêmes extraits." in second
    assert content(executed.project.settings.dossiers.entrepot)[LEDGER][0] == len(STAGES)


def test_the_command_finds_what_the_stages_called_one_by_one_find(chain: Chain, executed: Executed) -> None:
    mine, theirs = (content(p.settings.dossiers.entrepot) for p in (executed.project, chain))
    assert {name: mine[name] for name in FOUND} == {name: theirs[name] for name in FOUND}


def test_nothing_temporary_stays(executed: Executed) -> None:
    files = [p for p in executed.project.root.rglob("*") if p.is_file()]
    assert not [p for p in files if p.name.startswith(".") or "travail" in p.parts]


def test_killed_anywhere_a_stage_leaves_the_state_before_and_a_restart_converges(
    chain: Chain, project: Project, stages: Runner
) -> None:
    entrepot, draw, done = project.settings.dossiers.entrepot, random.Random(11), 0
    for name, longest, kills in (("ingestion", 2.5, 5), ("appariement", 4.0, 2)):
        for _ in range(kills):
            before = content(entrepot)
            child = stages.start(project, name)
            time.sleep(draw.uniform(0.05, longest))
            os.kill(child, signal.SIGKILL)
            done += stages.end()[0] == 0
            ledger = content(entrepot).get(LEDGER, (0, 0))[0]
            if ledger == before.get(LEDGER, (0, 0))[0]:
                assert content(entrepot) == before
        stages.start(project, name)
        assert stages.end()[0] == 0
    for file in project.settings.dossiers.rejets.rglob("*.csv"):
        assert file.name.startswith(".") or pl.read_csv(file, separator=";").columns == ["ligne", "regle"]
    mine, theirs = content(entrepot), content(chain.settings.dossiers.entrepot)
    built = [n for n in mine if n.startswith("raw_") or n in ("core__caf_foyers", "core__personnes_liees")]
    assert len(built) > 10
    assert {name: mine[name] for name in built} == {name: theirs[name] for name in built}
    assert done < 7


@pytest.mark.parametrize("name", HALF_WAY)
def test_killed_half_way_a_stage_leaves_nothing_and_the_next_run_gives_the_same_bytes(
    executed: Executed, stages: Runner, tmp_path: Path, name: str
) -> None:
    project = come_to(executed, name, tmp_path)
    entrepot, sorties = project.settings.dossiers.entrepot, project.settings.dossiers.sorties
    stages.start(project, name, HALF_WAY[name])
    assert stages.end()[0] == -signal.SIGKILL
    assert content(entrepot) == kept_content(executed.before(name))
    assert not [file for file in sorties.rglob("*.html") if not file.name.startswith(".")]
    stages.start(project, name)
    assert stages.end()[0] == 0
    after = [executed.before(stage) for stage in STAGES[1:]] + [executed.project.settings.dossiers.entrepot]
    assert content(entrepot) | UNTIMED == kept_content(after[STAGES.index(name)]) | UNTIMED
    report = files_of(sorties)
    assert [place.name for place in report] == ["rapport.html"] * (name == "rapport")
    assert report.items() <= files_of(executed.project.settings.dossiers.sorties).items()


def come_to(executed: Executed, stage: str, root: Path) -> Project:
    """A project where every stage before this one is done."""
    shutil.copytree(executed.project.root / "depot", root / "depot")
    shutil.copy(executed.project.toml, root / SETTINGS_FILE)
    project = Project(root)
    project.settings.dossiers.entrepot.parent.mkdir()
    shutil.copy(executed.before(stage), project.settings.dossiers.entrepot)
    return project


@cache
def kept_content(warehouse: Path) -> dict[str, tuple[int, int]]:
    """The content of a warehouse that nothing writes any more."""
    return content(warehouse)


def files_of(folder: Path) -> dict[Path, bytes]:
    """Every file below, hidden ones included."""
    return {f.relative_to(folder): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_two_runs_at_once_the_second_is_refused_with_a_sentence(project: Project, stages: Runner) -> None:
    folders = project.settings.dossiers
    with open_warehouse(folders.entrepot, folders.travail):
        stages.start(project, "ingestion")
        code, said = stages.end()
    assert code == 1
    assert said.startswith(
        "Une autre exécution tient déjà l'entrepôt.\n  Où : nonrecours.duckdb\n  Que faire : "
    )
