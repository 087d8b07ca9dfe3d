"""A partner late across a change of key epoch keeps its links; no opposition and no doubt is lost."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.linkage.rotation import AMBIGUOUS, OPPOSED, PAIRS, PERSONS, QUALITY, generations, rejoin
from pipelines.warehouse import Warehouse, open_warehouse

PERSON = {"personne_uid": pl.Int64, "source": pl.String, "personne_id": pl.String, "poids": pl.Float64}
PAIR = dict.fromkeys(("source_g", "source_d", "personne_id_g", "personne_id_d"), pl.String)
DOUBT = {"consentement_id": pl.String, "n_candidats": pl.Int64, "ecart_poids": pl.Float64}
REFUSED = dict.fromkeys(("source", "personne_id", "objet"), pl.String)
Rows = list[tuple[object, ...]]


def tables(persons: Rows, pairs: Rows = (), doubts: Rows = (), opposed: Rows = ()) -> dict[str, pl.DataFrame]:  # type: ignore[assignment]
    made = {
        PERSONS: (PERSON, persons),
        PAIRS: (PAIR, pairs),
        AMBIGUOUS: (DOUBT, doubts),
        OPPOSED: (REFUSED, opposed),
    }
    frames = {
        name: pl.DataFrame(list(rows), schema=schema, orient="row") for name, (schema, rows) in made.items()
    }
    return frames | {
        QUALITY: pl.DataFrame(
            [("a", g, d) for g, d, *_ in pairs], schema=["mesure", "source_g", "source_d"], orient="row"
        )
    }


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path / "e.duckdb", tmp_path / "travail") as opened:
        yield opened


def rejoined(
    warehouse: Warehouse, fresh: dict[str, pl.DataFrame], former: dict[str, pl.DataFrame]
) -> list[set[str]]:
    """The persons after the late CPAM is back, each as its set of ids."""
    for name, frame in fresh.items():
        warehouse.replace(name, frame)
    rejoin(warehouse, former, ["cpam"])
    groups = warehouse.read(PERSONS).group_by("personne_uid").agg("personne_id")
    return sorted((set(ids) for ids in groups["personne_id"]), key=sorted)


def test_a_late_record_follows_the_companions_it_had(warehouse: Warehouse) -> None:
    former = tables(
        [
            (1, "caf", "c1", None),
            (1, "cpam", "a1", 9.0),
            (2, "cpam", "a2", None),
            (2, "departement", "d2", 5.0),
        ]
    )
    fresh = tables(
        [
            (7, "caf", "c1", None),
            (7, "departement", "d9", 8.0),
            (8, "departement", "d2", None),
            (9, "caf", "c5", None),
        ]
    )
    assert rejoined(warehouse, fresh, former) == [{"a1", "c1", "d9"}, {"a2", "d2"}, {"c5"}]


def test_a_late_record_without_companion_is_a_person_of_its_own(warehouse: Warehouse) -> None:
    former = tables([(1, "caf", "c1", None), (1, "cpam", "a1", 9.0), (2, "cpam", "a2", None)])
    fresh = tables([(1, "caf", "c3", None), (2, "departement", "d1", None)])
    assert rejoined(warehouse, fresh, former) == [{"a1"}, {"a2"}, {"c3"}, {"d1"}]


def test_one_person_takes_one_record_of_the_late_source_the_heaviest(warehouse: Warehouse) -> None:
    """The others now hold for one person what were two."""
    former = tables(
        [
            (1, "caf", "c1", None),
            (1, "cpam", "a1", 9.0),
            (2, "departement", "d2", None),
            (2, "cpam", "a2", 12.0),
        ]
    )
    fresh = tables([(1, "caf", "c1", None), (1, "departement", "d2", 8.0)])
    assert rejoined(warehouse, fresh, former) == [{"a1"}, {"a2", "c1", "d2"}]


def test_a_consent_that_was_ambiguous_stays_linked_to_nobody(warehouse: Warehouse) -> None:
    former = tables(
        [(1, "caf", "c1", None), (2, "cpam", "a2", None), (3, "cellule", "k", None)], doubts=[("k", 2, 1.0)]
    )
    fresh = tables([(1, "caf", "c1", None), (1, "cellule", "k", 20.0)])
    assert rejoined(warehouse, fresh, former) == [{"a2"}, {"c1"}, {"k"}]
    assert warehouse.read(AMBIGUOUS)["consentement_id"].to_list() == ["k"]


def test_an_opposition_reaches_the_late_record_of_its_person(warehouse: Warehouse) -> None:
    former = tables([(1, "caf", "c1", None), (1, "cpam", "a1", 9.0)], opposed=[("cpam", "a8", "CONTACT")])
    fresh = tables([(1, "caf", "c1", None)], opposed=[("caf", "c1", "TRAITEMENT")])
    rejoined(warehouse, fresh, former)
    assert set(warehouse.read(OPPOSED).rows()) == {
        ("caf", "c1", "TRAITEMENT"), ("cpam", "a1", "TRAITEMENT"), ("cpam", "a8", "CONTACT"),
    }  # fmt: skip


def test_pairs_and_quality_of_the_late_source_are_those_it_had(warehouse: Warehouse) -> None:
    former = tables(
        [(1, "caf", "c1", None)], pairs=[("caf", "cpam", "c1", "a1"), ("caf", "departement", "c1", "d1")]
    )
    fresh = tables([(1, "caf", "c1", None)], pairs=[("caf", "departement", "c1", "d2")])
    rejoined(warehouse, fresh, former)
    assert warehouse.read(PAIRS).rows() == [("caf", "departement", "c1", "d2"), ("caf", "cpam", "c1", "a1")]
    assert warehouse.read(QUALITY).select("source_d").to_series().to_list() == ["departement", "cpam"]


def declared(warehouse: Warehouse, *rows: tuple[str, str, str, bool]) -> None:
    frame = pl.DataFrame(rows, schema=["partenaire", "mois", "millesime_cle", "est_utilise"], orient="row")
    warehouse.replace(
        "meta__extraits",
        frame.with_columns(
            extrait_id=pl.concat_str("partenaire", "mois"),
            version_encodage=pl.lit("1"),
            est_remplace=pl.lit(False),
        ),
    )


def test_who_is_late_and_what_all_last_had_in_common(warehouse: Warehouse) -> None:
    declared(
        warehouse,
        ("caf", "2026-04", "2026", False),
        ("caf", "2026-05", "2026", False),
        ("caf", "2026-06", "2027", True),
        ("cpam", "2026-04", "2026", False),
        ("cpam", "2026-05", "2026", True),
    )
    found = generations(warehouse)
    assert [(e.partenaire, e.mois) for e in found.actuels] == [("caf", "2026-06")]
    assert [(e.partenaire, e.mois) for e in found.attardes] == [("cpam", "2026-05")]
    assert [(e.partenaire, e.mois) for e in found.communs] == [("caf", "2026-05"), ("cpam", "2026-05")]
    assert found.sources == ["cpam"]
    assert "cpam (2026-05)" in found.alert.message and "2026, 2027" in found.alert.message


def test_without_a_month_in_common_nothing_is(warehouse: Warehouse) -> None:
    declared(warehouse, ("caf", "2026-06", "2027", True), ("cpam", "2026-05", "2026", True))
    assert generations(warehouse).communs == []


def test_in_one_epoch_nobody_is_late(warehouse: Warehouse) -> None:
    declared(warehouse, ("caf", "2026-06", "2026", True), ("cpam", "2026-05", "2026", True))
    found = generations(warehouse)
    assert (len(found.actuels), found.attardes, found.communs) == (2, [], [])
