"""The project's pseudonymisation key: one 256-bit file, drawn by the partners together, and its subkeys."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipelines.files import whole_file
from pipelines.refusals import KeyRefusal

KEY_BYTES = 32
_HEADER = "nonrecours-cle-1:"
_EPOCH = re.compile(r"^[0-9A-Za-z-]{1,20}$")
_CHECKED = b"nonrecours: valeur de controle de la cle"


def create_key(path: Path, parts: tuple[str, ...] = ()) -> str:
    """Draw a 256-bit key into a file only its owner reads; return its fingerprint, to read aloud.

    ``parts`` are sentences or dice rolls each partner brings: mixed with the machine's own draw, so that no
    partner alone, and no machine alone, chose the key. Raises :class:`KeyRefusal` when the file exists.
    """
    if path.exists():
        raise KeyRefusal(
            "Un fichier de clé existe déjà ici : il n'est jamais remplacé.",
            ou=str(path),
            que_faire="Choisir un autre chemin, ou détruire l'ancienne clé par un acte séparé et consigné.",
        )
    drawn = hashlib.sha256(secrets.token_bytes(KEY_BYTES))
    for part in parts:
        drawn.update(hashlib.sha256(part.encode()).digest())
    with whole_file(path, mode=0o600) as partial:
        partial.write_text(f"{_HEADER}{drawn.hexdigest()}\n", encoding="ascii")
    return fingerprint(drawn.digest())


def read_key(path: Path) -> bytes:
    """The 32 bytes of the key.

    Raises :class:`KeyRefusal` when the file is absent, malformed, or readable by others than its owner.
    """
    _refuse_unless_private(path)
    text = path.read_bytes()[:200].strip()
    digits = text.removeprefix(_HEADER.encode())
    if not text.startswith(_HEADER.encode()) or not re.fullmatch(rb"[0-9a-f]{64}", digits):
        raise KeyRefusal(
            "Ce fichier n'est pas une clé de pseudonymisation.",
            ou=str(path),
            que_faire="Donner le fichier écrit par « nonrecours cle creer », sans le modifier.",
        )
    return bytes.fromhex(digits.decode())


def subkey(key: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 of the key for one purpose (RFC 5869): knowing one subkey tells nothing of another."""
    info = f"nonrecours/1/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def check_value(key: bytes, millesime: str) -> str:
    """Sixteen hexadecimal characters that differ when key or epoch differs, and reveal neither."""
    return hmac.digest(subkey(key, f"controle/{check_epoch(millesime)}"), _CHECKED, "sha256").hex()[:16]


def fingerprint(key: bytes) -> str:
    """Sixteen hexadecimal characters naming the key whatever the epoch."""
    return hmac.digest(subkey(key, "empreinte"), _CHECKED, "sha256").hex()[:16]


def check_epoch(millesime: str) -> str:
    """Return the key epoch unchanged; raise :class:`KeyRefusal` when it is not a short word."""
    if not _EPOCH.match(millesime):
        raise KeyRefusal(
            "Le millésime de clé s'écrit en vingt lettres, chiffres ou tirets au plus.",
            ou="millésime de clé",
            que_faire="Donner le millésime convenu entre les partenaires, par exemple 2026.",
        )
    return millesime


def _refuse_unless_private(path: Path) -> None:
    if not path.is_file():
        raise KeyRefusal(
            "Le fichier de clé est introuvable.", ou=str(path), que_faire="Vérifier le chemin donné à --cle."
        )
    others = stat.S_IRWXG | stat.S_IRWXO
    if os.name != "nt" and path.stat().st_mode & others:
        raise KeyRefusal(
            "Le fichier de clé est lisible par d'autres que son propriétaire.",
            ou=str(path),
            que_faire="Lancer « chmod 600 » sur ce fichier, puis se demander qui a pu le lire.",
        )
