import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pyrage import encrypt, x25519

from pipelines.outreach import delivery
from pipelines.settings import Organisation, Settings, anchored

EVENT = {
    "finalite": "RAPPEL_RSA",
    "destinataire": "CELLULE",
    "evenement": "DONNE",
    "evenement_le": date(2026, 5, 4),
    "recueilli_par": "MDS-SG",
    "action_id": "a1",
    "canal_recueil": "PAPIER",
    "formulaire_version": "2026-1",
    "formulaire_sha256": "ab" * 32,
    "expire_le": date(2027, 5, 4),
    "capacite": "SOI",
    "representant_ref": None,
    "nom_naissance": "Testard",
    "nom_usage": None,
    "prenoms": "Jeanne",
    "telephone": "06 39 98 00 01",
    "courriel": None,
    "adresse_contact": None,
    "canal_prefere": "TELEPHONE",
    "creneau": "MATIN",
    "commune_insee": "31483",
}


def put_in_vault(settings: Settings, rows: list[dict[str, object]]) -> None:
    stream = io.BytesIO()
    frame = pl.DataFrame([EVENT | row for row in rows], infer_schema_length=None)
    strings = [name for name, dtype in frame.schema.items() if dtype == pl.Null]
    frame.with_columns(pl.col(strings).cast(pl.String)).write_parquet(stream)
    public = settings.secrets.cle_coffre_publique.read_text().strip()
    settings.dossiers.coffre.mkdir(exist_ok=True)
    sealed = encrypt(stream.getvalue(), [x25519.Recipient.from_str(public)])
    (settings.dossiers.coffre / "2026-06.age").write_bytes(sealed)


def hand_over(settings: Settings, rows: list[tuple[str, str]], checks: list[tuple[str, str]] = []) -> None:  # noqa: B006
    settings.dossiers.passage.mkdir(exist_ok=True)
    frame = pl.DataFrame(rows, schema={"consentement_id": pl.String, "droit": pl.String}, orient="row")
    frame.with_columns(echeance=pl.lit(date(2027, 5, 4))).write_parquet(
        settings.dossiers.passage / "a_rappeler.parquet"
    )
    pl.DataFrame(
        checks, schema={"consentement_id": pl.String, "raison": pl.String}, orient="row"
    ).write_parquet(settings.dossiers.passage / "a_verifier.parquet")


@pytest.fixture
def recipient_key(tmp_path: Path) -> x25519.Identity:
    identity = x25519.Identity.generate()
    (tmp_path / "destinataire.age").write_text(f"{identity}\n")
    return identity


@pytest.fixture
def cellule(tmp_path: Path, recipient_key: x25519.Identity) -> Settings:
    public = str(recipient_key.to_public())
    rules = {
        "destinataires": [
            Organisation(code="CELLULE", nom="Cellule d'aller-vers", cle_publique=public),
            Organisation(code="FS-AURIGNAC", nom="France services Aurignac", cle_publique=public),
        ]
    }
    settings = anchored(Settings(aller_vers=rules), tmp_path)  # type: ignore[arg-type]
    delivery.create_secrets(settings)
    return settings
