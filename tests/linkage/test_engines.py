import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.linkage.model import BLOCKING, COMPARISONS, comparison
from pipelines.linkage.spark import in_spark, with_conditions
from pipelines.linkage.workspace import comparison_room, engine_for
from pipelines.refusals import SettingsRefusal
from pipelines.settings import Linkage


@pytest.mark.parametrize("moteur", ["duckdb", "spark"])
def test_the_settings_name_one_of_two_engines(moteur: str) -> None:
    assert Linkage.model_validate({"moteur": moteur}).moteur == moteur


def test_another_engine_is_refused() -> None:
    with pytest.raises(ValidationError):
        Linkage.model_validate({"moteur": "sqlite"})


def test_spark_without_pyspark_is_refused_saying_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with comparison_room(tmp_path) as room:
        room.execute("CREATE TABLE fiches AS SELECT 1 AS fiche")
        with pytest.raises(SettingsRefusal, match="Spark") as refusal, engine_for("spark", room, tmp_path):
            pass
    assert "requirements/spark.txt" in refusal.value.que_faire
    assert list(tmp_path.iterdir()) == []


def test_conditions_are_given_to_spark_and_given_back_as_they_were() -> None:
    settings = {
        "sql_dialect": "duckdb",
        "comparisons": [comparison(spec) for spec in COMPARISONS],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule.condition, "sql_dialect": "duckdb"} for rule in BLOCKING
        ],
    }
    given: dict[str, str] = {}

    def translated(condition: str) -> str:
        given[in_spark(condition)] = condition
        return in_spark(condition)

    there = with_conditions(settings, translated, "spark")
    assert with_conditions(there, given.__getitem__, "duckdb") == settings
    assert "::" not in str(there)


def test_a_killed_run_leaves_a_folder_that_the_next_one_sweeps(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with comparison_room(tmp_path):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


_KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.linkage.workspace import comparison_room
with comparison_room(Path(sys.argv[1])) as room:
    room.execute("SET memory_limit = '40MB'")
    room.execute("CREATE TABLE gros AS SELECT range AS n, random() AS x FROM range(5_000_000)")
    os.kill(os.getpid(), signal.SIGKILL)
"""
