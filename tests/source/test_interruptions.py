"""Killed at any moment, a delivery shows nothing half-made and the next one cleans up; one run at a time."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.files import locked, sha256
from pipelines.refusals import ContractRefusal, Refusal
from pipelines.source.bars import bars
from pipelines.source.workers import Workers
from schemas.reading import Layout, Slice, read_slice
from tests.source.conftest import MOIS, write_all
from tests.source.test_deliver import deliver, delivered
from tests.source.test_slices import caf_of

PROGRAM = """
import sys
from pathlib import Path
from pipelines.source import deliver, sorting
from schemas import reading

def told(*step):
    print(*step, flush=True)

def saying(name, function):
    def said(*arguments, **options):
        told(name)
        return function(*arguments, **options)
    return said

for name in ("_write_manifest", "_leave_at_partner"):
    setattr(deliver, name, saying(name, getattr(deliver, name)))
sorting.write_sorted = saying("write_sorted", sorting.write_sorted)
if __name__ == "__main__":
    reading.SLICE_BYTES = 6000
    root = Path(sys.argv[1])
    deliver.pseudonymise(root / "entree", root / "depot", cle=Path(sys.argv[2]), partenaire="caf",
                         mois="2026-06", correspondance=root / "chez-nous" / "caf.parquet", remplacer=True,
                         processus=int(sys.argv[3]), progress=told)
"""


@pytest.fixture
def project(tmp_path: Path, cle: Path) -> Path:
    """An extract already delivered once, then corrected."""
    entree = write_all(tmp_path / "entree", caf_of(120))
    deliver(entree, cle)
    write_all(entree, caf_of(121))
    (tmp_path / "programme.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def killed_at(project: Path, cle: Path, moment: str, processes: int = 1) -> None:
    """Kill the command when it tells this step; what it started is gone soon after."""
    command = [sys.executable, project / "programme.py", project, cle, str(processes)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as run:
        assert run.stdout is not None
        assert any(line.startswith(moment) for line in run.stdout)
        children = list(family(run.pid))
        run.send_signal(signal.SIGKILL)
    assert len(children) >= processes - 1 and all(is_gone(child) for child in children)


def family(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)


def is_gone(pid: int) -> bool:
    """A child process ends by itself, soon after its parent."""
    for _ in range(300):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def visible(project: Path) -> dict[str, str]:
    shown = [p for p in delivered(project / "entree").parent.iterdir() if not p.name.startswith(".")]
    assert [p.name for p in shown] in ([MOIS], [])
    return {p.name: sha256(p) for folder in shown for p in folder.iterdir()}


def hidden(project: Path) -> list[Path]:
    return [p for p in project.rglob(".*") if p.name.startswith((".partiel", ".verrou", ".remplace"))]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are followed in /proc")
def test_killed_at_any_moment_the_earlier_delivery_is_whole_and_the_next_run_cleans_up(
    project: Path, cle: Path
) -> None:
    before = visible(project)
    for moment in ("caf_personnes 2", "write_sorted", "_write_manifest", "_leave_at_partner"):
        killed_at(project, cle, moment)
        assert visible(project) == before
    assert hidden(project) != []
    deliver(project / "entree", cle, remplacer=True)
    assert visible(project).keys() == before.keys() and visible(project) != before
    assert hidden(project) == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are followed in /proc")
def test_processes_whose_parent_is_killed_end_by_themselves(project: Path, cle: Path) -> None:
    killed_at(project, cle, "caf_personnes 3", processes=2)


def test_a_process_killed_by_the_system_is_said_in_french() -> None:
    with Workers(2) as two, pytest.raises(Refusal, match="faute de mémoire"):
        list(two.map(os._exit, [1, 1]))


def test_a_refusal_met_in_a_process_arrives_as_itself(tmp_path: Path) -> None:
    missing = Slice(Layout(tmp_path / "x.parquet"), 0, 1, 1)
    with Workers(2) as two, pytest.raises(ContractRefusal, match="illisible") as refusal:
        list(two.map(read_slice, [missing, missing]))
    assert refusal.value.ou == "fichier x.parquet"


def test_a_second_run_of_the_same_month_is_refused_and_touches_nothing(project: Path, cle: Path) -> None:
    before = visible(project)
    with locked(delivered(project / "entree")), pytest.raises(Refusal, match="en cours"):
        deliver(project / "entree", cle, remplacer=True)
    assert visible(project) == before
    deliver(project / "entree", cle, remplacer=True)
    assert hidden(project) == []


def test_two_deliveries_do_not_share_one_correspondence(project: Path, cle: Path) -> None:
    with locked(project / "chez-nous" / "caf.parquet"), pytest.raises(Refusal, match="en cours"):
        deliver(project / "entree", cle, mois="2026-07")


def test_the_lock_of_a_killed_run_holds_nobody(project: Path, cle: Path) -> None:
    delivered(project / "entree").with_name(f".verrou-{MOIS}").touch()
    deliver(project / "entree", cle, remplacer=True)
    assert hidden(project) == []


def test_a_lock_removed_by_its_last_holder_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for _ in range(3):
        with locked(path), pytest.raises(BlockingIOError), locked(path):
            pass
    shutil.rmtree(tmp_path)
    with locked(path):
        assert path.with_name(".verrou-x").exists()


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, True), (False, False)])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(is_terminal: bool, shown: bool) -> None:
    screen = io.StringIO()
    with bars(Console(file=screen, force_terminal=is_terminal, width=80)) as told:
        told("cpam_assures", 3, 4)
    assert ("cpam_assures" in screen.getvalue(), "75%" in screen.getvalue()) == (shown, shown)
