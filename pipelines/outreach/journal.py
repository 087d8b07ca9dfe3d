"""The journal of deliveries: append-only lines chained by a keyed hash; ids and counts, no names."""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.files import sha256
from pipelines.refusals import KeyRefusal, Refusal

FIRST = "0" * 64
"""What the first line chains to."""

Line = dict[str, Any]


class Journal:
    """An open, locked journal. Use :func:`open_journal`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key
        self.lines = read_lines(path, key)

    @property
    def head(self) -> str:
        """Seal of the last line, printed on every delivery slip: an anchor outside the journal."""
        return str(self.lines[-1]["sceau"]) if self.lines else FIRST

    def append(self, acte: str, **facts: Any) -> Line:
        """Chain one line and force it to disk before returning."""
        line: Line = {
            "numero": len(self.lines) + 1,
            "le": datetime.now(UTC).isoformat(timespec="seconds"),
            "acte": acte,
            **facts,
            "precedent": self.head,
        }
        line["sceau"] = _seal(line, self._key)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.lines.append(line)
        return line

    def withdrawn(self) -> set[str]:
        """The consents withdrawn here since the last delivery of the consents."""
        return {line["consentement_id"] for line in self.lines if line["acte"] == "retrait"}

    def delivered(self, consentement_id: str) -> list[Line]:
        """The intentions, carried out, whose list holds this consent."""
        done = {line["liste"] for line in self.lines if line["acte"] == "fait"}
        return [
            line
            for line in self.lines
            if line["acte"] == "intention"
            and line["liste"] in done
            and consentement_id in line["consentements"]
        ]

    def reconcile(self, folder: Path) -> int:
        """Settle the intentions a killed run left open, by what stands in ``folder``; return how many."""
        settled = {line["liste"] for line in self.lines if line["acte"] in ("fait", "abandon")}
        pending = [ln for ln in self.lines if ln["acte"] == "intention" and ln["liste"] not in settled]
        for line in pending:
            file = folder / line["fichier"]
            carried_out = file.is_file() and sha256(file) == line["sha256"]
            self.append("fait" if carried_out else "abandon", liste=line["liste"], reprise=True)
        return len(pending)


@dataclass(frozen=True)
class Verification:
    """What `nonrecours journal verifier` says: number of lines and the head."""

    lignes: int
    tete: str


@contextmanager
def open_journal(folder: Path, key: bytes) -> Iterator[Journal]:
    """Lock the journal of ``folder`` for one writer, check its chain, and give it.

    Raises :class:`Refusal` when the chain is broken or another delivery is under way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "journal.verrou").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                "Une autre remise est en cours.", ou="journal", que_faire="Attendre qu'elle finisse."
            ) from None
        yield Journal(folder / "journal.jsonl", key)


def create_key(path: Path) -> None:
    """Draw the 256-bit key of the journal's chain into a private file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(os.urandom(32).hex() + "\n", encoding="ascii")


def read_key(path: Path) -> bytes:
    """The journal's key. Raises :class:`KeyRefusal` when absent or malformed."""
    try:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise KeyRefusal(
            "La clé du journal est absente ou illisible.",
            ou=path.name,
            que_faire="Lancer « nonrecours coffre creer », ou restaurer la clé sauvegardée.",
        ) from None


def read_lines(path: Path, key: bytes) -> list[Line]:
    """Every line of a journal, its chain checked. Raises :class:`Refusal` naming the first broken line.

    A last line cut by a crash (no end of line) was never acted upon: it is removed.
    """
    if not path.is_file():
        return []
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        path.write_bytes(whole)
    lines: list[Line] = []
    for number, raw in enumerate(whole.decode("utf-8").splitlines(), start=1):
        lines.append(_checked(raw, number, str(lines[-1]["sceau"]) if lines else FIRST, key))
    return lines


def verify(folder: Path, key: bytes, head: str | None = None) -> Verification:
    """Check the chain, and that ``head`` (read on a delivery slip) is one of its seals.

    Raises :class:`Refusal` when a line was edited, swapped or removed, or the end cut.
    """
    lines = read_lines(folder / "journal.jsonl", key)
    seals = [str(line["sceau"]) for line in lines]
    if head is not None and head not in seals:
        raise Refusal(
            "La tête donnée n'est dans aucune ligne : la fin du journal a été coupée.",
            ou="journal.jsonl",
            que_faire="Restaurer le journal depuis sa sauvegarde et prévenir le garant.",
        )
    return Verification(len(lines), seals[-1] if seals else FIRST)


def _checked(raw: str, number: int, previous: str, key: bytes) -> Line:
    try:
        line: Line = json.loads(raw)
        intact = (
            line["numero"] == number
            and line["precedent"] == previous
            and hmac.compare_digest(str(line["sceau"]), _seal(line, key))
        )
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise Refusal(
            f"Le journal a été modifié : la ligne {number} ne suit pas la précédente.",
            ou="journal.jsonl",
            que_faire="Restaurer le journal depuis sa sauvegarde et prévenir le garant.",
        )
    return line


def _seal(line: Line, key: bytes) -> str:
    content = {name: value for name, value in line.items() if name != "sceau"}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
