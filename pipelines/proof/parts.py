"""Parts of a long proof: each is kept with the mark of the code that made it, and redone by other code."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.files import whole_file

SOURCES = Path(__file__).resolve().parents[2]


def code_mark(*places: str) -> str:
    """Sixteen characters that change with any file (Python, SQL, data) of ``places``, files and folders."""
    digest = hashlib.sha256()
    for path in sorted(_files(places)):
        digest.update(str(path.relative_to(SOURCES)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(places: Iterable[str]) -> list[Path]:
    found = [path for place in places for path in ((SOURCES / place), *(SOURCES / place).rglob("*"))]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def read_part(path: Path, mark: str) -> Any:
    """What the part says, or None when it is missing, unreadable, or made by other code."""
    try:
        part = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return part["contenu"] if isinstance(part, dict) and part.get("code") == mark else None


def write_part(path: Path, mark: str, content: Any) -> None:
    """Keep a part, whole or not at all."""
    write_json(path, {"code": mark, "contenu": content})


def write_json(path: Path, content: Any) -> None:
    """A readable JSON file, whole or not at all."""
    with whole_file(path, mode=0o644) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
