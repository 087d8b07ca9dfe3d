import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.files import sha256
from pipelines.linkage import Extract, delete_identities, forget, run
from pipelines.refusals import MissingSourceRefusal
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse
from tests.linkage.people import MOIS, declare, settings_in

CERTIFICATE = "effacement_identites.json"
EXTRACTS = [Extract("caf-1", "caf", MOIS), Extract("cpam-1", "cpam", MOIS)]


def _depot(folder: Path) -> tuple[Settings, list[Path]]:
    settings = settings_in(folder)
    paths = [
        settings.dossiers.depot / "caf" / MOIS / "caf_personnes__identite.parquet",
        settings.dossiers.depot / "cpam" / MOIS / "cpam_assures__identite.parquet",
    ]
    for rows, path in enumerate(paths, start=2):
        path.parent.mkdir(parents=True)
        pl.DataFrame({"jeton_nir": ["a"] * rows}).write_parquet(path)
    (paths[0].parent / "caf_personnes.parquet").write_bytes(b"reste")
    return settings, paths


def test_identities_are_deleted_and_the_certificate_says_which(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    marks = [sha256(path) for path in paths]
    lines = json.loads(delete_identities(settings, EXTRACTS).read_text())["fichiers"]
    assert [(line["fichier"], line["sha256"], line["lignes"]) for line in lines] == [
        (f"caf/{MOIS}/caf_personnes__identite.parquet", marks[0], 2),
        (f"cpam/{MOIS}/cpam_assures__identite.parquet", marks[1], 3),
    ]
    assert not any(path.exists() for path in paths)
    assert (paths[0].parent / "caf_personnes.parquet").exists()


def test_deleting_twice_changes_nothing(tmp_path: Path) -> None:
    settings, _ = _depot(tmp_path)
    before = delete_identities(settings, EXTRACTS).read_bytes()
    assert delete_identities(settings, EXTRACTS).read_bytes() == before


def test_a_deletion_cut_in_the_middle_is_finished(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    second = paths[1].read_bytes()
    before = delete_identities(settings, EXTRACTS).read_bytes()
    paths[1].write_bytes(second)
    assert delete_identities(settings, EXTRACTS).read_bytes() == before
    assert not paths[1].exists()


def test_identities_are_kept_when_the_settings_say_so(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    keep = settings.appariement.model_copy(update={"supprimer_identites": False})
    delete_identities(settings.model_copy(update={"appariement": keep}), EXTRACTS)
    assert all(path.exists() for path in paths)


def test_forgetting_deletes_older_extracts_of_the_same_partner_too(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    older = settings.dossiers.depot / "caf" / "2026-05" / paths[0].name
    newer = settings.dossiers.depot / "caf" / "2026-07" / paths[0].name
    for path in (older, newer):
        path.parent.mkdir()
        pl.DataFrame({"jeton_nir": ["b"]}).write_parquet(path)
    (older.parent / "manifeste.json").write_text('{"extrait_id": "ancien"}')
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf"])
        forget(warehouse, settings)
    assert not older.exists() and newer.exists()
    lines = json.loads((settings.dossiers.sorties / "appariement" / CERTIFICATE).read_text())["fichiers"]
    assert [(line["extrait_id"], line["fichier"][:11]) for line in lines] == [
        ("ancien", "caf/2026-05"),
        (f"caf-{MOIS}", "caf/2026-06"),
    ]


def test_a_file_deleted_earlier_is_asked_for_again(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    delete_identities(settings, EXTRACTS)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf"])
        with pytest.raises(MissingSourceRefusal, match="a été effacé le") as refusal:
            run(warehouse, settings, MOIS)
    assert f"--partenaire caf --mois {MOIS} --remplacer" in str(refusal.value)
    assert paths[0].name in str(refusal.value)


def test_forgetting_deletes_the_used_extracts_only(tmp_path: Path) -> None:
    settings, paths = _depot(tmp_path)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        declare(warehouse, ["caf"])
        assert forget(warehouse, settings)["identites_effacees"] == 1
    assert not paths[0].exists() and paths[1].exists()
