"""The vault: names and telephone numbers of consenting persons, age-encrypted, opened in memory only."""

import io
from pathlib import Path

import polars as pl
from pyrage import DecryptError, IdentityError, decrypt, x25519

from pipelines.outreach.consents import ConsentEvent
from pipelines.refusals import KeyRefusal, MissingSourceRefusal

CONTACT_COLUMNS = (
    "nom_naissance",
    "nom_usage",
    "prenoms",
    "telephone",
    "courriel",
    "adresse_contact",
    "canal_prefere",
    "creneau",
    "commune_insee",
)


def create_identity(path: Path, public_path: Path) -> str:
    """Draw the vault's age key pair; return the public key. Raises :class:`KeyRefusal` when one exists."""
    if path.exists():
        raise KeyRefusal(
            "Cette clé existe déjà : l'écraser rendrait le coffre illisible.",
            ou=path.name,
            que_faire="Choisir un autre chemin, ou archiver l'ancienne clé d'abord.",
        )
    identity = x25519.Identity.generate()
    _write_private(path, f"{identity}\n")
    public_path.parent.mkdir(parents=True, exist_ok=True)
    public_path.write_text(f"{identity.to_public()}\n", encoding="ascii")
    return str(identity.to_public())


def read_identity(path: Path) -> x25519.Identity:
    """The private age key of a file. Raises :class:`KeyRefusal` when absent or unreadable."""
    try:
        return x25519.Identity.from_str(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError, IdentityError):
        raise KeyRefusal(
            "La clé privée est absente ou illisible.",
            ou=path.name,
            que_faire="Vérifier le chemin de la clé age (AGE-SECRET-KEY-1…).",
        ) from None


def read_vault(folder: Path, identity: x25519.Identity) -> pl.DataFrame:
    """Every consent event of the newest vault file, with the person's name and contact.

    Raises :class:`MissingSourceRefusal` without a vault, :class:`KeyRefusal` when the key is not the vault's.
    """
    files = sorted(folder.glob("*.age"))
    if not files:
        raise MissingSourceRefusal(
            "Le coffre est vide : aucun consentement n'a été déposé.",
            ou=str(folder.name),
            que_faire="Pseudonymiser les consentements (partenaire cellule) avec --coffre.",
        )
    try:
        return pl.read_parquet(io.BytesIO(decrypt(files[-1].read_bytes(), [identity])))
    except DecryptError:
        raise KeyRefusal(
            "Cette clé n'ouvre pas le coffre, ou le fichier est altéré.",
            ou=files[-1].name,
            que_faire="Utiliser la clé privée du coffre, ou redéposer les consentements.",
        ) from None


def events_of(vault: pl.DataFrame) -> list[ConsentEvent]:
    """The consent events of the vault, without the persons."""
    columns = list(ConsentEvent.__dataclass_fields__)
    return [ConsentEvent(**row) for row in vault.select(columns).iter_rows(named=True)]


def contacts_of(vault: pl.DataFrame) -> pl.DataFrame:
    """One row per consent: consentement_id and the contact columns of its latest DONNE event."""
    given = vault.filter(pl.col("evenement") == "DONNE").sort("evenement_le")
    return given.unique("consentement_id", keep="last").select("consentement_id", *CONTACT_COLUMNS)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="ascii")
