"""The one DuckDB file of the analyst: SQL files, stage transactions, the ledger of executions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.refusals import Refusal

SPILL_LIMIT = "20GiB"
MEMORY_LIMIT = "4GiB"

_LEDGER = """
CREATE TABLE IF NOT EXISTS meta__executions (
    etape VARCHAR, mois VARCHAR, empreinte VARCHAR, commencee_le TIMESTAMP, finie_le TIMESTAMP, bilan JSON
)
"""


class Warehouse:
    """An open warehouse. Use :func:`open_warehouse`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All tables written in the block appear together, or none does."""
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    def build(self, name: str, **parameters: Any) -> int:
        """Run ``sql/<layer>/<table>.sql`` (``name`` is ``layer/table``); return the rows of the table.

        The statements of a file receive exactly the ``$parameters`` they name.
        """
        for statement in self.connection.extract_statements(sql_text(name)):
            wanted = {key: parameters[key] for key in statement.named_parameters}
            self.connection.execute(statement, wanted)
        return self.count(name.split("/")[1])

    def query(self, sql: str, **parameters: Any) -> pl.DataFrame:
        """The rows of a query as a polars frame."""
        frame: pl.DataFrame = self.connection.sql(sql, params=parameters).pl()
        return frame

    def query_file(self, name: str, **parameters: Any) -> pl.DataFrame:
        """The rows of ``sql/<layer>/<name>.sql``, a single SELECT."""
        return self.query(sql_text(name), **parameters)

    def read(self, table: str) -> pl.DataFrame:
        """A whole table."""
        return self.query("SELECT * FROM query_table($name)", name=table)

    def replace(self, table: str, frame: pl.DataFrame) -> int:
        """Create or replace ``table`` with the rows of ``frame``; return their number."""
        self.connection.register("_frame", frame.to_arrow())
        self.connection.execute(self._creation(table, frame))
        self.connection.unregister("_frame")
        return frame.height

    def _creation(self, table: str, frame: pl.DataFrame) -> str:
        """An empty table is declared, not selected: DuckDB 2.0.0 keeps the statistics of an empty CREATE AS,
        and a filter in the same transaction then finds none of the rows inserted since.
        """
        if not frame.is_empty():
            return f'CREATE OR REPLACE TABLE "{table}" AS SELECT * FROM _frame'  # noqa: S608
        described = self.connection.execute("DESCRIBE _frame").fetchall()
        columns = ", ".join(f'"{name}" {kind}' for name, kind, *_ in described)
        return f'CREATE OR REPLACE TABLE "{table}" ({columns})'

    def append(self, table: str, frame: pl.DataFrame) -> int:
        """Add the rows of ``frame`` to ``table``, created when absent; return their number."""
        if not self.exists(table):
            return self.replace(table, frame)
        self.connection.register("_frame", frame.to_arrow())
        self.connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM _frame')  # noqa: S608
        self.connection.unregister("_frame")
        return frame.height

    def ensure(self, table: str, frame: pl.DataFrame) -> None:
        """Create ``table`` as ``frame`` when the warehouse has none."""
        if not self.exists(table):
            self.replace(table, frame)

    def exists(self, table: str) -> bool:
        """True when the warehouse holds this table."""
        found = self.query("SELECT 1 FROM duckdb_tables() WHERE table_name = $name", name=table)
        return not found.is_empty()

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        return int(self.query("SELECT count(*) FROM query_table($name)", name=table).item())

    def done(self, etape: str, mois: str, empreinte: str) -> dict[str, Any] | None:
        """The counts of the last execution of a stage, when it was this month with this fingerprint.

        The tables hold the state of one month: running an earlier month since then makes this one to redo.
        """
        last = self.query(
            "SELECT mois, empreinte, bilan FROM meta__executions WHERE etape = $etape "
            "ORDER BY finie_le DESC LIMIT 1",
            etape=etape,
        )
        if last.is_empty() or (last["mois"][0], last["empreinte"][0]) != (mois, empreinte):
            return None
        counts: dict[str, Any] = json.loads(last["bilan"][0])
        return counts

    def record(
        self, etape: str, mois: str, empreinte: str, commencee_le: datetime, bilan: dict[str, Any]
    ) -> None:
        """Write one line of the ledger, inside the stage's transaction."""
        self.connection.execute(
            "INSERT INTO meta__executions VALUES ($etape, $mois, $empreinte, $debut, $fin, $bilan)",
            {
                "etape": etape,
                "mois": mois,
                "empreinte": empreinte,
                "debut": commencee_le,
                "fin": datetime.now(UTC).replace(tzinfo=None),
                "bilan": json.dumps(bilan, ensure_ascii=False, default=float),
            },
        )


@contextmanager
def open_warehouse(path: Path, spill: Path) -> Iterator[Warehouse]:
    """Open the warehouse for one writer, closed to the outside, spilling under ``spill`` only.

    Raises :class:`Refusal` when another run holds the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(spill),
        "max_temp_directory_size": SPILL_LIMIT,
        "memory_limit": MEMORY_LIMIT,
    }
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.IOException:
        raise Refusal(
            "Une autre exécution tient déjà l'entrepôt.",
            ou=path.name,
            que_faire="Attendre qu'elle finisse (« nonrecours etat »), puis relancer.",
        ) from None
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(_LEDGER)
    try:
        yield Warehouse(connection)
    finally:
        connection.close()


def sql_text(name: str) -> str:
    """Text of ``sql/<layer>/<name>.sql``."""
    return resources.files("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
