"""The manifest of a delivery: who delivers which month, with which key, in which files."""

import datetime
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.refusals import ContractRefusal
from schemas import TABLES

MANIFEST = "manifeste.json"
IDENTITY_SUFFIX = "__identite.parquet"

_FILE_NAME = re.compile(r"^[a-z0-9_]+\.parquet$")


class DeliveredFile(BaseModel):
    """Rows and SHA-256 of one delivered file."""

    model_config = ConfigDict(extra="ignore")

    lignes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class TableBalance(BaseModel):
    """What the partner's own check counted for one table, before delivery."""

    model_config = ConfigDict(extra="ignore")

    lignes_recues: int = 0
    lignes_ecartees: int = 0


class Manifest(BaseModel):
    """What ``manifeste.json`` says (data contract, section "Delivery")."""

    model_config = ConfigDict(extra="ignore")

    extrait_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    partenaire: str
    mois: str
    version_contrat: str
    version_outil: str
    millesime_cle: str
    version_encodage: str = ""
    controle_cle: str
    fichiers: dict[str, DeliveredFile]
    date: str
    bilan: dict[str, TableBalance] = Field(default_factory=dict)
    remplace: bool = False

    @property
    def day(self) -> datetime.date:
        """Day of the delivery."""
        return datetime.date.fromisoformat(self.date[:10])

    @property
    def empreinte(self) -> str:
        """SHA-256 of what identifies the delivery: delivered again unchanged, it is the same one."""
        essence = self.model_dump_json(
            include={"extrait_id", "partenaire", "mois", "millesime_cle", "controle_cle", "fichiers"}
        )
        return hashlib.sha256(essence.encode()).hexdigest()


@dataclass(frozen=True)
class Delivery:
    """One folder of the dépôt and its manifest."""

    partenaire: str
    mois: str
    folder: Path
    manifest: Manifest

    @property
    def where(self) -> str:
        """The folder as the dépôt names it."""
        return f"dépôt, {self.partenaire}/{self.mois}"

    def file_of(self, table: str) -> Path | None:
        """Path of a delivered table, None when the manifest does not list it."""
        name = f"{table}.parquet"
        return self.folder / name if name in self.manifest.fichiers else None


def read_delivery(folder: Path) -> Delivery:
    """The delivery of a folder ``<dépôt>/<partenaire>/<AAAA-MM>``.

    Raises :class:`ContractRefusal` when the manifest is absent or unreadable, or names files it may not.
    """
    partner, mois = folder.parent.name, folder.name
    where = f"dépôt, {partner}/{mois}/{MANIFEST}"
    path = folder / MANIFEST
    if not path.is_file():
        raise ContractRefusal(
            "Cette livraison n'a pas de manifeste : elle est incomplète.",
            ou=where,
            que_faire="Attendre la fin du dépôt, ou demander au partenaire de livrer de nouveau.",
        )
    manifest = _parsed(path, where)
    _refuse_file_names(manifest, where)
    return Delivery(partner, mois, folder, manifest)


def _parsed(path: Path, where: str) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
        _ = manifest.day
    except ValidationError as error:
        keys = ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
        detail = f" : {keys}" if keys else ""
        raise _unreadable(where, detail) from None
    except ValueError:
        raise _unreadable(where, " : date") from None
    return manifest


def _unreadable(where: str, detail: str) -> ContractRefusal:
    return ContractRefusal(
        f"Le manifeste est illisible ou incomplet{detail}.",
        ou=where,
        que_faire="Demander au partenaire de livrer de nouveau avec « nonrecours pseudonymiser ».",
    )


def _refuse_file_names(manifest: Manifest, where: str) -> None:
    known = {f"{table}.parquet" for table in TABLES} | {f"{table}{IDENTITY_SUFFIX}" for table in TABLES}
    foreign = [name for name in manifest.fichiers if name not in known]
    if foreign:
        named = [name for name in foreign if _FILE_NAME.match(name)]
        raise ContractRefusal(
            f"Le manifeste nomme un fichier inconnu du contrat : {', '.join(named) or 'nom illisible'}.",
            ou=where,
            que_faire="Demander au partenaire de livrer de nouveau, sans ce fichier.",
        )
