"""Deleting the identity files once persons are linked, and the certificate that says so."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import sha256, whole_file
from pipelines.linkage.renewal import was_carried_over
from pipelines.linkage.sources import Extract, certificate_path, deleted_files, used_extracts
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse


def forget(warehouse: Warehouse, settings: Settings) -> dict[str, int | str]:
    """Delete the identity files of the used extracts and of older ones of the same partners; return counts.

    An older extract in the dépôt was linked in its time, or never will be. Nothing is deleted when the
    settings keep identities, or while the last links were carried over: what came since waits to be linked.
    """
    if not settings.appariement.supprimer_identites or was_carried_over(warehouse):
        return {"identites_effacees": 0}
    extracts = [known for used in used_extracts(warehouse) for known in _up_to(settings, used)]
    before = sum(len(_identity_files(settings, extract)) for extract in extracts)
    certificate = delete_identities(settings, extracts)
    return {"identites_effacees": before, "certificat": certificate.name}


def delete_identities(settings: Settings, extraits: list[Extract]) -> Path:
    """Delete the identity files of ``extraits`` and return the certificate: files, sha256, rows, date.

    The certificate grows: its line is on disk before the file is deleted, so a run killed in between is
    resumed and nothing is deleted unsaid. Deleting again changes nothing. Does nothing to the files when
    ``appariement.supprimer_identites`` is off.
    """
    path = certificate_path(settings)
    lines = deleted_files(path)
    if settings.appariement.supprimer_identites:
        found = [(extract, file) for extract in extraits for file in _identity_files(settings, extract)]
        lines = _declared(lines, found)
    if lines != deleted_files(path) or not path.is_file():
        _write(path, lines)
    if settings.appariement.supprimer_identites:
        for _, file in found:
            file.unlink(missing_ok=True)
    return path


def _up_to(settings: Settings, used: Extract) -> list[Extract]:
    """The extracts of the partner in the dépôt up to the used one, oldest first."""
    folders = (settings.dossiers.depot / used.partenaire).glob("????-??")
    older = sorted(folder for folder in folders if folder.is_dir() and folder.name < used.mois)
    return [*(Extract(_extract_id(folder), used.partenaire, folder.name) for folder in older), used]


def _extract_id(folder: Path) -> str:
    """The id the manifest gives, or nothing when there is no readable one."""
    try:
        return str(json.loads((folder / "manifeste.json").read_text(encoding="utf-8"))["extrait_id"])
    except (OSError, ValueError, KeyError):
        return ""


def _identity_files(settings: Settings, extract: Extract) -> list[Path]:
    return sorted(extract.folder(settings.dossiers.depot).glob("*__identite.parquet"))


def _declared(lines: list[dict[str, Any]], found: list[tuple[Extract, Path]]) -> list[dict[str, Any]]:
    known = {(line["fichier"], line["sha256"]) for line in lines}
    fresh = [_line(extract, file) for extract, file in found]
    return lines + [line for line in fresh if (line["fichier"], line["sha256"]) not in known]


def _line(extract: Extract, file: Path) -> dict[str, Any]:
    return {
        "extrait_id": extract.extrait_id,
        "fichier": f"{extract.partenaire}/{extract.mois}/{file.name}",
        "sha256": sha256(file),
        "lignes": pl.scan_parquet(file).select(pl.len()).collect().item(),
        "efface_le": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    content = {"objet": "Effacement des fichiers d'identité après appariement", "fichiers": lines}
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
