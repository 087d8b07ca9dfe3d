"""A delivery against its own history, on aggregates only."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest import quality
from pipelines.ingest.measures import measures
from pipelines.ingest.quality import LIMITS, alerts_of, refuse_collapse
from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse, open_warehouse
from tests.ingest.depot import deliver, foyer, hexa, settings, three_partners
from tests.ingest.test_deliveries import ingest

MAI, JUIN = "2026-05", "2026-06"


def months_of(root: Path, mois: str, households: int, **values: object) -> None:
    three_partners(root / "depot", mois)
    months = ("2026-04", MAI, JUIN)[: 2 if mois == MAI else 3]
    rows = [foyer(f"f{i}", m, **values) for i in range(households) for m in months]
    deliver(root / "depot", "caf", mois, {"caf_foyers": rows})


@pytest.fixture(scope="module")
def two_extracts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("deux_extraits")
    with open_warehouse(root / "entrepot.duckdb", root / "travail") as warehouse:
        months_of(root, MAI, 60, rsa_du=500.0, sitfam="CEL")
        ingest(warehouse, root, MAI)
        months_of(root, JUIN, 54, sitfam="ZZZ")
        ingest(warehouse, root)
        yield warehouse


def of_caf(rows: pl.DataFrame, **where: str) -> dict[str, object]:
    return rows.filter(table_contrat="caf_foyers", **where).row(0, named=True)


def test_volumes_are_set_beside_the_extract_before(two_extracts: Warehouse) -> None:
    rows = measures(two_extracts)
    total, month = of_caf(rows["volumes"]), of_caf(rows["volumes_mois"], mois=MAI)
    assert (total["lignes"], total["lignes_avant"]) == (162.0, 120.0)
    assert (month["lignes"], month["lignes_avant"], month["rapport_mois"]) == (54.0, 60.0, 1.0)


def test_empty_cells_and_unknown_codes_are_shares(two_extracts: Warehouse) -> None:
    rows = measures(two_extracts)
    empty = of_caf(rows["vides"], colonne="rsa_du")
    assert (empty["part"], empty["part_avant"], empty["ecart"]) == (1.0, 0.0, 1.0)
    assert of_caf(rows["codes"], colonne="sitfam")["part"] == 1.0


def test_a_ratio_on_few_rows_says_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    months_of(tmp_path, MAI, 49)
    ingest(warehouse, tmp_path, MAI)
    months_of(tmp_path, JUIN, 3)
    ingest(warehouse, tmp_path)
    assert of_caf(measures(warehouse)["volumes_mois"], mois=MAI)["rapport"] is None


def test_no_measure_carries_an_identifier(two_extracts: Warehouse) -> None:
    text = "".join(str(frame.to_dicts()) for frame in measures(two_extracts).values())
    assert hexa("f0") not in text


def test_the_gravest_limit_speaks_alone_for_a_row(two_extracts: Warehouse) -> None:
    alerts = alerts_of(measures(two_extracts), list(LIMITS))
    told = [a for a in alerts if "rsa_du" in a.message]
    assert [(a.gravite, a.message) for a in told] == [
        ("grave", "caf_foyers.rsa_du : 100% de cellules vides, contre 0% auparavant.")
    ]


def test_a_table_that_collapses_is_refused() -> None:
    rows = pl.DataFrame({"table_contrat": ["caf_foyers", "dep_rsa"], "rapport": [0.05, 1.0]})
    with pytest.raises(ContractRefusal, match="neuf lignes sur dix") as refusal:
        refuse_collapse(rows)
    assert refusal.value.ou == "caf_foyers"


def test_failures_become_alerts_and_internal_pages(two_extracts: Warehouse, tmp_path: Path) -> None:
    with two_extracts.transaction():
        counts = quality(two_extracts, settings(tmp_path), JUIN)
    told = two_extracts.query("SELECT message FROM meta__alertes WHERE etape = 'qualite'")[
        "message"
    ].to_list()
    assert f"caf_foyers, {MAI} : 54 lignes, contre 60 dans l'extrait précédent." in told
    assert counts["alertes"] == len(told)
    pages = list((tmp_path / "sorties/qualite" / JUIN).rglob("*.html"))
    assert len(pages) > 3
    assert not any(hexa("f0") in page.read_text(encoding="utf-8") for page in pages)


def test_a_first_extract_has_no_history_to_break(warehouse: Warehouse, tmp_path: Path) -> None:
    months_of(tmp_path, JUIN, 60)
    ingest(warehouse, tmp_path)
    rows = measures(warehouse)
    assert alerts_of(rows, list(LIMITS)) == []
