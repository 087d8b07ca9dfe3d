"""Small deliveries, made by hand: a few rows per table, the rest of the contract empty."""

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import sha256
from pipelines.settings import Folders, Partners, Settings
from schemas import CONTRACT_VERSION, ENCODING_VERSION, TABLES, tables_of
from schemas.fields import kind_of

Row = dict[str, Any]


def hexa(name: str) -> str:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def settings(root: Path, **partenaires: Any) -> Settings:
    folders = Folders(depot=root / "depot", rejets=root / "rejets", sorties=root / "sorties")
    return Settings(dossiers=folders, partenaires=Partners(**partenaires))


def frame(table: str, rows: list[Row], variant: str = "delivered") -> pl.DataFrame:
    columns = TABLES[table].columns_of(variant)  # type: ignore[arg-type]
    schema = {c: kind_of(c).dtype for c in columns}
    return pl.DataFrame({c: [row.get(c) for row in rows] for c in columns}, schema=schema, strict=False)


def deliver(
    depot: Path, partner: str, mois: str, tables: dict[str, list[Row]] | None = None, **manifest: Any
) -> Path:
    """Write ``<depot>/<partner>/<mois>/``: given rows, empty mandatory tables, identity files, manifest."""
    folder = depot / partner / mois
    folder.mkdir(parents=True, exist_ok=True)
    rows = {t.name: [] for t in tables_of(partner) if not t.est_optionnelle} | (tables or {})
    for name, content in rows.items():
        frame(name, content).write_parquet(folder / f"{name}.parquet")
        if TABLES[name].est_identite:
            frame(name, content, "identite").write_parquet(folder / f"{name}__identite.parquet")
    return sign(folder, **manifest)


def sign(folder: Path, **changes: Any) -> Path:
    """(Re)write the manifest of the files that are there."""
    files = {
        path.name: {"lignes": pl.scan_parquet(path).select(pl.len()).collect().item(), "sha256": sha256(path)}
        for path in sorted(folder.glob("*.parquet"))
    }
    manifest = {
        "extrait_id": f"{folder.parent.name}-{folder.name}",
        "partenaire": folder.parent.name,
        "mois": folder.name,
        "version_contrat": CONTRACT_VERSION,
        "version_outil": "0.1.0",
        "millesime_cle": "2026",
        "version_encodage": ENCODING_VERSION,
        "controle_cle": "c0ffee",
        "fichiers": files,
        "date": "2026-07-12",
    }
    (folder / "manifeste.json").write_text(json.dumps(manifest | changes), encoding="utf-8")
    return folder


def foyer(name: str, mois: str, **values: Any) -> Row:
    return {"foyer_id": hexa(name), "mois": mois, "commune_insee": "31483", "rsa_etat": "2"} | values


def assure(name: str, **values: Any) -> Row:
    return {"personne_id": hexa(name), "regime": "GE", "c2s": "0", "commune_insee": "31483"} | values


def dossier(name: str, mois: str, **values: Any) -> Row:
    return {"dossier_id": hexa(name), "mois": mois, "commune_insee": "31483", "fonorg": "CAF"} | values


def three_partners(depot: Path, mois: str) -> None:
    """One household, one insured person, one RSA file."""
    deliver(depot, "caf", mois, {"caf_foyers": [foyer("f1", mois, rsa_du=500.0)]})
    deliver(depot, "cpam", mois, {"cpam_assures": [assure("a1")]})
    deliver(depot, "departement", mois, {"dep_rsa": [dossier("d1", mois, rsa_etat="2", rsa_du=500.0)]})
