"""A list travels encrypted to its recipient's age key and signed by the cellule (Ed25519 over the cipher)."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyrage import DecryptError, RecipientError, decrypt, encrypt, x25519

from pipelines.files import whole_file
from pipelines.refusals import KeyRefusal, Refusal

SIGNATURE_SUFFIX = ".sig"


def create_signing_key(path: Path) -> None:
    """Draw the cellule's signing key; its public half, for the partners, goes beside it as ``.pub``."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    path.with_suffix(".pub").write_bytes(public)


def seal(content: bytes, public_key: str) -> bytes:
    """``content`` encrypted to an age public key. Raises :class:`KeyRefusal` when it is not one."""
    try:
        cipher: bytes = encrypt(content, [x25519.Recipient.from_str(public_key)])
    except RecipientError:
        raise KeyRefusal(
            "La clé publique du destinataire n'est pas une clé age.",
            ou="aller_vers.destinataires",
            que_faire="Demander au destinataire sa clé publique (age1…).",
        ) from None
    return cipher


def sign(content: bytes, key_path: Path) -> bytes:
    """The cellule's signature over ``content`` (64 bytes)."""
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError):
        raise KeyRefusal(
            "La clé de signature est absente ou illisible.",
            ou=key_path.name,
            que_faire="Lancer « nonrecours coffre creer ».",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusal(
            "Cette clé n'est pas une clé de signature Ed25519.",
            ou=key_path.name,
            que_faire="Lancer « nonrecours coffre creer ».",
        )
    return key.sign(content)


def unseal(sealed: Path, identity: x25519.Identity, sender: Path, folder: Path) -> Path:
    """Check the signature, decrypt, and write the workbook into ``folder``; return its path.

    Raises :class:`Refusal` when the signature is absent or not the sender's, :class:`KeyRefusal` when the
    key is not the recipient's or the file was altered or cut. Nothing is written then.
    """
    cipher = _signed_content(sealed, sender)
    try:
        content = decrypt(cipher, [identity])
    except DecryptError:
        raise KeyRefusal(
            "Cette clé n'ouvre pas ce fichier : il est pour un autre destinataire.",
            ou=sealed.name,
            que_faire="Vérifier le destinataire écrit sur le bordereau.",
        ) from None
    target = folder / sealed.name.removesuffix(".age")
    with whole_file(target, mode=0o600) as partial:
        partial.write_bytes(content)
    return target


def _signed_content(sealed: Path, sender: Path) -> bytes:
    try:
        cipher = sealed.read_bytes()
        signature = sealed.with_name(sealed.name + SIGNATURE_SUFFIX).read_bytes()
        public = serialization.load_pem_public_key(sender.read_bytes())
    except (OSError, ValueError):
        raise Refusal(
            "Le fichier scellé, sa signature ou la clé publique de la cellule manque.",
            ou=sealed.name,
            que_faire="Garder ensemble le fichier .age et son .sig, et donner --emetteur.",
        ) from None
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, cipher)
            return cipher
    except InvalidSignature:
        pass
    raise Refusal(
        "La signature n'est pas celle de la cellule : fichier altéré, coupé ou d'une autre origine.",
        ou=sealed.name,
        que_faire="Ne pas l'ouvrir ; demander un nouvel envoi.",
    )
