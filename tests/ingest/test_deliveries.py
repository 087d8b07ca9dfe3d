"""Before any row is read: which extract is used, who is absent, which delivery is refused and why."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest.stage import run
from pipelines.refusals import ContractRefusal, KeyRefusal, MissingSourceRefusal, Refusal
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


def _corrupt(folder: Path, what: str) -> None:
    file = folder / "caf_foyers.parquet"
    changes: dict[str, object] = {}
    if what == "sans manifeste":
        (folder / "manifeste.json").unlink()
        return
    if what == "manifeste illisible":
        (folder / "manifeste.json").write_text('{"extrait_id": 3')
        return
    if what == "empreinte":
        pl.read_parquet(file).with_columns(rsa_du=pl.lit(1.0)).write_parquet(file)
        return
    if what == "fichier absent":
        file.unlink()
        return
    if what == "fichier en trop":
        (folder / "noms.csv").write_text("nom\n")
        return
    if what == "table absente":
        file.unlink()
    if what == "tronqué":
        file.write_bytes(file.read_bytes()[:200])
        good = sign_with_rows(folder, file.name)
        changes["fichiers"] = good
    else:
        changes |= {
            "autre partenaire": {"partenaire": "cpam"},
            "autre mois": {"mois": "2026-05"},
            "autre contrat": {"version_contrat": "0"},
            "nom de fichier": {"fichiers": {"../cle.parquet": {"lignes": 0, "sha256": "0" * 64}}},
            "table d'un autre": {"fichiers": {"dep_rsa.parquet": {"lignes": 0, "sha256": "0" * 64}}},
            "date": {"date": "hier"},
        }.get(what, {})
    if what == "tronqué":
        import json

        manifest = json.loads((folder / "manifeste.json").read_text())
        manifest["fichiers"] = changes["fichiers"]
        (folder / "manifeste.json").write_text(json.dumps(manifest))
        return
    sign(folder, **changes)


def sign_with_rows(folder: Path, damaged: str) -> dict[str, dict[str, object]]:
    """The declared files, the hash of the damaged one brought up to date."""
    import json

    from pipelines.files import sha256

    files: dict[str, dict[str, object]] = json.loads((folder / "manifeste.json").read_text())["fichiers"]
    files[damaged]["sha256"] = sha256(folder / damaged)
    return files


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("sans manifeste", "n'a pas de manifeste"),
        ("manifeste illisible", "illisible ou incomplet"),
        ("date", "illisible ou incomplet : date"),
        ("empreinte", "L'empreinte du fichier"),
        ("fichier absent", "déclaré par le manifeste, mais absent"),
        ("table absente", "Table absente de la livraison : caf_foyers"),
        ("fichier en trop", "ne déclare pas"),
        ("tronqué", "illisible ou tronqué"),
        ("autre partenaire", "autre partenaire"),
        ("autre mois", "autre mois"),
        ("autre contrat", "autre version du contrat"),
        ("nom de fichier", "fichier inconnu du contrat"),
        ("table d'un autre", "ne livre pas cette table"),
    ],
)
def test_a_faulty_delivery_is_refused_before_any_row_is_read(
    warehouse: Warehouse, tmp_path: Path, what: str, said: str
) -> None:
    three_partners(tmp_path / "depot", MOIS)
    _corrupt(tmp_path / "depot/caf" / MOIS, what)
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


@pytest.mark.parametrize("change", [{"controle_cle": "autre"}, {"millesime_cle": "2025"}])
def test_two_keys_or_two_epochs_in_one_run_are_refused(
    warehouse: Warehouse, tmp_path: Path, change: dict[str, str]
) -> None:
    three_partners(tmp_path / "depot", MOIS)
    sign(tmp_path / "depot/cpam" / MOIS, **change)
    assert "même clé" in refusal(warehouse, tmp_path, KeyRefusal).quoi


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
