"""A small CAF, a small CPAM, a small cellule: folders as a partner's service would extract them."""

from pathlib import Path

import polars as pl
import pyrage
import pytest
from hypothesis import settings

from pipelines.source import create_key
from schemas import TABLES

MOIS = "2026-06"

PATIENT = settings(deadline=None, max_examples=60)
"""No test is timed: the machine may be busy."""

PERSON = {
    "nir": "",
    "nom_naissance": "",
    "nom_usage": "",
    "prenoms": "",
    "date_naissance": "",
    "sexe": "1",
    "lieu_naissance": "31555",
    "adresse": "12 rue de l'Église",
    "commune_insee": "31483",
}

MARKED = {
    "zebulon": PERSON
    | {
        "nir": "180053155500159",
        "nom_naissance": "Zébulonde",
        "prenoms": "Quirinus",
        "date_naissance": "1980-05-03",
    },
    "walpurge": PERSON
    | {
        "nom_naissance": "Walpurgisse",
        "nom_usage": "Zébulonde",
        "prenoms": "Radegonde",
        "date_naissance": "1982-07-14",
        "sexe": "2",
        "lieu_naissance": "99352",
    },
    "petit": PERSON | {"nom_naissance": "Zébulonde", "prenoms": "Tancrède", "date_naissance": "2012-02-29"},
    "sansdate": PERSON
    | {"nom_naissance": "Ostrogothe", "prenoms": "Cunégonde", "date_naissance": "1975-00-00"},
}


def table(name: str, *rows: dict[str, str]) -> pl.DataFrame:
    """A nominative table of the contract: columns left out are empty."""
    columns = TABLES[name].columns
    return pl.DataFrame(
        {c: [row.get(c, "") for row in rows] for c in columns}, schema=dict.fromkeys(columns, pl.String)
    )


def write(folder: Path, name: str, frame: pl.DataFrame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_csv(folder / f"{name}.csv", separator=";")


def caf_tables() -> dict[str, pl.DataFrame]:
    people = [
        person | {"personne_id": f"ALLOC-{name}", "foyer_id": foyer, "role": role, "present_du": "2024-01"}
        for (name, person), foyer, role in zip(
            MARKED.items(),
            ["MATRICULE-1", "MATRICULE-1", "MATRICULE-1", "MATRICULE-2"],
            ["DEM", "CJT", "ENF", "DEM"],
            strict=True,
        )
    ]
    months = ["2026-05", "2026-06"]
    household = {"commune_insee": "31483", "sitfam": "MAR", "rsa_etat": "2", "rsa_du": "512,40"}
    return {
        "caf_personnes": table("caf_personnes", *people),
        "caf_foyers": table(
            "caf_foyers",
            *(
                household | {"foyer_id": foyer, "mois": mois}
                for foyer in ("MATRICULE-1", "MATRICULE-2")
                for mois in months
            ),
        ),
        "caf_prestations_personnes": table(
            "caf_prestations_personnes",
            *({"personne_id": p["personne_id"], "mois": "2026-06"} for p in people),
        ),
        "caf_ressources": table(
            "caf_ressources",
            *(
                {"personne_id": p["personne_id"], "mois": m, "natress": "001", "montant": "0"}
                for p in people
                for m in months
            ),
        ),
    }


def write_all(folder: Path, tables: dict[str, pl.DataFrame]) -> Path:
    for name, frame in tables.items():
        write(folder, name, frame)
    return folder


@pytest.fixture
def caf(tmp_path: Path) -> Path:
    return write_all(tmp_path / "entree-caf", caf_tables())


@pytest.fixture
def cpam(tmp_path: Path) -> Path:
    people = [p | {"personne_id": f"AS-{name}", "regime": "GE", "c2s": "0"} for name, p in MARKED.items()]
    return write_all(
        tmp_path / "entree-cpam",
        {
            "cpam_assures": table("cpam_assures", *people),
            "cpam_rattachements": table(
                "cpam_rattachements", {"enfant_id": "AS-petit", "ouvrant_droit_id": "AS-walpurge"}
            ),
            "cpam_ressources": table("cpam_ressources"),
        },
    )


CONTACT = {
    "telephone": "06 98 76 54 32",
    "courriel": "radegonde@exemple.fr",
    "adresse_contact": "chez Anacharsis, 3 impasse du Puits",
    "canal_prefere": "TELEPHONE",
    "creneau": "MATIN",
}


@pytest.fixture
def cellule(tmp_path: Path) -> Path:
    consent = {
        "consentement_id": "CONSENT-1",
        "finalite": "RAPPEL_RSA",
        "destinataire": "CELLULE",
        "evenement": "DONNE",
        "evenement_le": "2026-05-12",
        "action_id": "ACTION-1",
        "formulaire_version": "2026-1",
        "formulaire_sha256": "ab" * 32,
        "capacite": "SOI",
    }
    other = consent | {"consentement_id": "CONSENT-2"}
    return write_all(
        tmp_path / "entree-cellule",
        {
            "consentements": table(
                "consentements", MARKED["walpurge"] | consent | CONTACT, MARKED["zebulon"] | other | CONTACT
            ),
            "actions": table(
                "actions", {"action_id": "ACTION-1", "date": "2026-05-12", "commune_insee": "31483"}
            ),
            "oppositions": table(
                "oppositions", MARKED["petit"] | {"objet": "TRAITEMENT", "depuis_le": "2026-01-02"}
            ),
        },
    )


@pytest.fixture
def cle(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "projet.cle"
    create_key(path)
    return path


@pytest.fixture
def vault_key(tmp_path: Path) -> tuple[pyrage.x25519.Identity, Path]:
    identity = pyrage.x25519.Identity.generate()
    public = tmp_path / "coffre.pub"
    public.write_text(str(identity.to_public()) + "\n")
    return identity, public
