"""Before any row is read: which extract is used, who is absent, which delivery is refused and why."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.files import sha256
from pipelines.ingest.stage import run
from pipelines.refusals import ContractRefusal, MissingSourceRefusal, Refusal
from pipelines.warehouse import Warehouse
from tests.ingest.depot import assure, deliver, dossier, foyer, settings, sign, three_partners

MOIS = "2026-06"


def ingest(warehouse: Warehouse, root: Path, mois: str = MOIS, **options: bool) -> dict[str, object]:
    with warehouse.transaction():
        return dict(run(warehouse, settings(root), mois, **options))


def refusal(warehouse: Warehouse, root: Path, kind: type[Refusal], mois: str = MOIS) -> Refusal:
    with pytest.raises(kind) as caught:
        ingest(warehouse, root, mois)
    return caught.value


def messages(warehouse: Warehouse, gravite: str) -> str:
    rows = warehouse.query("SELECT message FROM meta__alertes WHERE gravite = $g", g=gravite)
    return "\n".join(rows["message"])


def test_the_extract_of_the_month_is_preferred_to_the_one_before(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    three_partners(tmp_path / "depot", "2026-05")
    three_partners(tmp_path / "depot", MOIS)
    counts = ingest(warehouse, tmp_path)
    assert [counts[f"{p}.extrait"] for p in ("caf", "cpam", "departement")] == [MOIS] * 3


def test_an_extract_of_the_month_before_is_used_and_said_late(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    (tmp_path / "depot/cpam" / MOIS).rename(tmp_path / "depot/cpam/loin")
    deliver(tmp_path / "depot", "cpam", "2026-05", {"cpam_assures": [assure("a1")]})
    assert ingest(warehouse, tmp_path)["cpam.extrait"] == "2026-05"
    assert "de la CPAM est celui de 2026-05 : il a 1 mois de retard" in messages(warehouse, "avertissement")


@pytest.mark.parametrize(
    ("partner", "meaning"),
    [("caf", "aucun taux"), ("cpam", "sous-estimé"), ("departement", "surestimé")],
)
def test_an_expected_partner_absent_is_refused_with_what_an_estimate_without_it_means(
    warehouse: Warehouse, tmp_path: Path, partner: str, meaning: str
) -> None:
    three_partners(tmp_path / "depot", MOIS)
    (tmp_path / "depot" / partner).rename(tmp_path / "parti")
    assert meaning in refusal(warehouse, tmp_path, MissingSourceRefusal).quoi


def test_an_extract_two_months_old_is_as_if_absent(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", "2026-04")
    assert "CAF" in refusal(warehouse, tmp_path, MissingSourceRefusal).quoi


def test_an_optional_partner_absent_is_said_and_accepted(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    ingest(warehouse, tmp_path)
    assert "hors régime agricole" in messages(warehouse, "information")
    assert warehouse.count("core__msa_foyers") == 0


def _without_manifest(folder: Path) -> None:
    (folder / "manifeste.json").unlink()


def _with_half_a_manifest(folder: Path) -> None:
    (folder / "manifeste.json").write_text('{"extrait_id": 3')


def _with_another_content(folder: Path) -> None:
    file = folder / "caf_foyers.parquet"
    pl.read_parquet(file).with_columns(rsa_du=pl.lit(1.0)).write_parquet(file)


def _without_a_declared_file(folder: Path) -> None:
    (folder / "caf_foyers.parquet").unlink()


def _without_a_table(folder: Path) -> None:
    (folder / "caf_foyers.parquet").unlink()
    sign(folder)


def _with_a_stray_file(folder: Path) -> None:
    (folder / "noms.txt").write_text("nom\n")


def _cut_before_signing(folder: Path) -> None:
    """The manifest is right about the bytes, and the bytes are no table."""
    file, manifest = folder / "caf_foyers.parquet", folder / "manifeste.json"
    declared = json.loads(manifest.read_text())
    file.write_bytes(file.read_bytes()[:200])
    declared["fichiers"][file.name]["sha256"] = sha256(file)
    manifest.write_text(json.dumps(declared))


def _saying(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        sign(folder, **changes)

    return change


def _declaring(name: str) -> Callable[[Path], None]:
    return _saying(fichiers={name: {"lignes": 0, "sha256": "0" * 64}})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_manifest, "n'a pas de manifeste"),
        (_with_half_a_manifest, "illisible ou incomplet"),
        (_saying(date="hier"), "illisible ou incomplet : date"),
        (_with_another_content, "L'empreinte du fichier"),
        (_without_a_declared_file, "déclaré par le manifeste, mais absent"),
        (_without_a_table, "Table absente de la livraison : caf_foyers"),
        (_with_a_stray_file, "ne déclare pas"),
        (_cut_before_signing, "illisible ou tronqué"),
        (_saying(partenaire="cpam"), "autre partenaire"),
        (_saying(mois="2026-05"), "autre mois"),
        (_saying(version_contrat="0"), "autre version du contrat"),
        (_declaring("../cle.parquet"), "fichier inconnu du contrat"),
        (_declaring("dep_rsa.parquet"), "ne livre pas cette table"),
    ],
)
def test_a_faulty_delivery_is_refused_before_any_row_is_read(
    warehouse: Warehouse, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    three_partners(tmp_path / "depot", MOIS)
    damage(tmp_path / "depot/caf" / MOIS)
    caught = refusal(warehouse, tmp_path, ContractRefusal)
    assert said in caught.quoi
    assert f"caf/{MOIS}" in caught.ou
    assert not warehouse.exists("raw_caf__foyers")


def test_a_row_count_that_differs_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    folder = tmp_path / "depot/caf" / MOIS
    manifest = (folder / "manifeste.json").read_text()
    (folder / "manifeste.json").write_text(manifest.replace('"lignes": 1', '"lignes": 2'))
    assert "nombre de lignes" in refusal(warehouse, tmp_path, ContractRefusal).quoi


def test_an_extract_already_used_for_another_month_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", "2026-05")
    ingest(warehouse, tmp_path, "2026-05")
    three_partners(tmp_path / "depot", MOIS)
    sign(tmp_path / "depot/caf" / MOIS, extrait_id="caf-2026-05")
    assert "déjà servi" in refusal(warehouse, tmp_path, ContractRefusal).quoi


def test_one_identifier_for_two_partners_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    sign(tmp_path / "depot/cpam" / MOIS, extrait_id=f"caf-{MOIS}")
    assert "déjà servi" in refusal(warehouse, tmp_path, ContractRefusal).quoi


def test_an_older_month_after_a_newer_one_needs_remplacer(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    ingest(warehouse, tmp_path)
    three_partners(tmp_path / "depot", "2026-05")
    assert "plus récent" in refusal(warehouse, tmp_path, ContractRefusal, "2026-05").quoi
    assert ingest(warehouse, tmp_path, "2026-05", remplacer=True)["caf.extrait"] == "2026-05"


def test_a_corrected_extract_of_the_month_replaces_the_first(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    ingest(warehouse, tmp_path)
    corrected = {"caf_foyers": [foyer("f1", MOIS, rsa_du=450.0)]}
    deliver(tmp_path / "depot", "caf", MOIS, corrected, extrait_id="caf-corrige")
    assert ingest(warehouse, tmp_path)["lignes_changees"] == 1
    assert warehouse.read("core__caf_foyers")["rsa_du"].to_list() == [450.0]
    assert "révisés" in messages(warehouse, "avertissement")


def test_a_replaced_extract_does_not_come_back(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    ingest(warehouse, tmp_path)
    folder = deliver(tmp_path / "depot", "caf", MOIS, {}, extrait_id="caf-corrige")
    ingest(warehouse, tmp_path)
    deliver(folder.parents[1], "caf", MOIS, {"caf_foyers": [foyer("f1", MOIS, rsa_du=500.0)]})
    assert "déjà servi" in refusal(warehouse, tmp_path, ContractRefusal).quoi


def test_identity_files_may_be_gone_once_the_extract_is_ingested(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    three_partners(tmp_path / "depot", MOIS)
    first = ingest(warehouse, tmp_path)
    for path in (tmp_path / "depot").rglob("*__identite.parquet"):
        path.unlink()
    assert ingest(warehouse, tmp_path) == first


def test_identity_files_must_be_there_the_first_time(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", MOIS)
    (tmp_path / "depot/caf" / MOIS / "caf_personnes__identite.parquet").unlink()
    assert "absent" in refusal(warehouse, tmp_path, ContractRefusal).quoi


def test_a_refusal_leaves_the_state_before_whole(warehouse: Warehouse, tmp_path: Path) -> None:
    three_partners(tmp_path / "depot", "2026-05")
    ingest(warehouse, tmp_path, "2026-05")
    deliver(tmp_path / "depot", "departement", MOIS, {"dep_rsa": [dossier("d2", MOIS)]}, partenaire="caf")
    before = warehouse.read("core__departement_rsa")
    refusal(warehouse, tmp_path, ContractRefusal)
    assert warehouse.read("core__departement_rsa").equals(before)
