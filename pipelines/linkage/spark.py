"""The same linkage on Spark, through Splink's Spark backend: for more records than one machine compares."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import sqlglot
from splink import Linker
from splink.internals.exceptions import SplinkException

from pipelines.linkage.engines import Engine, Rows
from pipelines.refusals import SettingsRefusal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ELSE = "ELSE"
_DRIVER_MEMORY = "4g"


class SparkEngine(Engine):
    """The records as a Spark view; conditions are translated on the way in, and given back as they were."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        self._given: dict[str, str] = {}

    def rows(self, sql: str) -> Rows:
        """See :class:`Engine`."""
        return [tuple(row) for row in self._asked(sql).collect()]

    def frame(self, sql: str) -> pl.DataFrame:
        """See :class:`Engine`."""
        return pl.DataFrame(pl.from_arrow(self._asked(sql).toArrow()))

    def columns(self) -> list[str]:
        """See :class:`Engine`."""
        return list(self._session.table("fiches").columns)

    def linker_of(self, sources: list[str], settings: dict[str, Any], use: str) -> Linker:
        """See :class:`Engine`."""
        records, api, tables = self._session.table("fiches"), self._api(), []
        for name in sources:
            view = f"fiches_{name}"
            records.filter(records["source"] == name).drop("source").createOrReplaceTempView(view)
            tables.append(api.register(view, dataset_display_name=name, table_name=f"{use}_{name}"))
        return Linker(tables, self._translated(settings), log_level=None, validate_settings=False)

    def linker_over_all(self, settings: dict[str, Any]) -> Linker:
        """See :class:`Engine`."""
        records = self._api().register("fiches")
        return Linker(records, self._translated(settings), log_level=None, validate_settings=False)

    def learned(self, linker: Linker) -> dict[str, Any]:
        """See :class:`Engine`."""
        return with_conditions(linker.misc.save_model_to_json(), self._given.__getitem__, "duckdb")

    def _asked(self, sql: str) -> "DataFrame":
        try:
            return self._session.sql(in_spark(sql))
        except Exception as error:
            raise SplinkException(f"Spark : {type(error).__name__}") from None

    def _api(self) -> Any:
        from splink.backends.spark import SparkAPI

        return SparkAPI(spark_session=self._session, register_udfs_automatically=False)  # type: ignore[no-untyped-call]

    def _translated(self, settings: dict[str, Any]) -> dict[str, Any]:
        return with_conditions(settings, self._remembered, "spark")

    def _remembered(self, condition: str) -> str:
        translated = in_spark(condition)
        self._given[translated] = condition
        return translated


@contextmanager
def on_spark(room: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[SparkEngine]:
    """An engine over the records of ``room``, which leave it for ``folder``.

    ``folder`` must be seen by every machine of the cluster, and is for the caller to remove. The cluster is
    the one of Spark's own settings (``SPARK_CONF_DIR``), else this machine.
    Raises :class:`SettingsRefusal` when pyspark or Java is missing.
    """
    records = folder / "fiches"
    room.execute(f"COPY fiches TO '{records}' (FORMAT parquet, PER_THREAD_OUTPUT)")
    session = _session(folder)
    try:
        session.read.parquet(records.as_uri()).createOrReplaceTempView("fiches")
        yield SparkEngine(session)
    finally:
        session.stop()


def _session(folder: Path) -> "SparkSession":
    try:
        from pyspark import SparkConf
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError:
        raise SettingsRefusal(
            "Le moteur Spark n'est pas installé.",
            ou="appariement.moteur",
            que_faire="Lancer « pip install --require-hashes -r requirements/spark.txt », ou choisir le "
            "moteur « duckdb ».",
        ) from None
    with suppress(PySparkRuntimeError):
        return _configured(SparkSession.builder, SparkConf().get("spark.master", None), folder)
    raise SettingsRefusal(
        "Spark ne démarre pas sur cette machine.",
        ou="appariement.moteur",
        que_faire="Installer Java 17 (commande « java » ou JAVA_HOME), ou choisir le moteur « duckdb ».",
    )


def _configured(builder: Any, master: str | None, folder: Path) -> "SparkSession":
    chosen = {
        "spark.app.name": "nonrecours",
        "spark.master": master or "local[*]",
        "spark.driver.memory": _DRIVER_MEMORY,
        "spark.driver.maxResultSize": "0",
        "spark.local.dir": str(folder / "echanges"),
        "spark.sql.warehouse.dir": str(folder / "entrepot"),
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
    }
    for key, value in chosen.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setCheckpointDir(str(folder / "points"))
    return session


def in_spark(sql: str) -> str:
    """A query or a condition written for DuckDB, as Spark reads it."""
    return sql if sql == _ELSE else sqlglot.transpile(sql, read="duckdb", write="spark")[0]


def with_conditions(settings: dict[str, Any], renamed: Callable[[str], str], dialect: str) -> dict[str, Any]:
    """Splink's settings with every condition renamed, and said to be of a dialect."""
    changed = deepcopy(settings) | {"sql_dialect": dialect}
    for rule in changed["blocking_rules_to_generate_predictions"]:
        rule |= {"blocking_rule": renamed(rule["blocking_rule"]), "sql_dialect": dialect}
    for one in changed["comparisons"]:
        for level in one["comparison_levels"]:
            level["sql_condition"] = renamed(level["sql_condition"])
    return changed
