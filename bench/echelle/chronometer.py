"""Time, memory of the whole process and spill on disk, phase by phase (Linux)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

_TICK_SECONDS = 0.1
_RESET_PEAK = "5"
"""What written in clear_refs makes the kernel count the peak memory again (proc(5))."""


@dataclass(frozen=True)
class Phase:
    """``memoire_mio``: peak memory of the process. ``debordement_mio``: most seen in the spill folder."""

    nom: str
    secondes: float
    memoire_mio: int
    debordement_mio: int


@dataclass
class Chronometer:
    """The phases of one process spilling under ``travail``. A phase may hold others."""

    travail: Path
    phases: list[Phase] = field(default_factory=list)
    _peaks: list[int] = field(default_factory=list)

    @contextmanager
    def phase(self, nom: str) -> Iterator[None]:
        """Measure the block under a name."""
        self._note_peak()
        self._peaks.append(0)
        started = time.monotonic()
        with _watched(self.travail) as spilled:
            yield
        seconds = round(time.monotonic() - started, 2)
        self._note_peak()
        self.phases.append(Phase(nom, seconds, self._peaks.pop(), spilled[0] >> 20))

    def _note_peak(self) -> None:
        """Give the peak of memory to every open phase, then have the kernel count it again."""
        peak = _peak_mib()
        self._peaks = [max(former, peak) for former in self._peaks]
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")

    @contextmanager
    def around(self, module: ModuleType, functions: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Measure each call of these functions of ``module`` under a name; yield what they returned."""
        returned: dict[str, Any] = {}
        with ExitStack() as patches:
            for function, nom in functions.items():
                measured = self._measured(getattr(module, function), nom, returned)
                patches.enter_context(patch.object(module, function, measured))
            yield returned

    def _measured(
        self, function: Callable[..., Any], nom: str, returned: dict[str, Any]
    ) -> Callable[..., Any]:
        @wraps(function)
        def measured(*arguments: Any, **named: Any) -> Any:
            with self.phase(nom):
                found = function(*arguments, **named)
            returned[nom] = found
            return found

        return measured


def _peak_mib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """The most bytes seen under ``folder`` while the block runs, in a list of one."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(_TICK_SECONDS):
            most[0] = max(most[0], size_of(folder))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def size_of(folder: Path) -> int:
    """Bytes of the files under a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
