"""What is kept, set aside and counted; the state known at a month."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.refusals import ContractRefusal
from pipelines.warehouse import Warehouse
from schemas import WAREHOUSE_TABLES, check_table
from tests.ingest.depot import assure, deliver, foyer, hexa, sign, three_partners
from tests.ingest.test_deliveries import ingest, messages

MAI, JUIN = "2026-05", "2026-06"


def amounts(warehouse: Warehouse) -> list[tuple[str, float | None]]:
    return warehouse.read("core__caf_foyers").sort("mois", "foyer_id").select("mois", "rsa_du").rows()


def two_months(root: Path, juin: list[dict[str, object]]) -> None:
    three_partners(root / "depot", MAI)
    deliver(
        root / "depot", "caf", MAI, {"caf_foyers": [foyer("f1", "2026-04"), foyer("f1", MAI, rsa_du=500.0)]}
    )
    three_partners(root / "depot", JUIN)
    deliver(root / "depot", "caf", JUIN, {"caf_foyers": juin})


def test_the_newest_extract_wins_for_each_month_it_carries(warehouse: Warehouse, tmp_path: Path) -> None:
    two_months(tmp_path, [foyer("f1", MAI, rsa_du=400.0), foyer("f1", JUIN, rsa_du=300.0)])
    ingest(warehouse, tmp_path, MAI)
    ingest(warehouse, tmp_path)
    assert amounts(warehouse) == [("2026-04", None), (MAI, 400.0), (JUIN, 300.0)]


def test_what_the_newest_extract_changed_is_counted_by_month(warehouse: Warehouse, tmp_path: Path) -> None:
    two_months(tmp_path, [foyer("f1", MAI, rsa_du=400.0), foyer("f2", MAI), foyer("f1", JUIN)])
    ingest(warehouse, tmp_path, MAI)
    assert warehouse.count("meta__corrections") == 0
    ingest(warehouse, tmp_path)
    assert warehouse.read("meta__corrections").rows() == [("caf_foyers", MAI, 2)]


def test_a_month_run_again_shows_the_state_known_then(warehouse: Warehouse, tmp_path: Path) -> None:
    two_months(tmp_path, [foyer("f1", MAI, rsa_du=400.0), foyer("f1", JUIN)])
    ingest(warehouse, tmp_path, MAI)
    ingest(warehouse, tmp_path)
    ingest(warehouse, tmp_path, MAI)
    assert amounts(warehouse) == [("2026-04", None), (MAI, 500.0)]


def test_the_same_month_run_twice_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    two_months(tmp_path, [foyer("f1", JUIN)])
    ingest(warehouse, tmp_path)
    tables = [name for name in WAREHOUSE_TABLES if warehouse.exists(name)]
    before = {name: warehouse.read(name) for name in tables}
    ingest(warehouse, tmp_path)
    assert all(warehouse.read(name).equals(frame) for name, frame in before.items())


def test_persons_come_from_the_newest_extract_alone(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MAI)
    ingest(warehouse, tmp_path, MAI)
    three_partners(tmp_path / "depot", JUIN)
    deliver(tmp_path / "depot", "cpam", JUIN, {"cpam_assures": [assure("a2")]})
    ingest(warehouse, tmp_path)
    assert warehouse.read("core__cpam_assures")["personne_id"].to_list() == [hexa("a2")]


def test_every_table_written_follows_its_declaration(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    ingest(warehouse, tmp_path)
    written = [name for name in WAREHOUSE_TABLES if warehouse.exists(name)]
    assert len(written) == 21 + 7
    for name in written:
        check_table(name, warehouse.read(name))


def test_rows_set_aside_are_counted_and_told_by_line_and_rule_only(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    three_partners(tmp_path / "depot", JUIN)
    rows = [foyer("f1", JUIN), foyer("f2", "2020-01"), foyer("f3", JUIN, rsa_etat="5", rsa_du=1.0)]
    deliver(tmp_path / "depot", "caf", JUIN, {"caf_foyers": rows})
    counts = ingest(warehouse, tmp_path)
    assert [counts[f"caf.caf_foyers.{n}"] for n in ("recues", "acceptees", "ecartees")] == [3, 1, 2]
    rejects = (tmp_path / "rejets/caf" / JUIN / "caf_foyers.csv").read_text()
    assert rejects == "ligne;regle\n2;fenetre:mois\n3;rsa_du_dossier_clos\n"
    by_rule = warehouse.read("meta__rejets").select("table_contrat", "regle", "lignes").sort("regle")
    assert by_rule.rows() == [("caf_foyers", "fenetre:mois", 1), ("caf_foyers", "rsa_du_dossier_clos", 1)]
    assert "2 lignes sur 3 mises de côté" in messages(warehouse, "grave")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop("rsa_du"), "Colonne absente : rsa_du"),
        (lambda frame: frame.with_columns(nom=pl.lit("x")), "Colonne inconnue du contrat : « nom »"),
        (lambda frame: frame.with_columns(rsa_du=pl.lit([1.0])), "illisible"),
    ],
)
def test_a_file_that_breaks_the_contract_is_refused_whole(
    warehouse: Warehouse, tmp_path: Path, change: object, said: str
) -> None:
    three_partners(tmp_path / "depot", JUIN)
    folder = tmp_path / "depot/caf" / JUIN
    path = folder / "caf_foyers.parquet"
    change(pl.read_parquet(path)).write_parquet(path)  # type: ignore[operator]
    sign(folder)
    with pytest.raises(ContractRefusal, match=said) as caught:
        ingest(warehouse, tmp_path)
    assert f"caf/{JUIN}/caf_foyers.parquet" in caught.value.ou


def test_an_empty_extract_is_a_grave_alert(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    deliver(tmp_path / "depot", "departement", JUIN)
    ingest(warehouse, tmp_path)
    assert f"L'extrait de {JUIN} est vide" in messages(warehouse, "grave")


def test_a_missing_month_is_an_alert_that_names_it(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    rows = [
        foyer("f1", f"{2024 + (6 + k) // 12}-{(6 + k) % 12 + 1:02d}") for k in range(24) if k not in (3, 7, 8)
    ]
    deliver(tmp_path / "depot", "caf", JUIN, {"caf_foyers": rows})
    ingest(warehouse, tmp_path)
    assert "Mois absents de caf_foyers : 2024-10, 2025-02 à 2025-03." in messages(warehouse, "avertissement")


def test_incomes_of_the_last_three_months_may_not_be_declared_yet(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    three_partners(tmp_path / "depot", JUIN)
    months = [f"{2024 + (6 + k) // 12}-{(6 + k) % 12 + 1:02d}" for k in range(21)]
    incomes = [{"personne_id": hexa("p1"), "mois": m, "natress": "001", "montant": 1.0} for m in months]
    deliver(tmp_path / "depot", "caf", JUIN, {"caf_ressources": incomes})
    ingest(warehouse, tmp_path)
    assert "caf_ressources" not in messages(warehouse, "avertissement")


def test_unknown_codes_are_kept_and_told_by_column(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    deliver(tmp_path / "depot", "caf", JUIN, {"caf_foyers": [foyer("f1", JUIN, sitfam="ZZZ")]})
    ingest(warehouse, tmp_path)
    assert warehouse.read("core__caf_foyers")["sitfam"].to_list() == ["ZZZ"]
    assert "1 code(s) hors nomenclature dans caf_foyers.sitfam" in messages(warehouse, "avertissement")


def test_rows_kept_back_by_the_partner_are_told_too(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", JUIN)
    balance = {"caf_foyers": {"lignes_recues": 100, "lignes_ecartees": 5, "autre": 1}}
    sign(tmp_path / "depot/caf" / JUIN, bilan=balance)
    ingest(warehouse, tmp_path)
    assert "caf_foyers : 5 lignes sur 100 mises de côté à la source" in messages(warehouse, "avertissement")
