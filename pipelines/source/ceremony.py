"""The key ceremony: each partner draws a part on its own machine; the key is the exclusive or of all parts.

All parts but one tell nothing of the key: whatever they are, each possible key remains possible through the
last one (Shamir 1979, the n-of-n case). One honest draw is enough for the key to be uniform. The same parts,
kept apart, are what the key is made again from.
"""

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from pipelines.refusals import KeyRefusal
from pipelines.source.keys import KEY_BYTES, read_aloud, read_secret, typed, write_key, write_secret

MOST_PARTS = 9
_HEADER = "nonrecours-part-1"
_FORM = re.compile(rf"{_HEADER}:([0-9a-f]{{8}}):([2-{MOST_PARTS}]):([0-9a-f]{{64}}):([0-9a-f]{{16}})")
_CODE = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Part:
    """One of ``nombre`` parts of a key. ``ceremonie``: eight hexadecimal characters all of them share."""

    ceremonie: str
    nombre: int
    secret: bytes = field(repr=False)

    @property
    def engagement(self) -> str:
        """Sixteen hexadecimal characters read aloud before any part is shown: it can no longer be changed."""
        said = f"nonrecours/1/engagement/{self.ceremonie}/{self.nombre}/".encode() + self.secret
        return hashlib.sha256(said).hexdigest()[:16]


def draw_part(nombre: int, ceremonie: str | None = None) -> Part:
    """Draw one part among ``nombre``; without ``ceremonie``, open one and draw its code.

    Raises :class:`KeyRefusal` for a number of parts or a code that cannot be.
    """
    if not 2 <= nombre <= MOST_PARTS:
        raise KeyRefusal(
            f"Une clé se tire en 2 à {MOST_PARTS} parts.",
            ou="--parts",
            que_faire="Donner le nombre de partenaires de la cérémonie, par exemple --parts 3.",
        )
    return Part(_code(ceremonie), nombre, secrets.token_bytes(KEY_BYTES))


def share(key: bytes, nombre: int) -> list[Part]:
    """New parts of an existing key, when one was lost; the former still make it, and are to be destroyed."""
    first = draw_part(nombre)
    others = [draw_part(nombre, first.ceremonie) for _ in range(nombre - 2)]
    last = _exclusive_or([key, *(part.secret for part in (first, *others))])
    return [first, *others, Part(first.ceremonie, nombre, last)]


def write_part(part: Part, path: Path) -> None:
    """Write the part in a file only its owner reads; raise :class:`KeyRefusal` when the file exists."""
    digits = f"{part.secret.hex()}:{part.engagement}"
    write_secret(f"{_HEADER}:{part.ceremonie}:{part.nombre}:{digits}", path)


def read_part(path: Path) -> Part:
    """The part of a file; raise :class:`KeyRefusal` when it is none, was altered, or others can read it."""
    form = _FORM.fullmatch(read_secret(path))
    part = Part(form[1], int(form[2]), bytes.fromhex(form[3])) if form else None
    if part is None or form is None or part.engagement != form[4]:
        raise KeyRefusal(
            "Ce fichier n'est pas une part de clé, ou il a été abîmé.",
            ou=str(path),
            que_faire="Reprendre l'original gardé par son partenaire. S'il est perdu : pendant la cérémonie, "
            "tirer une nouvelle part et relire son engagement ; après, voir « nonrecours cle partager ».",
        )
    return part


def assemble(paths: Sequence[Path], sortie: Path, engagements: Sequence[str] = ()) -> str:
    """Write the key of these parts (0600) and return its fingerprint.

    ``engagements``: those of the minutes, every one of which must be met. Writes nothing and raises
    :class:`KeyRefusal` for a part missing, repeated, damaged, of another ceremony or not the one announced.
    """
    parts = {path: read_part(path) for path in paths}
    _refuse_two_ceremonies(parts)
    _refuse_repeated(paths, parts)
    _refuse_wrong_number(parts)
    _refuse_unannounced(parts, engagements)
    return write_key(_exclusive_or([part.secret for part in parts.values()]), sortie)


def _exclusive_or(secrets_: Sequence[bytes]) -> bytes:
    return bytes(reduce(lambda one, other: one ^ other, digits) for digits in zip(*secrets_, strict=True))


def _code(ceremonie: str | None) -> str:
    if ceremonie is None:
        return secrets.token_hex(4)
    code = typed(ceremonie)
    if not _CODE.fullmatch(code):
        raise KeyRefusal(
            "Le code de la cérémonie s'écrit en huit chiffres ou lettres de a à f.",
            ou="--ceremonie",
            que_faire="Recopier le code affiché chez le premier partenaire, par exemple 7f3a-91c2.",
        )
    return code


def _refuse_two_ceremonies(parts: dict[Path, Part]) -> None:
    held = Counter((part.ceremonie, part.nombre) for part in parts.values())
    if len(held) > 1:
        said = [f"{path} ({read_aloud(p.ceremonie)}, {p.nombre} parts)" for path, p in parts.items()]
        raise KeyRefusal(
            "Ces parts ne sont pas d'une même cérémonie : leur code, ou leur nombre de parts, diffère.",
            ou=", ".join(said),
            que_faire="Écarter la part étrangère. Le partenaire qui a ouvert une autre cérémonie tire une "
            "nouvelle part avec le code commun : « nonrecours cle creer --parts … --ceremonie … ».",
        )


def _refuse_repeated(paths: Sequence[Path], parts: dict[Path, Part]) -> None:
    times = Counter(part.engagement for part in parts.values())
    repeated = [str(path) for path, part in parts.items() if times[part.engagement] > 1]
    if repeated or len(parts) < len(paths):
        raise KeyRefusal(
            "Une même part est donnée deux fois.",
            ou=", ".join(repeated or map(str, paths)),
            que_faire="Donner la part de chaque partenaire une fois : chacun a tiré la sienne.",
        )


def _refuse_wrong_number(parts: dict[Path, Part]) -> None:
    wanted = next(iter(parts.values())).nombre
    if len(parts) != wanted:
        raise KeyRefusal(
            f"Il faut les {wanted} parts de cette cérémonie : {len(parts)} sont données.",
            ou=", ".join(map(str, parts)),
            que_faire="Réunir toutes les parts ; sans l'une d'elles, rien n'est calculable. Une part perdue "
            "se remplace par « nonrecours cle partager », chez qui garde encore la clé.",
        )


def _refuse_unannounced(parts: dict[Path, Part], engagements: Sequence[str]) -> None:
    announced = {typed(engagement) for engagement in engagements}
    strangers = [str(path) for path, part in parts.items() if part.engagement not in announced]
    if announced and (strangers or len(announced) != len(parts)):
        raise KeyRefusal(
            "Une part n'est pas celle qui a été annoncée, ou un engagement n'a pas sa part.",
            ou=", ".join(strangers) or "--engagement",
            que_faire="Relire les engagements au procès-verbal. S'ils y sont bien ainsi, une part a été "
            "changée après coup : ne pas employer cette clé, recommencer la cérémonie.",
        )
