"""What the cellule needs to call people back: sealed for it at once, never in the deposit."""

import io
from pathlib import Path

import polars as pl
import pyrage

from pipelines.files import whole_file
from pipelines.refusals import KeyRefusal

_LEFT_OUT = ("date_naissance", "sexe", "lieu_naissance", "adresse")
"""Identity the cellule does not need to make a call."""


def vault_file(coffre: Path, mois: str) -> Path:
    """Where the consents of a month are sealed: an age file holding one Parquet table."""
    return coffre / f"consentements-{mois}.parquet.age"


def recipient(coffre_publique: Path | None) -> pyrage.x25519.Recipient:
    """The vault's public key. Raises :class:`KeyRefusal` when it is absent or malformed."""
    try:
        lines = coffre_publique.read_text(encoding="ascii").split() if coffre_publique else []
        return pyrage.x25519.Recipient.from_str(next(word for word in lines if word.startswith("age1")))
    except (OSError, UnicodeDecodeError, StopIteration, pyrage.RecipientError):
        raise KeyRefusal(
            "La clé publique du coffre est absente ou illisible : les noms des personnes consentantes ne "
            "peuvent aller nulle part.",
            ou=str(coffre_publique or "clé publique du coffre"),
            que_faire="Demander à la cellule le fichier coffre.pub écrit par « nonrecours coffre creer ».",
        ) from None


def seal(consents: pl.DataFrame, keyed_ids: pl.DataFrame, path: Path, to: pyrage.x25519.Recipient) -> int:
    """Seal the consents under their keyed ids; return how many rows went in.

    The sealed Parquet table has the columns of ``consentements`` but the birth date, sex, birth place and
    postal address of identity; ``keyed_ids`` gives the re-keyed columns, row for row. The clear table exists
    in memory only.
    """
    kept = consents.drop([c for c in _LEFT_OUT if c in consents.columns])
    table = kept.with_columns(keyed_ids.get_columns()).sort(pl.all())
    clear = io.BytesIO()
    table.write_parquet(clear)
    with whole_file(path) as partial:
        partial.write_bytes(pyrage.encrypt(clear.getvalue(), [to]))
    return table.height
