"""Work shared among processes: results come in the order of the work, whatever the number of processes."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

from pipelines.refusals import Refusal

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Told, for a table, how many steps are done of how many."""

MOST = 4
"""Processes by default, cores allowing: each takes about 300 MiB."""

_THREADS = "POLARS_MAX_THREADS"


def in_silence(table: str, done: int, total: int) -> None:
    """The progress of who asked to see none."""


def default_processes() -> int:
    """Cores this process may use, up to ``MOST``."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(MOST, cores))


class Workers:
    """Processes started when there is something to share, and stopped on leaving the ``with`` block."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or default_processes()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The result of each item, in order, a few under way at a time. A lone item stays in this process.

        Raises what ``function`` raises, and :class:`Refusal` when a process was killed.
        """
        work = list(items)
        if self.processes == 1 or len(work) < 2:
            yield from map(function, work)
            return
        under_way: deque[Future[Result]] = deque()
        try:
            for item in work:
                under_way.append(self._submit(function, item))
                if len(under_way) > 2 * self.processes:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool:
            raise Refusal(
                "Un processus a été arrêté par le système, sans doute faute de mémoire : rien n'est écrit.",
                ou=f"{self.processes} processus",
                que_faire="Fermer d'autres programmes, ou relancer avec --processus 1.",
            ) from None

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Each process computes on one thread, which it learns from its environment when it starts."""
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, mp_context=spawn, initializer=_settle)
        asked = os.environ.get(_THREADS)
        os.environ[_THREADS] = "1"
        try:
            return self._pool.submit(function, item)
        finally:
            os.environ.pop(_THREADS) if asked is None else os.environ.update({_THREADS: asked})


def _settle() -> None:
    """An interruption is the parent's business; a process whose parent was killed ends by itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
