"""Another key, another epoch, another encoding: refused before any row, told who, which month, what to do."""

from pathlib import Path

import pytest

from pipelines.ingest.stage import run
from pipelines.refusals import KeyRefusal
from pipelines.warehouse import Warehouse
from tests.ingest.depot import assure, deliver, settings, sign, three_partners

AVRIL, MAI, JUIN = "2026-04", "2026-05", "2026-06"


def ingest(warehouse: Warehouse, root: Path, mois: str) -> dict[str, object]:
    with warehouse.transaction():
        return dict(run(warehouse, settings(root), mois))


def refused(warehouse: Warehouse, root: Path, mois: str = JUIN) -> KeyRefusal:
    """The refusal; nothing was read."""
    lines = warehouse.count("raw_caf__foyers") if warehouse.exists("raw_caf__foyers") else 0
    with pytest.raises(KeyRefusal) as caught:
        ingest(warehouse, root, mois)
    assert caught.value.code == 4
    assert (warehouse.count("raw_caf__foyers") if warehouse.exists("raw_caf__foyers") else 0) == lines
    return caught.value


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    for mois in (MAI, JUIN):
        three_partners(tmp_path / "depot", mois)
    return tmp_path / "depot"


@pytest.mark.parametrize(
    ("change", "said", "command"),
    [
        ({"controle_cle": "autre"}, "même clé que les autres", "--mois 2026-06"),
        ({"millesime_cle": "2025"}, "qui sont au millésime 2026", "--millesime 2026"),
        ({"millesime_cle": "2027"}, "qui sont au millésime 2026", "--millesime 2026"),
        ({"version_encodage": "0"}, "suit l'encodage 0", "--mois 2026-06"),
        ({"version_encodage": ""}, "(non dit)", "--mois 2026-06"),
    ],
)
def test_the_odd_one_out_is_named_with_its_month_and_the_command(
    warehouse: Warehouse, tmp_path: Path, depot: Path, change: dict[str, str], said: str, command: str
) -> None:
    sign(depot / "cpam" / JUIN, **change)
    refusal = refused(warehouse, tmp_path)
    assert said in refusal.quoi
    assert "cpam/2026-06" in refusal.ou and "caf" not in refusal.ou
    assert "--partenaire cpam" in refusal.que_faire and command in refusal.que_faire


def test_a_manifest_written_before_encodings_had_a_version_is_refused(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    path = depot / "cpam" / JUIN / "manifeste.json"
    path.write_text(path.read_text().replace('"version_encodage"', '"autre_chose"'))
    assert "(non dit)" in refused(warehouse, tmp_path).quoi


def test_a_key_unlike_those_already_received_is_refused_even_when_all_changed(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    ingest(warehouse, tmp_path, MAI)
    sign(depot / "caf" / JUIN, controle_cle="autre")
    for partner in ("cpam", "departement"):
        (depot / partner / JUIN).rename(tmp_path / partner)
    assert "caf/2026-06" in refused(warehouse, tmp_path).ou


def test_two_keys_without_a_majority_are_both_named(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    deliver(depot, "cellule", JUIN, controle_cle="autre")
    sign(depot / "cpam" / JUIN, controle_cle="autre")
    refusal = refused(warehouse, tmp_path)
    assert all(partner in refusal.ou for partner in ("caf", "cpam", "departement", "cellule"))


def test_an_epoch_never_goes_back(warehouse: Warehouse, tmp_path: Path, depot: Path) -> None:
    for partner in ("caf", "cpam", "departement"):
        sign(depot / partner / JUIN, millesime_cle="2025")
    ingest(warehouse, tmp_path, MAI)
    assert "revient en arrière" in refused(warehouse, tmp_path).quoi


def test_a_partner_late_across_the_rotation_is_admitted(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    for partner in ("caf", "departement"):
        sign(depot / partner / JUIN, millesime_cle="2027")
    (depot / "cpam" / JUIN).rename(tmp_path / "en_retard")
    assert ingest(warehouse, tmp_path, JUIN)["cpam.extrait"] == MAI


def test_a_late_partner_that_then_delivers_under_the_former_epoch_is_refused(
    warehouse: Warehouse, tmp_path: Path, depot: Path
) -> None:
    for partner in ("caf", "departement"):
        sign(depot / partner / JUIN, millesime_cle="2027")
    (depot / "cpam" / JUIN).rename(tmp_path / "en_retard")
    ingest(warehouse, tmp_path, JUIN)
    deliver(depot, "cpam", JUIN, {"cpam_assures": [assure("a1")]})
    refusal = refused(warehouse, tmp_path)
    assert "--partenaire cpam --mois 2026-06 --millesime 2027" in refusal.que_faire


def test_an_extract_ingested_under_an_earlier_encoding_stays_usable(
    warehouse: Warehouse, tmp_path: Path, depot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(warehouse, tmp_path, MAI)
    monkeypatch.setattr("pipelines.ingest.keys.ENCODING_VERSION", "suivante")
    for partner in ("caf", "departement"):
        sign(depot / partner / JUIN, version_encodage="suivante")
    (depot / "cpam" / JUIN).rename(tmp_path / "en_retard")
    assert ingest(warehouse, tmp_path, JUIN)["cpam.extrait"] == MAI
