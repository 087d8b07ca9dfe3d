"""The project's pseudonymisation key: one 256-bit file and its subkeys."""

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


def create_key(path: Path) -> str:
    """Draw a 256-bit key into a file only its owner reads; return its fingerprint, to read aloud.

    For trials: the key of a project is drawn by several partners, see :mod:`pipelines.source.ceremony`.
    Raises :class:`KeyRefusal` when the file exists.
    """
    return write_key(secrets.token_bytes(KEY_BYTES), path)


def write_key(key: bytes, path: Path) -> str:
    """Write the key (0600) and return its fingerprint; raise :class:`KeyRefusal` when the file exists."""
    write_secret(f"{_HEADER}{key.hex()}", path)
    return fingerprint(key)


def read_key(path: Path) -> bytes:
    """The 32 bytes of the key.

    Raises :class:`KeyRefusal` when the file is absent, malformed, or readable by others than its owner.
    """
    form = re.fullmatch(f"{_HEADER}([0-9a-f]{{64}})", read_secret(path))
    if form is None:
        raise KeyRefusal(
            "Ce fichier n'est pas une clé de pseudonymisation.",
            ou=str(path),
            que_faire="Donner le fichier écrit par « nonrecours cle assembler » (ou, pour un essai, « cle "
            "creer »), sans le modifier.",
        )
    return bytes.fromhex(form[1])


def write_secret(line: str, path: Path) -> None:
    """One line in a file only its owner reads; raise :class:`KeyRefusal` when the file exists."""
    if path.exists():
        raise KeyRefusal(
            "Un fichier existe déjà ici : une clé ou une part n'est jamais remplacée.",
            ou=str(path),
            que_faire="Choisir un autre chemin, ou détruire l'ancien fichier par un acte séparé et consigné.",
        )
    with whole_file(path, mode=0o600) as partial:
        partial.write_text(f"{line}\n", encoding="ascii")


def read_secret(path: Path) -> str:
    """The line of such a file; raise :class:`KeyRefusal` when it is absent or others can read it."""
    _refuse_unless_private(path)
    return path.read_bytes()[:300].decode("ascii", errors="replace").strip()


def subkey(key: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 of the key for one purpose (RFC 5869): knowing one subkey tells nothing of another."""
    info = f"nonrecours/1/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def fingerprint(key: bytes) -> str:
    """Sixteen hexadecimal characters naming the key and revealing nothing of it.

    Read aloud at the ceremony, written in every manifest: a delivery made with another key is seen by it.
    """
    return hmac.digest(subkey(key, "empreinte"), _CHECKED, "sha256").hex()[:16]


def read_aloud(digits: str) -> str:
    """Hexadecimal digits in groups of four: 46a3-efe2-e6d8-0fac."""
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def typed(digits: str) -> str:
    """What :func:`read_aloud` said, as somebody types it again: spaces, hyphens and case do not matter."""
    return re.sub(r"[\s\-]", "", digits).lower()


def epoch_of(mois: str) -> str:
    """The key epoch of a month when the partners agreed on nothing else: its year."""
    return mois[:4]


def check_epoch(millesime: str) -> str:
    """Return the key epoch unchanged; raise :class:`KeyRefusal` when it is not a short word."""
    if not _EPOCH.fullmatch(millesime):
        raise KeyRefusal(
            "Le millésime de clé s'écrit en vingt lettres, chiffres ou tirets au plus.",
            ou="millésime de clé",
            que_faire="Donner le millésime convenu entre les partenaires, par exemple 2026.",
        )
    return millesime


def _refuse_unless_private(path: Path) -> None:
    if not path.is_file():
        raise KeyRefusal(
            "Le fichier de clé ou de part est introuvable.",
            ou=str(path),
            que_faire="Vérifier le chemin donné à la commande.",
        )
    others = stat.S_IRWXG | stat.S_IRWXO
    if os.name != "nt" and path.stat().st_mode & others:
        raise KeyRefusal(
            "Le fichier de clé ou de part est lisible par d'autres que son propriétaire.",
            ou=str(path),
            que_faire="Lancer « chmod 600 » sur ce fichier, puis se demander qui a pu le lire.",
        )
