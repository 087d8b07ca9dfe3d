"""The flow as a user runs it: it ends, does nothing twice, survives being killed, runs alone."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from pipelines.flows import STAGES
from pipelines.warehouse import open_warehouse
from tests.chaine.conftest import Executed, Project
from tests.conftest import MONTH, Chain

FOUND = ("core__personnes_liees", "core__droits", "core__situations", "out__taux", "out__effectifs")

SUM = 'SELECT count(*), sum(hash(t)) FROM (SELECT {} FROM "{}") AS t'
ROUNDED = {"core__personnes_liees": "* REPLACE (round(poids, 9) AS poids)"}

FORKING = """
import os, sys
from pathlib import Path
from pipelines import flows
from pipelines.refusals import Refusal
from pipelines.settings import load
mois, reglages = sys.argv[1:]
marks = flows.fingerprints(load(Path(reglages)), mois)
for name in ("ingestion", "appariement", "rapport"):
    flows.stage(name)
print("prêt", flush=True)

def stage(name):
    try:
        flows.run_stage.fn(name, mois, marks[name], reglages, False)
    except Refusal as refusal:
        print(refusal, flush=True)
        return refusal.code
    return 0

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os._exit(stage(line.strip()))
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print("fin", os.waitstatus_to_exitcode(status), flush=True)
"""


class Runner:
    """Runs one stage after the other, each in a process of its own that a test may kill."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, stage: str) -> int:
        """Process id of a stage that has begun."""
        assert self.process.stdin is not None
        self.process.stdin.write(stage + "\n")
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


@contextmanager
def runner(project: Project) -> Iterator[Runner]:
    command = [sys.executable, "-c", FORKING, MONTH, str(project.toml)]
    with subprocess.Popen(
        command, env=project.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
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
    assert content(executed.project.settings.dossiers.entrepot)["meta__executions"][0] == len(STAGES)


def test_the_command_finds_what_the_stages_called_one_by_one_find(chain: Chain, executed: Executed) -> None:
    mine, theirs = (content(p.settings.dossiers.entrepot) for p in (executed.project, chain))
    assert {name: mine[name] for name in FOUND} == {name: theirs[name] for name in FOUND}


def test_nothing_temporary_stays(executed: Executed) -> None:
    files = [p for p in executed.project.root.rglob("*") if p.is_file()]
    assert not [p for p in files if p.name.startswith(".") or "travail" in p.parts]


def test_killed_anywhere_a_stage_leaves_the_state_before_and_a_restart_converges(
    chain: Chain, project: Project
) -> None:
    entrepot, draw, done = project.settings.dossiers.entrepot, random.Random(11), 0
    with runner(project) as stages:
        for name, longest, kills in (("ingestion", 2.5, 5), ("appariement", 4.0, 2)):
            for _ in range(kills):
                before = content(entrepot)
                child = stages.start(name)
                time.sleep(draw.uniform(0.05, longest))
                os.kill(child, signal.SIGKILL)
                done += stages.end()[0] == 0
                ledger = content(entrepot).get("meta__executions", (0, 0))[0]
                if ledger == before.get("meta__executions", (0, 0))[0]:
                    assert content(entrepot) == before
            stages.start(name)
            assert stages.end()[0] == 0
    for file in project.settings.dossiers.rejets.rglob("*.csv"):
        assert file.name.startswith(".") or pl.read_csv(file, separator=";").columns == ["ligne", "regle"]
    mine, theirs = content(entrepot), content(chain.settings.dossiers.entrepot)
    built = [n for n in mine if n.startswith("raw_") or n in ("core__caf_foyers", "core__personnes_liees")]
    assert len(built) > 10
    assert {name: mine[name] for name in built} == {name: theirs[name] for name in built}
    assert done < 7


def test_two_runs_at_once_the_second_is_refused_with_a_sentence(project: Project) -> None:
    folders = project.settings.dossiers
    with runner(project) as stages, open_warehouse(folders.entrepot, folders.travail):
        stages.start("ingestion")
        code, said = stages.end()
    assert code == 1
    assert said.startswith(
        "Une autre exécution tient déjà l'entrepôt.\n  Où : nonrecours.duckdb\n  Que faire : "
    )
