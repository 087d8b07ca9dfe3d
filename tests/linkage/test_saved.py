from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.linkage.saved import SCHEMA, jumps, levels, previous, save, versions
from pipelines.linkage.training import Model
from pipelines.warehouse import Warehouse, open_warehouse
from schemas import check_table

REGLAGES = {
    "probability_two_random_records_match": 1e-5,
    "comparisons": [
        {
            "output_column_name": "nom",
            "comparison_levels": [
                {"is_null_level": True},
                {"label_for_charts": "égal", "m_probability": 0.8, "u_probability": 0.1},
                {"label_for_charts": "autre", "m_probability": 0.2, "u_probability": 0.9},
            ],
        }
    ],
}
PAIRS = pl.DataFrame(
    {
        "motif": ["prenom_nom:0 nom:1", "nom:1", "nom:0", "nom:1", "nom:."],
        "probabilite": [0.99, 0.99, 0.99, 0.5, 0.99],
        "source_g": ["caf"] * 5,
        "source_d": ["cpam"] * 5,
    }
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "e.duckdb", tmp_path / "travail") as opened:
        yield opened


def _month(
    mois: str, poids: float = 3.0, paires: int = 1000, prior: float = 1e-5, **other: object
) -> pl.DataFrame:
    splink, comparisons = versions()
    row = {
        "mois": mois, "comparaison": "commune", "accord": "même commune", "degre": 2, "m": 0.8, "u": 0.1,
        "poids": poids, "est_appris": True, "paires": paires, "prior": prior,
        "version_splink": splink, "version_comparaisons": comparisons,
    }  # fmt: skip
    return pl.DataFrame([row | other], schema=SCHEMA)


def test_a_level_is_kept_with_its_probabilities_and_the_links_made_at_it(warehouse: Warehouse) -> None:
    rows = levels(Model(REGLAGES, non_observes={("nom", "autre")}), PAIRS, 0.95, "2026-06")
    assert rows.select("accord", "degre", "m", "u", "poids", "est_appris", "paires").rows() == [
        ("égal", 1, 0.8, 0.1, 3.0, True, 2),
        ("autre", 0, 0.2, 0.9, -2.169925001, False, 1),
    ]
    save(warehouse, rows, "2026-06")
    check_table("meta__modeles", warehouse.read("meta__modeles"))


def test_a_month_run_again_replaces_its_model_and_is_held_against_the_month_before(
    warehouse: Warehouse,
) -> None:
    for mois, poids in (("2026-04", 1.0), ("2026-05", 2.0), ("2026-06", 3.0), ("2026-06", 4.0)):
        save(warehouse, _month(mois, poids), mois)
    former, told = previous(warehouse, "2026-06")
    assert former is not None and former.select("mois", "poids").rows() == [("2026-05", 2.0)]
    assert told == []
    assert warehouse.query("SELECT poids FROM meta__modeles WHERE mois = '2026-06'")["poids"].to_list() == [
        4.0
    ]


@pytest.mark.parametrize("change", [{"version_splink": "4.0"}, {"version_comparaisons": "0" * 16}])
def test_a_model_of_other_questions_or_software_is_not_used_and_it_is_said(
    warehouse: Warehouse, change: dict[str, str]
) -> None:
    save(warehouse, _month("2026-05", **change), "2026-05")
    former, told = previous(warehouse, "2026-06")
    assert former is None
    assert "2026-05" in told[0].message and "ni repris ni comparé" in told[0].message


def test_the_first_month_has_nothing_before_it(warehouse: Warehouse) -> None:
    assert previous(warehouse, "2026-06") == (None, [])
    save(warehouse, _month("2026-07"), "2026-07")
    assert previous(warehouse, "2026-06") == (None, [])


def test_a_weight_that_jumps_is_told_with_what_not_to_read() -> None:
    told = jumps(_month("2026-05", 5.1), _month("2026-06", 2.4))
    assert [alert.gravite for alert in told] == ["avertissement"]
    assert "« même commune » pèse 2,4 bits, contre 5,1 en 2026-05" in told[0].message
    assert "évolution du taux" in told[0].message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_month("2026-05", 5.1), _month("2026-06", 3.2)),
        (_month("2026-05", 5.1, paires=49), _month("2026-06", 2.4)),
        (_month("2026-05", 5.1), _month("2026-06", 2.4, est_appris=False)),
    ],
    ids=["small", "few links", "not learned"],
)
def test_a_small_move_or_one_made_by_chance_is_not_told(before: pl.DataFrame, after: pl.DataFrame) -> None:
    assert jumps(before, after) == []


def test_a_source_that_gains_or_loses_people_moves_the_prior() -> None:
    told = jumps(_month("2026-05", prior=1e-5), _month("2026-06", prior=2.5e-5))
    assert "multipliée par 2,5 depuis 2026-05" in told[0].message
