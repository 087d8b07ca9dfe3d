"""Several deliveries wait in the dépôt: the older ones give history, in order, and never stop the month."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.measures import measures
from pipelines.warehouse import Warehouse
from tests.ingest.depot import deliver, foyer, sign, three_partners
from tests.ingest.test_deliveries import ingest, messages

AVRIL, MAI, JUIN = MONTHS = ("2026-04", "2026-05", "2026-06")


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    """Three deliveries; 60 households from April on, ten of which have another amount in each delivery."""
    for rank, mois in enumerate(MONTHS):
        three_partners(tmp_path / "depot", mois)
        deliver(tmp_path / "depot", "caf", mois, {"caf_foyers": households(rank)})
    return tmp_path / "depot"


def households(rank: int) -> list[dict[str, object]]:
    amounts = {i: 500.0 + (rank if i < 10 else 0) for i in range(60)}
    return [foyer(f"f{i}", m, rsa_du=amount) for i, amount in amounts.items() for m in MONTHS[: rank + 1]]


def extracts(warehouse: Warehouse) -> list[tuple[str, bool]]:
    rows = warehouse.read("meta__extraits").filter(partenaire="caf").sort("rang")
    return rows.select("mois", "est_utilise").rows()


def test_every_delivery_up_to_the_month_is_loaded_in_order_and_the_newest_used(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    counts = ingest(warehouse, tmp_path)
    assert extracts(warehouse) == [(AVRIL, False), (MAI, False), (JUIN, True)]
    assert (counts["caf.extrait"], counts["extraits_anterieurs"]) == (JUIN, 6)


def test_a_later_delivery_waits_for_its_month(warehouse: Warehouse, tmp_path: Path, depot: Path) -> None:
    ingest(warehouse, tmp_path, MAI)
    assert extracts(warehouse) == [(AVRIL, False), (MAI, True)]


def test_deliveries_at_once_or_month_by_month_give_the_same_tables(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    from pipelines.warehouse import open_warehouse

    ingest(warehouse, tmp_path)
    with open_warehouse(tmp_path / "autre.duckdb", tmp_path / "travail2") as monthly:
        for mois in MONTHS:
            ingest(monthly, tmp_path, mois)
        for table in ("core__caf_foyers", "meta__corrections", "core__departement_rsa"):
            assert warehouse.read(table).equals(monthly.read(table))


def test_corrections_and_quality_are_held_against_the_delivery_before(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    ingest(warehouse, tmp_path)
    changed = warehouse.read("meta__corrections").filter(table_contrat="caf_foyers")
    assert changed.select("mois", "lignes_changees").rows() == [(AVRIL, 10), (MAI, 10)]
    volumes = measures(warehouse)["volumes"].filter(table_contrat="caf_foyers")
    assert volumes.select("lignes", "lignes_avant").rows() == [(180.0, 120.0)]


def test_identity_files_of_an_older_delivery_may_be_gone(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    for path in depot.glob(f"*/{AVRIL}/*__identite.parquet"):
        path.unlink()
    ingest(warehouse, tmp_path)
    assert extracts(warehouse)[0] == (AVRIL, False)


def test_an_older_delivery_that_breaks_the_contract_is_left_out_whole_and_told(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    last_table = depot / "caf" / AVRIL / "caf_ressources.parquet"
    pl.read_parquet(last_table).drop("montant").write_parquet(last_table)
    sign(last_table.parent)
    ingest(warehouse, tmp_path)
    assert extracts(warehouse) == [(MAI, False), (JUIN, True)]
    assert set(warehouse.read("raw_caf__foyers")["extrait_mois"]) == {MAI, JUIN}
    assert "2026-04 manque à l'historique : Colonne absente : montant" in messages(warehouse, "avertissement")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"controle_cle": "autre"}, "même clé"),
        ({"extrait_id": f"caf-{JUIN}"}, "déjà servi"),
        ({"mois": MAI}, "autre mois"),
    ],
)
def test_an_older_delivery_refused_at_the_door_is_left_out_and_told(
    warehouse: Warehouse, tmp_path: Path, depot: Path, change: dict[str, str], said: str
) -> None:
    sign(depot / "caf" / AVRIL, **change)
    ingest(warehouse, tmp_path)
    assert extracts(warehouse) == [(MAI, False), (JUIN, True)]
    assert said in messages(warehouse, "avertissement")


def test_an_older_epoch_of_the_key_is_history_like_another(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    sign(depot / "caf" / AVRIL, version_encodage="0", millesime_cle="2025")
    ingest(warehouse, tmp_path)
    assert extracts(warehouse)[0] == (AVRIL, False)


def test_an_older_month_that_comes_after_a_newer_one_is_left_out_unless_it_replaces(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    late = depot / "caf" / AVRIL
    late.rename(tmp_path / "en_retard")
    ingest(warehouse, tmp_path)
    (tmp_path / "en_retard").rename(late)
    ingest(warehouse, tmp_path)
    assert extracts(warehouse) == [(MAI, False), (JUIN, True)]
    assert "plus récent de ce partenaire est déjà ingéré" in messages(warehouse, "avertissement")
    sign(late, remplace=True)
    ingest(warehouse, tmp_path)
    assert (AVRIL, False) in extracts(warehouse)
    assert "manque à l'historique" not in messages(warehouse, "avertissement")


def test_a_month_delivered_again_to_replace_is_computed_again_and_said_revised(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    ingest(warehouse, tmp_path)
    corrected = {"caf_foyers": [row | {"rsa_du": 300.0} for row in households(1)]}
    deliver(depot, "caf", MAI, corrected, extrait_id="caf-2026-05-corrige", remplace=True)
    ingest(warehouse, tmp_path, MAI)
    amounts = warehouse.read("core__caf_foyers").group_by("mois").agg(pl.col("rsa_du").unique())
    assert sorted(amounts.rows()) == [(AVRIL, [300.0]), (MAI, [300.0])]
    assert "2026-05 remplace celui qui avait été ingéré" in messages(warehouse, "avertissement")
    ingest(warehouse, tmp_path)
    newest = warehouse.read("core__caf_foyers").filter(mois=JUIN)["rsa_du"].unique()
    assert sorted(newest) == [500.0, 502.0]
