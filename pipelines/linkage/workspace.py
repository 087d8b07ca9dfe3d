"""Where identities are compared, in memory or in a folder of the run: nothing of it survives."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.linkage.engines import DuckDbEngine, Engine
from pipelines.linkage.spark import on_spark
from pipelines.warehouse import MEMORY_LIMIT, SPILL_LIMIT

_PREFIX = "appariement-"


@contextmanager
def comparison_room(travail: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection spilling into a folder of its own under ``travail``, removed at the end.

    Folders left by a killed run are removed first: the warehouse admits one writer, so no other run is alive.
    """
    _sweep(travail)
    with _folder_of_the_run(travail) as spill:
        connection = duckdb.connect(config=_limits(spill))
        connection.execute("SET enable_progress_bar = false")
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def engine_for(moteur: str, room: duckdb.DuckDBPyConnection, travail: Path) -> Iterator[Engine]:
    """The engine the settings choose, over the records of ``room``.

    Raises :class:`SettingsRefusal` when Spark is chosen and cannot start.
    """
    if moteur == "duckdb":
        yield DuckDbEngine(room)
        return
    with _folder_of_the_run(travail) as folder, on_spark(room, folder) as engine:
        yield engine


@contextmanager
def silent_splink() -> Iterator[None]:
    """Splink says nothing while the block runs: its messages are replaced by our own French lines."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _folder_of_the_run(travail: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=travail.resolve()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(travail: Path) -> None:
    travail.mkdir(parents=True, exist_ok=True)
    for leftover in travail.glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _limits(spill: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "temp_directory": str(spill),
        "max_temp_directory_size": SPILL_LIMIT,
        "memory_limit": MEMORY_LIMIT,
    }
