"""Where pairs are compared: DuckDB in memory, or Spark. The rest of the linkage does not know which.

Queries and conditions are written once, for DuckDB; Spark's are translated by sqlglot, as Splink's own are.
"""

from abc import ABC, abstractmethod
from typing import Any

import duckdb
import polars as pl
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

Rows = list[tuple[Any, ...]]
_ELSE = "ELSE"


class Engine(ABC):
    """Table ``fiches`` and what is asked of it."""

    @abstractmethod
    def rows(self, sql: str) -> Rows:
        """The rows of a query."""

    @abstractmethod
    def frame(self, sql: str) -> pl.DataFrame:
        """The rows of a query as a polars frame."""

    @abstractmethod
    def columns(self) -> list[str]:
        """The columns of ``fiches``."""

    @abstractmethod
    def linker_of(self, sources: list[str], settings: dict[str, Any], use: str) -> Linker:
        """A Splink linker over the records of each source; ``use`` keeps its tables apart from others'."""

    @abstractmethod
    def linker_over_all(self, settings: dict[str, Any]) -> Linker:
        """A Splink linker over all the records as one table."""

    @abstractmethod
    def learned(self, linker: Linker) -> dict[str, Any]:
        """The settings of a linker with what it learned, conditions as they were given."""

    def forget(self, linker: Linker) -> None:
        """Drop what a linker computed: memory is for the records."""
        linker.table_management.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]


class DuckDbEngine(Engine):
    """The records where they were read: the in-memory DuckDB of the run."""

    def __init__(self, room: duckdb.DuckDBPyConnection) -> None:
        self._room = room

    def rows(self, sql: str) -> Rows:
        """See :class:`Engine`."""
        return self._room.sql(sql).fetchall()

    def frame(self, sql: str) -> pl.DataFrame:
        """See :class:`Engine`."""
        frame: pl.DataFrame = self._room.sql(sql).pl()
        return frame

    def columns(self) -> list[str]:
        """See :class:`Engine`."""
        return [name for (name,) in self.rows("SELECT column_name FROM (DESCRIBE fiches)")]

    def linker_of(self, sources: list[str], settings: dict[str, Any], use: str) -> Linker:
        """See :class:`Engine`."""
        api, tables = DuckDBAPI(self._room), []
        for name in sources:
            self._room.execute(
                f"CREATE OR REPLACE VIEW fiches_{name} AS SELECT * EXCLUDE (source) FROM fiches "  # noqa: S608
                f"WHERE source = '{name}'"
            )
            table = api.register(f"fiches_{name}", dataset_display_name=name, table_name=f"{use}_{name}")
            tables.append(table)
        return Linker(tables, settings, log_level=None, validate_settings=False)

    def linker_over_all(self, settings: dict[str, Any]) -> Linker:
        """See :class:`Engine`."""
        records = DuckDBAPI(self._room).register("fiches")
        return Linker(records, settings, log_level=None, validate_settings=False)

    def learned(self, linker: Linker) -> dict[str, Any]:
        """See :class:`Engine`."""
        settings: dict[str, Any] = linker.misc.save_model_to_json()
        return settings
