"""The warehouse loses nothing, appears whole, and knows what it did."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.warehouse import Warehouse, open_warehouse

MORE_THAN_A_ROW_GROUP = 300_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_rows_added_to_an_empty_table_are_found_by_a_filter_in_the_same_transaction(folder: Path) -> None:
    rows = pl.DataFrame({"numero": range(MORE_THAN_A_ROW_GROUP)})
    with open_warehouse(folder / "e.duckdb", folder / "travail") as warehouse:
        with warehouse.transaction():
            warehouse.replace("recu", rows.clear())
            warehouse.append("recu", rows)
            found = warehouse.query("SELECT count(*) FROM recu WHERE numero >= 0").item()
            warehouse.connection.execute("CREATE TABLE tri AS SELECT * FROM recu WHERE numero >= 0")
        assert (found, warehouse.count("tri")) == (MORE_THAN_A_ROW_GROUP, MORE_THAN_A_ROW_GROUP)


def test_a_failed_stage_leaves_every_table_as_it_was(folder: Path) -> None:
    with open_warehouse(folder / "e.duckdb", folder / "travail") as warehouse:
        warehouse.replace("etat", pl.DataFrame({"version": [1]}))
        with pytest.raises(KeyError), warehouse.transaction():
            warehouse.replace("etat", pl.DataFrame({"version": [2]}))
            warehouse.replace("autre", pl.DataFrame({"version": [2]}))
            raise KeyError
        assert warehouse.read("etat")["version"].to_list() == [1]
        assert not warehouse.exists("autre")


def recorded(warehouse: Warehouse, mois: str, mark: str) -> None:
    warehouse.record("droits", mois, mark, datetime(2026, 7, 12), {"menages": 3})


def test_the_same_work_is_done_once(folder: Path) -> None:
    with open_warehouse(folder / "e.duckdb", folder / "travail") as warehouse:
        recorded(warehouse, "2026-06", "a")
        assert warehouse.done("droits", "2026-06", "a") == {"menages": 3}
        assert warehouse.done("droits", "2026-06", "b") is None
        assert warehouse.done("estimation", "2026-06", "a") is None


def test_another_month_run_since_makes_the_work_to_redo(folder: Path) -> None:
    with open_warehouse(folder / "e.duckdb", folder / "travail") as warehouse:
        recorded(warehouse, "2026-06", "a")
        recorded(warehouse, "2026-05", "b")
        assert warehouse.done("droits", "2026-06", "a") is None


def test_nothing_outside_can_be_read_or_reconfigured(folder: Path) -> None:
    (folder / "secret.csv").write_text("nom\nDUPONT\n")
    with open_warehouse(folder / "e.duckdb", folder / "travail") as warehouse:
        for forbidden in (f"SELECT * FROM '{folder}/secret.csv'", "SET enable_external_access = true"):
            with pytest.raises(Exception, match=r"disabled|locked"):
                warehouse.query(forbidden)


def test_a_second_writer_is_told_to_wait(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pipelines.warehouse import open_warehouse\n"
        "from pipelines.refusals import Refusal\n"
        "try:\n"
        "    with open_warehouse(Path(sys.argv[1]), Path(sys.argv[2])): pass\n"
        "except Refusal as refusal: print(refusal.quoi)\n"
    )
    with open_warehouse(folder / "e.duckdb", folder / "travail"):
        other = subprocess.run(
            [sys.executable, "-c", program, str(folder / "e.duckdb"), str(folder / "travail")],
            capture_output=True,
            text=True,
            check=True,
        )
    assert "tient déjà l'entrepôt" in other.stdout
