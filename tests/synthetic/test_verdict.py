"""Links and rates held against the truth: small tables in, the expected verdict out."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import Refusal
from pipelines.synthetic.verdict import judge_linkage, judge_rates
from pipelines.warehouse import Warehouse, open_warehouse


@pytest.fixture
def warehouse(tmp_path: Path):
    with open_warehouse(tmp_path / "w.duckdb", tmp_path / "spill") as opened:
        yield opened


def truth_of(folder: Path, rows: list[tuple[str, str, int]]) -> Path:
    (folder / "verite").mkdir()
    frame = pl.DataFrame(rows, schema=["partenaire", "id", "personne"], orient="row")
    frame.with_columns(table=pl.lit("t")).write_parquet(folder / "verite" / "enregistrements.parquet")
    return folder / "verite"


def correspondence(folder: Path, source: str, ids: list[str]) -> None:
    (folder / "retour").mkdir(exist_ok=True)
    pl.DataFrame(
        {"nature": "personne", "identifiant": ids, "identifiant_livre": [f"{source}-{one}" for one in ids]}
    ).write_parquet(folder / "retour" / f"{source}.parquet")


def test_links_are_counted_in_pairs_of_records(warehouse: Warehouse, tmp_path: Path) -> None:
    #  caf   cpam   truth           found
    #  C1    P1     same person 1   linked          right
    #  C2    P2     same person 2   not linked      missed
    #  C3    P4     persons 3, 4    linked          false
    verite = truth_of(
        tmp_path,
        [
            *[("caf", "C1", 1), ("caf", "C2", 2), ("caf", "C3", 3)],
            *[("cpam", "P1", 1), ("cpam", "P2", 2), ("cpam", "P4", 4)],
        ],
    )
    correspondence(tmp_path, "caf", ["C1", "C2", "C3"])
    correspondence(tmp_path, "cpam", ["P1", "P2", "P4"])
    found = [("caf", "caf-C1", 1), ("cpam", "cpam-P1", 1), ("caf", "caf-C2", 2), ("cpam", "cpam-P2", 3)]
    found += [("caf", "caf-C3", 4), ("cpam", "cpam-P4", 4)]
    warehouse.replace(
        "core__personnes_liees",
        pl.DataFrame(found, schema=["source", "personne_id", "personne_uid"], orient="row"),
    )
    verdict = judge_linkage(warehouse, verite, tmp_path / "retour")
    assert verdict.rows() == [("caf", "cpam", 0.5, 0.5, 0.5, 1, 1, 1)]


def test_a_person_delivered_by_one_source_only_is_not_a_missed_link(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    verite = truth_of(tmp_path, [("caf", "C1", 1), ("caf", "C2", 2), ("cpam", "P1", 1), ("cpam", "P2", 2)])
    correspondence(tmp_path, "caf", ["C1", "C2"])
    correspondence(tmp_path, "cpam", ["P1"])
    found = [("caf", "caf-C1", 1), ("cpam", "cpam-P1", 1), ("caf", "caf-C2", 2)]
    warehouse.replace(
        "core__personnes_liees",
        pl.DataFrame(found, schema=["source", "personne_id", "personne_uid"], orient="row"),
    )
    assert judge_linkage(warehouse, verite, tmp_path)["manques"].to_list() == [0]


def test_without_correspondence_nothing_is_judged(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="correspondance"):
        judge_linkage(warehouse, truth_of(tmp_path, [("caf", "C1", 1)]), tmp_path / "verite")


def test_a_rate_is_covered_when_the_truth_lies_in_the_interval(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "verite").mkdir()
    pl.DataFrame(
        [
            ("2026-06", "rsa", 0.30, 100, True),
            ("2026-06", "ppa", 0.40, 200, True),
            ("2026-06", "rsa", 0.50, 120, False),
            ("2026-05", "rsa", 0.90, 1, True),
        ],
        schema=["mois", "droit", "taux", "eligibles", "est_hors_agricole"],
        orient="row",
    ).write_parquet(tmp_path / "verite" / "taux.parquet")
    rows = [
        ("rsa", "observe", 0.20, None, None, 60.0),
        ("rsa", "naif", 0.38, None, None, 120.0),
        ("rsa", "corrige", 0.31, 0.27, 0.35, 101.0),
        ("ppa", "corrige", 0.33, 0.30, 0.36, 190.0),
    ]
    columns = ["droit", "methode", "taux", "taux_bas", "taux_haut", "eligibles"]
    published = pl.DataFrame(rows, schema=columns, orient="row")
    warehouse.replace("out__taux", published.with_columns(niveau=pl.lit("EPCI"), groupe=pl.lit("ensemble")))
    verdict = judge_rates(warehouse, tmp_path / "verite", "2026-06")
    assert verdict.select("droit", "taux_vrai", "taux_corrige", "est_couvert", "ecart_points").rows() == [
        ("ppa", 0.40, 0.33, False, -7.0),
        ("rsa", 0.30, 0.31, True, 1.0),
    ]
