"""The in-memory DuckDB in which identities are compared: nothing of it survives the run."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.warehouse import MEMORY_LIMIT, SPILL_LIMIT

_PREFIX = "appariement-"


@contextmanager
def comparison_room(travail: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection spilling into a folder of its own under ``travail``, removed at the end.

    Folders left by a killed run are removed first: the warehouse admits one writer, so no other run is alive.
    """
    _sweep(travail)
    spill = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=travail))
    connection = duckdb.connect(config=_limits(spill))
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


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
