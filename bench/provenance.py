"""Where a measure or a proof comes from: written at the head of its result."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

_SOURCES = Path(__file__).resolve().parents[1]


def provenance(commande: str) -> dict[str, str]:
    """The command that makes it again, the commit of the sources, the day. Raises without git."""
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=_SOURCES).stdout.strip()
    return {"commande": commande, "commit": commit, "le": datetime.now(UTC).date().isoformat()}
